#!/usr/bin/env python3
"""Every field of every message wrong, one after the other, against a live node over an ordinary socket: each gets its
exact code and rule, and what may change nothing changes nothing. Then twenty thousand datagrams of nonsense.

The offsets and verdicts are written by hand from the published tables (OPERATIONS.md, operation.h).
"""
import os
import random
import struct
import unittest

import messages as m
from node import workspace

ISSUER, WALLET, SHOP, FROZEN, POINTS, UNKNOWN = 1001, 2001, 3001, 4001, 5001, 9999
CARD, UNKNOWN_CARD = 777, 778
MAX = m.AMOUNT_MAX
RANDOM_DATAGRAMS = 20000
RANDOM_BETWEEN_FENCES = 50

ID_WRONG = (m.ZERO_ID, m.ONES_ID)
OVER_MAX = (0, MAX + 1, MAX + 2, (1 << 64) - 2)


def u64(value):
    return struct.pack("<Q", value)


def u16(value):
    return struct.pack("<H", value)


def byte(value):
    return bytes([value])


def reserved(first, last):
    return [(at, byte(1), "MALFORMED/RESERVED") for at in range(first, last + 1)]


def ids(at, rule):
    return [(at, value, f"BAD_ID/{rule}") for value in ID_WRONG]


def amounts(at, *values):
    return [(at, u64(value), "BAD_AMOUNT/AMOUNT") for value in values]


