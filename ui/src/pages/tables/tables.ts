import { words } from "./words";

export interface Column {
  name: string;
  title?: string;
  type: string;
  required: boolean;
  choices?: string[];
}
export interface Table {
  name: string;
  title: string;
  description: string;
  idColumn: string;
  open: boolean;
  columns: Column[];
  rows: number;
}
export type Row = Record<string, unknown>;

/** Columns as a person writes them, one a line: `amount number !`, `state choice: open | done`. */
export function parseColumns(lines: string): Column[] {
  return lines
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
    .map((line) => {
      const required = line.endsWith("!");
      const rest = required ? line.slice(0, -1).trim() : line;
      const [name = "", ...others] = rest.split(/\s+/);
      const kind = others.join(" ").toLowerCase().startsWith("choice:") ? "choice" : (others[0] ?? "text").toLowerCase();
      const choices =
        kind === "choice"
          ? others
              .join(" ")
              .slice("choice:".length)
              .split("|")
              .map((one) => one.trim())
              .filter((one) => one !== "")
          : undefined;
      return { name, type: kind, required, choices };
    });
}

/** What a form's text means for a column; nothing when it is empty. */
export function valueOf(column: Column, input: string): unknown {
  if (input.trim() === "") return null;
  if (column.type === "json") return JSON.parse(input) as unknown;
  return input;
}

export function textOf(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export const rowId = (table: Table, row: Row) => textOf(row[table.idColumn]);
export const address = (table: string, row?: string) =>
  `/api/v1/tables/${encodeURIComponent(table)}${row === undefined ? "" : `/rows/${encodeURIComponent(row)}`}`;
export const label = (column: Column) => column.title || column.name;
export { words };
