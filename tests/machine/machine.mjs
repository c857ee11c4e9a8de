// A real server on a machine whose clock and disk a test moves (shim.c).
import { execFileSync } from "node:child_process";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { apiOf, startWitness } from "../browser/api.mjs";
import { startServer } from "../browser/server.mjs";

export const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000));

/** Servers that are started afterwards are on it. */
async function startMachine() {
  const folder = await mkdtemp(join(tmpdir(), "flowmend-machine-"));
  const shim = join(folder, "shim.so");
  execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", shim, fileURLToPath(new URL("shim.c", import.meta.url))]);
  const file = await open(join(folder, "machine"), "w+");
  const put = async (place, value) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    await file.write(bytes, 0, 8, place);
  };
  await put(0, 0);
  await put(8, 0);
  process.env.FLOWMEND_TEST_MACHINE = join(folder, "machine");
  process.env.LD_PRELOAD = shim;
  return {
    /** Seconds that the server's clock is ahead of the machine's. */
    setClock: (seconds) => put(0, seconds),
    setDisk: (mood) => put(8, { works: 0, "syncs fail": 1, full: 2 }[mood]),
    stop: async () => {
      delete process.env.LD_PRELOAD;
      await file.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A server on it, a script's view of that, and a service that counts. All of it ends after the file's last test. */
export async function startOnMachine(limits = []) {
  const on = { machine: await startMachine() };
  after(async () => {
    await on.witness?.stop();
    await on.server?.stop();
    await on.machine.stop();
  });
  on.server = await startServer(undefined, limits);
  on.api = await apiOf(on.server);
  on.witness = await startWitness();
  return Object.assign(on, {
    /** Up again on the same data and ports, after `server.kill()`. */
    async start() {
      on.server = await startServer(on.server, limits);
    },
  });
}