# Per type: a good operation (built anew each time), and (offset, bytes, verdict) in the order of the layout.
FIELDS = {
    m.ASSET_PUT: (lambda: m.asset_put(999, 0, b"ZZZ"), [
        (32, u16(0), "MALFORMED/ASSET"), (34, byte(19), "MALFORMED/ASSET"), (34, byte(255), "MALFORMED/ASSET"),
        *reserved(35, 39),
        (40, bytes(8), "MALFORMED/ASSET"), (40, b"usd\0\0\0\0\0", "MALFORMED/ASSET"), (40, b"U\0D\0\0\0\0\0", "MALFORMED/ASSET"),
        (40, b"\0USD\0\0\0\0", "MALFORMED/ASSET"), (40, b"U D\0\0\0\0\0", "MALFORMED/ASSET"),
        (40, b"USD\0\0\0\0X", "MALFORMED/ASSET"), (40, b"US\xff\0\0\0\0\0", "MALFORMED/ASSET")]),
    m.ACCOUNT_PUT: (lambda: m.account_put(UNKNOWN), [
        *ids(32, "ACCOUNT"), (56, u16(0), "MALFORMED/ASSET"), (58, byte(2), "MALFORMED/STATUS"),
        (58, byte(3), "MALFORMED/STATUS"), (58, byte(255), "MALFORMED/STATUS"), (59, byte(1), "MALFORMED/STATUS"),
        *reserved(60, 63)]),
    m.MOVE: (lambda: m.move(ISSUER, WALLET, 1), [
        *ids(32, "PAYER"), *ids(48, "PAYEE"), *amounts(64, *OVER_MAX, m.AMOUNT_ALL), (72, u16(0), "MALFORMED/ASSET"),
        *reserved(74, 75)]),
    m.HOLD: (lambda: m.hold(ISSUER, WALLET, 1), [
        *ids(32, "PAYER"), *ids(48, "PAYEE"), *amounts(64, *OVER_MAX, m.AMOUNT_ALL), (72, u16(0), "MALFORMED/ASSET"),
        *reserved(74, 75)]),
    m.CAPTURE: (lambda: m.capture(m.ident(UNKNOWN)), [
        *ids(32, "HOLD"), *amounts(48, *OVER_MAX), (56, byte(2), "MALFORMED/STATUS"), (56, byte(255), "MALFORMED/STATUS"),
        *reserved(57, 63)]),
    m.RELEASE: (lambda: m.release(m.ident(UNKNOWN)), [*ids(32, "HOLD"), *amounts(48, *OVER_MAX)]),
    m.INSTRUMENT_PUT: (lambda: m.instrument_put(UNKNOWN_CARD, WALLET), [
        *ids(32, "INSTRUMENT"), *ids(48, "ACCOUNT"), (88, byte(4), "MALFORMED/STATUS"), (88, byte(255), "MALFORMED/STATUS"),
        (89, byte(2), "MALFORMED/STATUS"), (89, byte(128), "MALFORMED/STATUS"),
        (90, byte(8), "MALFORMED/INSTRUMENT"), (90, byte(255), "MALFORMED/INSTRUMENT"), *reserved(91, 95)]),
    m.AUTH: (lambda: m.auth(CARD, SHOP, 1), [
        *ids(32, "INSTRUMENT"), *ids(48, "PAYEE"), *amounts(64, *OVER_MAX[1:], m.AMOUNT_ALL),
        *amounts(72, 2, m.AMOUNT_ALL), (80, u64(1), "UNSUPPORTED/AMOUNT"), (168, u16(0), "MALFORMED/ASSET"),
        (170, u16(840), "UNSUPPORTED/ASSET"), (186, byte(16), "MALFORMED/CLASS"), (187, byte(4), "MALFORMED/STATUS"),
        (187, byte(128), "MALFORMED/STATUS"), *reserved(188, 189), (190, u16(1001), "MALFORMED/HOLD")]),
    m.INCREMENT: (lambda: m.increment(m.ident(UNKNOWN), 1), [
        *ids(32, "ORIGINAL"), *amounts(48, *OVER_MAX, m.AMOUNT_ALL), (64, u16(0), "MALFORMED/ASSET"),
        (66, byte(16), "MALFORMED/CLASS"), *reserved(67, 71)]),
    m.REVERSE: (lambda: m.reverse(m.ident(UNKNOWN)), [
        *ids(32, "ORIGINAL"), *amounts(48, *OVER_MAX), (64, u16(0), "MALFORMED/ASSET"), (66, byte(2), "MALFORMED/STATUS"),
        *reserved(67, 71)]),
    # An original of zero is found at the flags: which say whether it may be.
    m.CLEAR: (lambda: m.clear(m.ident(UNKNOWN), 1), [
        (32, m.ONES_ID, "BAD_ID/ORIGINAL"), (48, m.ONES_ID, "BAD_ID/INSTRUMENT"), (64, m.ONES_ID, "BAD_ID/PAYEE"),
        *amounts(80, *OVER_MAX, m.AMOUNT_ALL), (112, u16(0), "MALFORMED/ASSET"), (119, byte(4), "MALFORMED/STATUS"),
        (119, byte(128), "MALFORMED/STATUS"), *reserved(124, 127)]),
    # The scope is left out: whose id is wrong depends on it.
    m.LIMIT_PUT: (lambda: m.limit_put(m.LIMIT_INSTRUMENT, UNKNOWN_CARD, 1), [
        *ids(32, "INSTRUMENT"), (64, u64(64), "MALFORMED/LIMIT"), (73, byte(0), "MALFORMED/LIMIT"),
        (74, byte(0), "MALFORMED/LIMIT"), (74, byte(3), "MALFORMED/LIMIT"), (74, byte(7), "MALFORMED/LIMIT"),
        (75, byte(1), "MALFORMED/LIMIT"), (75, byte(3), "MALFORMED/LIMIT"), (76, u16(841), "MALFORMED/LIMIT"),
        (76, u16(0x10000 - 841), "MALFORMED/LIMIT"), (78, byte(1), "MALFORMED/LIMIT"), *reserved(79, 79),
        (108, byte(16), "MALFORMED/RESERVED"),
        (108, byte(128), "MALFORMED/RESERVED"), *reserved(109, 111)]),
    m.QUERY: (lambda: m.query(WALLET), [
        *ids(32, "SUBJECT"), (48, byte(0), "MALFORMED/SUBJECT"), (48, byte(10), "MALFORMED/SUBJECT"),
        (48, byte(255), "MALFORMED/SUBJECT"), *reserved(49, 51), (52, byte(1), "MALFORMED/SUBJECT")]),
}
WITHOUT_BODY = (15, 16, 17, 18, 19)


def patch(operation, at, value):
    return operation[:at] + value + operation[at + len(value):]


class WireInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        space = workspace()
        cls.node = space.__enter__().node()
        cls.addClassCleanup(space.__exit__, None, None, None)
        cls.node.start()
        cls.client = m.Client(cls.node.address)
        cls.addClassCleanup(cls.client.close)
        must = cls.client.must
        must(m.asset_put())
        must(m.asset_put(1001, 0, b"PTS"))
        must(m.account_put(ISSUER, floor=m.FLOOR_NONE))
        for account in (WALLET, SHOP, FROZEN):
            must(m.account_put(account))
        must(m.account_put(POINTS, asset=1001))
        must(m.move(ISSUER, WALLET, 10000))
        must(m.move(ISSUER, FROZEN, 10000))
        must(m.account_put(FROZEN, status=1))
        must(m.instrument_put(CARD, WALLET))

    def unanswered(self):
        return self.node.admin("metrics")["rx"]["unanswered"]

    def expect(self, operation, verdict, what):
        """One message alone in a datagram: exactly one answer, with its id, type and verdict."""
        replies = self.client.fence(m.datagram([operation], session=self.client.session))
        self.assertEqual([reply.verdict for reply in replies], [verdict], what)
        reply = replies[0]
        self.assertEqual(reply.id, m.id_of(operation), what)
        self.assertEqual(reply.type, operation[2] | 0x80, what)
        self.assertEqual((reply.entry, reply.durability), (0, 1), what)
        return reply

    def expect_refused(self, operation, verdict, what):
        """A refusal of the shape: takes no place, says nothing of balances."""
        reply = self.expect(operation, verdict, what)
        self.assertEqual((reply.approved, reply.available, reply.posted, reply.place, reply.length), (0, 0, 0, 0, 64), what)

    def unchanged(self):
        """For a with statement: the state is the same afterwards, bit for bit."""
        test = self

        class Unchanged:
            def __enter__(self):
                self.digest = test.node.digest()

            def __exit__(self, kind, *_):
                if kind is None:
                    test.assertEqual(test.node.digest(), self.digest)

        return Unchanged()

    def test_every_field(self):
        with self.unchanged():
            for kind, (make, rows) in FIELDS.items():
                self.assertEqual(len(make()), m.LENGTHS[kind])
                for at, value, verdict in rows:
                    self.expect_refused(patch(make(), at, value), verdict,
                                        f"{m.NAMES[kind]} byte {at} = {value.hex()}")

    def test_first_wrong_field_decides(self):
        """Each wrong field together with every later one wrong: the earlier is named."""
        with self.unchanged():
            for kind, (make, rows) in FIELDS.items():
                operation = make()
                for at, value, verdict in reversed(rows):
                    operation = patch(operation, at, value)
                    self.expect_refused(patch(operation, 8, m.new_id()), verdict, f"{m.NAMES[kind]} from byte {at}")

    def test_filters_without_entries(self):
        """What says that it filters by a part gives it an entry; what says nothing has no filter."""
        long_account = m.account_put(UNKNOWN) + struct.pack("<qQ", (1 << 63) - 1, 0) + bytes(32 + 48)
        long_account = patch(long_account, 0, u16(len(long_account)))
        entries = {1: (0, u16(5411)), 2: (22, u16(840)), 4: (27, byte(128)), 8: (47, byte(1))}
        with self.unchanged():
            for whole, at in ((m.limit_put(m.LIMIT_INSTRUMENT, CARD, 1), 80), (long_account, 112)):
                for parts in range(1, 16):
                    operation = patch(patch(whole, at + 28, byte(parts)), 8, m.new_id())
                    self.expect_refused(operation, "MALFORMED/FILTER", f"parts {parts} of nothing")
                for part, (where, entry) in entries.items():
                    for other in entries:
                        operation = patch(patch(whole, at + where, entry), at + 28, byte(other))
                        operation = patch(patch(operation, 8, m.new_id()), 3, byte(m.DRY_RUN))
                        if part == other:
                            self.expect(operation, "OK/NONE", f"part {part}")
                        else:
                            self.expect_refused(operation, "MALFORMED/FILTER", f"part {other} with one of {part}")

    def test_header_fields(self):
        with self.unchanged():
            for kind, (make, _) in FIELDS.items():
                name = m.NAMES[kind]
                for flag in (m.LINKED, 0x08, 0x10, 0x20, 0x40, 0x80, m.LINKED | m.RETURN_BALANCES):
                    self.expect_refused(patch(make(), 3, byte(flag)), "UNSUPPORTED/FLAGS", f"{name} flags {flag}")
                self.expect_refused(patch(make(), 4, struct.pack("<I", 1)), "MALFORMED/ORIGIN", f"{name} origin")
                for op_id in ID_WRONG:
                    self.expect_refused(patch(make(), 8, op_id), "BAD_ID/ID", f"{name} id {op_id[0]}")
                # Too long and too short by a whole word: the next message could still be found.
                operation = make()
                self.expect_refused(patch(operation, 0, u16(len(operation) + 8)) + bytes(8), "MALFORMED/LENGTH", name)
                self.expect_refused(patch(operation[:-8], 0, u16(len(operation) - 8)), "MALFORMED/LENGTH", name)
            self.expect_refused(patch(m.query(WALLET), 3, byte(m.DRY_RUN)), "UNSUPPORTED/FLAGS", "QUERY, dry run")
            for kind in (0, 27, 99, 0x80 | m.MOVE, 255):
                self.expect_refused(patch(m.move(ISSUER, WALLET, 1), 2, byte(kind)), "UNKNOWN_TYPE/TYPE", f"type {kind}")
            for kind in WITHOUT_BODY:
                self.expect_refused(patch(m.move(ISSUER, WALLET, 1), 2, byte(kind)), "UNSUPPORTED/TYPE", f"type {kind}")

    def test_lying_lengths(self):
        """Where the next message begins cannot be told: the rest of the datagram is lost, and said once."""
        good = m.move(ISSUER, WALLET, 1)
        with self.unchanged():
            for length in (0, 1, 8, 24, 31, 33, 79, 81, 84, 88, 192, 1000, 65528, 65535):
                before = self.unanswered()
                bad = patch(m.move(ISSUER, WALLET, 1), 0, u16(length))
                replies = self.client.fence(m.datagram([bad], session=self.client.session))
                self.assertEqual([(reply.verdict, reply.id) for reply in replies], [("MALFORMED/LENGTH", m.id_of(bad))])
                # With a reserved id nobody could match an answer to it: counted, not answered.
                replies = self.client.fence(m.datagram([patch(bad, 8, m.ZERO_ID)]))
                self.assertEqual(replies, [])
                self.assertEqual(self.unanswered() - before, 1)
                # What follows the broken one is lost with it.
                replies = self.client.fence(m.datagram([patch(m.move(ISSUER, WALLET, 1), 0, u16(81)), good]))
                self.assertEqual([reply.verdict for reply in replies], ["MALFORMED/LENGTH"])
        # The same good one alone is taken: it had not been carried out.
        self.assertEqual(self.client.must(good).approved, 1)

    def test_good_ones_around_a_bad_one(self):
        before = self.client.account(WALLET)["posted"]
        batch = [m.move(ISSUER, WALLET, 1), m.move(ISSUER, WALLET, 0), m.move(ISSUER, WALLET, 1),
                 patch(m.move(ISSUER, WALLET, 1), 2, byte(99)), m.query(WALLET), m.move(ISSUER, WALLET, 1)]
        replies = {reply.id: reply.verdict for reply in self.client.fence(m.datagram(batch))}
        self.assertEqual([replies[m.id_of(one)] for one in batch],
                         ["OK/NONE", "BAD_AMOUNT/AMOUNT", "OK/NONE", "UNKNOWN_TYPE/TYPE", "OK/NONE", "OK/NONE"])
        self.assertEqual(self.client.account(WALLET)["posted"], before + 3)

    def test_datagram_headers(self):
        batch = [m.move(ISSUER, WALLET, 1), m.move(ISSUER, WALLET, 1)]
        answered = [(dict(version=0), "WRONG_VERSION/TYPE"), (dict(version=2), "WRONG_VERSION/TYPE"),
                    (dict(version=255), "WRONG_VERSION/TYPE"), (dict(flags=2), "UNSUPPORTED/FLAGS"),
                    (dict(flags=0x80), "UNSUPPORTED/FLAGS"), (dict(length=0), "MALFORMED/LENGTH"),
                    (dict(length=183), "MALFORMED/LENGTH"), (dict(length=185), "MALFORMED/LENGTH"),
                    (dict(length=65535), "MALFORMED/LENGTH"), (dict(count=0), "MALFORMED/SUBJECT"),
                    (dict(count=256), "MALFORMED/SUBJECT"), (dict(count=65535), "MALFORMED/SUBJECT")]
        dropped = [dict(magic=0), dict(magic=0x4847), dict(magic=0x4648 ^ 0x8000), dict(flags=1), dict(flags=3),
                   dict(version=2, flags=1)]
        with self.unchanged():
            for change, verdict in answered:
                replies = self.client.fence(m.datagram(batch, session=self.client.session, **change))
                self.assertEqual([(reply.verdict, reply.id, reply.type) for reply in replies],
                                 [(verdict, m.ZERO_ID, 0x80)], change)
            for change in dropped:
                before = self.unanswered()
                self.assertEqual(self.client.fence(m.datagram(batch, **change)), [], change)
                self.assertEqual(self.unanswered() - before, 1, change)

    def test_counts_that_lie(self):
        """Fewer messages than it says, and more."""
        one, two = m.move(ISSUER, WALLET, 1), m.move(ISSUER, WALLET, 1)
        before = self.unanswered()
        replies = self.client.fence(m.datagram([one], count=2))
        self.assertEqual([(reply.verdict, reply.id) for reply in replies], [("OK/NONE", m.id_of(one))])
        replies = self.client.fence(m.datagram([one, two], count=1))
        self.assertEqual([(reply.verdict, reply.id) for reply in replies], [("OK/NONE", m.id_of(one))])
        self.assertEqual(self.unanswered() - before, 2)
        self.assertEqual(self.client.ask(m.query(m.id_of(two), m.SUBJECT_OPERATION)).verdict, "UNKNOWN_OPERATION/SUBJECT")

    def test_truncated_at_each_length(self):
        """Each type cut at every byte, under a header that tells the truth about what is left, and one that does not."""
        with self.unchanged():
            for kind, (make, _) in FIELDS.items():
                for length in range(len(make())):
                    operation = make()
                    replies = self.client.fence(m.datagram([operation[:length]]))
                    expected = [("MALFORMED/LENGTH", m.id_of(operation))] if length >= 32 else []
                    self.assertEqual([(reply.verdict, reply.id) for reply in replies], expected,
                                     f"{m.NAMES[kind]} cut at {length}")
                    whole = m.datagram([operation])
                    replies = self.client.fence(whole[:24 + length])
                    expected = [("MALFORMED/LENGTH", m.ZERO_ID)] if 24 + length >= 88 else []
                    self.assertEqual([(reply.verdict, reply.id) for reply in replies], expected,
                                     f"datagram of {m.NAMES[kind]} cut at {24 + length}")
            for length in range(24):
                self.assertEqual(self.client.fence(m.datagram([m.move(ISSUER, WALLET, 1)])[:length]), [])

    def test_sizes(self):
        """The largest datagram is taken whole; a larger one, and an empty one, are nobody's trouble."""
        before = self.client.account(WALLET)["posted"]
        batch = [m.move(ISSUER, WALLET, 1) for _ in range((1472 - 24) // 80)]
        self.assertEqual([reply.verdict for reply in self.client.fence(m.datagram(batch))], ["OK/NONE"] * len(batch))
        self.assertEqual(self.client.account(WALLET)["posted"], before + len(batch))
        with self.unchanged():
            for count in (19, 100, 255):
                for reply in self.client.fence(m.datagram([m.move(ISSUER, WALLET, 1) for _ in range(count)])):
                    self.assertEqual(reply.verdict, "MALFORMED/LENGTH")
            self.assertEqual(self.client.fence(b""), [])

    def test_what_the_state_refuses(self):
        """Well-formed, and refused by what is there: the code, the rule, and the order of the checks."""
        rows = [
            (m.move(WALLET, WALLET, 1), "SAME_ACCOUNT/PAYER"),
            (m.move(UNKNOWN, UNKNOWN, 1), "SAME_ACCOUNT/PAYER"),
            (m.move(UNKNOWN, WALLET, 1), "UNKNOWN_ACCOUNT/PAYER"),
            (m.move(WALLET, UNKNOWN, 1), "UNKNOWN_ACCOUNT/PAYEE"),
            (m.move(UNKNOWN, UNKNOWN + 1, 1), "UNKNOWN_ACCOUNT/PAYER"),
            (m.move(WALLET, SHOP, 1, asset=1001), "ASSET_MISMATCH/PAYER"),
            (m.move(WALLET, POINTS, 1), "ASSET_MISMATCH/PAYEE"),
            (m.move(FROZEN, WALLET, 1), "RESTRICTED/PAYER"),
            (m.move(WALLET, FROZEN, 1), "RESTRICTED/PAYEE"),
            (m.move(SHOP, WALLET, 1), "INSUFFICIENT/PAYER"),
            (m.move(SHOP, WALLET, MAX), "INSUFFICIENT/PAYER"),
            (m.move(ISSUER, WALLET, MAX), "OVERFLOW/PAYER"),
            (m.hold(WALLET, WALLET, 1), "SAME_ACCOUNT/PAYER"),
            (m.hold(SHOP, WALLET, 1), "INSUFFICIENT/PAYER"),
            (m.hold(UNKNOWN, WALLET, 1), "UNKNOWN_ACCOUNT/PAYER"),
            (m.capture(m.ident(UNKNOWN)), "UNKNOWN_HOLD/HOLD"),
            (m.release(m.ident(UNKNOWN)), "UNKNOWN_HOLD/HOLD"),
            (m.increment(m.ident(UNKNOWN), 1), "UNKNOWN_HOLD/ORIGINAL"),
            (m.clear(m.ident(UNKNOWN), 1), "UNKNOWN_HOLD/ORIGINAL"),
            (m.clear(m.ZERO_ID, 1), "BAD_ID/ORIGINAL"),
            (m.clear(m.ZERO_ID, 1, clear_flags=m.CLEAR_FORCED), "UNKNOWN_INSTRUMENT/INSTRUMENT"),
            (m.auth(CARD, SHOP, 0, auth_flags=m.AUTH_FORCED), "BAD_AMOUNT/AMOUNT"),
            (m.auth(UNKNOWN_CARD, SHOP, 1), "UNKNOWN_INSTRUMENT/INSTRUMENT"),
            (m.auth(CARD, UNKNOWN, 1), "UNKNOWN_ACCOUNT/PAYEE"),
            (m.auth(CARD, WALLET, 1), "SAME_ACCOUNT/PAYER"),
            (m.auth(CARD, SHOP, MAX), "INSUFFICIENT/PAYER"),
            (m.auth(CARD, SHOP, 0), "OK/NONE"),
            (m.asset_put(840, 3, b"USD"), "ASSET_MISMATCH/ASSET"),
            (m.asset_put(840, 2, b"USX"), "ASSET_MISMATCH/ASSET"),
            (m.asset_put(), "OK/NONE"),
            (m.account_put(UNKNOWN, asset=77), "UNKNOWN_ASSET/ASSET"),
            (m.account_put(WALLET, asset=1001), "ASSET_MISMATCH/ACCOUNT"),
            (m.instrument_put(UNKNOWN_CARD, UNKNOWN), "UNKNOWN_ACCOUNT/ACCOUNT"),
            (m.query(UNKNOWN), "UNKNOWN_ACCOUNT/SUBJECT"),
            (m.query(WALLET, m.SUBJECT_INSTRUMENT), "UNKNOWN_INSTRUMENT/SUBJECT"),
            (m.query(WALLET, m.SUBJECT_OPERATION), "UNKNOWN_OPERATION/SUBJECT"),
            (m.query(WALLET, m.SUBJECT_HOLD), "UNKNOWN_HOLD/SUBJECT"),
        ]
        before = {account: self.client.account(account) for account in (ISSUER, WALLET, SHOP, FROZEN)}
        for operation, verdict in rows:
            self.expect(operation, verdict, f"{m.NAMES[operation[2]]} {operation[32:].hex()}")
        for account, was in before.items():
            self.assertEqual(self.client.account(account), was)

    def test_largest_amount(self):
        """The whole of a signed balance goes from one account to another and back, and not one unit more."""
        low, high = 6001, 6002
        for account in (low, high):
            self.client.must(m.account_put(account, floor=m.FLOOR_NONE))
        self.assertEqual(self.client.must(m.move(low, high, MAX, flags=m.RETURN_BALANCES)).posted, -MAX)
        self.assertEqual(self.client.account(high)["posted"], MAX)
        # The payer may go one lower; the payee has no room for it.
        self.assertEqual(self.client.ask(m.move(low, high, 1)).verdict, "OVERFLOW/PAYEE")
        self.assertEqual(self.client.ask(m.move(low, high, 2)).verdict, "OVERFLOW/PAYER")
        self.assertEqual(self.client.must(m.move(high, low, MAX)).approved, MAX)
        self.assertEqual([self.client.account(one)["posted"] for one in (low, high)], [0, 0])

    def test_ids_and_deadlines(self):
        """What is too old, too new, late, or was used before, changes nothing."""
        with self.unchanged():
            for hours, verdict in ((-2, "ID_TOO_OLD/ID"), (2, "ID_TOO_NEW/ID")):
                value = int.from_bytes(m.new_id(), "little") + (hours * 3600 * 1000 << 80)
                reply = self.expect(m.move(ISSUER, WALLET, 1, op_id=value.to_bytes(16, "little")), verdict, hours)
                self.assertEqual(reply.place, 0)
        used = m.move(ISSUER, WALLET, 5)
        first = self.client.must(used)
        with self.unchanged():
            self.assertEqual(self.client.must(used), first)
            for other in (patch(used, 64, u64(6)), patch(used, 32, m.ident(SHOP)), patch(used, 76, byte(1))):
                self.expect(other, "DUPLICATE_DIFFERENT/ID", "another content")
            self.expect(m.hold(ISSUER, WALLET, 5, op_id=m.id_of(used)), "DUPLICATE_DIFFERENT/ID", "another type")
            # Deadline and flags are no content.
            again = self.expect(patch(used, 24, u64(1)), "OK/NONE", "with a deadline")
            self.assertEqual(again, first)
            self.assertEqual(self.expect(m.move(ISSUER, WALLET, 1, flags=m.DRY_RUN), "OK/NONE", "dry run").place, 0)
        posted = self.client.account(WALLET)["posted"]
        late = m.move(ISSUER, WALLET, 1)
        self.expect(patch(late, 24, u64(1)), "DEADLINE_PASSED/DEADLINE", "late")
        self.expect(late, "DEADLINE_PASSED/DEADLINE", "late, asked again without a deadline")
        self.assertEqual(self.client.account(WALLET)["posted"], posted)

    def test_zz_random(self):
        """Noise, noise behind a good header, and good messages with a few bits turned. The node still serves, and money
        is still conserved."""
        seed = int(os.environ.get("HOLDFAST_SEED", random.SystemRandom().randrange(1 << 32)))
        print(f"seed {seed} ", end="", flush=True)
        chance = random.Random(seed)
        makers = [make for make, _ in FIELDS.values()]
        with self.unchanged():
            for number in range(RANDOM_DATAGRAMS // 2):
                noise = chance.randbytes(chance.randrange(1473))
                self.throw(noise if number % 2 == 0 else m.datagram([noise], count=chance.randrange(300)), number)
        for number in range(RANDOM_DATAGRAMS // 2):
            good = bytearray(m.datagram([chance.choice(makers)() for _ in range(chance.randrange(1, 6))]))
            for _ in range(chance.randrange(1, 4)):
                bit = chance.randrange(len(good) * 8)
                good[bit // 8] ^= 1 << bit % 8
            self.throw(bytes(good), number)
        self.client.must(m.move(ISSUER, WALLET, 1))
        posted = [self.client.account(account)["posted"] for account in (ISSUER, WALLET, SHOP, FROZEN)]
        self.assertEqual(self.node.admin("status")["state"], "serving")
        status = self.node.admin("status")
        digest = self.node.digest()
        self.node.restart()
        self.assertEqual(self.node.digest(), digest)
        self.assertEqual(self.node.admin("status")["tables"], status["tables"])
        self.client.socket.connect(("127.0.0.1", int(self.node.address.rsplit(":", 1)[1])))
        self.assertEqual([self.client.account(account)["posted"] for account in (ISSUER, WALLET, SHOP, FROZEN)], posted)

    def throw(self, data, number):
        if number % RANDOM_BETWEEN_FENCES == 0:
            self.client.fence(data)
        else:
            self.client.socket.send(data)


if __name__ == "__main__":
    unittest.main(verbosity=2)
