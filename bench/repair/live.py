#!/usr/bin/env python3
"""10,000 failed W1-size runs are repeated by one job while live W1 traffic goes on at half of its full rate. Prints how
long the job took, and the live traffic's p99 alone and beside the job, measured in turns.

live.py [--runs N] [--seconds N] [--connections N] [--rounds N]
"""
import argparse
import datetime
import json
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "webhook"))
from run import BUILD, ROOT, body_file, call, start_flowmend  # noqa: E402

FLOWS = "/providers/Microsoft.ProcessSimple/environments/~default/flows"
VERSION = "api-version=2016-11-01"
JOB_LIMIT_S = 30
P99_LIMIT = 2.0


def load(url, connections, seconds, body, rate=None):
    return subprocess.Popen([str(BUILD / "bench_http_load"), url, str(connections), str(seconds), str(body)]
                            + ([f"{rate:.0f}"] if rate else []), stdout=subprocess.PIPE, text=True)


def result(process):
    return json.loads(process.communicate()[0])


def make_failing(base, token):
    """W1 with a step that fails; gives the flow, its address and its mended definition."""
    good = json.loads((ROOT / "bench/webhook/flow.json").read_text(encoding="utf-8"))
    bad = json.loads(json.dumps(good))
    bad["actions"]["Summary"]["inputs"] = "@int(outputs('Customer'))"
    flow = call("POST", f"{base}{FLOWS}?{VERSION}", token,
                {"properties": {"displayName": "Failing W1", "state": "Started", "definition": bad}})["name"]
    address = call("POST", f"{base}{FLOWS}/{flow}/triggers/manual/listCallbackUrl?{VERSION}", token)
    return flow, address.get("response", address)["value"], good


def fail_runs(url, body, count):
    """At least `count` failed runs; gives how many were made."""
    made = 0
    while made < count:
        made += result(load(url, 16, 0.5, body))["requests"]
    return made


def wait_for_incident(base, token, flow, count):
    for _ in range(600):
        found = call("GET", f"{base}/api/v1/incidents?flow={flow}", token)["value"]
        if found and found[0]["count"] >= count:
            return found[0]
        time.sleep(0.1)
    raise SystemExit("the failed runs did not become an incident")


def one_round(options):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="flowmend-bench-"))
    body = body_file(folder)
    server, live = start_flowmend(folder / "data")
    base = live[:live.index("/workflows/")]
    token = subprocess.run([str(BUILD / "flowmend"), "token", "create", "--data", str(folder / "data"), "--name", "job",
                            "--scopes", "read,run,write"], capture_output=True, text=True, check=True).stdout.split()[-1]
    try:
        flow, failing, good = make_failing(base, token)
        made = fail_runs(failing, body, options.runs)
        incident = wait_for_incident(base, token, flow, made)
        full = result(load(live, options.connections, 3, body))["rate"]
        rate = full / 2
        time.sleep(2)  # what the full load left to do
        call("PATCH", f"{base}{FLOWS}/{flow}?{VERSION}", token, {"properties": {"definition": good}})
        failed = [run["name"] for run in failed_runs(base, token, incident["id"], options.runs)]
        plan = call("POST", f"{base}/api/v1/repair-plans", token, {"runs": failed})
        job_at = f"{base}/api/v1/jobs/{plan['id']}"
        alone, beside, took, job = [], [], 0.0, {"state": "planned"}
        # In turns, so that both meet the same machine: the job is paused while the traffic is measured alone.
        while job["state"] in ("planned", "paused"):
            alone.append(result(load(live, options.connections, options.seconds, body, rate)))
            began = time.monotonic()
            if job["state"] == "planned":
                call("POST", f"{base}/api/v1/repair-plans/{plan['id']}/execute", token, {"version": plan["version"]})
            else:
                call("POST", job_at + "/resume", token)
            traffic = load(live, options.connections, options.seconds, body, rate)
            job = {"state": "running"}
            while job["state"] == "running" and traffic.poll() is None:
                time.sleep(0.05)
                job = call("GET", job_at, token)
            if job["state"] == "running":
                job = call("POST", job_at + "/pause", token)
                beside.append(result(traffic))
            elif not beside or time.monotonic() - began > options.seconds / 2:
                beside.append(result(traffic))
            else:
                traffic.wait()  # the job ended at its beginning: it says nothing of the two together
            took += time.monotonic() - began if job["state"] == "paused" else job_end(job, began)
        for one in alone + beside:
            if one["errors"] or set(one["statuses"]) != {"200"}:
                raise SystemExit(f"not every live request was answered with 200: {one}")
        if job["state"] != "done" or job["succeeded"] != options.runs:
            raise SystemExit(f"the job did not go well: {job}")
        middle = {f"{name}_{what}": statistics.median(one[f"{what}_ms"] for one in slices)
                  for name, slices in (("alone", alone), ("beside", beside)) for what in ("p50", "p99")}
        return {"job_s": took, "rate": rate, "reached": statistics.median(one["rate"] for one in beside),
                "slices": len(beside), **middle}
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def job_end(job, began):
    """Seconds from `began` to the end of a job that is over, as it noted it."""
    ended = datetime.datetime.fromisoformat(job["endTime"][:26]).replace(tzinfo=datetime.timezone.utc)
    return max(ended.timestamp() - (time.time() - (time.monotonic() - began)), 0)


def failed_runs(base, token, incident, count):
    runs = []
    link = f"{base}/api/v1/runs?incident={incident}&$top=250"
    while len(runs) < count and link:
        page = call("GET", link, token)
        runs += page["value"]
        link = page.get("nextLink")
        if link and link.startswith("/"):
            link = base + link
    return runs[:count]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=4, help="of one slice of traffic, alone or beside the job")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    rounds = []
    for _ in range(options.rounds):
        one = one_round(options)
        rounds.append(one)
        print(f"{options.runs} failed W1 runs repeated by one job in {one['job_s']:.1f} s (limit {JOB_LIMIT_S} s), beside "
              f"{one['rate']:.0f} live W1 requests/s (half of the full rate; {one['reached']:.0f} answered): p99 "
              f"{one['alone_p99']:.2f} ms alone, {one['beside_p99']:.2f} ms beside it = "
              f"{one['beside_p99'] / one['alone_p99']:.1f}x (limit {P99_LIMIT:g}x); p50 {one['alone_p50']:.2f} and "
              f"{one['beside_p50']:.2f} ms; medians of {one['slices']} slices of {options.seconds:g} s in turns", flush=True)
    ratio = statistics.median(one["beside_p99"] / one["alone_p99"] for one in rounds)
    job = statistics.median(one["job_s"] for one in rounds)
    if job >= JOB_LIMIT_S or ratio > P99_LIMIT:
        print("over the limit")
        sys.exit(1)


if __name__ == "__main__":
    main()
