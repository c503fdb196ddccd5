#!/bin/sh
# check.sh - fiber_check.c with this processor's assembly, with ucontext, and with AArch64's where a cross compiler and
# an emulator happen to be installed. Prints a line and fails where one of them fails.
set -u
cd "$(dirname "$0")/../.." || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
status=0

try() { # label runner compiler options
    label=$1
    runner=$2
    shift 2
    if ! "$@" -std=c17 -D_GNU_SOURCE -O2 -funwind-tables tests/fiber/fiber_check.c fiber_ucontext.c fiber_x86_64.S fiber_aarch64.S -o "$work/fiber"; then
        echo "✗ $label: does not compile"
        status=1
    elif ! timeout 60 $runner "$work/fiber"; then
        echo "✗ $label: the switch does not keep what it must"
        status=1
    fi
}

try "the switch of this processor" "" "${CC:-gcc}"
try "the switch by ucontext" "" "${CC:-gcc}" -DFIBER_UCONTEXT
for emulator in qemu-aarch64-static qemu-aarch64; do
    command -v aarch64-linux-gnu-gcc >/dev/null && command -v $emulator >/dev/null || continue
    try "the switch of AArch64" $emulator aarch64-linux-gnu-gcc -static
    break
done
exit $status
