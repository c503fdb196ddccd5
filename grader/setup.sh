#!/bin/sh
# setup.sh PURPOSE… - installs the Debian packages that are missing for these purposes (see packages.txt).
# Says what it will do first. Needs to be root or to have sudo; where neither works, prints the one command to run
# and exits with status 2.
set -eu

here=$(dirname "$0")
list=$here/packages.txt

say() { printf '%s\n' "setup: $*" >&2; }

wanted() {
    for purpose in "$@"; do
        awk -v purpose="$purpose" '!/^#/ && $2 == purpose { print $1 }' "$list"
    done
}

missing() {
    for package in $(wanted "$@"); do
        state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=absent
        [ "$state" = installed ] || printf '%s\n' "$package"
    done
}

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    # Not Debian: take the tools' own presence for an answer, and say once what is expected.
    say "this is not a Debian system; the packages expected here are, by their Debian names:"
    say "$(wanted "$@" | tr '\n' ' ')"
    say "install their like, then: touch build/.setup-*"
    exit 2
fi

packages=$(missing "$@" | tr '\n' ' ')
[ -n "$packages" ] || exit 0

command="apt-get install -y --no-install-recommends $packages"
if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    as_root=sudo
else
    say "these packages are missing, and this is neither root nor able to use sudo. Have someone run:"
    printf '    %s\n' "sudo apt-get update && sudo $command" >&2
    exit 2
fi

say "installing what is missing, once: $packages"
log=build/setup.log
mkdir -p build
export DEBIAN_FRONTEND=noninteractive
# The list of packages may be old or absent on a new machine, so it is fetched first.
if ! { $as_root apt-get update && $as_root env DEBIAN_FRONTEND=noninteractive $command; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    say "that did not work (all of it is in $log). Try it by hand:"
    printf '    %s\n' "sudo apt-get update && sudo $command" >&2
    exit 2
fi

left=$(missing "$@" | tr '\n' ' ')
if [ -n "$left" ]; then
    say "apt-get ended well, yet these are not installed: $left(see $log)"
    exit 2
fi
say "done."
