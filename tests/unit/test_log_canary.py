#!/usr/bin/env python3
"""The log's tests are tested: logs with one seeded bug each, all of which they must catch.

Usage: test_log_canary.py ROOT ARCHIVE... (the static libraries of the log and the engine). Links each test with the
libraries as they are, and it must pass; then, for each mutation below, with the mutated file in place of the library's
own, and it must fail. A mutation that does not match its source exactly once is a failure too: the log has changed and the
canary with it."""
import collections
import concurrent.futures
import os
import subprocess
import sys
import tempfile
import threading

TIMEOUT_S = 120
FAILED = 'ERROR   ] ---'  # what an assertion of a test says
FLAGS = ['-std=gnu11', '-O1', '-D_GNU_SOURCE', '-DXXH_INLINE_ALL']
WRAPS = ['-Wl,--wrap=malloc', '-Wl,--wrap=calloc', '-Wl,--wrap=aligned_alloc']
LIBRARIES = ['-lcmocka', '-luring', '-lsodium', '-lxxhash']

# A few subsets a step: the seeded bugs are not hard to find.
CRASHES = ('crash_points', ('1', '4'))
FAULTS = ('disk_faults', ())
BITS = ('bit_flips', ())
RECOVER = ('recover', ())
URING = ('disk_uring', ('*_short_writes',))
SUPERBLOCK = ('superblock', ())
TESTS = (CRASHES, FAULTS, BITS, RECOVER, URING, SUPERBLOCK)

Mutation = collections.namedtuple('Mutation', 'bug file old new test')

MUTATIONS = [
    # Answers before the flush.
    Mutation('records are written and not flushed', 'writer.c',
             'enum hf_status status = writer->disk->maker->append(\n        writer->disk, writer->current.file',
             'enum hf_status status = writer->disk->maker->fill(\n        writer->disk, writer->current.file', CRASHES),
    Mutation('an answer does not wait for the records before it', 'writer.c',
             'while (commit < writer->last_index && writer->slots[(commit + 1) % HF_LOG_SLOTS].durable) {\n        commit++;',
             'for (uint64_t i = before + 1; i <= writer->last_index; i++) {\n'
             '        commit = writer->slots[i % HF_LOG_SLOTS].durable ? i : commit;', CRASHES),
    Mutation('what was replayed is not flushed', 'opening.c',
             'status = flush_replayed(opening);', 'status = HF_STATUS_OK;', CRASHES),
    Mutation('a cache is trusted after a flush that failed', 'opening.c',
             'status = rewrite_unproven(opening);', 'status = HF_STATUS_OK;', FAULTS),
    Mutation('a checkpoint is named before it is flushed', 'checkpoint.c',
             '            status = disk->maker->flush(disk, file);', '            ;', CRASHES),
    # Missing directory flushes.
    Mutation('a segment is used before its name is durable', 'segment_maker.c',
             '        status = disk->maker->flush_directory(disk);', '        ;', CRASHES),
    Mutation('a start stands on names that are not durable', 'opening.c',
             'return hf_opening_disk_fault(opening, opening->disk->maker->flush_directory(opening->disk));',
             'return HF_STATUS_OK;', CRASHES),
    # Short and failed writes.
    Mutation('a short append is taken for a whole one', 'disk_uring.c',
             '(uint32_t)result != op->length', 'false', URING),
    Mutation('a short write is taken for a whole one', 'disk_uring.c',
             'while (done < length) {\n        ssize_t put =', 'while (done == 0) {\n        ssize_t put =', URING),
    Mutation('a write that failed is answered', 'writer.c',
             '    if (completion->status != HF_STATUS_OK) {\n        char what[64];',
             '    if (false) {\n        char what[64];', FAULTS),
    Mutation('after an error the writer goes on', 'writer.c',
             '    collect(writer);\n    if (hf_log_is_poisoned(writer)) {\n        return 0;\n    }\n', '    collect(writer);\n',
             FAULTS),
    # Wrong tail rules.
    Mutation('every tail is cut', 'recover.c', 'if (record->commit >= lost) {', 'if (false) {', BITS),
    Mutation('whole records behind a gap are always corruption', 'recover.c',
             'if (record->commit >= lost) {', 'if (true) {', CRASHES),
    Mutation('a checkpoint bears no witness', 'recover.c',
             'if (state->known_commit >= lost) {', 'if (false) {', RECOVER),
    Mutation('a record from another life follows', 'reader.c',
             '    if (!hf_hash_equal(record->prev_hash, chain->hash) ||\n', '    if (\n', BITS),
    Mutation('the padding of a record is not looked at', 'record.c',
             'if (!hf_bytes_are_zero((const uint8_t *)bytes + record->length, padded - record->length)) {',
             'if (false) {', BITS),
    # The superblock's copies.
    Mutation('the second copy of the superblock is not written', 'superblock.c',
             'for (uint64_t i = 0; i < HF_SUPERBLOCK_COPIES && status == HF_STATUS_OK; i++) {',
             'for (uint64_t i = 0; i < HF_SUPERBLOCK_COPIES && status == HF_STATUS_OK; i += 1 + (i == 0)) {', BITS),
    Mutation('the second copy of the superblock is not read', 'superblock.c',
             'if (!copy_is_valid(&copies[i])) {', 'if (i == 1 || !copy_is_valid(&copies[i])) {', SUPERBLOCK),
    Mutation('only the first copy of the superblock is read', 'superblock.c',
             'if (!copy_is_valid(&copies[i])) {', 'if (i != 0 || !copy_is_valid(&copies[i])) {', BITS),
    Mutation('the superblock is written without a flush', 'superblock.c',
             '            status = disk->maker->flush(disk, file);', '            ;', CRASHES),
]


