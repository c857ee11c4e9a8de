// Many runs repeated with one correction that fits each of them: inputs changed by expressions.
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "./api.mjs";
import { startPortal } from "./portal.mjs";
import { desktop, phone } from "./server.mjs";

const portal = await startPortal();
const { api, witness } = portal;

const actions = () => ({
  Prepare: { type: "Compose", inputs: { number: "@triggerBody()?['number']" } },
  Send: {
    type: "Http",
    runAfter: { Prepare: ["Succeeded"] },
    inputs: { method: "POST", uri: `${witness.base}/orders`, body: { number: "@outputs('Prepare')['number']", mail: "@triggerBody()?['mail']" }, retryPolicy: { type: "none" } },
  },
});
const trimmed = { "/body/mail": "@trim(triggerBody()?['mail'])", "/body/note": "no. @{outputs('Prepare')['number']}" };
const step = (inputExpressions) => [{ action: "Send", inputExpressions }];

test("each run is sent what its own values make of the expressions; one that can't be evaluated sends nothing", async () => {
  const flow = await api.makeFlow("Orders with blanks", actions());
  witness.status.now = 400;
  for (const [number, mail] of [[1, " a@x.test "], [2, "b@x.test\n"], [3, undefined]]) await api.start(flow, { number, mail });
  const failed = await until("three failed runs", async () => ((await api.runsOf(flow)).length === 3 ? await api.runsOf(flow) : undefined));
  witness.status.now = 200;
  const before = witness.requests.length;

  const wish = { runs: failed.map((run) => run.name), keepDone: true, canary: false, stopPercent: 100, why: "blanks were typed", steps: step(trimmed) };
  const planned = await api.ask("POST", "/api/v1/repair-plans", wish);
  assert.equal(planned.status, 201, JSON.stringify(planned.body));
  const preview = planned.body.correctionPreview;
  assert.deepEqual([preview.runs, preview.evaluated, preview.failing, preview.unknown], [3, 2, 1, 0]);
  assert.match(preview.samples[0].wouldSend.error.message, /trim/, "what can't be evaluated comes first");
  assert.deepEqual([preview.samples[1].before.body, preview.samples[1].wouldSend.inputs.body], [{ number: 1, mail: " a@x.test " }, { number: 1, mail: "a@x.test", note: "no. 1" }]);
  assert.equal((await api.ask("GET", `/api/v1/jobs/${planned.body.id}`)).body.correctionPreview, undefined, "recorded values are not kept with the job");
  assert.equal((await api.ask("POST", `/api/v1/repair-plans/${planned.body.id}/execute`, { version: planned.body.version })).status, 202);
  const job = await until("the end of the job", async () => {
    const { body } = await api.ask("GET", `/api/v1/jobs/${planned.body.id}`);
    return body.state === "running" ? undefined : body;
  });
  assert.deepEqual([job.succeeded, job.failed], [2, 1], JSON.stringify(job));
  const sent = witness.requests.slice(before).map((one) => JSON.parse(one.body)).sort((a, b) => a.number - b.number);
  assert.deepEqual(sent, [
    { number: 1, mail: "a@x.test", note: "no. 1" },
    { number: 2, mail: "b@x.test", note: "no. 2" },
  ]);
  const keys = witness.requests.map((one) => one.key);
  assert.equal(new Set(keys).size, keys.length, "another request has another key");

  const again = await until("the run that failed again", async () => (await api.runsOf(flow)).find((run) => run.properties.flowmend.resubmitOf));
  const explained = (await api.ask("GET", `/api/v1/runs/${again.name}/explanation`)).body;
  assert.equal(explained.failure.action, "Send");
  assert.equal(explained.failure.code, "InvalidTemplate", JSON.stringify(explained));
  assert.match(explained.failure.message, /trim/);
  const facts = (await api.ask("GET", `/api/v1/runs/${again.name}`)).body.properties.flowmend.repair;
  assert.equal(facts.why, "blanks were typed");
  assert.deepEqual(facts.steps[0].inputExpressions, trimmed);
});

test("one run, by command; and what is refused before anything starts", async () => {
  const flow = await api.makeFlow("One order with blanks", actions());
  witness.status.now = 400;
  await api.start(flow, { number: 7, mail: " c@x.test" });
  const [failed] = await until("the failed run", async () => ((await api.runsOf(flow)).length > 0 ? await api.runsOf(flow) : undefined));
  for (const [expressions, words] of [
    [{ "/body/mail": "@outputs('Nowhere')" }, /Nowhere/],
    [{ "/body/mail": "@variables('mail')" }, /mail/],
    [{ "/body/mail": "@trim(" }, /Unable to parse|expected/],
    [{ "body/mail": "x" }, /no place in the inputs/],
    [{}, /at least one member/],
  ]) {
    const refused = await api.ask("POST", `/api/v1/runs/${failed.name}/plan`, { keep: "done", why: "test", steps: step(expressions) });
    assert.equal(refused.status, 400, JSON.stringify(refused.body));
    assert.equal(refused.body.error.code, "InvalidCorrection");
    assert.match(refused.body.error.message, words);
  }
  const plan = await api.ask("POST", `/api/v1/runs/${failed.name}/plan`, { keep: "done", why: "test", steps: step(trimmed) });
  const corrected = plan.body.steps.find((one) => one.action === "Send");
  assert.equal(corrected.plan, "corrected");
  assert.deepEqual(corrected.wouldSend.inputs.body, { number: 7, mail: "c@x.test", note: "no. 7" });
  witness.status.now = 200;
  const before = witness.requests.length;
  const done = await api.run(["run", "resubmit", failed.name, "--from", "Send", "--input-expressions", JSON.stringify(trimmed), "--why", "a blank"]);
  assert.equal(done.code, 0, done.out + done.problems);
  assert.deepEqual(JSON.parse(witness.requests[before].body), { number: 7, mail: "c@x.test", note: "no. 7" });
  assert.match((await api.run(["run", "resubmit", failed.name, "--from", "Send", "--input-expressions", "{}", "--skip", "--why", "x"])).problems, /Only one of/);
});

