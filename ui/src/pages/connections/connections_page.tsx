import { Button, Menu, MenuItem, MenuList, MenuPopover, MenuTrigger, MessageBar, MessageBarBody, MessageBarTitle, Tooltip } from "@fluentui/react-components";
import { lazy, Suspense, useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { routes } from "../../api/paths";
import { items, useConnections, useDeleteConnection, useVerify } from "../../api/queries";
import type { Connection } from "../../api/types";
import { ConfirmDialog } from "../../parts/confirm_dialog";
import { AddRegular, ArrowClockwiseRegular, ClockRegular, DeleteRegular, HistoryRegular, MoreHorizontalRegular, PlugConnectedRegular, PulseRegular } from "../../parts/icons";
import { useMay } from "../../parts/may";
import { Empty, ListFrame, Page, Problem } from "../../parts/page";
import { ago, when } from "../../parts/time";
import { text } from "../../text";
import { apiOf } from "./connection";
import { ConnectionState, MendButton } from "./state";
import { useSignIn } from "./sign_in";
import "./connections.css";

const VerifyDialog = lazy(() => import("./verify_dialog"));
const HoldDialog = lazy(() => import("./hold_dialog"));
const RateDialog = lazy(() => import("./rate_dialog"));
const NewConnectionDialog = lazy(() => import("./new_dialog"));

interface Verified {
  name: string;
  affectedRuns: number;
  released?: number;
}

function Row(props: { connection: Connection; onVerify: () => void; onHold: () => void; onRate: () => void; onDelete: () => void; onChecked: (verified: Verified) => void }) {
  const { connection } = props;
  const { displayName, flowmend } = connection.properties;
  const may = useMay(flowmend?.role);
  const [, navigate] = useLocation();
  const api = apiOf(connection);
  const check = useVerify(api, connection.name);
  const signIn = useSignIn(api, connection.name);
  const checkNow = async () => {
    const answer = await check.mutateAsync(undefined).catch(() => undefined);
    if (answer?.status === "Connected") props.onChecked({ name: displayName, affectedRuns: answer.affectedRuns ?? 0, released: answer.releasedRuns });
  };
  return (
    <tr aria-label={displayName}>
      <th scope="row">
        <Link href={routes.connection(api, connection.name)} className="cell-title">
          {displayName}
        </Link>
        <span className="quiet">{flowmend?.connectorDisplayName ?? api}</span>
      </th>
      <td>
        <ConnectionState connection={connection} />
        <Problem error={check.error ?? signIn.error} />
        {check.data?.status === "Error" && !check.isPending && <p className="tone-bad breakable">{check.data.error?.message}</p>}
      </td>
      <td data-label={text.connections.usedBy}>
        {flowmend?.usedBy && flowmend.usedBy.length > 0 ? (
          <ul className="plain-list">
            {flowmend.usedBy.map((flow) => (
              <li key={flow.flow}>
                <Link href={routes.flow(flow.flow)}>{flow.displayName}</Link>
              </li>
            ))}
          </ul>
        ) : (
          <span className="quiet">{text.connections.notUsed}</span>
        )}
      </td>
      <td data-label={text.connections.lastSuccess} title={when(flowmend?.lastSuccessTime)}>{flowmend?.lastSuccessTime ? ago(flowmend.lastSuccessTime) : <span className="quiet">{text.common.never}</span>}</td>
      <td className="row-actions">
        {may.edit && <MendButton connection={connection} signIn={signIn} onVerify={props.onVerify} />}
        <Menu>
          <MenuTrigger disableButtonEnhancement>
            <Tooltip content={text.connections.actionsOf(displayName)} relationship="label">
              <Button appearance="subtle" className="row-menu" icon={<MoreHorizontalRegular />} />
            </Tooltip>
          </MenuTrigger>
          <MenuPopover>
            <MenuList>
              {may.edit && (
                <>
                  <MenuItem icon={<ArrowClockwiseRegular />} onClick={() => void checkNow()}>
                    {text.connections.checkNow}
                  </MenuItem>
                  <MenuItem icon={<ClockRegular />} onClick={props.onHold}>
                    {text.holds.settings}
                  </MenuItem>
                  <MenuItem icon={<PulseRegular />} onClick={props.onRate}>
                    {text.connections.rate}
                  </MenuItem>
                </>
              )}
              <MenuItem icon={<HistoryRegular />} onClick={() => navigate(`${routes.runs}?status=Failed&connection=${encodeURIComponent(connection.name)}`)}>
                {text.connections.seeRuns}
              </MenuItem>
              {may.own && (
                <MenuItem icon={<DeleteRegular />} onClick={props.onDelete}>
                  {text.common.delete}
                </MenuItem>
              )}
            </MenuList>
          </MenuPopover>
        </Menu>
      </td>
    </tr>
  );
}

export default function ConnectionsPage() {
  const list = useConnections();
  const all = items(list);
  const remove = useDeleteConnection();
  const [verify, setVerify] = useState<Connection>();
  const [hold, setHold] = useState<Connection>();
  const [rate, setRate] = useState<Connection>();
  const [doomed, setDoomed] = useState<Connection>();
  const [making, setMaking] = useState(false);
  const [verified, setVerified] = useState<Verified>();
  const came = new URLSearchParams(useSearch());
  const signedIn = came.get("signedIn");
  const signInError = came.get("signInError");
  const add = (
    <Button appearance="primary" icon={<AddRegular />} onClick={() => setMaking(true)}>
      {text.connections.newConnection}
    </Button>
  );
  return (
    <Page title={text.connections.title} actions={all.length > 0 ? add : undefined}>
      {signedIn && (
        <MessageBar intent="success">
          <MessageBarBody>{text.connections.signedIn(signedIn)}</MessageBarBody>
        </MessageBar>
      )}
      {signInError && (
        <MessageBar intent="error" layout="multiline">
          <MessageBarBody>
            <MessageBarTitle>{text.connections.signInFailed}</MessageBarTitle>
            <span className="breakable">{signInError}</span>
          </MessageBarBody>
        </MessageBar>
      )}
      {verified && (
        <MessageBar intent="success" layout="multiline">
          <MessageBarBody>
            <MessageBarTitle>{text.connections.verified(verified.name)}</MessageBarTitle>
            {verified.released ? text.holds.released(verified.released) : text.connections.verifiedHint(verified.affectedRuns)}
          </MessageBarBody>
        </MessageBar>
      )}
      <Problem error={remove.error} />
      <ListFrame
        list={list}
        count={all.length}
        empty={
          <Empty icon={<PlugConnectedRegular />} title={text.connections.empty} hint={text.connections.emptyHint}>
            {add}
          </Empty>
        }
      >
        <table className="table cards-on-phone">
          <thead>
            <tr>
              <th scope="col">{text.connections.name}</th>
              <th scope="col">{text.connections.state}</th>
              <th scope="col">{text.connections.usedBy}</th>
              <th scope="col">{text.connections.lastSuccess}</th>
              <th scope="col">
                <span className="unseen">{text.common.more}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {all.map((connection) => (
              <Row key={`${apiOf(connection)}/${connection.name}`} connection={connection} onVerify={() => setVerify(connection)} onHold={() => setHold(connection)} onRate={() => setRate(connection)} onDelete={() => setDoomed(connection)} onChecked={setVerified} />
            ))}
          </tbody>
        </table>
      </ListFrame>
      <Suspense fallback={null}>
        {verify && (
          <VerifyDialog
            api={apiOf(verify)}
            name={verify.name}
            onClose={() => setVerify(undefined)}
            onVerified={(name, affectedRuns, released) => {
              setVerify(undefined);
              setVerified({ name, affectedRuns, released });
            }}
          />
        )}
        {hold && <HoldDialog target={`${apiOf(hold)}/${hold.name}`} displayName={hold.properties.displayName} onClose={() => setHold(undefined)} />}
        {rate && <RateDialog connection={rate} onClose={() => setRate(undefined)} />}
        {making && <NewConnectionDialog onClose={() => setMaking(false)} />}
      </Suspense>
      {doomed && (
        <ConfirmDialog
          title={text.connections.deleteTitle}
          hint={text.connections.deleteHint(doomed.properties.displayName, doomed.properties.flowmend?.usedBy?.length ?? 0)}
          confirm={text.common.delete}
          onClose={() => setDoomed(undefined)}
          onConfirm={() => remove.mutate({ api: apiOf(doomed), name: doomed.name })}
        />
      )}
    </Page>
  );
}
