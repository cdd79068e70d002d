#!/usr/bin/env python3
"""The checker is checked: tools/check must count what fails, and fail itself.

Usage: test_check_counts.py ROOT. Runs the real tools/check on a small project of its own, once with
a failing test in it and once without, over build directories that something else has spoilt."""
import os
import shutil
import subprocess
import sys
import tempfile

BUILD = '''project('small', 'c', version: '1', meson_version: '>=1.0.0')
sh = find_program('sh')
test('good', sh, args: ['-c', 'exit 0'])
test('skips', sh, args: ['-c', 'exit 77'])
test('only in release', sh, args: ['-c', 'exit 0'], suite: 'release-only')
test('takes hours', sh, args: ['-c', 'exit 1'], suite: 'long')
test('cases', sh, args: ['-c', 'echo "[==========] 12 test(s) run." >&2; echo "[  PASSED  ] 12 test(s)." >&2'])
test('program', executable('program', 'program.c'))
'''
GOOD = 'int main(void) { return 0; }\n'
BAD = 'int main(void) { return 1; }\n'
OVERRUN = '''#include <stdlib.h>
int main(int count, char **names) { (void)names; char *byte = malloc(1); byte[count] = 1; int seen = byte[count]; free(byte); return seen - 1; }
'''


def check(project, program):
    with open(os.path.join(project, 'program.c'), 'w', encoding='utf-8') as file:
        file.write(program)
    # From another folder, to prove that it finds its own.
    done = subprocess.run([os.path.join(project, 'tools', 'check'), '--no-install'], cwd='/',
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout.splitlines()[-1], done.stdout


def expect(what, got, status, last_line):
    if got[:2] != (status, last_line):
        print(got[2])
        sys.exit(f'{what}: expected exit {status} and "{last_line}", got exit {got[0]} and "{got[1]}"')
    print(f'{what}: exit {got[0]}, "{got[1]}"')


def main():
    root = sys.argv[1]
    with tempfile.TemporaryDirectory() as project:
        os.mkdir(os.path.join(project, 'tools'))
        for name in ('check', 'count_tests.py'):
            shutil.copy(os.path.join(root, 'tools', name), os.path.join(project, 'tools', name))
        with open(os.path.join(project, 'meson.build'), 'w', encoding='utf-8') as file:
            file.write(BUILD)
        # Left over from who knows what: neither a build directory nor empty.
        os.mkdir(os.path.join(project, 'build'))
        for name in ('build.ninja', 'stray'):
            with open(os.path.join(project, 'build', name), 'w', encoding='utf-8') as file:
                file.write('rule nonsense\n')

        # 12 cases, good, program twice; the release-only one once; one skips, twice.
        expect('all is well', check(project, GOOD), 0, '29 passed, 0 failed, 2 skipped')
        expect('one fails', check(project, BAD), 1, '27 passed, 2 failed, 2 skipped')
        expect('a sanitizer finds', check(project, OVERRUN), 1, '28 passed, 1 failed, 2 skipped')
        expect('it does not compile', check(project, 'int main(void) {'), 1, '0 passed, 1 failed')
        expect('all is well again', check(project, GOOD), 0, '29 passed, 0 failed, 2 skipped')
    return 0


if __name__ == '__main__':
    sys.exit(main())
