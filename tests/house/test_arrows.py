#!/usr/bin/env python3
"""Includes point one way: tools -> replication -> wal -> engine; tools -> net -> the engine's layouts.

Usage: test_arrows.py ROOT. Names file and line of every include that points elsewhere and exits 1.
First it proves on a small tree of its own that it sees a wrong one."""
import os
import re
import sys
import tempfile

# Which rooms a room may look into, besides itself.
ROOMS = {
    'engine': set(),
    'wal': {'engine'},
    'replication': {'wal', 'engine'},
    'net': {'engine'},
    'tools': {'engine', 'wal', 'net', 'replication'},
    'bench': {'engine', 'wal', 'net', 'replication', 'tools'},
    'tests': {'engine', 'wal', 'net', 'replication', 'tools', 'bench'},
}
# All that net may know of the engine: what an operation and its answer look like.
LAYOUTS = {'operation.h', 'code.h', 'id.h', 'amount.h', 'status.h'}

# Pure files may ask nothing of the system: no clock, no I/O, no threads, no allocation.
LANGUAGE = {'assert.h', 'inttypes.h', 'limits.h', 'stdbool.h', 'stddef.h', 'stdint.h', 'string.h'}
PURE = (
    (re.compile(r'engine/condition\.c$'), LANGUAGE | {'sodium.h'}),
    (re.compile(r'engine/(?!condition\.c$)'), LANGUAGE | {'xxhash.h', 'emmintrin.h'}),
    (re.compile(r'net/(wire|ip)\.[ch]$'), LANGUAGE | {'xxhash.h'}),
    (re.compile(r'net/(cipher|noise|window|cookie|handshake|channel|session|dial|gate|peer)\.[ch]$'),
     LANGUAGE | {'sodium.h'}),
    (re.compile(r'net/sealer\.[ch]$'), LANGUAGE | {'sodium.h', 'stdatomic.h'}),
    (re.compile(r'wal/(record|hash)\.[ch]$'), LANGUAGE | {'xxhash.h'}),
)
# The rest of the log reaches the world only through its disk.
DISKLESS = re.compile(r'wal/(?!disk)')
WORLD = re.compile(r'(fcntl|unistd|pthread|threads|time|signal|liburing|sys/.*|linux/.*|rte_.*)\.h$|liburing\.h$')

INCLUDE = re.compile(r'\s*#\s*include\s*(["<])([^">]+)[">]')


def sources(root):
    for room in sorted(ROOMS):
        for folder, _, names in os.walk(os.path.join(root, room)):
            for name in sorted(names):
                if name.endswith(('.c', '.h', '.cc')):
                    yield os.path.relpath(os.path.join(folder, name), root)


def judge_quoted(root, path, target):
    room = path.split('/')[0]
    folder = os.path.dirname(path)
    if os.path.exists(os.path.join(root, target)):
        found = os.path.normpath(target)
    elif os.path.exists(os.path.join(root, folder, target)):
        found = os.path.normpath(os.path.join(folder, target))
    else:
        return 'is no file of the tree'
    other = found.split('/')[0]
    if other == room:
        return None
    if other not in ROOMS.get(room, set()):
        return f'{room} may not look into {other}'
    if room == 'net' and os.path.basename(found) not in LAYOUTS:
        return f'net may know only the layouts of the engine: {" ".join(sorted(LAYOUTS))}'
    return None


def judge_system(path, target):
    if target.split('/')[0] in ROOMS:
        return 'our own headers are included with quotes'
    for files, allowed in PURE:
        if files.match(path) and target not in allowed:
            return 'a pure file may not ask the system for anything'
    if DISKLESS.match(path) and WORLD.match(target):
        return 'the log reaches the world only through wal/disk.h'
    return None


def wrong_includes(root):
    """Yields (file, line, include, reason)."""
    for path in sources(root):
        with open(os.path.join(root, path), encoding='utf-8') as text:
            for number, line in enumerate(text, 1):
                match = INCLUDE.match(line)
                if not match:
                    continue
                kind, target = match.groups()
                reason = (judge_quoted(root, path, target) if kind == '"'
                          else judge_system(path, target))
                if reason:
                    yield path, number, target, reason


def prove_sight():
    """Each of these must be found at its line, and nothing else."""
    tree = {
        'engine/operation.h': '#include <stdint.h>\n',
        'engine/ledger.h': '#include "operation.h"\n',
        'engine/ledger.c': '#include "ledger.h"\n#include <string.h>\n#include <time.h>\n',
        'engine/early.c': '\n#include "wal/disk.h"\n',
        'wal/disk.h': '#include "engine/operation.h"\n',
        'wal/disk_uring.c': '#include "disk.h"\n#include <liburing.h>\n',
        'wal/record.c': '#include <stdlib.h>\n',
        'wal/writer.c': '#include <unistd.h>\n',
        'net/wire.h': '#include "engine/operation.h"\n',
        'net/wire.c': '#include "engine/ledger.h"\n  #  include <stdio.h>\n',
        'tools/main.c': '#include "net/wire.h"\n#include "missing.h"\n#include <net/wire.h>\n',
        'replication/step.c': '#include "net/wire.h"\n',
        'tests/test.c': '#include "tools/nothing.h"\n',
    }
    expected = {
        ('engine/ledger.c', 3), ('engine/early.c', 2), ('wal/record.c', 1), ('wal/writer.c', 1),
        ('net/wire.c', 1), ('net/wire.c', 2), ('tools/main.c', 2), ('tools/main.c', 3),
        ('replication/step.c', 1), ('tests/test.c', 1),
    }
    with tempfile.TemporaryDirectory() as root:
        for path, text in tree.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), 'w', encoding='utf-8') as file:
                file.write(text)
        found = {(path, line) for path, line, _, _ in wrong_includes(root)}
    if found != expected:
        sys.exit(f'the test is blind: missed {expected - found}, imagined {found - expected}')


def main():
    root = sys.argv[1]
    prove_sight()
    looked_at = len(list(sources(root)))
    if looked_at == 0:
        sys.exit(f'no sources under {root}')
    wrong = 0
    for path, line, target, reason in wrong_includes(root):
        print(f'{path}:{line}: {target}: {reason}', file=sys.stderr)
        wrong += 1
    print(f'{looked_at} files looked at, {wrong} wrong includes')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
