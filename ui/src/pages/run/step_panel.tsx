import { Button, MessageBar, MessageBarBody } from "@fluentui/react-components";
import { type ReactNode, useState } from "react";
import { Link } from "wouter";
import { routes } from "../../api/paths";
import { useContent, useRequestHistories, useRunFacts, useTraces } from "../../api/queries";
import type { ActionRecord, ContentLink, Explanation, ExpressionTrace, FixButton, RunTrigger } from "../../api/types";
import { LightbulbRegular, ErrorCircleFilled } from "../../parts/icons";
import { JsonTree } from "../../parts/json_tree";
import { Loading, Problem } from "../../parts/page";
import { Section } from "../../parts/section";
import { StatusMark } from "../../parts/status";
import { bytes, clockTime, displayName, duration, span, when } from "../../parts/time";
import { text } from "../../text";

const loadsItselfBytes = 64_000;

/** One recorded value behind its link. Small ones load when opened; large ones when asked for; secured ones never. */
function Content({ link, name }: { link: ContentLink | undefined; name: string }) {
  const [asked, setAsked] = useState(false);
  const wanted = asked || (link?.contentSize ?? 0) <= loadsItselfBytes;
  const content = useContent(link?.uri, wanted);
  if (link?.secureData && !link.uri) return <p className="quiet">{text.run.secured}</p>;
  if (!link?.uri) return <p className="quiet">{text.run.nothingRecorded}</p>;
  if (!wanted) return <Button onClick={() => setAsked(true)}>{text.run.load(bytes(link.contentSize))}</Button>;
  if (content.isPending) return <Loading />;
  if (content.isError) return <Problem error={content.error} retry={() => void content.refetch()} />;
  return <JsonTree source={content.data} name={name} />;
}

