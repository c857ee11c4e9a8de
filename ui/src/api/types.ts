// The shapes of docs/reference/portal-api.md and of the Flow family, as far as the portal reads them.

export interface ApiErrorBody {
  code: string;
  message: string;
  details?: { code: string; message: string; target?: string; cure?: string }[];
}

export interface Page<T> {
  value: T[];
  nextLink?: string;
}

export interface User {
  id: string;
  userName: string;
  displayName: string;
  role: "admin" | "maker" | "viewer";
}

export type Role = User["role"];

/** An account as administrators see it. */
export interface Person extends User {
  state: "active" | "invited" | "disabled";
  linkExpiresTime?: string;
}

export interface PersonLink {
  user: Person;
  link: string;
  linkExpiresTime: string;
}

export interface Invitation {
  userName: string;
  displayName: string;
  expiresTime: string;
  joined: boolean;
}

export interface Session {
  user: User;
  csrfToken?: string;
}

export interface Setup {
  needsFirstAdmin: boolean;
  demo: boolean;
  version: string;
}

export type Status =
  | "Running"
  | "Waiting"
  | "Succeeded"
  | "Failed"
  | "Cancelled"
  | "Skipped"
  | "TimedOut"
  | "Paused"
  | "Suspended"
  | "Aborted"
  | "Faulted"
  | "Ignored"
  | "NotSpecified";

export interface ContentLink {
  uri?: string;
  contentSize?: number;
  secureData?: { properties?: string[] };
}

export interface CodeMessage {
  code: string;
  message: string;
}

export interface RetryRecord {
  startTime: string;
  endTime?: string;
  code?: string;
  error?: { error?: CodeMessage };
}

export interface ActionRecord {
  startTime?: string;
  endTime?: string;
  status: Status;
  code?: string;
  error?: CodeMessage;
  inputsLink?: ContentLink;
  outputsLink?: ContentLink;
  trackedProperties?: unknown;
  retryHistory?: RetryRecord[];
  repetitionCount?: number;
  iterationCount?: number;
}

export interface RepetitionIndex {
  scopeName: string;
  itemIndex: number;
}

export interface Repetition {
  name: string;
  properties: ActionRecord & { repetitionIndexes?: RepetitionIndex[] };
}

export interface RunTrigger {
  name: string;
  status?: Status;
  code?: string;
  startTime?: string;
  endTime?: string;
  scheduledTime?: string;
  inputsLink?: ContentLink;
  outputsLink?: ContentLink;
  error?: CodeMessage;
}

/** What runs wait for because a service does not work or refuses a connection. */
export interface HeldBy {
  target: string;
  displayName: string;
  connection?: { api: string; name: string };
  cause: "Unauthorized" | "ServiceUnavailable";
  message: string;
  since: string;
}

export interface Hold extends HeldBy {
  runs: number;
  steps: number;
  flows: { flow: string; displayName: string }[];
  firstRun: { flow: string; run: string };
  releasing: boolean;
  nextTryTime?: string;
}

export interface HeldStep extends HeldBy {
  action: string;
  repetition?: string;
  until: string;
}

export type OnOutage = "hold" | "fail";

export interface HoldChoice {
  onOutage: OnOutage | "flow";
  limitMinutes: number;
  runsMax: number;
}

/** What is decided about one step; `child`: how the run that it had called goes on. */
export interface WishedStep {
  action: string;
  repetition?: string;
  output?: unknown;
  input?: unknown;
  inputExpressions?: unknown;
  skip?: true;
  child?: { from?: string; fromRepetition?: string; steps?: WishedStep[] };
}

/** How one run is repeated in part. */
export interface RepeatWish {
  definition: "latest" | "original";
  keep?: "done";
  from?: string;
  fromRepetition?: string;
  why?: string;
  steps?: WishedStep[];
  /** The run that had called it goes on as well. */
  withParent?: true;
}

/** One of the three. */
export interface WouldSend {
  inputs?: unknown;
  error?: CodeMessage;
  unknown?: string;
}

export interface PlannedStep {
  action: string;
  repetition?: string;
  type: string;
  was?: Status;
  plan: "kept" | "again" | "first" | "supplied" | "skipped" | "corrected" | "resumed";
  writes: boolean;
  doneBefore: boolean;
  /** Of a corrected step. */
  wouldSend?: WouldSend;
  /** Of a resumed call; of runs that are not looked into the name alone. */
  child?: { run: string } & Partial<RunPlan>;
}

export interface RunPlan {
  run: string;
  flow: string;
  flowDisplayName: string;
  version: string;
  steps: PlannedStep[];
}

