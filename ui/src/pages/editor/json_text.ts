/**
 * JSON as text with places: where a pointer's value stands, which pointer stands at a place, and a layout that changes
 * nothing but white space. Numbers are never read as numbers, so what a maker wrote (1.0, 20 digits) stays as it is.
 */

export interface Range {
  from: number;
  to: number;
}

export interface JsonNode extends Range {
  kind: "object" | "array" | "string" | "literal";
  /** Of a member of an object: its name, and where that stands (quotes included). */
  key?: string;
  keyRange?: Range;
  children: JsonNode[];
}

export class JsonTextError extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

const depthMax = 200;
const space = /[ \t\r\n]*/y;
const string = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const literal = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;

/** Reads a document into places. Throws JsonTextError at the first place that isn't JSON. */
export function parse(source: string): JsonNode {
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(source)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const shown = () => (at >= source.length ? "the end" : `"${source.slice(at, at + 12).split("\n")[0]}"`);
  const fail = (wanted: string): never => {
    throw new JsonTextError(`expected ${wanted}, found ${shown()}`, at);
  };
  const value = (depth: number): JsonNode => {
    if (depth > depthMax) throw new JsonTextError("it is nested too deeply", at);
    match(space);
    const from = at;
    const first = source[at];
    if (first === "{" || first === "[") {
      const isObject = first === "{";
      const close = isObject ? "}" : "]";
      at += 1;
      const children: JsonNode[] = [];
      match(space);
      if (source[at] === close) at += 1;
      else
        for (;;) {
          match(space);
          let key: string | undefined;
          let keyRange: Range | undefined;
          if (isObject) {
            const keyFrom = at;
            const name = match(string);
            if (name === undefined) return fail("a name in quotes");
            key = JSON.parse(name) as string;
            keyRange = { from: keyFrom, to: at };
            match(space);
            if (source[at] !== ":") return fail('":"');
            at += 1;
          }
          children.push({ ...value(depth + 1), key, keyRange });
          match(space);
          if (source[at] === ",") {
            at += 1;
            continue;
          }
          if (source[at] !== close) return fail(`"," or "${close}"`);
          at += 1;
          break;
        }
      return { kind: isObject ? "object" : "array", from, to: at, children };
    }
    if (first === '"') {
      if (match(string) === undefined) throw new JsonTextError("this text has no end, or holds a character that must be escaped", at);
      return { kind: "string", from, to: at, children: [] };
    }
    const found = match(literal);
    if (found === undefined || found === "") return fail("a value");
    return { kind: "literal", from, to: at, children: [] };
  };
  const root = value(0);
  match(space);
  if (at < source.length) fail("nothing more");
  return root;
}

const unescape = (token: string) => token.replaceAll("~1", "/").replaceAll("~0", "~");
export const escapeToken = (token: string) => token.replaceAll("~", "~0").replaceAll("/", "~1");

/** The value at a JSON pointer; with `nearest`, the innermost one that is there. Of doubled names the last counts. */
export function find(root: JsonNode, pointer: string, nearest = false): JsonNode | undefined {
  let node = root;
  for (const raw of pointer.split("/").slice(1)) {
    const token = unescape(raw);
    const next = node.kind === "array" ? node.children[Number(token)] : node.children.findLast((child) => child.key === token);
    if (!next) return nearest ? node : undefined;
    node = next;
  }
  return node;
}

/** The pointer of an action by its name, wherever it is nested: names are unique in a definition. */
export function findAction(root: JsonNode, name: string): string | undefined {
  const visit = (node: JsonNode, pointer: string): string | undefined => {
    for (const [index, child] of node.children.entries()) {
      const here = `${pointer}/${escapeToken(child.key ?? String(index))}`;
      if (node.key === "actions" && node.kind === "object" && child.key === name) return here;
      // Inputs may hold anything, also an object called actions.
      if (child.key === "inputs") continue;
      const inside = visit(child, here);
      if (inside !== undefined) return inside;
    }
    return undefined;
  };
  return visit(root, "");
}

/** The text that a string value stands for, and for each of its characters (UTF-16) where it stands in the source. */
export function stringPlaces(source: string, node: Range): { value: string; places: number[] } {
  const places: number[] = [];
  let value = "";
  for (let at = node.from + 1; at < node.to - 1; ) {
    const length = source[at] !== "\\" ? 1 : source[at + 1] === "u" ? 6 : 2;
    places.push(at);
    value += length === 1 ? source[at] : (JSON.parse(`"${source.slice(at, at + length)}"`) as string);
    at += length;
  }
  places.push(node.to - 1);
  return { value, places };
}

/** UTF-16 index of a UTF-8 byte offset: the server counts bytes. */
export function indexOfByte(value: string, byte: number): number {
  let bytes = 0;
  let index = 0;
  for (const character of value) {
    if (bytes >= byte) break;
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    index += character.length;
  }
  return index;
}

/** Where a finding stands: the part of the string that it names, else its value, else the innermost part that is there. */
export function findingRange(source: string, root: JsonNode, finding: { pointer: string; begin?: number; end?: number }): Range {
  const node = find(root, finding.pointer, true) ?? root;
  const exact = find(root, finding.pointer) !== undefined;
  if (exact && node.kind === "string" && (finding.end ?? 0) > (finding.begin ?? 0)) {
    const { value, places } = stringPlaces(source, node);
    const from = places[indexOfByte(value, finding.begin ?? 0)];
    const to = places[indexOfByte(value, finding.end ?? 0)];
    if (from !== undefined && to !== undefined && to > from) return { from, to };
  }
  // A whole object underlined would be a wall of red: its name is enough.
  if ((node.kind === "object" || node.kind === "array") && node.keyRange) return node.keyRange;
  if (node === root) return { from: root.from, to: Math.min(root.to, root.from + 1) };
  return { from: node.from, to: node.to };
}

/** The pointer of the innermost value around a place. Tolerates nothing: the text must be JSON. */
export function pointerAt(root: JsonNode, place: number): string {
  let node = root;
  let pointer = "";
  for (;;) {
    const index = node.children.findIndex((child) => (child.keyRange?.from ?? child.from) <= place && place <= child.to);
    const child = node.children[index];
    if (!child) return pointer;
    pointer += `/${escapeToken(child.key ?? String(index))}`;
    node = child;
  }
}

/** The same document with line breaks and two spaces a level. Every value stays letter for letter as it was. */
export function format(source: string): string {
  const out: string[] = [];
  const write = (node: JsonNode, indent: string) => {
    if (node.kind === "string" || node.kind === "literal") {
      out.push(source.slice(node.from, node.to));
      return;
    }
    const [open, close] = node.kind === "object" ? ["{", "}"] : ["[", "]"];
    if (node.children.length === 0) {
      out.push(open, close);
      return;
    }
    const inner = `${indent}  `;
    out.push(open);
    node.children.forEach((child, index) => {
      out.push(index === 0 ? "\n" : ",\n", inner);
      if (child.keyRange) out.push(source.slice(child.keyRange.from, child.keyRange.to), ": ");
      write(child, inner);
    });
    out.push("\n", indent, close);
  };
  write(parse(source), "");
  return out.join("");
}

/** Line and column, from 1, of a place. */
export function lineAndColumn(source: string, place: number): { line: number; column: number } {
  const before = source.slice(0, place);
  const line = before.split("\n").length;
  return { line, column: place - (before.lastIndexOf("\n") + 1) + 1 };
}
