import { Button, Field, Switch, Textarea } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { getJson, sendJson } from "../../api/client";
import { paths } from "../../api/paths";
import { Problem } from "../../parts/page";
import { text } from "../../text";

interface Choice {
  tell: boolean;
  watchSilence: boolean;
  recipients: string[];
}

function Form({ flow, chosen }: { flow: string; chosen: Choice }) {
  const [tell, setTell] = useState(chosen.tell);
  const [watchSilence, setWatchSilence] = useState(chosen.watchSilence);
  const [recipients, setRecipients] = useState(chosen.recipients.join("\n"));
  const client = useQueryClient();
  const save = useMutation({
    mutationFn: () => sendJson<Choice>("PUT", paths.flowNotifications(flow), { tell, watchSilence, recipients: recipients.split(/[\s,;]+/).filter((one) => one !== "") }),
    onSuccess: (answer) => client.setQueryData(["notify", "flow", flow], answer),
  });
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      <Switch label={text.notify.flowTell} checked={tell} onChange={(_, data) => setTell(data.checked)} />
      <Switch label={text.notify.flowWatch} checked={watchSilence} onChange={(_, data) => setWatchSilence(data.checked)} />
      <Field label={text.notify.flowRecipients}>
        <Textarea rows={2} value={recipients} onChange={(_, data) => setRecipients(data.value)} />
      </Field>
      <Problem error={save.error} />
      <div>
        <Button type="submit" disabled={save.isPending}>
          {text.notify.save}
        </Button>{" "}
        <span role="status">{save.isSuccess ? text.notify.saved : ""}</span>
      </div>
    </form>
  );
}

/** Whom the failures of this flow concern. */
export function FlowNotifications({ flow }: { flow: string }) {
  const chosen = useQuery({
    queryKey: ["notify", "flow", flow],
    queryFn: ({ signal }) => getJson<Choice>(paths.flowNotifications(flow), signal),
    refetchOnWindowFocus: false,
  });
  return (
    <>
      <Problem error={chosen.error} />
      {chosen.data && <Form flow={flow} chosen={chosen.data} />}
    </>
  );
}
