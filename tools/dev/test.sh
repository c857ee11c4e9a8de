#!/usr/bin/env bash
# ./dev test [--list] [NAME]: every suite, or those whose name contains NAME. Ends with the totals of all runners.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$FLOWMEND_ROOT"

describe() {
  cat <<'TEXT'
maps      READMEs name files that exist, includes follow the arrows between rooms
portal    the portal's unit tests
cpp       every C++ test under the address and undefined-behaviour sanitizers; test_simulation lives 500 seeds
kills     the release binary, ended with kill -9 under load again and again: nothing lost, nothing twice
fuzz      every fuzz target for 60 s, side by side (./dev fuzz runs them longer)
browser   the walks of a person through the portal, in Chromium, against the release binary; beside it, the same binary
          on a machine that was off, whose clock is set, whose disk fails or is full
TEXT
}

filter=
for argument in "$@"; do
  case "$argument" in
    --list) describe; exit 0 ;;
    *) filter=$argument ;;
  esac
done

passed=0 failed=0 skipped=0
results=$FLOWMEND_ROOT/build/test-results
mkdir -p "$results"

# count FILE: adds the totals that a runner printed; a runner that printed none counts by its exit code alone.
count() {
  local name=$1 file=$2 status=$3 now
  now=$(python3 tools/dev/test_totals.py "$file" "$status")
  read -r p f s <<<"$now"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  printf '    %s: %d passed, %d failed, %d skipped\n' "$name" "$p" "$f" "$s"
}

# report NAME STATUS: shows what failed, keeps the totals.
report() {
  if [ "$2" -ne 0 ]; then tail -n 200 "$results/$1.txt"; fi
  count "$1" "$results/$1.txt" "$2"
}

# suite NAME COMMAND...: runs one command.
suite() {
  local name=$1 status=0
  shift
  say "Testing: $name"
  "$@" >"$results/$name.txt" 2>&1 || status=$?
  report "$name" "$status"
}

# beside NAME COMMAND...: starts one that goes on while others run; `finish_beside` waits for it.
beside_name= beside_pid=
beside() {
  beside_name=$1
  shift
  say "Testing, beside what follows: $beside_name"
  "$@" >"$results/$beside_name.txt" 2>&1 &
  beside_pid=$!
}
finish_beside() {
  [ -n "$beside_name" ] || return 0
  local status=0
  wait "$beside_pid" || status=$?
  report "$beside_name" "$status"
  beside_name=
}

wanted() { [ -z "$filter" ] || [[ "$1" == *"$filter"* ]] ; }

install_packages build test clang
build_portal

wanted maps && suite maps python3 tools/dev/check_maps.py
wanted portal && suite portal npm --prefix ui test --silent

if wanted cpp || [[ "$filter" == test_* ]]; then
  build_preset asan all_tests
  npm --prefix tests/native install --no-audit --no-fund --loglevel=error
  # Tests that start a real server use the release binary: what ships is what is killed and driven. Benchmarks are built
  # too, and not run: else nobody would see that they no longer fit.
  build_preset release flowmend benches
  export FLOWMEND_BINARY=$FLOWMEND_ROOT/build/release/flowmend
  export FLOWMEND_SANDBOX=$FLOWMEND_ROOT/build/release/flowmend-sandbox
  export ASAN_OPTIONS=detect_leaks=1:strict_string_checks=1 UBSAN_OPTIONS=print_stacktrace=1
  simulation=build/asan/test_simulation
  selected() { [ -x "$1" ] && [[ "$filter" != test_* || "$(basename "$1")" == *"$filter"* ]]; }
  # One core for minutes, no clock and no port: it disturbs nobody, and nobody it.
  selected "$simulation" && beside test_simulation "$simulation" --gtest_brief=1
  for test in build/asan/test_*; do
    if [ "$test" != "$simulation" ] && selected "$test"; then suite "$(basename "$test")" "$test" --gtest_brief=1; fi
  done
  finish_beside
fi

if wanted kills; then
  build_preset release flowmend
  suite kills python3 tests/kills/kills.py --kills 40 build/release/flowmend
fi

if wanted fuzz; then
  build_preset fuzz fuzz_targets
  fuzz_all() {
    local target name failed=0 running=()
    for target in build/fuzz/fuzz_*; do
      [ -x "$target" ] && [ -f "$target" ] || continue
      name=$(basename "$target")
      mkdir -p "build/fuzz/corpus/$name"
      "$target" -max_total_time=60 -timeout=10 -rss_limit_mb=2048 -artifact_prefix=build/fuzz/ -verbosity=0 \
        "build/fuzz/corpus/$name" >"$results/$name.txt" 2>&1 &
      running+=("$!:$name")
    done
    [ ${#running[@]} -gt 0 ] || return 1
    for target in "${running[@]}"; do
      if ! wait "${target%%:*}"; then
        echo "${target#*:} found a fault:"
        tail -n 100 "$results/${target#*:}.txt"
        failed=1
      fi
    done
    return "$failed"
  }
  suite fuzz fuzz_all
fi

if wanted browser; then
  build_preset release flowmend
  export FLOWMEND_BINARY=$FLOWMEND_ROOT/build/release/flowmend
  npm --prefix tests/browser install --no-audit --no-fund --loglevel=error
  # It waits for the most part.
  beside machine node --test --test-concurrency=1 --test-reporter=tap tests/machine/*.test.mjs
  suite browser npm --prefix tests/browser test --silent
  finish_beside
fi

say "All suites"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
