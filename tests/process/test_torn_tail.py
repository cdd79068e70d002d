#!/usr/bin/env python3
"""The last record of a log torn, at chosen bytes of it: whatever lies before is there, bit for bit, the log goes on from
there, and the operation that was torn away is carried out when its sender asks again. The offline tool, asked at every
byte of the record's header and at many others, says the same.

    test_torn_tail.py [--offsets 40] [--seed N]

A tear is either a write that ended early (zeros from a byte on) or a byte that is not what was written. Under the sanitizers,
where a process takes several times as long to start and to end, nodes are started on the edges alone, and the tool is asked
at every field of the header and at fewer others.
"""
import argparse
import json
import os
import random
import shutil
import sys

import messages as m
from node import HOLDFAST, is_sanitized, run, workspace
from test_node_refusals import BLOCK, RECORD_HEADER, read, records, write

ISSUER, WALLET = 1001, 2001
BEFORE_PLACES = 22
LAST_COUNT = 12
FIELDS = (0, 16, 20, 22, 24, 28, 32, 48, 56, 64, 72, 80, 88, 104, 120)  # of the header, where each begins
SMALL = dict(log__segment_bytes="1m", log__segments_ahead=1, log__batch_bytes="64k", log__depth=2, log__seal_interval="0s",
             ledger__accounts=100, ledger__instruments=100, ledger__holds=100, ledger__remembered=10000)


def make_log(space):
    """A log whose last record holds a batch of operations. Returns its node, the digests before and after that record,
    and the operations."""
    node = space.node("origin", **SMALL).start()
    client = m.Client(node.address)
    client.must(m.asset_put())
    client.must(m.account_put(ISSUER, floor=m.FLOOR_NONE))
    client.must(m.account_put(WALLET))
    for amount in range(1, 20):  # with the three above BEFORE_PLACES
        client.must(m.move(ISSUER, WALLET, amount))
    before = node.digest()
    last = [m.move(ISSUER, WALLET, 1000 + number) for number in range(LAST_COUNT)]
    replies = client.fence(m.datagram(last))
    assert [reply.verdict for reply in replies] == ["OK/NONE"] * len(last), replies
    after = node.digest()
    node.kill9()
    client.close()
    return node, before, after, last


def choose_offsets(length, padded, count, chance):
    """The edges of fields, of blocks and of the record, and others by chance."""
    edges = {0, 1, 15, 16, 20, 24, 56, 80, 88, RECORD_HEADER - 1, RECORD_HEADER, BLOCK - 1, BLOCK, BLOCK + 1, length - 1,
             length, padded - 1}
    edges |= {at for at in range(0, padded, BLOCK)}
    while len(edges) < count:
        edges.add(chance.randrange(padded))
    return sorted(edges)


def tear(good, offset, length, at, is_cut):
    """The segment with its last record torn at byte `at` of it."""
    data = bytearray(good)
    padded = (length + BLOCK - 1) // BLOCK * BLOCK
    if is_cut:
        data[offset + at:offset + padded] = bytes(padded - at)
    else:
        data[offset + at] ^= 0x55
    return data


def verify_tears(origin, good, offset, length, chance, ats, others):
    """`holdfast log verify` on each tear, at these bytes of the header and at so many others: the log holds up to there,
    and the tail is where it was torn. Returns how many."""
    path = os.path.join(origin.data, "log-0000000000000001")
    padded = (length + BLOCK - 1) // BLOCK * BLOCK
    tears = [(at, is_cut) for at in ats for is_cut in (True, False)]
    tears += [(chance.randrange(RECORD_HEADER, padded), number % 2 == 0) for number in range(others)]
    for at, is_cut in tears:
        data = tear(good, offset, length, at, is_cut)
        write(path, data)
        found = json.loads(run([HOLDFAST, "log", "verify", origin.data, "--json"]).stdout)
        assert found["holds"], found
        if data == good:
            assert (found["last_place"], found["tail"]) == (BEFORE_PLACES + LAST_COUNT, "clean"), (at, is_cut, found)
            continue
        assert found["last_place"] == BEFORE_PLACES, (at, is_cut, found)
        if any(data[offset:offset + padded]):
            assert (found["tail"], found["torn_offset"]) == ("torn", offset), (at, is_cut, found)
        else:
            assert found["tail"] == "clean", (at, is_cut, found)
    write(path, good)
    return len(tears)


def try_tear(space, origin, data, name, expected, last, again=True):
    """Starts a node on a copy with this segment, goes on, and, if `again`, starts it once more."""
    node = space.node(name, **SMALL)
    shutil.copytree(origin.data, node.data)
    write(os.path.join(node.data, "log-0000000000000001"), data)
    node.start()
    assert node.digest() == expected, f"{name}: {node.digest()}, expected {expected}\n{node.errors()}"
    client = m.Client(node.address)
    for operation in last:
        client.must(operation)
    posted = client.account(WALLET)["posted"]
    client.close()
    assert posted == sum(range(1, 20)) + sum(1000 + number for number in range(LAST_COUNT)), posted
    if again:
        digest = node.digest()
        node.restart()
        assert node.digest() == digest, f"{name}: the log did not go on from the cut"
    node.kill9()
    shutil.rmtree(node.directory)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--offsets", type=int, default=0 if is_sanitized() else 40)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = options.parse_args()
    print(f"seed {options.seed}", flush=True)
    chance = random.Random(options.seed)
    torn = whole = 0
    with workspace() as space:
        origin, before, after, last = make_log(space)
        good = read(os.path.join(origin.data, "log-0000000000000001"))
        offset, length = records(good)[-1]
        padded = (length + BLOCK - 1) // BLOCK * BLOCK
        assert length == RECORD_HEADER + 80 * len(last), f"the last record has {length} bytes"
        for number, at in enumerate(choose_offsets(length, padded, options.offsets, chance)):
            is_cut = number % 2 == 0
            data = tear(good, offset, length, at, is_cut)
            expected = after if data == good else before
            torn += data != good
            whole += data == good
            try_tear(space, origin, data, f"{'cut' if is_cut else 'byte'}-{at}", expected, last, again=number % 3 == 0)
        ats, others = (FIELDS, 20) if is_sanitized() else (range(RECORD_HEADER), 100)
        verified = verify_tears(origin, good, offset, length, chance, ats, others)
        try_tear(space, origin, good, "untouched", after, last)
    print(f"last record of {length} bytes at {offset}: torn at {torn} places, everything before is there; {whole} tears "
          f"that changed nothing; {verified} more told from outside")
    return 0


if __name__ == "__main__":
    sys.exit(main())
