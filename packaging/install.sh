#!/bin/sh
# Installs cruddur-ops from a release: downloads the archive for this machine, checks it against its SHA-256 sum and its
# attestation, and only then installs the program. Needs curl or wget, tar, and sha256sum or shasum; to check the
# attestation, also GitHub's `gh`, signed in.
#
#   install.sh --from URL [--to FOLDER] [--repository OWNER/NAME] [--without-attestation]
#
# URL is the address of a release's files. OWNER/NAME is the repository whose release workflow built them; a URL at github.com
# already names it. The copy of this file in a release has both set.
set -eu

from="${CRUDDUR_OPS_FROM:-}"
to="${CRUDDUR_OPS_TO:-${HOME:+$HOME/.local/bin}}"
repository=""
attestation=checked

fail() {
    printf 'error: %s\n' "$1" >&2
    [ -z "${2:-}" ] || printf '  hint: %s\n' "$2" >&2
    exit "${3:-1}"
}

synopsis="install.sh --from URL [--to FOLDER] [--repository OWNER/NAME] [--without-attestation]"

usage() { fail "$1" "$synopsis" 2; }

has() { command -v "$1" >/dev/null 2>&1; }

# Prints what a release calls this machine.
platform() {
    case "$(uname -s) $(uname -m)" in
    "Linux x86_64" | "Linux amd64") echo x86_64-unknown-linux-musl ;;
    "Linux aarch64" | "Linux arm64") echo aarch64-unknown-linux-musl ;;
    "Darwin x86_64") echo x86_64-apple-darwin ;;
    "Darwin arm64") echo aarch64-apple-darwin ;;
    *) fail "there is no build for $(uname -s) $(uname -m)" "cargo install --path . --locked, in a copy of the sources" ;;
    esac
}

# A checksum that came over an unencrypted connection proves nothing. Text before an `@` is not the host, even if it looks
# like one.
trusted() {
    case "$1" in
    *@* | *[[:space:][:cntrl:]\\]*) ;;
    https://?*) return ;;
    http://?*)
        authority="${1#http://}"
        authority="${authority%%[/?#]*}"
        port="${authority##*[!0-9]}"
        case "$authority" in
        127.0.0.1 | localhost | "[::1]") return ;;
        "127.0.0.1:$port" | "localhost:$port" | "[::1]:$port") return ;;
        esac
        ;;
    esac
    fail "will not download from $1" "use an address that starts with https:// and has no @" 2
}

# wget would follow a redirect anywhere, so it takes one step at a time, and each step must lead to https.
by_wget() {
    wget --help 2>&1 | grep -q -e --max-redirect ||
        fail "this wget cannot limit redirects to https" "install curl"
    address="$1" steps=0
    while [ "$steps" -lt 10 ]; do
        if said="$(LC_ALL=C wget --server-response --max-redirect=0 --tries=3 --timeout=300 --output-document="$2" "$address" 2>&1)"; then
            return 0
        fi
        next="$(printf '%s\n' "$said" | sed -n 's/^ *[Ll]ocation: *\([^ ]*\).*/\1/p' | tail -n 1)"
        case "$next" in
        https://*) address="$next" ;;
        "") return 1 ;;
        *) fail "will not follow $address to $next" "use an address that redirects only to https://" ;;
        esac
        steps=$((steps + 1))
    done
    return 1
}

download() {
    if has curl; then
        curl --fail --silent --show-error --location --proto '=http,https' --proto-redir '=https' --retry 2 \
            --max-time 300 --output "$2" "$1"
    elif has wget; then
        by_wget "$1" "$2"
    else
        fail "curl or wget is needed to download"
    fi || fail "cannot download $1"
}

sum() {
    if has sha256sum; then
        sha256sum "$1"
    elif has shasum; then
        shasum -a 256 "$1"
    else
        fail "sha256sum or shasum is needed to check the download"
    fi
}

# The repository of a release at GitHub, from the address of its files.
repository_of() {
    case "$1" in
    https://github.com/*/*/releases/*)
        path="${1#https://github.com/}"
        printf '%s\n' "${path%%/releases/*}"
        ;;
    esac
}

