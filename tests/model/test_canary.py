#!/usr/bin/env python3
"""The model test is tested: engines with one seeded bug each, all of which it must catch.

Usage: test_canary.py ROOT. Compiles the engine as it is, which must pass, and then once for each
mutation below, which must fail. A mutation that does not match its source exactly once is a failure
too: the engine has changed and the canary with it."""
import collections
import os
import subprocess
import sys
import tempfile

OPERATIONS = '120000'
TIMEOUT_S = 120
FLAGS = ['-std=gnu11', '-O1', '-D_GNU_SOURCE', '-DXXH_INLINE_ALL']

Mutation = collections.namedtuple('Mutation', 'bug file old new')

MUTATIONS = [
]


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)


def compile_one(root, source, target):
    done = run([os.environ.get('CC', 'cc'), *FLAGS, '-I', root, '-I', os.path.join(root, 'engine'), '-I',
                os.path.join(root, 'tests/model'), '-c', source, '-o', target])
    if done.returncode != 0:
        sys.exit(f'{source} does not compile:\n{done.stdout}')


def link_and_run(work, objects):
    program = os.path.join(work, 'test_model')
    done = run([os.environ.get('CC', 'cc'), *objects, '-o', program])
    if done.returncode != 0:
        sys.exit(f'does not link:\n{done.stdout}')
    return run([program, '--operations', OPERATIONS], timeout=TIMEOUT_S)


def how_caught(done):
    """What ended the run, in a few words; None when nothing did."""
    if done.returncode == 0:
        return None
    for line in done.stdout.splitlines():
        if line.startswith('FAILED: ') or 'Assertion' in line:
            return line
    return f'exit status {done.returncode}'


def main():
    root = os.path.abspath(sys.argv[1])
    sources = {}
    for folder in ('engine', 'tests/model'):
        for name in sorted(os.listdir(os.path.join(root, folder))):
            if name.endswith('.c'):
                sources[f'{folder}/{name}'] = os.path.join(root, folder, name)

    escaped = 0
    with tempfile.TemporaryDirectory() as work:
        objects = {path: os.path.join(work, path.replace('/', '_') + '.o') for path in sources}
        for path, source in sources.items():
            compile_one(root, source, objects[path])

        healthy = link_and_run(work, objects.values())
        if healthy.returncode != 0:
            sys.exit(f'the engine as it is does not pass:\n{healthy.stdout}')

        for mutation in MUTATIONS:
            with open(sources[mutation.file], encoding='utf-8') as file:
                text = file.read()
            if text.count(mutation.old) != 1:
                print(f'{mutation.bug}: {mutation.file} has its text {text.count(mutation.old)} times, not once')
                escaped += 1
                continue
            mutant = os.path.join(work, 'mutant.c')
            with open(mutant, 'w', encoding='utf-8') as file:
                file.write(text.replace(mutation.old, mutation.new))
            compile_one(root, mutant, mutant + '.o')
            mixed = [mutant + '.o' if path == mutation.file else name for path, name in objects.items()]
            caught = how_caught(link_and_run(work, mixed))
            print(f'{mutation.bug}: {caught or "ESCAPED"}', flush=True)
            escaped += caught is None

    print(f'{len(MUTATIONS)} seeded bugs, {escaped} escaped')
    return 1 if escaped else 0


if __name__ == '__main__':
    sys.exit(main())
