import { Button, Field, Select } from "@fluentui/react-components";
import { useState } from "react";
import { Link } from "wouter";
import { routes } from "../../api/paths";
import { items, useAllRuns, useChangeIncident, useIncident, useIncidents, useMergeIncident, useSession, useSplitIncident } from "../../api/queries";
import type { Incident } from "../../api/types";
import { ArrowRepeatAllRegular, HistoryRegular } from "../../parts/icons";
import { Empty, ListFrame, Loading, Page, Problem } from "../../parts/page";
import { Plot } from "../../parts/plot";
import { RunTable } from "../../parts/run_table";
import { Section } from "../../parts/section";
import { ago, when } from "../../parts/time";
import { text } from "../../text";
import { VerifyButton } from "./verify_button";
import { ResubmitDialog } from "./resubmit_dialog";
import { Jobs } from "./jobs";
import { StateMark } from "./state";
import "./incidents.css";

const hourMs = 3_600_000;

/** Of one flow's own making: then it is fixed in a version of that flow, and older ones failing is no news. */
const isOfOneFlow = (incident: Incident) => incident.flows.length === 1 && ["expression", "data", "actionConfiguration"].includes(incident.family);

function Changes({ incident }: { incident: Incident }) {
  const change = useChangeIncident(incident.id);
  const session = useSession();
  const me = session.data?.user.userName ?? "";
  const busy = change.isPending;
  return (
    <>
      {incident.assignee !== me ? (
        <Button disabled={busy} onClick={() => change.mutate({ assignee: me })}>
          {text.incidents.assignToMe}
        </Button>
      ) : (
        <Button disabled={busy} onClick={() => change.mutate({ assignee: "" })}>
          {text.incidents.unassign}
        </Button>
      )}
      {incident.state === "muted" ? (
        <Button disabled={busy} onClick={() => change.mutate({ state: "new" })}>
          {text.incidents.unmute}
        </Button>
      ) : (
        incident.state !== "fixed" && (
          <Select
            aria-label={text.incidents.mute}
            disabled={busy}
            value=""
            onChange={(_, data) => data.value !== "" && change.mutate({ state: "muted", ...(Number(data.value) > 0 && { mutedUntil: new Date(Date.now() + Number(data.value) * hourMs).toISOString() }) })}
          >
            <option value="">{text.incidents.muteFor}</option>
            {["1", "24", "168", "0"].map((hours) => (
              <option key={hours} value={hours}>
                {text.incidents.muteTimes[hours as keyof typeof text.incidents.muteTimes]}
              </option>
            ))}
          </Select>
        )
      )}
      <Button disabled={busy} onClick={() => change.mutate(incident.state === "fixed" ? { state: "new" } : { state: "fixed", ...(isOfOneFlow(incident) && { version: "latest" }) })}>
        {incident.state === "fixed" ? text.incidents.reopen : text.incidents.markFixed}
      </Button>
      {change.isError && <Problem error={change.error} />}
    </>
  );
}

function Parts({ incident }: { incident: Incident }) {
  const split = useSplitIncident(incident.id);
  const merge = useMergeIncident(incident.id);
  const others = items(useIncidents("")).filter((one) => one.id !== incident.id);
  const [other, setOther] = useState("");
  return (
    <>
      <ul className="plain-list">
        {incident.parts.map((part) => (
          <li key={part.fingerprint}>
            <span className="breakable">{part.rule}</span> <span className="quiet">{text.frame.times(part.count)}</span>{" "}
            {incident.parts.length > 1 && (
              <Button size="small" disabled={split.isPending} onClick={() => split.mutate(part.fingerprint)}>
                {text.incidents.split}
              </Button>
            )}
          </li>
        ))}
      </ul>
      {others.length > 0 && (
        <div className="filters">
          <Field label={text.incidents.merge}>
            <Select aria-label={text.incidents.mergeWith} value={other} onChange={(_, data) => setOther(data.value)}>
              <option value="">{text.incidents.choose}</option>
              {others.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.title} ({one.flows.map((flow) => flow.displayName).join(", ")})
                </option>
              ))}
            </Select>
          </Field>
          <Button disabled={other === "" || merge.isPending} onClick={() => merge.mutate(other, { onSuccess: () => setOther("") })}>
            {text.incidents.mergeDo}
          </Button>
        </div>
      )}
      {split.isError && <Problem error={split.error} />}
      {merge.isError && <Problem error={merge.error} />}
    </>
  );
}

