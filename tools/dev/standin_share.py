#!/usr/bin/env python3
"""Counts the connector steps of real flows by api and operation, with the names of the parameters they use.

What a stand-in should do next is the first line it does not do yet; the names in its document are taken from here.
usage: standin_share.py [definitions.jsonl.gz] [api]
"""
import collections
import gzip
import json
import pathlib
import sys


def walk(value, look):
    if isinstance(value, dict):
        look(value)
        for item in value.values():
            walk(item, look)
    elif isinstance(value, list):
        for item in value:
            walk(item, look)


def main() -> int:
    corpus = pathlib.Path(__file__).resolve().parents[2].parent / "shared/corpus/definitions.jsonl.gz"
    path = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else corpus
    wanted = sys.argv[2] if len(sys.argv) > 2 else ""
    counts = collections.Counter()
    names = collections.defaultdict(collections.Counter)

    def look(step):
        inputs = step.get("inputs")
        kind = step.get("type")
        if not isinstance(kind, str) or not kind.startswith("OpenApiConnection") or not isinstance(inputs, dict):
            return
        host = inputs.get("host")
        if not isinstance(host, dict):
            return
        api = str(host.get("apiId") or "").split("/")[-1]
        if wanted and api != wanted:
            return
        key = (api, str(host.get("operationId")), kind)
        counts[key] += 1
        parameters = inputs.get("parameters")
        for name in parameters if isinstance(parameters, dict) else []:
            names[key]["item/*" if name.startswith("item/") else name] += 1

    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            walk(json.loads(line), look)
    for key, count in counts.most_common():
        print(count, *key, " ".join(names[key]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
