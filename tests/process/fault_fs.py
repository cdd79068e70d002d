"""A data directory on the file system of fault_fs.c, in a mount namespace of the test's own: nothing of it is seen outside,
and nothing of it stays."""
import ctypes
import os
import select
import signal
import subprocess

from node import die_with_parent, skip

CLONE_NEWNS = 0x00020000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
START_S = 20

_libc = ctypes.CDLL(None, use_errno=True)


def need_mounts():
    """A mount namespace for this process and all it starts."""
    if os.geteuid() != 0:
        skip("needs root (a mount namespace, FUSE)")
    if not os.path.exists("/dev/fuse"):
        skip("no /dev/fuse here")
    if _libc.unshare(CLONE_NEWNS) != 0 or _libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None) != 0:
        skip(f"no mount namespace: {os.strerror(ctypes.get_errno())}")


class FaultyDisk:
    """`mounted` is the directory; `durable` what a power cut leaves of it."""

    def __init__(self, program, directory):
        self.mounted, self.durable, self.cache = (os.path.join(directory, name) for name in ("mounted", "durable", "cache"))
        for path in (self.mounted, self.durable, self.cache):
            os.makedirs(path)
        self.process = subprocess.Popen([program, self.durable, self.cache, self.mounted], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
        self._expect("ready")

    def _expect(self, word):
        if not select.select([self.process.stdout], [], [], START_S)[0]:
            raise AssertionError(f"the file system did not say {word}")
        line = self.process.stdout.readline()
        assert line == word + "\n", f"the file system said {line!r}, and not {word}"

    def set(self, mode):
        """good, fail-flush, fail-write, short-write or hold-flush, from the next call on; or pass-flush: one of those held."""
        self.process.stdin.write(mode + "\n")
        self.process.stdin.flush()
        self._expect("ok")

    def close(self):
        """The end of the file system. What was not flushed is in `cache` alone."""
        if self.process is None:
            return
        self.process.stdin.close()
        try:
            self.process.wait(START_S)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            subprocess.run(["umount", "--lazy", self.mounted], check=False)
        self.process.stdout.close()
        self.process = None
