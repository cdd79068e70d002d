#!/usr/bin/env python3
"""The root shows the plan of the house and nothing else. Usage: test_root.py ROOT."""
import subprocess
import sys

ROOMS = {'engine', 'net', 'wal', 'replication', 'bench', 'tests', 'tools'}
FILES = {'meson.build', 'README.md', 'LICENSE'}
SKIPPED = 77


def strangers(paths):
    """Of tracked paths, the entries at the root that have no business there."""
    entries = {path.split('/')[0]: '/' in path for path in paths}
    return sorted(name for name, is_folder in entries.items()
                  if not name.startswith('.') and name not in (ROOMS if is_folder else FILES))


def main():
    assert strangers(['engine/a.c', 'README.md', '.ci/run', '.gitignore']) == []
    assert strangers(['notes.txt', 'engine', 'docs/a.md']) == ['docs', 'engine', 'notes.txt']
    try:
        listed = subprocess.run(
            ['git', '-c', 'safe.directory=*', '-C', sys.argv[1], 'ls-files', '-z'],
            capture_output=True, text=True, check=True).stdout
    except (FileNotFoundError, subprocess.CalledProcessError) as trouble:
        print(f'skipped: no list of tracked files: {trouble}')
        return SKIPPED
    paths = [path for path in listed.split('\0') if path]
    if not paths:
        print('skipped: nothing is tracked here')
        return SKIPPED
    found = strangers(paths)
    for name in found:
        print(f'{name}: does not belong at the root', file=sys.stderr)
    missing = sorted((ROOMS | FILES) - {path.split('/')[0] for path in paths})
    for name in missing:
        print(f'{name}: missing at the root', file=sys.stderr)
    return 1 if found or missing else 0


if __name__ == '__main__':
    sys.exit(main())
