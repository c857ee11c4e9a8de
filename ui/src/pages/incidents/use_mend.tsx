import { lazy, Suspense, useState } from "react";
import { useLocation } from "wouter";
import { routes } from "../../api/paths";
import type { NotificationItem } from "../../api/types";

const MendConnection = lazy(() => import("./mend_connection"));

type Cause = Pick<NotificationItem, "incident" | "count"> & { connection: NonNullable<NotificationItem["connection"]> };

/** True for a cause whose cure is a connection's credentials. */
export const isConnectionCause = (item: NotificationItem): item is NotificationItem & Cause =>
  item.family === "authentication" && item.connection !== undefined && item.state !== "fixed";

/**
 * The dialogs that cure a cause, to be started by a button elsewhere. They belong to the page: what the button stood on goes
 * away as soon as the connection works again.
 */
export function useMend(): [dialogs: React.ReactNode, start: (cause: Cause) => void] {
  const [cause, setCause] = useState<Cause>();
  const [, navigate] = useLocation();
  const dialogs = cause && (
    <Suspense>
      <MendConnection
        incident={cause.incident}
        broken={cause.count > 0}
        connection={cause.connection}
        onClose={(started) => {
          setCause(undefined);
          if (started) navigate(routes.incident(cause.incident));
        }}
      />
    </Suspense>
  );
  return [dialogs, setCause];
}
