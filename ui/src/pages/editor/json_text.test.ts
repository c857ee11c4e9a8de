import { expect, test } from "vitest";
import { find, findAction, findingRange, format, indexOfByte, JsonTextError, lineAndColumn, parse, pointerAt, stringPlaces } from "./json_text";

const source = `{ "a/b": [1.0, {"x": "é@{add(1,2)}\\n"}], "big": 12345678901234567890 }`;
const at = (pointer: string) => {
  const node = find(parse(source), pointer);
  return node && source.slice(node.from, node.to);
};

test("pointers find their values, escapes read", () => {
  expect(at("/a~1b/0")).toBe("1.0");
  expect(at("/a~1b/1/x")).toBe(`"é@{add(1,2)}\\n"`);
  expect(at("/a~1b/7")).toBeUndefined();
  expect(at("")).toBe(source);
});

test("layout keeps numbers, escapes and order letter for letter", () => {
  const formatted = format(`{"z":1.0,"a":[12345678901234567890,"\\u00e9",{}],"e":[],"n":-0.0e+2}`);
  expect(formatted).toBe(`{\n  "z": 1.0,\n  "a": [\n    12345678901234567890,\n    "\\u00e9",\n    {}\n  ],\n  "e": [],\n  "n": -0.0e+2\n}`);
  expect(format(formatted)).toBe(formatted);
});

test("what is not JSON is refused at its place", () => {
  const place = (text: string) => {
    try {
      parse(text);
      return undefined;
    } catch (error) {
      return (error as JsonTextError).at;
    }
  };
  expect(place(`{"a": 1,}`)).toBe(8);
  expect(place(`{"a" 1}`)).toBe(5);
  expect(place(`[1 2]`)).toBe(3);
  expect(place(`{"a": tru}`)).toBe(6);
  expect(place(`"open`)).toBe(0);
  expect(place(`{} {}`)).toBe(3);
  expect(place("")).toBe(0);
  expect(place("[".repeat(100_000))).toBe(201);
  expect(place(`[01]`)).toBe(2);
});

test("accepts exactly what JSON.parse accepts, on a few hundred mutations", () => {
  const base = `{"a":[1,-2.5e3,true,null,"x\\u0041\\n"],"b":{"c":{}}}`;
  for (let index = 0; index < base.length; index++)
    for (const change of [base.slice(0, index) + base.slice(index + 1), `${base.slice(0, index)},${base.slice(index)}`, `${base.slice(0, index)}"${base.slice(index)}`]) {
      const theirs = (() => { try { JSON.parse(change); return true; } catch { return false; } })();
      const ours = (() => { try { parse(change); return true; } catch { return false; } })();
      expect([change, ours]).toEqual([change, theirs]);
    }
});

test("a finding inside an expression is marked there, in bytes and through escapes", () => {
  const text = `{"s": "\\té@{bad()}"}`;
  const root = parse(text);
  // Decoded: TAB, é (2 bytes), then @{bad()}: "bad()" begins at byte 5.
  const range = findingRange(text, root, { pointer: "/s", begin: 5, end: 10 });
  expect(text.slice(range.from, range.to)).toBe("bad()");
});

test("a finding on an object marks its name; one on what is missing marks what is around", () => {
  const root = parse(source);
  const object = findingRange(source, root, { pointer: "/a~1b/1", begin: 0, end: 0 });
  expect(object.from).toBeGreaterThan(0);
  const named = findingRange(source, root, { pointer: "/a~1b" });
  expect(source.slice(named.from, named.to)).toBe(`"a/b"`);
  const missing = findingRange(source, root, { pointer: "/a~1b/0/none/deeper" });
  expect(source.slice(missing.from, missing.to)).toBe("1.0");
});

test("actions are found by name at any depth, not inside inputs", () => {
  const definition = parse(`{"actions":{"S":{"inputs":{"actions":{"T":1}},"else":{"actions":{"T":{"type":"X"}}}}}}`);
  expect(findAction(definition, "T")).toBe("/actions/S/else/actions/T");
  expect(findAction(definition, "None")).toBeUndefined();
});

test("places and pointers go both ways", () => {
  const root = parse(source);
  expect(pointerAt(root, source.indexOf("add"))).toBe("/a~1b/1/x");
  expect(pointerAt(root, source.indexOf("big"))).toBe("/big");
  expect(lineAndColumn("ab\ncd", 4)).toEqual({ line: 2, column: 2 });
});

test("bytes and characters", () => {
  expect(indexOfByte("é😀x", 2)).toBe(1);
  expect(indexOfByte("é😀x", 6)).toBe(3);
  expect(indexOfByte("abc", 99)).toBe(3);
  expect(stringPlaces(`"a\\u0041"`, { from: 0, to: 9 })).toEqual({ value: "aA", places: [1, 2, 8] });
});
