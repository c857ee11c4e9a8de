// A flow that another one calls fails: it is repaired inside, and the run that called it goes on.
import assert from "node:assert/strict";
import { test } from "node:test";
import { post, until } from "./api.mjs";
import { startPortal } from "./portal.mjs";
import { desktop, phone } from "./server.mjs";

const portal = await startPortal();
const { api, witness } = portal;

const calls = (flow, body, runAfter = {}) => ({ type: "Workflow", runAfter, inputs: { host: { workflowReferenceName: flow }, body, retryPolicy: { type: "none" } } });
const answer = (after, body) => ({ type: "Response", kind: "Http", runAfter: { [after]: ["Succeeded"] }, inputs: { statusCode: 200, body } });
const to = (path, after) => post(`${witness.base}/${path}`, after ? { [after]: ["Succeeded"] } : {});
const sentSince = (from) => witness.requests.slice(from).map((one) => one.path.slice(1));

/** Two flows, the outer calls the inner; the inner's second request fails. Gives the failed runs. */
async function failInside(name) {
  const inner = await api.makeFlow(`Book ${name}`, { Reserve: to(`${name}-reserve`), Pay: to(`${name}-pay`, "Reserve"), Answer: answer("Pay", "@body('Pay')") });
  const outer = await api.makeFlow(`Order ${name}`, { Note: to(`${name}-note`), Call: calls(inner, "@triggerBody()", { Note: ["Succeeded"] }), Ship: to(`${name}-ship`, "Call") });
  witness.refuses = `/${name}-pay`;
  await api.start(outer, { number: 1 });
  const [parent] = await until("the failed runs", async () => ((await api.runsOf(outer)).length > 0 ? await api.runsOf(outer) : undefined));
  const [child] = await api.runsOf(inner);
  return { inner, outer, parent: parent.name, child: child.name };
}

test("by script: plan, stale plan, refusals, and the whole goes on", async () => {
  witness.status.now = 200;
  const { inner, outer, parent, child } = await failInside("script");
  const explained = (await api.ask("GET", `/api/v1/runs/${parent}/explanation`)).body;
  assert.equal(explained.calledRun.run, child);
  assert.match(explained.calledRun.title, /Pay/);
  assert.deepEqual(explained.howToFix[0].button, { kind: "openRun", label: "Open the called run", flow: inner, run: child });
  const facts = (await api.ask("GET", `/api/v1/runs/${child}`)).body.properties.flowmend.calledBy;
  assert.deepEqual([facts.run, facts.flow, facts.action, facts.status], [parent, outer, "Call", "Failed"]);

  witness.refuses = undefined;
  const wish = { withParent: true, why: "paid by telephone", steps: [{ action: "Pay", output: { paid: true } }] };
  const planned = (await api.ask("POST", `/api/v1/runs/${child}/plan`, wish)).body;
  assert.equal(planned.run, parent);
  assert.deepEqual(planned.steps.map((step) => [step.action, step.plan]), [["Note", "kept"], ["Call", "resumed"], ["Ship", "first"]]);
  assert.deepEqual(planned.steps[1].child.steps.map((step) => [step.action, step.plan]), [["Reserve", "kept"], ["Pay", "supplied"]]);
  const refused = async (run, body) => (await api.ask("POST", `/api/v1/runs/${run}/resubmit`, body)).body.error?.code;
  assert.equal(await refused(parent, { withParent: true }), "NoParentRun");
  assert.equal(await refused(child, { withParent: "yes" }), "InvalidRequestContent");
  assert.equal(await refused(child, { withParent: true, keep: "nothing" }), "InvalidRequestContent");
  assert.equal(await refused(child, { withParent: true, from: "Nowhere" }), "InvalidCorrection");
  assert.equal(await refused(parent, { steps: [{ action: "Ship", child: {} }] }), "InvalidCorrection");

  const before = witness.requests.length;
  const started = await api.ask("POST", `/api/v1/runs/${child}/resubmit`, { ...wish, version: planned.version });
  assert.equal(started.status, 202, JSON.stringify(started.body));
  await until("the end of the parent", async () => (await api.runsOf(outer, "Succeeded")).length === 1);
  assert.deepEqual(sentSince(before), ["script-ship"]);
  const [repaired] = await api.runsOf(inner, "Succeeded");
  const its = (await api.ask("GET", `/api/v1/runs/${repaired.name}`)).body.properties.flowmend;
  assert.deepEqual([its.repair.by, its.repair.why, its.resubmitOf.run, its.calledBy.run], ["command line", "paid by telephone", child, started.body.run]);
  assert.equal(await refused(child, { ...wish, version: planned.version }), "RepairPlanStale");
});

