#!/usr/bin/env python3
"""A node whose core others want too: one of another session that never sleeps, and one of its own that wakes up ten
thousand times a second. It starts, and nobody asks twice for an answer more than now and then: what ends the node's writes
are threads of the kernel's on that core, and a core that only yields can keep them waiting for seconds."""
import contextlib
import json
import os
import subprocess
import sys

from node import HOLDFAST, die_with_parent, run, workspace

TRANSFERS = 2000
BUSY = "while True: pass"
RESTLESS = "import time\nwhile True: time.sleep(0.0001)"


@contextlib.contextmanager
def neighbour(core, program, **how):
    process = subprocess.Popen(["taskset", "-c", str(core), sys.executable, "-c", program],
                               preexec_fn=die_with_parent, **how)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def main():
    core = max(os.sched_getaffinity(0))
    with workspace() as space, neighbour(core, BUSY, start_new_session=True), neighbour(core, RESTLESS):
        node = space.node(node__cores=f"{core}: rx order log tx").start()
        load = run([HOLDFAST, "load", "--server", node.address, "--workload", "transfer", "--accounts", "100",
                    "--operations", str(TRANSFERS), "--rate", "1000", "--json"]).stdout
        assert node.terminate() == 0
    answered = json.loads(load)
    assert answered["ops"] == TRANSFERS and answered["lost"] == 0, answered
    assert answered["retransmitted"] < TRANSFERS / 10, answered
    print(f"{TRANSFERS} transfers answered, {answered['retransmitted']} asked twice")


if __name__ == "__main__":
    main()
