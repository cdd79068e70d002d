#!/usr/bin/env python3
"""What must not make a pair: a standby of another cluster, with other settings, with a longer log of an unknown epoch, an
arbiter restored from an old backup, two nodes that both believe to be founded, garbage from the peer's address. Each time
one clear line, and nobody is served from a guess."""
import base64
import json
import os
import shutil
import socket
import unittest
import urllib.request

from keys import Keys
from node import HOLDFAST, run
from pair_rig import free_ports, pair


def etcd_value(rig):
    """What the arbiter holds: key and value as base64."""
    everything = {"key": base64.b64encode(b"/holdfast/").decode(), "range_end": base64.b64encode(b"/holdfast0").decode()}
    request = urllib.request.Request(f"{rig.etcd.url}/v3/kv/range", json.dumps(everything).encode())
    with urllib.request.urlopen(request, timeout=5) as answer:
        kvs = json.load(answer).get("kvs", [])
    return [(entry["key"], entry["value"]) for entry in kvs]


def etcd_put(rig, key, value):
    request = urllib.request.Request(f"{rig.etcd.url}/v3/kv/put", json.dumps({"key": key, "value": value}).encode())
    with urllib.request.urlopen(request, timeout=5):
        pass


def put_load(rig, count=500):
    journal = rig.space.path("journal")
    load = rig.load(journal, "--operations", str(count))
    output, errors = load.communicate(timeout=60)
    assert load.returncode == 0, output + errors
    return journal


