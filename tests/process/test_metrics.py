#!/usr/bin/env python3
"""The figures of a node: `status` tells five of every poller, and `metrics prometheus` is the text format, line by line, with
the figures of `metrics` and no others. Seen on a node with shards, one with sessions, and one of a pair."""
import json
import re
import sys

from keys import Keys
from node import HOLDFAST, run, wait_until, workspace
from pair_rig import free_ports
from transfers import load

SHARDS = "0: rx order log tx shard0-2"
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (-?[0-9.]+(?:[eE][-+]?[0-9]+)?|NaN|[-+]Inf)")
HELP = re.compile(rf"# HELP ({NAME}) ((?:[^\\\n]|\\[\\n])+)")
TYPE = re.compile(rf"# TYPE ({NAME}) (counter|gauge)")

# How a figure of `metrics` is called where its name is not that of its place.
NAMES = {
    "port_received": "port_received_datagrams", "port_sent": "port_sent_datagrams",
    "poller_idle_share": "poller_idle_ratio", "core_idle_share": "core_idle_ratio", "rx_waiting": "rx_waiting_datagrams",
    "queue_waiting": "queue_waiting_datagrams",
    "security_sessions": "sessions", "security_sealed": "sealed_datagrams", "security_forbidden": "forbidden",
    "security_over_origins_rate": "over_origins_rate",
}
MOVES = {"idle_share", "sleeps"}  # from look to look, also when there is nothing to do
FIVE = {"batches", "operations", "idle_share", "waiting", "room", "votes_waited"}  # fill: what waits, for how much is room


def parse(text):
    """The samples by name and labels. Every line is one of the format's, every metric is said once and in one piece."""
    samples, kinds = {}, {}
    open_metric = None
    assert text.endswith("\n")
    lines = iter(text[:-1].split("\n"))
    for line in lines:
        if line.startswith("#"):
            helped, typed = HELP.fullmatch(line), TYPE.fullmatch(next(lines))
            assert helped and typed and helped[1] == typed[1], line
            open_metric = typed[1]
            assert open_metric not in kinds, f"{open_metric} stands twice"
            kinds[open_metric] = typed[2]
            assert (typed[2] == "counter") == open_metric.endswith("_total"), open_metric
            continue
        sample = SAMPLE.fullmatch(line)
        assert sample and sample[1] == open_metric, line
        assert (sample[1], sample[2]) not in samples, f"{line} stands twice"
        samples[sample[1], sample[2]] = float(sample[3])
    assert set(kinds) == {name for name, _ in samples}, "a metric without a sample"
    return samples


def expected(metrics):
    """The same figures from JSON: name without _total, labels, value."""
    singular = {"pollers": "poller", "cores": "core", "shards": "shard", "queues": "queue"}
    for section, content in metrics.items():
        for entry in content if isinstance(content, list) else [content] if isinstance(content, dict) else []:
            one = singular.get(section, section)
            label = f'{one}="{entry[one]}"' if section in singular else None
            for member, value in entry.items():
                name = f"{one}_{member}"
                if member in singular.values() or member == "rounds_by_poller" or name == "poller_core":
                    continue
                if section == "security" and name not in NAMES:
                    yield "session_datagrams", f'fate="{member}"', value, member
                else:
                    yield NAMES.get(name, name), label, value, member


def still(metrics):
    return [figure for figure in expected(metrics) if figure[3] not in MOVES]


def look_at_rest(node):
    """The figures in JSON and as text, of one time: nothing has changed between a look before and a look after."""
    looks = {}

    def is_at_rest():
        before = node.admin("metrics")
        looks["text"] = node.admin("metrics prometheus")
        looks["json"] = node.admin("metrics")
        return still(before) == still(looks["json"])

    wait_until(is_at_rest, "nothing changes")
    return looks["json"], looks["text"]


