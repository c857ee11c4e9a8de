// Runs that wait instead of failing: the connection is refused, the run waits at its step, the password is verified, and the
// run goes on and succeeds. Nobody resubmits anything.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { desktop, firstSignIn, openPage, phone, startBrowser, startServer } from "./server.mjs";

const runEndsMs = 60_000;
let browser;
before(async () => {
  browser = await startBrowser();
});
after(() => browser?.close());

const status = (page, word) => page.getByRole("heading", { level: 1 }).getByText(word, { exact: true });

for (const [name, screen] of [
  ["desktop", desktop],
  ["phone", phone],
]) {
  describe(`held runs, ${name}`, () => {
    let server;
    let state;
    before(async () => {
      server = await startServer();
      state = await firstSignIn(browser, server);
    });
    after(() => server?.stop());

    test(`${name}: a run waits for its connection and goes on when the password is verified`, async () => {
      const page = await openPage(browser, state, screen, { baseURL: server.base });
      try {
        await page.goto("/flows");
        await page.getByRole("link", { name: "Confirm a new order" }).first().click();
        await page.getByRole("radio", { name: "Runs wait and go on by themselves" }).click();
        await page.waitForFunction(async () => {
          const answer = await fetch(`/providers/Microsoft.ProcessSimple/environments/~default/flows/${location.pathname.split("/")[2]}?api-version=2016-11-01`);
          return (await answer.json()).properties.flowmend.onOutage === "hold";
        });
        await page.getByRole("button", { name: "Run", exact: true }).click();
        const start = page.getByRole("dialog", { name: /Run/ });
        await start.getByRole("textbox").fill('{"orderId": "O-1007"}');
        await start.getByRole("button", { name: "Run", exact: true }).click();
        await page.waitForURL(/\/runs\//);
        await status(page, "Waiting").waitFor({ timeout: runEndsMs });
        const waitingRun = page.url();
        await page.getByText("This run waits for Orders").waitFor();
        await page.getByRole("button", { name: "Waiting: Get order", exact: true }).waitFor();
        assert.equal(await page.getByRole("button", { name: "Resubmit", exact: true }).count(), 0, "there is nothing to resubmit");

        await page.goto("/connections");
        await page.getByRole("link", { name: "1 run of 1 flow waits for this" }).click();
        await page.waitForURL(waitingRun.replace(/\?.*/, ""));

        await page.getByRole("button", { name: "Verify password" }).first().click();
        const dialog = page.getByRole("dialog", { name: /Verify password/ });
        await dialog.getByLabel("Password").fill("not the password");
        await dialog.getByRole("button", { name: "Verify", exact: true }).click();
        await dialog.getByRole("alert").getByText("Nothing was stored").waitFor();
        await dialog.getByLabel("Password").fill("autumn-2026");
        await dialog.getByRole("button", { name: "Verify", exact: true }).click();
        await page.getByText("The run that waited for it goes on.").waitFor();
        await status(page, "Succeeded").waitFor({ timeout: runEndsMs });
        await page.getByRole("button", { name: "Succeeded: Get order", exact: true }).waitFor();
        assert.equal(page.url().replace(/\?.*/, ""), waitingRun.replace(/\?.*/, ""), "it is the same run");
        const repeats = await page.evaluate(async () => {
          const answer = await fetch(`/api/v1/runs/${location.pathname.split("/")[4]}`);
          return (await answer.json()).properties.flowmend.resubmittedAs.length;
        });
        assert.equal(repeats, 0);

        await page.goto("/connections");
        await page.getByRole("row", { name: "Orders", exact: true }).getByText("Connected", { exact: true }).waitFor();
        assert.equal(await page.getByText(/waits? for this/).count(), 0);
        assert.deepEqual(page.complaints, [], "the browser has nothing to complain of");
      } catch (error) {
        error.message += `\nat ${page.url()}\n${(await page.locator("body").innerText().catch(() => "")).slice(0, 3000)}`;
        throw error;
      } finally {
        await page.context().close();
      }
    });

    test(`${name}: a waiting run can be cancelled, and the connection's own choice goes before the flow's`, async () => {
      const page = await openPage(browser, state, screen, { baseURL: server.base });
      try {
        await server.control({ ordersPassword: "winter-2026" });
        await page.goto("/flows");
        await page.getByRole("link", { name: "Confirm a new order" }).first().click();
        const run = async () => {
          await page.getByRole("button", { name: "Run", exact: true }).click();
          const start = page.getByRole("dialog", { name: /Run/ });
          await start.getByRole("textbox").fill('{"orderId": "O-1007"}');
          await start.getByRole("button", { name: "Run", exact: true }).click();
          await page.waitForURL(/\/runs\//);
        };
        await run();
        await status(page, "Waiting").waitFor({ timeout: runEndsMs });
        await page.getByRole("button", { name: "Cancel run", exact: true }).click();
        await status(page, "Cancelled").waitFor({ timeout: runEndsMs });

        await page.goto("/connections");
        await page.getByRole("button", { name: "More actions for Orders" }).click();
        await page.getByRole("menuitem", { name: "Waiting runs" }).click();
        const dialog = page.getByRole("dialog", { name: "Waiting runs" });
        await dialog.getByRole("radio", { name: "Runs fail" }).click();
        await dialog.getByLabel("Hours a run may wait").fill("0");
        await dialog.getByRole("button", { name: "Save" }).click();
        await dialog.getByText(/one minute to 30 days/).first().waitFor();
        await dialog.getByLabel("Hours a run may wait").fill("24");
        await dialog.getByRole("button", { name: "Save" }).click();
        await dialog.waitFor({ state: "detached" });
        await page.goto("/flows");
        await page.getByRole("link", { name: "Confirm a new order" }).first().click();
        await run();
        await status(page, "Failed").waitFor({ timeout: runEndsMs });
        assert.deepEqual(page.complaints, [], "the browser has nothing to complain of");
      } catch (error) {
        error.message += `\nat ${page.url()}\n${(await page.locator("body").innerText().catch(() => "")).slice(0, 3000)}`;
        throw error;
      } finally {
        await page.context().close();
      }
    });

    test(`${name}: a run is repeated in part: what would happen is shown, the output is supplied, and the run says who did it`, async () => {
      const page = await openPage(browser, state, screen, { baseURL: server.base });
      try {
        await page.goto("/runs?status=Failed");
        await page.getByRole("link", { name: /Quote a price/ }).first().click({ timeout: runEndsMs });
        await status(page, "Failed").waitFor();
        await page.getByRole("button", { name: "Choose a definition" }).click();
        await page.getByRole("menuitem", { name: "Repeat in part..." }).click();
        const dialog = page.getByRole("dialog", { name: "Repeat the run in part" });
        const plan = dialog.getByRole("table", { name: "What would happen" });
        await plan.getByText("Done again").first().waitFor();
        await dialog.getByLabel("Go on from").selectOption("Get_price");
        await dialog.getByLabel("What about this step").selectOption("output");
        await plan.getByText("Output supplied").waitFor();
        await dialog.getByLabel("Output (JSON)").fill('{"name":"Pot","price":48,"currency":"EUR"}');
        await dialog.getByLabel("Why").fill("asked by telephone");
        const before = page.url();
        await dialog.getByRole("button", { name: "Repeat", exact: true }).click();
        await page.waitForURL((url) => url.pathname !== new URL(before).pathname);
        await status(page, "Succeeded").waitFor({ timeout: runEndsMs });
        await page.getByText("Repaired by ada: asked by telephone").waitFor();
        assert.deepEqual(page.complaints, [], "the browser has nothing to complain of");
      } catch (error) {
        error.message += `\nat ${page.url()}\n${(await page.locator("body").innerText().catch(() => "")).slice(0, 3000)}`;
        throw error;
      } finally {
        await page.context().close();
      }
    });
  });
}
