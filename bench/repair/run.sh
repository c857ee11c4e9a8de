#!/usr/bin/env bash
# Repair at scale: incidents, a trial on 1,000 runs, 10,000 runs repeated by one job, alone and beside live traffic
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=${FLOWMEND_BUILD:-$here/../../build/release}
[ -x "$build/bench_repair" ] || { echo "bench repair: build the target bench_repair first" >&2; exit 2; }
"$build/bench_repair" "$@"
exec python3 "$here/live.py"
