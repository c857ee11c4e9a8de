// Messages about incidents, as people and receivers meet them: a real SMTP server, a webhook's receiver that checks the
// signature with the specification's own library, and a device that decrypts what a push service would bring it.
import assert from "node:assert/strict";
import { createECDH, createPublicKey, randomBytes, verify } from "node:crypto";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import ece from "http_ece";
import { simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";
import { Webhook } from "standardwebhooks";
import { desktop, firstSignIn, openPage, phone, startBrowser, startServer } from "./server.mjs";

const mailPassword = "the mail account's password";
let browser;
let server;
let state;
const mails = [];
const posts = [];
let smtp;
let smtpPort = 0;
let receiver;
let receiverAt;
/** What the receiver answers, by path. */
const statuses = {};

async function startMail() {
  smtp = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    authMethods: ["PLAIN", "LOGIN"],
    allowInsecureAuth: true,
    onAuth: (auth, _, done) => (auth.username === "flowmend" && auth.password === mailPassword ? done(null, { user: 1 }) : done(new Error("Invalid username or password"))),
    onRcptTo: (address, _, done) => (address.address.startsWith("nobody@") ? done(Object.assign(new Error("No such mailbox"), { responseCode: 550 })) : done()),
    onData: (stream, session, done) => {
      simpleParser(stream).then((mail) => {
        mails.push({ mail, to: session.envelope.rcptTo.map((one) => one.address) });
        done();
      }, done);
    },
  });
  smtp.on("error", () => undefined);
  await new Promise((resolve) => smtp.listen(smtpPort, "127.0.0.1", resolve));
  smtpPort = smtp.server.address().port;
}
const stopMail = () => new Promise((resolve) => smtp.close(resolve));

before(async () => {
  browser = await startBrowser();
  server = await startServer();
  state = await firstSignIn(browser, server);
  receiver = createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      posts.push({ path: request.url, headers: request.headers, body: Buffer.concat(parts) });
      response.statusCode = statuses[request.url] ?? 204;
      response.end();
    });
  });
  await new Promise((resolve) => receiver.listen(0, "127.0.0.1", resolve));
  receiverAt = `http://127.0.0.1:${receiver.address().port}`;
  await startMail();
});
after(async () => {
  await browser?.close();
  await server?.stop();
  await stopMail();
  receiver?.close();
});

const open = (screen) => openPage(browser, state, screen, { baseURL: server.base });

/** Asks the server as the page does. */
const ask = (page, method, path, body) =>
  page.evaluate(
    async ([method, path, body]) => {
      const me = await (await fetch("/api/v1/me")).json();
      const reply = await fetch(path, { method, headers: { "Content-Type": "application/json", "x-flowmend-csrf": me.csrfToken }, body: body === undefined ? undefined : JSON.stringify(body) });
      const text = await reply.text();
      return { status: reply.status, body: text === "" ? undefined : JSON.parse(text) };
    },
    [method, path, body],
  );

