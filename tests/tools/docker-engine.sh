#!/bin/sh
# Installs a Docker engine and makes target/tools/docker/base.tar: a root file system that stands in for the image the
# sample's Dockerfile names, with the packages it installs lying in /wheels, so that it builds without a network.
# Where that cannot be had, says why on stderr and exits 1.
set -eu
cd "$(dirname "$0")/../.."
target="${CARGO_TARGET_DIR:-target}"
home="$target/tools/docker"
suite=bookworm
python=3.11

give_up() { printf '%s\n' "$*" >&2; exit 1; }

[ "$(uname -s)" = Linux ] || give_up "an engine of our own needs Linux, this is $(uname -s)"
[ "$(id -u)" = 0 ] || give_up "starting an engine needs root"

PATH="$PATH:/usr/sbin:/sbin"
missing=
need() { command -v "$1" >/dev/null || missing="$missing $2"; }
need dockerd docker.io
need docker docker.io
need iptables iptables
need ip iproute2
need unshare util-linux
need curl curl
need mmdebstrap mmdebstrap
[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$missing debian-archive-keyring"
if [ -n "$missing" ]; then
    command -v apt-get >/dev/null || give_up "missing$missing, and there is no apt-get to install them with"
    apt-get update -qq || give_up "apt-get cannot reach its archive"
    # shellcheck disable=SC2086 # one word per package
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -qq -y --no-install-recommends $missing >/dev/null ||
        give_up "apt-get cannot install$missing"
fi

# The recipe is this file and the versions of the packages: another recipe, another image.
tests/tools/python.sh
versions="$target/tools/python/requirements.txt"
recipe="$(cat tests/tools/docker-engine.sh "$versions" | sha256sum)"
if [ -e "$home/base.tar" ] && [ "$(cat "$home/recipe" 2>/dev/null)" = "$recipe" ]; then
    exit 0
fi
rm -rf "$home"
mkdir -p "$home/wheels"
# A constraint names no extras.
sed 's/\[[^]]*\]//' "$versions" >"$home/constraints.txt"
"$target/tools/python/bin/python" -m pip download --quiet --disable-pip-version-check --dest "$home/wheels" \
    --python-version "$python" --only-binary :all: --constraint "$home/constraints.txt" \
    flask flask-cors requests \
    opentelemetry-api opentelemetry-sdk opentelemetry-exporter-otlp-proto-http \
    opentelemetry-instrumentation-flask opentelemetry-instrumentation-requests
# Unpacked, not configured: `sh` and `python3` need no more, and it takes seconds instead of minutes.
mmdebstrap --quiet --variant=extract --include=dash,coreutils,python3,python3-pip \
    --extract-hook='ln -sf dash "$1/bin/sh"' \
    --extract-hook="copy-in '$home/wheels' /" \
    "$suite" "$home/unpacked.tar" || give_up "mmdebstrap cannot make the base image"
mv "$home/unpacked.tar" "$home/base.tar"
printf '%s' "$recipe" >"$home/recipe"
