#!/usr/bin/env python3
"""The offline tools on a real node's log: `holdfast log verify, stat, cat, events, replay, prove, verify-proof, diff`, and
holdfast-verify-proof, which trusts a public key and nothing else. None of them changes a byte.

test_row_0_4 is row 0.4 of the scenarios: a thousand moves, a signed root over them, a flipped byte that the verifier
names, and a proof of move 517 that holds by the signer's key alone."""
import contextlib
import datetime
import json
import os
import random
import shutil
import unittest

import messages as m
from node import BUILD, HOLDFAST, hash_directory, is_sanitized, run, workspace
from test_node_refusals import read, records, write, xxh3_128

VERIFY_PROOF = os.path.join(BUILD, "holdfast-verify-proof")
ISSUER, WALLET = 1001, 2001
SMALL = dict(log__segment_bytes="1m", log__segments_ahead=1, log__batch_bytes="64k", log__depth=2, log__seal_interval="0s", ledger__accounts=100,
             ledger__instruments=100, ledger__holds=100, ledger__remembered=10000)
PROOF_HEADER, SEAL = 64, 344


def some(count):
    """How many of many alike: under the sanitizers, where a program takes several times as long to start and to end, a quarter."""
    return count // 4 if is_sanitized() else count


def text_of(operation):
    """The id of an operation as the tools write it."""
    digits = f"{int.from_bytes(m.id_of(operation), 'little'):032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


