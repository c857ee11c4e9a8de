import { Button, Checkbox, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input, Textarea } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { Link } from "wouter";
import { routes } from "../../api/paths";
import { items, useEnvironmentVariables, useRemoveEnvironmentVariable, useSession, useSetEnvironmentVariable } from "../../api/queries";
import type { EnvironmentVariable } from "../../api/types";
import { ConfirmDialog } from "../../parts/confirm_dialog";
import { AddRegular, BracesRegular } from "../../parts/icons";
import { Empty, ListFrame, Page, Problem } from "../../parts/page";
import { ago, when } from "../../parts/time";
import { text } from "../../text";
import { valueOf } from "./value";

const words = text.variables;

/** What a person reads of a value, and edits. */
const written = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));

function VariableDialog({ variable, onClose }: { variable?: EnvironmentVariable; onClose: () => void }) {
  const [name, setName] = useState(variable?.name ?? "");
  const [value, setValue] = useState(variable?.isSet ? written(variable.value) : "");
  const [isJson, setIsJson] = useState(variable?.isSet === true && typeof variable.value !== "string");
  const [description, setDescription] = useState(variable?.description ?? "");
  const set = useSetEnvironmentVariable();
  const read = valueOf(value, isJson);
  const done = set.data;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (read.ok) set.mutate({ name: name.trim(), value: read.value, description });
  };
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <form onSubmit={submit}>
          <DialogBody>
            <DialogTitle>{variable ? variable.name : words.newVariable}</DialogTitle>
            <DialogContent className="form">
              {done ? (
                <>
                  <p role="status">{done.changed.length > 0 ? words.changed(done.changed.length) : words.nobody}</p>
                  {done.left.map((flow) => (
                    <div key={flow.flow}>
                      <Link href={routes.flow(flow.flow)}>{flow.displayName}</Link>: {words.left} {flow.error.message} {flow.error.cure}
                    </div>
                  ))}
                </>
              ) : (
                <>
                  {!variable && (
                    <Field label={words.name} required hint={words.nameHint}>
                      <Input value={name} onChange={(_, data) => setName(data.value)} />
                    </Field>
                  )}
                  <Field label={words.value} required={isJson} validationState={read.ok ? "none" : "error"} validationMessage={read.ok ? undefined : words.noJson}>
                    <Textarea value={value} onChange={(_, data) => setValue(data.value)} resize="vertical" />
                  </Field>
                  <Checkbox label={words.isJson} checked={isJson} onChange={(_, data) => setIsJson(data.checked === true)} />
                  <Field label={words.description}>
                    <Input value={description} onChange={(_, data) => setDescription(data.value)} />
                  </Field>
                  <p className="hint">{words.saveHint}</p>
                  <Problem error={set.error} />
                </>
              )}
            </DialogContent>
            <DialogActions>
              <Button onClick={onClose}>{done ? text.common.close : text.common.cancel}</Button>
              {!done && (
                <Button appearance="primary" type="submit" disabled={set.isPending || name.trim() === "" || !read.ok}>
                  {words.save}
                </Button>
              )}
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}

export default function VariablesPage() {
  const list = useEnvironmentVariables();
  const all = items(list);
  const remove = useRemoveEnvironmentVariable();
  const admin = useSession().data?.user.role === "admin";
  const [edited, setEdited] = useState<EnvironmentVariable | "new">();
  const [doomed, setDoomed] = useState<EnvironmentVariable>();
  const add = admin ? (
    <Button appearance="primary" icon={<AddRegular />} onClick={() => setEdited("new")}>
      {words.newVariable}
    </Button>
  ) : undefined;
  return (
    <Page title={words.title} actions={all.length > 0 ? add : undefined}>
      <p className="lead">{words.hint}</p>
      <Problem error={remove.error} />
      <ListFrame
        list={list}
        count={all.length}
        empty={
          <Empty icon={<BracesRegular />} title={words.empty} hint={words.emptyHint}>
            {add}
          </Empty>
        }
      >
        <table className="table cards-on-phone">
          <thead>
            <tr>
              <th scope="col">{words.name}</th>
              <th scope="col">{words.value}</th>
              <th scope="col">{words.flows}</th>
              <th scope="col">{words.changedAt}</th>
              <th scope="col">
                <span className="unseen">{text.common.more}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {all.map((variable) => (
              <tr key={variable.name}>
                <th scope="row" className="breakable">
                  {variable.name}
                  {variable.description && <div className="hint">{variable.description}</div>}
                </th>
                <td data-label={words.value} className="breakable">{variable.isSet ? written(variable.value).slice(0, 200) : words.notSet}</td>
                <td data-label={words.flows}>
                  {variable.flows.map((flow) => (
                    <div key={flow.name}>
                      <Link href={routes.flow(flow.name)}>{flow.displayName}</Link>
                    </div>
                  ))}
                  {variable.flowsCount > variable.flows.length && words.others(variable.flowsCount - variable.flows.length)}
                  {variable.flowsCount === 0 && words.noFlow}
                </td>
                <td data-label={words.changedAt} title={variable.changedTime && when(variable.changedTime)}>{variable.changedTime ? words.by(ago(variable.changedTime), variable.changedBy ?? "") : ""}</td>
                <td className="row-actions">
                  {admin && (
                    <Button aria-label={words.setNamed(variable.name)} onClick={() => setEdited(variable)}>
                      {words.set}
                    </Button>
                  )}
                  {admin && variable.isSet && variable.flowsCount === 0 && (
                    <Button aria-label={words.removeNamed(variable.name)} onClick={() => setDoomed(variable)}>
                      {words.remove}
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </ListFrame>
      {edited && <VariableDialog variable={edited === "new" ? undefined : edited} onClose={() => setEdited(undefined)} />}
      {doomed && <ConfirmDialog title={words.removeTitle} hint={words.removeHint(doomed.name)} confirm={words.remove} onClose={() => setDoomed(undefined)} onConfirm={() => remove.mutate(doomed.name)} />}
    </Page>
  );
}
