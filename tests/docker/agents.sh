#!/usr/bin/env bash
# Services that know nothing of tracing, traced by OpenTelemetry's own agents: `init` on an untouched sample, `docker compose up`,
# `verify --app` for each service that answers HTTP, one trace over all of them, and what people do with a stack that runs.
# Runs in the namespaces of run.sh. Usage: agents.sh WORK PROGRAM TOOLS
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
work="$1" program="$2" tools="$3"
. "$here/engine.sh"
. "$here/steps.sh"

logs=(init listen compose verify missing undo)
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
# Spans are sent at once, and a service ends when it has seen the gateway answer; nothing else differs from what a user has.
printf 'services:\n' >"$work/quick.yml"
for service in gateway orders menu prices prices-reloading shop packer stock; do
    printf '  %s:\n    environment:\n      OTEL_BSP_SCHEDULE_DELAY: "200"\n' "$service" >>"$work/quick.yml"
done
cat >>"$work/quick.yml" <<'EOF'
  checker:
    image: python:3.11-slim
    profiles: [check]
    command:
      - python3
      - -c
      - |
        import sys, time, urllib.request
        while True:
            try:
                urllib.request.urlopen("http://gateway:8080/basket/7", timeout=5)
                sys.exit(7)
            except OSError:
                time.sleep(0.2)
EOF
export COMPOSE_FILE="docker-compose.yml:$work/quick.yml"
trap leave EXIT
docker compose build >"$work/compose.log" 2>&1 || fail "the sample is not built"
step "the sample is built"

asked=$EPOCHSECONDS
"$program" init --yes --provider local >"$work/init.log" 2>&1 || fail init
step "init"
"$program" listen --json --containers >"$work/spans.log" 2>"$work/listen.log" &
listening=$!
docker compose up --detach --wait --no-color >"$work/compose.log" 2>&1 || fail "up --wait of the instrumented sample"
step "up --wait"
answers() { curl -fsS -m 5 -o /dev/null "$url"; }
within 180 answers || { docker compose logs >"$work/compose.log" 2>&1; fail "the sample does not answer: $(curl -s "$url")"; }
step "every service answers"
# The receiver says which of the wanted spans it has not seen yet.
seen() { python3 "$here/agents_trace.py" "$work/spans.log" >"$work/missing.log"; }
within 60 seen || fail "one trace over all services: $(cat "$work/missing.log")"
step "one trace over all services, $((EPOCHSECONDS - asked)) s after init began"

# The program's own proof that the service $1 sends the server span $3 for a request to $2.
proves() {
    "$program" verify --app "http://127.0.0.1:$2" --service "$1" --json --timeout 20s >"$work/verify.log" 2>/dev/null &&
        grep -qF "$3 (" "$work/verify.log"
}
prove_all() {
    proves gateway 8080/basket/7 'GET /basket/:id' && proves orders 8081/orders/7 'GET /orders/:id' &&
        proves menu 8082/menu/7 'GET /menu/:id' && proves prices 8083/prices/7 'GET /prices/{item}' &&
        proves shop 8084/items/7 'GET items/<int:item_id>' && proves stock 8085/stock/7 'GET /stock/{id}'
}
proves gateway 8080/basket/7 'GET /basket/:id' || fail "verify --app does not prove the gateway"
for service in orders menu prices prices-reloading shop packer stock; do
    grep -qw "$service" "$work/verify.log" || fail "verify --app does not follow the trace into $service"
done
prove_all || fail "verify --app does not prove a service"
step "verify --app proves the server span of every HTTP service under its name"

docker compose exec -T prices python3 -c \
    'import json, urllib.request; said = json.load(urllib.request.urlopen("http://127.0.0.1:8000/imported"))
assert said["protobuf"] == "4.25.3" and said["requests"] == "2.28.0", said
ran = said["own_sitecustomize_runs"].split()
assert len(ran) == len(set(ran)) > 0, said' || fail "the application does not import its own packages"
step "the application imports its own packages, its own sitecustomize runs once in each process"

