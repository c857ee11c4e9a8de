import { Button, Field, Input, Select } from "@fluentui/react-components";
import { lazy, Suspense, useEffect, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { items, useAllRuns, useConnections, useFlows, useWhole } from "../../api/queries";
import { HistoryRegular } from "../../parts/icons";
import { Empty, ListFrame, Page } from "../../parts/page";
import { RunTable } from "../../parts/run_table";
import { StatusSelect } from "../../parts/status_select";
import { text } from "../../text";

const ResubmitDialog = lazy(() => import("../incidents/resubmit_dialog").then((module) => ({ default: module.ResubmitDialog })));
const Jobs = lazy(() => import("../incidents/jobs").then((module) => ({ default: module.Jobs })));

/** What a job can repeat. */
const repeatable = ["Failed", "TimedOut", "Cancelled"];

/** A text that filters once typing rests: a search reads much. */
function TextFilter({ label, hint, value, onChange }: { label: string; hint: string; value: string; onChange: (value: string) => void }) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed.trim() === value) return;
    const timer = setTimeout(() => onChange(typed.trim()), 600);
    return () => clearTimeout(timer);
  });
  return (
    <Field label={label}>
      <Input type="search" value={typed} placeholder={hint} onChange={(_, data) => setTyped(data.value)} onKeyDown={(event) => event.key === "Enter" && onChange(typed.trim())} />
    </Field>
  );
}

/** All runs of all flows. The address holds the filters, so that a list can be kept and sent. */
export default function RunsPage() {
  const [location, navigate] = useLocation();
  const search = new URLSearchParams(useSearch());
  const get = (name: string) => search.get(name) ?? undefined;
  const list = useAllRuns({ flow: get("flow"), status: get("status"), connection: get("connection"), value: get("value"), code: get("code") });
  const flows = useFlows();
  const connections = useConnections();
  useWhole(flows);
  useWhole(connections);
  const runs = items(list);
  const set = (name: string, value: string) => {
    const next = new URLSearchParams(search);
    if (value) next.set(name, value);
    else next.delete(name);
    navigate(next.size ? `${location}?${next}` : location, { replace: true });
  };
  const connection = get("connection");
  const value = get("value");
  const code = get("code");
  const [planning, setPlanning] = useState(false);
  const flow = get("flow");
  const status = get("status");
  const canRepeat = runs.length > 0 && status !== undefined && repeatable.includes(status);
  return (
    <Page title={text.runs.title} wide actions={canRepeat && <Button onClick={() => setPlanning(true)}>{text.repair.title}</Button>}>
      <div className="filters">
        <Field label={text.runs.flowFilter}>
          <Select value={get("flow") ?? ""} onChange={(_, data) => set("flow", data.value)}>
            <option value="">{text.runs.allFlows}</option>
            {items(flows).map((flow) => (
              <option key={flow.name} value={flow.name}>
                {flow.properties.displayName}
              </option>
            ))}
          </Select>
        </Field>
        <TextFilter label={text.runs.valueFilter} hint={text.runs.valueHint} value={value ?? ""} onChange={(typed) => set("value", typed)} />
        <StatusSelect value={get("status")} onChange={(status) => set("status", status)} />
        <Field label={text.runs.connectionFilter}>
          <Select value={connection ?? ""} onChange={(_, data) => set("connection", data.value)}>
            <option value="">{text.runs.anyConnection}</option>
            {items(connections).map((one) => (
              <option key={one.name} value={one.name}>
                {one.properties.displayName}
              </option>
            ))}
          </Select>
        </Field>
        <TextFilter label={text.runs.codeFilter} hint={text.runs.codeHint} value={code ?? ""} onChange={(typed) => set("code", typed)} />
      </div>
      <ListFrame list={list} count={runs.length} empty={<Empty icon={<HistoryRegular />} title={text.runs.empty} hint={text.runs.emptyHint} />}>
        <RunTable runs={runs} />
      </ListFrame>
      <Suspense>
        {canRepeat && <Jobs />}
        {planning && status && <ResubmitDialog of={{ filter: { status, ...(flow && { flow }), ...(connection && { connection }), ...(value && { value }), ...(code && { code }) } }} onClose={() => setPlanning(false)} />}
      </Suspense>
    </Page>
  );
}
