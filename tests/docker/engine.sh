# shellcheck shell=bash disable=SC2154 # $work and $tools are the caller's
# Sourced: a Docker engine in the folder $work, on a socket of its own, and the image the sample is built from.

# Starts the engine and points `docker` at it; fails, its log in $work/dockerd.log, if it does not answer.
start_engine() {
    ip link set lo up
    export DOCKER_HOST="unix://$work/docker.sock" DOCKER_CONFIG="$work/docker-config" DOCKER_BUILDKIT=0
    mkdir -p "$DOCKER_CONFIG/cli-plugins"
    ln -s "$tools/docker-compose" "$DOCKER_CONFIG/cli-plugins/docker-compose"
    # The engine's own default for open files is above what a machine without CAP_SYS_RESOURCE may raise.
    dockerd --data-root "$work/engine" --exec-root "$work/exec" --host "$DOCKER_HOST" --pidfile "$work/dockerd.pid" \
        --default-ulimit nofile=1024:1024 >"$work/dockerd.log" 2>&1 &
    engine=$!
    within 60 answers_or_ended && docker version >/dev/null 2>&1
}

answers_or_ended() { docker version || ! kill -0 "$engine"; }

# Imports the cached root file system under the name of the sample's base image.
import_base() {
    docker import \
        --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
        --change 'ENV PIP_NO_INDEX=1 PIP_FIND_LINKS=/wheels PIP_BREAK_SYSTEM_PACKAGES=1 PIP_ROOT_USER_ACTION=ignore' \
        "$tools/docker/base.tar" "$1" >/dev/null
}

# Waits up to $1 seconds for a command to succeed.
within() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        if [ "$SECONDS" -ge "$deadline" ]; then return 1; fi
        sleep 0.1
    done
}
