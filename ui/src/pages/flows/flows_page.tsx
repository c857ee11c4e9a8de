import { Button, Menu, MenuItem, MenuList, MenuPopover, MenuTrigger, Tooltip } from "@fluentui/react-components";
import { lazy, Suspense, useState } from "react";
import { Link, useLocation, useSearch } from "wouter";
import { routes } from "../../api/paths";
import { items, useFlows, useFlowSwitch, useWhole } from "../../api/queries";
import type { Flow } from "../../api/types";
import { AddRegular, EditRegular, FlowRegular, MoreHorizontalRegular, PowerRegular, SearchRegular } from "../../parts/icons";
import { useMay } from "../../parts/may";
import { Empty, ListFrame, Page, Problem } from "../../parts/page";
import { StatusMark } from "../../parts/status";
import { ago, displayName, when } from "../../parts/time";
import { text } from "../../text";
import { FlowState } from "./flow_state";
import "./flows.css";

const NewFlowDialog = lazy(() => import("./new_dialog"));

/** The last 28 days as one line: how much of it is green. */
export function Success({ flow }: { flow: Flow }) {
  const { succeeded28d: good = 0, failed28d: bad = 0 } = flow.properties.flowmend ?? {};
  const all = good + bad;
  if (all === 0) return <span className="quiet">{text.flows.noRuns}</span>;
  return (
    <span className="success" title={text.flows.rate(good, all)}>
      <span className="success-line" aria-hidden>
        <span className="success-good" style={{ inlineSize: `${(good / all) * 100}%` }} />
        <span className="success-bad" style={{ inlineSize: `${(bad / all) * 100}%` }} />
      </span>
      <span>{text.flows.rate(good, all)}</span>
    </span>
  );
}

function Row({ flow }: { flow: Flow }) {
  const [, navigate] = useLocation();
  const turn = useFlowSwitch(flow.name);
  const { displayName: name, state, flowmend } = flow.properties;
  const may = useMay(flowmend?.role);
  const on = state === "Started";
  return (
    <tr>
      <th scope="row">
        <Link href={routes.flow(flow.name)} className="cell-title">
          {name}
        </Link>
        <Problem error={turn.error} />
      </th>
      <td>
        <FlowState state={state} />
      </td>
      <td data-label={text.flows.trigger}>{flowmend?.trigger && (flowmend.trigger.type === "Request" ? displayName(flowmend.trigger.name) : flowmend.trigger.type)}</td>
      <td data-label={text.flows.lastRun}>
        {flowmend?.lastRun ? (
          <Link href={routes.run(flow.name, flowmend.lastRun.name)} className="last-run" title={when(flowmend.lastRun.startTime)}>
            <StatusMark status={flowmend.lastRun.status} />
            <span className="quiet">{ago(flowmend.lastRun.startTime)}</span>
          </Link>
        ) : (
          <span className="quiet">{text.common.never}</span>
        )}
      </td>
      <td>
        <Success flow={flow} />
      </td>
      <td className="row-actions row-menu-only">
        {may.edit && (
          <Menu>
            <MenuTrigger disableButtonEnhancement>
              <Tooltip content={text.connections.actionsOf(name)} relationship="label">
                <Button appearance="subtle" className="row-menu" icon={<MoreHorizontalRegular />} />
              </Tooltip>
            </MenuTrigger>
            <MenuPopover>
              <MenuList>
                <MenuItem icon={<EditRegular />} onClick={() => navigate(routes.edit(flow.name))}>
                  {text.flows.edit}
                </MenuItem>
                <MenuItem icon={<PowerRegular />} onClick={() => turn.mutate(!on)}>
                  {on ? text.flows.turnOff : text.flows.turnOn}
                </MenuItem>
              </MenuList>
            </MenuPopover>
          </Menu>
        )}
      </td>
    </tr>
  );
}

export default function FlowsPage() {
  const search = new URLSearchParams(useSearch());
  const [, navigate] = useLocation();
  const wanted = (search.get("q") ?? "").toLowerCase();
  const list = useFlows();
  const [making, setMaking] = useState(false);
  // The server lists but doesn't search names: a search reads on to the end, so that it covers every flow.
  useWhole(list, wanted !== "");
  const flows = items(list).filter((flow) => flow.properties.displayName.toLowerCase().includes(wanted) || flow.name.toLowerCase() === wanted);
  const add = (
    <Button appearance="primary" icon={<AddRegular />} onClick={() => setMaking(true)}>
      {text.flows.newFlow}
    </Button>
  );
  return (
    <Page title={text.flows.title} actions={add}>
      {wanted !== "" && flows.length > 0 && (
        <p>
          <Button size="small" onClick={() => navigate(routes.flows)}>
            {text.flows.clearSearch}: {wanted}
          </Button>{" "}
          <Button size="small" icon={<SearchRegular />} onClick={() => navigate(`${routes.runs}?value=${encodeURIComponent(wanted)}`)}>
            {text.flows.searchRuns}
          </Button>
        </p>
      )}
      <ListFrame
        list={list}
        count={flows.length}
        empty={
          wanted === "" ? (
            <Empty icon={<FlowRegular />} title={text.flows.empty} hint={text.flows.emptyHint} />
          ) : (
            <Empty icon={<SearchRegular />} title={text.flows.noMatch(search.get("q") ?? "")} hint={text.flows.noMatchHint}>
              <Button onClick={() => navigate(routes.flows)}>{text.flows.clearSearch}</Button>
              <Button icon={<SearchRegular />} onClick={() => navigate(`${routes.runs}?value=${encodeURIComponent(wanted)}`)}>
                {text.flows.searchRuns}
              </Button>
            </Empty>
          )
        }
      >
        <table className="table cards-on-phone">
          <thead>
            <tr>
              <th scope="col">{text.flows.name}</th>
              <th scope="col">{text.flows.state}</th>
              <th scope="col">{text.flows.trigger}</th>
              <th scope="col">{text.flows.lastRun}</th>
              <th scope="col">{text.flows.success}</th>
              <th scope="col">
                <span className="unseen">{text.common.more}</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {flows.map((flow) => (
              <Row key={flow.name} flow={flow} />
            ))}
          </tbody>
        </table>
      </ListFrame>
      <Suspense fallback={null}>{making && <NewFlowDialog onClose={() => setMaking(false)} />}</Suspense>
    </Page>
  );
}
