import { describe, expect, it } from "vitest";
import { rateOf } from "./connection";

describe("rateOf", () => {
  it("reads whole numbers and takes nothing for any number", () => {
    expect(rateOf("")).toBe(0);
    expect(rateOf(" 60 ")).toBe(60);
    expect(rateOf("60000")).toBe(60_000);
  });
  it("refuses what is no limit", () => {
    for (const entered of ["-1", "1.5", "60001", "many", "1e9", "NaN"]) expect(rateOf(entered)).toBeUndefined();
  });
});
