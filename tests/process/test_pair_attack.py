#!/usr/bin/env python3
"""Somebody sits between the two nodes of a pair, hears and holds every datagram, and sends what he makes of them: repeated,
changed, cut, lengthened, under other sessions and keys, turned round, of lives that are over. Nothing of it is accepted,
each is counted, the pair goes on as if nothing were, and takes over when its primary is killed.

Usage: test_pair_attack.py [--count N] [--seed N]
"""
import argparse
import contextlib
import os
import random
import select
import signal
import socket
import struct
import threading
import time

from node import wait_until
from pair_rig import pair
from test_pair import finish, is_going_on, places_are_unique

FATES = ("opened", "welcomed", "cookie", "joined", "malformed", "unsealed", "unknown_session", "wrong_epoch", "expired", "forged", "replayed",
         "too_old", "bad_mac", "unsupported", "over_rate", "bad_handshake", "unknown_origin", "wrong_time", "replayed_handshake", "no_room")
BURST = 40          # what a socket's buffer holds of the longest
HOLD_S = 0.6        # with all around it much less than a grace
KEPT = 4000
HANDSHAKE = 4       # a datagram's flags, and of these its kind
HELLO = 1
COOKIE = 3
LONGEST = 1472      # of the nodes' port: what is longer never reaches the seal


class Relay(threading.Thread):
    """What a node sends to its peer comes here, and goes on from the address that the other takes for its peer."""

    def __init__(self, rig):
        super().__init__(daemon=True)
        self.targets = [tuple_of(node.settings["pair.address"]) for node in rig.nodes]
        self.sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in rig.nodes]
        self.forwarded = [0, 0]  # to this node
        self.seen = [[], []]     # by this node, and they went on
        self.answers = [[], []]  # to the attacker, while nothing goes on
        self.holding = False
        self.recording = False
        self.hellos = {}
        self.over = False
        self.lock = threading.Lock()
        for node, each in zip(rig.nodes, self.sockets):
            each.bind(("127.0.0.1", 0))
            node.settings["pair.peer"] = "{}:{}".format(*each.getsockname())

    def run(self):
        while not self.over:
            for each in select.select(self.sockets, [], [], 0.05)[0]:
                source = self.sockets.index(each)
                data, sender = each.recvfrom(65536)
                with self.lock:
                    if sender == self.targets[source]:
                        self.take(source, data)

    def take(self, source, data):
        if self.holding:
            self.answers[source].append(data)
            return
        self.sockets[1 - source].sendto(data, self.targets[1 - source])
        self.forwarded[1 - source] += 1
        if data[3] == HANDSHAKE:
            self.take_handshake(source, data)
        elif self.recording and len(self.seen[source]) < KEPT:
            self.seen[source].append(data)

    def take_handshake(self, source, data):
        """A hello is kept when it was answered: one that nobody has heard yet is as good as new."""
        if data[6] == HELLO:
            self.hellos[data[16:24]] = data
        elif data[8:16] in self.hellos:
            self.seen[source].append(data)
            self.seen[1 - source].append(self.hellos.pop(data[8:16]))

    def hold(self, holding):
        with self.lock:
            self.holding = holding

    def inject(self, target, data):
        self.sockets[target].sendto(data, self.targets[target])

    def stop(self):
        self.over = True
        self.join()
        for each in self.sockets:
            each.close()


def tuple_of(address):
    host, port = address.split(":")
    return host, int(port)


def put_load(rig, journal):
    finish(rig.load(journal, "--operations", "500"))


def total(seal):
    return sum(seal[fate] for fate in FATES)


