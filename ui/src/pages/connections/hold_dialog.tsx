import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input, Radio, RadioGroup } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { useHoldChoice, useSetHoldChoice } from "../../api/queries";
import type { HoldChoice } from "../../api/types";
import { Loading, Problem } from "../../parts/page";
import { text } from "../../text";

/** What becomes of runs while a service does not work: the connection's choice goes before that of the flows. */
export default function HoldDialog({ target, displayName, onClose }: { target: string; displayName: string; onClose: () => void }) {
  const stored = useHoldChoice(target);
  const set = useSetHoldChoice(target);
  const [changed, setChanged] = useState<{ onOutage?: HoldChoice["onOutage"]; hours?: string; most?: string }>({});
  const choice = stored.data;
  const kind = changed.onOutage ?? choice?.onOutage ?? "flow";
  const hours = changed.hours ?? String(Math.round(((choice?.limitMinutes ?? 0) / 60) * 100) / 100);
  const most = changed.most ?? String(choice?.runsMax ?? "");
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const saved = await set.mutateAsync({ onOutage: kind, limitMinutes: Math.round(Number(hours) * 60), runsMax: Math.round(Number(most)) }).catch(() => undefined);
    if (saved) onClose();
  };
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <form onSubmit={(event) => void submit(event)}>
          <DialogBody>
            <DialogTitle>{text.holds.settings}</DialogTitle>
            <DialogContent className="form">
              {stored.isPending && <Loading />}
              <Problem error={stored.error} retry={() => void stored.refetch()} />
              <Field label={text.holds.choiceOf(displayName)}>
                <RadioGroup value={kind} onChange={(_, data) => setChanged({ ...changed, onOutage: data.value as HoldChoice["onOutage"] })}>
                  <Radio value="flow" label={text.holds.asFlow} />
                  <Radio value="hold" label={text.holds.hold} />
                  <Radio value="fail" label={text.holds.fail} />
                </RadioGroup>
              </Field>
              <Field label={text.holds.limit}>
                <Input type="number" value={hours} onChange={(_, data) => setChanged({ ...changed, hours: data.value })} />
              </Field>
              <Field label={text.holds.most}>
                <Input type="number" value={most} onChange={(_, data) => setChanged({ ...changed, most: data.value })} />
              </Field>
              <Problem error={set.error} />
            </DialogContent>
            <DialogActions>
              <Button onClick={onClose}>{text.common.cancel}</Button>
              <Button appearance="primary" type="submit" disabled={!choice || set.isPending}>
                {text.holds.save}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}
