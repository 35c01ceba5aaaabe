#!/bin/sh
# GitHub's `gh` as its source says it behaves in a codespace; its memory is the folder STATE.
state='STATE'
mode=$(cat "$state/mode")

fail() {
    printf '%s\n' "$1" >&2
    exit "${2:-1}"
}

list() {
    separator=''
    printf '['
    for file in "$state"/ports/*; do
        [ -f "$file" ] || continue
        port=${file##*/}
        printf '%s{"browseUrl":"https://%s-%s.app.github.dev","label":"","sourcePort":%s,"visibility":"%s"}' \
            "$separator" "$codespace" "$port" "$port" "$(cat "$file")"
        separator=','
    done
    printf ']\n'
}

visibility() {
    for wanted in "$@"; do
        case $wanted in
        *:*:* | *[!0-9a-z:]*) fail "error parsing port arguments: invalid port visibility format for \"$wanted\"" ;;
        *:*) ;;
        *) fail "error parsing port arguments: invalid port visibility format for \"$wanted\"" ;;
        esac
    done
    for wanted in "$@"; do
        port=${wanted%%:*} word=${wanted#*:}
        [ -f "$state/ports/$port" ] || fail "error updating port $port to $word: error getting tunnel port: port not found"
        [ "$(cat "$state/ports/$port")" = "$word" ] && continue
        if [ "$mode" = policy ] && [ "$word" = public ]; then
            fail "error updating port $port to $word: error connecting to tunnel: error forwarding port: visibility $word is not allowed"
        fi
        # The time ran out, which it reports as success.
        [ "$mode" = stuck ] || printf '%s' "$word" >"$state/ports/$port"
    done
}

ports() {
    json='' codespace='' words=''
    while [ $# -gt 0 ]; do
        case $1 in
        --json) json=$2 && shift ;;
        -c | --codespace) codespace=$2 && shift ;;
        *) words="$words $1" ;;
        esac
        shift
    done
    # The variable is not looked at: without the flag it would ask which codespace is meant.
    [ -n "$codespace" ] || fail 'error choosing codespace: error getting answers: not a terminal'
    set -- $words
    if [ "$1" = visibility ]; then
        shift
        visibility "$@"
    elif [ "$json" = 'sourcePort,visibility,label,browseUrl' ]; then
        list
    else
        fail "unknown arguments $words"
    fi
}

secret() {
    action=$1 name=$2
    shift 2
    [ "$*" = '--user --app codespaces' ] || [ "$*" = '--user --app codespaces --repos me/app' ] ||
        fail "unknown arguments $*"
    [ "$mode" = unscoped ] &&
        fail 'failed to fetch public key: HTTP 403: Resource not accessible by integration (https://api.github.com/user/codespaces/secrets/public-key)'
    case $action in
    set) cat >"$state/secrets/$name" ;;
    delete)
        rm "$state/secrets/$name" 2>/dev/null ||
            fail "failed to delete secret $name: HTTP 404: Not Found (https://api.github.com/user/codespaces/secrets/$name)"
        ;;
    *) fail "unknown command $action" ;;
    esac
}

[ "$mode" = sleep ] && exec sleep 600
[ "$mode" = slow ] && sleep 1
printf '%s\n' "$*" >>"$state/calls"
[ "$mode" = signedout ] && fail 'To get started with GitHub CLI, please run:  gh auth login' 4
case "$1 $2" in
'codespace ports')
    shift 2
    ports "$@"
    ;;
'secret set' | 'secret delete')
    shift
    secret "$@"
    ;;
*) fail "unknown command $*" ;;
esac
