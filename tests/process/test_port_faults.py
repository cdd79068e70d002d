#!/usr/bin/env python3
"""A DPDK port that cannot be opened says why in one line, exits, and leaves nothing behind.

Usage: test_port_faults.py PORT_ECHO
"""
import sys

from net_rig import Rig, TAG, check, eal, left_over, need_root

NULL = 'net_null0'
FAULTS = (
    # name, EAL arguments, further options, what its line says
    ('driver', eal('driver', 'net_memif0,role=nobody'), [], 'no device 0'),
    ('device', f'-l 0 --no-pci --no-huge -m 256 --file-prefix={TAG}device', [], 'gave 0 devices'),
    ('interface', eal('interface', f'net_af_packet0,iface={TAG}absent'), [], 'no device 0'),
    ('argument', f'--no-such-argument --file-prefix={TAG}argument', [], 'EAL does not start'),
    ('memory', eal('memory', NULL, '--no-huge -m 16'), [], 'no memory'),
    ('mtu', eal('mtu', NULL), ['--mtu', '60000'], 'the MTU is 128 to 9600'),
    ('second', eal('second', NULL), ['--second', '10.94.0.2:4600'], 'no device 1: the EAL arguments gave 1 devices'),
    ('same device', eal('same', NULL), ['--second', '10.94.0.2:4600', '--device', '0'],
     'device 0 has another port of this process'),
    ('other arguments', eal('other', NULL), ['--second', '10.94.0.2:4600', '--second-eal', eal('more', NULL)],
     'EAL was started in this process, with other arguments'),
    ('words', '-l 0 ' * 40, [], 'EAL arguments'),
)


def main():
    need_root()
    with Rig() as rig:
        for name, arguments, more, expected in FAULTS:
            program = rig.start(sys.argv[1], ['--kind', 'dpdk', '--eal', arguments, '--address',
                                              '10.94.0.1:4600', *more, 'serve'])
            program.read(None, 30)
            status = program.process.wait(30)
            lines = [line for line in program.said().splitlines() if 'dpdk port:' in line]
            check(status == 1, f'{name}: status {status}: {program.said()}')
            check(len(lines) == 1 and expected in lines[0], f'{name}: {program.said()}')
            print(f'{name}: {lines[0]}')
        # EAL that fails to start keeps its own directory; all that started must have removed it.
        left = [entry for entry in left_over() if not entry.endswith('argument')]
        check(not left, f'left behind: {left}')


main()
