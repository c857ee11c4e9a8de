import { Button, Checkbox, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Select } from "@fluentui/react-components";
import { useEffect, useState } from "react";
import { Link } from "wouter";
import { useExecutePlan, usePlan, type RunSelection } from "../../api/queries";
import { routes } from "../../api/paths";
import type { RepairJob, RepeatWish } from "../../api/types";
import { Loading, Problem } from "../../parts/page";
import { Section } from "../../parts/section";
import { displayName } from "../../parts/time";
import { text } from "../../text";
import { correctedStep, type Decision, DecisionFields, undecided } from "../run/correction";
import { WouldSend } from "../run/would_send";

interface Correction {
  why: string;
  steps: NonNullable<RepeatWish["steps"]>;
}

type PlanWish = RunSelection & { keepDone: boolean; withParents?: boolean } & Partial<Correction>;

/** One step that is done otherwise in every run, signed with a reason. */
function Correct({ actions, onUse }: { actions: string[]; onUse: (correction: Correction | undefined) => void }) {
  // The plan that is being made has no steps yet: those of the one before stay to choose from.
  const [known, setKnown] = useState(actions);
  const [action, setAction] = useState("");
  const [decision, setDecision] = useState<Decision>({ ...undecided, how: "inputExpressions" });
  const [wrong, setWrong] = useState("");
  const names = actions.join("\n");
  useEffect(() => {
    if (names !== "") setKnown(names.split("\n"));
  }, [names]);
  if (known.length === 0) return null;
  const use = () => {
    try {
      onUse({ why: decision.why.trim(), steps: [correctedStep(action, undefined, decision)] });
      setWrong("");
    } catch (error) {
      setWrong((error as Error).message);
    }
  };
  return (
    <Section title={text.correctMany.offer}>
      <div className="form">
        <Field label={text.correctMany.step}>
          <Select
            value={action}
            onChange={(_, data) => {
              setAction(data.value);
              if (data.value === "") onUse(undefined);
            }}
          >
            <option value="">{text.correctMany.none}</option>
            {known.map((name) => (
              <option key={name} value={name}>
                {displayName(name)}
              </option>
            ))}
          </Select>
        </Field>
        {action !== "" && (
          <>
            <DecisionFields decision={decision} hows={["inputExpressions", "output", "input", "skip"]} wrong={wrong} onChange={setDecision} />
            <div>
              <Button disabled={decision.why.trim() === ""} onClick={use}>
                {text.correctMany.use}
              </Button>
            </div>
          </>
        )}
      </div>
    </Section>
  );
}

/** What the corrected step would be done with in the first runs: those that can't be evaluated come first. */
function Preview({ of }: { of: NonNullable<RepairJob["correctionPreview"]> }) {
  return (
    <Section title={text.correctMany.preview} startsOpen>
      <p className={of.failing > 0 ? "tone-bad" : ""}>{text.correctMany.fits(of.evaluated, of.failing, of.unknown, of.runs)}</p>
      {of.samples.map((sample) => (
        <div key={`${sample.run} ${sample.action} ${sample.repetition}`}>
          <p>
            <Link href={`${routes.run(sample.flow, sample.run)}?step=${encodeURIComponent(sample.action)}`}>{text.correctMany.ofRun(sample.run)}</Link> <span className="quiet">{sample.repetition}</span>
          </p>
          <WouldSend would={sample.wouldSend} />
        </div>
      ))}
    </Section>
  );
}

/** What repeating all these runs would do; then the one click that does it. */
export function ResubmitDialog({ of, verified, onClose }: { of: RunSelection; verified?: string; onClose: (started: boolean) => void }) {
  const plan = usePlan();
  const execute = useExecutePlan();
  // What went well once is not done twice unless somebody wants it so.
  const [keepDone, setKeepDone] = useState(true);
  // Whoever called what broke waits for it to be whole; a correction is of the broken runs alone.
  const [withParents, setWithParents] = useState(true);
  const [correction, setCorrection] = useState<Correction>();
  const make = plan.mutate;
  // A plan is made for what is asked; another wish is another plan.
  const wish = JSON.stringify({ ...of, keepDone, ...(withParents && keepDone && !correction && { withParents }), ...correction });
  useEffect(() => make(JSON.parse(wish) as PlanWish), [make, wish]);
  const steps = plan.data?.steps ?? [];
  const twice = steps.filter((step) => step.writes).reduce((sum, step) => sum + step.doneBefore, 0);
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose(false)}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{text.repair.title}</DialogTitle>
          <DialogContent>
            {verified && <p>{text.repair.verified(verified)}</p>}
            {plan.isPending && <Loading />}
            {plan.isError && <Problem error={plan.error} retry={() => plan.mutate(JSON.parse(wish) as PlanWish)} />}
            {plan.data && (
              <>
                <p>{text.repair.will(plan.data.runs)}</p>
                <p>{text.repair.stages}</p>
                <p className={twice > 0 && !keepDone ? "writes-twice" : ""}>{twice === 0 ? text.repair.noneTwice : keepDone ? text.repair.kept(twice) : text.repair.twice(twice)}</p>
                {steps.some((step) => step.doneBefore > 0) && <Checkbox label={text.repair.keep} checked={keepDone} onChange={(_, data) => setKeepDone(data.checked === true)} />}
                {plan.data.parents !== undefined && <p>{text.repair.parents(plan.data.parents)}</p>}
                {(plan.data.parents !== undefined || !withParents) && <Checkbox label={text.repair.withParents} checked={withParents} onChange={(_, data) => setWithParents(data.checked === true)} />}
                {steps.length > 0 && (
                  <div className="plan-scroll" tabIndex={0} role="region" aria-label={text.repair.title}>
                    <table className="plan-table">
                      <thead>
                        <tr>
                          <th scope="col">{text.repair.flow}</th>
                          <th scope="col">{text.repair.step}</th>
                          <th scope="col">{text.repair.kind}</th>
                          <th scope="col">{text.repair.before}</th>
                          <th scope="col">{text.repair.again}</th>
                        </tr>
                      </thead>
                      <tbody>
                        {steps.map((step) => (
                          <tr key={`${step.flow}/${step.action}`}>
                            <td>{step.flowDisplayName}</td>
                            <td>{displayName(step.action)}</td>
                            <td>{step.writes ? text.repair.writes : text.repair.reads}</td>
                            <td className={step.writes && step.doneBefore > 0 ? "writes-twice" : ""}>{step.doneBefore}</td>
                            <td>{step.notDoneBefore}</td>
                          </tr>
                        ))}
                      </tbody>
                    </table>
                  </div>
                )}
                {correction && <p role="status">{text.correctMany.used(displayName(correction.steps[0]?.action ?? ""))}</p>}
                {plan.data.correctionPreview && <Preview of={plan.data.correctionPreview} />}
                {execute.isError && <Problem error={execute.error} />}
              </>
            )}
            <Correct actions={[...new Set(steps.map((step) => step.action))]} onUse={setCorrection} />
          </DialogContent>
          <DialogActions>
            <Button onClick={() => onClose(false)}>{text.common.cancel}</Button>
            <Button appearance="primary" disabled={!plan.data || execute.isPending} onClick={() => plan.data && execute.mutate(plan.data, { onSuccess: () => onClose(true) })}>
              {text.repair.start}
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
