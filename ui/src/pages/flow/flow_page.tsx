import { Button, Dialog, DialogActions, DialogBody, DialogContent, DialogSurface, DialogTitle, Field, MessageBar, MessageBarBody, MessageBarTitle, Radio, RadioGroup, Select, Textarea } from "@fluentui/react-components";
import { type FormEvent, useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { routes } from "../../api/paths";
import { items, useCallbackUrl, useConnections, useDeleteFlow, useFlow, useFlowRuns, useFlowSwitch, useOnOutage, useStartRun, useWhole } from "../../api/queries";
import type { Flow, OnOutage } from "../../api/types";
import { ConfirmDialog } from "../../parts/confirm_dialog";
import { CopyButton } from "../../parts/copy";
import { CheckmarkCircleFilled, DeleteRegular, EditRegular, ErrorCircleFilled, HistoryRegular, PlayRegular, PowerRegular } from "../../parts/icons";
import { useMay } from "../../parts/may";
import { Empty, ListFrame, Loading, Page, Problem } from "../../parts/page";
import { RunTable } from "../../parts/run_table";
import { statusWord } from "../../parts/status";
import { StatusSelect } from "../../parts/status_select";
import { ago, displayName, when } from "../../parts/time";
import type { Status } from "../../api/types";
import { text } from "../../text";
import { apiOf, isBroken } from "../connections/connection";
import { flowThing, ShareButton } from "../sharing/share_button";
import { FlowState } from "../flows/flow_state";
import { Success } from "../flows/flows_page";
import { TriggerChecks } from "./trigger_checks";
import { FlowNotifications } from "./flow_notifications";
import "./flow.css";

/** Triggers that anybody may call who knows their address. */
const isCalled = (type: string) => ["request", "manual"].includes(type.toLowerCase());

function TriggerAddress({ flow, trigger }: { flow: string; trigger: string }) {
  const [shown, setShown] = useState(false);
  const url = useCallbackUrl(flow, trigger, shown);
  return (
    <div className="trigger-address">
      <p className="quiet">{text.flow.triggerAddressHint}</p>
      {!shown && <Button onClick={() => setShown(true)}>{text.flow.showAddress}</Button>}
      {shown && url.isPending && <Loading />}
      {shown && url.isError && <Problem error={url.error} retry={() => void url.refetch()} />}
      {shown && url.data && (
        <>
          <code className="breakable" aria-label={text.flow.triggerAddress}>
            <strong>{url.data.method}</strong> {url.data.url}
          </code>
          <CopyButton value={url.data.url} />
        </>
      )}
    </div>
  );
}

function RunDialog({ flow, triggers, onClose }: { flow: string; triggers: string[]; onClose: () => void }) {
  const [, navigate] = useLocation();
  const [trigger, setTrigger] = useState(triggers[0] ?? "");
  const [body, setBody] = useState("");
  const [wrong, setWrong] = useState("");
  const start = useStartRun(flow);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    try {
      if (body.trim() !== "") JSON.parse(body);
    } catch (error) {
      setWrong(text.flow.runBodyWrong(error instanceof Error ? error.message : String(error)));
      return;
    }
    const run = await start.mutateAsync({ trigger, body }).catch(() => undefined);
    if (run) navigate(routes.run(flow, run));
    else if (!start.error) onClose();
  };
  return (
    <Dialog open onOpenChange={(_, data) => !data.open && onClose()}>
      <DialogSurface>
        <form onSubmit={(event) => void submit(event)}>
          <DialogBody>
            <DialogTitle>{text.flow.runTitle}</DialogTitle>
            <DialogContent className="form">
              {triggers.length > 1 && (
                <Field label={text.flow.trigger}>
                  <Select value={trigger} onChange={(_, data) => setTrigger(data.value)}>
                    {triggers.map((one) => (
                      <option key={one} value={one}>
                        {displayName(one)}
                      </option>
                    ))}
                  </Select>
                </Field>
              )}
              <Field label={text.flow.runBody} validationMessage={wrong || undefined}>
                <Textarea
                  rows={6}
                  resize="vertical"
                  className="code-input"
                  value={body}
                  onChange={(_, data) => {
                    setBody(data.value);
                    setWrong("");
                  }}
                />
              </Field>
              <Problem error={start.error} />
            </DialogContent>
            <DialogActions>
              <Button onClick={onClose}>{text.common.cancel}</Button>
              <Button appearance="primary" type="submit" icon={<PlayRegular />} disabled={start.isPending}>
                {text.flows.run}
              </Button>
            </DialogActions>
          </DialogBody>
        </form>
      </DialogSurface>
    </Dialog>
  );
}

