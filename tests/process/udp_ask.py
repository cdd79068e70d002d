#!/usr/bin/env python3
"""An ordinary UDP program at the other end of a port: asks, asks again, checks every byte; and pings.

Usage: udp_ask.py ADDRESS PORT COUNT PINGS    Prints `ready`, then one JSON line.
"""
import json
import os
import socket
import struct
import sys
import time

WINDOW = 32
REPEAT_S = 0.05
PATIENCE_S = 60
HEAD = struct.Struct('<QQ')


def payload(number):
    body = bytes((number * 13 + i * 5) & 0xff for i in range(number * 7919 % 1457))
    return HEAD.pack(number, len(body)) + body


def ask(address, count):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(REPEAT_S)
    open_questions = {}
    answered = repeated = late = wrong = following = 0
    end = time.monotonic() + PATIENCE_S
    while answered < count and time.monotonic() < end:
        now = time.monotonic()
        while len(open_questions) < WINDOW and following < count:
            open_questions[following] = 0.0
            following += 1
        for number, sent in open_questions.items():
            if now - sent > REPEAT_S:
                repeated += sent > 0
                open_questions[number] = now
                sock.sendto(payload(number), address)
        try:
            data, sender = sock.recvfrom(65536)
        except TimeoutError:
            continue
        number = HEAD.unpack_from(data)[0] if len(data) >= HEAD.size else -1
        if number not in open_questions:
            late += 1
            continue
        wrong += data != payload(number) or sender != address
        del open_questions[number]
        answered += 1
    return {'answered': answered, 'repeated': repeated, 'late': late, 'wrong': wrong}


def checksum(data):
    total = sum(struct.unpack(f'!{len(data) // 2}H', data[:len(data) // 2 * 2]))
    total += data[-1] << 8 if len(data) % 2 else 0
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def ping(host, count):
    """ICMP echo by hand, with odd and even sizes: (answered, wrong)."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    sock.settimeout(2)
    answered = wrong = 0
    for sequence in range(count):
        body = bytes(range(56)) + bytes(sequence)
        head = struct.pack('!BBHHH', 8, 0, 0, os.getpid() & 0xffff, sequence)
        head = struct.pack('!BBHHH', 8, 0, checksum(head + body), os.getpid() & 0xffff, sequence)
        sock.sendto(head + body, (host, 0))
        try:
            message = sock.recvfrom(65536)[0][20:]
        except TimeoutError:
            continue
        kind, code, _, identifier, number = struct.unpack_from('!BBHHH', message)
        answered += 1
        wrong += (kind, code, identifier, number) != (0, 0, os.getpid() & 0xffff, sequence)
        wrong += message[8:] != body or checksum(message) != 0
    return {'pings': answered, 'wrong_pings': wrong}


def main():
    host, port, count, pings = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    print('ready', flush=True)
    result = ping(host, pings)
    result.update(ask((host, port), count))
    print(json.dumps(result), flush=True)


main()
