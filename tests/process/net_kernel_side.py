"""What every DPDK port that ends in a kernel's network must do there: answer ARP, pings and datagrams."""
import re
import shutil
import sys

from net_rig import HERE, check, run

COUNT, PINGS = 3000, 4


def check_kernel_side(rig, space, host, udp, port):
    """From the name space `space`: ping `host` and exchange datagrams with it; `port` is the program
    that serves there. Returns its counters, after it has been stopped."""
    asker = rig.start(sys.executable, [f'{HERE}/udp_ask.py', host, str(udp), str(COUNT), str(PINGS)],
                      space).ready()
    asked = asker.finish()
    check(asked['answered'] == COUNT and asked['wrong'] == 0, f'lost or changed: {asked}')
    check(asked['pings'] == PINGS and asked['wrong_pings'] == 0, f'pings: {asked}')
    if shutil.which('ping'):
        said = run('ip', 'netns', 'exec', space, 'ping', '-c', '3', '-i', '0.2', host)
        check(' 0% packet loss' in said, said)
    neighbours = run('ip', '-n', space, 'neigh', 'show', host)
    check(re.search(r'lladdr ([0-9a-f:]{17}) .*(REACHABLE|STALE|DELAY|PROBE)', neighbours),
          f'no neighbour: {neighbours}')
    served = port.stop()
    check(served['arp'] >= 1 and served['icmp'] >= PINGS, f'answers: {served}')
    check(served['received'] >= COUNT and served['malformed'] == 0, f'server: {served}')
    print(f'{COUNT} answered, {asked["repeated"]} asked again, {served["icmp"]} pings; {neighbours.strip()}')
    return served
