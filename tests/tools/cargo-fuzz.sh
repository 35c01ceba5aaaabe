#!/usr/bin/env bash
# Installs cargo-fuzz below target/tools, where tests/fuzz.sh looks for it.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools="$(realpath -m "${CARGO_TARGET_DIR:-target}")/tools/cargo-fuzz"

if [ ! -x "$tools/bin/cargo-fuzz" ]; then
    cargo install --quiet cargo-fuzz --locked --version 0.13.2 --root "$tools" --target-dir "$tools/build"
    rm -rf "$tools/build"
fi
