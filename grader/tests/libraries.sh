#!/bin/sh
# libraries.sh - `make libraries`: every reference as a shared object, build/libraries/NAME.so, from its own file and those
# it is built on, with nothing left undefined; so that another language can load it (its header is the contract). And all of
# them in one, build/libraries/all.so: no two may define the same name. Prints `N passed, N failed`.
set -u
BUILD=${BUILD:-build}
CC=${CC:-cc}
out=$BUILD/libraries
passed=0
failed=0

# The exercises that this one is built on, and those below, each once: ids.
below() { # id…
    for id in "$@"; do
        for need in $(sed -n 's/;.*//; s/^needs *= *//p' "grader/checks/$id/exercise.ini"); do
            echo "$need"
            below "$need"
        done
    done | sort -u
}

link() { # output id…
    made=$1
    shift
    sources=
    folders=
    for id in "$@"; do
        sources="$sources solutions/$id.c"
        folders="$folders -iquoteexercises/$id"
    done
    # shellcheck disable=SC2086 # the names are words
    if $CC -std=c17 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -O2 -g -fPIC -shared -pthread -Wl,-z,defs $folders \
        $sources -o "$made" 2>"$out/log"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "✗ $made: cannot be made"
        head -n 8 "$out/log"
    fi
}

mkdir -p "$out" || exit 2
set --
for ini in grader/checks/*/*/exercise.ini; do
    id=${ini#grader/checks/}
    id=${id%/exercise.ini}
    set -- "$@" "$id"
    # shellcheck disable=SC2046 # ids are words
    link "$out/${id##*/}.so" "$id" $(below "$id")
done
link "$out/all.so" "$@"
rm -f "$out/log"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
