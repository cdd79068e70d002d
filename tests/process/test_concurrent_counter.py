#!/usr/bin/env python3
"""Ten authorisations at once against a counter of three: exactly three are approved, whatever counts them, and each gets
one answer for ever. Through the kernel's loopback from ten clients, and through shared memory (memif); on a node that
lives, that is killed with all ten waiting, right behind them, and after the last answer.

Usage: test_concurrent_counter.py CONCURRENT_COUNTER
"""
import os
import subprocess
import sys
import time

from net_rig import TAG, Rig, eal, left_over
from node import StartFailed, die_with_parent, run, workspace

ONCE, COUNT, AMOUNT = 10, 3, 100
HOLDERS = 2000  # + card: its account
# What refuses the fourth payment of a card.
RULES = {1: "INSTRUMENT_COUNT", 2: "INSTRUMENT_LIMIT", 3: "ACCOUNT_LIMIT", 4: "INSTRUMENT_LIMIT"}


def start_again(node):
    """On the same data and address, as soon as the kernel has given the address back."""
    until = time.monotonic() + 60
    while True:
        try:
            return node.start()
        except StartFailed as failed:
            if "in use" not in failed.errors or time.monotonic() > until:
                raise


class Crowd:
    """Ten authorisations of a card on their way."""

    def __init__(self, words):
        self.process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        preexec_fn=die_with_parent)
        if self.process.stdout.readline() != "sent\n":
            errors = self.process.stderr.read()
            self.close()
            raise AssertionError(errors)

    def answers(self):
        """All it prints, to its end: it gives up by itself after a minute."""
        out, errors = self.process.stdout.read(), self.process.stderr.read()
        self.close()
        assert self.process.returncode == 0, errors
        return out.splitlines()

    def close(self):
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


def check(card, lines):
    verdicts = sorted(line.split()[0] for line in lines)
    assert verdicts == sorted(["OK/NONE"] * COUNT + [f"COUNT_LIMIT/{RULES[card]}"] * (ONCE - COUNT)), lines
    assert all(int(approved) == (AMOUNT if verdict == "OK/NONE" else 0) for verdict, approved, _ in map(str.split, lines)), lines
    places = {line.split()[2] for line in lines}
    assert len(places) == ONCE and "0" not in places, lines


def drive(space, node, program, *more):
    node.settings["port.address"] = node.address

    def words(which, card):
        return [program, node.address, which, card, space.path(f"ids-{card}"), *more]

    def again(card, lines):
        repeated = Crowd(words("again", card)).answers()
        assert repeated == lines, f"other answers to repeats: {lines} {repeated}"
        assert node.admin(f"account {HOLDERS + card}")["held_out"] == COUNT * AMOUNT

    def lives(card):
        with node.paused():
            crowd = Crowd(words("first", card))
        return crowd.answers()

    def dies_before(card):
        with node.paused():
            crowd = Crowd(words("first", card))
            node.process.kill()
        node.wait()
        start_again(node)
        return crowd.answers()

    def dies_behind(card):
        with node.paused():
            crowd = Crowd(words("first", card))
        node.kill9()
        start_again(node)
        return crowd.answers()

    def dies_after(card):
        lines = Crowd(words("first", card)).answers()
        node.kill9()
        start_again(node)
        return lines

    run([program, node.address, "make", *more])
    for card, way in enumerate((lives, dies_before, dies_behind, dies_after), 1):
        lines = way(card)
        check(card, lines)
        again(card, lines)
    digest = node.digest()
    node.kill9()
    start_again(node)
    assert node.digest() == digest, "the state changed in a restart"
    for card in RULES:
        assert node.admin(f"account {HOLDERS + card}")["held_out"] == COUNT * AMOUNT
    assert node.terminate() == 0


def over_loopback(program):
    with workspace() as space:
        drive(space, space.node().start(), program)
    print("kernel, ten clients: three each time")


def over_memif(program):
    with Rig(), workspace() as space:
        device = "net_memif0,role={},socket-abstract=yes,socket=" + TAG
        node = space.node(port__kind="dpdk", port__address="10.79.0.2:4600", port__eal=eal("node", device.format("server")))
        drive(space, node.start(), program, "--dpdk", "10.79.0.1", eal("client", device.format("client")))
    assert not left_over(), left_over()
    print("memif, ten datagrams: three each time")


def main():
    over_loopback(sys.argv[1])
    if os.geteuid() == 0:
        over_memif(sys.argv[1])
    else:
        print("memif: skipped, needs root")
    return 0


if __name__ == "__main__":
    sys.exit(main())
