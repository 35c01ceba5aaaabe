#!/usr/bin/env bash
# The part of run.sh that runs in its namespaces. Usage: inside.sh WORK PROGRAM TOOLS
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
work="$1" program="$2" tools="$3"
. "$here/engine.sh"
. "$here/steps.sh"

url=http://127.0.0.1:4567/api/activities/home
key=hcaik_01abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrst
trace=4bf92f3577b34da6a3ce929d0e0e4736
logs=(init instrument listen spans compose stale verify refused restart tap)

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
export COMPOSE_FILE="docker-compose.yml:$work/docker-compose.test.yml"
trap leave EXIT
docker compose up --detach --build --no-color >"$work/compose.log" 2>&1 || fail "the untouched sample does not start"
within 60 curl -fsS -m 2 -o /dev/null "$url" || fail "the untouched sample does not answer"
step "the sample as it was, built, up, answering"

printf '%s' "$key" | "$program" init --yes --key-stdin --store dotenv --no-verify >"$work/init.log" 2>&1 || fail init
"$program" init --yes --provider local >>"$work/init.log" 2>&1 || fail "init --provider local"
grep -q -- "docker compose up --detach --build --no-deps --force-recreate backend-flask$" "$work/init.log" ||
    fail "init does not name the container that runs with what was there before"
"$program" instrument span backend-flask/services/home_activities.py:HomeActivities.run --yes \
    --name home-activities-mock-data --attr 'app.now=now.isoformat()' >"$work/instrument.log" 2>&1 || fail "instrument span"
step "init, instrument span"

"$program" listen --json --containers >"$work/spans.log" 2>"$work/listen.log" &
listening=$!
"$program" verify --app "$url" --timeout 3s >"$work/stale.log" 2>&1 && fail "the old container is no proof"
tr -s ' \n' ' ' <"$work/stale.log" | grep -q "not restarted since its configuration changed" || fail "the old container is not named"
step "the container from before init is named"

bystander="$(docker compose ps --quiet bystander)"
"$program" run -- docker compose up --build --no-color >"$work/compose.log" 2>&1 &
given() { [ "$(docker compose exec -T backend-flask printenv STORED_KEY)" = "$key" ]; }
within 120 given || fail "the container was not given the stored key"
within 60 curl -fsS -m 2 -o /dev/null "$url" || fail "the application does not answer at $url"
step "built, up with the stored key, answering"

docker compose exec -T backend-flask printenv OTEL_EXPORTER_OTLP_HEADERS >/dev/null && fail "the header of the provider before is still there"
published="$(docker compose port backend-flask 4567)"
[ "$published" = 127.0.0.1:4567 ] || fail "the port is open beyond this machine: $published"

curl -fsS -o /dev/null -H "traceparent: 00-$trace-00f067aa0ba902b7-01" "$url" || fail "no answer to a traced request"
arrived() { grep "$trace" "$work/spans.log" | grep '"service":"backend-flask"' | grep -q "$1"; }
within 60 arrived '"http.route":"/api/activities/home"' || fail "no span of the traced request arrived"
within 60 arrived '"name":"home-activities-mock-data".*"app.now"' || fail "the span inside the request did not arrive"
step "the request's spans arrived"

"$program" verify --app "$url" --service backend-flask --require queryable >"$work/verify.log" 2>&1 ||
    fail "verify --app does not find the container's spans"
step "verify --app proves the same"

kill "$listening"
wait "$listening" || true
python3 "$here/refuse.py" 4318 401 &
receiving=$!
within 60 curl -s -o /dev/null http://127.0.0.1:4318 || fail "the refusing receiver does not start"
"$program" verify --app "$url" --timeout 6s >"$work/refused.log" 2>&1 && fail "a refused export is no proof"
tr -s ' \n' ' ' <"$work/refused.log" | grep -q "its log says that the receiver answers 401" ||
    fail "the refusal in the container's log is not named"
step "the 401 in the container's log is named"

sed -i 's/OTEL_SERVICE_NAME: .*/&\n      ROUND: "2"/' docker-compose.yml
"$program" verify --app "$url" --timeout 20s --restart >"$work/restart.log" 2>&1 || true
[ "$(docker compose exec -T backend-flask printenv ROUND)" = 2 ] || fail "the service was not restarted"
[ "$(docker compose ps --quiet bystander)" = "$bystander" ] || fail "a service that did not change was restarted"
sed -i '/OTEL_SERVICE_NAME/d' docker-compose.yml
"$program" init --yes --restart --provider local >>"$work/restart.log" 2>&1 || fail "init --restart"
[ "$(docker compose exec -T backend-flask printenv OTEL_SERVICE_NAME)" = backend-flask ] ||
    fail "init --restart left the service as it was"
grep -q "$key" "$work"/*.log && fail "the key stands in an output"
step "verify --app and init restart what changed alone"

. "$here/tap.sh"
leave
step down
cat "$work/verify.log"
