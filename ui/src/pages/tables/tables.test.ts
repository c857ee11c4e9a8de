import { expect, test } from "vitest";
import { parseColumns, valueOf } from "./tables";

test("columns are read one a line", () => {
  expect(parseColumns("title !\n\namount number\nstate choice: open | done !")).toEqual([
    { name: "title", type: "text", required: true, choices: undefined },
    { name: "amount", type: "number", required: false, choices: undefined },
    { name: "state", type: "choice", required: true, choices: ["open", "done"] },
  ]);
});

test("an empty field is no value, JSON is read", () => {
  expect(valueOf({ name: "a", type: "text", required: false }, " ")).toBeNull();
  expect(valueOf({ name: "a", type: "json", required: false }, '{"b":1}')).toEqual({ b: 1 });
  expect(() => valueOf({ name: "a", type: "json", required: false }, "{")).toThrow();
});
