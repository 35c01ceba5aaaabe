# shellcheck shell=bash disable=SC2154 # the variables and functions of inside.sh
# Sourced by inside.sh, with the sample up: `verify --app --tap` with a real engine. A receiver on port 4318 stands for the
# provider; the one that is there refuses with 401.

state="$HOME/.local/state/cruddur-ops/copies"
copies() { docker ps --all --quiet --filter label=cruddur-ops.copy; }
records() { find "$state" -type f 2>/dev/null; }
clean() { [ -z "$(copies)" ] && [ -z "$(records)" ]; }
receive() {
    kill "$receiving" 2>/dev/null || true
    wait "$receiving" 2>/dev/null || true
    "$@" &
    receiving=$!
    within 60 curl -s -o /dev/null http://127.0.0.1:4318 || fail "the receiver of the tap does not start: $*"
}
# What a POST of nothing to the relay is answered, from a container, a host or this machine.
post='import sys, urllib.request, urllib.error
try:
    print(urllib.request.urlopen(urllib.request.Request(sys.argv[1], b"", {"content-type": "application/x-protobuf"}), timeout=5).status)
except urllib.error.HTTPError as error:
    print(error.code)
except OSError as error:
    print("no connection")'
tap=("$program" verify --app "$url" --service backend-flask --tap)

own="$(docker ps --all --quiet --no-trunc | sort)"

"${tap[@]}" --json >"$work/tap.log" 2>&1 && fail "an export that the provider refuses with 401 is no proof"
grep -q '"code": *"key-rejected"' "$work/tap.log" || fail "the 401 of the provider is not the verdict of the tap"
clean || fail "a tap that was refused leaves something behind"
step "a tap names the provider's 401"

receive python3 "$here/refuse.py" 4318 503
"${tap[@]}" --timeout 60s >"$work/tap.log" 2>&1 &
tapping=$!
has_copy() { [ -n "$(copies)" ] && docker inspect "$(copies)" >/dev/null; }
within 60 has_copy || fail "no second container was started"
copy="$(copies)"
endpoint="$(docker inspect "$copy" --format '{{range .Config.Env}}{{println .}}{{end}}' | sed -n 's/^OTEL_EXPORTER_OTLP_ENDPOINT=//p')/v1/traces"
[ "$(stat -c %a "$(records)")" = 600 ] || fail "others may read the record of a second container"
grep -rq "$key" "$state" && fail "the key stands in the record of a second container"
from_copy() { [ "$(docker exec "$copy" python3 -c "$post" "$endpoint")" = 503 ]; }
within 60 from_copy || fail "the second container does not get the provider's answer through $endpoint"
answer="$(docker compose exec -T bystander python3 -c "$post" "$endpoint")"
[ "$answer" = 403 ] || fail "another container gets $answer from the relay"
answer="$(docker compose exec -T backend-flask python3 -c "$post" "$endpoint")"
[ "$answer" = 403 ] || fail "the service's own container gets $answer from the relay"
answer="$(python3 -c "$post" "$endpoint")"
[ "$answer" = 403 ] || fail "this machine gets $answer from the relay"
port="$(sed 's,.*:\([0-9]*\)/.*,\1,' <<<"$endpoint")"
answer="$(python3 -c "$post" "http://127.0.0.1:$port/v1/traces")"
[ "$answer" = "no connection" ] || fail "the relay listens on another address, too: $answer"
step "the relay takes its own container and nobody else"

kill -KILL "$tapping"
wait "$tapping" 2>/dev/null || true
[ "$(copies)" = "$copy" ] || fail "the second container did not outlive a kill"
"$program" ports >"$work/tap.log" 2>&1 || fail "ports after a kill"
clean || fail "the next command left what a killed tap had started"
[ "$(docker ps --all --quiet --no-trunc | sort)" = "$own" ] || fail "the project's containers are others than before"
step "the next command removes what a kill left"

