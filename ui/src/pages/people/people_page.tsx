import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input, Select } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { items } from "../../api/queries";
import type { Person, PersonLink, Role, User } from "../../api/types";
import { ConfirmDialog } from "../../parts/confirm_dialog";
import { CopyButton } from "../../parts/copy";
import { AddRegular, PersonRegular } from "../../parts/icons";
import { Empty, ListFrame, Page, Problem } from "../../parts/page";
import { when } from "../../parts/time";
import { text } from "../../text";
import { HandOverDialog } from "./hand_over_dialog";
import { roles, useChangePerson, useInvite, useNewLink, usePeople, useWithdraw } from "./people";
import "../settings/settings.css";

const nameOf = (person: Person) => person.displayName || person.userName;

function RoleOptions() {
  return roles.map((role) => (
    <option key={role} value={role}>
      {text.people.roles[role]}
    </option>
  ));
}

/** The link, which is shown this once. */
function LinkShown({ made }: { made: PersonLink }) {
  return (
    <>
      <p role="status">{text.people.once(nameOf(made.user))}</p>
      <code className="token breakable" aria-label={text.people.link}>
        {made.link}
      </code>
      <div>
        <CopyButton value={made.link} appearance="secondary" />
      </div>
    </>
  );
}

function LinkDialog({ made, onClose }: { made: PersonLink; onClose: () => void }) {
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && data.type !== "backdropClick" && onClose()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{text.people.linkFor(nameOf(made.user))}</DialogTitle>
          <DialogContent className="form">
            <LinkShown made={made} />
          </DialogContent>
          <DialogActions>
            <Button onClick={onClose}>{text.common.close}</Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}

function InviteDialog({ onClose }: { onClose: () => void }) {
  const [userName, setUserName] = useState("");
  const [displayName, setDisplayName] = useState("");
  const [role, setRole] = useState<Role>("maker");
  const invite = useInvite();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    invite.mutate({ userName: userName.trim(), displayName: displayName.trim() || undefined, role });
  };
  if (invite.data) return <LinkDialog made={invite.data} onClose={onClose} />;
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <form onSubmit={submit}>
          <DialogBody>
            <DialogTitle>{text.people.inviteTitle}</DialogTitle>
            <DialogContent className="form">
              <Field label={text.people.userName} hint={text.people.userNameHint} required>
                <Input value={userName} autoCapitalize="none" spellCheck={false} onChange={(_, data) => setUserName(data.value)} />
              </Field>
              <Field label={text.people.name}>
                <Input value={displayName} onChange={(_, data) => setDisplayName(data.value)} />
              </Field>
              <Field label={text.people.role}>
                <Select value={role} onChange={(_, data) => setRole(data.value as Role)}>
                  <RoleOptions />
                </Select>
              </Field>
              <Problem error={invite.error} />
            </DialogContent>
            <DialogActions>
              <Button onClick={onClose}>{text.common.cancel}</Button>
              <Button appearance="primary" type="submit" disabled={invite.isPending || userName.trim() === ""}>
                {text.people.make}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}

/** Who may sign in, and as what. */
export default function PeoplePage({ user }: { user: User }) {
  const admin = user.role === "admin";
  const list = usePeople(admin);
  const all = items(list);
  const change = useChangePerson();
  const newLink = useNewLink();
  const withdraw = useWithdraw();
  const [inviting, setInviting] = useState(false);
  const [doomed, setDoomed] = useState<Person>();
  const [leaving, setLeaving] = useState<Person>();
  if (!admin)
    return (
      <Page title={text.people.title}>
        <Empty icon={<PersonRegular />} title={text.people.adminOnly} hint={text.people.adminOnlyHint} />
      </Page>
    );
  return (
    <Page
      title={text.people.title}
      actions={
        <Button appearance="primary" icon={<AddRegular />} onClick={() => setInviting(true)}>
          {text.people.invite}
        </Button>
      }
    >
      <p className="lead">{text.people.hint}</p>
      <Problem error={change.error ?? newLink.error ?? withdraw.error} />
      <ListFrame list={list} count={all.length} empty={<Empty icon={<PersonRegular />} title={text.people.title} hint={text.people.hint} />}>
        <table className="table cards-on-phone">
          <thead>
            <tr>
              <th scope="col">{text.people.name}</th>
              <th scope="col">{text.people.userName}</th>
              <th scope="col">{text.people.role}</th>
              <th scope="col">{text.people.state}</th>
              <th scope="col">
                <span className="unseen">{text.common.more}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {all.map((person) => (
              <tr key={person.id}>
                <th scope="row">
                  {nameOf(person)}
                  {person.id === user.id && <span className="quiet"> ({text.people.you})</span>}
                </th>
                <td data-label={text.people.userName} className="breakable">
                  {person.userName}
                </td>
                <td data-label={text.people.role}>
                  <Select aria-label={text.people.roleOf(nameOf(person))} value={person.role} onChange={(_, data) => change.mutate({ id: person.id, role: data.value as Role })}>
                    <RoleOptions />
                  </Select>
                </td>
                <td data-label={text.people.state}>
                  {text.people.states[person.state]}
                  {person.linkExpiresTime && <span className="quiet"> ({text.people.until(when(person.linkExpiresTime))})</span>}
                </td>
                <td className="row-actions">
                  {person.state !== "disabled" && (
                    <Button aria-label={text.people.newLinkNamed(nameOf(person))} onClick={() => newLink.mutate(person.id)}>
                      {text.people.newLink}
                    </Button>
                  )}
                  {person.state === "invited" && (
                    <Button aria-label={text.people.withdrawNamed(nameOf(person))} onClick={() => withdraw.mutate(person.id)}>
                      {text.people.withdraw}
                    </Button>
                  )}
                  {person.state === "active" && (
                    <Button aria-label={text.people.disableNamed(nameOf(person))} onClick={() => setDoomed(person)}>
                      {text.people.disable}
                    </Button>
                  )}
                  {person.state !== "invited" && (
                    <Button aria-label={text.share.handOverNamed(nameOf(person))} onClick={() => setLeaving(person)}>
                      {text.share.handOver}
                    </Button>
                  )}
                  {person.state === "disabled" && (
                    <Button aria-label={text.people.enableNamed(nameOf(person))} onClick={() => change.mutate({ id: person.id, state: "active" })}>
                      {text.people.enable}
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </ListFrame>
      {leaving && <HandOverDialog person={leaving} people={all} onClose={() => setLeaving(undefined)} />}
      {inviting && <InviteDialog onClose={() => setInviting(false)} />}
      {newLink.data && <LinkDialog made={newLink.data} onClose={() => newLink.reset()} />}
      {doomed && (
        <ConfirmDialog
          title={text.people.disableTitle}
          hint={text.people.disableHint(nameOf(doomed))}
          confirm={text.people.disable}
          onClose={() => setDoomed(undefined)}
          onConfirm={() => change.mutate({ id: doomed.id, state: "disabled" })}
        />
      )}
    </Page>
  );
}
