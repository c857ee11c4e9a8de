import { Button, Checkbox, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input, Select } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { items, useCreateToken, useRevokeToken, useTokens } from "../../api/queries";
import type { Token } from "../../api/types";
import { ConfirmDialog } from "../../parts/confirm_dialog";
import { CopyButton } from "../../parts/copy";
import { AddRegular, KeyRegular } from "../../parts/icons";
import { Empty, ListFrame, Page, Problem } from "../../parts/page";
import { ago, when } from "../../parts/time";
import { text } from "../../text";
import "./settings.css";

const scopes = ["read", "run", "write", "admin"];
const lifetimes = [30, 90, 365];

function NewTokenDialog({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [chosen, setChosen] = useState<string[]>(["read"]);
  const [days, setDays] = useState("90");
  const create = useCreateToken();
  const made = create.data;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ name: name.trim(), scopes: scopes.filter((scope) => chosen.includes(scope)), expiresInDays: days === "" ? undefined : Number(days) });
  };
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && !(made && data.type === "backdropClick") && onClose()}>
      <DialogSurface>
        <form onSubmit={submit}>
          <DialogBody>
            <DialogTitle>{text.tokens.newToken}</DialogTitle>
            <DialogContent className="form">
              {made?.token ? (
                <>
                  <p role="status">{text.tokens.once}</p>
                  <code className="token breakable" aria-label={text.tokens.token}>
                    {made.token}
                  </code>
                  <div>
                    <CopyButton value={made.token} appearance="secondary" />
                  </div>
                </>
              ) : (
                <>
                  <Field label={text.tokens.name} required>
                    <Input value={name} onChange={(_, data) => setName(data.value)} />
                  </Field>
                  <Field label={text.tokens.scopes}>
                    <div role="group" aria-label={text.tokens.scopes}>
                      {scopes.map((scope) => (
                        <div key={scope}>
                          <Checkbox
                            label={text.tokens.scope[scope]}
                            checked={chosen.includes(scope)}
                            onChange={(_, data) => setChosen(data.checked ? [...chosen, scope] : chosen.filter((one) => one !== scope))}
                          />
                        </div>
                      ))}
                    </div>
                  </Field>
                  <Field label={text.tokens.expiresIn}>
                    <Select value={days} onChange={(_, data) => setDays(data.value)}>
                      {lifetimes.map((one) => (
                        <option key={one} value={one}>
                          {text.tokens.days(one)}
                        </option>
                      ))}
                      <option value="">{text.tokens.neverExpires}</option>
                    </Select>
                  </Field>
                  <Problem error={create.error} />
                </>
              )}
            </DialogContent>
            <DialogActions>
              <Button onClick={onClose}>{made ? text.common.close : text.common.cancel}</Button>
              {!made && (
                <Button appearance="primary" type="submit" disabled={create.isPending || name.trim() === "" || chosen.length === 0}>
                  {text.tokens.create}
                </Button>
              )}
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}

export default function TokensPage() {
  const list = useTokens();
  const all = items(list);
  const revoke = useRevokeToken();
  const [making, setMaking] = useState(false);
  const [doomed, setDoomed] = useState<Token>();
  const add = (
    <Button appearance="primary" icon={<AddRegular />} onClick={() => setMaking(true)}>
      {text.tokens.newToken}
    </Button>
  );
  return (
    <Page title={text.tokens.title} actions={all.length > 0 ? add : undefined}>
      <p className="lead">{text.tokens.hint}</p>
      <Problem error={revoke.error} />
      <ListFrame
        list={list}
        count={all.length}
        empty={
          <Empty icon={<KeyRegular />} title={text.tokens.empty} hint={text.tokens.emptyHint}>
            {add}
          </Empty>
        }
      >
        <table className="table cards-on-phone">
          <thead>
            <tr>
              <th scope="col">{text.tokens.name}</th>
              <th scope="col">{text.tokens.scopes}</th>
              <th scope="col">{text.tokens.created}</th>
              <th scope="col">{text.tokens.lastUsed}</th>
              <th scope="col">{text.tokens.expires}</th>
              <th scope="col">
                <span className="unseen">{text.common.more}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {all.map((token) => (
              <tr key={token.id}>
                <th scope="row">{token.name}</th>
                <td>{token.scopes.map((scope) => text.tokens.scope[scope] ?? scope).join(", ")}</td>
                <td data-label={text.tokens.created} title={when(token.createdTime)}>{ago(token.createdTime)}</td>
                <td data-label={text.tokens.lastUsed}>{token.lastUsedTime ? ago(token.lastUsedTime) : text.common.never}</td>
                <td data-label={text.tokens.expires}>{token.expiresTime ? when(token.expiresTime) : text.tokens.neverExpires}</td>
                <td className="row-actions">
                  <Button aria-label={text.tokens.revokeNamed(token.name)} onClick={() => setDoomed(token)}>
                    {text.tokens.revoke}
                  </Button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </ListFrame>
      {making && <NewTokenDialog onClose={() => setMaking(false)} />}
      {doomed && (
        <ConfirmDialog title={text.tokens.revokeTitle} hint={text.tokens.revokeHint(doomed.name)} confirm={text.tokens.revoke} onClose={() => setDoomed(undefined)} onConfirm={() => revoke.mutate(doomed.id)} />
      )}
    </Page>
  );
}