def check_metrics(node, *wanted):
    """Returns `metrics`, which the text agrees with."""
    metrics, text = look_at_rest(node)
    samples = parse(text)
    del samples["holdfast_info", f'version="{node.admin("status")["version"]}",durability="{metrics["durability"]}"']
    for name, labels, value, member in expected(metrics):
        name = "holdfast_" + name
        key = (name if (name, labels) in samples else name + "_total", labels)
        shown = samples.pop(key)
        assert (0 <= shown <= 1) if member == "idle_share" else member in MOVES or shown == value, (key, shown, value)
    assert not samples, f"not in metrics: {samples}"
    for name in wanted:
        assert f"\n# TYPE holdfast_{name} " in text, f"no {name}: {text}"
    return metrics


def check_pollers(node, names):
    """Each poller has its five figures, and those of a core share its time."""
    metrics = node.admin("metrics")
    for pollers in (node.admin("status")["pollers"], metrics["pollers"]):
        assert {poller["poller"] for poller in pollers} == names, pollers
        for poller in pollers:
            assert set(poller) == FIVE | {"poller", "core"}, poller
            assert poller["batches"] > 0 and poller["operations"] > 0 and poller["waiting"] < poller["room"], poller
            assert 0 <= poller["idle_share"] <= 1, poller
    for core in metrics["cores"]:
        busy = sum(1 - poller["idle_share"] for poller in metrics["pollers"] if poller["core"] == core["core"])
        assert abs(busy - (1 - core["idle_share"])) < 0.05, metrics
    return {poller["poller"]: poller for poller in metrics["pollers"]}


def divided(space):
    node = space.node("divided", node__cores=SHARDS)
    node.start()
    result = load(["--server", node.address], "--workload", "transfer", "--accounts", 200, "--operations", 20000,
                  "--inflight", 256, "--batch", 16)
    assert result["lost"] == 0
    check_metrics(node, "rx_operations_total", "shard_borrowed_total", "poller_votes_waited_total")
    pollers = check_pollers(node, {"rx", "order", "log", "tx", "shard0", "shard1", "shard2"})
    # Order waits only where the shards are not done when it looks again: on one core they mostly are.
    assert all(pollers[name]["votes_waited"] > 0 for name in ("shard0", "shard1", "shard2")), pollers
    assert all(pollers[name]["votes_waited"] == 0 for name in ("rx", "log", "tx")), pollers
    from_shell = run([HOLDFAST, "admin", "--socket", node.socket, "metrics", "prometheus"]).stdout
    assert {name for name, _ in parse(from_shell)} == {name for name, _ in parse(node.admin("metrics prometheus"))}
    assert "prometheus" in node.admin("metrics openmetrics")["error"]
    assert json.loads(run([HOLDFAST, "admin", "--socket", node.socket, "metrics"]).stdout)["durability"] == "solo"
    assert node.terminate() == 0


def sealed(space):
    keys = Keys(space)
    node = space.node("sealed", **keys.settings())
    node.start()
    load(keys.target(node), "--workload", "transfer", "--accounts", 10, "--operations", 100)
    metrics = check_metrics(node, "sessions", "session_datagrams_total")
    assert metrics["security"]["opened"] > 0
    assert node.terminate() == 0


def of_a_pair(space):
    clients, own, other = free_ports(3)
    node = space.node("pair", log__durability="pair-safe", node__node=1, port__address=f"127.0.0.1:{clients}",
                      pair__address=f"127.0.0.1:{own}", pair__peer=f"127.0.0.1:{other}")
    node.start()
    wait_until(lambda: node.admin("metrics")["pair"]["datagrams_sent"] > 0, "it looks for the other node")
    text = node.admin("metrics prometheus")
    assert parse(text)["holdfast_pair_datagrams_sent_total", None] > 0
    names = {name for name, _ in parse(text)}
    assert {f"holdfast_pair_{member}_total" for member in node.admin("metrics")["pair"]} <= names
    assert {poller["poller"] for poller in node.admin("metrics")["pollers"]} == {"rx", "order", "log", "replicate", "tx"}
    node.kill9()


def main():
    with workspace() as space:
        divided(space)
        sealed(space)
        of_a_pair(space)
    return 0


if __name__ == "__main__":
    sys.exit(main())
