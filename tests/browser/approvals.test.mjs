// A flow asks a person and waits: answered on a phone, by a link without an account, or by everyone in turn. And the
// tables that flows and people share.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { desktop, firstSignIn, openPage, phone, startBrowser, startServer } from "./server.mjs";

const waitMs = 30_000;
const flows = "/providers/Microsoft.ProcessSimple/environments/~default/flows";
const version = "api-version=2016-11-01";
let browser;
let server;
let state;

before(async () => {
  browser = await startBrowser();
  server = await startServer();
  state = await firstSignIn(browser, server);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const open = (screen) => openPage(browser, state, screen, { baseURL: server.base, reducedMotion: "reduce" });
const until = async (found) => {
  for (const end = Date.now() + waitMs; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const one = await found();
    if (one) return one;
  }
  throw new Error("it did not happen");
};
/** Asks the server as the signed-in portal does. */
const ask = (page, method, path, body) =>
  page.evaluate(
    async ([verb, address, content]) => {
      const { csrfToken } = await (await fetch("/api/v1/me")).json();
      const answer = await fetch(address, { method: verb, headers: { "Content-Type": "application/json", "x-flowmend-csrf": csrfToken }, body: content === undefined ? undefined : JSON.stringify(content) });
      const said = await answer.text();
      if (!answer.ok) throw new Error(`${answer.status} ${said}`);
      return said === "" ? undefined : JSON.parse(said);
    },
    [method, path, body],
  );

/** A flow that asks, and a run of it that waits. */
async function askedRun(page, title, approvalType = "Basic", more = {}) {
  await ask(page, "PUT", `/providers/Microsoft.PowerApps/apis/shared_approvals/connections/shared_approvals?${version}`, { properties: { displayName: "Approvals", connectionParameters: {} } });
  const { name: flow } = await ask(page, "POST", `${flows}?${version}`, {
    properties: {
      displayName: title,
      state: "Started",
      definition: {
        $schema: "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#",
        contentVersion: "1.0.0.0",
        triggers: { manual: { type: "Request", kind: "Http", inputs: {} } },
        actions: {
          Ask: {
            type: "OpenApiConnectionWebhook",
            inputs: {
              host: { connectionName: "shared_approvals", operationId: "StartAndWaitForAnApproval", apiId: "/providers/Microsoft.PowerApps/apis/shared_approvals" },
              parameters: { approvalType, "WebhookApprovalCreationInput/title": title, "WebhookApprovalCreationInput/assignedTo": "ada@example.org;", "WebhookApprovalCreationInput/details": "Order 7, 120 EUR", ...more },
            },
          },
          Told: { type: "Compose", runAfter: { Ask: ["Succeeded"] }, inputs: "@concat(outputs('Ask')?['body/outcome'], ': ', first(outputs('Ask')?['body/responses'])?['comments'])" },
        },
      },
    },
  });
  await ask(page, "POST", `${flows}/${flow}/triggers/manual/run?${version}`, {});
  await until(async () => (await ask(page, "GET", "/api/v1/approvals?status=pending")).value.some((one) => one.title === title));
  return flow;
}

/** The run's status and what its last step made of the answer, once it is over. */
const over = (page, flow) =>
  until(async () => {
    const [run] = (await ask(page, "GET", `${flows}/${flow}/runs?${version}`)).value;
    if (!run || ["Running", "Waiting"].includes(run.properties.status)) return undefined;
    const told = await ask(page, "GET", `${flows}/${flow}/runs/${run.name}/actions/Told?${version}`);
    const outputs = told.properties.outputs ?? (await ask(page, "GET", new URL(told.properties.outputsLink.uri).pathname + new URL(told.properties.outputsLink.uri).search));
    return { status: run.properties.status, told: outputs };
  });

test("a person answers on the phone, and the run goes on with the answer", async () => {
  const page = await open(phone);
  await page.goto("/");
  const flow = await askedRun(page, "Pay order 7");
  await page.goto("/approvals");
  const card = page.getByRole("listitem").filter({ hasText: "Pay order 7" });
  await card.getByText("Order 7, 120 EUR").waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "the page is wider than the phone");
  await card.getByLabel("Comment").fill("fine by me");
  await card.getByRole("button", { name: "Approve: Pay order 7" }).click();
  await page.getByRole("heading", { name: "Nothing waits for you" }).waitFor();
  assert.deepEqual(await over(page, flow), { status: "Succeeded", told: "Approve: fine by me" });
  await page.getByRole("tab", { name: "History" }).click();
  await page.getByRole("listitem").filter({ hasText: "Pay order 7" }).getByText("Ada: Approve").waitFor();
  assert.deepEqual(page.complaints, []);
});

test("a link lets one person answer without an account, once", async () => {
  const page = await open(desktop);
  await page.goto("/");
  const flow = await askedRun(page, "Choose <b>a colour</b>", "CustomResponse", { "WebhookApprovalCreationInput/responseOptions": ["Red", "Blue & green"] });
  const [approval] = (await ask(page, "GET", "/api/v1/approvals?status=pending")).value;
  const { link } = await ask(page, "POST", `/api/v1/approvals/${approval.id}/link`, { person: "ada@example.org" });
  const stranger = await browser.newContext(phone);
  const letter = await stranger.newPage();
  await letter.goto(link);
  await letter.getByRole("heading", { name: "Choose <b>a colour</b>" }).waitFor();
  // Opening it decides nothing.
  assert.equal((await ask(page, "GET", `/api/v1/approvals/${approval.id}`)).status, "Pending");
  await letter.getByLabel("Comment").fill("both");
  await letter.getByRole("button", { name: "Blue & green" }).click();
  await letter.getByRole("heading", { name: "Thank you" }).waitFor();
  assert.deepEqual(await over(page, flow), { status: "Succeeded", told: "Blue & green: both" });
  await letter.goto(link);
  await letter.getByRole("heading", { name: "Already decided" }).waitFor();
  assert.equal((await letter.goto(link.replace(/key=...../, "key=00000"))).status(), 404);
  await stranger.close();
});

test("tables are made, filled, filtered and deleted on their page", async () => {
  const page = await open(desktop);
  await page.goto("/tables");
  await page.getByRole("button", { name: "New table" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("orders");
  await page.getByLabel("Columns", { exact: true }).fill("title !\namount number\nstate choice: open | done");
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByRole("heading", { name: "orders", level: 1 }).waitFor();
  for (const [title, amount] of [["Chairs", "12.5"], ["Desks", "300"]]) {
    await page.getByRole("button", { name: "New row" }).click();
    await page.getByLabel("title").fill(title);
    await page.getByLabel("amount").fill(amount);
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("cell", { name: title }).waitFor();
  }
  await page.getByRole("button", { name: "Edit row 1" }).click();
  await page.getByLabel("amount").fill("much");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("takes a number").waitFor();
  await page.getByLabel("amount").fill("13");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("cell", { name: "13", exact: true }).waitFor();
  await page.getByLabel("Filter").fill("amount gt 100");
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByRole("cell", { name: "Chairs" }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Delete row 2" }).click();
  await page.getByRole("button", { name: "Delete", exact: true }).click();
  await page.getByRole("heading", { name: "No rows" }).waitFor();
  assert.equal((await ask(page, "GET", "/api/v1/tables/orders/rows")).value.length, 1);
  assert.deepEqual(page.complaints, []);
});
