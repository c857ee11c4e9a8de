#!/usr/bin/env bash
# W1: POST 1 KiB of JSON, three data steps, a Response with a computed body, history saved and durable before the reply.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
exec python3 bench/webhook/run.py "$@"
