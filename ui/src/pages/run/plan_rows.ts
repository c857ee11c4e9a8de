import type { PlannedStep, RepeatWish, RunPlan, WishedStep } from "../../api/types";

/** A step of a plan, also of the runs inside it. */
export interface PlanRow {
  step: PlannedStep;
  /** The calls that lead to it, outermost first. */
  calls: PlannedStep[];
  /** The same in every plan of the run. */
  key: string;
}

const keyOf = (steps: PlannedStep[]) => steps.map((step) => step.action + (step.repetition ? ` ${step.repetition}` : "")).join("\n");

export function planRows(plan: { steps?: PlannedStep[] } | undefined, calls: PlannedStep[] = []): PlanRow[] {
  return (plan?.steps ?? []).flatMap((step) => [{ step, calls, key: keyOf([...calls, step]) }, ...planRows(step.child, [...calls, step])]);
}

/** The part of a plan that is about `run`; nothing when it is not in it. */
export function planOf(plan: { run: string; steps?: PlannedStep[] } | undefined, run: string): Partial<RunPlan> | undefined {
  if (plan === undefined || plan.run === run) return plan;
  for (const step of plan.steps ?? []) {
    const found = planOf(step.child, run);
    if (found) return found;
  }
  return undefined;
}

/** The wish that decides about the row's step: inside the runs that were called when it is one of theirs. */
export function wishAt(row: PlanRow, decided: WishedStep | undefined): Pick<RepeatWish, "from" | "fromRepetition" | "steps"> {
  const { action, repetition } = row.step;
  const inner = decided ? { steps: [decided] } : { from: action, fromRepetition: repetition };
  return row.calls.reduceRight((child, call) => ({ steps: [{ action: call.action, repetition: call.repetition, child }] }), inner as Pick<RepeatWish, "from" | "fromRepetition" | "steps">);
}
