import { Button, Field, MessageBar, MessageBarBody, MessageBarTitle, Select } from "@fluentui/react-components";
import { lazy, Suspense, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useLocation, useSearch } from "wouter";
import { ApiError } from "../../api/client";
import { routes } from "../../api/paths";
import { checkDefinition, items, useConnections, useDefinitionSchema, useFlowText, useFunctions, useSaveFlow, useWhole } from "../../api/queries";
import type { ConnectionReference, Finding, Flow } from "../../api/types";
import { CheckmarkCircleFilled, ErrorCircleFilled, WarningFilled } from "../../parts/icons";
import { Loading, Page, Problem } from "../../parts/page";
import { text } from "../../text";
import { apiOf } from "../connections/connection";
import type { CodeEditorHandle, Mark } from "./code_editor";
import { find, findAction, findingRange, format, type JsonNode, JsonTextError, lineAndColumn, parse } from "./json_text";
import { withMember } from "./member";
import { stepAt } from "./step_at";
import { TrialPanel } from "./trial_panel";
import { ValuesPanel } from "./values_panel";
import "./editor.css";

const CodeEditor = lazy(() => import("./code_editor"));
const checkAfterMs = 600;

type References = Record<string, ConnectionReference>;

interface Loaded {
  flow: Flow;
  /** The definition as the server keeps it, laid out. */
  code: string;
}

function load(answer: string): Loaded {
  const flow = JSON.parse(answer) as Flow;
  const node = find(parse(answer), "/properties/definition");
  return { flow, code: node ? format(answer.slice(node.from, node.to)) : "{}" };
}

const readable = (code: string): { root?: JsonNode; error?: JsonTextError } => {
  try {
    return { root: parse(code) };
  } catch (error) {
    if (error instanceof JsonTextError) return { error };
    throw error;
  }
};