def flip(rng, data, first=0):
    changed = bytearray(data)
    changed[rng.randrange(first, len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def with_counter(data, counter):
    return data[:16] + struct.pack("<Q", counter & 0xffffffffffffffff) + data[24:]


KINDS = {
    "repeated": lambda rng, one, other: one,
    "turned_round": lambda rng, one, other: other,
    "forged": lambda rng, one, other: flip(rng, one, min(24, len(one) - 1)),
    "forged_header": lambda rng, one, other: flip(rng, one[:24]) + one[24:],
    "cut": lambda rng, one, other: one[:rng.randrange(len(one))],
    "lengthened": lambda rng, one, other: one + rng.randbytes(1 + rng.randrange(LONGEST - len(one))) if len(one) < LONGEST else one,
    "cross_session": lambda rng, one, other: one[:8] + other[8:16] + one[16:],
    "wrong_epoch": lambda rng, one, other: with_counter(one, struct.unpack_from("<Q", one, 16)[0] ^ (1 + rng.randrange(9)) << 48),
    "other_sequence": lambda rng, one, other: with_counter(one, struct.unpack_from("<Q", one, 16)[0] + 100000 + rng.randrange(9)),
    "unsealed": lambda rng, one, other: one[:3] + b"\0" + one[4:],
    "nonsense": lambda rng, one, other: rng.randbytes(rng.randrange(400)),
}


class Attack:
    """Counts, for each node, what went on to it and what it has looked at, but for what was made up. The difference is what the
    kernel had no room for, or what is still on its way: honest, and so it may be accepted later. Nothing else may."""

    def __init__(self, rig, relay, rng):
        self.rig, self.relay, self.rng = rig, relay, rng
        self.sent = 0
        self.base = [0, 0]

    @contextlib.contextmanager
    def held(self):
        """Nothing honest goes on meanwhile, and both nodes have looked at all that did."""
        self.relay.hold(True)
        before, same = None, 0
        for _ in range(2000):
            now = [total(self.rig.seal(node)) for node in self.rig.nodes]
            same = same + 1 if now == before else 0
            if same == 20:
                break
            before = now
            time.sleep(0.005)
        assert same == 20, "the nodes never come to rest"
        yield
        self.relay.hold(False)

    def begin_life(self, *nodes):
        """These have been started: what they count began anew, and nothing has been recorded since."""
        with self.held():
            for node in nodes:
                i = self.rig.nodes.index(node)
                self.base[i] = self.relay.forwarded[i] - total(self.rig.seal(node))
        self.relay.recording = True

    def burst(self, target):
        """Sends some and waits until each of them is counted."""
        before = total(self.rig.seal(self.rig.nodes[target]))
        for _ in range(BURST):
            one, other = self.rng.choice(self.relay.seen[1 - target]), self.rng.choice(self.relay.seen[target])
            kind = self.rng.choice(list(KINDS))
            self.relay.inject(target, KINDS[kind](self.rng, one, other))
        wait_until(lambda: total(self.rig.seal(self.rig.nodes[target])) >= before + BURST, "each datagram is counted")
        self.sent += BURST
        self.base[target] -= BURST

    def attack(self, count, never):
        """While all that is accepted is the attacker's: what `never` may become of a datagram."""
        seals = [self.rig.seal(node) for node in self.rig.nodes]
        lost = [forwarded - total(seal) - base for forwarded, seal, base in zip(self.relay.forwarded, seals, self.base)]
        until = time.monotonic() + HOLD_S
        while time.monotonic() < until and self.sent < count:
            for target in (0, 1):
                self.burst(target)
        for i, node in enumerate(self.rig.nodes):
            after = self.rig.seal(node)
            for fate in never:
                assert after[fate] - seals[i][fate] <= lost[i], f"{fate}: {seals[i]} {after}, lost before {lost[i]}"
            for answer in self.relay.answers[i]:
                # The nodes dial each other in vain; but that, an answer to a hello is a cookie.
                assert answer[3] != HANDSHAKE or answer[6] in (HELLO, COOKIE) or "welcomed" not in never, answer
            self.relay.answers[i].clear()

    def beside(self, count):
        """While honest ones go on: the pair stays as it is."""
        before = [(node, self.rig.state(node)["epoch"], self.rig.state(node)["role"]) for node in self.rig.nodes]
        until = self.sent + count
        while self.sent < until:
            for target in (0, 1):
                self.burst(target)
        for node, epoch, role in before:
            assert (self.rig.state(node)["epoch"], self.rig.state(node)["role"]) == (epoch, role), self.rig.state(node)

    def run(self, count, never):
        until = self.sent + count
        while self.sent < until:
            with self.held():
                self.attack(until, never)
            self.rig.wait_for("the pair is whole", self.rig.is_whole)


def strangers(rig, relay):
    """From another address than the peer's nothing is even looked at, and nobody is answered."""
    node = rig.nodes[0]
    before = rig.seal(node)["strangers"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        for data in relay.seen[1][:BURST]:
            stranger.sendto(data, relay.targets[0])
        wait_until(lambda: rig.seal(node)["strangers"] == before + BURST, "each stranger is counted")
        stranger.setblocking(False)
        try:
            raise AssertionError(f"a stranger was answered: {stranger.recv(65536)}")
        except BlockingIOError:
            pass


def tell(what, began=time.monotonic()):
    print(f"{time.monotonic() - began:5.1f} s: {what}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "little"))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with pair(pair__grace="8s") as rig:
        relay = Relay(rig)
        relay.start()
        try:
            play(rig, relay, options)
        finally:
            relay.stop()


def play(rig, relay, options):
    journal = rig.space.path("journal")
    attack = Attack(rig, relay, random.Random(options.seed))
    rig.start()
    rig.wait_for("the pair is whole", rig.is_whole)
    tell("the pair is whole")
    attack.begin_life(*rig.nodes)
    put_load(rig, journal)
    attack.beside(options.count // 4)
    attack.run(options.count // 4, ("opened", "joined", "welcomed"))
    strangers(rig, relay)

    relay.recording = False
    tell(f"{attack.sent} hostile datagrams, accepted 0")
    leads = rig.primary()
    load = rig.load(journal, "--seconds", "3600", "--rate", "300", "--drain", "60")
    is_going_on(rig, journal)
    leads.kill9()
    rig.wait_for("the standby leads", lambda: rig.state(rig.other(leads)).get("serves"))
    is_going_on(rig, journal)
    leads.start()
    rig.wait_for("both nodes hold it again", rig.is_whole)
    load.send_signal(signal.SIGINT)
    finish(load)
    tell("the primary was killed, the pair is whole again")
    attack.begin_life(leads)
    put_load(rig, journal)
    # With what was said in the life before, too. A hello of that may be answered, once: nobody can speak in that session.
    attack.run(options.count // 2, ("opened", "joined"))
    for node in rig.nodes:
        assert rig.seal(node)["replayed_handshake"] > 0, rig.seal(node)

    print(rig.check(journal), end="")
    tell(f"{places_are_unique(journal)} answers, each one once; {attack.sent} hostile datagrams, accepted 0")
    rig.wait_for("the standby has all", rig.is_level)
    assert len({node.digest()["digest"] for node in rig.nodes}) == 1
    for node in rig.nodes:
        seal = node.admin("status")["pair"]["seal"]
        print(seal)
        assert min(seal["forged"], seal["replayed"], seal["unknown_session"]) > 20, seal
        assert node.terminate() == 0


if __name__ == "__main__":
    main()
