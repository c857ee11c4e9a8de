// Stands in for the server while the portal is developed: the routes of docs/reference/portal-api.md over the flows of
// docs/demo.md, remembered while it runs, with no engine behind them. Nothing here is proof of anything: the tests in
// tests/browser/ drive the real server.
//
//   node dev/mock-server.mjs [--listen 127.0.0.1:8099] [--demo-port 8089]
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

const option = (name, otherwise) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : otherwise);
const port = Number(option("--listen", "127.0.0.1:8099").split(":").pop());
const demoPort = Number(option("--demo-port", "8089"));
const base = `http://127.0.0.1:${port}`;
const demo = `http://127.0.0.1:${demoPort}`;
const dist = fileURLToPath(new URL("../dist", import.meta.url));

const stamp = (ms) => `${new Date(ms).toISOString().slice(0, -1)}0000Z`;
const state = { admin: undefined, ordersPassword: "autumn-2026", stored: "spring-2026", delivery: "down", tokens: [], listeners: new Set(), read: new Set() };
const contents = new Map();
const link = (value) => {
  if (value === undefined) return undefined;
  const key = String(contents.size + 1);
  contents.set(key, value);
  return { uri: `${base}/workflows/x/contents/${key}?sig=mock`, contentSize: JSON.stringify(value).length };
};

// Each flow: its one step that can fail, and what it does with the state of the services.
const http = (method, uri, more = {}) => ({ type: "Http", runAfter: {}, inputs: { method, uri, ...more } });
const flows = [];
function addFlow(displayName, actions, body, judge, references = {}) {
  const name = `00000000-0000-4000-8000-${String(flows.length + 1).padStart(12, "0")}`;
  const definition = {
    $schema: "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#",
    contentVersion: "1.0.0.0",
    parameters: { $connections: { type: "Object", defaultValue: {} }, $authentication: { type: "SecureObject", defaultValue: {} } },
    triggers: { manual: { type: "Request", kind: "Http", inputs: { schema: {} } } },
    actions,
  };
  flows.push({ name, displayName, definition, references, body, judge, state: "Started", version: 1, changed: Date.now(), runs: [] });
}
const failure = (action, statusCode, code, message, more) => ({ action, statusCode, code, message, ...more });
const badJson = (definition) => JSON.stringify(definition);

addFlow("Confirm a new order",
  {
    Get_order: { type: "OpenApiConnection", runAfter: {}, inputs: { host: { apiId: "/providers/Microsoft.PowerApps/apis/shared_orders", connectionName: "shared_orders", operationId: "GetOrder" }, parameters: { id: "@triggerBody()?['orderId']" } } },
    If_large: { type: "If", runAfter: { Get_order: ["Succeeded"] }, expression: { greater: ["@body('Get_order')?['total']", 100] }, actions: { Ask_manager: http("POST", `${demo}/mailbox`) }, else: { actions: { Confirm: { type: "Compose", inputs: "ok" } } } },
  },
  { orderId: 4711 },
  () => state.stored === state.ordersPassword ? undefined : failure("Get_order", 401, "Unauthorized", "The user name or password is wrong.", { family: "authentication", title: "Get order was refused: the connection Orders isn't authenticated (401)", what: "The service Orders refused the stored user name and password. It says: The user name or password is wrong.", connection: true,
    fix: [{ text: "Verify the password of the connection Orders.", button: { kind: "verifyConnection", label: "Verify password", connection: { api: "shared_orders", name: "orders" } } }, { text: "Then run it again.", button: { kind: "resubmit", label: "Resubmit" } }] }),
  { shared_orders: { connectionName: "orders", id: "/providers/Microsoft.PowerApps/apis/shared_orders", source: "Embedded" } });
