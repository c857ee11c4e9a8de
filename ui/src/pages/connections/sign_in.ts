import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getJson, sendJson } from "../../api/client";
import { paths } from "../../api/paths";
import { keys } from "../../api/queries";
import type { SignInSettings } from "../../api/types";

/** Begins a sign-in and sends the browser to the service; it comes back to the list of connections. */
export const useSignIn = (api: string, connection: string) =>
  useMutation({
    mutationFn: () => sendJson<{ address?: string }>("POST", paths.signIn(api, connection), { grant: "authorizationCode" }),
    onSuccess: (begun) => {
      if (begun.address) window.location.assign(begun.address);
    },
  });

export const useSignInSettings = (api: string) => useQuery({ queryKey: ["sign-in", api], queryFn: ({ signal }) => getJson<SignInSettings>(paths.connectorSignIn(api), signal) });

export function useEnterSignIn(api: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (entered: Record<string, string>) => sendJson<SignInSettings>("PUT", paths.connectorSignIn(api), entered),
    onSuccess: () => Promise.all([client.invalidateQueries({ queryKey: ["sign-in", api] }), client.invalidateQueries({ queryKey: keys.connections })]),
  });
}
