// A flow that hears of rows: started by what people and other flows write to a table, once for each change, also when
// the server dies in between.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { apiOf, until } from "./api.mjs";
import { startServer } from "./server.mjs";

const flows = "/providers/Microsoft.ProcessSimple/environments/~default/flows";
const version = "api-version=2016-11-01";
const dataverse = "shared_commondataserviceforapps";
let server;
let api;

before(async () => {
  server = await startServer();
  api = await apiOf(server, "read,run,write,admin");
  const connection = await api.ask("PUT", `/providers/Microsoft.PowerApps/apis/${dataverse}/connections/${dataverse}?${version}`, { properties: { displayName: "Rows", connectionParameters: { createTables: true } } });
  assert.ok(connection.status < 300, JSON.stringify(connection.body));
  const table = await api.ask("POST", "/api/v1/tables", { name: "contacts", idColumn: "contactid", idType: "guid", open: true, columns: [] });
  assert.equal(table.status, 201, JSON.stringify(table.body));
});
after(() => server?.stop());

const host = (operationId) => ({ connectionName: dataverse, operationId, apiId: `/providers/Microsoft.PowerApps/apis/${dataverse}` });

/** A flow as the designer of Power Automate writes it, switched on and subscribed. */
async function watching(displayName, parameters, more = {}) {
  const trigger = { type: "OpenApiConnectionWebhook", inputs: { host: host("SubscribeWebhookTrigger"), parameters, authentication: "@parameters('$authentication')" }, ...more };
  const definition = api.definitionOf(
    { Seen: { type: "Compose", runAfter: {}, inputs: "@concat(triggerOutputs()?['body/SdkMessage'], ' ', triggerBody()?['fullname'])" } },
    { When_a_row_is_added_modified_or_deleted: trigger },
  );
  const made = await api.ask("POST", `${flows}?${version}`, { properties: { displayName, state: "Started", definition } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body.name;
}
const add = (fullname, more = {}) => api.ask("POST", "/api/v1/tables/contacts/rows", { fullname, ...more });
async function seen(flow) {
  const texts = [];
  for (const run of await api.runsOf(flow, "Succeeded")) {
    const { body } = await api.ask("GET", `${flows}/${flow}/runs/${run.name}/actions/Seen?${version}`);
    texts.push(body.properties.outputs ?? (await api.ask("GET", new URL(body.properties.outputsLink.uri).pathname + new URL(body.properties.outputsLink.uri).search)).body);
  }
  return texts.reverse();
}
const message = (number, more = {}) => ({ "subscriptionRequest/message": number, "subscriptionRequest/entityname": "contact", "subscriptionRequest/scope": 4, ...more });
/** Subscribing takes a moment: rows are added until one is heard of. */
async function subscribed(flow, name) {
  await until("the subscription", async () => {
    await add(name);
    return (await api.runsOf(flow, "Succeeded")).length > 0;
  });
}

test("each change of a row starts its run, with the row as Dataverse gives it", async () => {
  const flow = await watching("Hear of contacts", message(7, { "subscriptionRequest/filterexpression": "fullname ne 'nobody'" }), {
    conditions: [{ expression: "@not(equals(triggerBody()?['fullname'], 'skipped'))" }],
  });
  await subscribed(flow, "probe");
  const { body: row } = await add("Ada");
  await api.ask("PATCH", `/api/v1/tables/contacts/rows/${row.contactid}`, { fullname: "Ada L" });
  await add("nobody");
  await add("skipped");
  await api.ask("DELETE", `/api/v1/tables/contacts/rows/${row.contactid}`);
  const heard = await until("the runs", async () => {
    const texts = (await seen(flow)).filter((text) => !text.includes("probe"));
    return texts.length >= 3 && texts;
  });
  assert.deepEqual(heard, ["Create Ada", "Update Ada L", "Delete Ada L"]);
  const { body: history } = await api.ask("GET", `${flows}/${flow}/triggers/When_a_row_is_added_modified_or_deleted/histories?${version}`);
  assert.equal(history.value.filter((one) => one.properties.status === "Skipped").length, 1, "what the trigger's condition refuses is said once");
});

test("a flow that is off hears nothing, and hears again when it is on", async () => {
  const flow = await watching("Hear while on", message(1));
  await subscribed(flow, "probe");
  assert.equal((await api.ask("POST", `${flows}/${flow}/stop?${version}`)).status, 200);
  await add("missed");
  assert.equal((await api.ask("POST", `${flows}/${flow}/start?${version}`)).status, 200);
  await until("a row of after the start", async () => {
    await add("after");
    return (await seen(flow)).includes("Create after");
  });
  assert.ok(!(await seen(flow)).includes("Create missed"));
});

test("kill -9 while rows are written: each row that was accepted starts one run", async () => {
  const flow = await watching("Hear over crashes", message(1));
  await subscribed(flow, "probe");
  const written = [];
  for (let death = 0; death < 4; death++) {
    let alive = true;
    const writers = [0, 1, 2].map(async (writer) => {
      for (let n = 0; alive; n++) {
        const name = `row-${death}-${writer}-${n}`;
        try {
          if ((await add(name)).status === 201) written.push(name);
        } catch {
          // The answer was lost: the row may stand or not. Or the request met a connection that died with the last server.
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
    });
    const before = written.length;
    await until("some rows of this life", () => written.length >= before + 3);
    await new Promise((resolve) => setTimeout(resolve, 200 + 170 * death));
    await server.kill();
    alive = false;
    await Promise.all(writers);
    server = await startServer(server);
  }
  // A page holds a thousand rows at most.
  const standing = [];
  for (let death = 0; death < 4; death++)
    for (const writer of [0, 1, 2]) {
      const { body } = await api.ask("GET", `/api/v1/tables/contacts/rows?$filter=startswith(fullname,'row-${death}-${writer}-')&$top=1000`);
      assert.ok(body.value.length < 1000, "more rows than a page shows");
      standing.push(...body.value.map((row) => row.fullname));
    }
  assert.deepEqual(written.filter((name) => !standing.includes(name)), [], "what was accepted is there");
  const heardOf = async () => (await seen(flow)).filter((text) => text.startsWith("Create row-")).map((text) => text.slice("Create ".length));
  await until("a run for each row", async () => {
    const runs = await api.runsOf(flow, "Succeeded");
    if (runs.length <= standing.length) return false; // the probe's run comes on top; what each saw takes a request
    const heard = new Set(await heardOf());
    return standing.every((name) => heard.has(name));
  });
  await new Promise((resolve) => setTimeout(resolve, 1000)); // for what would be heard twice
  const heard = await heardOf();
  assert.deepEqual(heard.toSorted(), standing.toSorted());
});
