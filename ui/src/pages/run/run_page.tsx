import { Button, Menu, MenuItem, MenuList, MenuPopover, MenuTrigger, MessageBar, MessageBarBody, MessageBarTitle, Tooltip } from "@fluentui/react-components";
import { lazy, Suspense, useMemo, useRef, useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { routes } from "../../api/paths";
import { useCancel, useExplanation, useFlow, useResubmit, useRun, useRunFacts } from "../../api/queries";
import type { FixButton } from "../../api/types";
import { ArrowRepeatAllRegular, ChevronDownRegular, ChevronRightRegular, DismissCircleFilled, EditRegular, PersonSupportRegular } from "../../parts/icons";
import { useMay } from "../../parts/may";
import { Loading, Page, Problem } from "../../parts/page";
import { StatusMark } from "../../parts/status";
import { ago, displayName, duration, span, when } from "../../parts/time";
import { text } from "../../text";
import { around, buildOutline, findNode, flatten, type Items, itemsOf, openAt } from "./outline";
import { Facts, StepPanel, TriggerPanel } from "./step_panel";
import { Steps, triggerKey, useRecord } from "./steps";
import { WaitsFor } from "./waits_for";
import "./run.css";

const HelpDialog = lazy(() => import("./help_dialog"));
const RepeatDialog = lazy(() => import("./repeat_dialog"));
const VerifyDialog = lazy(() => import("../connections/verify_dialog"));

const bad = new Set(["Failed", "TimedOut", "Aborted", "Faulted"]);

export default function RunPage({ flow, run }: { flow: string; run: string }) {
  const [location, navigate] = useLocation();
  const search = new URLSearchParams(useSearch());
  const asked = useRun(flow, run);
  const facts = useRunFacts(run);
  const owner = useFlow(flow);
  const may = useMay(owner.data?.properties.flowmend?.role);
  const properties = asked.data?.properties;
  const failed = properties !== undefined && bad.has(properties.status);
  const explained = useExplanation(run, failed);
  const explanation = explained.data;
  const resubmit = useResubmit(flow, run);
  const cancel = useCancel(flow, run);

  const definition = properties?.workflow?.properties?.definition;
  const outline = useMemo(() => buildOutline(definition), [definition]);
  const records = properties?.actions ?? {};
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [chosenItems, setItems] = useState<Items | undefined>();
  const [help, setHelp] = useState(false);
  const [repeating, setRepeating] = useState(false);
  const [verify, setVerify] = useState<{ api: string; name: string }>();
  const [verified, setVerified] = useState<{ name: string; affectedRuns: number; released?: number }>();
  const panel = useRef<HTMLDivElement>(null);

  const culprit = explanation ? findNode(outline, explanation.failure.action) : undefined;
  const culpritItems = useMemo(() => itemsOf(explanation?.failure.repetition, culprit?.loops ?? []), [explanation, culprit]);
  const items = chosenItems ?? culpritItems;
  const selected = search.get("step") ?? openAt(outline, records, explanation);
  const node = selected && selected !== triggerKey ? findNode(outline, selected) : undefined;
  const { record, repetition, loading } = useRecord(flow, run, node, records, items);
  const rows = useMemo(() => flatten(outline, folded), [outline, folded]);

  if (asked.isPending || (failed && explained.isPending)) return <Loading />;
  if (asked.isError || !properties)
    return (
      <Page title={text.run.title}>
        <Problem error={asked.error} retry={() => void asked.refetch()} />
      </Page>
    );

  const more = facts.data?.properties.flowmend ?? properties.flowmend;
  const flowName = more?.flowDisplayName ?? owner.data?.properties.displayName ?? explanation?.flowDisplayName ?? flow;
  const isCulprit = node !== undefined && node.name === culprit?.name && (explanation?.failure.repetition === undefined || explanation.failure.repetition === repetition);
  const canEdit = routes.edit(flow, { action: node?.name, run });

  const select = (name: string) => {
    navigate(`${location}?step=${encodeURIComponent(name)}`, { replace: true });
    // On a phone the panel is below the steps: bring what was chosen into sight.
    if (window.matchMedia("(max-width: 720px)").matches) requestAnimationFrame(() => panel.current?.scrollIntoView({ behavior: "smooth", block: "start" }));
  };
  const fold = (key: string) =>
    setFolded((before) => {
      const next = new Set(before);
      if (!next.delete(key)) next.add(key);
      return next;
    });
  const again = async (which: "latest" | "original" | "keep") => {
    const name = await resubmit.mutateAsync(which).catch(() => undefined);
    if (name) navigate(`${routes.run(flow, name)}?repeats=${encodeURIComponent(run)}`);
  };
  const fix = (button: FixButton) => {
    switch (button.kind) {
      case "verifyConnection":
        if (button.connection) setVerify(button.connection);
        break;
      case "openConnections":
        navigate(routes.connections);
        break;
      case "editAction":
        navigate(routes.edit(flow, { action: button.pointer ? undefined : explanation?.failure.action, pointer: button.pointer, run }));
        break;
      case "resubmit":
        void again("latest");
        break;
      case "openRun":
        if (button.flow && button.run) navigate(routes.run(button.flow, button.run));
        break;
      case "askForHelp":
        setHelp(true);
        break;
    }
  };
  const setItem = (loop: string, index: number) => {
    // Another item of an outer loop: the loops inside start anew.
    const inner = new Set<string>();
    const collect = (nodes: typeof outline) => nodes.forEach((child) => (inner.add(child.name), collect(child.children)));
    collect(findNode(outline, loop)?.children ?? []);
    setItems({ ...Object.fromEntries(Object.entries(items).filter(([name]) => !inner.has(name))), [loop]: index });
  };

  const repeats = more?.resubmitOf?.run ?? search.get("repeats") ?? undefined;
  const running = properties.status === "Running" || properties.status === "Waiting";
  return (
    <Page
      wide
      title={flowName}
      above={
        <nav aria-label={text.frame.runs} className="crumbs">
          <Link href={routes.flows}>{text.frame.flows}</Link>
          <ChevronRightRegular aria-hidden />
          <Link href={routes.flow(flow)}>{flowName}</Link>
          <ChevronRightRegular aria-hidden />
          <span>{text.run.title}</span>
        </nav>
      }
      beside={<StatusMark status={properties.status} />}
      actions={
        <>
          {!may.edit ? null : running ? (
            <Button icon={<DismissCircleFilled />} disabled={cancel.isPending} onClick={() => cancel.mutate()}>
              {text.run.cancel}
            </Button>
          ) : (
            <span className="split">
              <Button appearance="primary" icon={<ArrowRepeatAllRegular />} disabled={resubmit.isPending} onClick={() => void again("latest")}>
                {text.run.resubmit}
              </Button>
              <Menu positioning="below-end">
                <MenuTrigger disableButtonEnhancement>
                  <Tooltip content={text.run.resubmitChoices} relationship="label">
                    <Button appearance="primary" icon={<ChevronDownRegular />} disabled={resubmit.isPending} />
                  </Tooltip>
                </MenuTrigger>
                <MenuPopover>
                  <MenuList>
                    <MenuItem onClick={() => void again("latest")}>{text.run.resubmitLatest}</MenuItem>
                    <MenuItem onClick={() => void again("original")}>{text.run.resubmitOriginal}</MenuItem>
                    <MenuItem onClick={() => void again("keep")}>{text.run.resubmitKeep}</MenuItem>
                    <MenuItem onClick={() => setRepeating(true)}>{text.repeat.menu}</MenuItem>
                  </MenuList>
                </MenuPopover>
              </Menu>
            </span>
          )}
          {may.edit && (
            <Button icon={<EditRegular />} onClick={() => navigate(canEdit)}>
              {text.run.edit}
            </Button>
          )}
          {failed && (
            <Button icon={<PersonSupportRegular />} onClick={() => setHelp(true)}>
              {text.run.askForHelp}
            </Button>
          )}
        </>
      }
    >
      <Facts
        facts={[
          [text.run.started, <span key="started" title={when(properties.startTime)}>{ago(properties.startTime)}, {when(properties.startTime)}</span>],
          [text.run.duration, duration(more?.durationMs ?? span(properties.startTime, properties.endTime))],
          [text.run.trigger, displayName(properties.trigger?.name ?? "") + (more?.triggerKind ? ` (${more.triggerKind})` : "")],
          [text.run.version, more?.version ?? properties.workflow?.properties?.version],
          [text.run.id, <code key="id" className="breakable">{run}</code>],
          [text.run.incident, more?.incident && <Link key="incident" href={routes.incident(more.incident)}>{text.run.incidentLink}</Link>],
          [text.run.calledBy, more?.calledBy && <Link key="by" href={`${routes.run(more.calledBy.flow, more.calledBy.run)}?step=${encodeURIComponent(more.calledBy.action)}`}>{text.run.stepOf(displayName(more.calledBy.action), more.calledBy.flowDisplayName)}</Link>],
          [text.run.resubmitOf, repeats && <Link key="of" href={routes.run(flow, repeats)}>{repeats}</Link>],
          [
            text.run.resubmittedAs,
            more?.resubmittedAs && more.resubmittedAs.length > 0 && (
              <span key="as" className="repeats">
                {more.resubmittedAs.map((repeat) => (
                  <Link key={repeat.run} href={routes.run(flow, repeat.run)} className="repeat">
                    <StatusMark status={repeat.status} /> {repeat.run}
                  </Link>
                ))}
              </span>
            ),
          ],
        ]}
      />
      {more?.repair && <p>{text.repeat.signed(more.repair.by, more.repair.why)}</p>}
      <Problem error={resubmit.error ?? cancel.error} />
      {explained.isError && <Problem error={explained.error} retry={() => void explained.refetch()} />}
      {more?.waitsFor?.map((step) => <WaitsFor key={`${step.action} ${step.repetition ?? ""}`} step={step} onVerify={setVerify} />)}
      {verified && (
        <MessageBar intent="success" layout="multiline">
          <MessageBarBody>
            <MessageBarTitle>{text.connections.verified(verified.name)}</MessageBarTitle>
            {verified.released ? text.holds.released(verified.released) : text.connections.verifiedHint(verified.affectedRuns)}
          </MessageBarBody>
        </MessageBar>
      )}
      <div className="run-body">
        <Steps
          flow={flow}
          run={run}
          trigger={properties.trigger}
          rows={rows}
          records={records}
          items={items}
          selected={selected}
          onSelect={(name) => {
            setFolded((before) => new Set([...before].filter((key) => !around(outline, name).includes(key))));
            select(name);
          }}
          onFold={fold}
          onItem={setItem}
        />
        <div ref={panel} className="run-panel">
          {selected === triggerKey || !node ? (
            <TriggerPanel trigger={properties.trigger} kind={more?.triggerKind} />
          ) : (
            <StepPanel
              key={`${node.name} ${repetition ?? ""}`}
              flow={flow}
              run={run}
              name={node.name}
              actionType={node.action?.type}
              record={record}
              loading={loading}
              repetition={repetition}
              explanation={isCulprit ? explanation : undefined}
              onFix={fix}
              looksOnly={!may.edit}
            />
          )}
        </div>
      </div>
      <Suspense fallback={null}>
        {repeating && <RepeatDialog run={run} caller={more?.calledBy} onClose={() => setRepeating(false)} onStarted={(its, name) => navigate(routes.run(its, name) + (its === flow ? `?repeats=${encodeURIComponent(run)}` : ""))} />}
        {help && <HelpDialog run={run} onClose={() => setHelp(false)} />}
        {verify && (
          <VerifyDialog
            api={verify.api}
            name={verify.name}
            onClose={() => setVerify(undefined)}
            onVerified={(displayed, affectedRuns, released) => {
              setVerify(undefined);
              setVerified({ name: displayed, affectedRuns, released });
            }}
          />
        )}
      </Suspense>
    </Page>
  );
}
