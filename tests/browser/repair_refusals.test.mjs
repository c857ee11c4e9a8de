// What can't be repaired is refused: with the reason and the cure, with nothing lost and nothing sent.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { apiOf, post, startWitness, until } from "./api.mjs";
import { startServer } from "./server.mjs";

let server;
let api;
let witness;
before(async () => {
  server = await startServer();
  api = await apiOf(server);
  witness = await startWitness();
});
after(async () => {
  await server?.stop();
  await witness?.stop();
});

const sentTo = (path) => witness.requests.filter((one) => one.path === path).length;

function refused(answer, status, code, words) {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.equal(answer.body.error.code, code);
  assert.match(answer.body.error.message, words);
}

/** A flow that failed `runs` times at a service of its own. */
async function failed(name, runs) {
  witness.status.now = 400;
  const actions = { Ship: post(`${witness.base}/${name}`) };
  const flow = await api.makeFlow(name, actions);
  for (let i = 0; i < runs; i++) await api.start(flow, { order: i });
  await api.incidentOf(flow, runs);
  return { flow, actions, runs: (await api.runsOf(flow)).map((run) => run.name) };
}

test("a run that is still running", async () => {
  const flow = await api.makeFlow("still-running", { Wait: { type: "Wait", runAfter: {}, inputs: { interval: { count: 1, unit: "Hour" } } } });
  await api.start(flow);
  const [run] = await until("the run", async () => {
    const found = await api.runsOf(flow, "Running");
    return found.length > 0 && found;
  });
  for (const path of [`/api/v1/runs/${run.name}/resubmit`, `/api/v1/runs/${run.name}/plan`]) refused(await api.ask("POST", path, {}), 409, "WorkflowTriggerHistoryCannotBeResubmitted", /not over yet.*Wait for its end, or cancel it/);
  refused(await api.ask("POST", "/api/v1/repair-plans", { runs: [run.name] }), 409, "WorkflowRunNotCompleted", /still running.*Wait for its end, or cancel it/);
  assert.equal((await api.runsOf(flow, "Running")).length, 1, "no other run was started");
});

test("a run of a deleted flow", async () => {
  const { flow, runs } = await failed("deleted", 2);
  const incident = await api.incidentOf(flow, 2);
  assert.equal((await api.erase(flow)).status, 200);
  for (const path of [`/api/v1/runs/${runs[0]}/resubmit`, `/api/v1/runs/${runs[0]}/plan`]) refused(await api.ask("POST", path, {}), 404, "FlowNotFound", /deleted/);
  refused(await api.ask("POST", "/api/v1/repair-plans", { incident: incident.id }), 404, "FlowNotFound", /deleted.*mark the incident as fixed/);
  refused(await api.ask("POST", "/api/v1/repair-plans", { filter: { flow } }), 404, "FlowNotFound", /deleted/);
  assert.equal(sentTo("/deleted"), 2);
});

test("a deleted flow beside one that is there: the others are repeated, and the plan says which are not", async () => {
  const gone = await failed("gone", 2);
  const kept = await failed("kept", 1);
  await api.erase(gone.flow);
  const plan = await api.ask("POST", "/api/v1/repair-plans", { runs: [...gone.runs, ...kept.runs] });
  assert.equal(plan.status, 201, JSON.stringify(plan.body));
  assert.equal(plan.body.runs, 1);
  assert.equal(plan.body.leftOut, 2);
  assert.match(plan.body.refusals[0], /2 runs of flow .* deleted/);
});

test("a run that retention has removed", async () => {
  const removed = "08584000000000000000000000000CU00";
  for (const path of [`/api/v1/runs/${removed}/resubmit`, `/api/v1/runs/${removed}/plan`]) refused(await api.ask("POST", path, {}), 404, "WorkflowRunNotFound", /removed by retention/);
  refused(await api.ask("POST", "/api/v1/repair-plans", { runs: [removed] }), 404, "WorkflowRunNotFound", /There is no run.*retention/);
});

