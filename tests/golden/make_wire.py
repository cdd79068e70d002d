#!/usr/bin/env python3
"""Writes the golden vectors of the wire format, from net/WIRE.md alone.

Knows nothing of the C headers: offsets and numbers are those of the document, packed by struct.
Usage: make_wire.py > wire.txt

The file it writes, a line a fact:
    vector NAME           begins one
    hex BYTES             of the datagram; several lines are joined
    open CODE/RULE        the verdict on the datagram; without OK nothing follows
    header ...            the fields of its header
    operation ... | reply ... | refused CODE/RULE[:ENTRY] ID | broken CODE/RULE ID | broken reply
                          one line a reading step, in order
    end                   no more steps; the vector is complete
"""
import struct

ASSET_PUT, ACCOUNT_PUT, CHAIN, MOVE, HOLD = 21, 1, 4, 3, 5
CAPTURE, RELEASE, INSTRUMENT_PUT, AUTH, QUERY = 7, 8, 10, 12, 20
ACCOUNT_CLOSE, ADJUST, ATTEST, LIMIT_PUT, REVERSE, CLEAR, CLAIM = 2, 6, 9, 11, 13, 14, 15
MOVE_PLAN, HOLD_PLAN, EXPIRE, CLASS_PUT, INCREMENT = 22, 23, 24, 25, 26
FIXED, RATIO, UP_TO, REMAINING, EVERYTHING = 1, 2, 3, 4, 5
BLAKE2B, SHA256, SIGNATURE, REGION, ORIGIN, NOT_BEFORE, NOT_AFTER = 1, 2, 3, 4, 5, 6, 7
REPLIES = 0x01
LINKED, DRY_RUN, BALANCES = 0x01, 0x02, 0x04
ALL = 2**64 - 1
FLOOR_NONE = -2**63
CEILING_NONE = 2**63 - 1

ONES = 2**128 - 1
TIME_MS = 1_750_000_000_000
DEADLINE = (TIME_MS + 1500) * 1_000_000


def op_id(number):
    """As WIRE.md says an id is made: 48 bits of milliseconds, then 80 of the client's own."""
    return TIME_MS << 80 | 0x7001 << 64 | 0x8000_0000_0000_0000 | number


ACQUIRER = 12345678901
ALICE, BOB, SHOP, CARD = 1001, 1002, 0x5 << 64 | 7, 0xC0FFEE << 64 | 42


def ident(value):
    return struct.pack('<QQ', value & (2**64 - 1), value >> 64)


def text(value):
    return f'{value:032x}'


def datagram(messages, flags=0, session=0x1122334455667788, counter=1, **wrong):
    """A header and messages. `wrong` overrides header fields."""
    body = b''.join(messages)
    magic = wrong.get('magic', b'HF')
    header = magic + struct.pack('<BBHHQQ', wrong.get('version', 1), flags,
                                 wrong.get('length', 24 + len(body)),
                                 wrong.get('count', len(messages)), session, counter)
    return header + body


# ---- messages: bytes and words side by side

def operation(kind, body, number=1, flags=0, deadline=0, origin=0, length=None, identifier=None):
    identifier = op_id(number) if identifier is None else identifier
    length = 32 + len(body) if length is None else length
    return (struct.pack('<HBBI', length, kind, flags, origin) + ident(identifier) +
            struct.pack('<Q', deadline) + body)


def head_words(name, number, flags, deadline):
    return f'operation {name} id={text(op_id(number))} flags={flags} deadline={deadline}'


def asset_put(asset=840, scale=2, code=b'USD', reserved=bytes(5), number=1, flags=0, deadline=0,
              **more):
    body = struct.pack('<HB', asset, scale) + reserved + code.ljust(8, b'\0')
    words = head_words('ASSET_PUT', number, flags, deadline)
    words += f' asset={asset} scale={scale} code={code.decode("latin1")}'
    return operation(ASSET_PUT, body, number, flags, deadline, **more), words


def account_put(account=ALICE, floor=0, asset=840, status=0, reserved=bytes(5), number=2, flags=0,
                deadline=0, **more):
    body = ident(account) + struct.pack('<qHB', floor, asset, status) + reserved
    words = head_words('ACCOUNT_PUT', number, flags, deadline)
    words += f' account={text(account)} floor={floor} asset={asset} status={status}'
    return operation(ACCOUNT_PUT, body, number, flags, deadline, **more), words


def account_terms(account=ALICE, floor=0, asset=840, status=0, marks=1, ceiling=250000,
                  expires=DEADLINE, parent=0, sink=0, mccs=(5411, 5812), countries=(840,),
                  channels=3, merchant=b'MERCHANT0000001', parts=0, number=14, flags=0,
                  deadline=0, **more):
    body = ident(account) + struct.pack('<qHBB4x', floor, asset, status, marks)
    body += struct.pack('<qQ', ceiling, expires) + ident(parent) + ident(sink)
    body += struct.pack('<8H4HII', *(list(mccs) + 8 * [0])[:8], *(list(countries) + 4 * [0])[:4],
                        channels, parts) + merchant.ljust(16, b'\0')
    words = head_words('ACCOUNT_PUT', number, flags, deadline)
    words += (f' account={text(account)} floor={floor} asset={asset} status={status} marks={marks}'
              f' ceiling={ceiling} expires={expires} parent={text(parent)} sink={text(sink)}'
              f' mcc={mccs[0]} mcc2={mccs[1]} country={countries[0]} channels={channels}'
              f' merchant={merchant.decode()}')
    words += f' parts={parts}' if parts else ''
    return operation(ACCOUNT_PUT, body, number, flags, deadline, **more), words


def account_close(account=ALICE, sink=BOB, number=15, flags=0, deadline=0, **more):
    words = head_words('ACCOUNT_CLOSE', number, flags, deadline)
    words += f' account={text(account)} sink={text(sink)}'
    return operation(ACCOUNT_CLOSE, ident(account) + ident(sink), number, flags, deadline,
                     **more), words


def adjust(of=op_id(4), amount=7000, expires=DEADLINE, mode=1, reserved=bytes(7), number=16,
           flags=0, deadline=0, **more):
    body = ident(of) + struct.pack('<QQB', amount, expires, mode) + reserved
    words = head_words('ADJUST', number, flags, deadline)
    words += f' hold={text(of)} amount={amount} expires={expires} mode={mode}'
    return operation(ADJUST, body, number, flags, deadline, **more), words


def attest(of=op_id(4), condition=1, proof=b'open sesame', code=0, number=17, flags=0, deadline=0,
           length_said=None, **more):
    said = len(proof) if length_said is None else length_said
    body = ident(of) + struct.pack('<BB2xI', condition, said, code) + proof.ljust(64, b'\0')
    words = head_words('ATTEST', number, flags, deadline)
    words += f' hold={text(of)} condition={condition} code={code} proof={proof.hex()}'
    return operation(ATTEST, body, number, flags, deadline, **more), words


def class_put(class_number=1, lifetime=604800 * 10**9, reserved=bytes(7), number=18, flags=0,
              deadline=0, **more):
    body = struct.pack('<B', class_number) + reserved + struct.pack('<Q', lifetime)
    words = head_words('CLASS_PUT', number, flags, deadline)
    words += f' class={class_number} lifetime={lifetime}'
    return operation(CLASS_PUT, body, number, flags, deadline, **more), words


