#!/usr/bin/env python3
"""Breaks a pair of nodes on purpose, under load, on a schedule; checks every answer afterwards; prints what was lost, given
twice or changed (nothing), how long the gaps were, and writes a report.

As root it sets up a network of name spaces, in which links can be cut one way and both ways; the nodes have DPDK devices
there (net_af_packet), or kernel sockets with --port kernel, and small disks of their own that can be filled. Without root it
runs on loopback and leaves those faults out. Everything it starts it stops, by process id.
"""
import argparse
import collections
import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import report
from network import CLIENTS, PEERS, Loopback, NameSpaces

PROGRAMS = os.environ.get("HOLDFAST_PROGRAMS",
                          os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build"))
WAIT_S = 60
LOOK_S = 0.002
LAST_WORDS = 4000
SMALL_SEGMENT = "4m"  # a full disk is felt when those made ahead are full


def die_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def now_ms():
    return time.time() * 1000


def is_pair(states):
    """One leads, the other follows, and they count on each other."""
    return sorted(state.get("role", "") for state in states) == ["backup", "primary"] and \
        all(state["insync"] == 2 for state in states)


class Stage:
    """The pair, its arbiter and its client."""

    def __init__(self, options, directory, network):
        self.options = options
        self.directory = directory
        self.network = network
        self.processes = {}
        self.segment = "16m"
        self.url = f"http://{network.address('e', 2379)}"
        self.clients = [network.address(place, CLIENTS) for place in "ab"]
        self.links = [network.address(place, PEERS) for place in "ab"]
        self.keys = None if getattr(options, "plain", False) else [self.make_key(node) for node in (0, 1)]

    def path(self, name):
        return os.path.join(self.directory, name)

    def make_key(self, node):
        """The node's key for the other one; returns the public half. One that is there already is used again."""
        path = self.path(f"key{node}")
        if os.path.exists(path):
            with open(path, encoding="ascii") as file:
                return file.read().split()[-1]
        return subprocess.run([os.path.join(PROGRAMS, "holdfast"), "keygen", path], check=True, text=True,
                              stdout=subprocess.PIPE).stdout.strip()

    def seal(self, node):
        """Settings by which what the nodes say to each other is sealed."""
        if self.keys is None:
            return []
        return ["--security.key", self.path(f"key{node}"), "--pair.peer_key", self.keys[1 - node]]

    def spawn(self, name, place, words, **more):
        with open(self.path(f"{name}.log"), "ab") as log:
            # A session each: within one the kernel's scheduler favours those that wake each other, over its own threads.
            self.processes[name] = subprocess.Popen(
                [*self.network.inside(place), *words], stdin=subprocess.DEVNULL, stdout=more.get("stdout", log),
                stderr=log, cwd=self.directory, preexec_fn=die_with_parent, start_new_session=True, text="stdout" in more)

    def start_etcd(self):
        peer = f"http://{self.network.address('e', 2380)}"
        self.spawn("etcd", "e", [
            "etcd", "--name", "one", "--data-dir", self.path("etcd"), "--log-level", "error",
            "--listen-client-urls", self.url, "--advertise-client-urls", self.url, "--listen-peer-urls", peer,
            "--initial-advertise-peer-urls", peer, "--initial-cluster", f"one={peer}"])
        ask = f"import urllib.request as u; u.urlopen('{self.url}/health', timeout=1)"
        self.wait_for("etcd answers", lambda: subprocess.run(
            [*self.network.inside("e"), sys.executable, "-c", ask], stderr=subprocess.DEVNULL).returncode == 0)

    def start_node(self, node):
        place = "ab"[node]
        options = self.options
        cores = sorted(os.sched_getaffinity(0))  # one each, as far as there are
        self.spawn(f"node{node}", place, [
            os.path.join(PROGRAMS, "holdfastd"), "--node.node", str(node + 1), "--node.cores",
            f"{cores[node % len(cores)]}: rx order log tx", "--data.directory", self.path(f"data{node}"),
            "--admin.socket", f"admin{node}", "--port.address", self.clients[node], "--pair.address", self.links[node],
            "--pair.peer", self.links[1 - node], "--pair.arbiter", self.url, "--pair.grace", options.grace,
            "--log.durability", options.durability, "--log.segment_bytes", self.segment, "--ledger.accounts", "10000",
            "--ledger.instruments", "1000", "--ledger.holds", "10000", "--ledger.remembered", "2000000",
            *self.network.node_settings(place), *self.seal(node)])

    def start_load(self):
        options = self.options
        self.spawn("load", "c", [
            os.path.join(PROGRAMS, "holdfast"), "load", "--server", ",".join(self.clients), "--accounts", "1000",
            "--seconds", "86400", "--rate", str(options.rate), "--drain", "60", "--json", "--journal", "journal",
            "--timeline", "timeline"], stdout=subprocess.PIPE)

    def tell(self, name, which):
        os.kill(self.processes[name].pid, which)

    def end(self, name, which=signal.SIGKILL):
        process = self.processes.pop(name, None)
        if process is None:
            return None
        process.send_signal(which)
        output = process.communicate(timeout=WAIT_S)[0]
        return process.returncode, output

    def ask(self, node, command):
        """What a node's admin socket answers; empty while it does not."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.settimeout(0.1)
                connection.connect(f"/proc/{os.getpid()}/cwd/admin{node}")
                connection.sendall(f"{command}\n".encode())
                line = b""
                while not line.endswith(b"\n"):
                    piece = connection.recv(65536)
                    if not piece:
                        return {}
                    line += piece
            return json.loads(line)
        except (OSError, ValueError):
            return {}

    def state(self, node):
        """How a node sees the pair."""
        return self.ask(node, "pair").get("pair", {})

    def fill_disk(self, node):
        """Leaves nothing free on its disk, and waits until it feels it."""
        with open(self.path(f"data{node}/filler"), "wb") as file:
            room = os.fstatvfs(file.fileno())
            size = room.f_bavail * room.f_frsize
            while size > 0:
                try:
                    os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, size)
                except OSError:
                    size //= 2
        self.wait_for("the disk is full", lambda: self.ask(node, "status").get("log_full"))

    def empty_disk(self, node):
        os.unlink(self.path(f"data{node}/filler"))

    def is_whole(self):
        return is_pair([self.state(node) for node in (0, 1)])

    def roles(self):
        """Who leads, and what both are, once the pair is whole."""
        roles = []

        def look():
            states = [self.state(node) for node in (0, 1)]
            roles[:] = [state.get("role") for state in states]
            return is_pair(states)

        self.wait_for("the pair is whole", look)
        return roles.index("primary"), roles

    def wait_for(self, what, condition):
        until = time.monotonic() + WAIT_S
        while not condition():
            if time.monotonic() > until:
                raise RuntimeError(f"{what}: not after {WAIT_S} s: {[self.state(node) for node in (0, 1)]}")
            time.sleep(LOOK_S)
        return now_ms()

    def tell_last_words(self):
        """What each process said last, for whoever is to find out why a drill went wrong."""
        for name in sorted(os.listdir(self.directory)):
            if name.endswith(".log"):
                with open(self.path(name), encoding="utf-8", errors="replace") as log:
                    print(f"---- {name}\n{log.read()[-LAST_WORDS:]}", file=sys.stderr)

    def close(self):
        for name in list(self.processes):
            with contextlib.suppress(OSError):
                self.tell(name, signal.SIGCONT)
            self.end(name)


# ---- faults: (what a person reads, needs name spaces, break, heal) --------------------------------------------------

def start_again(stage, node):
    stage.end(f"node{node}")  # a process that was killed may take its time to be gone
    stage.start_node(node)


def restart(stage, leads):
    start_again(stage, leads)


def start_etcd_again(stage):
    stage.end("etcd")
    stage.start_etcd()


FAULTS = {
    "kill-primary": ("kill -9 of the primary", False, lambda s, p: s.tell(f"node{p}", signal.SIGKILL), restart),
    "kill-standby": ("kill -9 of the standby", False, lambda s, p: s.tell(f"node{1 - p}", signal.SIGKILL),
                     lambda s, p: start_again(s, 1 - p)),
    "pause-primary": ("the primary stands still, then goes on", False, lambda s, p: s.tell(f"node{p}", signal.SIGSTOP),
                      lambda s, p: s.tell(f"node{p}", signal.SIGCONT)),
    "stop-primary": ("clean stop of the primary, and back", False, lambda s, p: s.tell(f"node{p}", signal.SIGTERM), restart),
    "kill-etcd": ("kill -9 of etcd", False, lambda s, p: s.tell("etcd", signal.SIGKILL),
                  lambda s, p: start_etcd_again(s)),
    "cut-peers": ("the link between the nodes is cut", True, lambda s, p: s.network.cut("ab", "ba"),
                  lambda s, p: s.network.heal()),
    "cut-one-way": ("the standby hears nothing from the primary, which hears it", True,
                    lambda s, p: s.network.cut("ab"[p] + "ab"[1 - p]), lambda s, p: s.network.heal()),
    "cut-back": ("the primary hears nothing from the standby, which hears it", True,
                 lambda s, p: s.network.cut("ab"[1 - p] + "ab"[p]), lambda s, p: s.network.heal()),
    "isolate-primary": ("the primary is cut off from everybody", True,
                        lambda s, p: s.network.cut(*(w for o in "abec" if o != "ab"[p] for w in ("ab"[p] + o, o + "ab"[p]))),
                        lambda s, p: s.network.heal()),
    "isolate-from-etcd": ("the primary is cut off from etcd", True,
                          lambda s, p: s.network.cut("ab"[p] + "e", "e" + "ab"[p]), lambda s, p: s.network.heal()),
    "fill-primary": ("the primary's disk is full", True, lambda s, p: s.fill_disk(p), lambda s, p: s.empty_disk(p)),
    "fill-standby": ("the standby's disk is full", True, lambda s, p: s.fill_disk(1 - p), lambda s, p: s.empty_disk(1 - p)),
}
FILLING = ("fill-primary", "fill-standby")
MOVING = ("kill-primary", "pause-primary", "stop-primary", "isolate-primary")  # to the other node: nobody else can lead
QUICK = ("kill-primary", "cut-peers", "pause-primary", "cut-one-way", "isolate-primary", "kill-etcd")


def watch(stage, leads, before, began, moves):
    """Looks at both nodes for as long as a fault lasts: when somebody noticed, and when the other one led. Where that must
    come it is waited for: on a loaded machine it may take longer."""
    noticed, leading = None, None
    lasts_ms = stage.options.hold * 1000
    while now_ms() - began < lasts_ms or (moves and leading is None and now_ms() - began < WAIT_S * 1000):
        for node in (0, 1):
            state = stage.state(node)
            if state and noticed is None and (state["role"] != before[node] or state["fenced"] or state["insync"] != 2):
                noticed = now_ms() - began
            if node != leads and state.get("serves") and leading is None:
                leading = now_ms() - began
        time.sleep(LOOK_S)
    return noticed, leading


def inflict(stage, name):
    what, _, break_it, heal = FAULTS[name]
    leads, before = stage.roles()
    began = now_ms()
    break_it(stage, leads)
    noticed, leading = watch(stage, leads, before, began, name in MOVING)
    heal(stage, leads)
    healed = now_ms()
    whole = stage.wait_for(f"{name}: the pair is whole again", stage.is_whole)
    print(f"{what}: noticed {text_ms(noticed)}, the other node leads {text_ms(leading)}, whole again "
          f"{text_ms(whole - began)}", flush=True)
    return {"name": name, "what": what, "began_ms": began, "healed_ms": healed, "broken_ms": healed - began,
            "detected_ms": noticed, "takeover_ms": leading, "whole_at_ms": whole, "whole_ms": whole - began}


def text_ms(value):
    return "-" if value is None else f"after {value:.0f} ms"


# ---- afterwards -----------------------------------------------------------------------------------------------------

def read_timeline(path):
    with open(path, encoding="ascii") as lines:
        return [tuple(int(word) for word in line.split()) for line in lines]


def gap_of(timeline, begin, end):
    """The longest time between two answers in a stretch, in milliseconds (to ten)."""
    times = [begin] + [ms for ms, _, _ in timeline if begin <= ms <= end] + [end]
    return max((b - a for a, b in zip(times, times[1:])), default=0)


def read_journal(path):
    """Answers, and how often a place was given to two, or an operation two answers."""
    answers, places, changed = {}, collections.defaultdict(set), 0
    with open(path, encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if words and words[0] == "A":
                changed += answers.setdefault(words[1], words[2:]) != words[2:]
                if words[3] != "0":
                    places[words[3]].add(words[1])
    return len(answers), sum(len(ids) > 1 for ids in places.values()), changed


def count_missing(stage, node):
    """How many answers are not in this node's log, at the place that they named. Of what the log has let go of nothing can be
    said any more."""
    words = [os.path.join(PROGRAMS, "holdfast"), "log", "cat", "--json", f"data{node}"]
    logged, first = {}, None
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=stage.directory) as cat:
        for line in cat.stdout:
            for operation in json.loads(line)["operations"]:
                first = operation["place"] if first is None else first
                logged[operation["place"]] = operation["id"].replace("-", "")
    missing = 0
    with open(stage.path("journal"), encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if words and words[0] == "A" and words[3] != "0" and int(words[3]) >= (first or 0):
                missing += logged.get(int(words[3])) != words[1][2:]
    return missing


def run_checked(stage, place, *words):
    done = subprocess.run([*stage.network.inside(place), os.path.join(PROGRAMS, "holdfast"), *words], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=stage.directory)
    return done.returncode, done.stdout


def digests(stage):
    return {json.loads(run_checked(stage, "c", "admin", "--socket", f"admin{node}", "digest")[1])["digest"] for node in (0, 1)}


def conclude(stage, faults):
    """The load ends; every answer it got is looked for; both nodes and both logs are compared."""
    status, output = stage.end("load", signal.SIGINT)
    if status != 0:
        raise RuntimeError(f"the load ended with {status}: {output}")
    load = json.loads(output)
    answers, twice, changed = read_journal(stage.path("journal"))
    check_status, check = run_checked(stage, "c", "load", "--server", ",".join(stage.clients), "--accounts", "1000", "--check",
                                      "journal")
    counts = {line.rsplit(None, 1)[0].strip(): int(line.rsplit(None, 1)[1]) for line in check.split("\n")
              if line.rsplit(None, 1)[1:] and line.rsplit(None, 1)[1].isdigit()}
    stage.wait_for("the standby has all", lambda: len({stage.state(n).get("commit_index") for n in (0, 1)}) == 1)
    stage.wait_for("both states are the same", lambda: len(digests(stage)) == 1)
    for node in (0, 1):
        stage.end(f"node{node}", signal.SIGTERM)
    logs = [run_checked(stage, "c", "log", "verify", f"data{node}") for node in (0, 1)]
    missing = [count_missing(stage, node) for node in (0, 1)]
    timeline = read_timeline(stage.path("timeline"))
    for fault in faults:
        fault["gap_ms"] = gap_of(timeline, fault["began_ms"] - 20, fault["whole_at_ms"])
    return {
        "answers": answers, "lost": max(counts.get("lost", -1), *missing), "twice": twice,
        "changed": changed + counts.get("changed", 0), "largest_gap_ms": round(load["longest_gap_us"] / 1000, 1),
        "same_state": check_status == 0 and all(status == 0 for status, _ in logs), "durability": load["durability"],
        "port": load["port"], "grace": stage.options.grace, "rate": stage.options.rate, "seconds": round(load["seconds"], 1),
        "p50_us": load["p50_us"], "p99_us": load["p99_us"], "faults": faults, "notes": "" if check_status == 0 else check,
    }, timeline


def parse(arguments):
    parser = argparse.ArgumentParser(prog="holdfast drill", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="faults: " + ", ".join(FAULTS))
    parser.add_argument("--quick", action="store_true", help="six faults in well under a minute")
    parser.add_argument("--faults", help="which, separated by commas (all)")
    parser.add_argument("--rounds", type=int, default=1, help="how often each")
    parser.add_argument("--hold", type=float, default=2.0, metavar="S", help="how long each lasts (2)")
    parser.add_argument("--rest", type=float, default=0.5, metavar="S", help="time between two (0.5)")
    parser.add_argument("--rate", type=int, default=3000, help="operations a second (3000)")
    parser.add_argument("--grace", default="100ms", help="pair.grace of the nodes (100ms)")
    parser.add_argument("--durability", choices=("pair-safe", "pair-fast"), default="pair-safe")
    parser.add_argument("--plain", action="store_true", help="what the nodes say to each other is not sealed")
    parser.add_argument("--port", choices=("dpdk", "kernel"), default="dpdk", help="of the nodes, as root (dpdk)")
    parser.add_argument("--loopback", action="store_true", help="no name spaces, and no cut links, even as root")
    parser.add_argument("--directory", help="where data, logs and journal go and stay (a temporary one)")
    parser.add_argument("--report", default="drill.html", help="the report (drill.html)")
    parser.add_argument("--json", action="store_true", help="print one JSON object in the end")
    options = parser.parse_args(arguments)
    names = options.faults.split(",") if options.faults else list(QUICK if options.quick else FAULTS)
    for name in names:
        if name not in FAULTS:
            parser.error(f"no fault '{name}': {', '.join(FAULTS)}")
    if options.quick:
        options.hold, options.rest = 1.0, 0.2
    return options, names


def pick_network(options, names):
    """Where it takes place, and which of the faults can be made there."""
    if os.geteuid() == 0 and not options.loopback:
        return NameSpaces(options.port), names
    left_out = [name for name in names if FAULTS[name][1]]
    if left_out:
        print(f"on loopback, so without: {', '.join(left_out)}")
    return Loopback(), [name for name in names if name not in left_out]


def play(stage, names):
    stage.start_etcd()
    for node in (0, 1):
        stage.start_node(node)
    stage.wait_for("the pair is whole", stage.is_whole)
    stage.start_load()
    stage.wait_for("the load is on", lambda: os.path.exists(stage.path("timeline")) and
                   os.path.getsize(stage.path("timeline")) > 0)
    faults = []
    for _ in range(stage.options.rounds):
        for name in names:
            time.sleep(stage.options.rest)
            faults.append(inflict(stage, name))
    time.sleep(stage.options.rest)
    return conclude(stage, faults)


def main():
    options, names = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and leave nothing behind
    report_path = os.path.abspath(options.report)
    with contextlib.ExitStack() as leaving:
        # Beside the report: a temporary file system in memory may refuse direct writes.
        directory = os.path.abspath(options.directory) if options.directory else \
            tempfile.mkdtemp(prefix=".drill-", dir=os.path.dirname(report_path))
        if options.directory is None:
            leaving.callback(shutil.rmtree, directory)
        os.makedirs(directory, exist_ok=True)
        os.chdir(directory)
        leaving.callback(os.chdir, "/")
        network, names = pick_network(options, names)
        leaving.callback(network.close)
        stage = Stage(options, directory, network)
        leaving.callback(stage.close)
        if set(names) & set(FILLING):
            stage.segment = SMALL_SEGMENT
            for node in (0, 1):
                network.make_disk(stage.path(f"data{node}"))
        good = False
        try:
            result, timeline = play(stage, names)
            good = result["lost"] == result["twice"] == result["changed"] == 0 and result["same_state"]
        finally:
            if not good:
                stage.tell_last_words()
    report.write(report_path, result, timeline)
    if options.json:
        print(json.dumps(result))
    else:
        print(f"{result['answers']} answers: lost {result['lost']}, twice {result['twice']}, changed {result['changed']}; "
              f"largest gap {result['largest_gap_ms']} ms; states and logs "
              f"{'are the same and verify' if result['same_state'] else 'DIFFER'}\nreport: {report_path}")
        if result["notes"]:
            print(result["notes"], end="")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
