import type { WouldSend as Wish } from "../../api/types";
import { JsonTree } from "../../parts/json_tree";
import { text } from "../../text";

/** What a corrected step would be done with, as far as the record tells. */
export function WouldSend({ would }: { would: Wish }) {
  if (would.error) return <span className="tone-bad breakable">{text.repeat.cantEvaluate(would.error.message)}</span>;
  if (would.unknown) return <span className="quiet">{would.unknown}</span>;
  return <JsonTree source={JSON.stringify(would.inputs)} name={text.repeat.wouldSend} />;
}
