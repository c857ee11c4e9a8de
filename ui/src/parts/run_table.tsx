import { Link } from "wouter";
import { routes } from "../api/paths";
import type { Run } from "../api/types";
import { text } from "../text";
import { StatusMark, statusWord } from "./status";
import { ago, displayName, duration, span, when } from "./time";

/** Runs, newest first. `flow` is left out on a flow's own page. */
export function RunTable({ runs, flow }: { runs: Run[]; flow?: string }) {
  return (
    <table className="table cards-on-phone run-table">
      <caption className="unseen">{text.runs.table}</caption>
      <thead>
        <tr>
          <th scope="col">{text.runs.started}</th>
          {!flow && <th scope="col">{text.runs.flow}</th>}
          <th scope="col">{text.runs.status}</th>
          <th scope="col">{text.runs.what}</th>
          <th scope="col">{text.runs.duration}</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => {
          const { properties } = run;
          const facts = properties.flowmend;
          const owner = flow ?? facts?.flow ?? "";
          const failedAt = facts?.failedAction ? text.home.failedAt(displayName(facts.failedAction)) : "";
          return (
            <tr key={run.name} className="row-link">
              <td>
                <Link href={routes.run(owner, run.name)} title={when(properties.startTime)}>
                  {ago(properties.startTime)}
                  <span className="unseen">, {[facts?.flowDisplayName, statusWord(properties.status)].filter(Boolean).join(", ")}</span>
                </Link>
              </td>
              {!flow && <td>{facts?.flowDisplayName}</td>}
              <td>
                <StatusMark status={properties.status} />
              </td>
              <td>
                <span className="clamp breakable">{facts?.errorSummary ?? properties.error?.message ?? ""}</span>
                {failedAt && <span className="quiet">{failedAt}</span>}
              </td>
              <td>{duration(facts?.durationMs ?? span(properties.startTime, properties.endTime))}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
