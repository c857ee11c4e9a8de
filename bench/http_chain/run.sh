#!/usr/bin/env bash
# W2 over HTTP: runs of ten sequential HTTP steps against a loopback echo, beside a bare libcurl loop of the same requests.
# run.sh [RUNS] [ROUNDS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
runs="${1:-5000}"
rounds="${2:-3}"
for ((round = 1; round <= rounds; round++)); do
  folder="$(mktemp --directory --tmpdir flowmend-bench-XXXXXX)"
  build/release/bench_http_chain "$runs" "$folder"
  rm --recursive --force "$folder"
done
