import { useQueryClient } from "@tanstack/react-query";
import { useLocation } from "wouter";
import { send, setCsrfToken } from "../api/client";
import { paths, routes } from "../api/paths";
import { keys } from "../api/queries";

/** Ends the session here and on the server, and forgets everything that was read with it. */
export function useSignOut(): () => Promise<void> {
  const [, navigate] = useLocation();
  const client = useQueryClient();
  return async () => {
    await send(paths.session, { method: "DELETE" }).catch(() => undefined);
    setCsrfToken(undefined);
    client.clear();
    client.setQueryData(keys.session, null);
    navigate(routes.signin);
  };
}
