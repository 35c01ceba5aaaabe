#!/usr/bin/env bash
# Mutated payloads against `listen`, with an optimised program; prints the most memory it took.
# Usage: tests/hostile_load.sh [SECONDS] [KEEP_MIB]
set -euo pipefail
cd "$(dirname "$0")/.."
LOAD_SECONDS="${1:-600}" HOSTILE_KEEP_MIB="${2:-64}" cargo test --locked --profile load --test suite mutated_payloads -- --nocapture --test-threads 1
