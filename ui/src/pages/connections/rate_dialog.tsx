import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { useSetRate } from "../../api/queries";
import type { Connection } from "../../api/types";
import { Problem } from "../../parts/page";
import { text } from "../../text";
import { apiOf, rateOf } from "./connection";

/** How many requests a minute a connection may send. */
export default function RateDialog({ connection, onClose }: { connection: Connection; onClose: () => void }) {
  const { displayName, flowmend } = connection.properties;
  const set = useSetRate(apiOf(connection), connection.name);
  const [entered, setEntered] = useState(String(flowmend?.requestsPerMinute ?? ""));
  const rate = rateOf(entered);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (rate === undefined) return;
    const saved = await set.mutateAsync(rate).catch(() => undefined);
    if (saved) onClose();
  };
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <form onSubmit={(event) => void submit(event)}>
          <DialogBody>
            <DialogTitle>{text.connections.rate}</DialogTitle>
            <DialogContent className="form">
              <Field label={text.connections.rateOf(displayName)} hint={text.connections.rateHint} validationMessage={rate === undefined ? text.connections.rateInvalid : undefined}>
                <Input type="number" value={entered} onChange={(_, data) => setEntered(data.value)} />
              </Field>
              <Problem error={set.error} />
            </DialogContent>
            <DialogActions>
              <Button onClick={onClose}>{text.common.cancel}</Button>
              <Button appearance="primary" type="submit" disabled={rate === undefined || set.isPending}>
                {text.holds.save}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}
