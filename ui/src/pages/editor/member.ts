import { find, type JsonNode } from "./json_text";

export interface Edit {
  from: number;
  to: number;
  text: string;
}

/** The blanks at the beginning of the line of a place. */
function indentAt(source: string, place: number): string {
  const line = source.slice(source.lastIndexOf("\n", place - 1) + 1, place);
  return /^[ \t]*/.exec(line)?.[0] ?? "";
}

function append(source: string, object: JsonNode, member: string): Edit {
  const last = object.children.at(-1);
  if (last) {
    const onOwnLine = source.slice(object.from, last.keyRange?.from ?? last.from).includes("\n");
    return { from: last.to, to: last.to, text: onOwnLine ? `,\n${indentAt(source, last.keyRange?.from ?? last.from)}${member}` : `, ${member}` };
  }
  const indent = indentAt(source, object.from);
  return { from: object.from, to: object.to, text: `{\n${indent}  ${member}\n${indent}}` };
}

/**
 * The one change that gives `name` the value `literal` (JSON text) in the object `inside` of the object at `pointer`;
 * that object is made when it is missing. Nothing when there is no place for it.
 */
export function withMember(source: string, root: JsonNode, pointer: string, inside: string, name: string, literal: string): Edit | undefined {
  const holder = find(root, pointer);
  if (holder?.kind !== "object") return undefined;
  const member = `${JSON.stringify(name)}: ${literal}`;
  const object = holder.children.findLast((child) => child.key === inside);
  if (!object) {
    const indent = indentAt(source, holder.children.at(-1)?.keyRange?.from ?? holder.from);
    return append(source, holder, `${JSON.stringify(inside)}: {\n${indent}  ${member}\n${indent}}`);
  }
  if (object.kind !== "object") return undefined;
  const present = object.children.findLast((child) => child.key === name);
  return present ? { from: present.from, to: present.to, text: literal } : append(source, object, member);
}
