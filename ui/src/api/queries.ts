import { QueryClient, useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { ApiError, getJson, localPath, send, sendJson } from "./client";
import { paths } from "./paths";
import type { About, CallbackUrl, Connection, Connector, EnvironmentVariable, EnvironmentVariableSet, Explanation, ExpressionTrace, Finding, Flow, FunctionHelp, Hold, HoldChoice, Incident, IncidentState, Notifications, OnOutage, Overview, Page, ChangedFlows, RepairJob, RepeatWish, Repetition, Report, RequestHistory, Run, RunPlan, Session, Setup, Token, Trial, TriggerHistory, TriggerState, VerifyAnswer } from "./types";

export function makeQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        // A refusal won't change by asking again; a server that is starting may answer the second time.
        retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status < 500),
        retryDelay: (count) => 400 * 2 ** count,
      },
    },
  });
}

/** Keys are grouped by what a live event makes stale: see live.ts. */
export const keys = {
  setup: ["setup"],
  session: ["session"],
  overview: ["overview"],
  notifications: ["notifications"],
  flows: ["flows"],
  runs: ["runs"],
  run: (r: string) => ["run", r],
  incidents: ["incidents"],
  jobs: ["jobs"],
  connections: ["connections"],
  connectors: ["connectors"],
  tokens: ["tokens"],
  environmentVariables: ["environmentVariables"],
};

/** A list whose pages the server cuts: follows nextLink as far as the reader asks. */
function useList<T>(key: readonly unknown[], first: string, enabled = true) {
  return useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => getJson<Page<T>>(pageParam, signal),
    initialPageParam: first,
    getNextPageParam: (last) => (last.nextLink ? localPath(last.nextLink) : undefined),
    enabled,
  });
}

/** A list of a page that keeps its own addresses. */
export const useListOf = useList;

export type List<T> = ReturnType<typeof useList<T>>;

export const items = <T>(list: List<T>): T[] => list.data?.pages.flatMap((page) => page.value) ?? [];

/** Reads a list on to its end, for choices and searches that must cover everything. Stops at a refusal. */
export function useWhole<T>(list: List<T>, wanted = true): void {
  useEffect(() => {
    if (wanted && list.hasNextPage && !list.isFetching && !list.isError) void list.fetchNextPage();
  }, [list, wanted]);
}

export const useSetup = () =>
  useQuery({ queryKey: keys.setup, queryFn: ({ signal }) => getJson<Setup>(paths.setup, signal) });

/** Who is signed in; null when nobody is. */
export const useSession = () =>
  useQuery({
    queryKey: keys.session,
    queryFn: async ({ signal }) => {
      try {
        return await getJson<Session>(paths.me, signal);
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return null;
        throw error;
      }
    },
    staleTime: Infinity,
  });

export const useOverview = () =>
  useQuery({ queryKey: keys.overview, queryFn: ({ signal }) => getJson<Overview>(paths.overview, signal) });

export const useNotifications = () =>
  useQuery({ queryKey: keys.notifications, queryFn: ({ signal }) => getJson<Notifications>(paths.notifications, signal) });

export function useMarkRead() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (what: { ids: string[] } | { all: true }) => sendJson<{ unread: number }>("POST", paths.notificationsRead, what),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.notifications }),
  });
}

export const useFlows = () => useList<Flow>([...keys.flows, "list"], paths.flows({ $top: 50 }));

export const useFlow = (f: string) =>
  useQuery({ queryKey: [...keys.flows, "one", f], queryFn: ({ signal }) => getJson<Flow>(paths.flow(f), signal) });

/** The flow as text, for the editor: numbers and order stay as the server keeps them. */
export const useFlowText = (f: string) =>
  useQuery({
    queryKey: ["flow-text", f],
    queryFn: async ({ signal }) => (await send(paths.flow(f), { signal })).body,
    staleTime: Infinity,
    gcTime: 0,
    refetchOnWindowFocus: false,
  });

