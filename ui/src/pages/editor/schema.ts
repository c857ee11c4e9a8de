/** What a JSON schema says about one place of a document: names that can stand there, values, and a sentence about it. */

interface Schema {
  $ref?: string;
  title?: string;
  description?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, Schema | boolean>;
  patternProperties?: Record<string, Schema | boolean>;
  additionalProperties?: Schema | boolean;
  items?: Schema | Schema[] | boolean;
  allOf?: Schema[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  if?: Schema;
  then?: Schema;
  else?: Schema;
}

export interface Place {
  /** The alternatives that apply, references followed. */
  schemas: Schema[];
}

const isSchema = (value: unknown): value is Schema => typeof value === "object" && value !== null && !Array.isArray(value);

function follow(root: Schema, pointer: string): Schema | undefined {
  if (!pointer.startsWith("#")) return undefined;
  let at: unknown = root;
  for (const token of pointer.slice(1).split("/").slice(1)) {
    const key = decodeURIComponent(token).replaceAll("~1", "/").replaceAll("~0", "~");
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return isSchema(at) ? at : undefined;
}

/** A schema and all that it is made of. A circle of references ends by having been seen. */
function expand(root: Schema, schema: unknown, seen = new Set<Schema>()): Schema[] {
  if (!isSchema(schema) || seen.has(schema)) return [];
  seen.add(schema);
  const parts = [...(schema.allOf ?? []), ...(schema.anyOf ?? []), ...(schema.oneOf ?? []), schema.then, schema.else];
  if (schema.$ref) parts.push(follow(root, schema.$ref));
  return [schema, ...parts.flatMap((part) => expand(root, part, seen))];
}

/** Goes down the pointer. Where alternatives exist, all are followed: help may offer too much, never too little. */
export function placeOf(root: unknown, pointer: string): Place {
  if (!isSchema(root)) return { schemas: [] };
  let schemas = expand(root, root);
  for (const raw of pointer.split("/").slice(1)) {
    const token = raw.replaceAll("~1", "/").replaceAll("~0", "~");
    const seen = new Set<Schema>();
    schemas = schemas.flatMap((schema) => {
      const next: unknown[] = [];
      if (schema.properties && Object.hasOwn(schema.properties, token)) next.push(schema.properties[token]);
      else {
        for (const [pattern, inside] of Object.entries(schema.patternProperties ?? {})) if (matches(pattern, token)) next.push(inside);
        if (next.length === 0 && schema.additionalProperties) next.push(schema.additionalProperties);
      }
      if (/^\d+$/.test(token) && schema.items) next.push(...(Array.isArray(schema.items) ? schema.items : [schema.items]));
      return next.flatMap((inside) => expand(root, inside, seen));
    });
  }
  return { schemas };
}

function matches(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return false;
  }
}

export const aboutPlace = (place: Place): string | undefined => place.schemas.find((schema) => schema.description)?.description;

export interface Suggestion {
  name: string;
  about?: string;
}

export function namesAt(root: unknown, place: Place): Suggestion[] {
  const found = new Map<string, Suggestion>();
  for (const schema of place.schemas)
    for (const [name, inside] of Object.entries(schema.properties ?? {}))
      if (!found.get(name)?.about) found.set(name, { name, about: isSchema(root) ? aboutPlace({ schemas: expand(root, inside) }) : undefined });
  return [...found.values()];
}

export function valuesAt(place: Place): string[] {
  const found = new Set<string>();
  for (const schema of place.schemas) {
    for (const value of schema.enum ?? []) found.add(JSON.stringify(value));
    if (schema.const !== undefined) found.add(JSON.stringify(schema.const));
    if (schema.type === "boolean") found.add("true").add("false");
  }
  return [...found];
}
