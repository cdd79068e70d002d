#!/usr/bin/env python3
"""etcd is gone with everything in it, and the pair's disks are whole: `holdfast log arbiter` makes its value anew from what
the nodes have, and the pair serves again with every answer that it gave."""
import base64
import json
import os
import shutil
import unittest

from node import HOLDFAST, run, workspace
from pair_rig import pair
from test_pair_refusals import etcd_put, etcd_value, put_load


CALM = dict(pair__grace="2s")  # no takeover but the tests' own, however slow the machine is


def arbiter(*words, status=0):
    done = run([HOLDFAST, "log", "arbiter", *words], check=False)
    assert done.returncode == status, f"{words}: {done.returncode}: {done.stdout}{done.stderr}"
    return done


class LostArbiter(unittest.TestCase):
    def lose_etcd(self, rig):
        """An empty one comes in its place."""
        rig.etcd.stop()
        shutil.rmtree(os.path.join(rig.etcd.directory, "etcd"))
        rig.etcd.start()
        self.assertEqual(etcd_value(rig), [])

    def put(self, rig, value):
        """What `etcdctl put KEY < FILE` does."""
        with open(value["file"], "rb") as file:
            etcd_put(rig, base64.b64encode(value["key"].encode()).decode(), base64.b64encode(file.read()).decode())

    def made(self, rig, name, *directories):
        path = rig.space.path(name)
        value = json.loads(arbiter(*directories, "--out", path, "--json").stdout)
        self.assertEqual(os.path.getsize(path), 48)
        return value

    def stop(self, rig):
        for node in rig.nodes:
            self.assertEqual(node.terminate(), 0)

    def halt(self, rig):
        """With what etcd has now, neither serves."""
        for node in rig.nodes:
            node.start()
        for node in rig.nodes:
            self.assertEqual(node.wait(), 1)
            self.assertIn("the arbiter knows less than this node's log", node.errors())

    def test_both_disks_are_there(self):
        """The second leads since a takeover, alone for a while: its log goes further, in the newer epoch."""
        for durability in ("pair-safe", "pair-fast"):
            with self.subTest(durability), pair(log__durability=durability, **CALM) as rig:
                rig.start()
                rig.wait_for("the pair is whole", rig.is_whole)
                put_load(rig)
                rig.wait_for("both have all", rig.is_level)
                gone = rig.primary()
                other = rig.other(gone)
                gone.kill9()
                rig.wait_for("the standby leads", lambda: rig.state(other).get("serves"))
                journal = put_load(rig)
                self.assertEqual(other.terminate(), 0)
                self.lose_etcd(rig)
                self.halt(rig)
                value = self.made(rig, "cfg", gone.data, other.data)
                self.assertEqual(value["node"], rig.nodes.index(other) + 1)
                self.assertEqual(value["directory"], other.data)
                self.put(rig, value)
                for node in rig.nodes:
                    node.start()
                rig.wait_for("the pair is whole", rig.is_whole)
                self.assertEqual(rig.primary(), other)
                rig.check(journal)
                put_load(rig)

    def test_one_disk_is_left(self):
        """Either may lead, for the pair was whole."""
        with pair(**CALM) as rig:
            rig.start()
            rig.wait_for("the pair is whole", rig.is_whole)
            journal = put_load(rig)
            rig.wait_for("both have all", rig.is_level)
            self.stop(rig)
            one, left = rig.nodes
            values = [self.made(rig, "cfg-1", one.data, left.data), self.made(rig, "cfg-2", left.data, one.data)]
            self.assertEqual(values[0]["epoch"], values[1]["epoch"])
            self.lose_etcd(rig)
            self.put(rig, self.made(rig, "cfg", left.data))
            left.start()
            rig.nodes = [left]
            rig.wait_for("it leads alone", lambda: rig.state(left).get("serves"))
            rig.servers = left.settings["port.address"]
            rig.check(journal)

    def test_what_it_refuses(self):
        with pair(**CALM) as rig, workspace() as lone:
            rig.start()
            rig.wait_for("the pair is whole", rig.is_whole)
            one, other = rig.nodes
            running = arbiter(one.data, other.data, "--out", rig.space.path("cfg"), status=1)
            self.assertIn(f"{one.data}: a node runs on it", running.stderr)
            self.stop(rig)
            alone = lone.node(node__cluster="2").start()
            alone.terminate()
            missing = rig.space.path("missing")
            for directories, status, words in (((one.data, one.data), 2, "are both of node 1"),
                                               ((alone.data,), 2, f"{alone.data}: it is not of a pair"),
                                               ((missing,), 3, missing)):
                done = arbiter(*directories, "--out", rig.space.path("cfg"), status=status)
                self.assertIn(words, done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1)
                self.assertFalse(os.path.exists(rig.space.path("cfg")))
            both = arbiter(one.data, other.data, "--out", rig.space.path("cfg")).stdout
            self.assertNotIn("is lost", both)
            self.assertIn("is lost", arbiter(one.data, "--out", rig.space.path("cfg-of-one")).stdout)
            again = arbiter(one.data, other.data, "--out", rig.space.path("cfg"), status=1)
            self.assertIn("cannot be written", again.stderr)


if __name__ == "__main__":
    unittest.main()
