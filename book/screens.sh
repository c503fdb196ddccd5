#!/bin/sh
# screens.sh [NAME…] - `make screens`: runs the grader as screens/screens.txt says and writes book/screens/NAME.txt, the
# command first. Without names, all of them. screens.sh --check runs nothing: is every line of the table right, its screen
# there, and every screen in the table? Prints `N passed, N failed`.
#
# Each screen is made in a course of its own: the checkout's exercises copied, and everything else linked, so that
# the student's files can be what the table says and nobody's progress is touched. The grader writes to a file: no colour, 80
# columns. A run that was inconclusive, or that was the grader's fault,
# leaves the old screen as it was.
set -u
LC_ALL=C.UTF-8
export LC_ALL

BUILD=${BUILD:-build}
root=$(pwd)
table=book/screens/screens.txt
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
tab=$(printf '\t')

# The table as NAME|SETUP|COMMAND, without comments and blanks around.
rows() {
    sed -e '/^[[:space:]]*#/d' -e '/^[[:space:]]*$/d' -e "s/[[:space:]]*|[[:space:]]*/|/g" -e 's/^[[:space:]]*//' -e 's/[[:space:]]*$//' "$table"
}

# The file that one part of a setup stands for: "02-locks/rlock=mutant owner_ignored" -> a path (a mutant's is its patch).
source_of() { # exercise, what
    name=${1#*/}
    case $2 in
    starter) echo "exercises/$1/$name.c" ;;
    reference) echo "solutions/$1.c" ;;
    "variant "*) echo "grader/checks/$1/variants/${2#variant }.c" ;;
    "mutant "*) echo "grader/checks/$1/mutants/${2#mutant }.patch" ;;
    esac
}

# The parts of a setup, one a line: EXERCISE <tab> WHAT. Parts are separated by commas.
parts() { # setup
    printf '%s\n' "$1" | tr ',' '\n' | sed -n "s/^[[:space:]]*\([^=[:space:]]*\)[[:space:]]*=[[:space:]]*\(.*[^[:space:]]\)[[:space:]]*\$/\1$tab\2/p"
}

# ---- make one ----

lay_out() { # setup: makes the course in $work/course
    rm -rf "$work/course"
    mkdir -p "$work/course/build" "$work/cache" && ln -s "$work/cache" "$work/course/build/cache" && cp -R exercises "$work/course/exercises" || return 1
    # What students saved beside the starters is no part of a screen.
    git ls-files --others -- exercises | while read -r file; do rm -f "$work/course/$file"; done
    git diff --name-only -- exercises | while read -r file; do git show "HEAD:$file" >"$work/course/$file"; done
    for part in chapters solutions grader book Makefile; do
        ln -s "$root/$part" "$work/course/$part" || return 1
    done
    parts "$1" | while IFS=$tab read -r exercise what; do
        source=$(source_of "$exercise" "$what")
        target=$work/course/exercises/$exercise/${exercise#*/}.c
        case $what in
        mutant*) cp "solutions/$exercise.c" "$target" && patch --quiet --force "$target" "$source" || return 1 ;;
        *) cp "$source" "$target" 2>/dev/null || cmp -s "$source" "$target" || return 1 ;;
        esac
    done
}

# `make grade EX=rlock` is `grade rlock`, `make` is `grade list`: what the Makefile would run, in the course.
run() { # command
    # shellcheck disable=SC2086 # the command's words
    set -- $1
    [ "$1" = make ] && shift
    case ${1-} in '') set -- list ;; grade) shift ;; esac
    for word in "$@"; do
        shift
        case $word in EX=*) word=${word#EX=} ;; TOKEN=*) word=${word#TOKEN=} ;; TREE=*) set -- "$@" --tree && word=${word#TREE=} ;; esac
        set -- "$@" "$word"
    done
    (cd "$work/course" && NO_COLOR=1 COLUMNS=80 "$root/$BUILD/grade" --root "$work/course" "$@" </dev/null)
}

