#!/usr/bin/env python3
"""A node's life: start, what the admin socket says, a clean stop, a kill, and what is still there afterwards."""
import os
import socket
import stat
import unittest

import messages as m
from node import read_answer, refusal, workspace

ISSUER, WALLET, SHOP = 1001, 2001, 3001
CARD = 0x4242424242424242


def populate(client):
    """One of everything. Returns the ids of a transfer, an open and a resolved hold, and an authorisation."""
    client.must(m.asset_put())
    client.must(m.account_put(ISSUER, floor=m.FLOOR_NONE))
    client.must(m.account_put(WALLET))
    client.must(m.account_put(SHOP))
    client.must(m.instrument_put(CARD, WALLET, amount_limit=5000, remaining=3))
    transfer = m.move(ISSUER, WALLET, 10000)
    opened = m.hold(WALLET, SHOP, 2500)
    resolved = m.hold(WALLET, SHOP, 1000)
    authorised = m.auth(CARD, SHOP, 4000)
    for operation in (transfer, opened, resolved, m.capture(m.id_of(resolved), 600, final=1), authorised):
        client.must(operation)
    return [m.id_of(operation) for operation in (transfer, opened, resolved, authorised)]


def id_text(op_id):
    digits = f"{int.from_bytes(op_id, 'little'):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


