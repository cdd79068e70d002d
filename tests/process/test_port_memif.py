#!/usr/bin/env python3
"""The DPDK port between two processes over shared memory (memif).

Usage: test_port_memif.py PORT_ECHO
"""
import os
import signal
import socket
import struct
import sys
import tempfile

from net_rig import Rig, TAG, check, eal, left_over, need_root, run

COUNT = 100_000
SERVER, CLIENT = '10.91.0.1:4600', '10.91.0.2:4601'
SMALL_PAGES = '--no-huge -m 256'
HUGE_PAGES = 96  # of 2 MiB, for each of the two
HUGE_COUNT = '/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages'


def memif(role, name):
    return f'net_memif0,role={role},id=0,socket=@{TAG}{name},socket-abstract=yes'


def serve(rig, program, name, memory, *more):
    arguments = eal(f's{name}', memif('server', name), memory)
    return rig.start(program, ['--kind', 'dpdk', '--eal', arguments, '--address', SERVER, *more,
                               'serve'])


def ask(rig, program, name, memory, count=COUNT):
    arguments = eal(f'c{name}', memif('client', name), memory)
    return rig.start(program, ['--kind', 'dpdk', '--eal', arguments, '--address', CLIENT,
                               '--peer', SERVER, '--count', str(count), 'ask'])


def exchange(rig, program, name, memory, *more):
    server = serve(rig, program, name, memory, *more).ready()
    asked = ask(rig, program, name, memory).finish()
    served = server.stop()
    check(asked['answered'] == COUNT and asked['wrong'] == 0, f'lost or changed: {asked}')
    check(asked['malformed'] == 0 and served['malformed'] == 0, f'{asked} {served}')
    check(served['received'] >= COUNT, f'server: {served}')
    check(served['arp'] >= 1, f'the client asked for the server by ARP: {served}')
    check(not left_over(), f'left behind: {left_over()}')
    rate = COUNT / asked['elapsed_us'] * 1e6
    print(f'{name}: {COUNT} answered, {asked["repeated"]} asked again, {rate:,.0f} a second')


