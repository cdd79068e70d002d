#!/usr/bin/env python3
"""The DPDK port towards its own host: net_tap makes an interface, a plain socket uses it.

Usage: test_port_tap.py PORT_ECHO
"""
import sys

from net_kernel_side import check_kernel_side
from net_rig import Rig, TAG, check, eal, left_over, need_root, run

PORT_IP, KERNEL_IP, UDP = '10.93.0.1', '10.93.0.2', 4600


def main():
    need_root(tun=True)
    with Rig() as rig:
        space, interface = rig.namespace('t'), f'{TAG}t'
        server = rig.start(sys.argv[1], ['--kind', 'dpdk', '--eal',
                                         eal('tap', f'net_tap0,iface={interface}'),
                                         '--address', f'{PORT_IP}:{UDP}', 'serve'], space).ready()
        run('ip', '-n', space, 'addr', 'add', f'{KERNEL_IP}/24', 'dev', interface)
        run('ip', '-n', space, 'link', 'set', interface, 'up')
        check_kernel_side(rig, space, PORT_IP, UDP, server)
        check(not left_over(), f'left behind: {left_over()}')


main()
