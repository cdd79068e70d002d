#!/usr/bin/env python3
"""The whole node under the thread sanitizer: its pollers on two cores, shards among them, load, every admin command that asks a poller,
checkpoints, seals, sessions and new rules, a clean stop; and a pair whose primary is killed under load. Any report of any
process fails.

    test_threads.py SOURCE [--stop-pair]    also stops the pair clean, and verifies both logs

The node and its client are built for it, in a directory of their own below the build. DPDK, liburing and the other
libraries are not: what they do is not seen, and what we do to their memory is."""
import contextlib
import glob
import os
import shutil
import subprocess
import sys
import time

BUILD = os.path.join(os.environ["HOLDFAST_BUILD"], "threads")
CORES = "0: rx order; 1: log tx"
SHARDS = "0: rx tx shard0 shard2; 1: order log shard1"
REPORTED = 66  # the exit status of a process with a report


def build(source):
    """DPDK's rings are read by the sanitizer's rules only with C11's atomics. Half the time goes into building: no more is
    optimised, and said about lines, than a report needs."""
    began = time.monotonic()
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        shutil.rmtree(BUILD, ignore_errors=True)
        subprocess.run(["meson", "setup", BUILD, source, "--buildtype=plain", "-Doptimization=1", "-Ddebug=false",
                        "-Db_sanitize=thread", "-Db_lundef=false", "-Db_ndebug=false",
                        "-Dc_args=-g1 -DRTE_USE_C11_MEM_MODEL"],
                       check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", BUILD, "-j", "2", "--quiet", "holdfastd", "holdfast"], check=True)
    print(f"built in {time.monotonic() - began:.1f} s", flush=True)


def ask_everything(node):
    for command in ("status", "metrics", "memory", "digest"):
        answer = node.admin(command)
        assert "error" not in answer, f"{command}: {answer}"
    for command in ("account 1", "pair"):  # there may be none
        node.admin(command)


def alone(space, name, target=(), **settings):
    """Load while everything is asked, a checkpoint, a clean stop in the middle of seals. Returns how often it was asked."""
    from node import HOLDFAST, die_with_parent
    node = space.node(name, **{"node__cores": CORES, "log__seal_interval": "2ms", **settings})
    node.start()
    load = subprocess.Popen(
        [HOLDFAST, "load", "--server", node.address, *target, "--workload", "mixed", "--accounts", "200", "--inflight", "256",
         "--batch", "4", "--operations", "10000", "--drain", "100", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
    looks = 0
    while load.poll() is None:
        ask_everything(node)
        if target:
            assert node.admin("reload") == {"origins": 1}
        if looks == 1:
            assert "error" not in node.admin("checkpoint")
        looks += 1
    output, errors = load.communicate()
    assert load.returncode == 0, output + errors
    assert looks > 1
    assert node.terminate() == 0, node.errors()[-3000:]
    return looks


def take_over(stops):
    """A pair under load, its primary killed; the other leads, and the first comes back."""
    from node import HOLDFAST, run
    from pair_rig import pair
    with pair(node__cores=CORES, pair__grace="1s") as rig:
        rig.start()
        rig.wait_for("both nodes hold it", rig.is_whole)
        journal = rig.space.path("journal")
        load = rig.load(journal, "--workload", "transfer", "--seconds", "6", "--drain", "60")
        rig.wait_for("answers", lambda: os.path.exists(journal) and os.path.getsize(journal) > 100000)
        gone = rig.primary()
        ask_everything(gone)
        ask_everything(rig.other(gone))
        gone.kill9()
        rig.wait_for("the standby leads", lambda: rig.state(rig.other(gone)).get("serves"))
        gone.start()
        rig.wait_for("both nodes hold it again", rig.is_whole)
        output, errors = load.communicate(timeout=120)
        assert load.returncode == 0, output + errors
        rig.check(journal)
        for node in rig.nodes if stops else ():
            assert node.terminate() == 0, node.errors()[-3000:]
            run([HOLDFAST, "log", "verify", node.data])


def main():
    build(sys.argv[1])
    os.environ["HOLDFAST_BUILD"] = BUILD
    import node
    from keys import ALL, Keys
    with node.workspace() as space:
        os.environ["TSAN_OPTIONS"] = f"log_path={space.path('report')} exitcode={REPORTED} history_size=4"
        trouble = None
        try:
            keys = Keys(space)
            looks = alone(space, "plain")
            looks += alone(space, "divided", node__cores=SHARDS)
            settings = keys.settings(client=ALL)
            looks += alone(space, "sealed", keys.options("client"), **settings)
            take_over("--stop-pair" in sys.argv)
        except Exception as failed:  # what a report did comes after the report
            trouble = failed
        reports = []
        for path in glob.glob(space.path("report.*")):
            with contextlib.closing(open(path, encoding="utf-8", errors="replace")) as file:
                reports.append(file.read())
        assert not reports, "\n".join(reports)[:20000]
        if trouble is not None:
            raise trouble
    print(f"{looks} looks at a node under load, a takeover, no report")
    return 0


if __name__ == "__main__":
    sys.exit(main())