export interface RunFacts {
  repair?: { by: string; why?: string; from?: string; steps?: { action: string; repetition?: string }[] };
  calledBy?: { run: string; flow: string; flowDisplayName: string; status: Status; action: string; repetition?: string };
  waitsFor?: HeldStep[];
  flow: string;
  flowDisplayName: string;
  version?: string;
  durationMs?: number;
  triggerKind?: string;
  failedAction?: string;
  incident?: string;
  family?: Family;
  errorSummary?: string;
  resubmitOf?: { run: string };
  resubmittedAs?: { run: string; status: Status }[];
}

export interface Run {
  name: string;
  properties: {
    status: Status;
    startTime: string;
    endTime?: string;
    code?: string;
    error?: CodeMessage;
    trigger?: RunTrigger;
    actions?: Record<string, ActionRecord>;
    workflow?: { properties?: { definition?: Definition; version?: string } };
    flowmend?: RunFacts;
  };
}

/** A node of a definition: any action. Only the members that give the outline its shape are named. */
export interface ActionDefinition {
  type: string;
  kind?: string;
  description?: string;
  runAfter?: Record<string, string[]>;
  inputs?: unknown;
  actions?: Record<string, ActionDefinition>;
  else?: { actions?: Record<string, ActionDefinition> };
  cases?: Record<string, { case?: unknown; actions?: Record<string, ActionDefinition> }>;
  default?: { actions?: Record<string, ActionDefinition> };
}

export interface Definition {
  triggers?: Record<string, { type: string; kind?: string; recurrence?: Recurrence }>;
  actions?: Record<string, ActionDefinition>;
  [key: string]: unknown;
}

export interface Recurrence {
  frequency?: string;
  interval?: number;
}

export type ShareRole = "CanView" | "CanEdit" | "Owner";

export interface ForeignConnection {
  reference: string;
  api: string;
  name: string;
  displayName: string;
}

/** Who may do what with a flow or a connection. */
export interface Permission {
  name: string;
  properties: { roleName: ShareRole; principal: { id: string; type: string }; flowmend?: { userName?: string; displayName?: string } };
}

export interface OwnerAnswer {
  warnings: { connections: ForeignConnection[] }[];
}

export interface HandOverAnswer extends OwnerAnswer {
  flows: number;
  connections: number;
}

export interface ConnectionReference {
  connectionName?: string;
  id?: string;
  displayName?: string;
  source?: string;
  [key: string]: unknown;
}

export interface Flow {
  name: string;
  properties: {
    displayName: string;
    description?: string;
    state: "Started" | "Stopped" | "Suspended" | "Deleted";
    createdTime?: string;
    lastModifiedTime?: string;
    creator?: { objectId?: string; userId?: string };
    definition?: Definition;
    connectionReferences?: Record<string, ConnectionReference>;
    flowmend?: {
      trigger?: { name: string; type: string; kind?: string };
      version?: string;
      onOutage?: OnOutage;
      role?: ShareRole;
      /** Connections that no owner of the flow may use. */
      foreignConnections?: ForeignConnection[];
      lastRun?: { name: string; status: Status; startTime: string };
      succeeded28d?: number;
      failed28d?: number;
    };
  };
}

export interface CallbackUrl {
  response?: { value: string; method?: string };
  value?: string;
  method?: string;
}

export type Family =
  | "authentication"
  | "actionConfiguration"
  | "transient"
  | "expression"
  | "data"
  | "timeout"
  | "limit"
  | "platform"
  | "silence"
  | "unknown";

export interface FixButton {
  kind: "verifyConnection" | "openConnections" | "editAction" | "resubmit" | "askForHelp" | "openRun";
  label: string;
  connection?: { api: string; name: string };
  pointer?: string;
  flow?: string;
  run?: string;
}

