import { Button, Field, Input, Select, Switch } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { Problem } from "../../parts/page";
import { ago } from "../../parts/time";
import { text } from "../../text";
import { deviceName, type MyNotifications, type Preferences, useRemoveDevice, useSaveMine, useSubscribe, useTestMine } from "./settings";

/** What this user wants to hear, and when. */
export function Mine({ mine }: { mine: MyNotifications }) {
  const [form, setForm] = useState<Preferences>({
    email: mine.email,
    emailPace: mine.emailPace,
    push: mine.push,
    digestTime: mine.digestTime,
    // Nobody chose yet: the browser knows better than the server.
    timeZone: mine.email === "" && mine.timeZone === "Etc/UTC" ? Intl.DateTimeFormat().resolvedOptions().timeZone : mine.timeZone,
    quietHours: mine.quietHours,
  });
  const save = useSaveMine();
  const test = useTestMine();
  const set = (change: Partial<Preferences>) => {
    save.reset();
    setForm({ ...form, ...change });
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(form);
  };
  const quiet = form.quietHours;
  return (
    <section className="panel" aria-labelledby="notify-you">
      <h2 id="notify-you">{text.notify.you}</h2>
      <form className="form notify-form" onSubmit={submit}>
        <Field label={text.notify.email} hint={mine.emailAvailable ? undefined : text.notify.noServer}>
          <Input type="email" autoComplete="email" value={form.email} onChange={(_, data) => set({ email: data.value })} />
        </Field>
        <Field label={text.notify.pace}>
          <Select value={form.emailPace} onChange={(_, data) => set({ emailPace: data.value })}>
            {Object.entries(text.notify.paces).map(([pace, word]) => (
              <option key={pace} value={pace}>
                {word}
              </option>
            ))}
          </Select>
        </Field>
        {form.emailPace === "daily" && (
          <Field label={text.notify.digestTime}>
            <Input type="time" value={form.digestTime} onChange={(_, data) => set({ digestTime: data.value })} />
          </Field>
        )}
        <Switch label={text.notify.push} checked={form.push} onChange={(_, data) => set({ push: data.checked })} />
        <Field hint={text.notify.quietHint}>
          <Switch label={text.notify.quiet} checked={quiet !== undefined} onChange={(_, data) => set({ quietHours: data.checked ? { from: "22:00", until: "07:00" } : undefined })} />
        </Field>
        {quiet && (
          <div className="notify-pair">
            <Field label={text.notify.from}>
              <Input type="time" value={quiet.from} onChange={(_, data) => set({ quietHours: { ...quiet, from: data.value } })} />
            </Field>
            <Field label={text.notify.until}>
              <Input type="time" value={quiet.until} onChange={(_, data) => set({ quietHours: { ...quiet, until: data.value } })} />
            </Field>
          </div>
        )}
        <Field label={text.notify.timeZone}>
          <Input value={form.timeZone} onChange={(_, data) => set({ timeZone: data.value })} />
        </Field>
        <Problem error={save.error ?? test.error} />
        <div className="notify-actions">
          <Button appearance="primary" type="submit" disabled={save.isPending}>
            {text.notify.save}
          </Button>
          <Button disabled={test.isPending || mine.email === ""} onClick={() => test.mutate("email")}>
            {text.notify.testEmail}
          </Button>
          <span role="status">{test.isSuccess ? text.notify.testSent : save.isSuccess ? text.notify.saved : ""}</span>
        </div>
      </form>
    </section>
  );
}

/** Messages on this device, and the list of those that get them. */
export function Devices({ mine }: { mine: MyNotifications }) {
  const subscribe = useSubscribe();
  const remove = useRemoveDevice();
  const test = useTestMine();
  const able = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
  const denied = able && Notification.permission === "denied";
  return (
    <section className="panel" aria-labelledby="notify-device">
      <h2 id="notify-device">{text.notify.device}</h2>
      <p className="quiet">{!able ? text.notify.deviceUnsupported : denied ? text.notify.deviceDenied : text.notify.deviceHint}</p>
      <Problem error={subscribe.error ?? remove.error ?? test.error} />
      <div className="notify-actions">
        {able && (
          <Button disabled={subscribe.isPending} onClick={() => subscribe.mutate({ key: mine.pushKey, name: deviceName(navigator.userAgent) })}>
            {text.notify.deviceOn}
          </Button>
        )}
        {mine.devices.length > 0 && (
          <Button disabled={test.isPending} onClick={() => test.mutate("push")}>
            {text.notify.testPush}
          </Button>
        )}
        <span role="status">{test.isSuccess ? text.notify.testSent : ""}</span>
      </div>
      {mine.devices.length > 0 && (
        <ul className="notify-list" aria-label={text.notify.devices}>
          {mine.devices.map((device) => (
            <li key={device.id}>
              <span>
                <strong>{device.name}</strong> <span className="quiet">{text.notify.since(ago(device.createdTime))}</span>
              </span>
              <Button size="small" disabled={remove.isPending} aria-label={`${text.notify.remove}: ${device.name}`} onClick={() => remove.mutate(device.id)}>
                {text.notify.remove}
              </Button>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
