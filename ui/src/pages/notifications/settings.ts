// What the pages about notifications ask the server.
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getJson, send, sendJson } from "../../api/client";
import { paths } from "../../api/paths";
import type { Page } from "../../api/types";

export interface Preferences {
  email: string;
  emailPace: string;
  push: boolean;
  digestTime: string;
  timeZone: string;
  quietHours?: { from: string; until: string };
}

export interface MyNotifications extends Preferences {
  emailAvailable: boolean;
  pushKey: string;
  devices: { id: string; name: string; createdTime: string }[];
}

export interface ServerSettings {
  smtp: { host: string; port?: number; security?: string; userName?: string; from?: string; passwordSet?: boolean };
  webhook: { url: string; secretSet: boolean; secret?: string };
}

export interface Waiting {
  id: string;
  channel: string;
  address?: string;
  state: string;
  attempts: number;
  nextTryTime?: string;
  lastError?: string;
}

const keys = { mine: ["notify", "mine"], server: ["notify", "server"], outbox: ["notify", "outbox"] };

export const useMine = () =>
  useQuery({ queryKey: keys.mine, queryFn: ({ signal }) => getJson<MyNotifications>(paths.notificationPreferences, signal), refetchOnWindowFocus: false });

export function useSaveMine() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (preferences: Preferences) => sendJson<MyNotifications>("PUT", paths.notificationPreferences, preferences),
    onSuccess: (mine) => client.setQueryData(keys.mine, mine),
  });
}

export const useTestMine = () =>
  useMutation({ mutationFn: (channel: "email" | "push") => sendJson("POST", paths.notificationPreferencesTest, { channel }) });

export function useRemoveDevice() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => send(paths.pushSubscription(id), { method: "DELETE" }),
    onSettled: () => client.invalidateQueries({ queryKey: keys.mine }),
  });
}

export const useServerSettings = (enabled: boolean) =>
  useQuery({ queryKey: keys.server, queryFn: ({ signal }) => getJson<ServerSettings>(paths.notificationSettings, signal), enabled, refetchOnWindowFocus: false });

export function useSaveServer() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: { smtp: object } | { webhook: object }) => sendJson<ServerSettings>("PATCH", paths.notificationSettings, change),
    onSuccess: (settings) => {
      client.setQueryData(keys.server, settings);
      return Promise.all([client.invalidateQueries({ queryKey: keys.outbox }), client.invalidateQueries({ queryKey: keys.mine })]);
    },
  });
}

export const useTestServer = () =>
  useMutation({ mutationFn: (what: { channel: "email" | "webhook"; to?: string }) => sendJson("POST", paths.notificationSettingsTest, what) });

const outboxEveryMs = 5_000;

export const useOutbox = () =>
  useQuery({ queryKey: keys.outbox, queryFn: async ({ signal }) => (await getJson<Page<Waiting>>(paths.outbox, signal)).value, refetchInterval: outboxEveryMs });

export function useRetry() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string | undefined) => sendJson("POST", paths.outboxRetry, id ? { id } : {}),
    onSettled: () => client.invalidateQueries({ queryKey: keys.outbox }),
  });
}

export function useDiscard() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => send(paths.outboxMessage(id), { method: "DELETE" }),
    onSettled: () => client.invalidateQueries({ queryKey: keys.outbox }),
  });
}

/** Turns messages on for this browser: asks the person, then the browser's push service, then tells the server. */
export function useSubscribe() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ key, name }: { key: string; name: string }) => {
      const registration = await navigator.serviceWorker.register("/sw.js");
      await navigator.serviceWorker.ready;
      // A subscription made for another key (a server set up anew) would refuse this one.
      await (await registration.pushManager.getSubscription())?.unsubscribe();
      const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytesOf(key) });
      return sendJson("POST", paths.pushSubscriptions, { ...subscription.toJSON(), name });
    },
    onSuccess: () => client.invalidateQueries({ queryKey: keys.mine }),
  });
}

function bytesOf(base64url: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64url.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(text, (one) => one.charCodeAt(0));
}

/** What a person calls this browser: "Chrome on Android". */
export function deviceName(agent: string): string {
  const browser = /Edg/.test(agent) ? "Edge" : /Firefox/.test(agent) ? "Firefox" : /Chrom/.test(agent) ? "Chrome" : /Safari/.test(agent) ? "Safari" : "A browser";
  const system = /Android/.test(agent) ? "Android" : /iPhone|iPad/.test(agent) ? "iOS" : /Windows/.test(agent) ? "Windows" : /Mac/.test(agent) ? "macOS" : /Linux/.test(agent) ? "Linux" : "";
  return system ? `${browser} on ${system}` : browser;
}
