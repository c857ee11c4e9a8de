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

/** Asks the API as the page's person. */
const askIn = (page) => (method, path, body) =>
  page.evaluate(
    async ([method, path, body]) => {
      const { csrfToken } = await (await fetch("/api/v1/me")).json();
      const answer = await fetch(path, { method, headers: { "x-flowmend-csrf": csrfToken, "Content-Type": "application/json" }, body: body && JSON.stringify(body) });
      return { status: answer.status, body: await answer.json().catch(() => null) };
    },
    [method, path, body],
  );

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

for (const [name, screen] of [["desktop", desktop], ["phone", phone]])
  test(`${name}: of several kinds of sign-in one is chosen, and its fields are asked for`, async () => {
    await server.control({ ordersPassword: "kinds-2026" });
    const page = await openPage(browser, state, screen, { baseURL: server.base });
    const ask = askIn(page);
    await page.goto("/connections");
    const title = `Shop by ${name}`;
    const made = await ask("POST", "/api/v1/connectors", {
      swagger: {
        swagger: "2.0", info: { title }, host: `127.0.0.1:${server.ports[1]}`, schemes: ["http"],
        securityDefinitions: { basic: { type: "basic" }, key: { type: "apiKey", in: "header", name: "X-Key" } },
        paths: { "/me": { get: { operationId: "WhoAmI" } } },
      },
      properties: {
        properties: {
          connectionParameterSets: {
            uiDefinition: { displayName: "Authentication type" },
            values: [
              { name: "key", uiDefinition: { displayName: "By key", description: "A key of the shop's." }, metadata: { allowSharing: false }, parameters: { api_key: { type: "securestring", uiDefinition: { displayName: "Key", constraints: { required: "true" } } } } },
              {
                name: "basic", uiDefinition: { displayName: "By password" },
                parameters: {
                  username: { type: "string", uiDefinition: { displayName: "User name", constraints: { required: "true" } } },
                  password: { type: "securestring", uiDefinition: { displayName: "Password", constraints: { required: "true" } } },
                  inside: { type: "string", defaultValue: "x", uiDefinition: { displayName: "Inside", constraints: { hidden: "true" } } },
                },
              },
            ],
          },
        },
      },
    });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    await page.reload();
    await page.getByRole("button", { name: "New connection" }).click();
    const dialog = page.getByRole("dialog", { name: "New connection" });
    await dialog.getByLabel("Connector").selectOption({ label: title });
    // The first kind is refused by the service; choosing another begins anew.
    await dialog.getByText("A key of the shop's.").waitFor();
    await dialog.getByLabel("Key").fill("no-such-key");
    await dialog.getByRole("button", { name: "Create" }).click();
    await dialog.getByRole("alert").waitFor();
    await dialog.getByLabel("Authentication type").selectOption({ label: "By password" });
    assert.equal(await dialog.getByRole("alert").count(), 0);
    assert.equal(await dialog.getByLabel("Inside").count(), 0, "what is hidden is not asked for");
    await dialog.getByLabel("User name").fill("shop");
    await dialog.getByLabel("Password").fill("kinds-2026");
    if (process.env.FLOWMEND_SHOTS) await page.screenshot({ path: `${process.env.FLOWMEND_SHOTS}/kinds-${name}.png` });
    await dialog.getByRole("button", { name: "Create" }).click();
    await dialog.waitFor({ state: "detached" });
    const api = made.body.name;
    const all = (await ask("GET", `/providers/Microsoft.PowerApps/apis/${api}/connections?api-version=2016-11-01`)).body.value;
    assert.deepEqual(all.map((one) => [one.properties.connectionParametersSet.name, one.properties.statuses[0].status]), [["basic", "Connected"]], "the refused one is gone");
    assert.deepEqual(all[0].properties.connectionParametersSet.values.username, { value: "shop" });
    assert.ok(!JSON.stringify(all).includes("kinds-2026"));

    // Over the API, as Microsoft's clients do it; and a kind that must not be shared is not.
    const key = await ask("PUT", `/providers/Microsoft.PowerApps/apis/${api}/connections/by-key?api-version=2016-11-01`, { properties: { displayName: "By key", parameterValueSet: { name: "key", values: { api_key: { value: "k" } } } } });
    assert.equal(key.status, 201, JSON.stringify(key.body));
    const share = await ask("POST", `/providers/Microsoft.PowerApps/apis/${api}/connections/by-key/modifyPermissions?api-version=2016-11-01`, { put: [{ properties: { roleName: "CanView", principal: { id: "somebody", type: "User" } } }] });
    assert.equal(share.body.error.code, "ConnectionSharingForbidden", JSON.stringify(share));
    assert.ok(page.complaints.every((one) => one.includes("403") || one.includes("409") || one.includes("400")), JSON.stringify(page.complaints));
    await page.context().close();
  });

