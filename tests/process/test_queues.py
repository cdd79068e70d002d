#!/usr/bin/env python3
"""A node with two receive queues: a DPDK device on a virtual cable whose two qpairs share what comes by its addresses
(PACKET_FANOUT). Clients are ordinary sockets at the other end. Without sessions each queue's poller reads operations of its
own; with them both give datagrams to the one that has the sessions. Every operation is answered, once, whichever queue it
came by, and the state is that of its log."""
import json
import sys

from keys import Keys
from net_rig import TAG, Rig, eal, left_over
from node import HOLDFAST, need_root, refusal, workspace
from node import run as run_node_program
from test_metrics import check_metrics
from transfers import load

NODE_IP, CLIENT_IP = "10.78.0.2", "10.78.0.1"
CORES = "0: rx0 order log tx; 1: rx1 shard0-1"
ACCOUNTS = 100
OPERATIONS = 1000
ROUNDS_MAX = 32  # each client has an address of its own, and so a queue: both are found in the first few


def check_refusals(space, inside):
    def refused(cores, qpairs, *words, **settings):
        kernel = {"port__kind": "kernel", "port__address": "127.0.0.1:0"} if qpairs is None else {}
        device = f"net_af_packet0,iface={TAG}n,qpairs={qpairs}"
        node = space.node("refused", prefix=inside, **{
            "node__cores": cores, "port__kind": "dpdk", "port__address": f"{NODE_IP}:4600",
            "port__eal": eal("refused", device), **kernel, **settings})
        status, line, _ = refusal(node)
        assert status == 2 and all(word in line for word in words), line

    refused("0: rx0-2 order log tx", 2, "net_af_packet0", "2 receive queues", "3 are named")
    refused("0: rx order log tx", 2, "net_af_packet0", "must be read", "1 are named")
    refused("0: rx0-1 order log tx", None, "rx1", "kernel port")
    refused("0: rx1 order log tx", 2, "rx0", "no core")
    refused("0: rx rx0 order log tx", 1, "no such poller")
    memif = eal("memif", "net_memif0,role=server,socket=@holdfast-queues,socket-abstract=yes")
    refused("0: rx0-1 order log tx", 1, "net_memif0", "1 receive queue,", port__eal=memif)


def queues_of(node):
    return {queue["queue"]: queue for queue in node.admin("metrics")["queues"]}


def put_load_on(space, node, target, inside):
    """Clients one after the other until both queues have had some. Returns their journals."""
    journals = []
    for number in range(ROUNDS_MAX):
        journals.append(space.path(f"{node.directory}-journal-{number}"))
        result = load(target, "--workload", "mixed" if number % 2 else "transfer", "--accounts", ACCOUNTS, "--operations",
                      OPERATIONS, "--inflight", 256, "--batch", 16, "--drain", 100, "--seed", number + 1, "--journal",
                      journals[-1], space=inside)
        assert result["ops"] >= OPERATIONS and result["lost"] == 0, result
        if number > 2 and all(queue["datagrams"] > 10 for queue in queues_of(node).values()):
            return journals
    raise AssertionError(f"one queue has had next to nothing: {queues_of(node)}")


def drive(space, node, target, inside, has_sessions):
    node.start()
    journals = put_load_on(space, node, target, inside)
    metrics = node.admin("metrics")
    first, second = queues_of(node)[0], queues_of(node)[1]
    pollers = {poller["poller"]: poller for poller in node.admin("status")["pollers"]}
    assert {"rx0", "rx1"} <= set(pollers) and all(pollers[name]["operations"] > 0 for name in ("rx0", "rx1")), pollers
    assert metrics["rx"]["datagrams"] == first["datagrams"] + second["datagrams"] == metrics["port"]["received"], metrics
    assert metrics["rx"]["operations"] == first["operations"] + second["operations"], metrics
    if has_sessions:
        assert second["operations"] == 0 and second["handed_on"] == second["datagrams"], metrics
        assert sum(metrics["security"][fate] for fate in ("opened", "welcomed", "cookie")) == metrics["rx"]["datagrams"], metrics
    else:
        assert second["operations"] > 0 and metrics["rx"]["handed_on"] == 0, metrics
    print(f"{len(journals)} clients, datagrams by queue: {first['datagrams']} and {second['datagrams']}", flush=True)
    check_metrics(node, "queue_datagrams_total")
    digest = node.digest()
    node.restart()
    assert node.digest() == digest
    for journal in journals:
        checked = json.loads(run_node_program([*inside, HOLDFAST, "load", "--check", journal, *target, "--json"],
                                              check=False).stdout)
        assert (checked["lost"], checked["changed"]) == (0, 0), f"{journal}: {checked}"
    assert node.terminate() == 0


def main():
    need_root()
    with Rig() as rig:
        node_space, client_space = rig.cable(CLIENT_IP)
        inside = ["ip", "netns", "exec", client_space]
        prefix = ["ip", "netns", "exec", node_space]
        with workspace() as space:
            check_refusals(space, prefix)
            keys = Keys(space)
            settings = {"prefix": prefix, "port__kind": "dpdk", "port__address": f"{NODE_IP}:4600", "node__cores": CORES,
                        "port__eal": eal("node", f"net_af_packet0,iface={TAG}n,qpairs=2")}
            plain = space.node("plain", **settings)
            drive(space, plain, ["--server", f"{NODE_IP}:4600"], inside, False)
            sealed = space.node("sealed", **settings, **keys.settings())
            drive(space, sealed, ["--server", f"{NODE_IP}:4600", *keys.options()], inside, True)
    assert not left_over(), left_over()
    return 0


if __name__ == "__main__":
    sys.exit(main())
