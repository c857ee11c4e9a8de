import { expect, test } from "vitest";
import { aboutPlace, namesAt, placeOf, valuesAt } from "./schema";

const schema = {
  type: "object",
  properties: { actions: { $ref: "#/$defs/actions" } },
  $defs: {
    actions: { type: "object", description: "The steps.", additionalProperties: { $ref: "#/$defs/action" } },
    action: {
      oneOf: [
        { properties: { type: { const: "Http" }, inputs: { properties: { method: { enum: ["GET", "POST"], description: "The verb." } } } } },
        { properties: { type: { const: "Scope" }, actions: { $ref: "#/$defs/actions" } } },
      ],
    },
    circle: { allOf: [{ $ref: "#/$defs/circle" }] },
  },
};

test("names come from every alternative, through references", () => {
  expect(namesAt(schema, placeOf(schema, "/actions/A")).map((one) => one.name).sort()).toEqual(["actions", "inputs", "type"]);
  expect(namesAt(schema, placeOf(schema, "/actions/A/actions/B")).map((one) => one.name)).toContain("inputs");
});

test("values and descriptions", () => {
  expect(valuesAt(placeOf(schema, "/actions/A/type"))).toEqual(['"Http"', '"Scope"']);
  expect(valuesAt(placeOf(schema, "/actions/A/inputs/method"))).toEqual(['"GET"', '"POST"']);
  expect(aboutPlace(placeOf(schema, "/actions/A/inputs/method"))).toBe("The verb.");
});

test("circles, missing references and things that are no schema end quietly", () => {
  expect(placeOf({ $ref: "#/$defs/circle", ...schema }, "").schemas.length).toBeGreaterThan(0);
  expect(placeOf({ $ref: "#/nowhere" }, "/a").schemas).toEqual([]);
  expect(placeOf({ additionalProperties: true, patternProperties: { "(": {} } }, "/a").schemas).toEqual([]);
  expect(placeOf(undefined, "/a").schemas).toEqual([]);
});
