import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle } from "@fluentui/react-components";
import { useState } from "react";
import { Link } from "wouter";
import { routes } from "../../api/paths";
import type { Connector } from "../../api/types";
import { Loading, Problem } from "../../parts/page";
import { when } from "../../parts/time";
import { text } from "../../text";
import { ChangeList } from "./change";
import { useRemove, useRestore, useUsers, useVersions } from "./gallery";

/** Who uses a connector, the documents it had, and the way back to a former one. */
export default function AboutDialog({ connector, admin, onClose }: { connector: Connector; admin: boolean; onClose: () => void }) {
  const api = connector.name;
  const users = useUsers(api);
  const versions = useVersions(api);
  const restore = useRestore(api);
  const remove = useRemove(api);
  const [sure, setSure] = useState(false);
  const words = text.connectors.about;
  const nobody = users.data && users.data.flows.length + users.data.connections.length === 0;
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{words.title(connector.properties.displayName)}</DialogTitle>
          <DialogContent className="form">
            <h3>{words.users}</h3>
            {users.isPending && <Loading />}
            <Problem error={users.error} />
            {nobody && <p className="quiet">{words.noUsers}</p>}
            {users.data && !nobody && (
              <ul className="users">
                {users.data.flows.map((one) => (
                  <li key={one.flow}>
                    {words.flow} <Link href={routes.flow(one.flow)}>{one.displayName}</Link>
                  </li>
                ))}
                {users.data.connections.map((one) => (
                  <li key={one.name}>
                    {words.connection} <Link href={routes.connections}>{one.displayName}</Link>
                  </li>
                ))}
              </ul>
            )}
            <h3>{words.versions}</h3>
            {versions.isPending && <Loading />}
            <Problem error={versions.error} />
            <ul className="versions">
              {(versions.data?.value ?? []).map((one) => (
                <li key={one.version}>
                  <strong>
                    {words.version(one.version)}
                    {one.current && ` (${words.current})`}
                  </strong>
                  <span className="quiet breakable">
                    {[one.time && when(one.time), one.by && words.by(one.by), one.from, text.connectors.operations(one.operations)].filter(Boolean).join(" · ")}
                  </span>
                  <ChangeList change={one.change} />
                  {admin && !one.current && (
                    <Button size="small" disabled={restore.isPending} aria-label={words.restoreNamed(one.version)} onClick={() => restore.mutate(one.version)}>
                      {words.restore}
                    </Button>
                  )}
                </li>
              ))}
            </ul>
            <Problem error={restore.error} />
            {restore.data?.version !== undefined && <p role="status">{words.restored(restore.data.version)}</p>}
            {sure && <p>{words.removeHint}</p>}
            <Problem error={remove.error} />
          </DialogContent>
          <DialogActions>
            {admin && (
              <Button disabled={remove.isPending} onClick={() => (sure ? remove.mutate(undefined, { onSuccess: onClose }) : setSure(true))}>
                {sure ? words.removeSure : words.remove}
              </Button>
            )}
            <Button appearance="primary" onClick={onClose}>
              {text.connectors.import.close}
            </Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
