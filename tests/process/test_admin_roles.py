#!/usr/bin/env python3
"""Who may ask what on the admin socket, by the user at its other end; and that each change is written down before it is made."""
import contextlib
import json
import os
import signal
import stat
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from keys import ALL, Keys  # noqa: E402
from node import need_root, read_answer, refusal, workspace  # noqa: E402

READER, WRITER, NOBODY = 61001, 61002, 61003
CHANGES = ("checkpoint", "advance 1s", "reload")


class Roles(unittest.TestCase):
    def setUp(self):
        self.space = self.enterContext(workspace())
        os.chmod(self.space.directory, 0o755)

    def start(self, **settings):
        node = self.space.node(node__test_clock="yes", **settings)
        os.chmod(node.directory, 0o755)
        return node.start()

    def ask_as(self, user, node, *commands):
        """What a process of this user hears, a line for each command, or fewer when the node hangs up."""
        end, writing = os.pipe()
        child = os.fork()
        if child == 0:
            answers = []
            try:
                os.setgid(user)
                os.setuid(user)
                with node.connect() as connection:
                    for command in commands:
                        with contextlib.suppress(BrokenPipeError):
                            connection.sendall(command.encode() + b"\n")
                        answers.append(read_answer(connection))
            except (EOFError, OSError) as error:
                answers.append({"left": type(error).__name__})
            finally:
                os.write(writing, json.dumps(answers).encode())
                os._exit(0)
        os.close(writing)
        with os.fdopen(end, "rb") as file:
            answers = json.loads(file.read())
        os.waitpid(child, 0)
        return answers

    def audit(self, node):
        with open(os.path.join(node.data, "audit"), encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def test_roles(self):
        node = self.start(admin__readers=f"{READER}", admin__writers=f"daemon {WRITER}")
        self.assertEqual(stat.S_IMODE(os.stat(node.socket).st_mode), 0o666)
        reader = self.ask_as(READER, node, "status", "digest", "metrics", *CHANGES, " reload", "status")
        self.assertEqual([set(answer) == {"error"} for answer in reader],
                         [False, False, False, True, True, True, True, False])
        self.assertEqual({answer["error"] for answer in reader[3:7]}, {"this user may look, and change nothing"})
        self.assertFalse(os.path.exists(os.path.join(node.data, "audit")))
        nobody = self.ask_as(NOBODY, node, "status", "status")
        self.assertEqual(nobody[0], {"error": "this user may ask nothing here"})
        self.assertIn("left", nobody[-1])
        writer = self.ask_as(WRITER, node, "advance 1s", "checkpoint", "advance x")
        self.assertEqual([set(answer) == {"error"} for answer in writer], [False, False, True])
        lines = self.audit(node)
        self.assertEqual([(line["uid"], line["command"], line["outcome"]) for line in lines],
                         [(WRITER, "advance 1s", "asked"), (WRITER, "advance 1s", "done"), (WRITER, "checkpoint", "asked"),
                          (WRITER, "checkpoint", "done"), (WRITER, "advance x", "asked"), (WRITER, "advance x", "failed")])
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(node.data, "audit")).st_mode), 0o600)
        self.assertEqual(self.ask_as(1, node, "advance 1s")[0]["advanced_ns"], 10**9)  # daemon, by its name

    def test_without_others(self):
        node = self.start()
        self.assertEqual(stat.S_IMODE(os.stat(node.socket).st_mode), 0o600)
        self.assertEqual(self.ask_as(READER, node, "status"), [{"left": "PermissionError"}])
        self.assertIn("no sessions", node.admin("reload")["error"])
        for setting in ({"admin__readers": "no-such-user"}, {"admin__writers": " ".join(["0"] * 17)}):
            other = self.space.node("other", **setting)
            status, line, _ = refusal(other)
            self.assertEqual((status, line.split(": ")[1]), (2, next(iter(setting)).replace("__", ".")))

    def test_what_cannot_be_written_down_is_not_done(self):
        node = self.start(admin__audit="/nowhere/audit")
        self.assertIn("admin.audit: /nowhere/audit", node.admin("advance 1s")["error"])
        self.assertEqual(node.admin("status")["clock_ahead_ns"], 0)
        self.assertIn("error", node.admin('advance "\\'))

    def test_signal(self):
        keys = Keys(self.space)
        node = self.start(**keys.settings(client=ALL))
        keys.write_origins(client=ALL, other=ALL)
        self.assertEqual(node.admin("reload"), {"origins": 2})
        keys.write_origins(client=ALL)
        node.process.send_signal(signal.SIGHUP)
        # The main thread takes one thing after the other: what is answered now comes after the signal.
        while self.audit(node)[-1]["command"] != "SIGHUP" or self.audit(node)[-1]["outcome"] != "done":
            node.admin("help")
        with open(keys.path("origins"), "a", encoding="ascii") as file:
            file.write("nonsense = 1\n")
        answer = node.admin("reload")["error"]
        self.assertIn(f"{keys.path('origins')}:8: [origin 1] nonsense no such setting", answer)
        self.assertEqual([(line["command"], line["outcome"]) for line in self.audit(node)],
                         [("reload", "asked"), ("reload", "done"), ("SIGHUP", "asked"), ("SIGHUP", "done"),
                          ("reload", "asked"), ("reload", "failed")])
        self.assertEqual(node.terminate(), 0)


if __name__ == "__main__":
    need_root()
    unittest.main()