class Broken(Exception):
    """The canary itself does not work: what is wrong."""


# Memory filled at every malloc would cost the compiler and a hundred short runs more than they need.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != 'MALLOC_PERTURB_'}


def run(command, **options):
    return subprocess.run(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace',
                          check=False, **options)


def compiled(root, source, target, *folders):
    done = run([os.environ.get('CC', 'cc'), *FLAGS, *(f'-I{folder}' for folder in (root, *folders)), '-c', source,
                '-o', target])
    if done.returncode != 0:
        raise Broken(f'{source} does not compile:\n{done.stdout}')
    return target


def run_until_caught(command, own):
    """Runs a test until it ends or an assertion of it has failed: the rest of it can tell no more."""
    with subprocess.Popen(command, env=ENVIRONMENT, cwd=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors='replace') as process:
        late = threading.Event()
        timer = threading.Timer(TIMEOUT_S, lambda: (late.set(), process.kill()))
        timer.start()
        lines = []
        for line in process.stdout:
            lines.append(line)
            if FAILED in line:
                process.kill()
                break
        process.wait()
        timer.cancel()
    if late.is_set():
        raise Broken(f'{command[0]} did not come to an end in {TIMEOUT_S} s')
    return subprocess.CompletedProcess(command, process.returncode, ''.join(lines))


def link_and_run(own, test, objects, archives):
    """The first thing of the objects and archives that names a symbol gives it: a mutant hides the archive's own."""
    name, arguments = test
    program = os.path.join(own, name)
    done = run([os.environ.get('CC', 'cc'), *objects, *archives, *(WRAPS if name == 'disk_faults' else ()), *LIBRARIES,
                '-o', program])
    if done.returncode != 0:
        raise Broken(f'{name} does not link:\n{done.stdout}')
    # Real files go where the build is: direct writes need a real disk.
    return run_until_caught([program, *arguments], own)


def how_caught(done):
    """What ended the run, in a few words; None when nothing did."""
    if done.returncode == 0:
        return None
    for line in done.stdout.splitlines():
        if 'Assertion' in line or line.startswith('seed ') or 'acknowledged' in line or FAILED in line:
            return line.strip()
    raise Broken(f'ended without saying what it found, exit status {done.returncode}:\n{done.stdout}')


def prepare(root, work, test, archives):
    """The object of a test that the log as it is passes."""
    name = f'test_{test[0]}'
    own = tempfile.mkdtemp(dir=work)
    made = compiled(root, os.path.join(root, 'tests/unit', name + '.c'), os.path.join(own, name + '.o'))
    healthy = link_and_run(own, test, [made], archives)
    if healthy.returncode != 0:
        raise Broken(f'{name}: the log as it is does not pass:\n{healthy.stdout}')
    return made


def hunt(root, work, mutation, test_object, archives):
    """Builds a log with the bug in a folder of its own. Returns what caught it, None when nothing did."""
    with open(os.path.join(root, 'wal', mutation.file), encoding='utf-8') as file:
        text = file.read()
    if text.count(mutation.old) != 1:
        raise Broken(f'{text.count(mutation.old)} places in {mutation.file} match, not one')
    own = tempfile.mkdtemp(dir=work)
    path = os.path.join(own, mutation.file)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text.replace(mutation.old, mutation.new))
    mutant = compiled(root, path, path + '.o', os.path.join(root, 'wal'))
    return how_caught(link_and_run(own, mutation.test, [test_object, mutant], archives))


def main():
    root = os.path.abspath(sys.argv[1])
    archives = [os.path.abspath(path) for path in sys.argv[2:]]
    escaped = 0
    with tempfile.TemporaryDirectory(prefix='.canary-', dir=os.getcwd()) as work, \
            concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as workers:
        tests = dict(zip(TESTS, workers.map(lambda test: prepare(root, work, test, archives), TESTS)))
        hunts = [workers.submit(hunt, root, work, mutation, tests[mutation.test], archives) for mutation in MUTATIONS]
        for mutation, found in zip(MUTATIONS, hunts):
            try:
                caught = found.result()
                says = caught or 'ESCAPED'
            except Broken as broken:
                caught, says = None, str(broken)
            print(f'{mutation.bug}: {says}', flush=True)
            escaped += caught is None

    print(f'{len(MUTATIONS)} seeded bugs, {escaped} escaped')
    return 1 if escaped else 0


if __name__ == '__main__':
    sys.exit(main())
