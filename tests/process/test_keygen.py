#!/usr/bin/env python3
"""`holdfast keygen`: the private key only in its file, the public one only on the screen, never over anything."""
import json
import os
import re
import stat
import subprocess
import tempfile
import unittest

HOLDFAST = os.path.join(os.environ['HOLDFAST_BUILD'], 'holdfast')
FORM = re.compile(r'holdfast-private-key 1 ([0-9a-f]{64})\npublic ([0-9a-f]{64})\n')


def keygen(*arguments):
    return subprocess.run([HOLDFAST, 'keygen', *arguments], capture_output=True, text=True, timeout=30, check=False)


class Keygen(unittest.TestCase):
    def setUp(self):
        space = tempfile.TemporaryDirectory(prefix='holdfast-keygen-')
        self.addCleanup(space.cleanup)
        self.path = os.path.join(space.name, 'node.key')

    def read(self):
        with open(self.path, encoding='ascii') as file:
            return file.read()

    def test_makes_a_pair(self):
        made = keygen(self.path)
        self.assertEqual((made.returncode, made.stderr), (0, ''))
        private, public = FORM.fullmatch(self.read()).groups()
        self.assertEqual(made.stdout, public + '\n')
        self.assertNotIn(private, made.stdout)
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)
        shown = keygen('--public', self.path)
        self.assertEqual((shown.returncode, shown.stdout), (0, public + '\n'))
        shown = keygen('--public', '--json', self.path)
        self.assertEqual(json.loads(shown.stdout), {'public_key': public})

    def test_two_are_never_the_same(self):
        first = keygen(self.path).stdout
        os.unlink(self.path)
        self.assertNotEqual(keygen(self.path).stdout, first)

    def test_refuses_what_is_there(self):
        keygen(self.path)
        before = self.read()
        again = keygen(self.path)
        self.assertEqual((again.returncode, again.stdout), (1, ''))
        self.assertIn(self.path + ': exists already', again.stderr)
        self.assertEqual(self.read(), before)

    def test_refuses_a_file_that_others_can_read(self):
        keygen(self.path)
        os.chmod(self.path, 0o640)
        shown = keygen('--public', self.path)
        self.assertEqual((shown.returncode, shown.stdout), (1, ''))
        self.assertIn('mode 0640', shown.stderr)

    def test_a_full_disk_leaves_nothing(self):
        """The write fails: a limit on the size of files, its signal ignored, stands for the disk."""
        script = 'trap "" XFSZ; ulimit -f 0; exec "$0" keygen "$1"'
        made = subprocess.run(['bash', '-c', script, HOLDFAST, self.path], capture_output=True, text=True, timeout=30,
                              check=False)
        self.assertEqual((made.returncode, made.stdout), (1, ''))
        self.assertIn(self.path, made.stderr)
        self.assertFalse(os.path.exists(self.path))

    def test_usage(self):
        for arguments in ((), ('a', 'b'), ('--private', 'a')):
            self.assertEqual(keygen(*arguments).returncode, 2, arguments)
        self.assertIn('keygen', subprocess.run([HOLDFAST, 'help'], capture_output=True, text=True, check=False).stdout)


if __name__ == '__main__':
    unittest.main()
