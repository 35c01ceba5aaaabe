#!/bin/sh
# Makes target/tools/package-managers: uv, Poetry, pipenv and PDM, for the tests that install what a project's own lock file says,
# and in its folder `wheels` what they ask an index for besides the wheels of tests/tools/python.sh.
# Does nothing when it is there already in these very versions.
set -eu
cd "$(dirname "$0")/../.."
home="${CARGO_TARGET_DIR:-target}/tools/package-managers"
wanted="$(cat <<'END'
uv==0.9.13
poetry==2.2.1
pipenv==2025.0.4
END
)"
# Dependencies of Flask and of the exporter on other systems and older Pythons: a lock file names them too.
others="colorama==0.4.6 importlib-metadata==8.7.0 zipp==3.23.0 setuptools==80.9.0 wheel==0.45.1 pip==25.3"
if [ -x "$home/bin/uv" ] && [ -d "$home/wheels" ] && [ "$(cat "$home/wanted" 2>/dev/null)" = "$wanted $others" ]; then
    exit 0
fi
rm -rf "$home"
python3 -m venv "$home"
pip="$home/bin/python -m pip --disable-pip-version-check --quiet"
# shellcheck disable=SC2086
$pip install $wanted
# shellcheck disable=SC2086
$pip download --no-deps --only-binary :all: --dest "$home/wheels" $others
printf '%s' "$wanted $others" >"$home/wanted"
