"""Two nodes of a pair on loopback, and an etcd of their own: started, killed, looked at. What the nodes say to each other is
sealed, unless pair(sealed=False).

    with pair(grace="200ms") as rig:
        rig.start()
        rig.wait_for("both nodes hold it", lambda: rig.insync() == 2)
        rig.primary().kill9()

All ports are the kernel's choice, unless the test brings cabling of its own. What still runs at the end is stopped by its
process id.
"""
import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request

from keys import Keys
from node import HOLDFAST, die_with_parent, run, skip, workspace

WAIT_S = 60


def free_ports(count, kind=socket.SOCK_DGRAM):
    """Ports that nobody uses now: all are taken before any is given back."""
    sockets = [socket.socket(socket.AF_INET, kind) for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


class Loopback:
    """Where nodes, clients and etcd find each other: `prefix` is what a program is started with there."""

    def __init__(self):
        clients, links = free_ports(2), free_ports(2)
        self.clients = [f"127.0.0.1:{port}" for port in clients]  # where clients reach each node
        self.node_prefix = [[], []]
        self.node_settings = [{
            "port.address": self.clients[i],
            "pair.address": f"127.0.0.1:{links[i]}",
            "pair.peer": f"127.0.0.1:{links[1 - i]}",
        } for i in range(2)]
        self.prefix = []  # of clients and etcd
        self.etcd_host = "127.0.0.1"
        self.etcd_ports = free_ports(2, socket.SOCK_STREAM)


class Etcd:
    """One etcd, its data below `directory`."""

    def __init__(self, directory, cabling):
        self.directory = directory
        self.prefix = cabling.prefix
        self.url, self.peer = [f"http://{cabling.etcd_host}:{port}" for port in cabling.etcd_ports]
        self.process = None

    def start(self):
        with open(os.path.join(self.directory, "etcd.log"), "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, "etcd", "--name", "one", "--data-dir", os.path.join(self.directory, "etcd"),
                 "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
                 "--listen-peer-urls", self.peer, "--initial-advertise-peer-urls", self.peer,
                 "--initial-cluster", f"one={self.peer}", "--log-level", "error",
                 "--unsafe-no-fsync"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
        until = time.monotonic() + WAIT_S
        while not self.answers():
            assert time.monotonic() < until, "etcd does not start"
            assert self.process.poll() is None, "etcd has ended"
            time.sleep(0.02)

    def answers(self):
        if self.prefix:
            ask = f"import urllib.request as u; u.urlopen('{self.url}/health', timeout=1)"
            return subprocess.run([*self.prefix, sys.executable, "-c", ask], stderr=subprocess.DEVNULL,
                                  check=False).returncode == 0
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


class Pair:
    def __init__(self, space, settings, arbiter, sealed, cabling):
        self.space = space
        keys = Keys(space)
        seals = [{}, {}]
        if sealed:
            names = ("n1", "n2")
            for name in names:
                keys.make(name)
            seals = [{"security.key": keys.path(name), "pair.peer_key": keys.public[other]}
                     for name, other in (names, names[::-1])]
        self.etcd = None
        self.prefix = cabling.prefix
        if arbiter:
            self.etcd = Etcd(space.directory, cabling)
            settings = {"pair.arbiter": self.etcd.url, **settings}
        self.nodes = [
            space.node(name=f"n{i + 1}", prefix=cabling.node_prefix[i], **{
                "node.node": i + 1,
                "log.durability": "pair-safe",
                **cabling.node_settings[i],
                **seals[i],
                **settings,
            }) for i in range(2)]
        self.servers = ",".join(cabling.clients)

    def start(self):
        if self.etcd is not None:
            self.etcd.start()
        for node in self.nodes:
            node.start()

    def state(self, node):
        """How a node sees the pair; nothing while it does not answer."""
        if not node.running:
            return {}
        try:
            return node.admin("pair")["pair"]
        except (OSError, ValueError, EOFError):
            return {}

    def seal(self, node):
        """What became of the datagrams at its door to the other node."""
        return self.state(node)["seal"]

    def primary(self):
        """The node that leads, or None."""
        return next((node for node in self.nodes if self.state(node).get("serves")), None)

    def other(self, node):
        return self.nodes[1 - self.nodes.index(node)]

    def is_whole(self):
        """One leads, the other follows, and both count."""
        states = [self.state(node) for node in self.nodes]
        return sorted(state.get("role", "") for state in states) == ["backup", "primary"] and \
            all(state["insync"] == 2 for state in states)

    def is_level(self):
        """The standby has applied all that there is."""
        states = [self.state(node) for node in self.nodes]
        return self.is_whole() and len({state["commit_index"] for state in states}) == 1 and \
            len({node.digest()["place"] for node in self.nodes}) == 1

    def wait_for(self, what, condition, seconds=WAIT_S):
        until = time.monotonic() + seconds
        while not condition():
            for node in self.nodes:
                if node.process is not None and node.process.poll() is not None:
                    raise AssertionError(f"waiting for: {what}: a node has ended: {node.errors()[-600:]}")
            assert time.monotonic() < until, \
                f"{what}: not after {seconds} s: {[self.state(node) for node in self.nodes]} " \
                f"{[node.errors()[-400:] for node in self.nodes]}"
            time.sleep(0.01)

    def load(self, journal, *words):
        return subprocess.Popen(
            [*self.prefix, HOLDFAST, "load", "--server", self.servers, "--accounts", "500", "--inflight", "64", "--json",
             "--journal", journal, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=die_with_parent)

    def check(self, journal):
        """Everything that was answered is there, once, and as it was answered. Raises otherwise."""
        return run([*self.prefix, HOLDFAST, "load", "--server", self.servers, "--accounts", "500", "--check",
                    journal]).stdout


@contextlib.contextmanager
def pair(arbiter=True, sealed=True, cabling=None, **settings):
    try:
        run(["etcd", "--version"])
    except FileNotFoundError:
        skip("etcd is not installed")
    with workspace() as space:
        rig = Pair(space, {name.replace("__", "."): value for name, value in settings.items()}, arbiter, sealed,
                   cabling or Loopback())
        try:
            yield rig
        finally:
            if rig.etcd is not None:
                rig.etcd.stop()
