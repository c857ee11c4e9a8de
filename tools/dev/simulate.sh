#!/usr/bin/env bash
# ./dev simulate --seeds N [--seed S] [--crash-at K]: lives N seeds from S (1) on; a broken promise prints its seed, the
# trace that led to it and the command that repeats it. See tests/simulation/README.md.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$FLOWMEND_ROOT"

if [ $# -eq 0 ]; then
  sed -n '2,3p' "${BASH_SOURCE[0]}" >&2
  exit 2
fi
install_packages build test
build_preset release test_simulation
exec build/release/test_simulation "$@"
