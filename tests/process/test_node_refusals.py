#!/usr/bin/env python3
"""What a node refuses to start on: wrong settings (exit status 2), and data directories it cannot trust (3). Each is one
clear line that names the place, and nothing in the directory is changed by a node that refuses."""
import ctypes
import json
import os
import shutil
import struct
import unittest

import messages as m
from node import HOLDFAST, hash_directory, refusal, run, workspace

ISSUER, WALLET = 1001, 2001
SUPERBLOCK_COPY = 4096
SUPERBLOCK_FORMAT_AT = 24
RECORD_HEADER = 128
BLOCK = 512
PREV_HASH_AT = 88
AMOUNT_AT = RECORD_HEADER + 64


class Hash(ctypes.Structure):
    _fields_ = [("low", ctypes.c_uint64), ("high", ctypes.c_uint64)]


def xxh3_128(data):
    """As the files have it: low half first."""
    library = ctypes.CDLL("libxxhash.so.0")
    library.XXH3_128bits.restype = Hash
    library.XXH3_128bits.argtypes = [ctypes.c_char_p, ctypes.c_size_t]
    value = library.XXH3_128bits(data, len(data))
    return struct.pack("<QQ", value.low, value.high)


def read(path):
    with open(path, "rb") as file:
        return bytearray(file.read())


def write(path, data):
    with open(path, "r+b") as file:
        file.write(data)


def records(segment):
    """Offsets and lengths of the records of a segment, from its first on."""
    found = []
    at = 0
    while segment[at + 16:at + 20] == b"HFLR":
        length = int.from_bytes(segment[at + 24:at + 28], "little")
        found.append((at, length))
        at += (length + BLOCK - 1) // BLOCK * BLOCK
    return found


