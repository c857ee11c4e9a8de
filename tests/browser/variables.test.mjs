// Environment variables: values that several flows share, set once for all of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { apiOf, command, until } from "./api.mjs";
import { startPortal } from "./portal.mjs";
import { desktop, phone } from "./server.mjs";

const flowsPath = "/providers/Microsoft.ProcessSimple/environments/~default/flows";
const version = "api-version=2016-11-01";
const portal = await startPortal();
portal.api = await apiOf(portal.server, "read,run,write,admin");

const definition = (parameter) => ({
  $schema: "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#",
  contentVersion: "1.0.0.0",
  parameters: { "Address (contoso_Address)": parameter },
  triggers: { manual: { type: "Request", kind: "Http", inputs: { schema: {} } } },
  actions: { Answer: { type: "Response", kind: "Http", inputs: { statusCode: 200, body: { at: "@parameters('Address (contoso_Address)')" } }, runAfter: {} } },
});
const bound = (schemaName, type = "String", defaultValue = "by default") => definition({ type, defaultValue, metadata: { schemaName } });

async function createFlow(displayName, itsDefinition) {
  const made = await portal.api.ask("POST", `${flowsPath}?${version}`, { properties: { displayName, state: "Started", definition: itsDefinition } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const { body } = await portal.api.ask("POST", `${flowsPath}/${made.body.name}/triggers/manual/listCallbackUrl?${version}`);
  const url = body.response?.value ?? body.value;
  return { name: made.body.name, call: async () => (await (await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" })).json()).at };
}

const set = (name, value) => portal.api.ask("PUT", `/api/v1/environmentVariables/${name}`, { value });

test("one value reaches every flow that takes it, and what can't take it says why", async () => {
  const one = await createFlow("Takes text", bound("contoso_Shared"));
  const two = await createFlow("Takes text, too", bound("CONTOSO_shared"));
  const other = await createFlow("Takes another", bound("contoso_Other"));
  const number = await createFlow("Takes a number", bound("contoso_Shared", "Int", 1));
  assert.equal(await one.call(), "by default");

  const before = (await portal.api.ask("GET", "/api/v1/environmentVariables")).body.value.find((line) => line.name === "contoso_Shared");
  assert.equal(before.isSet, false, "flows name it, nobody has set it");
  assert.equal(before.flowsCount, 3);

  const answer = await set("contoso_Shared", "from the variable");
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  assert.deepEqual(answer.body.changed.map((flow) => flow.displayName).sort(), ["Takes text", "Takes text, too"]);
  assert.equal(answer.body.left.length, 1);
  assert.equal(answer.body.left[0].displayName, "Takes a number");
  assert.equal(answer.body.left[0].error.code, "InvalidDefinition");
  assert.match(answer.body.left[0].error.where, /Address/);
  assert.equal(await one.call(), "from the variable");
  assert.equal(await two.call(), "from the variable");
  assert.equal(await other.call(), "by default");
  assert.equal(await number.call(), 1);

  // A flow that comes later takes it as well.
  const later = await createFlow("Comes later", bound("contoso_Shared"));
  assert.equal(await later.call(), "from the variable");

  const inUse = await portal.api.ask("DELETE", "/api/v1/environmentVariables/contoso_Shared");
  assert.equal(inUse.status, 409);
  assert.equal(inUse.body.error.code, "EnvironmentVariableInUse");
  assert.match(inUse.body.error.message, /Comes later/);
  assert.equal((await set("no name", 1)).status, 400);
  assert.equal((await set("contoso_Null", null)).status, 400);
  assert.equal((await portal.api.ask("PUT", "/api/v1/environmentVariables/contoso_Empty", {})).status, 400);
  assert.equal((await portal.api.ask("DELETE", "/api/v1/environmentVariables/contoso_None")).status, 404);
});

test("a fix by variable: the failed run is resubmitted and takes the new value", async () => {
  const itsDefinition = bound("contoso_Target", "String", `${portal.witness.base}/nowhere`);
  portal.witness.refuses = "/nowhere";
  itsDefinition.actions = { Call: { type: "Http", inputs: { method: "GET", uri: "@parameters('Address (contoso_Address)')", retryPolicy: { type: "none" } }, runAfter: {} } };
  const made = await portal.api.ask("POST", `${flowsPath}?${version}`, { properties: { displayName: "Calls an address", state: "Started", definition: itsDefinition } });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const started = await portal.api.ask("POST", `${flowsPath}/${made.body.name}/triggers/manual/run?${version}`, {});
  assert.equal(started.status, 202);
  const runs = async () => (await portal.api.ask("GET", `${flowsPath}/${made.body.name}/runs?${version}`)).body.value;
  const [first] = await until("the run has failed", async () => {
    const all = await runs();
    return all.length === 1 && all[0].properties.status !== "Running" && all;
  });
  const recorded = async (run) => (await portal.api.ask("GET", `${flowsPath}/${made.body.name}/runs/${run}/actions/Call?${version}`)).body.properties;
  const formerly = await recorded(first.name);
  assert.equal((await set("contoso_Target", `${portal.witness.base}/mended`)).status, 201);
  const again = await portal.api.ask("POST", `/api/v1/runs/${first.name}/resubmit`, {});
  assert.equal(again.status, 202, JSON.stringify(again.body));
  await until("the second run has ended", async () => (await runs()).length === 2 && (await runs()).every((run) => run.properties.status !== "Running"));
  const second = (await runs()).find((run) => run.name !== first.name);
  const now = await recorded(second.name);
  assert.notDeepEqual(now.inputsLink, formerly.inputsLink);
  const read = async (link) => (await portal.api.ask("GET", link.uri.replace(/^https?:\/\/[^/]+/, ""))).body;
  assert.match(JSON.stringify(await read(now.inputsLink)), /mended/);
  assert.match(JSON.stringify(await read(formerly.inputsLink)), /nowhere/, "the former run keeps what it had");
});

for (const [name, screen] of [["desktop", desktop], ["phone", phone]])
  test(`${name}: a variable is set, edited and removed in the portal`, async () => {
    const variable = `contoso_On_${name}`;
    const flow = await createFlow(`Asks on ${name}`, bound(variable));
    const page = await portal.open(screen);
    try {
      await page.goto("/settings/variables");
      await page.getByRole("heading", { name: "Environment variables", level: 1 }).waitFor();
      const row = page.getByRole("row", { name: new RegExp(variable) });
      await row.getByText("Not set").waitFor();
      await row.getByRole("link", { name: `Asks on ${name}` }).waitFor();
      await page.getByRole("button", { name: `Set ${variable}` }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel(/^Value/).fill("set by hand");
      await dialog.getByRole("button", { name: "Save" }).click();
      await dialog.getByText("One flow takes it from now on").waitFor();
      await dialog.getByRole("button", { name: "Close" }).click();
      await row.getByText("set by hand").waitFor();
      assert.equal(await flow.call(), "set by hand");

      // One that no flow takes: JSON, refused while it is none; then removed.
      await page.getByRole("button", { name: "New variable" }).click();
      await dialog.getByLabel("Name").fill(`contoso_Free_${name}`);
      await dialog.getByRole("checkbox").check();
      await dialog.getByLabel(/^Value/).fill("[1, 2");
      await dialog.getByText("This is no JSON value.").waitFor();
      assert.ok(await dialog.getByRole("button", { name: "Save" }).isDisabled());
      await dialog.getByLabel(/^Value/).fill("[1, 2]");
      await dialog.getByRole("button", { name: "Save" }).click();
      await dialog.getByText("No flow takes it yet").waitFor();
      if (process.env.FLOWMEND_SHOTS) await page.screenshot({ path: `${process.env.FLOWMEND_SHOTS}/variable-set-${name}.png` });
      await dialog.getByRole("button", { name: "Close" }).click();
      const free = page.getByRole("row", { name: new RegExp(`contoso_Free_${name}`) });
      await free.getByText("[1,2]").waitFor();
      if (process.env.FLOWMEND_SHOTS) await page.screenshot({ path: `${process.env.FLOWMEND_SHOTS}/variables-${name}.png`, fullPage: true });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.ok(wide <= 0, `it scrolls sideways by ${wide} pixels`);
      await page.getByRole("button", { name: `Remove contoso_Free_${name}` }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
      await free.waitFor({ state: "detached" });
      assert.deepEqual(page.complaints, [], "the browser has nothing to complain of");
    } catch (error) {
      error.message += `\nat ${page.url()}\n${(await page.locator("body").innerText().catch(() => "")).slice(0, 3000)}`;
      throw error;
    } finally {
      await page.context().close();
    }
  });

test("the commands set, list and remove", async () => {
  const flowmend = (...parameters) => command(portal.server, portal.api.token, parameters);
  const set = await flowmend("variable", "set", "contoso_Limit", "40", "--json", "--description", "rows a run");
  assert.equal(set.code, 0, set.problems);
  assert.match(set.out, /no flow takes it yet/);
  assert.match((await flowmend("variable", "list")).out, /contoso_Limit {2}40 {2}flows: 0/);
  const broken = await flowmend("variable", "set", "contoso_Limit", "{", "--json");
  assert.equal(broken.code, 2);
  assert.match(broken.problems, /no JSON/);
  assert.equal((await flowmend("variable", "remove", "contoso_Limit")).code, 0);
  assert.equal((await flowmend("variable", "remove", "contoso_Limit")).code, 1);
});
