import type { ApiErrorBody } from "./types";
import { text } from "../text";

/** A refused request: the server's code and message, whole, to be shown as they are. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: NonNullable<ApiErrorBody["details"]>;
  constructor(status: number, body: ApiErrorBody) {
    super(body.message);
    this.status = status;
    this.code = body.code;
    this.details = body.details ?? [];
  }
}

/** No answer at all: the server is down or the network is. */
export class OfflineError extends Error {
  constructor() {
    super(text.errors.offline);
  }
}

// The anti-forgery token of this tab's session. It lives in memory only; a reload reads it from /me again.
let csrfToken: string | undefined;
let signedOut: (() => void) | undefined;

export function setCsrfToken(token: string | undefined): void {
  csrfToken = token;
}

/** Called once by the application: what to do when the server no longer knows who we are. */
export function onSignedOut(handler: () => void): void {
  signedOut = handler;
}

export interface Reply {
  status: number;
  headers: Headers;
  body: string;
}

interface SendOptions {
  method?: string;
  body?: unknown;
  /** A body that is JSON already; for definitions, whose numbers must not pass through JavaScript's. */
  rawBody?: string;
  /** A file, as it is. */
  file?: Blob;
  signal?: AbortSignal;
  accept?: string;
}

/**
 * The links in answers are absolute. Only the path is used: the portal and the API are one origin, and a proxy in front
 * may have given it another name than the server knows.
 */
export function localPath(link: string): string {
  try {
    const url = new URL(link, location.origin);
    return url.pathname + url.search;
  } catch {
    return link;
  }
}

export async function send(path: string, options: SendOptions = {}): Promise<Reply> {
  const method = options.method ?? "GET";
  const headers: Record<string, string> = { Accept: options.accept ?? "application/json" };
  let body: string | Blob | undefined = options.file ?? options.rawBody;
  if (body === undefined && options.body !== undefined) body = JSON.stringify(options.body);
  if (body !== undefined) headers["Content-Type"] = options.file ? "application/octet-stream" : "application/json";
  if (method !== "GET" && method !== "HEAD" && csrfToken) headers["x-flowmend-csrf"] = csrfToken;
  let response: Response;
  try {
    response = await fetch(path, { method, headers, body, signal: options.signal, credentials: "same-origin" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new OfflineError();
  }
  const answer = await response.text();
  if (!response.ok) {
    const refused = new ApiError(response.status, errorOf(response.status, answer));
    // A failed sign-in is also a 401, but it ends no session.
    if (response.status === 401 && !path.startsWith("/api/v1/session") && !path.startsWith("/api/v1/setup")) signedOut?.();
    throw refused;
  }
  return { status: response.status, headers: response.headers, body: answer };
}

function errorOf(status: number, answer: string): ApiErrorBody {
  try {
    const parsed = JSON.parse(answer) as { error?: ApiErrorBody };
    if (parsed.error?.message) return parsed.error;
  } catch {
    // Not ours: an answer of something between us and the server. Its status is all that can be said.
  }
  return { code: `Http${status}`, message: text.errors.status(status) };
}

export async function getJson<T>(path: string, signal?: AbortSignal): Promise<T> {
  const reply = await send(path, { signal });
  return JSON.parse(reply.body) as T;
}

export async function sendJson<T>(method: string, path: string, body?: unknown): Promise<T> {
  const reply = await send(path, { method, body });
  return (reply.body === "" ? undefined : JSON.parse(reply.body)) as T;
}

/** As sendJson with POST, for a body that is JSON text already. */
export async function sendRaw<T>(path: string, rawBody: string, signal?: AbortSignal): Promise<T> {
  return JSON.parse((await send(path, { method: "POST", rawBody, signal })).body) as T;
}
