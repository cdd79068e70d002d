#!/usr/bin/env python3
"""The walk is tested: protocols with one seeded bug each, all of which it must catch.

Usage: test_canary.py ROOT. Compiles the protocol as it is, which must pass, and then once for each
mutation below, which must fail. A mutation that does not match its source exactly once is a failure
too: the protocol has changed and the canary with it."""
import collections
import os
import subprocess
import sys
import tempfile

TIMEOUT_S = 300
FLAGS = ['-std=gnu11', '-O2', '-D_GNU_SOURCE', '-DXXH_INLINE_ALL']

Mutation = collections.namedtuple('Mutation', 'bug file old new')

MUTATIONS = [
    Mutation('a takeover skips the promise', 'settle.c',
             '    if (r->promise <= r->config.epoch) {\n', '    if (false) {\n'),
    Mutation('the promise of a takeover is not waited for', 'settle.c',
             '        hf_step_save(r, u, HF_SAVING_CLAIM);\n        return;\n', ''),
    Mutation('answers before the backup has acknowledged', 'primary.c',
             'return hf_config_is_pair(&r->config) || r->is_joining != 0 ||',
             'return r->is_joining != 0 ||'),
    Mutation('pair-safe acknowledges what is not flushed', 'follower.c',
             'return hf_is_fast(r) ? r->last.place.index : r->flushed;',
             'return r->last.place.index;'),
    Mutation('a cut a record too short', 'follower.c',
             '    r->cut = index;\n', '    r->cut = index + 1;\n'),
    Mutation('truncates below what is known committed', 'follower.c',
             '    r->cut = index;\n', '    r->cut = index - 1;\n'),
    Mutation('a lower epoch is accepted', 'follower.c',
             'if (m->epoch < r->promise) {', 'if (m->epoch + 1 < r->promise) {'),
    Mutation('pair-fast forgets the incarnation', 'config.h',
             'member->incarnation == incarnation', 'incarnation != 0'),
    Mutation('a read is served after the lease', 'primary.c',
             'return r->has_lease != 0 && now_ns - r->times.leased < r->options.lease_ns;',
             'return r->has_lease != 0 && now_ns != 0;'),
    Mutation('the lease counts from the echo', 'primary.c',
             'r->times.leased = m->time_ns;', 'r->times.leased = r->times.now;'),
    Mutation('a takeover that was not done is served', 'settle.c',
             '    } else if (input->answer == HF_ANSWER_DONE) {\n        assert(asked == HF_ASKING_SWAP);\n',
             '    } else if (asked == HF_ASKING_SWAP) {\n'),
    Mutation('the log of a follower is not compared', 'follower.c',
             '    set_follower_role(r, u);\n    send_learn(r, u,',
             '    r->is_verified = 1;\n    set_follower_role(r, u);\n    send_learn(r, u,'),
    Mutation('a learner is taken in before it has all', 'primary.c',
             'if (r->acked >= r->commit) {', 'if (true) {'),
    Mutation('a learner in doubt is forgotten', 'primary.c',
             '    } else if (r->join_sent != 0) {\n        drop(r, u);\n', ''),
    Mutation('dropping does not wait for the arbiter', 'primary.c',
             '    r->is_fenced = 1;\n    hf_settle_swap(r, u, 0);\n',
             '    r->config.insync[1] = (struct hf_member){0};\n    hf_settle_swap(r, u, 0);\n'),
    Mutation('an epoch begins before the past is flushed', 'primary.c',
             'if (r->flushed < r->last.place.index) {', 'if (false) {'),
    Mutation('a node of pair-fast that comes back alone goes on', 'settle.c',
             'if (is_whole || r->is_forced != 0) {', 'if (true) {'),
    Mutation('the shorter of both logs wins', 'settle.c',
             'if (longer || (equal &&', 'if (!longer || (equal &&'),
    Mutation('somebody who is not in I takes over', 'settle.c',
             'if (counts && (is_open || is_over)) {', 'if (is_open || is_over) {'),
    Mutation('an epoch that was led is led again after a restart', 'settle.c',
             'bool is_alive = me->incarnation == r->incarnation;',
             'bool is_alive = me->incarnation != 0;'),
]


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)


def build_and_walk(root, work, overlay):
    """Compiles everything, headers of `overlay` first, and walks. Returns how it ended."""
    room = os.path.join(overlay, 'replication')
    sources = [os.path.join(room, name) for name in sorted(os.listdir(room)) if name.endswith('.c')]
    tests = os.path.join(root, 'tests/replication')
    sources += [os.path.join(tests, name) for name in sorted(os.listdir(tests)) if name.endswith('.c')]
    sources.append(os.path.join(root, 'wal/hash.c'))
    program = os.path.join(work, 'walk')
    done = run([os.environ.get('CC', 'cc'), *FLAGS, f'-I{overlay}', f'-I{root}', *sources, '-o', program])
    if done.returncode != 0:
        sys.exit(f'does not compile:\n{done.stdout}')
    return run([program, '--quick'], timeout=TIMEOUT_S)


def how_caught(done):
    """What ended the walk, in a few words; None when nothing did."""
    if done.returncode == 0:
        return None
    for line in done.stdout.splitlines():
        if line.startswith('FAILED: '):
            return line
    sys.exit(f'ended without saying what it found, exit status {done.returncode}:\n{done.stdout}')


def main():
    root = os.path.abspath(sys.argv[1])
    source = os.path.join(root, 'replication')
    texts = {}
    for name in os.listdir(source):
        if name.endswith(('.c', '.h')):
            with open(os.path.join(source, name), encoding='utf-8') as file:
                texts[name] = file.read()
    escaped = 0
    with tempfile.TemporaryDirectory() as work:
        overlay = os.path.join(work, 'overlay')
        os.makedirs(os.path.join(overlay, 'replication'))

        def lay(changed):
            for name, text in {**texts, **changed}.items():
                with open(os.path.join(overlay, 'replication', name), 'w', encoding='utf-8') as file:
                    file.write(text)

        lay({})
        healthy = build_and_walk(root, work, overlay)
        if healthy.returncode != 0:
            sys.exit(f'the protocol as it is does not pass:\n{healthy.stdout}')
        for mutation in MUTATIONS:
            text = texts[mutation.file]
            if text.count(mutation.old) != 1:
                print(f'{mutation.bug}: {text.count(mutation.old)} places in {mutation.file} match, not one')
                escaped += 1
                continue
            lay({mutation.file: text.replace(mutation.old, mutation.new)})
            caught = how_caught(build_and_walk(root, work, overlay))
            print(f'{mutation.bug}: {caught or "ESCAPED"}', flush=True)
            escaped += caught is None

    print(f'{len(MUTATIONS)} seeded bugs, {escaped} escaped')
    return 1 if escaped else 0


if __name__ == '__main__':
    sys.exit(main())
