#!/usr/bin/env python3
"""Writes record-*.hex from wal/FORMAT.md alone: struct.pack for the layout, the program xxh128sum
(package xxhash) for the hash, and nothing of Holdfast's own code. Run it in this directory when the
format changes on purpose."""
import struct
import subprocess

CLUSTER = struct.pack("<QQ", 0x1122334455667788, 0x99AABBCCDDEEFF00)
TIME_NS = 1700000000000000000
FIRST_PLACE = 41


def identifier(lo, hi):
    return struct.pack("<QQ", lo, hi)


def header(length, kind, place):
    """32 bytes: length, type, flags, origin, id (UUIDv7-shaped, life 1), deadline."""
    return struct.pack("<HBBI", length, kind, 0, 0) + identifier(
        place, (1700000000001 << 16) | 1) + struct.pack("<Q", 0)


def move(place):
    return header(80, 3, place) + identifier(place, 1) + identifier(place + 1, 1) + struct.pack(
        "<QHHI", place * 7 + 1, 978, 0, 1)


def auth(place):
    return (header(192, 12, place) + identifier(place, 7) + identifier(2, 0)
            + struct.pack("<QQQQQ", place * 3 + 1, 0, 0, 0, 0)
            + bytes(8) + b"m" * 15 + b"\0" + bytes(16) + bytes(12)
            + struct.pack("<III", 0, 0, 0)
            + struct.pack("<HHHHHHHH", 978, 0, 0, 0, 0, 0, 0, 0) + bytes(8))


def xxh3_128(data):
    out = subprocess.run(["xxh128sum", "-"], input=data, capture_output=True, check=True).stdout
    big_endian = bytes.fromhex(out.split()[0].decode())
    return big_endian[::-1]


def record(operations):
    payload = b"".join(operations)
    rest = b"HFLR" + struct.pack("<HHII", 1, 1 if operations else 2, 128 + len(payload),
                                 len(operations)) + CLUSTER
    rest += struct.pack("<QQQQQ", 1, 5, FIRST_PLACE, TIME_NS, 3)
    rest += identifier(0x0102030405060708, 0x090A0B0C0D0E0F10) + bytes(24) + payload
    return xxh3_128(rest) + rest


def write(name, comment, data):
    with open(name, "w", encoding="ascii") as file:
        file.write(f"# {comment}\n")
        for at in range(0, len(data), 16):
            file.write(data[at:at + 16].hex(" ") + "\n")


def operation(place):
    return auth(place) if place % 5 == 0 else move(place)


for title, count in (("mark", 0), ("moves", 2), ("auth", 5)):
    write(f"record-{title}.hex", f"a record of {count} operations, without its padding",
          record([operation(FIRST_PLACE + i) for i in range(count)]))