const checksEveryMs = 5_000;

/** The latest checks of a flow's trigger, and when it is checked next. Read again while they are on the screen. */
export const useTriggerChecks = (f: string, trigger: string) =>
  useQuery({
    queryKey: [...keys.flows, "checks", f, trigger],
    queryFn: async ({ signal }) => {
      const [state, histories] = await Promise.all([
        getJson<TriggerState>(paths.trigger(f, trigger), signal),
        getJson<Page<TriggerHistory>>(paths.triggerHistories(f, trigger, 8), signal),
      ]);
      return { next: state.properties.nextExecutionTime, waiting: state.properties.flowmend?.waitingMessages, checks: histories.value };
    },
    refetchInterval: checksEveryMs,
  });

export const useFlowRuns = (f: string, status: string | undefined) =>
  useList<Run>([...keys.runs, "flow", f, status ?? ""], paths.runs(f, status, 25));

export interface RunFilter {
  flow?: string;
  status?: string;
  connection?: string;
  incident?: string;
  value?: string;
  code?: string;
}

export const useIncidents = (state: string) => useList<Incident>([...keys.incidents, "list", state], paths.incidents({ state, $top: 100 }));

export const useIncident = (i: string) =>
  useQuery({ queryKey: [...keys.incidents, "one", i], queryFn: ({ signal }) => getJson<Incident>(paths.incident(i), signal) });

export function useChangeIncident(i: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: { state?: IncidentState; assignee?: string; mutedUntil?: string; version?: string }) => sendJson<Incident>("PATCH", paths.incident(i), change),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.incidents }),
  });
}

export function useMergeIncident(i: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (other: string) => sendJson<Incident>("POST", paths.incidentMerge(i), { with: other }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.incidents }),
  });
}

export function useSplitIncident(i: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (fingerprint: string) => sendJson<Incident>("POST", paths.incidentSplit(i), { fingerprint }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.incidents }),
  });
}

/** Which runs are repeated: what an incident broke, or the failed ones that match. */
export type RunSelection = { incident: string } | { filter: Pick<RunFilter, "flow" | "status" | "code" | "connection" | "value"> };

export const usePlan = () => useMutation({ mutationFn: (selection: RunSelection & { keepDone: boolean; withParents?: boolean } & Pick<RepeatWish, "steps" | "why">) => sendJson<RepairJob>("POST", paths.plans, selection) });

export function useExecutePlan() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (job: RepairJob) => sendJson<RepairJob>("POST", paths.planExecute(job.id), { version: job.version }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.jobs }),
  });
}

export const useJobs = (incident: string) => useList<RepairJob>([...keys.jobs, "of", incident], paths.jobs({ incident }));

export function useJobDo() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ job, what }: { job: string; what: "pause" | "resume" | "cancel" }) => sendJson<RepairJob>("POST", paths.jobDo(job, what)),
    onSettled: () => client.invalidateQueries({ queryKey: keys.jobs }),
  });
}

export const useAllRuns = (filter: RunFilter) =>
  useList<Run>([...keys.runs, "all", filter], paths.allRuns({ ...filter, $top: 50 }));

const live = new Set(["Running", "Waiting"]);

export const useRun = (f: string, r: string) =>
  useQuery({
    queryKey: keys.run(r),
    queryFn: ({ signal }) => getJson<Run>(paths.run(f, r), signal),
    // Events tell when a run changes; this is for the case that they are cut off by a proxy.
    refetchInterval: (query) => (query.state.data && live.has(query.state.data.properties.status) ? 3000 : false),
  });

export const useRunFacts = (r: string, enabled = true) =>
  useQuery({ queryKey: [...keys.run(r), "facts"], queryFn: ({ signal }) => getJson<Run>(paths.runByName(r), signal), enabled });

export const useExplanation = (r: string, failed: boolean) =>
  useQuery({
    queryKey: [...keys.run(r), "explanation"],
    queryFn: ({ signal }) => getJson<Explanation>(paths.explanation(r), signal),
    enabled: failed,
  });

