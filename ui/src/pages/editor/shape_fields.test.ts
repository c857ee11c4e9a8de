import { expect, test } from "vitest";
import { shapeFields } from "./shape_fields";

test("fields are named as flat parameters are, required ones first, those of the service alone left out", () => {
  const fields = shapeFields({
    required: ["Title", "address"],
    properties: {
      Note: { type: "string", title: "A note" },
      Title: { type: "string" },
      ID: { type: "integer", readOnly: true },
      secret: { type: "string", "x-ms-visibility": "internal" },
      count: { type: ["null", "integer"] },
      on: { type: "boolean", default: true },
      address: { type: "object", required: ["city"], properties: { city: { type: "string", "x-ms-summary": "City" }, zip: {} } },
    },
  });
  expect(fields).toEqual([
    { path: "Title", title: "Title", required: true, empty: '""' },
    { path: "address/city", title: "City", required: true, empty: '""' },
    { path: "Note", title: "A note", required: false, empty: '""' },
    { path: "count", title: "count", required: false, empty: "0" },
    { path: "on", title: "on", required: false, empty: "true" },
    { path: "address/zip", title: "zip", required: false, empty: '""' },
  ]);
});

test("what is no schema has no fields, and endless ones end", () => {
  for (const odd of [null, 1, "x", [], {}, { properties: { a: null, b: 7 } }]) expect(shapeFields(odd)).toEqual([]);
  const many = { properties: Object.fromEntries(Array.from({ length: 900 }, (_, i) => [`f${i}`, {}])) };
  expect(shapeFields(many).length).toBe(500);
});