class Lifecycle(unittest.TestCase):
    def setUp(self):
        space = workspace()
        self.space = space.__enter__()
        self.addCleanup(space.__exit__, None, None, None)
        self.node = self.space.node()

    def client(self, node=None):
        client = m.Client((node or self.node).address)
        self.addCleanup(client.close)
        return client

    def test_admin_answers(self):
        self.node.start(ledger__accounts=100, node__cluster="0xfeed", node__node=3)
        self.assertEqual(stat.S_IMODE(os.stat(self.node.socket).st_mode), 0o600)
        transfer, opened, resolved, authorised = populate(self.client())
        ask = self.node.admin

        status = ask("status")
        expected = {"state": "serving", "cluster": "65261", "node": 3, "durability": "solo", "port": "kernel",
                    "address": self.node.address, "place": 10, "log_full": False, "checkpoint_place": 0, "replayed": 0,
                    "clock_ahead_ns": 0}
        self.assertEqual({key: status[key] for key in expected}, expected)
        self.assertEqual(status["tables"], {"assets": 1, "accounts": 3, "instruments": 1, "holds_open": 2,
                                            "holds_resolved": 1, "terms": 0, "parts": 0, "conditions": 0, "selectors": 0,
                                            "limits": 0, "rolling": 0, "remembered": 10})
        self.assertEqual(status["limits"]["accounts"], 100)
        self.assertEqual(set(status), set(expected) | {
            "version", "timestamp_ns", "commit_index", "recovery_s", "uptime_s", "tables", "limits", "oldest_id_ms",
            "memory_bytes", "memory_per_account_bytes", "checkpoint", "log", "pair", "pollers", "settings"})
        self.assertGreater(status["memory_bytes"], 0)
        self.assertGreater(status["commit_index"], 0)

        terms = {"ceiling": None, "total": False, "parent": None, "sink": None, "expires_ns": None, "filter": False, "limits": []}
        self.assertEqual(ask(f"account {WALLET}"), terms | {
            "account": str(WALLET), "asset": 840, "scale": 2, "status": "open", "posted": 9400, "available": 2900,
            "held_out": 6500, "held_in": 0, "lifetime_debits": 600, "lifetime_credits": 10000, "floor": 0,
            "place": 10})
        self.assertEqual(ask(f"account {ISSUER:#x}"), terms | {
            "account": str(ISSUER), "asset": 840, "scale": 2, "status": "open", "posted": -10000,
            "available": (1 << 63) - 1, "held_out": 0, "held_in": 0, "lifetime_debits": 10000, "lifetime_credits": 0,
            "floor": None, "place": 10})
        self.assertEqual(ask(f"instrument {CARD}"), {
            "instrument": str(CARD), "account": str(WALLET), "status": "active", "first_use": False, "expires_ns": 0,
            "amount_limit": 5000, "remaining": 2, "further": [], "limits": [], "place": 10})
        plain = {"payers": 1, "expires_ns": None, "soft": False, "ratio": False, "single": False, "tolerance": 0, "class": 0,
                 "conditions": 0, "required": 0, "met": 0}
        self.assertEqual(ask(f"hold {id_text(opened)}"), plain | {
            "hold": id_text(opened), "payer": str(WALLET), "payee": str(SHOP), "asset": 840, "status": "open",
            "amount": 2500, "remaining": 2500, "captured": 0, "place": 10})
        self.assertEqual(ask(f"hold {id_text(resolved)}"), plain | {
            "hold": id_text(resolved), "payer": str(WALLET), "payee": str(SHOP), "asset": 840, "status": "resolved",
            "amount": 1000, "remaining": 0, "captured": 600, "place": 10})
        self.assertEqual(ask(f"hold {id_text(authorised)}")["amount"], 4000)
        operation = ask(f"operation {id_text(transfer)}")
        expected = {"operation": id_text(transfer), "type": "MOVE", "code": "OK", "rule": "NONE", "entry": 0, "approved": 10000,
                    "place": 6}
        self.assertEqual({key: operation[key] for key in expected}, expected)
        self.assertEqual(set(operation), set(expected) | {"available", "posted", "timestamp_ns"})

        metrics = ask("metrics")
        self.assertEqual(set(metrics), {"durability", "port", "rx", "queues", "order", "log", "tx", "pollers", "cores", "shards", "security", "pair"})
        self.assertEqual(metrics["rx"]["operations"], 10)
        self.assertEqual(metrics["order"]["operations"], 10)
        self.assertEqual(metrics["order"]["approved"], 10)
        self.assertEqual(metrics["tx"]["answers"], 10)
        self.assertGreaterEqual(metrics["log"]["device_bytes"], metrics["log"]["record_bytes"])
        self.assertEqual([sorted(core["rounds_by_poller"]) for core in metrics["cores"]], [["log", "order", "rx", "tx"]])
        for core in metrics["cores"]:
            self.assertTrue(0 <= core["idle_share"] <= 1)
        memory = ask("memory")
        self.assertEqual(set(memory), {"ledger", "jemalloc"})
        self.assertEqual(set(memory["ledger"]), {"bytes", "account_table_bytes", "per_account_bytes"})

        digest = ask("digest")
        self.assertEqual(digest["place"], 10)
        self.assertRegex(digest["digest"], "^[0-9a-f]{32}$")
        checkpoint = ask("checkpoint")
        self.assertEqual((checkpoint["checkpoint_place"], checkpoint["written"]), (10, True))
        again = ask("checkpoint")
        self.assertEqual((again["checkpoint_place"], again["written"]), (10, False))
        self.assertEqual(ask("status")["checkpoint_place"], 10)
        self.assertEqual(ask("digest"), digest)
        self.assertEqual([line.split()[0] for line in ask("help")["commands"]],
                         ["status", "account", "instrument", "hold", "authorisation", "authorisations", "operation", "metrics", "memory", "checkpoint",
                          "digest", "advance", "reload", "pair", "promote",
                          "standby", "help"])

    def test_limits(self):
        """Those of a card and of its account, more than a page of them, as the admin socket shows them; and again
        after a kill, from the log alone."""
        self.node.start(ledger__limits=16, ledger__rolling=1)
        client = self.client()
        populate(client)
        hour_ns = 3600 * 10**9

        def shown(number, window, max_amount=None, max_count=None, used_amount=0, used_count=0, limited=False):
            return {"number": number, "window": window, "max_amount": max_amount, "max_count": max_count,
                    "used_amount": used_amount, "used_count": used_count, "filter": limited}

        card = (m.LIMIT_INSTRUMENT, CARD)
        client.must(m.limit_put(*card, 9, m.LIMIT_ROLLING, amount=900, length_ns=hour_ns))
        client.must(m.limit_put(*card, 2, m.LIMIT_MONTH, count=2, start=28, zone=-840))
        client.must(m.limit_put(*card, 200, m.LIMIT_OPERATION, amount=800, mcc=5411))
        self.assertEqual(client.ask(m.limit_put(*card, 10, m.LIMIT_ROLLING, length_ns=hour_ns)).verdict, "CAPACITY/TABLE")
        for number in range(13, 0, -1):
            client.must(m.limit_put(m.LIMIT_ACCOUNT, WALLET, number, m.LIMIT_LIFETIME, amount=10000 + number))
        self.assertEqual(client.ask(m.limit_put(*card, 11)).verdict, "CAPACITY/TABLE")
        tables = self.node.admin("status")["tables"]
        self.assertEqual((tables["limits"], tables["rolling"]), (16, 1))
        self.assertEqual({name: self.node.admin("status")["limits"][name] for name in ("limits", "rolling")},
                         {"limits": 16, "rolling": 1})

        refused = client.ask(m.auth(CARD, SHOP, 901))
        self.assertEqual((refused.verdict, refused.entry), ("AMOUNT_LIMIT/INSTRUMENT_LIMIT", 9))
        partial = client.ask(m.auth(CARD, SHOP, 901, minimum=1))
        self.assertEqual((partial.verdict, partial.approved), ("OK_PARTIAL/NONE", 900))
        card_limits = [shown(2, "month", max_count=2, used_amount=900, used_count=1),
                       shown(9, "rolling", max_amount=900, used_amount=900, used_count=1),
                       shown(200, "operation", max_amount=800, limited=True)]
        account_limits = [shown(number, "lifetime", max_amount=10000 + number, used_amount=900, used_count=1)
                          for number in range(1, 14)]
        self.assertEqual(self.node.admin(f"instrument {CARD}")["limits"], card_limits)
        self.assertEqual(self.node.admin(f"account {WALLET}")["limits"], account_limits)
        self.assertEqual(self.node.admin(f"account {SHOP}")["limits"], [])
        digest = self.node.admin("digest")

        self.node.kill9()
        self.node.start(ledger__limits=16, ledger__rolling=1)
        self.assertEqual(self.node.admin("digest"), digest)
        self.assertEqual(self.node.admin(f"instrument {CARD}")["limits"], card_limits)
        self.assertEqual(self.node.admin(f"account {WALLET}")["limits"], account_limits)

    def test_bad_commands(self):
        self.node.start()
        rows = [("", "empty"), ("   ", "empty"), ("stop", "no such command"), ("STATUS", "no such command"),
                ("status now", "too many words"), ("account", "needs ID"), ("account 1 2", "too many words"),
                ("account x", "neither decimal"), ("account -1", "neither decimal"), ("account 0", "neither decimal"),
                ("account 18446744073709551616", "neither decimal"), ("account 0x" + "f" * 32, "neither decimal"),
                ("account " + "\xff", "neither decimal"), ("x" * 511, "no such command")]
        for command, words in rows:
            answer = self.node.admin(command)
            self.assertEqual(set(answer), {"error"}, command)
            self.assertIn(words, answer["error"], command)
        for command, code in (("account 1", "UNKNOWN_ACCOUNT"), ("instrument 1", "UNKNOWN_INSTRUMENT"),
                              ("hold 1", "UNKNOWN_HOLD"), ("operation 1", "UNKNOWN_OPERATION")):
            self.assertEqual(self.node.admin(command)["code"], code)

    def test_connections(self):
        self.node.start()
        with self.node.connect() as connection:
            connection.sendall(b"digest\nsta")
            self.assertEqual(read_answer(connection)["place"], 0)
            connection.sendall(b"tus\r\nhelp\n")
            with connection.makefile("rb") as answers:
                self.assertIn(b'"serving"', answers.readline())
                self.assertIn(b'"commands"', answers.readline())
        # An overlong line ends the connection, with the reason; the node goes on.
        for length in (512, 100000):
            with self.node.connect() as connection:
                try:
                    connection.sendall(b"x" * length)
                except (BrokenPipeError, ConnectionResetError):
                    pass
                self.assertEqual(read_answer(connection), {"error": "a line is at most 511 bytes"})
                self.assert_hung_up(connection)
        # More connections than there is room for: the last one is turned away, the others stay.
        crowd = [self.node.connect() for _ in range(17)]
        for connection in crowd:
            self.addCleanup(connection.close)
        self.assert_hung_up(crowd[16])
        for connection in crowd[:16]:
            connection.sendall(b"digest\n")
            self.assertEqual(read_answer(connection)["place"], 0)
        crowd[0].close()
        # Hanging up in the middle of a line, or without reading the answer, is nobody else's trouble.
        crowd[1].sendall(b"stat")
        crowd[1].close()
        crowd[2].sendall(b"status\n" * 50)
        crowd[2].close()
        crowd[3].sendall(b"digest\n")
        self.assertEqual(read_answer(crowd[3])["place"], 0)

    def assert_hung_up(self, connection):
        try:
            self.assertEqual(connection.recv(1), b"")
        except ConnectionResetError:
            pass

    def test_second_node(self):
        self.node.start()
        other = self.space.node("other", data__directory=self.node.data)
        status, line, _ = refusal(other)
        self.assertEqual(status, 3, line)
        self.assertIn("another process", line)
        self.assertFalse(os.path.exists(other.socket))
        third = self.space.node("third", admin__socket=self.node.socket)
        status, line, _ = refusal(third)
        self.assertEqual(status, 3, line)
        self.assertIn("another node answers there", line)
        self.assertEqual(self.node.admin("status")["state"], "serving")
        # What is left of a node that was killed is no obstacle.
        self.node.kill9()
        self.assertTrue(stat.S_ISSOCK(os.stat(self.node.socket).st_mode))
        self.node.start()
        self.assertEqual(self.node.admin("status")["state"], "serving")

    def test_admin_socket_in_the_way(self):
        """Something else of that name is left alone."""
        with open(self.node.socket, "w", encoding="ascii") as file:
            file.write("precious")
        status, line, _ = refusal(self.node)
        self.assertEqual(status, 2, line)
        self.assertIn("is there and is no socket", line)
        with open(self.node.socket, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")
        status, line, _ = refusal(self.node, admin__socket="/" + "x" * 120)
        self.assertEqual(status, 2, line)
        self.assertIn("admin.socket", line)

    def test_clean_stop(self):
        self.node.start()
        ids = populate(self.client())
        digest = self.node.digest()
        self.assertEqual(self.node.terminate(), 0)
        self.assertFalse(os.path.exists(self.node.socket))
        self.node.start()
        status = self.node.admin("status")
        self.assertEqual((status["place"], status["checkpoint_place"], status["replayed"]), (10, 10, 0))
        self.assertEqual(self.node.digest(), digest)
        # Once more without anything new: there is nothing to write.
        self.assertEqual(self.node.terminate(), 0)
        self.node.start()
        self.assertEqual(self.node.digest(), digest)
        self.assertEqual(self.node.admin(f"operation {id_text(ids[0])}")["place"], 6)

    def test_kill(self):
        self.node.start()
        client = self.client()
        transfer, opened, _, _ = populate(client)
        repeated = m.move(ISSUER, SHOP, 77)
        first = client.must(repeated)
        digest = self.node.digest()
        self.node.restart()
        client = self.client()
        status = self.node.admin("status")
        self.assertEqual((status["place"], status["checkpoint_place"], status["replayed"]), (11, 0, 11))
        self.assertEqual(self.node.digest(), digest)
        self.assertEqual(client.must(repeated), first)
        self.assertEqual(self.node.digest(), digest)
        self.assertEqual(client.must(m.capture(opened)).approved, 2500)
        # A checkpoint, some more, a kill: both are read.
        self.node.admin("checkpoint")
        client.must(m.move(ISSUER, SHOP, 1))
        digest = self.node.digest()
        self.node.restart()
        status = self.node.admin("status")
        self.assertEqual((status["place"], status["checkpoint_place"], status["replayed"]), (13, 12, 1))
        self.assertEqual(self.node.digest(), digest)
        self.assertEqual(self.node.admin(f"operation {id_text(transfer)}")["place"], 6)

    def test_kill_again_and_again(self):
        """Kills that come while a node recovers, or right after, lose nothing either."""
        self.node.start()
        populate(self.client())
        digest = self.node.digest()
        for _ in range(5):
            self.node.restart()
        self.assertEqual(self.node.digest(), digest)
        self.assertEqual(self.node.admin("status")["replayed"], 10)

    def test_memory_bench_says_so(self):
        self.node.start(log__durability="memory-bench", node__benchmark="yes")
        client = self.client()
        client.must(m.asset_put())
        reply = client.must(m.account_put(ISSUER))
        self.assertEqual(reply.durability, 0)
        self.assertIn("NOTHING IS KEPT", self.node.errors())
        self.assertEqual(self.node.admin("status")["durability"], "memory-bench")
        self.assertIn("there is no checkpoint", self.node.admin("checkpoint")["error"])
        self.assertFalse(os.path.exists(self.node.data))
        self.assertEqual(self.node.terminate(), 0)
        self.node.start()
        self.assertEqual(self.node.admin("status")["place"], 0)
        self.assertEqual(self.client().must(m.asset_put()).durability, 1)

    def test_two_cores(self):
        if os.cpu_count() < 2:
            self.skipTest("this machine has one processor")
        self.node.start(node__cores="0: rx tx; 1: order log")
        populate(self.client())
        digest = self.node.digest()
        self.assertEqual(len(self.node.admin("metrics")["cores"]), 2)
        status = self.node.admin("status")
        pollers = {poller["poller"]: poller for poller in status["pollers"]}
        self.assertEqual({name: poller["core"] for name, poller in pollers.items()}, {"rx": 0, "tx": 0, "order": 1, "log": 1})
        for poller in pollers.values():
            self.assertGreater(poller["batches"], 0)
            self.assertGreaterEqual(poller["operations"], status["place"])
            self.assertTrue(0 <= poller["idle_share"] <= 1 and poller["waiting"] == 0 < poller["room"], poller)
        self.node.kill9()
        self.node.start(node__cores="1: rx order; 0: log tx", node__idle="spin")
        self.assertEqual(self.node.digest(), digest)
        self.assertEqual(self.node.terminate(), 0)

    def test_stop_answers_what_it_took(self):
        """SIGTERM while operations come in: whatever was acknowledged is there, and the stop is clean."""
        self.node.start()
        client = self.client()
        populate(client)
        transfers = [m.move(ISSUER, WALLET, 1) for _ in range(2000)]
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(sender.close)
        host, port = self.node.address.rsplit(":", 1)
        sender.connect((host, int(port)))
        sender.settimeout(0.2)
        acknowledged = []
        for at in range(0, len(transfers), 16):
            try:
                sender.send(m.datagram(transfers[at:at + 16]))
            except ConnectionRefusedError:
                break
            if at == 800:
                self.node.process.terminate()
        try:
            while True:
                acknowledged += m.split_replies(sender.recv(65536))[2]
        except (TimeoutError, ConnectionRefusedError):
            pass
        self.assertEqual(self.node.wait(), 0)
        self.node.start()
        applied = [reply for reply in acknowledged if reply.code == "OK"]
        place = self.node.admin("status")["place"]
        self.assertEqual(self.node.admin("status")["replayed"], 0)
        for reply in applied:
            known = self.node.admin(f"operation {id_text(reply.id)}")
            self.assertEqual((known["code"], known["place"]), ("OK", reply.place))
        posted = self.node.admin(f"account {WALLET}")["posted"]
        self.assertEqual(posted - 9400, place - 10)
        self.assertGreaterEqual(posted - 9400, len(applied))


if __name__ == "__main__":
    unittest.main(verbosity=2)
