#!/bin/sh
# Builds the wheel of the program. Usage: wheel.sh OUT [MATURIN-ARGUMENT...]
# OUT is the folder for the wheel. Without arguments it is built for this machine, in the profile `release`. What cargo has
# built in the same profile and for the same target is not built again. Needs `maturin`, which tests/tools/maturin.sh installs.
set -eu
mkdir -p "$1"
out="$(cd "$1" && pwd)"
shift
root="$(cd "$(dirname "$0")/.." && pwd)"
target="${CARGO_TARGET_DIR:-$root/target}"
PATH="$target/tools/maturin/bin:$PATH"
[ $# -gt 0 ] || set -- --release
cd "$root/packaging"
exec maturin build --out "$out" "$@"
