#!/usr/bin/env python3
"""A real pair whose nodes speak over DPDK: through shared memory (net_memif), with kernel sockets for the clients, and over
virtual cables (net_af_packet), with a device for the clients and another for the peer in each node. Each of the two nodes
is killed, or stands still, while it leads under load: the other one takes over, who was gone comes back, nothing is lost or
changed.

    test_pair_dpdk.py memif|af_packet
"""
import sys

from net_rig import TAG, Rig, eal, left_over, run
from node import need_root
from pair_rig import Loopback, pair
from test_pair import break_under_load, kill_primary, pause_primary

ETCD = "10.78.9.9"


def memif(rig):  # pylint: disable=unused-argument
    """Node 1 listens, node 2 connects: also when it is node 1 that was killed."""
    cabling = Loopback()
    for i, role in enumerate(("server", "client")):
        cabling.node_settings[i].update({
            "port.eal": eal(f"n{i}", f"net_memif0,role={role},socket-abstract=yes,socket={TAG}pair"),
            "pair.port": "dpdk", "pair.device": 0,
            "pair.address": f"10.78.0.{i + 1}:4700", "pair.peer": f"10.78.0.{2 - i}:4700"})
    return cabling


def af_packet(rig):
    """Each node has a cable to the other one and one to the clients. At the clients' end is the kernel, and so is it, under
    another address, at the node's end of the same cable: for etcd."""
    cabling = Loopback()
    outside = rig.namespace("c")
    run("ip", "-n", outside, "address", "add", f"{ETCD}/32", "dev", "lo")
    nodes = [rig.namespace(f"n{i}") for i in range(2)]
    rig.veth(f"{TAG}p0", nodes[0], f"{TAG}p1", nodes[1])
    cabling.prefix = ["ip", "netns", "exec", outside]
    cabling.etcd_host = ETCD
    cabling.clients = []
    for i, space in enumerate(nodes):
        network = f"10.78.{i + 1}"
        rig.veth(f"{TAG}d{i}", space, f"{TAG}c{i}", outside)
        run("ip", "-n", space, "address", "add", f"{network}.10/24", "dev", f"{TAG}d{i}")
        run("ip", "-n", outside, "address", "add", f"{network}.9/24", "dev", f"{TAG}c{i}")
        run("ip", "-n", space, "route", "add", "default", "via", f"{network}.9")
        cabling.clients.append(f"{network}.1:4600")
        cabling.node_prefix[i] = ["ip", "netns", "exec", space]
        cabling.node_settings[i] = {
            "port.kind": "dpdk", "port.address": cabling.clients[i], "port.device": 0,
            "port.eal": eal(f"n{i}", f"net_af_packet0,iface={TAG}d{i} --vdev=net_af_packet1,iface={TAG}p{i}"),
            "pair.port": "dpdk", "pair.device": 1,
            "pair.address": f"10.78.0.{i + 1}:4700", "pair.peer": f"10.78.0.{2 - i}:4700"}
    return cabling


def main():
    need_root()
    kind, second = {"memif": (memif, kill_primary), "af_packet": (af_packet, pause_primary)}[sys.argv[1]]
    with Rig() as rig, pair(cabling=kind(rig)) as both:
        break_under_load(both, (kill_primary, second))
    assert not left_over(), left_over()


if __name__ == "__main__":
    main()
