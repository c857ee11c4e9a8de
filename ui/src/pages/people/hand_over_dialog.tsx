import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Select } from "@fluentui/react-components";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { sendJson } from "../../api/client";
import { paths } from "../../api/paths";
import type { HandOverAnswer, Person } from "../../api/types";
import { Problem } from "../../parts/page";
import { text } from "../../text";

/** All that somebody owns gets a new owner: for who leaves. */
export function HandOverDialog({ person, people, onClose }: { person: Person; people: Person[]; onClose: () => void }) {
  const client = useQueryClient();
  const [to, setTo] = useState("");
  const give = useMutation({ mutationFn: () => sendJson<HandOverAnswer>("POST", paths.handOver(person.id), { to }), onSuccess: () => client.invalidateQueries() });
  const name = person.displayName || person.userName;
  const foreign = [...new Set(give.data?.warnings.flatMap((one) => one.connections.map((connection) => connection.displayName)) ?? [])];
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{text.share.handOverNamed(name)}</DialogTitle>
          <DialogContent className="form">
            <p>{text.share.handOverHint(name)}</p>
            {give.data ? (
              <p role="status">{[text.share.handedOver(give.data.flows, give.data.connections), foreign.length > 0 && text.share.foreign(foreign.join(", "))].filter(Boolean).join(" ")}</p>
            ) : (
              <Field label={text.share.to}>
                <Select value={to} onChange={(_, data) => setTo(data.value)}>
                  <option value="">{text.share.choose}</option>
                  {people
                    .filter((one) => one.id !== person.id && one.state === "active")
                    .map((one) => (
                      <option key={one.id} value={one.id}>
                        {one.displayName || one.userName}
                      </option>
                    ))}
                </Select>
              </Field>
            )}
            <Problem error={give.error} />
          </DialogContent>
          <DialogActions>
            <Button onClick={onClose}>{give.data ? text.common.close : text.common.cancel}</Button>
            {!give.data && (
              <Button appearance="primary" disabled={to === "" || give.isPending} onClick={() => give.mutate()}>
                {text.share.handOver}
              </Button>
            )}
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
