import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input, Select } from "@fluentui/react-components";
import { type FormEvent, useMemo, useState } from "react";
import { items, useConnector, useConnectors, useDeleteConnection, usePutConnection, useWhole } from "../../api/queries";
import { Loading, Problem } from "../../parts/page";
import { text } from "../../text";
import { fieldsOf, kindsOf, newName, stateOf } from "./connection";
import { CredentialFields, credentialsOf, ServiceAnswer } from "./fields";

/** Makes a connection. The server verifies it; one that the service refused stays only if the person says so by closing. */
export default function NewConnectionDialog({ onClose }: { onClose: () => void }) {
  const connectors = useConnectors();
  useWhole(connectors);
  const all = items(connectors);
  const [chosen, setChosen] = useState<string>();
  const [displayName, setDisplayName] = useState<string>();
  const [values, setValues] = useState<Record<string, string>>({});
  const [kind, setKind] = useState<string>();
  const api = chosen ?? all[0]?.name;
  const connector = useConnector(api);
  const put = usePutConnection();
  const remove = useDeleteConnection();
  // One name for this dialog: a second try after a refusal replaces the first.
  const description = connector.data ?? all.find((one) => one.name === api);
  const kinds = kindsOf(description);
  const set = kinds.find((one) => one.name === kind) ?? kinds[0];
  const name = useMemo(() => newName(api ?? ""), [api, set?.name]);
  const fields = fieldsOf(description, set?.name);
  const title = displayName ?? connector.data?.properties.displayName ?? "";
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!api) return;
    const made = await put.mutateAsync({ api, name, displayName: title, parameters: credentialsOf(fields, values), set: set?.name }).catch(() => undefined);
    // One that signs in is made first and signed in from the list.
    if (made && (stateOf(made)?.status === "Connected" || stateOf(made)?.error?.code === "SignInNeeded")) onClose();
  };
  const state = put.data && !put.isPending ? stateOf(put.data) : undefined;
  const refused = state && state.status !== "Connected";
  /** A connection that the service refused is not wanted any more. */
  const beginAnew = () => {
    if (refused && api) remove.mutate({ api, name });
    setValues({});
    put.reset();
  };
  const cancel = () => {
    beginAnew();
    onClose();
  };
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && cancel()}>
      <DialogSurface>
        <form onSubmit={(event) => void submit(event)}>
          <DialogBody>
            <DialogTitle>{text.connections.newTitle}</DialogTitle>
            <DialogContent className="form">
              {connectors.isPending && <Loading />}
              <Problem error={connectors.error} retry={() => void connectors.refetch()} />
              {connectors.isSuccess && all.length === 0 && <p>{text.connections.noConnectors}</p>}
              {all.length > 0 && (
                <>
                  <Field label={text.connections.chooseConnector}>
                    <Select
                      value={api}
                      onChange={(_, data) => {
                        beginAnew();
                        setChosen(data.value);
                        setDisplayName(undefined);
                        setKind(undefined);
                      }}
                    >
                      {all.map((one) => (
                        <option key={one.name} value={one.name}>
                          {one.properties.displayName}
                        </option>
                      ))}
                    </Select>
                  </Field>
                  <Field label={text.connections.displayName} required>
                    <Input value={title} onChange={(_, data) => setDisplayName(data.value)} />
                  </Field>
                  {kinds.length > 1 && (
                    <Field label={description?.properties.connectionParameterSets?.uiDefinition?.displayName || text.connections.chooseKind} hint={set?.uiDefinition?.description}>
                      <Select
                        value={set?.name}
                        onChange={(_, data) => {
                          beginAnew();
                          setKind(data.value);
                        }}
                      >
                        {kinds.map((one) => (
                          <option key={one.name} value={one.name}>
                            {one.uiDefinition?.displayName || one.name}
                          </option>
                        ))}
                      </Select>
                    </Field>
                  )}
                  <CredentialFields fields={fields} values={values} disabled={put.isPending} onChange={(field, value) => setValues({ ...values, [field]: value })} />
                </>
              )}
              {refused && <ServiceAnswer title={text.connections.createdWithError} message={state.error?.message} />}
              <Problem error={put.error} />
            </DialogContent>
            <DialogActions>
              <Button onClick={cancel}>{text.common.cancel}</Button>
              <Button appearance="primary" type="submit" disabled={put.isPending || !api || title.trim() === ""}>
                {text.connections.create}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}
