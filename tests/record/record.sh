#!/usr/bin/env bash
# Records `cruddur-ops try` in a real terminal and draws it as tests/record/try.svg, which the README shows.
# Usage: tests/record/record.sh [PROGRAM]
#
# Runs with no variable of the outside but PATH, in an empty home: nothing of whoever records can be seen.
set -euo pipefail
cd "$(dirname "$0")/../.."
target="$(realpath -m "${CARGO_TARGET_DIR:-target}")"
tests/tools/recorder.sh

program="${1:-}"
if [ -z "$program" ]; then
    cargo build --locked --quiet
    program="$target/debug/cruddur-ops"
fi

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/home"
ln -s "$(realpath "$program")" "$work/bin/cruddur-ops"

(cd "$work/home" && env -i PATH="$work/bin:$PATH" HOME="$work/home" TMPDIR="$work" LANG=C.UTF-8 TERM=xterm-256color SHELL=/bin/sh \
    asciinema rec --quiet --cols 100 --rows 32 --command 'cruddur-ops try' "$work/try.cast" </dev/null)
python3 tests/record/pace.py "$work/try.cast" '$ cruddur-ops try' "$work" >"$work/paced.cast"
"$target/tools/recorder/node_modules/.bin/svg-term" --in "$work/paced.cast" --out tests/record/try.svg --window --no-cursor
