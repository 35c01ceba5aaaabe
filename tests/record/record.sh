#!/usr/bin/env bash
# Records `cruddur-ops try` in a real terminal and draws its result as tests/record/try.svg, which the README shows.
# Usage: tests/record/record.sh [PROGRAM]
#
# Runs in an empty home, with PATH as the only variable from outside: nothing personal can be seen.
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
    asciinema rec --quiet --cols 100 --rows 100 --command 'cruddur-ops try' "$work/try.cast" </dev/null)
python3 tests/record/still.py "$work/try.cast" 'cruddur-ops try' "$work" >"$work/still.cast"
"$target/tools/recorder/node_modules/.bin/svg-term" --in "$work/still.cast" --at 500 --out tests/record/try.svg --window --no-cursor
