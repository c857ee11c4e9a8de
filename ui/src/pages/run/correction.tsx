import { Field, Input, Select, Textarea } from "@fluentui/react-components";
import type { RepeatWish } from "../../api/types";
import { text } from "../../text";

const words = text.repeat;

/** What a person decides about one step of a repetition. */
export type How = "again" | "output" | "input" | "inputExpressions" | "skip";

export interface Decision {
  how: How;
  /** JSON, of the kinds that have a value. */
  value: string;
  why: string;
}

export const undecided: Decision = { how: "again", value: "{}", why: "" };

const valueLabels: Partial<Record<How, string>> = { output: words.outputValue, input: words.inputValue, inputExpressions: words.expressionsValue };

/** The decision as a repetition's wish has it. Throws SyntaxError when what was written is no JSON. */
export function correctedStep(action: string, repetition: string | undefined, { how, value }: Decision): NonNullable<RepeatWish["steps"]>[number] {
  return { action, repetition, ...(how === "skip" ? { skip: true as const } : { [how]: JSON.parse(value) as unknown }) };
}

/** Fields for a decision; `wrong` says why the value was not taken. */
export function DecisionFields({ decision, hows, wrong, onChange }: { decision: Decision; hows: How[]; wrong: string; onChange: (decision: Decision) => void }) {
  const label = valueLabels[decision.how];
  return (
    <>
      <Field label={words.how}>
        <Select value={decision.how} onChange={(_, data) => onChange({ ...decision, how: data.value as How })}>
          {hows.map((how) => (
            <option key={how} value={how}>
              {words.hows[how]}
            </option>
          ))}
        </Select>
      </Field>
      {label && (
        <Field label={label} hint={decision.how === "inputExpressions" ? words.expressionsHint : undefined} validationMessage={wrong || undefined}>
          <Textarea rows={5} className="code-input" value={decision.value} onChange={(_, data) => onChange({ ...decision, value: data.value })} />
        </Field>
      )}
      {decision.how !== "again" && (
        <Field label={words.why} hint={words.whyHint} required>
          <Input value={decision.why} onChange={(_, data) => onChange({ ...decision, why: data.value })} />
        </Field>
      )}
    </>
  );
}
