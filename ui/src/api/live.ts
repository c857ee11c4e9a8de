import type { QueryClient } from "@tanstack/react-query";
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { paths } from "./paths";
import { keys } from "./queries";

/** What each kind of event makes stale. TanStack reads anew only what is on the screen. */
function refresh(client: QueryClient, event: string, data: string): void {
  const stale = (queryKey: readonly unknown[]) => void client.invalidateQueries({ queryKey });
  switch (event) {
    case "run": {
      const run = (JSON.parse(data) as { run?: string }).run;
      // Somebody who does not see all flows hears that a run changed, not which.
      stale(run ? keys.run(run) : ["run"]);
      // A run's page also tells how the runs that repeat it ended.
      void client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] === "run" && queryKey[2] === "facts" });
      stale(keys.runs);
      stale(keys.overview);
      stale(keys.flows);
      break;
    }
    case "connection":
      stale(keys.connections);
      stale(keys.overview);
      break;
    case "notification":
      stale(keys.notifications);
      stale(keys.overview);
      break;
    case "incident":
      stale(keys.incidents);
      break;
    case "job":
      stale(keys.jobs);
      break;
    case "flow":
      stale(keys.flows);
      break;
    case "reset":
      stale([]);
      break;
  }
}

/** A burst of events (a hundred runs ending) becomes one round of reading per kind. */
const gatherMs = 250;
const graceMs = 3000;

/** Follows the server's events while mounted. Returns whether the line is down for longer than a hiccup. */
export function useLive(): { offline: boolean } {
  const client = useQueryClient();
  const [offline, setOffline] = useState(false);
  useEffect(() => {
    let source: EventSource | undefined;
    let reconnect: ReturnType<typeof setTimeout> | undefined;
    let grace: ReturnType<typeof setTimeout> | undefined;
    let gather: ReturnType<typeof setTimeout> | undefined;
    let missed = false;
    const waiting = new Map<string, [string, string]>();

    const up = () => {
      clearTimeout(grace);
      grace = undefined;
      setOffline(false);
      if (missed) void client.invalidateQueries();
      missed = false;
    };
    const down = () => {
      missed = true;
      grace ??= setTimeout(() => setOffline(true), graceMs);
      // The browser tries again by itself unless the answer was an error; then it is our turn.
      if (source?.readyState === EventSource.CLOSED) {
        clearTimeout(reconnect);
        reconnect = setTimeout(connect, graceMs);
      }
    };
    const take = (kind: string) => (event: MessageEvent<string>) => {
      waiting.set(kind + event.data, [kind, event.data]);
      gather ??= setTimeout(() => {
        gather = undefined;
        for (const [name, data] of waiting.values()) refresh(client, name, data);
        waiting.clear();
      }, gatherMs);
    };
    function connect() {
      source?.close();
      source = new EventSource(paths.events);
      source.onopen = up;
      source.onerror = down;
      for (const kind of ["run", "connection", "notification", "incident", "job", "flow", "reset"]) source.addEventListener(kind, take(kind));
    }
    const gone = () => setOffline(true);
    connect();
    window.addEventListener("offline", gone);
    window.addEventListener("online", connect);
    return () => {
      source?.close();
      clearTimeout(reconnect);
      clearTimeout(grace);
      clearTimeout(gather);
      window.removeEventListener("offline", gone);
      window.removeEventListener("online", connect);
    };
  }, [client]);
  return { offline };
}
