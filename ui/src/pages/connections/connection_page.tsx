import { Button, MessageBar, MessageBarBody, MessageBarTitle } from "@fluentui/react-components";
import { useQuery } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { Link } from "wouter";
import { getJson } from "../../api/client";
import { paths, routes } from "../../api/paths";
import { keys, useConnection, useVerify } from "../../api/queries";
import type { Connection, ConnectionUsage, VerifyAnswer } from "../../api/types";
import { ArrowClockwiseRegular, ClockRegular, PulseRegular } from "../../parts/icons";
import { useMay } from "../../parts/may";
import { Loading, Page, Problem } from "../../parts/page";
import { ago, when } from "../../parts/time";
import { text } from "../../text";
import { connectionThing, ShareButton } from "../sharing/share_button";
import { useSignIn } from "./sign_in";
import { ConnectionState, MendButton } from "./state";
import "./connections.css";

const VerifyDialog = lazy(() => import("./verify_dialog"));
const HoldDialog = lazy(() => import("./hold_dialog"));
const RateDialog = lazy(() => import("./rate_dialog"));
const ReplaceDialog = lazy(() => import("./replace_dialog"));

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt className="quiet">{name}</dt>
      <dd className="breakable">{children}</dd>
    </div>
  );
}

/** How long the sign-in lasts, as far as it is known. */
function forecast(connection: Connection): string {
  const signIn = connection.properties.flowmend?.signIn;
  if (!signIn || signIn.state === "None") return text.connections.forecastUnknown;
  const until = when(signIn.expiresTime) ?? "";
  if (signIn.state === "SignedIn" && signIn.renewable) return text.connections.forecastRenewed;
  return signIn.state === "Expired" || until === "" ? text.connections.forecastOver : text.connections.forecastUntil(until);
}

function Facts({ connection }: { connection: Connection }) {
  const { flowmend, createdTime, createdBy } = connection.properties;
  const failure = flowmend?.lastFailure;
  return (
    <section className="panel" aria-labelledby="connection-facts">
      <h2 id="connection-facts">{text.connections.facts}</h2>
      <dl className="connection-facts">
        <Fact name={text.connections.connector}>{flowmend?.connectorDisplayName ?? connection.name}</Fact>
        <Fact name={text.connections.lastSuccess}>{flowmend?.lastSuccessTime ? `${ago(flowmend.lastSuccessTime)}, ${when(flowmend.lastSuccessTime)}` : text.common.never}</Fact>
        <Fact name={text.connections.lastFailure}>
          {failure ? (
            <>
              {`${ago(failure.time)}, ${when(failure.time)}: ${failure.message} `}
              {failure.flow && failure.run && <Link href={routes.run(failure.flow, failure.run)}>{text.connections.openRun}</Link>}
            </>
          ) : (
            text.common.never
          )}
        </Fact>
        <Fact name={text.connections.forecast}>{forecast(connection)}</Fact>
        {(flowmend?.fields ?? []).map((field) => (
          <Fact key={field.name} name={field.displayName}>
            {field.secret ? text.connections.kept : String(field.value ?? "")}
          </Fact>
        ))}
        <Fact name={text.connections.made}>{[when(createdTime), createdBy?.displayName].filter(Boolean).join(", ")}</Fact>
      </dl>
      <Link href={`${routes.runs}?status=Failed&connection=${encodeURIComponent(connection.name)}`}>{text.connections.seeRuns}</Link>
    </section>
  );
}

