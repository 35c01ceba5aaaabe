#!/bin/sh
# Makes target/tools/node-sdk: the OpenTelemetry SDK for Node.js, for the tests that ask it what it makes of an environment.
# Does nothing when it is there already in this very version.
set -eu
cd "$(dirname "$0")/../.."
home="${CARGO_TARGET_DIR:-target}/tools/node-sdk"
# What version 0.78 of the zero-code agent for Node.js contains; it runs on Node.js 18.19 and later.
wanted="@opentelemetry/sdk-node@0.220.0 @opentelemetry/api@1.9.0"
if [ -d "$home/node_modules/@opentelemetry/sdk-node" ] && [ "$(cat "$home/wanted" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
rm -rf "$home"
mkdir -p "$home"
# shellcheck disable=SC2086
npm install --prefix "$home" --no-audit --no-fund --ignore-scripts --silent $wanted
printf '%s' "$wanted" >"$home/wanted"
