/** The fields of a shape that a service told (a JSON schema), as a step's flat parameters name them. */

export interface ShapeField {
  /** Below the parameter that has the shape: `Title`, `address/city`. */
  path: string;
  title: string;
  required: boolean;
  /** JSON text of an empty value of its type. */
  empty: string;
}

interface Schema {
  type?: string | string[];
  title?: string;
  default?: unknown;
  readOnly?: boolean;
  required?: string[] | boolean;
  properties?: Record<string, Schema>;
  "x-ms-summary"?: string;
  "x-ms-visibility"?: string;
}

const depthMax = 4;
const fieldsMax = 500;
const emptyOf: Record<string, string> = { integer: "0", number: "0", boolean: "false", array: "[]", object: "{}" };

export function shapeFields(schema: unknown): ShapeField[] {
  const out: ShapeField[] = [];
  const visit = (at: Schema, prefix: string, needed: boolean, depth: number) => {
    for (const [name, property] of Object.entries(at.properties ?? {})) {
      if (typeof property !== "object" || property === null || out.length >= fieldsMax) continue;
      if (property["x-ms-visibility"] === "internal" || property.readOnly) continue;
      const path = prefix + name;
      const required = needed && Array.isArray(at.required) && at.required.includes(name);
      if (property.properties && depth < depthMax) {
        visit(property, `${path}/`, required, depth + 1);
        continue;
      }
      const type = Array.isArray(property.type) ? property.type.find((one) => one !== "null") : property.type;
      out.push({ path, title: property["x-ms-summary"] ?? property.title ?? name, required, empty: property.default === undefined ? (emptyOf[type ?? ""] ?? '""') : JSON.stringify(property.default) });
    }
  };
  if (typeof schema === "object" && schema !== null) visit(schema, "", true, 0);
  return out.sort((a, b) => Number(b.required) - Number(a.required));
}
