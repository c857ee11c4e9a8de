#!/usr/bin/env bash
# W3: a Foreach over 10,000 and 100,000 items, one by one and 50 at once. run.sh [ROUNDS]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
for ((round = 1; round <= ${1:-5}; round++)); do
  for items in 10000 100000; do
    for concurrency in 1 50; do
      folder="$(mktemp --directory --tmpdir flowmend-bench-XXXXXX)"
      build/release/bench_foreach "$items" "$concurrency" "$folder"
      rm --recursive --force "$folder"
    done
  done
done
