#!/usr/bin/env python3
"""Every scenario script there is, as far as its first restart (which takes a private node), between two DPDK devices over
shared memory. Whole, and behind kernel ports, tests/scenarios plays them."""
import glob
import json
import os
import sys

from net_rig import TAG, Rig, eal, left_over
from node import HOLDFAST, ROOT, SKIPPED, run, workspace

NODE_IP, CLIENT_IP = "10.77.0.2", "10.77.0.1"
RESTARTS = ("restart", "stop-start")


def play(scripts, *more):
    results = [json.loads(line) for line in run([HOLDFAST, "run", *scripts, "--json", *more]).stdout.splitlines()]
    assert [result["script"] for result in results] == scripts, results
    return results


def until_restart(script):
    """The lines before the first restart, and whether anything was left out."""
    lines = []
    with open(script, encoding="utf-8") as file:
        for line in file:
            if line.split("#")[0].split()[:1] and line.split()[0] in RESTARTS:
                return lines, True
            lines.append(line)
    return lines, False


def play_over_memif(space, scripts):
    """Scripts that leave the clock alone, in turn by one client against one node: the ids of each are its own. Likewise those
    that move it, each of which begins at the time that those before it have left."""
    device = "net_memif0,role={},socket-abstract=yes,socket=" + TAG
    parts = {False: {}, True: {}}
    for script in scripts:
        lines, is_cut = until_restart(script)
        part = space.path(os.path.basename(script))
        with open(part, "w", encoding="utf-8") as file:
            file.writelines(lines)
        parts[any(line.startswith("advance") for line in lines)][part] = is_cut
    for number, group in enumerate(parts.values()):
        node = space.node(f"memif-{number}", port__kind="dpdk", port__address=f"{NODE_IP}:4600",
                          port__eal=eal("node", device.format("server")), node__test_clock="yes")
        node.start()
        results = play(list(group), "--server", f"{NODE_IP}:4600", "--transport", "dpdk", "--local", CLIENT_IP, "--admin", node.socket,
                       "--eal", eal("client", device.format("client")))
        for result, is_cut in zip(results, group.values()):
            print(f"{os.path.basename(result['script'])}, memif{', to the first restart' if is_cut else ''}: "
                  f"{result['operations']} operations, {result['restarts']} restarts", flush=True)
        digest = node.digest()
        node.restart()
        assert node.digest() == digest, f"{list(group)}: the state changed in a restart"
        assert node.terminate() == 0


def main():
    scripts = sorted(glob.glob(os.path.join(ROOT, "tests", "scenarios", "*.hf")))
    assert scripts, "no scenario scripts"
    if os.geteuid() != 0:
        print("skipped: DPDK devices need root")
        return SKIPPED
    with Rig(), workspace() as space:
        play_over_memif(space, scripts)
    assert not left_over(), left_over()
    return 0


if __name__ == "__main__":
    sys.exit(main())
