#!/usr/bin/env bash
# Expressions beside adaptive-expressions and jsonata: ns and allocations per evaluation, ratios
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${FLOWMEND_BUILD:-$here/../../build/release}
[ -x "$build/bench_expression" ] || { echo "bench expression: build the target bench_expression first" >&2; exit 2; }
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
if [ ! -d "$here/node_modules" ]; then
  (cd "$here" && npm install --no-package-lock --no-audit --no-fund --loglevel=error)
fi
"$build/bench_expression" --benchmark_format=json --benchmark_repetitions=5 --benchmark_report_aggregates_only=true \
  --benchmark_min_time=0.3 "$here/cases.json" >"$out/ours.json"
node "$here/peer.mjs" >"$out/peers.jsonl"
node "$here/table.mjs" "$out/ours.json" "$out/peers.jsonl"
# Every expression of the shared corpus, parsed and bound: processor time, median of five, beside the limit of 2 s.
for _ in 1 2 3 4 5; do
  "$build/test_expression" --gtest_filter='Corpus.EveryExpressionParsesAndBinds' | sed -n 's/^[0-9]* definitions, \([0-9]*\) references.* in \([0-9]*\) ms$/\2 \1/p'
done | sort -n | awk '{ ms[NR] = $1; references = $2 }
  END {
    if (NR == 0) print "\ncorpus: not here (../shared/corpus)"
    else printf "\ncorpus: %d references parsed and bound in %d ms of processor time (limit 2000 ms, %.1fx below)\n", references, ms[int((NR + 1) / 2)], 2000 / ms[int((NR + 1) / 2)]
  }'