export function Facts({ facts }: { facts: [string, ReactNode][] }) {
  return (
    <dl className="facts">
      {facts
        .filter(([, value]) => value !== undefined && value !== "" && value !== null && value !== false)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

function Headers({ headers }: { headers: Record<string, string> | undefined }) {
  const all = Object.entries(headers ?? {});
  if (all.length === 0) return null;
  return (
    <dl className="headers">
      {all.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="breakable">{String(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

interface Attempt {
  attempt: number;
  startTime: string;
  endTime?: string;
  result: string;
  waitMs?: number;
}

/** Every attempt from the record itself; the explanation adds nothing but waits that it already knows. */
function attemptsOf(record: ActionRecord | undefined, explanation: Explanation | undefined): Attempt[] {
  if (explanation?.retries?.length)
    return explanation.retries.map((retry) => ({
      attempt: retry.attempt,
      startTime: retry.startTime,
      endTime: retry.endTime,
      result: [retry.statusCode, retry.code, retry.message].filter(Boolean).join(" · "),
      waitMs: retry.waitMs,
    }));
  const history = record?.retryHistory ?? [];
  if (history.length === 0) return [];
  return history.map((retry, index) => ({
    attempt: index + 1,
    startTime: retry.startTime,
    endTime: retry.endTime,
    result: [retry.code, retry.error?.error?.message].filter(Boolean).join(" · "),
    waitMs: span(retry.endTime, history[index + 1]?.startTime),
  }));
}

function Retries({ attempts, isFailure }: { attempts: Attempt[]; isFailure: boolean }) {
  return (
    <div className="table-frame" tabIndex={0} role="region" aria-label={text.run.retries}>
      <table className="table">
        <thead>
          <tr>
            <th scope="col">{text.run.attempt}</th>
            <th scope="col">{text.run.time}</th>
            <th scope="col">{text.run.result}</th>
            <th scope="col">{text.run.wait}</th>
          </tr>
        </thead>
        <tbody>
          {attempts.map((attempt, index) => (
            <tr key={attempt.attempt}>
              <td>{attempt.attempt}</td>
              <td title={when(attempt.startTime)}>
                {clockTime(attempt.startTime)}
                <span className="quiet"> {duration(span(attempt.startTime, attempt.endTime))}</span>
              </td>
              <td className="breakable">{attempt.result}</td>
              <td>{attempt.waitMs !== undefined ? duration(attempt.waitMs) : isFailure && index === attempts.length - 1 ? <span className="quiet">{text.run.lastAttempt}</span> : ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The run that a step which calls a flow had led to; nothing when it is not shared with the person. */
function CalledRun(props: { flow: string; run: string; action: string; repetition: string | undefined }) {
  const histories = useRequestHistories(props.flow, props.run, props.action, props.repetition, true);
  const child = histories.data?.value.map((one) => one.properties.request?.childRun).filter(Boolean).at(-1);
  const called = useRunFacts(child ?? "", child !== undefined);
  const facts = called.data?.properties;
  if (!child || !facts?.flowmend) return null;
  return (
    <p className="called-run">
      {text.run.calledRun} <StatusMark status={facts.status} /> <Link href={routes.run(facts.flowmend.flow, child)}>{facts.flowmend.flowDisplayName}</Link>
    </p>
  );
}

function Request(props: { flow: string; run: string; action: string; repetition: string | undefined; explanation: Explanation | undefined }) {
  const histories = useRequestHistories(props.flow, props.run, props.action, props.repetition, true);
  if (histories.isPending) return <Loading />;
  const recorded = histories.data?.value ?? [];
  const { request, response } = props.explanation ?? {};
  if (recorded.length === 0 && !request)
    return histories.isError ? <Problem error={histories.error} retry={() => void histories.refetch()} /> : <p className="quiet">{text.run.nothingRecorded}</p>;
  if (recorded.length === 0)
    return (
      <div className="exchange">
        <p className="request-line breakable">
          <strong>{request?.method}</strong> {request?.uri}
        </p>
        <Headers headers={request?.headers} />
        {response && (
          <>
            <h4>
              {text.run.response} {response.statusCode}
            </h4>
            <Headers headers={response.headers} />
            {response.body !== undefined && <JsonTree source={JSON.stringify(response.body)} name={text.run.body} />}
          </>
        )}
      </div>
    );
  return recorded.map((exchange) => (
    <div className="exchange" key={exchange.name}>
      <p className="request-line breakable">
        <strong>{exchange.properties.request?.method}</strong> {exchange.properties.request?.uri}
      </p>
      <p className="quiet">
        {when(exchange.properties.startTime)} · {duration(span(exchange.properties.startTime, exchange.properties.endTime))}
      </p>
      <Headers headers={exchange.properties.request?.headers} />
      {exchange.properties.response && (
        <>
          <h4>
            {text.run.response} {exchange.properties.response.statusCode}
          </h4>
          <Headers headers={exchange.properties.response.headers} />
          {exchange.properties.response.bodyLink && <Content link={exchange.properties.response.bodyLink} name={text.run.body} />}
        </>
      )}
    </div>
  ));
}

const shown = (value: unknown): string => (value === undefined ? "" : JSON.stringify(value));

function TraceNode({ trace, depth }: { trace: ExpressionTrace; depth: number }) {
  return (
    <>
      <div className={trace.error ? "trace trace-culprit" : "trace"} style={{ paddingInlineStart: `${depth * 16}px` }}>
        {trace.path && depth === 0 && <span className="quiet breakable">{trace.path}</span>}
        <code className="breakable">{trace.text}</code>
        {trace.error ? <span className="breakable tone-bad">{trace.error.message}</span> : <span className="trace-value breakable">{shown(trace.value)}</span>}
      </div>
      {depth < 32 && trace.subexpressions?.map((inner, index) => <TraceNode key={index} trace={inner} depth={depth + 1} />)}
    </>
  );
}

function Traces(props: { flow: string; run: string; action: string; repetition: string | undefined }) {
  const traces = useTraces(props.flow, props.run, props.action, props.repetition, true);
  if (traces.isPending) return <Loading />;
  if (traces.isError) return <Problem error={traces.error} retry={() => void traces.refetch()} />;
  const all = traces.data?.inputs ?? traces.data?.expression ?? [];
  if (!Array.isArray(all) || all.length === 0) return <p className="quiet">{text.run.noTrace}</p>;
  return (
    <div className="traces">
      {all.map((trace, index) => (
        <TraceNode key={index} trace={trace} depth={0} />
      ))}
    </div>
  );
}

/** The expression that failed, its culprit marked, and each value it met. */
function FailedExpression({ expression }: { expression: NonNullable<NonNullable<Explanation["where"]>["expression"]> }) {
  const { source, values = [] } = expression;
  // The server counts bytes of UTF-8; the page counts UTF-16 units.
  const raw = new TextEncoder().encode(source);
  const part = (from: number, to?: number) => new TextDecoder().decode(raw.slice(from, to));
  const marks = expression.end > expression.begin && expression.end <= raw.length;
  return (
    <Section title={text.run.expression} startsOpen>
      <pre className="expression" aria-label={text.run.expression}>
        {marks ? (
          <>
            {part(0, expression.begin)}
            <mark>{part(expression.begin, expression.end)}</mark>
            {part(expression.end)}
          </>
        ) : (
          source
        )}
      </pre>
      <p className="breakable">
        <code>{expression.subexpression}</code>
      </p>
      <p className="tone-bad breakable">{expression.message}</p>
      {values.length > 0 && (
        <>
          <h4>{text.run.values}</h4>
          <dl className="values">
            {values.map((value, index) => (
              <div key={index} className={value.culprit ? "value-culprit" : ""}>
                <dt>
                  <code className="breakable">{value.text}</code>
                  {value.culprit && (
                    <span className="culprit-mark">
                      <ErrorCircleFilled aria-hidden /> {text.run.culprit}
                    </span>
                  )}
                </dt>
                <dd className="breakable">{value.error ?? shown(value.value)}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </Section>
  );
}

export interface StepPanelProps {
  flow: string;
  run: string;
  name: string;
  actionType: string | undefined;
  record: ActionRecord | undefined;
  loading: boolean;
  repetition: string | undefined;
  /** Only for the step that the run failed at. */
  explanation: Explanation | undefined;
  onFix: (button: FixButton) => void;
  /** The person may not change or repeat anything here. */
  looksOnly: boolean;
}

/** Buttons that change nothing. */
const toSee = new Set<FixButton["kind"]>(["openRun", "openConnections", "askForHelp"]);

/** What is different from the last run in which the step went well. */
function Changes({ flow, since }: { flow: string; since: NonNullable<Explanation["sinceLastGood"]> }) {
  return (
    <>
      <p className="quiet">
        <Link href={routes.run(flow, since.run)}>{text.run.lastGood(when(since.startTime))}</Link>
      </p>
      {since.changes.length === 0 ? (
        <p>{text.run.nothingChanged}</p>
      ) : (
        <ul>
          {since.changes.map((change, index) => (
            <li key={index} className="breakable">
              {change.text}
              {(change.before !== undefined || change.after !== undefined) && (
                <span className="quiet"> {text.run.changedFrom(shown(change.before), shown(change.after))}</span>
              )}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Explained({ explanation, onFix, looksOnly }: { explanation: Explanation; onFix: (button: FixButton) => void; looksOnly: boolean }) {
  const { where, failure } = explanation;
  return (
    <>
      <section className="what" aria-labelledby="what-happened">
        <h3 id="what-happened">{text.run.whatHappened}</h3>
        <p className="what-title">{explanation.title}</p>
        <p>
          {explanation.whatHappened}{" "}
          {where?.origin?.action && (
            <Link href={`${routes.run(explanation.flow, explanation.run)}?step=${encodeURIComponent(where.origin.action)}`}>
              {text.run.showOrigin(displayName(where.origin.action))}
            </Link>
          )}
        </p>
        <Facts
          facts={[
            [text.run.field, where?.field && <code className="breakable">{where.field}</code>],
            [text.run.value, where?.field && where.value !== undefined && <code className="breakable">{shown(where.value)}</code>],
            [text.run.code, <code key="code" className="breakable">{[failure.statusCode, failure.code].filter((part, index, all) => part !== undefined && all.findIndex((other) => String(other) === String(part)) === index).join(" ")}</code>],
          ]}
        />
        <div className="chips">
          <span className="chip">{text.family[explanation.family] ?? explanation.family}</span>
          {explanation.connection && <Link href={routes.connection(explanation.connection.api, explanation.connection.name)}>{text.run.connectionNamed(explanation.connection.displayName)}</Link>}
          {explanation.temporary && explanation.family !== "transient" && <span className="chip">{text.run.temporary}</span>}
        </div>
      </section>
      {explanation.howToFix && explanation.howToFix.length > 0 && (
        <section className="fix" aria-labelledby="how-to-fix">
          <h3 id="how-to-fix">
            <LightbulbRegular aria-hidden /> {text.run.howToFix}
          </h3>
          <ol>
            {explanation.howToFix.map((step, index) => (
              <li key={index}>
                <span>{step.text}</span>
                {step.button && (!looksOnly || toSee.has(step.button.kind)) && (
                  <Button appearance={index === 0 ? "primary" : "secondary"} onClick={() => step.button && onFix(step.button)}>
                    {step.button.label}
                  </Button>
                )}
              </li>
            ))}
          </ol>
        </section>
      )}
    </>
  );
}

export function StepPanel(props: StepPanelProps) {
  const { record, explanation, name } = props;
  const attempts = attemptsOf(record, explanation);
  const error = record?.error ?? (explanation ? { code: explanation.failure.code, message: explanation.failure.message } : undefined);
  const ran = record !== undefined && record.status !== "Skipped";
  return (
    <article className="step-panel" aria-label={text.run.stepDetails}>
      <header className="step-panel-head">
        <h2>{displayName(name)}</h2>
        <div className="step-panel-facts">
          {record && <StatusMark status={record.status} />}
          <span className="quiet">{[props.actionType, duration(span(record?.startTime, record?.endTime)), when(record?.startTime)].filter(Boolean).join(" · ")}</span>
        </div>
      </header>
      {props.loading && <Loading />}
      {!props.loading && !record && <p className="quiet">{props.repetition ? text.run.repetitionMissing : text.run.notRun}</p>}
      {record?.status === "Skipped" && (
        <MessageBar intent="info">
          <MessageBarBody>{error?.message ?? text.run.skippedBecause}</MessageBarBody>
        </MessageBar>
      )}
      {record?.status === "Running" && <p className="quiet">{text.run.stillRunning}</p>}
      {ran && props.actionType?.toLowerCase() === "workflow" && <CalledRun flow={props.flow} run={props.run} action={name} repetition={props.repetition} />}
      {explanation && <Explained explanation={explanation} onFix={props.onFix} looksOnly={props.looksOnly} />}
      {explanation?.sinceLastGood && (
        <Section title={text.run.sinceLastGood} beside={explanation.sinceLastGood.changes.length} startsOpen>
          <Changes flow={props.flow} since={explanation.sinceLastGood} />
        </Section>
      )}
      {explanation?.where?.expression && <FailedExpression expression={explanation.where.expression} />}
      {attempts.length > 0 && (
        <Section title={text.run.retries} beside={attempts.length} startsOpen>
          <Retries attempts={attempts} isFailure={record?.status === "Failed"} />
        </Section>
      )}
      {error && record?.status !== "Skipped" && (
        <Section title={text.run.error} startsOpen>
          <Facts facts={[[text.run.code, <code key="code">{error.code}</code>], [text.run.message, <span key="message" className="breakable prewrap">{error.message}</span>]]} />
        </Section>
      )}
      {ran && (
        <>
          <Section key={`inputs-${name}-${props.repetition}`} title={text.run.inputs} beside={bytes(record.inputsLink?.contentSize)} startsOpen>
            <Content link={record.inputsLink} name={text.run.inputs} />
          </Section>
          <Section key={`outputs-${name}-${props.repetition}`} title={text.run.outputs} beside={bytes(record.outputsLink?.contentSize)} startsOpen>
            <Content link={record.outputsLink} name={text.run.outputs} />
          </Section>
          {(/^(http|openapi|apiconnection)/i.test(props.actionType ?? "") || explanation?.request) && (
            <Section title={text.run.request}>
              <Request flow={props.flow} run={props.run} action={name} repetition={props.repetition} explanation={explanation} />
            </Section>
          )}
          <Section title={text.run.trace}>
            <Traces flow={props.flow} run={props.run} action={name} repetition={props.repetition} />
          </Section>
        </>
      )}
      {explanation?.skipped && explanation.skipped.length > 0 && (
        <Section title={text.run.skipped} beside={explanation.skipped.length}>
          <ul className="plain-list">
            {explanation.skipped.map((action) => (
              <li key={action}>{displayName(action)}</li>
            ))}
          </ul>
        </Section>
      )}
    </article>
  );
}

export function TriggerPanel({ trigger, kind }: { trigger: RunTrigger | undefined; kind: string | undefined }) {
  return (
    <article className="step-panel" aria-label={text.run.stepDetails}>
      <header className="step-panel-head">
        <h2>{displayName(trigger?.name ?? text.run.triggerStep)}</h2>
        <div className="step-panel-facts">
          <StatusMark status={trigger?.status ?? "Succeeded"} />
          <span className="quiet">{[kind, when(trigger?.startTime)].filter(Boolean).join(" · ")}</span>
        </div>
      </header>
      {trigger?.error && <Problem error={new Error(trigger.error.message)} title={trigger.error.code} />}
      {trigger?.inputsLink && (
        <Section title={text.run.inputs}>
          <Content link={trigger.inputsLink} name={text.run.inputs} />
        </Section>
      )}
      <Section title={text.run.outputs} startsOpen>
        <Content link={trigger?.outputsLink} name={text.run.outputs} />
      </Section>
    </article>
  );
}