export const useReport = (r: string, open: boolean) =>
  useQuery({ queryKey: [...keys.run(r), "report"], queryFn: ({ signal }) => getJson<Report>(paths.report(r), signal), enabled: open, staleTime: 0 });

export const useRepetition = (f: string, r: string, a: string, repetition: string | undefined) =>
  useQuery({
    queryKey: [...keys.run(r), "repetition", a, repetition],
    queryFn: async ({ signal }) => {
      try {
        return await getJson<Repetition>(paths.repetition(f, r, a, repetition ?? ""), signal);
      } catch (error) {
        // A step that a branch left out has no record for this item.
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    enabled: repetition !== undefined,
  });

export const useFailedItems = (f: string, r: string, loop: string, enabled: boolean) =>
  useQuery({
    queryKey: [...keys.run(r), "failed-items", loop],
    queryFn: ({ signal }) => getJson<Page<Repetition>>(paths.scopeRepetitions(f, r, loop, "Failed", 250), signal),
    enabled,
  });

/** Recorded values never change, so what was read once is kept. */
export const useContent = (uri: string | undefined, enabled: boolean) =>
  useQuery({
    queryKey: ["content", uri],
    queryFn: async ({ signal }) => (await send(localPath(uri ?? ""), { signal, accept: "*/*" })).body,
    enabled: enabled && uri !== undefined,
    staleTime: Infinity,
  });

export const useRequestHistories = (f: string, r: string, a: string, repetition: string | undefined, enabled: boolean) =>
  useQuery({
    queryKey: [...keys.run(r), "requests", a, repetition],
    queryFn: ({ signal }) => getJson<Page<RequestHistory>>(paths.requestHistories(f, r, a, repetition), signal),
    enabled,
  });

export const useTraces = (f: string, r: string, a: string, repetition: string | undefined, enabled: boolean) =>
  useQuery({
    queryKey: [...keys.run(r), "traces", a, repetition],
    queryFn: () => sendJson<{ inputs?: ExpressionTrace[]; expression?: ExpressionTrace[] }>("POST", paths.traces(f, r, a, repetition)),
    enabled,
  });

/** Repeats a run; the answer is the new run's name. */
export function useResubmit(f: string, r: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (how: "latest" | "original" | "keep") => {
      const reply = await send(paths.resubmit(f, r, how), { method: "POST" });
      return reply.headers.get("x-ms-workflow-run-id") ?? undefined;
    },
    onSuccess: () =>
      Promise.all([client.invalidateQueries({ queryKey: keys.runs }), client.invalidateQueries({ queryKey: keys.run(r) })]),
  });
}

/** What repeating the run would do; starts nothing. */
export const useRunPlan = (r: string, wish: RepeatWish) =>
  useQuery({
    queryKey: [...keys.run(r), "plan", wish],
    queryFn: () => sendJson<RunPlan>("POST", paths.runPlan(r), wish),
    placeholderData: (before) => before,
  });

/** Repeats the run as the plan with this version says; a stale one is refused. */
export function useRepeatRun(r: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (wish: RepeatWish & { version: string }) => sendJson<{ flow: string; run: string }>("POST", paths.runRepeat(r), wish),
    onSuccess: () => Promise.all([client.invalidateQueries({ queryKey: keys.runs }), client.invalidateQueries({ queryKey: keys.run(r) })]),
    onError: () => client.invalidateQueries({ queryKey: [...keys.run(r), "plan"] }),
  });
}

export function useCancel(f: string, r: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => send(paths.cancel(f, r), { method: "POST" }),
    onSettled: () => client.invalidateQueries({ queryKey: keys.run(r) }),
  });
}

/** Whether runs of the flow wait or fail when a service does not work. */
export function useOnOutage(f: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (onOutage: OnOutage) => sendJson<Flow>("PATCH", paths.flow(f), { properties: { flowmend: { onOutage } } }),
    onSettled: () => client.invalidateQueries({ queryKey: keys.flows }),
  });
}

