// A flow that is silent: its trigger's checks keep failing, so no run starts and none fails. The bell says so, the
// incident says how to fix it, and it ends by itself when the service answers again.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { desktop, firstSignIn, openPage, startBrowser, startServer } from "./server.mjs";

const waitMs = 30_000;
let browser;
let server;
let state;
let service;
let down = true;

before(async () => {
  browser = await startBrowser();
  server = await startServer(undefined, ["--limit", "silence-watch=PT1S", "--limit", "silence-checks-failing=PT1S"]);
  state = await firstSignIn(browser, server);
  service = createServer((_, response) => (down ? response.writeHead(404, { "Content-Type": "application/json" }).end('{"message":"No such feed"}') : response.writeHead(202).end()));
  await new Promise((resolve) => service.listen(0, "127.0.0.1", resolve));
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await new Promise((resolve) => service?.close(resolve));
});

test("a trigger whose checks keep failing rings the bell, opens an incident, and ends it when it works again", async () => {
  const page = await openPage(browser, state, desktop, { baseURL: server.base, reducedMotion: "reduce" });
  await page.goto("/");
  const flow = await page.evaluate(async (uri) => {
    const { csrfToken } = await (await fetch("/api/v1/me")).json();
    const definition = {
      triggers: { News: { type: "Http", recurrence: { frequency: "Second", interval: 1 }, inputs: { method: "GET", uri, retryPolicy: { type: "none" } } } },
      actions: {},
    };
    const answer = await fetch("/providers/Microsoft.ProcessSimple/environments/~default/flows?api-version=2016-11-01", {
      method: "POST",
      headers: { "Content-Type": "application/json", "x-flowmend-csrf": csrfToken },
      body: JSON.stringify({ properties: { displayName: "Silent news", definition, state: "Started" } }),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return (await answer.json()).name;
  }, `http://127.0.0.1:${service.address().port}/news`);

  // The bell counts it without a reload, and leads to the incident: there is no run to lead to.
  await page.locator("#unread-count").getByText(/unread/).waitFor({ timeout: waitMs });
  await page.getByRole("button", { name: "Notifications" }).click();
  await page.getByRole("button", { name: /^Silent news: Its trigger's checks keep failing/ }).click();
  await page.getByRole("heading", { level: 1, name: "Its trigger's checks keep failing" }).waitFor();
  await page.getByText(/times in a row and failed/).waitFor();
  await page.getByRole("heading", { name: "How to fix it" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Resubmit all" }).count(), 0, "there is no run to repeat");
  const incident = page.url();
  await page.getByRole("link", { name: "Open the flow" }).click();
  await page.getByRole("heading", { level: 1, name: "Silent news" }).waitFor();
  assert.ok(page.url().endsWith(`/flows/${flow}`));

  await page.goto("/incidents");
  await page.getByRole("row").filter({ hasText: "Silent news" }).getByRole("link", { name: "Its trigger's checks keep failing" }).waitFor();

  down = false;
  await page.goto(incident);
  await page.getByText("Fixed", { exact: true }).first().waitFor({ timeout: waitMs });
  await page.getByText("Fixes").first().click();
  await page.getByText(/It was well again by itself/).waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("a flow whose silence is nobody's business is not watched", async () => {
  const page = await openPage(browser, state, desktop, { baseURL: server.base, reducedMotion: "reduce" });
  await page.goto("/flows");
  await page.getByRole("link", { name: "Silent news" }).click();
  const choice = page.getByRole("region", { name: "Notifications" });
  await choice.getByLabel(/also when nothing happens/).click();
  await choice.getByRole("button", { name: "Save" }).click();
  await choice.getByText("Saved.").waitFor();
  await page.reload();
  assert.equal(await choice.getByLabel(/also when nothing happens/).isChecked(), false);
  await page.context().close();
});
