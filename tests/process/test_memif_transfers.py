#!/usr/bin/env python3
"""Node and client as two processes with a DPDK device each, joined by shared memory (net_memif)."""
import sys

from net_rig import TAG, Rig, eal, left_over
from node import need_root, workspace
from transfers import drive

NODE_IP, CLIENT_IP = "10.77.0.2", "10.77.0.1"


def main():
    need_root()
    with Rig(), workspace() as space:
        device = "net_memif0,role={},socket-abstract=yes,socket=" + TAG
        node = space.node(port__kind="dpdk", port__address=f"{NODE_IP}:4600", port__eal=eal("node", device.format("server")))
        node.start()
        drive(space, node, ["--server", f"{NODE_IP}:4600", "--transport", "dpdk", "--local", CLIENT_IP,
                            "--eal", eal("client", device.format("client"))])
    assert not left_over(), left_over()
    return 0


if __name__ == "__main__":
    sys.exit(main())
