#!/usr/bin/env python3
"""A node whose clock jumps, forward by ten hours and back by twenty, under a client whose clock is right: what the client
sends is refused with a code that names its id's time, or is served at a log time that never goes back; nothing is carried
out twice, and a restart under the wrong clock changes nothing.

    test_clock_jumps.py LIBRARY (skewed_clock)
"""
import json
import os
import struct
import sys
import time

import messages as m
from node import HOLDFAST, run, wait_until, workspace

ISSUER, WALLET, SHOP = 1001, 2001, 3001
HOUR = 3600 * 10**9


class Clock:
    """The node's, by so many nanoseconds ahead of this one's."""

    def __init__(self, path):
        self.path = path
        self.set(0)

    def set(self, ahead_ns):
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") as file:
            file.write(struct.pack("<q", ahead_ns))


def id_at(time_ns):
    """An id of that time."""
    return (time_ns // 10**6 << 80 | int.from_bytes(os.urandom(10), "little")).to_bytes(16, "little")


def log_times(node):
    lines = run([HOLDFAST, "log", "cat", "--json", node.data]).stdout.splitlines()
    return [json.loads(line)["timestamp_ns"] for line in lines]


def main():
    library = os.path.abspath(sys.argv[1])
    with workspace() as space:
        clock = Clock(space.path("skew"))
        node = space.node(prefix=["env", f"LD_PRELOAD={library}", f"SKEW_FILE={clock.path}"])
        node.start()
        client = m.Client(node.address)
        for operation in (m.asset_put(), m.account_put(ISSUER, floor=m.FLOOR_NONE), m.account_put(WALLET), m.account_put(SHOP),
                          m.move(ISSUER, WALLET, 10000)):
            client.must(operation)
        paid = m.move(WALLET, SHOP, 100)
        first = client.must(paid)
        client.must(m.hold(WALLET, SHOP, 500, expires_ns=time.time_ns() + HOUR))

        # Forward. The hold's time has come; who comes with the right time is told that it is too old; what was answered
        # before is answered alike, or is too old by then as well, and is not carried out again.
        clock.set(10 * HOUR)
        wait_until(lambda: node.admin(f"account {WALLET}")["held_out"] == 0, "the hold has ended")
        reply = client.ask(m.move(WALLET, SHOP, 1))
        assert (reply.verdict, reply.place) == ("ID_TOO_OLD/ID", 0), reply
        reply = client.ask(paid)
        assert reply == first or reply.verdict == "ID_TOO_OLD/ID", (first, reply)
        served = client.must(m.move(WALLET, SHOP, 10, op_id=id_at(time.time_ns() + 10 * HOUR)))
        assert served.timestamp_ns - first.timestamp_ns >= 9 * HOUR, (first, served)

        # Back, behind everybody: log time stays where it was.
        clock.set(-10 * HOUR)
        for _ in range(3):
            reply = client.must(m.move(WALLET, SHOP, 10, op_id=id_at(served.timestamp_ns)))
            assert reply.timestamp_ns >= served.timestamp_ns, (served, reply)
            served = reply
        assert client.ask(m.move(WALLET, SHOP, 1)).verdict == "ID_TOO_OLD/ID"
        late = client.ask(m.hold(WALLET, SHOP, 5, expires_ns=time.time_ns() + HOUR, op_id=id_at(served.timestamp_ns)))
        assert late.code != "OK", late  # its end lies before log time
        assert client.account(WALLET)["posted"] == 10000 - 100 - 40

        # A start under a clock that is wrong goes on from the log's time, too.
        digest = node.digest()
        node.restart()
        assert node.digest() == digest
        client.close()
        client = m.Client(node.address)
        reply = client.must(m.move(WALLET, SHOP, 10, op_id=id_at(served.timestamp_ns)))
        assert reply.timestamp_ns >= served.timestamp_ns, (served, reply)
        assert node.terminate() == 0
        times = log_times(node)
        assert len(times) > 10 and times == sorted(times), times
        client.close()

        # One that began behind refuses whoever is ahead of it, and serves when its clock is set.
        behind = space.node("behind", prefix=node.prefix)
        behind.start()
        client = m.Client(behind.address)
        asset = m.asset_put()
        reply = client.ask(asset)
        assert (reply.verdict, reply.place) == ("ID_TOO_NEW/ID", 0), reply
        clock.set(0)
        client.must(asset)
        assert behind.terminate() == 0
        client.close()


if __name__ == "__main__":
    main()