test("a trial with a broken definition", async () => {
  const { flow } = await failed("trial", 1);
  const broken = api.definitionOf({ Ship: { type: "Http", runAfter: { Nowhere: ["Succeeded"] }, inputs: { method: "POST", uri: "@{broken(" } } });
  const answer = await api.ask("POST", "/api/v1/trials", { flow, definition: broken });
  refused(answer, 400, "InvalidDefinition", /./);
  assert.match(JSON.stringify(answer.body), /actions\/Ship/, "the place is named");
  for (const definition of [{}, [], "text", 7]) assert.equal((await api.ask("POST", "/api/v1/trials", { flow, definition })).status, 400, JSON.stringify(definition));
  assert.equal(sentTo("/trial"), 1, "a trial sends nothing");
});

test("a stale plan, and one that two carry out at the same moment", async () => {
  const { flow, actions, runs } = await failed("stale", 3);
  const old = (await api.ask("POST", `/api/v1/runs/${runs[0]}/plan`, {})).body;
  const many = (await api.ask("POST", "/api/v1/repair-plans", { runs })).body;
  await api.save(flow, { ...actions, Note: { type: "Compose", runAfter: { Ship: ["Succeeded"] }, inputs: 1 } });
  refused(await api.ask("POST", `/api/v1/runs/${runs[0]}/resubmit`, { version: old.version }), 409, "RepairPlanStale", /Plan it again/);
  refused(await api.ask("POST", `/api/v1/repair-plans/${many.id}/execute`, { version: many.version }), 409, "RepairPlanStale", /Make the plan again/);
  assert.equal(sentTo("/stale"), 3);

  witness.status.now = 200;
  const plan = (await api.ask("POST", `/api/v1/runs/${runs[0]}/plan`, {})).body;
  const answers = await Promise.all(Array.from({ length: 8 }, () => api.ask("POST", `/api/v1/runs/${runs[0]}/resubmit`, { version: plan.version })));
  assert.deepEqual(answers.map((one) => one.status).sort(), [202, 409, 409, 409, 409, 409, 409, 409]);
  const again = (await api.ask("POST", "/api/v1/repair-plans", { runs })).body;
  refused(await api.ask("POST", `/api/v1/repair-plans/${again.id}/execute`, { version: "guessed" }), 409, "RepairPlanStale", /Make the plan again/);
  const executed = await Promise.all(Array.from({ length: 8 }, () => api.ask("POST", `/api/v1/repair-plans/${again.id}/execute`, { version: again.version })));
  assert.deepEqual(executed.map((one) => one.status).sort(), [202, 409, 409, 409, 409, 409, 409, 409]);
  const done = await until("the job's end", async () => {
    const { body } = await api.ask("GET", `/api/v1/jobs/${again.id}`);
    return body.state === "done" && body;
  });
  assert.equal(done.leftOut, 1, "the one that went well meanwhile");
  assert.equal(sentTo("/stale"), 6, "each run once more, none twice");
  refused(await api.ask("POST", `/api/v1/jobs/${again.id}/pause`), 409, "RepairJobStateConflict", /is done/);
  refused(await api.ask("POST", "/api/v1/jobs/nothing/pause"), 404, "RepairJobNotFound", /no repair job/);
});

test("an incident merged into itself, into nothing, and what is no change", async () => {
  const { flow } = await failed("itself", 1);
  const { id } = await api.incidentOf(flow, 1);
  refused(await api.ask("POST", `/api/v1/incidents/${id}/merge`, { with: id }), 400, "InvalidIncidentChange", /into itself.*Name another one/);
  refused(await api.ask("POST", `/api/v1/incidents/${id}/merge`, { with: "0000000000000000" }), 404, "IncidentNotFound", /List the incidents/);
  refused(await api.ask("POST", `/api/v1/incidents/${id}/merge`, {}), 400, "InvalidRequestContent", /'with'/);
  refused(await api.ask("POST", `/api/v1/incidents/${id}/split`, { fingerprint: "what" }), 400, "InvalidIncidentChange", /nothing to split/);
  refused(await api.ask("PATCH", `/api/v1/incidents/${id}`, { state: "back" }), 400, "InvalidIncidentChange", /nobody can set it/);
  refused(await api.ask("PATCH", `/api/v1/incidents/${id}`, { state: "muted", mutedUntil: "2001-01-01T00:00:00Z" }), 400, "InvalidIncidentChange", /in the past/);
  refused(await api.ask("PATCH", `/api/v1/incidents/${id}`, { state: "fixed", version: "nonsense" }), 400, "InvalidIncidentChange", /no version 'nonsense'/);
  const now = (await api.ask("GET", `/api/v1/incidents/${id}`)).body;
  assert.equal(now.count, 1);
  assert.equal(now.state, "new");
});

