#!/usr/bin/env python3
"""Retention beside live work: W1 on a store with many old runs, first with `--keep-days 0`, then while the server
removes them. Prints both rates, how long the removal took, and the size of the file before and after.

run.py [--runs N] [--seconds N] [--connections N]
"""
import argparse
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "webhook"))
import run as webhook  # noqa: E402: the path must be known first

FILLED_FROM = 1_000_000  # bench_store numbers its runs from here


def old_runs(data, runs):
    store = sqlite3.connect(f"file:{data}/flowmend.db?mode=ro", uri=True)
    with store:
        count = store.execute("SELECT count(*) FROM runs WHERE number >= ? AND number < ?",
                              (FILLED_FROM, FILLED_FROM + runs)).fetchone()[0]
    store.close()
    return count


def size_mb(data):
    return (data / "flowmend.db").stat().st_size / 1e6


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=500_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--connections", type=int, default=32)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="flowmend-bench-"))
    body = webhook.body_file(folder)
    (folder / "store").mkdir()
    data = folder / "store" / "data"
    try:
        subprocess.run([str(webhook.BUILD / "bench_store"), "fill", str(folder / "store"), str(options.runs), "0", "60"],
                       check=True)
        results = {}
        for keep in ("0", "30"):
            server, address = webhook.start_flowmend(data, "--keep-days", keep)
            before, began = old_runs(data, options.runs), time.monotonic()
            size_before = size_mb(data)
            results[keep] = webhook.measure(server, address, options.connections, options.seconds, body)
            left = old_runs(data, options.runs)
            done = results[keep]["requests"]
            print(f"--keep-days {keep:>2}: {results[keep]['rate']:7.0f} requests/s, p99 {results[keep]['p99_ms']:.2f} ms; "
                  f"{before - left} of {before} old runs removed meanwhile; {done} runs added; "
                  f"file {size_before:.0f} -> {size_mb(data):.0f} MB")
            if keep == "30":
                while old_runs(data, options.runs) > 0:
                    time.sleep(0.2)
                print(f"all {options.runs} removed after {time.monotonic() - began:.1f} s; file {size_mb(data):.0f} MB")
            server.stop()
        print(f"rate while removing: {results['30']['rate'] / results['0']['rate']:.0%} of the rate without")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
