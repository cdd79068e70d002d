#!/usr/bin/env python3
"""kill -9 under load, again and again on the same data: no acknowledged operation is lost, no answer changes, none is
carried out twice, and the balances are those of exactly what was carried out.

    test_crash.py [--rounds 20] [--seed N]

In odd rounds the load generator dies with the node. In even rounds it lives on, and finishes against the node that was
started again at the same address.
"""
import argparse
import collections
import json
import random
import subprocess
import sys
import time

from node import HOLDFAST, die_with_parent, run, workspace

ACCOUNTS = 200
LOAD_S = 60


class Journal:
    """Follows a journal that is being written."""

    def __init__(self, path):
        open(path, "w", encoding="ascii").close()
        self.file = open(path, encoding="ascii")
        self.rest = ""
        self.sent = {}
        self.answered = {}

    def read(self):
        text = self.rest + self.file.read()
        *lines, self.rest = text.split("\n")
        for line in lines:
            words = line.split()
            if words[0] == "S":
                self.sent.setdefault(words[1], words[2:])
            elif words[0] == "A":
                before = self.answered.setdefault(words[1], words[2:])
                assert before == words[2:], f"{words[1]} was answered {before}, then {words[2:]}"
                assert words[1] in self.sent, f"{words[1]} was answered and never sent"
        return len(self.answered)

    def check_places(self, taken):
        """No place is given twice, in all the rounds."""
        for op_id, (_, place, _) in self.answered.items():
            if place != "0":
                assert taken.setdefault(place, op_id) == op_id, f"place {place}: {taken[place]} and {op_id}"

    def close(self):
        self.file.close()


def wait_for_answers(journal, load, count):
    until = time.monotonic() + LOAD_S
    while journal.read() < count and load.poll() is None:
        assert time.monotonic() < until, f"{len(journal.answered)} answers of {count}"
        time.sleep(0.001)  # no synchronisation: the next look at a file
    assert journal.read() >= count, f"the load ended early: {load.communicate()}"


def check(node, path):
    done = run([HOLDFAST, "load", "--check", path, "--server", node.address, "--json"], check=False)
    result = json.loads(done.stdout)
    assert done.returncode == 0, f"{result}\n{done.stderr}"
    for key in ("lost", "changed"):
        assert result[key] == 0, result
    return result


def one_round(space, node, number, chance, taken):
    workload = ("transfer", "auth")[number // 2 % 2]
    survives = number % 2 == 0
    path = space.path(f"journal-{number}")
    journal = Journal(path)
    acknowledged = chance.randrange(1, 1500)
    more = chance.randrange(800, 2000)
    inflight = chance.choice((1, 16, 128, 512))
    command = [HOLDFAST, "load", "--server", node.address, "--workload", workload, "--accounts", ACCOUNTS, "--inflight",
               inflight, "--batch", min(inflight, chance.choice((1, 8, 16))), "--seed", number, "--journal", path,
               "--operations", acknowledged + more if survives else 1000000, "--json"]
    if survives:
        command.append("--verify-balances")
    if workload == "auth":
        command += ["--clear", "30"]
    load = subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            preexec_fn=die_with_parent)
    try:
        wait_for_answers(journal, load, acknowledged)
        time.sleep(chance.random() * 0.02)  # anywhere between two answers
        node.kill9()
        if not survives:
            load.kill()
            load.communicate()
        node.start(**({"port__address": node.address} if survives else {}))
        if survives:
            out, errors = load.communicate(timeout=LOAD_S)
            assert load.returncode == 0, f"{out}{errors}"
            assert json.loads(out)["lost"] == 0, out
        journal.read()
        journal.check_places(taken)
        return workload, survives, path, len(journal.sent), len(journal.answered)
    finally:
        if load.poll() is None:
            load.kill()
            load.communicate()
        journal.close()


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=20)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = options.parse_args()
    print(f"seed {options.seed}, {options.rounds} rounds", flush=True)
    chance = random.Random(options.seed)
    taken = {}
    totals = collections.Counter()
    paths = []
    with workspace() as space:
        # Checkpoints are being made, and segments let go of, whenever the kill comes.
        node = space.node(ledger__remembered=1000000, ledger__holds=200000, checkpoint__bytes="256k", log__retain_bytes=0,
                          log__segment_bytes="2m")
        node.start()
        for number in range(options.rounds):
            workload, survives, path, sent, answered = one_round(space, node, number, chance, taken)
            result = check(node, path)
            paths.append(path)
            status = node.admin("status")
            print(f"round {number:2}: {workload:8} {'load went on' if survives else 'load killed ':12} sent {sent:6} "
                  f"acked {answered:6} present {result['present']:6} lost {result['lost']} changed {result['changed']} "
                  f"replayed {status['replayed']:6} in {status['recovery_s']:.2f} s", flush=True)
            assert result["acked"] == answered, result
            totals.update(sent=sent, acked=answered)
            if chance.random() < 0.3:
                node.admin("checkpoint")
        # What earlier rounds were told still stands, through all the crashes and checkpoints since.
        for number, path in enumerate(paths):
            journal = json.loads(run([HOLDFAST, "load", "--check", path, "--server", node.address, "--json"],
                                     check=False).stdout)
            assert (journal["lost"], journal["changed"]) == (0, 0), f"round {number}: {journal}"
        digest = node.digest()
        assert node.terminate() == 0
        node.start()
        assert node.digest() == digest
    print(f"{options.rounds} kills: {totals['sent']} sent, {totals['acked']} acknowledged, lost 0, changed 0, twice 0")
    return 0


if __name__ == "__main__":
    sys.exit(main())
