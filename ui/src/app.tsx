import { FluentProvider } from "@fluentui/react-components";
import { QueryClientProvider, useQueryClient } from "@tanstack/react-query";
import { Component, lazy, type ReactNode, Suspense, useEffect, useMemo, useRef } from "react";
import { Redirect, Route, Switch, useLocation } from "wouter";
import { onSignedOut, setCsrfToken } from "./api/client";
import { useLive } from "./api/live";
import { routes } from "./api/paths";
import { keys, makeQueryClient, useSession } from "./api/queries";
import type { User } from "./api/types";
import { Navigation } from "./frame/navigation";
import { useSignOut } from "./frame/sign_out";
import { TopBar } from "./frame/top_bar";
import { DocumentRegular, WarningFilled } from "./parts/icons";
import { useIsPhone } from "./parts/media";
import { Empty, Loading, Problem } from "./parts/page";
import { useTheme } from "./parts/theme";
import { text } from "./text";

// Each page is a file of its own that loads when it is opened: the first load stays small.
const HomePage = lazy(() => import("./pages/home/home_page"));
const FlowsPage = lazy(() => import("./pages/flows/flows_page"));
const FlowPage = lazy(() => import("./pages/flow/flow_page"));
const EditorPage = lazy(() => import("./pages/editor/editor_page"));
const RunPage = lazy(() => import("./pages/run/run_page"));
const IncidentsPage = lazy(() => import("./pages/incidents/incidents_page"));
const IncidentPage = lazy(() => import("./pages/incidents/incident_page"));
const RunsPage = lazy(() => import("./pages/runs/runs_page"));
const ConnectionsPage = lazy(() => import("./pages/connections/connections_page"));
const ConnectionPage = lazy(() => import("./pages/connections/connection_page"));
const ApprovalsPage = lazy(() => import("./pages/approvals/approvals_page"));
const TablesPage = lazy(() => import("./pages/tables/tables_page"));
const TablePage = lazy(() => import("./pages/tables/table_page"));
const ConnectorsPage = lazy(() => import("./pages/connectors/connectors_page"));
const VariablesPage = lazy(() => import("./pages/variables/variables_page"));
const TokensPage = lazy(() => import("./pages/settings/tokens_page"));
const PeoplePage = lazy(() => import("./pages/people/people_page"));
const AccountPage = lazy(() => import("./pages/people/account_page"));
const JoinPage = lazy(() => import("./pages/people/join_page"));
const NotificationsPage = lazy(() => import("./pages/notifications/notifications_page"));
const AboutPage = lazy(() => import("./pages/settings/about_page"));
const MorePage = lazy(() => import("./pages/more/more_page"));
const SigninPage = lazy(() => import("./pages/signin/signin_page"));

/** A mistake of ours on one page must not take the frame with it. */
class Boundary extends Component<{ at: string; children: ReactNode }, { error?: unknown }> {
  override state: { error?: unknown } = {};
  static getDerivedStateFromError(error: unknown) {
    return { error };
  }
  override componentDidUpdate(before: { at: string }) {
    if (before.at !== this.props.at && this.state.error !== undefined) this.setState({ error: undefined });
  }
  override render() {
    if (this.state.error === undefined) return this.props.children;
    return (
      <div className="page">
        <Empty icon={<WarningFilled />} title={text.errors.crashed} hint={text.errors.crashedHint}>
          <Problem error={this.state.error} retry={() => location.reload()} />
        </Empty>
      </div>
    );
  }
}

function OfflineBar({ offline }: { offline: boolean }) {
  return (
    <div role="status" className={offline ? "offline-bar" : "unseen"}>
      {offline && (
        <>
          <WarningFilled aria-hidden /> {text.frame.offline}
        </>
      )}
    </div>
  );
}