test("a bulk job over a filter that matches nothing, or says nothing", async () => {
  const { flow } = await failed("filtered", 2);
  const plan = (body) => api.ask("POST", "/api/v1/repair-plans", body);
  refused(await plan({ filter: { flow, status: "TimedOut" } }), 409, "NothingToRepair", /No failed run matches the filter.*Look at the runs/);
  refused(await plan({ filter: { flow, startedUntil: "2001-01-01T00:00:00Z" } }), 409, "NothingToRepair", /matches the filter/);
  refused(await plan({ filter: { flow, status: "Running" } }), 400, "InvalidRequestContent", /must be Failed, TimedOut or Cancelled/);
  refused(await plan({ filter: { flow, colour: "red" } }), 400, "InvalidRequestContent", /no 'colour'/);
  refused(await plan({ filter: { startedFrom: "yesterday" } }), 400, "InvalidRequestContent", /'startedFrom' is no time/);
  refused(await plan({}), 400, "InvalidRequestContent", /Give one of/);
  refused(await plan({ runs: [] }), 400, "InvalidRequestContent", /Give one of/);
  refused(await plan({ filter: { flow }, incident: "x" }), 400, "InvalidRequestContent", /Give one of/);
  refused(await plan({ filter: { flow }, ratePerSecond: 0 }), 400, "InvalidRequestContent", /1 to 10000/);
  refused(await plan({ filter: { flow }, steps: [{ action: "Nowhere", skip: true }], why: "a test" }), 400, "InvalidCorrection", /no step 'Nowhere'/);
  refused(await plan({ filter: { flow }, steps: [{ action: "Ship", skip: true }] }), 400, "InvalidCorrection", /needs a reason/);
  const good = await plan({ filter: { flow } });
  assert.equal(good.status, 201, JSON.stringify(good.body));
  assert.equal(good.body.runs, 2);
  assert.equal(sentTo("/filtered"), 2, "a plan sends nothing");
});

test("a correction of many runs is signed in each of them, and proves nothing about the cause", async () => {
  const { flow, runs } = await failed("corrected", 3);
  const incident = await api.incidentOf(flow, 3);
  const plan = (await api.ask("POST", "/api/v1/repair-plans", { incident: incident.id, steps: [{ action: "Ship", skip: true }], why: "sent by hand" })).body;
  assert.equal(plan.correction.why, "sent by hand");
  assert.equal((await api.ask("POST", `/api/v1/repair-plans/${plan.id}/execute`, { version: plan.version })).status, 202);
  const done = await until("the job's end", async () => {
    const { body } = await api.ask("GET", `/api/v1/jobs/${plan.id}`);
    return body.state === "done" && body;
  });
  assert.equal(done.succeeded, 3);
  assert.equal(done.verdict, "notFixed");
  for (const run of runs) {
    const [again] = (await api.ask("GET", `/api/v1/runs/${run}`)).body.properties.flowmend.resubmittedAs;
    const { repair } = (await api.ask("GET", `/api/v1/runs/${again.run}`)).body.properties.flowmend;
    assert.equal(repair.why, "sent by hand");
    assert.doesNotMatch(repair.by, /^job:/);
  }
  assert.equal(sentTo("/corrected"), 3);
});
