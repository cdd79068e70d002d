#!/usr/bin/env python3
"""Holds the wire's papers together: the vectors are what their program writes, the document's example
is one of them, and its tables name the codes and rules that there are.

Usage: test_wire_document.py SOURCE_ROOT
"""
import re
import subprocess
import sys


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def vectors(text):
    found = {}
    for part in text.split('vector ')[1:]:
        lines = part.splitlines()
        found[lines[0]] = ''.join(line[4:] for line in lines if line.startswith('hex '))
    return found


def example_after(document, name):
    """The bytes of the indented block behind the mention of vector `name`."""
    rest = document[document.index(f'vector `{name}`'):]
    block = re.search(r'\n\n((?:    .+\n)+)', rest)[1]
    return ''.join(re.match(r' {4}((?:[0-9a-f]{2} )+)', line)[1].replace(' ', '')
                   for line in block.splitlines())


def main():
    root = sys.argv[1]
    golden = read(f'{root}/tests/golden/wire.txt')
    document = read(f'{root}/net/WIRE.md')
    header = read(f'{root}/engine/code.h')

    made = subprocess.run([sys.executable, f'{root}/tests/golden/make_wire.py'], check=True,
                          capture_output=True, text=True).stdout
    assert made == golden, 'wire.txt is not what make_wire.py writes'

    for name in ('move', 'reply_ok'):
        assert example_after(document, name) == vectors(golden)[name], f'the example of {name}'

    codes = re.findall(r'X\((\w+), (\d+), "\w+", "\w+", "([^"]+)"\)', header)
    documented = re.findall(r'^\| (\d+) \| ([A-Z_]+) \| ([^|]+) \|$', document, re.MULTILINE)
    assert len(codes) > 30
    assert [(number, name, text) for name, number, text in codes] == documented, 'table of codes'

    rules = re.findall(r'X\((\w+), (\d+)\)', header)
    listed = re.search(r'^Rules: (.+)\.$', document, re.MULTILINE)[1]
    assert len(rules) > 20
    assert ', '.join(f'{number} {name}' for name, number in rules) == listed, 'list of rules'
    print(f'{len(vectors(golden))} vectors, {len(codes)} codes, {len(rules)} rules')


main()
