#!/usr/bin/env python3
"""Ten times what a node can do, from clients that wait for nothing: its disk flushes once for each ten times as much as it
carries out. What is beyond its queues is answered BUSY; what it has accepted it carries out once, and whoever heard no
answer gets it by asking again, also after a kill. A client beside them that sends little is never turned away, and
the two that flood get the same share.

    test_overload.py FAULT_FS"""
import os
import socket
import sys
import time

from fault_fs import FaultyDisk, need_mounts
from messages import FLOOR_NONE, Client, account_put, asset_put, datagram, flood, id_of, move, split_replies
from node import HOLDFAST, run, wait_until, workspace

SETTINGS = dict(log__segment_bytes="16m", log__batch_bytes="64k", log__depth=1, node__bundles=64,
                ledger__remembered=2000000)
TIMES = 10
ISSUER, WALLET = 1, 2
EACH = 18  # moves in a datagram
AT_ONCE = 24  # datagrams of each flooding client in a round
ROUNDS = 10  # between two looks
ANSWERS_LEAST = 1500 # that each flooding client must have had, for their shares
DEAF = 16 # one answer in so many is lost on the way
SENT_MOST = 1000000
REPEATED = 2000  # of those that had an answer


class Sender:
    """Sends and takes answers, and never waits."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
        self.socket.connect((host, int(port)))
        self.socket.setblocking(False)
        self.operations = {}
        self.answers = {}
        self.busy = 0
        self.heard = 0

    def send(self, count):
        """One datagram of new moves."""
        operations = [move(ISSUER, WALLET, 1) for _ in range(count)]
        self.operations.update((id_of(operation), operation) for operation in operations)
        try:
            self.socket.send(datagram(operations, session=7))
        except BlockingIOError:  # as good as lost on the way
            pass

    def take(self):
        while True:
            try:
                data = self.socket.recv(65536)
            except BlockingIOError:
                return
            for reply in split_replies(data)[2]:
                if reply.code == "BUSY":
                    assert reply.verdict == "BUSY/QUEUE" and reply.place == 0 and reply.id not in self.answers, reply
                    self.busy += 1
                    continue
                assert reply.verdict == "OK/NONE", reply
                self.heard += 1
                if self.heard % DEAF != 0:
                    assert self.answers.setdefault(reply.id, reply) == reply, reply


def overload(disk, honest, floods):
    """Until ten times as much has been sent as was answered, and enough was. Whenever the first is so, the disk flushes once;
    until then the node is stuck in its next write."""
    while True:
        honest.send(1)
        for _ in range(ROUNDS):
            for _ in range(AT_ONCE):
                for sender in floods:
                    sender.send(EACH)
            for sender in (honest, *floods):
                sender.take()
        sent, heard = (sum(counts) for counts in zip(*((len(sender.operations), sender.heard) for sender in floods)))
        if sent >= TIMES * heard:
            if min(len(sender.answers) for sender in floods) >= ANSWERS_LEAST:
                return sent, heard
            disk.set("pass-flush")
        assert sent < SENT_MOST, f"{sent} sent, {heard} answered"


def settle(node, senders):
    """All that was accepted has been answered, and what has arrived is read."""
    def is_idle():
        for sender in senders:
            sender.take()
        now = node.admin("metrics")
        return now["rx"]["waiting"] == 0 and now["rx"]["bundles"] == now["tx"]["bundles"]
    wait_until(is_idle, "everything accepted is answered")
    for sender in senders:
        sender.take()


def check(node, honest, floods, before):
    """Everything once: what was answered stays so, what was not is asked for again."""
    everyone = (honest, *floods)
    answers = {op_id: reply for sender in everyone for op_id, reply in sender.answers.items()}
    operations = {op_id: operation for sender in everyone for op_id, operation in sender.operations.items()}
    executed = node.admin("status")["place"] - before
    assert executed >= len(answers), f"{len(answers)} answered, {executed} in the log"
    node.restart()
    assert node.admin("status")["place"] - before >= len(answers)
    again, _ = flood(node.address, [operations[op_id] for op_id in list(answers)[:REPEATED]], per_datagram=EACH)
    for op_id, reply in again.items():
        assert reply == answers[op_id], f"{answers[op_id]} before, {reply} after"
    rest = [operation for op_id, operation in operations.items() if op_id not in answers]
    late, _ = flood(node.address, rest, per_datagram=EACH)
    places = {reply.place for reply in (*answers.values(), *late.values())}
    assert len(places) == len(operations), f"{len(operations)} operations, {len(places)} places"
    assert node.admin("status")["place"] - before == len(operations)
    assert node.admin(f"account {WALLET}")["posted"] == len(operations)
    unheard = sum(reply.place <= before + executed for reply in late.values())
    assert unheard == executed - len(answers) and unheard > 0, (unheard, executed, len(answers))
    return unheard


def main():
    need_mounts()
    began = time.monotonic()
    with workspace() as space:
        directory = space.path("disk")
        os.mkdir(directory)
        disk = FaultyDisk(os.path.abspath(sys.argv[1]), directory)
        space.closing.callback(disk.close)
        node = space.node(data__directory=disk.mounted, **SETTINGS)
        node.start()
        client = Client(node.address)
        for operation in (asset_put(), account_put(ISSUER, floor=FLOOR_NONE), account_put(WALLET)):
            client.must(operation)
        before = node.admin("status")["place"]
        honest, *floods = [Sender(node.address) for _ in range(3)]
        disk.set("hold-flush")
        sent, heard = overload(disk, honest, floods)
        disk.set("good")
        settle(node, (honest, *floods))
        metrics = node.admin("metrics")["rx"]
        assert honest.busy == 0, f"{honest.busy} of {len(honest.operations)} turned away"
        turned_away = sum(sender.busy for sender in floods)
        assert 0 < turned_away <= metrics["busy"], (turned_away, metrics)
        shares = sorted(len(sender.answers) for sender in floods)
        assert shares[0] * 10 >= shares[1] * 8, shares
        assert honest.heard > 0
        unheard = check(node, honest, floods, before)
        assert node.terminate() == 0
        run([HOLDFAST, "log", "verify", disk.mounted])
        print(f"{sent} sent, {heard} answered meanwhile; {turned_away} turned away, {metrics['unanswered']} unanswered; "
              f"{honest.heard} of {len(honest.operations)} of the one that sends little answered, none turned away; shares {shares}; "
              f"{unheard} answers heard only by a repeat; {time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
