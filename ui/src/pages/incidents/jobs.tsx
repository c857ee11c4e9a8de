import { Button } from "@fluentui/react-components";
import { items, useJobDo, useJobs } from "../../api/queries";
import type { RepairJob } from "../../api/types";
import { Problem } from "../../parts/page";
import { ago, when } from "../../parts/time";
import { text } from "../../text";
import "./incidents.css";

function Job({ job }: { job: RepairJob }) {
  const act = useJobDo();
  const words = text.repair;
  return (
    <li className="job">
      <div className="job-line">
        <strong>{words.states[job.state]}</strong>
        <span className="quiet" title={when(job.createdTime)}>
          {ago(job.createdTime)} · {job.by}
        </span>
        {job.state === "running" && (
          <Button size="small" onClick={() => act.mutate({ job: job.id, what: "pause" })}>
            {words.pause}
          </Button>
        )}
        {job.state === "paused" && (
          <Button size="small" onClick={() => act.mutate({ job: job.id, what: "resume" })}>
            {words.resume}
          </Button>
        )}
        {(job.state === "running" || job.state === "paused") && (
          <Button size="small" onClick={() => act.mutate({ job: job.id, what: "cancel" })}>
            {words.cancel}
          </Button>
        )}
      </div>
      <progress value={job.looked} max={job.runs} aria-label={words.progress(job.looked, job.runs)} />
      <span>
        {words.progress(job.looked, job.runs)}: {words.verdict(job.succeeded, job.failed, job.leftOut)}
      </span>
      {job.verdict && <span className={job.verdict === "fixed" ? "tone-good" : "tone-bad"}>{words.verdicts[job.verdict]}</span>}
      {job.reason && <span className="tone-bad">{job.reason}</span>}
      {job.refusals.map((one) => (
        <span key={one} className="quiet breakable">
          {one}
        </span>
      ))}
      {act.isError && <Problem error={act.error} />}
    </li>
  );
}

/** The jobs of an incident; without one, the latest of those that were made for runs by a filter. */
export function Jobs({ incident }: { incident?: string }) {
  const list = useJobs(incident ?? "");
  const jobs = items(list)
    .filter((job) => job.state !== "planned" && (incident !== undefined || job.incident === undefined))
    .slice(0, incident === undefined ? 3 : undefined);
  if (jobs.length === 0) return null;
  return (
    <section className="panel" aria-labelledby="jobs">
      <h2 id="jobs">{text.repair.jobs}</h2>
      <ul className="plain-list">
        {jobs.map((job) => (
          <Job key={job.id} job={job} />
        ))}
      </ul>
    </section>
  );
}
