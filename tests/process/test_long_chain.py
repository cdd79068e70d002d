#!/usr/bin/env python3
"""The longest operation, a chain of 8,960 bytes, through the kernel's loopback and through shared memory (memif): carried
out once, replayed from the log after a kill, and kept by a checkpoint.

Usage: test_long_chain.py LONG_CHAIN
"""
import os
import sys

from net_rig import TAG, Rig, eal, left_over
import messages as m
from node import run, workspace

MTU = 9028  # a datagram of 9,000 bytes and its headers


def drive(space, node, program, *more):
    environment = {**os.environ, "HF_LONG_CHAIN_IDS": space.path("ids")}

    def send(which):
        return run([program, node.address, which, *more], env=environment).stdout

    first = send("first")
    assert first.startswith("OK, entry 0, approved 29, place "), first
    assert send("again") == first, "a repeat got another answer"
    status = node.admin("status")
    digest = node.digest()
    node.restart()
    assert node.admin("status")["replayed"] == status["place"]
    assert node.digest() == digest, "the state changed in a restart"
    assert send("again") == first, "a repeat after a restart got another answer"
    assert node.terminate() == 0
    node.start()
    assert node.admin("status")["replayed"] == 0
    assert node.digest() == digest, "the state changed in a clean stop"
    assert node.terminate() == 0


def answers_are_no_longer_than_they_may_be(node):
    """Who sends short datagrams need not take long ones, whatever the node's MTU; who sends long ones gets them."""
    client = m.Client(node.address)
    for count, most in ((25, 1472), (150, 24 + 150 * 56)):
        client.socket.send(m.datagram([m.query(1000) for _ in range(count)], session=client.session))
        lengths = []
        answered = 0
        while answered < count:
            data = client.socket.recv(65536)
            lengths.append(len(data))
            answered += len(m.split_replies(data)[2])
        assert most - 192 < max(lengths) <= most, lengths
    client.close()


def over_loopback(program):
    with workspace() as space:
        node = space.node(port__mtu=MTU)
        node.start()
        drive(space, node, program)
        node.start()
        answers_are_no_longer_than_they_may_be(node)
        assert node.terminate() == 0
    print("kernel: once, and the same after kill and clean stop")


def over_memif(program):
    with Rig(), workspace() as space:
        device = "net_memif0,role={},bsize=9216,socket-abstract=yes,socket=" + TAG
        node = space.node(port__kind="dpdk", port__address="10.78.0.2:4600", port__mtu=MTU,
                          port__eal=eal("node", device.format("server")))
        node.start()
        drive(space, node, program, "--dpdk", "10.78.0.1", eal("client", device.format("client")))
    assert not left_over(), left_over()
    print("memif: once, and the same after kill and clean stop")


def main():
    over_loopback(sys.argv[1])
    if os.geteuid() == 0:
        over_memif(sys.argv[1])
    else:
        print("memif: skipped, needs root")
    return 0


if __name__ == "__main__":
    sys.exit(main())
