#!/bin/sh
# story.sh - the teacher's sentence: each story_*.c must be told as its story_*.says has it (the pattern's name, what
# happened, what to do), with gcc and with clang alike; `none` where no pattern may be seen. And no line of a screen is
# wider than asked for. (That the right form of each, -DRIGHT, has no finding is check.sh's.) Prints `N passed, N failed`.
#
#   story.sh --write    writes the .says and .json anew: read the difference before you commit it
set -u

cd "$(dirname "$0")/../../.." || exit 2
tool=${INTERLEAVE:-build/interleave}
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
LC_ALL=C.UTF-8
export LC_ALL
passed=0
failed=0

good() { passed=$((passed + 1)); }
bad() {
    failed=$((failed + 1))
    echo "✗ $*"
}

told() { # json: pattern, what, advice, a line each
    sed -n '/^  "story": {/,/^  }/p' "$1" |
        sed -n -e 's/^ *"pattern": "\(.*\)",*$/\1/p' -e 's/^ *"what": "\(.*\)",*$/\1/p' -e 's/^ *"advice": "\(.*\)",*$/\1/p' >"$work/said"
    if [ ! -s "$work/said" ]; then echo none; else cat "$work/said"; fi
}

for program in grader/explore/tests/story_*.c; do
    says=${program%.c}.says
    option=$(sed -n 's/^ \* explore: *\(--[a-z]*\) *=>.*/\1/p' "$program" | head -n 1)
    for compiler in gcc clang; do
        status=2
        if timeout 90 "$tool" --cc $compiler --prepare "$work/program.so" "$program"; then
            # shellcheck disable=SC2086 # no option, or one
            timeout 90 "$tool" $option --json "$work/json" "$work/program.so" >"$work/screen" 2>&1
            status=$?
        fi
        if [ $status -ne 1 ]; then
            bad "$program ($compiler): exit status $status"
            continue
        fi
        told "$work/json" >"$work/told"
        if [ "${1-}" = --write ] && [ $compiler = gcc ]; then cp "$work/told" "$says"; fi
        golden=${program%.c}.json # the whole of it, byte for byte, where it is short
        if [ $compiler = gcc ] && [ -e "$golden" ]; then
            if [ "${1-}" = --write ]; then cp "$work/json" "$golden"; fi
            if cmp -s "$work/json" "$golden"; then good; else
                bad "$program: not the JSON of $golden"
                diff "$golden" "$work/json" | head -n 20
            fi
        fi
        # What clang makes of a variable may have another form, and its lines are less exact: the pattern is the same.
        if [ $compiler = clang ]; then head -n 1 "$says" >"$work/wanted"; else cp "$says" "$work/wanted"; fi
        head -n "$(wc -l <"$work/wanted")" "$work/told" >"$work/got"
        if cmp -s "$work/got" "$work/wanted"; then good; else
            bad "$program ($compiler):"
            diff "$work/wanted" "$work/got"
        fi
    done
    for width in 40 60 80 110; do
        # shellcheck disable=SC2086
        timeout 90 "$tool" --width $width $option "$work/program.so" 2>&1 | grep -v '^  Replay it' >"$work/screen"
        widest=$(wc -L <"$work/screen")
        if [ "$widest" -le $width ] && [ -s "$work/screen" ]; then good; else bad "$program: a line of $widest characters where $width are asked for"; fi
    done
done

# What is shown is short: not the first that was found (with 80 steps and more), but the shortest.
shortest() { # program preemptions steps
    timeout 90 "$tool" --json "$work/json" "grader/explore/tests/$1" >"$work/screen" 2>&1
    steps=$(grep -c '"does":' "$work/json")
    if grep -q "^  \"preemptions\": $2,$" "$work/json" && [ "$steps" -le "$3" ]; then good; else bad "$1: $steps steps, $(grep '^  "preemptions"' "$work/json")"; fi
}
shortest queue_if.c 0 66
shortest queue_signal.c 0 45
shortest atomicity.c 1 20
shortest deadlock.c 1 4

