#!/usr/bin/env python3
"""Bounded means bounded: tables of two or three places answer CAPACITY and evict no money; a flood of ten times what the
node has bundles for is answered operation for operation, BUSY or carried out, and none is lost or done twice."""
import json
import unittest

import messages as m
from node import HOLDFAST, StartFailed, run, workspace

ISSUER, WALLET, SHOP = 1001, 2001, 3001
BUNDLES = 8
BUNDLE_OPERATIONS = 64
SENDERS = 8


class Capacity(unittest.TestCase):
    def setUp(self):
        space = workspace()
        self.space = space.__enter__()
        self.addCleanup(space.__exit__, None, None, None)
        self.node = self.space.node()

    def client(self):
        client = m.Client(self.node.address)
        self.addCleanup(client.close)
        return client

    def test_full_tables(self):
        self.node.start(ledger__accounts=3, ledger__instruments=2, ledger__holds=2)
        client = self.client()
        client.must(m.asset_put())
        client.must(m.account_put(ISSUER, floor=m.FLOOR_NONE))
        client.must(m.account_put(WALLET))
        client.must(m.account_put(SHOP))
        refused = m.account_put(4001)
        self.assertEqual(client.ask(refused).verdict, "CAPACITY/TABLE")
        client.must(m.account_put(WALLET, floor=-5))  # one that is there needs no room
        self.assertEqual(client.ask(m.query(4001)).verdict, "UNKNOWN_ACCOUNT/SUBJECT")

        client.must(m.instrument_put(1, WALLET))
        client.must(m.instrument_put(2, WALLET))
        self.assertEqual(client.ask(m.instrument_put(3, WALLET)).verdict, "CAPACITY/TABLE")
        client.must(m.instrument_put(2, SHOP))

        client.must(m.move(ISSUER, WALLET, 100))
        one, two, three, four = (m.hold(WALLET, SHOP, 10) for _ in range(4))
        client.must(one)
        client.must(two)
        self.assertEqual(client.ask(three).verdict, "CAPACITY/TABLE")
        self.assertEqual(client.ask(m.auth(1, SHOP, 10)).verdict, "CAPACITY/TABLE")
        self.assertEqual(client.account(WALLET)["held_out"], 20)
        # A resolved hold makes room; an open one never does. The refused one stays refused: its answer is remembered.
        client.must(m.capture(m.id_of(one)))
        self.assertEqual(client.ask(three).verdict, "CAPACITY/TABLE")
        client.must(four)
        self.assertEqual(client.ask(m.query(m.id_of(one), m.SUBJECT_HOLD)).verdict, "UNKNOWN_HOLD/SUBJECT")
        self.assertEqual(client.ask(m.query(m.id_of(two), m.SUBJECT_HOLD)).verdict, "OK/NONE")
        self.assertEqual(client.ask(m.hold(WALLET, SHOP, 1)).verdict, "CAPACITY/TABLE")
        self.assertEqual(self.node.admin("status")["tables"]["holds_open"], 2)
        # All of it, refusals too, comes back from the log.
        digest = self.node.digest()
        self.node.kill9()
        self.node.start(ledger__accounts=3, ledger__instruments=2, ledger__holds=2)
        self.assertEqual(self.node.digest(), digest)
        client = self.client()
        self.assertEqual(client.ask(refused).verdict, "CAPACITY/TABLE")
        self.assertEqual(client.must(four).approved, 10)

    def test_selectors(self):
        """Instruments with further accounts: as many as there is room for, and one less makes room for another."""
        self.node.start(ledger__selectors=2)
        client = self.client()
        client.must(m.asset_put())
        for account in (WALLET, SHOP):
            client.must(m.account_put(account))
        for card in (1, 2):
            client.must(m.instrument_put(card, WALLET, further=(SHOP,)))
        third = m.instrument_put(3, WALLET, further=(SHOP,))
        self.assertEqual(client.ask(third).verdict, "CAPACITY/TABLE")
        client.must(m.instrument_put(3, WALLET))
        client.must(m.instrument_put(2, SHOP, further=(WALLET,)))  # had some already
        self.assertEqual(client.ask(m.instrument_put(3, WALLET, further=(SHOP,))).verdict, "CAPACITY/TABLE")
        client.must(m.instrument_put(1, WALLET))
        client.must(m.instrument_put(3, WALLET, further=(SHOP,)))
        status = self.node.admin("status")
        self.assertEqual((status["tables"]["selectors"], status["limits"]["selectors"]), (2, 2))
        digest = self.node.digest()
        self.node.kill9()
        self.node.start(ledger__selectors=2)
        self.assertEqual(self.node.digest(), digest)
        self.assertEqual(self.client().ask(third).verdict, "CAPACITY/TABLE")

    def test_records_are_forgotten(self):
        """By log time after as long as is set, and before that when their room is needed: as if they had never been."""
        self.node.start(ledger__holds=3, ledger__record="1h", ledger__remembered=1, node__test_clock="yes")
        client = self.client()
        base = int.from_bytes(m.new_id(), "little")
        ahead_ms = 0

        def new_id():
            """A millisecond after the one before: of those of one millisecond a node that remembers one id takes one."""
            nonlocal ahead_ms
            ahead_ms += 1
            return (base + (ahead_ms << 80)).to_bytes(16, "little")

        client.must(m.asset_put(op_id=new_id()))
        client.must(m.account_put(WALLET, op_id=new_id()))
        client.must(m.account_put(SHOP, op_id=new_id()))
        client.must(m.instrument_put(1, WALLET, op_id=new_id()))

        def known(operation):
            return client.ask(m.query(m.id_of(operation), m.SUBJECT_AUTHORISATION)).code == "OK"

        def refuse():
            declined = m.auth(1, SHOP, 5, op_id=new_id())
            self.assertEqual(client.ask(declined).verdict, "INSUFFICIENT/PAYER")
            return declined

        first = refuse()
        self.node.admin("advance 59m")
        ahead_ms += 59 * 60000
        second = refuse()
        self.assertEqual((known(first), known(second)), (True, True))
        self.node.admin("advance 2m")
        ahead_ms += 2 * 60000
        third = refuse()
        self.assertEqual((known(first), known(second), known(third)), (False, True, True))
        fourth, fifth = refuse(), refuse()
        self.assertEqual((known(second), known(third), known(fourth), known(fifth)), (False, True, True, True))
        reversal = m.reverse(m.id_of(first), op_id=new_id())  # unknown again: it is remembered for when it comes
        self.assertEqual((client.must(reversal).approved, known(third)), (0, False))
        self.assertEqual(client.ask(m.query(1, m.SUBJECT_INSTRUMENT_AUTHORISATIONS)).view[4:8], b"\2\0\0\0")

    def test_changed_limits(self):
        """Limits decide answers, so what was refused under small ones is not replayed under large ones."""
        small, large = {"ledger__accounts": 2}, {"ledger__accounts": 10}
        self.node.start(**small)
        client = self.client()
        client.must(m.asset_put())
        client.must(m.account_put(ISSUER, floor=m.FLOOR_NONE))
        client.must(m.account_put(WALLET))
        refused = m.account_put(SHOP)
        self.assertEqual(client.ask(refused).verdict, "CAPACITY/TABLE")
        digest = self.node.digest()
        self.node.kill9()
        with self.assertRaises(StartFailed) as failed:
            self.node.start(**large)
        self.assertEqual(failed.exception.status, 2)
        self.assertIn("[ledger] limits differ from those of the log: start with accounts 2 ", failed.exception.errors)
        # As the line says: once with the old ones, a clean stop, and then they may be changed.
        self.node.start(**small)
        self.assertEqual(self.node.digest(), digest)
        self.assertEqual(self.node.terminate(), 0)
        self.node.start(**large)
        self.assertEqual(self.node.digest(), digest)
        client = self.client()
        self.assertEqual(client.ask(refused).verdict, "CAPACITY/TABLE")
        client.must(m.account_put(SHOP))
        digest = self.node.digest()
        self.node.kill9()
        self.node.start(**large)
        self.assertEqual(self.node.digest(), digest)

    def test_forgotten_ids(self):
        """With room for few ids the oldest are forgotten, and then too old: never carried out a second time."""
        self.node.start(ledger__remembered=10)
        client = self.client()
        client.must(m.asset_put())
        client.must(m.account_put(ISSUER, floor=m.FLOOR_NONE))
        client.must(m.account_put(WALLET))
        # An id's time decides what is too old: one millisecond each, as from a patient client.
        base = int.from_bytes(m.new_id(), "little")
        moves = [m.move(ISSUER, WALLET, 1, op_id=(base + (number + 1 << 80)).to_bytes(16, "little"))
                 for number in range(30)]
        for operation in moves:
            client.must(operation)
        answers = [client.ask(operation) for operation in moves]
        forgotten = [answer.verdict for answer in answers if answer.verdict != "OK/NONE"]
        self.assertEqual(set(forgotten), {"ID_TOO_OLD/ID"})
        self.assertEqual(len(forgotten), 20)
        self.assertEqual([answer.verdict for answer in answers[20:]], ["OK/NONE"] * 10)
        self.assertEqual(client.account(WALLET)["posted"], 30)
        self.assertEqual(self.node.admin("status")["tables"]["remembered"], 10)

    def test_flood(self):
        """Eight senders throw ten times what the bundles hold at once. The node stands still while they do, so that it
        finds more at its first look than it has bundles for: BUSY is certain, on the fastest machine too."""
        self.node.start(node__bundles=BUNDLES)
        client = self.client()
        client.must(m.asset_put())
        client.must(m.account_put(ISSUER, floor=m.FLOOR_NONE))
        client.must(m.account_put(WALLET))
        count = 10 * BUNDLES * BUNDLE_OPERATIONS
        operations = [m.move(ISSUER, WALLET, 1) for _ in range(count)]
        answers, busy = m.flood(self.node.address, operations, clients=SENDERS, per_datagram=18,
                                first_wave=self.node.paused())
        self.assertEqual(len(answers), count)
        self.assertEqual({answer.verdict for answer in answers.values()}, {"OK/NONE"})
        self.assertEqual(len({answer.place for answer in answers.values()}), count)
        self.assertEqual(client.account(WALLET)["posted"], count)
        metrics = self.node.admin("metrics")
        self.assertGreater(busy, 0, metrics)
        self.assertGreaterEqual(metrics["rx"]["busy"], busy)
        self.assertEqual(metrics["order"]["operations"], count + 3)
        print(f"{count} operations, BUSY seen {busy} times ", end="", flush=True)

    def test_flood_by_the_load_generator(self):
        self.node.start(node__bundles=BUNDLES)
        flood = 10 * BUNDLES * BUNDLE_OPERATIONS
        done = run([HOLDFAST, "load", "--server", self.node.address, "--workload", "transfer", "--accounts", 500,
                    "--inflight", flood, "--batch", 16, "--operations", 4 * flood, "--retry", 200000, "--verify-balances",
                    "--json"])
        result = json.loads(done.stdout)
        self.assertEqual((result["lost"], result["accounts_wrong"], result["ops"]), (0, 0, 4 * flood))
        print(f"{result['ops']} operations, BUSY seen {result['busy']} times ", end="", flush=True)

    def test_kill_in_a_flood(self):
        """The same with a kill in the middle: who asks again gets the one answer."""
        self.node.start(node__bundles=BUNDLES)
        client = self.client()
        client.must(m.asset_put())
        client.must(m.account_put(ISSUER, floor=m.FLOOR_NONE))
        client.must(m.account_put(WALLET))
        operations = [m.move(ISSUER, WALLET, 1) for _ in range(2000)]
        first, _ = m.flood(self.node.address, operations[:1000], clients=SENDERS)
        self.node.restart()
        again, _ = m.flood(self.node.address, operations, clients=SENDERS)
        for op_id, answer in first.items():
            self.assertEqual(again[op_id], answer)
        client = self.client()
        self.assertEqual(client.account(WALLET)["posted"], 2000)


if __name__ == "__main__":
    unittest.main(verbosity=2)
