#!/usr/bin/env python3
"""Writes record-*.hex and proof.hex from wal/FORMAT.md alone: struct.pack for the layout, the program xxh128sum
(package xxhash) and Python's BLAKE2b for the hashes, ed25519.py for the signature, and nothing of
Holdfast's own code. Run it in this directory when the format changes on purpose."""
import hashlib
import struct
import subprocess

import ed25519

CLUSTER = struct.pack("<QQ", 0x1122334455667788, 0x99AABBCCDDEEFF00)
NODE = 3
SEED = b"thirty-two bytes, known to all!\0"
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


PREVIOUS_HASH = identifier(0x0102030405060708, 0x090A0B0C0D0E0F10)


def whole(kind, count, index, place, commit, before, payload):
    rest = b"HFLR" + struct.pack("<HHII", 3, kind, 128 + len(payload), count) + CLUSTER
    rest += struct.pack("<QQQQQ", 1, index, place, TIME_NS, commit)
    rest += before + bytes(24) + payload
    return xxh3_128(rest) + rest


def record(operations):
    return whole(1 if operations else 2, len(operations), 5, FIRST_PLACE, 3, PREVIOUS_HASH,
                 b"".join(operations))


def blake2b(data):
    return hashlib.blake2b(data, digest_size=32).digest()


def leaf_of(data):
    """The hash of the hashes of its slices."""
    slices = [data[at:at + 4096] for at in range(0, len(data), 4096)]
    return blake2b(b"\0" + b"".join(
        hashlib.blake2b(part, digest_size=32, person=b"holdfast slice 1").digest() for part in slices))


def tree_root(leaves):
    """RFC 6962, 2.1, as it is written there."""
    if not leaves:
        return blake2b(b"")
    if len(leaves) == 1:
        return leaves[0]
    left = 1
    while left * 2 < len(leaves):
        left *= 2
    return blake2b(b"\1" + tree_root(leaves[:left]) + tree_root(leaves[left:]))


def seal_over(records, first_index, first_place, next_place, previous, before):
    """The seal that follows `records`, which end with the one whose hash is `before`."""
    index = first_index + len(records)
    commit = index - 1
    root = tree_root([leaf_of(data) for data in records])
    chain = blake2b(b"holdfast chain 2" + CLUSTER + struct.pack(
        "<IIQQQQQQQ", NODE, 0, 1, first_index, index - 1, first_place, next_place, TIME_NS, commit)
                    + previous + root)
    body = struct.pack("<QQII", first_index, first_place, NODE, 0) + previous + root + chain
    body += ed25519.public_key(SEED) + ed25519.sign(SEED, chain)
    return whole(3, 0, index, next_place, commit, before, body)


def span_records(count):
    """Records 5 and on, of one transfer each."""
    records = []
    before = PREVIOUS_HASH
    for i in range(count):
        records.append(whole(1, 1, 5 + i, FIRST_PLACE + i, 3, before, move(FIRST_PLACE + i)))
        before = records[-1][:16]
    return records


def span(count):
    """The seal over them."""
    records = span_records(count)
    before = records[-1][:16] if records else PREVIOUS_HASH
    return seal_over(records, 5, FIRST_PLACE, FIRST_PLACE + count, bytes(range(32)), before)


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

for count in (0, 1, 7):
    write(f"record-seal-{count}.hex", f"the seal over {count} records, without its padding", span(count))


def path_of(leaves, number):
    """RFC 6962, 2.1.1: the audit path."""
    if len(leaves) == 1:
        return []
    left = 1
    while left * 2 < len(leaves):
        left *= 2
    if number < left:
        return path_of(leaves[:left], number) + [tree_root(leaves[left:])]
    return path_of(leaves[left:], number - left) + [tree_root(leaves[:left])]


def proof(count, number, note):
    """That the transfer in record `number` of a span is in the log."""
    records = span_records(count)
    seal = bytearray(span(count))
    seal[0:16] = seal[88:104] = bytes(16)
    path = path_of([leaf_of(data) for data in records], number)
    note += bytes(-len(note) % 8)
    place = FIRST_PLACE + number
    head = b"HF-PROOF" + struct.pack("<IIQ", 2, len(path), place) + records[number][128 + 8:128 + 24]
    head += struct.pack("<II", len(records[number]), len(note)) + bytes(16)
    return head + bytes(seal) + b"".join(path) + records[number] + note


write("proof.hex", "the proof of the fifth of seven", proof(7, 4, b'["paid"]'))

# Nothing but its length is looked at.
long_record = bytearray((i * 7 + i // 251 + 3) % 256 for i in range(20000))
long_record[24:28] = struct.pack("<I", len(long_record))
write("record-leaf.hex", "the leaf of a record of 20,000 bytes", leaf_of(bytes(long_record)))