async function until(what, read) {
  for (let tries = 0; tries < 300; tries++) {
    const found = await read();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what} did not come`);
}

const flows = "/providers/Microsoft.ProcessSimple/environments/~default/flows";
const version = "api-version=2016-11-01";

/** A flow that fails of a cause of its own, run as often as is said. */
async function failingFlow(page, name, runs) {
  const made = await ask(page, "POST", `${flows}?${version}`, {
    properties: {
      displayName: name,
      state: "Started",
      definition: {
        $schema: "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#",
        contentVersion: "1.0.0.0",
        triggers: { manual: { type: "Request", kind: "Http", inputs: {} } },
        actions: { Count: { type: "Compose", inputs: "@int('no number')" } },
      },
    },
  });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  for (let i = 0; i < runs; i++) await start(page, made.body.name);
  return made.body.name;
}
const start = async (page, flow) => assert.equal((await ask(page, "POST", `${flows}/${flow}/triggers/manual/run?${version}`)).status < 300, true);
const incidentOf = async (page, flow, count) =>
  until(`the incident of ${count} runs`, async () => (await ask(page, "GET", `/api/v1/incidents?flow=${flow}`)).body.value.find((one) => one.count === count));

for (const [name, screen] of [["desktop", desktop], ["phone", phone]])
  test(`${name}: the settings page sets up mail, says what a mail server says, and sends tests`, async () => {
    const page = await open(screen);
    await page.goto("/settings/notifications");
    const mail = page.getByRole("region", { name: "Mail server" });
    await mail.getByLabel("Server", { exact: true }).fill("127.0.0.1");
    await mail.getByLabel("Port").fill(String(smtpPort));
    await mail.getByLabel("Security").selectOption("none");
    await mail.getByLabel("User name").fill("flowmend");
    await mail.getByLabel("Password").fill("a wrong one");
    await mail.getByLabel("Sender's address").fill("flowmend@example.com");
    await mail.getByRole("button", { name: "Save" }).click();
    await mail.getByText("Saved.").waitFor();
    await mail.getByLabel("Send a test to").fill("ada@example.com");
    await mail.getByRole("button", { name: "Send test" }).click();
    await mail.getByText(/Invalid username or password/).waitFor();
    assert.ok(!(await page.locator("body").innerText()).includes("a wrong one"), "the password is shown nowhere");
    await mail.getByLabel("Password").fill(mailPassword);
    await mail.getByRole("button", { name: "Save" }).click();
    await mail.getByText("Saved.").waitFor();
    const before = mails.length;
    await mail.getByRole("button", { name: "Send test" }).click();
    await mail.getByText("The test message was sent.").waitFor();
    // Messages about the demo's own failures may come between.
    const arrived = mails.slice(before).find((one) => one.mail.subject === "Flowmend: messages arrive");
    assert.deepEqual(arrived?.to, ["ada@example.com"]);

    const mine = page.getByRole("region", { name: "For you" });
    await mine.getByLabel("Your e-mail address").fill("ada@example.com");
    await mine.getByLabel("E-mail", { exact: true }).selectOption("immediate");
    await mine.getByLabel("Time zone").fill("Mars/Base");
    await mine.getByRole("button", { name: "Save" }).click();
    await mine.getByText(/Mars\/Base/).waitFor();
    await mine.getByLabel("Time zone").fill("Europe/Berlin");
    await mine.getByRole("button", { name: "Save" }).click();
    await mine.getByText("Saved.").waitFor();
    await mine.getByRole("button", { name: "Send me a test e-mail" }).click();
    await mine.getByText("The test message was sent.").waitFor();
    await page.reload();
    assert.equal(await page.getByLabel("Your e-mail address").inputValue(), "ada@example.com");
    assert.equal(await page.getByRole("region", { name: "Mail server" }).getByLabel("Password").inputValue(), "");
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, "the page scrolls sideways");
    assert.deepEqual(page.complaints, []);
    await page.context().close();
  });

test("a webhook's message has a signature that the specification's library accepts, and no other secret opens it", async () => {
  const page = await open(desktop);
  await page.goto("/settings/notifications");
  const hook = page.getByRole("region", { name: "Webhook" });
  await hook.getByLabel("Address").fill(`${receiverAt}/hook`);
  await hook.getByRole("button", { name: "Save" }).click();
  const secret = (await hook.locator("code").innerText()).trim();
  await hook.getByRole("button", { name: "Send test" }).click();
  await hook.getByText("The test message was sent.").waitFor();
  const post = posts.find((one) => one.path === "/hook");
  assert.equal(new Webhook(secret).verify(post.body.toString(), post.headers).type, "test");
  assert.throws(() => new Webhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").verify(post.body.toString(), post.headers));
  assert.throws(() => new Webhook(secret).verify(`${post.body} `, post.headers));

  // An incident: one message, with what happened and where to look.
  const flow = await failingFlow(page, "Counts wrongly", 1);
  const told = await until("the webhook's message", () => posts.find((one) => one.path === "/hook" && one.body.includes(flow)));
  const message = new Webhook(secret).verify(told.body.toString(), told.headers);
  assert.equal(message.type, "incident.opened");
  assert.ok(message.data.links[0].url.endsWith(`/incidents/${message.data.incident.id}`));
  assert.equal((await ask(page, "GET", "/api/v1/notification-settings")).body.webhook.secret, undefined, "the secret is shown once");
  assert.equal((await ask(page, "PATCH", "/api/v1/notification-settings", { webhook: { url: "" } })).status, 200);
  await page.context().close();
});

test("one cause gives one e-mail that says what happened, how to fix it and where; many runs give no second one", async () => {
  const page = await open(desktop);
  await page.goto("/");
  const flow = await failingFlow(page, "Zählt falsch", 1);
  const { mail } = await until("the e-mail", () => mails.find((one) => one.mail.subject.startsWith("Zählt falsch: ")));
  const incident = await incidentOf(page, flow, 1);
  assert.match(mail.text, /How to fix:/);
  const links = [...mail.text.matchAll(/http:\/\/\S+/g)].map((one) => one[0]);
  assert.ok(links.includes(`${server.base}/incidents/${incident.id}`), mail.text);
  // The link to the run opens it at its failed step.
  await page.goto(links.find((one) => one.includes("/runs/")));
  await page.getByText("What happened").first().waitFor();
  for (let i = 0; i < 5; i++) await start(page, flow);
  await incidentOf(page, flow, 6);
  await until("an empty outbox", async () => (await ask(page, "GET", "/api/v1/outbox")).body.value.length === 0);
  assert.equal(mails.filter((one) => one.mail.subject.startsWith("Zählt falsch: ")).length, 1);
  await page.context().close();
});

test("a flow's own recipients hear of it; a flow that tells nobody sends nothing", async () => {
  const page = await open(desktop);
  await page.goto("/");
  const flow = await failingFlow(page, "With recipients", 0);
  await page.goto(`/flows/${flow}`);
  const choice = page.getByRole("region", { name: "Notifications" });
  await choice.getByLabel(/Also e-mail to/).fill("team@example.com\nnobody@example.com");
  await choice.getByRole("button", { name: "Save" }).click();
  await choice.getByText("Saved.").waitFor();
  await start(page, flow);
  await until("the team's e-mail", () => mails.find((one) => one.to.includes("team@example.com")));
  // An address that the server refuses is given up, with the server's words.
  const refused = await until("the refusal", async () => (await ask(page, "GET", "/api/v1/outbox")).body.value.find((one) => one.address === "nobody@example.com" && one.state === "failed"));
  assert.match(refused.lastError, /No such mailbox/);
  assert.equal((await ask(page, "DELETE", `/api/v1/outbox/${encodeURIComponent(refused.id)}`)).status, 204);

  const quiet = await failingFlow(page, "Tells nobody", 0);
  assert.equal((await ask(page, "PUT", `/api/v1/flows/${quiet}/notifications`, { tell: false })).status, 200);
  await start(page, quiet);
  await incidentOf(page, quiet, 1);
  assert.deepEqual((await ask(page, "GET", "/api/v1/outbox")).body.value, []);
  assert.equal(mails.some((one) => one.mail.subject.startsWith("Tells nobody")), false);
  await page.context().close();
});

test("a mail server that is down loses nothing, not even over a crash: the message waits in the settings and is sent later, once", async () => {
  let page = await open(desktop);
  await page.goto("/");
  await stopMail();
  await failingFlow(page, "While mail is down", 1);
  await page.goto("/settings/notifications");
  const outbox = page.getByRole("region", { name: "Waiting messages" });
  await outbox.getByText(/Trying again/).first().waitFor();
  await outbox.getByText(/took no message/).first().waitFor();
  await page.context().close();
  await server.kill();
  server = await startServer(server);
  await startMail();
  page = await open(desktop);
  await page.goto("/settings/notifications");
  await page.getByRole("region", { name: "Waiting messages" }).getByRole("button", { name: "Try all now" }).click();
  await until("the e-mail", () => mails.find((one) => one.mail.subject.startsWith("While mail is down")));
  await page.getByRole("region", { name: "Waiting messages" }).getByText("Everything was sent.").waitFor();
  assert.equal(mails.filter((one) => one.mail.subject.startsWith("While mail is down")).length, 1);
  await page.context().close();
});

test("a device decrypts its message, the server proves who it is, and a device that is gone is forgotten", async () => {
  const page = await open(desktop);
  await page.goto("/");
  const device = createECDH("prime256v1");
  device.generateKeys();
  const auth = randomBytes(16);
  const subscription = { endpoint: `${receiverAt}/push`, keys: { p256dh: device.getPublicKey("base64url"), auth: auth.toString("base64url") }, name: "Test device" };
  assert.equal((await ask(page, "POST", "/api/v1/push-subscriptions", subscription)).status, 201);
  assert.equal((await ask(page, "POST", "/api/v1/push-subscriptions", { ...subscription, endpoint: "http://example.com/push" })).status, 400);
  assert.equal((await ask(page, "POST", "/api/v1/notification-preferences/test", { channel: "push" })).status, 200);
  const flow = await failingFlow(page, "Rings the phone", 1);
  const decrypt = (post) => JSON.parse(ece.decrypt(post.body, { version: "aes128gcm", privateKey: device, authSecret: auth.toString("base64url") }));
  const post = await until("the push message", () => posts.find((one) => one.path === "/push" && decrypt(one).title.startsWith("Rings the phone")));
  const incident = await incidentOf(page, flow, 1);
  assert.equal(decrypt(post).url, `/incidents/${incident.id}`);
  assert.equal(post.headers["content-encoding"], "aes128gcm");
  assert.ok(Number(post.headers.ttl) > 0);

  const [, token, key] = /^vapid t=([^,]+), k=(.+)$/.exec(post.headers.authorization);
  const { pushKey } = (await ask(page, "GET", "/api/v1/notification-preferences")).body;
  assert.equal(key, pushKey);
  const point = Buffer.from(key, "base64url");
  const jwk = { kty: "EC", crv: "P-256", x: point.subarray(1, 33).toString("base64url"), y: point.subarray(33).toString("base64url") };
  const [head, claims, signature] = token.split(".");
  assert.ok(verify("sha256", Buffer.from(`${head}.${claims}`), { key: createPublicKey({ key: jwk, format: "jwk" }), dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url")));
  assert.equal(JSON.parse(Buffer.from(claims, "base64url")).aud, receiverAt);

  statuses["/push"] = 410;
  await failingFlow(page, "Rings nobody", 1);
  await until("the device's end", async () => (await ask(page, "GET", "/api/v1/notification-preferences")).body.devices.length === 0);
  await page.context().close();
});

test("a digest gathers causes until its time and sends them as one e-mail; a cause that was just told waits its hour", async () => {
  const page = await open(desktop);
  await page.goto("/");
  const now = new Date();
  const digestTime = new Date(now.getTime() + 5 * 3_600_000).toISOString().slice(11, 16);
  const mine = { email: "digest@example.com", emailPace: "daily", digestTime, timeZone: "Etc/UTC" };
  assert.equal((await ask(page, "PUT", "/api/v1/notification-preferences", mine)).status, 200);
  const first = await failingFlow(page, "First of the digest", 3);
  const second = await failingFlow(page, "Second of the digest", 1);
  await incidentOf(page, first, 3);
  await incidentOf(page, second, 1);
  const waiting = async () => (await ask(page, "GET", "/api/v1/outbox")).body.value.filter((one) => one.id.startsWith("digest:"));
  const [gathered, ...more] = await waiting();
  assert.deepEqual(more, [], "one message for all");
  assert.equal(gathered.state, "waiting");
  assert.equal(gathered.incidents.length, 2);
  assert.equal(new Date(gathered.nextTryTime).toISOString().slice(11, 16), digestTime);
  const sent = () => mails.filter((one) => one.to.includes("digest@example.com"));
  assert.equal(sent().length, 0);
  assert.equal((await ask(page, "POST", "/api/v1/outbox/retry", { id: gathered.id })).status, 202);
  const { mail } = await until("the digest", () => sent()[0]);
  assert.match(mail.text, /First of the digest/);
  assert.match(mail.text, /Second of the digest/);
  await until("the outbox to be empty", async () => (await waiting()).length === 0);
  await start(page, first);
  await incidentOf(page, first, 4);
  assert.equal((await waiting()).length, 0, "people were told within the hour");
  assert.equal(sent().length, 1);
  await page.context().close();
});

test("quiet hours hold a message until they are over", async () => {
  const page = await open(desktop);
  await page.goto("/");
  const now = new Date();
  const clock = (hours) => new Date(now.getTime() + hours * 3_600_000).toISOString().slice(11, 16);
  const mine = { email: "ada@example.com", emailPace: "immediate", timeZone: "Etc/UTC", quietHours: { from: clock(-1), until: clock(2) } };
  assert.equal((await ask(page, "PUT", "/api/v1/notification-preferences", mine)).status, 200);
  const flow = await failingFlow(page, "At night", 1);
  await incidentOf(page, flow, 1);
  const [held] = (await ask(page, "GET", "/api/v1/outbox")).body.value;
  assert.equal(held.state, "waiting");
  assert.equal(new Date(held.nextTryTime).toISOString().slice(11, 16), clock(2));
  assert.equal(mails.some((one) => one.mail.subject.startsWith("At night")), false);
  await page.context().close();
});

test("the portal can be installed, turns messages on in a browser, and its worker shows them", async () => {
  const page = await open(desktop);
  const device = createECDH("prime256v1");
  device.generateKeys();
  const keys = { p256dh: device.getPublicKey("base64url"), auth: randomBytes(16).toString("base64url") };
  // Chromium's own push service is outside: the subscription is given, all else is real.
  await page.addInitScript(({ endpoint, keys }) => {
    PushManager.prototype.subscribe = async () => ({ toJSON: () => ({ endpoint, keys }) });
  }, { endpoint: `${receiverAt}/browser`, keys });
  await page.goto("/settings/notifications");
  const manifest = await (await fetch(`${server.base}/manifest.webmanifest`)).json();
  for (const icon of manifest.icons) assert.match((await fetch(server.base + icon.src)).headers.get("content-type"), /^image\//);
  await page.getByRole("button", { name: "Turn on messages on this device" }).click();
  await page.getByRole("listitem").filter({ hasText: /since/ }).waitFor();
  assert.equal(await page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).active?.scriptURL.endsWith("/sw.js") ?? false), true);
  await page.getByRole("button", { name: "Send a test message" }).click();
  await page.getByText("The test message was sent.").waitFor();
  assert.ok(posts.some((one) => one.path === "/browser"));
  await page.getByRole("button", { name: /^Remove: / }).click();
  await page.getByRole("listitem").filter({ hasText: /since/ }).waitFor({ state: "detached" });
  await page.context().close();
});
