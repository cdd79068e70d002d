#!/usr/bin/env python3
"""A whole Holdfast client in one page of Python's standard library, written from WIRE.md.

    net/example.py 127.0.0.1:4600

Over an ordinary UDP socket it registers an asset, opens an issuance account and a wallet, moves 25.00 into the
wallet, asks for its balance, and sends the transfer a second time with the same id to show that the answer is
the same and the balance unchanged. Exit status 0 when every answer was the expected one.
"""
import os
import socket
import struct
import sys
import time

MAGIC, VERSION = 0x4648, 1
ASSET_PUT, ACCOUNT_PUT, MOVE, QUERY = 21, 1, 3, 20
RETURN_BALANCES = 0x04
FLOOR_NONE = -(1 << 63)


def new_id():
    """An operation id: 48 bits of Unix milliseconds above 80 random ones, as 16 little-endian bytes."""
    value = int(time.time() * 1000) << 80 | int.from_bytes(os.urandom(10), "little")
    return value.to_bytes(16, "little")


def account(number):
    return number.to_bytes(16, "little")


def message(kind, body, flags=0, op_id=None):
    """Header (length, type, flags, origin 0, id, no deadline) and body."""
    return struct.pack("<HBBI16sQ", 32 + len(body), kind, flags, 0, op_id or new_id(), 0) + body


class Client:
    def __init__(self, server, attempts=20, timeout=0.5):
        host, port = server.rsplit(":", 1)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((host, int(port)))
        self.socket.settimeout(timeout)
        self.session = int.from_bytes(os.urandom(8), "little")
        self.counter = 0
        self.attempts = attempts

    def call(self, operation):
        """Sends one operation, again and again with the same id, until its reply comes."""
        for _ in range(self.attempts):
            header = struct.pack("<HBBHHQQ", MAGIC, VERSION, 0, 24 + len(operation), 1, self.session,
                                 self.counter)
            self.counter += 1
            try:
                self.socket.send(header + operation)
                while True:
                    datagram = self.socket.recv(9000)
                    reply = datagram[24:]
                    if reply[8:24] == operation[8:24]:
                        return reply
            except (TimeoutError, ConnectionRefusedError):
                time.sleep(0.05)
        raise SystemExit("no answer")


def describe(reply):
    (_, _, _, code, _, _, _, approved, available, posted, place, _) = struct.unpack_from(
        "<HBBHBB16sQqqQQ", reply)
    return dict(code=code, approved=approved, available=available, posted=posted, place=place)


def main():
    client = Client(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:4600")
    base = int.from_bytes(os.urandom(6), "little") << 8
    issuer, wallet = account(base + 1), account(base + 2)

    steps = [
        ("asset 840 USD, 2 decimals",
         message(ASSET_PUT, struct.pack("<HB5x8s", 840, 2, b"USD"))),
        ("issuance account, no floor",
         message(ACCOUNT_PUT, struct.pack("<16sqHB5x", issuer, FLOOR_NONE, 840, 0))),
        ("wallet, floor 0",
         message(ACCOUNT_PUT, struct.pack("<16sqHB5x", wallet, 0, 840, 0))),
    ]
    transfer = message(MOVE, struct.pack("<16s16sQHHI", issuer, wallet, 2500, 840, 0, 0), RETURN_BALANCES)
    steps += [("move 25.00 to the wallet", transfer), ("the same again, same id", transfer)]

    answers = []
    for title, operation in steps:
        answers.append(client.call(operation))
        print(f"{title:28} {describe(answers[-1])}")
    query = client.call(message(QUERY, struct.pack("<16sB7x", wallet, 1)))
    print(f"{'the wallet':28} {describe(query)}")

    good = all(describe(answer)["code"] == 0 for answer in answers)
    good = good and answers[-1] == answers[-2] and describe(query)["posted"] == 2500
    print("every answer as expected" if good else "NOT as expected")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
