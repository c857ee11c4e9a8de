import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { useConnection, useVerify } from "../../api/queries";
import { Loading, Problem } from "../../parts/page";
import { text } from "../../text";
import { CredentialFields, credentialsOf, ServiceAnswer } from "./fields";
import "./connections.css";

interface VerifyProps {
  api: string;
  name: string;
  onClose: () => void;
  onVerified: (displayName: string, affectedRuns: number, released?: number) => void;
}

/** Asks the service whether a sign-in is right; only what it accepts is stored. A refusal stays here, in its own words. */
export default function VerifyDialog({ api, name, onClose, onVerified }: VerifyProps) {
  const connection = useConnection(api, name);
  const verify = useVerify(api, name);
  const [values, setValues] = useState<Record<string, string>>({});
  const displayName = connection.data?.properties.displayName ?? name;
  const fields = connection.data?.properties.flowmend?.fields ?? [];
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const answer = await verify.mutateAsync(fields.length > 0 ? credentialsOf(fields, values) : undefined).catch(() => undefined);
    if (answer?.status === "Connected") onVerified(displayName, answer.affectedRuns ?? 0, answer.releasedRuns);
  };
  const refused = !verify.isPending && verify.data?.status === "Error" ? verify.data : undefined;
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <form onSubmit={(event) => void submit(event)}>
          <DialogBody>
            <DialogTitle>{text.connections.verifyTitle(displayName)}</DialogTitle>
            <DialogContent className="form">
              <p>{text.connections.verifyHint}</p>
              {connection.isPending && <Loading />}
              <Problem error={connection.error} retry={() => void connection.refetch()} />
              <CredentialFields fields={fields} values={values} disabled={verify.isPending} onChange={(field, value) => setValues({ ...values, [field]: value })} />
              {refused && <ServiceAnswer title={text.connections.refused} message={refused.error?.message} service={refused.service} />}
              <Problem error={verify.error} />
            </DialogContent>
            <DialogActions>
              <Button onClick={onClose}>{text.common.cancel}</Button>
              <Button appearance="primary" type="submit" disabled={verify.isPending || !connection.data}>
                {text.connections.verifyButton}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}
