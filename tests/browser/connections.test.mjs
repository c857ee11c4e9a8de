// What a person sets for a connection beside its credentials.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { desktop, failedRun, firstSignIn, openPage, phone, startBrowser, startServer } from "./server.mjs";

let browser;
let server;
let state;
before(async () => {
  browser = await startBrowser();
  server = await startServer();
  state = await firstSignIn(browser, server);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

for (const [name, screen] of [
  ["desktop", desktop],
  ["phone", phone],
]) {
  describe(`connections, ${name}`, () => {
    test(`${name}: a limit of requests a minute is set, shown, and taken away`, async () => {
      const page = await openPage(browser, state, screen, { baseURL: server.base });
      try {
        const open = async () => {
          await page.getByRole("button", { name: "More actions for Orders" }).click();
          await page.getByRole("menuitem", { name: "Request limit" }).click();
          return page.getByRole("dialog", { name: "Request limit" });
        };
        await page.goto("/connections");
        let dialog = await open();
        const field = () => dialog.getByLabel("Requests to Orders in a minute");
        await field().fill("70000");
        await dialog.getByText("Enter a whole number from 1 to 60000").waitFor();
        assert.equal(await dialog.getByRole("button", { name: "Save" }).isDisabled(), true);
        await field().fill("30");
        await dialog.getByRole("button", { name: "Save" }).click();
        await dialog.waitFor({ state: "detached" });
        await page.getByText("At most 30 requests a minute").waitFor();
        await page.reload();
        await page.getByText("At most 30 requests a minute").waitFor();
        dialog = await open();
        assert.equal(await field().inputValue(), "30");
        await field().fill("");
        await dialog.getByRole("button", { name: "Save" }).click();
        await dialog.waitFor({ state: "detached" });
        await page.getByText("At most 30 requests a minute").waitFor({ state: "detached" });
        assert.deepEqual(page.complaints, [], "the browser has nothing to complain of");
      } catch (error) {
        error.message += `\nat ${page.url()}\n${(await page.locator("body").innerText().catch(() => "")).slice(0, 3000)}`;
        throw error;
      } finally {
        await page.context().close();
      }
    });
    test(`${name}: the page of one connection says what happened and mends it`, async () => {
      await server.control({ ordersPassword: `password of ${name}` });
      const page = await openPage(browser, state, screen, { baseURL: server.base });
      try {
        // From the failed run to its connection, and back.
        await page.goto("/");
        const { flow, run } = await failedRun(page, "Confirm a new order");
        await page.goto(`/flows/${flow}/runs/${run}`);
        await page.getByRole("link", { name: "Connection Orders" }).click();
        await page.getByRole("heading", { name: "Orders", level: 1 }).waitFor();
        await page.getByText("The password of user 'shop' was changed").first().waitFor();
        const row = page.getByRole("row", { name: /Confirm a new order/ });
        const week = await page.evaluate(async () => (await fetch("/api/v1/connections/shared_orders/orders/usage")).json());
        const mine = week.flows.find((one) => one.displayName === "Confirm a new order");
        assert.ok(mine.runs >= 1 && mine.failed >= 1, JSON.stringify(week));
        assert.match(await row.innerText(), new RegExp(`${mine.runs}[\\s\\S]*${mine.failed}`));
        await page.getByText("such credentials say no end").waitFor();
        assert.equal(await page.getByText("kept, never shown").count(), 1, "the password");
        assert.equal(await page.getByRole("link", { name: "Open the run" }).count(), 1);
        await page.getByRole("button", { name: "Verify password" }).click();
        await page.getByRole("dialog").getByLabel("Password").fill(`password of ${name}`);
        await page.getByRole("dialog").getByRole("button", { name: "Verify" }).click();
        await page.getByText("Connected").first().waitFor();
        await page.getByRole("button", { name: "Check now" }).click();
        await page.getByText("just now").first().waitFor();
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        assert.ok(wide <= 0, `it scrolls sideways by ${wide} pixels`);
        await page.getByRole("link", { name: "Open the run" }).click();
        await page.getByRole("heading", { name: /Confirm a new order/, level: 1 }).waitFor();
        assert.deepEqual(page.complaints, []);
      } catch (error) {
        error.message += `\nat ${page.url()}\n${(await page.locator("body").innerText().catch(() => "")).slice(0, 3000)}`;
        throw error;
      } finally {
        await page.context().close();
      }
    });
  });
}

test("a connection that is not there says so, with the way back", async () => {
  const page = await openPage(browser, state, desktop, { baseURL: server.base });
  await page.goto("/connections/shared_orders/none");
  await page.getByText("The connection 'none' could not be found").waitFor();
  assert.equal(await page.evaluate(async () => (await fetch("/api/v1/connections/shared_orders/none/usage")).status), 404);
  await page.context().close();
});
