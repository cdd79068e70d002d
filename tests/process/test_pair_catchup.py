#!/usr/bin/env python3
"""A standby that comes back when the primary has removed the log it lacks: it takes a checkpoint over the link, in the
middle of which either node may be killed, puts its old log aside, catches up, counts again, and takes over with
everything that was answered."""
import glob
import os
import unittest

from node import HOLDFAST, run
from pair_rig import pair

# Small segments, none of which stays longer than it must; checkpoints when the test wants them.
SMALL = dict(log__segment_bytes="1m", log__segments_ahead=1, log__batch_bytes="64k", log__depth=2, log__retain_bytes=0,
             checkpoint__bytes=0, checkpoint__interval="0s", pair__recent_bytes="8m", ledger__remembered=400000)


def serves(rig, node):
    return rig.state(node).get("serves")


class Catchup(unittest.TestCase):
    def put(self, rig, count=40000):
        load = rig.load(rig.space.path("journal"), "--inflight", "1024", "--operations", str(count))
        output, errors = load.communicate(timeout=120)
        self.assertEqual(load.returncode, 0, output + errors)

    def remove_log(self, rig, node):
        """Writes and makes checkpoints until the node's log begins behind what it began with, and more than it
        keeps in memory."""
        first = os.path.join(node.data, "log-0000000000000001")
        for _ in range(20):
            self.put(rig)
            run([HOLDFAST, "admin", "--socket", node.socket, "checkpoint"])
            if not os.path.exists(first) and node.admin("status")["log"]["removed"] >= 9:
                return
        self.fail("the log is never removed")

    def go_alone(self, rig):
        """Primary and standby, of which the standby is gone and the primary has let go of the log it would need."""
        rig.start()
        rig.wait_for("the pair is whole", rig.is_whole)
        self.put(rig, 1000)
        leads = rig.primary()
        gone = rig.other(leads)
        rig.wait_for("the standby has all", rig.is_level)
        gone.kill9()
        rig.wait_for("the primary goes on alone", lambda: "alone" in rig.state(leads).get("alarms", []))
        self.remove_log(rig, leads)
        return leads, gone

    def takes_over(self, rig, leads, gone):
        """The one that caught up leads after a kill, with every answer and the same state."""
        rig.wait_for("both nodes hold it again", rig.is_whole)
        self.put(rig, 1000)
        rig.wait_for("the standby has all", rig.is_level)
        self.assertEqual(leads.digest(), gone.digest())
        before = gone.digest()
        rig.wait_for("both nodes still hold it", rig.is_whole)  # a slow machine may have dropped one for a while
        leads.kill9()
        rig.wait_for("the standby leads", lambda: serves(rig, gone))
        self.assertEqual(gone.digest(), before)
        rig.check(rig.space.path("journal"))
        gone.kill9()
        run([HOLDFAST, "log", "verify", gone.data])

    def kill_midway(self, rig, node, leads, moved):
        """Kills one of the two, again and again, as soon as it has moved so many slices. Returns how often."""
        for kills, slices in enumerate((1, 9, 30)):
            rig.wait_for("it is on its way", lambda: rig.is_whole() or self.counter(node, moved) >= slices)
            if rig.is_whole():
                return kills
            node.kill9()
            node.start()
            rig.wait_for("one leads", lambda: serves(rig, leads))
        return 3

    def counter(self, node, name):
        try:
            return node.admin("pair")["counters"][name]
        except (OSError, ValueError, EOFError):
            return 0

    def test_old_standby_and_a_standby_that_dies(self):
        with pair(**SMALL) as rig:
            leads, gone = self.go_alone(rig)
            old = sorted(os.path.basename(name) for name in glob.glob(os.path.join(gone.data, "log-*")))
            gone.start()
            self.assertGreater(self.kill_midway(rig, gone, leads, "slices_received"), 0)
            self.takes_over(rig, leads, gone)
            names = os.listdir(gone.data)
            for name in old:
                self.assertTrue(any(each.startswith("quarantine-") and each.endswith(name) for each in names), names)
            self.assertNotIn("install", names)
            self.assertFalse([name for name in names if name.startswith("fetched-")], names)

    def test_empty_standby_and_a_primary_that_dies(self):
        with pair(**SMALL) as rig:
            leads, gone = self.go_alone(rig)
            for name in os.listdir(gone.data):
                if name != "node-key":
                    os.remove(os.path.join(gone.data, name))
            gone.start()
            self.assertGreater(self.kill_midway(rig, leads, leads, "slices_sent"), 0)
            self.takes_over(rig, leads, gone)


if __name__ == "__main__":
    unittest.main(verbosity=2)
