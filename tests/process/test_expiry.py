#!/usr/bin/env python3
"""Holds whose time has come, on a node with nothing else to do: their money goes back by itself, in the log's order, the
same after a kill; and the test clock, which no node has unless it is asked for."""
import time
import unittest

import messages as m
from node import workspace

ISSUER, WALLET, SHOP = 1001, 2001, 3001
S = 10**9
UNTIL_S = 20  # far more than the second it should take


class Expiry(unittest.TestCase):
    def setUp(self):
        space = workspace()
        self.space = space.__enter__()
        self.addCleanup(space.__exit__, None, None, None)
        self.node = self.space.node()

    def client(self):
        client = m.Client(self.node.address)
        self.addCleanup(client.close)
        client.must(m.asset_put())
        client.must(m.account_put(ISSUER, floor=m.FLOOR_NONE))
        client.must(m.account_put(WALLET))
        client.must(m.account_put(SHOP))
        client.must(m.move(ISSUER, WALLET, 10000))
        return client

    def held(self):
        return self.node.admin(f"account {WALLET}")["held_out"]

    def await_held(self, amount):
        """The node is asked about nothing but this account: only time makes anything happen."""
        until = time.monotonic() + UNTIL_S
        while self.held() != amount:
            self.assertLess(time.monotonic(), until, f"{self.held()} is still held")

    def test_by_the_clock(self):
        self.node.start()
        client = self.client()
        first = m.hold(WALLET, SHOP, 100, expires_ns=time.time_ns() + 10**9)
        client.must(first)
        client.must(m.hold(WALLET, SHOP, 200))
        self.assertEqual(client.account(WALLET)["held_out"], 300)
        place = self.node.admin("status")["place"]
        self.await_held(200)
        self.assertEqual(self.node.admin("status")["place"], place + 1)
        order = self.node.admin("metrics")["order"]
        self.assertEqual((order["expire_operations"], order["expired"]), (1, 1))
        self.assertEqual(client.ask(m.capture(m.id_of(first))).verdict, "HOLD_EXPIRED/HOLD")
        digest = self.node.digest()
        self.node.restart()
        self.assertEqual(self.node.digest(), digest)
        self.assertEqual(self.held(), 200)
        self.assertEqual(self.node.terminate(), 0)

    def test_advance(self):
        """More than one EXPIRE can name: all of them end, and others are served meanwhile."""
        self.node = self.space.node("ahead", node__test_clock="yes", ledger__id_ahead="24h")
        self.node.start()
        client = self.client()
        now = time.time_ns()
        for i in range(300):
            client.must(m.hold(WALLET, SHOP, 10, expires_ns=now + 3600 * S + i))
        client.must(m.hold(WALLET, SHOP, 7, expires_ns=now + 7200 * S))
        self.assertEqual(self.held(), 3007)
        self.assertEqual(self.node.admin("advance 2s"), {"advanced_ns": 2 * S, "clock_ahead_ns": 2 * S})
        client.must(m.move(WALLET, SHOP, 1))
        self.assertEqual(self.held(), 3007)
        self.assertEqual(self.node.admin(f"advance {3600 * S}")["clock_ahead_ns"], 3602 * S)
        self.await_held(7)
        order = self.node.admin("metrics")["order"]
        self.assertEqual(order["expired"], 300)
        self.assertGreaterEqual(order["expire_operations"], 5)
        self.assertEqual(self.node.admin("advance 2h")["clock_ahead_ns"], 10802 * S)
        self.await_held(0)
        self.assertEqual(self.node.admin("status")["clock_ahead_ns"], 10802 * S)
        digest = self.node.digest()
        self.node.restart()
        self.assertEqual(self.node.digest(), digest)
        self.assertEqual(self.node.admin("status")["clock_ahead_ns"], 0)
        self.assertEqual(self.node.terminate(), 0)

    def test_what_advance_refuses(self):
        self.node.start(node__test_clock="yes")
        for words in ("advance 5", "advance 5 s", "advance s", "advance -5s", "advance 101000d"):
            answer = self.node.admin(words)
            self.assertEqual("error" in answer, words != "advance 5", words)
        self.assertEqual(self.node.admin("advance")["error"], "this command needs DURATION: try help")
        self.assertEqual(self.node.admin("status")["clock_ahead_ns"], 5)
        self.assertEqual(self.node.terminate(), 0)
        self.node.start()
        self.assertEqual(self.node.admin("advance 5s"),
                         {"error": "the clock of this node cannot be moved: it needs node.test_clock = yes"})
        self.assertEqual(self.node.terminate(), 0)

    def test_no_client_expires(self):
        self.node.start()
        client = self.client()
        hold = m.hold(WALLET, SHOP, 100)
        client.must(hold)
        expire = m.message(m.EXPIRE, b"\1" + bytes(7) + m.id_of(hold) + b"\1" + bytes(7))
        self.assertEqual(client.ask(expire).verdict, "NOT_PERMITTED/TYPE")
        self.assertEqual(client.ask(m.chain([expire])).verdict, "UNSUPPORTED/TYPE")
        self.assertEqual(self.held(), 100)
        self.assertEqual(self.node.terminate(), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
