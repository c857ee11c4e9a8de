// Stands in for the server while the portal is developed: the routes of docs/reference/portal-api.md with made-up data.
// Only for looking at pages (npm run mock); the tests drive the real server.
import { createServer } from "node:http";

const now = Date.now();
const at = (seconds) => `${new Date(now - seconds * 1000).toISOString().slice(0, -1)}0000Z`;
const link = (key, value) => ({ uri: `http://127.0.0.1:8099/workflows/1/contents/${key}?sig=x`, contentSize: JSON.stringify(value).length });
const contents = new Map();
const content = (key, value) => (contents.set(key, value), link(key, value));

const definition = {
  $schema: "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#",
  contentVersion: "1.0.0.0",
  parameters: { $connections: { type: "Object", defaultValue: {} } },
  triggers: { manual: { type: "Request", kind: "Http", inputs: { schema: {} } } },
  actions: {
    Compose_order_id: { type: "Compose", inputs: "@triggerBody()?['orderId']" },
    Handle_order: {
      type: "Scope",
      runAfter: { Compose_order_id: ["Succeeded"] },
      actions: {
        Get_order: { type: "OpenApiConnection", inputs: { host: { apiId: "/providers/Microsoft.PowerApps/apis/shared_orders", connectionName: "shared_orders", operationId: "GetOrder" }, parameters: { id: "@outputs('Compose_order_id')" }, retryPolicy: { type: "fixed", interval: "PT5S", count: 2 } } },
        If_large: {
          type: "If", runAfter: { Get_order: ["Succeeded"] }, expression: { greater: ["@body('Get_order')?['total']", 100] },
          actions: { Ask_manager: { type: "Http", inputs: { method: "POST", uri: "http://127.0.0.1:8081/mailbox" } } },
          else: { actions: { Confirm: { type: "Compose", inputs: "ok" } } },
        },
      },
    },
    For_each_line: {
      type: "Foreach", foreach: "@triggerBody()?['lines']", runAfter: { Compose_order_id: ["Succeeded"] },
      actions: { Reserve_stock: { type: "Http", inputs: { method: "POST", uri: "http://127.0.0.1:8081/stock" } } },
    },
    Send_confirmation: { type: "Http", runAfter: { Handle_order: ["Succeeded"] }, inputs: { method: "POST", uri: "http://127.0.0.1:8081/mailbox" } },
  },
};
const flowId = "6f9619ff-8b86-d011-b42d-00cf4fc964ff";
const runId = "08584640926573727105946217888CU00";
const flow = {
  name: flowId,
  properties: {
    displayName: "Confirm a new order", state: "Started", createdTime: at(90000), lastModifiedTime: at(4000), definition, description: "Fetches the order and tells the customer.",
    connectionReferences: { shared_orders: { connectionName: "orders", id: "/providers/Microsoft.PowerApps/apis/shared_orders", source: "Embedded" } },
    flowmend: { trigger: { name: "manual", type: "Request", kind: "Http" }, version: "08584640926573727105", lastRun: { name: runId, status: "Failed", startTime: at(130) }, succeeded28d: 41, failed28d: 7 },
  },
};
const facts = { flow: flowId, flowDisplayName: "Confirm a new order", version: "08584640926573727105", durationMs: 10421, triggerKind: "Request", failedAction: "Get_order", family: "authentication", errorSummary: "Get order was refused: the connection Orders isn't authenticated (401)" };
const trigger = { name: "manual", status: "Succeeded", startTime: at(130), outputsLink: content("trigger", { headers: { "Content-Type": "application/json" }, body: { orderId: 4711, lines: [{ sku: "TEA-200", quantity: 2 }] } }) };
const failedRun = { name: runId, properties: { status: "Failed", startTime: at(130), endTime: at(119), code: "ActionFailed", error: { code: "ActionFailed", message: "An action failed." }, trigger, flowmend: facts } };
const goodRun = { name: "08584640926573727105946217889CU00", properties: { status: "Succeeded", startTime: at(3600), endTime: at(3599), trigger, flowmend: { ...facts, failedAction: undefined, errorSummary: undefined, durationMs: 812 } } };
const retries = [1, 2, 3].map((attempt) => ({ attempt, startTime: at(130 - attempt * 4), endTime: at(129 - attempt * 4), statusCode: 401, code: "Unauthorized", waitMs: attempt < 3 ? 5000 : undefined }));
const expanded = {
  ...failedRun,
  properties: {
    ...failedRun.properties,
    workflow: { properties: { definition, version: facts.version } },
    actions: {
      Compose_order_id: { status: "Succeeded", startTime: at(130), endTime: at(130), inputsLink: content("c-in", "4711"), outputsLink: content("c-out", 4711) },
      Handle_order: { status: "Failed", startTime: at(129), endTime: at(119), code: "ActionFailed", error: { code: "ActionFailed", message: "An action failed. No dependent actions succeeded." } },
      Get_order: { status: "Failed", startTime: at(129), endTime: at(119), code: "Unauthorized", error: { code: "Unauthorized", message: "The user name or password is wrong." }, inputsLink: content("g-in", { host: { apiId: "shared_orders", operationId: "GetOrder" }, parameters: { id: 4711 } }), outputsLink: content("g-out", { statusCode: 401, headers: { "WWW-Authenticate": "Basic realm=\"orders\"" }, body: { error: { code: "WrongPassword", message: "The user name or password is wrong." } } }) },
      If_large: { status: "Skipped", code: "ActionSkipped" }, Ask_manager: { status: "Skipped" }, Confirm: { status: "Skipped" }, Send_confirmation: { status: "Skipped" },
      For_each_line: { status: "Failed", repetitionCount: 12, startTime: at(129), endTime: at(128) },
      Reserve_stock: { status: "Failed", startTime: at(129), endTime: at(128) },
    },
  },
};
const explanation = {
  run: runId, flow: flowId, flowDisplayName: "Confirm a new order", status: "Failed", temporary: false, family: "authentication",
  title: "Get order was refused: the connection Orders isn't authenticated (401)",
  whatHappened: "The service Orders refused the stored user name and password. It says: The user name or password is wrong.",
  failure: { action: "Get_order", path: ["Handle_order", "Get_order"], actionType: "OpenApiConnection", code: "Unauthorized", statusCode: 401, message: "The user name or password is wrong.", attempts: 3 },
  where: { pointer: "/actions/Handle_order/actions/Get_order/inputs/parameters/id", field: "id", value: 4711, expression: { source: "@toUpper(triggerBody()?['customer']?['lastName'])", begin: 9, end: 48, subexpression: "triggerBody()?['customer']?['lastName']", message: "toUpper expects text, but its argument is null.", values: [{ text: "triggerBody()?['customer']", value: { firstName: "Ada" } }, { text: "triggerBody()?['customer']?['lastName']", value: null, culprit: true }] } },
  connection: { api: "shared_orders", name: "orders", displayName: "Orders", status: "Error" },
  howToFix: [
    { text: "Enter the password that the service accepts now.", button: { kind: "verifyConnection", label: "Verify password", connection: { api: "shared_orders", name: "orders" } } },
    { text: "Then run it again.", button: { kind: "resubmit", label: "Resubmit" } },
  ],
  request: { method: "GET", uri: "http://127.0.0.1:8081/orders/4711", headers: { Authorization: "***", Accept: "application/json" } },
  response: { statusCode: 401, headers: {}, body: { error: "wrong" } }, retries, skipped: ["If_large", "Send_confirmation"],
};
const connection = {
  name: "orders", id: "/providers/Microsoft.PowerApps/apis/shared_orders/connections/orders",
  properties: {
    displayName: "Orders", apiId: "/providers/Microsoft.PowerApps/apis/shared_orders", statuses: [{ status: "Error", error: { code: "Unauthorized", message: "The service answered 401: the user name or password is wrong." } }],
    flowmend: { connectorDisplayName: "Orders", kind: "basic", fields: [{ name: "username", displayName: "User name", secret: false, required: true, value: "shop" }, { name: "password", displayName: "Password", secret: true, required: true }], usedBy: [{ flow: flowId, displayName: "Confirm a new order" }], affectedRuns: 3 },
  },
};
const mailbox = { name: "mailbox", id: "/providers/Microsoft.PowerApps/apis/shared_mailbox/connections/mailbox", properties: { displayName: "Mailbox", apiId: "/providers/Microsoft.PowerApps/apis/shared_mailbox", statuses: [{ status: "Connected" }], flowmend: { connectorDisplayName: "Mailbox", kind: "none", fields: [], usedBy: [], lastSuccessTime: at(60) } } };
const connector = { name: "shared_orders", properties: { displayName: "Orders", description: "Orders of a shop.", connectionParameters: { username: { type: "string", uiDefinition: { displayName: "User name" } }, password: { type: "securestring", uiDefinition: { displayName: "Password" } } }, swagger: { paths: { "/orders/{id}": { get: { operationId: "GetOrder", summary: "Get an order", description: "One order by its number." } } } } } };
const functions = [{ name: "toUpper", arguments: "toUpper(text)", about: "Text in capital letters.", example: "toUpper('tea')", gives: "\"TEA\"" }, { name: "triggerBody", arguments: "triggerBody()", about: "The body that started the run.", example: "triggerBody()" }];

