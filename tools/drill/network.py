"""Where a drill takes place: four network name spaces, joined by a bridge in a fifth, whose links can be cut in either
direction; or, without root, plain loopback, where nothing can be cut."""
import os
import socket
import subprocess


def run(*words, check=True):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: {done.stdout.strip()}")
    return done.stdout


class NameSpaces:
    """`a` and `b` for the nodes, `e` for etcd, `c` for the client, `s` for the switch between them."""

    can_cut = True
    HOSTS = {"a": "10.77.0.1", "b": "10.77.0.2", "e": "10.77.0.3", "c": "10.77.0.4"}

    def __init__(self):
        self.prefix = f"hfd{os.getpid()}"
        self.made = []
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
            run("ip", "link", "add", "eth0", "netns", self.name(place), "type", "veth", "peer", "name", f"to-{place}",
                "netns", self.name("s"))
            run(*self.inside(place), "ip", "address", "add", f"{host}/24", "dev", "eth0")
            run(*self.inside(place), "ip", "link", "set", "eth0", "up")
            run(*switch, "ip", "link", "set", f"to-{place}", "master", "br0", "up")
        run(*switch, "nft", "add table bridge drill")
        run(*switch, "nft", "add chain bridge drill forward { type filter hook forward priority 0 ; }")

    def inside(self, place):
        return ["ip", "netns", "exec", self.name(place)]

    def address(self, place, port):
        return f"{self.HOSTS[place]}:{port}"

    def cut(self, *ways):
        """Each way is two letters: from, to."""
        for source, target in ways:
            run(*self.inside("s"), "nft",
                f"add rule bridge drill forward iifname to-{source} oifname to-{target} drop")

    def heal(self):
        run(*self.inside("s"), "nft", "flush chain bridge drill forward")

    def close(self):
        for place in self.made:
            run("ip", "netns", "delete", self.name(place), check=False)
        self.made = []


class Loopback:
    """Every place on 127.0.0.1, at ports of its own."""

    can_cut = False

    def __init__(self):
        self.ports = {}

    def inside(self, place):
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
