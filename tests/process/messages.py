"""Operations and replies by hand, from the published tables of the wire format, on top of net/example.py.

Nothing here comes from the C code: a wrong offset there shows here.
"""
import contextlib
import os
import random
import socket
import struct
import sys
import time
from collections import namedtuple

from node import ROOT

sys.path.insert(0, os.path.join(ROOT, "net"))
import example  # noqa: E402

CHAIN, LIMIT_PUT, MOVE_PLAN, HOLD_PLAN, EXPIRE = 4, 11, 22, 23, 24
REVERSE, CLEAR, INCREMENT = 13, 14, 26
ACCOUNT_PUT, MOVE, HOLD, CAPTURE, RELEASE, INSTRUMENT_PUT, AUTH, QUERY, ASSET_PUT = 1, 3, 5, 7, 8, 10, 12, 20, 21
NAMES = {ACCOUNT_PUT: "ACCOUNT_PUT", MOVE: "MOVE", HOLD: "HOLD", CAPTURE: "CAPTURE", RELEASE: "RELEASE",
         INSTRUMENT_PUT: "INSTRUMENT_PUT", LIMIT_PUT: "LIMIT_PUT", AUTH: "AUTH", QUERY: "QUERY", ASSET_PUT: "ASSET_PUT",
         REVERSE: "REVERSE", CLEAR: "CLEAR", INCREMENT: "INCREMENT"}
LENGTHS = {ACCOUNT_PUT: 64, MOVE: 80, HOLD: 88, CAPTURE: 64, RELEASE: 56, INSTRUMENT_PUT: 96, LIMIT_PUT: 128, AUTH: 192, QUERY: 56,
           ASSET_PUT: 48, REVERSE: 72, CLEAR: 128, INCREMENT: 72}
LINKED, DRY_RUN, RETURN_BALANCES = 1, 2, 4
REPLIES = 1
SUBJECT_ACCOUNT, SUBJECT_INSTRUMENT, SUBJECT_OPERATION, SUBJECT_HOLD, SUBJECT_ACCOUNT_HOLDS = 1, 2, 3, 4, 5
SUBJECT_AUTHORISATION, SUBJECT_INSTRUMENT_AUTHORISATIONS = 8, 9
AUTH_FORCED, AUTH_ESTIMATED = 1, 2
CLEAR_FINAL, CLEAR_FORCED = 1, 2
LIMIT_INSTRUMENT, LIMIT_ACCOUNT = 1, 2
LIMIT_OPERATION, LIMIT_DAY, LIMIT_WEEK, LIMIT_MONTH, LIMIT_ROLLING, LIMIT_LIFETIME = 1, 2, 3, 4, 5, 6
LIMIT_SET, LIMIT_RAISE, LIMIT_RESET = 0, 1, 2
FIXED, RATIO, UP_TO, REMAINING, EVERYTHING = 1, 2, 3, 4, 5

CODES = {
    "OK": 0, "OK_PARTIAL": 1, "INSUFFICIENT": 10, "AMOUNT_LIMIT": 11, "COUNT_LIMIT": 12, "CEILING": 13, "OVERFLOW": 14, "UNBALANCED": 15,
    "UNKNOWN_ACCOUNT": 20, "UNKNOWN_INSTRUMENT": 21, "UNKNOWN_HOLD": 22, "UNKNOWN_OPERATION": 23, "UNKNOWN_ASSET": 24,
    "UNKNOWN_CONDITION": 25, "UNKNOWN_LIMIT": 26, "NOT_PERMITTED": 34, "HELD": 37, "NOT_EMPTY": 38, "IS_TOTAL": 39, "HOLD_EXPIRED": 40,
    "CONDITION_NOT_MET": 43, "BAD_PROOF": 44, "REVERSED": 45, "NOTHING_TO_REVERSE": 46, "NESTED_CHAIN": 76,
    "RESTRICTED": 30, "CLOSED": 31, "INACTIVE": 32, "EXPIRED": 33, "ASSET_MISMATCH": 35, "SAME_ACCOUNT": 36,
    "HOLD_RESOLVED": 41, "OVER_CAPTURE": 42, "DEADLINE_PASSED": 50, "DUPLICATE_DIFFERENT": 51, "ID_TOO_OLD": 52,
    "ID_TOO_NEW": 53, "BUSY": 60, "CAPACITY": 61, "MALFORMED": 70, "WRONG_VERSION": 71, "UNKNOWN_TYPE": 72,
    "UNSUPPORTED": 73, "BAD_AMOUNT": 74, "BAD_ID": 75}
RULES = ["NONE", "PAYER", "PAYEE", "ACCOUNT", "INSTRUMENT", "INSTRUMENT_AMOUNT", "INSTRUMENT_COUNT", "HOLD", "ASSET", "ID",
         "DEADLINE", "LENGTH", "TYPE", "FLAGS", "RESERVED", "AMOUNT", "STATUS", "TABLE", "QUEUE", "LOG", "ORIGIN", "SUBJECT",
         "EXPIRY", "PARENT", "SINK", "CONDITION", "PLAN", "CHAIN", "CLASS", "CHILDREN",
         "INSTRUMENT_LIMIT", "ACCOUNT_LIMIT", "PARENT_LIMIT", "LIMIT", "ACQUIRER", "ORIGINAL",
         "FILTER"]
