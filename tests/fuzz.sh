#!/usr/bin/env bash
# Fuzzes what reads foreign text, on a stable compiler. Usage: tests/fuzz.sh SECONDS [TARGET...]
#
# Each target gets its share of SECONDS and must keep its promise on every input; fuzz/seeds holds what it starts from,
# target/fuzz-corpus what it found on the way. FUZZ_SEED=NUMBER has it take the same way each time.
# Prints one line for each target; exits 1 if any input broke a promise.
set -euo pipefail
cd "$(dirname "$0")/.."
target="$(realpath -m "${CARGO_TARGET_DIR:-target}")"

seconds="${1:?usage: tests/fuzz.sh SECONDS [TARGET...]}"
shift
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
    mapfile -t targets < <(sed -n 's/^name = "\([a-z]*\)"$/\1/p' fuzz/Cargo.toml)
fi
each=$((seconds / ${#targets[@]}))
[ "$each" -gt 0 ] || each=1

tests/tools/cargo-fuzz.sh
# cargo-fuzz knows no --locked; what this accepts it builds.
cargo tree --quiet --locked --manifest-path fuzz/Cargo.toml >/dev/null
built="$target/fuzz"
PATH="$target/tools/cargo-fuzz/bin:$PATH" \
    cargo fuzz build --sanitizer none --codegen-units 16 --fuzz-dir fuzz --target-dir "$built" 2>"$target/fuzz-build.log" ||
    { cat "$target/fuzz-build.log" >&2; exit 2; }
programs="$(dirname "$(find "$built" -path '*release/interpolation' -type f | head -n 1)")"

failed=0
for name in "${targets[@]}"; do
    corpus="$target/fuzz-corpus/$name"
    found="$target/fuzz-found/$name/"
    log="$target/fuzz-$name.log"
    mkdir -p "$corpus" "$found"
    status=0
    RUST_BACKTRACE=0 "$programs/$name" "$corpus" "fuzz/seeds/$name" -seed="${FUZZ_SEED:-0}" -max_total_time="$each" \
        -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$found" >"$log" 2>&1 || status=$?
    runs="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)"
    peak="$(sed -n 's/^stat::peak_rss_mb: *//p' "$log" | tail -n 1)"
    if [ "$status" = 0 ]; then
        printf '%-14s %10s runs in %4s s, peak %s MB\n' "$name" "$runs" "$each" "$peak"
    else
        failed=1
        printf '%-14s broken, the input lies in %s:\n' "$name" "$found"
        grep -E 'panicked|ERROR' -A2 "$log" | head -n 12
    fi
done
exit "$failed"
