#!/bin/sh
# Makes target/tools/sarif: the schema of SARIF 2.1.0, from a package that carries it, a Python that judges by it, and pre-commit.
# Does nothing when it is there already in this very version.
set -eu
cd "$(dirname "$0")/../.."
home="${CARGO_TARGET_DIR:-target}/tools/sarif"
wanted="@microsoft/jest-sarif@1.0.0-beta.0 jsonschema==4.25.1 pre-commit==4.5.0"
if [ -f "$home/schema.json" ] && [ "$(cat "$home/wanted" 2>/dev/null)" = "$wanted" ]; then
    exit 0
fi
rm -rf "$home"
mkdir -p "$home"
(cd "$home" && npm pack --silent "${wanted%% *}" && tar xzf ./*.tgz)
mv "$home/package/lib/schemas/sarif-2.1.0-rtm.5.json" "$home/schema.json"
rm -rf "$home/package" "$home"/*.tgz
python3 -m venv "$home/python"
# shellcheck disable=SC2086
"$home/python/bin/python" -m pip --disable-pip-version-check --quiet install ${wanted#* }
printf '%s' "$wanted" >"$home/wanted"
