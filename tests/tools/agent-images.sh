#!/bin/sh
# Makes target/tools/agents/LANGUAGE: OpenTelemetry's zero-code agents, and beside each folder a .tar that `docker import` makes an
# image of. No image registry is asked: the packages come from PyPI, npm and Maven Central, and the layout is our idea of the
# published images' one (busybox with cp, /autoinstrumentation or /javaagent.jar, no user, everything readable by all).
# An agent whose pins and recipe have not changed is left as it is. What cannot be had is said on stderr.
set -eu
cd "$(dirname "$0")/../.."
recipe="$PWD/tests/tools/agent-images.sh"
pins="$PWD/tests/tools/agent-images.txt"
tools="$(realpath -m "${CARGO_TARGET_DIR:-target}")/tools"
home="$tools/agents"
mkdir -p "$home"

pin() { sed -n "s/^$1 //p" "$pins"; }
# The agent $1 is there, made by this recipe from these pins.
current() { [ -e "$home/$1.tar" ] && [ "$(cat "$home/$1.recipe" 2>/dev/null)" = "$(made_from "$1")" ]; }
made_from() { { pin "$1"; cat "$recipe"; } | sha256sum; }

# Packs the folder $2 with busybox as the image of agent $1.
pack() {
    root="$(mktemp -d "$home/root.XXXXXX")"
    mkdir -p "$root/bin" "$root/tmp"
    cp /bin/busybox "$root/bin/busybox"
    for name in sh cp mv cat touch mkdir test sleep ls chmod rm; do ln -s busybox "$root/bin/$name"; done
    chmod -R go+r "$2"
    tar -C "$root" --owner=0 --group=0 -cf "$home/$1.tar" bin tmp
    tar -C "$2" --owner=0 --group=0 --exclude=__pycache__ -rf "$home/$1.tar" .
    rm -rf "$root"
    made_from "$1" >"$home/$1.recipe"
}

make_python() {
    tag="$1" sdk="$2"
    tests/tools/python.sh
    set -- "opentelemetry-distro==$tag" "opentelemetry-exporter-otlp-proto-http==$sdk" \
        "opentelemetry-exporter-prometheus==$tag" "opentelemetry-propagator-b3==$sdk" "opentelemetry-propagator-jaeger==$sdk"
    for library in aio-pika aiohttp-client aiohttp-server aiokafka aiopg asgi asyncio asyncpg boto3sqs botocore cassandra celery \
        click confluent-kafka dbapi django falcon fastapi flask grpc httpx jinja2 kafka-python logging mysql mysqlclient pika \
        psycopg psycopg2 pymemcache pymongo pymssql pymysql pyramid redis remoulade requests sqlalchemy sqlite3 starlette \
        system-metrics threading tornado tortoiseorm urllib urllib3 wsgi; do
        set -- "$@" "opentelemetry-instrumentation-$library==$tag"
    done
    machine="$(uname -m)"
    # The published image is built with Python 3.14, once for each C library; an application may run another Python.
    for libc in "autoinstrumentation manylinux_2_28 manylinux_2_17 manylinux2014" "autoinstrumentation-musl musllinux_1_2 musllinux_1_1"; do
        folder="${libc%% *}"
        platforms=
        for platform in ${libc#* }; do platforms="$platforms --platform ${platform}_$machine"; done
        # shellcheck disable=SC2086 # one word per option
        "$tools/python/bin/python" -m pip install --quiet --disable-pip-version-check --no-warn-conflicts --no-compile --target "$home/python/$folder" \
            --python-version 3.14 --implementation cp --only-binary :all: $platforms "$@"
    done
}

make_nodejs() {
    folder="$home/nodejs/autoinstrumentation"
    mkdir -p "$folder"
    npm install --prefix "$folder" --no-audit --no-fund --ignore-scripts --silent \
        "@opentelemetry/auto-instrumentations-node@$1" "@opentelemetry/api@$2"
    cp -r "$folder/node_modules/@opentelemetry/auto-instrumentations-node/build/src/." "$folder"
    ln "$folder/register.js" "$folder/autoinstrumentation.js"
}

make_java() {
    command -v mvn >/dev/null || { echo "no mvn to get the Java agent with" >&2; return 1; }
    mkdir -p "$home/java"
    mvn --quiet --batch-mode dependency:copy -Dartifact="io.opentelemetry.javaagent:opentelemetry-javaagent:$1" \
        -DoutputDirectory="$home/java" -Dmdep.stripVersion=true
    mv "$home/java/opentelemetry-javaagent.jar" "$home/java/javaagent.jar"
}

for language in python nodejs java; do
    if current "$language"; then continue; fi
    if [ ! -x /bin/busybox ]; then
        apt-get install -qq -y --no-install-recommends busybox-static >/dev/null
    fi
    rm -rf "${home:?}/$language" "$home/$language.tar"
    # shellcheck disable=SC2046 # one word per version
    if "make_$language" $(pin "$language"); then
        pack "$language" "$home/$language"
    else
        echo "the agent for $language cannot be had here" >&2
    fi
done