function Frame({ user }: { user: User }) {
  const phone = useIsPhone();
  const signOut = useSignOut();
  const { offline } = useLive();
  const [location] = useLocation();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    // A new page begins at its top, and a screen reader begins there too; the first page keeps the browser's own focus.
    if (first.current) first.current = false;
    else {
      main.current?.focus({ preventScroll: true });
      main.current?.scrollTo(0, 0);
    }
  }, [location]);
  return (
    <div className={phone ? "frame frame-phone" : "frame"}>
      <a className="skip-link" href="#content">
        {text.common.skipToContent}
      </a>
      <TopBar user={user} />
      <OfflineBar offline={offline} />
      <div className="frame-body">
        {!phone && <Navigation phone={false} />}
        <main id="content" ref={main} tabIndex={-1}>
          <Boundary at={location}>
            <Suspense fallback={<Loading />}>
              <Switch>
                <Route path="/" component={HomePage} />
                <Route path="/flows" component={FlowsPage} />
                <Route path="/flows/:flow">{({ flow }) => <FlowPage key={flow} flow={flow} />}</Route>
                <Route path="/flows/:flow/edit">{({ flow }) => <EditorPage key={flow} flow={flow} />}</Route>
                <Route path="/flows/:flow/runs/:run">
                  {({ flow, run }) => <RunPage key={run} flow={flow} run={run} />}
                </Route>
                <Route path="/runs" component={RunsPage} />
                <Route path="/incidents" component={IncidentsPage} />
                <Route path="/incidents/:incident">{({ incident }) => <IncidentPage key={incident} id={incident} />}</Route>
                <Route path="/connections" component={ConnectionsPage} />
                <Route path="/connections/:api/:name">{({ api, name }) => <ConnectionPage key={`${api}/${name}`} api={api} name={name} />}</Route>
                <Route path="/connectors" component={ConnectorsPage} />
                <Route path="/approvals" component={ApprovalsPage} />
                <Route path="/tables" component={TablesPage} />
                <Route path="/tables/:table">{({ table }) => <TablePage key={table} name={table} />}</Route>
                <Route path="/settings">
                  <Redirect to={routes.tokens} replace />
                </Route>
                <Route path="/settings/people">
                  <PeoplePage user={user} />
                </Route>
                <Route path="/settings/account">
                  <AccountPage user={user} />
                </Route>
                <Route path="/settings/tokens" component={TokensPage} />
                <Route path="/settings/variables" component={VariablesPage} />
                <Route path="/settings/notifications">
                  <NotificationsPage user={user} />
                </Route>
                <Route path="/settings/about" component={AboutPage} />
                <Route path="/more">
                  <MorePage user={user} onSignOut={() => void signOut()} />
                </Route>
                <Route>
                  <div className="page">
                    <Empty icon={<DocumentRegular />} title={text.errors.notFound} hint={text.errors.notFoundHint} />
                  </div>
                </Route>
              </Switch>
            </Suspense>
          </Boundary>
        </main>
      </div>
      {phone && <Navigation phone />}
    </div>
  );
}

function Gate() {
  const session = useSession();
  const client = useQueryClient();
  const [location] = useLocation();
  useEffect(() => onSignedOut(() => client.setQueryData(keys.session, null)), [client]);
  // Before anything below asks: the token must be there with the first request that needs it.
  setCsrfToken(session.data?.csrfToken);
  if (session.isPending) return <Loading />;
  if (session.isError)
    return (
      <div className="page">
        <Problem error={session.error} retry={() => void session.refetch()} />
      </div>
    );
  if (location === routes.join)
    return (
      <Suspense fallback={<Loading />}>
        <JoinPage />
      </Suspense>
    );
  if (location === routes.signin || !session.data)
    return (
      <Suspense fallback={<Loading />}>
        <SigninPage signedIn={session.data !== null} />
      </Suspense>
    );
  return <Frame user={session.data.user} />;
}

export function App() {
  const { theme, isDark } = useTheme();
  const client = useMemo(makeQueryClient, []);
  return (
    // The class goes to dialogs and menus too, which live beside the page: it may hold colours only.
    <FluentProvider theme={theme} className={isDark ? "app-dark" : "app-light"}>
      <QueryClientProvider client={client}>
        <div className="app">
          <Gate />
        </div>
      </QueryClientProvider>
    </FluentProvider>
  );
}