for (const [name, screen] of [["desktop", desktop], ["phone", phone]])
  test(`${name}: all runs of an incident are corrected and repeated from its page`, async () => {
    const flow = await api.makeFlow(`Orders by ${name}`, { ...actions(), Send: { ...actions().Send, inputs: { ...actions().Send.inputs, uri: `${witness.base}/${name}` } } });
    witness.status.now = 400;
    for (const number of [1, 2]) await api.start(flow, { number, mail: ` ${name}${number}@x.test` });
    const incident = await api.incidentOf(flow, 2);
    witness.status.now = 200;
    const before = witness.requests.length;
    const page = await portal.open(screen);
    await page.goto(`/incidents/${incident.id}`);
    await page.getByRole("button", { name: "Resubmit all" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Correct a step" }).click();
    await dialog.getByLabel("Step", { exact: true }).selectOption("Send");
    await dialog.getByLabel("Why").fill("blanks were typed");
    const value = dialog.getByLabel("Places and expressions (JSON)");
    await value.fill("{");
    await dialog.getByRole("button", { name: "Use this correction" }).click();
    await dialog.getByText(/JSON at position|property name/).waitFor();
    await value.fill(JSON.stringify({ "/body/mail": "@outputs('Nowhere')" }));
    await dialog.getByRole("button", { name: "Use this correction" }).click();
    await dialog.getByText(/Nowhere/).last().waitFor();
    assert.equal(await dialog.getByRole("button", { name: "Start" }).isDisabled(), true, "what was refused can't be started");
    await value.fill(JSON.stringify(trimmed));
    await dialog.getByRole("button", { name: "Use this correction" }).click();
    await dialog.getByText("The plan corrects Send in every run.").waitFor();
    await dialog.getByText("Of the first 2 runs: 2 times the correction fits.").waitFor();
    await dialog.getByText(`${name}1@x.test`).waitFor();
    if (process.env.FLOWMEND_LOOK) await page.screenshot({ path: `${process.env.FLOWMEND_LOOK}/many-${name}.png` });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `it scrolls sideways by ${wide} pixels`);
    await dialog.getByRole("button", { name: "Start" }).click();
    await until("both requests", () => witness.requests.length === before + 2);
    assert.deepEqual(witness.requests.slice(before).map((one) => JSON.parse(one.body).mail).sort(), [`${name}1@x.test`, `${name}2@x.test`]);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });

test("one run's correction is shown as it would be sent while it is written", async () => {
  const flow = await api.makeFlow("One order shown", { ...actions(), Send: { ...actions().Send, inputs: { ...actions().Send.inputs, uri: `${witness.base}/shown` } } });
  witness.status.now = 400;
  await api.start(flow, { number: 9, mail: " d@x.test" });
  const [failed] = await until("the failed run", async () => ((await api.runsOf(flow)).length > 0 ? await api.runsOf(flow) : undefined));
  witness.status.now = 200;
  const page = await portal.open(phone);
  await page.goto(`/flows/${flow}/runs/${failed.name}`);
  await page.getByRole("button", { name: "Choose a definition" }).click();
  await page.getByRole("menuitem", { name: "Repeat in part..." }).click();
  const dialog = page.getByRole("dialog", { name: "Repeat the run in part" });
  await dialog.getByLabel("Go on from").selectOption("Send");
  await dialog.getByLabel("What about this step").selectOption("inputExpressions");
  await dialog.getByLabel("Why").fill("a blank");
  const value = dialog.getByLabel("Places and expressions (JSON)");
  await value.fill(JSON.stringify({ "/body/mail": "@trim(triggerBody()?['none'])" }));
  await dialog.getByText(/Can't be evaluated, nothing would be sent: .*trim/).waitFor();
  await value.fill(JSON.stringify(trimmed));
  await dialog.getByText("Would be sent").waitFor();
  await dialog.getByText('"d@x.test"').waitFor();
  if (process.env.FLOWMEND_LOOK) await page.screenshot({ path: `${process.env.FLOWMEND_LOOK}/one.png` });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.ok(wide <= 0, `it scrolls sideways by ${wide} pixels`);
  const before = witness.requests.length;
  await dialog.getByRole("button", { name: "Repeat", exact: true }).click();
  await until("its request", () => witness.requests.length > before);
  assert.equal(JSON.parse(witness.requests[before].body).mail, "d@x.test");
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});
