import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Select } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { Link } from "wouter";
import { routes } from "../../api/paths";
import { items, useConnections, useReplaceConnection, useWhole } from "../../api/queries";
import type { Connection } from "../../api/types";
import { Loading, Problem } from "../../parts/page";
import { text } from "../../text";
import { apiOf, isBroken } from "./connection";

/** Lets all flows that use a connection use another one. */
export default function ReplaceDialog({ connection, flows, onClose }: { connection: Connection; flows: number; onClose: () => void }) {
  const api = apiOf(connection);
  const { displayName } = connection.properties;
  const connections = useConnections();
  useWhole(connections);
  const others = items(connections).filter((one) => apiOf(one) === api && one.name !== connection.name);
  const [chosen, setChosen] = useState<string>();
  const other = others.find((one) => one.name === chosen) ?? others.find((one) => !isBroken(one)) ?? others[0];
  const replace = useReplaceConnection(api, connection.name);
  const done = replace.data;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (other) replace.mutate(other.name);
  };
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <form onSubmit={submit}>
          <DialogBody>
            <DialogTitle>{text.connections.replaceTitle(displayName)}</DialogTitle>
            <DialogContent className="form">
              {connections.isPending && <Loading />}
              <Problem error={connections.error ?? replace.error} />
              {connections.isSuccess && others.length === 0 && <p>{text.connections.replaceNone}</p>}
              {!done && other && (
                <>
                  <Field label={text.connections.replaceWith} hint={text.connections.replaceHint(flows)}>
                    <Select value={other.name} onChange={(_, data) => setChosen(data.value)}>
                      {others.map((one) => (
                        <option key={one.name} value={one.name}>
                          {isBroken(one) ? text.connections.brokenOption(one.properties.displayName) : one.properties.displayName}
                        </option>
                      ))}
                    </Select>
                  </Field>
                </>
              )}
              {done && (
                <div role="status">
                  <p>{text.connections.replaced(done.changed.length)}</p>
                  {done.left.length > 0 && (
                    <ul className="plain-list">
                      {done.left.map((one) => (
                        <li key={one.flow} className="breakable">
                          <Link href={routes.flow(one.flow)}>{one.displayName}</Link>
                          {`: ${one.error.message} ${one.error.cure ?? ""}`}
                        </li>
                      ))}
                    </ul>
                  )}
                </div>
              )}
            </DialogContent>
            <DialogActions>
              <Button onClick={onClose}>{done ? text.common.close : text.common.cancel}</Button>
              {!done && (
                <Button appearance="primary" type="submit" disabled={!other || replace.isPending}>
                  {text.connections.replace}
                </Button>
              )}
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}
