import { Button, Field, Input } from "@fluentui/react-components";
import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { Redirect, useLocation, useSearch } from "wouter";
import { sendJson, setCsrfToken } from "../../api/client";
import { paths, routes } from "../../api/paths";
import { keys, useSetup } from "../../api/queries";
import type { Session } from "../../api/types";
import { Loading, Problem } from "../../parts/page";
import { text } from "../../text";
import "./signin.css";

/** Sign-in, and on a new server the first account, with the one-time code from the console. */
export default function SigninPage({ signedIn }: { signedIn: boolean }) {
  const setup = useSetup();
  const client = useQueryClient();
  const search = new URLSearchParams(useSearch());
  const [location, navigate] = useLocation();
  const [code, setCode] = useState(search.get("code") ?? "");
  const [userName, setUserName] = useState("");
  const [displayName, setDisplayName] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const first = setup.data?.needsFirstAdmin ?? false;
  const title = first ? text.signin.setupTitle : text.signin.title;
  useEffect(() => {
    document.title = title;
  }, [title]);
  if (signedIn) return <Redirect to={routes.home} replace />;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      const session = first
        ? await sendJson<Session>("POST", paths.setup, { code: code.trim(), userName: userName.trim(), displayName: displayName.trim() || undefined, password })
        : await sendJson<Session>("POST", paths.session, { userName: userName.trim(), password });
      setCsrfToken(session.csrfToken);
      client.setQueryData(keys.session, session);
      if (location === routes.signin) navigate(routes.home, { replace: true });
    } catch (refused) {
      setError(refused);
      void setup.refetch();
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className="signin">
      <div className="signin-card">
        <div className="signin-brand">
          <img src="/favicon.svg" alt="" width="44" height="44" />
          <h1>{title}</h1>
          <p className="quiet">{first ? text.signin.setupHint : text.signin.tagline}</p>
        </div>
        {setup.isPending && <Loading />}
        {setup.isError && <Problem error={setup.error} retry={() => void setup.refetch()} />}
        {setup.data && (
          <form className="form" onSubmit={(event) => void submit(event)}>
            {first && (
              <Field label={text.signin.code} hint={text.signin.codeHint} required>
                <Input value={code} autoComplete="one-time-code" onChange={(_, data) => setCode(data.value)} />
              </Field>
            )}
            <Field label={text.signin.userName} required>
              <Input value={userName} autoComplete="username" autoCapitalize="none" spellCheck={false} autoFocus onChange={(_, data) => setUserName(data.value)} />
            </Field>
            {first && (
              <Field label={text.signin.displayName}>
                <Input value={displayName} autoComplete="name" onChange={(_, data) => setDisplayName(data.value)} />
              </Field>
            )}
            <Field label={text.signin.password} hint={first ? text.signin.passwordHint : undefined} required>
              <Input type="password" value={password} autoComplete={first ? "new-password" : "current-password"} onChange={(_, data) => setPassword(data.value)} />
            </Field>
            <Problem error={error} />
            <Button appearance="primary" type="submit" size="large" disabled={busy || userName.trim() === "" || password === "" || (first && code.trim() === "")}>
              {first ? text.signin.create : text.signin.signIn}
            </Button>
            {setup.data.demo && <p className="quiet signin-demo">{text.signin.demo}</p>}
          </form>
        )}
        {setup.data && <p className="quiet signin-version">{`${text.product} ${setup.data.version}`}</p>}
      </div>
    </main>
  );
}