test("by command, and after a crash half-way", async () => {
  witness.status.now = 200;
  const { inner, outer, child } = await failInside("command");
  const shown = await api.run(["run", "plan", child, "--with-parent", "--keep-done"]);
  assert.equal(shown.code, 0, shown.problems);
  assert.match(shown.out, /of Order command goes on:[^]*kept +Note\n +resumed +Call +in run \w+ of Book command\n +kept +Reserve\n +again +Pay[^]*first +Ship/);
  assert.match((await api.run(["run", "show", child])).out, /Called by +\w+ of Order command, step Call/);
  witness.hangs = "/command-pay";
  witness.refuses = undefined;
  const before = witness.requests.length;
  assert.equal((await api.run(["run", "resubmit", child, "--with-parent", "--keep-done", "--no-wait"])).code, 0);
  await until("the repeated payment", () => witness.requests.length > before);
  await portal.server.kill();
  witness.hangs = undefined;
  await portal.start();
  await until("the end of the parent", async () => (await api.runsOf(outer, "Succeeded")).length === 1);
  assert.deepEqual(sentSince(before), ["command-pay", "command-pay", "command-ship"], "the open request is sent again, nothing else");
  const keys = witness.requests.filter((one) => one.path === "/command-pay").map((one) => one.key);
  assert.deepEqual([keys.length, new Set(keys).size], [3, 1], "a payment keeps its key");
  assert.equal((await api.runsOf(inner, "Succeeded")).length, 1);
  for (const flow of [inner, outer])
    await until("the incident's end", async () => (await api.ask("GET", `/api/v1/incidents?flow=${flow}&state=fixed`)).body.value[0]);
});

/** The same for several orders; gives the flows once all have failed. */
async function failManyInside(name, count) {
  const { inner, outer } = await failInside(name);
  for (let number = 2; number <= count; number++) await api.start(outer, { number });
  await until("all failed runs", async () => (await api.runsOf(outer)).length === count && (await api.runsOf(inner)).length === count);
  await api.incidentOf(inner, count);
  await api.incidentOf(outer, count);
  witness.refuses = undefined;
  return { inner, outer };
}

test("all that broke inside a called flow, and the runs that called it, are repaired by one job; nothing is done twice", async () => {
  const { inner, outer } = await failManyInside("jobs", 4);
  const incident = await api.incidentOf(inner, 4);
  const wrong = await api.ask("POST", "/api/v1/repair-plans", { incident: incident.id, withParents: true, why: "x", steps: [{ action: "Pay", skip: true }] });
  assert.deepEqual([wrong.status, wrong.body.error.code], [400, "InvalidRequestContent"]);
  const before = witness.requests.length;
  const done = await api.run(["incident", "resubmit", incident.id, "--with-parent"]);
  assert.equal(done.code, 0, done.out + done.problems);
  assert.match(done.out, /done: 4 of 4 runs, 4 succeeded/);
  assert.equal((await api.runsOf(outer, "Succeeded")).length, 4);
  assert.deepEqual(sentSince(before).sort(), [...Array(4).fill("jobs-pay"), ...Array(4).fill("jobs-ship")]);
  for (const flow of [inner, outer]) await until("the incident's end", async () => (await api.ask("GET", `/api/v1/incidents?flow=${flow}&state=fixed`)).body.value[0]);
  // What was repaired by itself is not done again when its callers are.
  const second = await failManyInside("alone", 2);
  assert.equal((await api.run(["incident", "resubmit", (await api.incidentOf(second.inner, 2)).id, "--keep-done"])).code, 0);
  const paid = witness.requests.length;
  assert.equal((await api.run(["incident", "resubmit", (await api.incidentOf(second.outer, 2)).id, "--keep-done"])).code, 0);
  assert.deepEqual(sentSince(paid), ["alone-ship", "alone-ship"]);
});

