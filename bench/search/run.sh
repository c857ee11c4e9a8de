#!/usr/bin/env bash
# Finding any of 1,000,000 runs by a recorded value, and what the index costs a busy server
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${FLOWMEND_BUILD:-$here/../../build/release}
[ -x "$build/bench_search" ] || { echo "bench search: build the target bench_search first" >&2; exit 2; }
exec "$build/bench_search" "$@"
