#!/usr/bin/env python3
"""The simulation is tested: products with one seeded bug each, all of which it must catch.

Usage: test_canary.py ROOT BUILD [--quick]. Compiles what is mutated, links it in front of the build's
libraries, and runs seeds until one fails: it must, within SEEDS. --quick: only those that are known to
be caught soon. A mutation that does not match its source exactly once is a failure too: the product has
changed and the canary with it."""
import collections
import glob
import os
import shutil
import subprocess
import sys
import tempfile

SEEDS = 10000
TIMEOUT_S = 900
FLAGS = ['-std=gnu11', '-O2', '-D_GNU_SOURCE', '-DXXH_INLINE_ALL']

Mutation = collections.namedtuple('Mutation', 'bug file old new quick')

MUTATIONS = [
    Mutation('a takeover skips the promise', 'replication/settle.c',
             '    if (r->promise <= r->config.epoch) {\n', '    if (false) {\n', False),
    Mutation('answers before the backup has acknowledged', 'replication/primary.c',
             'return hf_config_is_pair(&r->config) || r->is_joining != 0 ||',
             'return r->is_joining != 0 ||', True),
    Mutation('pair-safe acknowledges what is not flushed', 'replication/follower.c',
             'return hf_is_fast(r) ? r->last.place.index : r->flushed;',
             'return r->last.place.index;', False),
    Mutation('a cut a record too short', 'replication/follower.c',
             '    r->cut = index;\n', '    r->cut = index + 1;\n', False),
    Mutation('truncates below what is known committed', 'replication/follower.c',
             '    r->cut = index;\n', '    r->cut = index - 1;\n', True),
    Mutation('an old CUT is taken for an answer', 'replication/follower.c',
             '    if (m->promise != r->asked.epoch || m->commit != r->asked.index) {\n',
             '    if (false) {\n', False),
    Mutation('a lower epoch is accepted', 'replication/follower.c',
             'if (m->epoch < r->promise) {', 'if (m->epoch + 1 < r->promise) {', False),
    Mutation('pair-fast forgets the incarnation', 'replication/config.h',
             'member->incarnation == incarnation', 'incarnation != 0', False),
    Mutation('a read is answered after the lease', 'replication/pair.c',
             'until = r->times.leased + r->options.lease_ns;', 'until = UINT64_MAX;', False),
    Mutation('the lease counts from the echo', 'replication/primary.c',
             'r->times.leased = m->time_ns;', 'r->times.leased = r->times.now;', False),
    Mutation('a swap that was not done is served: double takeover', 'replication/settle.c',
             '    } else if (input->answer == HF_ANSWER_DONE) {\n        assert(asked == HF_ASKING_SWAP);\n',
             '    } else if (asked == HF_ASKING_SWAP) {\n', True),
    Mutation('the log of a follower is not compared', 'replication/follower.c',
             '    send_learn(r, u);\n}\n\n/* ---- Comparing',
             '    r->is_verified = 1;\n    send_learn(r, u);\n}\n\n/* ---- Comparing', False),
    Mutation('a learner is taken in before it has all', 'replication/primary.c',
             'if (r->acked >= r->commit) {', 'if (true) {', False),
    Mutation('dropping does not wait for the arbiter', 'replication/primary.c',
             '    r->is_fenced = 1;\n    hf_settle_swap(r, u, 0);\n',
             '    r->config.insync[1] = (struct hf_member){0};\n    hf_settle_swap(r, u, 0);\n', False),
    Mutation('a deposed primary goes on with the state it has', 'replication/pair.c',
             '        hf_pair_set_restart(pair, HF_PAIR_RESTART_DEPOSED); /* P6 */\n',
             '        atomic_store_explicit(&pair->lead_index, 0, memory_order_release);\n', False),
    Mutation('the shorter of both logs wins', 'replication/settle.c',
             'if (longer || (equal &&', 'if (!longer || (equal &&', False),
    Mutation('somebody who is not in I takes over', 'replication/settle.c',
             'if (counts && (is_open || is_over)) {', 'if (is_open || is_over) {', True),
    Mutation('the promise is not made durable', 'replication/pair.c',
             '    superblock->promised_epoch = pair->replica.promise;\n', '', True),
    Mutation('an interrupted cut is not found again', 'wal/recover.c',
             '        note_epoch(&state->superblock, record);\n', '', False),
    Mutation('a checkpoint of the peer is taken as it comes', 'wal/install.c',
             '            hf_checkpoint_check_piece(&install->header, install->pieces, install->buffer, fault);\n',
             '            HF_STATUS_OK;\n', True),
    Mutation('a checkpoint takes the place of a log that stays', 'wal/install.c',
             '        status = quarantine(disk, order, HF_INSTALL_LOG, fault);\n', '', True),
    Mutation("a bit of the state of who follows turns, and no answer shows it", 'wal/replay.c',
             'return hf_ledger_apply(ledger, timestamp_ns, operations, count, replies) == all;',
             'return hf_ledger_apply(ledger, timestamp_ns ^ 1, operations, count, replies) == all;', True),
    Mutation('what was decided of a checkpoint is forgotten', 'wal/install.c',
             '                                    struct hf_fault *fault)\n{\n    struct hf_install_order order;',
             '                                    struct hf_fault *fault)\n{\n    return HF_STATUS_OK;\n    struct hf_install_order order;', False),
    Mutation('a record counts as durable before its flush', 'wal/writer.c',
             '    while (commit < writer->last_index && writer->slots[(commit + 1) % HF_LOG_SLOTS].durable) {',
             '    while (commit < writer->last_index) {', False),
    Mutation('a failed write does not poison the log', 'wal/writer.c',
             '        poison(writer, what, strerror(completion->error));\n        return;\n', '', False),
]


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)


