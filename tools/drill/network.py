"""Where a drill takes place: four network name spaces, joined by a bridge in a fifth, whose links can be cut in either
direction, and a small disk for each node; or, without root, plain loopback, where nothing can be cut or filled."""
import ctypes
import os
import shutil
import socket
import subprocess

CLIENTS, PEERS = 4600, 4700  # a node's two ports
CLONE_NEWNS, MS_SLAVE, MS_REC = 0x20000, 1 << 19, 1 << 14
DISK_BYTES = 4 << 30  # of which only what is written takes room


def run(*words, check=True):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stdout.strip()}")
    return done.stdout


class NameSpaces:
    """`a` and `b` for the nodes, `e` for etcd, `c` for the client, `s` for the switch between them. Everybody has one cable
    to the switch, for the kernel. With DPDK a node has two more, for its two devices, whose addresses no kernel knows."""

    HOSTS = {"a": 1, "b": 2, "e": 3, "c": 4}
    CABLES = {CLIENTS: "eth1", PEERS: "eth2"}

    def __init__(self, port):
        self.prefix = f"hfd{os.getpid()}"
        self.has_dpdk = port == "dpdk"
        self.made = []
        self.disks = []
        try:
            self._make()
        except BaseException:
            self.close()
            raise

    def name(self, place):
        return f"{self.prefix}{place}"

    def _make(self):
        for place in ("s", *self.HOSTS):
            run("ip", "netns", "add", self.name(place))
            self.made.append(place)
            run(*self.inside(place), "ip", "link", "set", "lo", "up")
        switch = self.inside("s")
        run(*switch, "ip", "link", "add", "br0", "type", "bridge")
        run(*switch, "ip", "link", "set", "br0", "up")
        for place, host in self.HOSTS.items():
            self._plug_in(place, "eth0")
            run(*self.inside(place), "ip", "address", "add", f"10.77.0.{host}/16", "dev", "eth0")
            for cable in self.CABLES.values() if self.has_dpdk and place in "ab" else ():
                self._plug_in(place, cable)
        run(*switch, "nft", "add table bridge drill")
        run(*switch, "nft", "add chain bridge drill forward { type filter hook forward priority 0 ; }")

    def _plug_in(self, place, cable):
        socket_name = f"to-{place}{cable[-1]}"
        run("ip", "link", "add", cable, "netns", self.name(place), "type", "veth", "peer", "name", socket_name,
            "netns", self.name("s"))
        run(*self.inside(place), "ip", "link", "set", cable, "up")
        run(*self.inside("s"), "ip", "link", "set", socket_name, "master", "br0", "up")
        if self.has_dpdk:  # the kernel would leave checksums to a wire that is not there
            run(*self.inside(place), "ethtool", "-K", cable, "tx", "off", "rx", "off")

    def inside(self, place):
        return ["ip", "netns", "exec", self.name(place)]

    def address(self, place, port):
        network = int(self.CABLES[port][-1]) if self.has_dpdk and port in self.CABLES else 0
        return f"10.77.{network}.{self.HOSTS[place]}:{port}"

    def node_settings(self, place):
        """What a node needs to be told besides its addresses."""
        if not self.has_dpdk:
            return []
        devices = " ".join(f"--vdev=net_af_packet{number},iface={cable}"
                           for number, cable in enumerate(self.CABLES.values()))
        return ["--port.kind", "dpdk", "--pair.port", "dpdk", "--port.device", "0", "--pair.device", "1", "--port.eal",
                f"-l 0 --no-pci --no-huge -m 256 --no-telemetry --log-level=error --file-prefix={self.name(place)} {devices}"]

    def make_disk(self, directory):
        """A file system of its own at `directory`, seen by this process and what it starts, and gone with them."""
        if not self.disks:
            libc = ctypes.CDLL(None, use_errno=True)
            if libc.unshare(CLONE_NEWNS) != 0 or libc.mount(b"none", b"/", None, MS_REC | MS_SLAVE, None) != 0:
                raise OSError(ctypes.get_errno(), "no mount name space")
        image = f"{directory}.image"
        with open(image, "wb") as file:
            file.truncate(DISK_BYTES)
        os.makedirs(directory)
        run("mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", image)
        run("mount", "-o", "loop", image, directory)
        self.disks.append(directory)

    def cut(self, *ways):
        """Each way is two letters: from, to."""
        for source, target in ways:
            run(*self.inside("s"), "nft",
                f'add rule bridge drill forward iifname "to-{source}*" oifname "to-{target}*" drop')

    def heal(self):
        run(*self.inside("s"), "nft", "flush chain bridge drill forward")

    def close(self):
        for directory in self.disks:
            run("umount", "-l", directory, check=False)
        for place in self.made:
            run("ip", "netns", "delete", self.name(place), check=False)
            shutil.rmtree(f"/var/run/dpdk/{self.name(place)}", ignore_errors=True)  # of a node that was killed
        self.disks, self.made = [], []


class Loopback:
    """Every place on 127.0.0.1, at ports of its own."""

    def __init__(self):
        self.ports = {}

    def inside(self, place):
        return []

    def node_settings(self, place):
        return []

    def address(self, place, port):
        if (place, port) not in self.ports:
            kind = socket.SOCK_STREAM if place == "e" else socket.SOCK_DGRAM
            with socket.socket(socket.AF_INET, kind) as probe:
                probe.bind(("127.0.0.1", 0))
                self.ports[place, port] = probe.getsockname()[1]
        return f"127.0.0.1:{self.ports[place, port]}"

    def close(self):
        pass
