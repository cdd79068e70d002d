#!/usr/bin/env python3
"""Frames that no good sender makes, put on the wire of a live node: cut short, with lengths that lie, with headers too short, in fragments, with wrong
checksums, on shared memory in several segments. Each is counted and dropped, and honest clients are served on.

Usage: test_raw_frames.py ODD_FRAMES                         (as `inject NAME MAC COUNT SEED` inside the client's network)
"""
import json
import os
import random
import socket
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from keys import Keys  # noqa: E402
from net_rig import TAG, Rig, eal, left_over  # noqa: E402
from node import die_with_parent, need_root, workspace  # noqa: E402
from node import run as run_program  # noqa: E402
from net_rig import run  # noqa: E402
from transfers import load  # noqa: E402

NODE_IP, CLIENT_IP, PORT = "10.77.0.2", "10.77.0.1", 4600
LOAD = ("--workload", "transfer", "--accounts", "100", "--operations", "5000", "--batch", "8", "--verify-balances")
RANDOM_FRAMES = 3000
SEGMENTED = 200


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[:len(data) // 2 * 2])) + (data[-1] << 8 if len(data) % 2 else 0)
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def frame(mac, payload=b"x" * 32, udp=None, ip=None, kind=0x0800, good=True):
    """A datagram to the node. `udp` and `ip` change fields by name, before the header's checksum is made (unless `good` is no)."""
    udp = {"source": 4001, "target": PORT, "length": 8 + len(payload), "sum": 0, **(udp or {})}
    body = struct.pack("!HHHH", udp["source"], udp["target"], udp["length"], udp["sum"]) + payload
    ip = {"first": 0x45, "length": 20 + len(body), "fragment": 0, "protocol": 17, "target": NODE_IP, **(ip or {})}
    head = struct.pack("!BBHHHBBH4s4s", ip["first"], 0, ip["length"], 1, ip["fragment"], 64, ip["protocol"], 0,
                       socket.inet_aton(CLIENT_IP), socket.inet_aton(ip["target"]))
    total = checksum(head) if good else 0x1234
    return mac + b"\x02\0\0\0\0\1" + struct.pack("!H", kind) + head[:10] + struct.pack("!H", total) + head[12:] + body


def frames(mac, seed):
    """(name, frame) of all that is wrong. None of them may be counted as received."""
    whole = frame(mac)
    for length in range(14, len(whole)):
        yield "cut", whole[:length]
    for first in (0x40, 0x41, 0x44, 0x4f, 0x35, 0x65, 0x05, 0xf5):
        yield "header", frame(mac, ip={"first": first})
    for length in (0, 1, 19, 20, 27, 61, 1000, 0xffff):
        yield "ip length", frame(mac, ip={"length": length})
    for length in (0, 1, 7, 41, 1000, 0xffff):
        yield "udp length", frame(mac, udp={"length": length})
    for fragment in (0x2000, 0x2001, 0x0001, 0x1fff, 0x3fff, 0xa000):
        yield "fragment", frame(mac, ip={"fragment": fragment})
    yield "ip checksum", frame(mac, good=False)
    yield "udp checksum", frame(mac, udp={"sum": 0x1234})
    for protocol in (0, 1, 2, 6, 41, 50, 255):
        yield "protocol", frame(mac, ip={"protocol": protocol})
    for target in ("10.77.0.3", "255.255.255.255", "224.0.0.1", "0.0.0.0"):
        yield "address", frame(mac, ip={"target": target})
    for target in (0, 1, 4599, 65535):
        yield "port", frame(mac, udp={"target": target})
    for kind in (46, 0x05dc, 0x8100, 0x86dd, 0x88cc, 0xffff):
        yield "type", frame(mac, kind=kind)
    for length in range(14, 42):
        yield "arp", (mac + b"\x02\0\0\0\0\1\x08\x06\0\1\x08\0\6\4\0\1" + bytes(20))[:length]
    yield "long", frame(mac, payload=b"x" * 1472 + b"y" * 400)
    draw = random.Random(seed)
    for _ in range(RANDOM_FRAMES):
        changed = bytearray(frame(mac, payload=draw.randbytes(draw.randrange(200))))
        for _ in range(1 + draw.randrange(3)):
            changed[draw.randrange(14, 34)] ^= 1 << draw.randrange(8)
        # A second change may undo the first, or the checksum may be right by chance: then it is a datagram like any.
        if checksum(bytes(changed[14:34])) != 0:
            yield "random", bytes(changed)


def fence(pinging, number):
    """The node answers an echo: it has taken all that came before."""
    message = struct.pack("!BBHHH", 8, 0, 0, 7, number & 0xffff)
    pinging.sendto(message[:2] + struct.pack("!H", checksum(message)) + message[4:], (NODE_IP, 0))
    while struct.unpack_from("!BBHHH", pinging.recv(4096)[20:])[0] != 0:
        pass


def inject(name, mac, seed):
    sent = {}
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw, \
            socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as pinging:
        raw.bind((name, 0))
        pinging.settimeout(20)
        for number, (kind, data) in enumerate(frames(bytes.fromhex(mac.replace(":", "")), seed)):
            if number % 32 == 0:
                fence(pinging, number)
            if struct.unpack_from("!H", data + bytes(22), 20)[0] & 0x3fff and kind not in ("cut", "arp"):
                kind = "fragment"
            try:
                raw.send(data)
            except OSError as error:
                if kind != "long":
                    raise AssertionError(f"{kind}: {error}") from error
                continue
            sent[kind] = sent.get(kind, 0) + 1
    print(json.dumps(sent))


def on_a_cable(seed):
    with Rig() as rig:
        node_space, client_space = rig.cable(CLIENT_IP)
        run("ip", "-n", client_space, "link", "set", f"{TAG}c", "mtu", "4000")
        inside = ["ip", "netns", "exec", client_space]
        with workspace() as space:
            keys = Keys(space)
            node = space.node(prefix=["ip", "netns", "exec", node_space], port__kind="dpdk", port__address=f"{NODE_IP}:{PORT}",
                              port__eal=eal("node", f"net_af_packet0,iface={TAG}n"), **keys.settings()).start()
            target = ["--server", f"{NODE_IP}:{PORT}", *keys.options()]
            assert load(target, *LOAD, space=inside)["lost"] == 0
            mac = json.loads(run("ip", "-n", node_space, "-j", "link", "show", f"{TAG}n"))[0]["address"]
            before = node.admin("metrics")
            sent = json.loads(run_program([*inside, sys.executable, __file__, "inject", f"{TAG}c", mac, str(seed)]).stdout)
            result = load(target, *LOAD, "--no-setup", space=inside)
            assert (result["lost"], result["accounts_wrong"]) == (0, 0), result
            after = node.admin("metrics")
            port = {name: after["port"][name] - before["port"][name] for name in after["port"]}
            door = {name: after["security"][name] - before["security"][name] for name in after["security"]}
            print(f"seed {seed}: sent {sent}, dropped {port['dropped_malformed']} malformed, {port['dropped_other']} others; {door}")
            # Fragments stay with the kernel, which af_packet has put them together first; on other devices they are malformed
            # (the unit tests of net/ip). Its own frames (neighbour discovery and the like) may be among the others.
            dropped = port["dropped_malformed"] + port["dropped_other"]
            assert dropped >= sum(sent.values()) - sent["fragment"] - port["arp_answered"], (sent, port)
            assert port["dropped_malformed"] >= sent["cut"] + sent["ip length"] + sent["random"] // 2
            refused = {name: count for name, count in door.items()
                       if count and name not in ("opened", "sealed", "welcomed", "over_origins_rate", "sessions")}
            assert not refused, refused
            assert node.terminate() == 0


def in_segments(program):
    device = "net_memif0,role={},socket-abstract=yes,bsize=2048,socket=" + TAG + "r"
    with Rig(), workspace() as space:
        keys = Keys(space)
        node = space.node(port__kind="dpdk", port__address=f"{NODE_IP}:{PORT}", port__eal=eal("node", device.format("server")),
                          **keys.settings()).start()
        target = ["--server", f"{NODE_IP}:{PORT}", "--transport", "dpdk", "--local", CLIENT_IP,
                  "--eal", eal("client", device.format("client")), *keys.options()]
        assert load(target, *LOAD)["lost"] == 0
        before = node.admin("metrics")["port"]["dropped_malformed"]
        with subprocess.Popen([program, eal("odd", device.format("client")), str(SEGMENTED)], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent) as odd:
            assert odd.stdout.readline() == f"sent {SEGMENTED}\n"
            dropped = 0
            while dropped < SEGMENTED and odd.poll() is None:
                dropped = node.admin("metrics")["port"]["dropped_malformed"] - before
            odd.communicate("\n")
        assert (dropped, odd.returncode) == (SEGMENTED, 0)
        result = load(target, *LOAD, "--no-setup")
        assert (result["lost"], result["accounts_wrong"]) == (0, 0), result
        print(f"{SEGMENTED} frames in several segments, {dropped} dropped")
        assert node.terminate() == 0


def main():
    if sys.argv[1] == "inject":
        inject(sys.argv[2], sys.argv[3], int(sys.argv[4]))
        return
    need_root()
    on_a_cable(int.from_bytes(os.urandom(4), "little"))
    in_segments(sys.argv[1])
    assert not left_over(), left_over()


if __name__ == "__main__":
    main()
