#!/usr/bin/env python3
"""Counts what meson's own test logs say. Usage: count_tests.py TESTLOG.JSON...

Prints `N passed, N failed`, and `, N skipped` when some were. A program that closes as cmocka does
("[  PASSED  ] 12 test(s).") counts as its cases, any other as one. A log that is missing or names
no test counts as a failure: nothing was proved. Exits 0 only when nothing failed."""
import json
import re
import sys

PASSED = {'OK', 'EXPECTEDFAIL'}
SKIPPED = {'SKIP', 'IGNORED'}
CASES = re.compile(r'^\[  (PASSED|FAILED|SKIPPED) *\] (\d+) test\(s\)', re.MULTILINE)


def count_one(entry):
    """(passed, failed, skipped) of one test program."""
    cases = {'PASSED': 0, 'FAILED': 0, 'SKIPPED': 0}
    for kind, number in CASES.findall((entry.get('stdout') or '') + '\n' + (entry.get('stderr') or '')):
        cases[kind] += int(number)
    passed, failed, skipped = cases['PASSED'], cases['FAILED'], cases['SKIPPED']
    result = entry['result']
    if result in SKIPPED:
        return 0, 0, 1
    if result in PASSED:
        # It said it went well: a case that failed inside is a failure all the same.
        return (passed, failed, skipped) if passed + failed + skipped else (1, 0, 0)
    # A crash, a timeout, a sanitizer's finding after the last case: at least one failure.
    return passed, max(failed, 1), skipped


def count_log(path):
    try:
        with open(path, encoding='utf-8') as log:
            entries = [json.loads(line) for line in log if line.strip()]
    except (FileNotFoundError, json.JSONDecodeError) as trouble:
        print(f'{path}: {trouble}')
        return 0, 1, 0
    if not entries:
        print(f'{path}: names no test')
        return 0, 1, 0
    totals = [count_one(entry) for entry in entries]
    for entry, (_, failed, _) in zip(entries, totals):
        if failed:
            print(f'FAILED: {entry["name"]} ({entry["result"]}), see {path}')
    return tuple(sum(column) for column in zip(*totals))


def main():
    totals = [count_log(path) for path in sys.argv[1:]]
    passed, failed, skipped = (sum(column) for column in zip(*totals)) if totals else (0, 1, 0)
    print(f'{passed} passed, {failed} failed' + (f', {skipped} skipped' if skipped else ''))
    return 0 if failed == 0 else 1


if __name__ == '__main__':
    sys.exit(main())
