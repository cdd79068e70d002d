#!/usr/bin/env python3
"""A data directory that has been tampered with, mixed up with another, or made unusable: the node refuses it with one clear
line that names the file, exit status 3, and not a byte or mode of it is changed; put right again, it serves as before."""
import os
import shutil
import stat
import unittest

import messages as m
from node import HOLDFAST, refusal, run, workspace
from test_node_refusals import SUPERBLOCK_COPY, read, write, xxh3_128

ISSUER, WALLET = 1001, 2001
LAST = 3
NOBODY = 65534
SMALL = dict(log__segment_bytes="1m", log__batch_bytes="64k", log__depth=2, log__seal_interval="0s", ledger__accounts=100, ledger__instruments=100,
             ledger__holds=100, ledger__remembered=10000)
SEGMENT = "log-{:016x}"
ENDIANNESS_AT, FORMAT_AT, PROMISED_AT = 28, 24, 64
EXIT_DATA = 3


def look(directory):
    """Everything about every entry that a refusal must leave as it is: kind, mode, owner, length, content, where it points."""
    found = {}
    for name in sorted(os.listdir(directory)):
        path = os.path.join(directory, name)
        info = os.lstat(path)
        content = None
        if stat.S_ISREG(info.st_mode):
            with open(path, "rb") as file:
                content = file.read()
        elif stat.S_ISLNK(info.st_mode):
            content = os.readlink(path)
        elif stat.S_ISDIR(info.st_mode):
            content = sorted(os.listdir(path))
        found[name] = (info.st_mode, info.st_uid, info.st_size, content)
    return found


def has_records(path):
    if not os.path.exists(path):
        return False
    with open(path, "rb") as file:
        return file.read(20)[16:] == b"HFLR"


def seal_superblock(data):
    for copy in range(4):
        at = copy * SUPERBLOCK_COPY
        data[at:at + 16] = xxh3_128(bytes(data[at + 16:at + SUPERBLOCK_COPY]))