class Settings(unittest.TestCase):
    def setUp(self):
        space = workspace()
        self.space = space.__enter__()
        self.addCleanup(space.__exit__, None, None, None)
        self.node = self.space.node()

    def refused(self, words, **changes):
        status, line, before = refusal(self.node, **changes)
        self.assertEqual(status, 2, line)
        self.assertIn(words, line)
        self.assertEqual(before, [], "more than one line")
        self.assertFalse(os.path.exists(self.node.data), "a data directory was made")

    def test_files(self):
        path = self.space.path("node.ini")
        for text, words in (("[node]\nnode = 0\n", ":2: [node] node is outside 1 to 65535"),
                            ("[node]\n\nnodes = 1\n", ":3: [node] nodes no such setting"),
                            ("[port]\nmtu = 1500\nmtu = 1500\n", ":3: [port] mtu set twice"),
                            ("[port]\nmtu 1500\n", ":2: is neither [section] nor key = value"),
                            ("[log]\ndurability = none\n", ":2: [log] durability is none of: solo memory-bench")):
            with open(path, "w", encoding="ascii") as file:
                file.write(text)
            self.refused(path + words, **{"config": path})
        self.refused(": No such file or directory", config=self.space.path("missing.ini"))

    def test_values(self):
        self.refused("--port.mtu", port__mtu=639)
        self.refused("--node.bundles", node__bundles="many")
        self.refused("node.cluster", node__cluster="nonsense")
        self.refused("node.cluster", node__cluster="0")
        self.refused("node.cores", node__cores="0: rx order log")
        self.refused("node.cores", node__cores="4095: rx order log tx")
        self.refused("log.block_bytes", log__block_bytes=1024)
        self.refused("log.durability", log__durability="memory-bench")

    def test_addresses(self):
        """Without sessions nobody outside this machine may reach a node; it ends before it binds."""
        for address in ("0.0.0.0:0", "10.77.0.2:0", "192.0.2.1:4600", "126.255.255.255:0", "128.0.0.1:0"):
            self.refused("is not on loopback", port__address=address)
        for address in ("nonsense", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.256:1", "[::1]:4600", ":4600", ""):
            self.refused("port.address", port__address=address)
        for eal in ("", "--vdev net_memif0", "-a 0000:00:04.0"):
            self.refused("needs --no-pci", port__kind="dpdk", port__eal=eal, port__address="10.77.0.2:4600")
        for eal in ("--no-pci", "--no-pci --vdev net_tap0", "--no-pci --vdev net_memif0 --vde net_tap0"):
            self.refused("only net_memif, net_ring and net_null", port__kind="dpdk", port__eal=eal,
                         port__address="10.77.0.2:4600")


class Data(unittest.TestCase):
    """On a directory with two checkpoints and records after them, left by a kill: a copy for each test."""

    SETTINGS = {"log__seal_interval": "0s"}  # seals lie where they are counted to be

    @classmethod
    def setUpClass(cls):
        space = workspace()
        cls.origin = space.__enter__().node(**cls.SETTINGS)
        cls.addClassCleanup(space.__exit__, None, None, None)
        cls.origin.start()
        client = m.Client(cls.origin.address)
        client.must(m.asset_put())
        client.must(m.account_put(ISSUER, floor=m.FLOOR_NONE))
        client.must(m.account_put(WALLET))
        for stage in range(3):
            for _ in range(10):
                client.must(m.move(ISSUER, WALLET, 7))
            if stage < 2:
                assert cls.origin.admin("checkpoint")["written"]
        client.close()
        cls.digest = cls.origin.digest()
        cls.origin.kill9()

    def setUp(self):
        space = workspace()
        self.space = space.__enter__()
        self.addCleanup(space.__exit__, None, None, None)
        self.node = self.space.node(**self.SETTINGS)
        shutil.copytree(self.origin.data, self.node.data)
        self.segment = self.file("log-0000000000000001")

    def file(self, name):
        path = os.path.join(self.node.data, name)
        self.assertTrue(os.path.exists(path), f"no {name} in {os.listdir(self.node.data)}")
        return path

    def checkpoints(self):
        """Oldest first."""
        names = sorted(name for name in os.listdir(self.node.data) if name.startswith("checkpoint-"))
        self.assertEqual(len(names), 2)
        return [os.path.join(self.node.data, name) for name in names]

    def refused(self, words, status=3, **changes):
        before = hash_directory(self.node.data)
        self.assertNotEqual(before, {})
        got, line, _ = refusal(self.node, **changes)
        self.assertEqual(got, status, line)
        self.assertIn(words, line)
        self.assertEqual(hash_directory(self.node.data), before, f"changed by a refusal: {line}")
        return line

    def starts(self):
        self.node.start()
        self.assertEqual(self.node.digest(), self.digest)

    def test_other_cluster_or_node(self):
        self.refused("cluster", node__cluster=2)
        self.refused("node", node__node=2)
        self.starts()

    def test_other_format(self):
        path = self.file("superblock")
        data = read(path)
        for copy in range(4):
            at = copy * SUPERBLOCK_COPY
            data[at + SUPERBLOCK_FORMAT_AT] = 3
            data[at:at + 16] = xxh3_128(bytes(data[at + 16:at + SUPERBLOCK_COPY]))
        write(path, data)
        self.assertRegex(self.refused("format"), "found format 3, expected 4")

    def test_broken_superblock(self):
        """Three copies may be lost, not four."""
        path = self.file("superblock")
        good = read(path)
        data = bytearray(good)
        for copy in range(3):
            data[copy * SUPERBLOCK_COPY + 100] ^= 1
        write(path, data)
        self.starts()
        self.node.kill9()
        data = read(path)
        for copy in range(4):
            data[copy * SUPERBLOCK_COPY + 100] ^= 1
        write(path, data)
        self.refused("superblock")
        write(path, bytes(len(data)))
        self.refused("superblock")
        os.truncate(path, 100)
        self.refused("superblock")
        os.unlink(path)
        self.refused(self.node.data.rsplit("/", 1)[1])

    def test_corrupt_middle(self):
        """A byte of an acknowledged record that others follow: file and offset are named, nothing is cut away. Only
        records after the newest checkpoint are read."""
        good = read(self.segment)
        found = records(good)
        self.assertGreater(len(found), 30)
        for number in (-2, -5, -9):
            offset, length = found[number]
            for at in (0, 20, 24, RECORD_HEADER, length - 1):
                data = bytearray(good)
                data[offset + at] ^= 0x10
                write(self.segment, data)
                line = self.refused("log-0000000000000001")
                self.assertIn(str(offset), line)
        # A record that lies where another belongs: each is whole, the chain is not.
        data = bytearray(good)
        (one, _), (two, _) = found[-6], found[-5]
        self.assertEqual(two - one, BLOCK)
        data[one:one + BLOCK], data[two:two + BLOCK] = data[two:two + BLOCK], data[one:one + BLOCK]
        write(self.segment, data)
        self.refused("log-0000000000000001")
        write(self.segment, good)
        self.starts()

    def test_forged_record(self):
        """Every hash made right again, and none of the signatures: the seal tells, by its place."""
        self.node.start()
        self.node.terminate()
        for name in os.listdir(self.node.data):
            if name.startswith("checkpoint-"):
                os.unlink(os.path.join(self.node.data, name))
        good = read(self.segment)
        data = bytearray(good)
        found = records(data)
        data[found[20][0] + AMOUNT_AT] ^= 1
        before = bytes(data[found[19][0]:found[19][0] + 16])
        for offset, length in found[20:]:
            data[offset + PREV_HASH_AT:offset + PREV_HASH_AT + 16] = before
            before = data[offset:offset + 16] = xxh3_128(bytes(data[offset + 16:offset + length]))
        write(self.segment, data)
        seal = found[-1][0]
        self.refused(f"log-0000000000000001 at offset {seal}: record {len(found)} is a seal that is over records of other bytes")
        write(self.segment, good)
        self.starts()

    def test_keys(self):
        """The key that signs the log: another's, one that others may read, none, or half of one."""
        path = self.file("node-key")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        for mode in (0o640, 0o604, 0o666):
            os.chmod(path, mode)
            self.refused("node-key: may be read by others")
        os.chmod(path, 0o600)
        good = read(path)
        os.truncate(path, 0)
        self.refused("node-key: is not 64 bytes long")
        write(path, bytes(64))
        self.refused("node-key: its halves do not belong together")
        os.unlink(path)
        self.refused("node-key: there is none")
        os.mkdir(path)
        self.refused_elsewhere("node-key: is no plain file")
        os.rmdir(path)
        other = self.space.node("other").start()
        other.kill9()
        shutil.copy(os.path.join(other.data, "node-key"), path)
        self.refused("superblock: found public key")
        # Wherever it is kept, it is the key that counts.
        away = self.space.path("kept")
        with open(away, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(good)
        self.node.settings["node.key"] = away
        self.starts()

    def refused_elsewhere(self, words):
        """Like refused, where there is more in the directory than files."""
        status, line, _ = refusal(self.node)
        self.assertEqual(status, 3, line)
        self.assertIn(words, line)

    def test_missing_segment(self):
        away = self.space.path("segment")
        shutil.move(self.segment, away)
        self.refused("log-")
        shutil.move(away, self.segment)
        self.starts()

    def test_broken_checkpoints(self):
        """The newest is broken: the one before it is used. Both: the log from its beginning. Same state each time."""
        older, newer = self.checkpoints()
        for path in (newer, older):
            data = read(path)
            data[len(data) // 2] ^= 4
            write(path, data)
            self.starts()
            self.node.kill9()
        # Broken checkpoints do not keep new ones from being written.
        self.node.start()
        self.assertEqual(self.node.admin("checkpoint")["written"], True)
        self.node.kill9()
        self.starts()
        self.assertEqual(self.node.admin("status")["replayed"], 0)

    def test_cut_and_empty_checkpoints(self):
        older, newer = self.checkpoints()
        os.truncate(newer, 5000)
        self.starts()
        self.node.kill9()
        os.truncate(newer, 0)
        os.truncate(older, 4096)
        self.starts()

    def test_leftovers(self):
        """Files in the making when the node was killed are in nobody's way."""
        for name in ("checkpoint.tmp", "segment.tmp"):
            with open(os.path.join(self.node.data, name), "wb") as file:
                file.write(b"half written")
        self.starts()
        self.assertTrue(self.node.admin("checkpoint")["written"])

    def test_read_only(self):
        if os.geteuid() != 0:
            self.skipTest("needs root: a read-only mount")
        # In a mount namespace of its own: gone with the node.
        self.node.prefix = ["unshare", "--mount", "sh", "-c",
                            f"mount --bind '{self.node.data}' '{self.node.data}' && "
                            f"mount -o remount,bind,ro '{self.node.data}' && exec \"$@\"", "sh"]
        self.refused("Read-only file system")
        self.node.prefix = []
        self.starts()

    def test_smaller_tables(self):
        """Less room than what is there needs."""
        self.refused("limits", status=2, ledger__accounts=1)
        self.starts()

    def test_other_sizes(self):
        """Block and segment size belong to the directory: it keeps its own."""
        self.node.start(log__segment_bytes="8m", log__block_bytes=4096)
        self.assertEqual(self.node.digest(), self.digest)


class Places(unittest.TestCase):
    def setUp(self):
        space = workspace()
        self.space = space.__enter__()
        self.addCleanup(space.__exit__, None, None, None)
        self.node = self.space.node()

    def test_plain_file(self):
        with open(self.node.data, "w", encoding="ascii") as file:
            file.write("precious")
        status, line, _ = refusal(self.node)
        self.assertEqual(status, 3, line)
        self.assertIn(self.node.data[:40], line)
        with open(self.node.data, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")

    def test_a_first_start_cut_short(self):
        """The key is there and the superblock not yet: the key is used, and signs the log."""
        other = self.space.node("other").start()
        other.kill9()
        os.mkdir(self.node.data)
        shutil.copy(os.path.join(other.data, "node-key"), self.node.data)
        with open(os.path.join(self.node.data, "node-key.tmp"), "wb") as file:
            file.write(b"half")
        self.node.start()
        self.node.kill9()
        keys = [json.loads(run([HOLDFAST, "log", "stat", "--json", node.data]).stdout)["key"] for node in (self.node, other)]
        self.assertEqual(keys[0], keys[1])
        with open(os.path.join(self.node.data, "node-key"), "rb") as file:
            self.assertEqual(file.read()[32:].hex(), keys[0])

    def test_somebody_elses_directory(self):
        os.mkdir(self.node.data)
        with open(os.path.join(self.node.data, "letters.txt"), "w", encoding="ascii") as file:
            file.write("precious")
        before = hash_directory(self.node.data)
        status, line, _ = refusal(self.node)
        self.assertEqual(status, 3, line)
        self.assertEqual(hash_directory(self.node.data), before)

    def test_no_place_for_a_directory(self):
        status, line, _ = refusal(self.node, data__directory=self.space.path("missing/data"))
        self.assertEqual(status, 3, line)
        self.assertIn("missing/data", line)


if __name__ == "__main__":
    unittest.main(verbosity=2)