# Requests to every service, one after the other, until $work/loading is gone; the statuses that are no 200 stay in $work/lost.log.
load() { while [ -e "$work/loading" ]; do curl -s -m 20 -o /dev/null -w '%{http_code}\n' "$url" | grep -v '^200$' >>"$work/lost.log" || true; done; }
containers() { docker compose ps --quiet | sort; }
# The files of the agents that are in use, each with its time.
copies() {
    for folder in python/opentelemetry nodejs/node_modules/@opentelemetry/api; do
        docker compose exec -T "otel-agent-${folder%%/*}" ls -lR --full-time "/otel-auto-instrumentation-$folder"
    done | sha256sum
}
own="$(containers)" copied="$(copies)"
touch "$work/loading" "$work/lost.log"
load &
loading=$!
docker compose up --detach --wait --no-color >"$work/compose.log" 2>&1 || fail "up a second time"
[ "$(containers)" = "$own" ] || fail "up a second time makes containers anew"
docker compose restart --timeout 1 otel-agent-python otel-agent-nodejs otel-agent-java >"$work/compose.log" 2>&1 || fail "restart of the agents"
docker compose up --detach --wait --no-color >"$work/compose.log" 2>&1 || fail "up after the restart of the agents"
rm "$work/loading"
wait "$loading"
[ ! -s "$work/lost.log" ] || fail "requests are lost while the agents are copied again: $(sort "$work/lost.log" | uniq -c)"
[ "$(copies)" = "$copied" ] || fail "an agent is copied over files in use"
step "up twice and agents restarted under load: the same containers, the same files, no request lost"

said="$(docker compose run --rm --no-TTY prices python3 -c 'import sys; print("opentelemetry" in sys.modules)' 2>"$work/compose.log")"
[ "$said" = True ] || fail "run SERVICE: $said"
docker compose restart --timeout 3 orders prices stock >"$work/compose.log" 2>&1 || fail "restart"
within 180 answers || fail "the sample does not answer after a restart"
prove_all || fail "verify --app does not prove a service after a restart"
step "run SERVICE, restart"

docker compose up --detach --wait --no-color --scale prices-reloading=2 >"$work/compose.log" 2>&1 || fail "up --scale"
# A request of its own trace to each of the two, by a Python without the agent, which would put its own trace in its place.
traced_replica() {
    local trace
    trace="$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')"
    docker compose exec -T --env PYTHONPATH= --index "$1" prices-reloading python3 -c "import urllib.request
urllib.request.urlopen(urllib.request.Request('http://127.0.0.1:8000/prices/1', headers={'traceparent': '00-$trace-00f067aa0ba902b7-01'}), timeout=5)" &&
        within 5 grep -q "$trace" "$work/spans.log"
}
for replica in 1 2; do within 60 traced_replica "$replica" || fail "replica $replica sends no span"; done
step "--scale 2: both are traced"

volumes() { docker volume ls --quiet --filter name=otel-agent | sed 's/.*otel-agent-/otel-agent-/' | sort | paste -sd,; }
before="$(volumes)"
docker tag "$images-python:$(sed -n 's/^python \([^ ]*\).*/\1/p' "$here/../tools/agent-images.txt")" "$images-python:next"
"$program" init --yes --provider local --agent-image "python=$images-python:next" >"$work/init.log" 2>&1 || fail "init with another image"
docker compose up --detach --wait --no-color >"$work/compose.log" 2>&1 || fail "up with another image"
[[ "$(volumes)" == *otel-agent-python-next* && "$(volumes)" == *"${before%%,*}"* ]] || fail "another image has no volume of its own: $(volumes)"
within 180 answers || fail "the sample does not answer with another image"
prove_all || fail "verify --app does not prove a service with another image"
step "a new tag: a volume of its own, every service proven again"

docker compose down --timeout 1 --volumes >"$work/compose.log" 2>&1
[[ "$(volumes)" != *next* ]] || fail "down -v leaves the volumes of the agents: $(volumes)"
code=0
timeout 300 docker compose --profile check up --no-color --timeout 1 --exit-code-from checker >"$work/compose.log" 2>&1 || code=$?
[ "$code" = 7 ] || fail "up --exit-code-from gives $code instead of 7 of the checker"
step "down -v; up --exit-code-from, with empty volumes, ends with the service that is named"

leave
kill "$listening"
wait "$listening" || true
for run in 1 2; do "$program" undo --yes >"$work/undo.log" 2>&1 || fail "undo $run"; done
diff -r "$work/untouched" "$work/project" >"$work/undo.log" || fail "undo leaves a difference"
step "undo gives every byte back"
