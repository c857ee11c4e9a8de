import { Button, Checkbox, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input, Textarea } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Link, useLocation } from "wouter";
import { getJson, sendJson } from "../../api/client";
import { AddRegular, BoxRegular } from "../../parts/icons";
import { Empty, Loading, Page, Problem } from "../../parts/page";
import { text } from "../../text";
import { parseColumns, type Table, words } from "./tables";

function NewTable({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [, go] = useLocation();
  const [name, setName] = useState("");
  const [columns, setColumns] = useState("");
  const [open, setOpen] = useState(false);
  const create = useMutation({
    mutationFn: () => sendJson<Table>("POST", "/api/v1/tables", { name: name.trim(), columns: parseColumns(columns), open }),
    onSuccess: async (made) => {
      await client.invalidateQueries({ queryKey: ["tables"] });
      go(`/tables/${encodeURIComponent(made.name)}`);
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate();
  };
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <form onSubmit={submit}>
          <DialogBody>
            <DialogTitle>{words.newTable}</DialogTitle>
            <DialogContent className="form">
              <Field label={words.name} hint={words.nameHint} required>
                <Input value={name} onChange={(_, data) => setName(data.value)} />
              </Field>
              <Field label={words.columns} hint={words.columnsHint}>
                <Textarea value={columns} rows={6} onChange={(_, data) => setColumns(data.value)} />
              </Field>
              <Checkbox label={words.open} checked={open} onChange={(_, data) => setOpen(data.checked === true)} />
              <Problem error={create.error} />
            </DialogContent>
            <DialogActions>
              <Button onClick={onClose}>{text.common.cancel}</Button>
              <Button appearance="primary" type="submit" disabled={create.isPending || name.trim() === ""}>
                {words.create}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}

export default function TablesPage() {
  const list = useQuery({ queryKey: ["tables", "list"], queryFn: ({ signal }) => getJson<{ value: Table[] }>("/api/v1/tables", signal) });
  const [making, setMaking] = useState(false);
  const all = list.data?.value ?? [];
  const add = (
    <Button appearance="primary" icon={<AddRegular />} onClick={() => setMaking(true)}>
      {words.newTable}
    </Button>
  );
  return (
    <Page title={words.title} actions={all.length > 0 ? add : undefined}>
      <p className="lead">{words.lead}</p>
      {list.isPending && <Loading />}
      {list.isError && <Problem error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && all.length === 0 && (
        <Empty icon={<BoxRegular />} title={words.empty} hint={words.emptyHint}>
          {add}
        </Empty>
      )}
      {all.length > 0 && (
        <table className="table cards-on-phone">
          <thead>
            <tr>
              <th scope="col">{words.name}</th>
              <th scope="col">{words.columns}</th>
              <th scope="col">{words.rows}</th>
            </tr>
          </thead>
          <tbody>
            {all.map((table) => (
              <tr key={table.name}>
                <th scope="row">
                  <Link href={`/tables/${encodeURIComponent(table.name)}`}>{table.title}</Link>
                </th>
                <td data-label={words.columns}>{table.columns.map((column) => column.name).join(", ")}</td>
                <td data-label={words.rows}>{table.rows}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {making && <NewTable onClose={() => setMaking(false)} />}
    </Page>
  );
}