function Findings({ findings, onOpen }: { findings: Finding[]; onOpen: (finding: Finding) => void }) {
  const errors = findings.filter((finding) => finding.severity === "error").length;
  const warnings = findings.length - errors;
  return (
    <section className="checker" aria-labelledby="checker">
      <h2 id="checker">
        {text.editor.checker}
        <span className="checker-counts" role="status">
          {findings.length === 0 ? (
            <span className="status-mark tone-good">
              <CheckmarkCircleFilled aria-hidden /> {text.editor.noFindings}
            </span>
          ) : (
            [errors > 0 && text.editor.errors(errors), warnings > 0 && text.editor.warnings(warnings)].filter(Boolean).join(", ")
          )}
        </span>
      </h2>
      <ul className="findings">
        {findings.map((finding, index) => (
          <li key={index}>
            <button type="button" className="finding" onClick={() => onOpen(finding)}>
              <span className={finding.severity === "error" ? "status-mark tone-bad" : "status-mark tone-warn"}>
                {finding.severity === "error" ? <ErrorCircleFilled aria-hidden /> : <WarningFilled aria-hidden />}
                {finding.severity === "error" ? text.editor.error : text.editor.warning}
              </span>
              <span className="finding-words">
                <span className="breakable">{finding.message}</span>
                {finding.cure && <span className="breakable finding-cure">{finding.cure}</span>}
                <span className="quiet breakable">{[finding.pointer, finding.code].filter(Boolean).join(" · ")}</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Which connection each key of the definition uses. Keys come from the flow and from the definition as it is written now. */
function ConnectionChoices({ keys, references, onChange }: { keys: Map<string, string>; references: References; onChange: (references: References) => void }) {
  const connections = useConnections(keys.size > 0);
  useWhole(connections);
  if (keys.size === 0) return null;
  return (
    <section className="panel" aria-labelledby="editor-connections">
      <h2 id="editor-connections">{text.editor.connections}</h2>
      <div className="form">
        {[...keys].map(([key, api]) => (
          <Field key={key} label={key}>
            <Select
              aria-label={text.editor.connectionOf(key)}
              value={references[key]?.connectionName ?? ""}
              onChange={(_, data) => onChange({ ...references, [key]: { ...references[key], connectionName: data.value, id: `/providers/Microsoft.PowerApps/apis/${api}`, source: references[key]?.source ?? "Embedded" } })}
            >
              <option value="">{text.editor.noConnection}</option>
              {items(connections)
                .filter((connection) => api === "" || apiOf(connection) === api)
                .map((connection) => (
                  <option key={connection.name} value={connection.name}>
                    {connection.properties.displayName}
                  </option>
                ))}
            </Select>
          </Field>
        ))}
      </div>
    </section>
  );
}

/** The connection keys that steps name in `inputs.host`, with the connector each is for. */
function connectionKeys(root: JsonNode | undefined, code: string, references: References): Map<string, string> {
  const keys = new Map(Object.entries(references).map(([key, reference]) => [key, reference.id?.split("/").pop() ?? ""]));
  const stringOf = (node: JsonNode | undefined) => (node?.kind === "string" ? (JSON.parse(code.slice(node.from, node.to)) as string) : undefined);
  const visit = (node: JsonNode) => {
    if (node.key === "host" && node.kind === "object") {
      const key = stringOf(node.children.find((child) => child.key === "connectionName"));
      const api = stringOf(node.children.find((child) => child.key === "apiId"))?.split("/").pop();
      if (key && api && !keys.has(key)) keys.set(key, api);
    }
    node.children.forEach(visit);
  };
  if (root) visit(root);
  return keys;
}

function Editor({ name, loaded }: { name: string; loaded: Loaded }) {
  const search = new URLSearchParams(useSearch());
  const [, navigate] = useLocation();
  const [code, setCode] = useState(loaded.code);
  const [saved, setSaved] = useState(loaded.code);
  const initial = loaded.flow.properties.connectionReferences ?? {};
  const [references, setReferences] = useState<References>(initial);
  const [savedReferences, setSavedReferences] = useState<References>(initial);
  const [findings, setFindings] = useState<Finding[]>([]);
  const [checkError, setCheckError] = useState<unknown>();
  const [refused, setRefused] = useState<string>();
  const [justSaved, setJustSaved] = useState(false);
  const [editorReady, setEditorReady] = useState(false);
  const [cursor, setCursor] = useState(0);
  const save = useSaveFlow(name);
  const schema = useDefinitionSchema();
  const functions = useFunctions();
  const handle = useRef<CodeEditorHandle>(null);
  const { root, error: notJson } = useMemo(() => readable(code), [code]);
  const dirty = code !== saved || references !== savedReferences;
  const step = useMemo(() => (root ? stepAt(code, root, cursor) : undefined), [code, root, cursor]);
  const keys = useMemo(() => connectionKeys(root, code, references), [root, code, references]);

  // The checker runs while a person writes, once they pause.
  useEffect(() => {
    if (notJson) {
      const { line, column } = lineAndColumn(code, notJson.at);
      setFindings([{ pointer: `${line}:${column}`, severity: "error", code: "InvalidJson", message: text.editor.jsonError(notJson.message), cure: text.editor.jsonCure }]);
      return;
    }
    let current = true;
    const timer = setTimeout(() => {
      checkDefinition(code, references).then(
        (found) => {
          if (!current) return;
          setFindings(found);
          setCheckError(undefined);
        },
        (error: unknown) => current && setCheckError(error),
      );
    }, checkAfterMs);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [code, references, notJson]);

  const rangeOf = useCallback(
    (finding: Finding) => (notJson ? { from: notJson.at, to: notJson.at + 1 } : root ? findingRange(code, root, finding) : { from: 0, to: 0 }),
    [code, root, notJson],
  );
  const marks = useMemo<Mark[]>(
    () => findings.map((finding) => ({ ...rangeOf(finding), severity: finding.severity, message: [finding.message, finding.cure].filter(Boolean).join("\n") })),
    [findings, rangeOf],
  );
  const open = (finding: Finding) => {
    const range = rangeOf(finding);
    handle.current?.reveal(range.from, range.to);
  };

  // Opens at the place that the address names: the pointer, or the action. On a screen that is ready for it, and once.
  const asked = search.get("pointer") ?? undefined;
  const askedAction = search.get("action") ?? undefined;
  useEffect(() => {
    if (!editorReady) return;
    const start = parse(loaded.code);
    const pointer = asked ?? (askedAction ? findAction(start, askedAction) : undefined);
    const node = pointer === undefined ? undefined : find(start, pointer, true);
    if (!node || node === start) return;
    // A step is selected by its name's line, a field from its name to the end of its value.
    const isField = node.kind === "string" || node.kind === "literal";
    handle.current?.reveal(node.keyRange?.from ?? node.from, isField ? node.to : (node.keyRange?.to ?? node.from));
  }, [editorReady, asked, askedAction, loaded.code]);

  useEffect(() => {
    if (!dirty) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [dirty]);

  const submit = async () => {
    setJustSaved(false);
    setRefused(undefined);
    if (notJson) {
      const { line, column } = lineAndColumn(code, notJson.at);
      setRefused(text.editor.notJson(line, column));
      handle.current?.reveal(notJson.at, notJson.at + 1);
      return;
    }
    try {
      await save.mutateAsync({ definition: code, references: references === savedReferences ? undefined : references });
      setSaved(code);
      setSavedReferences(references);
      setJustSaved(true);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 400) return;
      setRefused(error.message);
      if (error.details.length === 0) return;
      const found: Finding[] = error.details.map((detail) => ({ pointer: detail.target ?? "", severity: "error", code: detail.code, message: detail.message, cure: detail.cure }));
      setFindings((before) => {
        // The checker knows the part of the expression; the refusal may not. Its warnings stay as well.
        const better = found.map((finding) => before.find((known) => known.pointer === finding.pointer && known.code === finding.code) ?? finding);
        return [...better, ...before.filter((known) => known.severity === "warning")];
      });
      const first = found[0];
      if (first) open(first);
    }
  };
  const leave = (to: string) => {
    if (!dirty || window.confirm(text.editor.leave)) navigate(to);
  };
  const run = search.get("run");
  const title = loaded.flow.properties.displayName;
  const saveError = save.error instanceof ApiError && save.error.status === 400 ? undefined : save.error;
  return (
    <Page
      wide
      title={`${text.editor.title}: ${title}`}
      actions={
        <>
          {dirty && <span className="unsaved">{text.editor.unsaved}</span>}
          <Button onClick={() => leave(run ? routes.run(name, run) : routes.flow(name))}>{run ? text.editor.returnToRun : text.editor.returnToFlow}</Button>
          <Button appearance="primary" disabled={save.isPending} onClick={() => void submit()}>
            {text.editor.save}
          </Button>
        </>
      }
    >
      {justSaved && !dirty && (
        <MessageBar intent="success">
          <MessageBarBody>{text.editor.saved}</MessageBarBody>
        </MessageBar>
      )}
      {refused && (
        <MessageBar intent="error" layout="multiline">
          <MessageBarBody>
            <MessageBarTitle>{text.editor.refused}</MessageBarTitle>
            <span className="breakable">{refused}</span>
          </MessageBarBody>
        </MessageBar>
      )}
      <Problem error={saveError} retry={() => void submit()} />
      <Problem error={checkError} />
      <div className="editor-columns">
        <div className="editor-main">
          <Suspense fallback={<Loading />}>
            <CodeEditor
              ref={(made) => {
                handle.current = made;
                if (made && !editorReady) setEditorReady(true);
              }}
              initial={loaded.code}
              label={text.editor.definitionOf(title)}
              marks={marks}
              schema={schema.data}
              functions={functions.data?.value ?? []}
              onChange={setCode}
              onCursor={setCursor}
              onSave={() => void submit()}
            />
          </Suspense>
          <p className="quiet editor-help">{text.editor.help}</p>
        </div>
        <div className="editor-side">
          <Findings findings={findings} onOpen={open} />
          {step && (
            <ValuesPanel
              key={step.pointer}
              step={step}
              connection={references[step.connectionKey]?.connectionName ?? step.connectionKey}
              onChoose={(parameter, literal) => {
                const edit = root && withMember(code, root, `${step.pointer}/inputs`, "parameters", parameter, literal);
                if (edit) handle.current?.replace(edit.from, edit.to, edit.text);
              }}
            />
          )}
          <TrialPanel flow={name} code={code} references={references === savedReferences ? undefined : references} disabled={notJson !== undefined} />
          <ConnectionChoices keys={keys} references={references} onChange={setReferences} />
        </div>
      </div>
    </Page>
  );
}

export default function EditorPage({ flow }: { flow: string }) {
  const asked = useFlowText(flow);
  const loaded = useMemo(() => (asked.data === undefined ? undefined : load(asked.data)), [asked.data]);
  if (asked.isError)
    return (
      <Page title={text.editor.title}>
        <Problem error={asked.error} retry={() => void asked.refetch()} />
      </Page>
    );
  if (!loaded) return <Loading />;
  return <Editor name={flow} loaded={loaded} />;
}
