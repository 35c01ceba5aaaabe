#!/bin/sh
# Installs Chromium and makes target/tools/browser: what drives it, for the tests of the page. Does nothing when both are there
# already in this very version.
set -eu
cd "$(dirname "$0")/../.."
home="${CARGO_TARGET_DIR:-target}/tools/browser"
wanted="playwright-core@1.65.1"
if ! command -v chromium >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-liberation
fi
if [ -d "$home/node_modules/playwright-core" ] && [ "$(cat "$home/wanted" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
rm -rf "$home"
mkdir -p "$home"
npm install --prefix "$home" --no-audit --no-fund --ignore-scripts --silent "$wanted"
printf '%s' "$wanted" >"$home/wanted"
