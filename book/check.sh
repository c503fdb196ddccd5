#!/bin/sh
# check.sh - `make check-book`: the book's machinery keeps its word (tests/run.sh), the book builds, its pages are right
# (check-pages.lua), and what it quotes is there. Run in the checkout. Prints a line for each thing that is wrong, then
# `N passed, N failed`; exit status 1 where any failed.
set -u
LC_ALL=C.UTF-8
export LC_ALL

BUILD=${BUILD:-build}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
passed=0
failed=0

sum() { # a log that ends with `N passed, N failed`; shows the rest of it
    sums=$(sed -n 's/^\([0-9][0-9]*\) passed, \([0-9][0-9]*\) failed$/\1 \2/p' "$1" | tail -n 1)
    sed '/^[0-9][0-9]* passed, [0-9][0-9]* failed$/d' "$1"
    if [ -z "$sums" ]; then
        echo "✗ the last command did not say what it checked"
        sums="0 1"
    fi
    passed=$((passed + ${sums% *}))
    failed=$((failed + ${sums#* }))
}

one() { # whether it is right, what is wrong otherwise
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf '✗ %s\n' "$2"
    fi
}

book/tests/run.sh >"$work/log" 2>&1
sum "$work/log"

make -s book >"$work/log" 2>&1
status=$?
one "$status" "the book does not build: $(cat "$work/log")"
if [ "$status" -eq 0 ]; then
    echo | pandoc --lua-filter book/check-pages.lua --metadata "pages=$BUILD/book" -t plain >"$work/log" 2>&1
    sum "$work/log"
fi

# Every measurement has its program, its plot and its data.
for file in book/measure/*/*.c book/measure/*/*.gp; do
    [ -f "$file" ] || continue
    name=${file#book/measure/} && name=${name%.*}
    [ -f "book/measure/$name.c" ] && [ -f "book/measure/$name.gp" ] && [ -f "book/measured/$name.tsv" ]
    one $? "book/measure/$name needs a .c, a .gp and book/measured/$name.tsv (make measure)"
done

# The programs that chapters quote compile without a warning.
for file in book/examples/*/*.c; do
    [ -f "$file" ] || continue
    ${CC:-cc} -std=c17 -Wall -Wextra -Werror -O1 -D_POSIX_C_SOURCE=200809L -pthread "$file" -o "$work/example" -lm 2>"$work/log"
    one $? "$file does not compile: $(head -n 3 "$work/log")"
done

book/screens.sh --check >"$work/log" 2>&1
sum "$work/log"

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
