#!/bin/sh
# story.sh - the teacher's sentence: each story_*.c must be told as its story_*.says has it (the pattern's name, what
# happened, what to do), with gcc and with clang alike; `none` where no pattern may be seen. And no line of a screen is
# wider than asked for. (That the right form of each, -DRIGHT, has no finding is check.sh's.) Prints `N passed, N failed`.
#
#   story.sh --write    writes the .says anew: read the difference before you commit it
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

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
