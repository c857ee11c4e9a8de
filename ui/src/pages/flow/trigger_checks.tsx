import { Link } from "wouter";
import { routes } from "../../api/paths";
import { useTriggerChecks } from "../../api/queries";
import { CheckmarkCircleFilled, ErrorCircleFilled, HistoryRegular } from "../../parts/icons";
import { Loading, Problem } from "../../parts/page";
import { ago, when } from "../../parts/time";
import { text } from "../../text";

/** What the trigger found at its latest checks: answers "why did nothing start?". */
export function TriggerChecks({ flow, trigger }: { flow: string; trigger: string }) {
  const found = useTriggerChecks(flow, trigger);
  if (found.isPending) return <Loading />;
  if (found.isError) return <Problem error={found.error} retry={() => void found.refetch()} />;
  const { checks, next, waiting } = found.data;
  return (
    <>
      <p className="quiet">{next ? text.flow.nextCheck(when(next)) : text.flow.checksHint}</p>
      {waiting !== undefined && <p>{text.flow.waitingMessages(waiting)}</p>}
      {checks.length === 0 && <p className="quiet">{text.flow.noChecks}</p>}
      <ul className="plain-list trigger-checks">
        {checks.map((check) => {
          const { status, run, error, startTime } = check.properties;
          const tone = status === "Failed" ? "tone-bad" : status === "Succeeded" ? "tone-good" : "quiet";
          const Mark = status === "Failed" ? ErrorCircleFilled : status === "Succeeded" ? CheckmarkCircleFilled : HistoryRegular;
          return (
            <li key={check.name}>
              <span className={`status-mark ${tone}`}>
                <Mark aria-hidden />
                {run ? <Link href={routes.run(flow, run.name)}>{text.flow.checkStarted}</Link> : status}
              </span>
              <span className="quiet" title={when(startTime)}>
                {ago(startTime)}
              </span>
              {error && <span className="breakable">{error.message}</span>}
            </li>
          );
        })}
      </ul>
    </>
  );
}
