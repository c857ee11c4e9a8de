#!/usr/bin/env bash
# ./dev run: builds and starts the server with the demo; further arguments go to `flowmend serve`.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$FLOWMEND_ROOT"
tools/dev/build.sh release
exec build/release/flowmend serve --data data --demo "$@"