/** The flows that would stand still without it, and how busy they are. */
function Usage({ api, connection }: { api: string; connection: Connection }) {
  const { name } = connection;
  const mayEdit = useMay(undefined).edit;
  const [replacing, setReplacing] = useState(false);
  const usage = useQuery({ queryKey: [...keys.connections, "usage", api, name], queryFn: ({ signal }) => getJson<ConnectionUsage>(paths.connectionUsage(api, name), signal) });
  const flows = usage.data?.flows ?? [];
  return (
    <section aria-labelledby="connection-usage">
      <h2 id="connection-usage">{text.connections.usedBy}</h2>
      <Problem error={usage.error} retry={() => void usage.refetch()} />
      {usage.isPending && <Loading />}
      {usage.data && flows.length === 0 && <p className="quiet">{text.connections.notUsed}</p>}
      {flows.length > 0 && (
        <table className="table cards-on-phone">
          <thead>
            <tr>
              <th scope="col">{text.runs.flow}</th>
              <th scope="col">{text.connections.runsAWeek}</th>
              <th scope="col">{text.connections.failedAWeek}</th>
            </tr>
          </thead>
          <tbody>
            {flows.map((flow) => (
              <tr key={flow.flow}>
                <th scope="row">
                  <Link href={routes.flow(flow.flow)}>{flow.displayName}</Link>
                </th>
                <td data-label={text.connections.runsAWeek}>{flow.more ? text.connections.orMore(flow.runs) : flow.runs}</td>
                <td data-label={text.connections.failedAWeek}>{flow.failed}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {flows.length > 0 && mayEdit && <Button className="connection-replace" onClick={() => setReplacing(true)}>{text.connections.replaceIn}</Button>}
      <Suspense fallback={null}>{replacing && <ReplaceDialog connection={connection} flows={flows.length} onClose={() => setReplacing(false)} />}</Suspense>
    </section>
  );
}

function Whole({ api, connection }: { api: string; connection: Connection }) {
  const { displayName } = connection.properties;
  const may = useMay(connection.properties.flowmend?.role);
  const check = useVerify(api, connection.name);
  const signIn = useSignIn(api, connection.name);
  const [open, setOpen] = useState<"verify" | "hold" | "rate">();
  const [verified, setVerified] = useState<{ affectedRuns: number; released?: number }>();
  const heard = (answer: VerifyAnswer | undefined) => answer?.status === "Connected" && setVerified({ affectedRuns: answer.affectedRuns ?? 0, released: answer.releasedRuns });
  return (
    <Page
      title={displayName}
      above={<Link href={routes.connections}>{text.connections.title}</Link>}
      actions={
        <>
          {may.edit && (
            <>
              <MendButton connection={connection} signIn={signIn} onVerify={() => setOpen("verify")} />
              <Button icon={<ArrowClockwiseRegular />} disabled={check.isPending} onClick={() => void check.mutateAsync(undefined).then(heard, () => undefined)}>
                {text.connections.checkNow}
              </Button>
              <Button icon={<ClockRegular />} onClick={() => setOpen("hold")}>
                {text.holds.settings}
              </Button>
            </>
          )}
          <ShareButton title={displayName} thing={connectionThing(api, connection.name)} mayChange={connection.properties.flowmend?.role === "Owner"} hint={text.share.connectionHint} />
          {may.edit && (
            <Button icon={<PulseRegular />} onClick={() => setOpen("rate")}>
              {text.connections.rate}
            </Button>
          )}
        </>
      }
    >
      {verified && (
        <MessageBar intent="success" layout="multiline">
          <MessageBarBody>
            <MessageBarTitle>{text.connections.verified(displayName)}</MessageBarTitle>
            {verified.released ? text.holds.released(verified.released) : text.connections.verifiedHint(verified.affectedRuns)}
          </MessageBarBody>
        </MessageBar>
      )}
      <div className="connection-now">
        <ConnectionState connection={connection} />
      </div>
      <Problem error={check.error ?? signIn.error} />
      {check.data?.status === "Error" && !check.isPending && <p className="tone-bad breakable">{check.data.error?.message}</p>}
      <Facts connection={connection} />
      <Usage api={api} connection={connection} />
      <Suspense fallback={null}>
        {open === "verify" && (
          <VerifyDialog
            api={api}
            name={connection.name}
            onClose={() => setOpen(undefined)}
            onVerified={(_, affectedRuns, released) => {
              setOpen(undefined);
              setVerified({ affectedRuns, released });
            }}
          />
        )}
        {open === "hold" && <HoldDialog target={`${api}/${connection.name}`} displayName={displayName} onClose={() => setOpen(undefined)} />}
        {open === "rate" && <RateDialog connection={connection} onClose={() => setOpen(undefined)} />}
      </Suspense>
    </Page>
  );
}

/** One connection: its state and why, when it worked and failed, until when it lasts, and what depends on it. */
export default function ConnectionPage({ api, name }: { api: string; name: string }) {
  const asked = useConnection(api, name);
  if (asked.data) return <Whole api={api} connection={asked.data} />;
  if (asked.isError)
    return (
      <Page title={text.connections.title}>
        <Problem error={asked.error} retry={() => void asked.refetch()} />
      </Page>
    );
  return <Loading />;
}
