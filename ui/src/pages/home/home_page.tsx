import { Button } from "@fluentui/react-components";
import { Link, useLocation } from "wouter";
import { routes } from "../../api/paths";
import { useNotifications, useOverview } from "../../api/queries";
import type { Run } from "../../api/types";
import { CheckmarkCircleFilled, ChevronRightRegular, HistoryRegular, KeyRegular, PlugDisconnectedRegular } from "../../parts/icons";
import { useIsPhone } from "../../parts/media";
import { Empty, Loading, Page, Problem } from "../../parts/page";
import { StatusIcon, statusWord } from "../../parts/status";
import { ago, displayName, duration, span, when } from "../../parts/time";
import { text } from "../../text";
import { isConnectionCause, useMend } from "../incidents/use_mend";
import "./home.css";

function RunCard({ run }: { run: Run }) {
  const { properties } = run;
  const facts = properties.flowmend;
  const small = [
    ago(properties.startTime),
    facts?.failedAction ? text.home.failedAt(displayName(facts.failedAction)) : duration(facts?.durationMs ?? span(properties.startTime, properties.endTime)),
  ];
  return (
    <li>
      <Link href={routes.run(facts?.flow ?? "", run.name)} className="card">
        <StatusIcon status={properties.status} />
        <span className="card-words">
          <span className="card-title">
            <strong>{facts?.flowDisplayName ?? run.name}</strong>
            <span className="card-status">{statusWord(properties.status)}</span>
          </span>
          {facts?.errorSummary && <span className="clamp breakable">{facts.errorSummary}</span>}
          <span className="quiet" title={when(properties.startTime)}>
            {small.filter(Boolean).join(" · ")}
          </span>
        </span>
        <ChevronRightRegular aria-hidden className="card-arrow" />
      </Link>
    </li>
  );
}

function Figure({ value, label, to, tone }: { value: number; label: string; to: string; tone?: string }) {
  return (
    <Link href={to} className="figure">
      <span className={`figure-value ${tone ?? ""}`}>{value.toLocaleString("en")}</span>
      <span>{label}</span>
    </Link>
  );
}

export default function HomePage() {
  const phone = useIsPhone();
  const overview = useOverview();
  const [, navigate] = useLocation();
  const causes = useNotifications().data?.value ?? [];
  /** What failed because of a connection, as one cause. */
  const causeOf = (api: string, name: string) => causes.filter(isConnectionCause).find((one) => one.connection.api === api && one.connection.name === name);
  const [mendDialogs, mend] = useMend();
  const title = phone ? text.home.activityTitle : text.home.title;
  const data = overview.data;
  return (
    <Page title={title}>
      {mendDialogs}
      {overview.isPending && <Loading />}
      {overview.isError && <Problem error={overview.error} retry={() => void overview.refetch()} />}
      {data && (
        <>
          <div className="figures">
            <Figure value={data.failedLast24h} label={text.home.failed24} to={`${routes.runs}?status=Failed`} tone={data.failedLast24h ? "tone-bad" : undefined} />
            <Figure value={data.succeededLast24h} label={text.home.succeeded24} to={`${routes.runs}?status=Succeeded`} />
            <Figure value={data.running} label={text.home.running} to={`${routes.runs}?status=Running`} />
            <Figure value={data.brokenConnections.length} label={text.home.broken} to={routes.connections} tone={data.brokenConnections.length ? "tone-bad" : undefined} />
          </div>
          <div className="home-columns">
            <section aria-labelledby="attention">
              <h2 id="attention">{text.home.attention}</h2>
              {data.failures.length === 0 && data.brokenConnections.length === 0 ? (
                <Empty icon={<CheckmarkCircleFilled className="tone-good" />} title={text.home.calm} hint={text.home.calmHint} />
              ) : (
                <ul className="cards">
                  {data.brokenConnections.map((connection) => {
                    const cause = causeOf(connection.api, connection.name);
                    return (
                    <li key={`${connection.api}/${connection.name}`}>
                      <Link href={routes.connection(connection.api, connection.name)} className="card">
                        <PlugDisconnectedRegular className="status-icon tone-bad" aria-hidden fontSize={20} />
                        <span className="card-words">
                          <strong>{text.home.notAuthenticated(connection.displayName)}</strong>
                          {connection.error && <span className="clamp breakable">{connection.error.message}</span>}
                        </span>
                        <ChevronRightRegular aria-hidden className="card-arrow" />
                      </Link>
                      {cause && (
                        <div className="card-cure">
                          <Button icon={<KeyRegular />} onClick={() => mend(cause)}>
                            {text.incidents.verify}
                          </Button>
                        </div>
                      )}
                    </li>
                    );
                  })}
                  {data.failures.map((run) => (
                    <RunCard key={run.name} run={run} />
                  ))}
                </ul>
              )}
            </section>
            <section aria-labelledby="recent">
              <div className="section-line">
                <h2 id="recent">{text.home.recent}</h2>
                <Link href={routes.runs}>{text.home.allRuns}</Link>
              </div>
              {data.recent.length === 0 ? (
                <Empty icon={<HistoryRegular />} title={text.home.noRuns} hint={text.home.noRunsHint}>
                  <Button appearance="primary" onClick={() => navigate(routes.flows)}>
                    {text.home.goToFlows}
                  </Button>
                </Empty>
              ) : (
                <ul className="cards">
                  {data.recent.map((run) => (
                    <RunCard key={run.name} run={run} />
                  ))}
                </ul>
              )}
            </section>
          </div>
        </>
      )}
    </Page>
  );
}