class Refusals(unittest.TestCase):
    def says(self, rig, node, words):
        rig.wait_for(f"the node says: {words}", lambda: words in rig.state(node).get("says", ""), 20)

    def test_another_cluster(self):
        with pair(sealed=False) as rig:
            rig.etcd.start()
            first, second = rig.nodes
            first.start()
            rig.wait_for("the first leads", lambda: rig.state(first).get("serves"))
            second.start(node__cluster="2")
            self.says(rig, first, "of another cluster")
            self.says(rig, second, "of another cluster")
            self.assertEqual(rig.state(first)["insync"], 1)

    def test_no_session(self):
        """Two that are sealed, and do not fit: neither says a word to the other, and both say why."""
        with pair() as rig:
            rig.etcd.start()
            first, second = rig.nodes
            first.start()
            rig.wait_for("the first leads", lambda: rig.state(first).get("serves"))
            keys = Keys(rig.space)
            stranger = keys.make("stranger")
            for changes, of_first, of_second in (
                    ({"node__cluster": "2"}, "it may be of another cluster", "it may be of another cluster"),
                    ({"security__key": keys.path("stranger")}, "has another key than pair.peer_key", "takes this one for another"),
                    ({"pair__peer_key": stranger}, "takes this one for another", "has another key than pair.peer_key"),
                    ({"pair__peer_key": ""}, "is not sealed: is pair.peer_key set there?", None)):
                second.start(data__directory=rig.space.path("data"), **changes)
                rig.wait_for(of_first, lambda: of_first in (rig.seal(first)["says"] or ""))
                rig.wait_for(f"the log says: {of_first}", lambda: of_first in first.errors())
                if of_second is not None:
                    rig.wait_for(of_second, lambda: of_second in (rig.seal(second)["says"] or ""))
                    self.assertEqual(rig.seal(second)["opened"], 0)
                second.kill9()
                shutil.rmtree(rig.space.path("data"))
            self.assertEqual((rig.state(first)["insync"], rig.seal(first)["opened"], rig.seal(first)["joined"]), (1, 0, 0))
            second.start()
            rig.wait_for("the one that fits is taken", rig.is_whole)
            self.assertIsNone(rig.seal(first)["says"])

    def test_other_settings(self):
        with pair() as rig:
            rig.etcd.start()
            first, second = rig.nodes
            first.start()
            for setting, words in (({"ledger__accounts": "9999"}, "other [ledger] settings"),
                                   ({"log__segment_bytes": "8m"}, "other log.segment_bytes")):
                second.start(data__directory=rig.space.path(words.split()[-1].strip("[]")), **setting)
                self.says(rig, second, words)
                self.says(rig, first, words)
                second.kill9()
            self.assertEqual(rig.state(first)["insync"], 1)
            # The first that fits but for this is the one whose key is remembered.
            second.start(data__directory=rig.space.path("fits"), log__durability="pair-fast")
            self.says(rig, first, "another log.durability")
            second.kill9()
            second.start(data__directory=rig.space.path("fits"))
            rig.wait_for("a standby that fits is taken", rig.is_whole)

    def test_longer_log_of_an_unknown_epoch(self):
        """A node that was a pair's with somebody else: its records are none of ours."""
        with pair() as rig:
            rig.start()
            rig.wait_for("the pair is whole", rig.is_whole)
            put_load(rig)
            first, second = rig.nodes
            rig.wait_for("the standby has all", rig.is_level)
            for node in rig.nodes:
                node.terminate()
            with pair() as other:
                other.start()
                other.wait_for("the pair is whole", other.is_whole)
                put_load(other, 300)
                leads = other.primary()
                other.other(leads).kill9()
                other.wait_for("alone", lambda: "alone" in other.state(leads).get("alarms", []))
                put_load(other, 2000)
                first.settings = {**first.settings, "data.directory": leads.data} if leads is other.nodes[0] else None
                self.assertIsNotNone(first.settings)
                leads.terminate()
                second.start()
                rig.wait_for("the second leads", lambda: rig.state(second).get("serves"))
                place = second.admin("status")["place"]
                first.start()
                self.says(rig, second, "signs with another key")
                self.assertFalse(rig.state(first).get("serves"))
                self.assertEqual(second.admin("status")["place"], place)
                self.assertEqual(rig.state(second)["insync"], 1)
                first.kill9()
                second.kill9()

    def test_arbiter_from_an_old_backup(self):
        with pair() as rig:
            rig.start()
            rig.wait_for("the pair is whole", rig.is_whole)
            (key, old), = etcd_value(rig)
            put_load(rig)
            for _ in range(2):
                leads = rig.primary()
                leads.kill9()
                rig.wait_for("the other leads", lambda: rig.state(rig.other(leads)).get("serves"))
                leads.start()
                rig.wait_for("the pair is whole", rig.is_whole)
            for node in rig.nodes:
                node.kill9()
            etcd_put(rig, key, old)
            for node in rig.nodes:
                node.start()
            for node in rig.nodes:
                self.assertEqual(node.wait(), 1)
                self.assertIn("the arbiter knows less than this node's log", node.errors())

    def test_garbage_from_the_peer(self):
        with pair(sealed=False) as rig:
            rig.etcd.start()
            first, second = rig.nodes
            first.start()
            rig.wait_for("the first leads", lambda: rig.state(first).get("serves"))
            host, port = second.settings["pair.address"].split(":")
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
                peer.bind((host, int(port)))
                target = first.settings["pair.address"].split(":")
                for length in (0, 1, 79, 80, 81, 500, 1400):
                    peer.sendto(bytes((17 * i + length) % 256 for i in range(length)), (target[0], int(target[1])))
                heard = peer.recv(65536)  # what the node says to us, sent back, changed in every byte in turn
                for at in range(len(heard)):
                    changed = bytearray(heard)
                    changed[at] ^= 0x41
                    peer.sendto(changed, (target[0], int(target[1])))
            rig.wait_for("it is counted", lambda: first.admin("pair")["counters"]["refused"] >= 80)
            second.start()
            rig.wait_for("the pair is whole", rig.is_whole)
            put_load(rig)

    def test_configuration(self):
        with pair(sealed=False) as rig:
            first = rig.nodes[0]
            keys = Keys(rig.space)
            own = {"security__key": keys.path("own")}
            own_key = keys.make("own")
            for changes, words in (
                    ({"pair__peer": ""}, "needs pair.address and pair.peer"),
                    ({"pair__address": "10.1.2.3"}, "pair.address: 10.1.2.3 is not of the form"),
                    ({"pair__address": "10.1.2.3:44"}, "pair.address: 10.1.2.3:44 is not on loopback"),
                    ({"pair__peer_key": "12"}, "pair.peer_key: 12: "),
                    ({"pair__peer_key": own_key, **own}, "pair.peer_key: is this node's own key"),
                    ({"security__sessions": "on"}, "pair.peer_key: must be set: with security.sessions = on"),
                    ({"log__durability": "solo", "pair__peer": "", "pair__peer_key": own_key}, "pair.peer_key: needs log.durability"),
                    ({"pair__arbiter": "localhost"}, "pair.arbiter: localhost is no list"),
                    ({"pair__peer_node": "1"}, "pair.peer_node: is this node itself"),
                    ({"node__node": "7"}, "pair.peer_node: must be set"),
                    ({"log__durability": "solo"}, "pair.peer: needs log.durability"),
                    ({"node__cores": "0: rx order tx replicate; 1: log"}, "replicate must stand on the core of log")):
                done = run(first.command(**changes), check=False)
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn(words, done.stderr.strip().split("\n")[-1])

    def test_two_founders_without_an_arbiter(self):
        """The operator as arbiter: only the lower number founds, and nobody leads alone unasked."""
        with pair(arbiter=False) as rig:
            rig.start()
            rig.wait_for("the pair is whole", rig.is_whole)
            first, second = rig.nodes
            journal = put_load(rig)
            first.kill9()
            rig.wait_for("the standby hears nothing", lambda: rig.state(second).get("role") in ("backup", "settling"))
            self.assertFalse(rig.state(second)["serves"])
            run([HOLDFAST, "admin", "--socket", second.socket, "promote"])
            rig.wait_for("the second leads", lambda: rig.state(second).get("serves"))
            rig.check(journal)
            first.start()
            rig.wait_for("the pair is whole", rig.is_whole)
            put_load(rig)
            run([HOLDFAST, "admin", "--socket", second.socket, "standby"])
            rig.wait_for("it leads no more", lambda: rig.state(second).get("serves") is False)
            run([HOLDFAST, "admin", "--socket", first.socket, "promote"])
            rig.wait_for("the first leads", lambda: rig.state(first).get("serves"))
            rig.wait_for("the pair is whole", rig.is_whole)
            rig.check(journal)
            with open(os.path.join(second.data, "audit"), encoding="utf-8") as file:
                asked = [json.loads(line)["command"] for line in file if '"asked"' in line]
            self.assertEqual(asked, ["promote", "standby"])

    def test_two_primaries_by_hand(self):
        """Two operators, each with one node that hears nothing of the other, promote both. When the nodes hear each other
        again, what both were answered for is not thrown away and not mixed: the one that comes back halts, with one line."""
        with pair(arbiter=False) as rig:
            rig.start()
            rig.wait_for("the pair is whole", rig.is_whole)
            first, second = rig.nodes
            put_load(rig)
            rig.wait_for("the standby has all", rig.is_level)
            second.kill9()
            run([HOLDFAST, "admin", "--socket", first.socket, "promote"])
            rig.wait_for("the first leads alone", lambda: rig.state(first).get("insync") == 1)
            put_load(rig)
            nobody, = free_ports(1)
            second.start(pair__peer=f"127.0.0.1:{nobody}")
            run([HOLDFAST, "admin", "--socket", second.socket, "promote"])
            rig.wait_for("the second leads", lambda: rig.state(second).get("serves"))
            servers, rig.servers = rig.servers, rig.servers.split(",")[1]
            put_load(rig)
            rig.servers = servers
            place = first.admin("status")["place"]
            second.kill9()
            second.start()
            self.assertEqual(second.wait(), 1)
            self.assertIn("the peer's log has another record at the same place", second.errors())
            self.assertEqual(first.admin("status")["place"], place)


if __name__ == "__main__":
    unittest.main(verbosity=2)