/** One cause: what it is, what it touched, and what to do about all of it at once. */
export default function IncidentPage({ id }: { id: string }) {
  const query = useIncident(id);
  const runs = useAllRuns({ incident: id });
  const [planning, setPlanning] = useState(false);
  const incident = query.data;
  if (query.isPending) return <Loading />;
  if (query.isError || !incident)
    return (
      <Page title={text.incidents.title}>
        <Problem error={query.error} retry={() => void query.refetch()} />
      </Page>
    );
  const found = items(runs);
  const advice = (incident.howToFix ?? "").split("\n").filter((line) => line !== "");
  // No run failed of it: what should have happened did not.
  const silent = incident.family === "silence" && incident.count === 0;
  const flow = incident.flows[0];
  return (
    <Page
      title={incident.title}
      wide
      above={<Link href={routes.incidents}>{text.incidents.title}</Link>}
      beside={<StateMark state={incident.state} />}
      actions={
        <>
          {incident.count > 0 && (
            <Button appearance="primary" icon={<ArrowRepeatAllRegular />} onClick={() => setPlanning(true)}>
              {text.incidents.resubmitAll}
            </Button>
          )}
          <Changes incident={incident} />
        </>
      }
    >
      <section className="panel incident-words">
        <p className="prewrap breakable">{incident.message}</p>
        {advice.length > 0 && (
          <>
            <h2>{text.incidents.howToFix}</h2>
            <ul>
              {advice.map((line) => (
                <li key={line} className="breakable">
                  {line}
                </li>
              ))}
            </ul>
          </>
        )}
        <p>
          {incident.connection && incident.family === "authentication" && <VerifyButton incident={incident} connection={incident.connection} />}{" "}
          {incident.lastRun && <Link href={routes.run(incident.lastRun.flow, incident.lastRun.run)}>{silent ? text.incidents.openRun : text.incidents.openLast}</Link>}{" "}
          {silent && flow && <Link href={routes.flow(flow.flow)}>{text.incidents.openFlow}</Link>}
        </p>
      </section>
      <dl className="facts panel">
        {!silent && (
          <>
            <div>
              <dt>{text.incidents.failures}</dt>
              <dd>
                {incident.count.toLocaleString("en")} <Plot values={incident.hours} />
              </dd>
            </div>
            <div>
              <dt>{text.incidents.repaired}</dt>
              <dd>{incident.repaired.toLocaleString("en")}</dd>
            </div>
          </>
        )}
        <div>
          <dt>{text.incidents.firstSeen}</dt>
          <dd title={when(incident.firstSeen)}>{ago(incident.firstSeen)}</dd>
        </div>
        <div>
          <dt>{text.incidents.lastSeen}</dt>
          <dd title={when(incident.lastSeen)}>{ago(incident.lastSeen)}</dd>
        </div>
        <div>
          <dt>{text.incidents.assignee}</dt>
          <dd>{incident.assignee ?? text.incidents.nobody}</dd>
        </div>
        {incident.mutedUntil && (
          <div>
            <dt>{text.incidents.states.muted}</dt>
            <dd>{text.incidents.mutedUntil(when(incident.mutedUntil))}</dd>
          </div>
        )}
        <div>
          <dt>{text.incidents.flows}</dt>
          <dd>
            {incident.flows.map((flow, at) => (
              <span key={flow.flow}>
                {at > 0 && ", "}
                <Link href={routes.flow(flow.flow)}>{flow.displayName}</Link>
                {flow.count > 0 && ` (${flow.count})`}
              </span>
            ))}
          </dd>
        </div>
        {incident.connection && (
          <div>
            <dt>{text.incidents.connection}</dt>
            <dd>
              <Link href={routes.connection(incident.connection.api, incident.connection.name)}>{incident.connection.displayName}</Link>
            </dd>
          </div>
        )}
        <div>
          <dt>{text.incidents.grouped}</dt>
          <dd>{incident.rule}</dd>
        </div>
      </dl>
      <Jobs incident={id} />
      {!silent && (
        <section aria-labelledby="failed-runs">
          <h2 id="failed-runs">{text.incidents.runs}</h2>
          <ListFrame list={runs} count={found.length} empty={<Empty icon={<HistoryRegular />} title={text.incidents.runsEmpty} hint={text.incidents.emptyHint} />}>
            <RunTable runs={found} />
          </ListFrame>
        </section>
      )}
      <section className="panel">
        <Section title={text.incidents.fixes} beside={incident.fixes.length === 0 ? text.incidents.noFixes : String(incident.fixes.length)}>
          <ul className="plain-list">
            {incident.fixes.map((fix) => (
              <li key={fix.time}>
                {when(fix.time)}:{" "}
                {fix.by ? (
                  text.incidents.fixedBy(fix.by)
                ) : !fix.run ? (
                  text.incidents.fixedByItself
                ) : fix.flow ? (
                  <Link href={routes.run(fix.flow, fix.run)}>{text.incidents.fixedByRun}</Link>
                ) : (
                  text.incidents.fixedByRun
                )}
                {fix.version && <span className="quiet breakable"> {text.incidents.fixedInVersion(fix.version)}</span>}
              </li>
            ))}
          </ul>
        </Section>
        <Section title={text.incidents.parts} beside={String(incident.parts.length)}>
          <Parts incident={incident} />
        </Section>
      </section>
      {planning && <ResubmitDialog of={{ incident: id }} onClose={() => setPlanning(false)} />}
    </Page>
  );
}
