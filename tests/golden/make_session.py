#!/usr/bin/env python3
"""Writes the golden vectors of sessions, from net/SESSION.md, the Noise specification and the papers of the ciphers
alone: X25519 (RFC 7748), ChaCha20-Poly1305 (RFC 8439), XChaCha20 (its draft), AES-256-GCM (SP 800-38D), all plain and
slow, so that nothing is shared with what they check but Python's BLAKE2b.

Usage: make_session.py > session.txt
       make_session.py --check NOISE.txt    plays published Noise vectors instead, and says how many

The file: `suite N` begins a session, then `name hex` lines in the order of what passes. Random bytes are a stream whose
byte i is (7 i + 3) mod 256, drawn in the order that tests/unit/test_session_golden.c tells.
"""
import hashlib
import hmac
import struct
import sys

AESGCM, CHACHAPOLY = 1, 2
NAMES = {AESGCM: b'Noise_IK_25519_AESGCM_BLAKE2b', CHACHAPOLY: b'Noise_IK_25519_ChaChaPoly_BLAKE2b'}
MAX = 2**64 - 1


# ---- X25519

def x25519(private, public):
    p = 2**255 - 19
    k = int.from_bytes(private, 'little') & ~7 & (2**255 - 1) | 2**254
    u = int.from_bytes(public, 'little') & (2**255 - 1)
    x2, z2, x3, z3, swap = 1, 0, u, 1, 0
    for t in reversed(range(255)):
        bit = k >> t & 1
        if swap ^ bit:
            x2, x3, z2, z3 = x3, x2, z3, z2
        swap = bit
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        da, cb, aa, bb = d * a, c * b, a * a, b * b
        x3, z3 = pow(da + cb, 2, p), u * pow(da - cb, 2, p) % p
        e = aa - bb
        x2, z2 = aa * bb % p, e * (aa + 121665 * e) % p
    if swap:
        x2, z2 = x3, z3
    return (x2 * pow(z2, p - 2, p) % p).to_bytes(32, 'little')


def public_of(private):
    return x25519(private, (9).to_bytes(32, 'little'))


# ---- ChaCha20-Poly1305

def rotated(value, by):
    return (value << by | value >> (32 - by)) & 0xffffffff


def chacha_rounds(state):
    state = list(state)
    columns = [(0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)]
    diagonals = [(0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)]
    for a, b, c, d in (columns + diagonals) * 10:
        for x, y, z, by in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[x] = (state[x] + state[y]) & 0xffffffff
            state[z] = rotated(state[z] ^ state[x], by)
    return state


def chacha_block(key, counter, nonce):
    state = struct.unpack('<16I', b'expand 32-byte k' + key + struct.pack('<I', counter) + nonce)
    return struct.pack('<16I', *((a + b) & 0xffffffff for a, b in zip(state, chacha_rounds(state))))


