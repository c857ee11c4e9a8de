import { Button, Field, Input, Select } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { CopyButton } from "../../parts/copy";
import { Problem } from "../../parts/page";
import { when } from "../../parts/time";
import { text } from "../../text";
import { type ServerSettings, useDiscard, useOutbox, useRetry, useSaveServer, useTestServer } from "./settings";

/** The mail server: the operator's. */
export function MailServer({ settings }: { settings: ServerSettings["smtp"] }) {
  const [form, setForm] = useState({
    host: settings.host,
    port: String(settings.port ?? 587),
    security: settings.security ?? "starttls",
    userName: settings.userName ?? "",
    password: "",
    from: settings.from ?? "",
  });
  const [to, setTo] = useState("");
  const save = useSaveServer();
  const test = useTestServer();
  const set = (change: Partial<typeof form>) => {
    save.reset();
    setForm({ ...form, ...change });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate({ smtp: { ...form, port: Number(form.port), password: form.password === "" ? undefined : form.password } });
  };
  return (
    <section className="panel" aria-labelledby="notify-mail">
      <h2 id="notify-mail">{text.notify.server}</h2>
      <p className="quiet">{text.notify.serverHint}</p>
      <form className="form notify-form" onSubmit={submit}>
        <Field label={text.notify.host}>
          <Input value={form.host} onChange={(_, data) => set({ host: data.value })} />
        </Field>
        <div className="notify-pair">
          <Field label={text.notify.port}>
            <Input inputMode="numeric" value={form.port} onChange={(_, data) => set({ port: data.value })} />
          </Field>
          <Field label={text.notify.security}>
            <Select value={form.security} onChange={(_, data) => set({ security: data.value })}>
              {Object.entries(text.notify.securities).map(([one, word]) => (
                <option key={one} value={one}>
                  {word}
                </option>
              ))}
            </Select>
          </Field>
        </div>
        <Field label={text.notify.userName}>
          <Input autoComplete="off" value={form.userName} onChange={(_, data) => set({ userName: data.value })} />
        </Field>
        <Field label={text.notify.password} hint={settings.passwordSet ? text.notify.passwordKept : undefined}>
          <Input type="password" autoComplete="new-password" value={form.password} onChange={(_, data) => set({ password: data.value })} />
        </Field>
        <Field label={text.notify.sender}>
          <Input type="email" value={form.from} onChange={(_, data) => set({ from: data.value })} />
        </Field>
        <Problem error={save.error} />
        <div className="notify-actions">
          <Button appearance="primary" type="submit" disabled={save.isPending}>
            {text.notify.save}
          </Button>
          <span role="status">{save.isSuccess ? text.notify.saved : ""}</span>
        </div>
      </form>
      {settings.host !== "" && (
        <form
          className="form notify-form"
          onSubmit={(event) => {
            event.preventDefault();
            test.mutate({ channel: "email", to });
          }}
        >
          <Field label={text.notify.testTo}>
            <Input type="email" value={to} onChange={(_, data) => setTo(data.value)} />
          </Field>
          <Problem error={test.error} />
          <div className="notify-actions">
            <Button type="submit" disabled={test.isPending || to === ""}>
              {text.notify.test}
            </Button>
            <span role="status">{test.isSuccess ? text.notify.testSent : ""}</span>
          </div>
        </form>
      )}
    </section>
  );
}

export function Webhook({ settings }: { settings: ServerSettings["webhook"] }) {
  const [url, setUrl] = useState(settings.url);
  const save = useSaveServer();
  const test = useTestServer();
  const secret = save.data?.webhook.secret;
  return (
    <section className="panel" aria-labelledby="notify-webhook">
      <h2 id="notify-webhook">{text.notify.webhook}</h2>
      <p className="quiet">{text.notify.webhookHint}</p>
      <form
        className="form notify-form"
        onSubmit={(event) => {
          event.preventDefault();
          save.mutate({ webhook: { url: url.trim() } });
        }}
      >
        <Field label={text.notify.url}>
          <Input type="url" value={url} onChange={(_, data) => setUrl(data.value)} />
        </Field>
        {secret && (
          <div>
            <p role="status">{text.notify.newSecret}</p>
            <code className="token breakable">{secret}</code> <CopyButton value={secret} />
          </div>
        )}
        <Problem error={save.error ?? test.error} />
        <div className="notify-actions">
          <Button appearance="primary" type="submit" disabled={save.isPending}>
            {text.notify.save}
          </Button>
          <Button disabled={test.isPending || settings.url === ""} onClick={() => test.mutate({ channel: "webhook" })}>
            {text.notify.test}
          </Button>
          <span role="status">{test.isSuccess ? text.notify.testSent : save.isSuccess ? text.notify.saved : ""}</span>
        </div>
      </form>
    </section>
  );
}

/** What could not be sent yet, with the receiver's own words. */
export function Outbox() {
  const outbox = useOutbox();
  const retry = useRetry();
  const discard = useDiscard();
  const all = outbox.data ?? [];
  return (
    <section className="panel" aria-labelledby="notify-outbox">
      <h2 id="notify-outbox">{text.notify.outbox}</h2>
      <Problem error={outbox.error ?? retry.error ?? discard.error} />
      {outbox.isSuccess && all.length === 0 && <p className="quiet">{text.notify.outboxEmpty}</p>}
      {all.some((one) => one.state !== "waiting") && (
        <div>
          <Button disabled={retry.isPending} onClick={() => retry.mutate(undefined)}>
            {text.notify.tryAll}
          </Button>
        </div>
      )}
      <ul className="notify-list">
        {all.map((one) => (
          <li key={one.id}>
            <span className="notify-words">
              <strong>{[text.notify.channels[one.channel], one.address].filter(Boolean).join(" · ")}</strong>
              <span className="quiet">
                {[text.notify.states[one.state], one.attempts > 0 ? text.notify.attempts(one.attempts) : undefined, one.nextTryTime ? when(one.nextTryTime) : undefined].filter(Boolean).join(" · ")}
              </span>
              {one.lastError && <span className="breakable">{one.lastError}</span>}
            </span>
            <span className="notify-actions">
              <Button size="small" onClick={() => retry.mutate(one.id)}>
                {text.notify.tryNow}
              </Button>
              <Button size="small" onClick={() => discard.mutate(one.id)}>
                {text.notify.remove}
              </Button>
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}