_code_names = {number: name for name, number in CODES.items()}

AMOUNT_MAX = (1 << 63) - 1
AMOUNT_ALL = (1 << 64) - 1
UNLIMITED = (1 << 64) - 1
FLOOR_NONE = example.FLOOR_NONE
ZERO_ID = bytes(16)
ONES_ID = b"\xff" * 16
USD = 840
DATAGRAM_HEADER = struct.Struct("<HBBHHQQ")
REPLY = struct.Struct("<HBBHBB16sQqqQQ")

new_id = example.new_id
message = example.message


def ident(number):
    return number.to_bytes(16, "little")


def asset_put(asset=USD, scale=2, code=b"USD", **header):
    return message(ASSET_PUT, struct.pack("<HB5x8s", asset, scale, code), **header)


def account_put(account, floor=0, asset=USD, status=0, **header):
    return message(ACCOUNT_PUT, struct.pack("<16sqHB5x", ident(account), floor, asset, status), **header)


def move(payer, payee, amount, asset=USD, reference=0, **header):
    return message(MOVE, struct.pack("<16s16sQHHI", ident(payer), ident(payee), amount, asset, 0, reference), **header)


def hold(payer, payee, amount, asset=USD, expires_ns=0, **header):
    body = struct.pack("<16s16sQHHIQ", ident(payer), ident(payee), amount, asset, 0, 0, expires_ns)
    return message(HOLD, body, **header)


def entries(rows):
    """(account, rule, amount) of each."""
    return b"".join(struct.pack("<16sQB7x", ident(account), amount, rule) for account, rule, amount in rows)


def plan(amount, sources, destinations, asset=USD):
    return struct.pack("<QQIIHHHBBBBBBI16x", amount, 0, 0, 0, asset, 0, 0, 0, 0, len(sources), len(destinations), 0, 0, 0)


def move_plan(amount, sources, destinations, **header):
    return message(MOVE_PLAN, plan(amount, sources, destinations) + entries(sources) + entries(destinations), **header)


def hold_plan(amount, sources, destinations, expires_ns=0, **header):
    terms = struct.pack("<QHBBBB2x", expires_ns, 0, 0, 0, 0, 0)
    return message(HOLD_PLAN, plan(amount, sources, destinations) + terms + entries(sources) + entries(destinations),
                   **header)


def chain(operations, **header):
    return message(CHAIN, struct.pack("<B7x", len(operations)) + b"".join(operations), **header)


def capture(hold_id, amount=AMOUNT_ALL, final=0, **header):
    return message(CAPTURE, struct.pack("<16sQB7x", hold_id, amount, final), **header)


def release(hold_id, amount=AMOUNT_ALL, **header):
    return message(RELEASE, struct.pack("<16sQ", hold_id, amount), **header)


def instrument_put(token, account, expires_ns=0, amount_limit=UNLIMITED, remaining=UNLIMITED, status=1, flags=0,
                   further=(), **header):
    body = struct.pack("<16s16sQQQBBB5x", ident(token), ident(account), expires_ns, amount_limit, remaining, status, flags,
                       len(further))
    return message(INSTRUMENT_PUT, body + b"".join(ident(one) for one in further), **header)


def limit_put(scope, scope_id, number, window=LIMIT_DAY, amount=UNLIMITED, count=UNLIMITED, mode=LIMIT_SET, length_ns=0,
              zone=0, start=0, mcc=0, **header):
    """Of its filter only one category of merchants."""
    return message(LIMIT_PUT, struct.pack("<16sQQQBBBBhBxH46x", ident(scope_id), amount, count, length_ns, scope, number,
                                          window, mode, zone, start, mcc), **header)


def auth(token, payee, amount, asset=USD, minimum=0, acquirer=0, auth_flags=0, **header):
    body = struct.pack("<16s16sQQQQQ", ident(token), ident(payee), amount, minimum, 0, acquirer, 0)  # to the forwarder
    body += bytes(8 + 16 + 16 + 12 + 4 + 4 + 4)  # terminal to local time
    body += struct.pack("<HHHHHHHHBBBB4x", asset, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, auth_flags)
    return message(AUTH, body, **header)


def increment(original, amount, asset=USD, acquirer=0, **header):
    return message(INCREMENT, struct.pack("<16sQQHB5x", original, amount, acquirer, asset, 0), **header)


def reverse(original, amount=AMOUNT_ALL, asset=USD, acquirer=0, captured=0, **header):
    return message(REVERSE, struct.pack("<16sQQHB5x", original, amount, acquirer, asset, captured), **header)


def clear(original, amount, asset=USD, acquirer=0, clear_flags=0, token=0, payee=0, **header):
    return message(CLEAR, struct.pack("<16s16s16sQQ16xHHHBBI4x", original, ident(token), ident(payee), amount, acquirer,
                                      asset, 0, 0, 0, clear_flags, 0), **header)


