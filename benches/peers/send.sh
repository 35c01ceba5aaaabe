#!/usr/bin/env bash
# Sends one span with curl as a person would script it: ids and times of its own, and a look at the answer.
set -euo pipefail
hex() { od -An -tx1 -N"$1" /dev/urandom | tr -d ' \n'; }
now=$(date +%s%N)
body='{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"bench"}}]},
"scopeSpans":[{"spans":[{"traceId":"'$(hex 16)'","spanId":"'$(hex 8)'","name":"test","kind":1,
"startTimeUnixNano":"'$now'","endTimeUnixNano":"'$now'"}]}]}]}'
answer=$(curl -sS -w '\n%{http_code}' -H 'content-type: application/json' -d "$body" "$OTEL_EXPORTER_OTLP_ENDPOINT/v1/traces")
[ "${answer##*$'\n'}" = 200 ] && ! grep -q '"rejectedSpans":"\?[1-9]' <<<"$answer"
