#!/bin/sh
# bench_against.sh - the references beside what a user would pick instead: runs every book/measure/CH/against_NAME.c, with
# its data going to build/bench, and adds a line a comparison to build/bench.tsv and to the screen. Part of `make bench`.
set -u
BUILD=${BUILD:-build}
MEASURED=$BUILD/bench
export BUILD MEASURED

set --
for source in book/measure/*/against_*.c; do
    [ -f "$source" ] || continue
    name=${source#book/measure/}
    set -- "$@" "${name%.c}"
done
[ $# -gt 0 ] || exit 0
rm -rf "$MEASURED"
book/measure.sh "$@" || exit 1
for name in "$@"; do
    data=$MEASURED/$name.tsv
    [ -f "$data" ] || continue
    awk -F '\t' -v name="$name" -v sheet="$BUILD/bench.tsv" '
        /^#/ { next }
        !seen { for (i = 1; i <= NF; i++) column[$i] = i; seen = 1; next }
        {
            line = $column["what"] ("beside" in column ? " beside " $column["beside"] : "")
            printf "%-72s %8.2f times      at most 1.25\n", line, $column["ratio"]
            printf "%s\t%.3f\ttimes\tat most 1.25\n", line, $column["ratio"] >>sheet
        }' "$data"
done
