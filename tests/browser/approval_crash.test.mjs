// A flow that waits for a person lives through kill -9: before anybody answers, and in the moment of the answer.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { apiOf, post, startWitness, until } from "./api.mjs";
import { startServer } from "./server.mjs";

const version = "api-version=2016-11-01";
const rounds = 5;
let server;
let api;
let witness;

before(async () => {
  server = await startServer();
  api = await apiOf(server, "read,run,write,admin");
  witness = await startWitness();
  const connection = await api.ask("PUT", `/providers/Microsoft.PowerApps/apis/shared_approvals/connections/shared_approvals?${version}`, { properties: { displayName: "Approvals", connectionParameters: {} } });
  assert.ok(connection.status < 300, JSON.stringify(connection.body));
});
after(async () => {
  await server?.stop();
  await witness?.stop();
});

const asks = () => ({
  Ask: {
    type: "OpenApiConnectionWebhook",
    runAfter: {},
    inputs: {
      host: { connectionName: "shared_approvals", operationId: "StartAndWaitForAnApproval", apiId: "/providers/Microsoft.PowerApps/apis/shared_approvals" },
      parameters: { approvalType: "Basic", "WebhookApprovalCreationInput/title": "@concat('Order ', triggerBody()?['order'])", "WebhookApprovalCreationInput/assignedTo": "ada@example.org" },
    },
  },
  Tell: { ...post(`${witness.base}/told`, { Ask: ["Succeeded"] }), inputs: { method: "POST", uri: `${witness.base}/told`, body: { order: "@triggerBody()?['order']", outcome: "@outputs('Ask')?['body/outcome']" } } },
});
const pending = async () => (await api.ask("GET", "/api/v1/approvals?status=pending&for=all")).body.value;

test("an answer is told to its run once, however often the server dies", async () => {
  const flow = await api.makeFlow("Ask over crashes", asks());
  for (let order = 0; order < rounds; order++) await api.start(flow, { order: String(order) });
  await until("the questions", async () => (await pending()).length === rounds);
  await server.kill();
  server = await startServer(server);
  assert.equal((await pending()).length, rounds, "each question stands once after a crash while it waited");
  for (let order = 0; order < rounds; order++) {
    const approval = (await pending()).find((one) => one.title === `Order ${order}`);
    // The answer and the end of the server meet: a little later each time.
    const answered = api.ask("POST", `/api/v1/approvals/${approval.id}/respond`, { response: order % 2 ? "Reject" : "Approve" }).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 4 ** order));
    await server.kill();
    await answered;
    server = await startServer(server);
    // Whoever heard no answer looks, and answers again where the first one was lost.
    const left = (await pending()).find((one) => one.id === approval.id);
    if (left) assert.equal((await api.ask("POST", `/api/v1/approvals/${approval.id}/respond`, { response: order % 2 ? "Reject" : "Approve" })).status, 200);
  }
  await until("every run's end", async () => (await api.runsOf(flow, "Succeeded")).length === rounds);
  assert.equal((await pending()).length, 0);
  const told = new Map();
  for (const { key, body } of witness.requests) {
    const { order, outcome } = JSON.parse(body);
    assert.equal(outcome, order % 2 ? "Reject" : "Approve");
    told.set(order, (told.get(order) ?? new Set()).add(key));
  }
  assert.equal(told.size, rounds);
  // A request whose answer the crash took is sent again under its key; there is no second one.
  for (const keys of told.values()) assert.equal(keys.size, 1);
  assert.equal((await api.ask("GET", "/api/v1/approvals?for=all")).body.value.length, rounds, "no question was asked twice");
});
