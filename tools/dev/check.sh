#!/usr/bin/env bash
# ./dev check [--all]: formatting, maps and arrows, clang-tidy on the files that changed since main (or on all).
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
cd "$FLOWMEND_ROOT"
install_packages build lint
status=0
say "Formatting"
git ls-files '*.h' '*.cpp' | xargs --no-run-if-empty clang-format --dry-run -Werror || status=1
say "Maps and arrows"
python3 tools/dev/check_maps.py || status=1
say "clang-tidy"
if [ "${1:-}" = --all ]; then
  files=$(git ls-files 'src/*.cpp')
else
  files=$( (git diff --name-only HEAD -- 'src/*.cpp'; git diff --name-only HEAD~1 -- 'src/*.cpp') | sort --unique)
fi
[ -f build/debug/compile_commands.json ] || cmake --preset debug >/dev/null
for file in $files; do
  [ -f "$file" ] && { clang-tidy -p build/debug --quiet "$file" 2>/dev/null || status=1; }
done
exit "$status"
