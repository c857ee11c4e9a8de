import { expect, test } from "vitest";
import type { PlannedStep } from "../../api/types";
import { planOf, planRows, wishAt } from "./plan_rows";

const step = (action: string, more: Partial<PlannedStep> = {}): PlannedStep => ({ action, type: "Http", plan: "kept", writes: true, doneBefore: true, ...more });
const plan = {
  run: "top",
  steps: [step("Before"), step("Call", { repetition: "000001", plan: "resumed", child: { run: "inner", steps: [step("One"), step("Two", { plan: "again" })] } }), step("Other", { child: { run: "unseen" } })],
};

test("the steps of called runs follow the call", () => {
  expect(planRows(plan).map((row) => row.key)).toEqual(["Before", "Call 000001", "Call 000001\nOne", "Call 000001\nTwo", "Other"]);
  expect(planRows(undefined)).toEqual([]);
});

test("the part of one run", () => {
  expect(planOf(plan, "top")).toBe(plan);
  expect(planOf(plan, "inner")?.steps?.length).toBe(2);
  expect(planOf(plan, "nobody")).toBe(undefined);
});

test("a wish for a step of a called run goes through the call", () => {
  const rows = planRows(plan);
  expect(wishAt(rows[0]!, undefined)).toEqual({ from: "Before", fromRepetition: undefined });
  expect(wishAt(rows[3]!, undefined)).toEqual({ steps: [{ action: "Call", repetition: "000001", child: { from: "Two", fromRepetition: undefined } }] });
  expect(wishAt(rows[3]!, { action: "Two", skip: true })).toEqual({ steps: [{ action: "Call", repetition: "000001", child: { steps: [{ action: "Two", skip: true }] } }] });
});
