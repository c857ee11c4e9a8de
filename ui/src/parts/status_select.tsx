import { Field, Select } from "@fluentui/react-components";
import type { Status } from "../api/types";
import { text } from "../text";
import { statusWord } from "./status";

const choices: Status[] = ["Failed", "Succeeded", "Running", "Waiting", "Cancelled", "TimedOut"];

export function StatusSelect({ value, onChange }: { value: string | undefined; onChange: (status: string) => void }) {
  return (
    <Field label={text.flow.statusFilter}>
      <Select value={value ?? ""} onChange={(_, data) => onChange(data.value)}>
        <option value="">{text.flow.allStatuses}</option>
        {choices.map((status) => (
          <option key={status} value={status}>
            {statusWord(status)}
          </option>
        ))}
      </Select>
    </Field>
  );
}
