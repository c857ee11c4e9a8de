import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Select } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { useRepeatRun, useRunPlan } from "../../api/queries";
import type { PlannedStep, RepeatWish } from "../../api/types";
import { Loading, Problem } from "../../parts/page";
import { displayName } from "../../parts/time";
import { text } from "../../text";
import { correctedStep, type Decision, DecisionFields, undecided } from "./correction";

const separator = "\n";
const keyOf = (step: PlannedStep) => step.action + (step.repetition ? separator + step.repetition : "");
const words = text.repeat;

interface RepeatProps {
  run: string;
  onClose: () => void;
  onStarted: (run: string) => void;
}

/** Repeats a run in part: what would happen is on the screen before it does. */
export default function RepeatDialog({ run, onClose, onStarted }: RepeatProps) {
  const [definition, setDefinition] = useState<"latest" | "original">("latest");
  const [chosen, setChosen] = useState("");
  const [decision, setDecision] = useState<Decision>(undecided);
  const [wrong, setWrong] = useState("");
  const [action, repetition] = chosen.split(separator);
  const { how, why } = decision;
  const wish = (step = how === "again" ? undefined : correctedStep(action ?? "", repetition, { ...decision, value: "{}" })): RepeatWish => ({
    definition,
    ...(chosen === "" ? { keep: "done" as const } : step ? { why: why || words.noReasonYet, steps: [step] } : { from: action, fromRepetition: repetition, why }),
  });
  // While an expression is being written there is nothing to plan with: the plan is that of the step done again.
  const planned: RepeatWish = how === "inputExpressions" && chosen !== "" ? { definition, from: action, fromRepetition: repetition, why } : wish();
  const plan = useRunPlan(run, planned);
  const repeat = useRepeatRun(run);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    let step: ReturnType<typeof correctedStep> | undefined;
    try {
      if (chosen !== "" && how !== "again") step = correctedStep(action ?? "", repetition, decision);
    } catch (error) {
      return setWrong((error as Error).message);
    }
    setWrong("");
    const started = await repeat.mutateAsync({ ...wish(step), version: plan.data?.version ?? "" }).catch(() => undefined);
    if (started) onStarted(started.run);
  };
  const steps = plan.data?.steps ?? [];
  const needsReason = chosen !== "" && how !== "again";
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
              <Field label={words.step}>
                <Select value={chosen} onChange={(_, data) => setChosen(data.value)}>
                  <option value="">{words.whereItFailed}</option>
                  {steps.map((step) => (
                    <option key={keyOf(step)} value={keyOf(step)}>
                      {displayName(step.action)} {step.repetition}
                    </option>
                  ))}
                </Select>
              </Field>
              {chosen !== "" && (
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
              {steps.length > 0 && (
                <table className="table" aria-label={words.plan}>
                  <tbody>
                    {steps.map((step) => (
                      <tr key={keyOf(step)}>
                        <th scope="row">
                          {displayName(step.action)} <span className="quiet">{step.repetition}</span>
                        </th>
                        <td>
                          {words.does[step.plan]}
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
              <Button appearance="primary" type="submit" disabled={!plan.data || plan.isPlaceholderData || repeat.isPending || (needsReason && why.trim() === "")}>
                {words.start}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}
