#!/usr/bin/env python3
"""`holdfast log events` on a real node's directory: what it tells is what was done, from the beginning, from a place, and from a checkpoint; with
what it tells balances can be kept; a node that runs is not disturbed. And no name of the script is in the log's bytes."""
import glob
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from node import HOLDFAST, hash_directory, run, workspace  # noqa: E402

# What is played, and behind the arrow what must be told: kind, amount or reason.
STORY = """
asset 840 USD 2                                        => PUT
account zacharias-bank asset USD floor none            => OPENED
account yolanda asset USD                              => OPENED
account xaver asset USD                                => OPENED
account wilma-shop asset USD                           => OPENED
key notary
move zacharias-bank yolanda 100.00                     => POSTED -10000; POSTED 10000
move zacharias-bank xaver 50.00                        => POSTED -5000; POSTED 5000
move yolanda xaver 100.01 -> INSUFFICIENT              => REFUSED INSUFFICIENT/PAYER
repeat
move yolanda xaver 1.00 dry-run
plan 60.00 from yolanda 40.00, xaver to wilma-shop     => POSTED -4000; POSTED -2000; POSTED 6000
plan 60.00 from yolanda 10.00, xaver to wilma-shop -> INSUFFICIENT => REFUSED INSUFFICIENT/PAYER 2
hold h plan 30.00 from yolanda 2/3, xaver 1/3 to wilma-shop needs 1 of signed-by notary expires +1m => HELD 3000
attest h 1 forged -> BAD_PROOF                         => REFUSED BAD_PROOF/CONDITION 1
attest h 1 signature notary                            => ATTESTED 1
capture h 12.00                                        => POSTED -1200; POSTED 1200; CAPTURED 1200
adjust h raise 3.00                                    => ADJUSTED 2100
release h 1.00                                         => RELEASED 100
"""
LATER = """
advance 2m
expect hold h status lapsed                            => EXPIRED 2000
chain
    move yolanda xaver 5.00
    hold g xaver wilma-shop 5.00
end                                                    => POSTED -500; POSTED 500; HELD 500
chain
    move yolanda xaver 5.00
    move yolanda xaver 500.00
end -> INSUFFICIENT failed 2                           => REFUSED INSUFFICIENT/PAYER 2
capture g 4.00 final                                   => POSTED -400; POSTED 400; CAPTURED 400; RELEASED 100
card c yolanda count 2                                 => PUT
auth a c wilma-shop 5.00                               => HELD 500; DRAWN 1
limit 3 on c amount 20.00 count 3 per day zone -03:30 mcc 5411,5412 channel 2 => LIMIT 0 3
limit 8 on yolanda amount 4.00 per rolling 4h          => LIMIT 0 8
auth b c wilma-shop 5.00 mcc 5411 channel 2 -> AMOUNT_LIMIT => REFUSED AMOUNT_LIMIT/ACCOUNT_LIMIT 8
limit 8 on yolanda raise amount 6.00                   => LIMIT 0 8
auth d c wilma-shop 5.00 minimum 1.00 class 4 tolerance 15% mcc 5411 channel 2 => HELD 500; LIMIT 500 3; LIMIT 500 8; DRAWN 0
limit 8 on yolanda reset                               => LIMIT 0 8
class 7 lifetime 5m                                    => PUT
account xaver ceiling 1000.00                          => CHANGED
close xaver sink yolanda                               => POSTED -3100; POSTED 3100; CLOSED 3100
"""
CARDS = """
asset 840 USD 2                                        => PUT
account zacharias-bank asset USD floor none            => OPENED
account yolanda asset USD                              => OPENED
account xaver asset USD                                => OPENED
account wilma-shop asset USD                           => OPENED
move zacharias-bank yolanda 100.00                     => POSTED -10000; POSTED 10000
card c accounts yolanda, xaver count 9                 => PUT
limit 3 on c amount 90.00 per lifetime                 => LIMIT 0 3
later early
reverse early all                                      => REVERSED 0
reverse early all
auth early c wilma-shop 5.00 -> REVERSED               => REFUSED REVERSED/ORIGINAL
auth check c wilma-shop 0
auth a c wilma-shop 50.00 estimated acquirer 77        => HELD 5000; LIMIT 5000 3; DRAWN 8
increment a 10.00                                      => ADJUSTED 6000; LIMIT 6000 3
clear a 45.00                                          => POSTED -4500; POSTED 4500; CAPTURED 4500
reverse a 5.00                                         => REVERSED 500; LIMIT 5500 3
clear a 4.00 final                                     => POSTED -400; POSTED 400; CAPTURED 400; RELEASED 600; LIMIT 4900 3
reverse a all captured                                 => POSTED 4900; POSTED -4900; REVERSED 4900; LIMIT 0 3; DRAWN 9
auth big c wilma-shop 95.00 forced mcc 5411            => HELD 9500; LIMIT 9500 3; DRAWN 8; EXCEPTION 9500 AMOUNT_LIMIT/INSTRUMENT_LIMIT 3
clear none 2.00 forced card c payee wilma-shop         => POSTED -200; POSTED 200; CAPTURED 200; LIMIT 9700 3; DRAWN 7; EXCEPTION 200 UNKNOWN_HOLD/ORIGINAL
"""
NAMES = [b"zacharias", b"yolanda", b"xaver", b"wilma", b"notary"]


