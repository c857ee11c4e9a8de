import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getJson, send, sendJson } from "../../api/client";
import { paths } from "../../api/paths";
import { keys } from "../../api/queries";
import type { Finding, Page } from "../../api/types";

export interface Change {
  added: string[];
  removed: string[];
  changed: string[];
  newlyRequired: string[];
}

export interface Imported {
  result: "made" | "changed" | "unchanged" | "refused";
  file?: string;
  name?: string;
  displayName?: string;
  operations?: number;
  usable?: number;
  version?: number;
  findings?: Finding[];
  change?: Change;
  error?: { code: string; message: string; cure?: string };
}

export interface Version {
  version: number;
  current: boolean;
  time?: string;
  by?: string;
  from?: string;
  operations: number;
  change: Change;
}

export interface Users {
  flows: { flow: string; displayName: string }[];
  connections: { name: string; displayName: string }[];
}

const isPackage = (file: File) => /\.zip$/i.test(file.name);
const isProperties = (file: File) => /apiproperties\.json$/i.test(file.name);

/** What of a choice of files can't be imported, as a key of the texts; nothing when all is well. */
export function wrongChoice(files: File[]): "none" | "alone" | "twoDefinitions" | undefined {
  if (files.some(isPackage)) return files.length > 1 ? "alone" : undefined;
  const definitions = files.filter((file) => !isProperties(file)).length;
  if (definitions === 0) return "none";
  return definitions > 1 ? "twoDefinitions" : undefined;
}

/** The files go as text: a definition may have the small sins of real files, and its numbers must stay what they are. */
export function useImport() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (files: File[]): Promise<Imported[]> => {
      const [only] = files;
      if (only && isPackage(only)) return (JSON.parse((await send(paths.importPackage, { method: "POST", file: only })).body) as Page<Imported>).value;
      const definition = files.find((file) => !isProperties(file));
      const properties = files.find(isProperties);
      if (!definition) return [];
      return [await sendJson<Imported>("POST", paths.importConnector, { swagger: await definition.text(), properties: properties && (await properties.text()), from: definition.name })];
    },
    onSuccess: () => client.invalidateQueries({ queryKey: keys.connectors }),
  });
}

export const useVersions = (api: string) =>
  useQuery({ queryKey: [...keys.connectors, "versions", api], queryFn: ({ signal }) => getJson<Page<Version>>(paths.connectorVersions(api), signal) });

export const useUsers = (api: string) =>
  useQuery({ queryKey: [...keys.connectors, "uses", api], queryFn: ({ signal }) => getJson<Users>(paths.connectorUses(api), signal) });

export function useRestore(api: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (version: number) => sendJson<Imported>("POST", paths.connectorRestore(api), { version }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.connectors }),
  });
}

export function useRemove(api: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => send(paths.connector(api), { method: "DELETE" }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.connectors }),
  });
}