def entries(pairs):
    body, words = b'', ''
    for account, rule, amount in pairs:
        body += ident(account) + struct.pack('<QB7x', amount, rule)
        words += f' entry={text(account)}/{rule}/{amount}'
    return body, words


def plan(amount, minimum, sources, destinations, denominators=(0, 0), channel=1, method=0,
         choose=0, reserved=0):
    merchant = b'MERCHANT0000001'
    body = struct.pack('<QQIIHHHBBBBBBI', amount, minimum, *denominators, 840, 5411, 826, channel,
                       method, len(sources), len(destinations), choose, reserved, 79)
    body += merchant.ljust(16, b'\0')
    words = (f' amount={amount} minimum={minimum} denominators={denominators[0]},{denominators[1]}'
             f' asset=840 mcc=5411 country=826 channel={channel} method={method}'
             f' counts={len(sources)},{len(destinations)} choose={choose} reference=79'
             f' merchant={merchant.decode()}')
    return body, words


WATERFALL = ((ALICE, FIXED, 1000), (CARD, UP_TO, 2500), (BOB, REMAINING, 0))


def move_plan(amount=6000, minimum=0, sources=WATERFALL, destinations=((SHOP, REMAINING, 0),),
              number=19, flags=0, deadline=0, length=None, identifier=None, **more):
    head, head_text = plan(amount, minimum, sources, destinations, **more)
    tail, tail_text = entries(tuple(sources) + tuple(destinations))
    words = head_words('MOVE_PLAN', number, flags, deadline) + head_text + tail_text
    return operation(MOVE_PLAN, head + tail, number, flags, deadline, length=length,
                     identifier=identifier), words


def condition(kind, code=0, time=0, content=b''):
    words = f' condition={kind}/{code}/{time}/{content.hex()}'
    return struct.pack('<B3xIQ', kind, code, time) + content.ljust(32, b'\0'), words


def hold_plan(amount=6000, minimum=0, sources=WATERFALL, destinations=((SHOP, REMAINING, 0),),
              expires=DEADLINE, tolerance=150, hold_class=3, policy=6, conditions=(), required=0,
              number=20, flags=0, deadline=0, **more):
    head, words = plan(amount, minimum, sources, destinations, **more)
    words = head_words('HOLD_PLAN', number, flags, deadline) + words
    head += struct.pack('<QHBBBB2x', expires, tolerance, hold_class, policy, len(conditions),
                        required)
    words += (f' expires={expires} tolerance={tolerance} class={hold_class} policy={policy}'
              f' conditions={len(conditions)} required={required}')
    tail, tail_text = entries(tuple(sources) + tuple(destinations))
    words += tail_text
    for one, one_words in conditions:
        tail += one
        words += one_words
    return operation(HOLD_PLAN, head + tail, number, flags, deadline), words


def chain(*inner, count=None, reserved=bytes(7), number=21, flags=0, deadline=0, more=b'',
          length=None):
    body = struct.pack('<B', len(inner) if count is None else count) + reserved
    body += b''.join(message for message, _ in inner) + more
    words = head_words('CHAIN', number, flags, deadline) + f' count={len(inner)}'
    words += ''.join(f' [{one}]' for _, one in inner)
    return operation(CHAIN, body, number, flags, deadline, length=length), words


def move(payer=ALICE, payee=BOB, amount=6000, asset=840, reserved=0, reference=77, number=3,
         flags=0, deadline=0, **more):
    body = ident(payer) + ident(payee) + struct.pack('<QHHI', amount, asset, reserved, reference)
    words = head_words('MOVE', number, flags, deadline)
    words += (f' payer={text(payer)} payee={text(payee)} amount={amount} asset={asset}'
              f' reference={reference}')
    return operation(MOVE, body, number, flags, deadline, **more), words


def hold(payer=ALICE, payee=SHOP, amount=6000, asset=840, reserved=0, reference=78, expires=0,
         number=4, flags=0, deadline=0, **more):
    body = ident(payer) + ident(payee)
    body += struct.pack('<QHHIQ', amount, asset, reserved, reference, expires)
    words = head_words('HOLD', number, flags, deadline)
    words += (f' payer={text(payer)} payee={text(payee)} amount={amount} asset={asset}'
              f' reference={reference} expires={expires}')
    return operation(HOLD, body, number, flags, deadline, **more), words


def capture(of=op_id(4), amount=4217, final=0, reserved=bytes(7), number=5, flags=0, deadline=0,
            **more):
    body = ident(of) + struct.pack('<QB', amount, final) + reserved
    words = head_words('CAPTURE', number, flags, deadline)
    words += f' hold={text(of)} amount={amount} final={final}'
    return operation(CAPTURE, body, number, flags, deadline, **more), words


def capture_for(of=op_id(20), amount=4217, final=0, payee=SHOP, number=22, flags=0, deadline=0,
                **more):
    body = ident(of) + struct.pack('<QB7x', amount, final) + ident(payee)
    words = head_words('CAPTURE', number, flags, deadline)
    words += f' hold={text(of)} amount={amount} final={final} payee={text(payee)}'
    return operation(CAPTURE, body, number, flags, deadline, **more), words


def release(of=op_id(4), amount=1783, number=6, flags=0, deadline=0, **more):
    body = ident(of) + struct.pack('<Q', amount)
    words = head_words('RELEASE', number, flags, deadline)
    words += f' hold={text(of)} amount={amount}'
    return operation(RELEASE, body, number, flags, deadline, **more), words


def instrument_put(token=CARD, account=ALICE, expires=DEADLINE, limit=10000, remaining=3, status=1,
                   marks=1, reserved=bytes(5), further=(), count=None, number=7, flags=0,
                   deadline=0, **more):
    body = ident(token) + ident(account)
    body += struct.pack('<QQQBBB', expires, limit, remaining, status, marks,
                        len(further) if count is None else count) + reserved
    body += b''.join(ident(one) for one in further)
    words = head_words('INSTRUMENT_PUT', number, flags, deadline)
    words += (f' token={text(token)} account={text(account)} expires={expires} limit={limit}'
              f' remaining={remaining} status={status} marks={marks}')
    words += ''.join(f' further={text(one)}' for one in further)
    return operation(INSTRUMENT_PUT, body, number, flags, deadline, **more), words


def limit_put(scope_id=CARD, amount=50000, count=10, span=0, scope=1, limit=3, window=2, mode=0,
              zone=120, start=0, reserved=0, mccs=(5411, 5812), countries=(840,), channels=3,
              merchant=b'MERCHANT0000001', parts=0, number=23, flags=0, deadline=0,
              **more):
    body = ident(scope_id) + struct.pack('<QQQBBBBhBB', amount, count, span, scope, limit, window,
                                         mode, zone, start, reserved)
    body += struct.pack('<8H4HII', *(list(mccs) + 8 * [0])[:8], *(list(countries) + 4 * [0])[:4],
                        channels, parts) + merchant.ljust(16, b'\0')
    words = head_words('LIMIT_PUT', number, flags, deadline)
    words += (f' scope={scope}/{text(scope_id)}/{limit} window={window} mode={mode} amount={amount}'
              f' count={count} length={span} zone={zone} start={start} mcc={mccs[0]} mcc2={mccs[1]}'
              f' country={countries[0]} channels={channels} merchant={merchant.decode()}')
    words += f' parts={parts}' if parts else ''
    return operation(LIMIT_PUT, body, number, flags, deadline, **more), words


