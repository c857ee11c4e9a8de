#!/usr/bin/env bash
# Requests by an OpenApiConnection action beside bare libcurl; many connectors loaded. run.sh [ROUNDS [CORPUS.jsonl.gz]]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
corpus=${2:-../shared/corpus/connectors.jsonl.gz}
folder="$(mktemp --directory --tmpdir flowmend-bench-XXXXXX)"
trap 'rm --recursive --force "$folder"' EXIT
for ((round = 1; round <= ${1:-3}; round++)); do
  mkdir "$folder/$round"
  build/release/bench_connector_calls 20000 "$folder/$round"
done
if [ -f "$corpus" ]; then
  gzip --decompress --stdout "$corpus" > "$folder/connectors.jsonl"
  for ((round = 1; round <= ${1:-3}; round++)); do build/release/bench_connector_load "$folder/connectors.jsonl"; done
else
  echo "there are no connectors to load at $corpus; name a file of {\"swagger\",\"properties\"} lines, gzipped" >&2
fi