addFlow("Publish a product page", { Get_product: http("GET", `${demo}/products/TEA-200`) }, { sku: "TEA-200" },
  (definition) => badJson(definition).includes("/v2/products/") ? undefined : failure("Get_product", 404, "NotFound", "There is nothing at /products/TEA-200.", { family: "actionConfiguration", title: "Get product found nothing at the address (404)", what: "The service answered that there is nothing at /products/TEA-200.", where: { pointer: "/actions/Get_product/inputs/uri", field: "uri", value: `${demo}/products/TEA-200` },
    fix: [{ text: "Correct uri.", button: { kind: "editAction", label: "Edit", pointer: "/actions/Get_product/inputs/uri" } }, { text: "Then run it again.", button: { kind: "resubmit", label: "Resubmit" } }] }));
addFlow("Quote a price", { Get_price: http("GET", `${demo}/prices`, { queries: { sku: "TEA-200", currency: "EURO" } }) }, {},
  (definition) => badJson(definition).includes('"EURO"') ? failure("Get_price", 400, "BadRequest", "The currency EURO is unknown.", { family: "actionConfiguration", title: "Get price sent a value that the service doesn't accept (400)", what: "The service says: the currency EURO is unknown.", where: { pointer: "/actions/Get_price/inputs/queries/currency", field: "currency", value: "EURO" },
    fix: [{ text: "Correct currency.", button: { kind: "editAction", label: "Edit", pointer: "/actions/Get_price/inputs/queries/currency" } }] }) : undefined);
addFlow("Book a delivery", { Book_parcel: http("POST", `${demo}/parcels`, { retryPolicy: { type: "fixed", interval: "PT5S", count: 2 } }) }, {},
  () => state.delivery === "up" ? undefined : failure("Book_parcel", 502, "BadGateway", "The delivery service is down.", { family: "transient", temporary: true, retries: 3, title: "Book parcel got no answer from the service (502)", what: "This is temporary: the service was down each of the 3 times. Nothing in the flow is wrong.",
    fix: [{ text: "Run it again once the service is back.", button: { kind: "resubmit", label: "Resubmit" } }] }));
addFlow("Welcome a customer", { Compose_greeting: { type: "Compose", runAfter: {}, inputs: "Dear @{toUpper(triggerBody()?['customer']?['lastName'])}" } }, { customer: { firstName: "Ada" } },
  (definition) => badJson(definition).includes("coalesce") ? undefined : failure("Compose_greeting", undefined, "InvalidTemplate", "The function 'toUpper' expects text, but its argument is null.", { family: "expression", title: "Compose greeting has an expression that met null", what: "toUpper needs text, but triggerBody()?['customer']?['lastName'] is null.",
    where: { pointer: "/actions/Compose_greeting/inputs", expression: { source: "Dear @{toUpper(triggerBody()?['customer']?['lastName'])}", begin: 15, end: 54, subexpression: "triggerBody()?['customer']?['lastName']", message: "toUpper expects text, but its argument is null.", values: [{ text: "triggerBody()?['customer']", value: { firstName: "Ada" } }, { text: "triggerBody()?['customer']?['lastName']", value: null, culprit: true }] } },
    fix: [{ text: "Give toUpper a text: put coalesce(..., 'customer') around its argument.", button: { kind: "editAction", label: "Edit", pointer: "/actions/Compose_greeting/inputs" } }, { text: "Not sure? Ask someone.", button: { kind: "askForHelp", label: "Ask for help" } }] }));
addFlow("Restock the shelves", { Items_to_order: { type: "Compose", inputs: [{ quantity: 10 }, { quantity: "twelve" }, { quantity: 4 }] }, For_each_item: { type: "Foreach", foreach: "@outputs('Items_to_order')", runAfter: { Items_to_order: ["Succeeded"] }, actions: { Order_stock: http("POST", `${demo}/stock`) } } }, {},
  (definition) => badJson(definition).includes("twelve") ? failure("Order_stock", 400, "BadRequest", "The quantity twelve is not a number.", { family: "data", repetition: "000001", title: "Order stock sent a value that the service doesn't accept (400)", what: "The second item has the quantity twelve.", where: { pointer: "/actions/For_each_item/actions/Order_stock/inputs/body/quantity", field: "quantity", value: "twelve" },
    fix: [{ text: "Correct the data, then run it again.", button: { kind: "resubmit", label: "Resubmit" } }] }) : undefined);
addFlow("Daily sales summary", { Sum: { type: "Compose", inputs: 42 } }, {}, () => undefined);