def bare_limit(**fields):
    """Without a filter."""
    return limit_put(**{'mccs': (0, 0), 'countries': (0,), 'channels': 0, 'merchant': b'',
                        'zone': 0, **fields})


def auth(token=CARD, payee=SHOP, amount=2000, minimum=0, billing_amount=0, asset=840,
         billing_asset=0, hold_class=0, marks=0, reserved=bytes(2), tolerance=0, number=8, flags=0,
         deadline=0, **more):
    acquirer, forwarder = ACQUIRER, 10987654321
    terminal, merchant = b'TERM0001', b'MERCHANT0000001'
    network, rrn = b'NETTRANSID00001', b'617512345678'
    stan, transmitted, local_time = 123456, 615150640, 615170640
    expiry, mcc, country, entry, conditions, region = 2812, 5411, 840, 71, 59, 6
    kind, channel = 0, 1
    body = ident(token) + ident(payee)
    body += struct.pack('<QQQQQ', amount, minimum, billing_amount, acquirer, forwarder)
    body += terminal + merchant.ljust(16, b'\0') + network.ljust(16, b'\0') + rrn
    body += struct.pack('<III', stan, transmitted, local_time)
    body += struct.pack('<HHHHHHHH', asset, billing_asset, expiry, mcc, country, entry, conditions,
                        region)
    body += struct.pack('<BBBB', kind, channel, hold_class, marks) + reserved
    body += struct.pack('<H', tolerance)
    words = head_words('AUTH', number, flags, deadline)
    words += (f' token={text(token)} payee={text(payee)} amount={amount} minimum={minimum}'
              f' billing_amount={billing_amount} acquirer={acquirer} forwarder={forwarder}'
              f' terminal={terminal.decode()} merchant={merchant.decode()}'
              f' network={network.decode()} rrn={rrn.decode()} stan={stan}'
              f' transmitted={transmitted} local={local_time} asset={asset}'
              f' billing_asset={billing_asset} expiry={expiry} mcc={mcc} country={country}'
              f' entry={entry} conditions={conditions} region={region} kind={kind}'
              f' channel={channel} class={hold_class} marks={marks} tolerance={tolerance}')
    return operation(AUTH, body, number, flags, deadline, **more), words


def increment(original=op_id(8), amount=1500, acquirer=ACQUIRER, asset=840, hold_class=3,
              reserved=bytes(5), number=24, flags=0, deadline=0, **more):
    body = ident(original) + struct.pack('<QQHB', amount, acquirer, asset, hold_class) + reserved
    words = head_words('INCREMENT', number, flags, deadline)
    words += (f' original={text(original)} amount={amount} acquirer={acquirer} asset={asset}'
              f' class={hold_class}')
    return operation(INCREMENT, body, number, flags, deadline, **more), words


def reverse(original=op_id(8), amount=ALL, acquirer=ACQUIRER, asset=840, captured=0,
            reserved=bytes(5), number=25, flags=0, deadline=0, **more):
    body = ident(original) + struct.pack('<QQHB', amount, acquirer, asset, captured) + reserved
    words = head_words('REVERSE', number, flags, deadline)
    words += (f' original={text(original)} amount={amount} acquirer={acquirer} asset={asset}'
              f' captured={captured}')
    return operation(REVERSE, body, number, flags, deadline, **more), words


def clear(original=op_id(8), token=CARD, payee=SHOP, amount=2000, acquirer=ACQUIRER,
          merchant=b'MERCHANT0000001', asset=840, mcc=5411, country=840, channel=1, marks=1,
          reference=80, reserved=bytes(4), number=26, flags=0, deadline=0, **more):
    body = ident(original) + ident(token) + ident(payee) + struct.pack('<QQ', amount, acquirer)
    body += merchant.ljust(16, b'\0')
    body += struct.pack('<HHHBBI', asset, mcc, country, channel, marks, reference) + reserved
    words = head_words('CLEAR', number, flags, deadline)
    words += (f' original={text(original)} token={text(token)} payee={text(payee)} amount={amount}'
              f' acquirer={acquirer} merchant={merchant.decode()} asset={asset} mcc={mcc}'
              f' country={country} channel={channel} marks={marks} reference={reference}')
    return operation(CLEAR, body, number, flags, deadline, **more), words


def query(subject_id=ALICE, subject=1, reserved=bytes(3), cursor=0, number=9, flags=0, deadline=0,
          **more):
    body = ident(subject_id) + struct.pack('<B', subject) + reserved + struct.pack('<I', cursor)
    words = head_words('QUERY', number, flags, deadline)
    words += f' subject={subject} subject_id={text(subject_id)} cursor={cursor}'
    return operation(QUERY, body, number, flags, deadline, **more), words


def reply(kind=MOVE, name='MOVE', code=0, rule=0, durability=1, number=3, approved=6000,
          available=4000, posted=4000, place=12, timestamp=TIME_MS * 1_000_000 + 5, view=b'',
          view_words='', length=None, bit=0x80, entry=0):
    length = 64 + len(view) if length is None else length
    message = struct.pack('<HBBHBB', length, kind | bit, entry, code, rule, durability)
    message += ident(op_id(number)) + struct.pack('<QqqQQ', approved, available, posted, place,
                                                  timestamp) + view
    words = (f'reply {name} entry={entry} code={code} rule={rule} durability={durability}'
             f' id={text(op_id(number))} approved={approved} available={available} posted={posted}'
             f' place={place} timestamp={timestamp}{view_words}')
    return message, words


def account_view():
    view = ident(ALICE) + struct.pack('<qqQQQqHBBBB2xQqQ', 4000, 2500, 1500, 0, 6000, 0, 840, 0, 2,
                                      0, 1, 10000, CEILING_NONE, DEADLINE)
    view += ident(BOB) + ident(SHOP)
    words = (f' account={text(ALICE)} posted=4000 available=2500 held_out=1500 held_in=0'
             f' debits=6000 floor=0 asset=840 status=0 scale=2 marks=0 has_filter=1 credits=10000'
             f' ceiling={CEILING_NONE} expires={DEADLINE} parent={text(BOB)} sink={text(SHOP)}')
    return view, words


def account_holds_reply(count):
    view, words = account_view()
    view += struct.pack('<II', 77, count)
    words += f' next=77 count={count}'
    for i in range(count):
        view += ident(op_id(4 + i)) + ident(SHOP) + struct.pack('<QQ', 500 + i, DEADLINE)
        words += f' line={text(op_id(4 + i))}/{text(SHOP)}/{500 + i}/{DEADLINE}'
    return reply(QUERY, 'QUERY', number=13, approved=0, available=2500, posted=4000, view=view,
                 view_words=words)


def account_reply():
    view, words = account_view()
    return reply(QUERY, 'QUERY', number=9, approved=0, available=2500, posted=4000, view=view,
                 view_words=words)


def instrument_reply(further=()):
    view = ident(CARD) + ident(ALICE)
    view += struct.pack('<QQQBBB5x', 0, ALL, 2, 1, 0, len(further))
    view += b''.join(ident(one) for one in further).ljust(7 * 16, b'\0')
    words = (f' token={text(CARD)} account={text(ALICE)} expires=0 limit={ALL} remaining=2'
             f' status=1 marks=0')
    words += ''.join(f' further={text(one)}' for one in further)
    return reply(QUERY, 'QUERY', number=10, approved=0, available=0, posted=0, view=view,
                 view_words=words)


