import { Button } from "@fluentui/react-components";
import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, useEffect, useRef } from "react";
import { useFailedItems, useRepetition } from "../../api/queries";
import type { ActionRecord, RunTrigger } from "../../api/types";
import { ChevronDownRegular, ChevronLeftRegular, ChevronRightRegular, FlashRegular } from "../../parts/icons";
import { StatusIcon, statusWord } from "../../parts/status";
import { displayName, duration, span } from "../../parts/time";
import { text } from "../../text";
import { isLoop, type Items, nextFailed, type OutlineNode, repetitionName, type Row } from "./outline";

export interface StepsProps {
  flow: string;
  run: string;
  trigger: RunTrigger | undefined;
  rows: Row[];
  records: Record<string, ActionRecord>;
  items: Items;
  /** The selected step's name; the trigger is selected by `triggerKey`. */
  selected: string | undefined;
  onSelect: (name: string) => void;
  onFold: (key: string) => void;
  onItem: (loop: string, index: number) => void;
}

export const triggerKey = "\0trigger";
const rowHeight = 44;
const pagerHeight = 34;

/** A loop that ran has a second line: where among its items we are. */
const hasPager = (row: Row, records: Record<string, ActionRecord>) => isLoop(row.node.action) && records[row.node.name] !== undefined && records[row.node.name]?.status !== "Skipped";

const branchName = (node: OutlineNode): string =>
  node.branch === "yes" ? text.run.yes : node.branch === "no" ? text.run.no : node.branch === "default" ? text.run.default : text.run.case(displayName(node.name));

const stepLabel = (record: ActionRecord | undefined, name: string): string =>
  record ? (record.status === "Failed" ? text.run.failedNamed(name) : text.run.statusNamed(statusWord(record.status), name)) : text.run.statusNamed(text.status.NotSpecified, name);

/** The record of a step: the run's own, or that of the item looked at when the step is in a loop. */
export function useRecord(flow: string, run: string, node: OutlineNode | undefined, records: Record<string, ActionRecord>, items: Items) {
  const repetition = node ? repetitionName(node.loops, items) : undefined;
  const asked = useRepetition(flow, run, node?.name ?? "", node?.kind === "action" ? repetition : undefined);
  if (repetition === undefined) return { record: node ? records[node.name] : undefined, repetition, loading: false };
  return { record: asked.data?.properties, repetition, loading: asked.isPending };
}

/** The loop's items: where we are, one step either way, and the jump to what failed. */
function ItemPager(props: { flow: string; run: string; node: OutlineNode; record: ActionRecord; index: number; nested: boolean; onItem: (index: number) => void }) {
  const { node, record, index, onItem } = props;
  const count = record.repetitionCount ?? record.iterationCount ?? 0;
  // Failed items are listed by the server for outermost loops; inside another loop the list would mix its items.
  const failed = useFailedItems(props.flow, props.run, node.name, !props.nested && record.status === "Failed");
  if (count === 0) return <span className="pager pager-none">{text.run.noItems}</span>;
  const indexes = failed.data?.value.map((item) => Number(item.name)).filter(Number.isInteger) ?? [];
  const next = nextFailed(indexes, index);
  const name = displayName(node.name);
  const isUntil = node.action?.type.toLowerCase() === "until";
  return (
    <span className="pager" role="group" aria-label={text.run.itemOf(name)}>
      <Button size="small" appearance="subtle" icon={<ChevronLeftRegular />} aria-label={text.run.previousItem} disabled={index <= 0} onClick={() => onItem(index - 1)} />
      <span aria-live="polite">{isUntil ? text.run.iteration(index + 1, count) : text.run.item(index + 1, count)}</span>
      <Button size="small" appearance="subtle" icon={<ChevronRightRegular />} aria-label={text.run.nextItem} disabled={index + 1 >= count} onClick={() => onItem(index + 1)} />
      {next !== undefined && (
        <Button size="small" appearance="subtle" className="tone-bad" disabled={next === index} onClick={() => onItem(next)}>
          {text.run.nextFailed}
        </Button>
      )}
    </span>
  );
}

/** One step. The button is called "{status}: {name}" and covers the row; what stands beside the name is read after it. */
function StepButton(props: { icon: ReactNode; label: string; named: string; facts: string; selected: boolean; failed: boolean; onSelect: () => void }) {
  return (
    <div className={`step ${props.selected ? "step-selected" : ""} ${props.failed ? "step-failed" : ""}`}>
      {props.icon}
      <button type="button" className="step-name" aria-label={props.named} aria-current={props.selected ? "step" : undefined} data-step onClick={props.onSelect}>
        {props.label}
      </button>
      <span className="step-facts">{props.facts}</span>
    </div>
  );
}

