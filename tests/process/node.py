"""A real holdfastd under test: started on a directory of its own, asked over its admin socket, killed, started again.

    with workspace() as space:
        node = space.node(ledger__accounts=3)
        node.start()
        node.admin("status")["place"]
        node.kill9()

Everything lives below the build directory (direct writes need a real disk), is removed at the end, and whatever still
runs is stopped by its process id. A node dies with the test that started it.
"""
import contextlib
import ctypes
import hashlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.environ.get("HOLDFAST_BUILD", os.path.join(ROOT, "build"))
NODE = os.path.join(BUILD, "holdfastd")
HOLDFAST = os.path.join(BUILD, "holdfast")
SKIPPED = 77

# Generous: a machine with two busy cores and a build with sanitizers must do.
START_S = 60
STOP_S = 60
ADMIN_S = 60

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)

# Small tables, so that a node starts in no time.
SETTINGS = {
    "port.address": "127.0.0.1:0",
    "ledger.accounts": "10000",
    "ledger.instruments": "10000",
    "ledger.holds": "20000",
    "ledger.remembered": "200000",
    "log.segment_bytes": "4m",
}
# A whole test on nodes whose ledger is divided among shards.
if "HOLDFAST_CORES" in os.environ:
    SETTINGS["node.cores"] = os.environ["HOLDFAST_CORES"]


class StartFailed(Exception):
    """The node ended instead of serving."""

    def __init__(self, status, errors):
        super().__init__(f"exit status {status}: {errors.strip()}")
        self.status = status
        self.errors = errors


def die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def skip(reason):
    """Ends the test as skipped."""
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def need_root():
    if os.geteuid() != 0:
        skip("needs root (network namespaces, DPDK devices)")


def wait_until(condition, what):
    """Looks again and again; what is waited for is in another process."""
    until = time.monotonic() + ADMIN_S
    while not condition():
        assert time.monotonic() < until, f"not in {ADMIN_S} s: {what}"
        time.sleep(0.002)


def is_sanitized():
    """Is the node built with the address sanitizer? Under it nothing is ever locked into memory."""
    with open(NODE, "rb") as program:
        return b"__asan_init" in program.read()


def run(arguments, timeout=120, check=True, **options):
    """A program of ours or of the system, to its end; its output as text."""
    done = subprocess.run([str(word) for word in arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=timeout, preexec_fn=die_with_parent, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, arguments))}: exit status {done.returncode}\n"
                             f"{done.stdout}{done.stderr}")
    return done


def hash_directory(directory):
    """Name and content of every file, so that a change of any byte shows."""
    result = {}
    for name in sorted(os.listdir(directory)):
        path = os.path.join(directory, name)
        with open(path, "rb") as file:
            result[name] = (os.stat(path).st_mode, hashlib.sha256(file.read()).hexdigest())
    return result


class Node:
    """One node and its place: `directory` holds data, admin socket and what it printed."""

    def __init__(self, directory, settings, prefix=()):
        self.directory = directory
        self.data = os.path.join(directory, "data")
        self.socket = os.path.join(directory, "admin")
        self.log = os.path.join(directory, "stderr")
        self.settings = {**SETTINGS, "data.directory": self.data, "admin.socket": self.socket, **settings}
        self.prefix = list(prefix)
        self.process = None
        self.address = None

    def command(self, **changes):
        settings = {**self.settings, **{name.replace("__", "."): value for name, value in changes.items()}}
        words = [*self.prefix, NODE]
        for name, value in settings.items():
            words += [f"--{name}", str(value)]
        return words

    def start(self, **changes):
        """Returns when the node serves. Settings given here hold for this start only. Raises StartFailed."""
        assert self.process is None
        before = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command(**changes), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                            stderr=log, preexec_fn=die_with_parent)
        line = self._first_line()
        if not line.startswith("ready "):
            status = self.wait()
            with open(self.log, encoding="utf-8", errors="replace") as log:
                log.seek(before)
                raise StartFailed(status, log.read())
        self.address = line.split()[1]
        return self

    def _first_line(self):
        """What the node prints first, or nothing when it ends without a word."""
        line = b""
        until = time.monotonic() + START_S
        while not line.endswith(b"\n"):
            if not select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))[0]:
                self.kill9()
                raise AssertionError(f"the node was not ready after {START_S} s: {self.errors()}")
            piece = os.read(self.process.stdout.fileno(), 4096)
            if piece == b"":
                break
            line += piece
        return line.decode()

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def wait(self, timeout=STOP_S):
        status = self.process.wait(timeout)
        self.process.stdout.close()
        self.process = None
        return status

    def kill9(self):
        self.process.kill()
        return self.wait()

    def terminate(self):
        """Clean stop; returns the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    @contextlib.contextmanager
    def paused(self):
        """The node stands still meanwhile: what is sent to it piles up."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def restart(self):
        """kill -9, and again on the same data."""
        self.kill9()
        return self.start()

    def errors(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def connect(self):
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(ADMIN_S)
        # A socket's path is short; a build directory's need not be.
        here = os.open(self.directory, os.O_PATH | os.O_DIRECTORY)
        try:
            connection.connect(f"/proc/self/fd/{here}/admin")
        finally:
            os.close(here)
        return connection

    def admin(self, command):
        """One admin command; the parsed answer."""
        with self.connect() as connection:
            connection.sendall(command.encode() + b"\n")
            return read_answer(connection)

    def digest(self):
        return self.admin("digest")


def read_answer(connection):
    """One line of JSON."""
    line = b""
    while not line.endswith(b"\n"):
        piece = connection.recv(65536)
        if piece == b"":
            raise EOFError(f"the node hung up after {line!r}")
        line += piece
    return json.loads(line)


def refusal(node, **changes):
    """Starts a node that must refuse. Returns its exit status and the one line it printed."""
    try:
        node.start(**changes)
    except StartFailed as failed:
        lines = failed.errors.strip().split("\n")
        assert lines[-1].startswith("holdfastd: "), failed.errors
        return failed.status, lines[-1], lines[:-1]
    node.kill9()
    raise AssertionError("the node started, and should have refused")


class Workspace:
    """A private directory below the build, and all that was started in it."""

    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix=".process-", dir=BUILD)
        self.nodes = []
        self.closing = contextlib.ExitStack()

    def node(self, name="node", prefix=(), **settings):
        """A node of its own directory; settings are section__key=value."""
        directory = os.path.join(self.directory, name)
        os.makedirs(directory, exist_ok=True)
        node = Node(directory, {key.replace("__", "."): str(value) for key, value in settings.items()}, prefix)
        self.nodes.append(node)
        return node

    def path(self, name):
        return os.path.join(self.directory, name)

    def close(self):
        """A node that ended by itself, unasked, is a failure: it says what it said."""
        ended = []
        for node in self.nodes:
            if node.process is None:
                continue
            if not node.running:
                ended.append(f"the node ended by itself with {node.process.returncode}:\n{node.errors()[-8000:]}")
            node.kill9()
        self.closing.close()
        shutil.rmtree(self.directory)
        if ended:
            raise AssertionError("\n".join(ended))


@contextlib.contextmanager
def workspace():
    """Prints what the nodes said when the test fails."""
    space = Workspace()
    try:
        yield space
    except BaseException:
        for node in space.nodes:
            if os.path.exists(node.log):
                sys.stderr.write(f"---- {node.log}\n{node.errors()[-8000:]}")
        raise
    finally:
        space.close()