def link_command(build):
    """What links the simulation, as ninja does it; run in the build directory."""
    done = run(['ninja', '-C', build, '-t', 'commands', 'tests/sim/sim'])
    line = done.stdout.splitlines()[-1].split()
    assert '-o' in line and line[line.index('-o') + 1] == 'tests/sim/sim', done.stdout
    return line


def build_mutant(root, build, link, work, mutation):
    """Compiles the mutated file (of a header: all that may include it) and links it before the libraries,
    which then have nothing to add. Returns the program."""
    with open(os.path.join(root, mutation.file), encoding='utf-8') as file:
        text = file.read()
    if text.count(mutation.old) != 1:
        print(f'{mutation.bug}: {text.count(mutation.old)} places in {mutation.file} match, not one', flush=True)
        return None
    room, name = os.path.split(mutation.file)
    overlay = os.path.join(work, 'overlay')
    shutil.rmtree(overlay, ignore_errors=True)
    os.makedirs(os.path.join(overlay, room))
    for header in glob.glob(os.path.join(root, room, '*.h')):
        shutil.copy(header, os.path.join(overlay, room))
    sources = [name] if name.endswith('.c') else \
        sorted(os.path.basename(path) for path in glob.glob(os.path.join(root, room, '*.c')))
    for source in sources:
        shutil.copy(os.path.join(root, room, source), os.path.join(overlay, room))
    with open(os.path.join(overlay, mutation.file), 'w', encoding='utf-8') as file:
        file.write(text.replace(mutation.old, mutation.new))
    objects = []
    for source in sources:
        objects.append(os.path.join(work, source + '.o'))
        done = run([os.environ.get('CC', 'cc'), *FLAGS, f'-I{overlay}', f'-I{root}', '-c',
                    os.path.join(overlay, room, source), '-o', objects[-1]])
        if done.returncode != 0:
            sys.exit(f'{mutation.bug}: does not compile:\n{done.stdout}')
    program = os.path.join(work, 'sim')
    at = link.index('-o')
    done = run([*link[:at], '-o', program, *objects, *link[at + 2:]], cwd=build)
    if done.returncode != 0:
        sys.exit(f'{mutation.bug}: does not link:\n{done.stdout}')
    return program


def how_caught(program):
    """The first seed that failed, and how; None when none did."""
    done = run([program, '--seeds', str(SEEDS)], timeout=TIMEOUT_S)
    if done.returncode == 0:
        return None
    said = [line for line in done.stdout.splitlines() if line.startswith('FAILED: ') or 'Assertion' in line]
    return '; '.join(said) or f'exit status {done.returncode}'


def main():
    root, build = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    chosen = [mutation for mutation in MUTATIONS if mutation.quick or '--quick' not in sys.argv[3:]]
    link = link_command(build)
    escaped = 0
    with tempfile.TemporaryDirectory() as work:
        for mutation in chosen:
            program = build_mutant(root, build, link, work, mutation)
            caught = program and how_caught(program)
            if program:
                print(f'{mutation.bug}: {caught or "ESCAPED"}', flush=True)
            escaped += not caught
    print(f'{len(chosen)} seeded bugs, {escaped} escaped')
    return 1 if escaped else 0


if __name__ == '__main__':
    sys.exit(main())
