import { Button, Field, Input } from "@fluentui/react-components";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useEffect, useState } from "react";
import { useLocation } from "wouter";
import { sendJson, setCsrfToken } from "../../api/client";
import { paths, routes } from "../../api/paths";
import { keys } from "../../api/queries";
import type { Invitation, Session } from "../../api/types";
import { Loading, Problem } from "../../parts/page";
import { text } from "../../text";
import "../signin/signin.css";

/** Where a link leads: its reader chooses a password. The key stands behind the #, which browsers send to nobody. */
export default function JoinPage() {
  const [key] = useState(() => window.location.hash.slice(1));
  const [, navigate] = useLocation();
  const client = useQueryClient();
  const [displayName, setDisplayName] = useState<string>();
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const found = useQuery({
    queryKey: ["invitation"],
    queryFn: () => sendJson<Invitation>("POST", paths.invitation, { key }),
    enabled: key !== "",
    retry: false,
    gcTime: 0,
  });
  useEffect(() => {
    document.title = text.people.joinTitle;
  }, []);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      const session = await sendJson<Session>("POST", paths.join, { key, password, displayName: displayName?.trim() || undefined });
      setCsrfToken(session.csrfToken);
      // Whoever was signed in before in this browser is not any more.
      client.removeQueries({ predicate: (query) => query.queryKey[0] !== keys.session[0] });
      client.setQueryData(keys.session, session);
      navigate(routes.home, { replace: true });
    } catch (refused) {
      setError(refused);
      setBusy(false);
    }
  };
  return (
    <main className="signin">
      <div className="signin-card">
        <div className="signin-brand">
          <img src="/favicon.svg" alt="" width="44" height="44" />
          <h1>{text.people.joinTitle}</h1>
          {key === "" && <p role="alert">{text.people.joinMissing}</p>}
          {found.data && <p className="quiet">{text.people.joinAs(found.data.userName)}</p>}
          {found.data?.joined && <p className="quiet">{text.people.joinAgain}</p>}
        </div>
        {found.isLoading && <Loading />}
        <Problem error={found.error} />
        {found.data && (
          <form className="form" onSubmit={(event) => void submit(event)}>
            <input type="hidden" autoComplete="username" value={found.data.userName} readOnly />
            <Field label={text.signin.displayName}>
              <Input value={displayName ?? found.data.displayName} autoComplete="name" onChange={(_, data) => setDisplayName(data.value)} />
            </Field>
            <Field label={text.signin.password} hint={text.people.passwordHint} required>
              <Input type="password" value={password} autoComplete="new-password" autoFocus onChange={(_, data) => setPassword(data.value)} />
            </Field>
            <Problem error={error} />
            <Button appearance="primary" type="submit" size="large" disabled={busy || password === ""}>
              {text.people.join}
            </Button>
          </form>
        )}
      </div>
    </main>
  );
}
