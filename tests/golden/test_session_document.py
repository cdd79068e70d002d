#!/usr/bin/env python3
"""Holds the papers of sessions together: the vectors are what their program writes, that program agrees with published
ones, and the sizes that the document tells are those of the vectors.

Usage: test_session_document.py SOURCE_ROOT
"""
import re
import subprocess
import sys


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def main():
    root = sys.argv[1]
    maker = [sys.executable, f'{root}/tests/golden/make_session.py']
    golden = read(f'{root}/tests/golden/session.txt')
    document = read(f'{root}/net/SESSION.md')

    made = subprocess.run(maker, check=True, capture_output=True, text=True).stdout
    assert made == golden, 'session.txt is not what make_session.py writes'
    checked = subprocess.run([*maker, '--check', f'{root}/tests/golden/noise.txt'], check=True, capture_output=True,
                             text=True).stdout
    assert checked == '8 published vectors\n', checked

    lines = [line.split() for line in golden.splitlines()]
    sizes = {name: len(value) // 2 for name, value in lines if name != 'suite'}
    for name in ('hello', 'welcome', 'cookie'):
        told = re.search(rf'^### {name.upper()}, (\d+) bytes$', document, re.MULTILINE)[1]
        assert int(told) == sizes[name], f'the size of {name}'
    assert int(re.search(r'(\d+) bytes of text, mode 0600', document)[1]) == 160
    print(f'{len(lines)} lines of vectors')


if __name__ == '__main__':
    main()
