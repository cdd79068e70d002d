#!/usr/bin/env python3
"""`holdfast run` with several scripts: in turn, each for itself, and not a word to the node unless all of them can be played."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "process"))
from node import HOLDFAST, run, workspace  # noqa: E402

GOOD = "asset 840 USD 2\naccount bank asset USD floor none\naccount alice asset USD\nmove bank alice 5.00\nexpect alice posted 5.00\n"
WRONG = GOOD + "expect alice posted 6.00\nmove bank alice 1.00\n"
LATER = GOOD + "hold h bank alice 1.00 expires +1h\nadvance +2h\nexpect hold h status lapsed\n"


class Run(unittest.TestCase):
    def setUp(self):
        self.space = self.enterContext(workspace())

    def scripts(self, *texts):
        paths = []
        for number, text in enumerate(texts, 1):
            paths.append(self.space.path(f"{number}.hf"))
            with open(paths[-1], "w", encoding="utf-8") as file:
                file.write(text)
        return paths

    def play(self, *words, status=0):
        done = run([HOLDFAST, "run", *words], check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def results(self, *words, status=0):
        return [json.loads(line) for line in self.play("--json", *words, status=status).stdout.splitlines()]

    def there(self, node):
        return ["--server", node.address, "--admin", node.socket]

    def test_in_turn_by_one_client(self):
        node = self.space.node().start()
        paths = self.scripts(GOOD, GOOD, GOOD)
        results = self.results(*paths, *self.there(node))
        self.assertEqual([(result["script"], result["passed"], result["operations"]) for result in results],
                         [(path, True, 5) for path in paths])
        # Four of the five take a place each; the last one only asks.
        self.assertEqual(node.admin("status")["place"], 12)
        said = self.play(*paths, *self.there(node)).stdout.splitlines()
        self.assertEqual(said, [f"{path}: 5 lines, 5 operations, 0 restarts: all as expected" for path in paths])

    def test_names_are_each_scripts_own(self):
        """The ids of the second are those of a run of its own with the salt it printed, which is one more than the first's."""
        node = self.space.node().start()
        paths = self.scripts(GOOD, GOOD.replace("5.00", "7.00"))
        salts = [result["salt"] for result in self.results(*paths, "--salt", 41, *self.there(node))]
        self.assertEqual(salts, [41, 42])
        for salt, posted in zip(salts, ("5.00", "7.00")):
            [look] = self.scripts(f"asset 840 USD 2\nunknown ghost\naccount alice asset USD\nexpect alice posted {posted}\n")
            self.play(look, "--salt", salt, *self.there(node))

    def test_each_has_a_private_node(self):
        """Of its own: the place of the first operation is the first in both, and both restart."""
        paths = self.scripts(GOOD + "restart\nexpect alice posted 5.00\n", GOOD + "stop-start\nexpect alice posted 5.00\n", LATER)
        results = self.results(*paths)
        self.assertEqual([(result["passed"], result["restarts"]) for result in results], [(True, 1), (True, 1), (True, 0)])
        said = self.play("--verbose", *paths[:2]).stdout
        self.assertEqual(said.count("place 1,") + said.count("place 1\n"), 2, said)

    def test_one_that_does_not_hold(self):
        node = self.space.node().start()
        paths = self.scripts(GOOD, WRONG, GOOD)
        for where in (self.there(node), []):
            results = self.results(*paths, *where, status=1)
            self.assertEqual([result["passed"] for result in results], [True, False, True])
            self.assertEqual((results[1]["failure"]["line"], results[1]["lines"]), (6, 6))
            errors = self.play(*paths, *where, status=1).stderr
            self.assertEqual(errors.count("expected"), 1, errors)
            self.assertIn(f"{paths[1]}:6: ", errors)

    def test_nothing_is_sent_unless_all_can_be_played(self):
        node = self.space.node().start()
        [good, misspelt, restarts, asks] = self.scripts(GOOD, "asset 840 USD 2\nmuve a b 1.00\n", GOOD + "restart\n", GOOD + "admin status\n")
        missing = self.space.path("missing.hf")
        for bad, words in ((misspelt, "2.hf:2:"), (missing, "No such file"), (self.space.directory, "not a text"),
                           (restarts, "line 6 restarts the node"), (asks, "line 6 asks the admin socket")):
            for paths in ([good, bad], [bad, good], [good, good, bad]):
                done = self.play(*paths, "--server", node.address, "--json", status=2)
                self.assertIn(words, done.stderr)
                self.assertEqual(done.stdout, "")
        self.assertEqual(node.admin("metrics")["rx"]["datagrams"], 0)
        self.assertEqual(node.admin("status")["place"], 0)

    def test_the_clock_goes_on(self):
        """What the first script has moved is known to the second: its times are the node's, and its operations' ids too."""
        node = self.space.node(node__test_clock="yes").start()
        results = self.results(*self.scripts(LATER, LATER, GOOD), *self.there(node))
        self.assertEqual([result["passed"] for result in results], [True] * 3, results)


if __name__ == "__main__":
    unittest.main(verbosity=2)
