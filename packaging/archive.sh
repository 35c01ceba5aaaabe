#!/bin/sh
# Packs one release archive and its checksum. Usage: archive.sh PROGRAM MANUAL TARGET OUT
# PROGRAM is built for TARGET and runs here; MANUAL is a folder of manual pages; OUT is where the archive goes.
set -eu
program="$1" manual="$2" target="$3" out="$4"
root="$(cd "$(dirname "$0")/.." && pwd)"
name="cruddur-ops-$target"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

mkdir -p "$work/$name/completions" "$out"
cp "$program" "$work/$name/cruddur-ops"
cp -R "$manual" "$work/$name/man"
cp "$root/README.md" "$root/CHANGELOG.md" "$root/LICENSE-MIT" "$root/LICENSE-APACHE" "$work/$name/"
for shell in bash zsh fish powershell; do
    "$program" completions "$shell" >"$work/$name/completions/cruddur-ops.$shell"
done

out="$(cd "$out" && pwd)"
tar -czf "$out/$name.tar.gz" -C "$work" "$name"
cd "$out"
if command -v sha256sum >/dev/null; then
    sha256sum "$name.tar.gz"
else
    shasum -a 256 "$name.tar.gz"
fi >"$name.tar.gz.sha256"
