import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { CopyButton } from "../../parts/copy";
import { Loading, Problem } from "../../parts/page";
import { text } from "../../text";
import { useEnterSignIn, useSignInSettings } from "../connections/sign_in";

const fields = ["clientId", "clientSecret", "scopes", "authorizationUrl", "tokenUrl"] as const;

/** The client that an administrator registered with the service, for all connections of a connector. */
export default function SignInDialog({ api, onClose }: { api: string; onClose: () => void }) {
  const settings = useSignInSettings(api);
  const enter = useEnterSignIn(api);
  const [values, setValues] = useState<Partial<Record<(typeof fields)[number], string>>>({});
  const stored = settings.data;
  const valueOf = (field: (typeof fields)[number]) => values[field] ?? (field === "clientSecret" ? "" : (stored?.[field] ?? ""));
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const entered = Object.fromEntries(fields.flatMap((field) => (field === "clientSecret" && !values.clientSecret ? [] : [[field, valueOf(field)] as const])));
    if (await enter.mutateAsync(entered).catch(() => undefined)) onClose();
  };
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <form onSubmit={(event) => void submit(event)}>
          <DialogBody>
            <DialogTitle>{text.connectors.signIn.title}</DialogTitle>
            <DialogContent className="form">
              {settings.isPending && <Loading />}
              <Problem error={settings.error} />
              {stored && (
                <>
                  <p>{text.connectors.signIn.hint}</p>
                  <p>
                    <code className="breakable">{stored.redirectUrl}</code> <CopyButton value={stored.redirectUrl} />
                  </p>
                  {fields.map((field) => (
                    <Field key={field} label={text.connectors.signIn[field]} hint={field === "clientSecret" && stored.hasSecret ? text.connections.keep : undefined}>
                      <Input type={field === "clientSecret" ? "password" : "text"} autoComplete={field === "clientSecret" ? "new-password" : "off"} value={valueOf(field)} onChange={(_, data) => setValues({ ...values, [field]: data.value })} />
                    </Field>
                  ))}
                </>
              )}
              <Problem error={enter.error} />
            </DialogContent>
            <DialogActions>
              <Button onClick={onClose}>{text.common.cancel}</Button>
              <Button appearance="primary" type="submit" disabled={!stored || enter.isPending}>
                {text.connectors.signIn.save}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}
