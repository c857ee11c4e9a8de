// Finding runs by what they recorded, and a failed run in one file, as a person and the command line meet them.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { binary, desktop, firstSignIn, openPage, phone, startBrowser, startServer } from "./server.mjs";

let browser;
let server;
let state;
let token;
let folder;
before(async () => {
  browser = await startBrowser();
  server = await startServer();
  state = await firstSignIn(browser, server);
  folder = await mkdtemp(join(tmpdir(), "flowmend-search-"));
  token = (await command("token", "create", "--data", server.data, "--name", "search", "--scopes", "read,run,write")).out.trim();
  const made = await ask("POST", `${flows}?${version}`, {
    properties: {
      displayName: "Takes orders",
      state: "Started",
      definition: {
        $schema: "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#",
        contentVersion: "1.0.0.0",
        triggers: { manual: { type: "Request", kind: "Http", inputs: {} } },
        actions: {
          Hide: { type: "Compose", inputs: "@concat('pin', triggerBody()?['pin'])", runtimeConfiguration: { secureData: { properties: ["inputs", "outputs"] } } },
          Look: { type: "Compose", inputs: "@toUpper(triggerBody()?['manager'])", runAfter: { Hide: ["Succeeded"] } },
        },
      },
    },
  });
  for (const manager of ["Grace Hopper", null])
    await ask("POST", `${flows}/${made.name}/triggers/manual/run?${version}`, { order: `XY-77/${manager ? "good" : "bad"}`, manager, pin: "4242", email: "ada.lovelace@example.org" });
});
after(async () => {
  await browser?.close();
  await server?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

const flows = "/providers/Microsoft.ProcessSimple/environments/~default/flows";
const version = "api-version=2016-11-01";

async function ask(method, path, body) {
  const reply = await fetch(server.base + path, { method, headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body) });
  const text = await reply.text();
  assert.ok(reply.ok, `${method} ${path}: ${reply.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

/** Runs the flowmend command. */
const command = (...words) =>
  new Promise((resolve) => {
    execFile(binary, words, { env: { ...process.env, FLOWMEND_SERVER: server.base, FLOWMEND_TOKEN: token ?? "" } }, (error, out, errors) => resolve({ code: error?.code ?? 0, out, errors }));
  });

async function found(value, count) {
  for (let tries = 0; tries < 100; tries++) {
    const { value: runs } = await ask("GET", `/api/v1/runs?value=${encodeURIComponent(value)}`);
    if (runs.length === count) return runs;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`not ${count} runs for ${value}`);
}

for (const [name, screen] of [["desktop", desktop], ["phone", phone]])
  test(`${name}: a run is found by an order number that nobody declared`, async () => {
    await found("XY-77", 2);
    const page = await openPage(browser, state, screen, { baseURL: server.base });
    await page.goto("/");
    const search = page.getByRole("searchbox", { name: "Search flows and runs" });
    if (screen === desktop) await page.keyboard.press("/");
    await search.fill("xy 77 bad");
    await search.press("Enter");
    await page.waitForURL(/\/runs\?value=/);
    assert.equal(await page.getByLabel("Any recorded value").inputValue(), "xy 77 bad");
    const rows = page.locator("tbody tr");
    await rows.first().waitFor();
    assert.equal(await rows.count(), 1);
    await page.getByLabel("Any recorded value").fill("XY-77");
    await page.locator("tbody tr").nth(1).waitFor();
    await page.getByLabel("Any recorded value").fill("nobody recorded this");
    await page.getByText("No runs match").waitFor();
    await search.fill("takes orders");
    await search.press("Enter");
    await page.waitForURL(/\/flows\?q=/);
    await page.getByRole("link", { name: "Takes orders" }).waitFor();
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });

test("the command line finds runs; what is secured is found by nobody", async () => {
  const good = await command("run", "find", "Grace Hopper");
  assert.equal(good.code, 0, good.errors);
  assert.match(good.out, /Succeeded\t.*\tTakes orders\ttrigger outputs/);
  assert.equal((await command("run", "find", "pin4242")).code, 1);
  const refused = await command("run", "find", "XY-77", "--token", "fm_wrong");
  assert.equal(refused.code, 2);
  assert.match(refused.errors, /token/);
  assert.equal((await command("run", "find", "...")).code, 2);
  const statuses = (await command("run", "find", "XY-77", "--status", "Failed")).out.trim().split("\n");
  assert.equal(statuses.length, 1);
});

test("a failed run becomes a file without secrets and names, and fails the same way where it is opened", async () => {
  const [run] = await found("XY-77/bad", 1);
  const page = await openPage(browser, state, desktop, { baseURL: server.base });
  await page.goto(`/flows/${run.properties.flowmend.flow}/runs/${run.name}`);
  await page.getByRole("button", { name: "Ask for help" }).first().click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("dialog").getByText("Download capsule").click()]);
  const text = await readFile(await download.path(), "utf8");
  for (const gone of ["XY-77", "4242", "lovelace"]) assert.equal(text.includes(gone), false, `${gone} stands in the capsule`);
  await page.context().close();

  const file = join(folder, "run.capsule.json");
  const exported = await command("capsule", "export", run.name, "--out", file);
  assert.equal(exported.code, 0, exported.errors);
  const opened = await command("capsule", "open", file);
  assert.equal(opened.code, 0, opened.out + opened.errors);
  assert.match(opened.out, /Replayed: Look: InvalidTemplate/);
  assert.match(opened.out, /The same step fails with the same code\./);

  await writeFile(file, '{"format":"something else"}');
  const other = await command("capsule", "open", file);
  assert.equal(other.code, 2);
  assert.match(other.errors, /is no capsule/);
  const [good] = await found("XY-77/good", 1);
  const none = await command("capsule", "export", good.name);
  assert.equal(none.code, 2);
  assert.match(none.errors, /has not failed/);
});
