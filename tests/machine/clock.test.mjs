// A real server whose machine was off for days, and whose clock is set forward and back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { post, until } from "../browser/api.mjs";
import { startOnMachine, wait } from "./machine.mjs";

const hour = 3600;
const day = 24 * hour;
const beat = 10; // seconds between two looks for silence
const limits = ["--limit", `silence-watch=PT${beat}S`];
const on = await startOnMachine(limits);
const { machine, api, witness } = on;

const hourly = async (displayName, path) => {
  const definition = api.definitionOf({ Send: post(`${witness.base}/${path}`) }, { Timer: { type: "Recurrence", recurrence: { frequency: "Hour", interval: 1 } } });
  const made = await api.ask("POST", "/providers/Microsoft.ProcessSimple/environments/~default/flows?api-version=2016-11-01", { properties: { displayName, state: "Started", definition } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  return made.body.name;
};
const sent = (path) => witness.requests.filter((one) => one.path === `/${path}`).length;
/** Timers are looked at once a minute, or when anything else happens: so something does. */
const poke = (flow) => api.ask("GET", `/api/v1/runs?flow=${flow}`).then(() => api.start(flow, {}));

test("times that passed while the machine was off are told as that, not made up for; the next time ends it", async () => {
  const flow = await hourly("Hourly report", "report");
  await until("the first run", () => sent("report") === 1);
  await wait(beat + 2); // until the watch has noted that the server is there
  await on.server.kill();
  await machine.setClock(2 * day);
  await on.start();
  // The executor is given two minutes. They pass at twice their pace: a clock that jumps by more than three of the
  // watch's looks is a time at which the server was not there.
  const open = async () => (await api.ask("GET", `/api/v1/incidents?flow=${flow}&state=open`)).body.value[0];
  let incident;
  let passed = 0;
  let ahead = 2 * day;
  for (; !incident && passed < 200; passed += 4) {
    await wait(2);
    ahead += 2;
    await machine.setClock(ahead);
    incident = await open();
  }
  assert.ok(incident, "no incident came");
  assert.ok(passed >= 100, `it was told after ${passed} s`);
  assert.equal(incident.title, "Its schedule was missed while the server was down");
  assert.match(incident.message, /the server did not run from .* until .*Since then 4[78] times were missed.*Missed times are not made up for.*It fires next at/);
  const { body: bell } = await api.ask("GET", "/api/v1/notifications");
  assert.ok(bell.value.some((one) => one.title === incident.title || one.incident === incident.id), JSON.stringify(bell.value));
  assert.equal(sent("report"), 1, "two days are not made up for at once");
  const shown = await api.run(["incident", "show", incident.id]);
  assert.match(shown.out, /Its schedule was missed while the server was down/);

  const helper = await api.makeFlow("Wakes the timers", { Send: post(`${witness.base}/poke`) });
  await machine.setClock(ahead + hour); // one time comes, no more
  await poke(helper);
  await until("the next time", () => sent("report") === 2);
  await until("the incident's end", async () => (await api.ask("GET", `/api/v1/incidents/${incident.id}`)).body.state === "fixed");
});

test("a clock that is set back fires nothing twice, and names and lists stay in order", async () => {
  const helper = await api.makeFlow("Goes on", { Send: post(`${witness.base}/goes-on`) });
  const flow = await hourly("Hourly bill", "bill");
  await until("the first run", () => sent("bill") === 1);
  await machine.setClock(3 * day);
  await poke(helper);
  await until("the time that has come", () => sent("bill") === 2);
  await machine.setClock(2 * day);
  for (let i = 0; i < 5; i++) await poke(helper);
  await until("the runs of meanwhile", () => sent("goes-on") === 6);
  await wait(2.5);
  assert.equal(sent("bill"), 2, "a time that was there is not there again");
  const names = (await api.runsOf(helper, "Succeeded")).map((run) => run.name);
  assert.equal(new Set(names).size, 6);
  assert.deepEqual([...names].sort(), names, "the latest still come first");
  // And after a restart with the clock still back.
  await on.server.kill();
  await on.start();
  await poke(helper);
  await until("one more", () => sent("goes-on") === 7);
  assert.equal(sent("bill"), 2);
  const { body } = await api.ask("GET", `/api/v1/runs?flow=${helper}&$top=1`);
  assert.equal(names.includes(body.value[0].name), false, "the newest run is listed first, though its clock is behind");
  // The schedule goes on when its clock has caught up.
  await machine.setClock(3 * day + 2 * hour);
  await poke(helper);
  await until("the next time", () => sent("bill") >= 3);
});
