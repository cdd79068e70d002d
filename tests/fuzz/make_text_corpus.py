#!/usr/bin/env python3
"""Writes the corpus of the fuzz targets wire, config, script, admin and arbiter anew: what is right, from the golden vectors, the scenarios and the
documents. To be run when a format has changed.    make_text_corpus.py (in the root)"""
import base64
import json
import os
import re
import struct
import sys

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SCENARIOS = ("cards", "conditions", "holds", "limits", "plans", "terms", "first-light", "exactly-once")
KEY = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
CONFIGS = {
    "small": "[node]\ncluster = 7\ncores = 0: rx tx; 1: order log # two\n\n[ledger]\naccounts = 1000\nremember = 90s\n",
    "ports": "; a comment\n[port]\nkind = dpdk\naddress = 10.0.0.1:4600\neal = --no-pci --vdev net_memif0,role=server\nmtu = 9012\n"
             "[log]\nsegment_bytes = 4m\ndurability = solo\n[security]\nsessions = on\norigins = /etc/holdfast/origins\n",
}
ORIGINS = {
    "one": f"[origin 1]\nkey = {KEY}\nallow = all\naccounts = all\ninstruments = all\n",
    "rules": f"[origin 2]\nname = a\nkey = {KEY}\nallow = AUTH CLEAR QUERY\naccounts = 0x51 82\ninstruments = none\nrate = 9\nqueries = 0\n",
}
ADMIN = ("status\nmetrics\nmemory\nhelp\n", "account 1001\ninstrument 0x10\nhold 00000000-0000-0000-0000-000000000001\n",
         "operation 7\nauthorisation 7\nauthorisations 7\ndigest\ncheckpoint\nreload\n", "advance 5s\nadvance 1\nadvance\n\nstatus now\n")


def configuration(epoch, primary, durability, *members):
    """What the arbiter keeps (replication/config.h), as it goes through the gateway."""
    fields = [field for member in (*members, (0, 0))[:2] for field in (*member, 0)]
    return base64.b64encode(struct.pack("<QIIQIIQII", epoch, primary, durability, *fields)).decode()


RANGE = {"header": {"revision": "9"}, "kvs": [{"key": "cGFpcg==", "value": configuration(7, 1, 3, (3, 1), (5, 2))}], "count": "1"}
ARBITER = {  # of a read, of a swap
    "range": (RANGE, 0), "alone": ({"kvs": [{"value": configuration(8, 2, 3, (5, 2))}]}, 0), "nothing": ({"header": {}}, 0),
    "nonsense": ({"kvs": [{"value": configuration(8, 2, 3, (5, 1))}]}, 0), "short": ({"kvs": [{"value": "AAAA"}]}, 0),
    "done": ({"succeeded": True, "responses": [{"response_put": {}}]}, 1), "in-the-way": ({"responses": [{"response_range": RANGE}]}, 1),
    "failed": ({"error": "etcdserver: request timed out", "code": 14}, 1),
}


def put(target, name, body, second=0):
    os.makedirs(os.path.join(CORPUS, target), exist_ok=True)
    with open(os.path.join(CORPUS, target, name), "wb") as file:
        file.write(bytes([0, second, 0, 0, 0, 0, 0, 0]) + body)


def wire_vectors():
    """Every datagram of the golden vectors: a number, and its bytes."""
    with open(os.path.join(TESTS, "golden", "wire.txt"), encoding="ascii") as file:
        vectors = file.read().split("\nend\n")
    for number, vector in enumerate(vectors):
        yield number, bytes.fromhex("".join(re.findall(r"^hex ([0-9a-f]*)$", vector, re.M)))


def main():
    seen = set()
    for number, data in wire_vectors():
        kind = (len(data) < 24 or data[3], data[24 + 2] if len(data) > 26 else 0, len(data) > 400)
        if kind not in seen:
            seen.add(kind)
            put("wire", f"{number}", data, number)
    for name, text in CONFIGS.items():
        put("config", f"config-{name}", text.encode())
    for name, text in ORIGINS.items():
        put("config", f"origins-{name}", text.encode(), 1)
    for name in SCENARIOS:
        with open(os.path.join(TESTS, "scenarios", f"{name}.hf"), "rb") as file:
            put("script", name, file.read())
    for number, lines in enumerate(ADMIN):
        put("admin", f"{number}", lines.encode())
    for name, (answer, asked) in ARBITER.items():
        put("arbiter", name, json.dumps(answer).encode(), asked)
    return 0


if __name__ == "__main__":
    sys.exit(main())
