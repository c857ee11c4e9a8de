import { Button } from "@fluentui/react-components";
import { lazy, Suspense, useState } from "react";
import { CheckmarkCircleFilled, KeyRegular } from "../../parts/icons";
import { text } from "../../text";

const MendConnection = lazy(() => import("./mend_connection"));

interface VerifyButtonProps {
  incident: { id: string; count: number };
  connection: { api: string; name: string; displayName: string };
}

/** The cure of an incident that one connection causes. */
export function VerifyButton({ incident, connection }: VerifyButtonProps) {
  const [open, setOpen] = useState(false);
  const [verified, setVerified] = useState(false);
  return (
    <>
      <Button icon={<KeyRegular />} onClick={() => setOpen(true)}>
        {text.incidents.verify}
      </Button>
      <span role="status">
        {verified && (
          <>
            {" "}
            <CheckmarkCircleFilled className="tone-good" aria-hidden /> {text.incidents.verified(connection.displayName)}
          </>
        )}
      </span>
      {open && (
        <Suspense>
          <MendConnection
            incident={incident.id}
            broken={incident.count > 0}
            connection={connection}
            onVerified={() => setVerified(true)}
            onClose={() => setOpen(false)}
          />
        </Suspense>
      )}
    </>
  );
}
