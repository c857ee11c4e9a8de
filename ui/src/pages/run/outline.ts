import type { ActionDefinition, ActionRecord, Definition, Explanation, Status } from "../../api/types";

/**
 * The steps of a run as a tree, in the order they run. A branch (yes, no, a case) is a node of its own: it has a name for
 * people but no record of its own.
 */
export interface OutlineNode {
  /** Unique in the outline: an action's name, or the branch's place. Names of actions are unique in a definition. */
  key: string;
  kind: "action" | "branch";
  name: string;
  branch?: "yes" | "no" | "case" | "default";
  action?: ActionDefinition;
  /** Where the action stands in the definition. */
  pointer: string;
  /** The loops around it, outermost first. */
  loops: string[];
  children: OutlineNode[];
}

export interface Row {
  node: OutlineNode;
  depth: number;
  open: boolean | undefined;
}

const escape = (name: string) => name.replaceAll("~", "~0").replaceAll("/", "~1");

export const isLoop = (action: ActionDefinition | undefined): boolean => {
  const type = action?.type.toLowerCase();
  return type === "foreach" || type === "until";
};

/** Steps in the order of their "run after": a step never stands before one it waits for; equals keep the document's order. */
export function inRunOrder(actions: Record<string, ActionDefinition>): string[] {
  const names = Object.keys(actions);
  const done = new Set<string>();
  const order: string[] = [];
  const visit = (name: string, path: Set<string>) => {
    if (done.has(name) || path.has(name)) return;
    path.add(name);
    for (const before of Object.keys(actions[name]?.runAfter ?? {})) if (Object.hasOwn(actions, before)) visit(before, path);
    path.delete(name);
    if (!done.has(name)) {
      done.add(name);
      order.push(name);
    }
  };
  for (const name of names) visit(name, new Set());
  return order;
}

function build(actions: Record<string, ActionDefinition> | undefined, at: string, loops: string[], depth: number): OutlineNode[] {
  // Definitions are at most 8 deep; a hostile one must not overflow the stack.
  if (!actions || depth > 64) return [];
  return inRunOrder(actions).flatMap((name) => {
    const action = actions[name];
    if (!action || typeof action !== "object") return [];
    const pointer = `${at}/${escape(name)}`;
    const inner = isLoop({ ...action, type: String(action.type ?? "") }) ? [...loops, name] : loops;
    const below = (inside: Record<string, ActionDefinition> | undefined, place: string) => build(inside, `${pointer}/${place}`, inner, depth + 1);
    const branch = (kind: OutlineNode["branch"], label: string, place: string, children: OutlineNode[]): OutlineNode => ({
      key: `${name}/${place}`, kind: "branch", name: label, branch: kind, pointer: `${pointer}/${place}`, loops: inner, children,
    });
    let children: OutlineNode[];
    switch (String(action.type ?? "").toLowerCase()) {
      case "if":
        children = [
          branch("yes", "", "actions", below(action.actions, "actions")),
          branch("no", "", "else", below(action.else?.actions, "else/actions")),
        ].filter((node) => node.children.length > 0);
        break;
      case "switch":
        children = [
          ...Object.entries(action.cases ?? {}).map(([key, value]) =>
            branch("case", key, `cases/${escape(key)}`, below(value?.actions, `cases/${escape(key)}/actions`)),
          ),
          branch("default", "", "default", below(action.default?.actions, "default/actions")),
        ].filter((node) => node.children.length > 0);
        break;
      default:
        children = below(action.actions, "actions");
    }
    return [{ key: name, kind: "action" as const, name, action, pointer, loops, children }];
  });
}

export const buildOutline = (definition: Definition | undefined): OutlineNode[] => build(definition?.actions, "/actions", [], 0);

/** The rows on the screen: what is folded is left out. */
export function flatten(nodes: OutlineNode[], folded: ReadonlySet<string>, depth = 0): Row[] {
  return nodes.flatMap((node) => {
    const open = node.children.length === 0 ? undefined : !folded.has(node.key);
    const row: Row = { node, depth, open };
    return open ? [row, ...flatten(node.children, folded, depth + 1)] : [row];
  });
}

export function findNode(nodes: OutlineNode[], name: string): OutlineNode | undefined {
  for (const node of nodes) {
    if (node.kind === "action" && node.name === name) return node;
    const inside = findNode(node.children, name);
    if (inside) return inside;
  }
  return undefined;
}

/** What has to be unfolded for a step to be seen: the keys of all that is around it. */
export function around(nodes: OutlineNode[], name: string): string[] {
  for (const node of nodes) {
    if (node.kind === "action" && node.name === name) return [];
    if (findNode(node.children, name)) return [node.key, ...around(node.children, name)];
  }
  return [];
}

const bad: ReadonlySet<Status> = new Set<Status>(["Failed", "TimedOut", "Faulted", "Aborted"]);

/** The step to open at: the one explained, else the innermost failed one, else the first. */
export function openAt(nodes: OutlineNode[], records: Record<string, ActionRecord>, explanation: Explanation | undefined): string | undefined {
  const explained = explanation?.failure.action;
  if (explained && findNode(nodes, explained)) return explained;
  const first = (list: OutlineNode[], wanted: (status: Status) => boolean): string | undefined => {
    for (const node of list) {
      const inner = first(node.children, wanted);
      if (inner) return inner;
      const status = node.kind === "action" ? records[node.name]?.status : undefined;
      if (status && wanted(status)) return node.name;
    }
    return undefined;
  };
  return first(nodes, (status) => bad.has(status)) ?? first(nodes, (status) => status === "Waiting") ?? nodes.find((node) => node.kind === "action")?.name;
}

/** Which item of each loop is looked at. A loop that is not named is at its first. */
export type Items = Readonly<Record<string, number>>;

/** A repetition's name: six digits for each loop around, outermost first; nothing outside of loops. */
export function repetitionName(loops: string[], items: Items): string | undefined {
  if (loops.length === 0) return undefined;
  return loops.map((loop) => String(items[loop] ?? 0).padStart(6, "0")).join("-");
}

/** The items that a repetition's name stands for. */
export function itemsOf(repetition: string | undefined, loops: string[]): Items {
  if (!repetition) return {};
  const numbers = repetition.split("-").map(Number);
  return Object.fromEntries(
    loops.flatMap((loop, index) => {
      const number = numbers[index];
      return number !== undefined && Number.isInteger(number) ? [[loop, number] as const] : [];
    }),
  );
}

/** The next failed item after the current one, round the end; nothing when none failed. */
export function nextFailed(failed: readonly number[], current: number): number | undefined {
  const sorted = [...failed].sort((a, b) => a - b);
  return sorted.find((index) => index > current) ?? sorted[0];
}
