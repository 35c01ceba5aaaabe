#!/bin/sh
# Makes target/tools/maturin: what builds the wheel of the program (packaging/wheel.sh).
# Does nothing when it is there already in this very version.
set -eu
cd "$(dirname "$0")/../.."
home="${CARGO_TARGET_DIR:-target}/tools/maturin"
wanted="maturin 1.16.0"
if [ "$("$home/bin/maturin" --version 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
rm -rf "$home"
python3 -m venv "$home"
"$home/bin/python" -m pip --disable-pip-version-check --quiet install "maturin==${wanted#maturin }"
