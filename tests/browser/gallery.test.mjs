// The gallery of connectors as an administrator uses it: import, versions, users, removal; and the values that a service
// offers to somebody who writes a flow, asked of a real service on loopback.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { binary, desktop, firstSignIn, openPage, startBrowser, startServer } from "./server.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let browser;
let server;
let state;
let service; // lists projects and tasks, with an id that JavaScript's numbers can't hold
let folder;
const asked = [];

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "flowmend-gallery-"));
  service = createServer((request, response) => {
    asked.push(request.url);
    const reply = (status, body) => response.writeHead(status, { "Content-Type": "application/json" }).end(body);
    if (request.headers["x-key"] !== "key-for-projects") return reply(401, '{"message":"Who are you?"}');
    if (request.url === "/projects") return reply(200, '{"value":[{"id":9007199254740993,"name":"Tea house"},{"id":2,"name":"Garden"}]}');
    if (request.url === "/folders") return reply(200, '{"value":[{"path":"/plans","name":"plans","folder":true}]}');
    if (request.url === "/folders/below?path=%2Fplans") return reply(200, '{"value":[{"path":"/plans/2026","name":"2026","folder":false}]}');
    if (request.url.startsWith("/tasks?project=9007199254740993")) return reply(200, '{"value":[{"id":"T-1","name":"Build"}]}');
    if (request.url.startsWith("/shape?project=9007199254740993")) return reply(200, '{"schema":{"type":"object","required":["Title"],"properties":{"Title":{"type":"string"},"State":{"type":"string","x-ms-summary":"State","x-ms-dynamic-list":{"operationId":"ListStates"}}}}}');
    if (request.url === "/states") return reply(200, '["open","closed"]');
    return reply(404, '{"error":{"code":"NoProject","message":"There is no such project."}}');
  });
  await new Promise((resolve) => service.listen(0, "127.0.0.1", resolve));
  browser = await startBrowser();
  server = await startServer();
  state = await firstSignIn(browser, server);
});
after(async () => {
  await browser?.close();
  await server?.stop();
  service?.closeAllConnections();
  await new Promise((resolve) => (service ? service.close(resolve) : resolve()));
  await rm(folder, { recursive: true, force: true });
});

/** The connector's document; `more` adds paths, `without` leaves them out. */
function swagger(more = {}, without = []) {
  const values = (operationId, rest) => ({ operationId, "value-collection": "value", "value-path": "id", "value-title": "name", ...rest });
  const paths = {
    "/projects": { get: { operationId: "ListProjects", responses: { 200: { description: "" } } } },
    "/folders": { get: { operationId: "ListFolders", responses: { 200: { description: "" } } } },
    "/folders/below": { get: { operationId: "ListBelow", parameters: [{ name: "path", in: "query", required: true, type: "string" }], responses: { 200: { description: "" } } } },
    "/shape": { get: { operationId: "GetShape", parameters: [{ name: "project", in: "query", required: true, type: "integer" }], responses: { 200: { description: "" } } } },
    "/states": { get: { operationId: "ListStates", responses: { 200: { description: "" } } } },
    "/tasks": {
      get: { operationId: "ListTasks", parameters: [{ name: "project", in: "query", required: true, type: "integer" }], responses: { 200: { description: "" } } },
      post: {
        operationId: "CreateTask",
        summary: "Create a task",
        parameters: [
          { name: "project", in: "query", required: true, type: "integer", "x-ms-summary": "Project", "x-ms-dynamic-values": values("ListProjects") },
          { name: "parent", in: "query", type: "string", "x-ms-summary": "Parent task", "x-ms-dynamic-values": values("ListTasks", { parameters: { project: { parameter: "project" } } }) },
          { name: "item", in: "body", schema: { type: "object", title: "Task", "x-ms-dynamic-schema": { operationId: "GetShape", parameters: { project: { parameter: "project" } }, "value-path": "schema" } } },
          {
            name: "folder", in: "query", type: "string", "x-ms-summary": "Folder",
            "x-ms-dynamic-tree": {
              settings: { canSelectParentNodes: false, canSelectLeafNodes: true },
              open: { operationId: "ListFolders", itemsPath: "value", itemValuePath: "path", itemTitlePath: "name", itemIsParent: "folder", parameters: {} },
              browse: { operationId: "ListBelow", itemsPath: "value", itemValuePath: "path", itemTitlePath: "name", itemIsParent: "folder", parameters: { path: { selectedItemValuePath: "path" } } },
            },
          },
        ],
        responses: { 200: { description: "" } },
      },
    },
    ...more,
  };
  for (const path of without) delete paths[path];
  return JSON.stringify({ swagger: "2.0", info: { title: "Projects", version: "1" }, host: `127.0.0.1:${service.address().port}`, schemes: ["http"], securityDefinitions: { key: { type: "apiKey", in: "header", name: "X-Key" } }, paths });
}
const json = (name, text) => ({ name, mimeType: "application/json", buffer: Buffer.from(text) });

