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
MEASURED=${MEASURED:-book/measured} # where the data goes
CANNOT=77
BUSY_PERCENT=10
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
flags="-std=c17 -O2 -Wall -Wextra -Werror -D_GNU_SOURCE -pthread -Isolutions"
# A measurement may include a reference, which includes its header.
for folder in exercises/*/*/; do
    flags="$flags -iquote$folder" # not -I: <semaphore.h> is the system's
done

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

# What else the machine did meanwhile is said beside the figures: on a busy machine they are worth little.
# Both clocks in hundredths of a second, to a file, since a subshell would have times of its own.
processors() { # file: busy time of all processors, stolen time among it; all time
    awk '/^cpu / { all = $2 + $3 + $4 + $5 + $6 + $7 + $8 + $9; print all - $5 - $6, all; exit }' /proc/stat >"$1"
}
ours() { # file: what our own children used
    times >"$1.times"
    sed -n '2s/[ms]/ /gp' "$1.times" | awk '{ print int(($1 * 60 + $2 + $3 * 60 + $4) * 100) }' >"$1"
}
others() { # of the folder with both, before and after: per cent of all processors that others used
    paste -d ' ' "$1/all-before" "$1/all-after" "$1/ours-before" "$1/ours-after" | awk '{
        used = ($3 - $1) - ($6 - $5); all = $4 - $2
        printf "%d", (all > 0 && used > 0 ? used * 100 / all + 0.5 : 0) }'
}

# What a program is linked with beside the C library: the words after " * links: " in its first comment, a pkg-config name
# or a flag (-fopenmp) each.
linked() { # source
    for word in $(sed -n '1,40s/^ \* links: *//p' "$1"); do
        case $word in
        -*) echo "$word" ;;
        *) pkg-config --cflags --libs "$word" 2>/dev/null || { echo "$word" >"$work/missing"; } ;;
        esac
    done
}

measure() { # CHAPTER/NAME
    source=book/measure/$1.c
    made=$BUILD/measure/$1
    data=$MEASURED/$1.tsv
    if [ ! -f "$source" ]; then
        echo "measure: there is no $source" >&2
        return 1
    fi
    mkdir -p "$(dirname "$made")" "$(dirname "$data")" || return 1
    # What is measured is what the book explains: a program may include a reference, #include "02-locks/rlock.c".
    includes="-Isolutions$(printf ' -iquote%s' exercises/*/*/)"
    rm -f "$work/missing"
    links=$(linked "$source")
    if [ -f "$work/missing" ]; then
        echo "$1 is compared with $(cat "$work/missing"), which is not installed; nothing changed"
        return 0
    fi
    # shellcheck disable=SC2086 # the flags are words
    $CC $flags $includes "$source" -o "$made" $links -lm || return 1
    printf 'measuring %s … ' "$1"
    processors "$work/all-before" && ours "$work/ours-before"
    "$made" >"$made.tsv"
    status=$?
    processors "$work/all-after" && ours "$work/ours-after"
    elsewhere=$(others "$work")
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
        echo "# others: $elsewhere % of the processors were used by other programs meanwhile"
        cat "$made.tsv"
    } >"$data.new" && mv "$data.new" "$data" || return 1
    echo "$(($(wc -l <"$made.tsv") - 1)) rows"
    [ "$elsewhere" -le "$BUSY_PERCENT" ] || echo "    other programs used $elsewhere % of the machine meanwhile: measure again when it is quiet"
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