# The checksum comes from the same place as the archive; the attestation is signed for the workflow that built the archive.
attested() {
    [ -n "$repository" ] || repository="$(repository_of "$from/")"
    case "$repository" in
    "") unattested "the repository that built it is unknown: --repository OWNER/NAME" && return ;;
    */*/* | -* | /* | */ | *[!A-Za-z0-9._/-]*) usage "$repository is not OWNER/NAME" ;;
    */*) ;;
    *) usage "$repository is not OWNER/NAME" ;;
    esac
    [ "$attestation" = checked ] || { unattested "because of --without-attestation" && return; }
    has gh || { unattested "gh is not installed" && return; }
    gh attestation verify --help 2>/dev/null | grep -q -e --signer-workflow ||
        { unattested "this gh is too old" && return; }
    gh auth token --hostname github.com >/dev/null 2>&1 || { unattested "gh is not signed in: gh auth login" && return; }
    GH_HOST=github.com gh attestation verify "$1" --repo "$repository" --deny-self-hosted-runners \
        --signer-workflow "$repository/.github/workflows/release.yml" >"$work/said" 2>&1 || {
        sed 's/^/  gh: /' "$work/said" >&2
        fail "the release workflow of $repository did not attest $from/${1##*/}" \
            "do not use it; if gh could not reach GitHub, --without-attestation skips this check"
    }
    printf 'built by the release workflow of %s, as its attestation says\n' "$repository"
}

unattested() { printf 'warning: the attestation was not checked: %s\n' "$1" >&2; }

main() {
    while [ $# -gt 0 ]; do
        case "$1" in
        --from | --to | --repository) [ $# -ge 2 ] || usage "$1 needs a value" ;;
        esac
        case "$1" in
        --from) from="$2" && shift 2 ;;
        --to) to="$2" && shift 2 ;;
        --repository) repository="$2" && shift 2 ;;
        --without-attestation) attestation=skipped && shift ;;
        -h | --help) printf 'Usage: %s\n' "$synopsis" && exit ;;
        *) usage "unknown argument $1" ;;
        esac
    done
    [ -n "$from" ] || usage "--from is missing"
    [ -n "$to" ] || usage "--to is missing, and there is no HOME"
    case "$to" in -*) to="./$to" ;; esac
    from="${from%/}"
    trusted "$from/"

    folder="cruddur-ops-$(platform)"
    archive="$folder.tar.gz"
    work="$(mktemp -d)"
    new=""
    trap 'rm -rf "$work"; [ -z "$new" ] || rm -f "$new"' EXIT
    trap 'exit 130' HUP INT TERM
    download "$from/$archive" "$work/$archive"
    download "$from/$archive.sha256" "$work/$archive.sha256"

    wanted="$(cut -d ' ' -f 1 "$work/$archive.sha256")"
    found="$(sum "$work/$archive")"
    found="${found%% *}"
    if [ "$wanted" != "$found" ]; then
        fail "the SHA-256 sum of $from/$archive is $found, not $wanted" \
            "download it again; if the sum is still wrong, do not use it"
    fi
    attested "$work/$archive"

    tar -xzf "$work/$archive" -C "$work" "$folder/cruddur-ops"
    mkdir -p "$to"
    [ ! -d "$to/cruddur-ops" ] || fail "$to/cruddur-ops is a folder" "remove it, or choose another place with --to"
    # Tried where it will be, because some machines run no program from their temporary folder. A rename in the same
    # folder: a running program is not in the way, and a half-written one is never started.
    new="$(mktemp "$to/.cruddur-ops.XXXXXX")"
    cp "$work/$folder/cruddur-ops" "$new"
    chmod 755 "$new"
    "$new" --version >/dev/null || fail "the program does not run on this machine"
    mv -f "$new" "$to/cruddur-ops"
    printf '%s is in %s\n' "$("$to/cruddur-ops" --version)" "$to"
    case ":$PATH:" in
    *":$to:"*) ;;
    *) printf 'add it to your PATH: export PATH="%s:%s"\n' "$to" "\$PATH" ;;
    esac
}

# In a function, so that an incomplete download of this file runs nothing.
main "$@"
