#!/usr/bin/env bash
# ./dev format
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$FLOWMEND_ROOT"
install_packages lint
git ls-files '*.h' '*.cpp' | xargs --no-run-if-empty clang-format -i
