import type { Status } from "../api/types";
import { text } from "../text";
import { ArrowSyncRegular, CheckmarkCircleFilled, ClockRegular, DismissCircleFilled, ErrorCircleFilled, SubtractCircleRegular, TimerRegular } from "./icons";

const looks: Partial<Record<Status, { icon: typeof ClockRegular; tone: string }>> = {
  Succeeded: { icon: CheckmarkCircleFilled, tone: "good" },
  Failed: { icon: ErrorCircleFilled, tone: "bad" },
  Faulted: { icon: ErrorCircleFilled, tone: "bad" },
  TimedOut: { icon: TimerRegular, tone: "bad" },
  Aborted: { icon: DismissCircleFilled, tone: "bad" },
  Cancelled: { icon: DismissCircleFilled, tone: "quiet" },
  Skipped: { icon: SubtractCircleRegular, tone: "quiet" },
  Running: { icon: ArrowSyncRegular, tone: "busy" },
  Waiting: { icon: ClockRegular, tone: "busy" },
};

const look = (status: Status) => looks[status] ?? { icon: ClockRegular, tone: "quiet" };

/** A word for any status, also for one that a newer server made up. */
export const statusWord = (status: Status): string => text.status[status] ?? status;

/** The icon alone. Always beside a word or inside something that is named: it says nothing to a screen reader. */
export function StatusIcon({ status }: { status: Status }) {
  const { icon: Icon, tone } = look(status);
  return <Icon className={`status-icon tone-${tone} ${status === "Running" ? "turning" : ""}`} aria-hidden fontSize={20} />;
}

/** Icon and word: status is never colour alone. */
export function StatusMark({ status }: { status: Status }) {
  return (
    <span className={`status-mark tone-${look(status).tone}`}>
      <StatusIcon status={status} />
      <span>{statusWord(status)}</span>
    </span>
  );
}