export interface Explanation {
  run: string;
  flow: string;
  flowDisplayName: string;
  status: Status;
  temporary: boolean;
  family: Family;
  title: string;
  whatHappened: string;
  failure: {
    action: string;
    repetition?: string;
    path?: string[];
    actionType?: string;
    code: string;
    statusCode?: number;
    message: string;
    startTime?: string;
    endTime?: string;
    attempts?: number;
  };
  where?: {
    pointer?: string;
    field?: string;
    value?: unknown;
    expression?: {
      source: string;
      begin: number;
      end: number;
      subexpression: string;
      message: string;
      values?: { text: string; value?: unknown; error?: string; culprit?: boolean }[];
    };
    /** Where a value came from that was missing. */
    origin?: { text: string; message: string; action?: string; item?: number; property?: string; through: string[] };
  };
  connection?: { api: string; name: string; displayName: string; status: "Connected" | "Error"; error?: CodeMessage };
  howToFix?: { text: string; button?: FixButton }[];
  request?: { method: string; uri: string; headers?: Record<string, string> };
  response?: { statusCode?: number; headers?: Record<string, string>; body?: unknown };
  retries?: {
    attempt: number;
    startTime: string;
    endTime?: string;
    statusCode?: number;
    code?: string;
    message?: string;
    waitMs?: number;
  }[];
  skipped?: string[];
  /** Against the last run that went well and in which the step succeeded. */
  sinceLastGood?: {
    run: string;
    startTime: string;
    version: string;
    changes: { kind: "definition" | "connection" | "inputs" | "source" | "response" | "duration"; text: string; pointer?: string; before?: unknown; after?: unknown }[];
  };
}

export interface RequestHistory {
  name: string;
  properties: {
    startTime: string;
    endTime?: string;
    request?: { method?: string; uri?: string; headers?: Record<string, string>; childRun?: string };
    response?: { statusCode?: number; headers?: Record<string, string>; bodyLink?: ContentLink };
  };
}

/** What an edited definition would do to recorded runs, without any effect outside. */
export interface Trial {
  text: string;
  reasons: { verdict: TrialVerdict; action: string; message: string; count: number }[];
  runs: {
    run: string;
    was: string;
    verdict: TrialVerdict;
    action?: string;
    message?: string;
    differences: { action: string; repetition?: string; pointer: string; before: unknown; after: unknown }[];
  }[];
}
export type TrialVerdict = "passes" | "changes" | "fails" | "unknown";

/** One check of a flow's trigger: it started a run, or says why not. */
export interface TriggerHistory {
  name: string;
  properties: {
    startTime: string;
    status: "Succeeded" | "Skipped" | "Failed";
    code?: string;
    error?: { code: string; message: string };
    fired: boolean;
    run?: { name: string };
  };
}

export interface TriggerState {
  name: string;
  properties: { state: string; nextExecutionTime?: string; flowmend?: { waitingMessages?: number } };
}

export interface ExpressionTrace {
  text: string;
  value?: unknown;
  path?: string;
  subexpressions?: ExpressionTrace[];
  error?: CodeMessage;
}

export interface Report {
  title: string;
  markdown: string;
  report: unknown;
}

export interface NotificationItem {
  id: string;
  time: string;
  kind: "runFailed" | "connectionBroken" | "silence";
  title: string;
  message: string;
  flow?: string;
  flowDisplayName?: string;
  run?: string;
  action?: string;
  connection?: { api: string; name: string; displayName: string };
  family?: Family;
  incident: string;
  state: IncidentState;
  count: number;
  read: boolean;
}

export type IncidentState = "new" | "assigned" | "muted" | "fixed" | "back";

/** Failures of one cause, over all flows. */
export interface Incident {
  id: string;
  state: IncidentState;
  title: string;
  message: string;
  howToFix?: string;
  rule: string;
  family: Family;
  action?: string;
  count: number;
  repaired: number;
  firstSeen: string;
  lastSeen: string;
  flows: { flow: string; displayName: string; count: number }[];
  hours: { time: string; count: number }[];
  connection?: { api: string; name: string; displayName: string };
  lastRun?: { flow: string; run: string };
  assignee?: string;
  mutedUntil?: string;
  fixes: { time: string; by?: string; run?: string; flow?: string; version?: string }[];
  parts: { fingerprint: string; rule: string; title: string; count: number }[];
}

/** A plan to repeat runs, and what came of carrying it out. */
export interface RepairJob {
  id: string;
  state: "planned" | "running" | "paused" | "cancelled" | "stopped" | "done";
  version: string;
  by: string;
  createdTime: string;
  startTime?: string;
  endTime?: string;
  incident?: string;
  reason?: string;
  runs: number;
  looked: number;
  started: number;
  succeeded: number;
  failed: number;
  leftOut: number;
  /** Of the runs, those that are repeated because they had called a broken one. */
  parents?: number;
  refusals: string[];
  /** Of a job for an incident that is over. */
  verdict?: "fixed" | "notFixed";
  options: { ratePerSecond: number; canary: boolean; stopPercent: number; definition: "latest" | "original" };
  steps?: { flow: string; flowDisplayName: string; action: string; type: string; writes: boolean; doneBefore: number; notDoneBefore: number }[];
  /** In the answer to a plan that corrects an input: what the first runs would send. */
  correctionPreview?: { runs: number; evaluated: number; failing: number; unknown: number; samples: { run: string; flow: string; action: string; repetition?: string; before?: unknown; wouldSend: WouldSend }[] };
}

