#!/usr/bin/env python3
"""Kills the real server under load, again and again, and checks what it promised.

A witness on loopback counts what flows send it. Callers POST orders to a flow's address; an order that got its 202 is
accepted. The server is ended with kill -9 at random moments and started again on the same folder. At the end:

  - no accepted order is lost: each has exactly one run, which succeeded;
  - no order has two runs, accepted or not;
  - each step's effect reached the witness, and each idempotency key came with one payload only;
  - no order's effect came under two keys.

kills.py [--kills N] [--seed S] BINARY
"""
import argparse
import collections
import http.client
import http.server
import json
import pathlib
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

FLOWS = "/providers/Microsoft.ProcessSimple/environments/~default/flows"
CALLERS = 4
PAUSE_S = 0.004  # between a caller's orders, so that the list to check stays readable


class Witness(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Listener)
        self.lock = threading.Lock()
        self.payloads = collections.defaultdict(set)  # idempotency key -> payloads
        self.keys = collections.defaultdict(set)  # (step, order) -> idempotency keys
        self.received = 0

    def handle_error(self, request, client_address):
        pass  # the server was killed while it was sending


class Listener(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        key = self.headers.get("Idempotency-Key", "")
        witness = self.server
        with witness.lock:
            witness.received += 1
            witness.payloads[key].add((self.path, body))
            witness.keys[(self.path, json.loads(body)["order"])].add(key)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


class Server:
    def __init__(self, binary, data):
        self.binary, self.data = binary, data
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = None
        self.log = open(data / "server.log", "ab")

    def start(self):
        self.process = subprocess.Popen(
            [self.binary, "serve", "--data", self.data, "--listen", f"127.0.0.1:{self.port}"],
            stdout=self.log, stderr=self.log)
        for _ in range(1000):
            try:
                self.request("GET", "/healthz")
                return
            except OSError:
                if self.process.poll() is not None:
                    raise RuntimeError("the server ended by itself; see server.log") from None
                time.sleep(0.01)
        raise RuntimeError("the server does not start")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def request(self, method, path, body=None, token=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()


def definition(witness):
    def step(path, after):
        return {"type": "Http", "runAfter": after,
                "inputs": {"method": "POST", "uri": f"http://127.0.0.1:{witness}/{path}",
                           "body": {"order": "@triggerBody()?['order']"},
                           "retryPolicy": {"type": "fixed", "count": 5, "interval": "PT5S"}}}
    return {"triggers": {"manual": {"type": "Request", "kind": "Http", "inputs": {"schema": {}}}},
            "actions": {"Pay": step("pay", {}), "Ship": step("ship", {"Pay": ["Succeeded"]})}}


def call_until(stop, server, path, orders, accepted, lock):
    while not stop.is_set():
        with lock:
            order = next(orders)
        try:
            status, headers, _ = server.request("POST", path, {"order": order})
        except (OSError, http.client.HTTPException):
            time.sleep(0.01)  # killed: whether it was taken is not known
            continue
        if status == 202:
            with lock:
                accepted[order] = headers["x-ms-workflow-run-id"]
        time.sleep(PAUSE_S)


def all_runs(server, flow, token, status=None):
    path = f"{FLOWS}/{flow}/runs?api-version=2016-11-01&$top=250"
    if status:
        path += "&$filter=" + urllib.parse.quote(f"status eq '{status}'")
    while path:
        status, _, body = server.request("GET", path, token=token)
        if status != 200:
            raise RuntimeError(f"the runs can't be listed: {status} {body[:200]}")
        page = json.loads(body)
        yield from page["value"]
        link = page.get("nextLink")
        parts = urllib.parse.urlsplit(link) if link else None
        path = f"{parts.path}?{parts.query}" if parts else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("binary")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.randrange(1 << 30)
    moments = random.Random(seed)
    witness = Witness()
    threading.Thread(target=witness.serve_forever, daemon=True).start()
    data = pathlib.Path(tempfile.mkdtemp(prefix="flowmend-kills-"))
    server = Server(options.binary, data)
    token = subprocess.run([options.binary, "token", "create", "--data", data, "--name", "kills", "--scopes",
                            "read,run,write"], check=True, capture_output=True, text=True).stdout.strip().split()[-1]
    server.start()
    status, _, body = server.request("POST", f"{FLOWS}?api-version=2016-11-01", token=token, body={
        "properties": {"displayName": "Orders", "state": "Started", "definition": definition(witness.server_port)}})
    if status not in (200, 201):
        sys.exit(f"the flow was refused: {status} {body}")
    flow = json.loads(body)["name"]
    status, _, body = server.request(
        "POST", f"{FLOWS}/{flow}/triggers/manual/listCallbackUrl?api-version=2016-11-01", token=token)
    address = urllib.parse.urlsplit(json.loads(body)["response"]["value"])
    path = f"{address.path}?{address.query}"

    accepted, lock, stop = {}, threading.Lock(), threading.Event()
    orders = iter(range(10**9))
    callers = [threading.Thread(target=call_until, args=(stop, server, path, orders, accepted, lock))
               for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    for _ in range(options.kills):
        time.sleep(moments.uniform(0.02, 0.5))
        server.kill()
        server.start()
    time.sleep(0.5)
    stop.set()
    for caller in callers:
        caller.join()

    for _ in range(120):
        if not any(True for _ in all_runs(server, flow, token, "Running")):
            break
        time.sleep(1)
    runs = list(all_runs(server, flow, token))
    by_name = {run["name"]: run["properties"]["status"] for run in runs}
    faults = []
    lost = [order for order, run in accepted.items() if run not in by_name]
    if lost:
        faults.append(f"{len(lost)} accepted orders have no run, for example {lost[:3]}")
    bad = [name for name, status in by_name.items() if status != "Succeeded"]
    if bad:
        faults.append(f"{len(bad)} runs did not succeed, for example {[(name, by_name[name]) for name in bad[:3]]}")
    if len(set(accepted.values())) != len(accepted):
        faults.append("two orders were told the same run")
    with witness.lock:
        for step in ("/pay", "/ship"):
            without = [order for order in accepted if not witness.keys[(step, order)]]
            if without:
                faults.append(f"{len(without)} accepted orders never reached {step}, for example {without[:3]}")
        # An order has one run, so its step has one key: two would be two runs, or a key that a crash changed.
        twice = [at for at, keys in witness.keys.items() if len(keys) > 1]
        if twice:
            faults.append(f"{len(twice)} effects came under more than one key, for example {twice[:3]}")
        mixed = [key for key, payloads in witness.payloads.items() if len(payloads) != 1 or not key]
        if mixed:
            faults.append(f"{len(mixed)} keys came with more than one payload, or none at all")
        effects = sum(1 for keys in witness.keys.values() if keys)
        received = witness.received
    server.kill()
    print(f"{options.kills} kills (seed {seed}): {len(accepted)} orders accepted, {len(runs)} runs, {effects} effects, "
          f"{received - effects} of them sent again under their key")
    if faults:
        print("\n".join(faults))
        print(f"the data is in {data}")
        print("0 passed, 1 failed, 0 skipped")
        sys.exit(1)
    shutil.rmtree(data)
    print("1 passed, 0 failed, 0 skipped")


main()
