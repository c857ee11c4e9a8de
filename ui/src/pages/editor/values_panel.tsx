import { Button, Input } from "@fluentui/react-components";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { sendRaw } from "../../api/client";
import { paths } from "../../api/paths";
import type { Page } from "../../api/types";
import { Loading, Problem } from "../../parts/page";
import { text } from "../../text";
import { shapeFields } from "./shape_fields";
import type { Step } from "./step_at";

interface Parameter {
  name: string;
  title: string;
  required: boolean;
  kind: "values" | "tree" | "schema";
  needs: string[];
  unsupported?: string;
}

interface Choice {
  literal: string;
  title: string;
  fullTitle?: string;
  /** Of a tree's node. */
  parent?: boolean;
  selectable?: boolean;
  item?: string;
}

type Choices = Page<Choice> & { more?: boolean };

/** The step's parameters go as the text they are: JavaScript's numbers would change them. */
const bodyOf = (step: Step, rest: Record<string, unknown>) => `${JSON.stringify({ ...rest, operationId: step.operationId }).slice(0, -1)},"parameters":${step.parameters}}`;

/** A parameter may have a shape and choices. */
const keyOf = (parameter: Parameter) => `${parameter.kind} ${parameter.name}`;

const shownMax = 200;

function ChoiceList({ step, connection, parameter, onChoose, onBack }: { step: Step; connection: string; parameter: Parameter; onChoose: (literal: string) => void; onBack: () => void }) {
  const [filter, setFilter] = useState("");
  const [way, setWay] = useState<Choice[]>([]);
  const [asked, setAsked] = useState(0);
  const selected = way.at(-1)?.item;
  const tree = parameter.kind === "tree";
  const list = useQuery({
    queryKey: ["dynamic", step.api, connection, step.operationId, parameter.name, step.parameters, selected, asked],
    queryFn: ({ signal }) => sendRaw<Choices>(paths.dynamic(step.api, connection, tree ? "tree" : "values"), bodyOf(step, { parameter: parameter.name, selected, refresh: asked > 0 }), signal),
    staleTime: 60_000,
    retry: false,
  });
  const wanted = filter.trim().toLowerCase();
  const found = (list.data?.value ?? []).filter((one) => wanted === "" || one.title.toLowerCase().includes(wanted) || one.literal.toLowerCase().includes(wanted));
  const back = () => {
    if (way.length === 0) return onBack();
    setWay(way.slice(0, -1));
    setFilter("");
  };
  return (
    <>
      <p className="quiet breakable">{[parameter.title, ...way.map((one) => one.title)].join(" / ")}</p>
      <div className="values-bar">
        <Button size="small" onClick={back}>
          {text.editor.valuesBack}
        </Button>
        <Button size="small" disabled={list.isFetching} onClick={() => setAsked(asked + 1)}>
          {text.editor.valuesRefresh}
        </Button>
        <Input size="small" aria-label={text.editor.valuesFilter} placeholder={text.editor.valuesFilter} value={filter} onChange={(_, data) => setFilter(data.value)} />
      </div>
      {list.isPending && <Loading />}
      <Problem error={list.error} retry={() => setAsked(asked + 1)} />
      {list.data?.value.length === 0 && <p className="quiet">{text.editor.valuesEmpty}</p>}
      <ul className="values" aria-label={text.editor.valuesFor(parameter.title)}>
        {found.slice(0, shownMax).map((one, index) => (
          <li key={index}>
            {(!tree || one.selectable) && (
              <button type="button" className="finding" onClick={() => onChoose(one.literal)}>
                <span className="breakable">{one.title}</span>
                {one.literal !== JSON.stringify(one.title) && <code className="quiet breakable">{one.literal}</code>}
              </button>
            )}
            {one.parent && (
              <Button
                size="small"
                aria-label={text.editor.valuesOpen(one.title)}
                onClick={() => {
                  setWay([...way, one]);
                  setFilter("");
                }}
              >
                {one.selectable ? "›" : text.editor.valuesOpen(one.title)}
              </Button>
            )}
            {tree && !one.selectable && !one.parent && <span className="quiet breakable">{one.title}</span>}
          </li>
        ))}
      </ul>
      {(list.data?.more || found.length > shownMax) && <p className="quiet">{text.editor.valuesMore}</p>}
    </>
  );
}

