// Three people on one server: what each sees of the others' flows and connections, and how it is shared.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { apiOf, until } from "./api.mjs";
import { desktop, firstSignIn, openPage, phone, startBrowser, startServer } from "./server.mjs";

const flowsPath = "/providers/Microsoft.ProcessSimple/environments/~default/flows";
const version = "api-version=2016-11-01";
const secret = "a long password for everybody";
let server;
let browser;
let ada;
let admin;
const people = {};

/** Somebody's session, as their browser holds it. */
async function join(userName, role) {
  const invited = await admin.ask("POST", "/api/v1/users", { userName, role, displayName: userName[0].toUpperCase() + userName.slice(1) });
  const key = invited.body.link.split("#")[1];
  const reply = await fetch(`${server.base}/api/v1/join`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ key, password: secret }) });
  assert.equal(reply.status, 201);
  const cookie = /flowmend_session=([^;]+)/.exec(reply.headers.get("set-cookie"))[1];
  const { csrfToken, user } = await reply.json();
  const ask = async (method, path, body) => {
    const answer = await fetch(server.base + path, { method, headers: { Cookie: `flowmend_session=${cookie}`, "x-flowmend-csrf": csrfToken, "Content-Type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await answer.text();
    return { status: answer.status, body: text === "" ? undefined : JSON.parse(text) };
  };
  const state = { cookies: [{ name: "flowmend_session", value: cookie, domain: "127.0.0.1", path: "/", httpOnly: true, secure: false, sameSite: "Strict", expires: -1 }], origins: [] };
  return { ...user, ask, state };
}

const definition = (actions = { Say: { type: "Compose", inputs: "hello", runAfter: {} } }) => ({
  $schema: "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#",
  contentVersion: "1.0.0.0",
  triggers: { manual: { type: "Request", kind: "Http", inputs: { schema: {} } } },
  actions,
});
const create = (who, displayName, more = {}) => who.ask("POST", `${flowsPath}?${version}`, { properties: { displayName, state: "Started", definition: definition(), ...more } });
const share = (who, path, id, roleName) => who.ask("POST", `${path}/modifyPermissions?${version}`, { put: [{ properties: { roleName, principal: { id, type: "User" } } }] });

before(async () => {
  server = await startServer();
  browser = await startBrowser();
  ada = await firstSignIn(browser, server);
  admin = await apiOf(server, "read,run,write,admin");
  for (const [name, role] of [["grace", "maker"], ["alan", "maker"], ["vera", "viewer"]]) people[name] = await join(name, role);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

test("a flow is its maker's until it is shared; use, edit and own hold what they say", async () => {
  const { grace, alan } = people;
  const made = await create(grace, "Hers");
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const flow = `${flowsPath}/${made.body.name}`;
  const at = (rest = "") => `${flow}${rest}?${version}`;
  assert.equal((await grace.ask("POST", at("/triggers/manual/run"), {})).status, 202);
  const runs = (await grace.ask("GET", at("/runs"))).body.value;
  assert.equal(runs.length, 1);
  const run = runs[0].name;

  // To somebody else it does not exist, by no address.
  for (const [method, path, body] of [["GET", at()], ["PATCH", at(), { properties: { displayName: "Mine" } }], ["POST", at("/stop")], ["GET", at("/runs")], ["GET", at(`/runs/${run}`)], ["POST", at("/triggers/manual/run"), {}],
    ["GET", at("/permissions")], ["POST", at("/modifyPermissions"), { delete: [{ id: grace.id }] }], ["GET", `/api/v1/runs/${run}`], ["GET", `/api/v1/runs/${run}/explanation`], ["GET", `/api/v1/runs/${run}/capsule`], ["POST", `/api/v1/runs/${run}/resubmit`, {}], ["POST", `/api/v1/flows/${made.body.name}/owner`, { to: alan.id }], ["POST", "/api/v1/trials", { flow: made.body.name }]]) {
    const reply = await alan.ask(method, path, body);
    assert.equal(reply.status, 404, `${method} ${path}: ${JSON.stringify(reply.body)}`);
  }
  assert.deepEqual((await alan.ask("GET", `${flowsPath}?${version}`)).body.value, []);
  assert.deepEqual((await alan.ask("GET", "/api/v1/runs")).body.value, []);
  const overview = (await alan.ask("GET", "/api/v1/overview")).body;
  assert.deepEqual([overview.recent, overview.failures, overview.failedLast24h, overview.succeededLast24h], [[], [], 0, 0]);
  assert.equal((await alan.ask("DELETE", at())).status, 404);

  // To use: see and start, no more.
  assert.equal((await share(grace, flow, "alan", "CanView")).status, 200);
  assert.equal((await alan.ask("GET", at())).body.properties.flowmend.role, "CanView");
  assert.equal((await alan.ask("POST", at("/triggers/manual/run"), {})).status, 202);
  assert.equal((await alan.ask("GET", `/api/v1/runs/${run}`)).status, 200);
  for (const [method, path, body] of [["PATCH", at(), { properties: { displayName: "Mine" } }], ["POST", at("/triggers/manual/listCallbackUrl"), {}], ["POST", at(`/runs/${run}/resubmit`)], ["DELETE", at()], ["POST", at("/modifyPermissions"), { delete: [{ id: grace.id }] }]]) {
    const reply = await alan.ask(method, path, body);
    assert.equal(reply.status, 403, `${method} ${path}`);
    assert.match(reply.body.error.message, /Ask one of its owners/);
  }
  // To edit: change it; not share or delete it.
  assert.equal((await share(grace, flow, alan.id, "CanEdit")).status, 200);
  assert.equal((await alan.ask("PATCH", at(), { properties: { displayName: "Ours" } })).status, 200);
  assert.equal((await alan.ask("POST", at(`/runs/${run}/resubmit`))).status, 202);
  assert.equal((await alan.ask("DELETE", at())).status, 403);
  assert.equal((await share(alan, flow, "vera", "Owner")).status, 403);
  const listed = (await alan.ask("GET", at("/permissions"))).body.value;
  assert.deepEqual(listed.map((one) => [one.properties.principal.id, one.properties.roleName]), [[grace.id, "Owner"], [alan.id, "CanEdit"]]);
  // A viewer may look and no more, whatever was shared.
  assert.equal((await share(grace, flow, "vera", "CanEdit")).status, 200);
  assert.equal((await people.vera.ask("GET", at())).status, 200);
  assert.equal((await people.vera.ask("PATCH", at(), { properties: { displayName: "Veras" } })).status, 403);
  // The last owner stays; who is removed sees nothing.
  const last = await grace.ask("POST", at("/modifyPermissions"), { delete: [{ id: grace.id }] });
  assert.equal(last.status, 409);
  assert.equal(last.body.error.code, "LastOwner");
  assert.equal((await grace.ask("POST", at("/modifyPermissions"), { delete: [{ id: alan.id }] })).status, 200);
  assert.equal((await alan.ask("GET", at())).status, 404);
  // An administrator sees everything.
  assert.equal((await admin.ask("GET", at())).status, 200);
});

test("a connection is used by its owner and those it is shared with, also in a flow", async () => {
  const { grace, alan } = people;
  const all = (await admin.ask("GET", `/providers/Microsoft.PowerApps/connections?${version}`)).body.value;
  const api = all[0].properties.apiId.split("/").pop();
  const { name } = all[0];
  const at = `/providers/Microsoft.PowerApps/apis/${api}/connections/${name}`;
  assert.equal((await grace.ask("GET", `${at}?${version}`)).status, 404);
  assert.deepEqual((await grace.ask("GET", `/providers/Microsoft.PowerApps/connections?${version}`)).body.value, []);
  assert.equal((await grace.ask("PUT", `${at}?${version}`, { properties: { connectionParameters: {} } })).status, 409, "a taken name is no way in");
  const references = { its: { connectionName: name, id: `/providers/Microsoft.PowerApps/apis/${api}`, source: "Embedded" } };
  const step = (host) => definition({ Ask: { type: "OpenApiConnection", inputs: { host, parameters: {} }, runAfter: {} } });
  const hosts = [{ connectionName: "its" }, { connectionName: name, apiId: `/providers/Microsoft.PowerApps/apis/${api}` }, { connectionName: "@concat('a', 'b')" }];
  for (const host of hosts) {
    const refused = await create(grace, "Reaching", { definition: step({ operationId: "x", ...host }), connectionReferences: host.connectionName === "its" ? references : {} });
    assert.equal(refused.status, 403, JSON.stringify(refused.body));
    assert.equal(refused.body.error.code, "ConnectionNotShared");
  }
  assert.equal((await share(admin, at, "grace", "CanView")).status, 200);
  assert.equal((await grace.ask("GET", `${at}?${version}`)).body.properties.flowmend.role, "CanView");
  assert.equal((await grace.ask("POST", `/api/v1/connections/${api}/${name}/verify`, {})).status, 403);
  assert.equal((await grace.ask("DELETE", `${at}?${version}`)).status, 403);
  const made = await create(grace, "With a connection", { connectionReferences: references });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  // A new owner who may not use it is told so; whoever may edit goes on with what is in the flow.
  const given = await grace.ask("POST", `/api/v1/flows/${made.body.name}/owner`, { to: "alan" });
  assert.equal(given.status, 200, JSON.stringify(given.body));
  assert.deepEqual(given.body.warnings[0].connections.map((one) => one.name), [name]);
  const seen = (await alan.ask("GET", `${flowsPath}/${made.body.name}?${version}`)).body.properties.flowmend;
  assert.equal(seen.role, "Owner");
  assert.equal(seen.foreignConnections[0].reference, "its");
  assert.equal((await alan.ask("PATCH", `${flowsPath}/${made.body.name}?${version}`, { properties: { displayName: "His now" } })).status, 200);
  // A flow of somebody else's is not called.
  const hers = (await create(grace, "Not to be called")).body.name;
  const calling = await create(alan, "Caller", { definition: definition({ Call: { type: "Workflow", inputs: { host: { workflowReferenceName: hers } }, runAfter: {} } }) });
  assert.equal(calling.status, 403);
  assert.equal(calling.body.error.code, "FlowNotShared");
});

test("what a leaving person owns is handed over; tokens see no more than their owner", async () => {
  const { grace, alan } = people;
  const token = (await grace.ask("POST", "/api/v1/tokens", { name: "hers", scopes: ["read", "write", "run"] })).body.token;
  const asked = async () => (await (await fetch(`${server.base}${flowsPath}?${version}`, { headers: { Authorization: `Bearer ${token}` } })).json()).value.length;
  const own = (await grace.ask("GET", `${flowsPath}?${version}`)).body.value.length;
  assert.ok(own > 0);
  assert.equal(await asked(), own);
  assert.equal((await alan.ask("POST", `/api/v1/users/${grace.id}/hand-over`, { to: alan.id })).status, 403);
  const done = await admin.ask("POST", `/api/v1/users/${grace.id}/hand-over`, { to: "alan" });
  assert.equal(done.status, 200, JSON.stringify(done.body));
  assert.ok(done.body.flows >= 2);
  const left = (await grace.ask("GET", `${flowsPath}?${version}&$filter=${encodeURIComponent("search('personal')")}`)).body.value;
  assert.deepEqual(left, []);
  assert.ok((await alan.ask("GET", `${flowsPath}?${version}`)).body.value.length >= done.body.flows);
});

test("a flow and a connection are shared in the portal, also on a phone", async () => {
  const { alan, vera } = people;
  const flow = (await create(alan, "Orders of Alan")).body.name;
  const his = await openPage(browser, alan.state, desktop, { baseURL: server.base });
  await his.goto(`/flows/${flow}`);
  await his.getByRole("button", { name: "Share", exact: true }).click();
  const dialog = his.getByRole("dialog", { name: 'Share "Orders of Alan"' });
  await dialog.getByRole("combobox", { name: "What Alan may do" }).waitFor();
  await dialog.getByLabel("Person").selectOption({ label: "Vera (vera)" });
  await dialog.getByRole("button", { name: "Add", exact: true }).click();
  await dialog.getByRole("combobox", { name: "What Vera may do" }).waitFor();
  if (process.env.PICTURES) await his.screenshot({ path: `${process.env.PICTURES}/share-desktop.png` });

  // She sees it at once on her phone, and can't change who does.
  const hers = await openPage(browser, vera.state, phone, { baseURL: server.base });
  await hers.goto(`/flows/${flow}`);
  await hers.getByRole("button", { name: "Share", exact: true }).click();
  await hers.getByText("Only an owner changes who it is shared with.").waitFor();
  assert.ok(await hers.getByRole("combobox", { name: "What Vera may do" }).isDisabled());
  // What the server would refuse her is not offered.
  for (const name of ["Edit", "Run", "Turn off", "Delete"]) assert.equal(await hers.getByRole("button", { name, exact: true }).count(), 0, name);
  for (const name of ["Edit", "Run", "Turn off", "Delete"]) assert.equal(await his.getByRole("button", { name, exact: true, includeHidden: true }).count(), 1, `${name}, for its owner`);
  const wide = await hers.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
  assert.equal(wide, false, "nothing is cut off on a phone");
  if (process.env.PICTURES) await hers.screenshot({ path: `${process.env.PICTURES}/share-phone.png` });

  await dialog.getByRole("combobox", { name: "What Vera may do" }).selectOption({ label: "Edit" });
  await his.waitForFunction(async (path) => (await (await fetch(path)).json()).value.some((one) => one.properties.roleName === "CanEdit"), `${flowsPath}/${flow}/permissions?${version}`);
  await dialog.getByRole("button", { name: "Remove Alan" }).click();
  await dialog.getByText(/Nobody would own it any more/).waitFor();
  await dialog.getByRole("button", { name: "Remove Vera" }).click();
  await dialog.getByRole("combobox", { name: "What Vera may do" }).waitFor({ state: "detached" });
  assert.equal((await vera.ask("GET", `${flowsPath}/${flow}?${version}`)).status, 404);

  // An administrator shares a connection.
  const page = await openPage(browser, ada, phone, { baseURL: server.base });
  const one = (await admin.ask("GET", `/providers/Microsoft.PowerApps/connections?${version}`)).body.value[0];
  await page.goto(`/connections/${one.properties.apiId.split("/").pop()}/${one.name}`);
  await page.getByRole("button", { name: "Share", exact: true }).click();
  await page.getByLabel("Person").selectOption({ label: "Vera (vera)" });
  await page.getByLabel("May", { exact: true }).selectOption({ label: "Use" });
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("combobox", { name: "What Vera may do" }).waitFor();
  if (process.env.PICTURES) await page.screenshot({ path: `${process.env.PICTURES}/share-connection-phone.png` });
  assert.equal((await vera.ask("GET", `/providers/Microsoft.PowerApps/connections?${version}`)).body.value.length, 1);

  // Hand over by the administrator, for who leaves.
  await page.goto("/settings/people");
  await page.getByRole("button", { name: "Hand over what Alan owns" }).click();
  await page.getByLabel("New owner").selectOption({ label: "Ada" });
  await page.getByRole("button", { name: "Hand over", exact: true }).last().click();
  await page.getByText(/Flows handed over: [1-9]/).waitFor();
  assert.deepEqual([...his.complaints, ...hers.complaints, ...page.complaints], []);
});

test("a viewer who is asked answers an approval in the portal; nobody else may, nor a token that only reads", async () => {
  const { alan, vera } = people;
  const connected = await alan.ask("PUT", `/providers/Microsoft.PowerApps/apis/shared_approvals/connections/of_alan?${version}`, { properties: { displayName: "Approvals", connectionParameters: {} } });
  assert.equal(connected.status, 201, JSON.stringify(connected.body));
  const asking = { type: "OpenApiConnectionWebhook", runAfter: {}, inputs: {
    host: { connectionName: "of_alan", operationId: "StartAndWaitForAnApproval", apiId: "/providers/Microsoft.PowerApps/apis/shared_approvals" },
    parameters: { approvalType: "Basic", "WebhookApprovalCreationInput/title": "May Alan travel?", "WebhookApprovalCreationInput/assignedTo": "vera" },
  } };
  const made = await alan.ask("POST", `${flowsPath}?${version}`, { properties: { displayName: "Asks Vera", state: "Started", definition: definition({ Ask: asking }) } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.equal((await alan.ask("POST", `${flowsPath}/${made.body.name}/triggers/manual/run?${version}`, {})).status, 202);
  const approval = await until("the approval", async () => (await vera.ask("GET", "/api/v1/approvals")).body.value[0]);
  assert.equal((await alan.ask("POST", `/api/v1/approvals/${approval.id}/respond`, { response: "Approve" })).status, 403, "he is not asked");
  for (const [path, body] of [["link", { person: "vera" }], ["cancel", {}]])
    assert.equal((await people.grace.ask("POST", `/api/v1/approvals/${approval.id}/${path}`, body)).status, 403, "the flow that asks is not hers");
  const token = (await apiOf(server, "read")).token;
  const reading = await fetch(`${server.base}/api/v1/approvals/${approval.id}/respond`, { method: "POST", headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }, body: JSON.stringify({ response: "Approve" }) });
  assert.equal(reading.status, 403);
  const page = await openPage(browser, vera.state, phone, { baseURL: server.base });
  await page.goto("/approvals");
  await page.getByText("May Alan travel?").first().waitFor();
  await page.getByRole("button", { name: /^Approve/ }).first().click();
  const sure = page.getByRole("dialog").getByRole("button", { name: /^(Approve|Send|Confirm)/ });
  if (await sure.isVisible().catch(() => false)) await sure.click();
  const decided = await until("the decision", async () => {
    const now = (await vera.ask("GET", `/api/v1/approvals/${approval.id}`)).body;
    return now.status !== "Pending" && now;
  });
  assert.equal(decided.outcome, "Approve");
  await until("the run's end", async () => (await alan.ask("GET", `${flowsPath}/${made.body.name}/runs?${version}`)).body.value[0].properties.status === "Succeeded");
  assert.deepEqual(page.complaints, []);
});
