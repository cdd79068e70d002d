#!/usr/bin/env python3
"""Checkpoints made beside a serving node: what is in them, when they are made, what goes behind them, and that nothing is
lost when the process that makes one, or the node, is killed at any point of it."""
import json
import os
import shutil
import signal
import struct
import subprocess
import unittest

import messages as m
from node import ADMIN_S, HOLDFAST, die_with_parent, hash_directory, is_sanitized, read_answer, refusal, run, wait_until, workspace

ISSUER, WALLET = 1001, 2001
HEADER = struct.Struct("<16s8sII16sQQQQ16sQQQ")  # wal/FORMAT.md
SEGMENT = 1 << 20
SMALL = dict(log__segment_bytes="1m", log__segments_ahead=1, log__batch_bytes="64k", log__depth=2, ledger__accounts=1000,
             ledger__instruments=1000, ledger__holds=1000, ledger__remembered=20000)
BY_HAND = dict(checkpoint__bytes=0, checkpoint__interval="0s")


def state_of(process):
    """The kernel's letter for a process; None when it is gone."""
    try:
        with open(f"/proc/{process}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return None


def is_gone(process):
    return state_of(process) in (None, "Z")


def names(node, prefix):
    return sorted(name for name in os.listdir(node.data) if name.startswith(prefix))


class Checkpoints(unittest.TestCase):
    def setUp(self):
        space = workspace()
        self.space = space.__enter__()
        self.addCleanup(space.__exit__, None, None, None)
        self.node = self.space.node(**SMALL, **BY_HAND)

    def client(self, node=None):
        client = m.Client((node or self.node).address)
        self.addCleanup(client.close)
        return client

    def open_accounts(self, client):
        client.must(m.asset_put())
        client.must(m.account_put(ISSUER, floor=m.FLOOR_NONE))
        client.must(m.account_put(WALLET))

    def transfer(self, client, count=10):
        for _ in range(count):
            client.must(m.move(ISSUER, WALLET, 7))

    def fill_segments(self, client, count):
        """Writes log until so many segments more have been begun."""
        node = self.node
        last = int(names(node, "log-")[-1][4:], 16) + count
        while int(names(node, "log-")[-1][4:], 16) < last:
            for _ in range(15):  # many under way, and the answers to all of them awaited
                client.socket.send(m.datagram([m.move(ISSUER, WALLET, 1) for _ in range(16)], session=client.session))
            client.fence(m.datagram([m.move(ISSUER, WALLET, 1) for _ in range(16)], session=client.session))

    def newest_header(self, node=None):
        node = node or self.node
        name = names(node, "checkpoint-")[-1]
        with open(os.path.join(node.data, name), "rb") as file:
            fields = HEADER.unpack(file.read(HEADER.size))
        self.assertEqual(fields[1], b"HFCHECKP")
        self.assertEqual(fields[5], int(name[11:], 16))
        low, high = fields[10], fields[11]
        return {"index": fields[5], "place": fields[7], "digest": f"{high:016x}{low:016x}"}

    def test_made_while_serving(self):
        """Operations go on being answered, and what comes out is the state at its record: the node's own digest."""
        self.node.start()
        status = run([HOLDFAST, "load", "--server", self.node.address, "--workload", "transfer", "--accounts", 100,
                      "--operations", 2000, "--json"])
        self.assertEqual(json.loads(status.stdout)["lost"], 0)
        load = subprocess.Popen([HOLDFAST, "load", "--server", self.node.address, "--workload", "transfer", "--accounts",
                                 "100", "--inflight", "32", "--operations", "30000", "--json"],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        places = []
        try:
            while load.poll() is None and len(places) < 4:
                done = self.node.admin("checkpoint")
                if not done["written"]:  # the load has all its answers, and is about to end
                    self.assertEqual(done["checkpoint_place"], places[-1])
                    break
                places.append(done["checkpoint_place"])
                self.assertEqual(self.newest_header()["place"], places[-1])
            out, errors = load.communicate(timeout=120)
        finally:
            if load.poll() is None:
                load.kill()
                load.communicate()
        self.assertEqual(load.returncode, 0, errors)
        self.assertEqual(json.loads(out)["lost"], 0)
        self.assertEqual(places, sorted(set(places)))
        self.assertGreaterEqual(len(places), 1)
        client = self.client()
        self.open_accounts(client)
        digest = self.node.digest()
        self.assertTrue(self.node.admin("checkpoint")["written"])
        header = self.newest_header()
        self.assertEqual((header["digest"], header["place"]), (digest["digest"], digest["place"]))
        self.assertEqual(self.node.digest(), digest)
        again = self.node.admin("checkpoint")
        self.assertEqual((again["written"], again["checkpoint_place"]), (False, digest["place"]))
        status = self.node.admin("status")["checkpoint"]
        self.assertEqual((status["place"], status["made"], status["failures"], status["failure"], status["running"]),
                         (digest["place"], len(places) + 1, 0, None, False))
        self.assertEqual(len(names(self.node, "checkpoint-")), 2)
        # A clean stop finds it there, compares it with its own state, and is content.
        self.assertEqual(self.node.terminate(), 0)
        self.assertIn("stopped clean", self.node.errors())
        self.assertEqual(self.newest_header()["digest"], digest["digest"])
        self.node.start()
        self.assertEqual(self.node.digest(), digest)
        self.assertEqual(self.node.admin("status")["replayed"], 0)
        self.assertRegex(self.node.errors(), r"log recovered: checkpoint of \d+ MiB in \d+ ms, 0 operations in \d+ "
                                             rf"records \(\d+ MiB\) replayed in \d+ ms, next place {digest['place'] + 1}\n")

    def ask_for_checkpoint(self):
        """Sends the command and does not wait for its answer."""
        connection = self.node.connect()
        self.addCleanup(connection.close)
        connection.sendall(b"checkpoint\n")
        return connection

    def stopped_copy(self, connection):
        """The process that makes the checkpoint when it has stopped itself; None when it ended before."""
        found = []

        def look():
            process = self.node.admin("status")["checkpoint"]["process"]
            if process is not None and state_of(process) == "T":
                found.append(process)
                return True
            connection.setblocking(False)
            try:
                return connection.recv(1, 1 << 1) != b""  # MSG_PEEK: the answer is there
            except BlockingIOError:
                return False
            finally:
                connection.settimeout(ADMIN_S)

        wait_until(look, "the copy stopped or ended")
        return found[0] if found else None

    def prepare_history(self):
        """A directory with two checkpoints, segments that may go, and records after all that."""
        self.node.start()
        client = self.client()
        self.open_accounts(client)
        for _ in range(2):
            self.fill_segments(client, 1)
            self.assertTrue(self.node.admin("checkpoint")["written"])
        self.fill_segments(client, 1)
        digest = self.node.digest()
        self.node.kill9()
        shutil.copytree(self.node.data, self.space.path("history"))
        return digest

    def use_history(self, stop):
        shutil.rmtree(self.node.data)
        shutil.copytree(self.space.path("history"), self.node.data)
        self.node.start(checkpoint__test_stop=stop, log__retain_bytes=0)
        return self.ask_for_checkpoint()

    def test_killed_before_every_change(self):
        """The process that makes it stops before each change to the directory in turn, and is killed there; and so is the
        node. The older checkpoint is whole, nothing is lost, and the next attempt succeeds. (Under the sanitizers, where nodes
        are slow to start, one of the two in turn: the release build does both everywhere.)"""
        digest = self.prepare_history()
        whole = names(self.node, "checkpoint-")
        points = 0
        for stop in range(1, 100):
            connection = self.use_history(stop)
            process = self.stopped_copy(connection)
            if process is None:
                self.assertTrue(read_answer(connection)["written"])
                self.node.kill9()
                break
            points += 1
            if is_sanitized() and stop % 2 == 0:
                self.kill_node(process, stop, digest)
                continue
            self.kill_copy(process, stop, connection, whole)
            if not is_sanitized():
                self.kill_node(self.stopped_copy(self.use_history(stop)), stop, digest)
        # Made, written twice, flushed, renamed, directory flushed, the oldest removed, a segment and its directory.
        self.assertGreaterEqual(points, 8)
        print(f"killed before each of {points} changes", flush=True)

    def kill_copy(self, process, stop, connection, whole):
        """Only the copy: the node serves on, says so, and makes another."""
        client = self.client()
        client.must(m.query(WALLET))
        os.kill(process, signal.SIGKILL)
        self.assertIn("signal 9", read_answer(connection)["error"])
        status = self.node.admin("status")["checkpoint"]
        self.assertEqual(status["failures"], 1, status)
        for name in whole[-1:]:
            self.assertIn(name, os.listdir(self.node.data))
        client.must(m.move(ISSUER, WALLET, 1))
        after = self.node.digest()
        self.assertNotIn("error", self.node.admin("checkpoint"))
        status = self.node.admin("status")["checkpoint"]
        self.assertEqual((status["failures"], status["failure"]), (1, None), status)
        header = self.newest_header()
        self.assertEqual(header["digest"], after["digest"])
        self.node.kill9()
        self.node.start()
        self.assertEqual(self.node.digest(), after, f"stopped before change {stop}")
        self.node.kill9()

    def kill_node(self, process, stop, digest):
        """The node: the copy goes with it, and the next node finds all as it was."""
        self.node.kill9()
        wait_until(lambda: is_gone(process), "the copy is gone with its node")
        self.node.start()
        self.assertEqual(self.node.digest(), digest, f"stopped before change {stop}")
        self.assertEqual(names(self.node, "checkpoint.tmp"), [])
        self.assertEqual(self.node.admin("status")["checkpoint"]["failures"], 0)
        self.node.kill9()
        run([HOLDFAST, "log", "verify", self.node.data])

    def test_stopped_clean_meanwhile(self):
        digest = self.prepare_history()
        connection = self.use_history(5)
        process = self.stopped_copy(connection)
        self.assertIsNotNone(process)
        self.assertEqual(self.node.terminate(), 0)
        self.assertTrue(is_gone(process))
        self.assertEqual(self.newest_header()["digest"], digest["digest"])
        self.node.start()
        self.assertEqual((self.node.digest(), self.node.admin("status")["replayed"]), (digest, 0))

    def test_two_ask_and_one_hangs_up(self):
        self.prepare_history()
        first = self.use_history(4)
        process = self.stopped_copy(first)
        second = self.ask_for_checkpoint()
        third = self.ask_for_checkpoint()
        third.sendall(b"digest\n")  # waits its turn behind the checkpoint
        first.close()
        self.assertEqual(self.node.admin("status")["checkpoint"]["phase"], "writing")
        os.kill(process, signal.SIGCONT)
        self.assertTrue(read_answer(second)["written"])
        line = b""
        while line.count(b"\n") < 2:
            line += third.recv(65536)
        written, digest = (json.loads(part) for part in line.splitlines())
        self.assertTrue(written["written"])
        self.assertEqual(digest, self.node.digest())

    def made(self):
        return self.node.admin("status")["checkpoint"]["made"]

    def test_by_bytes_of_log(self):
        self.node.start(checkpoint__bytes="1m")
        client = self.client()
        self.open_accounts(client)
        self.fill_segments(client, 3)
        wait_until(lambda: self.made() >= 1, "a checkpoint by bytes")
        self.assertGreater(self.node.admin("status")["checkpoint"]["place"], 3)

    def test_by_time(self):
        self.node.start(checkpoint__interval="100ms")
        client = self.client()
        self.open_accounts(client)
        wait_until(lambda: self.made() >= 1, "a checkpoint by time")
        made = self.made()
        place = self.node.admin("status")["checkpoint"]["place"]
        self.transfer(client)
        wait_until(lambda: self.node.admin("status")["checkpoint"]["place"] == place + 10, "the next one")
        self.assertGreater(self.made(), made)

    def test_memory_bench_has_none(self):
        self.node.start(log__durability="memory-bench", node__benchmark="yes")
        self.assertIn("error", self.node.admin("checkpoint"))
        status = self.node.admin("status")
        self.assertEqual((status["checkpoint"], status["log"]), (None, None))

    # ---- what goes behind a checkpoint

    def make_checkpoints(self, client, count):
        for _ in range(count):
            self.fill_segments(client, 2)
            self.assertTrue(self.node.admin("checkpoint")["written"])

    def test_old_segments_go(self):
        self.node.start(log__retain_bytes=0)
        client = self.client()
        self.open_accounts(client)
        self.make_checkpoints(client, 3)
        log = self.node.admin("status")["log"]
        self.assertGreater(log["first_segment"], 1)
        self.assertEqual(log["removed"], log["first_segment"] - 1)
        self.assertEqual(log["segments"], len(names(self.node, "log-")))
        self.assertEqual(log["bytes"], log["segments"] * SEGMENT)
        self.assertEqual((log["archived"], log["retain_failures"], log["full"]), (0, 0, False))
        digest = self.node.digest()
        # With the newer checkpoint rotten, the older one and the log behind it still do.
        self.node.kill9()
        with open(os.path.join(self.node.data, names(self.node, "checkpoint-")[-1]), "r+b") as file:
            file.seek(5000)
            byte = file.read(1)
            file.seek(5000)
            file.write(bytes([byte[0] ^ 1]))
        self.node.start()
        self.assertEqual(self.node.digest(), digest)
        self.make_checkpoints(self.client(), 2)  # two whole ones again
        self.assertEqual(self.node.terminate(), 0)
        for verb in ("verify", "stat", "cat"):
            run([HOLDFAST, "log", verb, self.node.data])
        # One in the middle is missing: named, and nothing is written.
        lost = names(self.node, "log-")[1]
        os.remove(os.path.join(self.node.data, lost))
        before = hash_directory(self.node.data)
        status, line, _ = refusal(self.node)
        self.assertEqual(status, 3, line)
        self.assertIn(f"{lost} is missing", line)
        self.assertEqual(hash_directory(self.node.data), before)

    def test_retention_keeps(self):
        self.node.start(log__retain_bytes="100m")
        client = self.client()
        self.open_accounts(client)
        self.make_checkpoints(client, 3)
        log = self.node.admin("status")["log"]
        self.assertEqual((log["first_segment"], log["removed"]), (1, 0))
        self.node.kill9()
        self.node.start(log__retain_bytes="2m")
        client = self.client()
        client.must(m.move(ISSUER, WALLET, 1))
        self.assertTrue(self.node.admin("checkpoint")["written"])
        kept = self.node.admin("status")["log"]["first_segment"]
        self.node.kill9()
        self.node.start(log__retain_bytes=0)
        client = self.client()
        client.must(m.move(ISSUER, WALLET, 1))
        self.assertTrue(self.node.admin("checkpoint")["written"])
        # Two segments more or fewer, apart from where the older checkpoint lies.
        self.assertGreaterEqual(self.node.admin("status")["log"]["first_segment"], kept + 2)
        self.assertGreater(kept, 1)

    def test_archive(self):
        """Nothing goes that was not archived; what was archived is what was there."""
        archive = self.space.path("archive")
        gate = self.space.path("open")
        os.mkdir(archive)
        self.node.start(log__retain_bytes=0, log__archive=f"test -e '{gate}' && cp -t '{archive}'")
        client = self.client()
        self.open_accounts(client)
        self.make_checkpoints(client, 2)
        self.fill_segments(client, 1)
        status = self.node.admin("status")
        self.assertEqual((status["log"]["removed"], status["log"]["retain_failures"]), (0, 1))
        self.assertIn("exit status 1 for log-0000000000000001", status["log"]["retain_failure"])
        self.assertEqual((status["checkpoint"]["failures"], status["checkpoint"]["made"]), (0, 2))
        before = {name: value[1] for name, value in hash_directory(self.node.data).items()}
        with open(gate, "w", encoding="ascii"):
            pass
        self.assertTrue(self.node.admin("checkpoint")["written"])
        log = self.node.admin("status")["log"]
        self.assertGreater(log["archived"], 0)
        self.assertEqual((log["archived"], log["retain_failure"]), (log["removed"], None))
        self.assertEqual(log["first_segment"], log["removed"] + 1)
        archived = {name: value[1] for name, value in hash_directory(archive).items()}
        self.assertEqual(archived, {name: before[name] for name in archived})
        self.assertEqual(len(archived), log["archived"])
        digest = self.node.digest()
        self.node.restart()
        self.assertEqual(self.node.digest(), digest)


if __name__ == "__main__":
    unittest.main(verbosity=2)
