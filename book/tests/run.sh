#!/bin/sh
# run.sh - the book's machinery against a small course (course/): every construct shows what it should, every mistake
# (bad/*.md, which say what they expect) stops the build with its line, and every kind of broken page is noticed.
# Prints a line for each thing that is wrong, then `N passed, N failed`.
set -u
LC_ALL=C.UTF-8
export LC_ALL

book=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd) || exit 2
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
passed=0
failed=0

good() { passed=$((passed + 1)); }
bad() { # line
    failed=$((failed + 1))
    printf '✗ %s\n' "$1"
}

page() { # chapter, output: renders chapters/CHAPTER.md of the course in the working directory
    pandoc --defaults "$book/common.yaml" --defaults "$book/html.yaml" "chapters/$1.md" -o "$2"
}

contents() { # output
    pandoc --defaults "$book/common.yaml" --defaults "$book/contents.yaml" "$book/contents.md" -o "$1"
}

check_pages() { # folder
    echo | pandoc --lua-filter "$book/check-pages.lua" --metadata "pages=$1" -t plain 2>&1
}

# ---- the course, as it should be ----

course=$work/course
pages=$work/pages
cp -R "$book/tests/course" "$course" && cp "$book/common.gp" "$course/book/" && mkdir "$pages" || exit 2
cd "$course" || exit 2
for chapter in 00-sample 01-other; do
    if page "$chapter" "$pages/$chapter.html"; then good; else bad "the sample chapter $chapter does not build"; fi
done
if contents "$pages/index.html"; then good; else bad "the page of contents does not build"; fi
cp "$book/book.css" "$pages/"

while IFS='|' read -r file text; do
    if grep -qF -- "$text" "$pages/$file"; then good; else bad "$file does not have: $text"; fi
done <"$book/tests/expect.txt"
while IFS='|' read -r file text; do
    if grep -qF -- "$text" "$pages/$file"; then bad "$file should not have: $text"; else good; fi
done <"$book/tests/expect-not.txt"
if said=$(check_pages "$pages"); then good; else bad "the sample pages are not right: $said"; fi

# ---- mistakes in a chapter stop the build, with their line ----

for chapter in "$book"/tests/bad/*.md; do
    name=$(basename "$chapter" .md)
    rm -rf "$work/bad"
    cp -R "$course" "$work/bad" && cd "$work/bad" || exit 2
    cp "$book"/tests/broken/*.c solutions/00-sample/
    cp "$book"/tests/broken/*.tsv book/measured/00-sample/
    cp "$book"/tests/broken/*.gp book/measure/00-sample/
    mkdir -p grader/checks/01-other/stray && printf '[exercise]\ntitle = Stray\n' >grader/checks/01-other/stray/exercise.ini
    cp "$chapter" chapters/00-sample.md
    expected=$(sed -n 's/^expect: "\(.*\)"$/\1/p' "$chapter")
    if said=$(page 00-sample "$work/bad.html" 2>&1); then
        bad "$name: the build went on; expected: $expected"
    elif ! printf '%s\n' "$said" | grep -qF -- "$expected"; then
        bad "$name: expected: $expected; said: $said"
    elif [ -e "$work/bad.html" ]; then
        bad "$name: a page was left behind"
    else
        good
    fi
done
cd "$course" || exit 2

# ---- a measurement that fails leaves the old data ----

measures() { # what, exit status, what must be said, a program's lines
    mkdir -p book/measure/01-other book/measured/01-other
    printf '%s\n' "$4" >book/measure/01-other/trial.c
    echo old >book/measured/01-other/trial.tsv
    said=$(BUILD="$work/build" "$book/measure.sh" 01-other/trial 2>&1)
    status=$?
    if [ "$status" -ne "$2" ]; then
        bad "$1: measure.sh ended with $status: $said"
    elif ! printf '%s\n' "$said" | grep -qF -- "$3"; then
        bad "$1: expected: $3; said: $said"
    elif [ "$3" != "1 rows" ] && [ "$(cat book/measured/01-other/trial.tsv)" != old ]; then
        bad "$1: the old data is gone"
    else
        good
    fi
}

measures "whole" 0 "1 rows" '#include <stdio.h>
int main(void) { puts("what\tend_us\nx\t1"); return 0; }'
for line in '# measured: 01-other/trial' '# machine: ' '# kernel: Linux ' '# compiler: ' '# date: 20' "what	end_us" "x	1"; do
    if grep -q "^$line" book/measured/01-other/trial.tsv; then good; else bad "the data does not say: $line"; fi
done
measures "no rows" 1 "it has no rows" '#include <stdio.h>
int main(void) { puts("what\tend_us"); return 0; }'
measures "ragged" 1 "line 2 has 1 cells under 2 names" '#include <stdio.h>
int main(void) { puts("what\tend_us\nx"); return 0; }'
measures "silent" 1 "it has no rows" 'int main(void) { return 0; }'
measures "crash" 1 "ended with status" '#include <stdlib.h>
int main(void) { abort(); }'
measures "cannot" 0 "cannot be measured on this machine" 'int main(void) { return 77; }'
measures "broken" 1 "error" 'int main(void) { return x; }'

# ---- broken pages are noticed ----

notices() { # what is broken, what must be said; the pages are broken in $work/broken
    said=$(check_pages "$work/broken")
    status=$?
    if [ "$status" -ne 1 ]; then
        bad "$1: check-pages ended with $status: $said"
    elif ! printf '%s\n' "$said" | grep -qF -- "$2"; then
        bad "$1: expected: $2; said: $said"
    else
        good
    fi
}

breaks() { # what, file, sed script, what must be said
    rm -rf "$work/broken"
    cp -R "$pages" "$work/broken"
    sed -i "$3" "$work/broken/$2"
    if cmp -s "$pages/$2" "$work/broken/$2"; then bad "$1: nothing was broken"; else notices "$1" "$4"; fi
}

breaks "dead anchor" 01-other.html 's|href="00-sample.html"|href="00-sample.html#gone"|' 'links to 00-sample.html#gone, and that page has no such place'
breaks "dead page" 01-other.html 's|href="00-sample.html"|href="07-gone.html"|' 'links to 07-gone.html, and there is no such page'
breaks "id twice" 01-other.html 's|<h2 |<p id="tables"></p><h2 |' 'the id tables is there 2 times'
breaks "tag open" 01-other.html 's|</main>||' 'closes <main>'
breaks "network" 01-other.html 's|href="book.css"|href="https://example.org/book.css"|' 'loads https://example.org/book.css'
breaks "script" 01-other.html 's|</main>|<script>x</script></main>|' 'has a script'
breaks "level skipped" 01-other.html 's|<h2 \(.*\)</h2>|<h4 \1</h4>|' 'a heading of level 4 follows level 1'
breaks "no label" 00-sample.html 's|<svg role="img" aria-label="[^"]*"|<svg|' 'a picture has no label'
breaks "no box" 00-sample.html 's|id="exercise-thing"|id="exercise-thin"|' '00-sample/thing: has 0 .exercise boxes'
breaks "no reference" 00-sample.html 's|id="reference-thing"|id="x"|' '00-sample/thing: has 0 .reference boxes'
breaks "section gone" 00-sample.html 's|id="thing"|id="things"|' 'the chapter has no heading with {#thing}'
printf '\n```c\nint x;\nint y;\n```\n' >>chapters/01-other.md
rm -rf "$work/broken" && cp -R "$pages" "$work/broken"
notices "typed C" 'chapters/01-other.md: C is typed in (int x;)'

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