make_screen() { # name, setup, commands
    printf 'screen %s … ' "$1"
    if ! lay_out "$2"; then
        echo "its setup cannot be made: $2"
        return 1
    fi
    commands=$3
    run "${commands##*; }" >/dev/null 2>&1 # for a warm cache, as everybody's is but at the very first grading
    rm -f "$work"/course/build/progress*
    while [ "${commands#*;}" != "$commands" ]; do
        run "${commands%%;*}" >"$work/before" 2>&1
        commands=$(printf '%s' "${commands#*;}" | sed 's/^ *//')
        token=$(sed -n 's/.* TOKEN=\([^ ]*\).*/\1/p' "$work/before" | head -n 1)
        commands=$(printf '%s' "$commands" | sed "s/TOKEN=?/TOKEN=$token/g")
    done
    run "$commands" >"$work/screen" 2>&1
    status=$?
    if [ "$status" -gt 1 ]; then
        echo "the grader ended with status $status; nothing changed: $(head -n 1 "$work/screen")"
        return 1
    elif grep -qi inconclusive "$work/screen"; then
        echo "inconclusive; nothing changed. Run it again when the machine is quieter."
        return 1
    elif grep -qF "$work" "$work/screen"; then
        echo "it names the folder it was made in; nothing changed: $(grep -F "$work" "$work/screen" | head -n 1)"
        return 1
    fi
    {
        printf '$ %s\n' "$commands"
        sed -e 's/[[:space:]]*$//' "$work/screen"
    } >"book/screens/$1.txt"
    echo "$(wc -l <"book/screens/$1.txt") lines"
}

# README.md with the screens that it quotes (a block after <!-- screen: NAME -->) as they are now.
quoted() {
    awk '
        /^<!-- screen: [a-z0-9_]+ -->$/ { name = $3; print; next }
        name != "" && /^```$/ && !inside { inside = 1; print; file = "book/screens/" name ".txt"
            while ((getline line < file) > 0) print line
            next }
        inside && /^```$/ { inside = 0; name = "" }
        !inside { print }' README.md
}

# ---- check all ----

passed=0
failed=0
one() { # whether it is right, what is wrong otherwise
    if [ "$1" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf '✗ %s: %s\n' "$table" "$2"
    fi
}

check() {
    rows >"$work/rows"
    while IFS="|" read -r name setup command rest; do
        [ -n "$command" ] && [ -z "$rest" ]
        one $? "$name needs three parts: name | setup | command"
        [ -f "book/screens/$name.txt" ]
        one $? "there is no book/screens/$name.txt: run make screens NAME=$name"
        parts "$setup" >"$work/parts"
        while IFS=$tab read -r exercise what; do
            source=$(source_of "$exercise" "$what")
            [ -n "$source" ] && [ -f "$source" ]
            one $? "$name: $exercise has no $what"
        done <"$work/parts"
    done <"$work/rows"
    for screen in book/screens/*.txt; do
        [ "$screen" = "$table" ] && continue
        name=$(basename "$screen" .txt)
        grep -q "^$name|" "$work/rows"
        one $? "$screen is not in the table"
    done
    quoted | cmp -s - README.md
    one $? "README.md does not show its screens as they are: run make screens"
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}

if [ "${1-}" = --check ]; then
    check
    exit
fi
rows >"$work/rows"
for wanted in "$@"; do
    if ! grep -q "^$wanted|" "$work/rows"; then
        echo "screens: there is no $wanted in $table" >&2
        exit 2
    fi
done
failed=0
while IFS="|" read -r name setup command; do
    case " $* " in "  " | *" $name "*) make_screen "$name" "$setup" "$command" || failed=$((failed + 1)) ;; esac
done <"$work/rows"
quoted >"$work/readme" && { cmp -s "$work/readme" README.md || cp "$work/readme" README.md; }
[ "$failed" -eq 0 ]
