#!/usr/bin/env python3
"""W1 beside its floor: the same client drives a bare Beast server (webhook_floor) and Flowmend, in turns, at 1, 32 and
128 connections. Prints a table with rate, p50, p99, CPU and bytes written per request, and the ratios.

run.py [--seconds N] [--rounds N] [--connections 1,32,128]
"""
import argparse
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FLOWMEND_BUILD", ROOT / "build" / "release"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def body_file(folder):
    order = {"order": {"id": 4711, "customer": "Contoso", "note": "",
                       "lines": [{"sku": f"A-{i:03}", "qty": i, "price": 9.5} for i in range(18)]}}
    order["order"]["note"] = "n" * (1024 - len(json.dumps(order)))
    path = folder / "body.json"
    path.write_text(json.dumps(order), encoding="utf-8")
    return path


class Process:
    """A server under test; `cost` reads what it has used so far."""

    def __init__(self, arguments, ready):
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            if re.search(ready, line):
                return
        raise SystemExit(f"{arguments[0]} ended before it was ready")

    def cost(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        io = dict(line.split(": ") for line in pathlib.Path(f"/proc/{self.process.pid}/io").read_text().splitlines())
        return cpu, int(io["write_bytes"])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)


def call(method, url, token, body=None):
    request = urllib.request.Request(url, method=method, data=None if body is None else json.dumps(body).encode())
    request.add_header("Authorization", f"Bearer {token}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def start_flowmend(data, *options):
    """The server on a data folder, and the address of a new W1 flow in it."""
    port = free_port()
    binary = str(BUILD / "flowmend")
    # Its /proc/PID/io is to be read, which a server that allows no core dumps keeps from everybody but root.
    server = Process([binary, "serve", "--data", str(data), "--listen", f"127.0.0.1:{port}", "--allow-core-dumps", *options],
                     "Flowmend is at")
    made = subprocess.run([binary, "token", "create", "--data", str(data), "--name", "bench", "--scopes", "read,run,write"],
                          capture_output=True, text=True, check=True)
    token = made.stdout.strip().split()[-1]
    base = f"http://127.0.0.1:{port}"
    flows = f"{base}/providers/Microsoft.ProcessSimple/environments/~default/flows"
    definition = json.loads((ROOT / "bench/webhook/flow.json").read_text(encoding="utf-8"))
    flow = call("POST", f"{flows}?api-version=2016-11-01", token,
                {"properties": {"displayName": "W1", "state": "Started", "definition": definition}})
    address = call("POST", f"{flows}/{flow['name']}/triggers/manual/listCallbackUrl?api-version=2016-11-01", token)
    return server, address["value"]


def start_floor(folder):
    port = free_port()
    server = Process([str(BUILD / "bench_webhook_floor"), str(port), str(folder / "floor.dat")], "ready")
    return server, f"http://127.0.0.1:{port}/"


def measure(server, url, connections, seconds, body):
    cpu_before, bytes_before = server.cost()
    ran = subprocess.run([str(BUILD / "bench_http_load"), url, str(connections), str(seconds), str(body)],
                         capture_output=True, text=True)
    if not ran.stdout:
        raise SystemExit(ran.stderr)
    result = json.loads(ran.stdout)
    cpu, written = server.cost()
    if result["errors"] or set(result["statuses"]) != {"200"}:
        raise SystemExit(f"not every request was answered with 200: {ran.stdout}")
    result["cpu_us"] = (cpu - cpu_before) / result["requests"] * 1e6
    result["bytes"] = (written - bytes_before) / result["requests"]
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", default="1,32,128")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="flowmend-bench-"))
    body = body_file(folder)
    servers = {"floor": start_floor(folder), "flowmend": start_flowmend(folder / "flowmend")}
    try:
        print(f"W1, medians of {options.rounds} rounds of {options.seconds:g} s, servers in turns on the same machine")
        print(f"{'connections':>11} {'server':>9} {'rate/s':>8} {'p50 ms':>8} {'p99 ms':>8} {'CPU us':>8} {'bytes':>8}  {'rate':>6} {'p99':>6}")
        for connections in map(int, options.connections.split(",")):
            rounds = {name: [] for name in servers}
            for _ in range(options.rounds):
                for name, (server, url) in servers.items():
                    rounds[name].append(measure(server, url, connections, options.seconds, body))
                    time.sleep(0.2)
            middle = {name: {key: statistics.median(r[key] for r in results)
                             for key in ("rate", "p50_ms", "p99_ms", "cpu_us", "bytes")} for name, results in rounds.items()}
            for name, row in middle.items():
                ratios = ""
                if name == "flowmend":
                    ratios = f"{row['rate'] / middle['floor']['rate']:6.0%} {row['p99_ms'] / middle['floor']['p99_ms']:5.1f}x"
                print(f"{connections:>11} {name:>9} {row['rate']:>8.0f} {row['p50_ms']:>8.2f} {row['p99_ms']:>8.2f} "
                      f"{row['cpu_us']:>8.1f} {row['bytes']:>8.0f}  {ratios}")
                sys.stdout.flush()
    finally:
        for server, _ in servers.values():
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
