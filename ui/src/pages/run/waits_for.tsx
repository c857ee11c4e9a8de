import { Button, MessageBar, MessageBarActions, MessageBarBody, MessageBarTitle } from "@fluentui/react-components";
import { useState } from "react";
import { useEndHolds } from "../../api/queries";
import type { HeldStep } from "../../api/types";
import { ConfirmDialog } from "../../parts/confirm_dialog";
import { Problem } from "../../parts/page";
import { when } from "../../parts/time";
import { text } from "../../text";

/** Why a run waits at a step, and what ends the wait. */
export function WaitsFor({ step, onVerify }: { step: HeldStep; onVerify: (connection: { api: string; name: string }) => void }) {
  const end = useEndHolds(step.target);
  const [asking, setAsking] = useState(false);
  const refused = step.cause === "Unauthorized";
  return (
    <>
      <MessageBar intent="warning" layout="multiline">
        <MessageBarBody>
          <MessageBarTitle>{text.holds.waits(step.displayName)}</MessageBarTitle>
          {text.holds.why(step.action.replaceAll("_", " "), step.message)} {refused ? text.holds.refusedHint : text.holds.outageHint} {text.holds.until(when(step.until))}
        </MessageBarBody>
        <MessageBarActions>
          {step.connection && refused && (
            <Button appearance="primary" onClick={() => step.connection && onVerify(step.connection)}>
              {text.holds.verify}
            </Button>
          )}
          <Button disabled={end.isPending} onClick={() => end.mutate("release")}>
            {text.holds.tryNow}
          </Button>
          <Button disabled={end.isPending} onClick={() => setAsking(true)}>
            {text.holds.letFail}
          </Button>
        </MessageBarActions>
      </MessageBar>
      <Problem error={end.error} />
      {asking && (
        <ConfirmDialog title={text.holds.letFailTitle} hint={text.holds.letFailHint(step.displayName)} confirm={text.holds.letFail} onClose={() => setAsking(false)} onConfirm={() => end.mutate("fail")} />
      )}
    </>
  );
}
