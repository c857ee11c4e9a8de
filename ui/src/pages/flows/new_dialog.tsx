import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { useLocation } from "wouter";
import { routes } from "../../api/paths";
import { useCreateFlow } from "../../api/queries";
import { Problem } from "../../parts/page";
import { text } from "../../text";

/** What a new flow starts as: it can be run as it is, and shows the shape of a definition. */
const start = {
  $schema: "https://schema.management.azure.com/providers/Microsoft.Logic/schemas/2016-06-01/workflowdefinition.json#",
  contentVersion: "1.0.0.0",
  triggers: { manual: { type: "Request", kind: "Http", inputs: { schema: {} } } },
  actions: { Compose: { type: "Compose", inputs: "@triggerBody()", runAfter: {} } },
};

export default function NewFlowDialog({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState(text.flows.defaultName);
  const [, navigate] = useLocation();
  const create = useCreateFlow();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const flow = await create.mutateAsync({ displayName: name.trim(), definition: start, state: "Started", flowmend: { onOutage: "hold" } }).catch(() => undefined);
    if (flow) navigate(routes.edit(flow.name));
  };
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <form onSubmit={(event) => void submit(event)}>
          <DialogBody>
            <DialogTitle>{text.flows.newTitle}</DialogTitle>
            <DialogContent className="form">
              <Field label={text.flows.newName} hint={text.flows.newHint} required>
                <Input value={name} onChange={(_, data) => setName(data.value)} />
              </Field>
              <Problem error={create.error} />
            </DialogContent>
            <DialogActions>
              <Button onClick={onClose}>{text.common.cancel}</Button>
              <Button appearance="primary" type="submit" disabled={create.isPending || name.trim() === ""}>
                {text.flows.create}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}
