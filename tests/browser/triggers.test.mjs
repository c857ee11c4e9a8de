// Flows that services start: a trigger that asks, one that is called, a step that waits for an answer, a flow that calls
// another. The service is a real one of this test's own.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { desktop, firstSignIn, openPage, startBrowser, startServer } from "./server.mjs";

const waitMs = 20_000;
let browser;
let server;
let state;
let service;
const seen = [];
const news = [];
let shipDown = true;

before(async () => {
  browser = await startBrowser();
  server = await startServer();
  state = await firstSignIn(browser, server);
  service = createServer((request, response) => {
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      seen.push({ method: request.method, url: request.url, body: body ? JSON.parse(body) : undefined });
      if (request.url.startsWith("/news")) {
        const item = news.shift();
        if (!item) return response.writeHead(202, { "Retry-After": "1" }).end();
        return response.writeHead(200, { "Content-Type": "application/json", Location: `/news?after=${item.n}` }).end(JSON.stringify(item));
      }
      if (request.url === "/ship" && shipDown) return response.writeHead(500).end();
      response.writeHead(201, { "Content-Type": "application/json" }).end(JSON.stringify({ id: "one" }));
    });
  });
  await new Promise((resolve) => service.listen(0, "127.0.0.1", resolve));
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await new Promise((resolve) => service?.close(resolve));
});

const at = () => `http://127.0.0.1:${service.address().port}`;
const open = () => openPage(browser, state, desktop, { baseURL: server.base, reducedMotion: "reduce" });
const until = async (found) => {
  for (const end = Date.now() + waitMs; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const one = await found();
    if (one) return one;
  }
  throw new Error("it did not happen");
};

/** Saves a flow as the portal does; gives its id. */
const save = (page, displayName, definition) =>
  page.evaluate(
    async ([name, given]) => {
      const { csrfToken } = await (await fetch("/api/v1/me")).json();
      const answer = await fetch("/providers/Microsoft.ProcessSimple/environments/~default/flows?api-version=2016-11-01", {
        method: "POST",
        headers: { "Content-Type": "application/json", "x-flowmend-csrf": csrfToken },
        body: JSON.stringify({ properties: { displayName: name, definition: given, state: "Started" } }),
      });
      const body = await answer.json();
      if (!answer.ok) throw new Error(JSON.stringify(body));
      return body.name;
    },
    [displayName, definition],
  );

test("a trigger that asks a service says what it found, and starts a run for what is new", async () => {
  const page = await open();
  await page.goto("/");
  const flow = await save(page, "Watch the news", {
    triggers: { News: { type: "Http", recurrence: { frequency: "Second", interval: 1 }, inputs: { method: "GET", uri: `${at()}/news` } } },
    actions: { Take: { type: "Compose", inputs: "@triggerBody()", runAfter: {} } },
  });
  await page.goto(`/flows/${flow}`);
  const checks = page.getByRole("region", { name: "Trigger checks" });
  await checks.getByText("The service has nothing new.").first().waitFor({ timeout: waitMs });
  news.push({ n: 7, title: "It works" });
  await checks.getByRole("link", { name: "Started a run" }).first().click({ timeout: waitMs });
  await page.getByRole("heading", { level: 1 }).getByText("Succeeded").waitFor();
  await until(() => seen.some((one) => one.url === "/news?after=7"));
  assert.deepEqual(page.complaints, []);
});

