#!/usr/bin/env python3
"""A file system that fills up under a node: it is noticed before it happens, new operations are answered BUSY, queries are
answered still, old segments are let go of as soon as they may be, and the node goes on by itself. Then a kill: everything
that was acknowledged is there.

Needs root: a small ext4 is mounted through a loop device, in a mount namespace of the test's own, so that both are gone when
the test is, whatever happens to it.
"""
import ctypes
import os
import sys
import time

import messages as m
from node import need_root, run, workspace

ISSUER, WALLET = 1001, 2001
CLONE_NEWNS, MS_PRIVATE, MS_REC = 0x20000, 1 << 18, 1 << 14
IMAGE_BYTES = 24 << 20
WAIT_S = 150
_libc = ctypes.CDLL(None, use_errno=True)


def mount_small(space):
    """An ext4 of its own for the node's data. Returns where it is."""
    if _libc.unshare(CLONE_NEWNS) != 0 or _libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        raise OSError(ctypes.get_errno(), "no mount namespace")
    image, place = space.path("image"), space.path("small")
    with open(image, "wb") as file:
        file.truncate(IMAGE_BYTES)
    os.mkdir(place)
    run(["mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", image])
    run(["mount", "-o", "loop", image, place])
    space.closing.callback(run, ["umount", "-l", place])
    return place


def free_bytes(place):
    room = os.statvfs(place)
    return room.f_bavail * room.f_frsize


def segments(node):
    return [name for name in os.listdir(node.data) if name.startswith("log-")]


class Feed:
    """Transfers, many at a time; those that are refused with BUSY are sent again until they are taken. Remembers what was
    acknowledged."""

    DATAGRAMS, EACH = 16, 16

    def __init__(self, client):
        self.client = client
        self.open = {}  # by id
        self.done = {}
        self.busy = 0

    def push(self):
        """Sends what is open, filled up with new ones, and waits for the answers."""
        while len(self.open) < self.DATAGRAMS * self.EACH:
            operation = m.move(ISSUER, WALLET, 1)
            self.open[m.id_of(operation)] = operation
        operations = list(self.open.values())
        datagrams = [m.datagram(operations[at:at + self.EACH], session=self.client.session)
                     for at in range(0, len(operations), self.EACH)]
        for data in datagrams[:-1]:
            self.client.socket.send(data)
        for reply in self.client.fence(datagrams[-1]):
            if reply.code == "BUSY":
                self.busy += 1
                continue
            assert reply.verdict == "OK/NONE", reply
            assert self.done.setdefault(reply.id, reply) == reply, "another answer to a repeat"
            self.open.pop(reply.id, None)

    def until(self, condition, what):
        deadline = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < deadline, f"not in {WAIT_S} s: {what}"
            self.push()


def start(space, place, gate):
    node = space.node(data__directory=os.path.join(place, "data"), log__segment_bytes="1m", log__segments_ahead=1,
                      log__batch_bytes="64k", log__depth=2, ledger__accounts=1000, ledger__instruments=1000,
                      ledger__holds=1000, ledger__remembered=20000, checkpoint__bytes=0, checkpoint__interval="0s",
                      log__retain_bytes="1g", log__archive=f"test -e '{gate}' # for")
    node.data = os.path.join(place, "data")
    return node.start()


def main():
    need_root()
    with workspace() as space:
        place = mount_small(space)
        gate = space.path("open")
        node = start(space, place, gate)
        client = m.Client(node.address)
        client.must(m.asset_put())
        client.must(m.account_put(ISSUER, floor=m.FLOOR_NONE))
        client.must(m.account_put(WALLET))
        feed = Feed(client)

        # The archive takes nothing, so nothing may go: the log fills the file system, up to the room for a checkpoint.
        feed.until(lambda: feed.busy > 100, "BUSY")
        status = node.admin("status")
        log = status["log"]
        assert (log["full"], log["lacks_space"], log["first_segment"]) == (True, True, 1), log
        full_with = len(segments(node))
        assert full_with >= 10, segments(node)
        left = free_bytes(place)
        assert left > status["log"]["kept_free_bytes"] - (2 << 20), (left, log)
        posted = client.account(WALLET)["posted"]  # queries are answered
        assert posted == len(feed.done), (posted, len(feed.done))
        assert node.admin(f"account {WALLET}")["posted"] == posted
        print(f"full with {full_with} segments, {left >> 10} KiB left free; {len(feed.done)} acknowledged, then BUSY", flush=True)

        # A node that is killed and comes again finds it as full, and all that was acknowledged.
        digest = node.digest()
        node.restart()
        client.close()
        feed.client = client = m.Client(node.address)
        assert node.digest() == digest
        feed.busy = 0
        feed.until(lambda: feed.busy > 0, "BUSY after a restart")

        # It goes on by itself: a checkpoint is there, the archive opens, segments go.
        with open(gate, "w", encoding="ascii"):
            pass
        before = len(feed.done)
        feed.until(lambda: node.admin("status")["log"]["removed"] >= 10, "old segments gone")
        feed.until(lambda: len(feed.done) > before + 10000, "operations taken again")
        status = node.admin("status")
        assert status["checkpoint"]["failures"] == 0, status["checkpoint"]
        assert status["log"]["archived"] == status["log"]["removed"], status["log"]
        assert free_bytes(place) > 2 << 20

        # Somebody else takes the room, and gives it back: refused meanwhile, and then not.
        other = os.path.join(place, "other")
        with open(other, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(free_bytes(place) - (1 << 20), 1))
        os.remove(gate)
        feed.busy = 0
        feed.until(lambda: feed.busy > 0, "BUSY again")
        assert client.account(WALLET)["posted"] == len(feed.done)
        os.remove(other)
        before = len(feed.done)
        feed.until(lambda: len(feed.done) > before + 1000, "operations taken when there was room again")
        with open(gate, "w", encoding="ascii"):
            pass

        digest = node.digest()
        node.kill9()
        node.start()
        assert node.digest() == digest
        again = m.Client(node.address)
        assert again.account(WALLET)["posted"] == len(feed.done)
        assert node.terminate() == 0
        again.close()
        client.close()
        print(f"{len(feed.done)} acknowledged, all there after a kill", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
