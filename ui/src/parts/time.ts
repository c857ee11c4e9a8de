import { text } from "../text";

/** How long something took, short: "320 ms", "4.2 s", "3 min 5 s". Negative or unreadable: nothing. */
export function duration(ms: number | undefined): string {
  if (ms === undefined || !Number.isFinite(ms) || ms < 0) return "";
  if (ms < 1000) return text.time.milliseconds(Math.round(ms));
  if (ms < 59_950) return text.time.seconds(Math.round(ms / 100) / 10);
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return text.time.minutes(Math.floor(seconds / 60), seconds % 60);
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return text.time.hours(Math.floor(minutes / 60), minutes % 60);
  const hours = Math.round(minutes / 60);
  return text.time.days(Math.floor(hours / 24), hours % 24);
}

/** The span between two of the server's times; nothing while there is no end. */
export function span(start: string | undefined, end: string | undefined): number | undefined {
  if (!start || !end) return undefined;
  const ms = Date.parse(end) - Date.parse(start);
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

const relative = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

/** "2 minutes ago", "yesterday". Within the last minute, or a clock a little behind: "just now". */
export function ago(time: string | undefined, now = Date.now()): string {
  const then = time ? Date.parse(time) : NaN;
  if (Number.isNaN(then)) return "";
  const past = now - then;
  for (const [unit, size] of steps) if (Math.abs(past) >= size) return relative.format(-Math.round(past / size), unit);
  return text.time.justNow;
}

const full = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** Date and time in the reader's zone. */
export function when(time: string | undefined): string {
  const then = time ? Date.parse(time) : NaN;
  return Number.isNaN(then) ? "" : full.format(then);
}

/** The time of day in the reader's zone, for lists within one day. */
export function clockTime(time: string | undefined): string {
  const then = time ? Date.parse(time) : NaN;
  return Number.isNaN(then) ? "" : clock.format(then);
}

export function bytes(size: number | undefined): string {
  if (size === undefined) return "";
  if (size < 1000) return `${size} B`;
  if (size < 1_000_000) return `${(size / 1000).toFixed(1)} kB`;
  return `${(size / 1_000_000).toFixed(1)} MB`;
}

/** Action names as Power Automate shows them: underscores are its way to write spaces. */
export function displayName(action: string): string {
  return action.replaceAll("_", " ");
}