def chacha_xor(key, nonce, text):
    stream = b''.join(chacha_block(key, 1 + i, nonce) for i in range(len(text) // 64 + 1))
    return bytes(a ^ b for a, b in zip(text, stream))


def padded(data):
    return data + bytes(-len(data) % 16)


def chachapoly_seal(key, nonce, data, text):
    sealed = chacha_xor(key, nonce, text)
    one_time = chacha_block(key, 0, nonce)[:32]
    r = int.from_bytes(one_time[:16], 'little') & 0x0ffffffc0ffffffc0ffffffc0fffffff
    message = padded(data) + padded(sealed) + struct.pack('<QQ', len(data), len(sealed))
    total = 0
    for i in range(0, len(message), 16):
        total = (total + int.from_bytes(message[i:i + 16] + b'\1', 'little')) * r % (2**130 - 5)
    return sealed + ((total + int.from_bytes(one_time[16:], 'little')) % 2**128).to_bytes(16, 'little')


def xchachapoly_seal(key, nonce, data, text):
    state = chacha_rounds(struct.unpack('<16I', b'expand 32-byte k' + key + nonce[:16]))
    return chachapoly_seal(struct.pack('<8I', *state[:4], *state[12:]), bytes(4) + nonce[16:], data, text)


# ---- AES-256-GCM

def doubled(value):
    return value << 1 ^ (0x11b if value & 0x80 else 0)


def make_box():
    powers, value = [], 1
    for _ in range(255):  # of the generator 3
        powers.append(value)
        value ^= doubled(value)
    box = []
    for byte in range(256):
        inverse = 0 if byte == 0 else powers[-powers.index(byte) % 255]
        turned = 0
        for by in range(5):
            turned ^= (inverse << by | inverse >> (8 - by)) & 0xff
        box.append(turned ^ 0x63)
    return box


BOX = make_box()


def aes_keys(key):
    words, round_constant = [key[i:i + 4] for i in range(0, 32, 4)], 1
    for i in range(8, 60):
        word = words[-1]
        if i % 8 == 0:
            word = bytes(BOX[b] for b in word[1:] + word[:1])
            word = bytes([word[0] ^ round_constant]) + word[1:]
            round_constant = doubled(round_constant)
        elif i % 8 == 4:
            word = bytes(BOX[b] for b in word)
        words.append(bytes(a ^ b for a, b in zip(words[-8], word)))
    return [b''.join(words[i:i + 4]) for i in range(0, 60, 4)]


def aes_block(keys, block):
    state = [a ^ b for a, b in zip(block, keys[0])]
    for number, key in enumerate(keys[1:], 1):
        state = [BOX[state[(i + 4 * (i % 4)) % 16]] for i in range(16)]
        if number < 14:
            mixed = []
            for i in range(0, 16, 4):
                column = state[i:i + 4]
                total = column[0] ^ column[1] ^ column[2] ^ column[3]
                mixed += [column[k] ^ total ^ doubled(column[k] ^ column[(k + 1) % 4]) for k in range(4)]
            state = mixed
        state = [a ^ b for a, b in zip(state, key)]
    return bytes(state)


def gcm_times(x, y):
    product = 0
    for i in reversed(range(128)):
        product ^= y if x >> i & 1 else 0
        y = y >> 1 ^ (0xe1 << 120 if y & 1 else 0)
    return product


def aesgcm_seal(key, nonce, data, text):
    keys = aes_keys(key)
    stream = b''.join(aes_block(keys, nonce + struct.pack('>I', 2 + i)) for i in range(len(text) // 16 + 1))
    sealed = bytes(a ^ b for a, b in zip(text, stream))
    message = padded(data) + padded(sealed) + struct.pack('>QQ', 8 * len(data), 8 * len(sealed))
    h, total = int.from_bytes(aes_block(keys, bytes(16)), 'big'), 0
    for i in range(0, len(message), 16):
        total = gcm_times(total ^ int.from_bytes(message[i:i + 16], 'big'), h)
    mask = int.from_bytes(aes_block(keys, nonce + struct.pack('>I', 1)), 'big')
    return sealed + (total ^ mask).to_bytes(16, 'big')


def seal(suite, key, nonce, data, text):
    if suite == AESGCM:
        return aesgcm_seal(key, bytes(4) + struct.pack('>Q', nonce), data, text)
    return chachapoly_seal(key, bytes(4) + struct.pack('<Q', nonce), data, text)


def rekey(suite, key):
    return seal(suite, key, MAX, b'', bytes(32))[:32]


# ---- Noise

def hash64(data):
    return hashlib.blake2b(data).digest()


def hkdf(chaining, material):
    temporary = hmac.new(chaining, material, hashlib.blake2b).digest()
    first = hmac.new(temporary, b'\1', hashlib.blake2b).digest()
    return first, hmac.new(temporary, first + b'\2', hashlib.blake2b).digest()


class Noise:
    """Both sides at once: every secret is known here."""

    def __init__(self, suite, prologue, initiator, responder):
        self.suite, self.s, self.rs = suite, initiator, responder
        self.h = self.ck = NAMES[suite].ljust(64, b'\0')
        self.mix_hash(prologue)
        self.mix_hash(public_of(responder))

    def mix_hash(self, data):
        self.h = hash64(self.h + data)

    def mix_key(self, private, public):
        self.ck, key = hkdf(self.ck, x25519(private, public))
        self.k, self.n = key[:32], 0

    def encrypt(self, text):
        sealed = seal(self.suite, self.k, self.n, self.h, text)
        self.n += 1
        self.mix_hash(sealed)
        return sealed

    def first(self, ephemeral, payload):
        self.e = ephemeral
        self.mix_hash(public_of(ephemeral))
        self.mix_key(ephemeral, public_of(self.rs))
        static = self.encrypt(public_of(self.s))
        self.mix_key(self.s, public_of(self.rs))
        return public_of(ephemeral) + static + self.encrypt(payload)

    def second(self, ephemeral, payload):
        self.mix_hash(public_of(ephemeral))
        self.mix_key(ephemeral, public_of(self.e))
        self.mix_key(ephemeral, public_of(self.s))
        return public_of(ephemeral) + self.encrypt(payload)

    def split(self):
        first, second = hkdf(self.ck, b'')
        return first[:32], second[:32]


def check(path):
    """Published vectors through the same classes."""
    with open(path, encoding='utf-8') as file:
        parts = [part for part in file.read().split('\n\n') if part.startswith('handshake=')]
    for part in parts:
        lines = dict(line.split('=') for line in part.split())
        named = lines.pop('handshake').encode()
        suite = next(number for number, name in NAMES.items() if name == named)
        v = {name: bytes.fromhex(value) for name, value in lines.items()}
        noise = Noise(suite, v.get('prologue', b''), v['init_static'], v['resp_static'])
        made = [noise.first(v['gen_init_ephemeral'], v['msg_0_payload']),
                noise.second(v['gen_resp_ephemeral'], v['msg_1_payload'])]
        keys = noise.split()
        for i in range(2, sum(name.endswith('payload') for name in v)):
            made.append(seal(suite, keys[i % 2], i // 2 - 1, b'', v[f'msg_{i}_payload']))
        assert made == [v[f'msg_{i}_ciphertext'] for i in range(len(made))], part
    print(f'{len(parts)} published vectors')


# ---- sessions

def mac(key, data):
    return hashlib.blake2b(data, digest_size=16, key=key).digest()


def key_for(label, public):
    return hashlib.blake2b(label.ljust(16, b'\0') + public, digest_size=32).digest()


class Draws:
    def __init__(self):
        self.at = 0

    def take(self, size):
        self.at += size
        return bytes((7 * i + 3) % 256 for i in range(self.at - size, self.at))


def draw_id(draws, low_mask=MAX, index=0):
    return int.from_bytes(draws.take(8), 'little') & low_mask | 1 << 63 | index


def handshake_header(kind, suite, length, to, sender):
    return struct.pack('<HBBHBBQQ', 0x4648, 1, 4, length, kind, suite, to, sender)


def sealed(suite, key, flags, session, counter, messages, count):
    header = struct.pack('<HBBHHQQ', 0x4648, 1, flags | 2, 24 + len(messages) + 16, count, session, counter)
    return header + seal(suite, key, counter, header, messages)


def make(suite):
    node, origin = bytes(range(1, 33)), bytes(range(101, 133))
    cluster = struct.pack('<QQ', 7, 9)
    unix_ns = 1_800_001_000_000_000_000
    host, port = bytes(10) + b'\xff\xff\x0a\0\0\1', b'\0\0'
    draws, lines = Draws(), [f'suite {suite}']

    def told(name, value):
        lines.append(f'{name} {value.hex()}')

    secret = draws.take(64)[:32]
    draws.take(16)
    cookie_key = b''
    for name, time_ns in (('hello', unix_ns), ('hello_again', unix_ns + 1)):
        own_id, ephemeral = draw_id(draws), draws.take(32)
        header = handshake_header(1, suite, 160, 0, own_id)
        noise = Noise(suite, b'HOLDFAST-SESSION' + cluster + header, origin, node)
        hello = header + noise.first(ephemeral, struct.pack('<Q', time_ns))
        hello += mac(key_for(b'HOLDFAST-MAC', public_of(node)), hello)
        hello += mac(cookie_key, hello) if cookie_key else bytes(16)
        told(name, hello)
        if not cookie_key:
            cookie_key, nonce = mac(secret, host + port), draws.take(24)
            told('cookie', handshake_header(3, suite, 80, own_id, 0) + nonce + xchachapoly_seal(
                key_for(b'HOLDFAST-COOKIE', public_of(node)), nonce, hello[128:144], cookie_key))

    node_id = draw_id(draws, MAX ^ 0xffffff, 0)
    welcome = handshake_header(2, suite, 96, own_id, 0) + noise.second(draws.take(32), struct.pack('<Q', node_id))
    told('welcome', welcome + mac(key_for(b'HOLDFAST-MAC', public_of(origin)), welcome))
    there, back = noise.split()
    for epoch in range(3):
        messages = bytes((epoch + i) % 256 for i in range(56 + 33 * epoch))
        told('sealed', sealed(suite, there, 0, node_id, epoch << 48, messages, epoch + 1))
        told('answer', sealed(suite, back, 1, own_id, epoch << 48, messages[::-1], epoch + 1))
        there, back = rekey(suite, there), rekey(suite, back)
    return lines


def main():
    if sys.argv[1:2] == ['--check']:
        check(sys.argv[2])
        return
    print('\n'.join(make(AESGCM) + make(CHACHAPOLY)))


if __name__ == '__main__':
    main()