/** What runs wait for, the longest wait first. */
export const useHolds = () =>
  useQuery({ queryKey: [...keys.runs, "holds"], queryFn: async ({ signal }) => (await getJson<Page<Hold>>(paths.holds, signal)).value });

/** Tries now what waits for a service, or lets it fail. */
export function useEndHolds(target: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (how: "release" | "fail") => sendJson<{ steps: number }>("POST", how === "release" ? paths.holdsRelease : paths.holdsFail, { target }),
    onSettled: () => Promise.all([client.invalidateQueries({ queryKey: keys.runs }), client.invalidateQueries({ queryKey: ["run"] })]),
  });
}

export const useHoldChoice = (target: string) =>
  useQuery({ queryKey: [...keys.connections, "hold", target], queryFn: ({ signal }) => getJson<HoldChoice>(paths.holdChoice(target), signal) });

export function useSetHoldChoice(target: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (choice: Partial<HoldChoice>) => sendJson<HoldChoice>("PUT", paths.holdChoice(target), choice),
    onSettled: () => client.invalidateQueries({ queryKey: [...keys.connections, "hold", target] }),
  });
}

export function useFlowSwitch(f: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (on: boolean) => send(on ? paths.flowStart(f) : paths.flowStop(f), { method: "POST" }),
    onSettled: () => client.invalidateQueries({ queryKey: keys.flows }),
  });
}

export function useStartRun(f: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async ({ trigger, body }: { trigger: string; body: string }) => {
      const reply = await send(paths.triggerRun(f, trigger), { method: "POST", rawBody: body.trim() === "" ? undefined : body });
      return reply.headers.get("x-ms-workflow-run-id") ?? undefined;
    },
    onSuccess: () => client.invalidateQueries({ queryKey: keys.runs }),
  });
}

export function useDeleteFlow(f: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => send(paths.flow(f), { method: "DELETE" }),
    onSuccess: () => client.invalidateQueries({ queryKey: [...keys.flows, "list"] }),
  });
}

export function useCreateFlow() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (properties: { displayName: string; definition: unknown; state: string; flowmend?: { onOutage: OnOutage } }) =>
      sendJson<Flow>("POST", paths.newFlow, { properties }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.flows }),
  });
}

/** Saves a definition given as text; the server checks it and refuses what has errors. */
export function useSaveFlow(f: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ definition, references }: { definition: string; references: unknown }) =>
      send(paths.flow(f), {
        method: "PATCH",
        rawBody: `{"properties":{"definition":${definition}${references === undefined ? "" : `,"connectionReferences":${JSON.stringify(references)}`}}}`,
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.flows }),
  });
}

export async function checkDefinition(definition: string, references: unknown): Promise<Finding[]> {
  const more = references === undefined ? "" : `,"connectionReferences":${JSON.stringify(references)}`;
  const reply = await send(paths.check, { method: "POST", rawBody: `{"definition":${definition}${more}}` });
  return (JSON.parse(reply.body) as Page<Finding>).value;
}

/** Tries a definition on the flow's recorded runs. */
export async function tryDefinition(flow: string, definition: string, references: unknown): Promise<Trial> {
  const more = references === undefined ? "" : `,"connectionReferences":${JSON.stringify(references)}`;
  const reply = await send(paths.trials, { method: "POST", rawBody: `{"flow":${JSON.stringify(flow)},"definition":${definition}${more}}` });
  return JSON.parse(reply.body) as Trial;
}

export const useDefinitionSchema = () =>
  useQuery({ queryKey: ["definition-schema"], queryFn: ({ signal }) => getJson<unknown>(paths.definitionSchema, signal), staleTime: Infinity });

export const useFunctions = () =>
  useQuery({ queryKey: ["functions"], queryFn: ({ signal }) => getJson<Page<FunctionHelp>>(paths.functions, signal), staleTime: Infinity });

