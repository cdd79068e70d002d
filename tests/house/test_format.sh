#!/bin/sh
# Every C file is as clang-format leaves it. Usage: test_format.sh ROOT. Other versions than 14 lay
# out some lines differently, so only that one decides; without it the test is skipped.
set -eu
cd "$1"

formatter=$(command -v clang-format-14 || command -v clang-format || true)
if [ -z "$formatter" ]; then
    echo "skipped: clang-format is not installed"
    exit 77
fi
if ! "$formatter" --version | grep -q 'version 14\.'; then
    echo "skipped: $("$formatter" --version), and version 14 decides"
    exit 77
fi
find engine net wal replication bench tests tools \( -name '*.c' -o -name '*.h' \) -print0 |
    xargs -0 "$formatter" --dry-run -Werror --style=file
echo "all files are formatted"
