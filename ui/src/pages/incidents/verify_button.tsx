import { Button } from "@fluentui/react-components";
import { lazy, Suspense, useState } from "react";
import { CheckmarkCircleFilled, KeyRegular } from "../../parts/icons";
import { text } from "../../text";

const VerifyDialog = lazy(() => import("../connections/verify_dialog"));

/** The cure of an incident that one connection causes. */
export function VerifyButton({ connection }: { connection: { api: string; name: string; displayName: string } }) {
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
          <VerifyDialog
            api={connection.api}
            name={connection.name}
            onClose={() => setOpen(false)}
            onVerified={() => {
              setOpen(false);
              setVerified(true);
            }}
          />
        </Suspense>
      )}
    </>
  );
}
