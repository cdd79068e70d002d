#!/bin/sh
# The engine stands alone: a plain C11 compiler, its sources and libsodium's hashes and signatures
# make a program that moves money; and its object files ask the system only for these, for memory
# functions and for abort, and the compiler's own library for 128-bit division.
# Usage: test_embed.sh ROOT. CC and CFLAGS are honoured.
set -eu
cd "$1"
work=$(mktemp -d "${TMPDIR:-/tmp}/holdfast-embed.XXXXXX")
trap 'rm -rf "$work"' EXIT

compile="${CC:-cc} -I. -std=c11 ${CFLAGS:--O1}"
for source in engine/*.c; do
    $compile -c "$source" -o "$work/$(basename "$source" .c).o"
done
$compile tests/embed/main.c "$work"/*.o -lsodium -o "$work/embed"
"$work/embed"

# A name that one object file wants and another gives is our own.
nm -u "$work"/*.o | sed -n 's/^ *U //p' | sort -u >"$work/wanted"
nm --defined-only "$work"/*.o | sed -n 's/^[0-9a-f]* [TDBRVWC] //p' | sort -u >"$work/given"
comm -23 "$work/wanted" "$work/given" |
    grep -vxE 'crypto_(generichash|hash_sha256|sign_verify_detached)' |
    grep -vxE '__udivti3' |
    grep -vxE 'mem(cpy|set|cmp|move)|strlen|strcmp|strncmp|__assert_fail|abort|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_' \
        >"$work/foreign" || true
if [ -s "$work/foreign" ]; then
    echo "the engine asks the system for:" >&2
    cat "$work/foreign" >&2
    exit 1
fi
echo "the engine asks the system for nothing but memory functions, hashes, signatures and abort"
