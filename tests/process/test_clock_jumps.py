#!/usr/bin/env python3
"""A node whose clock jumps, forward by ten hours and back by twenty, under a client whose clock is right: what the client
sends is refused with a code that names its id's time, or is served at a log time that never goes back; nothing is carried
out twice, and a restart under the wrong clock changes nothing. And a pair: no jump makes the standby take over, and who
takes over from a primary that was ahead goes on from the log's time; one that comes with a clock far from the other's is
not let in.

    test_clock_jumps.py LIBRARY (skewed_clock)
"""
import json
import os
import struct
import sys
import time

import messages as m
from node import HOLDFAST, run, wait_until, workspace
from pair_rig import Loopback, pair

ISSUER, WALLET, SHOP = 1001, 2001, 3001
FUNDS = 10000
HOUR = 3600 * 10**9
APART = "the other node's clock and this one's are more than five minutes apart"


class Clock:
    """The node's, by so many nanoseconds ahead of this one's."""

    def __init__(self, path):
        self.path = path
        self.set(0)

    def set(self, ahead_ns):
        with open(self.path, "r+b" if os.path.exists(self.path) else "wb") as file:
            file.write(struct.pack("<q", ahead_ns))

    def prefix(self, library):
        """What a program is started with that goes by it."""
        return ["env", f"LD_PRELOAD={library}", f"SKEW_FILE={self.path}"]


def begin(client):
    for operation in (m.asset_put(), m.account_put(ISSUER, floor=m.FLOOR_NONE), m.account_put(WALLET), m.account_put(SHOP),
                      m.move(ISSUER, WALLET, FUNDS)):
        client.must(operation)


def id_at(time_ns):
    """An id of that time."""
    return (time_ns // 10**6 << 80 | int.from_bytes(os.urandom(10), "little")).to_bytes(16, "little")


def log_times(node):
    lines = run([HOLDFAST, "log", "cat", "--json", node.data]).stdout.splitlines()
    return [json.loads(line)["timestamp_ns"] for line in lines]


def alone(library):
    with workspace() as space:
        clock = Clock(space.path("skew"))
        node = space.node(prefix=clock.prefix(library))
        node.start()
        client = m.Client(node.address)
        begin(client)
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
        assert client.account(WALLET)["posted"] == FUNDS - 100 - 40

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


def together(library):
    with workspace() as space:
        clocks = [Clock(space.path(name)) for name in ("skew1", "skew2")]
        cabling = Loopback()
        cabling.node_prefix = [clock.prefix(library) for clock in clocks]
        with pair(cabling=cabling) as rig:
            rig.start()
            rig.wait_for("both nodes hold it", rig.is_whole)
            first, second = rig.primary(), rig.other(rig.primary())
            its_clock = dict(zip(rig.nodes, clocks))
            epoch = rig.state(first)["epoch"]
            client = m.Client(first.address)
            begin(client)

            # The standby's: nobody minds.
            for hours in (10, -10, 0):
                its_clock[second].set(hours * HOUR)
                reply = client.must(m.move(WALLET, SHOP, 1))
                rig.wait_for("the standby has it", rig.is_level)

            # The primary's, forward, and back behind its log.
            its_clock[first].set(10 * HOUR)
            served = client.must(m.move(WALLET, SHOP, 10, op_id=id_at(time.time_ns() + 10 * HOUR)))
            assert served.timestamp_ns - reply.timestamp_ns >= 9 * HOUR, (reply, served)
            its_clock[first].set(-10 * HOUR)
            reply = client.must(m.move(WALLET, SHOP, 10, op_id=id_at(served.timestamp_ns)))
            assert reply.timestamp_ns >= served.timestamp_ns, (served, reply)
            rig.wait_for("the standby has it", rig.is_level)
            state = rig.state(first)
            assert state["serves"] and state["epoch"] == epoch, state

            # Who takes over is ten hours behind the log.
            client.close()
            first.kill9()
            rig.wait_for("the standby leads", lambda: rig.state(second).get("serves"))
            client = m.Client(second.address)
            served = client.must(m.move(WALLET, SHOP, 10, op_id=id_at(reply.timestamp_ns)))
            assert served.timestamp_ns >= reply.timestamp_ns, (reply, served)
            assert client.account(WALLET)["posted"] == FUNDS - 3 - 30
            client.close()

            # The first is let in again when its clock is right, and both say until then what is wrong.
            first.start()
            rig.wait_for("both say why not", lambda: all(rig.seal(node)["says"] == APART for node in rig.nodes))
            assert rig.state(second)["insync"] == 1 and not rig.state(first)["serves"]
            its_clock[first].set(0)
            rig.wait_for("both nodes hold it again", rig.is_level)
            assert first.digest() == second.digest()
            for node in (first, second):
                assert node.terminate() == 0
                times = log_times(node)
                assert len(times) > 10 and times == sorted(times), times


def main():
    library = os.path.abspath(sys.argv[1])
    alone(library)
    together(library)


if __name__ == "__main__":
    main()