for (const [name, screen] of [["desktop", desktop], ["phone", phone]])
  test(`${name}: flows that use a connection use another one instead`, async () => {
    await server.control({ ordersPassword: "replace-2026" });
    const page = await openPage(browser, state, screen, { baseURL: server.base });
    const ask = askIn(page);
    await page.goto("/connections");
    const orders = "/providers/Microsoft.PowerApps/apis/shared_orders/connections";
    const connect = (connection) => ask("PUT", `${orders}/${connection}?api-version=2016-11-01`, { properties: { displayName: `Orders of ${connection}`, connectionParameters: { username: "shop", password: "replace-2026" } } });
    for (const one of [`old-${name}`, `new-${name}`]) assert.equal((await connect(one)).status, 201);
    const makeFlow = async (displayName, host, connectionReferences) => {
      const made = await ask("POST", `/providers/Microsoft.ProcessSimple/environments/~default/flows?api-version=2016-11-01`, {
        properties: {
          displayName, state: "Started", connectionReferences,
          definition: {
            triggers: { manual: { type: "Request", kind: "Http", inputs: {} } },
            actions: { Get_order: { type: "OpenApiConnection", runAfter: {}, inputs: { host: { ...host, operationId: "GetOrder", apiId: "/providers/Microsoft.PowerApps/apis/shared_orders" }, parameters: { id: "O-1007" } } } },
          },
        },
      });
      assert.equal(made.status, 201, JSON.stringify(made.body));
      return made.body.name;
    };
    const first = await makeFlow(`First (${name})`, { connectionName: "key" }, { key: { connectionName: `old-${name}`, id: "/providers/Microsoft.PowerApps/apis/shared_orders", source: "Embedded" } });
    const second = await makeFlow(`Second (${name})`, { connectionName: "key" }, { key: { connectionName: `old-${name}`, id: "/providers/Microsoft.PowerApps/apis/shared_orders", source: "Embedded" } });
    await page.goto(`/connections/shared_orders/old-${name}`);
    await page.getByRole("button", { name: "Use another connection in these flows" }).click();
    const dialog = page.getByRole("dialog", { name: `Replace Orders of old-${name}` });
    await dialog.getByText("The 2 flows get a new version").waitFor();
    await dialog.getByLabel("Use instead").selectOption({ label: `Orders of new-${name}` });
    if (process.env.FLOWMEND_SHOTS) await page.screenshot({ path: `${process.env.FLOWMEND_SHOTS}/replace-${name}.png` });
    await dialog.getByRole("button", { name: "Replace", exact: true }).click();
    await dialog.getByText("2 flows use the other connection from now on.").waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
    await page.getByText("No flow", { exact: true }).waitFor();
    for (const flow of [first, second]) {
      const { body } = await ask("GET", `/providers/Microsoft.ProcessSimple/environments/~default/flows/${flow}?api-version=2016-11-01`);
      assert.equal(body.properties.connectionReferences.key.connectionName, `new-${name}`);
    }
    // They run with it; what nobody may use, and nonsense, is refused.
    assert.equal((await ask("DELETE", `${orders}/old-${name}?api-version=2016-11-01`)).status, 200);
    await ask("POST", `/providers/Microsoft.ProcessSimple/environments/~default/flows/${first}/triggers/manual/run?api-version=2016-11-01`, {});
    await page.waitForFunction(async (flow) => (await (await fetch(`/api/v1/runs?flow=${flow}&status=Succeeded`)).json()).value.length === 1, first, { polling: 200 });
    for (const body of [{}, { with: "nobody" }, { with: `new-${name}` }, { with: "orders", flows: 7 }]) {
      const refused = await ask("POST", `/api/v1/connections/shared_orders/new-${name}/replace`, body);
      assert.equal(refused.status, 400, JSON.stringify(refused));
    }
    const one = await ask("POST", `/api/v1/connections/shared_orders/new-${name}/replace`, { with: "orders", flows: [second] });
    assert.deepEqual(one.body.changed.map((flow) => flow.displayName), [`Second (${name})`]);
    assert.ok(page.complaints.every((text) => text.includes("400")), JSON.stringify(page.complaints));
    await page.context().close();
  });

test("a connection that is not there says so, with the way back", async () => {
  const page = await openPage(browser, state, desktop, { baseURL: server.base });
  await page.goto("/connections/shared_orders/none");
  await page.getByText("The connection 'none' could not be found").waitFor();
  assert.equal(await page.evaluate(async () => (await fetch("/api/v1/connections/shared_orders/none/usage")).status), 404);
  await page.context().close();
});
