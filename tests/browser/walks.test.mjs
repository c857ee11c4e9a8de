// The walks of "Troubleshooting a flow", each driven on the real server as a person does it: on a desktop from the bell, on
// a phone from the Activity tab. Names of flows, services and faults: docs/demo.md.
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
const header = (page) => page.locator(".page-header");
const panel = (page) => page.getByRole("article", { name: "Step" });

/** Opens the failed run of a flow the way a person comes to it. */
async function openFailed(page, screen, flow) {
  await page.goto("/");
  if (screen === phone) {
    await page.getByRole("link", { name: "Activity" }).click();
    await page.getByRole("region", { name: "Needs attention" }).getByRole("link", { name: flow }).first().click({ timeout: runEndsMs });
  } else {
    const bell = page.getByRole("button", { name: "Notifications" });
    await page.locator(".bell-count").waitFor();
    await bell.click();
    // The list refreshes by itself while flows still fail: the one we want may come a few seconds later.
    await page.getByRole("dialog", { name: "Notifications" }).locator(".notification", { hasText: flow }).first().click({ timeout: runEndsMs });
  }
  await status(page, "Failed").waitFor();
}

async function expectFailedStep(page, action) {
  const step = page.getByRole("button", { name: `Failed: ${action}`, exact: true });
  await step.waitFor();
  assert.equal(await step.getAttribute("aria-current"), "step", `the run opens at ${action}`);
  await panel(page).getByRole("heading", { name: "What happened" }).waitFor();
}

