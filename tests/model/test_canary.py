#!/usr/bin/env python3
"""The model test is tested: engines with one seeded bug each, all of which it must catch.

Usage: test_canary.py ROOT. Compiles the engine as it is, which must pass, and then once for each
mutation below, which must fail. A mutation that does not match its source exactly once is a failure
too: the engine has changed and the canary with it."""
import collections
import os
import shutil
import subprocess
import sys
import tempfile

OPERATIONS = '120000'
TIMEOUT_S = 120
FLAGS = ['-std=gnu11', '-O1', '-D_GNU_SOURCE', '-DXXH_INLINE_ALL']

Mutation = collections.namedtuple('Mutation', 'bug file old new')

MUTATIONS = [
    Mutation('a transfer ignores the floor', 'execute.h',
             '        left < payer->floor ||\n', ''),
    Mutation('a transfer is not added to the lifetime debits', 'execute.h',
             'payer->lifetime_debits = lifetime_debits;', ''),
    Mutation('what is held for a payee does not count against its limit', 'execute.c',
             'after->posted + after->held_in <= INT64_MAX', 'after->posted <= INT64_MAX'),
    Mutation('held_in stays when a hold is released', 'hold.c',
             '.held_in = -(int64_t)freed', '.held_in = -(int64_t)captured'),
    Mutation('a dry hold holds', 'hold.c',
             'if (hf_turn_is_dry(turn) || amount == 0)', 'if (amount == 0)'),
    Mutation('a frozen payee captures', 'hold.c',
             '->status == HF_ACCOUNT_FROZEN', '->status == HF_ACCOUNT_CLOSED'),
    Mutation('a final capture approves what it gives back', 'hold.c',
             'captured > 0 ? captured : released', 'captured + released'),
    Mutation('the hold resolved last is forgotten first', 'hold.c',
             """    else
        hf_hold_at(holds, holds->resolved_last)->next = slot;
""",
             """    else {
        hold->next = holds->resolved_first;
        holds->resolved_first = slot;
        return;
    }
"""),
    Mutation('a counter is drawn twice', 'instrument.c',
             'instrument->remaining--;', 'instrument->remaining -= instrument->remaining > 1 ? 2 : 1;'),
    Mutation('a card works at the very moment of its expiry', 'instrument.c',
             'timestamp_ns >= instrument->expires_ns', 'timestamp_ns > instrument->expires_ns'),
    Mutation('a verification draws the counter', 'authorise.c',
             'if (!hf_turn_is_dry(turn) && auth->amount > 0)', 'if (!hf_turn_is_dry(turn))'),
    Mutation('other content under the same id passes for the same', 'ledger.c',
             'first->type == header->type && first->fingerprint == turn->fingerprint',
             'first->type == header->type'),
    Mutation('a transfer sent again moves again', 'ledger.c',
             '*first = find_first_answer(ledger, turn);',
             '*first = header->type == HF_OP_MOVE ? NULL : find_first_answer(ledger, turn);'),
    Mutation('a hold does not answer for its maker', 'ledger.c',
             'first = hf_hold_answer(&ledger->holds, id, turn->id_hash);', ';'),
    Mutation('the deadline itself is too late', 'ledger.c',
             'header->deadline_ns < ledger->bundle_ns', 'header->deadline_ns <= ledger->bundle_ns'),
    Mutation('the horizon rounds milliseconds up', 'ledger.c',
             'uint64_t now_ms = timestamp_ns / NS_PER_MS;',
             'uint64_t now_ms = (timestamp_ns + NS_PER_MS - 1) / NS_PER_MS;'),
    Mutation('a dry run moves the clock', 'ledger.c',
             '    return !hf_turn_is_dry(turn);\n',
             '    ledger->timestamp_ns = ledger->bundle_ns;\n    return !hf_turn_is_dry(turn);\n'),
    Mutation('the floor of ids stays when one is forgotten', 'seen.h',
             'seen->floor_ms = above_ms;', ';'),
    Mutation('a lookup stops at the first group', 'table.c',
             'if (control->overflow == 0)', 'if (true)'),
    Mutation('the digest sees nothing', 'digest.c',
             'return writer.digest.sum;', 'return (struct hf_id){0, 0};'),
    Mutation('an image loses the lifetime debits', 'image_read.c',
             'account->lifetime_debits = record.lifetime_debits;', ''),
    Mutation('a scale of eighteen is refused', 'operation.c',
             'put->scale > HF_ASSET_SCALE_MAX', 'put->scale >= HF_ASSET_SCALE_MAX'),
]


def run(command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False, **options)


def compiled(root, source, target):
    """Compiles `source`, whose own folder's headers come first, and returns `target`."""
    folders = [root, os.path.join(root, 'tests/model')]
    done = run([os.environ.get('CC', 'cc'), *FLAGS, *(f'-I{folder}' for folder in folders), '-c', source,
                '-o', target])
    if done.returncode != 0:
        sys.exit(f'{source} does not compile:\n{done.stdout}')
    return target


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
    sys.exit(f'ended without saying what it found, exit status {done.returncode}:\n{done.stdout}')


def main():
    root = os.path.abspath(sys.argv[1])
    engine = {name: os.path.join(root, 'engine', name)
              for name in sorted(os.listdir(os.path.join(root, 'engine'))) if name.endswith('.c')}
    escaped = 0
    with tempfile.TemporaryDirectory() as work:
        objects = {name: compiled(root, path, os.path.join(work, name + '.o'))
                   for name, path in engine.items()}
        test = [compiled(root, os.path.join(root, 'tests/model', name), os.path.join(work, 'test_' + name + '.o'))
                for name in sorted(os.listdir(os.path.join(root, 'tests/model'))) if name.endswith('.c')]

        healthy = link_and_run(work, [*objects.values(), *test])
        if healthy.returncode != 0:
            sys.exit(f'the engine as it is does not pass:\n{healthy.stdout}')

        for mutation in MUTATIONS:
            mutant = os.path.join(work, 'engine')
            shutil.rmtree(mutant, ignore_errors=True)
            shutil.copytree(os.path.join(root, 'engine'), mutant)
            path = os.path.join(mutant, mutation.file)
            with open(path, encoding='utf-8') as file:
                text = file.read()
            if text.count(mutation.old) != 1:
                print(f'{mutation.bug}: {text.count(mutation.old)} places in {mutation.file} match, not one')
                escaped += 1
                continue
            with open(path, 'w', encoding='utf-8') as file:
                file.write(text.replace(mutation.old, mutation.new))
            # A header's bug may be in every object.
            touched = [mutation.file] if mutation.file.endswith('.c') else list(engine)
            mixed = dict(objects)
            for name in touched:
                mixed[name] = compiled(root, os.path.join(mutant, name), os.path.join(work, 'mutant_' + name + '.o'))
            caught = how_caught(link_and_run(work, [*mixed.values(), *test]))
            print(f'{mutation.bug}: {caught or "ESCAPED"}', flush=True)
            escaped += caught is None

    print(f'{len(MUTATIONS)} seeded bugs, {escaped} escaped')
    return 1 if escaped else 0


if __name__ == '__main__':
    sys.exit(main())
