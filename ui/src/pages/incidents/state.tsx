import type { IncidentState } from "../../api/types";
import { text } from "../../text";
import "./incidents.css";

export function StateMark({ state }: { state: IncidentState }) {
  return <span className={`incident-state incident-state-${state}`}>{text.incidents.states[state]}</span>;
}
