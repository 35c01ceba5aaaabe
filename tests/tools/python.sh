#!/bin/sh
# Makes target/tools/python: a Python with the packages that the tests of instrumented applications import, and in its folder
# `wheels` the packages themselves, so that a test can install what a requirements file asks for without a network.
# Does nothing when it is there already with these very packages.
set -eu
cd "$(dirname "$0")/../.."
home="${CARGO_TARGET_DIR:-target}/tools/python"
wanted="$(cat <<'EOF'
flask==3.1.3
flask-cors==6.0.5
gunicorn==27.0.1
requests==2.34.2
opentelemetry-api==1.45.1
opentelemetry-sdk==1.45.1
opentelemetry-exporter-otlp-proto-http==1.45.1
opentelemetry-exporter-otlp-proto-grpc==1.45.1
opentelemetry-distro==0.66b1
opentelemetry-instrumentation-flask==0.66b1
opentelemetry-instrumentation-requests==0.66b1
opentelemetry-instrumentation-redis==0.66b1
opentelemetry-instrumentation-botocore==0.66b1
opentelemetry-instrumentation-celery==0.66b1
opentelemetry-instrumentation-psycopg==0.66b1
opentelemetry-instrumentation-psycopg2==0.66b1
opentelemetry-instrumentation-sqlalchemy==0.66b1
boto3
celery
flask-sqlalchemy
psycopg[binary]
psycopg-pool
psycopg2-binary
redis
sqlalchemy<2.1
aws-xray-sdk==2.15.0
rollbar==1.5.0
blinker
EOF
)"
if [ -x "$home/bin/python" ] && [ -d "$home/wheels" ] && [ "$(cat "$home/wanted" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
rm -rf "$home"
python3 -m venv "$home"
printf '%s\n' "$wanted" >"$home/requirements.txt"
pip="$home/bin/python -m pip --disable-pip-version-check --quiet"
$pip wheel --wheel-dir "$home/wheels" --requirement "$home/requirements.txt"
$pip install --no-index --find-links "$home/wheels" --requirement "$home/requirements.txt"
printf '%s' "$wanted" >"$home/wanted"
