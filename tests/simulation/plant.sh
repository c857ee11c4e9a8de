#!/usr/bin/env bash
# tests/simulation/plant.sh [SEEDS]: shows that the simulation finds what it is for. Plants each fault of faults/*.patch in
# a scratch copy, builds the simulation alone and lives up to SEEDS (500) seeds. Fails when a fault is not found. Takes
# half an hour; not part of ./dev test.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
seeds=${1:-500}
scratch=${PLANT_SCRATCH:-$(mktemp -d)}
[ -n "${PLANT_SCRATCH:-}" ] || trap 'rm -rf "$scratch"' EXIT
if [ ! -e "$scratch/CMakeLists.txt" ]; then git -C "$root" ls-files -z | (cd "$root" && xargs -0 cp --parents -t "$scratch"); fi
cd "$scratch"
export CCACHE_DIR=${CCACHE_DIR:-$root/build/ccache}
cmake --preset debug >/dev/null
cmake --build build/debug --target test_simulation >/dev/null
missed=0
for patch in "$root"/tests/simulation/faults/*.patch; do
  name=$(basename "$patch" .patch)
  patch --quiet -p1 <"$patch"
  if ! cmake --build build/debug --target test_simulation >build/plant.txt 2>&1; then
    tail -n 20 build/plant.txt
    echo "| $name | does not build | |"
    missed=1
  elif timeout 540 build/debug/test_simulation --seed 1 --seeds "$seeds" --first >build/plant.txt 2>&1; then
    echo "| $name | NOT FOUND in $seeds seeds | |"
    missed=1
  else
    seed=$(grep --only-matching --max-count=1 -e '--seed [0-9]*' build/plant.txt | cut -d' ' -f2)
    echo "| $name | ${seed:-crashed} | $(grep --max-count=1 '^invariant: ' build/plant.txt | cut -d' ' -f2-) |"
  fi
  patch --quiet --reverse -p1 <"$patch"
done
exit "$missed"
