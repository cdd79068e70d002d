#!/usr/bin/env python3
"""A hundred thousand forged, replayed, reordered, truncated, cross-session and wrong-epoch datagrams (--count N: so many) against a real node, by somebody
who hears every honest one: none is accepted, each is counted, and the node's memory stays as it was.

Usage: test_attack.py ATTACK [--count N] [--seed N]
       test_attack.py ATTACK --flood SECONDS [--rounds N]    A flood of handshakes beside honest load instead: what it does to p99, in turn with none."""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from keys import ALL, Keys  # noqa: E402
from node import HOLDFAST, die_with_parent, run, workspace  # noqa: E402

# Of what somebody without keys sends; a plain datagram is only ever counted.
REFUSALS = ("malformed", "unsealed", "unknown_session", "wrong_epoch", "forged", "replayed", "too_old", "bad_mac", "unsupported",
            "over_rate", "bad_handshake", "unknown_origin", "wrong_time", "replayed_handshake", "cookie")
SLACK_KB = 512
HONEST_RATE = 2000
P99_TIMES_MAX = 3


def memory_kb(node):
    with open(f"/proc/{node.process.pid}/status", encoding="ascii") as status:
        return {name: int(size) for name, size in re.findall(r"^(VmRSS|VmLck|VmSize):\s+(\d+)", status.read(), re.M)}


def assert_flat(before, after):
    assert after["VmLck"] == before["VmLck"] and after["VmSize"] <= before["VmSize"] + SLACK_KB, (before, after)
    assert after["VmRSS"] <= before["VmRSS"] + SLACK_KB, (before, after)


def attack(program, count, seed):
    with workspace() as space:
        keys = Keys(space)
        # Every handshake is looked at: what is dropped for its rate alone proves nothing.
        node = space.node(security__handshakes_seen="1000000", security__handshakes_address="1000000",
                          **keys.settings(client=ALL, other=ALL)).start()
        command = [program, node.address, keys.public["node"], keys.path("client"), keys.path("other")]
        run([*command, 2000, seed], timeout=120)  # everything has been touched once, the questions below too
        node.admin("metrics")
        node.admin("status")
        before, met_before = memory_kb(node), node.admin("metrics")["security"]
        sent = json.loads(run([*command, count, seed], timeout=3600).stdout)
        met = {name: value - met_before[name] for name, value in node.admin("metrics")["security"].items()}
        after = memory_kb(node)
        place = node.admin("status")["place"]
        print(f"seed {seed}: {sent}\n{met}\nbefore {before}, after {after}")
        assert sum(sent[kind] for kind in sent if kind not in ("honest", "hellos", "sent")) == count
        assert met["opened"] == sent["honest"], "something was accepted that nobody honest had said"
        assert met["welcomed"] == 2, "somebody else got a session"
        # Not one is lost without a word; a datagram too short to have a header is malformed like others.
        assert sum(met[name] for name in REFUSALS) == count + sent["hellos"] - 2
        assert met["bad_mac"] >= sent["hello_forged"] // 2, "forged handshakes were not looked at"
        assert met["forged"] >= sent["forged"] and met["replayed"] >= sent["replayed"] * 9 // 10
        assert place == 0, "the attack reached the log"
        assert_flat(before, after)
        assert node.terminate() == 0


def behind_all():
    """For the flood, which stands for other machines: those would not keep this one's kernel from ending the node's writes."""
    die_with_parent()
    os.setsid()
    os.nice(19)
    with open("/proc/self/autogroup", "w", encoding="ascii") as autogroup:
        autogroup.write("19")


def flood(program, seconds, rounds):
    """Honest transfers by a client that is connected already, without and with the flood, in turn. The flood has a core to itself; the client shares
    the node's: what is measured is what the node does about the flood."""
    with workspace() as space:
        keys = Keys(space)
        cores = sorted(os.sched_getaffinity(0))
        node = space.node(node__cores=f"{cores[0]}: rx order log tx", **keys.settings(client=ALL)).start()

        def load():
            return json.loads(run(["taskset", "-c", str(cores[0]), HOLDFAST, "load", *keys.target(node), "--workload", "transfer",
                                   "--accounts", "1000", "--rate", str(HONEST_RATE), "--seconds", str(seconds), "--json"]).stdout)

        def beside():
            with subprocess.Popen(["taskset", "-c", str(cores[-1]), program, "--flood", str(seconds + 2), node.address, keys.public["node"]],
                                  stdout=subprocess.PIPE, text=True, preexec_fn=behind_all) as flooding:
                assert flooding.stdout.readline() == "ready\n"
                return load(), json.loads(flooding.stdout.readline())["sent"] / (seconds + 2)

        load(), beside()  # everything has been touched once
        before, met_before = memory_kb(node), node.admin("metrics")["security"]
        alone, beside_it, rates = [], [], []
        for number in range(rounds):
            quiet, (loud, rate) = load(), beside()
            alone, beside_it, rates = [*alone, quiet["p99_us"]], [*beside_it, loud["p99_us"]], [*rates, rate]
            print(f"round {number + 1}: {quiet['ops']} alone, p99 {quiet['p99_us']:.0f} us; {loud['ops']} beside {rate:,.0f} handshakes/s, "
                  f"p99 {loud['p99_us']:.0f} us, sent again {loud['retransmitted']}", flush=True)
            assert (quiet["lost"], loud["lost"]) == (0, 0)
        after = memory_kb(node)
        met = {name: value - met_before[name] for name, value in node.admin("metrics")["security"].items()}
        ratio = statistics.median(beside_it) / statistics.median(alone)
        print(f"{statistics.median(rates):,.0f} handshakes/s sent; {met['cookie']} answered with a cookie, {met['over_rate']} over the rate, "
              f"{met['bad_handshake'] + met['unknown_origin']} worked for, {met['welcomed']} welcomed\n"
              f"p99 {statistics.median(alone):.0f} us alone ({min(alone):.0f} to {max(alone):.0f}), {statistics.median(beside_it):.0f} us beside it "
              f"({min(beside_it):.0f} to {max(beside_it):.0f}): {ratio:.2f} times\nbefore {before}, after {after}")
        assert met["welcomed"] <= 2 * 2 * rounds
        assert met["bad_handshake"] + met["unknown_origin"] <= 260 * rounds * 2 * (seconds + 3)
        assert_flat(before, after)
        assert node.terminate() == 0
        assert ratio <= P99_TIMES_MAX, "honest load suffers"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "little"))
    parser.add_argument("--flood", type=float, metavar="SECONDS", help="each time")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if options.flood:
        flood(options.program, options.flood, options.rounds)
    else:
        attack(options.program, options.count, options.seed)


if __name__ == "__main__":
    main()
