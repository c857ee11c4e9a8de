#!/usr/bin/env bash
# ./dev build [PRESET]
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$FLOWMEND_ROOT"
preset=${1:-release}
case "$preset" in release|debug|asan) ;; *) echo "./dev build: the presets are release, debug and asan" >&2; exit 2 ;; esac
install_packages build
[ "$preset" != asan ] || install_packages clang
build_portal
# `./dev build` is for the binary; tests and benchmarks are built by the commands that run them.
build_preset "$preset" flowmend
echo "The binary is build/$preset/flowmend"
