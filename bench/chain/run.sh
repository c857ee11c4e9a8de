#!/usr/bin/env bash
# W2: 20,000 runs of ten sequential steps, started by a native driver, beside bare grouped SQLite inserts of the same bytes.
# run.sh [RUNS] [ROUNDS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
runs="${1:-20000}"
rounds="${2:-5}"
for ((round = 1; round <= rounds; round++)); do
  folder="$(mktemp --directory --tmpdir flowmend-bench-XXXXXX)"
  build/release/bench_chain "$runs" "$folder"
  rm --recursive --force "$folder"
done
