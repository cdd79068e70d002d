#!/usr/bin/env python3
"""A real pair of nodes and an etcd under load: nodes are killed, stopped and restarted, etcd goes and comes. No answer is
lost, none is given twice differently, and both nodes come to the same state.

    test_pair.py [--rounds N] [--durability pair-safe|pair-fast] [--plain]

With --plain what the nodes say to each other is not sealed.
"""
import argparse
import collections
import signal
import time

from node import HOLDFAST, run
from pair_rig import pair


def places_are_unique(journal):
    """Every place in the order was given to one operation, and every operation got one answer."""
    answers = {}
    places = collections.defaultdict(set)
    with open(journal, encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if words and words[0] == "A":
                before = answers.setdefault(words[1], words[2:])
                assert before == words[2:], f"{words[1]} was answered {before}, then {words[2:]}"
                if words[3] != "0":
                    places[words[3]].add(words[1])
    twice = {place: ids for place, ids in places.items() if len(ids) > 1}
    assert not twice, f"places given twice: {twice}"
    return len(answers)


def finish(load):
    output, errors = load.communicate(timeout=120)
    assert load.returncode == 0, f"the load failed: {output}{errors}"


def is_going_on(rig, journal):
    """Answers come: waits until the journal has grown."""
    def answered():
        with open(journal, encoding="ascii") as lines:
            return sum(line.startswith("A") for line in lines)
    before = answered()
    rig.wait_for("service goes on", lambda: answered() > before + 200)


def kill_primary(rig, journal):
    gone = rig.primary()
    gone.kill9()
    rig.wait_for("the standby leads", lambda: rig.state(rig.other(gone)).get("serves"))
    is_going_on(rig, journal)
    gone.start()
    rig.wait_for("both nodes hold it again", rig.is_whole)


def kill_standby(rig, journal):
    leads = rig.primary()
    gone = rig.other(leads)
    gone.kill9()
    rig.wait_for("the primary goes on alone", lambda: "alone" in rig.state(leads).get("alarms", []))
    is_going_on(rig, journal)
    gone.start()
    rig.wait_for("both nodes hold it again", rig.is_whole)
    assert rig.primary() is leads


def pause_primary(rig, journal):
    """It wakes up believing that it leads; by then somebody else does."""
    gone = rig.primary()
    with gone.paused():
        rig.wait_for("the standby leads", lambda: rig.nodes and is_leading(rig, rig.other(gone)))
        is_going_on(rig, journal)
    rig.wait_for("both nodes hold it again", rig.is_whole)
    assert rig.primary() is rig.other(gone)


def is_leading(rig, node):
    return rig.state(node).get("serves")


def roll(rig, journal):
    """Both nodes are restarted, one after the other, as for a new version."""
    for node in rig.nodes:
        assert node.terminate() == 0
        rig.wait_for("the other leads", lambda: is_leading(rig, rig.other(node)))
        is_going_on(rig, journal)
        node.start()
        rig.wait_for("both nodes hold it again", rig.is_whole)


def lose_etcd(rig, journal):
    """A whole pair needs no arbiter. Without one, a primary that loses its standby answers nothing more until the arbiter
    has it in writing."""
    rig.etcd.stop()
    is_going_on(rig, journal)
    leads = rig.primary()
    gone = rig.other(leads)
    gone.process.send_signal(signal.SIGSTOP)
    rig.wait_for("the primary is fenced", lambda: rig.state(leads).get("fenced"))
    before = rig.state(leads)["commit_index"]
    time.sleep(0.5)
    assert rig.state(leads)["commit_index"] == before, "committed without standby and without arbiter"
    rig.etcd.start()
    rig.wait_for("the primary goes on alone", lambda: "alone" in rig.state(leads).get("alarms", []))
    is_going_on(rig, journal)
    gone.process.send_signal(signal.SIGCONT)
    rig.wait_for("both nodes hold it again", rig.is_whole)


def assert_honest(rig, node):
    """Nobody has attacked, so nothing was refused but what was sealed for a life that was over, and answers to a hello that came
    when another had been said, with the other cipher (malformed)."""
    seal = rig.seal(node)
    if "pair.peer_key" not in node.settings:
        assert seal is None, seal
        return
    assert seal["opened"] > 100 and seal["sealed"] > 100, seal
    for fate in ("forged", "replayed", "too_old", "unsealed", "bad_mac", "bad_handshake", "unknown_origin"):
        assert seal[fate] == 0, seal


def break_under_load(rig, faults):
    """From the start of both nodes to their end, and whether all is as it was answered."""
    rig.start()
    rig.wait_for("the pair is whole", rig.is_whole)
    journal = rig.space.path("journal")
    open(journal, "w", encoding="ascii").close()
    load = rig.load(journal, "--seconds", "3600", "--rate", "3000", "--drain", "60")
    is_going_on(rig, journal)
    for fault in faults:
        fault(rig, journal)
        print(f"{fault.__name__}: service went on, the pair is whole", flush=True)
    load.send_signal(signal.SIGINT)
    finish(load)
    print(rig.check(journal), end="")
    print(f"{places_are_unique(journal)} answers, each one once")
    rig.wait_for("the standby has all", rig.is_level)
    digests = {node.digest()["digest"] for node in rig.nodes}
    assert len(digests) == 1, digests
    for node in rig.nodes:
        assert_honest(rig, node)
        assert node.terminate() == 0
        run([HOLDFAST, "log", "verify", node.data])
    print("both logs verify, both states are the same")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--durability", default="pair-safe")
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    with pair(sealed=not options.plain, log__durability=options.durability) as rig:
        break_under_load(rig, options.rounds * (kill_primary, kill_standby, pause_primary, roll, lose_etcd, kill_primary))


if __name__ == "__main__":
    main()
