import { find, type JsonNode, pointerAt } from "./json_text";

/** A connector step as far as choosing values needs it. */
export interface Step {
  name: string;
  pointer: string;
  api: string;
  operationId: string;
  connectionKey: string;
  /** The flat parameters as they stand, as JSON text: numbers stay what they are. */
  parameters: string;
}

function textOf(source: string, node: JsonNode | undefined, ...path: string[]): string | undefined {
  const found = path.reduce<JsonNode | undefined>((at, key) => at?.children.findLast((child) => child.key === key), node);
  return found?.kind === "string" ? (JSON.parse(source.slice(found.from, found.to)) as string) : undefined;
}

/** The innermost connector step (action or trigger) around a place; nothing elsewhere. */
export function stepAt(source: string, root: JsonNode, place: number): Step | undefined {
  for (let pointer = pointerAt(root, place); pointer !== ""; pointer = pointer.slice(0, pointer.lastIndexOf("/"))) {
    const node = find(root, pointer);
    const inputs = node?.kind === "object" ? node.children.findLast((child) => child.key === "inputs") : undefined;
    const operationId = textOf(source, inputs, "host", "operationId");
    if (!node || !inputs || operationId === undefined) continue;
    const api = textOf(source, inputs, "host", "apiId")?.split("/").pop();
    const connectionKey = textOf(source, inputs, "host", "connectionName") ?? textOf(source, inputs, "host", "connection", "referenceName");
    if (!api || !connectionKey) return undefined;
    const parameters = inputs.children.findLast((child) => child.key === "parameters");
    return { name: node.key ?? operationId, pointer, api, operationId, connectionKey, parameters: parameters?.kind === "object" ? source.slice(parameters.from, parameters.to) : "{}" };
  }
  return undefined;
}
