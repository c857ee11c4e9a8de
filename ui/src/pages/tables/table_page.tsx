import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, Input, Select, Textarea } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Link, useLocation } from "wouter";
import { getJson, sendJson } from "../../api/client";
import { items, useListOf } from "../../api/queries";
import { ConfirmDialog } from "../../parts/confirm_dialog";
import { AddRegular, BoxRegular, DeleteRegular } from "../../parts/icons";
import { Empty, ListFrame, Loading, Page, Problem } from "../../parts/page";
import { text } from "../../text";
import "./tables.css";
import { address, type Column, label, type Row, rowId, type Table, textOf, valueOf, words } from "./tables";

function ColumnField({ column, value, onChange }: { column: Column; value: string; onChange: (value: string) => void }) {
  const choices = column.type === "boolean" ? ["true", "false"] : column.choices;
  return (
    <Field label={label(column)} required={column.required}>
      {choices ? (
        <Select value={value} onChange={(_, data) => onChange(data.value)}>
          <option value="" />
          {choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </Select>
      ) : (
        <Input value={value} onChange={(_, data) => onChange(data.value)} />
      )}
    </Field>
  );
}

function RowDialog({ table, row, onClose }: { table: Table; row?: Row; onClose: () => void }) {
  const client = useQueryClient();
  const [values, setValues] = useState<Record<string, string>>(() => Object.fromEntries(table.columns.map((column) => [column.name, textOf(row?.[column.name])])));
  const known = new Set([table.idColumn, "@odata.etag", "created", "modified", ...table.columns.map((column) => column.name)]);
  const others = Object.fromEntries(Object.entries(row ?? {}).filter(([name]) => !known.has(name)));
  const [other, setOther] = useState(Object.keys(others).length === 0 ? "" : JSON.stringify(others, null, 2));
  const save = useMutation({
    mutationFn: async () => {
      const body: Row = other.trim() === "" ? {} : (JSON.parse(other) as Row);
      for (const column of table.columns) body[column.name] = valueOf(column, values[column.name] ?? "");
      await (row ? sendJson("PATCH", address(table.name, rowId(table, row)), body) : sendJson("POST", `${address(table.name)}/rows`, body));
      await client.invalidateQueries({ queryKey: ["tables"] });
    },
    onSuccess: onClose,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate();
  };
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <form onSubmit={submit}>
          <DialogBody>
            <DialogTitle>{row ? words.editRow(rowId(table, row)) : words.newRow}</DialogTitle>
            <DialogContent className="form">
              {table.columns.map((column) => (
                <ColumnField key={column.name} column={column} value={values[column.name] ?? ""} onChange={(value) => setValues({ ...values, [column.name]: value })} />
              ))}
              {table.open && (
                <Field label={words.other}>
                  <Textarea value={other} onChange={(_, data) => setOther(data.value)} />
                </Field>
              )}
              <Problem error={save.error} />
            </DialogContent>
            <DialogActions>
              <Button onClick={onClose}>{text.common.cancel}</Button>
              <Button appearance="primary" type="submit" disabled={save.isPending}>
                {words.save}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}

function Rows({ table }: { table: Table }) {
  const client = useQueryClient();
  const [draft, setDraft] = useState("");
  const [filter, setFilter] = useState("");
  const [order, setOrder] = useState("");
  const [edited, setEdited] = useState<Row | "new">();
  const [doomed, setDoomed] = useState<Row>();
  const query = new URLSearchParams({ ...(filter && { $filter: filter }), ...(order && { $orderby: order }) }).toString();
  const list = useListOf<Row>(["tables", "rows", table.name, query], `${address(table.name)}/rows${query ? `?${query}` : ""}`);
  const rows = items(list);
  const remove = useMutation({
    mutationFn: (row: Row) => sendJson("DELETE", address(table.name, rowId(table, row))),
    onSettled: () => client.invalidateQueries({ queryKey: ["tables"] }),
  });
  const extra = table.open ? [...new Set(rows.flatMap((row) => Object.keys(row)))].filter((name) => ![table.idColumn, "@odata.etag", "created", "modified"].includes(name) && !table.columns.some((column) => column.name === name)) : [];
  const columns: Column[] = [...table.columns, ...extra.map((name) => ({ name, type: "json", required: false }))];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setFilter(draft.trim());
  };
  return (
    <>
      <form onSubmit={submit} className="table-tools">
        <Field label={words.filter}>
          <Input value={draft} placeholder={words.filterHint} onChange={(_, data) => setDraft(data.value)} />
        </Field>
        <Field label={words.order}>
          <Select value={order} onChange={(_, data) => setOrder(data.value)}>
            <option value="" />
            {[table.idColumn, ...table.columns.map((column) => column.name), "modified desc"].map((name) => (
              <option key={name}>{name}</option>
            ))}
          </Select>
        </Field>
        <Button type="submit">{words.apply}</Button>
        <Button appearance="primary" icon={<AddRegular />} onClick={() => setEdited("new")}>
          {words.newRow}
        </Button>
      </form>
      <Problem error={remove.error} />
      <ListFrame list={list} count={rows.length} empty={<Empty icon={<BoxRegular />} title={words.noRows} hint={words.noRowsHint} />}>
        <div className="table-scroll">
          <table className="table cards-on-phone">
            <thead>
              <tr>
                <th scope="col">{table.idColumn}</th>
                {columns.map((column) => (
                  <th key={column.name} scope="col">
                    {label(column)}
                  </th>
                ))}
                <th scope="col">
                  <span className="unseen">{text.common.more}</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={rowId(table, row)}>
                  <th scope="row">
                    <Button appearance="transparent" aria-label={words.editRow(rowId(table, row))} onClick={() => setEdited(row)}>
                      {rowId(table, row)}
                    </Button>
                  </th>
                  {columns.map((column) => (
                    <td key={column.name} data-label={label(column)} className="breakable">
                      {textOf(row[column.name])}
                    </td>
                  ))}
                  <td className="row-actions">
                    <Button icon={<DeleteRegular />} aria-label={words.deleteRow(rowId(table, row))} onClick={() => setDoomed(row)} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </ListFrame>
      {edited && <RowDialog table={table} row={edited === "new" ? undefined : edited} onClose={() => setEdited(undefined)} />}
      {doomed && <ConfirmDialog title={words.deleteRowTitle} hint={words.deleteRowHint} confirm={words.remove} onClose={() => setDoomed(undefined)} onConfirm={() => remove.mutate(doomed)} />}
    </>
  );
}

export default function TablePage({ name }: { name: string }) {
  const client = useQueryClient();
  const [, go] = useLocation();
  const [removing, setRemoving] = useState(false);
  const table = useQuery({ queryKey: ["tables", "one", name], queryFn: ({ signal }) => getJson<Table>(address(name), signal) });
  const remove = useMutation({
    mutationFn: () => sendJson("DELETE", address(name)),
    onSuccess: async () => {
      go("/tables");
      await client.invalidateQueries({ queryKey: ["tables", "list"] });
    },
  });
  return (
    <Page title={table.data?.title ?? name} wide above={<Link href="/tables">{words.title}</Link>} actions={<Button onClick={() => setRemoving(true)}>{words.deleteTable}</Button>}>
      {table.isPending && <Loading />}
      {table.isError && <Problem error={table.error} retry={() => void table.refetch()} />}
      <Problem error={remove.error} />
      {table.data && <Rows table={table.data} />}
      {removing && <ConfirmDialog title={words.deleteTable} hint={words.deleteTableHint(name)} confirm={words.remove} onClose={() => setRemoving(false)} onConfirm={() => remove.mutate()} />}
    </Page>
  );
}
