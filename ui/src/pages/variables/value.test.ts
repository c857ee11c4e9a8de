import { describe, expect, it } from "vitest";
import { valueOf } from "./value";

describe("valueOf", () => {
  it("keeps a text as it is, also one that looks like JSON", () => {
    expect(valueOf("42", false)).toEqual({ ok: true, value: "42" });
    expect(valueOf("", false)).toEqual({ ok: true, value: "" });
  });
  it("reads JSON, and refuses what is none or null", () => {
    expect(valueOf("[1, {\"a\": true}]", true)).toEqual({ ok: true, value: [1, { a: true }] });
    for (const typed of ["", "x", "{", "null"]) expect(valueOf(typed, true), typed).toEqual({ ok: false });
  });
});
