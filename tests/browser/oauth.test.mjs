// A connection that signs in with OAuth 2.0, against a real authorization server (oidc-provider: codes with PKCE, rotated
// refresh tokens) and a service that accepts its tokens only.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import Provider from "oidc-provider";
import { desktop, firstSignIn, openPage, startBrowser, startServer } from "./server.mjs";

const secret = "planted-client-secret-9d1f";
let browser;
let server;
let state;
let service; // the authorization server and the mail service behind one port
let provider;
let base;

before(async () => {
  browser = await startBrowser();
  server = await startServer();
  state = await firstSignIn(browser, server);
  let handle;
  service = createServer((request, response) => handle(request, response));
  await new Promise((resolve) => service.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${service.address().port}`;
  provider = new Provider(base, {
    clients: [{ client_id: "flowmend", client_secret: secret, redirect_uris: [`${server.base}/oauth/callback`], grant_types: ["authorization_code", "refresh_token", "client_credentials"], token_endpoint_auth_method: "client_secret_post" }],
    scopes: ["openid", "offline_access", "mail"],
    features: { clientCredentials: { enabled: true } },
    rotateRefreshToken: true,
    issueRefreshToken: async (context, client, code) => code.scopes.has("offline_access"),
    ttl: { AccessToken: 3600, ClientCredentials: 3600, RefreshToken: 86400, Grant: 86400, Interaction: 600, Session: 86400 },
    findAccount: async (context, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  });
  const identity = provider.callback();
  handle = async (request, response) => {
    if (!request.url.startsWith("/mail/")) return identity(request, response);
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    const found = token && ((await provider.AccessToken.find(token)) ?? (await provider.ClientCredentials.find(token)));
    response.writeHead(found ? 200 : 401, { "Content-Type": "application/json" });
    response.end(JSON.stringify(found ? { user: found.accountId ?? "flowmend" } : { error: { code: "InvalidToken", message: "The token is not known." } }));
  };
});
after(async () => {
  await browser?.close();
  await server?.stop();
  service?.closeAllConnections();
  await new Promise((resolve) => service?.close(resolve));
});

/** Asks the server as the page does. */
const ask = (page, method, path, body) =>
  page.evaluate(
    async ([method, path, body]) => {
      const me = await (await fetch("/api/v1/me")).json();
      const answer = await fetch(path, { method, headers: { "Content-Type": "application/json", "x-flowmend-csrf": me.csrfToken }, body: body === undefined ? undefined : JSON.stringify(body) });
      const text = await answer.text();
      return { status: answer.status, body: text === "" ? undefined : JSON.parse(text), text };
    },
    [method, path, body],
  );

const mail = (page) => ask(page, "GET", "/providers/Microsoft.PowerApps/apis/shared_mail/connections/mail-1?api-version=2016-11-01");

test("a person registers the client, signs in, and signs in again", async () => {
  const page = await openPage(browser, state, desktop, { baseURL: server.base });
  await page.goto("/connections");
  await page.getByRole("heading", { name: "Connections", level: 1 }).waitFor();
  const imported = await ask(page, "POST", "/api/v1/connectors", {
    name: "shared_mail",
    swagger: { swagger: "2.0", info: { title: "Mail", version: "1" }, host: base.slice(7), basePath: "/mail", schemes: ["http"], paths: { "/me": { get: { operationId: "WhoAmI", responses: { 200: {} } } } } },
    properties: { properties: { connectionParameters: { token: { type: "oauthSetting", oAuthSettings: { identityProvider: "oauth2", clientId: "{{ client id }}", scopes: ["openid", "offline_access"], customParameters: { authorizationUrl: { value: `${base}/auth` }, tokenUrl: { value: `${base}/token` } } } } } } },
  });
  assert.equal(imported.status, 201, imported.text);

  await page.goto("/connectors");
  await page.getByRole("button", { name: "Sign-in: Mail" }).click();
  await page.getByText(`${server.base}/oauth/callback`).waitFor();
  await page.getByLabel("Client id").fill("flowmend");
  await page.getByLabel("Client secret").fill(secret);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });

  const made = await ask(page, "PUT", "/providers/Microsoft.PowerApps/apis/shared_mail/connections/mail-1?api-version=2016-11-01", { properties: { displayName: "Ada's mail" } });
  assert.equal(made.status, 201, made.text);
  const signIn = async (button) => {
    await page.goto("/connections");
    await page.getByRole("row", { name: "Ada's mail" }).getByRole("button", { name: button, exact: true }).click();
    // The authorization server's own pages: who are you, may it.
    if (button === "Sign in") {
      await page.locator("input[name=login]").fill("ada@example.test");
      await page.locator("input[name=password]").fill("any");
      await page.locator("button[type=submit]").click();
    }
    await page.locator("button[type=submit]").click();
    await page.getByText("Ada's mail: signed in").waitFor();
  };
  await signIn("Sign in");
  let view = await mail(page);
  assert.equal(view.body.properties.statuses[0].status, "Connected", view.text);
  assert.equal(view.body.properties.flowmend.signIn.renewable, true, view.text);
  await signIn("Sign in again");

  // Every access token goes: the stored refresh token brings a new one, and is itself replaced.
  const checked = async () => (await ask(page, "POST", "/api/v1/connections/shared_mail/mail-1/verify", {})).body;
  assert.equal((await checked()).status, "Connected");
  const { AccessToken } = provider;
  const find = AccessToken.find;
  let refused = 0;
  AccessToken.find = async function (token) {
    if (refused++ === 0) return undefined;
    return find.call(this, token);
  };
  try {
    assert.equal((await checked()).status, "Connected");
    assert.ok(refused >= 2);
  } finally {
    AccessToken.find = find;
  }

  // No answer holds a secret.
  for (const path of ["/providers/Microsoft.PowerApps/connections?api-version=2016-11-01", "/api/v1/connectors/shared_mail/sign-in", "/providers/Microsoft.PowerApps/apis/shared_mail?api-version=2016-11-01"])
    assert.ok(!(await ask(page, "GET", path)).text.includes(secret), path);

  const used = await ask(page, "DELETE", "/providers/Microsoft.PowerApps/apis/shared_mail?api-version=2016-11-01");
  assert.equal(used.status, 409, used.text);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("a person who says no sees it, and the connection stays as it was", async () => {
  const page = await openPage(browser, state, desktop, { baseURL: server.base });
  await page.goto("/connections");
  await page.getByRole("row", { name: "Ada's mail" }).getByRole("button", { name: "Sign in again" }).click();
  await page.locator("input[name=login]").waitFor({ timeout: 5000 }).catch(() => undefined);
  await page.getByRole("link", { name: /Cancel/ }).click();
  await page.getByText("The sign-in came to nothing").waitFor();
  assert.equal((await mail(page)).body.properties.statuses[0].status, "Connected");
  await page.context().close();
});

test("a client signs in without a person", async () => {
  const page = await openPage(browser, state, desktop, { baseURL: server.base });
  await page.goto("/connections");
  await page.getByRole("heading", { name: "Connections", level: 1 }).waitFor();
  const begun = await ask(page, "POST", "/api/v1/connections/shared_mail/mail-1/sign-in", { grant: "clientCredentials" });
  assert.equal(begun.status, 200, begun.text);
  assert.equal(begun.body.connected, true);
  assert.equal((await ask(page, "POST", "/api/v1/connections/shared_mail/mail-1/verify", {})).body.status, "Connected");
  await page.context().close();
});
