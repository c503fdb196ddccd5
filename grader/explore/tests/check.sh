#!/bin/sh
# check.sh - the explorer against programs right and wrong. A program says in its first comment what must be found:
#   explore: OPTIONS => KIND within N      a finding of that kind (or one of KIND|KIND) within N interleavings
#   explore: OPTIONS => bound K            nothing, with every interleaving up to K preemptions run, or more
#   explore: OPTIONS => everything         nothing, with every interleaving run
#   explore: OPTIONS => everything N       …at least N of them cut short, as equal to one that was run
#   explore: OPTIONS => traces N           nothing, and N interleavings that differ, each run to its end once
#   explore: OPTIONS => nothing            nothing
#   explore: OPTIONS => status 2 WORD      no verdict, and one line that has WORD
# with gcc and with clang. Every finding must replay: the same trace, byte for byte. Prints `N passed, N failed`.
# One job a line is worked off by as many workers as there are cores, each of them `check.sh --one DIR JOB`.
set -u

cd "$(dirname "$0")/../../.." || exit 2
tool=${INTERLEAVE:-build/interleave}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
passed=0
failed=0

good() { passed=$((passed + 1)); }
bad() {
    failed=$((failed + 1))
    echo "✗ $*"
    head -n 20 "$work/out" "$work/err"
}

field() { sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" "$work/json" | head -n 1; }

# No bug is lost where there is no bound, and equal interleavings are left out.
# shellcheck disable=SC2086 # options are words
check_all() { # label program options kinds
    case $3 in *--preemptions*) return ;; esac
    timeout 90 "$tool" $3 --preemptions all --json "$work/json_all" "$2" >"$work/out_all" 2>&1
    kind=$(sed -n 's/^ *"kind": "\([^"]*\)".*/\1/p' "$work/json_all" | head -n 1)
    case "|$4|" in
    *"|$kind|"*) good ;;
    *) bad "$1: without a bound it is '$kind'" ;;
    esac
    rm -f "$work/json_all"
}

# A program is made once, and run several times; unless it is not to be had at all.
# shellcheck disable=SC2086 # options are words
check() { # label file options expected
    program=$2
    case $4 in
    *' status '*) ;;
    *) timeout 90 "$tool" $3 --prepare "$work/program.so" "$2" >"$work/out" 2>"$work/err" && program=$work/program.so ;;
    esac
    timeout 90 "$tool" --width 400 $3 --json "$work/json" "$program" >"$work/out" 2>"$work/err"
    status=$?
    set -- "$1" "$2" "$3" $4
    case $4 in
    status)
        if [ "$status" -eq "$5" ] && grep -q "$6" "$work/err" && [ "$(wc -l <"$work/err")" -eq 1 ]; then good; else bad "$1: exit status $status"; fi
        ;;
    nothing)
        if [ "$status" -eq 0 ]; then good; else bad "$1: exit status $status, not 0"; fi
        ;;
    traces)
        if [ "$status" -eq 0 ] && [ "$(field proved_everything)" = true ] && [ "$(field runs_whole)" -eq "$5" ]; then
            good
        else
            bad "$1: $(field runs_whole) interleavings to their end, not $5"
        fi
        ;;
    everything | bound)
        wanted=${5-}
        if [ "$status" -ne 0 ]; then
            bad "$1: exit status $status, not 0"
        elif [ "$4" = everything ] && [ "$(field proved_everything)" != true ]; then
            bad "$1: not everything was run"
        elif [ "$4" = everything ] && [ "$(field runs_equal)" -lt "${wanted:-0}" ]; then
            bad "$1: $(field runs_equal) interleavings were cut short as equal, not at least $wanted"
        elif [ "$4" = bound ] && [ "$(field proved_everything)" != true ] && ! [ "$(field proved_preemptions)" -ge "$wanted" ]; then
            bad "$1: proved $(field proved_preemptions) preemptions, not $wanted"
        else
            good
        fi
        ;;
    *)
        kind=$(field kind)
        case "|$4|" in *"|$kind|"*) right=true ;; *) right=false ;; esac
        if [ "$status" -ne 1 ] || [ "$right" = false ] || [ "$(field runs)" -gt "$6" ]; then
            bad "$1: exit status $status, '$kind' after $(field runs) interleavings"
        else
            good
            token=$(field token)
            timeout 90 "$tool" --width 400 $3 --replay "$token" "$program" 2>&1 | sed '/^  Replay it/d' >"$work/first"
            timeout 90 "$tool" --width 400 $3 --replay "$token" "$program" 2>&1 | sed '/^  Replay it/d' >"$work/second"
            sed -e 's/After [0-9]* interleavings*: //' -e '/^  Replay it/d' -e '/^  Proved: /d' "$work/out" >"$work/shown"
            [ "${1%(gcc)}" = "$1" ] || check_all "$1" "$program" "$3" "$4"
            if cmp -s "$work/first" "$work/second" && tail -n 3 "$work/shown" >"$work/a" && tail -n 3 "$work/first" | cmp -s - "$work/a"; then good; else bad "$1: the token $token does not replay it"; fi
        fi
        ;;
    esac
}

