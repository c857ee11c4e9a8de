import { Button } from "@fluentui/react-components";
import { lazy, Suspense, useState } from "react";
import { paths } from "../../api/paths";
import { keys } from "../../api/queries";
import { PersonRegular } from "../../parts/icons";
import { text } from "../../text";

const ShareDialog = lazy(() => import("./share_dialog"));

/** A flow or a connection, by the addresses that its sharing has. */
export interface Shared {
  key: readonly unknown[];
  permissions: string;
  modify: string;
  owner: string;
  stale: readonly unknown[];
}

export const flowThing = (flow: string): Shared => ({ key: ["sharing", "flow", flow], permissions: paths.flowPermissions(flow), modify: paths.flowModifyPermissions(flow), owner: paths.flowOwner(flow), stale: keys.flows });

export const connectionThing = (api: string, name: string): Shared => ({
  key: ["sharing", "connection", api, name],
  permissions: paths.connectionPermissions(api, name),
  modify: paths.connectionModifyPermissions(api, name),
  owner: paths.connectionOwner(api, name),
  stale: keys.connections,
});

export interface ShareProps {
  title: string;
  thing: Shared;
  mayChange: boolean;
  hint: string;
}

/** Opens the list of who may do what with a flow or a connection. */
export function ShareButton(props: ShareProps) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button icon={<PersonRegular />} onClick={() => setOpen(true)}>
        {text.share.share}
      </Button>
      <Suspense fallback={null}>{open && <ShareDialog {...props} onClose={() => setOpen(false)} />}</Suspense>
    </>
  );
}
