// Two people on one server: one invites the other, changes what they may, and switches them off.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { apiOf, command } from "./api.mjs";
import { admin, desktop, firstSignIn, openPage, phone, startBrowser, startServer } from "./server.mjs";

let server;
let browser;
let state;
before(async () => {
  server = await startServer();
  browser = await startBrowser();
  state = await firstSignIn(browser, server);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const secret = "a long password of grace";

async function invite(page, userName, name, role) {
  await page.goto("/settings/people");
  await page.getByRole("button", { name: "Invite somebody" }).click();
  await page.getByLabel("User name").fill(userName);
  await page.getByRole("dialog").getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Role", { exact: true }).selectOption({ label: role });
  await page.getByRole("button", { name: "Make the link" }).click();
  const link = await page.getByLabel("Link", { exact: true }).textContent();
  await page.getByRole("button", { name: "Close" }).click();
  return link;
}

const opened = (screen, as = { cookies: [], origins: [] }) => openPage(browser, as, screen, { baseURL: server.base });

test("somebody is invited, joins on a phone, and may do what the role says", async () => {
  const page = await opened(desktop, state);
  const link = await invite(page, "grace", "Grace", "Viewer");
  assert.match(link, /\/join#[\w-]{43}$/);
  await page.getByRole("row", { name: /Grace/ }).getByText("Invited").waitFor();

  const hers = await opened(phone);
  await hers.goto(link);
  await hers.getByText("You sign in as grace.").waitFor();
  await hers.getByLabel("Password").fill("short");
  await hers.getByRole("button", { name: "Join" }).click();
  await hers.getByText(/at least 10 characters\. Choose/).waitFor();
  await hers.getByLabel("Password").fill(secret);
  await hers.getByRole("button", { name: "Join" }).click();
  await hers.getByRole("heading", { name: /^(Home|Activity)$/, level: 1 }).waitFor();
  assert.equal(new URL(hers.url()).hash, "", "the key does not stay in the address");
  const may = await hers.evaluate(async () => (await fetch("/api/v1/me")).json());
  assert.equal(may.user.role, "viewer");
  await hers.goto("/settings/people");
  await hers.getByText("Only an administrator sees").waitFor();
  assert.equal(await hers.evaluate(async () => (await fetch("/api/v1/users")).status), 403);

  // The link worked once.
  const again = await opened(desktop);
  await again.goto(link);
  await again.getByText(/This link is not valid/).waitFor();

  // A role counts at once, for the session that is open.
  await page.reload();
  await page.getByRole("combobox", { name: "Role of Grace" }).selectOption({ label: "Maker" });
  await hers.waitForFunction(async () => (await (await fetch("/api/v1/me")).json()).user.role === "maker");
  assert.deepEqual([...page.complaints, ...hers.complaints], []);
});

test("a password is changed, and other sessions end", async () => {
  const one = await opened(desktop);
  const two = await opened(phone);
  for (const page of [one, two]) {
    await page.goto("/signin");
    await page.getByLabel("User name").fill("grace");
    await page.getByLabel("Password").fill(secret);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: /^(Home|Activity)$/, level: 1 }).waitFor();
  }
  await one.getByRole("button", { name: "Account" }).click();
  await one.getByRole("menuitem", { name: "My account" }).click();
  await one.getByLabel("Current password").fill("not the right one");
  await one.getByLabel("New password").fill(`${secret} and more`);
  await one.getByRole("button", { name: "Change password" }).click();
  await one.getByText("The current password is not right").waitFor();
  await one.getByLabel("Current password").fill(secret);
  await one.getByRole("button", { name: "Change password" }).click();
  await one.getByText(/Other places where you were signed in/).waitFor();
  await one.getByRole("textbox", { name: "Name" }).fill("Grace H.");
  await one.getByRole("button", { name: "Save" }).click();
  await one.getByText("Saved.").waitFor();
  assert.equal(await one.evaluate(async () => (await fetch("/api/v1/me")).status), 200);
  assert.equal(await two.evaluate(async () => (await fetch("/api/v1/me")).status), 401, "the other session is over");
});

test("who is switched off is out at once, with every token; the last administrator stays", async () => {
  const page = await opened(desktop, state);
  const hers = await opened(desktop);
  await hers.goto("/signin");
  await hers.getByLabel("User name").fill("grace");
  await hers.getByLabel("Password").fill(`${secret} and more`);
  await hers.getByRole("button", { name: "Sign in" }).click();
  await hers.getByRole("heading", { name: /^(Home|Activity)$/, level: 1 }).waitFor();
  const token = await hers.evaluate(async () => {
    const { csrfToken } = await (await fetch("/api/v1/me")).json();
    const made = await fetch("/api/v1/tokens", { method: "POST", headers: { "Content-Type": "application/json", "x-flowmend-csrf": csrfToken }, body: JSON.stringify({ name: "hers", scopes: ["read", "write"] }) });
    return (await made.json()).token;
  });
  const asked = () => fetch(`${server.base}/api/v1/me`, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal((await asked()).status, 200);

  await page.goto("/settings/people");
  await page.getByRole("button", { name: "Switch off Grace H." }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Switch off" }).click();
  await page.getByRole("button", { name: "Switch on Grace H." }).waitFor();
  assert.equal(await hers.evaluate(async () => (await fetch("/api/v1/me")).status), 401);
  assert.equal((await asked()).status, 401);
  await hers.goto("/signin");
  await hers.getByLabel("User name").fill("grace");
  await hers.getByLabel("Password").fill(`${secret} and more`);
  await hers.getByRole("button", { name: "Sign in" }).click();
  await hers.getByText(/switched off/).waitFor();

  await page.getByRole("combobox", { name: `Role of ${admin.displayName}` }).selectOption({ label: "Viewer" });
  await page.getByText(/only administrator/).waitFor();
});

test("the same by command, and what it refuses", async () => {
  const { token, run, ask } = await apiOf(server, "read,admin");
  const invited = await run(["user", "invite", "alan", "--role", "viewer", "--display-name", "Alan"]);
  assert.equal(invited.code, 0, invited.problems);
  const key = /#(\S+)/.exec(invited.out)[1];
  assert.match((await run(["user", "list"])).out, /alan {2}viewer {2}invited {2}Alan/);
  const twice = await run(["user", "invite", "ALAN"]);
  assert.equal(twice.code, 1);
  assert.match(twice.problems, /There is an account 'ALAN' already/);
  assert.match((await run(["user", "invite", "with blank"])).problems, /without blanks/);
  const reset = await run(["user", "reset", "alan"]);
  const stale = await fetch(`${server.base}/api/v1/join`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ key, password: secret }) });
  assert.equal(stale.status, 403, "a newer link takes the older one's place");
  const fresh = /#(\S+)/.exec(reset.out)[1];
  const join = () => fetch(`${server.base}/api/v1/join`, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ key: fresh, password: secret }) });
  const both = await Promise.all([join(), join()]);
  assert.deepEqual(both.map((one) => one.status).sort(), [201, 403], "of two at the same time one joins");
  assert.match((await run(["user", "role", "alan", "admin"])).out, /alan {2}admin {2}active/);
  assert.match((await run(["user", "withdraw", "alan"])).problems, /Switch it off instead|account stays/);
  assert.match((await run(["user", "disable", "alan"])).out, /disabled/);
  assert.match((await run(["user", "reset", "alan"])).problems, /switched off/);
  assert.match((await run(["user", "enable", "alan"])).out, /active/);
  assert.match((await run(["user", "disable", "nobody"])).problems, /There is no account 'nobody'/);
  // No secret is told, not even to administrators.
  const people = JSON.stringify((await ask("GET", "/api/v1/users")).body);
  assert.doesNotMatch(people, /argon|"link"|password/i);
  const reader = await command(server, "", ["token", "create", "--data", server.data, "--name", "reader", "--scopes", "read,run,write"]);
  assert.match((await command(server, reader.out.trim(), ["user", "list"])).problems, /scope 'admin'/);
  assert.ok(token);
});
