import { expect, test } from "vitest";
import { ago, bytes, displayName, duration, span } from "./time";

test("durations choose their unit and never read 60 s", () => {
  expect(duration(0)).toBe("0 ms");
  expect(duration(999)).toBe("999 ms");
  expect(duration(4210)).toBe("4.2 s");
  expect(duration(59_960)).toBe("1 min");
  expect(duration(185_000)).toBe("3 min 5 s");
  expect(duration(3_600_000)).toBe("1 h");
  expect(duration(90_000_000)).toBe("1 d 1 h");
});

test("a duration that is unknown is nothing, not zero", () => {
  expect(duration(undefined)).toBe("");
  expect(duration(NaN)).toBe("");
  expect(duration(-5)).toBe("");
  expect(span("2026-11-23T10:00:00Z", undefined)).toBeUndefined();
  expect(span("what", "2026-11-23T10:00:00Z")).toBeUndefined();
});

test("seven fractional digits are read", () => {
  expect(span("2026-11-23T10:00:00.1234567Z", "2026-11-23T10:00:01.1234567Z")).toBe(1000);
});

test("an end before its start, by clock skew, counts as no time", () => {
  expect(span("2026-11-23T10:00:01Z", "2026-11-23T10:00:00Z")).toBe(0);
});

test("ago", () => {
  const now = Date.parse("2026-11-23T12:00:00Z");
  expect(ago("2026-11-23T11:59:30Z", now)).toBe("just now");
  expect(ago("2026-11-23T11:58:00Z", now)).toBe("2 minutes ago");
  expect(ago("2026-11-22T12:00:00Z", now)).toBe("yesterday");
  expect(ago("nonsense", now)).toBe("");
});

test("sizes and names", () => {
  expect(bytes(999)).toBe("999 B");
  expect(bytes(1500)).toBe("1.5 kB");
  expect(displayName("Get_order_2")).toBe("Get order 2");
});