def authorisation_view(number=8, token=CARD, payer=ALICE, payee=SHOP, amount=2000, remaining=500,
                       captured=1200, reversed_amount=300, expires=DEADLINE, code=0, exception=0,
                       rule=0, entry=0, status=0, marks=0x1a):
    merchant = b'MERCHANT0000001'
    place, timestamp = 12, TIME_MS * 1_000_000 + 5
    view = ident(op_id(number)) + ident(token) + ident(payer) + ident(payee)
    view += struct.pack('<QQQQQQQQ', amount, remaining, captured, reversed_amount, expires, place,
                        timestamp, ACQUIRER) + merchant.ljust(16, b'\0')
    view += struct.pack('<HHBBBBHHHBB', code, exception, rule, entry, status, marks, 840, 5411, 826,
                        1, 3)
    words = (f' authorisation={text(op_id(number))} token={text(token)} payer={text(payer)}'
             f' payee={text(payee)} amount={amount} remaining={remaining} captured={captured}'
             f' reversed={reversed_amount} expires={expires} place={place} timestamp={timestamp}'
             f' acquirer={ACQUIRER} merchant={merchant.decode()} code={code} exception={exception}'
             f' rule={rule} entry={entry} status={status} marks={marks} asset=840 mcc=5411'
             f' country=826 channel=1 class=3')
    return view, words


def authorisation_reply(**fields):
    view, words = authorisation_view(**fields)
    return reply(QUERY, 'QUERY', number=27, approved=0, available=0, posted=0, view=view,
                 view_words=words)


def authorisations_reply(count, following):
    view = struct.pack('<II', following, count)
    words = f' next={following} count={count}'
    for i in range(count):
        line, line_words = authorisation_view(number=8 + i, status=i)
        view += line
        words += f' [{line_words[1:]}]'
    return reply(QUERY, 'QUERY', number=28, approved=0, available=0, posted=0, view=view,
                 view_words=words)


def hold_reply():
    view = ident(op_id(4)) + ident(ALICE) + ident(SHOP)
    view += struct.pack('<QQQQHBBHBBBBB5x', 6000, 0, 4217, DEADLINE, 840, 1, 2, 150, 3, 4, 5, 2,
                        0x12)
    words = (f' hold={text(op_id(4))} payer={text(ALICE)} payee={text(SHOP)} amount=6000'
             f' remaining=0 captured=4217 expires={DEADLINE} asset=840 status=1 policy=2'
             f' tolerance=150 class=3 payers=4 conditions=5 required=2 met=18')
    return reply(QUERY, 'QUERY', number=11, approved=0, available=0, posted=0, view=view,
                 view_words=words)


def limits_reply(count):
    """Never three lines: such a view is as long as an account's, and only its asker could tell."""
    view = struct.pack('<II', 12 if count == 12 else 0, count)
    words = f' next={12 if count == 12 else 0} count={count}'
    for i in range(count):
        window = 1 + i % 6
        fields = (ALL if i == 1 else 1000 + i, ALL if i == 0 else 20 + i, 300 + i, i)
        view += struct.pack('<QQQQBBB5x', *fields, 1 + i, window, i % 2)
        words += f' limit={1 + i}/{window}/{i % 2}/' + '/'.join(str(field) for field in fields)
    return reply(QUERY, 'QUERY', number=24, approved=0, available=0, posted=0, view=view,
                 view_words=words)


def operation_reply():
    inner, words = reply()
    return reply(QUERY, 'QUERY', number=12, approved=0, available=0, posted=0, view=inner,
                 view_words=' answer: ' + words)


# ---- vectors

out = []


def vector(name, data, verdict='OK/NONE', steps=()):
    out.append(f'vector {name}')
    digits = data.hex()
    for start in range(0, len(digits), 96):
        out.append('hex ' + digits[start:start + 96])
    out.append(f'open {verdict}')
    if verdict == 'OK/NONE':
        flags, count = data[3], struct.unpack_from('<H', data, 6)[0]
        session, counter = struct.unpack_from('<QQ', data, 8)
        out.append(f'header flags={flags} count={count} session={session:016x} counter={counter}')
        out.extend(steps)
    out.append('end')
    out.append('')


def good(name, *pairs, **header):
    vector(name, datagram([message for message, _ in pairs], **header),
           steps=[words for _, words in pairs])


def refused(name, pair, verdict, identifier=op_id(1)):
    """The bad message between two good ones: it is answered, and reading goes on."""
    before, before_words = move(number=100)
    after, after_words = query(number=101)
    vector(name, datagram([before, pair[0], after]),
           steps=[before_words, f'refused {verdict} {text(identifier)}', after_words])


def broken(name, message, verdict='MALFORMED/LENGTH', identifier=0, **header):
    """Everything from the bad message on is lost."""
    before, before_words = move(number=100)
    vector(name, datagram([before, message], **header),
           steps=[before_words, f'broken {verdict} {text(identifier)}'])


# A filter that says it looks at a part which has no entries, the others having some.
EMPTY_PARTS = (('mccs', {'parts': 1, 'mccs': (0, 0)}), ('countries', {'parts': 2, 'countries': (0,)}),
               ('channels', {'parts': 4, 'channels': 0}), ('merchant', {'parts': 8, 'merchant': b''}))


