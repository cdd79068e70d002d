#!/bin/sh
# What is installed is enough: headers, pkg-config file, shared and static library make a program in C and in
# C++, and it talks to a node. Usage: test_install.sh SOURCE BUILD. CC and CXX are honoured.
set -eu
source=$1
build=$2
work=$(mktemp -d "$build/client-install.XXXXXX") # direct writes need a real disk
node=
trap 'test -z "$node" || { kill -TERM "$node" 2>/dev/null; wait "$node" || true; }; rm -rf "$work"' EXIT

meson install -C "$build" --no-rebuild --destdir "$work/root" >"$work/log" || { cat "$work/log"; exit 1; }
pc=$(find "$work/root" -name holdfast.pc)
prefix=${pc%/lib/*}
PKG_CONFIG_PATH=$(dirname "$pc")
export PKG_CONFIG_PATH
flags="$(pkg-config --define-variable=prefix="$prefix" --cflags holdfast) -Wall -Wextra -Wpedantic -Werror"
libs=$(pkg-config --define-variable=prefix="$prefix" --libs holdfast)
LD_LIBRARY_PATH=$(dirname "$(find "$work/root" -name libholdfast.so)")
export LD_LIBRARY_PATH

${CC:-cc} -std=c11 $flags "$source/tests/client/user.c" $libs -o "$work/in_c"
${CXX:-c++} -std=c++17 $flags -x c++ "$source/tests/client/user.c" $libs -o "$work/in_cxx"
${CC:-cc} -std=c11 $flags "$source/tests/client/user.c" "$(find "$work/root" -name libholdfast.a)" \
    $(pkg-config --libs libdpdk liburing libsodium) -o "$work/static"
! ldd "$work/static" | grep -q libholdfast

# The shared library shows what its headers declare, and nothing besides.
nm -D --defined-only "$LD_LIBRARY_PATH/libholdfast.so" | awk '{print $3}' | grep -vE '^hf_(client|make|plan|instrument|chain|code|rule|id|operation)_' &&
    { echo "names that should not be shown"; exit 1; }

# Nobody there: the call comes back in time.
status=0
"$work/in_c" 127.0.0.1:9 1001 || status=$?
test "$status" -eq 3

# The drill's script is installed with the program that runs it, and found from wherever that has been moved.
programs=$(dirname "$(find "$work/root" -name holdfastd -type f)")
"$programs/holdfast" drill --help | grep -q kill-primary

# A node, and each program asks it.
mkfifo "$work/ready"
"$build/holdfastd" --data.directory "$work/data" --admin.socket "$work/admin" --port.address 127.0.0.1:0 \
    --ledger.accounts 1000 --ledger.instruments 1000 --ledger.holds 1000 --ledger.remembered 1000 \
    --log.segment_bytes 4m >"$work/ready" 2>"$work/messages" &
node=$!
read -r word address <"$work/ready" || { cat "$work/messages"; exit 1; }
test "$word" = ready
for program in in_c in_cxx static; do
    answer=$("$work/$program" "$address" 1001)
    test "$answer" = UNKNOWN_ACCOUNT
    echo "$program: $answer"
done
