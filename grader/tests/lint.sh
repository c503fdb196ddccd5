#!/bin/sh
# lint.sh - layout, lint and both compilers over every C file of ours. Bad inputs (grader/tests/data) are left as bad as
# they are. Prints what is wrong, then `N passed, N failed` (a file and a tool make one check). Exit 1 where any failed.
set -u

# Memory in large pieces: on a virtual machine, where a page fault is dear, clang-tidy takes half the time.
export GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.top_pad=33554432:glibc.malloc.mmap_threshold=33554432

# The flags that a file is compiled with, by where it lives.
flags_of() {
    case $1 in
    grader/src/* | grader/tests/*) echo "-D_GNU_SOURCE -Igrader/src" ;;
    grader/harness/*) echo "-D_GNU_SOURCE -Igrader/harness" ;;
    grader/checks/*)
        chapter=${1#grader/checks/} && chapter=${chapter%%/*}
        name=${1#grader/checks/"$chapter"/} && name=${name%%/*}
        echo "-D_POSIX_C_SOURCE=200809L -Igrader/harness $(include_dirs "$chapter/$name")" \
            "-iquotegrader/checks/$chapter/$name -iquotegrader/checks/$chapter" # what its checks share
        ;;
    exercises/*) echo "-D_POSIX_C_SOURCE=200809L $(include_dirs "$(dirname "${1#exercises/}")")" ;;
    book/measure/*) printf -- "-D_GNU_SOURCE -Isolutions"; printf " -iquote%s" exercises/*/*/; echo " $(linked "$1" --cflags)" ;;
    solutions/*) base=${1#solutions/} && echo "-D_POSIX_C_SOURCE=200809L $(include_dirs "${base%.c}")" ;;
    *) echo "-D_GNU_SOURCE" ;;
    esac
}

# The folder of an exercise's header and of the headers it is built on.
include_dirs() {
    printf -- '-iquoteexercises/%s ' "$1" # not -I: <semaphore.h> is the system's
    sed -n 's/^needs *= *\([^;]*\).*/\1/p' "grader/checks/$1/exercise.ini" 2>/dev/null | tr ' ' '\n' |
        sed -n 's|..*|-iquoteexercises/&|p' | tr '\n' ' '
}

# What a measurement is linked with beside the C library (book/measure.sh), as flags; fails where that is not installed.
linked() { # file, --cflags or --exists
    sed -n '1,40s/^ \* links: *//p' "$1" | tr ' ' '\n' | while read -r name; do
        case $name in -f*) [ "$2" = --exists ] || echo "$name" ;; -*) ;; ?*) pkg-config "$2" "$name" 2>/dev/null || exit 1 ;; esac
    done
}

# How far the analyzer follows a function: a third of its usual number of steps, for a quarter of the time; what it does
# last is to go through the same lines once more on yet another way. A test is a story told in order, with a check after
# each sentence, and to the analyzer each check is a fork of the way: there a seventh goes through it more than once.
depth_of() { # file
    case $1 in grader/checks/*/tests.c | grader/tests/test_*.c) nodes=30000 ;; *) nodes=75000 ;; esac
    echo "-Xclang -analyzer-config -Xclang max-nodes=$nodes"
}

check_one() { # tool file
    case $2 in book/measure/*) linked "$2" --exists || return 0 ;; esac # nothing to check it with
    # shellcheck disable=SC2046 # the flags are words
    case $1 in
    format) clang-format --dry-run -Werror "$2" ;;
    gcc) gcc -std=c17 -Wall -Wextra -Werror -O2 -fsyntax-only $(flags_of "$2") "$2" ;;
    # also clang's own warnings, as errors (.clang-tidy)
    tidy) clang-tidy --quiet "$2" -- -std=c17 -Wall -Wextra $(flags_of "$2") $(depth_of "$2") 2>/dev/null ;;
    cppcheck) cppcheck --quiet --std=c11 --enable=warning,portability,performance --inline-suppr --error-exitcode=1 \
        --suppress=missingIncludeSystem --suppress=unknownMacro -DSCENARIOS_END='{0,0,0}' \
        $(flags_of "$2" | sed 's/-iquote/-I/g; s/-fopenmp//g') "$2" ;;
    esac >"$3" 2>&1
}

if [ "${1-}" = --one ]; then # a worker: lint.sh --one TOOL FILE RESULT_DIR
    log=$4/$(printf '%s' "$2-$3" | tr '/' '_')
    if check_one "$2" "$3" "$log"; then
        rm -f "$log"
    else
        printf '✗ %s: %s\n' "$2" "$3" | cat - "$log" >"$log.failed"
    fi
    exit 0
fi

if [ "${1-}" = --formatted ]; then # a worker: lint.sh --formatted RESULT_DIR FILE…; one by one only where not all are
    results=$2
    shift 2
    clang-format --dry-run -Werror "$@" >/dev/null 2>&1 && exit 0
    for file; do "$0" --one format "$file" "$results"; done
    exit 0
fi

work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
jobs=$(nproc)

list() { git ls-files --cached --others --exclude-standard "$@" | while read -r file; do [ -f "$file" ] && printf '%s\n' "$file"; done; }

list '*.c' '*.h' ':!grader/tests/data' >"$work/all"
list '*.c' ':!grader/tests/data' ':!grader/explore/tests' ':!grader/checks/*/*/mutants' >"$work/sources"

mkdir "$work/results"
count=0
run() { # tool list
    count=$((count + $(wc -l <"$2")))
    xargs -P "$jobs" -I{} "$0" --one "$1" {} "$work/results" <"$2"
}
count=$(wc -l <"$work/all")
xargs -P "$jobs" -n 40 "$0" --formatted "$work/results" <"$work/all"
run gcc "$work/sources"
run cppcheck "$work/sources"
run tidy "$work/sources"

failed=0
for log in "$work"/results/*.failed; do
    [ -f "$log" ] || continue
    failed=$((failed + 1))
    head -n 30 "$log"
done
echo "$((count - failed)) passed, $failed failed"
[ "$failed" -eq 0 ]
