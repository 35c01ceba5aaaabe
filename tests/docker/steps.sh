# shellcheck shell=bash disable=SC2154 # $work and $logs are the caller's
# Sourced: what a test with a Docker engine says, and what it says when it fails.

began=${EPOCHREALTIME/./}
step() { printf '%6d ms  %s\n' $(((${EPOCHREALTIME/./} - began) / 1000)) "$*"; }

# Ends with the last lines of the logs $logs, files of $work without their `.log`.
fail() {
    printf 'failed: %s\n' "$*" >&2
    for log in "${logs[@]}"; do
        if [ -e "$work/$log.log" ]; then
            printf -- '-- %s\n' "$log" >&2
            tail -n 40 "$work/$log.log" >&2
        fi
    done
    exit 1
}

# Containers keep control groups that no namespace takes along.
leave() { docker compose down --timeout 1 --volumes >/dev/null 2>&1 || true; }
