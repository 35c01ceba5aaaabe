#!/usr/bin/env bash
# Installs the system packages that the tests drive: a real keyring, a terminal, databases, Node.js, Python's YAML, what makes a
# system call fail, what libFuzzer is built with, what images are made of. No database is left running: each test starts its own.
set -euo pipefail

missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
need dbus-run-session dbus-daemon
need gnome-keyring-daemon gnome-keyring
need dbus-send dbus
need secret-tool libsecret-tools
need keyctl keyutils
need tmux tmux
need python3 python3
need c++ g++
need strace strace
need redis-server redis-server
need node nodejs
need npm npm
need mvn maven
need javac default-jdk-headless
need busybox busybox
need mmdebstrap mmdebstrap
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing+=(postgresql)

# Debian starts the services it installs, unless this program says no.
policy=/usr/sbin/policy-rc.d
if [ ${#missing[@]} -gt 0 ] && [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$policy"' EXIT
fi
if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}"
fi
python3 -c 'import yaml' 2>/dev/null || python3 -m pip install -q pyyaml
