// A job that repeats many runs lives through crashes: kill -9 at moments of a job under way, again and again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { apiOf, post, startWitness, until } from "./api.mjs";
import { startServer } from "./server.mjs";

const count = 300;
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

const jobOf = async (id) => (await api.ask("GET", `/api/v1/jobs/${id}`)).body;
async function crash() {
  await server.kill();
  Object.assign(server, await startServer(server));
}

/** `count` runs that paid and could not ship. */
async function failed(name) {
  witness.status.now = 200;
  const actions = { Pay: post(`${witness.base}/${name}/pay`), Ship: post(`${witness.base}/${name}/ship`, { Pay: ["Succeeded"] }) };
  const broken = { ...actions, Ship: { ...actions.Ship, inputs: { ...actions.Ship.inputs, uri: "http://127.0.0.1:1/ship" } } };
  const flow = await api.makeFlow(name, broken);
  for (let i = 0; i < count; i += 20) await Promise.all(Array.from({ length: 20 }, (_, at) => api.start(flow, { order: i + at })));
  await until("the last failure", async () => (await api.runsOf(flow)).length === count);
  await api.save(flow, actions);
  return flow;
}

/** What must hold whatever happened: each run has one repetition at most, each effect one key, each key one effect. */
async function check(flow, name) {
  const repeats = new Map();
  for (const status of ["Succeeded", "Failed", "Running"]) {
    for (const run of await api.runsOf(flow, status)) {
      const first = run.properties.flowmend.resubmitOf?.run;
      if (first) repeats.set(first, [...(repeats.get(first) ?? []), run.name]);
    }
  }
  assert.deepEqual([...repeats.values()].filter((one) => one.length > 1), [], "no run is repeated twice");
  for (const step of ["pay", "ship"]) {
    const keys = new Map();
    for (const one of witness.requests.filter((request) => request.path === `/${name}/${step}`)) {
      assert.ok(one.key, "each request has its key");
      keys.set(one.body, new Set([...(keys.get(one.body) ?? []), one.key]));
    }
    assert.deepEqual([...keys.entries()].filter(([, set]) => set.size > 1), [], `${step}: a service that knows keys does nothing twice`);
    if (step === "pay") assert.equal(keys.size, count);
  }
  return repeats;
}

test("a job under way goes on after each crash and repeats every run once", async () => {
  const flow = await failed("goes-on");
  const plan = (await api.ask("POST", "/api/v1/repair-plans", { filter: { flow }, keepDone: true, ratePerSecond: 100 })).body;
  assert.equal(plan.runs, count);
  await crash();
  assert.equal((await jobOf(plan.id)).state, "planned", "a plan is there after a crash");
  assert.equal((await api.ask("POST", `/api/v1/repair-plans/${plan.id}/execute`, { version: plan.version })).status, 202);
  for (const share of [0.1, 0.3, 0.5, 0.7]) {
    await until("progress", async () => (await jobOf(plan.id)).looked >= count * share);
    await crash();
    assert.ok(["running", "done"].includes((await jobOf(plan.id)).state));
  }
  const done = await until("the job's end", async () => {
    const job = await jobOf(plan.id);
    return job.state !== "running" && job;
  });
  assert.equal(done.state, "done", JSON.stringify(done));
  assert.equal(done.started, count);
  assert.equal(done.succeeded, count);
  assert.equal((await check(flow, "goes-on")).size, count);
  assert.equal(new Set(witness.requests.filter((one) => one.path === "/goes-on/ship").map((one) => one.body)).size, count, "every order is shipped");
});

test("a paused job stays paused over a crash, and a cancelled one starts no more", async () => {
  const flow = await failed("paused");
  const plan = (await api.ask("POST", "/api/v1/repair-plans", { filter: { flow }, keepDone: true, ratePerSecond: 50 })).body;
  await api.ask("POST", `/api/v1/repair-plans/${plan.id}/execute`, { version: plan.version });
  await until("progress", async () => (await jobOf(plan.id)).looked >= 40);
  assert.equal((await api.ask("POST", `/api/v1/jobs/${plan.id}/pause`)).body.state, "paused");
  await crash();
  const paused = await jobOf(plan.id);
  assert.equal(paused.state, "paused");
  const before = await check(flow, "paused");
  await crash();
  assert.equal((await check(flow, "paused")).size, before.size, "nothing is started while it is paused");
  assert.equal((await api.ask("POST", `/api/v1/jobs/${plan.id}/resume`)).body.state, "running");
  await until("progress", async () => (await jobOf(plan.id)).looked >= before.size + 20);
  assert.equal((await api.ask("POST", `/api/v1/jobs/${plan.id}/cancel`)).body.state, "cancelled");
  await crash();
  assert.equal((await jobOf(plan.id)).state, "cancelled");
  const stopped = await check(flow, "paused");
  assert.ok(stopped.size < count, "the rest was not started");
  const left = (await api.ask("POST", "/api/v1/repair-plans", { filter: { flow } })).body;
  assert.equal(left.runs, count - stopped.size, "and is still to be repeated");
});
