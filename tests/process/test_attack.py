#!/usr/bin/env python3
"""A hundred thousand forged, replayed, reordered, truncated, cross-session and wrong-epoch datagrams (--count N: so many) against a real node, by somebody
who hears every honest one: none is accepted, each is counted, and the node's memory stays as it was.

Usage: test_attack.py ATTACK [--count N] [--seed N]    With --flood: a flood of handshakes beside honest load instead, and what it does to p99."""
import argparse
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from keys import ALL, Keys  # noqa: E402
from node import HOLDFAST, die_with_parent, run, workspace  # noqa: E402

# Of what somebody without keys sends; a plain datagram is only ever counted.
REFUSALS = ("malformed", "unsealed", "unknown_session", "wrong_epoch", "forged", "replayed", "too_old", "bad_mac", "unsupported",
            "over_rate", "bad_handshake", "unknown_origin", "wrong_time", "replayed_handshake", "cookie")
SLACK_KB = 512


def memory_kb(node):
    with open(f"/proc/{node.process.pid}/status", encoding="ascii") as status:
        return {name: int(size) for name, size in re.findall(r"^(VmRSS|VmLck|VmSize):\s+(\d+)", status.read(), re.M)}


def attack(program, count, seed):
    with workspace() as space:
        keys = Keys(space)
        node = space.node(**keys.settings(client=ALL, other=ALL)).start()
        command = [program, node.address, keys.public["node"], keys.path("client"), keys.path("other")]
        run([*command, 2000, seed], timeout=120)  # everything has been touched once
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
        assert met["forged"] >= sent["forged"] and met["replayed"] >= sent["replayed"] * 9 // 10
        assert place == 0, "the attack reached the log"
        assert after["VmLck"] == before["VmLck"] and after["VmSize"] <= before["VmSize"] + SLACK_KB
        assert after["VmRSS"] <= before["VmRSS"] + SLACK_KB, "memory grows"
        assert node.terminate() == 0


def flood(program, seconds, most):
    """Honest transfers by a client that is connected already, without and with the flood."""
    with workspace() as space:
        keys = Keys(space)
        node = space.node(**keys.settings(client=ALL)).start()

        def measure():
            return json.loads(run([HOLDFAST, "load", *keys.target(node), "--workload", "transfer", "--accounts", "1000", "--rate", "2000",
                                   "--seconds", seconds, "--json"]).stdout)
        measure()
        alone = measure()
        with subprocess.Popen([program, "--flood", str(seconds + 2), node.address, keys.public["node"]], stdout=subprocess.PIPE,
                              text=True, preexec_fn=die_with_parent) as flooding:
            assert flooding.stdout.readline() == "ready\n"
            beside = measure()
            sent = json.loads(flooding.stdout.readline())["sent"]
        met = node.admin("metrics")["security"]
        print(f"{sent / (seconds + 2):,.0f} handshakes/s sent, {met['cookie']} cookies, {met['over_rate']} over the rate, "
              f"{met['bad_handshake']} worked for; p99 {alone['p99_us']:.0f} us alone, {beside['p99_us']:.0f} us beside it: "
              f"{beside['p99_us'] / alone['p99_us']:.2f} times")
        assert (beside["lost"], met["welcomed"] <= 20) == (0, True)
        assert met["bad_handshake"] + met["unknown_origin"] <= 260 * (seconds + 3)
        assert beside["p99_us"] <= most * alone["p99_us"], "honest load suffers"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--count", type=int, default=100000)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "little"))
    parser.add_argument("--flood", type=float, help="seconds")
    options = parser.parse_args()
    if options.flood:
        flood(options.program, options.flood, 3)
    else:
        attack(options.program, options.count, options.seed)


if __name__ == "__main__":
    main()
