import { useState } from "react";
import VerifyDialog from "../connections/verify_dialog";
import { ResubmitDialog } from "./resubmit_dialog";

interface MendProps {
  incident: string;
  /** False when no run failed yet: then there is nothing to repeat. */
  broken: boolean;
  connection: { api: string; name: string; displayName: string };
  onVerified?: () => void;
  /** True when the runs are being repeated now. */
  onClose: (started: boolean) => void;
}

/** The whole cure of a cause that is one connection: the credentials, then the plan to repeat what failed of it. */
export default function MendConnection({ incident, broken, connection, onVerified, onClose }: MendProps) {
  const [verified, setVerified] = useState(false);
  if (verified) return <ResubmitDialog of={{ incident }} verified={connection.displayName} onClose={onClose} />;
  return (
    <VerifyDialog
      api={connection.api}
      name={connection.name}
      onClose={() => onClose(false)}
      onVerified={() => {
        onVerified?.();
        if (broken) setVerified(true);
        else onClose(false);
      }}
    />
  );
}
