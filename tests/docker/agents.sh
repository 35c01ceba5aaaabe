#!/usr/bin/env bash
# Services that know nothing of tracing, traced by OpenTelemetry's own agents: `init` on an untouched sample, `docker compose up`, one
# request, and one trace over all of them. Runs in the namespaces of run.sh. Usage: agents.sh WORK PROGRAM TOOLS
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
work="$1" program="$2" tools="$3"
. "$here/engine.sh"
. "$here/steps.sh"

logs=(init listen compose undo)
url=http://127.0.0.1:8080/basket/7
images=ghcr.io/open-telemetry/opentelemetry-operator/autoinstrumentation

# Imports the images of the sample and of the agents under the names they are published by.
import_images() {
    docker import \
        --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
        --change 'ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore' \
        "$tools/agent-apps/base.tar" python:3.11-slim >/dev/null
    for image in node:18-slim eclipse-temurin:17-jre redis:7; do docker tag python:3.11-slim "$image"; done
    while read -r language tag _; do
        docker import "$tools/agents/$language.tar" "$images-$language:$tag" >/dev/null
    done < <(grep -v '^#' "$here/../tools/agent-images.txt")
}

start_engine || { printf 'skipped: the Docker engine does not start here: %s\n' "$(tail -n 1 "$work/dockerd.log")"; exit 0; }
step "engine $(docker version --format '{{.Server.Version}}')"
import_images
step "images: $(docker images --format '{{.Repository}} {{.Size}}' | sed 's|.*/||' | sort -u | paste -sd,)"

cp -r "$here/agents" "$work/project"
for service in gateway orders menu; do cp -r "$tools/agent-apps/$service/node_modules" "$work/project/$service/"; done
mkdir -p "$work/project/stock/target"
cp "$tools/agent-apps/stock/target/stock.jar" "$work/project/stock/target/"
cp -r "$work/project" "$work/untouched"
cd "$work/project"
# Spans are sent at once; nothing else differs from what a user has.
printf 'services:\n' >"$work/quick.yml"
for service in gateway orders menu prices prices-reloading shop packer stock; do
    printf '  %s:\n    environment:\n      OTEL_BSP_SCHEDULE_DELAY: "200"\n' "$service" >>"$work/quick.yml"
done
export COMPOSE_FILE="docker-compose.yml:$work/quick.yml"
trap leave EXIT
docker compose build >"$work/compose.log" 2>&1 || fail "the sample is not built"
step "the sample is built"

asked=$EPOCHSECONDS
"$program" init --yes --provider local >"$work/init.log" 2>&1 || fail init
step "init"
"$program" listen --json --containers >"$work/spans.log" 2>"$work/listen.log" &
listening=$!
docker compose up --detach --no-color >"$work/compose.log" 2>&1 || fail "the instrumented sample does not start"
step "up"
within 90 curl -fsS -m 5 -o /dev/null "$url" || { docker compose logs >"$work/compose.log" 2>&1; fail "the sample does not answer: $(curl -s "$url")"; }
step "every service answers"
# The receiver says which of the wanted spans it has not seen yet.
seen() { python3 "$here/agents_trace.py" "$work/spans.log" >"$work/missing.log"; }
within 40 seen || fail "one trace over all services: $(cat "$work/missing.log")"
step "one trace over all services, $((EPOCHSECONDS - asked)) s after init began"

docker compose exec -T prices python3 -c \
    'import json, urllib.request; said = json.load(urllib.request.urlopen("http://127.0.0.1:8000/imported"))
assert said["protobuf"] == "4.25.3" and said["requests"] == "2.28.0", said
ran = said["own_sitecustomize_runs"].split()
assert len(ran) == len(set(ran)) > 0, said' || fail "the application does not import its own packages"
step "the application imports its own packages, its own sitecustomize runs once in each process"

docker compose down --timeout 1 --volumes >"$work/compose.log" 2>&1
kill "$listening"
wait "$listening" || true
"$program" undo --yes >"$work/undo.log" 2>&1 || fail undo
diff -r "$work/untouched" "$work/project" >"$work/undo.log" || fail "undo leaves a difference"
step "undo gives every byte back"
