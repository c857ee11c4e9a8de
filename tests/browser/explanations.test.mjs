// A value is missing: the run's page says which step did not return it, and what changed since the last good run.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { desktop, firstSignIn, openPage, startBrowser, startServer } from "./server.mjs";

const waitMs = 20_000;
let browser;
let server;
let state;
let service;
let people = [{ name: "Ann", manager: { email: "eve@example.com" } }, { name: "Bob", manager: { email: "eve@example.com" } }];

before(async () => {
  browser = await startBrowser();
  server = await startServer();
  state = await firstSignIn(browser, server);
  service = createServer((_, response) => response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ value: people })));
  await new Promise((resolve) => service.listen(0, "127.0.0.1", resolve));
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await new Promise((resolve) => service?.close(resolve));
});

/** Asks the server as the portal does. */
const ask = (page, path, body) =>
  page.evaluate(
    async ([where, what]) => {
      const { csrfToken } = await (await fetch("/api/v1/me")).json();
      const answer = await fetch(where, { method: what === undefined ? "GET" : "POST", headers: { "Content-Type": "application/json", "x-flowmend-csrf": csrfToken }, body: what && JSON.stringify(what) });
      if (!answer.ok) throw new Error(await answer.text());
      return answer.status === 202 ? answer.headers.get("x-ms-workflow-run-id") : answer.json();
    },
    [path, body],
  );

const flows = "/providers/Microsoft.ProcessSimple/environments/~default/flows";

/** Runs the flow and waits until the run is over. */
async function run(page, flow) {
  const name = await ask(page, `${flows}/${flow}/triggers/manual/run?api-version=2016-11-01`, {});
  for (const end = Date.now() + waitMs; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 50))) {
    const found = await ask(page, `/api/v1/runs/${name}`);
    if (!["Running", "Waiting"].includes(found.properties.status)) return { name, status: found.properties.status };
  }
  throw new Error("the run did not end");
}

test("a missing value leads to the step and item that did not return it, and to what changed since the last good run", async () => {
  const page = await openPage(browser, state, desktop, { baseURL: server.base, reducedMotion: "reduce" });
  await page.goto("/");
  const definition = {
    triggers: { manual: { type: "Request", kind: "Http", inputs: { schema: {} } } },
    actions: {
      Get_people: { type: "Http", inputs: { method: "GET", uri: `http://127.0.0.1:${service.address().port}/people` }, runAfter: {} },
      Each: {
        type: "Foreach",
        foreach: "@body('Get_people')?['value']",
        actions: { Greet: { type: "Compose", inputs: "@toUpper(items('Each')?['manager']?['email'])", runAfter: {} } },
        runAfter: { Get_people: ["Succeeded"] },
      },
    },
  };
  const flow = (await ask(page, `${flows}?api-version=2016-11-01`, { properties: { displayName: "Greet all", definition, state: "Started" } })).name;
  assert.equal((await run(page, flow)).status, "Succeeded");
  people = [people[0], { name: "Bob" }];
  const failed = await run(page, flow);
  assert.equal(failed.status, "Failed");

  await page.goto(`/flows/${flow}/runs/${failed.name}`);
  await page.getByText("'manager/email' was missing because step 'Get people' returned no 'value/manager' in item 2.").first().waitFor();
  await page.getByRole("button", { name: /^Since the last good run/ }).waitFor();
  await page.getByText("Of what 'Get people' returned 'body/value/manager' was in each item and is missing in 1 of 2 now.").waitFor();
  await page.getByRole("link", { name: /^The run of / }).waitFor();
  await page.getByRole("link", { name: "Show Get people" }).click();
  await page.getByRole("heading", { level: 2, name: "Get people" }).waitFor();

  // The incident says it too.
  await page.goto("/incidents");
  await page.getByRole("row").filter({ hasText: "Greet all" }).getByRole("link").first().click();
  await page.getByText(/returned no 'value\/manager' in item 2/).first().waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});