def main():
    good('asset_put', asset_put())
    good('asset_put_longest_code', asset_put(asset=65535, scale=18, code=b'POINTS99'))
    good('account_put', account_put())
    good('account_put_issuance', account_put(account=1, floor=FLOOR_NONE))
    good('account_put_frozen', account_put(floor=-50000, status=1))
    good('move', move(flags=BALANCES))
    good('move_largest', move(amount=2**63 - 1, flags=DRY_RUN | BALANCES, deadline=DEADLINE))
    good('hold', hold())
    good('hold_expires', hold(expires=DEADLINE))
    good('capture_part', capture())
    good('capture_for', capture_for())
    good('capture_for_nobody', capture_for(payee=0, final=1))
    good('capture_rest_final', capture(amount=ALL, final=1))
    good('release_part', release())
    good('release_rest', release(amount=ALL))
    good('instrument_put', instrument_put())
    good('instrument_put_unlimited',
         instrument_put(expires=0, limit=ALL, remaining=ALL, status=0, marks=0))
    good('instrument_put_further', instrument_put(further=(BOB,)))
    good('instrument_put_most',
         instrument_put(further=(BOB, SHOP, 3001, 3002, 3003, 3004, 3005)))
    good('auth', auth(flags=BALANCES, deadline=DEADLINE))
    good('auth_verification', auth(amount=0))
    good('auth_partial', auth(minimum=500, hold_class=15, tolerance=1000))
    good('auth_partial_all', auth(minimum=2000, hold_class=1, tolerance=150))
    good('auth_forced', auth(marks=1))
    good('auth_estimated', auth(marks=2, hold_class=5))
    good('auth_forced_estimated', auth(marks=3))
    good('increment', increment())
    good('increment_largest', increment(amount=2**63 - 1, acquirer=0, hold_class=0))
    good('reverse', reverse(flags=BALANCES))
    good('reverse_part', reverse(amount=1, captured=1))
    good('clear', clear(deadline=DEADLINE))
    good('clear_of_what_it_names', clear(token=0, payee=0, marks=0))
    good('clear_forced', clear(original=0, amount=2**63 - 1, marks=3))
    good('clear_forced_of_nothing_known', clear(original=0, token=0, payee=0, marks=2))
    good('limit_put', limit_put())
    good('limit_put_operation', bare_limit(window=1, amount=ALL, count=0, limit=255))
    good('limit_put_day_west', limit_put(zone=-840, scope=2, scope_id=ALICE))
    good('limit_put_day_east', limit_put(zone=840))
    good('limit_put_week', limit_put(window=3, start=7))
    good('limit_put_month', limit_put(window=4, start=28, amount=ALL, count=ALL))
    good('limit_put_rolling', bare_limit(window=5, span=4 * 3600 * 10**9))
    good('limit_put_rolling_shortest', bare_limit(window=5, span=64))
    good('limit_put_rolling_longest', bare_limit(window=5, span=400 * 86400 * 10**9))
    good('limit_put_lifetime', bare_limit(window=6, limit=1))
    good('limit_put_parts', limit_put(parts=15))
    good('limit_put_one_part', bare_limit(parts=4, channels=2**31))
    good('limit_raise', bare_limit(mode=1, window=0, amount=ALL, count=1))
    good('limit_reset', bare_limit(mode=2, window=0, amount=0, count=0))
    good('account_terms', account_terms())
    good('account_terms_defaults',
         account_terms(marks=0, ceiling=CEILING_NONE, expires=0, mccs=(0, 0), countries=(0,),
                       channels=0, merchant=b''))
    good('account_terms_parts', account_terms(parts=15))
    good('account_terms_parent', account_terms(parent=SHOP, sink=BOB))
    good('account_close', account_close())
    good('account_close_empty', account_close(sink=0))
    good('adjust_raise', adjust())
    good('adjust_expiry', adjust(amount=0, mode=0))
    good('adjust_set', adjust(amount=1, expires=0, mode=3))
    good('attest_preimage', attest())
    good('attest_signature', attest(condition=8, proof=bytes(range(1, 65)), code=44))
    good('attest_origin', attest(proof=b''))
    good('class_put', class_put())
    good('class_put_never', class_put(15, 0))
    good('move_plan', move_plan(flags=BALANCES))
    good('move_plan_partial', move_plan(minimum=500, sources=((ALICE, UP_TO, ALL),)))
    good('move_plan_ratios',
         move_plan(sources=((ALICE, RATIO, 80), (BOB, RATIO, 20)),
                   destinations=((SHOP, RATIO, 1), (CARD, RATIO, 2)), denominators=(100, 3)))
    good('move_plan_everything',
         move_plan(amount=ALL, sources=((ALICE, EVERYTHING, 0), (BOB, FIXED, 5))))
    good('move_plan_residual',
         move_plan(sources=tuple((2000 + i, UP_TO, ALL) for i in range(64)), method=1, choose=4))
    good('hold_plan', hold_plan())
    good('hold_plan_open', hold_plan(destinations=(), policy=0, expires=0))
    proofs = (condition(BLAKE2B, content=bytes(range(32, 64))),
              condition(SHA256, content=bytes(range(1, 33))),
              condition(SIGNATURE, content=bytes(range(64, 96))),
              condition(REGION, code=276, content=bytes(range(64, 96))),
              condition(ORIGIN, code=9), condition(NOT_BEFORE, time=DEADLINE),
              condition(NOT_AFTER, time=DEADLINE + 1))
    good('hold_plan_conditions', hold_plan(conditions=proofs, required=5))
    good('chain', chain(move(), hold(number=31), capture(of=op_id(31), number=32),
                        move_plan(number=33)))
    good('chain_of_a_card',
         chain(auth(number=34), clear(original=op_id(34), number=35),
               instrument_put(further=(BOB,), number=36)))
    good('chain_of_one', chain(release(), flags=BALANCES, deadline=DEADLINE))
    good('query_holds', query(ALICE, 5))
    good('query_holds_next', query(ALICE, 5, cursor=77))
    good('query_instrument_limits', query(CARD, 6))
    good('query_account_limits_next', query(ALICE, 7, cursor=255))
    good('query_authorisation', query(op_id(8), 8))
    good('query_instrument_authorisations', query(CARD, 9))
    good('query_instrument_authorisations_last', query(CARD, 9, cursor=1024))
    good('query_account', query())
    good('query_instrument', query(CARD, 2))
    good('query_operation', query(op_id(3), 3))
    good('query_hold', query(op_id(4), 4))
    good('batch', asset_put(), account_put(), move(), hold(), capture(), release(),
         instrument_put(), auth(), query(), session=0, counter=2**64 - 1)

    good('reply_ok', reply(), flags=REPLIES)
    good('reply_refused', reply(code=10, rule=1, approved=0), flags=REPLIES)
    good('reply_entry', reply(MOVE_PLAN, 'MOVE_PLAN', code=10, rule=1, approved=0, entry=3),
         flags=REPLIES)
    good('reply_account_holds', account_holds_reply(2), flags=REPLIES)
    good('reply_account_holds_most', account_holds_reply(8), flags=REPLIES)
    good('reply_account_holds_none', account_holds_reply(0), flags=REPLIES)
    good('reply_limit', reply(AUTH, 'AUTH', code=11, rule=30, approved=0, entry=255),
         flags=REPLIES)
    good('reply_partial', reply(AUTH, 'AUTH', code=1, approved=500), flags=REPLIES)
    for count in (0, 2, 12):
        good(f'reply_limits_{count}', limits_reply(count), flags=REPLIES)
    good('reply_busy', reply(AUTH, 'AUTH', 60, 18, 1, 8, 0, 0, 0, 0, 0), flags=REPLIES)
    good('reply_to_unknown_type', reply(99, 'UNKNOWN', 72, 12, 1, 8, 0, 0, 0, 0, 0), flags=REPLIES)
    good('reply_account', account_reply(), flags=REPLIES)
    good('reply_instrument', instrument_reply(), flags=REPLIES)
    good('reply_instrument_further', instrument_reply((BOB, SHOP)), flags=REPLIES)
    good('reply_instrument_most',
         instrument_reply((BOB, SHOP, 3001, 3002, 3003, 3004, 3005)), flags=REPLIES)
    good('reply_authorisation', authorisation_reply(), flags=REPLIES)
    good('reply_authorisation_refused',
         authorisation_reply(token=0, payer=0, payee=0, remaining=0, captured=0, reversed_amount=0,
                             expires=0, code=10, rule=1, status=3, marks=0), flags=REPLIES)
    good('reply_authorisation_forced', authorisation_reply(exception=11, marks=0x19),
         flags=REPLIES)
    good('reply_authorisation_reversed_before',
         authorisation_reply(token=0, payer=0, payee=0, amount=0, remaining=0, captured=0,
                             reversed_amount=0, expires=0, status=4, marks=0), flags=REPLIES)
    for count, following in ((0, 0), (1, 0), (2, 0), (3, 3), (3, 1024)):
        good(f'reply_authorisations_{count}_{following}', authorisations_reply(count, following),
             flags=REPLIES)
    good('reply_reversed', reply(AUTH, 'AUTH', code=45, rule=35, approved=0), flags=REPLIES)
    good('reply_reverse', reply(REVERSE, 'REVERSE', code=46, rule=35, approved=0), flags=REPLIES)
    good('reply_acquirer', reply(CLEAR, 'CLEAR', code=34, rule=34, approved=0), flags=REPLIES)
    good('reply_increment', reply(INCREMENT, 'INCREMENT', approved=1500), flags=REPLIES)
    good('reply_hold', hold_reply(), flags=REPLIES)
    good('reply_operation', operation_reply(), flags=REPLIES)
    good('reply_batch', reply(), account_reply(), hold_reply(), reply(number=13), flags=REPLIES)

    whole, whole_words = move()
    one = datagram([whole])
    vector('datagram_empty', b'', 'MALFORMED/LENGTH')
    vector('datagram_short', one[:23], 'MALFORMED/LENGTH')
    vector('datagram_magic', datagram([whole], magic=b'FH'), 'MALFORMED/TYPE')
    vector('datagram_version', datagram([whole], version=2), 'WRONG_VERSION/TYPE')
    vector('datagram_version_zero', datagram([whole], version=0), 'WRONG_VERSION/TYPE')
    vector('datagram_length_over', datagram([whole], length=24 + 80 + 8), 'MALFORMED/LENGTH')
    vector('datagram_length_under', datagram([whole], length=24 + 80 - 8), 'MALFORMED/LENGTH')
    vector('datagram_flags', datagram([whole], flags=0x02), 'UNSUPPORTED/FLAGS')
    vector('datagram_flags_high', datagram([whole], flags=0x80), 'UNSUPPORTED/FLAGS')
    vector('datagram_no_messages', datagram([]), 'MALFORMED/SUBJECT')
    vector('datagram_count_zero', datagram([whole], count=0), 'MALFORMED/SUBJECT')
    vector('datagram_count_over', datagram([whole], count=256), 'MALFORMED/SUBJECT')

    lost = 'broken MALFORMED/LENGTH ' + text(0)
    vector('count_beyond', datagram([whole], count=2), steps=[whole_words, lost])
    vector('count_below', datagram([whole, whole], count=1), steps=[whole_words, lost])
    vector('header_alone', datagram([], count=1), steps=[lost])
    broken('message_cut_in_header', whole[:31])
    broken('message_cut_in_body', whole[:72], identifier=op_id(3))
    broken('message_length_zero', move(length=0)[0], identifier=op_id(3))
    broken('message_length_below_header', move(length=24)[0], identifier=op_id(3))
    broken('message_length_odd', move(length=81)[0], identifier=op_id(3))
    broken('message_length_largest', move(length=0xfff8)[0], identifier=op_id(3))
    broken('message_length_no_id', move(length=4, identifier=0)[0])
    vector('operation_among_replies', datagram([whole], flags=REPLIES),
           steps=['broken reply'])
    answer, answer_words = reply()
    vector('reply_among_operations', datagram([answer]),
           steps=[f'refused UNKNOWN_TYPE/TYPE {text(op_id(3))}'])
    for name, bad in (('short', reply(length=56)[0]), ('odd', reply(length=68)[0]),
                      ('beyond', reply(length=72)[0]), ('long', reply(view=bytes(528))[0]),
                      ('without_bit', reply(bit=0)[0]), ('cut', answer[:63])):
        vector('reply_' + name, datagram([answer, bad], flags=REPLIES),
               steps=[answer_words, 'broken reply'])

    refused('type_zero', (operation(0, bytes(48)), ''), 'UNKNOWN_TYPE/TYPE')
    refused('type_unknown', (operation(27, bytes(48)), ''), 'UNKNOWN_TYPE/TYPE')
    refused('type_unknown_long', (operation(200, bytes(368)), ''), 'UNKNOWN_TYPE/TYPE')
    refused('type_without_body', (operation(CLAIM, bytes(48)), ''), 'UNSUPPORTED/TYPE')
    refused('type_without_body_long', (operation(CLAIM, bytes(968)), ''), 'UNSUPPORTED/TYPE')
    refused('length_long', (operation(MOVE, bytes(368)), ''), 'MALFORMED/LENGTH')
    refused('length_other', (operation(MOVE, bytes(56)), ''), 'MALFORMED/LENGTH')
    refused('length_header_alone', (operation(MOVE, b''), ''), 'MALFORMED/LENGTH')
    refused('flags_linked', move(number=1, flags=LINKED), 'UNSUPPORTED/FLAGS')
    refused('flags_unknown', move(number=1, flags=0x08), 'UNSUPPORTED/FLAGS')
    refused('flags_query_dry_run', query(number=1, flags=DRY_RUN), 'UNSUPPORTED/FLAGS')
    refused('id_zero', move(identifier=0), 'BAD_ID/ID', 0)
    refused('id_ones', move(identifier=ONES), 'BAD_ID/ID', ONES)
    refused('origin', move(number=1, origin=5), 'MALFORMED/ORIGIN')
    refused('asset_put_zero', asset_put(asset=0), 'MALFORMED/ASSET')
    refused('asset_put_scale', asset_put(scale=19), 'MALFORMED/ASSET')
    refused('asset_put_reserved', asset_put(reserved=b'\0\0\0\0\1'), 'MALFORMED/RESERVED')
    refused('asset_put_no_code', asset_put(code=b''), 'MALFORMED/ASSET')
    refused('asset_put_lower_case', asset_put(code=b'usd'), 'MALFORMED/ASSET')
    refused('asset_put_gap', asset_put(code=b'US\0D'), 'MALFORMED/ASSET')
    refused('account_put_id', account_put(account=0, number=1), 'BAD_ID/ACCOUNT')
    refused('account_put_asset', account_put(asset=0, number=1), 'MALFORMED/ASSET')
    refused('account_put_status', account_put(status=2, number=1), 'MALFORMED/STATUS')
    refused('account_put_flags', account_put(reserved=b'\1\0\0\0\0', number=1),
            'MALFORMED/STATUS')
    refused('account_put_reserved', account_put(reserved=b'\0\1\0\0\0', number=1),
            'MALFORMED/RESERVED')
    refused('account_terms_flags', account_terms(marks=2, number=1), 'MALFORMED/STATUS')
    refused('account_terms_parent_id', account_terms(parent=ONES, number=1), 'BAD_ID/PARENT')
    refused('account_terms_parent_self', account_terms(parent=ALICE, number=1),
            'SAME_ACCOUNT/PARENT')
    refused('account_terms_sink_id', account_terms(sink=ONES, number=1), 'BAD_ID/SINK')
    refused('account_terms_sink_self', account_terms(sink=ALICE, number=1), 'SAME_ACCOUNT/SINK')
    refused('account_terms_filter', account_terms(parts=16, number=1), 'MALFORMED/RESERVED')
    for name, fields in EMPTY_PARTS:
        refused('account_terms_no_' + name, account_terms(**fields, number=1), 'MALFORMED/FILTER')
    refused('account_close_account', account_close(account=0, number=1), 'BAD_ID/ACCOUNT')
    refused('account_close_sink', account_close(sink=ALICE, number=1), 'SAME_ACCOUNT/SINK')
    refused('adjust_mode', adjust(mode=4, number=1), 'MALFORMED/STATUS')
    refused('adjust_nothing', adjust(amount=0, expires=0, mode=0, number=1), 'MALFORMED/EXPIRY')
    refused('adjust_keep_amount', adjust(mode=0, number=1), 'BAD_AMOUNT/AMOUNT')
    refused('attest_condition', attest(condition=9, number=1), 'MALFORMED/CONDITION')
    refused('attest_length', attest(length_said=65, number=1), 'MALFORMED/CONDITION')
    refused('attest_behind', attest(length_said=10, number=1), 'MALFORMED/RESERVED')
    refused('class_put_class', class_put(16, number=1), 'MALFORMED/CLASS')
    refused('plan_amount', move_plan(amount=2**63, number=1), 'BAD_AMOUNT/AMOUNT')
    refused('plan_minimum', move_plan(minimum=6001, number=1), 'BAD_AMOUNT/AMOUNT')
    refused('plan_minimum_no_up_to',
            move_plan(minimum=1, sources=((ALICE, REMAINING, 0),), number=1), 'MALFORMED/PLAN')
    refused('plan_channel', move_plan(channel=32, number=1), 'MALFORMED/PLAN')
    refused('plan_method', move_plan(method=2, number=1), 'MALFORMED/PLAN')
    refused('plan_choose', move_plan(choose=1, number=1), 'MALFORMED/PLAN')
    refused('plan_no_sources', move_plan(sources=(), number=1), 'MALFORMED/PLAN')
    refused('plan_no_destinations', move_plan(destinations=(), number=1), 'MALFORMED/PLAN')
    refused('plan_reserved', move_plan(reserved=1, number=1), 'MALFORMED/RESERVED')
    refused('plan_same', move_plan(destinations=((BOB, REMAINING, 0),), number=1),
            'SAME_ACCOUNT/PAYEE:4')
    refused('plan_entry_amount', move_plan(sources=((BOB, FIXED, 0),), number=1),
            'BAD_AMOUNT/PAYER:1')
    refused('plan_entry_rule', move_plan(sources=((BOB, 6, 0),), number=1), 'MALFORMED/PLAN:1')
    refused('plan_remaining_first', move_plan(sources=WATERFALL[::-1], number=1),
            'MALFORMED/PLAN:1')
    refused('plan_ratios', move_plan(sources=((BOB, RATIO, 2), (CARD, RATIO, 2)),
                                     denominators=(3, 0), number=1), 'UNBALANCED/PLAN')
    refused('hold_plan_tolerance', hold_plan(tolerance=1001, number=1), 'MALFORMED/HOLD')
    refused('hold_plan_class', hold_plan(hold_class=16, number=1), 'MALFORMED/CLASS')
    refused('hold_plan_policy', hold_plan(policy=8, number=1), 'MALFORMED/STATUS')
    refused('hold_plan_soft', hold_plan(policy=1, conditions=proofs, required=1, number=1),
            'MALFORMED/CONDITION')
    refused('hold_plan_required', hold_plan(conditions=proofs, required=8, number=1),
            'MALFORMED/CONDITION')
    refused('hold_plan_condition', hold_plan(conditions=proofs[:1] + (condition(8),), required=1,
                                             number=1), 'MALFORMED/CONDITION:2')
    refused('chain_count', chain(number=1), 'MALFORMED/CHAIN')
    refused('chain_nested', chain(chain(move()), number=1), 'NESTED_CHAIN/CHAIN:1')
    refused('chain_query', chain(move(), query(), number=1), 'UNSUPPORTED/TYPE:2')
    refused('chain_flags', chain(move(flags=BALANCES), number=1), 'UNSUPPORTED/FLAGS:1')
    refused('chain_deadline', chain(move(deadline=1), number=1), 'MALFORMED/CHAIN:1')
    refused('chain_id', chain(move(), hold(number=3), number=1), 'BAD_ID/CHAIN:2')
    refused('chain_inner', chain(move(), hold(amount=0), number=1), 'BAD_AMOUNT/AMOUNT:2')
    refused('chain_short', chain(move(), count=2, number=1), 'MALFORMED/LENGTH:2')
    refused('chain_left_over', chain(move(), more=bytes(8), number=1), 'MALFORMED/LENGTH')
    expiry = ident(op_id(4)) + struct.pack('<B7x', 1)
    refused('expire', (operation(EXPIRE, struct.pack('<B7x', 1) + expiry), ''),
            'NOT_PERMITTED/TYPE')
    refused('move_payer', move(payer=0, number=1), 'BAD_ID/PAYER')
    refused('move_payee', move(payee=ONES, number=1), 'BAD_ID/PAYEE')
    refused('move_amount_zero', move(amount=0, number=1), 'BAD_AMOUNT/AMOUNT')
    refused('move_amount_over', move(amount=2**63, number=1), 'BAD_AMOUNT/AMOUNT')
    refused('move_amount_all', move(amount=ALL, number=1), 'BAD_AMOUNT/AMOUNT')
    refused('move_asset', move(asset=0, number=1), 'MALFORMED/ASSET')
    refused('move_reserved', move(reserved=1, number=1), 'MALFORMED/RESERVED')
    refused('move_first_field_decides', move(payee=0, amount=0, asset=0, number=1),
            'BAD_ID/PAYEE')
    refused('hold_payer', hold(payer=ONES, number=1), 'BAD_ID/PAYER')
    refused('hold_amount', hold(amount=0, number=1), 'BAD_AMOUNT/AMOUNT')
    refused('capture_hold', capture(of=0, number=1), 'BAD_ID/HOLD')
    refused('capture_amount', capture(amount=ALL - 1, number=1), 'BAD_AMOUNT/AMOUNT')
    refused('capture_final', capture(final=2, number=1), 'MALFORMED/STATUS')
    refused('capture_reserved', capture(reserved=b'\0\0\0\0\0\0\1', number=1),
            'MALFORMED/RESERVED')
    refused('release_hold', release(of=ONES, number=1), 'BAD_ID/HOLD')
    refused('release_amount', release(amount=0, number=1), 'BAD_AMOUNT/AMOUNT')
    refused('instrument_put_token', instrument_put(token=0, number=1), 'BAD_ID/INSTRUMENT')
    refused('instrument_put_account', instrument_put(account=0, number=1), 'BAD_ID/ACCOUNT')
    refused('instrument_put_status', instrument_put(status=4, number=1), 'MALFORMED/STATUS')
    refused('instrument_put_marks', instrument_put(marks=2, number=1), 'MALFORMED/STATUS')
    refused('instrument_put_reserved', instrument_put(reserved=b'\0\1\0\0\0', number=1),
            'MALFORMED/RESERVED')
    refused('instrument_put_too_many', instrument_put(further=range(3001, 3009), number=1),
            'MALFORMED/INSTRUMENT')
    refused('instrument_put_count', instrument_put(further=(BOB,), count=2, number=1),
            'MALFORMED/LENGTH')
    refused('instrument_put_further_id', instrument_put(further=(BOB, ONES), number=1),
            'BAD_ID/ACCOUNT:2')
    refused('instrument_put_further_own', instrument_put(further=(ALICE,), number=1),
            'SAME_ACCOUNT/ACCOUNT:1')
    refused('instrument_put_further_twice', instrument_put(further=(BOB, SHOP, BOB), number=1),
            'SAME_ACCOUNT/ACCOUNT:3')
    refused('auth_token', auth(token=0, number=1), 'BAD_ID/INSTRUMENT')
    refused('auth_payee', auth(payee=0, number=1), 'BAD_ID/PAYEE')
    refused('auth_amount', auth(amount=2**63, number=1), 'BAD_AMOUNT/AMOUNT')
    refused('auth_minimum', auth(minimum=2001, number=1), 'BAD_AMOUNT/AMOUNT')
    refused('auth_verification_minimum', auth(amount=0, minimum=1, number=1), 'BAD_AMOUNT/AMOUNT')
    refused('auth_billing_amount', auth(billing_amount=1, number=1), 'UNSUPPORTED/AMOUNT')
    refused('auth_asset', auth(asset=0, number=1), 'MALFORMED/ASSET')
    refused('auth_billing_asset', auth(billing_asset=978, number=1), 'UNSUPPORTED/ASSET')
    refused('auth_class', auth(hold_class=16, number=1), 'MALFORMED/CLASS')
    refused('auth_flags', auth(marks=4, number=1), 'MALFORMED/STATUS')
    refused('auth_forced_minimum', auth(marks=1, minimum=1, number=1), 'BAD_AMOUNT/AMOUNT')
    refused('auth_forced_verification', auth(marks=1, amount=0, number=1), 'BAD_AMOUNT/AMOUNT')
    for name, make, fields, verdict in (
            ('increment_original', increment, {'original': 0}, 'BAD_ID/ORIGINAL'),
            ('increment_own', increment, {'original': op_id(1)}, 'BAD_ID/ORIGINAL'),
            ('increment_amount', increment, {'amount': 0}, 'BAD_AMOUNT/AMOUNT'),
            ('increment_amount_all', increment, {'amount': ALL}, 'BAD_AMOUNT/AMOUNT'),
            ('increment_asset', increment, {'asset': 0}, 'MALFORMED/ASSET'),
            ('increment_class', increment, {'hold_class': 16}, 'MALFORMED/CLASS'),
            ('increment_reserved', increment, {'reserved': b'\0\0\0\0\1'}, 'MALFORMED/RESERVED'),
            ('reverse_original', reverse, {'original': ONES}, 'BAD_ID/ORIGINAL'),
            ('reverse_own', reverse, {'original': op_id(1)}, 'BAD_ID/ORIGINAL'),
            ('reverse_amount', reverse, {'amount': 2**63}, 'BAD_AMOUNT/AMOUNT'),
            ('reverse_asset', reverse, {'asset': 0}, 'MALFORMED/ASSET'),
            ('reverse_captured', reverse, {'captured': 2}, 'MALFORMED/STATUS'),
            ('reverse_reserved', reverse, {'reserved': b'\1\0\0\0\0'}, 'MALFORMED/RESERVED'),
            ('clear_no_original', clear, {'original': 0}, 'BAD_ID/ORIGINAL'),
            ('clear_original', clear, {'original': ONES, 'marks': 2}, 'BAD_ID/ORIGINAL'),
            ('clear_own', clear, {'original': op_id(1), 'marks': 2}, 'BAD_ID/ORIGINAL'),
            ('clear_token', clear, {'token': ONES}, 'BAD_ID/INSTRUMENT'),
            ('clear_payee', clear, {'payee': ONES}, 'BAD_ID/PAYEE'),
            ('clear_amount', clear, {'amount': 0}, 'BAD_AMOUNT/AMOUNT'),
            ('clear_amount_all', clear, {'amount': ALL}, 'BAD_AMOUNT/AMOUNT'),
            ('clear_asset', clear, {'original': 0, 'asset': 0}, 'MALFORMED/ASSET'),
            ('clear_flags', clear, {'original': 0, 'marks': 4}, 'MALFORMED/STATUS'),
            ('clear_reserved', clear, {'reserved': b'\0\0\0\1'}, 'MALFORMED/RESERVED')):
        refused(name, make(number=1, **fields), verdict)
    refused('auth_reserved', auth(reserved=b'\0\1', tolerance=1001, number=1),
            'MALFORMED/RESERVED')
    refused('auth_tolerance', auth(tolerance=1001, number=1), 'MALFORMED/HOLD')
    refused('limit_instrument', limit_put(scope_id=0, number=1), 'BAD_ID/INSTRUMENT')
    refused('limit_account', limit_put(scope_id=ONES, scope=2, number=1), 'BAD_ID/ACCOUNT')
    refused('limit_account_of_unknown_scope', limit_put(scope_id=0, scope=3, number=1),
            'BAD_ID/ACCOUNT')
    for name, fields in (
            ('scope', {'scope': 3}), ('scope_zero', {'scope': 0}), ('number', {'limit': 0}),
            ('window', {'window': 7}), ('window_zero', {'window': 0}), ('mode', {'mode': 3}),
            ('zone_east', {'zone': 841}), ('zone_west', {'zone': -841}),
            ('zone_lifetime', {'window': 6}), ('zone_operation', {'window': 1}),
            ('start_day', {'start': 1}), ('start_week', {'window': 3, 'start': 8}),
            ('start_week_zero', {'window': 3}), ('start_month', {'window': 4, 'start': 29}),
            ('start_month_zero', {'window': 4}), ('length_day', {'span': 64})):
        refused('limit_' + name, limit_put(number=1, **fields), 'MALFORMED/LIMIT')
    for name, fields in (
            ('rolling_zero', {'window': 5}), ('rolling_short', {'window': 5, 'span': 63}),
            ('rolling_long', {'window': 5, 'span': 400 * 86400 * 10**9 + 1}),
            ('rolling_zone', {'window': 5, 'span': 64, 'zone': 1}),
            ('raise_window', {'mode': 1}), ('raise_length', {'mode': 1, 'window': 0, 'span': 64}),
            ('raise_zone', {'mode': 1, 'window': 0, 'zone': 1}),
            ('raise_filter', {'mode': 1, 'window': 0, 'mccs': (5411, 0)}),
            ('reset_amount', {'mode': 2, 'window': 0, 'count': 0}),
            ('reset_count', {'mode': 2, 'window': 0, 'amount': 0}),
            ('raise_parts', {'mode': 1, 'window': 0, 'parts': 1}),
            ('reset_filter', {'mode': 2, 'window': 0, 'amount': 0, 'count': 0, 'channels': 1})):
        refused('limit_' + name, bare_limit(number=1, **fields), 'MALFORMED/LIMIT')
    refused('limit_reserved', limit_put(reserved=1, number=1), 'MALFORMED/RESERVED')
    refused('limit_filter_reserved', limit_put(parts=16, number=1), 'MALFORMED/RESERVED')
    for name, fields in EMPTY_PARTS:
        refused('limit_no_' + name, limit_put(**fields, number=1), 'MALFORMED/FILTER')
    refused('limit_empty_filter', bare_limit(parts=15, number=1), 'MALFORMED/FILTER')
    refused('query_subject_id', query(subject_id=0, number=1), 'BAD_ID/SUBJECT')
    refused('query_subject_zero', query(subject=0, number=1), 'MALFORMED/SUBJECT')
    refused('query_subject_unknown', query(subject=10, number=1), 'MALFORMED/SUBJECT')
    refused('query_reserved', query(reserved=b'\0\0\1', number=1), 'MALFORMED/RESERVED')
    refused('query_cursor', query(cursor=1, number=1), 'MALFORMED/SUBJECT')
    refused('query_authorisation_cursor', query(subject=8, cursor=1, number=1),
            'MALFORMED/SUBJECT')
    refused('query_authorisations_cursor', query(subject=9, cursor=1025, number=1),
            'MALFORMED/SUBJECT')
    refused('query_limits_cursor', query(subject=7, cursor=256, number=1), 'MALFORMED/SUBJECT')

    print('# Golden vectors of wire format 1: see make_wire.py, which writes this file.')
    print('\n'.join(out), end='')


main()
