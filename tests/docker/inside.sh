#!/usr/bin/env bash
# The part of run.sh that runs in its namespaces. Usage: inside.sh WORK PROGRAM TOOLS
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
work="$1" program="$2" tools="$3"
. "$here/engine.sh"

url=http://127.0.0.1:4567/api/activities/home
key=hcaik_01abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrst
trace=4bf92f3577b34da6a3ce929d0e0e4736
began=${EPOCHREALTIME/./}
step() { printf '%6d ms  %s\n' $(((${EPOCHREALTIME/./} - began) / 1000)) "$*"; }

fail() {
    printf 'failed: %s\n' "$*" >&2
    for log in init instrument listen spans compose verify; do
        if [ -e "$work/$log.log" ]; then
            printf -- '-- %s\n' "$log" >&2
            tail -n 40 "$work/$log.log" >&2
        fi
    done
    exit 1
}

# Containers keep control groups that no namespace takes along.
leave() { docker compose down --timeout 1 --volumes >/dev/null 2>&1 || true; }

if ! start_engine; then
    printf 'skipped: the Docker engine does not start here: %s\n' "$(tail -n 1 "$work/dockerd.log")"
    exit 0
fi
step "engine $(docker version --format '{{.Server.Version}}')"
image="$(sed -n 's/^FROM //p' "$here/../../examples/cruddur/backend-flask/Dockerfile")"
import_base "$image"
step "base image, as $image"

cp -r "$here/../../examples/cruddur" "$work/project"
cp "$here/docker-compose.test.yml" "$work/"
cd "$work/project"
printf '%s' "$key" | "$program" init --yes --provider otlp --endpoint http://host.docker.internal:4318 \
    --header x-honeycomb-team=HONEYCOMB_API_KEY --key-stdin --store dotenv --no-verify >"$work/init.log" 2>&1 || fail init
"$program" instrument span backend-flask/services/home_activities.py:HomeActivities.run --yes \
    --name home-activities-mock-data --attr 'app.now=now.isoformat()' >"$work/instrument.log" 2>&1 || fail "instrument span"
step "init, instrument span"

"$program" listen --json --bind 0.0.0.0 >"$work/spans.log" 2>"$work/listen.log" &
export COMPOSE_FILE="docker-compose.yml:$work/docker-compose.test.yml"
trap leave EXIT
"$program" run -- docker compose up --build --no-color >"$work/compose.log" 2>&1 &
within 120 curl -fsS -m 2 -o /dev/null "$url" || fail "the application does not answer at $url"
step "built, up, answering"

[ "$(docker compose exec -T backend-flask printenv OTEL_EXPORTER_OTLP_HEADERS)" = "x-honeycomb-team=$key" ] ||
    fail "the container was not given the stored key"
published="$(docker compose port backend-flask 4567)"
[ "$published" = 127.0.0.1:4567 ] || fail "the port is open beyond this machine: $published"

curl -fsS -o /dev/null -H "traceparent: 00-$trace-00f067aa0ba902b7-01" "$url" || fail "no answer to a traced request"
arrived() { grep "$trace" "$work/spans.log" | grep '"service":"backend-flask"' | grep -q "$1"; }
within 20 arrived '"http.route":"/api/activities/home"' || fail "no span of the traced request arrived"
within 20 arrived '"name":"home-activities-mock-data".*"app.now"' || fail "the span inside the request did not arrive"
step "the request's spans arrived"

"$program" verify --app "$url" --service backend-flask --require queryable >"$work/verify.log" 2>&1 ||
    fail "verify --app does not find the container's spans"
step "verify --app proves the same"
leave
step down
cat "$work/verify.log"