export const useCallbackUrl = (f: string, trigger: string | undefined, shown: boolean) =>
  useQuery({
    queryKey: ["callback", f, trigger],
    queryFn: async () => {
      const answer = await sendJson<CallbackUrl>("POST", paths.callbackUrl(f, trigger ?? ""));
      return { url: answer.response?.value ?? answer.value ?? "", method: answer.response?.method ?? answer.method ?? "POST" };
    },
    enabled: shown && trigger !== undefined,
  });

export const useConnections = (enabled = true) => useList<Connection>([...keys.connections, "list"], paths.connections, enabled);
export const useConnection = (api: string, c: string) =>
  useQuery({ queryKey: [...keys.connections, "one", api, c], queryFn: ({ signal }) => getJson<Connection>(paths.connection(api, c), signal) });
export const useConnectors = () => useList<Connector>([...keys.connectors, "list"], paths.connectors);
export const useConnector = (api: string | undefined) =>
  useQuery({
    queryKey: [...keys.connectors, "one", api],
    queryFn: ({ signal }) => getJson<Connector>(paths.connector(api ?? ""), signal),
    enabled: api !== undefined,
  });

export function useSetRate(api: string, c: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (requestsPerMinute: number) => sendJson<Connection>("PUT", paths.connectionSettings(api, c), { requestsPerMinute }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.connections }),
  });
}

export function useVerify(api: string, c: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (credentials: Record<string, string> | undefined) =>
      sendJson<VerifyAnswer>("POST", paths.verify(api, c), credentials ? { credentials } : {}),
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: keys.connections }),
        client.invalidateQueries({ queryKey: keys.overview }),
        client.invalidateQueries({ queryKey: ["run"] }),
      ]),
  });
}

/** All flows that use a connection use another one of its connector. */
export function useReplaceConnection(api: string, c: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (other: string) => sendJson<ChangedFlows>("POST", paths.connectionReplace(api, c), { with: other }),
    onSuccess: () => Promise.all([client.invalidateQueries({ queryKey: keys.connections }), client.invalidateQueries({ queryKey: keys.flows })]),
  });
}

export function usePutConnection() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ api, name, displayName, parameters, set }: { api: string; name: string; displayName: string; parameters: Record<string, string>; set?: string }) =>
      sendJson<Connection>("PUT", paths.connection(api, name), {
        properties: {
          displayName,
          ...(set === undefined
            ? { connectionParameters: parameters }
            : { connectionParametersSet: { name: set, values: Object.fromEntries(Object.entries(parameters).map(([field, value]) => [field, { value }])) } }),
        },
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.connections }),
  });
}

export function useDeleteConnection() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ api, name }: { api: string; name: string }) => send(paths.connection(api, name), { method: "DELETE" }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.connections }),
  });
}

export const useEnvironmentVariables = () => useList<EnvironmentVariable>(keys.environmentVariables, paths.environmentVariables);

/** The flows that take it get a new version, so all that was read of them is out of date. */
export function useSetEnvironmentVariable() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ name, ...variable }: { name: string; value: unknown; description: string }) => sendJson<EnvironmentVariableSet>("PUT", paths.environmentVariable(name), variable),
    onSuccess: () => client.invalidateQueries(),
  });
}

export function useRemoveEnvironmentVariable() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (name: string) => send(paths.environmentVariable(name), { method: "DELETE" }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.environmentVariables }),
  });
}

export const useTokens = () => useList<Token>(keys.tokens, paths.tokens);

export function useCreateToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (token: { name: string; scopes: string[]; expiresInDays?: number }) => sendJson<Token>("POST", paths.tokens, token),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.tokens }),
  });
}

export function useRevokeToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => send(paths.token(id), { method: "DELETE" }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.tokens }),
  });
}

export const useAbout = () => useQuery({ queryKey: ["about"], queryFn: ({ signal }) => getJson<About>(paths.about, signal) });
