#!/bin/sh
# Ona's `gitpod`, as far as its documentation goes; its memory is the folder STATE.
state='STATE'
mode=$(cat "$state/mode")

fail() {
    printf '%s\n' "$1" >&2
    exit 1
}

open() {
    port=$1 name='' admission=everyone
    shift
    while [ $# -gt 0 ]; do
        case $1 in
        --name) name=$2 ;;
        --admission) admission=$2 ;;
        *) fail "unknown flag: $1" ;;
        esac
        shift 2
    done
    [ -n "$name" ] || fail 'required flag(s) "name" not set'
    [ "$port" -ge 1024 ] || fail 'port must be between 1024 and 65535'
    case $admission in
    creator_only | organization | everyone) ;;
    *) fail "invalid admission $admission" ;;
    esac
    [ "$mode" = policy ] && [ "$admission" = everyone ] && fail 'port sharing is disabled by your organization'
    [ "$mode" = stuck ] || printf '%s' "$admission" >"$state/ports/$port"
    echo "https://$port--an-environment.eu.gitpod.dev"
}

list() {
    if [ "$mode" = table ]; then
        echo 'PORT  NAME  ADMISSION'
        return
    fi
    separator=''
    printf '['
    for file in "$state"/ports/*; do
        [ -f "$file" ] || continue
        printf '%s{"port":%s,"admission":"%s"}' "$separator" "${file##*/}" "$(cat "$file")"
        separator=','
    done
    printf ']\n'
}

printf '%s\n' "$*" >>"$state/calls"
[ "$1 $2" = 'environment port' ] || fail "unknown command $*"
case $3 in
open)
    shift 3
    open "$@"
    ;;
list) list ;;
*) fail "unknown command $*" ;;
esac