/** Chooses Resubmit and waits for the new run's end. */
async function resubmit(page, wanted = "Succeeded") {
  const before = page.url();
  await header(page).getByRole("button", { name: "Resubmit", exact: true }).click();
  await page.waitForURL((url) => url.href !== before && /\/runs\//.test(url.pathname) && url.pathname !== new URL(before).pathname);
  await status(page, wanted).waitFor({ timeout: runEndsMs });
}

const version = async (page) => page.locator(".facts > div", { hasText: "Version" }).locator("dd").first().innerText();

/** The definition that the server keeps now, as text. */
const definitionOf = (page) =>
  page.evaluate(async () => {
    const flow = location.pathname.split("/")[2];
    const answer = await fetch(`/providers/Microsoft.ProcessSimple/environments/~default/flows/${flow}?api-version=2016-11-01`);
    return JSON.stringify((await answer.json()).properties.definition, null, 2);
  });

async function write(page, code) {
  await page.getByRole("textbox", { name: /Definition of/ }).click();
  await page.keyboard.press("ControlOrMeta+a");
  await page.keyboard.insertText(code);
}

const save = (page) => page.getByRole("button", { name: "Save", exact: true }).click();

/** Edits what the explanation points at and saves; returns at the run. `change` takes and gives the definition's text. */
async function editAndReturn(page, selected, change, beforeSaving = async () => undefined) {
  await panel(page).getByRole("button", { name: /Edit|Correct|Open/ }).first().click();
  await page.getByRole("heading", { level: 1, name: /^Edit/ }).waitFor();
  await page.waitForFunction((wanted) => getSelection()?.toString().includes(wanted), selected);
  const good = await definitionOf(page);
  const changed = change(good);
  assert.notEqual(changed, good, "the definition holds what is to be corrected");
  await write(page, changed);
  await beforeSaving();
  await save(page);
  await page.getByText("Saved. New runs use this definition.").waitFor();
  await page.getByRole("button", { name: "Return to run" }).click();
  await status(page, "Failed").waitFor();
}

/** Tries what stands in the editor on the recorded runs, before it is saved. */
async function expectTrial(page, words) {
  const trial = page.getByRole("region", { name: "What would change" });
  await trial.getByRole("button", { name: "Try on recorded runs" }).click();
  await trial.getByText(words).waitFor();
}

for (const [name, screen] of [["desktop", desktop], ["phone", phone]])
  describe(`on a ${name}`, () => {
    let server;
    let state;
    let page;
    before(async () => {
      server = await startServer();
      state = await firstSignIn(browser, server);
    });
    after(() => server?.stop());
    const walk = (title, steps) =>
      test(`${name}: ${title}`, async () => {
        page = await openPage(browser, state, screen, { baseURL: server.base });
        try {
          await steps();
          assert.deepEqual(page.complaints, [], "the browser has nothing to complain of");
        } catch (error) {
          error.message += `\nat ${page.url()}\n${(await page.locator("body").innerText().catch(() => "")).slice(0, 3000)}`;
          throw error;
        } finally {
          await page.context().close();
        }
      });

    walk("401: a wrong password is refused in the service's words, the right one is stored, and the run is repeated", async () => {
      await openFailed(page, screen, "Confirm a new order");
      await expectFailedStep(page, "Get order");
      await panel(page).getByText(/401/).first().waitFor();
      await panel(page).getByText(/Unauthorized/).first().waitFor();
      await panel(page).getByText(/isn't authenticated/).first().waitFor();
      const failedRun = page.url();

      if (screen === desktop) {
        // The long way: Settings > Connections > the row.
        await page.getByRole("button", { name: "Settings", exact: true }).click();
        await page.getByRole("menuitem", { name: "Connections" }).click();
        const row = page.getByRole("row", { name: "Orders", exact: true });
        await row.getByText(/isn't authenticated/).first().waitFor();
        await row.getByRole("button", { name: "Verify password" }).click();
      } else {
        // The short way: from the step, two clicks and the password.
        await panel(page).getByRole("button", { name: "Verify password" }).click();
      }
      const dialog = page.getByRole("dialog", { name: /Verify password/ });
      await dialog.getByLabel("Password").fill("not the password");
      await dialog.getByRole("button", { name: "Verify", exact: true }).click();
      const refusal = dialog.getByRole("alert");
      await refusal.getByText("Nothing was stored").waitFor();
      await refusal.getByText("The service answered 401:").waitFor();
      assert.notEqual((await refusal.locator("pre").innerText()).trim(), "", "the service's own words are shown");

      await dialog.getByLabel("Password").fill("autumn-2026");
      await dialog.getByRole("button", { name: "Verify", exact: true }).click();
      await page.getByText("Orders: Connected").waitFor();
      await dialog.waitFor({ state: "detached" });
      if (screen === desktop) {
        await page.getByRole("row", { name: "Orders", exact: true }).getByText("Connected", { exact: true }).waitFor();
        await page.goBack();
        assert.equal(page.url(), failedRun);
        await status(page, "Failed").waitFor();
      }
      await resubmit(page);
      await page.getByRole("button", { name: "Succeeded: Get order", exact: true }).waitFor();
      await page.locator(".facts").getByRole("link").first().click();
      await status(page, "Failed").waitFor();
      await page.locator(".repeat").getByText("Succeeded").waitFor();
    });

    walk("404: the address is named, a broken definition is refused, the corrected one runs", async () => {
      await openFailed(page, screen, "Publish a product page");
      await expectFailedStep(page, "Get product");
      await panel(page).getByText(/404/).first().waitFor();
      await panel(page).getByText(/\/products\/TEA-200/).first().waitFor();
      const failedVersion = await version(page);

      await header(page).getByRole("button", { name: "Edit", exact: true }).click();
      await page.waitForFunction(() => getSelection()?.toString().includes("Get_product"));
      const good = await definitionOf(page);
      await write(page, good.slice(0, good.lastIndexOf("}")));
      await save(page);
      await page.getByText(/Not saved: this is not JSON. See line \d+, column \d+/).waitFor();

      await write(page, good.replace(/"type": "(Http|OpenApiConnection)"/, '"type": "Htp"'));
      await save(page);
      await page.getByText("Not saved: the definition has errors.").waitFor();
      const finding = page.getByRole("region", { name: /Flow checker/ }).getByRole("button", { name: /Get_product/ }).first();
      await finding.waitFor();
      assert.notEqual((await finding.locator(".finding-cure").innerText()).trim(), "", "the refusal says the cure");
      await page.locator(".cm-lintRange-error").first().waitFor();
      assert.equal(await definitionOf(page), good, "nothing was stored");

      await write(page, good.replaceAll("/products/", "/v2/products/"));
      await expectTrial(page, /0 of \d+ failed runs? would pass the step that failed, \d+ (is|are) unknown/);
      await page.getByRole("region", { name: "What would change" }).getByText(/v2\/products/).first().waitFor();
      await save(page);
      await page.getByText("Saved. New runs use this definition.").waitFor();
      await page.getByRole("button", { name: "Return to run" }).click();
      await status(page, "Failed").waitFor();
      await resubmit(page);
      assert.notEqual(await version(page), failedVersion, "the new run shows the new version");
    });

    walk("400: the field and its value are named, corrected and run", async () => {
      await openFailed(page, screen, "Quote a price");
      await expectFailedStep(page, "Get price");
      await panel(page).getByText(/400/).first().waitFor();
      await panel(page).getByText(/currency/).first().waitFor();
      await panel(page).getByText(/EURO/).first().waitFor();
      await editAndReturn(page, "currency", (code) => code.replaceAll('"EURO"', '"EUR"'));
      await resubmit(page);
    });

    walk("502: told as temporary with every retry, and repeated once the service is back", async () => {
      await openFailed(page, screen, "Book a delivery");
      await expectFailedStep(page, "Book parcel");
      await panel(page).getByText(/502/).first().waitFor();
      await panel(page).getByText(/temporar/i).first().waitFor();
      const retries = panel(page).getByRole("region", { name: "Retries" }).locator("tbody tr");
      await retries.first().waitFor();
      assert.ok((await retries.count()) >= 2, "the attempts are listed");
      for (const row of await retries.allInnerTexts()) assert.match(row, /\d\d:\d\d:\d\d/, "each attempt has its time");
      await server.control({ delivery: "up" });
      await resubmit(page);
    });

    walk("expression: the part that failed and the value it met are shown, help can be asked for, the mended one runs", async () => {
      await openFailed(page, screen, "Welcome a customer");
      await expectFailedStep(page, "Compose greeting");
      await panel(page).locator(".expression").getByText(/lastName/).first().waitFor();
      await panel(page).locator(".expression mark").waitFor();
      await panel(page).locator(".value-culprit", { hasText: "lastName" }).getByText("null").first().waitFor();

      await header(page).getByRole("button", { name: "Ask for help" }).click();
      const dialog = page.getByRole("dialog", { name: "Ask for help" });
      const report = await dialog.locator("pre.report").innerText();
      assert.match(report, /Compose_greeting/);
      assert.doesNotMatch(report, /spring-2026|autumn-2026|sig=[A-Za-z0-9_-]{43}/, "secrets are masked");
      await dialog.getByRole("button", { name: "Copy report" }).click();
      await dialog.getByRole("button", { name: "Copied" }).waitFor();
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      assert.match(copied, /Compose_greeting/);
      const [download] = await Promise.all([page.waitForEvent("download"), dialog.getByRole("button", { name: "Download report" }).click()]);
      assert.match(download.suggestedFilename(), /^flowmend-run-.*\.md$/);
      await dialog.getByRole("button", { name: "Close" }).click();

      await editAndReturn(page, "toUpper", (code) => code.replace("toUpper(triggerBody()?['customer']?['lastName'])", "toUpper(coalesce(triggerBody()?['customer']?['lastName'], 'customer'))"), () => expectTrial(page, /^(\d+) of \1 failed runs? would pass the step that failed/));
      await resubmit(page);
    });
  });
