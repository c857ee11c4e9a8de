import { expect, test } from "vitest";
import { parse } from "./json_text";
import { withMember } from "./member";
import { stepAt } from "./step_at";

const apply = (source: string, pointer: string, name: string, literal: string) => {
  const edit = withMember(source, parse(source), pointer, "parameters", name, literal);
  return edit && source.slice(0, edit.from) + edit.text + source.slice(edit.to);
};

test("a value replaces the one that is there, and nothing else", () => {
  expect(apply('{"i": {"parameters": {"a/b": 1.0, "c": 2}}}', "/i", "a/b", "12345678901234567890")).toEqual('{"i": {"parameters": {"a/b": 12345678901234567890, "c": 2}}}');
});

test("a new one goes behind the last, laid out as its neighbours are", () => {
  expect(apply('{"i": {"parameters": {"a": 1}}}', "/i", "b", '"x"')).toEqual('{"i": {"parameters": {"a": 1, "b": "x"}}}');
  expect(apply('{\n  "i": {\n    "parameters": {\n      "a": 1\n    }\n  }\n}', "/i", "b", "2")).toEqual('{\n  "i": {\n    "parameters": {\n      "a": 1,\n      "b": 2\n    }\n  }\n}');
});

test("parameters are made where there are none", () => {
  const made = apply('{\n  "i": {\n    "host": {}\n  }\n}', "/i", "b", "2");
  expect(JSON.parse(made ?? "")).toEqual({ i: { host: {}, parameters: { b: 2 } } });
  expect(JSON.parse(apply('{"i": {"parameters": {}}}', "/i", "b", "2") ?? "")).toEqual({ i: { parameters: { b: 2 } } });
});

test("there is no place in what is no object", () => {
  expect(apply('{"i": {"parameters": 1}}', "/i", "b", "2")).toEqual(undefined);
  expect(apply('{"i": 1}', "/i", "b", "2")).toEqual(undefined);
});

test("the step around the cursor is the innermost one, triggers too", () => {
  const step = '{"type": "OpenApiConnection", "inputs": {"host": {"apiId": "/providers/x/apis/shared_a", "connectionName": "k", "operationId": "Op"}, "parameters": {"n": 1.0}}}';
  const source = `{"actions": {"Scope": {"type": "Scope", "actions": {"Get": ${step}}}}, "triggers": {"T": ${step.replace("Op", "OnNew")}}}`;
  const root = parse(source);
  expect(stepAt(source, root, source.indexOf("1.0"))).toEqual({ name: "Get", pointer: "/actions/Scope/actions/Get", api: "shared_a", operationId: "Op", connectionKey: "k", parameters: '{"n": 1.0}' });
  expect(stepAt(source, root, source.indexOf("OnNew"))?.name).toEqual("T");
  expect(stepAt(source, root, source.indexOf("Scope"))).toEqual(undefined);
});
