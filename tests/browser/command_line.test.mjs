// The commands that speak to a running server: what they print and how they end.
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { apiOf, command, post, startWitness, until } from "./api.mjs";
import { startServer } from "./server.mjs";

let server;
let token;
before(async () => {
  server = await startServer();
  token = (await flowmend(["token", "create", "--data", server.data, "--name", "tests", "--scopes", "read,run,write"])).out.trim();
});
after(() => server?.stop());

const flowmend = (parameters, more) => command(server, token, parameters, more);

const get = async (path) => (await fetch(server.base + path, { headers: { Authorization: `Bearer ${token}` } })).json();

async function failedRun(flow) {
  for (let turn = 0; turn < 300; turn++) {
    const found = ((await get("/api/v1/runs?status=Failed&$top=250")).value ?? []).find((run) => run.properties.flowmend.flowDisplayName === flow);
    if (found) return found.name;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`no run of ${flow} failed`);
}

async function noRunUnderWay() {
  for (let turn = 0; turn < 100; turn++) {
    if (((await get("/api/v1/runs?status=Running")).value ?? []).length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("runs are still under way");
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
  await noRunUnderWay(); // the next test repeats what has failed, not what is running again
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

test("an incident is assigned, muted, fixed in a version, merged and split", async () => {
  const api = await apiOf(server);
  const witness = await startWitness();
  witness.status.now = 400;
  const flow = await api.makeFlow("one cause", { Ship: post(`${witness.base}/one`) });
  const second = await api.makeFlow("another cause", { Ship: post(`${witness.base}/another`) });
  await api.start(flow, {});
  await api.start(second, {});
  const { id } = await api.incidentOf(flow, 1);
  const { id: other } = await api.incidentOf(second, 1);
  assert.notEqual(id, other);
  const say = async (...words) => {
    const said = await flowmend(["incident", ...words]);
    assert.equal(said.code, 0, said.out + said.problems);
    return said.out;
  };
  const shown = await say("show", id);
  for (const words of [/State +new/, /Failures +1/, /First seen +\d{4}-/, /Flows +one cause \(1\)/, /Last run +\S+/, /Failures by hour:\n +\d{4}-\d\d-\d\dT\d\dh +1/, /Grouped by:\n +Same request and same answer/]) assert.match(shown, words);
  assert.match(await say("assign", id, "bob"), /assigned +bob/);
  assert.match(await say("list", "--state", "assigned", "--flow", flow), new RegExp(`${id} +assigned`));
  assert.match(await say("assign", id), /new/);
  assert.match(await say("mute", id, "--until", "2999-01-01T00:00:00Z"), /muted until 2999-/);
  assert.match(await say("list", "--state", "muted"), new RegExp(id));
  assert.match(await say("reopen", id), /new/);
  const soon = new Date(Date.now() + 1000).toISOString();
  assert.match(await say("mute", id, "--until", soon), /muted until/);
  for (let turn = 0; turn < 100 && /muted/.test(await say("show", id)); turn++) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.match(await say("show", id), /State +new/, "a mute ends at its time, also when nothing fails");

  assert.match(await say("fix", id, "--version", "latest"), /fixed/);
  assert.match(await say("show", id), /Fixed before:\n.*said by .*, in version \S+/);
  await api.start(flow, {});
  await until("the incident to be back", async () => /State +back/.test(await say("show", id)));
  assert.match(await say("show", id), /Fixed before:/, "what fixed it before is still told");

  assert.match(await say("merge", id, other), /Failures +3/);
  const gone = await flowmend(["incident", "show", other]);
  assert.equal(gone.code, 1);
  assert.match(gone.problems, /merged into another/);
  const fingerprint = (await get(`/api/v1/incidents/${id}`)).parts[1].fingerprint;
  const apart = await say("split", id, fingerprint);
  assert.match(apart, new RegExp(`Incident +${other}`));
  assert.match(apart, /Failures +1/);
  assert.doesNotMatch(apart, /Fixed before/);
  assert.match(await say("show", id), /Failures +2/);
  const itself = await flowmend(["incident", "merge", id, id]);
  assert.equal(itself.code, 1);
  assert.match(itself.problems, /into itself.*Name another one/);
  await witness.stop();
});

test("a job over a filter is planned, started, paused, resumed and cancelled", async () => {
  const api = await apiOf(server);
  const witness = await startWitness();
  witness.status.now = 400;
  const flow = await api.makeFlow("many", { Ship: post(`${witness.base}/many`) });
  for (let i = 0; i < 60; i += 20) await Promise.all(Array.from({ length: 20 }, (_, at) => api.start(flow, { order: i + at })));
  await api.incidentOf(flow, 60);
  const nothing = await flowmend(["job", "start", "--flow", flow, "--status", "TimedOut"]);
  assert.equal(nothing.code, 1);
  assert.match(nothing.problems, /No failed run matches the filter/);
  const planned = await flowmend(["job", "start", "--flow", flow, "--plan"]);
  assert.equal(planned.code, 0, planned.problems);
  assert.match(planned.out, /60 runs would be repeated:\n +many, Ship: writes, done before in 0 runs, not in 60/);
  assert.equal(witness.requests.length, 60);
  witness.status.now = 200;
  const started = await flowmend(["job", "start", "--flow", flow, "--rate", "10", "--at-once", "--no-wait"]);
  assert.equal(started.code, 0, started.problems);
  const job = /Job (\S+)/.exec(started.out)[1];
  const say = async (...words) => (await flowmend(["job", ...words])).out;
  assert.match(await say("list"), new RegExp(`${job} +running +\\d+/60`));
  assert.match(await say("pause", job), /paused: /);
  const again = await flowmend(["job", "pause", job]);
  assert.equal(again.code, 1);
  assert.match(again.problems, /is paused/);
  assert.match(await say("resume", job), /running: /);
  assert.match(await say("cancel", job), /cancelled: /);
  assert.match(await say("show", job), /cancelled: \d+ of 60 runs/);
  const rest = await flowmend(["job", "start", "--flow", flow]);
  assert.equal(rest.code, 0, rest.out + rest.problems);
  assert.match(rest.out, /done: /);
  assert.equal(new Set(witness.requests.filter((one) => one.answered === 200).map((one) => one.body)).size, 60);
  assert.equal(witness.requests.length, 120, "none twice");
  await witness.stop();
});

test("runs that wait are listed, and go on when told", async () => {
  const api = await apiOf(server);
  const witness = await startWitness();
  witness.status.now = 503;
  const flow = await api.makeFlow("waits", { Ship: post(`${witness.base}/waits`) });
  const changed = await api.ask("PATCH", `/providers/Microsoft.ProcessSimple/environments/~default/flows/${flow}?api-version=2016-11-01`, { properties: { flowmend: { onOutage: "hold" } } });
  assert.equal(changed.status, 200, JSON.stringify(changed.body));
  for (let i = 0; i < 3; i++) await api.start(flow, { order: i });
  await until("the runs to wait", async () => (await api.runsOf(flow, "Waiting")).length === 3);
  const listed = await flowmend(["holds", "list"]);
  assert.equal(listed.code, 0, listed.problems);
  assert.match(listed.out, new RegExp(`${witness.base}\n +3 runs of 1 flows \\(waits\\) wait for`));
  const choice = await flowmend(["holds", "choice", witness.base, "--limit-minutes", "60"]);
  assert.match(choice.out, /Minutes +60/);
  const wrong = await flowmend(["holds", "choice", witness.base, "--on-outage", "perhaps"]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.problems, /hold, fail or flow/);
  witness.status.now = 200;
  const released = await flowmend(["holds", "release", witness.base]);
  assert.match(released.out, /3 steps wait: one is tried now/);
  await until("the runs to end", async () => (await api.runsOf(flow, "Succeeded")).length === 3);
  assert.match((await flowmend(["holds", "list"])).out, /No run waits for a service/);
  assert.match((await flowmend(["holds", "fail", witness.base])).out, /Nothing waits for/);
  await witness.stop();
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

test("a flow's definition is read, tried, saved and run; the bell is read", async () => {
  const name = "Quote a price";
  await failedRun(name);
  const shown = await flowmend(["flow", "show", name]);
  assert.equal(shown.code, 0, shown.problems);
  assert.match(shown.out, /Trigger +manual \(Request\)/);
  const got = await flowmend(["flow", "get", name]);
  const definition = JSON.parse(got.out);
  assert.equal(definition.actions.Get_price.inputs.parameters.currency, "EURO");

  const same = await flowmend(["flow", "try", name]);
  assert.equal(same.code, 1, "what is saved fails as it did");
  const file = join(server.data, "fixed.json");
  definition.actions.Get_price.inputs.parameters.currency = "EUR";
  await writeFile(file, JSON.stringify({ properties: { definition } }));
  const tried = await flowmend(["flow", "try", name, file]);
  assert.match(tried.out, /unknown/, "what the service would say to another request is not guessed");
  assert.match(tried.out, /EURO -> EUR/);

  await writeFile(join(server.data, "broken.json"), JSON.stringify({ ...definition, actions: { A: { type: "Compose", inputs: "@toUpper('a'" } } }));
  const refused = await flowmend(["flow", "save", name, join(server.data, "broken.json")]);
  assert.equal(refused.code, 1);
  assert.match(refused.problems, /\/actions\/A\/inputs: /);
  const saved = await flowmend(["flow", "save", name, file]);
  assert.match(saved.out, /Saved as version \d+/, saved.problems);
  const run = await flowmend(["flow", "run", name, "--body", JSON.stringify({ sku: "TEA-200" })]);
  assert.match(run.out, /Started \S+\n(Succeeded|Failed)/, run.problems);

  const made = await flowmend(["flow", "create", "Made by command", file, "--connection", "shared_catalogue=catalogue", "--connection", "shared_mailbox=mailbox"]);
  assert.equal(made.code, 0, made.problems);
  assert.match((await flowmend(["flow", "list"])).out, /Started +Made by command/);
  assert.match((await flowmend(["flow", "off", "Made by command"])).out, /is off/);
  assert.match((await flowmend(["flow", "show", made.out.trim()])).out, /State +Stopped/);
  assert.equal((await flowmend(["flow", "checks", "Made by command"])).code, 0);
  assert.equal((await flowmend(["flow", "delete", "Made by command"])).code, 0);
  const gone = await flowmend(["flow", "show", "Made by command"]);
  assert.equal(gone.code, 1);
  assert.match(gone.problems, /No flow is called/);

  const bell = await flowmend(["notification", "list"]);
  assert.match(bell.out, /^[1-9]\d* unread\n\* /);
  assert.match((await flowmend(["notification", "read-all"])).out, /^0 unread/);
});

test("a connection is shown and mended; a wrong password is refused and not kept", async () => {
  await failedRun("Confirm a new order");
  const listed = await flowmend(["connection", "list"]);
  assert.match(listed.out, /shared_orders\/orders {2}Error {2}Orders/);
  const shown = await flowmend(["connection", "show", "orders"]);
  assert.equal(shown.code, 0, shown.problems);
  assert.match(shown.out, /State +Error\nBecause +.*The password of user 'shop' was changed/);
  assert.match(shown.out, /Last failure.*\nIn run +\w+/);
  assert.match(shown.out, /Confirm a new order: \d+ runs in 7 days, [1-9]\d* failed/);
  const verify = (password) => command(server, token, ["connection", "verify", "shared_orders/orders", "--credentials"], {}, JSON.stringify({ username: "shop", password }));
  const wrong = await verify("not-this-one");
  assert.equal(wrong.code, 1);
  assert.match(wrong.out, /Error: .*\nThe former credentials are kept/);
  assert.doesNotMatch(wrong.out + wrong.problems, /not-this-one/);
  assert.match((await command(server, token, ["connection", "verify", "orders", "--credentials"], {}, "nonsense")).problems, /no JSON object/);
  const right = await verify("autumn-2026");
  assert.equal(right.code, 0, right.out + right.problems);
  assert.match(right.out, /^Connected; [1-9]\d* runs had failed/);
  assert.equal((await flowmend(["connection", "verify", "orders"])).code, 0);
  assert.match((await flowmend(["connection", "show", "nowhere"])).problems, /No connection is called/);
});
