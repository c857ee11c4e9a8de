// What a person sets for a connection beside its credentials.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { desktop, firstSignIn, openPage, phone, startBrowser, startServer } from "./server.mjs";

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
  });
}
