#!/usr/bin/env python3
"""The programs are built so that a mistake stops them: at any address, with their tables read-only once they run, a stack that cannot be run, guards on
it, and calls that know how much room there is. And the service file asks for nothing that systemd does not know.

Usage: test_hardening.py SERVICE PROGRAM..."""
import configparser
import re
import subprocess
import sys

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


def check_service(path):
    service = configparser.ConfigParser(interpolation=None, strict=True, delimiters="=", comment_prefixes="#")
    service.optionxform = str
    service.read(path)
    given = dict(service["Service"])
    return [f"{path}: {name} is {given.get(name)!r}, not {value!r}" for name, value in NEEDED.items() if given.get(name) != value]


def main():
    wrong = check_service(sys.argv[1])
    for program in sys.argv[2:]:
        wrong += check_program(program)
    print("\n".join(wrong) or f"{len(sys.argv) - 2} programs and the service file are as they should be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