def query(subject_id, subject=SUBJECT_ACCOUNT, **header):
    subject_id = ident(subject_id) if isinstance(subject_id, int) else subject_id
    return message(QUERY, struct.pack("<16sB7x", subject_id, subject), **header)


def id_of(operation):
    return operation[8:24]


class Reply(namedtuple("Reply", "length type entry code rule durability id approved available posted place "
                                "timestamp_ns view")):
    """`code` and `rule` as words."""

    @property
    def verdict(self):
        return f"{self.code}/{self.rule}"


def parse_reply(reply):
    fields = list(REPLY.unpack_from(reply))
    fields[3] = _code_names.get(fields[3], str(fields[3]))
    fields[4] = RULES[fields[4]]
    return Reply(*fields, bytes(reply[REPLY.size:]))


def datagram(messages, version=example.VERSION, magic=example.MAGIC, flags=0, length=None, count=None, session=1,
             counter=0):
    """Messages in one datagram; every field of its header can be made to lie."""
    body = b"".join(messages)
    length = DATAGRAM_HEADER.size + len(body) if length is None else length
    count = len(messages) if count is None else count
    return DATAGRAM_HEADER.pack(magic, version, flags, length, count, session, counter) + body


def split_replies(data):
    """The replies of one datagram, whose header must be right in every field."""
    magic, version, flags, length, count, session, counter = DATAGRAM_HEADER.unpack_from(data)
    assert (magic, version, flags) == (example.MAGIC, example.VERSION, REPLIES), data[:24].hex()
    assert length == len(data), (length, len(data))
    replies = []
    at = DATAGRAM_HEADER.size
    for _ in range(count):
        size = int.from_bytes(data[at:at + 2], "little")
        assert size >= REPLY.size, size
        replies.append(parse_reply(data[at:at + size]))
        at += size
    assert at == length, (at, length)
    return session, counter, replies


class Client(example.Client):
    """A socket of one's own to a node."""

    def ask(self, operation):
        """One operation, sent until it is answered with something else than BUSY."""
        while True:
            reply = parse_reply(self.call(operation))
            if reply.code != "BUSY":
                return reply

    def must(self, operation):
        reply = self.ask(operation)
        assert reply.verdict == "OK/NONE", f"{NAMES[operation[2]]}: {reply}"
        return reply

    def close(self):
        self.socket.close()

    def account(self, number):
        """posted, available, held out, held in, lifetime debits, floor of an account."""
        reply = self.must(query(number))
        view = struct.unpack("<16sqqQQQqHBB4xQqQ16s16s", reply.view)
        assert view[0] == ident(number)
        return dict(zip(("posted", "available", "held_out", "held_in", "lifetime_debits", "floor", "asset", "status",
                         "scale"), view[1:]))

    def fence(self, data):
        """Sends bytes as they are, then a question. Returns every reply that came before the answer to the question:
        the node answers a client in the order in which it asked, so what is not among them was not answered."""
        question = query(1)
        self.socket.send(data)
        self.socket.send(datagram([question], session=self.session))
        seen = []
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                _, _, replies = split_replies(self.socket.recv(65536))
            except TimeoutError:
                self.socket.send(datagram([question], session=self.session))
                continue
            for reply in replies:
                if reply.id == id_of(question):
                    return seen
                seen.append(reply)
        raise AssertionError("no answer to a question")


def flood(address, operations, clients=1, per_datagram=8, seed=0, deadline_s=60, first_wave=None):
    """Sends all operations through sockets of their own, without waiting, each again after a while until its answer is
    not BUSY. The first time they are sent inside the context `first_wave`. Returns (replies by id, BUSY answers seen)."""
    sockets = []
    host, port = address.rsplit(":", 1)
    for _ in range(clients):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        one.connect((host, int(port)))
        one.setblocking(False)
        sockets.append(one)
    answers = {}
    busy = 0
    chance = random.Random(seed)
    until = time.monotonic() + deadline_s
    try:
        while len(answers) < len(operations):
            assert time.monotonic() < until, f"{len(operations) - len(answers)} operations without an answer"
            open_ones = [operation for operation in operations if id_of(operation) not in answers]
            chance.shuffle(open_ones)
            with first_wave or contextlib.nullcontext():
                for at in range(0, len(open_ones), per_datagram):
                    sockets[at // per_datagram % clients].send(datagram(open_ones[at:at + per_datagram], session=7))
            first_wave = None
            quiet = time.monotonic() + 0.3
            while time.monotonic() < quiet and len(answers) < len(operations):
                for one in sockets:
                    try:
                        while True:
                            for reply in split_replies(one.recv(65536))[2]:
                                if reply.code == "BUSY":
                                    busy += 1
                                    continue
                                first = answers.setdefault(reply.id, reply)
                                assert first == reply, f"another answer to a repeat: {first} {reply}"
                                quiet = time.monotonic() + 0.3
                    except BlockingIOError:
                        continue
    finally:
        for one in sockets:
            one.close()
    return answers, busy
