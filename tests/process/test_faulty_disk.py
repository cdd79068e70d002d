#!/usr/bin/env python3
"""The real node on a disk that goes wrong under load: a flush that fails, a write that fails, a write that falls short, a
power cut. From the fault on nothing more is answered, the node ends by itself and says why in one line, and a start on what
the disk has kept finds everything that was answered, with the same answers.

    test_faulty_disk.py FAULT_FS [--rounds 1] [--seed N]

The disk is fault_fs.c: a FUSE file system with a cache that can be thrown away."""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time

from fault_fs import FaultyDisk, need_mounts
from node import HOLDFAST, die_with_parent, run, workspace
from test_crash import Journal, wait_for_answers

EXIT_FAILED = 1
END_S = 60
SETTINGS = dict(log__segment_bytes="1m", log__batch_bytes="64k", ledger__remembered=1000000, ledger__holds=1000000)
FAULTS = ("fail-flush", "fail-write", "short-write", "power-cut", "restart-after-failed-flush")


def check(node, path):
    done = run([HOLDFAST, "load", "--check", path, "--server", node.address, "--json"], check=False)
    result = json.loads(done.stdout)
    assert (result["lost"], result["changed"]) == (0, 0), result
    return result


def load_on(node, path, chance):
    inflight = chance.choice((1, 16, 128))
    command = [HOLDFAST, "load", "--server", node.address, "--workload", chance.choice(("transfer", "auth")), "--accounts",
               100, "--inflight", inflight, "--batch", min(inflight, 8), "--seed", chance.randrange(1, 1 << 30), "--journal",
               path, "--operations", 900000, "--json"]
    return subprocess.Popen([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            preexec_fn=die_with_parent)


def ended_by_itself(node):
    """The node has noticed: it stops, and its last line says why."""
    status = node.wait(END_S)
    line = node.errors().strip().split("\n")[-1]
    assert status == EXIT_FAILED, f"exit status {status}: {line}"
    assert line.startswith("holdfastd: the log failed, nothing more is acknowledged: ") and "Input/output error" in line, line
    return line


def settled_answers(journal, load):
    """All that was answered, once the client has been stopped."""
    load.kill()
    load.communicate()
    return journal.read()


def one_fault(space, program, name, fault, chance):
    directory = space.path(name)
    os.mkdir(directory)
    disk = FaultyDisk(program, directory)
    space.closing.callback(disk.close)
    node = space.node(name + "-node", data__directory=disk.mounted, **SETTINGS)
    node.start()
    journal = Journal(space.path(name + "-journal"))
    load = load_on(node, journal.file.name, chance)
    line = "killed"
    try:
        wait_for_answers(journal, load, chance.randrange(200, 1500))
        if fault == "power-cut":
            node.kill9()
        else:
            disk.set("fail-flush" if fault.startswith("restart") else fault)
            line = ended_by_itself(node)
        # The client asks on for a while, as clients do; nobody answers.
        answered = settled_answers(journal, load)
    finally:
        if load.poll() is None:
            load.kill()
            load.communicate()
        journal.close()
    digest = None
    if fault.startswith("restart"):
        # The same machine, its disk well again, its cache full of what never became durable. What this start shows, it
        # may have been asked about: then the power fails.
        disk.set("good")
        node.start()
        check(node, journal.file.name)
        digest = node.digest()
        node.kill9()
    disk.close()
    survivor = space.node(name + "-survivor", data__directory=disk.durable, **SETTINGS)
    survivor.start()
    assert digest is None or survivor.digest() == digest, "what a start had shown is gone"
    result = check(survivor, journal.file.name)
    assert result["acked"] == answered, result
    assert survivor.terminate() == 0
    shutil.rmtree(directory)
    print(f"{fault}: {answered} answered, {result['present']} present, lost 0, changed 0; {line}", flush=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("program")
    options.add_argument("--rounds", type=int, default=1)
    options.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    options = options.parse_args()
    print(f"seed {options.seed}", flush=True)
    chance = random.Random(options.seed)
    need_mounts()
    began = time.monotonic()
    with workspace() as space:
        for number in range(options.rounds):
            for fault in FAULTS:
                one_fault(space, os.path.abspath(options.program), f"{fault}-{number}", fault, chance)
    print(f"{options.rounds * len(FAULTS)} faults, {time.monotonic() - began:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
