import type { Flow } from "../../api/types";
import { CheckmarkCircleFilled, SubtractCircleRegular, WarningFilled } from "../../parts/icons";
import { text } from "../../text";

export function FlowState({ state }: { state: Flow["properties"]["state"] }) {
  switch (state) {
    case "Started":
      return (
        <span className="status-mark tone-good">
          <CheckmarkCircleFilled aria-hidden /> {text.flows.on}
        </span>
      );
    case "Suspended":
      return (
        <span className="status-mark tone-bad">
          <WarningFilled aria-hidden /> {text.flows.suspended}
        </span>
      );
    default:
      return (
        <span className="status-mark tone-quiet">
          <SubtractCircleRegular aria-hidden /> {state === "Deleted" ? text.flows.deleted : text.flows.off}
        </span>
      );
  }
}