test("a service that is given an address starts runs, and is told when the flow is switched off", async () => {
  const page = await open();
  await page.goto("/");
  const flow = await save(page, "On an event", {
    triggers: {
      Hook: {
        type: "HttpWebhook",
        inputs: {
          subscribe: { method: "POST", uri: `${at()}/hooks`, body: { notify: "@{listCallbackUrl()}" } },
          unsubscribe: { method: "DELETE", uri: `${at()}/hooks/@{triggerBody()?['id']}` },
        },
      },
    },
    actions: { Take: { type: "Compose", inputs: "@triggerBody()?['event']", runAfter: {} } },
  });
  const { body } = await until(() => seen.find((one) => one.url === "/hooks"));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const heard = await fetch(body.notify, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ event: 1 }) });
  assert.equal(heard.status, 200);
  await page.goto(`/flows/${flow}`);
  await page.getByRole("region", { name: "Trigger checks" }).getByRole("link", { name: "Started a run" }).first().waitFor({ timeout: waitMs });
  await page.getByRole("button", { name: "Turn off" }).click();
  await until(() => seen.some((one) => one.method === "DELETE" && one.url === "/hooks/one"));
  const off = await fetch(body.notify, { method: "POST", body: "{}", headers: { "Content-Type": "application/json" } });
  assert.equal(off.status, 400);
});

test("a step waits for the service's answer, and a flow that called the flow gets its response", async () => {
  const page = await open();
  await page.goto("/");
  const child = await save(page, "Ask for approval", {
    triggers: { manual: { type: "Request", kind: "Button", inputs: { schema: {} } } },
    actions: {
      Ask: { type: "HttpWebhook", inputs: { subscribe: { method: "POST", uri: `${at()}/ask`, body: { answer: "@{listCallbackUrl()}" } } }, runAfter: {} },
      Response: { type: "Response", kind: "Http", inputs: { statusCode: 200, body: "@body('Ask')" }, runAfter: { Ask: ["Succeeded"] } },
    },
  });
  const parent = await save(page, "Buy something", {
    triggers: { manual: { type: "Request", kind: "Button", inputs: { schema: {} } } },
    actions: {
      Approval: { type: "Workflow", inputs: { host: { workflowReferenceName: child }, body: { what: "a boat" } }, runAfter: {} },
      Decide: { type: "Compose", inputs: "@body('Approval')?['outcome']", runAfter: { Approval: ["Succeeded"] } },
    },
  });
  await page.goto(`/flows/${parent}`);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Run", exact: true }).click();
  const { body } = await until(() => seen.find((one) => one.url === "/ask"));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const answered = await fetch(body.answer, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ outcome: "Approve" }) });
  assert.equal(answered.status, 200);
  await page.goto(`/flows/${parent}`);
  await page.getByRole("region", { name: "Trigger checks" }).getByRole("link", { name: "Started a run" }).first().click({ timeout: waitMs });
  await page.getByRole("heading", { level: 1 }).getByText("Succeeded").waitFor({ timeout: waitMs });
  await page.getByRole("button", { name: /Decide/ }).first().click();
  await page.getByText("Approve").first().waitFor();
  assert.deepEqual(page.complaints, []);
});

test("a failed run continues where it failed: what had gone well is kept and not sent again", async () => {
  const page = await open();
  await page.goto("/");
  const post = (path, runAfter) => ({ type: "Http", inputs: { method: "POST", uri: `${at()}${path}`, body: { order: 1 }, retryPolicy: { type: "none" } }, runAfter });
  const flow = await save(page, "Pay and ship", {
    triggers: { manual: { type: "Request", kind: "Button", inputs: { schema: {} } } },
    actions: { Pay: post("/pay", {}), Ship: post("/ship", { Pay: ["Succeeded"] }) },
  });
  await page.goto(`/flows/${flow}`);
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Run", exact: true }).click();
  // The portal opens the run that was started.
  await page.getByRole("heading", { level: 1 }).getByText("Failed").waitFor({ timeout: waitMs });
  shipDown = false;
  const before = page.url();
  await page.getByRole("button", { name: "Choose a definition" }).click();
  await page.getByRole("menuitem", { name: /^Continue/ }).click();
  await page.waitForURL((url) => url.href !== before && /\/runs\//.test(url.pathname));
  await page.getByRole("heading", { level: 1 }).getByText("Succeeded").waitFor({ timeout: waitMs });
  assert.equal(seen.filter((one) => one.url === "/pay").length, 1, "paid once");
  assert.equal(seen.filter((one) => one.url === "/ship").length, 2);
});
