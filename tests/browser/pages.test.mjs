// What holds on every page, on the real server: no violation that axe can find, no complaint of the browser; and what people
// meet besides failures. Leaves the pictures of docs/images/.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { admin, desktop, failedRun, firstSignIn, images, openPage, phone, startBrowser, startServer } from "./server.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let browser;
let server;
let state;
before(async () => {
  browser = await startBrowser();
  server = await startServer();
  state = await firstSignIn(browser, server);
  await mkdir(images, { recursive: true });
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const open = (screen, more) => openPage(browser, state, screen, { baseURL: server.base, reducedMotion: "reduce", ...more });

// Left out are the focus catchers of Fluent's focus library: they are never reached, focus passes on as they get it.
async function violations(page, where) {
  // The portal's own policy may forbid scripts that it doesn't serve; the browser's side channel isn't bound by it.
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run({ exclude: [["[data-tabster-dummy]"]] }, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
  return found.violations.map((one) => `${where}: ${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join(", ")}`);
}
const expectAccessible = async (page, where) => assert.deepEqual(await violations(page, where), []);

const settled = async (page) => {
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.locator(".loading").first().waitFor({ state: "detached" }).catch(() => undefined);
  await page.waitForLoadState("load");
  await page.waitForTimeout(300);
};

for (const [name, screen] of [["desktop", desktop], ["phone", phone]])
  test(`${name}: every page is accessible, in light and dark, and has its picture`, async () => {
    const page = await open(screen);
    await page.goto("/");
    const { flow, run } = await failedRun(page, "Confirm a new order");
    const at = `/flows/${flow}`;
    const pages = {
      activity: "/", flows: "/flows", flow: at, "run-failed": `${at}/runs/${run}`, runs: "/runs", incidents: "/incidents", connections: "/connections", connection: "/connections/shared_orders/orders", connectors: "/connectors",
      editor: `${at}/edit?action=Get_order&run=${run}`, people: "/settings/people", account: "/settings/account", tokens: "/settings/tokens", notifications: "/settings/notifications", about: "/settings/about", ...(screen === phone ? { more: "/more" } : {}),
    };
    const found = [];
    for (const [title, address] of Object.entries(pages)) {
      await page.emulateMedia({ colorScheme: "light" });
      await page.goto(address);
      await settled(page);
      if (title === "editor") await page.locator(".cm-content").waitFor();
      found.push(...(await violations(page, `${title} (light)`)));
      await page.screenshot({ path: join(images, `${title}-${name}.png`) });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(wide <= 0, `${title} scrolls sideways by ${wide} pixels`);
      await page.emulateMedia({ colorScheme: "dark" });
      await page.waitForTimeout(100);
      found.push(...(await violations(page, `${title} (dark)`)));
      if (title === "run-failed") await page.screenshot({ path: join(images, `run-failed-${name}-dark.png`) });
    }
    assert.deepEqual(found, []);
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });

test("dialogs and the bell are accessible", async () => {
  const page = await open(desktop);
  await page.goto("/");
  await failedRun(page, "Confirm a new order");
  await page.locator(".bell-count").waitFor();
  await page.getByRole("button", { name: "Notifications" }).click();
  await page.getByRole("dialog", { name: "Notifications" }).waitFor();
  await page.waitForTimeout(400);
  await page.screenshot({ path: join(images, "notifications-desktop.png") });
  await expectAccessible(page, "notifications");
  await page.goto("/connections");
  await page.getByRole("row", { name: "Orders", exact: true }).getByRole("button", { name: "Verify password" }).click();
  await page.getByRole("dialog", { name: /Verify password/ }).getByLabel("Password").waitFor();
  await page.waitForTimeout(400);
  await expectAccessible(page, "verify dialog");
  await page.screenshot({ path: join(images, "verify-desktop.png") });
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.context().close();
});

test("signing in: a wrong password is refused, the right one opens the page that was asked for", async () => {
  const context = await browser.newContext({ ...desktop, baseURL: server.base });
  const page = await context.newPage();
  await page.goto("/connections");
  await page.getByRole("heading", { name: "Sign in to Flowmend" }).waitFor();
  await expectAccessible(page, "sign-in");
  await page.screenshot({ path: join(images, "signin-desktop.png") });
  await page.getByLabel("User name").fill(admin.userName);
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("SignInFailed").waitFor();
  await page.getByLabel("Password").fill(admin.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Connections", level: 1 }).waitFor();
  await page.getByRole("button", { name: "Account" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in to Flowmend" }).waitFor();
  await page.goto("/runs");
  await page.getByRole("heading", { name: "Sign in to Flowmend" }).waitFor();
  await context.close();
});

test("a flow is started from its page and its run appears in the history without a reload", async () => {
  const page = await open(desktop);
  await page.goto("/flows");
  await page.getByRole("link", { name: "Confirm a new order" }).click();
  await page.getByRole("heading", { name: "Run history" }).waitFor();
  const rows = page.locator(".run-table tbody tr");
  await rows.first().waitFor();
  const count = await rows.count();
  await page.evaluate(async () => {
    const { csrfToken } = await (await fetch("/api/v1/me")).json();
    const base = `/providers/Microsoft.ProcessSimple/environments/~default${location.pathname}`;
    const triggers = Object.keys((await (await fetch(`${base}?api-version=2016-11-01`)).json()).properties.definition.triggers);
    await fetch(`${base}/triggers/${triggers[0]}/run?api-version=2016-11-01`, { method: "POST", headers: { "x-flowmend-csrf": csrfToken, "Content-Type": "application/json" }, body: '{"orderId":"O-1007"}' });
  });
  await page.waitForFunction((before) => document.querySelectorAll(".run-table tbody tr").length > before, count);
  await page.getByLabel("Status").selectOption("Cancelled");
  await page.getByText("No run has the status Cancelled").waitFor();
  assert.match(page.url(), /status=Cancelled/);
  await page.getByRole("button", { name: "Show address" }).click();
  await page.locator(".trigger-address code", { hasText: "sig=" }).waitFor();
  await page.context().close();
});

test("a flow is turned off and on again", async () => {
  const page = await open(desktop);
  await page.goto("/flows");
  await page.getByRole("link", { name: "Quote a price" }).click();
  await page.getByRole("button", { name: "Turn off" }).click();
  await page.getByRole("button", { name: "Turn on" }).click();
  await page.getByRole("button", { name: "Turn off" }).waitFor();
  await page.context().close();
});

test("a loop opens at its failed item and pages through the others", async () => {
  const page = await open(desktop);
  await page.goto("/");
  const { flow, run } = await failedRun(page, "Restock the shelves");
  await page.goto(`/flows/${flow}/runs/${run}`);
  await page.getByRole("button", { name: "Failed: Order stock", exact: true }).waitFor();
  const pager = page.getByRole("group", { name: "Items of For each item" });
  await pager.getByText(/^Item 2 of \d+/).waitFor();
  await page.getByRole("article", { name: "Step" }).getByText(/twelve/).first().waitFor();
  await pager.getByRole("button", { name: "Previous item" }).click();
  await page.getByRole("button", { name: "Succeeded: Order stock", exact: true }).waitFor();
  await pager.getByRole("button", { name: "Next failed item" }).click();
  await pager.getByText(/^Item 2 of \d+/).waitFor();
  await page.context().close();
});

test("the way from the bell to the failed step by keyboard alone", async () => {
  const page = await open(desktop);
  await page.goto("/");
  await failedRun(page, "Confirm a new order");
  await page.locator(".bell-count").waitFor();
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-label")), "Search flows and runs");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("aria-label")), "Notifications");
  await page.keyboard.press("Enter");
  const item = page.locator(".notification", { hasText: "Confirm a new order" }).first();
  await item.waitFor();
  for (let presses = 0; presses < 60 && !(await item.evaluate((element) => element === document.activeElement)); presses++) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Failed: Get order", exact: true }).waitFor();
  await page.context().close();
});

test("a token is made, shown once and revoked", async () => {
  const page = await open(desktop);
  await page.goto("/settings/tokens");
  await page.getByRole("button", { name: "New token" }).click();
  const dialog = page.getByRole("dialog", { name: "New token" });
  await dialog.getByLabel("Name").fill("Nightly script");
  await dialog.getByRole("button", { name: "Create token" }).click();
  const token = await dialog.locator("code.token").innerText();
  assert.ok(token.length > 8);
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByRole("row", { name: /Nightly script/ }).waitFor();
  assert.ok(!(await page.content()).includes(token), "the token is not shown again");
  await page.getByRole("button", { name: "Revoke Nightly script" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Revoke" }).click();
  await page.getByRole("row", { name: /Nightly script/ }).waitFor({ state: "detached" });
  await page.context().close();
});

test("without the server the page says so, and catches up when it is back", async () => {
  const page = await open(desktop);
  await page.goto("/runs");
  await page.getByRole("heading", { name: "Runs", level: 1 }).waitFor();
  await page.context().setOffline(true);
  await page.getByText("Not connected. What you see may be out of date").waitFor();
  await page.context().setOffline(false);
  await page.getByText("Not connected. What you see may be out of date").waitFor({ state: "detached", timeout: 20_000 });
  await page.context().close();
});

test("an unknown run and an unknown page say so", async () => {
  const page = await open(desktop);
  await page.goto("/flows/00000000-0000-4000-8000-00000000ffff/runs/08584640926573727105946217000CU00");
  await page.getByRole("button", { name: "Try again" }).first().waitFor();
  await page.goto("/nothing/here");
  await page.getByRole("heading", { name: "There is no such page" }).waitFor();
  await page.context().close();
});

test("an incident: many failed runs of one cause, mended and repeated in a few clicks, none twice", async () => {
  const page = await open(desktop);
  await page.goto("/");
  const { flow } = await failedRun(page, "Confirm a new order");
  const more = 24;
  const countNow = () => page.evaluate(async () => (await (await fetch("/api/v1/incidents")).json()).value.find((one) => one.connection?.name === "orders").count);
  const all = (await countNow()) + more;
  const answers = await page.evaluate(
    async ([id, count]) => {
      const { csrfToken } = await (await fetch("/api/v1/me")).json();
      const address = `/providers/Microsoft.ProcessSimple/environments/~default/flows/${id}/triggers/manual/run?api-version=2016-11-01`;
      const body = JSON.stringify({ orderId: "O-1007" });
      const one = () => fetch(address, { method: "POST", headers: { "x-flowmend-csrf": csrfToken, "Content-Type": "application/json" }, body });
      return (await Promise.all(Array.from({ length: count }, one))).map((answer) => answer.status);
    },
    [flow, more],
  );
  assert.ok(answers.every((status) => status < 300), `runs were started: ${answers}`);
  await page.goto("/incidents");
  const incident = page.getByRole("row").filter({ hasText: "Confirm a new order" }).filter({ hasText: String(all) });
  await incident.getByRole("link").first().click({ timeout: 60_000 });
  await page.getByText("Same connection, not authenticated: Orders").first().waitFor();
  await page.waitForTimeout(300);
  await expectAccessible(page, "incident");
  await page.screenshot({ path: join(images, "incident-desktop.png") });

  // Assigned, muted, and back.
  await page.getByRole("button", { name: "Assign to me" }).click();
  await page.locator(".incident-state", { hasText: "Assigned" }).waitFor();

  await page.getByRole("button", { name: "Verify password" }).click();
  const dialog = page.getByRole("dialog", { name: /Verify password/ });
  await dialog.getByLabel("Password").fill("autumn-2026");
  await dialog.getByRole("button", { name: "Verify", exact: true }).click();
  // What to do next opens by itself.
  const plan = page.getByRole("dialog", { name: "Resubmit all" });
  await plan.getByText("Orders is connected.").waitFor();
  await plan.getByText(`${all} runs are repeated`).waitFor();
  await plan.getByText("No write that had gone well is done again.").waitFor();
  await page.waitForTimeout(300);
  await expectAccessible(page, "plan");
  await page.screenshot({ path: join(images, "plan-desktop.png") });
  await plan.getByRole("button", { name: "Start", exact: true }).click();
  await page.getByText(`${all} of ${all} looked at: ${all} went well, 0 failed again, 0 left out`).waitFor({ timeout: 20_000 }).catch(async (error) => {
    throw new Error(`${error.message}\n${(await page.locator("main").innerText()).slice(0, 2000)}`);
  });
  await page.locator(".incident-state", { hasText: "Fixed" }).waitFor();

  // There is nothing left to repeat, and it says so.
  await page.getByRole("button", { name: "Resubmit all" }).click();
  await page.getByRole("dialog", { name: "Resubmit all" }).getByText("No failed run is left to be repeated").waitFor();
  await page.context().close();

  const small = await open(phone);
  await small.goto("/incidents?state=");
  await settled(small);
  await expectAccessible(small, "incidents on a phone");
  await small.screenshot({ path: join(images, "incidents-phone.png") });
  assert.ok((await small.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)) <= 0, "it scrolls sideways");
  await small.context().close();
});
