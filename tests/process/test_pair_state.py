#!/usr/bin/env python3
"""The states of both nodes are compared: the log says now and then what the state is, and a standby whose memory was
damaged notices, says so and halts before it could take over; the primary is told."""
import struct
import unittest

from node import HOLDFAST, run
from pair_rig import pair

FREQUENT = dict(log__digest_interval="50ms", log__digest_pause="1s")


def damage(process, value):
    """Turns one bit of every place in the process's memory that holds this 64-bit value. Returns how many."""
    wanted = struct.pack("<q", value)
    found = 0
    with open(f"/proc/{process.pid}/maps", encoding="ascii") as maps, open(f"/proc/{process.pid}/mem", "r+b", 0) as memory:
        for line in maps:
            words = line.split()
            if not words[1].startswith("rw") or (len(words) > 5 and words[5].startswith("[")):
                continue
            start, end = (int(each, 16) for each in words[0].split("-"))
            for begin in range(start, end, 1 << 24):
                try:
                    memory.seek(begin)
                    chunk = memory.read(min(end - begin, 1 << 24))
                except OSError:
                    continue
                at = chunk.find(wanted)
                while at >= 0:
                    memory.seek(begin + at)
                    memory.write(bytes([wanted[0] ^ 1]))
                    found += 1
                    at = chunk.find(wanted, at + 1)
    return found


class State(unittest.TestCase):
    def test_damaged_memory_of_the_standby(self):
        with pair(**FREQUENT) as rig:
            rig.start()
            rig.wait_for("the pair is whole", rig.is_whole)
            leads = rig.primary()
            other = rig.other(leads)
            run([HOLDFAST, "load", "--server", rig.servers, "--accounts", "500", "--operations", "2000", "--json"])
            rig.wait_for("the standby has all", rig.is_level)
            account = leads.admin("account 1000000000007")
            balance = account["posted"] if "posted" in account else account["account"]["posted"]
            with other.paused():
                self.assertGreater(damage(other.process, int(balance)), 0)
            load = rig.load(rig.space.path("journal"), "--seconds", "3600", "--rate", "500", "--drain", "60")
            try:
                self.assertEqual(other.wait(), 1)
                self.assertIn("one of the two is damaged", other.errors())
                rig.nodes = [leads]
                rig.wait_for("the primary says so", lambda: "state-differs" in rig.state(leads).get("alarms", []))
                rig.wait_for("it serves alone", lambda: rig.state(leads).get("serves"))
            finally:
                load.terminate()
                load.communicate()
            # The damage was in memory alone: started anew, it comes to the same state by the log.
            rig.nodes = [leads, other]
            other.start()
            rig.wait_for("the pair is whole", rig.is_whole)
            rig.wait_for("the standby has all", rig.is_level)
            self.assertEqual(leads.digest(), other.digest())
            leads.kill9()
            rig.wait_for("the standby leads", lambda: rig.state(other).get("serves"))
            other.kill9()
            run([HOLDFAST, "log", "verify", other.data])


if __name__ == "__main__":
    unittest.main(verbosity=2)
