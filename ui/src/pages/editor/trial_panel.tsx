import { Button } from "@fluentui/react-components";
import { useState } from "react";
import { Link } from "wouter";
import { routes } from "../../api/paths";
import { tryDefinition } from "../../api/queries";
import type { Trial, TrialVerdict } from "../../api/types";
import { CheckmarkCircleFilled, ErrorCircleFilled, WarningFilled } from "../../parts/icons";
import { Problem } from "../../parts/page";
import { displayName } from "../../parts/time";
import { text } from "../../text";

const shownRuns = 5;
const shownDifferences = 4;

function Verdict({ verdict }: { verdict: TrialVerdict }) {
  const [tone, Mark] =
    verdict === "passes" ? (["tone-good", CheckmarkCircleFilled] as const) : verdict === "fails" ? (["tone-bad", ErrorCircleFilled] as const) : (["tone-warn", WarningFilled] as const);
  return (
    <span className={`status-mark ${tone}`}>
      <Mark aria-hidden /> {text.editor.trialVerdicts[verdict]}
    </span>
  );
}

const shown = (value: unknown): string => {
  if (value === null || value === undefined) return text.editor.trialNothing;
  const written = typeof value === "string" ? value : JSON.stringify(value);
  return written.length > 200 ? `${written.slice(0, 200)}…` : written;
};

/** Tries the definition as it is written now on recorded runs, before it is saved. */
export function TrialPanel({ flow, code, references, disabled }: { flow: string; code: string; references: unknown; disabled: boolean }) {
  const [trial, setTrial] = useState<{ of: string; found: Trial }>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const start = async () => {
    setBusy(true);
    setError(undefined);
    try {
      setTrial({ of: code, found: await tryDefinition(flow, code, references) });
    } catch (failure) {
      setTrial(undefined);
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  return (
    <section className="panel trial" aria-labelledby="trial">
      <h2 id="trial">{text.editor.trialTitle}</h2>
      <p className="quiet">{text.editor.trialHint}</p>
      <Button disabled={disabled || busy} onClick={() => void start()}>
        {busy ? text.editor.trialRunning : text.editor.trial}
      </Button>
      <Problem error={error} />
      <div role="status">
        {trial && (
          <>
            {trial.of !== code && <p className="quiet">{text.editor.trialOld}</p>}
            <p className="trial-text">{trial.found.text}</p>
          </>
        )}
      </div>
      {trial && (
        <>
          <ul className="plain-list">
            {trial.found.reasons.map((reason, index) => (
              <li key={index} className="trial-reason">
                <Verdict verdict={reason.verdict} /> <strong>{text.editor.trialReason(reason.count, displayName(reason.action))}</strong>
                <span className="breakable">{reason.message}</span>
              </li>
            ))}
          </ul>
          <ul className="plain-list">
            {trial.found.runs
              .filter((run) => run.differences.length > 0)
              .slice(0, shownRuns)
              .map((run) => (
                <li key={run.run} className="trial-run">
                  <Link href={routes.run(flow, run.run)}>{run.run}</Link>
                  <dl>
                    {run.differences.slice(0, shownDifferences).map((one, index) => (
                      <div key={index}>
                        <dt className="breakable">
                          {displayName(one.action)} <code>{one.pointer}</code>
                        </dt>
                        <dd className="breakable">
                          <del aria-label={text.editor.trialBefore}>{shown(one.before)}</del> <ins aria-label={text.editor.trialAfter}>{shown(one.after)}</ins>
                        </dd>
                      </div>
                    ))}
                  </dl>
                </li>
              ))}
          </ul>
        </>
      )}
    </section>
  );
}
