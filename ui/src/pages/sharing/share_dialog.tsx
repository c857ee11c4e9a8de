import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Select } from "@fluentui/react-components";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { sendJson } from "../../api/client";
import { paths } from "../../api/paths";
import { items, useListOf } from "../../api/queries";
import type { OwnerAnswer, Permission, Person, ShareRole } from "../../api/types";
import { Loading, Problem } from "../../parts/page";
import { text } from "../../text";
import type { ShareProps, Shared } from "./share_button";
import "./sharing.css";

const roles: ShareRole[] = ["CanView", "CanEdit", "Owner"];
const nameOf = (permission: Permission) => permission.properties.flowmend?.displayName || permission.properties.flowmend?.userName || permission.name;

function useSharing(thing: Shared) {
  const client = useQueryClient();
  const fresh = () => {
    void client.invalidateQueries({ queryKey: thing.key });
    void client.invalidateQueries({ queryKey: thing.stale });
  };
  const modify = useMutation({ mutationFn: (body: object) => sendJson("POST", thing.modify, body), onSuccess: fresh });
  const give = useMutation({ mutationFn: (to: string) => sendJson<OwnerAnswer>("POST", thing.owner, { to }), onSuccess: fresh });
  return { modify, give };
}

function RoleSelect({ label, value, disabled, onChange }: { label: string; value: ShareRole; disabled?: boolean; onChange: (role: ShareRole) => void }) {
  return (
    <Select aria-label={label} value={value} disabled={disabled} onChange={(_, data) => onChange(data.value as ShareRole)}>
      {roles.map((role) => (
        <option key={role} value={role}>
          {text.share.roles[role]}
        </option>
      ))}
    </Select>
  );
}

/** Who may use, edit or own a flow or a connection: listed, added, changed, removed, given away. */
export default function ShareDialog({ title, thing, mayChange, hint, onClose }: ShareProps & { onClose: () => void }) {
  const list = useListOf<Permission>([...thing.key], thing.permissions, true);
  const people = useListOf<Person>(["sharing", "people"], paths.people, mayChange);
  const { modify, give } = useSharing(thing);
  const [person, setPerson] = useState("");
  const [role, setRole] = useState<ShareRole>("CanView");
  const shared = items(list);
  const others = items(people).filter((one) => !shared.some((known) => known.name === one.id));
  const put = (id: string, roleName: ShareRole) => modify.mutate({ put: [{ properties: { roleName, principal: { id, type: "User" } } }] });
  const add = () => {
    put(person, role);
    setPerson("");
  };
  const busy = modify.isPending || give.isPending;
  const foreign = give.data?.warnings.flatMap((one) => one.connections) ?? [];
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <DialogBody>
          <DialogTitle>{text.share.title(title)}</DialogTitle>
          <DialogContent className="form">
            <p className="quiet">{hint}</p>
            {list.isPending && <Loading />}
            <Problem error={list.error ?? people.error ?? modify.error ?? give.error} />
            {list.data && shared.length === 0 && <p>{text.share.nobody}</p>}
            <ul className="plain-list">
              {shared.map((one) => (
                <li key={one.name} className="shared-with">
                  <span className="breakable">{nameOf(one)}</span>
                  <RoleSelect label={text.share.roleOf(nameOf(one))} value={one.properties.roleName} disabled={!mayChange || busy} onChange={(to) => put(one.name, to)} />
                  {mayChange && (
                    <Button disabled={busy} aria-label={text.share.remove(nameOf(one))} onClick={() => modify.mutate({ delete: [{ id: one.name }] })}>
                      {text.share.removeWord}
                    </Button>
                  )}
                  {mayChange && one.properties.roleName !== "Owner" && (
                    <Button disabled={busy} onClick={() => give.mutate(one.name)}>
                      {text.share.giveAway(nameOf(one))}
                    </Button>
                  )}
                </li>
              ))}
            </ul>
            {foreign.length > 0 && <p role="status">{text.share.foreign(foreign.map((one) => one.displayName).join(", "))}</p>}
            {mayChange ? (
              <div className="share-add">
                <Field label={text.share.person}>
                  <Select value={person} onChange={(_, data) => setPerson(data.value)}>
                    <option value="">{text.share.choose}</option>
                    {others.map((one) => (
                      <option key={one.id} value={one.id}>
                        {`${one.displayName || one.userName} (${one.userName})`}
                      </option>
                    ))}
                  </Select>
                </Field>
                <Field label={text.share.may}>
                  <RoleSelect label={text.share.may} value={role} onChange={setRole} />
                </Field>
                <Button appearance="primary" disabled={person === "" || busy} onClick={add}>
                  {text.share.add}
                </Button>
              </div>
            ) : (
              <p className="quiet">{text.share.notOwner}</p>
            )}
          </DialogContent>
          <DialogActions>
            <Button onClick={onClose}>{text.common.close}</Button>
          </DialogActions>
        </DialogBody>
      </DialogSurface>
    </Dialog>
  );
}
