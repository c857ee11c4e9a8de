// What tests need that speak to the server's API without a browser: a token, flows, and a service that counts.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { binary } from "./server.mjs";

const flows = "/providers/Microsoft.ProcessSimple/environments/~default/flows";
const version = "api-version=2016-11-01";

export async function until(what, read) {
  for (let tries = 0; tries < 600; tries++) {
    const found = await read();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${what} did not come`);
}

/** Runs the command as a person at a shell does. */
export function command(server, token, parameters, more = {}, input = "") {
  return new Promise((resolve) => {
    const child = execFile(binary, parameters, { env: { ...process.env, FLOWMEND_SERVER: server.base, FLOWMEND_TOKEN: token ?? "", ...more } }, (error, out, problems) => resolve({ code: error ? error.code : 0, out, problems }));
    child.stdin.end(input);
  });
}

/** A script's view of the server: `server` may be started anew on the same ports. */
export async function apiOf(server, scopes = "read,run,write") {
  const made = await command(server, "", ["token", "create", "--data", server.data, "--name", "tests", "--scopes", scopes]);
  const token = made.out.trim();
  const ask = async (method, path, body) => {
    const reply = await fetch(server.base + path, { method, headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body) });
    const text = await reply.text();
    return { status: reply.status, body: text === "" ? undefined : JSON.parse(text) };
  };
  const definitionOf = (actions, triggers = { manual: { type: "Request", kind: "Http", inputs: { schema: {} } } }) => ({
    $schema: "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#",
    contentVersion: "1.0.0.0",
    triggers,
    actions,
  });
  const makeFlow = async (displayName, actions) => {
    const made = await ask("POST", `${flows}?${version}`, { properties: { displayName, state: "Started", definition: definitionOf(actions) } });
    assert.equal(made.status, 201, JSON.stringify(made.body));
    return made.body.name;
  };
  const save = async (flow, actions) => {
    const saved = await ask("PATCH", `${flows}/${flow}?${version}`, { properties: { definition: definitionOf(actions) } });
    assert.equal(saved.status, 200, JSON.stringify(saved.body));
  };
  const erase = (flow) => ask("DELETE", `${flows}/${flow}?${version}`);
  const start = async (flow, body) => assert.equal((await ask("POST", `${flows}/${flow}/triggers/manual/run?${version}`, body)).status < 300, true);
  const runsOf = async (flow, status = "Failed") => {
    const found = [];
    let path = `/api/v1/runs?flow=${flow}&status=${status}&$top=250`;
    while (path) {
      const { body } = await ask("GET", path);
      found.push(...body.value);
      path = body.nextLink ? body.nextLink.replace(/^https?:\/\/[^/]+/, "") : undefined;
    }
    return found;
  };
  const incidentOf = (flow, count) => until(`the incident of ${count} runs`, async () => (await ask("GET", `/api/v1/incidents?flow=${flow}`)).body.value.find((one) => one.count >= count));
  return { token, ask, definitionOf, makeFlow, save, erase, start, runsOf, incidentOf, run: (parameters, more) => command(server, token, parameters, more) };
}

/** A service that counts what it is sent and answers with `status.now`; with 500 at the path `refuses`, never at `hangs`. */
export async function startWitness() {
  const requests = [];
  const status = { now: 200 };
  const witness = { requests, status, refuses: undefined, hangs: undefined };
  const listener = createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part));
    request.on("end", () => {
      const now = request.url === witness.refuses ? 500 : status.now;
      requests.push({ path: request.url, key: request.headers["idempotency-key"], body: Buffer.concat(parts).toString(), answered: now });
      if (request.url === witness.hangs) return;
      response.statusCode = now;
      response.setHeader("Content-Type", "application/json");
      // In the service's own words, so that failures at different addresses are different causes.
      response.end(JSON.stringify(now < 400 ? {} : { error: { message: `Nothing can be taken at ${request.url}` } }));
    });
  });
  await new Promise((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const stop = () => {
    listener.closeAllConnections();
    return new Promise((resolve) => listener.close(resolve));
  };
  return Object.assign(witness, { base: `http://127.0.0.1:${listener.address().port}`, stop });
}

export const post = (uri, runAfter = {}) => ({ type: "Http", runAfter, inputs: { method: "POST", uri, body: "@triggerBody()", retryPolicy: { type: "none" } } });