test("phone: one click on the cause's page does the same", async () => {
  const { inner, outer } = await failManyInside("click", 2);
  const page = await portal.open(phone);
  await page.goto(`/incidents/${(await api.incidentOf(inner, 2)).id}`);
  await page.getByRole("button", { name: "Resubmit all" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("2 of them are runs that had called broken ones").waitFor();
  await dialog.getByLabel("Let the runs that called them go on").uncheck();
  await dialog.getByText("2 of them are runs").waitFor({ state: "detached" });
  await dialog.getByLabel("Let the runs that called them go on").check();
  await dialog.getByText("2 of them are runs").waitFor();
  if (process.env.FLOWMEND_LOOK) await page.screenshot({ path: `${process.env.FLOWMEND_LOOK}/parents.png` });
  const before = witness.requests.length;
  await dialog.getByRole("button", { name: "Start", exact: true }).click();
  await until("the end of all", async () => (await api.runsOf(outer, "Succeeded")).length === 2);
  assert.deepEqual(sentSince(before).sort(), ["click-pay", "click-pay", "click-ship", "click-ship"]);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

for (const [name, screen] of [["desktop", desktop], ["phone", phone]])
  test(`${name}: from the caller's failure into the called run, and back with the repair`, async () => {
    witness.status.now = 200;
    const { outer, parent, child } = await failInside(name);
    witness.refuses = undefined;
    const page = await portal.open(screen);
    await page.goto(`/flows/${outer}/runs/${parent}`);
    await page.getByText("It called the run").waitFor();
    await page.getByRole("button", { name: "Open the called run" }).click();
    await page.waitForURL((url) => url.pathname.endsWith(child));
    await page.getByRole("link", { name: `Call of Order ${name}` }).waitFor();
    await page.getByRole("button", { name: "Choose a definition" }).click();
    await page.getByRole("menuitem", { name: "Repeat in part..." }).click();
    const dialog = page.getByRole("dialog", { name: "Repeat the run in part" });
    assert.equal(await dialog.getByLabel(`Let the run of Order ${name} that called it go on`).isChecked(), true, "a caller that failed goes on unless the person says otherwise");
    const plan = dialog.getByRole("table", { name: "What would happen" });
    await plan.getByText(`Goes on inside the run of Book ${name}`).waitFor();
    await dialog.getByText(`The run of Order ${name} goes on:`).waitFor();
    await dialog.getByLabel("Go on from").selectOption("Pay");
    await dialog.getByLabel("What about this step").selectOption("skip");
    await dialog.getByLabel("Why").fill("paid in cash");
    await plan.getByText("Left out").waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `it scrolls sideways by ${wide} pixels`);
    const before = witness.requests.length;
    await dialog.getByRole("button", { name: "Repeat", exact: true }).click();
    await page.waitForURL((url) => url.pathname.includes(outer));
    await page.getByText("Repaired by ada: paid in cash").waitFor();
    await until("the end of the parent", async () => (await api.runsOf(outer, "Succeeded")).length === 1);
    assert.deepEqual(sentSince(before), [`${name}-ship`]);
    // From the caller's side: the steps inside the call can be chosen too.
    await page.goto(`/flows/${outer}/runs/${parent}`);
    await page.getByRole("button", { name: "Choose a definition" }).click();
    await page.getByRole("menuitem", { name: "Repeat in part..." }).click();
    await dialog.getByLabel("Go on from").selectOption({ label: "Call › Pay" });
    await plan.getByText("Done again").waitFor();
    await dialog.getByRole("button", { name: "Repeat", exact: true }).click();
    await until("the second end", async () => (await api.runsOf(outer, "Succeeded")).length === 2);
    assert.deepEqual(sentSince(before).slice(1), [`${name}-pay`, `${name}-ship`]);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });
