#!/usr/bin/env python3
"""W4 and W6: how long `flowmend serve` takes from its start to its first answered request, and how much memory it has
then, with an empty store and with many stored and sleeping runs; and how long listing the latest 20 failed runs takes
with a tenth and with all of the runs.

run.py [--runs N] [--sleeping N] [--rounds N]
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("FLOWMEND_BUILD", ROOT / "build" / "release"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def memory_mb(pid, field):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"no {field} in /proc/{pid}/status")


def answered(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as link:
            link.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            return link.recv(64).startswith(b"HTTP/1.1 200")
    except ConnectionRefusedError:
        return False


def start(data):
    """Milliseconds to the first answer; resident memory 1 s later and its peak, in MB."""
    port = free_port()
    begin = time.monotonic()
    server = subprocess.Popen([str(BUILD / "flowmend"), "serve", "--data", str(data), "--listen", f"127.0.0.1:{port}"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not answered(port):
        if server.poll() is not None:
            raise SystemExit("the server ended")
        time.sleep(0.0005)
    took = (time.monotonic() - begin) * 1000
    time.sleep(1)
    result = took, memory_mb(server.pid, "VmRSS"), memory_mb(server.pid, "VmHWM")
    server.send_signal(signal.SIGTERM)
    server.wait(timeout=30)
    return result


def fill(folder, runs, sleeping):
    folder.mkdir()
    subprocess.run([str(BUILD / "bench_store"), "fill", str(folder), str(runs), str(sleeping), "0"], check=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--sleeping", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="flowmend-bench-"))
    try:
        (folder / "empty").mkdir()
        fill(folder / "tenth", options.runs // 10, 0)
        fill(folder / "full", options.runs, options.sleeping)
        print(f"W4, medians of {options.rounds} starts")
        for name, stored, sleeping in (("empty", 0, 0), ("full", options.runs, options.sleeping)):
            rounds = [start(folder / name / "data") for _ in range(options.rounds)]
            took, resident, peak = (statistics.median(r[i] for r in rounds) for i in range(3))
            print(f"{stored:>9} stored, {sleeping:>7} sleeping: first answer after {took:6.1f} ms; "
                  f"memory {resident:5.1f} MB, peak {peak:5.1f} MB")
        print("W6, the latest 20 failed runs, 2,000 times")
        for name, stored in (("tenth", options.runs // 10), ("full", options.runs)):
            printed = subprocess.run([str(BUILD / "bench_store"), "list", str(folder / name)], check=True,
                                     capture_output=True, text=True).stdout
            times = json.loads(printed)
            print(f"{stored:>9} stored: of all flows p50 {times['all_p50_ms']:.3f} ms, p99 {times['all_p99_ms']:.3f} ms; "
                  f"of one flow p50 {times['one_p50_ms']:.3f} ms, p99 {times['one_p99_ms']:.3f} ms")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