const ask = (page, method, path, body) =>
  page.evaluate(
    async ([method, path, body]) => {
      const me = await (await fetch("/api/v1/me")).json();
      const answer = await fetch(path, { method, headers: { "Content-Type": "application/json", "x-flowmend-csrf": me.csrfToken }, body });
      const text = await answer.text();
      return { status: answer.status, body: text === "" ? undefined : JSON.parse(text), text };
    },
    [method, path, body === undefined ? undefined : JSON.stringify(body)],
  );

/** No violation that axe can find. */
async function accessible(page, what) {
  // A colour on its way from one state to the next is nobody's colour.
  await page.evaluate(() => Promise.allSettled(document.getAnimations().filter((one) => one instanceof CSSTransition).map((one) => one.finished)));
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run({ exclude: [["[data-tabster-dummy]"]] }, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
  assert.deepEqual(found.violations.map((one) => `${what}: ${one.id}: ${one.nodes.map((node) => node.html).join(" | ")}`), []);
}

/** Chooses files in the dialog and hands them over. */
async function importFiles(page, files) {
  await page.getByRole("button", { name: "Import connectors" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Files").setInputFiles(files);
  await dialog.getByRole("button", { name: "Import", exact: true }).click();
  return dialog;
}

test("an administrator imports a connector, changes it and takes the change back", async () => {
  const page = await openPage(browser, state, desktop, { baseURL: server.base });
  await page.goto("/connectors");
  let dialog = await importFiles(page, [json("projects.json", swagger())]);
  await dialog.getByText("New · Version 1").waitFor();
  await dialog.getByText("7 of 7 operations can run here").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();

  await page.getByRole("button", { name: "Show operations: Projects" }).click();
  await page.getByText("Create a task").waitFor();

  const changed = swagger({ "/labels": { get: { operationId: "ListLabels", responses: { 200: { description: "" } } } } }, ["/folders/below"]);
  dialog = await importFiles(page, [json("projects-2.json", changed)]);
  await dialog.getByText("Changed · Version 2").waitFor();
  await dialog.getByText("ListLabels").waitFor();
  await dialog.getByText("ListBelow").waitFor();
  await accessible(page, "import");
  await dialog.getByRole("button", { name: "Close" }).click();

  await page.getByRole("button", { name: "Versions and users: Projects" }).click();
  dialog = page.getByRole("dialog");
  await dialog.getByText("No flow and no connection uses it.").waitFor();
  await dialog.getByText("Version 2 (in use)").waitFor();
  await accessible(page, "versions");
  await dialog.getByRole("button", { name: "Restore version 1" }).click();
  await dialog.getByText("Restored as version 3.").waitFor();
  await dialog.getByText("Version 3 (in use)").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("what can't be imported is refused with the reason", async () => {
  const page = await openPage(browser, state, desktop, { baseURL: server.base });
  await page.goto("/connectors");
  let dialog = await importFiles(page, [json("broken.json", '{"swagger": "2.0", "paths": {}}')]);
  await dialog.getByText("ConnectorNoOperations").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  dialog = await importFiles(page, [{ name: "package.zip", mimeType: "application/zip", buffer: Buffer.from("this is no zip") }]);
  await dialog.getByText("The file is no zip package").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("a maker chooses values that the service offers, and the numbers stay whole", async () => {
  const page = await openPage(browser, state, desktop, { baseURL: server.base });
  await page.goto("/connectors");
  const made = await ask(page, "PUT", "/providers/Microsoft.PowerApps/apis/shared_projects/connections/mine?api-version=2016-11-01", { properties: { displayName: "My projects", connectionParameters: { api_key: "key-for-projects" } } });
  assert.equal(made.status, 201, made.text);
  const flow = await ask(page, "POST", "/providers/Microsoft.ProcessSimple/environments/~default/flows?api-version=2016-11-01", {
    properties: {
      displayName: "Make a task",
      state: "Started",
      definition: {
        triggers: { manual: { type: "Request", kind: "Http", inputs: { schema: {} } } },
        actions: { Create_task: { type: "OpenApiConnection", runAfter: {}, inputs: { host: { apiId: "/providers/Microsoft.PowerApps/apis/shared_projects", connectionName: "projects", operationId: "CreateTask" }, parameters: { project: 1 } } } },
      },
      connectionReferences: { projects: { connectionName: "mine", id: "/providers/Microsoft.PowerApps/apis/shared_projects", source: "Embedded" } },
    },
  });
  assert.ok(flow.status === 200 || flow.status === 201, flow.text);
  await page.goto(`/flows/${flow.body.name}/edit?action=Create_task`);
  await page.getByRole("heading", { name: "Values for Create_task" }).waitFor();
  await accessible(page, "parameters");

  await page.getByRole("button", { name: /^Project/ }).click();
  await page.getByRole("button", { name: "Tea house" }).waitFor();
  await accessible(page, "values");
  await page.getByRole("button", { name: "Tea house" }).click();
  await page.getByText("9007199254740993").first().waitFor();
  await page.getByRole("button", { name: "Back" }).click();

  // The project that was just chosen goes along.
  await page.getByRole("button", { name: /^Parent task/ }).click();
  await page.getByRole("button", { name: "Build" }).click();
  assert.ok(asked.includes("/tasks?project=9007199254740993"), asked.join(" "));
  await page.getByRole("button", { name: "Back" }).click();

  await page.getByRole("button", { name: /^Folder/ }).click();
  await page.getByRole("button", { name: "Open plans" }).click();
  await page.getByRole("button", { name: "2026" }).click();

  // Fields that only the service knows, and choices inside of them; the checker knows them from now on.
  await page.getByRole("button", { name: "Back" }).click();
  await page.getByRole("button", { name: "Back" }).click();
  await page.getByRole("button", { name: /^item/ }).click();
  await page.getByRole("button", { name: /^Title/ }).click();
  await page.getByText("is there already").waitFor();
  await accessible(page, "fields");
  await page.getByRole("button", { name: "Back" }).click();
  await page.getByRole("button", { name: /^State/ }).click();
  await page.getByRole("button", { name: "closed" }).click();

  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("Saved. New runs use this definition.").waitFor();
  const saved = await ask(page, "GET", `/providers/Microsoft.ProcessSimple/environments/~default/flows/${flow.body.name}?api-version=2016-11-01`);
  assert.match(saved.text, /"project": ?9007199254740993/);
  assert.match(saved.text, /"parent": ?"T-1"/);
  assert.match(saved.text, /"folder": ?"\/plans\/2026"/);
  assert.match(saved.text, /"item\/Title": ?""/);
  assert.match(saved.text, /"item\/State": ?"closed"/);
  assert.doesNotMatch(saved.text, /key-for-projects/);

  // A connector in use is not removed, and the refusal names who uses it.
  await page.goto("/connectors");
  await page.getByRole("button", { name: "Versions and users: Projects" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("link", { name: "Make a task" }).waitFor();
  await dialog.getByRole("button", { name: "Remove connector" }).click();
  await dialog.getByRole("button", { name: "Remove it" }).click();
  await dialog.getByText("is used by the flow 'Make a task' and the connection 'My projects'").waitFor();
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

test("what the service says reaches the one who asks", async () => {
  const page = await openPage(browser, state, desktop, { baseURL: server.base });
  await page.goto("/connectors");
  const question = { operationId: "CreateTask", parameter: "parent", parameters: { project: 5 } };
  const refused = await ask(page, "POST", "/api/v1/connections/shared_projects/mine/dynamic-values", question);
  assert.equal(refused.status, 502, refused.text);
  assert.match(refused.body.error.message, /ListTasks.*404.*There is no such project/);
  const first = await ask(page, "POST", "/api/v1/connections/shared_projects/mine/dynamic-values", { ...question, parameters: {} });
  assert.equal(first.status, 400);
  assert.match(first.body.error.message, /'project'/);
  await page.context().close();
});

/** A zip without compression: names and texts. */
function zip(files) {
  const crc = (bytes) => {
    let value = ~0;
    for (const byte of bytes) {
      value ^= byte;
      for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
    }
    return ~value >>> 0;
  };
  const parts = [];
  const entries = [];
  let at = 0;
  for (const [name, text] of files) {
    const [nameBytes, bytes] = [Buffer.from(name), Buffer.from(text)];
    const about = Buffer.alloc(26);
    about.writeUInt16LE(20, 0);
    about.writeUInt32LE(crc(bytes), 10);
    about.writeUInt32LE(bytes.length, 14);
    about.writeUInt32LE(bytes.length, 18);
    about.writeUInt16LE(nameBytes.length, 22);
    const local = Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), about, nameBytes, bytes]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(at, 10);
    entries.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00", "latin1"), about, rest, nameBytes]));
    parts.push(local);
    at += local.length;
  }
  const directory = Buffer.concat(entries);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(files.length, 4);
  end.writeUInt16LE(files.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...parts, directory, Buffer.from("PK\x05\x06", "latin1"), end]);
}

test("a package's connectors are taken one by one, under the names that its flows use", async () => {
  const page = await openPage(browser, state, desktop, { baseURL: server.base });
  await page.goto("/connectors");
  const buffer = zip([
    ["customizations.xml", "<ImportExportXml><Connectors><Connector><connectorinternalid>shared_new-5ftasks</connectorinternalid><openapidefinition>/Connector/new_tasks_openapidefinition.json</openapidefinition></Connector></Connectors></ImportExportXml>"],
    ["Connector/new_tasks_openapidefinition.json", swagger().replace('"Projects"', '"Packed tasks"')],
    ["broken/apiDefinition.swagger.json", "{"],
  ]);
  const dialog = await importFiles(page, [{ name: "solution.zip", mimeType: "application/zip", buffer }]);
  await dialog.getByText("Packed tasks").waitFor();
  await dialog.getByText("New · Version 1").waitFor();
  await dialog.getByText("broken/apiDefinition.swagger.json").waitFor();
  await dialog.getByText("Refused").waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByText("shared_new-5ftasks").waitFor();
  const out = await ask(page, "DELETE", "/providers/Microsoft.PowerApps/apis/shared_new-5ftasks?api-version=2016-11-01");
  assert.equal(out.status, 200, out.text);
  assert.deepEqual(page.complaints, []);
  await page.context().close();
});

const flowmend = (parameters, more = {}) =>
  new Promise((resolve) => {
    execFile(binary, parameters, { env: { ...process.env, FLOWMEND_SERVER: server.base, ...more } }, (error, out, problems) => resolve({ code: error ? error.code : 0, out, problems }));
  });

test("the command line imports folders of connectors", async () => {
  const token = (await flowmend(["token", "create", "--data", server.data, "--name", "gallery", "--scopes", "read,admin"])).out.trim();
  for (const name of ["one", "two"]) {
    await mkdir(join(folder, name));
    await writeFile(join(folder, name, "apiDefinition.swagger.json"), swagger().replace('"Projects"', `"From ${name}"`));
  }
  await mkdir(join(folder, "bad"));
  await writeFile(join(folder, "bad", "apiDefinition.swagger.json"), "{");
  const done = await flowmend(["connector", "import", folder], { FLOWMEND_TOKEN: token });
  assert.equal(done.code, 1, done.problems);
  assert.match(done.problems, /bad\/apiDefinition\.swagger\.json: .*\(InvalidJSON\)/);
  assert.match(done.out, /shared_fromone\tmade\tversion 1\t7 of 7 operations can run/i);
  assert.match(done.out, /shared_fromtwo\tmade/i);
  const again = await flowmend(["connector", "import", join(folder, "one")], { FLOWMEND_TOKEN: token });
  assert.equal(again.code, 0, again.problems);
  assert.match(again.out, /unchanged\tversion 1/);
  await writeFile(join(folder, "one", "apiDefinition.swagger.json"), swagger({}, ["/states"]).replace('"Projects"', '"From one"'));
  const changed = await flowmend(["connector", "import", join(folder, "one")], { FLOWMEND_TOKEN: token });
  assert.match(changed.out, /changed\tversion 2[^]*removed: ListStates/);
  const api = /^(shared_\S+)/.exec(changed.out)[1];
  const shown = await flowmend(["connector", "show", api], { FLOWMEND_TOKEN: token });
  assert.match(shown.out, /version 2 \(in use\)\t[^]*removed: ListStates[^]*version 1\t/, shown.problems);
  const restored = await flowmend(["connector", "restore", api, "1"], { FLOWMEND_TOKEN: token });
  assert.match(restored.out, /changed\tversion 3[^]*added: ListStates/, restored.problems);
  assert.match((await flowmend(["connector", "list"], { FLOWMEND_TOKEN: token })).out, new RegExp(`${api}\\tFrom one\\t7 of 7`));
  assert.equal((await flowmend(["connector", "remove", api], { FLOWMEND_TOKEN: token })).code, 0);
  const used = await flowmend(["connector", "remove", "shared_projects"], { FLOWMEND_TOKEN: token });
  assert.equal(used.code, 1);
  assert.match(used.problems, /'Make a task'.*\(ConnectorInUse\)/);
  const unsigned = await flowmend(["connector", "import", folder], { FLOWMEND_TOKEN: "" });
  assert.equal(unsigned.code, 2);
  assert.match(unsigned.problems, /no token/);
});