def comes_back(rig, program):
    """The client is there before its server, which then is killed twice and comes back with another
    Ethernet address: each time the client connects again, and loses nothing."""
    count = 4 * COUNT
    client = ask(rig, program, 'again', SMALL_PAGES, count).ready()
    for mark in (1, 4, None):
        server = serve(rig, program, 'again', SMALL_PAGES).ready()
        if mark is not None:
            step = count // 10 + 1
            client.read(b'answered %d\n' % (mark * step), 60)
            server.process.send_signal(signal.SIGKILL)
            server.process.wait()
    asked = client.finish()
    served = server.stop()
    check(asked['answered'] == count and asked['wrong'] == 0, f'lost or changed: {asked}')
    check(served['received'] >= count // 10, f'the last server served: {served}')
    check(not left_over(), f'left behind: {left_over()}')
    print(f'again: server killed twice, {count} answered, {asked["repeated"]} asked again')


def clients_die(rig, program, *more):
    """Clients are killed in the middle of their work: their server serves the next one as before."""
    server = serve(rig, program, 'deaths', SMALL_PAGES, *more).ready()
    count = 10 * COUNT
    for _ in range(3):
        client = ask(rig, program, 'deaths', SMALL_PAGES, count).ready()
        client.read(b'answered %d\n' % (count // 10 + 1), 60)
        client.process.send_signal(signal.SIGKILL)
        client.process.wait()
    asked = ask(rig, program, 'deaths', SMALL_PAGES).finish()
    served = server.stop()
    check(asked['answered'] == COUNT and asked['wrong'] == 0, f'lost or changed: {asked}')
    check(served['malformed'] == 0 and served['received'] > 4 * COUNT, f'server: {served}')
    check(not left_over(), f'left behind: {left_over()}')
    print(f'deaths: three clients killed, then {COUNT} answered')


def knock(name):
    """A peer that goes as soon as it has come. A full queue makes it wait, but not for ever."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack('ll', 20, 0))
        peer.connect(f'\0@{TAG}{name}'.encode())


def two_devices(rig, program):
    """One process with two devices: nobody is at the other end of the first yet, the second serves all the same; then the
    second's peer is killed while the first serves, and comes back."""
    count, few = COUNT, COUNT // 5
    arguments = eal('sboth', f'{memif("server", "one")} --vdev=net_memif1,role=server,id=0,socket=@{TAG}two,'
                    'socket-abstract=yes', '--no-huge -m 512')
    server = rig.start(program, ['--kind', 'dpdk', '--eal', arguments, '--address', SERVER, '--second', SERVER,
                                 'serve']).ready()
    alone = ask(rig, program, 'two', SMALL_PAGES, few).finish()
    check(alone['answered'] == few and alone['wrong'] == 0, f'the second, while the first has no peer: {alone}')
    second = ask(rig, program, 'two', SMALL_PAGES, count).ready()
    first = ask(rig, program, 'one', SMALL_PAGES, count).ready()
    second.read(b'answered %d\n' % (count // 10 + 1), 60)
    second.process.send_signal(signal.SIGKILL)
    second.process.wait()
    again = ask(rig, program, 'two', SMALL_PAGES, few).finish()
    asked = first.finish()
    for result, wanted in ((again, few), (asked, count)):
        check(result['answered'] == wanted and result['wrong'] == 0, f'lost or changed: {result}')
    served = server.stop()
    check(served['malformed'] == 0 and served['received'] >= count, f'server: {served}')
    check(not left_over(), f'left behind: {left_over()}')
    print(f'two devices: {count} answered on one, a peer killed on the other and back')


def peers_come_and_go(rig, program):
    """Peers are gone before the server has greeted them, while it serves and while it closes."""
    server = serve(rig, program, 'gone', SMALL_PAGES).ready()
    rounds, count = 3, 1000
    for _ in range(rounds):
        server.process.send_signal(signal.SIGSTOP)
        for _ in range(2):  # as many as the driver's queue holds
            knock('gone')
        server.process.send_signal(signal.SIGCONT)
        asked = ask(rig, program, 'gone', SMALL_PAGES, count).finish()
        check(asked['answered'] == count and asked['wrong'] == 0, f'lost or changed: {asked}')
    server.process.send_signal(signal.SIGTERM)
    knocks = 0
    try:
        while True:
            knock('gone')
            knocks += 1
    except ConnectionError:
        pass  # the server has ended
    served = server.finish(30)
    check(served['received'] >= rounds * count and not server.error, f'server: {server.said()}')
    check(not left_over(), f'left behind: {left_over()}')
    print(f'gone: {2 * rounds} peers unseen, {rounds} asked, {knocks} knocked while it closed')


def read_number(path):
    with open(path, encoding='ascii') as file:
        return int(file.read())


def write_number(path, number):
    with open(path, 'w', encoding='ascii') as file:
        file.write(str(number))


def on_huge_pages(rig, program):
    """The same with huge pages, as many as this needs more than there are; given back afterwards."""
    if not os.path.exists(HUGE_COUNT):
        print('huge: left out, the kernel has no huge pages of 2 MiB')
        return
    before = read_number(HUGE_COUNT)
    wanted = before + 2 * HUGE_PAGES
    rig.callback(write_number, HUGE_COUNT, before)
    write_number(HUGE_COUNT, wanted)
    if read_number(HUGE_COUNT) < wanted:
        print('huge: left out, the kernel has not enough memory in one piece')
        return
    directory = rig.enter_context(tempfile.TemporaryDirectory(prefix=TAG))
    run('mount', '-t', 'hugetlbfs', 'nodev', directory)
    rig.callback(run, 'umount', directory)
    exchange(rig, program, 'huge', f'--huge-dir {directory} -m {HUGE_PAGES * 2}')
    check(os.listdir(directory) == [], f'files of huge pages left: {os.listdir(directory)}')


def main():
    need_root()
    program = sys.argv[1]
    with Rig() as rig:
        exchange(rig, program, 'fused', SMALL_PAGES)
        exchange(rig, program, 'split', SMALL_PAGES, '--split')
        comes_back(rig, program)
        clients_die(rig, program, '--split')
        two_devices(rig, program)
        peers_come_and_go(rig, program)
        on_huge_pages(rig, program)


main()
