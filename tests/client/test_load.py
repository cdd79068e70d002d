#!/usr/bin/env python3
"""`holdfast load` and `holdfast admin` against a real node: figures, books, journal, and that a false journal is found out."""
import json
import os
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "process"))
from node import HOLDFAST, StartFailed, workspace  # noqa: E402

FIELDS = {"workload", "ops", "ops_s", "p50_us", "p99_us", "p999_us", "max_us", "refused", "lost", "durability", "port",
          "retransmitted", "busy", "batch", "inflight", "rate", "accounts", "skew", "seed", "seconds"}


def holdfast(*words, timeout=120):
    return subprocess.run([HOLDFAST, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=timeout)


class Load(unittest.TestCase):
    def setUp(self):
        space = workspace()
        self.space = space.__enter__()
        self.addCleanup(space.__exit__, None, None, None)
        self.node = self.space.node().start()
        self.journal = self.space.path("journal")

    def load(self, *words, status=0):
        done = holdfast("load", "--server", self.node.address, "--accounts", 50, "--json", *words)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return json.loads(done.stdout) if done.stdout else None

    def restart_in_place(self):
        """kill -9 and start again on the same address, as soon as the kernel has given it back."""
        address = self.node.address
        self.node.kill9()
        until = time.monotonic() + 60
        while True:
            try:
                self.node.start(port__address=address)
                return
            except StartFailed as failed:
                if "in use" not in failed.errors or time.monotonic() > until:
                    raise

    def test_closed_loop(self):
        result = self.load("--operations", 2000, "--batch", 7, "--inflight", 64, "--verify-balances")
        self.assertLessEqual(FIELDS, set(result))
        self.assertEqual(result["ops"], 2000)
        self.assertEqual((result["refused"], result["lost"], result["accounts_wrong"]), (0, 0, 0))
        self.assertEqual((result["workload"], result["durability"], result["port"]), ("transfer", "solo", "kernel"))
        self.assertLessEqual(result["p50_us"], result["p99_us"])
        self.assertLessEqual(result["p999_us"], result["max_us"])
        # Again on the same node: nothing needs to be made, and the books still agree.
        place = self.node.admin("status")["place"]
        self.load("--operations", 100, "--verify-balances", "--seed", 2, "--skew", "uniform")
        self.assertEqual(self.node.admin("status")["place"], place + 103)  # asset and two accounts are put again

    def test_open_loop(self):
        result = self.load("--rate", 2000, "--operations", 1000, "--verify-balances")
        self.assertEqual((result["ops"], result["lost"], result["accounts_wrong"]), (1000, 0, 0))
        self.assertEqual((result["loop"], result["rate"]), ("open", 2000))
        self.assertGreaterEqual(result["seconds"], 0.49)

    def test_authorisations(self):
        result = self.load("--workload", "auth", "--operations", 2000, "--clear", 50, "--verify-balances")
        self.assertEqual((result["ops"], result["refused"], result["accounts_wrong"]), (2000, 0, 0))
        self.assertTrue(400 < result["captures"] < 900, result["captures"])

    def test_authorisations_under_limits(self):
        """Each draws every limit of its card, and a run that follows goes on where the one before stopped."""
        load = ("--workload", "auth", "--limits", 5, "--skew", "uniform", "--verify-balances")
        result = self.load(*load, "--operations", 600)
        self.assertEqual((result["ops"], result["refused"], result["accounts_wrong"], result["limits"]), (600, 0, 0, 5))
        self.assertEqual(self.node.admin("status")["tables"]["limits"], 250)
        result = self.load(*load, "--operations", 400, "--seed", 2)
        self.assertEqual((result["ops"], result["refused"], result["accounts_wrong"]), (400, 0, 0))
        accounts = [self.node.admin(f"account {1000000000000 + i}") for i in range(50)]
        cards = [self.node.admin(f"instrument {2000000000000 + i}")["limits"] for i in range(50)]
        self.assertTrue(all([limit["number"] for limit in limits] == [1, 2, 3, 4, 5] for limits in cards))
        # Limit 2 is of each operation by itself, limit 5 for ever; the others may begin anew at a midnight in between.
        self.assertTrue(all(limits[1]["used_count"] == 0 for limits in cards))
        self.assertEqual(sum(limits[4]["used_count"] for limits in cards), 1000)
        self.assertEqual([limits[4]["used_amount"] for limits in cards], [account["held_out"] for account in accounts])

    def test_splits(self):
        result = self.load("--workload", "split", "--operations", 2000, "--batch", 5, "--verify-balances")
        self.assertEqual((result["workload"], result["ops"], result["refused"], result["accounts_wrong"]), ("split", 2000, 0, 0))
        self.load("--workload", "split", "--operations", 500, "--skew", "uniform", "--seed", 3, "--verify-balances")

    def test_holds(self):
        """Every hold is captured in part, all of them but those at the very end."""
        result = self.load("--workload", "hold", "--operations", 2000, "--verify-balances")
        self.assertEqual((result["ops"], result["refused"], result["accounts_wrong"]), (2000, 0, 0))
        self.assertTrue(850 < result["captures"] <= 1000, result["captures"])
        tables = self.node.admin("status")["tables"]
        self.assertEqual(tables["holds_open"], 2000 - 2 * result["captures"], tables)

    def test_queries(self):
        """They take no place and are never refused."""
        self.load("--workload", "auth", "--operations", 500)
        place = self.node.admin("status")["place"]
        result = self.load("--workload", "query", "--no-setup", "--operations", 3000, "--batch", 7)
        self.assertEqual((result["workload"], result["ops"], result["refused"], result["lost"]), ("query", 3000, 0, 0))
        self.assertEqual(self.node.admin("status")["place"], place)
        done = holdfast("load", "--server", self.node.address, "--workload", "query", "--journal", self.journal)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("changes nothing", done.stderr)
        done = holdfast("load", "--server", self.node.address, "--workload", "query", "--reverse", 20)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("of authorisations", done.stderr)

    def test_mixed(self):
        """The journal knows each operation's part in the balances; one part off is found out."""
        result = self.load("--workload", "mixed", "--clear", 50, "--operations", 3000, "--verify-balances", "--journal", self.journal)
        self.assertEqual((result["ops"], result["refused"], result["accounts_wrong"]), (3000, 0, 0))
        check = self.load("--check", self.journal)
        self.assertEqual((check["present"], check["lost"], check["changed"], check["accounts_wrong"]), (3000, 0, 0, 0))
        with open(self.journal, encoding="ascii") as file:
            lines = file.readlines()
        sent = [line.split()[2] for line in lines if line.startswith("S ")]
        self.assertEqual(set(sent), {"MOVE", "MOVE_PLAN", "HOLD", "AUTH", "CAPTURE"})
        at = next(i for i, line in enumerate(lines) if " MOVE_PLAN " in line)
        words = lines[at].split()
        self.assertEqual(len(words), 11)
        words[8] = str(int(words[8]) - 1)  # a further payer's part: the first one's grows by it
        lines[at] = " ".join(words) + "\n"
        with open(self.journal, "w", encoding="ascii") as file:
            file.writelines(lines)
        self.assertEqual(self.load("--check", self.journal, status=1)["accounts_wrong"], 2)

    def test_cards(self):
        """Authorisations as acquirers send them, with reversals, clearings and duplicates: balances, what each limit says
        is used and what each card has left are what the journal adds up to."""
        cards = ("--workload", "cards", "--skew", "uniform", "--limits", 5, "--reverse", 100, "--duplicates", 50)
        result = self.load(*cards, "--operations", 9000, "--verify-balances", "--journal", self.journal)
        self.assertEqual((result["ops"], result["lost"], result["accounts_wrong"]), (9000 + result["duplicates"], 0, 0))
        self.assertLessEqual(set(result["refusals"]), {"REVERSED"}, result)
        for counted in ("captures", "reversals", "duplicates", "refused"):
            self.assertGreater(result[counted], 0, counted)
        self.assertEqual(result["duplicates_changed"], 0)
        check = self.load("--check", self.journal)
        self.assertEqual((check["present"], check["lost"], check["changed"], check["accounts_wrong"]), (9000, 0, 0, 0))

        sent, used, counted = {}, [0] * 50, [0] * 50
        with open(self.journal, encoding="ascii") as file:
            for words in map(str.split, file):
                if words[0] == "S":
                    sent[words[1]] = words[2:]
                if words[0] != "A" or words[2] != "0":
                    continue
                kind, payer, _, amount, returned = sent[words[1]]
                card, approved = int(payer) - 1000000000000, int(words[4])
                if kind == "AUTH":
                    used[card] += approved
                    counted[card] += 1
                elif kind == "CLEAR":
                    self.assertEqual(approved, int(amount))
                    used[card] -= int(returned)
                elif approved != 0:  # a reversal of what had come
                    self.assertEqual(approved, int(amount))
                    used[card] -= approved
                    counted[card] -= 1
        self.assertGreater(min(counted), 0)
        instruments = [self.node.admin(f"instrument {2000000000000 + i}") for i in range(50)]
        # Limit 5 is for ever; the others may begin anew at a midnight in between.
        self.assertEqual([card["limits"][4]["used_amount"] for card in instruments], used)
        self.assertEqual([card["limits"][4]["used_count"] for card in instruments], counted)
        self.assertEqual([10**15 - card["remaining"] for card in instruments], counted)

    def test_a_node_that_is_gone(self):
        """It dies under load and stays away: the load ends, says what was lost, and exits with 1."""
        result = {}

        def put_load():
            result.update(self.load("--seconds", 3, "--drain", 1, "--inflight", 32, status=1))

        # What makes the accounts takes 103 places, and at most 32 operations wait for their answers:
        # at place 300 some have been answered.
        loader = threading.Thread(target=put_load)
        loader.start()
        while self.node.admin("status")["place"] < 300:
            pass
        self.node.kill9()
        loader.join()
        self.assertGreater(result["lost"], 0)
        self.assertLessEqual(result["lost"], result["inflight"])
        self.assertGreater(result["ops"], 0)
        self.assertNotIn("accounts_wrong", result)

    def test_journal_over_a_kill(self):
        self.journal_over_a_kill("auth", 20000)

    def test_journal_of_all_kinds_over_a_kill(self):
        self.journal_over_a_kill("mixed", 10000)

    def test_journal_of_cards_over_a_kill(self):
        """Reversals that overtake or chase what they are about, clearings and duplicates, with three kills in between."""
        self.journal_over_a_kill("cards", 16000, "--reverse", 100, "--duplicates", 50)

    def journal_over_a_kill(self, workload, operations, *more):
        result = {}

        def put_load():
            result.update(self.load("--workload", workload, "--clear", 50, "--operations", operations, "--inflight", 32, "--batch", 4,
                                    "--journal", self.journal, "--drain", 60, "--verify-balances", *more))

        loader = threading.Thread(target=put_load)
        loader.start()
        for _ in range(3):
            seen = self.node.admin("status")["place"]
            while loader.is_alive() and self.node.admin("status")["place"] < seen + 500:
                pass
            self.restart_in_place()
        loader.join()
        self.assertEqual((result["ops"] - result["duplicates"], result["lost"], result["accounts_wrong"]), (operations, 0, 0))
        self.assertEqual(result["duplicates_changed"], 0)
        check = self.load("--check", self.journal)
        self.assertEqual((check["acked"], check["present"]), (operations, operations))
        self.assertEqual((check["lost"], check["changed"], check["accounts_wrong"]), (0, 0, 0))

    def test_a_false_journal_is_found_out(self):
        self.load("--operations", 200, "--journal", self.journal)
        with open(self.journal, encoding="ascii") as file:
            lines = file.readlines()
        answers = [i for i, line in enumerate(lines) if line.startswith("A ")]
        self.assertEqual(len(answers), 200)

        def check(changed, expected):
            with open(self.journal, "w", encoding="ascii") as file:
                file.writelines(changed)
            found = self.load("--check", self.journal, status=0 if not any(expected.values()) else 1)
            self.assertEqual({name: found[name] for name in expected}, expected)

        whole = {"lost": 0, "changed": 0, "accounts_wrong": 0, "known_unacked": 0}
        check(lines, whole)
        # An answer with another place; an acknowledged transfer that the node never saw; one balance off.
        kind, op_id, code, place, approved = lines[answers[5]].split()
        other = lines[:]
        other[answers[5]] = f"{kind} {op_id} {code} {int(place) + 1} {approved}\n"
        check(other, {**whole, "changed": 1})
        stranger = "0x" + f"{int(time.time() * 1000):012x}" + "7" * 20
        check(lines + [f"S {stranger} MOVE 1000000000001 1000000000002 5\n", f"A {stranger} 0 77777 5\n"],
              {"lost": 1, "changed": 0, "accounts_wrong": 2})
        balance = next(i for i, line in enumerate(lines) if line.startswith("B 1000000000003 "))
        words = lines[balance].split()
        other = lines[:]
        other[balance] = f"B {words[1]} {int(words[2]) + 1} {words[3]} {words[4]}\n"
        check(other, {"lost": 0, "changed": 0, "accounts_wrong": 1})
        # What was not acknowledged may be known or not: neither is wrong.
        with open(self.journal, "w", encoding="ascii") as file:
            file.writelines(lines[:answers[7]] + lines[answers[7] + 1:] + [f"S {stranger} MOVE 1000000000001 1000000000002 5\n", "A 0x01"])
        found = self.load("--check", self.journal)
        self.assertEqual((found["acked"], found["known_unacked"], found["unknown_unacked"]), (199, 1, 1))
        # And what is no journal is said so, with its line.
        with open(self.journal, "a", encoding="ascii") as file:
            file.write("nonsense\n")
        done = holdfast("load", "--server", self.node.address, "--check", self.journal)
        self.assertEqual(done.returncode, 1)
        self.assertIn("not a journal's line", done.stderr)

    def test_admin(self):
        done = holdfast("admin", "--socket", self.node.socket, "status")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(json.loads(done.stdout)["state"], "serving")
        done = holdfast("admin", "--socket", self.node.socket, "account", "42")
        self.assertEqual(done.returncode, 1)
        self.assertIn("error", json.loads(done.stdout))
        self.assertEqual(holdfast("admin", "--socket", self.node.socket + "x", "status").returncode, 1)

    def test_wrong_usage(self):
        for words in ([], ["fly"], ["load"], ["load", "--server", "127.0.0.1:1", "--workload", "x"], ["load", "--rate", "-1"],
                      ["load", "--server", "127.0.0.1:1", "--batch", "9", "--inflight", "8"],
                      ["load", "--server", "127.0.0.1:1", "--workload", "split", "--accounts", "3"],
                      ["load", "--server", "127.0.0.1:1", "--workload", "split", "--limits", "1"],
                      ["load", "--server", "127.0.0.1:1", "--workload", "hold", "--reverse", "1"],
                      ["load", "--server", "127.0.0.1:1", "--workload", "cards", "--reverse", "1001"],
                      ["load", "--server", "127.0.0.1:1", "--duplicates", "-1"],
                      ["load", "--server", "127.0.0.1:1", "--workload", "auth", "--limits", "17"], ["log", "cat", "--from", "5", "."], ["admin", "status"],
                      ["admin", "--socket", "x"], ["run"], ["run", "/nonexistent.hf"], ["load", "extra"]):
            done = holdfast(*words)
            self.assertEqual(done.returncode, 2, f"{words}: {done.stderr}")
            self.assertNotEqual(done.stderr, "", words)
        for words in (["help"], ["--help"], ["version"], ["help", "load"], ["run", "--help"]):
            done = holdfast(*words)
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)
            self.assertNotEqual(done.stdout, "")


if __name__ == "__main__":
    unittest.main(verbosity=2)
