#!/usr/bin/env bash
# W1 while 500,000 old runs are removed, beside W1 without. run.sh [--runs N] [--seconds N] [--connections N]
set -euo pipefail
exec python3 "$(dirname "${BASH_SOURCE[0]}")/run.py" "$@"
