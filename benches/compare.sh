#!/usr/bin/env bash
# Measures whole processes beside public tools, in turn and in one run, and prints the bars and figures as Markdown.
# Usage: benches/compare.sh [FOLDER]   FOLDER: projects for `doctor`, each a folder with a compose file somewhere below it
# Takes some minutes; a machine that does nothing else gives the steadiest figures. `OPS=PROGRAM` measures another build.
set -euo pipefail
cd "$(dirname "$0")/.."
target="${CARGO_TARGET_DIR:-target}"
home="$target/tools/bench"
wanted="zizmor==1.32.0 ruamel.yaml==0.19.1 yamlpath==3.9.1 yq==4.4.5 opentelemetry-sdk==1.45.1 opentelemetry-exporter-otlp-proto-http==1.45.1 rotel==0.0.1a15"

missing=()
for tool in curl jq git; do command -v "$tool" >/dev/null || missing+=("$tool"); done
[ -x /usr/bin/time ] || missing+=(time)
if [ ${#missing[@]} -gt 0 ]; then
    apt-get install --yes --no-install-recommends "${missing[@]}" >&2
fi

# yamlpath asks for a ruamel.yaml of its own, so it lives apart.
if [ "$(cat "$home/wanted" 2>/dev/null)" != "$wanted" ]; then
    rm -rf "$home"
    for name in python yamlpath; do python3 -m venv "$home/$name"; done
    read -ra packages <<<"$wanted"
    pip="-m pip --disable-pip-version-check --quiet install"
    for package in "${packages[@]}"; do
        case "$package" in
        yamlpath*) "$home/yamlpath/bin/python" $pip "$package" >&2 ;;
        *) "$home/python/bin/python" $pip "$package" >&2 ;;
        esac
    done
    printf '%s' "$wanted" >"$home/wanted"
fi

tests/tools/node-sdk.sh >&2
# Without Go its line is left out.
telemetrygen="github.com/open-telemetry/opentelemetry-collector-contrib/cmd/telemetrygen@v0.161.0"
if [ ! -x "$home/go/telemetrygen" ] && command -v go >/dev/null; then
    GOBIN="$(realpath -m "$home/go")" go install "$telemetrygen" >&2
fi

if [ -z "${OPS:-}" ]; then
    cargo build --locked --release >&2
    OPS="$target/release/cruddur-ops"
fi
exec python3 benches/compare.py "$(realpath "$OPS")" "$(realpath "$home")" ${1:+"$(realpath "$1")"}
