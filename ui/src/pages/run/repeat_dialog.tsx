import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input, Select, Textarea } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { useRepeatRun, useRunPlan } from "../../api/queries";
import type { PlannedStep, RepeatWish } from "../../api/types";
import { Loading, Problem } from "../../parts/page";
import { displayName } from "../../parts/time";
import { text } from "../../text";

type How = "again" | "output" | "input" | "skip";
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
  const [how, setHow] = useState<How>("again");
  const [value, setValue] = useState("{}");
  const [why, setWhy] = useState("");
  const [wrong, setWrong] = useState("");
  const [action, repetition] = chosen.split(separator);
  const wish = (given?: unknown): RepeatWish => ({
    definition,
    ...(chosen === ""
      ? { keep: "done" as const }
      : how === "again"
        ? { from: action, fromRepetition: repetition, why }
        : { why: why || words.noReasonYet, steps: [{ action: action ?? "", repetition, ...(how === "skip" ? { skip: true as const } : how === "output" ? { output: given ?? null } : { input: given ?? {} }) }] }),
  });
  const plan = useRunPlan(run, wish());
  const repeat = useRepeatRun(run);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    let given: unknown;
    if (how === "output" || how === "input") {
      try {
        given = JSON.parse(value);
      } catch (error) {
        return setWrong((error as Error).message);
      }
    }
    setWrong("");
    const started = await repeat.mutateAsync({ ...wish(given), version: plan.data?.version ?? "" }).catch(() => undefined);
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
                <Field label={words.how}>
                  <Select value={how} onChange={(_, data) => setHow(data.value as How)}>
                    <option value="again">{words.again}</option>
                    <option value="output">{words.output}</option>
                    <option value="input">{words.input}</option>
                    <option value="skip">{words.skip}</option>
                  </Select>
                </Field>
              )}
              {chosen !== "" && (how === "output" || how === "input") && (
                <Field label={how === "output" ? words.outputValue : words.inputValue} validationMessage={wrong || undefined}>
                  <Textarea
                    rows={5}
                    className="code-input"
                    value={value}
                    onChange={(_, data) => {
                      setValue(data.value);
                      setWrong("");
                    }}
                  />
                </Field>
              )}
              {needsReason && (
                <Field label={words.why} hint={words.whyHint} required>
                  <Input value={why} onChange={(_, data) => setWhy(data.value)} />
                </Field>
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
