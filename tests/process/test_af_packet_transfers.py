#!/usr/bin/env python3
"""The node behind a DPDK device on a virtual cable (net_af_packet) in a network namespace of its own, the client with an
ordinary socket in another one, at the other end."""
import sys

from net_rig import TAG, Rig, eal, left_over
from node import need_root, workspace
from transfers import drive

NODE_IP, CLIENT_IP = "10.77.0.2", "10.77.0.1"


def main():
    need_root()
    with Rig() as rig:
        node_space, client_space = rig.cable(CLIENT_IP)
        with workspace() as space:
            node = space.node(prefix=["ip", "netns", "exec", node_space], port__kind="dpdk",
                              port__address=f"{NODE_IP}:4600", port__eal=eal("node", f"net_af_packet0,iface={TAG}n"))
            node.start()
            drive(space, node, ["--server", f"{NODE_IP}:4600"], inside=["ip", "netns", "exec", client_space])
    assert not left_over(), left_over()
    return 0


if __name__ == "__main__":
    sys.exit(main())
