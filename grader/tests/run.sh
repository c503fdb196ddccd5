#!/bin/sh
# run.sh - all of the project's checks on itself, one section after another; each section ends with its own
# `N passed, N failed`, and the last line of all is their sum. A section that cannot run counts as one failure.
# What failed is said where it failed, and a line of each again at the end, where whoever reads a long log looks first.
# Sections named on the command line run alone: run.sh unit lint.
set -u

passed=0
failed=0
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

section() { # name, command…
    name=$1
    shift
    [ -z "$only" ] || case " $only " in *" $name "*) ;; *) return ;; esac
    printf '\n== %s\n' "$name"
    began=$(date +%s)
    "$@" >"$work/log" 2>&1
    status=$?
    sums=$(sed -n 's/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed$/\1 \2/p' "$work/log" | tail -n 1)
    good=${sums% *}
    bad=${sums#* }
    if [ -z "$sums" ]; then
        good=0 bad=1
        tail -n 40 "$work/log"
        echo "✗ this section did not say what it checked (exit status $status)" >>"$work/log"
        echo "this section did not say what it checked (exit status $status)"
    elif [ "$bad" -gt 0 ] || [ "$status" -ne 0 ]; then
        tail -n 200 "$work/log"
        [ "$bad" -gt 0 ] || bad=1
    fi
    [ "$bad" -eq 0 ] || {
        echo "-- $name: $bad failed"
        grep -a -e '^ *✗' -e '\[FAIL\]' -e '\[----\]' -e 'ERROR: .*Sanitizer' -e '^Direct leak' -e 'runtime error' "$work/log" | cut -c 1-240 | head -n 20
    } >>"$work/again"
    passed=$((passed + good))
    failed=$((failed + bad))
    printf '   %s: %d passed, %d failed (%d s)\n' "$name" "$good" "$bad" "$(($(date +%s) - began))"
}

# Criterion's own summary, in the words that section() reads.
unit() { # program
    rm -f "$work"/asan.*
    # A leak does not fail a test of Criterion's, so the sanitizer's own logs are read: those that name our code count.
    ASAN_OPTIONS=log_path="$work/asan" LSAN_OPTIONS=exitcode=0 \
        "$@" --json="$work/unit.json" >"$work/unit.log" 2>&1
    status=$?
    leaks=$(cat "$work"/asan.* 2>/dev/null | grep -c ' in .* .*grader/src/')
    cat "$work"/asan.* 2>/dev/null | grep -B4 -A8 ' in .* .*grader/src/'
    sed -n '/\[FAIL\]/p;/\[----\]/p;/ERROR: AddressSanitizer/,/^$/p;/runtime error/p' "$work/unit.log"
    good=$(sed -n 's/^  "passed": \([0-9]*\),$/\1/p' "$work/unit.json")
    bad=$(sed -n 's/^  "\(failed\|errored\)": \([0-9]*\),$/\2/p' "$work/unit.json" | awk '{ sum += $1 } END { print sum + 0 }')
    [ "$status" -eq 0 ] || [ "${bad:-0}" -gt 0 ] || bad=1
    [ "$leaks" -eq 0 ] || bad=$((bad + 1))
    echo "${good:-0} passed, ${bad:-1} failed"
}

only=$*
# shellcheck disable=SC2016 # the inner shell counts the cores
section build sh -c 'export GLIBC_TUNABLES=glibc.malloc.hugetlb=1:glibc.malloc.top_pad=33554432:glibc.malloc.mmap_threshold=33554432 &&
    make -s -j "$(nproc)" build/interleave build/grade build/selfcheck build/unit build/unit-asan build/asan/grade && echo "6 passed, 0 failed"'
section unit unit build/unit
section unit-asan unit build/unit-asan
for part in files references starters mutants variants; do
    section "$part" build/selfcheck --root "$PWD" "$part"
done
section libraries grader/tests/libraries.sh
section explore make -s check-explore
section stories make -s check-stories
section book make -s check-book
section lint grader/tests/lint.sh

[ ! -s "$work/again" ] || {
    printf '\n== what failed\n'
    cat "$work/again"
}
printf '\n%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
