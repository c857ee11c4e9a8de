// The commands that speak to a running server: what they print and how they end.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { binary, startServer } from "./server.mjs";

let server;
let token;
before(async () => {
  server = await startServer();
  token = (await flowmend(["token", "create", "--data", server.data, "--name", "tests", "--scopes", "read,run,write"])).out.trim();
});
after(() => server?.stop());

function flowmend(parameters, more = {}) {
  return new Promise((resolve) => {
    execFile(binary, parameters, { env: { ...process.env, FLOWMEND_SERVER: server.base, FLOWMEND_TOKEN: token ?? "", ...more } }, (error, out, problems) => resolve({ code: error ? error.code : 0, out, problems }));
  });
}

const get = async (path) => (await fetch(server.base + path, { headers: { Authorization: `Bearer ${token}` } })).json();

async function failedRun(flow) {
  for (let turn = 0; turn < 300; turn++) {
    const found = ((await get("/api/v1/runs?status=Failed")).value ?? []).find((run) => run.properties.flowmend.flowDisplayName === flow);
    if (found) return found.name;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`no run of ${flow} failed`);
}

test("a failed run is shown, planned, repaired in part and repeated", async () => {
  const run = await failedRun("Quote a price");
  const shown = await flowmend(["run", "show", run]);
  assert.equal(shown.code, 0, shown.problems);
  assert.match(shown.out, /Status +Failed/);
  assert.match(shown.out, /Step +Get_price/);

  const planned = await flowmend(["run", "resubmit", run, "--plan"]);
  assert.equal(planned.code, 0, planned.problems);
  assert.match(planned.out, /again +Get_price/);
  assert.doesNotMatch(planned.out, /Started/);

  const unsigned = await flowmend(["run", "resubmit", run, "--from", "Get_price", "--output", "{}"]);
  assert.equal(unsigned.code, 1);
  assert.match(unsigned.problems, /needs a reason/);

  const repaired = await flowmend(["run", "resubmit", run, "--from", "Get_price", "--output", '{"name":"Pot","price":48,"currency":"EUR"}', "--why", "asked by telephone"]);
  assert.equal(repaired.code, 0, repaired.out + repaired.problems);
  assert.match(repaired.out, /supplied +Get_price/);
  const again = /Started (\S+)/.exec(repaired.out)[1];
  const after = await flowmend(["run", "show", again]);
  assert.match(after.out, /Status +Succeeded/);
  assert.match(after.out, /Because +asked by telephone/);
  const facts = (await get(`/api/v1/runs/${again}`)).properties.flowmend;
  assert.equal(facts.repair.steps[0].action, "Get_price");

  const failing = await flowmend(["run", "resubmit", run]);
  assert.equal(failing.code, 1, "the exit code says that it failed again");
  assert.match(failing.out, /Failed/);
});

test("a plan goes stale when the run is repeated meanwhile", async () => {
  const run = await failedRun("Quote a price");
  const post = (path, body) => fetch(server.base + path, { method: "POST", headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const plan = await (await post(`/api/v1/runs/${run}/plan`, {})).json();
  const done = await post(`/api/v1/runs/${run}/resubmit`, { version: plan.version });
  assert.equal(done.status, 202);
  const stale = await post(`/api/v1/runs/${run}/resubmit`, { version: plan.version });
  assert.equal(stale.status, 409);
  assert.equal((await stale.json()).error.code, "RepairPlanStale");
});

test("incidents are listed and repeated", async () => {
  await failedRun("Quote a price");
  let listed;
  for (let turn = 0; turn < 100; turn++) {
    listed = await flowmend(["incident", "list"]);
    if (/Get.price/i.test(listed.out)) break;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.equal(listed.code, 0, listed.problems);
  const id = /^(\S+) .*Get.price/im.exec(listed.out)[1];
  const planned = await flowmend(["incident", "resubmit", id, "--plan"]);
  assert.equal(planned.code, 0, planned.problems);
  assert.match(planned.out, /runs would be repeated/);
  const repeated = await flowmend(["incident", "resubmit", id]);
  assert.equal(repeated.code, 1, "they fail again: nothing was mended");
  assert.match(repeated.out, /failed/);
});

test("what can't be done is said, with the cure", async () => {
  const unknown = await flowmend(["run", "cancel", "08584000000000000000000000000CU00"]);
  assert.equal(unknown.code, 1);
  assert.match(unknown.problems, /WorkflowRunNotFound/);
  const over = await flowmend(["run", "cancel", await failedRun("Quote a price")]);
  assert.equal(over.code, 1);
  assert.match(over.problems, /WorkflowRunAlreadyCompleted/);
  const nobody = await flowmend(["incident", "list"], { FLOWMEND_TOKEN: "" });
  assert.equal(nobody.code, 2);
  assert.match(nobody.problems, /flowmend token create/);
  const refused = await flowmend(["incident", "list"], { FLOWMEND_TOKEN: "wrong" });
  assert.equal(refused.code, 1);
  const nowhere = await flowmend(["incident", "list", "--server", "http://127.0.0.1:1"]);
  assert.equal(nowhere.code, 2);
  assert.match(nowhere.problems, /can't be asked/);
});
