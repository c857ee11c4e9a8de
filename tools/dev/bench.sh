#!/usr/bin/env bash
# ./dev bench [NAME]: runs bench/NAME/run.sh on a release build; without a name, lists them.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$FLOWMEND_ROOT"
if [ $# -eq 0 ]; then
  for script in bench/*/run.sh; do
    printf '%-12s %s\n' "$(basename "$(dirname "$script")")" "$(sed -n '2s/^# *//p' "$script")"
  done
  exit 0
fi
name=$1
shift
[ -f "bench/$name/run.sh" ] || { echo "./dev bench: there is no benchmark '$name'; ./dev bench lists them" >&2; exit 2; }
install_packages build
build_portal
build_preset release
exec bash "bench/$name/run.sh" "$@"
