#!/usr/bin/env bash
# Installs cargo-deny below target/tools, where .ci/run looks for it.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools="$(realpath -m "${CARGO_TARGET_DIR:-target}")/tools/cargo-deny"
version=0.20.2

if [ "$("$tools/bin/cargo-deny" --version 2>/dev/null)" != "cargo-deny $version" ]; then
    cargo install --quiet cargo-deny --locked --version "$version" --root "$tools" --target-dir "$tools/build"
    rm -rf "$tools/build"
fi
