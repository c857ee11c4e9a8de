import { Button, Field, Input } from "@fluentui/react-components";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { sendJson, setCsrfToken } from "../../api/client";
import { paths } from "../../api/paths";
import { keys } from "../../api/queries";
import type { Session, User } from "../../api/types";
import { Page, Problem } from "../../parts/page";
import { text } from "../../text";
import "../settings/settings.css";

function useChangeOwn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: { displayName?: string; password?: string; currentPassword?: string }) => sendJson<Session>("PATCH", paths.me, change),
    onSuccess: (session) => {
      setCsrfToken(session.csrfToken);
      client.setQueryData(keys.session, session);
    },
  });
}

/** What a person changes of their own account. */
export default function AccountPage({ user }: { user: User }) {
  const [displayName, setDisplayName] = useState(user.displayName);
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const rename = useChangeOwn();
  const change = useChangeOwn();
  const saveName = (event: FormEvent) => {
    event.preventDefault();
    rename.mutate({ displayName: displayName.trim() });
  };
  const savePassword = (event: FormEvent) => {
    event.preventDefault();
    change.mutate(
      { password, currentPassword: current },
      {
        onSuccess: () => {
          setCurrent("");
          setPassword("");
        },
      },
    );
  };
  return (
    <Page title={text.people.accountTitle}>
      <p className="quiet">{`${user.userName}, ${text.people.roles[user.role]}`}</p>
      <section className="panel account-part">
        <h2>{text.people.name}</h2>
        <form className="form" onSubmit={saveName}>
          <Field label={text.people.name} required>
            <Input value={displayName} autoComplete="name" onChange={(_, data) => setDisplayName(data.value)} />
          </Field>
          <Problem error={rename.error} />
          <div>
            <Button type="submit" appearance="primary" disabled={rename.isPending || displayName.trim() === "" || displayName.trim() === user.displayName}>
              {text.people.save}
            </Button>{" "}
            <span role="status">{rename.isSuccess ? text.people.saved : ""}</span>
          </div>
        </form>
      </section>
      <section className="panel account-part">
        <h2>{text.people.password}</h2>
        <form className="form" onSubmit={savePassword}>
          <input type="hidden" autoComplete="username" value={user.userName} readOnly />
          <Field label={text.people.currentPassword} required>
            <Input type="password" autoComplete="current-password" value={current} onChange={(_, data) => setCurrent(data.value)} />
          </Field>
          <Field label={text.people.newPassword} hint={text.people.passwordHint} required>
            <Input type="password" autoComplete="new-password" value={password} onChange={(_, data) => setPassword(data.value)} />
          </Field>
          <Problem error={change.error} />
          <div>
            <Button type="submit" appearance="primary" disabled={change.isPending || current === "" || password === ""}>
              {text.people.changePassword}
            </Button>{" "}
            <span role="status">{change.isSuccess ? text.people.passwordChanged : ""}</span>
          </div>
        </form>
      </section>
    </Page>
  );
}