export interface Notifications {
  unread: number;
  value: NotificationItem[];
}

export interface Overview {
  unread: number;
  running: number;
  failedLast24h: number;
  succeededLast24h: number;
  brokenConnections: { api: string; name: string; displayName: string; error?: CodeMessage }[];
  failures: Run[];
  recent: Run[];
}

export interface ConnectionField {
  name: string;
  displayName: string;
  secret: boolean;
  required: boolean;
  value?: string;
}

export interface Connection {
  name: string;
  id?: string;
  properties: {
    displayName: string;
    apiId?: string;
    api?: { name?: string; id?: string; displayName?: string };
    statuses?: { status: string; error?: CodeMessage }[];
    createdTime?: string;
    createdBy?: { id: string; displayName: string };
    flowmend?: {
      role?: ShareRole;
      connectorDisplayName?: string;
      kind: "none" | "apiKey" | "basic" | "bearer";
      fields: ConnectionField[];
      usedBy?: { flow: string; displayName: string }[];
      lastSuccessTime?: string;
      lastFailure?: { time: string; message: string; flow?: string; run?: string };
      affectedRuns?: number;
      /** Absent: any number. */
      requestsPerMinute?: number;
      signIn?: { state: "None" | "SignedIn" | "Expiring" | "Expired"; grant?: string; expiresTime?: string; renewable?: boolean; missing?: Record<string, string> };
    };
  };
}

/** What depends on a connection, with the runs of the last seven days; `more`: at least so many. */
export interface ConnectionUsage {
  flows: { flow: string; displayName: string; runs: number; failed: number; more?: boolean }[];
  more?: boolean;
}

/** How connections of a connector sign in, as an administrator enters it. */
export interface SignInSettings {
  provider: string;
  clientId: string;
  hasSecret: boolean;
  scopes: string;
  authorizationUrl: string;
  tokenUrl: string;
  redirectUrl: string;
}

export interface ChangedFlows {
  changed: { flow: string; displayName: string; version: string }[];
  left: { flow: string; displayName: string; error: { code: string; message: string; cure?: string } }[];
}

export type ConnectionParameters = Record<
  string,
  { type?: string; uiDefinition?: { displayName?: string; description?: string; constraints?: { required?: string | boolean; hidden?: string | boolean } } }
>;

export interface Connector {
  name: string;
  properties: {
    displayName: string;
    description?: string;
    iconBrandColor?: string;
    connectionParameters?: ConnectionParameters;
    /** Several kinds of sign-in, of which a connection has one. */
    connectionParameterSets?: {
      uiDefinition?: { displayName?: string };
      values?: { name: string; uiDefinition?: { displayName?: string; description?: string }; parameters?: ConnectionParameters }[];
    };
    swagger?: { paths?: Record<string, Record<string, SwaggerOperation>>; info?: { title?: string; description?: string; version?: string } };
    flowmend?: {
      kind?: "none" | "apiKey" | "basic" | "bearer";
      fields?: ConnectionField[];
      operations?: number;
      usable?: number;
      builtIn?: boolean;
      host?: string;
    };
  };
}

export interface SwaggerOperation {
  operationId?: string;
  summary?: string;
  description?: string;
}

export interface VerifyAnswer {
  status: "Connected" | "Error";
  stored?: boolean;
  releasedRuns?: number;
  affectedRuns?: number;
  error?: CodeMessage;
  service?: { statusCode?: number; body?: unknown };
}

export interface Finding {
  pointer: string;
  severity: "error" | "warning";
  code: string;
  message: string;
  cure?: string;
  begin?: number;
  end?: number;
}

export interface FunctionHelp {
  name: string;
  arguments: string;
  about: string;
  example?: string;
  gives?: string;
}

export interface EnvironmentVariable {
  name: string;
  isSet: boolean;
  value?: unknown;
  description?: string;
  changedBy?: string;
  changedTime?: string;
  /** Those that the caller may see, of `flowsCount`. */
  flows: { name: string; displayName: string }[];
  flowsCount: number;
}

export interface EnvironmentVariableSet extends EnvironmentVariable, ChangedFlows {}

export interface Token {
  id: string;
  name: string;
  scopes: string[];
  createdTime: string;
  lastUsedTime?: string;
  expiresTime?: string;
  token?: string;
}

export interface About {
  version: string;
  dataFolder: string;
  store: string;
  publicUrl: string;
  startedTime: string;
  demo: boolean;
}
