#!/bin/sh
# Makes target/tools/agent-apps: what the sample of tests/docker/agents needs to be built and to run without a network. That is a root
# file system with Python, Node.js, Redis, a Java runtime and the wheels of the sample, the packages of its Node.js services,
# and its Java service as one .jar. Does nothing when it is there already, made from these very files.
set -eu
cd "$(dirname "$0")/../.."
sample="$PWD/tests/docker/agents"
home="$(realpath -m "${CARGO_TARGET_DIR:-target}")/tools/agent-apps"
recipe="$(cat tests/tools/agent-apps.sh "$sample"/*/requirements.txt "$sample"/*/package.json "$sample/stock/pom.xml" \
    "$sample"/stock/src/main/java/shop/*.java | sha256sum)"
if [ "$(cat "$home/recipe" 2>/dev/null)" = "$recipe" ]; then
    exit 0
fi
rm -rf "$home"
mkdir -p "$home/wheels"

for service in gateway orders menu; do
    mkdir -p "$home/$service"
    cp "$sample/$service/package.json" "$home/$service/"
    npm install --prefix "$home/$service" --no-audit --no-fund --ignore-scripts --silent
done

cp -r "$sample/stock" "$home/stock"
mvn --quiet --batch-mode --file "$home/stock/pom.xml" package >&2

for service in prices shop; do
    python3 -m pip download --quiet --disable-pip-version-check --dest "$home/wheels" --python-version 3.11 --only-binary :all: \
        --requirement "$sample/$service/requirements.txt"
done
# Debian's Python is 3.11.2, and redis asks for this below 3.11.3.
python3 -m pip download --quiet --disable-pip-version-check --dest "$home/wheels" async-timeout==5.0.1
# Unpacked, not configured: what runs here needs no more.
mmdebstrap --quiet --variant=extract --include=dash,coreutils,python3,python3-pip,nodejs,redis-server,openjdk-17-jre-headless \
    --extract-hook='ln -sf dash "$1/bin/sh"' \
    --extract-hook='ln -sf /usr/lib/jvm/java-17-openjdk-*/bin/java "$1/usr/bin/java"' \
    --extract-hook='rm -rf "$1/usr/share/doc" "$1/usr/share/locale" "$1/usr/share/man" "$1/usr/lib/gcc" "$1/usr/lib/x86_64-linux-gnu/perl"' \
    --extract-hook="copy-in '$home/wheels' /" \
    bookworm "$home/unpacked.tar" >&2
mv "$home/unpacked.tar" "$home/base.tar"
printf '%s' "$recipe" >"$home/recipe"
