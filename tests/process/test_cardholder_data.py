#!/usr/bin/env python3
"""Well-known numbers of test cards, given to every tool that takes a name for a card, and then looked for: in the log, checkpoints and everything else
in the data directory, in events and replays, in metrics and admin answers, in what the node printed, and in all of its memory (which is what a core would
hold), as digits and as BCD. No hit, whole or but for the last digit. First the scan proves that it would find one.
"""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from keys import ALL, Keys  # noqa: E402
from node import HOLDFAST, is_sanitized, need_root, run, workspace  # noqa: E402

# Published by networks and acquirers for tests.
PANS = ("4111111111111111", "5555555555554444", "378282246310005", "6011111111111117", "3530111333300000", "30569309025904",
        "2223003122003222", "4000056655665556")

STORY = "asset 840 USD 2\naccount bank asset USD floor none\naccount shop asset USD\naccount alice asset USD\nmove bank alice 900.00\n" + "".join(
    f"card pan-{pan} alice count 100\n"
    f"limit 1 on pan-{pan} amount 500.00 per day\n"
    f"auth a-{pan} pan-{pan} shop 5.00\n"
    f"clear a-{pan} 5.00 final\n"
    f"auth b-{pan} pan-{pan} shop 900.00 -> AMOUNT_LIMIT\n"
    f"auth c-{pan} pan-{pan} shop 3.00\n"
    f"reverse c-{pan} all\n" for pan in PANS)


def patterns():
    """Each number as digits, as digits in UTF-16, and as BCD packed from either end."""
    for pan in PANS:
        digits = pan.encode()
        packed = {bytes.fromhex(pan if len(pan) % 2 == 0 else pan + "f"), bytes.fromhex(pan if len(pan) % 2 == 0 else "0" + pan)}
        yield from ((pan, "digits", digits), (pan, "all digits but the last", digits[:-1]), (pan, "UTF-16", digits.decode().encode("utf-16-le")))
        for bcd in packed:
            yield pan, "BCD", bcd


def hits(data):
    return [(pan, form) for pan, form, pattern in patterns() if pattern in data]


def memory_of(pid):
    """Everything a process can write to, piece by piece: what is only read comes from files."""
    with open(f"/proc/{pid}/maps", encoding="ascii") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            begin, end, rights = re.match(r"([0-9a-f]+)-([0-9a-f]+) (....)", line).groups()
            if not rights.startswith("rw"):
                continue
            begin, end = int(begin, 16), int(end, 16)
            while begin < end:
                memory.seek(begin)
                try:
                    piece = memory.read(min(end - begin, 16 << 20))
                except OSError:
                    break
                if not piece:
                    break
                yield piece
                # Nothing is cut in two by where a piece ends.
                begin += len(piece) if len(piece) < 4096 or begin + len(piece) >= end else len(piece) - 64


def scan_directory(directory):
    found = []
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), "rb") as file:
            found += [(name, *hit) for hit in hits(file.read())]
    return found


def prove_the_scan():
    for pan, form, pattern in patterns():
        assert (pan, form) in hits(os.urandom(1000) + pattern + os.urandom(1000)), (pan, form)
    marker = bytearray("".join(PANS).encode())  # in this process's own memory
    assert any(hits(piece) for piece in memory_of(os.getpid())), marker


def main():
    need_root()
    prove_the_scan()
    with workspace() as space:
        keys = Keys(space)
        node = space.node(**keys.settings(client=ALL)).start()
        script = space.path("story.hf")
        with open(script, "w", encoding="utf-8") as file:
            file.write(STORY)
        run([HOLDFAST, "run", *keys.target(node), script])
        node.admin("checkpoint")
        answers = [node.admin(command) for command in ("status", "metrics", "memory")]
        assert answers[0]["tables"]["instruments"] == len(PANS)
        # The address sanitizer keeps terabytes of its own, which nobody could read through.
        memory = [] if is_sanitized() else memory_of(node.process.pid)
        found = [("memory", *hit) for piece in memory for hit in hits(piece)]
        assert not found, found
        assert node.terminate() == 0
        found = scan_directory(node.data)
        events = run([HOLDFAST, "log", "events", "--json", node.data]).stdout
        everything = "\n".join([events, run([HOLDFAST, "log", "cat", "--json", node.data]).stdout, json.dumps(answers), node.errors()])
        found += [("told", *hit) for hit in hits(everything.encode())]
        assert not found, found
        assert events.count("DRAWN") >= len(PANS)
        print(f"{len(PANS)} numbers, {sum(1 for _ in patterns())} forms: no hit in log, checkpoints, events, metrics, messages" +
              ("" if is_sanitized() else " and memory"))


if __name__ == "__main__":
    main()