const list = (...value) => ({ value });
const routes = [
  ["GET", /^\/api\/v1\/setup$/, () => ({ needsFirstAdmin: false, demo: true, version: "0.1.0" })],
  ["GET", /^\/api\/v1\/me$/, () => ({ user: { id: "1", userName: "ada", displayName: "Ada", role: "admin" }, csrfToken: "x" })],
  ["GET", /^\/api\/v1\/overview$/, () => ({ unread: 3, running: 0, failedLast24h: 5, succeededLast24h: 12, brokenConnections: [{ api: "shared_orders", name: "orders", displayName: "Orders", error: { code: "Unauthorized", message: "The service answered 401." } }], failures: [failedRun], recent: [failedRun, goodRun] })],
  ["GET", /^\/api\/v1\/notifications$/, () => ({ unread: 1, value: [{ id: "1", time: at(119), kind: "runFailed", title: "Confirm a new order failed", message: explanation.title, flow: flowId, flowDisplayName: "Confirm a new order", run: runId, count: 3, read: false }] })],
  ["POST", /^\/api\/v1\/notifications\/read$/, () => ({ unread: 0 })],
  ["GET", /^\/api\/v1\/runs$/, () => list(failedRun, goodRun)],
  ["GET", /^\/api\/v1\/runs\/[^/]+$/, () => failedRun],
  ["GET", /\/explanation$/, () => explanation],
  ["GET", /\/report$/, () => ({ title: "Get order failed", markdown: "# Get order failed\n\n- Flow: Confirm a new order\n- Code: Unauthorized", report: {} })],
  ["POST", /\/verify$/, (body) => (JSON.parse(body).credentials?.password === "autumn-2026" ? { status: "Connected", affectedRuns: 3 } : { status: "Error", stored: false, error: { code: "Unauthorized", message: "Orders refused this sign-in." }, service: { statusCode: 401, body: { error: { message: "The user name or password is wrong." } } } })],
  ["GET", /^\/api\/v1\/tokens$/, () => list({ id: "1", name: "Nightly script", scopes: ["read", "run"], createdTime: at(90000) })],
  ["POST", /^\/api\/v1\/tokens$/, () => ({ id: "2", name: "New", scopes: ["read"], createdTime: at(0), token: "fm_example" })],
  ["GET", /^\/api\/v1\/about$/, () => ({ version: "0.1.0", dataFolder: "./data", store: "SQLite", publicUrl: "http://127.0.0.1:8080", startedTime: at(4000), demo: true })],
  ["POST", /^\/api\/v1\/check$/, () => list({ pointer: "/actions/Send_confirmation/inputs/uri", severity: "warning", code: "PlainHttp", message: "The address is not encrypted.", cure: "Use https.", begin: 0, end: 0 })],
  ["GET", /^\/api\/v1\/definition-schema$/, () => ({ type: "object", properties: { actions: { type: "object", description: "The steps.", additionalProperties: { type: "object", properties: { type: { enum: ["Http", "Compose", "If"], description: "What the step does." }, runAfter: { type: "object", description: "What it waits for." }, inputs: {} } } }, triggers: { type: "object" } } })],
  ["GET", /^\/api\/v1\/functions$/, () => list(...functions)],
  ["POST", /\/listCallbackUrl/, () => ({ response: { value: "http://127.0.0.1:8080/workflows/1/triggers/manual/paths/invoke?api-version=2016-06-01&sp=%2Ftriggers%2Fmanual%2Frun&sv=1.0&sig=abc", method: "POST" } })],
  ["GET", /\/actions\/[^/]+\/repetitions\/\d+$/, (_, url) => ({ name: "000003", properties: { status: /00000[37]/.test(url.pathname) ? "Failed" : "Succeeded", startTime: at(129), endTime: at(128), inputsLink: content("r-in", { quantity: "twelve" }) } })],
  ["GET", /\/scopeRepetitions$/, () => list({ name: "000003", properties: { status: "Failed" } }, { name: "000007", properties: { status: "Failed" } })],
  ["GET", /\/requestHistories$/, () => list({ name: "1", properties: { startTime: at(129), endTime: at(128), request: explanation.request, response: { statusCode: 401, headers: { "Content-Type": "application/json" } } } })],
  ["POST", /\/listExpressionTraces$/, () => ({ inputs: [{ text: "outputs('Compose_order_id')", path: "parameters.id", value: 4711, subexpressions: [] }] })],
  ["POST", /\/(resubmit|run|start|stop|cancel)$/, () => ""],
  ["GET", /\/runs\/[^/]+$/, () => expanded],
  ["GET", /\/runs$/, () => list(failedRun, goodRun)],
  ["GET", /\/flows$/, () => list(flow)],
  ["GET", /\/flows\/[^/]+$/, () => flow],
  ["PATCH", /\/flows\/[^/]+$/, () => flow],
  ["GET", /\/connections$/, () => list(connection, mailbox)],
  ["GET", /\/connections\/[^/]+$/, () => connection],
  ["GET", /\/apis$/, () => list(connector)],
  ["GET", /\/apis\/[^/]+$/, () => connector],
  ["GET", /\/contents\/[^/]+$/, (_, url) => contents.get(url.pathname.split("/").pop())],
];

createServer((request, response) => {
  const url = new URL(request.url, "http://127.0.0.1");
  if (url.pathname === "/api/v1/events") {
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    response.write(": hello\n\n");
    return;
  }
  let body = "";
  request.on("data", (part) => (body += part));
  request.on("end", () => {
    const found = routes.find(([method, path]) => method === request.method && path.test(url.pathname));
    const answer = found ? found[2](body, url) : { error: { code: "NotFound", message: `The mock has no ${request.method} ${url.pathname}.` } };
    response.writeHead(found ? 200 : 404, { "Content-Type": "application/json", "x-ms-workflow-run-id": runId });
    response.end(answer === "" ? "" : JSON.stringify(answer));
  });
}).listen(8099, "127.0.0.1", () => console.log("The mock server is at http://127.0.0.1:8099"));