receive "$program" listen --json --containers >"$work/spans.log" 2>"$work/listen.log"
"${tap[@]}" --json >"$work/tap.log" 2>"$work/tap-talk.log" || fail "the container's spans do not get through the tap"
tapped="$(sed -n 's/.*"trace_id": *"\([0-9a-f]*\)".*/\1/p' "$work/tap.log" | head -n 1)"
[ -n "$tapped" ] || fail "the verdict of the tap names no trace"
through() { grep "$tapped" "$work/spans.log" | grep -q '"service":"backend-flask"'; }
within 60 through || fail "the receiver behind the tap has no span of the trace"
grep -q '"witness": *"tap"' "$work/tap.log" || fail "the verdict does not name its witness"
"${tap[@]}" >"$work/tap-drawn.log" 2>&1 || fail "a second tap"
clean || fail "a tap leaves something behind"
[ "$(docker ps --all --quiet --no-trunc | sort)" = "$own" ] || fail "a tap touched the project's containers"
grep -q "$key" "$work"/*.log && fail "the key stands in an output of the tap"
step "a container's spans went through the tap and were accepted, nothing is left"

# A worker: no port, so no request could tell a second container of it from the first.
cat >"$work/worker.yml" <<'YAML'
services:
  worker:
    image: project-backend-flask
    pull_policy: never
    stop_signal: SIGKILL
    extra_hosts: ["host.docker.internal:host-gateway"]
    environment:
      OTEL_SERVICE_NAME: worker
      OTEL_EXPORTER_OTLP_ENDPOINT: http://host.docker.internal:4318
      OTEL_EXPORTER_OTLP_HEADERS: "x-honeycomb-team=${HONEYCOMB_API_KEY}"
    command:
      - python3
      - -c
      - |
        import time
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        provider = TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        while True:
            with provider.get_tracer("worker").start_as_current_span("job"):
                time.sleep(0.2)
YAML
export COMPOSE_FILE="$COMPOSE_FILE:$work/worker.yml"
logs+=(worker worker-talk)
worker() { docker compose ps --all --quiet --no-trunc worker; }
digest() { docker inspect "$(worker)" --format '{{index .Config.Labels "com.docker.compose.config-hash"}}'; }
others() { docker ps --all --quiet --no-trunc | grep -v "$(worker)" | sort; }
endpoint_of_worker() { docker compose exec -T worker printenv OTEL_EXPORTER_OTLP_ENDPOINT; }
its_own() { [ "$(endpoint_of_worker)" = http://host.docker.internal:4318 ] && [ "$(digest)" = "$made" ]; }
"$program" run -- docker compose up --detach --no-deps worker >"$work/compose.log" 2>&1 || fail "the worker does not start"
first="$(worker)" made="$(digest)" own="$(others)"
taps=("$program" verify --app --service worker --tap)

"${taps[@]}" >"$work/worker.log" 2>&1 || fail "a worker that nothing asks fails without --strict"
[ "$(worker)" = "$first" ] || fail "the worker was replaced without a yes"
step "no container is replaced without a yes that names it"

receive python3 "$here/refuse.py" 4318 503
"${taps[@]}" --recreate worker --timeout 60s >"$work/worker.log" 2>&1 &
tapping=$!
# Docker compose creates the new container before it removes the old one.
replaced() { [ "$(docker inspect "$(copies)" --format '{{.Id}} {{.State.Running}}')" = "$(worker) true" ]; }
within 60 replaced || fail "the worker was not replaced by one container: $(worker)"
endpoint="$(endpoint_of_worker)/v1/traces"
from_worker() { [ "$(docker compose exec -T worker python3 -c "$post" "$endpoint")" = 503 ]; }
within 60 from_worker || fail "the worker does not get the provider's answer through $endpoint"
answer="$(docker compose exec -T bystander python3 -c "$post" "$endpoint")"
[ "$answer" = 403 ] || fail "another container gets $answer from the relay of the worker"
grep -rq "$key" "$state" && fail "the key stands in the record of a replaced container"
kill -KILL "$tapping"
wait "$tapping" 2>/dev/null || true
its_own && fail "the tapped worker did not outlive a kill"
"$program" ports >"$work/worker.log" 2>&1 || fail "ports after a kill"
clean || fail "the next command left a tapped worker"
its_own || fail "the next command did not make the worker's own container again"
[ "$(others)" = "$own" ] || fail "another container than the worker's is not what it was"
again="$(worker)"
"$program" run -- docker compose up --detach --no-deps worker >"$work/compose.log" 2>&1
[ "$(worker)" = "$again" ] || fail "what was put back is not what docker compose would make"
step "the next command puts back what a killed tap had replaced"

receive python3 "$here/refuse.py" 4318 401
"${taps[@]}" --recreate worker --json >"$work/worker.log" 2>"$work/worker-talk.log" && fail "a refused worker is no proof"
grep -q '"code": *"key-rejected"' "$work/worker.log" || fail "the 401 of the provider is not the verdict on the worker"
receive "$program" listen --json --containers >"$work/spans.log" 2>"$work/listen.log"
"${taps[@]}" --recreate worker --json >"$work/worker.log" 2>"$work/worker-talk.log" || fail "the worker's spans do not get through the tap"
grep -q '"witness": *"tap"' "$work/worker.log" || fail "the verdict on the worker does not name its witness"
grep -q '"proven": *"accepted"' "$work/worker.log" || fail "the worker's spans were not accepted"
arrived() { grep -q '"service":"worker"' "$work/spans.log"; }
within 60 arrived || fail "the receiver behind the tap has no span of the worker"
clean || fail "a tap of a worker leaves something behind"
its_own || fail "the worker's own container was not made again"
[ "$(others)" = "$own" ] || fail "a tap of a worker touched another container"
grep -q "$key" "$work"/*.log && fail "the key stands in an output of a worker's tap"
step "a worker's spans went through the tap in the place of its own container, which is back"
kill "$receiving"
