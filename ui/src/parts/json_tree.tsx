import { Button, Input } from "@fluentui/react-components";
import { useDeferredValue, useMemo, useState } from "react";
import { text } from "../text";
import { CopyButton, DownloadButton } from "./copy";
import { ChevronDownRegular, ChevronRightRegular, SearchRegular } from "./icons";

const childrenAtOnce = 100;
const searchFromCharacters = 400;

type Json = unknown;

const isContainer = (value: Json): value is object => typeof value === "object" && value !== null;

function entries(value: object): [string, Json][] {
  return Array.isArray(value) ? value.map((item, index) => [String(index), item]) : Object.entries(value);
}

function Leaf({ value }: { value: Json }) {
  const kind = value === null ? "null" : typeof value;
  return <span className={`json-${kind} breakable`}>{kind === "string" ? JSON.stringify(value) : String(value)}</span>;
}

/** How many names and values hold the text; also the set of containers that lead to one. */
function find(value: Json, wanted: string): { count: number; open: Set<object> } {
  const open = new Set<object>();
  const visit = (name: string, at: Json): number => {
    let found = name.toLowerCase().includes(wanted) ? 1 : 0;
    if (isContainer(at)) {
      let inside = 0;
      for (const [key, child] of entries(at)) inside += visit(Array.isArray(at) ? "" : key, child);
      if (inside > 0) open.add(at);
      found += inside;
    } else if (String(at).toLowerCase().includes(wanted)) found += 1;
    return found;
  };
  return { count: visit("", value), open };
}

function Node(props: { name?: string; value: Json; depth: number; found: Set<object> | undefined; wanted: string }) {
  const { name, value, depth, found, wanted } = props;
  const [open, setOpen] = useState(depth < 2);
  const [shown, setShown] = useState(childrenAtOnce);
  const marked = wanted !== "" && (name?.toLowerCase().includes(wanted) || (!isContainer(value) && String(value).toLowerCase().includes(wanted)));
  const label = name !== undefined && <span className="json-key breakable">{name}</span>;
  if (!isContainer(value))
    return (
      <div className={marked ? "json-line json-marked" : "json-line"}>
        <span className="json-gap" />
        {label}
        {label && ": "}
        <Leaf value={value} />
      </div>
    );
  const all = entries(value);
  const isOpen = open || (found?.has(value) ?? false);
  const summary = Array.isArray(value) ? `[${all.length}]` : `{${all.length}}`;
  return (
    <div>
      <button type="button" className={marked ? "json-line json-fold json-marked" : "json-line json-fold"} aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
        {isOpen ? <ChevronDownRegular aria-hidden /> : <ChevronRightRegular aria-hidden />}
        {label}
        {label && " "}
        <span className="json-count">{summary}</span>
      </button>
      {isOpen && (
        <div className="json-children">
          {all.slice(0, shown).map(([key, child]) => (
            <Node key={key} name={key} value={child} depth={depth + 1} found={found} wanted={wanted} />
          ))}
          {all.length > shown && (
            <Button size="small" appearance="subtle" onClick={() => setShown(shown + childrenAtOnce * 5)}>
              {text.common.loadMore} ({all.length - shown})
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

/** A recorded value: a tree to fold, search, copy and download. `source` is its text as recorded. */
export function JsonTree({ source, name }: { source: string; name: string }) {
  const [search, setSearch] = useState("");
  const wanted = useDeferredValue(search.trim().toLowerCase());
  const value = useMemo<Json>(() => {
    try {
      return JSON.parse(source) as Json;
    } catch {
      return source;
    }
  }, [source]);
  const found = useMemo(() => (wanted === "" ? undefined : find(value, wanted)), [value, wanted]);
  const pretty = useMemo(() => (typeof value === "string" ? value : JSON.stringify(value, null, 2)), [value]);
  return (
    <div className="json">
      <div className="json-tools">
        {source.length > searchFromCharacters && (
          <Input
            size="small"
            type="search"
            aria-label={text.run.search}
            placeholder={text.run.search}
            contentBefore={<SearchRegular />}
            value={search}
            onChange={(_, data) => setSearch(data.value)}
          />
        )}
        {found && <span role="status">{text.run.matches(found.count)}</span>}
        <span className="json-tools-end">
          <CopyButton value={pretty} />
          <DownloadButton value={pretty} name={`${name}.json`} type="application/json" />
        </span>
      </div>
      <div className="json-tree" tabIndex={0} role="region" aria-label={name}>
        {typeof value === "string" && !source.startsWith('"') ? (
          <pre className="json-text">{value}</pre>
        ) : (
          <Node value={value} depth={0} found={found?.open} wanted={wanted} />
        )}
      </div>
    </div>
  );
}
