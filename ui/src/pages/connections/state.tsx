import { Button } from "@fluentui/react-components";
import type { Connection } from "../../api/types";
import { CheckmarkCircleFilled, ErrorCircleFilled, KeyRegular } from "../../parts/icons";
import { when } from "../../parts/time";
import { text } from "../../text";
import { apiOf, isBroken, stateOf } from "./connection";
import type { useSignIn } from "./sign_in";
import { WaitingRuns } from "./waiting_runs";

/** Whether it works, why not, what waits for it, and until when its sign-in lasts. */
export function ConnectionState({ connection }: { connection: Connection }) {
  const { displayName, flowmend } = connection.properties;
  const signsIn = flowmend?.signIn;
  const missing = signsIn?.missing?.["authorizationCode"];
  const broken = isBroken(connection);
  const state = stateOf(connection);
  return (
    <>
      <span className={broken ? "status-mark tone-bad" : "status-mark tone-good"}>
        {broken ? <ErrorCircleFilled aria-hidden /> : <CheckmarkCircleFilled aria-hidden />}
        {broken ? text.connections.error : text.connections.connected}
      </span>
      {broken && (
        <div className="connection-reason">
          {!/authenticated/i.test(state?.error?.message ?? "") && <span>{text.connections.notAuthenticated(displayName)}</span>}
          {state?.error && <span className="quiet breakable">{state.error.message}</span>}
        </div>
      )}
      <WaitingRuns target={`${apiOf(connection)}/${connection.name}`} />
      {signsIn && missing && <p className="quiet">{text.connections.signInMissing(missing)}</p>}
      {signsIn?.state === "Expiring" && signsIn.expiresTime && <p className="tone-bad">{text.connections.expiring(when(signsIn.expiresTime) ?? "")}</p>}
      {flowmend?.requestsPerMinute && <p className="quiet">{text.connections.rateIs(flowmend.requestsPerMinute)}</p>}
      {signsIn?.state === "SignedIn" && !signsIn.renewable && signsIn.expiresTime && <p className="quiet">{text.connections.expires(when(signsIn.expiresTime) ?? "")}</p>}
    </>
  );
}

/** The one button that mends a connection: another password, or signing in again. */
export function MendButton({ connection, signIn, onVerify }: { connection: Connection; signIn: ReturnType<typeof useSignIn>; onVerify: () => void }) {
  const { flowmend } = connection.properties;
  const signsIn = flowmend?.signIn;
  const missing = signsIn?.missing?.["authorizationCode"];
  const appearance = isBroken(connection) ? "primary" : "secondary";
  if (signsIn && !missing)
    return (
      <Button appearance={appearance} disabled={signIn.isPending} icon={<KeyRegular />} onClick={() => signIn.mutate()}>
        {signsIn.state === "None" ? text.connections.signIn : text.connections.signInAgain}
      </Button>
    );
  if (!isBroken(connection) && (flowmend?.fields.length ?? 0) === 0) return null;
  return (
    <Button appearance={appearance} icon={<KeyRegular />} onClick={onVerify}>
      {text.connections.verify}
    </Button>
  );
}
