// A real server whose disk stops taking data, is full, or holds a database that was damaged.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { open, stat } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { post, until } from "../browser/api.mjs";
import { binary } from "../browser/server.mjs";
import { startOnMachine } from "./machine.mjs";

const on = await startOnMachine();
const { machine, api, witness } = on;

const runUrl = (flow) => `/providers/Microsoft.ProcessSimple/environments/~default/flows/${flow}/triggers/manual/run?api-version=2016-11-01`;

for (const mood of ["syncs fail", "full"])
  test(`a disk that is no good (${mood}): nothing is accepted, the reason is said, and it goes on when the cause is gone`, async () => {
    const path = mood.replace(" ", "-");
    const flow = await api.makeFlow(`Orders while ${mood}`, { Send: post(`${witness.base}/${path}`) });
    let accepted = 0;
    const start = async (body) => {
      const answer = await api.ask("POST", runUrl(flow), body);
      if (answer.status < 300) accepted++;
      return answer;
    };
    for (let i = 0; i < 5; i++) await start({ i });
    assert.equal(accepted, 5);
    await machine.setDisk(mood);
    // A full disk takes what fits into the log's blocks of before. Whoever was waiting when the disk failed hears that
    // the outcome is not known: that run comes when the disk works again.
    let unknown = 0;
    const refused = await until("the first refusal", async () => {
      const answer = await start({ filler: "x".repeat(200_000) });
      if (answer.status === 504) {
        unknown++;
        assert.equal(answer.body.error.code, "StorageOutcomeUnknown");
        assert.match(answer.body.error.message, mood === "full" ? /disk .* is full/ : /disk/);
      }
      return answer.status === 503 ? answer : undefined;
    });
    assert.ok(unknown <= 1, "only those that were on their way");
    assert.equal(refused.body.error.code, "StorageUnavailable");
    assert.match(refused.body.error.message, mood === "full" ? /full|space/i : /disk|I\/O/i);
    for (let i = 0; i < 3; i++) assert.equal((await start({ i })).status, 503, "it stays closed");
    const shown = await api.ask("GET", `/api/v1/runs?flow=${flow}`);
    assert.equal(shown.status, 200, "what is stored can be read");
    const changed = await api.ask("PATCH", `/providers/Microsoft.ProcessSimple/environments/~default/flows/${flow}?api-version=2016-11-01`, { properties: { displayName: "Another name" } });
    assert.equal(changed.status, 503, "a change that can't be stored is not said to be stored");
    await machine.setDisk("works");
    await until("the first that is accepted again", async () => (await start({ again: true })).status < 300);
    const ended = await until("the end of all that was accepted", async () => {
      const runs = (await api.ask("GET", `/api/v1/runs?flow=${flow}&status=Succeeded&$top=250`)).body.value;
      return runs.length >= accepted + unknown ? runs : undefined;
    });
    accepted += unknown;
    assert.equal(ended.length, accepted, "what was refused did not run");
    const keys = witness.requests.filter((one) => one.path === `/${path}`).map((one) => one.key);
    assert.equal(new Set(keys).size, accepted, "each accepted run sent its request, no refused one did");
    await on.server.kill();
    await on.start();
    assert.equal((await api.ask("GET", `/api/v1/runs?flow=${flow}&status=Succeeded&$top=250`)).body.value.length, accepted, "it is all there after a crash");
  });

test("a damaged database: the server does not start, and says what to do", async () => {
  const flow = await api.makeFlow("Fills pages", { Send: post(`${witness.base}/pages`) });
  for (let i = 0; i < 20; i++) await api.start(flow, { text: `${i}`.repeat(3000) });
  await until("its runs", async () => (await api.runsOf(flow, "Succeeded")).length === 20);
  // An orderly end, so that all of it stands in the database itself.
  process.kill(on.server.pid, "SIGTERM");
  await until("the end of the server", async () => {
    try {
      process.kill(on.server.pid, 0);
      return false;
    } catch {
      return true;
    }
  });
  const path = join(on.server.data, "flowmend.db");
  const { size } = await stat(path);
  const file = await open(path, "r+");
  // The first page's tree, not its header: the file still looks like a database.
  await file.write(Buffer.alloc(4000, 0xa5), 0, 4000, 100);
  await file.close();
  assert.ok(size > 8192);
  const said = await new Promise((resolve) => {
    const child = spawn(binary, ["serve", "--data", on.server.data, "--listen", `127.0.0.1:${on.server.ports[0]}`], { stdio: ["ignore", "pipe", "pipe"] });
    const parts = [];
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => parts.push(part));
    child.once("exit", (code) => resolve({ code, text: Buffer.concat(parts).toString() }));
  });
  assert.notEqual(said.code, 0);
  assert.match(said.text, /damaged|corrupt|malformed/i);
  assert.match(said.text, /backup|restore/i, said.text);
});
