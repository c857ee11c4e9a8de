// Starts the real server with the demo in a data folder of its own, and a browser that is signed in to it.
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const root = fileURLToPath(new URL("../../", import.meta.url));
export const binary = process.env.FLOWMEND_BINARY ?? join(root, "build/release/flowmend");
const startMs = 30_000;
export const images = join(root, "docs/images");
export const admin = { userName: "ada", displayName: "Ada", password: "a long password for tests" };
export const desktop = { viewport: { width: 1280, height: 800 } };
export const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };

/**
 * One below those that the system gives to connections by itself (from 32768 on): such a one could take it before the
 * server does, or while the server is down.
 */
async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    const isFree = await new Promise((resolve) => {
      const probe = createServer();
      probe.once("error", () => resolve(false));
      probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
    });
    if (isFree) return port;
  }
}

/**
 * `again`: what a server of before gave, to start anew on its data and ports after `kill`. `more`: arguments of `serve`.
 * @returns {Promise<{base: string, signin: string, pid: number, control: (change?: object) => Promise<object>, kill: () => Promise<void>, stop: () => Promise<void>}>}
 */
export async function startServer(again, more = []) {
  const data = again?.data ?? (await mkdtemp(join(tmpdir(), "flowmend-browser-")));
  const [port, demoPort] = again?.ports ?? [await freePort(), await freePort()];
  const child = spawn(binary, ["serve", "--demo", "--data", data, "--listen", `127.0.0.1:${port}`, "--demo-port", String(demoPort), ...more], { stdio: ["ignore", "pipe", "pipe"] });
  const said = [];
  createInterface({ input: child.stderr }).on("line", (line) => said.push(line));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGTERM");
    const hard = setTimeout(() => child.kill("SIGKILL"), 10_000);
    await ended;
    clearTimeout(hard);
    await rm(data, { recursive: true, force: true });
  };
  try {
    const addresses = await new Promise((resolve, reject) => {
      const found = {};
      const late = setTimeout(() => reject(new Error(`${binary} did not say its address within ${startMs / 1000} s`)), startMs);
      child.once("error", reject);
      child.once("exit", (code) => reject(new Error(`${binary} ended with ${code}`)));
      createInterface({ input: child.stdout }).on("line", (line) => {
        said.push(line);
        found.base ??= /Flowmend is at (http:\/\/\S+)/.exec(line)?.[1].replace(/\/$/, "");
        found.signin ??= /First sign-in: (http:\/\/\S+)/.exec(line)?.[1];
        if (found.base && (found.signin || again)) {
          clearTimeout(late);
          resolve(found);
        }
      });
    });
    const control = async (change) => {
      const answer = await fetch(`http://127.0.0.1:${demoPort}/control`, change ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(change) } : {});
      if (!answer.ok) throw new Error(`the demo's control page answered ${answer.status}`);
      const body = await answer.text();
      return body === "" ? {} : JSON.parse(body);
    };
    /** As a crash does; the data stays. */
    const kill = async () => {
      child.kill("SIGKILL");
      await ended;
    };
    return { ...addresses, pid: child.pid, data, ports: [port, demoPort], control, kill, stop };
  } catch (error) {
    await stop().catch(() => undefined);
    throw new Error(`${error.message}\n${said.join("\n")}`);
  }
}

export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
}

/** Makes the first account through the page that the console names, as a newcomer does. Returns the browser's state. */
export async function firstSignIn(browser, server) {
  const context = await browser.newContext(desktop);
  const page = await context.newPage();
  await page.goto(server.signin);
  await page.getByLabel("User name").fill(admin.userName);
  await page.getByLabel("Your name").fill(admin.displayName);
  await page.getByLabel("Password").fill(admin.password);
  await page.getByRole("button", { name: "Create account" }).click();
  await page.getByRole("heading", { name: "Home", level: 1 }).waitFor();
  const state = await context.storageState();
  await context.close();
  return state;
}

/** A page that is signed in. What the browser complains of (errors of ours, refused scripts or styles) is kept in `page.complaints`. */
export async function openPage(browser, state, screen, more = {}) {
  const context = await browser.newContext({ ...screen, ...more, storageState: state, permissions: ["clipboard-read", "clipboard-write"] });
  context.setDefaultTimeout(15_000);
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(error.message));
  page.on("console", (message) => {
    // A refused request is shown on the page and is no mistake of the page; the browser notes it all the same.
    if (message.type() === "error" && !/Failed to load resource|net::ERR_/.test(message.text())) page.complaints.push(message.text());
  });
  return page;
}

/** Where a failed run and its flow are, asked as the page asks. */
export async function failedRun(page, flow) {
  for (let tries = 0; tries < 120; tries++) {
    const runs = await page.evaluate(async () => (await (await fetch("/api/v1/runs?status=Failed")).json()).value);
    const run = runs.find((one) => one.properties.flowmend.flowDisplayName === flow);
    if (run) return { flow: run.properties.flowmend.flow, run: run.name };
    await page.waitForTimeout(500);
  }
  throw new Error(`${flow} did not fail`);
}
