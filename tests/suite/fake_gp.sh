#!/bin/sh
# Gitpod's `gp` as its source says it behaves; its memory is the folder STATE.
state='STATE'
mode=$(cat "$state/mode")

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

list() {
    for file in "$state"/repo/* "$state"/user/*; do
        [ -f "$file" ] || continue
        printf '%s=' "${file##*/}"
        sed 's/"/\\"/g' "$file"
        printf '\n'
    done
}

stripped() {
    value=$1
    for quote in '"' "'"; do
        while :; do
            case $value in
            "$quote"*) value=${value#"$quote"} ;;
            *"$quote") value=${value%"$quote"} ;;
            *) break ;;
            esac
        done
    done
    printf '%s' "$value" | sed 's/\\ / /g'
}

set_one() {
    [ -n "$1" ] || fail 'empty string (correct format is key=value)'
    case $1 in
    *=*) ;;
    *) fail "$1 has no equal character (correct format is $1=some_value)" ;;
    esac
    name=${1%%=*}
    value=$(stripped "${1#*=}")
    [ -n "$name" ] || fail 'variable must have a name'
    [ -n "$value" ] || fail 'variable must have a value; use -u to unset a variable'
    case $name in
    GITPOD_*) fail "jsonrpc2: code 400 message: Name with prefix 'GITPOD_' is reserved." ;;
    *[!A-Za-z0-9_]* | [0-9]*) fail 'jsonrpc2: code 400 message: Name must match /^[a-zA-Z_]+[a-zA-Z0-9_]*$/.' ;;
    esac
    if [ "$scope" = user ] && [ ! -f "$state/user/$name" ]; then
        fail "Can't automatically create env var \`$name\` for security reasons.
Please create the variable manually under https://gitpod.io/user/variables"
    fi
    printf '%s' "$value" >"$state/$scope/$name"
    [ "$mode" = lossy ] && printf 'changed' >"$state/$scope/$name"
    printf '%s=' "$name"
    sed 's/"/\\"/g' "$state/$scope/$name"
    printf '\n'
}

env_command() {
    scope=repo unset=
    while [ $# -gt 0 ]; do
        case $1 in
        -s | --scope)
            [ "$2" = user ] && scope=user || scope=repo
            shift
            ;;
        -u | --unset) unset=yes ;;
        *) break ;;
        esac
        shift
    done
    [ -n "$GITPOD_WORKSPACE_ID" ] || fail 'failed to fetch env vars from server: failed connecting to supervisor: connection refused'
    if [ $# -eq 0 ]; then
        list
        return
    fi
    for argument in "$@"; do
        if [ -z "$unset" ]; then
            set_one "$argument"
        elif [ -f "$state/repo/$argument" ]; then
            rm "$state/repo/$argument"
        else
            fail "jsonrpc2: code 404 message: cannot delete $argument"
        fi
    done
}

ports_list() {
    if [ "$mode" = panic ]; then
        printf 'panic: runtime error: invalid memory address or nil pointer dereference\n\ngoroutine 1 [running]:\n' >&2
        exit 2
    fi
    set -- "$state"/ports/*
    if [ ! -f "$1" ]; then
        echo 'No ports detected.'
        return
    fi
    echo '| PORT |     STATUS     | PROTOCOL |                 URL                 | NAME & DESCRIPTION |'
    echo '|------|----------------|----------|-------------------------------------|--------------------|'
    for file in "$@"; do
        port=${file##*/}
        visibility=$(cat "$file")
        if [ "$visibility" = unserved ]; then
            echo "| $port | not served |  |  |  |"
        else
            echo "| $port | open ($visibility) | http | https://$port-me-app.ws-eu11.gitpod.io | web: a | b |"
        fi
    done
}

ports_visibility() {
    port=${1%%:*} visibility=${1#*:}
    case $1 in
    *:*) ;;
    *) fail 'cannot parse args, should be something like `3000:public` or `3000:private`' ;;
    esac
    case $port in
    '' | *[!0-9]*) fail 'port should be integer' ;;
    esac
    case $visibility in
    public | private) ;;
    *) fail 'visibility should be `public` or `private`' ;;
    esac
    [ -n "$GITPOD_WORKSPACE_ID" ] || fail 'cannot get workspace info, failed connecting to supervisor'
    if [ "$mode" != stuck ] && [ "$(cat "$state/ports/$port" 2>/dev/null)" != unserved ]; then
        printf '%s' "$visibility" >"$state/ports/$port"
    fi
    echo "port $port is now $visibility"
}

[ "$mode" = sleep ] && exec sleep 600
[ "$mode" = slow ] && sleep 1
printf '%s\n' "$*" | sed 's/=.*/=…/' >>"$state/calls"
case "$1 $2" in
'env '*)
    shift
    env_command "$@"
    ;;
'ports list') ports_list ;;
'ports visibility') ports_visibility "$3" ;;
*) fail "unknown command $*" ;;
esac
