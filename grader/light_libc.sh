#!/bin/sh
# light_libc.sh FOLDER - this machine's C library once more, under FOLDER/ITS-BUILD-ID/, with its symbols and without its
# debug information, for helgrind.
#
# Helgrind reads all that it finds about a library before the program's first line: of its start on a small program two
# fifths go into the lines and types of the C library (Debian's libc6-dbg), of which the grader looks at the names only.
# Here are copies of libc.so.6 and of the loader that differ in one thing: they name no build ID, and a file beside them
# in which only the symbols are. grader/src/light_libc.c says who is linked to them. Where one of the files is missing
# there is nothing to do: all works as before, only slower.
set -eu

folder=$1

libc=$(gcc -print-file-name=libc.so.6)
loader=$(readelf -p .interp /bin/sh | sed -n 's/^ *\[ *0\] *//p')
[ -f "$libc" ] && [ -f "$loader" ] || exit 0

build_id() { readelf -n "$1" | sed -n 's/^ *Build ID: *//p' | head -n 1; }

# FILE, NAME: makes the copy NAME in the folder $made, and NAME.symbols, which it names.
copy_light() {
    of=$(build_id "$1")
    debug=/usr/lib/debug/.build-id/$(printf %.2s "$of")/${of#??}.debug
    [ -n "$of" ] && [ -f "$debug" ] || return 1
    objcopy --strip-debug "$debug" "$made/$2.symbols"
    (cd "$made" && objcopy --remove-section .note.gnu.build-id --remove-section .gnu_debuglink \
        --add-gnu-debuglink="$2.symbols" "$1" "$2" && chmod 755 "$2")
}

id=$(build_id "$libc")
[ -n "$id" ] && [ ! -e "$folder/$id" ] || exit 0
mkdir -p "$folder"
made=$(mktemp -d "$folder/.making.XXXXXX")
trap 'rm -rf "$made"' EXIT
copy_light "$libc" libc.so.6 && copy_light "$loader" ld.so || exit 0
# A copy that does not even run a program is worse than none.
"$made/ld.so" --library-path "$made" /bin/true || exit 0
chmod 755 "$made"
mv -T "$made" "$folder/$id" 2>/dev/null || [ -e "$folder/$id" ] # another make was first
