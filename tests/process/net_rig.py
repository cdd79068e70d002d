"""What the port tests share: programs, name spaces and interfaces that do not outlive their test.

Everything made is named after this process and undone in reverse order, whatever happens.
"""
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time

TAG = f'hf{os.getpid()}-'  # ends so that no other process's begins with it
SKIP = 77
HERE = os.path.dirname(os.path.abspath(__file__))
TAIL_BYTES = 3000


def skip(reason):
    print(f'skipped: {reason}')
    sys.exit(SKIP)


def need_root(tun=False):
    if os.geteuid() != 0:
        skip('needs root: network name spaces and devices')
    if tun and not os.path.exists('/dev/net/tun'):
        skip('needs /dev/net/tun')


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def run(*words, quiet=False):
    result = subprocess.run(words, capture_output=True, text=True, timeout=60)
    if result.returncode != 0 and not quiet:
        raise AssertionError(f'{" ".join(words)}: {result.stderr.strip() or result.stdout.strip()}')
    return result.stdout


def eal(role, device, memory='--no-huge -m 256'):
    """EAL arguments for one process: no real devices, files of its own. Core 0 is named only because
    EAL wants one: the port gives its threads back all the processors they had."""
    return (f'-l 0 --no-pci {memory} --file-prefix={TAG}{role} --log-level=error --no-telemetry '
            f'--vdev={device}')


def left_over():
    """Files of this run that somebody forgot."""
    directory = '/var/run/dpdk'
    names = os.listdir(directory) if os.path.isdir(directory) else []
    return [name for name in names if name.startswith(TAG)]


def remove_left_over():
    """What a killed process could not remove itself."""
    for name in left_over():
        shutil.rmtree(f'/var/run/dpdk/{name}', ignore_errors=True)


class Rig(contextlib.ExitStack):
    """Undoes what the test has made."""

    def __init__(self):
        super().__init__()
        # A test that is told to stop (its time is up) undoes what it has made all the same.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        self.callback(remove_left_over)

    def namespace(self, name):
        name = f'{TAG}{name}'
        run('ip', 'netns', 'add', name)
        self.callback(run, 'ip', 'netns', 'delete', name, quiet=True)
        run('ip', '-n', name, 'link', 'set', 'lo', 'up')
        return name

    def veth(self, one, one_space, two, two_space):
        """A cable between two name spaces. Its ends are born inside them."""
        run('ip', '-n', one_space, 'link', 'add', one, 'type', 'veth', 'peer', 'name', two,
            'netns', two_space)
        for name, space in ((one, one_space), (two, two_space)):
            run('ip', '-n', space, 'link', 'set', name, 'up')
            # Otherwise the kernel leaves checksums to a wire that is not there.
            run('ip', 'netns', 'exec', space, 'ethtool', '-K', name, 'tx', 'off', 'rx', 'off')

    def cable(self, client_ip):
        """A name space for a node with a device of its own, TAGn, one for its clients, who have this address on TAGc, and a
        cable between them. The names of both."""
        node_space, client_space = self.namespace('n'), self.namespace('c')
        self.veth(f'{TAG}n', node_space, f'{TAG}c', client_space)
        run('ip', '-n', client_space, 'address', 'add', f'{client_ip}/24', 'dev', f'{TAG}c')
        return node_space, client_space

    def start(self, program, arguments, space=None):
        process = Program(program, arguments, space)
        self.callback(process.kill)
        return process


class Program:
    """A program of ours that says `ready ADDRESS`, and a JSON line when it ends."""

    def __init__(self, program, arguments, space=None):
        words = ['ip', 'netns', 'exec', space] if space else []
        self.process = subprocess.Popen(words + [program, *arguments], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE)
        self.error = b''
        self.output = b''

    def read(self, until, patience_s):
        """Reads until `until` is in the output, or with None until the end of it."""
        end = time.monotonic() + patience_s
        streams = {self.process.stdout.fileno(): 'output', self.process.stderr.fileno(): 'error'}
        while streams and not (until and until in self.output):
            ready, _, _ = select.select(list(streams), [], [], max(0, end - time.monotonic()))
            if not ready:
                raise AssertionError(f'no {until or "end"} in {patience_s} s: {self.said()}')
            for descriptor in ready:
                data = os.read(descriptor, 65536)
                if not data:
                    del streams[descriptor]
                name = streams.get(descriptor)
                if name:
                    setattr(self, name, getattr(self, name) + data)
        if until and until not in self.output:
            raise AssertionError(f'ended without {until}: {self.said()}')

    def said(self):
        return (self.output + self.error)[-TAIL_BYTES:].decode(errors='replace')

    def ready(self, patience_s=30):
        self.read(b'\n', patience_s)
        check(self.output.startswith(b'ready'), f'not ready: {self.said()}')
        return self

    def end(self, patience_s=90):
        """Waits for its end: exit status and the JSON line of counters."""
        self.read(None, patience_s)
        status = self.process.wait(patience_s)
        line = self.output.decode().strip().splitlines()[-1] if self.output else ''
        check(line.startswith('{'), f'status {status}, no counters: {self.said()}')
        return status, json.loads(line)

    def finish(self, patience_s=90):
        status, counters = self.end(patience_s)
        check(status == 0, f'status {status}: {self.said()}')
        return counters

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.finish(30)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
