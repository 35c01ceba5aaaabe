#!/usr/bin/env bash
# The guide's result with a real Docker engine: `init` on the sample, `run -- docker compose up --build`, a request, and
# the container's own spans seen by `verify --app`; then services traced by OpenTelemetry's own agents.
# Usage: tests/docker/run.sh [PROGRAM]
#
# Everything runs in network, mount and process namespaces of its own: the engine's bridges, firewall rules, mounts and
# processes are gone when this ends, and no port is taken on the machine. Exits 0 with a `skipped:` line that says why
# where no engine can be had.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PATH:/usr/sbin:/sbin"
target="$(realpath -m "${CARGO_TARGET_DIR:-target}")"

skip() { printf 'skipped: %s\n' "$*"; exit 0; }

why="$(tests/tools/docker-engine.sh 2>&1 | tail -n 1)" || skip "no Docker engine: $why"
own=(unshare --mount --net --pid --fork --kill-child --mount-proc)
why="$("${own[@]}" true 2>&1)" || skip "no Docker engine: no namespaces of our own: $why"
tests/tools/docker-compose.sh

program="${1:-}"
if [ -z "$program" ]; then
    cargo build --locked --quiet
    program="$target/debug/cruddur-ops"
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
# Runs a script of this folder in namespaces of its own, with a folder of its own.
inside() {
    mkdir "$work/$1"
    "${own[@]}" env -i PATH="$PATH" HOME="$work/$1" LANG=C.UTF-8 "tests/docker/$1" "$work/$1" "$(realpath "$program")" "$target/tools"
}
inside inside.sh
printf '\nagents of OpenTelemetry\n'
for tools in agent-images agent-apps; do
    why="$("tests/tools/$tools.sh" 2>&1 | tail -n 1)" || skip "no agents: $why"
done
inside agents.sh
