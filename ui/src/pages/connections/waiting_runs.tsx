import { Button } from "@fluentui/react-components";
import { Link } from "wouter";
import { routes } from "../../api/paths";
import { useEndHolds, useHolds } from "../../api/queries";
import { text } from "../../text";

/** "14 runs of 3 flows wait for this", with the way to the first of them. Nothing when none waits. */
export function WaitingRuns({ target }: { target: string }) {
  const holds = useHolds();
  const end = useEndHolds(target);
  const mine = holds.data?.find((hold) => hold.target === target);
  if (!mine) return null;
  return (
    <p className="waiting-runs">
      <Link href={routes.run(mine.firstRun.flow, mine.firstRun.run)}>{text.holds.waiting(mine.runs, mine.flows.length)}</Link>
      {mine.releasing ? (
        <span className="quiet">{text.holds.goingOn}</span>
      ) : (
        <Button size="small" disabled={end.isPending} onClick={() => end.mutate("release")}>
          {text.holds.tryNow}
        </Button>
      )}
    </p>
  );
}
