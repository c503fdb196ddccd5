#!/bin/sh
# measure.sh [CHAPTER/NAME…] - `make measure`: compiles book/measure/CH/NAME.c, runs it alone, and writes
# book/measured/CH/NAME.tsv: what it printed, after lines that say on which machine and when. Without names, all of them.
# Run in the checkout. A program that fails, or prints no proper table, leaves its old data as it was. One that ends with 77
# cannot be measured on this machine, which is said and is no failure. Exit status 1 where any failed.
set -u
LC_ALL=C
export LC_ALL

BUILD=${BUILD:-build}
CC=${CC:-cc}
CANNOT=77
flags="-std=c17 -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -pthread"

machine() { # "A Processor, 2 cores"
    model=$(sed -n 's/^model name[[:space:]]*: *//p' /proc/cpuinfo 2>/dev/null | head -n 1)
    [ -n "$model" ] || model=$(lscpu 2>/dev/null | sed -n 's/^Model name: *//p' | head -n 1)
    [ -n "$model" ] || model="$(uname -m) processor"
    cores=$(nproc)
    [ "$cores" -eq 1 ] && plural= || plural=s
    printf '%s, %s core%s' "$(printf '%s' "$model" | tr -s ' ')" "$cores" "$plural"
}

kernel() { # "Linux 6.1": the two numbers that matter, none that name a host
    printf '%s %s' "$(uname -s)" "$(uname -r | sed 's/^\([0-9]*\.[0-9]*\).*/\1/')"
}

compiler() { # "gcc 12.2.0 -O2"
    case $($CC --version | head -n 1) in *clang*) family=clang ;; *) family=gcc ;; esac
    printf '%s %s -O2' "$family" "$($CC -dumpfullversion 2>/dev/null || $CC -dumpversion)"
}

# A line of names, at least one row, as many cells in each, and no cell empty.
proper() { # file
    awk -F '\t' '
        NR == 1 { cells = NF; next }
        NF != cells { print "line " NR " has " NF " cells under " cells " names"; wrong = 1; exit }
        { for (i = 1; i <= NF; i++) if ($i == "") { print "line " NR " has an empty cell"; wrong = 1; exit } }
        END { if (!wrong && NR < 2) print "it has no rows" }' "$1"
}

# A figure that the measuring made worse tells nobody anything: what else the machine did is said beside it.
load() {
    cut -d ' ' -f 1 /proc/loadavg
}

measure() { # CHAPTER/NAME
    source=book/measure/$1.c
    made=$BUILD/measure/$1
    data=book/measured/$1.tsv
    if [ ! -f "$source" ]; then
        echo "measure: there is no $source" >&2
        return 1
    fi
    mkdir -p "$(dirname "$made")" "$(dirname "$data")" || return 1
    # shellcheck disable=SC2086 # the flags are words
    $CC $flags "$source" -o "$made" -lm || return 1
    before=$(load)
    printf 'measuring %s … ' "$1"
    "$made" >"$made.tsv"
    status=$?
    if [ "$status" -eq "$CANNOT" ]; then
        echo "cannot be measured on this machine; nothing changed"
        return 0
    elif [ "$status" -ne 0 ]; then
        echo "ended with status $status; nothing changed"
        return 1
    fi
    wrong=$(proper "$made.tsv")
    if [ -n "$wrong" ]; then
        echo "printed no proper table ($wrong); nothing changed"
        return 1
    fi
    {
        echo "# measured: $1"
        echo "# machine: $(machine)"
        echo "# kernel: $(kernel)"
        echo "# compiler: $(compiler)"
        echo "# date: $(date -u '+%Y-%m-%d %H:%M UTC')"
        echo "# load: $before, the processes that ran or waited to run before it began"
        cat "$made.tsv"
    } >"$data.new" && mv "$data.new" "$data" || return 1
    echo "$(($(wc -l <"$made.tsv") - 1)) rows"
}

if [ $# -eq 0 ]; then
    for source in book/measure/*/*.c; do
        [ -f "$source" ] || continue
        name=${source#book/measure/}
        set -- "$@" "${name%.c}"
    done
fi
failed=0
for name in "$@"; do
    measure "${name%.c}" || failed=$((failed + 1))
done
[ "$failed" -eq 0 ] || echo "$failed of $# could not be measured" >&2
[ "$failed" -eq 0 ]
