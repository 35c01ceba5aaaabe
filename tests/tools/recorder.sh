#!/bin/sh
# Makes target/tools/recorder: asciinema, which records a terminal, and svg-term, which draws what it recorded.
set -eu
cd "$(dirname "$0")/../.."
home="${CARGO_TARGET_DIR:-target}/tools/recorder"
if ! command -v asciinema >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -qq -y --no-install-recommends asciinema >/dev/null
fi
wanted=svg-term-cli@2.1.1
if [ "$(cat "$home/wanted" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
rm -rf "$home"
mkdir -p "$home"
npm install --silent --no-audit --no-fund --prefix "$home" "$wanted"
printf '%s' "$wanted" >"$home/wanted"
