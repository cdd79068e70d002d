#!/usr/bin/env python3
"""A node does all it does inside its own sandbox, from its first system call on: it starts over every kind of port, serves, makes a checkpoint,
archives through a shell and other people's programs, and stops clean. It has one filter then: who starts anew does not gather them.

Usage: test_sandboxed.py IN_SANDBOX"""
import os
import re
import sys

from net_rig import TAG, Rig, eal, left_over
from node import need_root, wait_until, workspace
from transfers import load

NODE_IP, CLIENT_IP = "10.77.0.2", "10.77.0.1"
DEVICE = "net_memif0,role={},socket-abstract=yes,socket=" + TAG
# What people archive with; $1 is the folder, $2 the segment.
ARCHIVE = """set -e
tar -C "${2%/*}" -cf - "${2##*/}" | gzip | dd status=none of="$1/${2##*/}.tar.gz" conv=fsync
cp --preserve=all -t "$1" "$2"
{python} -c 'import subprocess, threading
thread = threading.Thread(target=subprocess.run, args=(["true"],))
thread.start()
thread.join()'
"""


def check_filters(node):
    with open(f"/proc/{node.process.pid}/status", encoding="ascii") as status:
        said = dict(re.findall(r"^(Seccomp|Seccomp_filters|NoNewPrivs):\s+(\d+)$", status.read(), re.M))
    assert said == {"Seccomp": "2", "Seccomp_filters": "1", "NoNewPrivs": "1"}, said


def serve(node, target, inside=()):
    result = load(target, "--workload", "transfer", "--accounts", 100, "--operations", 5000, space=inside)
    assert (result["ops"], result["lost"]) == (5000, 0), result
    check_filters(node)
    assert node.admin("checkpoint")["written"]
    assert node.terminate() == 0


def on_sockets(space, sandbox):
    archive, script = space.path("archive"), space.path("archive.sh")
    os.mkdir(archive)
    with open(script, "w", encoding="ascii") as file:
        file.write(ARCHIVE.replace("{python}", sys.executable))
    node = space.node("kernel", prefix=sandbox, log__retain_bytes=0, log__archive=f"sh '{script}' '{archive}'").start()
    for _ in range(3):
        load(["--server", node.address], "--workload", "transfer", "--accounts", 100, "--operations", 60000, "--batch", 16, "--inflight", 512)
        assert node.admin("checkpoint")["written"]
    wait_until(lambda: node.admin("status")["log"]["archived"] > 0, "a segment is archived")
    assert node.admin("status")["log"]["retain_failure"] is None
    assert any(name.endswith(".tar.gz") for name in os.listdir(archive)), os.listdir(archive)
    serve(node, ["--server", node.address])


def on_memif(space, sandbox):
    node = space.node("memif", prefix=sandbox, port__kind="dpdk", port__address=f"{NODE_IP}:4600",
                      port__eal=eal("node", DEVICE.format("server"))).start()
    serve(node, ["--server", f"{NODE_IP}:4600", "--transport", "dpdk", "--local", CLIENT_IP, "--eal", eal("client", DEVICE.format("client"))])


def on_devices(rig, space, sandbox):
    """An interface of the kernel's, and one that the node makes."""
    node_space, client_space = rig.cable(CLIENT_IP)
    node = space.node("af_packet", prefix=["ip", "netns", "exec", node_space, *sandbox], port__kind="dpdk", port__address=f"{NODE_IP}:4600",
                      port__eal=eal("packet", f"net_af_packet0,iface={TAG}n")).start()
    serve(node, ["--server", f"{NODE_IP}:4600"], inside=["ip", "netns", "exec", client_space])
    if not os.path.exists("/dev/net/tun"):
        return
    node = space.node("tap", prefix=["ip", "netns", "exec", node_space, *sandbox], port__kind="dpdk", port__address="10.93.0.1:4600",
                      port__eal=eal("tap", f"net_tap0,iface={TAG}t")).start()
    check_filters(node)
    assert node.terminate() == 0


def main():
    sandbox = [sys.argv[1]]
    with workspace() as space:
        on_sockets(space, sandbox)
    need_root()
    with Rig() as rig, workspace() as space:
        on_memif(space, sandbox)
        on_devices(rig, space, sandbox)
    assert not left_over(), left_over()
    return 0


if __name__ == "__main__":
    sys.exit(main())
