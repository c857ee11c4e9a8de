#!/usr/bin/env bash
# ./dev fuzz [SECONDS]: every *_fuzz.cpp under libFuzzer, one after the other. A crash file stays in build/fuzz.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$FLOWMEND_ROOT"
seconds=${1:-60}
install_packages build clang
if [ ! -f build/fuzz/build.ninja ]; then
  say "Configuring fuzz"
  cmake --preset fuzz >/dev/null
fi
say "Building fuzz targets"
cmake --build build/fuzz --target fuzz_targets
status=0
for target in build/fuzz/fuzz_*; do
  [ -x "$target" ] && [ -f "$target" ] || continue
  say "Fuzzing: $(basename "$target") for $seconds s"
  mkdir -p "build/fuzz/corpus/$(basename "$target")"
  "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/" "build/fuzz/corpus/$(basename "$target")" 2>&1 | tail -n 12 || status=1
done
exit "$status"