function StepRow({ row, props }: { row: Row; props: StepsProps }) {
  const { node, depth, open } = row;
  const { record } = useRecord(props.flow, props.run, node, props.records, props.items);
  const label = node.kind === "branch" ? branchName(node) : displayName(node.name);
  const took = duration(span(record?.startTime, record?.endTime));
  const indent = { paddingInlineStart: `calc(${depth} * var(--step-indent))` };
  return (
    <>
    <div className="step-row" style={indent}>
      {open === undefined ? (
        <span className="step-fold" />
      ) : (
        <button type="button" className="step-fold" aria-expanded={open} aria-label={open ? text.run.collapse(label) : text.run.expand(label)} onClick={() => props.onFold(node.key)}>
          {open ? <ChevronDownRegular aria-hidden /> : <ChevronRightRegular aria-hidden />}
        </button>
      )}
      {node.kind === "branch" ? (
        <span className="step-branch">{label}</span>
      ) : (
        <StepButton
          icon={<StatusIcon status={record?.status ?? "NotSpecified"} />}
          label={label}
          named={stepLabel(record, label)}
          facts={record?.status === "Succeeded" ? took : [record ? statusWord(record.status) : "", took].filter(Boolean).join(" · ")}
          selected={props.selected === node.name}
          failed={record?.status === "Failed"}
          onSelect={() => props.onSelect(node.name)}
        />
      )}
    </div>
      {record && hasPager(row, props.records) && (
        <div className="pager-row" style={indent}>
        <ItemPager flow={props.flow} run={props.run} node={node} record={record} index={props.items[node.name] ?? 0} nested={node.loops.length > 0} onItem={(index) => props.onItem(node.name, index)} />
        </div>
      )}
    </>
  );
}

/** The outline. Only the rows in sight exist, so a run of a thousand steps scrolls like one of ten. */
export function Steps(props: StepsProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualizer({
    count: props.rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => {
      const row = props.rows[index];
      return row && hasPager(row, props.records) ? rowHeight + pagerHeight : rowHeight;
    },
    overscan: 12,
    getItemKey: (index) => props.rows[index]?.node.key ?? index,
  });
  const selectedRow = props.rows.findIndex((row) => row.node.kind === "action" && row.node.name === props.selected);
  const shownFor = useRef<string | undefined>(undefined);
  useEffect(() => {
    // Scrolls to the step when another one is selected, not when something around it folds.
    if (selectedRow < 0 || shownFor.current === props.selected) return;
    shownFor.current = props.selected;
    virtual.scrollToIndex(selectedRow, { align: "auto" });
  }, [selectedRow, props.selected, virtual]);

  const keys = (event: KeyboardEvent<HTMLDivElement>) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const steps = [...(scroller.current?.querySelectorAll<HTMLElement>("[data-step]") ?? [])];
    const at = steps.indexOf(document.activeElement as HTMLElement);
    const next = steps[at + (event.key === "ArrowDown" ? 1 : -1)];
    if (at < 0 || !next) return;
    event.preventDefault();
    next.focus();
  };
  const triggerName = displayName(props.trigger?.name ?? text.run.triggerStep);
  const triggerStatus = props.trigger?.status ?? "Succeeded";
  return (
    <div className="steps" ref={scroller} onKeyDown={keys} tabIndex={0} role="region" aria-label={text.run.steps}>
      <div className="step-row">
        <span className="step-fold" />
        <StepButton
          icon={<FlashRegular className="status-icon" aria-hidden fontSize={20} />}
          label={triggerName}
          named={text.run.statusNamed(statusWord(triggerStatus), triggerName)}
          facts={text.run.triggerStep}
          selected={props.selected === triggerKey}
          failed={triggerStatus === "Failed"}
          onSelect={() => props.onSelect(triggerKey)}
        />
      </div>
      {props.rows.length === 0 && <p className="quiet">{text.run.noSteps}</p>}
      <ul style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map((item) => {
          const row = props.rows[item.index];
          return row ? (
            <li key={item.key} style={{ transform: `translateY(${item.start}px)`, height: item.size }}>
              <StepRow row={row} props={props} />
            </li>
          ) : null;
        })}
      </ul>
    </div>
  );
}