class Tools(unittest.TestCase):
    def setUp(self):
        space = workspace()
        self.space = space.__enter__()
        self.addCleanup(space.__exit__, None, None, None)

    def start(self, **settings):
        self.node = self.space.node(**{**SMALL, **settings}).start()
        self.client = m.Client(self.node.address)
        self.client.must(m.asset_put())
        self.client.must(m.account_put(ISSUER, floor=m.FLOOR_NONE))
        self.client.must(m.account_put(WALLET))
        return self.node

    def stop(self):
        self.client.close()
        self.assertEqual(self.node.terminate(), 0)
        return self.node.data

    def log(self, *words, status=0):
        done = run([HOLDFAST, "log", *words], check=False)
        self.assertEqual(done.returncode, status, f"{words}: {done.stdout}{done.stderr}")
        if status != 0:
            self.assertEqual(len(done.stderr.splitlines()), 0 if words[0] == "diff" and done.stdout else 1, done.stderr)
        return done

    def json(self, *words, status=0):
        return [json.loads(line) for line in self.log(*words, "--json", status=status).stdout.splitlines()]

    def flip(self, data, at):
        path = os.path.join(data, "log-0000000000000001")
        bytes_ = read(path)
        bytes_[at] ^= 0x20
        write(path, bytes_)

    # ---- Row 0.4

    def test_row_0_4_move_517_of_a_thousand(self):
        self.start(log__seal_records=2000)
        moves = [m.move(ISSUER, WALLET, 1 + number) for number in range(1000)]
        for one in moves:
            self.client.must(one)
        data = self.stop()
        before = hash_directory(data)

        # One signed value over all of it: R.
        [verdict] = self.json("verify", data)
        self.assertEqual((verdict["holds"], verdict["seals"], verdict["unsealed_records"], verdict["tail"]), (True, 1, 0, "clean"))
        self.assertEqual((verdict["replayed"], verdict["digests_compared"], verdict["last_place"]), (True, 1, 1003))
        root, key = verdict["last_chain"], verdict["key"]

        # Move 517 is under it, by the proof and the key alone.
        proof = self.space.path("517.proof")
        [proved] = self.json("prove", text_of(moves[516]), data, "--out", proof)
        self.assertEqual(hash_directory(data), before)
        shutil.move(data, data + "-away")
        [held] = self.json("verify-proof", proof, "--key", key)
        self.assertEqual((held["holds"], held["chain"], held["key_compared"]), (True, root, True))
        self.assertEqual((held["operation"]["amount"], held["operation"]["place"]), (517, 3 + 517))
        self.assertEqual([event["amount"] for event in held["unsigned_note"]], [-517, 517])
        self.assertEqual(proved["operation"], held["operation"])
        alone = run([VERIFY_PROOF, proof, key])
        self.assertIn(f"operation {text_of(moves[516])}\n", alone.stdout)
        self.assertIn(f"chain {root}\n", alone.stdout)

        # With another key, or with any byte changed that is signed for, it proves nothing.
        self.log("verify-proof", proof, "--key", "11" * 32, status=1)
        good = read(proof)
        signed = PROOF_HEADER + SEAL + 32 * held["path_length"] + 128 + 80
        chance = random.Random(517)
        for at in sorted({*range(0, PROOF_HEADER, 7), *(chance.randrange(signed) for _ in range(some(60)))}):
            bad = bytearray(good)
            bad[at] ^= 1 << chance.randrange(8)
            write(proof, bad)
            self.assertEqual(run([VERIFY_PROOF, proof, key], check=False).returncode, 1, f"byte {at}")
        write(proof, good)
        self.log("verify-proof", proof, "--key", key)
        shutil.move(data + "-away", data)

        # One flipped byte: the verifier names file, offset and record.
        found = records(before_bytes := read(os.path.join(data, "log-0000000000000001")))
        self.assertEqual(len(found), 1004)
        for number in sorted(chance.sample(range(len(found) - 2), some(12))):
            offset, length = found[number]
            self.flip(data, offset + chance.randrange(length))
            [verdict] = self.json("verify", data, status=1)
            self.assertFalse(verdict["holds"])
            self.assertTrue(verdict["fault"].startswith(f"log-0000000000000001 at offset {offset}: record {number + 1} is damaged"),
                            verdict["fault"])
            write(os.path.join(data, "log-0000000000000001"), before_bytes)
        self.assertEqual(hash_directory(data), before)

    def test_an_auditor_who_trusts_nobody(self):
        """A directory that holds in itself, but is another's; and a log that has grown, or shrunk, since it was seen."""
        self.start(log__seal_records=4)
        for number in range(9):
            self.client.must(m.move(ISSUER, WALLET, 1 + number))
        data = self.stop()
        [seen] = self.json("verify", data)
        early = shutil.copytree(data, self.space.path("early"))
        self.log("verify", data, "--key", seen["key"].upper(), "--chain", seen["last_chain"])
        self.assertIn("superblock: found public key", self.log("verify", data, "--key", "ab" * 32, status=3).stderr)
        self.node.start()
        self.client = m.Client(self.node.address)
        for number in range(9):
            self.client.must(m.move(ISSUER, WALLET, 1 + number))
        self.stop()
        self.log("verify", data, "--key", seen["key"], "--chain", seen["last_chain"])
        [later] = self.json("verify", data)
        self.log("verify", early, "--key", seen["key"])
        self.assertIn("less of it than was seen", self.log("verify", early, "--chain", later["last_chain"], status=1).stderr)

    # ---- The others

    def test_refused_operations_are_proved_too(self):
        self.start(log__seal_records=3)
        refused = m.move(WALLET, ISSUER, 1_000_000)
        self.assertEqual(self.client.ask(refused).verdict, "INSUFFICIENT/PAYER")
        for number in range(10):
            self.client.must(m.move(ISSUER, WALLET, 1 + number))
        data = self.stop()
        proof = self.space.path("refused.proof")
        [proved] = self.json("prove", text_of(refused), data, "--out", proof)
        [event] = proved["unsigned_note"]
        self.assertEqual((event["event"], event["code"], event["rule"]), ("REFUSED", "INSUFFICIENT", "PAYER"))
        self.log("verify-proof", proof, "--key", proved["key"])
        # Never over what is there already, and of nothing that is not.
        self.assertIn("File exists", self.log("prove", text_of(refused), data, "--out", proof, status=1).stderr)
        self.assertIn("no operation", self.log("prove", text_of(m.move(1, 2, 3)), data, status=1).stderr)

    def test_every_span_and_segment(self):
        """Under many seals and over several segments every operation is proved."""
        self.start(log__seal_records=7)
        operations = []
        for number in range(30):
            operations += [m.move(ISSUER, WALLET, 1 + number * 100 + i) for i in range(100)]
            self.client.fence(m.datagram(operations[-100:-90]))
            for one in operations[-90:]:
                self.client.must(one)
        data = self.stop()
        [stat] = self.json("stat", data)
        self.assertGreaterEqual(stat["segments_used"], 2)
        self.assertGreater(stat["seals"], 100)
        self.assertEqual((stat["unsealed_records"], stat["types"]["MOVE"]), (0, 3000))
        for number in range(0, 3000, 3000 // some(9)):
            proof = self.space.path(f"{number}.proof")
            [proved] = self.json("prove", text_of(operations[number]), data, "--out", proof)
            self.assertEqual(proved["operation"]["amount"], number + 1)
            run([VERIFY_PROOF, proof, stat["key"]])
        kinds = [record["kind"] for record in self.json("cat", data)]
        self.assertEqual(kinds.count("seal"), stat["seals"])
        self.assertEqual(kinds[-1], "seal")

    def test_balances_as_they_were(self):
        self.start()
        chance = random.Random(4)
        seen = {}
        for number in range(200):
            if chance.random() < 0.7:
                self.client.must(m.move(ISSUER, WALLET, chance.randrange(1, 900)))
            elif chance.random() < 0.5:
                self.client.must(m.hold(ISSUER, WALLET, chance.randrange(1, 50)))
            else:
                self.client.ask(m.move(WALLET, ISSUER, chance.randrange(1, 2000)))
            account = self.node.admin(f"account {WALLET}")
            seen[account["place"]] = {key: account[key] for key in ("posted", "available", "held_in", "held_out")}
            if number in (60, 140):
                self.assertTrue(self.node.admin("checkpoint")["written"])
        data = self.stop()
        before = hash_directory(data)
        times = {}
        for record in self.json("cat", data):
            for operation in record["operations"]:
                times[operation["place"]] = record["timestamp_ns"]
        for place in sorted(chance.sample(sorted(seen), some(12))) + [max(seen)]:
            [then] = self.json("replay", data, "--until", place, "--account", WALLET)
            self.assertEqual({key: then[key] for key in seen[place]}, seen[place], f"place {place}")
            # Each record here is one operation: its time names it as well.
            [then] = self.json("replay", data, "--until", f"{times[place]}ns", "--account", WALLET)
            self.assertEqual(then["posted"], seen[place]["posted"])
            before_it = datetime.datetime.fromtimestamp(times[place] // 10**9, datetime.timezone.utc)
            moment = before_it.strftime("%Y-%m-%dT%H:%M:%S") + f".{times[place] % 10**9:09}Z"
            [again] = self.json("replay", data, "--until", moment, "--account", WALLET)
            self.assertEqual(again, then)
        head, issuer, wallet = self.json("replay", data, "--until", max(seen))
        self.assertEqual((head["place"], issuer["account"], wallet["account"]), (max(seen), str(ISSUER), str(WALLET)))
        self.assertEqual(issuer["posted"] + wallet["posted"], 0)
        self.assertIn("no account", self.log("replay", data, "--until", 1, "--account", WALLET, status=1).stderr)
        self.assertIn("the log ends at place", self.log("replay", data, "--until", 10**6, status=1).stderr)
        self.assertEqual(hash_directory(data), before)

    def test_inside_a_record(self):
        """A place between two operations of one record."""
        self.start()
        with self.node.paused():
            operations = [m.move(ISSUER, WALLET, 1 << number) for number in range(12)]
            self.client.socket.send(m.datagram(operations))
        for one in operations:
            self.client.must(one)
        data = self.stop()
        self.assertIn(12, [record["count"] for record in self.json("cat", data)])
        for number in range(12):
            [then] = self.json("replay", data, "--until", 4 + number, "--account", WALLET)
            self.assertEqual(then["posted"], (2 << number) - 1)

    def test_two_directories(self):
        self.start()
        for number in range(5):
            self.client.must(m.move(ISSUER, WALLET, 1 + number))
        self.stop()
        other = self.space.node("other", **SMALL)
        shutil.copytree(self.node.data, other.data)
        [same] = self.json("diff", self.node.data, other.data)
        self.assertEqual((same["relation"], same["records_same"]), ("same", 9))
        for node, amount in ((self.node, 70), (other, 71)):
            node.start()
            client = m.Client(node.address)
            client.must(m.move(ISSUER, WALLET, amount))
            client.close()
            node.terminate()
            [found] = self.json("diff", self.node.data, other.data, status=1)
            if node is self.node:
                self.assertEqual((found["relation"], found["shorter"], found["records_same"]), ("prefix", other.data, 9))
        self.assertEqual((found["relation"], found["record"], found["records_same"]), ("differ", 10, 9))
        self.assertEqual((found["one"]["first_place"], found["other"]["first_place"]), (9, 9))

    def test_beside_a_node(self):
        node = self.start(log__seal_records=10)
        moves = [m.move(ISSUER, WALLET, 1 + number) for number in range(50)]
        for one in moves:
            self.client.must(one)
        [verdict] = self.json("verify", node.data)
        self.assertEqual((verdict["holds"], verdict["tail"]), (True, "being written"))
        self.assertGreaterEqual(verdict["last_place"], 53)
        self.json("stat", node.data)
        self.json("cat", node.data)
        [then] = self.json("replay", node.data, "--until", 13, "--account", WALLET)
        self.assertEqual(then["posted"], 55)
        self.json("prove", text_of(moves[3]), node.data, "--out", self.space.path("p"))
        self.assertIn("no seal stands over yet", self.log("prove", text_of(moves[-1]), node.data, status=1).stderr)
        self.assertEqual(self.node.admin("status")["state"], "serving")
        self.client.must(m.move(ISSUER, WALLET, 1))
        self.stop()

    def test_the_newest_records_are_signed_in_time(self):
        """Of a node that nobody sends anything more, and after a kill -9 of one that had not come to it."""
        node = self.start(log__seal_records=1000, log__seal_interval="0s")
        self.client.must(m.move(ISSUER, WALLET, 1))
        [verdict] = self.json("verify", node.data)
        self.assertEqual((verdict["seals"], verdict["unsealed_records"]), (0, 4))
        self.client.close()
        node.kill9()
        node.settings["log.seal_interval"] = "20ms"
        self.signed_in_time(node.start(), 4)
        with contextlib.closing(m.Client(node.address)) as client:
            client.must(m.move(ISSUER, WALLET, 1))
        self.signed_in_time(node, 5)
        self.assertEqual(node.terminate(), 0)

    def signed_in_time(self, node, places):
        for _ in range(1000):
            [verdict] = self.json("verify", node.data)
            if verdict["unsealed_records"] == 0:
                self.assertEqual((verdict["holds"], verdict["last_place"]), (True, places))
                return
        self.fail("no seal after a thousand looks")

    def test_directories_that_are_refused(self):
        empty = self.space.path("empty")
        os.mkdir(empty)
        verbs = (["verify"], ["stat"], ["cat"], ["events"], ["replay", "--until", "1"])
        for directory in (empty, self.space.path("missing")):
            for verb in verbs:
                self.log(*verb, directory, status=3)
        self.start()
        for number in range(20):
            self.client.must(m.move(ISSUER, WALLET, 1))
        data = self.stop()
        path = os.path.join(data, "log-0000000000000001")
        offset, _ = records(read(path))[10]
        self.flip(data, offset + 70)
        before = hash_directory(data)
        self.log("verify", data, status=1)
        for verb in verbs[1:]:
            errors = self.log(*verb, data, status=3).stderr
            self.assertIn(f"log-0000000000000001 at offset {offset}: ", errors)
        self.log("diff", data, data, status=3)
        self.assertEqual(hash_directory(data), before)

    def test_wrong_usage(self):
        for words in ([], ["verify"], ["verify", "a", "b"], ["replay", "a"], ["replay", "a", "--until", "noon"], ["diff", "a"], ["arbiter"],
                      ["arbiter", "a", "b", "c"],
                      ["prove", "a"], ["stat", "a", "--until", "3"], ["cat", "a", "--key", "00"], ["verify-proof"],
                      ["replay", "a", "--until", "0"], ["nonsense", "a"], ["cat", "a", "--out", "f"], ["verify-proof", "x", "--key", "1"],
                      ["verify", "a", "--chain", "xy"], ["stat", "a", "--key", "00" * 32], ["prove", "nonsense", "a"]):
            self.assertEqual(run([HOLDFAST, "log", *words], check=False).returncode, 2, words)
        self.assertEqual(run([VERIFY_PROOF, "x"], check=False).returncode, 2)

    def test_a_digest_that_is_not_the_logs(self):
        """A checkpoint that is whole, and of another state: only carrying the operations out finds it."""
        self.start()
        for number in range(5):
            self.client.must(m.move(ISSUER, WALLET, 1 + number))
        data = self.stop()
        [name] = [name for name in os.listdir(data) if name.startswith("checkpoint-")]
        path = os.path.join(data, name)
        bytes_ = read(path)
        bytes_[96] ^= 1
        bytes_[:16] = xxh3_128(bytes(bytes_[16:4096]))
        write(path, bytes_)
        self.json("verify", data, "--no-replay")
        [verdict] = self.json("verify", data, status=1)
        self.assertIn(f"{name} at offset 96: found digest", verdict["fault"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
