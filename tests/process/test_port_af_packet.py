#!/usr/bin/env python3
"""The DPDK port on one end of a virtual cable (af_packet), the kernel and a plain socket at the other.

Usage: test_port_af_packet.py PORT_ECHO
"""
import sys

from net_kernel_side import check_kernel_side
from net_rig import Rig, TAG, check, eal, left_over, need_root, run

PORT_IP, KERNEL_IP, UDP = '10.92.0.1', '10.92.0.2', 4600


def exchange(program, *more):
    with Rig() as rig:
        port_space, kernel_space = rig.namespace('p'), rig.namespace('k')
        port_end, kernel_end = f'{TAG}p', f'{TAG}k'
        rig.veth(port_end, port_space, kernel_end, kernel_space)
        run('ip', '-n', kernel_space, 'addr', 'add', f'{KERNEL_IP}/24', 'dev', kernel_end)
        server = rig.start(program, ['--kind', 'dpdk', '--eal',
                                     eal('af', f'net_af_packet0,iface={port_end}'),
                                     '--address', f'{PORT_IP}:{UDP}', *more, 'serve'],
                           port_space).ready()
        check_kernel_side(rig, kernel_space, PORT_IP, UDP, server)

        # The other way round: the port asks, by ARP first, and a kernel port answers.
        kernel = rig.start(program, ['--kind', 'kernel', '--address', f'{KERNEL_IP}:0', 'serve'],
                           kernel_space).ready()
        peer = kernel.output.split()[1].decode()
        asked = rig.start(program, ['--kind', 'dpdk', '--eal',
                                    eal('ask', f'net_af_packet0,iface={port_end}'),
                                    '--address', f'{PORT_IP}:{UDP}', '--peer', peer,
                                    '--count', '20000', 'ask'], port_space).finish()
        check(asked['answered'] == 20000 and asked['wrong'] == 0, f'lost or changed: {asked}')
        kernel.stop()
        check(not left_over(), f'left behind: {left_over()}')


def main():
    need_root()
    exchange(sys.argv[1])
    exchange(sys.argv[1], '--split')


main()
