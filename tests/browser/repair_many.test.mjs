// The runs that a filter shows are repeated together, on desktop and phone.
import assert from "node:assert/strict";
import { test } from "node:test";
import { post, until } from "./api.mjs";
import { startPortal } from "./portal.mjs";
import { desktop, phone } from "./server.mjs";

const portal = await startPortal();
const { api, witness } = portal;

for (const [name, screen] of [["desktop", desktop], ["phone", phone]])
  test(`${name}: the failed runs of a flow are planned, repeated once, and the page says what came of it`, async () => {
    witness.status.now = 400;
    const flow = await api.makeFlow(`Many on ${name}`, { Ship: post(`${witness.base}/${name}`) });
    for (let i = 0; i < 12; i++) await api.start(flow, { order: i });
    await api.incidentOf(flow, 12);
    witness.status.now = 200;
    const page = await portal.open(screen);
    await page.goto(`/runs?flow=${flow}`);
    await page.getByRole("table").waitFor();
    assert.equal(await page.getByRole("button", { name: "Resubmit all" }).count(), 0, "only what a filter names is repeated");
    await page.getByLabel("Status").selectOption("Failed");
    await page.getByRole("button", { name: "Resubmit all" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("12 runs are repeated").waitFor();
    const sent = () => witness.requests.filter((one) => one.path === `/${name}`).length;
    assert.equal(sent(), 12, "a plan sends nothing");
    await dialog.getByRole("button", { name: "Start", exact: true }).click();
    await until("each run's repetition", () => sent() === 24);
    // The latest job stands first.
    await page.locator(".job").first().getByText("12 went well, 0 failed again, 0 left out").waitFor();
    assert.equal(sent(), 24, "none twice");
    await page.getByRole("button", { name: "Resubmit all" }).click();
    await page.getByRole("dialog").getByText(/No failed run matches the filter/).waitFor();
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, "the page scrolls sideways");
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });

test("only the runs with an error code and a recorded value are repeated, by page and by command", async () => {
  const flow = await api.makeFlow("Chosen by what they hold", { Ship: post(`${witness.base}/chosen`) });
  const orders = [["A-17", 400], ["A-18", 404], ["A-19", 404], ["A-17", 404]];
  for (const [order, status] of orders) {
    witness.status.now = status;
    const before = witness.requests.length;
    await api.start(flow, { order });
    await until("its request", () => witness.requests.length > before);
  }
  await until("what repair found out", async () => (await api.runsOf(flow)).filter((run) => run.properties.flowmend.failedCode).length === orders.length);
  const listed = await api.run(["run", "list", "--flow", flow, "--code", "notfound"]);
  assert.equal(listed.out.trim().split("\n").length, 3, listed.out + listed.problems);
  assert.match(listed.out, /Chosen by what they hold\tShip /);
  witness.status.now = 200;
  const page = await portal.open(phone);
  await page.goto(`/runs?flow=${flow}&status=Failed`);
  await page.getByLabel("Error code").fill("404");
  await page.getByLabel("Any recorded value").fill("A-17");
  await page.waitForURL((url) => url.searchParams.get("code") === "404" && url.searchParams.get("value") === "A-17");
  await until("the one run", async () => (await page.getByRole("table").getByRole("link").count()) === 1);
  const before = witness.requests.length;
  await page.getByRole("button", { name: "Resubmit all" }).click();
  await page.getByRole("dialog").getByText("1 run is repeated").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Start", exact: true }).click();
  await until("its repetition", () => witness.requests.length > before);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
  const job = await api.run(["job", "start", "--flow", flow, "--code", "NotFound", "--value", "A-19", "--at-once"]);
  assert.equal(job.code, 0, job.out + job.problems);
  assert.match((await api.run(["job", "start", "--flow", flow, "--connection", "none-such"])).problems, /No failed run matches the filter/);
  assert.deepEqual(witness.requests.slice(before).map((one) => JSON.parse(one.body).order), ["A-17", "A-19"]);
  const wrong = await api.ask("POST", "/api/v1/repair-plans", { filter: { flow, value: "?!" } });
  assert.deepEqual([wrong.status, wrong.body.error.code], [400, "InvalidSearchValue"]);
});
