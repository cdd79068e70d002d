#!/usr/bin/env python3
"""The programs are built so that a mistake stops them: at any address, with their tables read-only once they run, a stack that cannot be run, guards on
it, and calls that know how much room there is. And the service file says what it must, and nothing that systemd does not
know.

Usage: test_hardening.py SERVICE PROGRAM..."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

# What a node as a service must not be without.
NEEDED = {
    "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
    "PrivateDevices": "yes", "ProtectKernelModules": "yes", "ProtectKernelTunables": "yes", "ProtectKernelLogs": "yes",
    "RestrictNamespaces": "yes", "MemoryDenyWriteExecute": "yes", "LimitCORE": "0", "UMask": "0077", "User": "holdfast",
    "SystemCallArchitectures": "native",
}


def read(*words):
    return subprocess.run(["readelf", "-W", *words], capture_output=True, text=True, check=True).stdout


def check_program(path):
    wrong = []
    if "Type:" not in read("-h", path) or "DYN (Position-Independent Executable" not in read("-h", path):
        wrong.append("is not position-independent")
    dynamic = read("-d", path)
    if not re.search(r"\(FLAGS_1\).*\bNOW\b", dynamic):
        wrong.append("looks its functions up late")
    segments = read("-l", path)
    if "GNU_RELRO" not in segments:
        wrong.append("has no read-only relocations")
    if not re.search(r"GNU_STACK .* RW +0x", segments):
        wrong.append("has a stack that can be run")
    symbols = read("--dyn-syms", path)
    if "__stack_chk_fail" not in symbols:
        wrong.append("has no guards on its stack")
    if not re.search(r"__(memcpy|memset|read|snprintf|fprintf|vsnprintf|printf)_chk", symbols):
        wrong.append("was built without FORTIFY_SOURCE")
    return [f"{path} {why}" for why in wrong]


def read_service(path):
    """The [Service] section, all values of a name together: systemd reads several lines as one list."""
    given, section = {}, None
    with open(path, encoding="utf-8") as file:
        for line in map(str.strip, file):
            if line.startswith("["):
                section = line
            elif section == "[Service]" and line and not line.startswith("#"):
                name, _, value = line.partition("=")
                given[name] = f"{given[name]} {value}" if name in given else value
    return given


def check_service(path):
    given = read_service(path)
    wrong = [f"{path}: {name} is {given.get(name)!r}, not {value!r}" for name, value in NEEDED.items() if given.get(name) != value]
    # Neither is in @system-service; without the last one the node's own filter cannot be set.
    calls = given.get("SystemCallFilter", "").split()
    return wrong + [f"{path}: SystemCallFilter lacks {call}" for call in ("io_uring_setup", "io_uring_enter", "io_uring_register", "seccomp")
                    if call not in calls]


def verify_service(path, program):
    """What systemd itself thinks of it, where there is one, with the program where it stands."""
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        return []
    with tempfile.TemporaryDirectory() as directory:
        copy = f"{directory}/holdfastd.service"
        with open(path, encoding="utf-8") as file, open(copy, "w", encoding="utf-8") as to:
            to.write(file.read().replace("/usr/local/bin/holdfastd", os.path.abspath(program)))
        verified = subprocess.run([analyze, "verify", "--man=no", copy], capture_output=True, text=True, check=False)
        exposed = subprocess.run([analyze, "security", "--offline=true", "--threshold=20", "--no-pager", copy], capture_output=True, text=True, check=False)
    said = (verified.stdout + verified.stderr).strip()
    wrong = [f"{path}: systemd-analyze verify: {said}"] if verified.returncode != 0 or said else []
    return wrong + ([f"{path}: systemd-analyze security: {exposed.stdout[-200:]}{exposed.stderr}"] if exposed.returncode != 0 else [])


def main():
    wrong = check_service(sys.argv[1]) + verify_service(sys.argv[1], sys.argv[2])
    for program in sys.argv[2:]:
        wrong += check_program(program)
    print("\n".join(wrong) or f"{len(sys.argv) - 2} programs and the service file are as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
