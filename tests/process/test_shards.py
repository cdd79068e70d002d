#!/usr/bin/env python3
"""A node whose ledger is divided among another number of shards at every start: transfers, holds, splits and cards go in,
it is killed or stopped, and the next number goes on with the same log, checkpoint, answers and digest. (What the shards
have done a whole ledger does again at the next start, from the log: so the digests say that both are the same.)"""
import json
import sys

from node import HOLDFAST, refusal, run, workspace
from transfers import load

ACCOUNTS = 300
LAYOUTS = [
    (2, "0: rx order log tx shard0 shard1"),
    (0, "0: rx order log tx"),
    (3, "0: rx order log tx shard0 shard1 shard2"),
    (2, "0: rx order log tx shard1; 1: shard0"),
    (8, "0: rx order log tx shard0-4 shard5-7"),
    (1, "0: rx order log tx shard0"),
    (64, "0: rx order log tx shard0-63"),
]
WORKLOADS = {"transfer": 20000, "mixed": 6000, "cards": 4000, "split": 4000}


def put_load_on(space, node, number):
    journals = []
    for seed, (workload, count) in enumerate(WORKLOADS.items(), start=number * 10):
        journals.append(space.path(f"journal-{number}-{workload}"))
        result = load(["--server", node.address], "--workload", workload, "--accounts", ACCOUNTS, "--operations", count,
                      "--inflight", 256, "--batch", 16, "--drain", 100, "--seed", seed, "--journal", journals[-1])
        assert result["ops"] >= count and result["lost"] == 0, result
    return journals


def shards_of(node):
    return {poller["shard"]: poller for poller in node.admin("metrics")["shards"]}


def check_shards(node, count):
    """Every shard has had a part in it, and they have borrowed from each other."""
    shards = shards_of(node)
    assert len(shards) == count, shards
    if len(shards) > 1:
        assert sum(poller["borrowed"] for poller in shards.values()) > 0, shards
    for poller in shards.values():
        assert poller["works"] > 0, shards
        assert poller["operations"] > 0 or count > 8, shards  # of 64 some have hardly an account
        assert (poller["lent"] > 0) == (len(shards) > 1), shards


def check_places(node, count):
    """On a machine of several NUMA nodes the ledger lies with the order poller, or on all of them when it is divided; each
    shard's working memory lies with it, and so do the rings that it takes from. The kernel tells the rules on any machine."""
    try:
        with open(f"/proc/{node.process.pid}/numa_maps", encoding="ascii") as maps:
            rules = [line.split()[1] for line in maps]
    except FileNotFoundError:
        return  # it knows no NUMA nodes
    spread = sum(rule.startswith("interleave") for rule in rules)
    near = sum(rule.startswith("prefer") for rule in rules)
    assert spread == (1 if count else 0) and near >= 1, (count, rules)


def refuses(space):
    for layout, why in (("0: rx order log tx shard1", "shard0"), ("0: rx order log tx shard0 shard0", "twice"),
                        ("0: rx order log tx shard64", "no such poller"), ("0: rx order log tx shard0-64", "no such poller"),
                        ("0: rx order log tx shard1-0", "no core"), ("0: rx order log tx shard", "no such poller")):
        status, line, _ = refusal(space.node("refused", node__cores=layout))
        assert status == 2 and "node.cores" in line and why in line, line
    status, line, _ = refusal(space.node("forgetful", node__cores=LAYOUTS[0][1], ledger__remembered=63))
    assert status == 2 and "ledger.remembered" in line, line


def main():
    with workspace() as space:
        refuses(space)
        node = space.node(ledger__remembered=1000000, checkpoint__bytes="1m", log__retain_bytes=0, log__segment_bytes="2m")
        journals = []
        digest = None
        for number, (count, layout) in enumerate(LAYOUTS):
            node.start(node__cores=layout)
            assert digest is None or node.digest() == digest, f"another state with {layout}"
            for journal in journals:
                checked = json.loads(run([HOLDFAST, "load", "--check", journal, "--server", node.address, "--json"],
                                         check=False).stdout)
                assert (checked["lost"], checked["changed"]) == (0, 0), f"{layout}, {journal}: {checked}"
            journals += put_load_on(space, node, number)
            check_shards(node, count)
            check_places(node, count)
            if number % 3 == 0:
                node.admin("checkpoint")
            digest = node.digest()
            if number % 2 == 0:
                node.kill9()
            else:
                assert node.terminate() == 0
            print(f"{count} shards: place {digest['place']}, digest {digest['digest']}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
