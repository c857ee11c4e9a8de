// The master key: rotating it keeps every secret readable, a running server is not disturbed, a foreign key is refused.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { binary, startServer } from "./server.mjs";

let server;
let token;
before(async () => {
  server = await startServer();
  token = (await flowmend(["token", "create", "--data", server.data, "--name", "tests", "--scopes", "read,run,write"])).out.trim();
});
after(() => server?.stop());

function flowmend(parameters, more = {}) {
  return new Promise((resolve) => {
    execFile(binary, parameters, { env: { ...process.env, ...more }, timeout: 60_000 }, (error, out, problems) => resolve({ code: error ? error.code : 0, out, problems }));
  });
}

const headers = () => ({ Authorization: `Bearer ${token}`, "Content-Type": "application/json" });
async function get(path) {
  const answer = await fetch(server.base + path, { headers: headers() });
  const body = await answer.json();
  assert.equal(answer.status, 200, `${path}: ${JSON.stringify(body)}`);
  return body;
}

/** What the services say to each connection's stored credentials; none may be unreadable. */
async function states() {
  const connections = (await get("/providers/Microsoft.PowerApps/connections?api-version=2016-11-01")).value;
  assert.ok(connections.length > 0);
  const said = [];
  for (const connection of connections) {
    const api = connection.properties.apiId.split("/").pop();
    const answer = await fetch(`${server.base}/api/v1/connections/${api}/${connection.name}/verify`, { method: "POST", headers: headers(), body: "{}" });
    const body = await answer.json();
    assert.equal(answer.status, 200, JSON.stringify(body));
    said.push(`${connection.name} ${body.status} ${body.service?.statusCode ?? ""}`);
  }
  return said;
}

/** The signed address of a flow's trigger: it holds only as long as the flow's key is readable. */
async function callback() {
  const flows = (await get("/providers/Microsoft.ProcessSimple/environments/~default/flows?api-version=2016-11-01")).value;
  for (const flow of flows) {
    const path = `/providers/Microsoft.ProcessSimple/environments/~default/flows/${flow.name}/triggers/manual/listCallbackUrl?api-version=2016-11-01`;
    const answer = await fetch(server.base + path, { method: "POST", headers: headers() });
    if (answer.ok) return (await answer.json()).response?.value ?? (await answer.text());
  }
  throw new Error("no flow has a signed address");
}

test("the key is rotated with the server stopped, and everything stays readable", async () => {
  const key = join(server.data, "keys/master.key");
  const before = await readFile(key, "utf8");
  const said = await states();
  const address = await callback();

  const busy = await flowmend(["key", "rotate", "--data", server.data]);
  assert.equal(busy.code, 1);
  assert.match(busy.problems, /Another process already works with the data folder/);
  assert.equal(await readFile(key, "utf8"), before);

  await server.kill();
  const rotated = await flowmend(["key", "rotate", "--data", server.data]);
  assert.equal(rotated.code, 0, rotated.problems);
  assert.match(rotated.out, /Sealed anew: [1-9]\d* documents, the keys of [1-9]\d* flows/);
  const after = await readFile(key, "utf8");
  assert.notEqual(after, before);
  assert.equal(after.trim().split("\n").length, 1);

  server = await startServer(server);
  assert.deepEqual(await states(), said);
  assert.equal(await callback(), address);
});

test("a foreign key stops the start, one from the environment is taken", async () => {
  await server.kill();
  const foreign = (await flowmend(["key", "new"])).out.trim();
  assert.match(foreign, /^flowmend-key-1 [A-Za-z0-9_-]{43}$/);
  const refused = await flowmend(["serve", "--data", server.data, "--listen", "127.0.0.1:0"], { FLOWMEND_MASTER_KEY: foreign });
  assert.equal(refused.code, 1);
  assert.match(refused.problems, /sealed under another master key/);
  assert.doesNotMatch(refused.problems, new RegExp(foreign.slice(15)));

  const own = (await readFile(join(server.data, "keys/master.key"), "utf8")).trim();
  const alone = await flowmend(["key", "rotate", "--data", server.data], { FLOWMEND_MASTER_KEY: own });
  assert.equal(alone.code, 1);
  assert.match(alone.problems, /only one/);
  const rotated = await flowmend(["key", "rotate", "--data", server.data], { FLOWMEND_MASTER_KEY: `${foreign}\n${own}` });
  assert.equal(rotated.code, 0, rotated.problems);
  assert.match(rotated.out, /The old line may be removed now/);
  const stale = await flowmend(["serve", "--data", server.data, "--listen", "127.0.0.1:0"]);
  assert.equal(stale.code, 1, "the file's key is not the folder's any more");

  process.env.FLOWMEND_MASTER_KEY = foreign;
  try {
    server = await startServer(server);
    await states();
    // A crash would leave nothing with secrets in it, and nobody else sees the key. (Root may look; others may not.)
    assert.match(await readFile(`/proc/${server.pid}/limits`, "utf8"), /^Max core file size +0 +0 /m);
    const environment = await readFile(`/proc/${server.pid}/environ`, "utf8").catch(() => "");
    assert.equal(environment.includes(foreign.slice(15)), false);
  } finally {
    delete process.env.FLOWMEND_MASTER_KEY;
  }
});