# Without a bound the reduced search finds the same interleavings as the one that only remembers what it has seen.
counted() { timeout 90 "$tool" --preemptions all --runs 1000000 --count "$@" 2>&1 | sed -n '1s/, .* reduced//p'; }
check_search() { # seed kinds
    reduced=$(counted grader/explore/tests/search_random.c -- "$1" "$2")
    all=$(counted --no-reduction grader/explore/tests/search_random.c -- "$1" "$2")
    if [ -n "$all" ] && [ "$reduced" = "$all" ]; then
        good
    else
        : >"$work/err"
        echo "$reduced instead of $all" >"$work/out"
        bad "search_random.c -- $1 $2: the two searches differ"
    fi
}

# The same again, byte for byte, wherever the program and we are loaded.
again() { # to command…
    to=$1
    shift
    "$@" >"$to" 2>&1
    echo "exit status $?" >>"$to"
}
check_again() { # program
    set -- "$1" "$tool" --runs 3000 --json "$work/json" "grader/explore/tests/$1.c"
    name=$1
    shift
    again "$work/one" timeout 90 "$@" && mv "$work/json" "$work/json1"
    again "$work/two" timeout 90 "$@" && mv "$work/json" "$work/json2"
    again "$work/three" timeout 90 setarch -R "$@"
    cp "$work/one" "$work/out"
    if cmp -s "$work/one" "$work/two" && cmp -s "$work/one" "$work/three" && cmp -s "$work/json1" "$work/json2" &&
        cmp -s "$work/json1" "$work/json"; then
        good
    else
        bad "$name.c: not the same every time"
    fi
}

check_usage() {
    echo "int main(void) { return }" >"$work/broken.c"
    timeout 20 "$tool" "$work/broken.c" >"$work/out" 2>"$work/err"
    if [ $? -eq 2 ] && grep -q 'does not compile' "$work/err"; then good; else bad "a program that does not compile"; fi
    timeout 20 "$tool" --replay nonsense grader/explore/tests/race.c >"$work/out" 2>"$work/err"
    if [ $? -eq 2 ] && [ "$(wc -l <"$work/err")" -eq 1 ]; then good; else bad "a token that is none"; fi
    timeout 20 "$tool" --replay ius7.9 grader/explore/tests/race.c >"$work/out" 2>"$work/err"
    if [ $? -eq 2 ] && [ "$(wc -l <"$work/err")" -eq 1 ]; then good; else bad "a token of another program"; fi
}

# Killed while it compiles or while it searches, it leaves nothing behind.
check_killed() {
    mkdir "$work/tmp"
    for seconds in 0.1 1; do
        TMPDIR=$work/tmp timeout --signal=KILL "$seconds" "$tool" --runs 1000000000 --preemptions all grader/explore/tests/virtual_time.c >"$work/out" 2>"$work/err" &
        wait $!
        left=50
        while [ -n "$(ls "$work/tmp")" ] && [ "$left" -gt 0 ]; do
            sleep 0.1
            left=$((left - 1))
        done
        if [ -z "$(ls "$work/tmp")" ]; then good; else bad "killed after $seconds s, it leaves $(ls "$work/tmp")"; fi
    done
}

check_fiber() {
    : >"$work/err"
    if CC=$1 grader/explore/tests/fiber/check.sh >"$work/out" 2>&1; then good; else bad "the switch of stacks ($1)"; fi
}

if [ "${1-}" = --one ]; then # a worker; a job's words are parted by tabs
    results=$2
    job=$3
    {
        IFS=$(printf '\t')
        # shellcheck disable=SC2086 # a job is words
        set -- $job
        unset IFS
        "$@" </dev/null
        echo "$passed passed, $failed failed"
    } >"$results/$(printf '%s' "$job" | md5sum | cut -c 1-32)"
    exit 0
fi

jobs_of() {
    printf 'check_%s\n' killed usage 'fiber\tgcc' 'fiber\tclang' | sed 's/\\t/\t/'
    for seed in 101 103 203 205 207 211 215 219 223; do
        printf "check_search\t$seed\t%s\n" 4 8 10
    done
    printf 'check_again\t%s\n' queue_right queue_signal race memory fair_loops virtual_time deadlock sleep_orders_nothing poll_forever
    for file in grader/explore/tests/*.c; do
        sed -n 's/^ \* explore: *\(.*\)$/\1/p' "$file" | sed 's/ *\*\/$//' | while IFS= read -r line; do
            options=${line%%=>*}
            for compiler in gcc clang; do
                printf 'check\t%s\t%s\t%s\t%s\n' "$(basename "$file") $options($compiler)" "$file" "--cc $compiler $options" "${line#*=>}"
            done
        done
    done
}

mkdir "$work/results"
jobs_of >"$work/jobs"
xargs -d '\n' -n 1 -P "$(nproc)" "$0" --one "$work/results" <"$work/jobs"
cat "$work/results"/* | grep -v '^[0-9]* passed, [0-9]* failed$'
sums=$(cat "$work/results"/* | awk '/^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3; n++ } END { print p + 0, f + 0, n + 0 }')
passed=${sums%% *}
failed=${sums#* }
if [ "${failed#* }" -ne "$(wc -l <"$work/jobs")" ]; then
    echo "✗ $(wc -l <"$work/jobs") jobs, of which ${failed#* } ended"
    failed=$((${failed% *} + 1))
else
    failed=${failed% *}
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