def script_of(story):
    return "".join(line.split("=>")[0].rstrip() + "\n" for line in story.splitlines())


def told_by(story):
    return [event.strip() for line in story.splitlines() if "=>" in line for event in line.split("=>")[1].split(";")]


def brief(event):
    """An event as the stories write it."""
    words = [event["event"]]
    if "amount" in event:
        words.append(str(event["amount"]))
    if "code" in event:
        words.append(f"{event['code']}/{event['rule']}")
    if "entry" in event:
        words.append(str(event["entry"]))
    return " ".join(words)


class Events(unittest.TestCase):
    def setUp(self):
        space = workspace()
        self.space = space.__enter__()
        self.addCleanup(space.__exit__, None, None, None)
        self.node = self.space.node(node__test_clock="yes").start()

    def play(self, story, name="story.hf", salt=17):
        path = self.space.path(name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(script_of(story))
        run([HOLDFAST, "run", path, "--salt", salt, "--server", self.node.address, "--admin", self.node.socket])

    def events(self, *words, check=True):
        done = run([HOLDFAST, "log", "events", "--json", *words, self.node.data], check=check)
        return [json.loads(line) for line in done.stdout.splitlines()] if check else done

    def test_what_was_done_is_told_in_order(self):
        self.play(STORY + LATER)
        accounts = {}
        self.assertEqual(self.node.kill9(), -9)
        before = hash_directory(self.node.data)
        events = self.events()
        self.assertEqual(hash_directory(self.node.data), before)
        self.assertEqual([brief(event) for event in events], told_by(STORY + LATER))
        places = [event["place"] for event in events]
        self.assertEqual(places, sorted(places))

        # As text the same, line by line.
        lines = run([HOLDFAST, "log", "events", self.node.data]).stdout.splitlines()
        self.assertEqual([line.split()[3] for line in lines], [event["event"] for event in events])

        # Who adds up what is told has the balances.
        self.node.start()
        for event in events:
            if event["event"] == "POSTED":
                accounts[event["subject"]] = accounts.get(event["subject"], 0) + event["amount"]
        self.assertEqual(len(accounts), 4)
        for account, posted in accounts.items():
            self.assertEqual(self.node.admin(f"account {account}")["posted"], posted)

        # From a place on: exactly the later ones.
        self.assertEqual(self.node.terminate(), 0)
        for place in (1, 9, places[-1], places[-1] + 1):
            self.assertEqual(self.events("--from", place), [event for event in events if event["place"] >= place])

    def test_cards(self):
        """What becomes of authorisations is told, and printed, each operation by its own words."""
        self.play(CARDS)
        self.assertEqual(self.node.kill9(), -9)
        events = self.events()
        self.assertEqual([brief(event) for event in events], told_by(CARDS))
        records = [json.loads(line) for line in run([HOLDFAST, "log", "cat", "--json", self.node.data]).stdout.splitlines()]
        by_type = {}
        for operation in (operation for record in records for operation in record["operations"]):
            by_type.setdefault(operation["type"], []).append(operation)
        self.assertEqual(len(by_type["INSTRUMENT_PUT"][0]["further"]), 1)
        auth = by_type["AUTH"][2]
        self.assertEqual((auth["estimated"], "forced" in auth, auth["acquirer"]), (True, False, 77))
        self.assertEqual(by_type["AUTH"][3]["forced"], True)
        increment = by_type["INCREMENT"][0]
        self.assertEqual((increment["original"], increment["amount"], increment["acquirer"]), (auth["id"], 1000, 77))
        first, again, part, whole = by_type["REVERSE"]
        self.assertEqual((first["original"], first["amount"], first["original"]), (again["original"], "all", by_type["AUTH"][0]["id"]))
        self.assertEqual((part["amount"], "captured" in part, whole["captured"]), (500, False, True))
        clear, last, alone = by_type["CLEAR"]
        self.assertEqual((clear["original"], clear["amount"], "final" in clear, last["final"]), (auth["id"], 4500, False, True))
        self.assertEqual(("original" in alone, alone["forced"], alone["token"]), (False, True, by_type["INSTRUMENT_PUT"][0]["token"]))
        lines = run([HOLDFAST, "log", "cat", self.node.data]).stdout
        self.assertIn("CLEAR", lines)
        self.assertTrue(json.loads(run([HOLDFAST, "log", "verify", "--json", self.node.data]).stdout)["holds"])

    def test_a_checkpoint_spares_what_lies_before_it(self):
        self.play(STORY)
        place = self.node.admin("status")["place"]
        self.assertNotIn("error", self.node.admin("checkpoint"))
        self.play(STORY + LATER, "again.hf", salt=18)
        self.node.terminate()
        events = self.events()
        self.assertEqual(self.events("--from", place + 1), [event for event in events if event["place"] > place])
        self.assertEqual(self.events("--from", place), [event for event in events if event["place"] >= place])

        # Other limits from here on: what lies before can no longer be told, what comes later can.
        self.node.start(ledger__holds=500)
        changed = self.node.admin("status")["place"]
        self.node.settings["ledger.holds"] = "500"
        self.play("asset 840 USD 2\nasset 978 EUR 2\n", "more.hf")
        self.node.terminate()
        later = self.events("--from", changed + 1)
        self.assertEqual([(brief(event), event["subject"]) for event in later], [("PUT", "840"), ("PUT", "978")])
        done = self.events("--from", 1, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertIn("limits were last changed", done.stderr)

    def test_beside_a_node_that_runs(self):
        self.play(STORY)
        self.assertEqual([brief(event) for event in self.events()], told_by(STORY))
        self.assertEqual(self.node.admin("status")["state"], "serving")

    def test_names_stay_outside(self):
        self.play(STORY + LATER)
        self.node.terminate()
        files = glob.glob(os.path.join(self.node.data, "*"))
        self.assertTrue(files)
        for path in files:
            with open(path, "rb") as file:
                content = file.read()
            for name in NAMES:
                self.assertNotIn(name, content, path)

    def test_every_operation_is_printed(self):
        self.play(STORY + LATER)
        self.node.terminate()
        records = [json.loads(line) for line in run([HOLDFAST, "log", "cat", "--json", self.node.data]).stdout.splitlines()]
        operations = {operation["place"]: operation for record in records for operation in record["operations"]}
        by_type = {}
        for operation in operations.values():
            by_type.setdefault(operation["type"], []).append(operation)
        plan = by_type["MOVE_PLAN"][0]
        self.assertEqual([(entry["rule"], entry.get("amount")) for entry in plan["sources"]], [("FIXED", 4000), ("REMAINING", None)])
        hold = by_type["HOLD_PLAN"][0]
        self.assertEqual([(entry["amount"], entry["of"]) for entry in hold["sources"]], [(2, 3), (1, 3)])
        self.assertEqual((hold["required"], hold["conditions"][0]["kind"]), (1, "SIGNATURE"))
        self.assertEqual(by_type["EXPIRE"][0]["expiries"], [{"hold": hold["id"]}])
        self.assertEqual([inner["type"] for inner in by_type["CHAIN"][0]["operations"]], ["MOVE", "HOLD"])
        self.assertEqual((by_type["ADJUST"][0]["mode"], by_type["ADJUST"][0]["amount"]), ("RAISE", 300))
        self.assertEqual(by_type["CLASS_PUT"][0]["lifetime_ns"], 300_000_000_000)
        day, rolling, more, reset = by_type["LIMIT_PUT"]
        self.assertEqual((day["number"], day["mode"], day["amount"], day["count"], day["window"], day["zone_minutes"], day["mccs"], day["channels"]),
                         (3, "SET", 2000, 3, "DAY", -210, [5411, 5412], 4))
        self.assertEqual(day["token"], by_type["INSTRUMENT_PUT"][0]["token"])
        self.assertEqual((rolling["window"], rolling["length_ns"], rolling["count"]), ("ROLLING", 4 * 3600 * 10**9, "unlimited"))
        self.assertEqual((more["mode"], more["amount"], more["count"]), ("RAISE", 600, 0))
        self.assertEqual((reset["mode"], reset["account"]), ("RESET", rolling["account"]))
        auth = by_type["AUTH"][-1]
        self.assertEqual((auth["minimum"], auth["class"], auth["tolerance"], auth["channel"]), (100, 4, 150, 2))
        self.assertEqual(by_type["ACCOUNT_PUT"][-1]["ceiling"], 100000)
        self.assertIn("sink", by_type["ACCOUNT_CLOSE"][0])
        stat = json.loads(run([HOLDFAST, "log", "stat", "--json", self.node.data]).stdout)
        self.assertEqual(stat["types"]["CHAIN"], 2)
        self.assertTrue(json.loads(run([HOLDFAST, "log", "verify", "--json", self.node.data]).stdout)["holds"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
