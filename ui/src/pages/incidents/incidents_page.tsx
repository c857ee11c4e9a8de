import { Field, Select } from "@fluentui/react-components";
import { Link, useLocation, useSearch } from "wouter";
import { routes } from "../../api/paths";
import { items, useIncidents } from "../../api/queries";
import { CheckmarkCircleFilled } from "../../parts/icons";
import { Empty, ListFrame, Page } from "../../parts/page";
import { Plot } from "../../parts/plot";
import { ago, when } from "../../parts/time";
import { text } from "../../text";
import { StateMark } from "./state";
import "./incidents.css";

/** Failures by cause, the latest first. The address holds the filter. */
export default function IncidentsPage() {
  const [location, navigate] = useLocation();
  const search = new URLSearchParams(useSearch());
  const state = search.get("state") ?? "open";
  const list = useIncidents(state);
  const all = items(list);
  return (
    <Page title={text.incidents.title} wide>
      <div className="filters">
        <Field label={text.incidents.stateFilter}>
          <Select value={state} onChange={(_, data) => navigate(`${location}?state=${data.value}`, { replace: true })}>
            {Object.entries(text.incidents.filters).map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </Select>
        </Field>
      </div>
      <ListFrame list={list} count={all.length} empty={<Empty icon={<CheckmarkCircleFilled className="tone-good" />} title={text.incidents.empty} hint={text.incidents.emptyHint} />}>
        <table className="table cards-on-phone">
          <caption className="unseen">{text.incidents.table}</caption>
          <thead>
            <tr>
              <th scope="col">{text.incidents.cause}</th>
              <th scope="col">{text.incidents.flows}</th>
              <th scope="col">{text.incidents.failures}</th>
              <th scope="col">{text.incidents.lastSeen}</th>
              <th scope="col">{text.incidents.state}</th>
            </tr>
          </thead>
          <tbody>
            {all.map((incident) => (
              <tr key={incident.id} className="row-link">
                <td>
                  <Link href={routes.incident(incident.id)}>{incident.title}</Link>
                  <span className="quiet breakable"> {incident.rule}</span>
                </td>
                <td>{incident.flows.map((flow) => flow.displayName).join(", ")}</td>
                <td>
                  {incident.count.toLocaleString("en")} <Plot values={incident.hours} />
                </td>
                <td title={when(incident.lastSeen)}>{ago(incident.lastSeen)}</td>
                <td>
                  <StateMark state={incident.state} />
                  {incident.assignee && <span className="quiet"> {incident.assignee}</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </ListFrame>
    </Page>
  );
}