function ConnectionsUsed({ flow }: { flow: Flow }) {
  const connections = useConnections();
  useWhole(connections);
  const references = Object.entries(flow.properties.connectionReferences ?? {});
  if (references.length === 0) return <p className="quiet">{text.flow.noConnections}</p>;
  return (
    <ul className="plain-list">
      {references.map(([key, reference]) => {
        const api = reference.id?.split("/").pop();
        const connection = items(connections).find((one) => one.name === reference.connectionName && (!api || apiOf(one) === api));
        const broken = connection ? isBroken(connection) : !connections.isPending;
        return (
          <li key={key} className="used-connection">
            <Link href={connection ? routes.connection(apiOf(connection), connection.name) : routes.connections}>{connection?.properties.displayName ?? reference.displayName ?? key}</Link>
            <span className={broken ? "status-mark tone-bad" : "status-mark tone-good"}>
              {broken ? <ErrorCircleFilled aria-hidden /> : <CheckmarkCircleFilled aria-hidden />}
              {broken ? text.connections.error : text.connections.connected}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

export default function FlowPage({ flow: name }: { flow: string }) {
  const [location, navigate] = useLocation();
  const search = new URLSearchParams(useSearch());
  const status = search.get("status") ?? undefined;
  const flow = useFlow(name);
  const runs = useFlowRuns(name, status);
  const turn = useFlowSwitch(name);
  const outage = useOnOutage(name);
  const remove = useDeleteFlow(name);
  const may = useMay(flow.data?.properties.flowmend?.role);
  const [starting, setStarting] = useState(false);
  const [deleting, setDeleting] = useState(false);
  if (flow.isPending) return <Loading />;
  if (flow.isError)
    return (
      <Page title={text.flows.title}>
        <Problem error={flow.error} retry={() => void flow.refetch()} />
      </Page>
    );
  const { properties } = flow.data;
  const on = properties.state === "Started";
  const triggers = Object.entries(properties.definition?.triggers ?? {}).map(([key, value]) => ({ name: key, type: value.type, kind: value.kind }));
  const titled = (title: string, trigger: { name: string }) => (triggers.length > 1 ? `${title}: ${displayName(trigger.name)}` : title);
  const all = items(runs);
  const facts: [string, React.ReactNode][] = [
    [text.flows.state, <FlowState key="state" state={properties.state} />],
    [text.flow.trigger, triggers.map((trigger) => `${displayName(trigger.name)} (${[trigger.type, trigger.kind].filter(Boolean).join(", ")})`).join(", ")],
    [text.flow.success28, <Success key="success" flow={flow.data} />],
    [text.flow.version, properties.flowmend?.version && <code key="version">{properties.flowmend.version}</code>],
    [text.flow.modified, <span key="modified" title={when(properties.lastModifiedTime)}>{ago(properties.lastModifiedTime)}</span>],
    [text.flow.created, when(properties.createdTime)],
  ];
  return (
    <Page
      title={properties.displayName}
      above={
        <nav aria-label={text.frame.flows} className="crumbs">
          <Link href={routes.flows}>{text.frame.flows}</Link>
        </nav>
      }
      actions={
        <>
          {may.edit && (
            <Button appearance="primary" icon={<EditRegular />} onClick={() => navigate(routes.edit(name))}>
              {text.flows.edit}
            </Button>
          )}
          {may.run && (
            <Button icon={<PlayRegular />} disabled={triggers.length === 0} onClick={() => setStarting(true)}>
              {text.flows.run}
            </Button>
          )}
          {may.edit && (
            <Button icon={<PowerRegular />} disabled={turn.isPending} onClick={() => turn.mutate(!on)}>
              {on ? text.flows.turnOff : text.flows.turnOn}
            </Button>
          )}
          <ShareButton title={properties.displayName} thing={flowThing(name)} mayChange={properties.flowmend?.role === "Owner"} hint={text.share.flowHint} />
          {may.own && (
            <Button icon={<DeleteRegular />} onClick={() => setDeleting(true)}>
              {text.common.delete}
            </Button>
          )}
        </>
      }
    >
      <Problem error={turn.error ?? remove.error} />
      {properties.flowmend?.foreignConnections && (
        <MessageBar intent="warning" layout="multiline">
          <MessageBarBody>
            <MessageBarTitle>{text.share.foreign(properties.flowmend.foreignConnections.map((one) => one.displayName).join(", "))}</MessageBarTitle>
            {text.share.foreignHint}
          </MessageBarBody>
        </MessageBar>
      )}
      <div className="flow-columns">
        <section aria-labelledby="history" className="flow-history">
          <div className="history-head">
            <h2 id="history">{text.flow.history}</h2>
            <StatusSelect value={status} onChange={(value) => navigate(value ? `${location}?status=${value}` : location, { replace: true })} />
          </div>
          <ListFrame
            list={runs}
            count={all.length}
            empty={
              status ? (
                <Empty icon={<HistoryRegular />} title={text.flow.emptyFiltered(statusWord(status as Status))} hint={text.flow.emptyFilteredHint} />
              ) : (
                <Empty icon={<HistoryRegular />} title={text.flow.emptyRuns} hint={text.flow.emptyRunsHint} />
              )
            }
          >
            <RunTable runs={all} flow={name} />
          </ListFrame>
        </section>
        <div className="flow-side">
          <section className="panel" aria-labelledby="details">
            <h2 id="details">{text.flow.details}</h2>
            {properties.description && <p>{properties.description}</p>}
            <dl className="details">
              {facts
                .filter(([, value]) => value)
                .map(([label, value]) => (
                  <div key={label}>
                    <dt>{label}</dt>
                    <dd className="breakable">{value}</dd>
                  </div>
                ))}
            </dl>
          </section>
          <section className="panel" aria-labelledby="on-outage">
            <h2 id="on-outage">{text.holds.choice}</h2>
            <RadioGroup aria-labelledby="on-outage" value={properties.flowmend?.onOutage ?? "fail"} disabled={outage.isPending || !may.edit} onChange={(_, data) => outage.mutate(data.value as OnOutage)}>
              <Radio value="hold" label={text.holds.hold} />
              <Radio value="fail" label={text.holds.fail} />
            </RadioGroup>
            <Problem error={outage.error} />
          </section>
          <section className="panel" aria-labelledby="connections-used">
            <h2 id="connections-used">{text.flow.connectionsUsed}</h2>
            <ConnectionsUsed flow={flow.data} />
          </section>
          {triggers.map((trigger, i) => (
            <section key={trigger.name} className="panel" aria-labelledby={`checks-${i}`}>
              <h2 id={`checks-${i}`}>{titled(text.flow.checks, trigger)}</h2>
              <TriggerChecks flow={name} trigger={trigger.name} />
            </section>
          ))}
          <section className="panel" aria-labelledby="flow-notifications">
            <h2 id="flow-notifications">{text.notify.flow}</h2>
            <FlowNotifications flow={name} />
          </section>
          {triggers.map(
            (trigger, i) =>
              isCalled(trigger.type) &&
              may.edit && (
                <section key={trigger.name} className="panel" aria-labelledby={`address-${i}`}>
                  <h2 id={`address-${i}`}>{titled(text.flow.triggerAddress, trigger)}</h2>
                  <TriggerAddress flow={name} trigger={trigger.name} />
                </section>
              ),
          )}
        </div>
      </div>
      {starting && triggers.length > 0 && <RunDialog flow={name} triggers={triggers.map((trigger) => trigger.name)} onClose={() => setStarting(false)} />}
      {deleting && (
        <ConfirmDialog
          title={text.flow.deleteTitle}
          hint={text.flow.deleteHint(properties.displayName)}
          confirm={text.common.delete}
          onClose={() => setDeleting(false)}
          onConfirm={() => remove.mutate(undefined, { onSuccess: () => navigate(routes.flows) })}
        />
      )}
    </Page>
  );
}