class BadDirectories(unittest.TestCase):
    """On a directory whose log ends in its third segment, without a checkpoint, left by a kill."""

    @classmethod
    def setUpClass(cls):
        space = workspace()
        cls.space = space.__enter__()
        cls.addClassCleanup(space.__exit__, None, None, None)
        cls.origin = cls.make("origin", 9)
        cls.longer = cls.make("longer", 6)
        cls.shorter = cls.make("shorter", 12)

    @classmethod
    def make(cls, name, moves):
        """A node of this name that has written a log, so many moves a record, and is gone."""
        node = cls.space.node(name, **SMALL)
        node.start()
        client = m.Client(node.address)
        client.must(m.asset_put())
        client.must(m.account_put(ISSUER, floor=m.FLOOR_NONE))
        client.must(m.account_put(WALLET))
        while not has_records(os.path.join(node.data, SEGMENT.format(LAST))):
            for _ in range(50):
                client.fence(m.datagram([m.move(ISSUER, WALLET, amount + 1) for amount in range(moves)]))
        client.close()
        node.digest_then = node.digest()
        node.kill9()
        return node

    def setUp(self):
        self.node = self.space.node(self.id().rsplit(".", 1)[1], **SMALL)
        shutil.copytree(self.origin.data, self.node.data)
        self.addCleanup(shutil.rmtree, self.node.directory)

    def path(self, name):
        return os.path.join(self.node.data, name)

    def refused(self, *words, **changes):
        """Returns the line."""
        before = look(self.node.data)
        status, line, _ = refusal(self.node, **changes)
        self.assertEqual(status, EXIT_DATA, line)
        for word in words:
            self.assertIn(word, line)
        after = look(self.node.data)
        self.assertEqual(before.keys(), after.keys(), line)
        for name, entry in before.items():
            self.assertTrue(entry == after[name], f"{name} was changed by a refusal: {line}")
        return line

    def serves(self):
        self.node.start()
        self.assertEqual(self.node.digest(), self.origin.digest_then)
        self.node.kill9()

    def put_aside(self, name):
        """Returns what puts it back."""
        aside = os.path.join(self.node.directory, "aside")
        os.rename(self.path(name), aside)

        def put_back():
            path = self.path(name)
            if os.path.islink(path) or os.path.isfile(path) or stat.S_ISFIFO(os.lstat(path).st_mode):
                os.unlink(path)
            elif os.path.isdir(path):
                os.rmdir(path)
            os.rename(aside, path)
        return aside, put_back

    def change_superblock(self, at, value):
        data = read(self.path("superblock"))
        for copy in range(4):
            start = copy * SUPERBLOCK_COPY + at
            data[start:start + len(value)] = value
        seal_superblock(data)
        write(self.path("superblock"), data)

    def test_another_cluster_or_node(self):
        self.refused("superblock", "cluster", node__cluster=77)
        self.refused("superblock", "node 1", "expected 2", node__node=2)
        self.serves()

    def test_another_format(self):
        good = read(self.path("superblock"))
        self.change_superblock(FORMAT_AT, (99).to_bytes(4, "little"))
        self.refused("superblock", "format 99")
        write(self.path("superblock"), good)
        self.serves()

    def test_another_byte_order(self):
        good = read(self.path("superblock"))
        self.change_superblock(ENDIANNESS_AT, (0x01020304).to_bytes(4, "big"))
        self.refused("superblock", "big-endian", "expected little-endian")
        write(self.path("superblock"), good)
        self.serves()

    def test_an_older_superblock(self):
        """From before the epoch of the newest records; who only reads does not mind."""
        good = read(self.path("superblock"))
        self.change_superblock(PROMISED_AT, (0).to_bytes(8, "little"))
        self.refused("superblock", "promises epoch 0 at most", "records of epoch 1")
        run([HOLDFAST, "log", "verify", self.node.data])
        write(self.path("superblock"), good)
        self.serves()

    def test_a_segment_of_another_log(self):
        """Of the same cluster and node: the chain tells. Each segment in turn."""
        for number in (1, 2, LAST):
            name = SEGMENT.format(number)
            good = read(self.path(name))
            for other in (self.longer, self.shorter):
                shutil.copyfile(os.path.join(other.data, name), self.path(name))
                self.refused("log-", "offset")
            write(self.path(name), good)
        self.serves()

    def test_segments_swapped(self):
        one, two = (read(self.path(SEGMENT.format(number))) for number in (2, 3))
        write(self.path(SEGMENT.format(2)), two)
        write(self.path(SEGMENT.format(3)), one)
        self.refused("log-", "offset")
        write(self.path(SEGMENT.format(2)), one)
        write(self.path(SEGMENT.format(3)), two)
        self.serves()

    def test_a_missing_segment(self):
        for number in (1, 2, LAST, LAST + 1):
            name = SEGMENT.format(number)
            aside, _ = self.put_aside(name)
            self.refused("log-")
            os.rename(aside, self.path(name))
        self.serves()

    def test_no_plain_file(self):
        """A directory, a link, also to the very file, and a pipe in place of each kind of file."""
        for name in ("superblock", "node-key", SEGMENT.format(1), SEGMENT.format(3), SEGMENT.format(5)):
            # A key may be a link: it may lie anywhere.
            for kind in ("directory", "pipe") if name == "node-key" else ("directory", "link", "pipe"):
                aside, put_back = self.put_aside(name)
                if kind == "directory":
                    os.mkdir(self.path(name))
                elif kind == "link":
                    os.symlink(aside, self.path(name))
                else:
                    os.mkfifo(self.path(name), 0o600)
                with self.subTest(name=name, kind=kind):
                    self.refused(name)
                put_back()
        self.serves()

    def test_empty_files(self):
        for name in ("superblock", "node-key", SEGMENT.format(1), SEGMENT.format(2), SEGMENT.format(LAST)):
            good = read(self.path(name))
            os.truncate(self.path(name), 0)
            with self.subTest(name=name):
                self.refused(name if not name.startswith("log-") else "log-")
            write(self.path(name), good)
        self.serves()

    def test_a_checkpoint_that_is_no_file(self):
        node = self.node
        node.start()
        self.assertTrue(node.admin("checkpoint"))
        self.assertEqual(node.terminate(), 0)
        (name,) = [name for name in os.listdir(node.data) if name.startswith("checkpoint-")][-1:]
        _, put_back = self.put_aside(name)
        os.mkdir(self.path(name))
        self.refused(name)
        put_back()
        self.serves()

    def test_modes(self):
        """As somebody who is not root, for whom modes count."""
        if os.geteuid() != 0:
            self.skipTest("needs root, to become somebody else")
        self.node.prefix = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
        os.chmod(self.space.directory, 0o755)
        for path in [self.node.directory, self.node.data, *map(self.path, os.listdir(self.node.data))]:
            os.chown(path, NOBODY, NOBODY)
        for name in ("superblock", SEGMENT.format(1), SEGMENT.format(LAST), SEGMENT.format(LAST + 1)):
            for mode in (0o000, 0o400):
                os.chmod(self.path(name), mode)
                with self.subTest(name=name, mode=oct(mode)):
                    self.refused(name, "Permission denied")
                os.chmod(self.path(name), 0o640)
        for mode in (0o000, 0o500):
            os.chmod(self.node.data, mode)
            with self.subTest(mode=oct(mode)):
                self.refused("Permission denied")
            os.chmod(self.node.data, 0o750)
        self.serves()

    def test_two_nodes(self):
        """The second one is refused, and the first goes on."""
        self.node.start()
        second = self.space.node("second", data__directory=self.node.data, **SMALL)
        with self.node.paused():
            before = look(self.node.data)
            status, line, _ = refusal(second)
            self.assertEqual(look(self.node.data), before)
        self.assertEqual(status, EXIT_DATA, line)
        self.assertIn("another process uses this data directory", line)
        client = m.Client(self.node.address)
        client.must(m.move(ISSUER, WALLET, 5))
        client.close()
        self.node.kill9()


if __name__ == "__main__":
    unittest.main(verbosity=2)
