import type { Connection, ConnectionField, Connector } from "../../api/types";

/** The connector's name of a connection, wherever the family wrote it. */
export const apiOf = (connection: Connection): string =>
  connection.properties.api?.name ?? (connection.properties.apiId ?? connection.id ?? "").replace(/\/connections\/.*$/i, "").split("/").pop() ?? "";

export const stateOf = (connection: Connection) => connection.properties.statuses?.[0];

export const isBroken = (connection: Connection): boolean => {
  const state = stateOf(connection);
  return state !== undefined && state.status !== "Connected";
};

/** What a new connection asks for: the server's own fields, else the connector's parameters as the format names them. */
export function fieldsOf(connector: Connector | undefined, set?: string): ConnectionField[] {
  if (!connector) return [];
  if (connector.properties.flowmend?.fields) return connector.properties.flowmend.fields;
  const parameters = kindsOf(connector).find((one) => one.name === set)?.parameters ?? connector.properties.connectionParameters ?? {};
  const asked = Object.entries(parameters).filter(([, parameter]) => parameter.type?.toLowerCase() !== "oauthsetting" && String(parameter.uiDefinition?.constraints?.hidden ?? "false") !== "true");
  return asked.map(([name, parameter]) => ({
    name,
    displayName: parameter.uiDefinition?.displayName ?? name,
    secret: parameter.type?.toLowerCase() === "securestring",
    required: String(parameter.uiDefinition?.constraints?.required ?? "true") !== "false",
  }));
}

/** The kinds of sign-in that a connector offers; none when there is only one. */
export const kindsOf = (connector: Connector | undefined) => connector?.properties.connectionParameterSets?.values ?? [];

/** A name for a new connection: readable, and different from any other. */
export function newName(displayName: string): string {
  const plain = displayName
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);
  const unique = crypto.getRandomValues(new Uint32Array(1))[0]?.toString(16).padStart(8, "0") ?? "";
  return `${plain === "" ? "connection" : plain}-${unique}`;
}

/** The limit of requests a minute as entered; 0 = any number, undefined for what is no limit. */
export function rateOf(entered: string): number | undefined {
  const trimmed = entered.trim();
  if (trimmed === "") return 0;
  const rate = Number(trimmed);
  return Number.isInteger(rate) && rate >= 0 && rate <= 60_000 ? rate : undefined;
}
