#!/usr/bin/env python3
"""The service file under a systemd of its own, in namespaces, on a root that is thrown away: the node serves with everything taken from it that the
file takes, answers a client with a key, makes a checkpoint, reads its origins again, is started again after a kill, and stops clean.

Usage: test_service.py SERVICE_FILE"""
import os
import re
import shutil
import subprocess
import sys

from keys import Keys
from node import HOLDFAST, NODE, die_with_parent, need_root, skip, workspace

SYSTEMD = "/lib/systemd/systemd"
WITHIN_S = 120

CONFIG = """[data]
directory = /var/lib/holdfast
[admin]
socket = /run/holdfast/admin
[security]
sessions = on
origins = /etc/holdfast/origins
[ledger]
accounts = 10000
"""

# $1 is the test's directory. What is written goes to an overlay there.
ROOT = """set -eu
mount --make-rprivate /
root=$1/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs tmpfs "$root/run"
mount -t tmpfs tmpfs "$root/tmp"
mount --rbind /dev "$root/dev"
mkdir -p "$root/etc/holdfast"
rm -rf "$root"/etc/systemd/system/*
cp -t "$root/usr/local/bin" "$1/bin/holdfastd" "$1/bin/holdfast"
cp -t "$root/etc/holdfast" "$1/etc/holdfastd.conf" "$1/etc/origins"
cp -t "$root/etc/systemd/system" "$1"/units/*
chroot "$root" id holdfast >/dev/null 2>&1 || chroot "$root" useradd --system --no-create-home holdfast
mount --bind "$1/probe" "$root/mnt"
ip link set lo up
mkdir "$root/before"
cd "$root"
pivot_root . before
umount -l /before
exec env -i container=holdfast PATH=/usr/bin:/bin:/usr/sbin:/sbin %s --unit=probe.target --log-target=null
""" % SYSTEMD

UNITS = {
    "probe.target": "[Unit]\nWants=holdfastd.service probe.service\n",
    "probe.service": "[Unit]\nAfter=holdfastd.service\n[Service]\nType=oneshot\nExecStart=/bin/bash /mnt/probe.sh\n"
                     "ExecStopPost=/bin/systemctl exit --force\n",
}

# Looks again and again, half a minute at most.
PROBE = """exec >/mnt/said 2>&1
unit() { systemctl show --value -p "$1" holdfastd.service; }
serves() { for i in $(seq 600); do holdfast admin --socket /run/holdfast/admin status >/dev/null 2>&1 && return; sleep 0.05; done; echo "does not serve"; journalctl --no-pager -u holdfastd; }
audited() { for i in $(seq 600); do grep -q "$1" /var/lib/holdfast/audit && return; sleep 0.05; done; echo "not audited: $1"; }
gone() { for i in $(seq 600); do [ "$(unit MainPID)" != "$1" ] && return; sleep 0.05; done; echo "still there"; }
serves
pid=$(unit MainPID)
echo "user $(id -u holdfast)"
grep -E "^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/$pid/status
grep "core file" /proc/$pid/limits
stat -c "%a %n" /var/lib/holdfast /var/lib/holdfast/session-key /run/holdfast/admin
holdfast load --server 127.0.0.1:4600 --key /mnt/client --node-key /var/lib/holdfast/session-key --workload transfer --accounts 100 --operations 5000 --json
holdfast admin --socket /run/holdfast/admin checkpoint
systemctl reload holdfastd.service && audited '"SIGHUP", "outcome": "done"'
kill -9 $pid; gone $pid; serves
echo "restarts $(unit NRestarts)"
systemctl stop holdfastd.service
echo "ended $(unit Result) $(unit ExecMainStatus) $(unit ActiveState)"
holdfast log verify /var/lib/holdfast
"""

SAID = (
    r"^CapEff:\s0+$", r"^CapBnd:\s0+$", r"^NoNewPrivs:\s1$", r"^Seccomp:\s2$", r"^Max core file size +0 +0 ",
    r"^700 /var/lib/holdfast$", r"^600 /var/lib/holdfast/session-key$", r"^600 /run/holdfast/admin$",
    r'"ops": 5000,.*"lost": 0,', r'"written": true', r"^restarts 1$", r"^ended success 0 inactive$", r"^tail +clean$",
)


def lay_out(space, service):
    for name in ("upper", "work", "root", "bin", "etc", "units", "probe"):
        os.mkdir(space.path(name))
    for program in (NODE, HOLDFAST):
        shutil.copy(program, space.path("bin"))
    keys = Keys(space)
    shutil.copy(keys.write_origins(client="allow = all\naccounts = all\ninstruments = all\n"), space.path("etc/origins"))
    shutil.copy(keys.path("client"), space.path("probe"))
    os.chmod(space.path("etc/origins"), 0o644)
    shutil.copy(service, space.path("units"))
    for name, text in {**{f"units/{name}": text for name, text in UNITS.items()}, "etc/holdfastd.conf": CONFIG, "probe/probe.sh": PROBE}.items():
        with open(space.path(name), "w", encoding="ascii") as file:
            file.write(text)


def main():
    need_root()
    if not os.path.exists(SYSTEMD):
        skip("needs systemd")
    with workspace() as space:
        lay_out(space, sys.argv[1])
        done = subprocess.run(["unshare", "--mount", "--pid", "--fork", "--kill-child", "--net", "--uts", "--ipc", "--cgroup", "bash", "-c", ROOT,
                               "root", space.directory], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WITHIN_S,
                              preexec_fn=die_with_parent, check=False)
        if not os.path.exists(space.path("probe/said")):
            skip(f"no systemd in namespaces here: {done.stderr.strip()[-500:]}")
        with open(space.path("probe/said"), encoding="utf-8") as file:
            said = file.read()
        missing = [line for line in SAID if not re.search(line, said, re.M)]
        user = re.search(r"^user (\d+)$", said, re.M)
        assert not missing and user and re.search(rf"^Uid:(\s{user[1]}){{4}}$", said, re.M), f"not said: {missing}\n{said}"
    return 0


if __name__ == "__main__":
    sys.exit(main())
