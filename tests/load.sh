#!/usr/bin/env bash
# The long form of the load tests of `listen`, with an optimised program. Usage: tests/load.sh [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/.."
LOAD_SECONDS="${1:-30}" cargo test --locked --profile load --test suite listen_load -- --nocapture --test-threads 1