# Where the processor is nowhere, who sent it there.
timeout 60 "$tool" grader/explore/tests/null_call.c >"$work/screen" 2>&1
if grep -q 'thread 2 calls a function by a null pointer' "$work/screen" && grep -q 'null_call.c:17  discard(item);' "$work/screen"; then good; else
    bad 'null_call.c: not the line of the call'
fi

# The schema knows every pattern, and every kind of step.
schema=grader/explore/trace.schema.json
for word in $(sed -n 's/^    {"\([a-z-]*\)", story_.*/\1/p' grader/explore/story.c) \
    $(sed -n 's/^ *\[OP_[A-Z_]*\] = "\([a-z-]*\)",$/\1/p' grader/explore/json.c); do
    if grep -q "\"$word\"" "$schema"; then good; else bad "$schema does not name $word"; fi
done

# …and so does the list for readers.
for word in $(sed -n 's/^    {"\([a-z-]*\)", story_.*/\1/p' grader/explore/story.c); do
    if grep -q "\`$word\`" grader/explore/patterns.md; then good; else bad "patterns.md does not name $word"; fi
done

# Bad words: one line that says what, exit status 2.
says() { # expected words…
    wanted=$1
    shift
    timeout 60 "$tool" "$@" >"$work/screen" 2>"$work/error"
    status=$?
    if [ $status -eq 2 ] && [ "$(wc -l <"$work/error")" -eq 1 ] && grep -q -e "$wanted" "$work/error" && [ ! -s "$work/screen" ]; then
        good
    else
        bad "interleave $*: exit status $status"
        cat "$work/error"
    fi
}
some=grader/explore/tests/story_self.c
says 'no file'
says 'no file' --runs 3
says '--bogus' --bogus "$some"
says 'whole number' --runs many "$some"
says 'whole number' --runs -1 "$some"
says 'missing' "$some" --json
says '--depth' --depth 0 "$some"
says '--width' --width 12 "$some"
says '--replay' --gdb "$some"
says 'not a token' --replay 1.2.3 "$some"
says 'nowhere' --json "$work/nowhere/x" "$some"
says 'absent.c' "$work/absent.c"
says '--each' --each "$some"
says '--each' --each --replay 1 "$some" -- one

# --each: what each search alone finds, a line each, up to the first that finds something.
each=grader/explore/tests/each.c
timeout 60 "$tool" --each --json - "$each" -- right many right race right >"$work/screen" 2>"$work/error"
status=$?
if [ $status -eq 1 ] && [ "$(wc -l <"$work/screen")" -eq 4 ]; then good; else bad "--each: exit status $status"; fi
for number in 1 2 3 4; do
    name=$(echo right many right race | cut -d ' ' -f $number)
    timeout 60 "$tool" --json - "$each" -- "$name" | tr -d '\n ' >"$work/alone"
    if sed -n "${number}p" "$work/screen" | tr -d '\n ' | cmp -s - "$work/alone"; then good; else bad "--each: $name is another alone"; fi
done
if timeout 60 "$tool" --each "$each" -- right many | grep -c '^[a-z]*: .*Nothing found' | grep -qx 2; then good; else bad '--each in words'; fi

if timeout 60 "$tool" --help | grep -q -- --replay; then good; else bad 'interleave --help'; fi

# Under gdb: every thread at its own line.
printf 'run\nfibers\nkill\nquit\n' |
    timeout 90 "$tool" --replay "$(timeout 60 "$tool" grader/explore/tests/story_order.c | sed -n 's/^  Replay it: --replay //p')" --gdb grader/explore/tests/story_order.c >"$work/screen" 2>&1
for wanted in 'thread 1 (main)' 'thread 2 (there)' 'thread 3 (back)' ' there (argument=' ' back (argument=' 'in main () at '; do
    if grep -qF "$wanted" "$work/screen"; then good; else bad "gdb does not show \"$wanted\""; fi
done

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
