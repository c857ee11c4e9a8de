// Every address the portal asks. `~default` is the server's alias of its default environment.

const environment = "/providers/Microsoft.ProcessSimple/environments/~default";
const version = "api-version=2016-11-01";
const own = "/api/v1";
const name = encodeURIComponent;

type Query = Record<string, string | number | undefined>;

function query(values: Query): string {
  return Object.entries(values)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`)
    .join("&");
}

function withQuery(path: string, values: Query): string {
  const rest = query(values);
  return rest === "" ? path : `${path}?${rest}`;
}

const flow = (f: string) => `${environment}/flows/${name(f)}`;
const run = (f: string, r: string) => `${flow(f)}/runs/${name(r)}`;
const action = (f: string, r: string, a: string) => `${run(f, r)}/actions/${name(a)}`;
const connector = (api: string) => `/providers/Microsoft.PowerApps/apis/${name(api)}`;
const connection = (api: string, c: string) => `${connector(api)}/connections/${name(c)}`;

/** A status filter in the words of the family's `$filter`. */
export function statusFilter(status: string | undefined): string | undefined {
  return status ? `status eq '${status.replaceAll("'", "''")}'` : undefined;
}

export const paths = {
  trigger: (f: string, t: string) => `${flow(f)}/triggers/${name(t)}?${version}`,
  triggerHistories: (f: string, t: string, top: number) => `${flow(f)}/triggers/${name(t)}/histories?${version}&$top=${top}`,
  runPlan: (r: string) => `${own}/runs/${name(r)}/plan`,
  runRepeat: (r: string) => `${own}/runs/${name(r)}/resubmit`,
  holds: `${own}/holds`,
  holdsRelease: `${own}/holds/release`,
  holdsFail: `${own}/holds/fail`,
  holdChoice: (target: string) => `${own}/holds/choice?target=${name(target)}`,
  setup: `${own}/setup`,
  session: `${own}/session`,
  me: `${own}/me`,
  about: `${own}/about`,
  users: `${own}/users`,
  user: (id: string) => `${own}/users/${name(id)}`,
  userLink: (id: string) => `${own}/users/${name(id)}/link`,
  people: `${own}/people`,
  handOver: (id: string) => `${own}/users/${name(id)}/hand-over`,
  flowPermissions: (f: string) => `${flow(f)}/permissions?${version}`,
  flowModifyPermissions: (f: string) => `${flow(f)}/modifyPermissions?${version}`,
  flowOwner: (f: string) => `${own}/flows/${name(f)}/owner`,
  connectionPermissions: (api: string, c: string) => `${connection(api, c)}/permissions?${version}`,
  connectionModifyPermissions: (api: string, c: string) => `${connection(api, c)}/modifyPermissions?${version}`,
  connectionOwner: (api: string, c: string) => `${own}/connections/${name(api)}/${name(c)}/owner`,
  invitation: `${own}/invitation`,
  join: `${own}/join`,
  environmentVariables: `${own}/environmentVariables`,
  environmentVariable: (variable: string) => `${own}/environmentVariables/${name(variable)}`,
  tokens: `${own}/tokens`,
  token: (id: string) => `${own}/tokens/${name(id)}`,
  notificationPreferences: `${own}/notification-preferences`,
  notificationPreferencesTest: `${own}/notification-preferences/test`,
  pushSubscriptions: `${own}/push-subscriptions`,
  pushSubscription: (id: string) => `${own}/push-subscriptions/${name(id)}`,
  notificationSettings: `${own}/notification-settings`,
  notificationSettingsTest: `${own}/notification-settings/test`,
  flowNotifications: (f: string) => `${own}/flows/${name(f)}/notifications`,
  outbox: `${own}/outbox`,
  outboxRetry: `${own}/outbox/retry`,
  outboxMessage: (id: string) => `${own}/outbox/${name(id)}`,
  overview: `${own}/overview`,
  events: `${own}/events`,
  notifications: `${own}/notifications`,
  notificationsRead: `${own}/notifications/read`,
  incidents: (filter: Query) => withQuery(`${own}/incidents`, filter),
  incident: (i: string) => `${own}/incidents/${name(i)}`,
  incidentMerge: (i: string) => `${own}/incidents/${name(i)}/merge`,
  incidentSplit: (i: string) => `${own}/incidents/${name(i)}/split`,
  plans: `${own}/repair-plans`,
  planExecute: (j: string) => `${own}/repair-plans/${name(j)}/execute`,
  jobs: (filter: Query) => withQuery(`${own}/jobs`, filter),
  job: (j: string) => `${own}/jobs/${name(j)}`,
  jobDo: (j: string, what: "pause" | "resume" | "cancel") => `${own}/jobs/${name(j)}/${what}`,
  check: `${own}/check`,
  trials: `${own}/trials`,
  definitionSchema: `${own}/definition-schema`,
  functions: `${own}/functions`,
  allRuns: (filter: Query) => withQuery(`${own}/runs`, filter),
  runByName: (r: string) => `${own}/runs/${name(r)}`,
  explanation: (r: string) => `${own}/runs/${name(r)}/explanation`,
  capsule: (r: string) => `${own}/runs/${name(r)}/capsule`,
  report: (r: string) => `${own}/runs/${name(r)}/report`,
  signIn: (api: string, c: string) => `${own}/connections/${name(api)}/${name(c)}/sign-in`,
  dynamic: (api: string, c: string, what: "parameters" | "values" | "tree" | "schema") => `${own}/connections/${name(api)}/${name(c)}/dynamic-${what}`,
  importConnector: `${own}/connectors`,
  importPackage: `${own}/connectors/package`,
  connectorUses: (api: string) => `${own}/connectors/${name(api)}/uses`,
  connectorVersions: (api: string) => `${own}/connectors/${name(api)}/versions`,
  connectorRestore: (api: string) => `${own}/connectors/${name(api)}/restore`,
  connectorSignIn: (api: string) => `${own}/connectors/${name(api)}/sign-in`,
  connectionSettings: (api: string, c: string) => `${own}/connections/${name(api)}/${name(c)}/settings`,
  connectionUsage: (api: string, c: string) => `${own}/connections/${name(api)}/${name(c)}/usage`,
  connectionReplace: (api: string, c: string) => `${own}/connections/${name(api)}/${name(c)}/replace`,
  verify: (api: string, c: string) => `${own}/connections/${name(api)}/${name(c)}/verify`,

  flows: (filter: Query) => `${environment}/flows?${version}&${query(filter)}`.replace(/&$/, ""),
  newFlow: `${environment}/flows?${version}`,
  flow: (f: string) => `${flow(f)}?${version}`,
  flowStart: (f: string) => `${flow(f)}/start?${version}`,
  flowStop: (f: string) => `${flow(f)}/stop?${version}`,
  triggerRun: (f: string, t: string) => `${flow(f)}/triggers/${name(t)}/run?${version}`,
  callbackUrl: (f: string, t: string) => `${flow(f)}/triggers/${name(t)}/listCallbackUrl?${version}`,
  runs: (f: string, status: string | undefined, top: number) =>
    `${flow(f)}/runs?${version}&${query({ $filter: statusFilter(status), $top: top })}`,
  run: (f: string, r: string) =>
    `${run(f, r)}?${version}&${query({ $expand: "properties/actions,workflow/properties" })}`,
  cancel: (f: string, r: string) => `${run(f, r)}/cancel?${version}`,
  resubmit: (f: string, r: string, how: "latest" | "original" | "keep") =>
    `${run(f, r)}/resubmit?${version}&definition=${how === "original" ? "original" : "latest"}${how === "keep" ? "&keep=done" : ""}`,
  repetition: (f: string, r: string, a: string, repetition: string) =>
    `${action(f, r, a)}/repetitions/${name(repetition)}?${version}`,
  scopeRepetitions: (f: string, r: string, a: string, status: string | undefined, top: number) =>
    `${action(f, r, a)}/scopeRepetitions?${version}&${query({ $filter: statusFilter(status), $top: top })}`,
  requestHistories: (f: string, r: string, a: string, repetition: string | undefined) =>
    `${action(f, r, a)}${repetition ? `/repetitions/${name(repetition)}` : ""}/requestHistories?${version}`,
  traces: (f: string, r: string, a: string, repetition: string | undefined) =>
    `${action(f, r, a)}${repetition ? `/repetitions/${name(repetition)}` : ""}/listExpressionTraces?${version}`,

  connections: `/providers/Microsoft.PowerApps/connections?${version}&${query({ $filter: "environment eq '~default'" })}`,
  connection: (api: string, c: string) => `${connection(api, c)}?${version}`,
  connectors: `/providers/Microsoft.PowerApps/apis?${version}&${query({ $filter: "environment eq '~default'" })}`,
  connector: (api: string) => `${connector(api)}?${version}`,
};

/** Addresses of the portal's own pages. */
export const routes = {
  home: "/",
  signin: "/signin",
  flows: "/flows",
  flow: (f: string) => `/flows/${name(f)}`,
  edit: (f: string, values: { action?: string; pointer?: string; run?: string } = {}) =>
    withQuery(`/flows/${name(f)}/edit`, values),
  run: (f: string, r: string) => `/flows/${name(f)}/runs/${name(r)}`,
  runs: "/runs",
  incidents: "/incidents",
  incident: (i: string) => `/incidents/${name(i)}`,
  connections: "/connections",
  connection: (api: string, c: string) => `/connections/${name(api)}/${name(c)}`,
  connectors: "/connectors",
  approvals: "/approvals",
  tables: "/tables",
  people: "/settings/people",
  account: "/settings/account",
  join: "/join",
  tokens: "/settings/tokens",
  variables: "/settings/variables",
  notifications: "/settings/notifications",
  about: "/settings/about",
  more: "/more",
};
