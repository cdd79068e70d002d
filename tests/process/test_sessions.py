#!/usr/bin/env python3
"""A node with sessions and the real programs: who has a key is served, over both ports and across a node that is killed; who has none hears nothing;
what an origin may not do is refused, and the log says so; rules change while the node serves."""
import json
import os
import socket
import stat
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import messages as m  # noqa: E402
from keys import ALL, Keys  # noqa: E402
from net_rig import TAG, Rig, eal, left_over  # noqa: E402
from node import HOLDFAST, is_sanitized, refusal, run, wait_until, workspace  # noqa: E402
from transfers import drive, load  # noqa: E402

SMALL = ["--workload", "transfer", "--accounts", "20"]


class Sessions(unittest.TestCase):
    def setUp(self):
        self.space = self.enterContext(workspace())
        self.keys = Keys(self.space)

    def node(self, **rules):
        return self.space.node(**self.keys.settings(**rules))

    def script(self, node, text, name="client", check=True):
        path = self.space.path("script.hf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return run([HOLDFAST, "run", *self.keys.target(node, name), path], check=check)

    def test_transfers_over_the_kernels_port(self):
        node = self.node().start()
        target = self.keys.target(node)

        class Moving(list):
            """The node's address changes with each start."""

            def __iter__(self):
                return iter(["--server", node.address, *target[2:]])
        drive(self.space, node, Moving())

    def test_transfers_over_memif(self):
        if os.geteuid() != 0:
            self.skipTest("needs root (DPDK devices)")
        device = "net_memif0,role={},socket-abstract=yes,socket=" + TAG + "s"
        with Rig():
            node = self.space.node(port__kind="dpdk", port__address="10.77.0.2:4600",
                                   port__eal=eal("node", device.format("server")), **self.keys.settings()).start()
            result = load(["--server", "10.77.0.2:4600", "--transport", "dpdk", "--local", "10.77.0.1",
                           "--eal", eal("client", device.format("client")), *self.keys.options()],
                          "--workload", "mixed", "--accounts", "200", "--operations", "20000", "--batch", "16",
                          "--verify-balances")
            self.assertEqual((result["ops"], result["lost"], result["accounts_wrong"]), (20000, 0, 0))
            door = node.admin("metrics")["security"]
            self.assertGreater(door["opened"], 1000)
            self.assertEqual((door["forged"], door["unsealed"]), (0, 0))
            wait_until(lambda: node.admin("metrics")["security"]["sessions"] >= 1, "the session is counted")
            self.assertEqual(node.terminate(), 0)
        self.assertFalse(left_over())

    def test_a_killed_node_is_found_again(self):
        probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        node = self.space.node(port__address=f"127.0.0.1:{port}", **self.keys.settings()).start()
        journal = self.space.path("journal")
        results = []
        worker = threading.Thread(target=lambda: results.append(load(
            self.keys.target(node), *SMALL, "--operations", "40000", "--rate", "8000", "--journal", journal,
            "--drain", "30", "--verify-balances")))
        worker.start()
        for _ in range(2):
            answered = 0
            while answered < 5000:
                answered = node.admin("metrics")["tx"]["answers"]
            node.restart()
        worker.join()
        self.assertEqual((results[0]["ops"], results[0]["lost"], results[0]["accounts_wrong"]), (40000, 0, 0))

    def test_strangers_hear_nothing(self):
        node = self.node().start()
        self.keys.make("stranger")
        for words in (self.keys.target(node, "stranger"), ["--server", node.address],
                      ["--server", node.address, "--key", self.keys.path("client"), "--node-key", "0f" * 32],
                      [*self.keys.target(node), "--cluster", "2"]):
            done = run([HOLDFAST, "load", *words, "--no-setup", *SMALL, "--operations", "1", "--drain", "1", "--json"],
                       check=False)
            self.assertNotEqual(done.returncode, 0, words)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
            host, port = node.address.split(":")
            plain.settimeout(0.3)
            plain.connect((host, int(port)))
            plain.send(m.datagram([m.asset_put(840, 2, b"USD")]))
            self.assertRaises(TimeoutError, plain.recv, 9000)
        door = node.admin("metrics")["security"]
        self.assertGreater(door["unknown_origin"], 0)
        self.assertGreater(door["unsealed"], 0)
        self.assertGreater(door["bad_mac"], 0)
        self.assertGreater(door["bad_handshake"], 0)
        self.assertEqual((door["opened"], node.admin("status")["place"]), (0, 0))

    def test_refusals_are_in_the_log(self):
        node = self.node(boss=ALL, acquirer="allow = MOVE QUERY\naccounts = 0\n").start()
        self.script(node, "asset 840 USD 2\naccount bank asset USD floor none\naccount alice asset USD\n", "boss")
        done = self.script(node, "asset 840 USD 2 -> NOT_PERMITTED\n", "acquirer", check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        place = node.admin("status")["place"]
        self.assertEqual(place, 4)
        self.assertEqual(node.admin("metrics")["security"]["forbidden"], 1)
        digest = node.digest()
        self.assertEqual(node.terminate(), 0)
        events = run([HOLDFAST, "log", "events", "--json", node.data]).stdout.splitlines()
        refused = [json.loads(line) for line in events if '"REFUSED"' in line]
        self.assertEqual([(event["place"], event["code"], event["rule"]) for event in refused],
                         [(place, "NOT_PERMITTED", "ORIGIN")])
        run([HOLDFAST, "log", "verify", node.data])
        # Whoever applies the log gets the same, without any rules.
        os.unlink(os.path.join(node.data, max(name for name in os.listdir(node.data) if "checkpoint" in name)))
        node.start()
        self.assertEqual(node.digest(), digest)

    def test_keys_are_kept_close(self):
        node = self.node().start()
        before = os.stat(self.keys.path("client")).st_mode
        os.chmod(self.keys.path("client"), 0o640)
        done = run([HOLDFAST, "load", *self.keys.target(node), *SMALL, "--operations", "1"], check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("mode 0640", done.stderr)
        os.chmod(self.keys.path("client"), before)
        # Whatever has a key in its memory writes no core, and nobody of the same user looks into it.
        with open(f"/proc/{node.process.pid}/limits", encoding="ascii") as limits:
            core = next(line for line in limits if line.startswith("Max core file size"))
        self.assertEqual(core.split()[4:6], ["0", "0"])
        with open(f"/proc/{node.process.pid}/status", encoding="ascii") as status:
            locked = next(line for line in status if line.startswith("VmLck"))
        if not is_sanitized():
            self.assertGreater(int(locked.split()[1]), 4000)
        self.assertEqual(os.stat(f"/proc/{node.process.pid}/environ").st_uid, 0)
        with open(self.keys.path("node"), encoding="ascii") as file:
            secret = file.read().split()[2]
        self.assertNotIn(secret, node.errors() + json.dumps(node.admin("status")) + json.dumps(node.admin("metrics")))
        self.assertIn(self.keys.public["node"], node.errors())
        node.kill9()
        os.chmod(self.keys.path("node"), 0o644)
        self.assertEqual(refusal(node)[1].split(": ")[1], "security.key")
        os.chmod(self.keys.path("node"), 0o600)
        self.assertIn("security.origins", refusal(node, security__origins="")[1])
        self.assertIn("no-such-file", refusal(node, security__origins="/no-such-file")[1])

    def test_a_key_of_its_own(self):
        settings = self.keys.settings()
        del settings["security__key"]
        node = self.space.node(**settings).start()
        path = os.path.join(node.data, "session-key")
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.keys.public["node"] = path  # a file that has the public half does as well
        load(self.keys.target(node), *SMALL, "--operations", "100")
        self.assertEqual(node.terminate(), 0)
        node.start()
        load(self.keys.target(node), *SMALL, "--operations", "100")

    def test_anywhere_with_sessions_only(self):
        node = self.space.node(port__address="0.0.0.0:0")
        status, line, _ = refusal(node)
        self.assertEqual((status, "not on loopback" in line), (2, True))
        node.start(security__sessions="off-although-others-can-reach-it")
        self.assertIn("WHOEVER REACHES THIS ADDRESS", node.errors())
        node.kill9()
        sealed = self.space.node("sealed", port__address="0.0.0.0:0", **self.keys.settings()).start()
        port = sealed.address.split(":")[1]
        load(["--server", f"127.0.0.1:{port}", *self.keys.options()], *SMALL, "--operations", "100")

    def test_rights_that_are_given_up(self):
        if os.geteuid() != 0:
            self.skipTest("needs root (to become somebody else)")
        os.chmod(self.space.directory, 0o755)
        node = self.space.node(node__user="nobody", data__directory=self.space.path("theirs"), admin__socket=self.space.path("run/admin"),
                               **self.keys.settings())
        os.mkdir(self.space.path("run"))
        os.chown(self.space.path("run"), 65534, 65534)
        for name in ("", "node", "origins"):
            os.chown(self.keys.path(name), 65534, 65534)
        node.start()
        for task in os.listdir(f"/proc/{node.process.pid}/task"):
            with open(f"/proc/{node.process.pid}/task/{task}/status", encoding="ascii") as status:
                told = dict(line.split(":\t", 1) for line in status.read().splitlines() if ":\t" in line)
            self.assertEqual((told["Uid"].split(), told["Gid"].split(), told["Groups"].split()),
                             (["65534"] * 4, ["65534"] * 4, []))
            self.assertEqual((told["NoNewPrivs"].strip(), told["Seccomp"].strip()), ("1", "2"))
            self.assertEqual({told[name].strip(" 0\t") for name in ("CapEff", "CapPrm", "CapInh")}, {""})
        load(self.keys.target(node), *SMALL, "--operations", "1000")
        self.assertEqual(os.stat(self.space.path("theirs")).st_uid, 65534)
        # A checkpoint is made by a process that the node starts: it can.
        made = json.loads(run([HOLDFAST, "admin", "--socket", self.space.path("run/admin"), "checkpoint"]).stdout)
        self.assertEqual(made["written"], True)
        self.assertEqual(node.terminate(), 0)
        self.assertIn("no such user", refusal(self.space.node("other"), node__user="no-such-user-here")[1])

    def test_usage(self):
        for words, why in (["--key", "x"], "go together"), (["--node-key", "x"], "go together"), \
                (["--cluster", "2"], "goes with --key"), (["--key", "x", "--node-key", "y", "--cluster", "z"], "is no id"):
            done = subprocess.run([HOLDFAST, "load", "--server", "127.0.0.1:9", *words], capture_output=True, text=True,
                                  timeout=20, check=False)
            self.assertEqual((done.returncode, why in done.stderr), (2, True), done.stderr)


if __name__ == "__main__":
    unittest.main()
