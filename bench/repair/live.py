#!/usr/bin/env python3
"""10,000 failed W1-size runs are repeated by one job while live W1 traffic goes on at half of its full rate. Prints how
long the job took, and the live traffic's p99 alone and beside the job.

live.py [--runs N] [--seconds N] [--connections N] [--rounds N]
"""
import argparse
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
        alone = result(load(live, options.connections, options.seconds, body, rate))
        call("PATCH", f"{base}{FLOWS}/{flow}?{VERSION}", token, {"properties": {"definition": good}})
        failed = [run["name"] for run in failed_runs(base, token, incident["id"], options.runs)]
        plan = call("POST", f"{base}/api/v1/repair-plans", token, {"runs": failed})
        beside = load(live, options.connections, options.seconds, body, rate)
        time.sleep(0.2)
        began = time.monotonic()
        call("POST", f"{base}/api/v1/repair-plans/{plan['id']}/execute", token, {"version": plan["version"]})
        took = None
        while took is None:
            job = call("GET", f"{base}/api/v1/jobs/{plan['id']}", token)
            if job["state"] != "running":
                took = time.monotonic() - began
            elif time.monotonic() - began > options.seconds * 10:
                raise SystemExit(f"the job does not end: {job}")
            time.sleep(0.1)
        traffic_ended_first = beside.poll() is not None
        beside = result(beside)
        if traffic_ended_first:
            print(f"  the traffic ended before the job: give --seconds more than {took:.0f}", flush=True)
        for one in (alone, beside):
            if one["errors"] or set(one["statuses"]) != {"200"}:
                raise SystemExit(f"not every live request was answered with 200: {one}")
        if job["state"] != "done" or job["succeeded"] != options.runs:
            raise SystemExit(f"the job did not go well: {job}")
        return {"job_s": took, "rate": rate, "reached": beside["rate"], "alone_ms": alone["p99_ms"],
                "beside_ms": beside["p99_ms"], "alone_p50": alone["p50_ms"], "beside_p50": beside["p50_ms"]}
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


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
    parser.add_argument("--seconds", type=float, default=25)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    rounds = []
    for _ in range(options.rounds):
        one = one_round(options)
        rounds.append(one)
        print(f"{options.runs} failed W1 runs repeated by one job in {one['job_s']:.1f} s (limit {JOB_LIMIT_S} s), beside "
              f"{one['rate']:.0f} live W1 requests/s (half of the full rate; {one['reached']:.0f} answered): p99 "
              f"{one['alone_ms']:.2f} ms alone, {one['beside_ms']:.2f} ms beside it = "
              f"{one['beside_ms'] / one['alone_ms']:.1f}x (limit {P99_LIMIT:g}x); p50 {one['alone_p50']:.2f} and "
              f"{one['beside_p50']:.2f} ms", flush=True)
    ratio = statistics.median(one["beside_ms"] / one["alone_ms"] for one in rounds)
    job = statistics.median(one["job_s"] for one in rounds)
    if job >= JOB_LIMIT_S or ratio > P99_LIMIT:
        print("over the limit")
        sys.exit(1)


if __name__ == "__main__":
    main()
