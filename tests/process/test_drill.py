#!/usr/bin/env python3
"""`holdfast drill --quick`: the pair is broken in six ways, in name spaces as root (over kernel sockets, which leaves
the other tests beside it more of the processors) and on loopback without; nothing is lost,
nothing comes twice, no answer changes, and the report is there and needs nothing else."""
import json
import os
import re

from node import HOLDFAST, run, skip, workspace


def main():
    try:
        run(["etcd", "--version"])
        run(["nft", "--version"])
    except FileNotFoundError as missing:
        skip(f"not installed: {missing.filename}")
    with workspace() as space:
        page = space.path("drill.html")
        done = run([HOLDFAST, "drill", "--quick", "--port", "kernel", "--json", "--report", page], timeout=200)
        result = json.loads(done.stdout.strip().split("\n")[-1])
        print("\n".join(done.stdout.strip().split("\n")[:-1]))
        assert (result["lost"], result["twice"], result["changed"], result["same_state"]) == (0, 0, 0, True), result
        assert result["answers"] > 1000, result
        took_over = {fault["name"] for fault in result["faults"] if fault["takeover_ms"] is not None}
        assert {"kill-primary", "pause-primary"} <= took_over, result["faults"]
        if os.geteuid() == 0:
            assert len(result["faults"]) == 6 and "isolate-primary" in took_over, result["faults"]
            noticed = {fault["name"] for fault in result["faults"] if fault["detected_ms"] is not None}
            # Which of the two goes on alone then is a race between them, which either may win.
            assert {"cut-peers", "cut-one-way"} <= noticed, result["faults"]
        with open(page, encoding="utf-8") as file:
            text = file.read()
        assert text.count("<svg") == 2 and "Nothing lost, nothing twice" in text
        assert not re.search(r"""(src|href)\s*=|url\(""", text), "the report asks for something outside"
        refused = run([HOLDFAST, "drill", "--faults", "earthquake"], check=False)
        assert refused.returncode == 2 and "no fault 'earthquake'" in refused.stderr


if __name__ == "__main__":
    main()
