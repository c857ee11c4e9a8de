import { Button, Checkbox, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Select } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { useRepeatRun, useRunPlan } from "../../api/queries";
import type { RepeatWish, RunFacts } from "../../api/types";
import { Loading, Problem } from "../../parts/page";
import { useRested } from "../../parts/rested";
import { displayName } from "../../parts/time";
import { text } from "../../text";
import { correctedStep, type Decision, DecisionFields, undecided } from "./correction";
import { type PlanRow, planOf, planRows, wishAt } from "./plan_rows";
import { WouldSend } from "./would_send";

const words = text.repeat;
const wentWell = new Set(["Succeeded", "Skipped"]);

/** The text when it is an object with members, which a plan can be made with. */
function usable(json: string): string | undefined {
  try {
    const value = JSON.parse(json) as unknown;
    return typeof value === "object" && value !== null && Object.keys(value).length > 0 ? json : undefined;
  } catch {
    return undefined;
  }
}

interface RepeatProps {
  run: string;
  /** The run that had called it. */
  caller: RunFacts["calledBy"];
  onClose: () => void;
  onStarted: (flow: string, run: string) => void;
}

/** Repeats a run in part: what would happen is on the screen before it does. */
export default function RepeatDialog({ run, caller, onClose, onStarted }: RepeatProps) {
  const [withParent, setWithParent] = useState(caller !== undefined && !wentWell.has(caller.status));
  const [definition, setDefinition] = useState<"latest" | "original">("latest");
  const [chosen, setChosen] = useState<PlanRow>();
  const [decision, setDecision] = useState<Decision>(undecided);
  const [wrong, setWrong] = useState("");
  // What was chosen is kept whole: while another plan is made there is no row to find it in.
  const { how, why } = decision;
  const corrected = (value = "{}") => (chosen && how !== "again" ? correctedStep(chosen.step.action, chosen.step.repetition, { ...decision, value }) : undefined);
  const wish = (step = corrected()): RepeatWish => ({
    definition,
    ...(withParent && { withParent }),
    ...(chosen ? { why: step ? why || words.noReasonYet : why, ...wishAt(chosen, step) } : { keep: "done" as const }),
  });
  const rested = useRested(decision.value);
  const written = how === "inputExpressions" && chosen ? usable(rested) : undefined;
  // While an expression is being written there is nothing to plan with: the plan is that of the step done again.
  const planned: RepeatWish = how === "inputExpressions" && chosen && !written ? { definition, ...(withParent && { withParent }), why, ...wishAt(chosen, undefined) } : wish(corrected(written));
  const plan = useRunPlan(run, planned);
  const repeat = useRepeatRun(run);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    let step: ReturnType<typeof correctedStep> | undefined;
    try {
      step = corrected(decision.value);
    } catch (error) {
      return setWrong((error as Error).message);
    }
    setWrong("");
    const started = await repeat.mutateAsync({ ...wish(step), version: plan.data?.version ?? "" }).catch(() => undefined);
    if (started) onStarted(started.flow, started.run);
  };
  const rows = planRows(plan.data);
  const choices = planRows(planOf(plan.data, run));
  const needsReason = chosen !== undefined && how !== "again";
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <form onSubmit={(event) => void submit(event)}>
          <DialogBody>
            <DialogTitle>{words.title}</DialogTitle>
            <DialogContent className="form">
              <Field label={words.definition}>
                <Select value={definition} onChange={(_, data) => setDefinition(data.value as "latest" | "original")}>
                  <option value="latest">{words.latest}</option>
                  <option value="original">{words.original}</option>
                </Select>
              </Field>
              {caller && <Checkbox label={words.withParent(caller.flowDisplayName)} checked={withParent} onChange={(_, data) => setWithParent(data.checked === true)} />}
              <Field label={words.step}>
                <Select value={chosen?.key ?? ""} onChange={(_, data) => setChosen(choices.find((row) => row.key === data.value))}>
                  <option value="">{words.whereItFailed}</option>
                  {choices.map((row) => (
                    <option key={row.key} value={row.key}>
                      {[...row.calls, row.step].map((step) => [displayName(step.action), step.repetition].filter(Boolean).join(" ")).join(" › ")}
                    </option>
                  ))}
                </Select>
              </Field>
              {chosen && (
                <DecisionFields
                  decision={decision}
                  hows={["again", "output", "input", "inputExpressions", "skip"]}
                  wrong={wrong}
                  onChange={(changed) => {
                    setDecision(changed);
                    setWrong("");
                  }}
                />
              )}
              {plan.isPending && <Loading />}
              <Problem error={plan.error} retry={() => void plan.refetch()} />
              {plan.data && plan.data.run !== run && <p>{words.ofCaller(plan.data.flowDisplayName)}</p>}
              {rows.length > 0 && (
                <table className="table" aria-label={words.plan}>
                  <tbody>
                    {rows.map(({ step, calls, key }) => (
                      <tr key={key}>
                        <th scope="row" style={{ paddingInlineStart: `${14 + calls.length * 20}px` }}>
                          {displayName(step.action)} <span className="quiet">{step.repetition}</span>
                        </th>
                        <td>
                          {step.wouldSend && how === "inputExpressions" && <WouldSend would={step.wouldSend} />}
                          {step.plan === "resumed" && step.child?.flowDisplayName ? words.resumedIn(step.child.flowDisplayName) : words.does[step.plan]}
                          {step.writes && step.doneBefore && (step.plan === "again" || step.plan === "corrected") && <span className="tone-bad"> {words.twice}</span>}
                        </td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              )}
              <Problem error={repeat.error} />
            </DialogContent>
            <DialogActions>
              <Button onClick={onClose}>{text.common.cancel}</Button>
              <Button appearance="primary" type="submit" disabled={!plan.data || plan.isPlaceholderData || (how === "inputExpressions" && rested !== decision.value) || repeat.isPending || (needsReason && why.trim() === "")}>
                {words.start}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}
