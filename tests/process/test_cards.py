#!/usr/bin/env python3
"""Card authorisation as acquirers do it, where it takes more than one operation after another: a store-and-forward queue with a
bad record in it, a status storm beside authorisations, single messages of authorisation and clearing, and what an operator
sees of all that. (The rest of it: tests/scenarios/way-*.hf.)"""
import struct
import unittest

import messages as m
from node import workspace

ISSUER, WALLET, SAVINGS, SHOP, CARD = 1001, 2001, 2002, 3001, 5001
ACQUIRER = 12345678901


class Cards(unittest.TestCase):
    def setUp(self):
        space = workspace()
        self.space = space.__enter__()
        self.addCleanup(space.__exit__, None, None, None)
        self.node = self.space.node().start()
        self.client = self.connect()
        self.client.must(m.asset_put())
        self.client.must(m.account_put(ISSUER, floor=m.FLOOR_NONE))
        for account in (WALLET, SAVINGS, SHOP):
            self.client.must(m.account_put(account))
        self.client.must(m.move(ISSUER, WALLET, 10000))
        self.client.must(m.instrument_put(CARD, WALLET))

    def connect(self):
        client = m.Client(self.node.address)
        self.addCleanup(client.close)
        return client

    def auth(self, amount, **more):
        return m.auth(CARD, SHOP, amount, acquirer=ACQUIRER, **more)

    def test_bad_records_block_nothing(self):
        """Reversals in one datagram: those with a wrong byte, amount, asset or type are answered with what is wrong, and
        every good one before and behind them is carried out."""
        auths = [self.auth(100 + i) for i in range(6)]
        for one in auths:
            self.client.must(one)
        original = [m.id_of(one) for one in auths]
        good = [m.reverse(one, acquirer=ACQUIRER) for one in original]
        bad = [
            (m.reverse(original[0], amount=0, acquirer=ACQUIRER), "BAD_AMOUNT/AMOUNT"),
            (m.reverse(original[1], asset=0, acquirer=ACQUIRER), "MALFORMED/ASSET"),
            (m.reverse(original[2], captured=2, acquirer=ACQUIRER), "MALFORMED/STATUS"),
            (m.message(15, bytes(40)), "UNSUPPORTED/TYPE"),
            (m.reverse(original[3], acquirer=ACQUIRER + 1), "NOT_PERMITTED/ACQUIRER"),
            (m.reverse(original[4], asset=978, acquirer=ACQUIRER), "ASSET_MISMATCH/ORIGINAL"),
        ]
        mixed = [operation for pair in zip(good, (one for one, _ in bad)) for operation in pair]
        replies = {reply.id: reply for reply in self.client.fence(m.datagram(mixed))}
        for number, reversal in enumerate(good):
            reply = replies[m.id_of(reversal)]
            self.assertEqual((reply.verdict, reply.approved), ("OK/NONE", 100 + number))
        for operation, verdict in bad:
            self.assertEqual(replies[m.id_of(operation)].verdict, verdict)
        self.assertEqual(self.client.account(WALLET)["held_out"], 0)

    def test_status_storm(self):
        """Thousands of questions about authorisations beside new ones: every authorisation is answered, they have the
        places one behind the other, and no question took one."""
        first = self.client.must(self.auth(1))
        place = self.node.admin("status")["place"]
        auths = [self.auth(1) for _ in range(200)]
        questions = [m.query(first.id, m.SUBJECT_OPERATION if i % 2 else m.SUBJECT_AUTHORISATION) for i in range(4000)]
        mixed = [operation for i, one in enumerate(auths) for operation in (one, *questions[20 * i:20 * i + 20])]
        answers, _ = m.flood(self.node.address, mixed, clients=4, per_datagram=7)
        places = sorted(answers[m.id_of(one)].place for one in auths)
        self.assertEqual({answers[m.id_of(one)].verdict for one in auths}, {"OK/NONE"})
        self.assertEqual(places, list(range(place + 1, place + 201)))
        self.assertEqual({answers[m.id_of(one)].verdict for one in questions}, {"OK/NONE"})
        self.assertEqual(self.node.admin("status")["place"], place + 200)
        self.assertEqual(self.client.account(WALLET)["held_out"], 201)
        digest = self.node.digest()
        self.node.restart()
        self.assertEqual(self.node.digest(), digest)

    def test_single_message(self):
        """0200: authorised and cleared in one, or not at all; and its reversal takes back what was captured."""
        def purchase(amount):
            one = self.auth(amount)
            return one, m.chain([one, m.clear(m.id_of(one), amount, acquirer=ACQUIRER, clear_flags=m.CLEAR_FINAL)])

        paid, message = purchase(4000)
        self.assertEqual(self.client.must(message).approved, 2)
        self.assertEqual(self.client.account(WALLET)["posted"], 6000)
        too_much, message = purchase(6001)
        reply = self.client.ask(message)
        self.assertEqual((reply.verdict, reply.entry), ("INSUFFICIENT/PAYER", 1))
        self.assertEqual(self.client.ask(m.query(m.id_of(too_much), m.SUBJECT_AUTHORISATION)).verdict, "UNKNOWN_HOLD/SUBJECT")
        self.assertEqual(self.client.ask(m.reverse(m.id_of(paid), acquirer=ACQUIRER)).verdict, "NOTHING_TO_REVERSE/ORIGINAL")
        back = m.reverse(m.id_of(paid), acquirer=ACQUIRER, captured=1)
        self.assertEqual(self.client.must(back).approved, 4000)
        self.assertEqual(self.client.must(back).approved, 4000)
        self.assertEqual((self.client.account(WALLET)["posted"], self.client.account(SHOP)["posted"]), (10000, 0))

    def test_what_an_operator_sees(self):
        self.client.must(m.move(ISSUER, SAVINGS, 500))
        self.client.must(m.instrument_put(CARD, WALLET, further=(SAVINGS,)))
        self.assertEqual(self.node.admin(f"instrument {CARD}")["further"], [str(SAVINGS)])
        view = self.client.must(m.query(CARD, m.SUBJECT_INSTRUMENT)).view
        self.assertEqual((len(view), view[58], view[64:80]), (176, 1, m.ident(SAVINGS)))

        approved, declined, advice = self.auth(10200), self.auth(400), self.auth(350, auth_flags=m.AUTH_FORCED)
        self.client.must(approved)
        self.assertEqual(self.client.ask(declined).verdict, "INSUFFICIENT/PAYER")
        self.client.must(advice)
        self.client.must(m.reverse(m.id_of(approved), amount=200, acquirer=ACQUIRER))

        def shown(operation):
            return self.node.admin(f"authorisation {int.from_bytes(m.id_of(operation), 'little'):#x}")

        one = shown(approved)
        expected = {"instrument": str(CARD), "payer": str(WALLET), "payee": str(SHOP), "status": "open", "amount": 10000,
                    "remaining": 10000, "captured": 0, "reversed": 200, "asset": 840, "code": "OK", "rule": "NONE",
                    "exception": None, "forced": False, "undone": False, "counted": True, "acquirer": ACQUIRER}
        self.assertEqual({key: one[key] for key in expected}, expected)
        one = shown(declined)
        self.assertEqual((one["status"], one["code"], one["rule"], one["amount"]), ("refused", "INSUFFICIENT", "PAYER", 400))
        one = shown(advice)
        self.assertEqual((one["status"], one["forced"], one["exception"]), ("open", True, "INSUFFICIENT"))
        recent = self.node.admin(f"authorisations {CARD}")
        self.assertEqual([line["amount"] for line in recent["authorisations"]], [350, 400, 10000])
        self.assertFalse(recent["more"])
        pages = self.client.must(m.query(CARD, m.SUBJECT_INSTRUMENT_AUTHORISATIONS)).view
        self.assertEqual((len(pages), struct.unpack_from("<II", pages)), (8 + 3 * 160, (0, 3)))
        self.client.must(self.auth(1, auth_flags=m.AUTH_FORCED))
        self.assertTrue(self.node.admin(f"authorisations {CARD}")["more"])
        self.assertIn("error", self.node.admin(f"authorisation {m.AMOUNT_MAX}"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
