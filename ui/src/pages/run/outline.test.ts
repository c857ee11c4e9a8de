import { expect, test } from "vitest";
import type { Definition, Explanation } from "../../api/types";
import { around, buildOutline, findNode, flatten, inRunOrder, itemsOf, nextFailed, openAt, repetitionName } from "./outline";

const definition: Definition = {
  actions: {
    Last: { type: "Compose", runAfter: { Scope: ["Succeeded"] } },
    Scope: {
      type: "Scope",
      runAfter: { First: ["Succeeded"] },
      actions: {
        Loop: {
          type: "Foreach",
          actions: {
            Check: {
              type: "If",
              actions: { Order: { type: "OpenApiConnection" } },
              else: { actions: { "Odd/name": { type: "Compose" } } },
            },
          },
        },
      },
    },
    First: { type: "Compose" },
    Choose: {
      type: "Switch",
      runAfter: { Last: ["Succeeded"] },
      cases: { A: { actions: { In_A: { type: "Compose" } } }, Empty: { actions: {} } },
      default: { actions: { Otherwise: { type: "Compose" } } },
    },
  },
};

test("steps stand in the order they run, whatever the document's order", () => {
  expect(inRunOrder(definition.actions ?? {})).toEqual(["First", "Scope", "Last", "Choose"]);
});

test("a circle in run after loses no step and ends", () => {
  expect(inRunOrder({ A: { type: "X", runAfter: { B: [] } }, B: { type: "X", runAfter: { A: [] } } }).sort()).toEqual(["A", "B"]);
});

test("a step that waits for one that does not exist is still shown", () => {
  expect(inRunOrder({ A: { type: "X", runAfter: { toString: [] } } })).toEqual(["A"]);
});

test("branches are nodes, empty ones are left out", () => {
  const choose = findNode(buildOutline(definition), "Choose");
  expect(choose?.children.map((node) => [node.branch, node.name])).toEqual([["case", "A"], ["default", ""]]);
});

test("pointers and loops name the place", () => {
  const outline = buildOutline(definition);
  expect(findNode(outline, "Odd/name")).toMatchObject({
    pointer: "/actions/Scope/actions/Loop/actions/Check/else/actions/Odd~1name",
    loops: ["Loop"],
  });
  expect(findNode(outline, "Loop")?.loops).toEqual([]);
});

test("folding hides what is inside and only that", () => {
  const outline = buildOutline(definition);
  const names = (folded: string[]) => flatten(outline, new Set(folded)).map((row) => row.node.key);
  expect(names(["Scope", "Choose"])).toEqual(["First", "Scope", "Last", "Choose"]);
  expect(names([])).toContain("Order");
  expect(flatten(outline, new Set()).find((row) => row.node.key === "Order")?.depth).toBe(4);
});

test("what is around a step", () => {
  expect(around(buildOutline(definition), "Order")).toEqual(["Scope", "Loop", "Check", "Check/actions"]);
});

test("a run opens at the innermost failed step, not at the scope around it", () => {
  const outline = buildOutline(definition);
  const failed = { status: "Failed" as const };
  expect(openAt(outline, { First: { status: "Succeeded" }, Scope: failed, Loop: failed, Order: failed }, undefined)).toBe("Order");
  expect(openAt(outline, { First: { status: "Succeeded" } }, undefined)).toBe("First");
  const explained = { failure: { action: "Check" } } as Explanation;
  expect(openAt(outline, { Order: failed }, explained)).toBe("Check");
  const gone = { failure: { action: "Renamed" } } as Explanation;
  expect(openAt(outline, { Order: failed }, gone)).toBe("Order");
});

test("repetitions are six digits a loop, outermost first, and read back", () => {
  expect(repetitionName([], {})).toBeUndefined();
  expect(repetitionName(["Outer", "Inner"], { Outer: 2, Inner: 1 })).toBe("000002-000001");
  expect(repetitionName(["Outer"], {})).toBe("000000");
  expect(itemsOf("000002-000001", ["Outer", "Inner"])).toEqual({ Outer: 2, Inner: 1 });
  expect(itemsOf("rubbish", ["Outer"])).toEqual({});
});

test("the next failed item goes round", () => {
  expect(nextFailed([7, 3], 0)).toBe(3);
  expect(nextFailed([7, 3], 3)).toBe(7);
  expect(nextFailed([7, 3], 7)).toBe(3);
  expect(nextFailed([], 7)).toBeUndefined();
});

test("a definition that is not one gives no steps", () => {
  expect(buildOutline(undefined)).toEqual([]);
  expect(buildOutline({ actions: { A: null } } as unknown as Definition)).toEqual([]);
});
