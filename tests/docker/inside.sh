#!/usr/bin/env bash
# The part of run.sh that runs in its namespaces. Usage: inside.sh WORK PROGRAM TOOLS
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
work="$1" program="$2" tools="$3"
. "$here/engine.sh"

url=http://127.0.0.1:4567/api/activities/home
began=${EPOCHREALTIME/./}
step() { printf '%6d ms  %s\n' $(((${EPOCHREALTIME/./} - began) / 1000)) "$*"; }

fail() {
    printf 'failed: %s\n' "$*" >&2
    for log in init verify listen compose; do
        if [ -e "$work/$log.log" ]; then
            printf -- '-- %s\n' "$log" >&2
            tail -n 40 "$work/$log.log" >&2
        fi
    done
    exit 1
}

# Containers keep control groups that no namespace takes along.
leave() { docker compose down --timeout 1 --volumes >/dev/null 2>&1 || true; }

start_engine || fail "the engine did not start"
step "engine $(docker version --format '{{.Server.Version}}')"
image="$(sed -n 's/^FROM //p' "$here/../../examples/cruddur/backend-flask/Dockerfile")"
import_base "$image"
step "base image, as $image"

cp -r "$here/../../examples/cruddur" "$work/project"
cp "$here/docker-compose.test.yml" "$work/"
cd "$work/project"
"$program" init --yes --provider local >"$work/init.log" 2>&1 || fail "init"
step init

# Where containers find this machine under the name host.docker.internal.
gateway="$(ip -4 -o address show docker0 | sed -n 's|.* inet \([0-9.]*\)/.*|\1|p')"
"$program" listen --json --bind "$gateway" >"$work/spans.json" 2>"$work/listen.log" &
export COMPOSE_FILE="docker-compose.yml:$work/docker-compose.test.yml"
trap leave EXIT
"$program" run -- docker compose up --build --no-color >"$work/compose.log" 2>&1 &
within 120 curl -fsS -m 2 "$url" || fail "the application does not answer at $url"
step "built, up, answering"

"$program" verify --app "$url" --service backend-flask --require queryable >"$work/verify.log" 2>&1 ||
    fail "verify --app did not find the container's spans"
step "spans of the request proven"
published="$(docker compose port backend-flask 4567)"
[ "$published" = 127.0.0.1:4567 ] || fail "the port is open beyond this machine: $published"
grep -q '"backend-flask"' "$work/spans.json" || fail "no span of backend-flask in what listen received"
leave
step down
cat "$work/verify.log"