/** The fields of a shape that only the service knows; a click adds one to the step, empty. */
function FieldList({ step, connection, parameter, onChoose, onBack }: { step: Step; connection: string; parameter: Parameter; onChoose: (parameter: string, literal: string) => void; onBack: () => void }) {
  const client = useQueryClient();
  const [asked, setAsked] = useState(0);
  // What the shape depends on, not every field that is added: one answer serves them all.
  const given = JSON.parse(step.parameters) as Record<string, unknown>;
  const needed = parameter.needs.map((name) => given[name]);
  const shape = useQuery({
    queryKey: ["dynamic", step.api, connection, step.operationId, parameter.name, "schema", needed, asked],
    queryFn: ({ signal }) => sendRaw<{ schema: unknown }>(paths.dynamic(step.api, connection, "schema"), bodyOf(step, { parameter: parameter.name, refresh: asked > 0 }), signal),
    staleTime: 60_000,
    retry: false,
  });
  // The server remembers the shape now: choices inside of it are known from here on.
  const told = shape.dataUpdatedAt;
  useEffect(() => {
    if (told > 0) void client.invalidateQueries({ queryKey: ["dynamic", step.api, connection, step.operationId, "parameters"] });
  }, [told, client, step.api, connection, step.operationId]);
  return (
    <>
      <p className="quiet breakable">{parameter.title}</p>
      <div className="values-bar">
        <Button size="small" onClick={onBack}>
          {text.editor.valuesBack}
        </Button>
        <Button size="small" disabled={shape.isFetching} onClick={() => setAsked(asked + 1)}>
          {text.editor.valuesRefresh}
        </Button>
      </div>
      {shape.isPending && <Loading />}
      <Problem error={shape.error} retry={() => setAsked(asked + 1)} />
      <ul className="values">
        {shapeFields(shape.data?.schema).map((field) => {
          const name = `${parameter.name}/${field.path}`;
          const there = name in given;
          return (
            <li key={name}>
              <button type="button" className="finding" disabled={there} onClick={() => onChoose(name, field.empty)}>
                <span className="breakable">{field.title}</span>
                <span className="quiet breakable">{[name, field.required && text.editor.fieldRequired, there && text.editor.fieldThere].filter(Boolean).join(" · ")}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </>
  );
}

/** What the service offers for the fields of the step around the cursor; a choice is written into the definition. */
export function ValuesPanel({ step, connection, onChoose }: { step: Step; connection: string; onChoose: (parameter: string, literal: string) => void }) {
  const [open, setOpen] = useState<string>();
  const list = useQuery({
    queryKey: ["dynamic", step.api, connection, step.operationId, "parameters", step.parameters],
    queryFn: ({ signal }) => sendRaw<Page<Parameter>>(paths.dynamic(step.api, connection, "parameters"), bodyOf(step, {}), signal),
    staleTime: 60_000,
    retry: false,
    placeholderData: (before) => before,
  });
  // A connector without choices, a step without a connection: the editor is not the place to complain about it.
  const offered = list.data?.value ?? [];
  if (offered.length === 0) return null;
  const chosen = offered.find((one) => keyOf(one) === open);
  return (
    <section className="panel values-panel" aria-labelledby="editor-values">
      <h2 id="editor-values">{text.editor.values(step.name)}</h2>
      {chosen?.kind === "schema" ? (
        <FieldList key={chosen.name} step={step} connection={connection} parameter={chosen} onChoose={onChoose} onBack={() => setOpen(undefined)} />
      ) : chosen ? (
        <ChoiceList key={chosen.name} step={step} connection={connection} parameter={chosen} onChoose={(literal) => onChoose(chosen.name, literal)} onBack={() => setOpen(undefined)} />
      ) : (
        <>
          <p className="quiet">{text.editor.valuesHint}</p>
          <ul className="values">
            {offered.map((one) => (
              <li key={keyOf(one)}>
                <button type="button" className="finding" disabled={one.unsupported !== undefined} onClick={() => setOpen(keyOf(one))}>
                  <span className="breakable">{one.title}</span>
                  <span className="quiet breakable">{one.unsupported ?? [one.name, one.kind === "schema" && text.editor.fieldsHint, one.needs.length > 0 && text.editor.valuesNeed(one.needs.join(", "))].filter(Boolean).join(" · ")}</span>
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}
