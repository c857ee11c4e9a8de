import { text } from "../../text";
import type { Change } from "./gallery";

const kinds = ["added", "removed", "changed", "newlyRequired"] as const;
const namesShown = 20;

/** The operations that a version of a connector added, removed or changed. */
export function ChangeList({ change }: { change: Change }) {
  const said = kinds.filter((kind) => change[kind].length > 0);
  if (said.length === 0) return null;
  return (
    <dl className="change">
      {said.map((kind) => (
        <div key={kind}>
          <dt>{text.connectors.about[kind]}</dt>
          <dd>{change[kind].slice(0, namesShown).join(", ") + (change[kind].length > namesShown ? ", …" : "")}</dd>
        </div>
      ))}
    </dl>
  );
}
