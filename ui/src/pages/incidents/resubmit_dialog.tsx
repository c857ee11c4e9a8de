import { Button, Checkbox, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle } from "@fluentui/react-components";
import { useEffect, useState } from "react";
import { useExecutePlan, usePlan, type RunSelection } from "../../api/queries";
import { Loading, Problem } from "../../parts/page";
import { displayName } from "../../parts/time";
import { text } from "../../text";

/** What repeating all these runs would do; then the one click that does it. */
export function ResubmitDialog({ of, verified, onClose }: { of: RunSelection; verified?: string; onClose: (started: boolean) => void }) {
  const plan = usePlan();
  const execute = useExecutePlan();
  // What went well once is not done twice unless somebody wants it so.
  const [keepDone, setKeepDone] = useState(true);
  const make = plan.mutate;
  // A plan is made for what is asked; another wish is another plan.
  const which = JSON.stringify(of);
  useEffect(() => make({ ...(JSON.parse(which) as RunSelection), keepDone }), [make, which, keepDone]);
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
            {plan.isError && <Problem error={plan.error} retry={() => plan.mutate({ ...of, keepDone })} />}
            {plan.data && (
              <>
                <p>{text.repair.will(plan.data.runs)}</p>
                <p>{text.repair.stages}</p>
                <p className={twice > 0 && !keepDone ? "writes-twice" : ""}>{twice === 0 ? text.repair.noneTwice : keepDone ? text.repair.kept(twice) : text.repair.twice(twice)}</p>
                {steps.some((step) => step.doneBefore > 0) && <Checkbox label={text.repair.keep} checked={keepDone} onChange={(_, data) => setKeepDone(data.checked === true)} />}
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
                {execute.isError && <Problem error={execute.error} />}
              </>
            )}
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