let clock = 0;
function start(flow, of, definition = flow.definition) {
  const now = Date.now();
  const name = `0858464092657${String(9999999 - clock++).padStart(7, "0")}946217888CU00`;
  const failed = flow.judge(definition);
  const run = { name, flow, definition, failed, status: failed ? "Failed" : "Succeeded", start: now - (failed?.retries ? 10_200 : 240), end: now, of: of?.name, again: [], version: String(9223372036854775 - flow.version).padStart(20, "0") };
  of?.again.push(run);
  flow.runs.unshift(run);
  emit("run", { flow: flow.name, run: name, status: run.status });
  if (failed) emit("notification", { unread: 1 });
  return run;
}
function emit(event, data) {
  for (const listener of state.listeners) listener.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
flows.forEach((flow) => start(flow));

const allRuns = () => flows.flatMap((flow) => flow.runs).sort((a, b) => (a.name < b.name ? -1 : 1));
const runOf = (name) => allRuns().find((run) => run.name === name);
const runView = (run) => ({
  name: run.name,
  properties: {
    status: run.status, startTime: stamp(run.start), endTime: stamp(run.end), error: run.failed && { code: "ActionFailed", message: `An action failed: ${run.failed.action}.` },
    trigger: { name: "manual", status: "Succeeded", startTime: stamp(run.start), outputsLink: link({ headers: {}, body: run.flow.body }) },
    flowmend: { flow: run.flow.name, flowDisplayName: run.flow.displayName, version: run.version, durationMs: run.end - run.start, triggerKind: "Request", failedAction: run.failed?.action, family: run.failed?.family, errorSummary: run.failed?.title, resubmitOf: run.of && { run: run.of }, resubmittedAs: run.again.map((again) => ({ run: again.name, status: again.status })) },
  },
});
function recordsOf(run) {
  const records = {};
  const visit = (actions, after) => {
    for (const [name, action] of Object.entries(actions ?? {})) {
      const isCulprit = run.failed?.action === name;
      const inside = JSON.stringify(action.actions ?? {}).includes(run.failed?.action ?? "\0");
      const status = after ? "Skipped" : isCulprit || inside ? "Failed" : "Succeeded";
      records[name] = status === "Skipped" ? { status, code: "ActionSkipped" } : { status, startTime: stamp(run.start), endTime: stamp(run.end), inputsLink: link(action.inputs), outputsLink: isCulprit && run.failed.statusCode ? link({ statusCode: run.failed.statusCode, body: { error: { message: run.failed.message } } }) : isCulprit ? undefined : link({ ok: true }), error: isCulprit ? { code: run.failed.code, message: run.failed.message } : undefined, repetitionCount: action.type === "Foreach" ? 3 : undefined };
      visit(action.actions, after);
      visit(action.else?.actions, after);
      if (isCulprit || inside) after = true;
    }
  };
  visit(run.definition.actions, false);
  return records;
}
function explain(run) {
  const f = run.failed;
  const retries = Array.from({ length: f.retries ?? 0 }, (_, index) => ({ attempt: index + 1, startTime: stamp(run.start + index * 5000), endTime: stamp(run.start + index * 5000 + 40), statusCode: f.statusCode, code: f.code, waitMs: index + 1 < f.retries ? 5000 : undefined }));
  return { run: run.name, flow: run.flow.name, flowDisplayName: run.flow.displayName, status: "Failed", temporary: f.temporary ?? false, family: f.family, title: f.title, whatHappened: f.what, failure: { action: f.action, repetition: f.repetition, path: [f.action], code: f.code, statusCode: f.statusCode, message: f.message, attempts: f.retries ?? 1 }, where: f.where, howToFix: f.fix, retries, skipped: [] };
}
const flowView = (flow, whole) => ({
  name: flow.name,
  properties: {
    displayName: flow.displayName, state: flow.state, createdTime: stamp(flow.changed - 9e6), lastModifiedTime: stamp(flow.changed), connectionReferences: flow.references, definition: whole ? flow.definition : undefined,
    flowmend: { trigger: { name: "manual", type: "Request", kind: "Http" }, version: String(flow.version), lastRun: flow.runs[0] && { name: flow.runs[0].name, status: flow.runs[0].status, startTime: stamp(flow.runs[0].start) }, succeeded28d: flow.runs.filter((run) => !run.failed).length, failed28d: flow.runs.filter((run) => run.failed).length },
  },
});
const brokenOrders = () => state.stored !== state.ordersPassword;
const connections = () => [
  { api: "shared_orders", name: "orders", displayName: "Orders", kind: "basic", fields: [{ name: "username", displayName: "User name", secret: false, required: true, value: "shop" }, { name: "password", displayName: "Password", secret: true, required: true }], error: brokenOrders() && { code: "Unauthorized", message: "The connection Orders isn't authenticated: the service answered 401." }, usedBy: [{ flow: flows[0].name, displayName: flows[0].displayName }] },
  { api: "shared_mailbox", name: "mailbox", displayName: "Mailbox", kind: "none", fields: [], usedBy: [] },
].map((one) => ({ name: one.name, id: `/providers/Microsoft.PowerApps/apis/${one.api}/connections/${one.name}`, properties: { displayName: one.displayName, apiId: `/providers/Microsoft.PowerApps/apis/${one.api}`, statuses: [one.error ? { status: "Error", error: one.error } : { status: "Connected" }], flowmend: { connectorDisplayName: one.displayName, kind: one.kind, fields: one.fields, usedBy: one.usedBy, affectedRuns: one.error ? flows[0].runs.filter((run) => run.failed).length : 0 } } }));
const connectors = [{ name: "shared_orders", properties: { displayName: "Orders", description: "Orders of a shop.", connectionParameters: { username: { type: "string", uiDefinition: { displayName: "User name" } }, password: { type: "securestring", uiDefinition: { displayName: "Password" } } }, swagger: { paths: { "/orders/{id}": { get: { operationId: "GetOrder", summary: "Get an order", description: "One order by its number." } } } } } }];
function check(definition) {
  const findings = [];
  for (const [name, action] of Object.entries(definition.actions ?? {}))
    if (!["Http", "Compose", "If", "Foreach", "Scope", "OpenApiConnection", "Switch", "Until"].includes(action.type)) findings.push({ pointer: `/actions/${name}/type`, severity: "error", code: "UnknownActionType", message: `'${action.type}' is not a type of action.`, cure: "Use one of the known types, for example Http.", begin: 0, end: 0 });
  return findings;
}
const refuse = (status, code, message, details) => ({ status, body: { error: { code, message, details } } });
const failures = () => allRuns().filter((run) => run.failed && !run.again.some((again) => !again.failed));
const notifications = () => failures().map((run) => ({ id: run.name, time: stamp(run.end), kind: "runFailed", title: `${run.flow.displayName} failed`, message: run.failed.title, flow: run.flow.name, flowDisplayName: run.flow.displayName, run: run.name, action: run.failed.action, family: run.failed.family, count: 1, read: state.read.has(run.name) }));
const user = () => ({ user: { id: "1", userName: state.admin ?? "ada", displayName: state.admin ?? "Ada", role: "admin" }, csrfToken: "mock" });
const session = { "set-cookie": "flowmend_session=mock; HttpOnly; SameSite=Strict; Path=/" };
const flowAt = (name) => flows.find((flow) => flow.name === name);
const started = (run) => ({ status: 202, body: "", headers: { "x-ms-workflow-run-id": run.name } });

const pub = "public";
const P = "/providers/Microsoft.ProcessSimple/environments/~default/flows";
const A = "/providers/Microsoft.PowerApps";
const routes = [
  ["GET", "/api/v1/setup", () => ({ body: { needsFirstAdmin: !state.admin, demo: true, version: "0.1.0" } }), pub],
  ["POST", "/api/v1/setup", ({ json }) => (json.code !== "mock-code" ? refuse(403, "SetupCodeInvalid", "This is not the code on the console.") : ((state.admin = json.userName), { status: 201, body: user(), headers: session })), pub],
  ["POST", "/api/v1/session", ({ json }) => (json.password.length < 10 ? refuse(401, "SignInFailed", "The user name or the password is wrong.") : { body: user(), headers: session }), pub],
  ["DELETE", "/api/v1/session", () => ({ status: 204, body: "", headers: { "set-cookie": "flowmend_session=; Max-Age=0; Path=/" } })],
  ["GET", "/api/v1/me", () => ({ body: user() })],
  ["GET", "/api/v1/overview", () => ({ body: { unread: 0, running: 0, failedLast24h: allRuns().filter((run) => run.failed).length, succeededLast24h: allRuns().filter((run) => !run.failed).length, brokenConnections: brokenOrders() ? [{ api: "shared_orders", name: "orders", displayName: "Orders", error: { code: "Unauthorized", message: "The service answered 401." } }] : [], failures: failures().slice(0, 10).map(runView), recent: allRuns().slice(0, 10).map(runView) } })],
  ["GET", "/api/v1/notifications", () => ({ body: { unread: notifications().filter((item) => !item.read).length, value: notifications() } })],
  ["POST", "/api/v1/notifications/read", ({ json }) => ((json.all ? failures().map((run) => run.name) : json.ids).forEach((id) => state.read.add(id)), { body: { unread: 0 } })],
  ["GET", "/api/v1/runs", ({ url }) => ({ body: { value: allRuns().filter((run) => (!url.searchParams.get("status") || run.status === url.searchParams.get("status")) && (!url.searchParams.get("flow") || run.flow.name === url.searchParams.get("flow"))).map(runView) } })],
  ["GET", "/api/v1/runs/:r", ({ r }) => (runOf(r) ? { body: runView(runOf(r)) } : refuse(404, "WorkflowRunNotFound", `There is no run '${r}'.`))],
  ["GET", "/api/v1/runs/:r/explanation", ({ r }) => ({ body: explain(runOf(r)) })],
  ["GET", "/api/v1/runs/:r/report", ({ r }) => ({ body: { title: runOf(r).failed.title, markdown: `# ${runOf(r).failed.title}\n\n- Flow: ${runOf(r).flow.displayName}\n- Action: ${runOf(r).failed.action}\n- Code: ${runOf(r).failed.code}\n- Run: ${r}\n\nAuthorization: ***`, report: {} } })],
  ["POST", "/api/v1/connections/:a/:c/verify", ({ json }) => {
    const password = json.credentials?.password ?? state.stored;
    if (password !== state.ordersPassword) return { body: { status: "Error", stored: false, error: { code: "Unauthorized", message: "The service Orders refused this sign-in." }, service: { statusCode: 401, body: { error: { code: "WrongPassword", message: "The user name or password is wrong." } } } } };
    state.stored = password;
    emit("connection", { api: "shared_orders", name: "orders", status: "Connected" });
    return { body: { status: "Connected", affectedRuns: flows[0].runs.filter((run) => run.failed).length } };
  }],
  ["GET", "/api/v1/tokens", () => ({ body: { value: state.tokens } })],
  ["POST", "/api/v1/tokens", ({ json }) => { const token = { id: String(state.tokens.length + 1), name: json.name, scopes: json.scopes, createdTime: stamp(Date.now()) }; state.tokens.push(token); return { status: 201, body: { ...token, token: "fm_mock_token" } }; }],
  ["DELETE", "/api/v1/tokens/:t", ({ t }) => ((state.tokens = state.tokens.filter((token) => token.id !== t)), { status: 204, body: "" })],
  ["GET", "/api/v1/about", () => ({ body: { version: "0.1.0", dataFolder: "./data", store: "SQLite", publicUrl: base, startedTime: stamp(Date.now() - 4e6), demo: true } })],
  ["POST", "/api/v1/check", ({ json }) => ({ body: { value: check(json.definition) } })],
  ["GET", "/api/v1/definition-schema", () => ({ body: { type: "object", properties: { actions: { type: "object", description: "The steps.", additionalProperties: { type: "object", properties: { type: { enum: ["Http", "Compose", "If"], description: "What the step does." }, runAfter: { type: "object", description: "What it waits for." }, inputs: {} } } }, triggers: { type: "object", description: "What starts it." } } } })],
  ["GET", "/api/v1/functions", () => ({ body: { value: [{ name: "toUpper", arguments: "toUpper(text)", about: "Text in capital letters.", example: "toUpper('tea')", gives: '"TEA"' }, { name: "coalesce", arguments: "coalesce(value, ...)", about: "The first value that is not null.", example: "coalesce(null, 'tea')", gives: '"tea"' }] } })],
  ["GET", P, () => ({ body: { value: flows.map((flow) => flowView(flow)) } })],
  ["POST", P, ({ json }) => { addFlow(json.properties.displayName, json.properties.definition.actions, {}, () => undefined); return { status: 201, body: flowView(flows.at(-1), true) }; }],
  ["GET", `${P}/:f`, ({ f }) => (flowAt(f) ? { body: flowView(flowAt(f), true) } : refuse(404, "FlowNotFound", `Could not find flow '${f}'.`))],
  ["PATCH", `${P}/:f`, ({ f, json }) => {
    const findings = check(json.properties.definition);
    if (findings.length) return refuse(400, "InvalidTemplate", "The definition has errors.", findings.map(({ pointer, code, message, cure }) => ({ target: pointer, code, message, cure })));
    Object.assign(flowAt(f), { definition: json.properties.definition, version: flowAt(f).version + 1, changed: Date.now() });
    emit("flow", { flow: f });
    return { body: flowView(flowAt(f), true) };
  }],
  ["DELETE", `${P}/:f`, ({ f }) => (flows.splice(flows.indexOf(flowAt(f)), 1), { body: "" })],
  ["POST", `${P}/:f/start`, ({ f }) => ((flowAt(f).state = "Started"), { body: "" })],
  ["POST", `${P}/:f/stop`, ({ f }) => ((flowAt(f).state = "Stopped"), { body: "" })],
  ["POST", `${P}/:f/triggers/:t/run`, ({ f }) => started(start(flowAt(f)))],
  ["POST", `${P}/:f/triggers/:t/listCallbackUrl`, () => ({ body: { response: { value: `${base}/workflows/1/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=mock`, method: "POST" } } })],
  ["GET", `${P}/:f/runs`, ({ f, url }) => ({ body: { value: flowAt(f).runs.filter((run) => !url.searchParams.get("$filter") || url.searchParams.get("$filter").includes(`'${run.status}'`)).map(runView) } })],
  ["GET", `${P}/:f/runs/:r`, ({ r }) => { const run = runOf(r); if (!run) return refuse(404, "WorkflowRunNotFound", `There is no run '${r}'.`); const view = runView(run); return { body: { ...view, properties: { ...view.properties, actions: recordsOf(run), workflow: { properties: { definition: run.definition, version: run.version } } } } }; }],
  ["POST", `${P}/:f/runs/:r/resubmit`, ({ f, r, url }) => started(start(flowAt(f), runOf(r), url.searchParams.get("definition") === "original" ? runOf(r).definition : undefined))],
  ["POST", `${P}/:f/runs/:r/cancel`, () => ({ body: "" })],
  ["GET", `${P}/:f/runs/:r/actions/:a/repetitions/:n`, ({ r, a, n }) => { const run = runOf(r); const bad = run.failed?.repetition === n; return { body: { name: n, properties: { status: bad ? "Failed" : "Succeeded", startTime: stamp(run.start), endTime: stamp(run.end), error: bad ? { code: run.failed.code, message: run.failed.message } : undefined, inputsLink: link({ action: a, item: n }) } } }; }],
  ["GET", `${P}/:f/runs/:r/actions/:a/scopeRepetitions`, ({ r }) => ({ body: { value: [{ name: runOf(r).failed?.repetition ?? "000000", properties: { status: "Failed" } }] } })],
  ["GET", `${P}/:f/runs/:r/actions/:a/requestHistories`, ({ r }) => ({ body: { value: [{ name: "1", properties: { startTime: stamp(runOf(r).start), endTime: stamp(runOf(r).end), request: { method: "GET", uri: `${demo}/orders/4711`, headers: { Authorization: "***", Accept: "application/json" } }, response: { statusCode: runOf(r).failed?.statusCode ?? 200, headers: { "Content-Type": "application/json" } } } }] } })],
  ["GET", `${P}/:f/runs/:r/actions/:a/repetitions/:n/requestHistories`, () => ({ body: { value: [] } })],
  ["POST", `${P}/:f/runs/:r/actions/:a/listExpressionTraces`, () => ({ body: { inputs: [{ text: "triggerBody()?['orderId']", path: "parameters.id", value: 4711, subexpressions: [{ text: "triggerBody()", value: { orderId: 4711 } }] }] } })],
  ["GET", `${A}/connections`, () => ({ body: { value: connections() } })],
  ["GET", `${A}/apis/:a/connections/:c`, ({ c }) => { const found = connections().find((one) => one.name === c); return found ? { body: found } : refuse(404, "ConnectionNotFound", `There is no connection '${c}'.`); }],
  ["PUT", `${A}/apis/:a/connections/:c`, ({ c, json }) => ({ status: 201, body: { name: c, properties: { displayName: json.properties.displayName, statuses: [{ status: "Connected" }] } } })],
  ["DELETE", `${A}/apis/:a/connections/:c`, () => ({ body: "" })],
  ["GET", `${A}/apis`, () => ({ body: { value: connectors } })],
  ["GET", `${A}/apis/:a`, () => ({ body: connectors[0] })],
  ["GET", "/workflows/x/contents/:k", ({ k }) => ({ body: contents.get(k), raw: true }), pub],
].map(([method, path, answer, isPublic]) => [method, new RegExp(`^${path.replace(/[~.]/g, "\\$&").replace(/:(\w+)/g, "(?<$1>[^/]+)")}$`), answer, isPublic === pub]);

const types = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html" };
function file(path, response) {
  let name = `${dist}${path}`;
  if (!path.startsWith("/assets/") && path !== "/favicon.svg") name = `${dist}/index.html`;
  try {
    const bytes = readFileSync(name);
    response.writeHead(200, { "Content-Type": types[extname(name)] ?? "application/octet-stream" });
    response.end(bytes);
  } catch {
    response.writeHead(404).end();
  }
}

createServer((request, response) => {
  const url = new URL(request.url, base);
  const signedIn = (request.headers.cookie ?? "").includes("flowmend_session=mock");
  if (url.pathname === "/api/v1/events") {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(": hello\n\n");
    state.listeners.add(response);
    request.on("close", () => state.listeners.delete(response));
    return;
  }
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    const found = routes.find(([method, path]) => method === request.method && path.test(url.pathname));
    if (!found && request.method === "GET" && !/^\/(api|providers|workflows)\//.test(url.pathname)) return file(url.pathname, response);
    let answer;
    if (!found) answer = refuse(404, "NotFound", `There is no ${request.method} ${url.pathname}.`);
    else if (!found[3] && !signedIn) answer = refuse(401, "AuthenticationFailed", "Sign in first.");
    else if (!found[3] && request.method !== "GET" && !request.headers["x-flowmend-csrf"]) answer = refuse(403, "CsrfTokenInvalid", "The anti-forgery token is missing.");
    else answer = found[2]({ ...Object.fromEntries(Object.entries(found[1].exec(url.pathname).groups ?? {}).map(([key, value]) => [key, decodeURIComponent(value)])), url, json: body ? JSON.parse(body) : {} });
    response.writeHead(answer.status ?? 200, { "Content-Type": "application/json", ...answer.headers });
    response.end(answer.body === "" ? "" : JSON.stringify(answer.body));
  });
}).listen(port, "127.0.0.1", () => {
  console.log(`Flowmend is at ${base}`);
  console.log(`First sign-in: ${base}/signin?code=mock-code`);
});

createServer((request, response) => {
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    if (body) Object.assign(state, JSON.parse(body));
    response.writeHead(200, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ ordersPassword: state.ordersPassword, delivery: state.delivery }));
  });
}).listen(demoPort, "127.0.0.1");
