import { Button, Field, Tab, TabList, Textarea } from "@fluentui/react-components";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { Link } from "wouter";
import { getJson, sendJson } from "../../api/client";
import { CheckmarkCircleRegular } from "../../parts/icons";
import { Empty, Loading, Page, Problem } from "../../parts/page";
import { ago, when } from "../../parts/time";
import "./approvals.css";

// The words of this page live with it: it loads only when it is opened.
const words = {
  title: "Approvals",
  waiting: "Waiting for me",
  all: "All that wait",
  history: "History",
  nothing: "Nothing waits for you",
  nothingHint: "When a flow asks you, its question stands here.",
  noHistory: "No decisions yet",
  noHistoryHint: "What was decided stays here.",
  asks: (people: string[]) => `Asks ${people.join(", ")}`,
  everyone: "everyone must answer",
  comment: "Comment",
  run: "The run that asks",
  over: "The run that asked is over: an answer changes nothing any more.",
  answered: (by: string, response: string) => `${by}: ${response}`,
  answer: (option: string, title: string) => `${option}: ${title}`,
};

interface Person {
  id: string;
  displayName: string;
}
interface Answer {
  responder: Person;
  approverResponse: string;
  comments: string;
  responseDate: string;
}
interface Approval {
  id: string;
  title: string;
  details: string;
  approvalType: string;
  itemLink: string;
  itemLinkDescription: string;
  assignedTo: string[];
  options: string[];
  status: string;
  outcome: string | null;
  requestDate: string;
  completionDate: string | null;
  responses: Answer[];
  flow: string;
  run: string;
  mine: boolean;
  canRespond: boolean;
  runIsOver: boolean;
}

type View = "waiting" | "all" | "history";
const addresses: Record<View, string> = {
  waiting: "/api/v1/approvals?status=pending",
  all: "/api/v1/approvals?status=pending&for=all",
  history: "/api/v1/approvals?status=completed&for=all",
};

/** Only addresses that a browser opens as a page: what a flow wrote is not ours. */
const isPage = (link: string) => /^https?:\/\//i.test(link);

function Card({ approval }: { approval: Approval }) {
  const client = useQueryClient();
  const [comments, setComments] = useState("");
  const heading = useId();
  const respond = useMutation({
    mutationFn: (response: string) => sendJson<Approval>("POST", `/api/v1/approvals/${encodeURIComponent(approval.id)}/respond`, { response, comments }),
    onSettled: () => client.invalidateQueries({ queryKey: ["approvals"] }),
  });
  return (
    <li className="panel approval" aria-labelledby={heading}>
      <h2 id={heading} className="breakable">
        {approval.title}
      </h2>
      <p className="quiet">
        <span title={when(approval.requestDate)}>{ago(approval.requestDate)}</span> · {words.asks(approval.assignedTo)}
        {approval.approvalType.endsWith("AwaitAll") && ` · ${words.everyone}`}
        {approval.outcome && (
          <>
            {" · "}
            <strong>{approval.outcome}</strong>
          </>
        )}
      </p>
      {approval.details && <p className="approval-details breakable">{approval.details}</p>}
      {isPage(approval.itemLink) && (
        <p>
          <a href={approval.itemLink} target="_blank" rel="noreferrer noopener">
            {approval.itemLinkDescription || approval.itemLink}
          </a>
        </p>
      )}
      {approval.responses.length > 0 && (
        <ul className="approval-answers">
          {approval.responses.map((answer) => (
            <li key={answer.responder.id}>
              <strong>{words.answered(answer.responder.displayName, answer.approverResponse)}</strong> <span className="quiet">{ago(answer.responseDate)}</span>
              {answer.comments && <div className="breakable">{answer.comments}</div>}
            </li>
          ))}
        </ul>
      )}
      {approval.flow && approval.run && (
        <p>
          <Link href={`/flows/${encodeURIComponent(approval.flow)}/runs/${encodeURIComponent(approval.run)}`}>{words.run}</Link>
        </p>
      )}
      {approval.runIsOver && <p className="quiet">{words.over}</p>}
      {approval.canRespond && (
        <>
          <Field label={words.comment}>
            <Textarea value={comments} maxLength={1000} onChange={(_, data) => setComments(data.value)} />
          </Field>
          <Problem error={respond.error} />
          <div className="approval-options">
            {approval.options.map((option, index) => (
              <Button key={option} size="large" appearance={index === 0 ? "primary" : "secondary"} disabled={respond.isPending} aria-label={words.answer(option, approval.title)} onClick={() => respond.mutate(option)}>
                {option}
              </Button>
            ))}
          </div>
        </>
      )}
    </li>
  );
}

export default function ApprovalsPage() {
  const [view, setView] = useState<View>("waiting");
  const list = useQuery({
    queryKey: ["approvals", view],
    queryFn: ({ signal }) => getJson<{ value: Approval[] }>(addresses[view], signal),
    refetchInterval: 10_000,
  });
  const all = list.data?.value ?? [];
  const history = view === "history";
  return (
    <Page title={words.title}>
      <TabList selectedValue={view} onTabSelect={(_, data) => setView(data.value as View)}>
        <Tab value="waiting">{words.waiting}</Tab>
        <Tab value="all">{words.all}</Tab>
        <Tab value="history">{words.history}</Tab>
      </TabList>
      {list.isPending && <Loading />}
      {list.isError && <Problem error={list.error} retry={() => void list.refetch()} />}
      {list.isSuccess && all.length === 0 && (
        <Empty icon={<CheckmarkCircleRegular />} title={history ? words.noHistory : words.nothing} hint={history ? words.noHistoryHint : words.nothingHint} />
      )}
      <ul className="approvals">
        {all.map((approval) => (
          <Card key={approval.id} approval={approval} />
        ))}
      </ul>
    </Page>
  );
}
