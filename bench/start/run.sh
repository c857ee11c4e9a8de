#!/usr/bin/env bash
# W4 and W6: start, memory and lists with many stored runs. run.sh [--runs N] [--sleeping N] [--rounds N]
set -euo pipefail
exec python3 "$(dirname "${BASH_SOURCE[0]}")/run.py" "$@"
