// The runs that a filter shows are repeated together, on desktop and phone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { apiOf, post, startWitness, until } from "./api.mjs";
import { desktop, firstSignIn, openPage, phone, startBrowser, startServer } from "./server.mjs";

let browser;
let server;
let state;
let api;
let witness;
before(async () => {
  browser = await startBrowser();
  server = await startServer();
  state = await firstSignIn(browser, server);
  api = await apiOf(server);
  witness = await startWitness();
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await witness?.stop();
});

for (const [name, screen] of [["desktop", desktop], ["phone", phone]])
  test(`${name}: the failed runs of a flow are planned, repeated once, and the page says what came of it`, async () => {
    witness.status.now = 400;
    const flow = await api.makeFlow(`Many on ${name}`, { Ship: post(`${witness.base}/${name}`) });
    for (let i = 0; i < 12; i++) await api.start(flow, { order: i });
    await api.incidentOf(flow, 12);
    witness.status.now = 200;
    const page = await openPage(browser, state, screen, { baseURL: server.base });
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
