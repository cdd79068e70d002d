/* Two that dial each other: whoever begins, at once or one after the other, restarted or silent,
 * they end up in one session and hear each other; and nobody else is heard. The wire is a list. */
#include "net/peer.h"
#include "session_fixture.h"

#define WIRE_MAX 512
#define LONGEST  64972 /* the largest pair.mtu */
#define STEP_NS  UINT64_C(1000000)

struct datagram {
    uint32_t length;
    uint8_t *bytes; /* exactly as many, so that a sanitizer sees who reads further */
};

struct side {
    struct hf_key_pair keys;
    struct hf_peer peer;
    void *memory;
    struct datagram wire[WIRE_MAX]; /* to this side */
    uint32_t count;
    uint64_t fates[HF_FATE_COUNT];
    uint64_t heard; /* numbers, how many */
    uint64_t last;  /* and the newest */
    uint64_t hellos;
    bool is_deaf; /* nothing reaches it */
};

struct town {
    uint64_t random;
    struct hf_channel_limits limits;
    uint64_t now_ns;
    struct side sides[2]; /* the second's public key is higher: it chooses */
};

static struct town town;
static uint8_t buffer[UINT16_MAX];

static uint64_t draw(uint64_t bound)
{
    return random_next(&town.random) % bound;
}

static void side_start(uint32_t which)
{
    struct side *side = &town.sides[which];
    struct hf_peer_config config = {
        .cluster = {7, 9},
        .limits = town.limits,
        .own = &side->keys,
        .entropy = {random_fill, &town.random},
    };
    memcpy(config.remote_key, town.sides[1 - which].keys.public_key, sizeof config.remote_key);
    side->memory = aligned_alloc(HF_SESSION_MEMORY_ALIGNMENT, hf_peer_memory_size());
    assert_non_null(side->memory);
    hf_peer_begin(&side->peer, &config, side->memory, town.now_ns);
}

static void side_stop(uint32_t which)
{
    hf_peer_wipe(&town.sides[which].peer);
    free(town.sides[which].memory);
}

static void restart(uint32_t which)
{
    side_stop(which);
    side_start(which);
}

static void drop_wire(uint32_t to)
{
    for (uint32_t i = 0; i < town.sides[to].count; i++)
        free(town.sides[to].wire[i].bytes);
    town.sides[to].count = 0;
}

static void begin_with(uint64_t seed, const struct hf_channel_limits *limits)
{
    memset(&town, 0, sizeof town);
    town.random = seed;
    town.limits = *limits;
    town.now_ns = 1000 * SECOND_NS;
    for (int i = 0; i < 2; i++) {
        random_fill(&town.random, town.sides[i].keys.private_key, HF_NOISE_KEY_SIZE);
        hf_key_pair_complete(&town.sides[i].keys);
    }
    if (memcmp(town.sides[0].keys.public_key, town.sides[1].keys.public_key, HF_NOISE_KEY_SIZE) >
        0) {
        struct hf_key_pair first = town.sides[0].keys;
        town.sides[0].keys = town.sides[1].keys;
        town.sides[1].keys = first;
    }
    for (uint32_t i = 0; i < 2; i++)
        side_start(i);
}

static void begin(uint64_t seed)
{
    begin_with(seed, &hf_peer_limits_default);
}

static void end(void)
{
    for (uint32_t i = 0; i < 2; i++) {
        drop_wire(i);
        side_stop(i);
    }
}

static void put(uint32_t to, const void *bytes, uint32_t length)
{
    struct side *side = &town.sides[to];
    if (side->is_deaf)
        return;
    assert_true(side->count < WIRE_MAX);
    struct datagram *made = &side->wire[side->count++];
    made->length = length;
    made->bytes = malloc(length + 1);
    assert_non_null(made->bytes);
    if (length > 0)
        memcpy(made->bytes, bytes, length);
}

/* Says a number, or nothing but a word. False: there is no session. */
static bool say(uint32_t from, uint64_t number, uint32_t length)
{
    struct side *side = &town.sides[from];
    assert_true(length == 0 || length >= sizeof number);
    if (length != 0)
        memcpy(buffer + HF_PEER_HEADER_SIZE, &number, sizeof number);
    uint32_t sealed = hf_peer_seal(&side->peer, buffer, length, sizeof buffer, town.now_ns);
    if (sealed == 0)
        return false;
    assert_int_equal(sealed, length + HF_PEER_ROOM);
    put(1 - from, buffer, sealed);
    return true;
}

static enum hf_fate arrive_at(uint32_t to, const void *bytes, uint32_t length, bool is_answered)
{
    struct side *side = &town.sides[to];
    const struct hf_session_arrival arrival = {
        .datagram = bytes,
        .length = length,
        .address = {.host = {[10] = 0xff, [11] = 0xff, [15] = (uint8_t)(1 + to)}, .port = {1, 2}},
        .now_ns = town.now_ns,
        .unix_ns = UNIX_NS + town.now_ns,
    };
    uint32_t plain = 0;
    enum hf_fate fate = hf_peer_receive(&side->peer, &arrival, buffer, &plain);
    side->fates[fate]++;
    if (fate == HF_FATE_OPENED && plain != 0) {
        assert_true(plain >= sizeof side->last);
        memcpy(&side->last, buffer + HF_PEER_HEADER_SIZE, sizeof side->last);
        side->heard++;
    } else if (fate != HF_FATE_OPENED && plain != 0) {
        assert_true(plain < sizeof(struct hf_handshake_hello));
        if (is_answered)
            put(1 - to, buffer, plain);
    }
    return fate;
}

/* One datagram of the wire, of the oldest `among`. */
static void deliver(uint32_t to, uint32_t among)
{
    struct side *side = &town.sides[to];
    uint32_t at = (uint32_t)draw(side->count < among ? side->count : among);
    struct datagram datagram = side->wire[at];
    memmove(&side->wire[at], &side->wire[at + 1], (--side->count - at) * sizeof datagram);
    (void)arrive_at(to, datagram.bytes, datagram.length, true);
    free(datagram.bytes);
}

/* What a port does each round. */
static void turn(uint32_t which)
{
    struct side *side = &town.sides[which];
    struct hf_handshake_hello hello;
    if (hf_peer_owes_word(&side->peer, town.now_ns))
        (void)say(which, 0, 0);
    if (hf_peer_hello(&side->peer, town.now_ns, UNIX_NS + town.now_ns, &hello)) {
        side->hellos++;
        put(1 - which, &hello, sizeof hello);
    }
}

/* Until nothing is on the wire any more; no time passes. */
static void settle(void)
{
    for (int round = 0; round < 100; round++) {
        turn(0);
        turn(1);
        if (town.sides[0].count + town.sides[1].count == 0)
            return;
        for (uint32_t to = 0; to < 2; to++) {
            while (town.sides[to].count > 0)
                deliver(to, 1);
        }
    }
    fail_msg("they never come to rest");
}

/* Only this one dials, and they are in its session. */
static void dial(uint32_t first)
{
    turn(first);
    deliver(1 - first, 1);
    deliver(first, 1);
    assert_true(hf_peer_owes_word(&town.sides[first].peer, town.now_ns));
    turn(first); /* a word, and now the other may speak */
    deliver(1 - first, 1);
    assert_true(hf_peer_is_open(&town.sides[1 - first].peer, town.now_ns));
    settle();
    assert_int_equal(town.sides[first].hellos, 1);
    assert_int_equal(town.sides[1 - first].hellos, 0);
}

/* Each says something and the other hears it, in one session: who dialed it is not answering. */
static void assert_together(uint64_t number)
{
    uint8_t flags[2];
    for (uint32_t from = 0; from < 2; from++) {
        struct side *to = &town.sides[1 - from];
        uint64_t before = to->heard;
        assert_true(say(from, number, 64));
        assert_true(to->count > 0);
        flags[from] = to->wire[to->count - 1].bytes[offsetof(struct hf_wire_header, flags)];
        while (to->count > 0)
            deliver(1 - from, 1);
        assert_int_equal(to->heard, before + 1);
        assert_int_equal(to->last, number);
    }
    assert_int_equal(flags[0] ^ flags[1], HF_WIRE_REPLIES);
}

/* ---- beginning */

static void test_one_begins(void **state)
{
    (void)state;
    for (uint32_t first = 0; first < 2; first++) {
        begin(1 + first);
        assert_false(say(first, 1, 64));
        assert_false(hf_peer_is_open(&town.sides[first].peer, town.now_ns));
        dial(first);
        assert_together(5);
        end();
    }
}

static void test_both_begin(void **state)
{
    (void)state;
    begin(3);
    turn(0);
    turn(1);
    settle();
    for (uint64_t number = 1; number < 10; number++)
        assert_together(number);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(town.sides[i].hellos, 1);
        assert_int_equal(town.sides[i].fates[HF_FATE_JOINED], 1);
        assert_int_equal(town.sides[i].fates[HF_FATE_WELCOMED], 1);
    }
    end();
}

/* Starts, restarts, losses and overtaking in any order: when it is over, they hear each other at
 * once or within the silence that makes them dial. */
static void test_any_order(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 400; seed++) {
        begin(seed);
        for (int step = 0; step < 300; step++) {
            uint32_t which = (uint32_t)draw(2);
            struct side *side = &town.sides[which];
            uint64_t what = draw(100);
            town.now_ns += draw(10) * STEP_NS;
            if (what == 0)
                restart(which);
            else if (what < 40)
                turn(which);
            else if (what < 60)
                (void)say(which, seed, 64);
            else if (side->count > 0 && what < 65)
                free(side->wire[--side->count].bytes);
            else if (side->count > 0)
                deliver(which, 4);
        }
        /* Both speak every ten milliseconds, and nothing is lost any more. */
        for (int round = 0; round < 160; round++) {
            town.now_ns += 10 * STEP_NS;
            (void)say(0, 1, 64);
            (void)say(1, 1, 64);
            settle();
        }
        if (!hf_peer_is_open(&town.sides[0].peer, town.now_ns))
            fail_msg("seed %" PRIu64 ": no session", seed);
        assert_together(seed);
        end();
    }
}

/* ---- one of them starts again */

static void test_restart(void **state)
{
    (void)state;
    for (uint32_t dialer = 0; dialer < 2; dialer++) {
        for (uint32_t gone = 0; gone < 2; gone++) {
            begin(10 + 2 * dialer + gone);
            dial(dialer);
            assert_together(1);
            assert_true(say(gone, 2, 64)); /* on its way still */
            struct datagram late = town.sides[1 - gone].wire[--town.sides[1 - gone].count];
            for (uint64_t life = 0; life < 20; life++) {
                town.now_ns += 2 * SECOND_NS;
                restart(gone);
                settle(); /* without waiting for any silence */
                assert_together(10 + life);
            }
            /* Of the first life: who has that session still opens it once, and at the latest the
             * next word of the other puts right what it thinks of that. */
            (void)arrive_at(1 - gone, late.bytes, late.length, true);
            assert_true(say(gone, 3, 64));
            free(late.bytes);
            settle();
            assert_together(50);
            end();
        }
    }
}

/* Both at once, and nobody's hello arrives at first. */
static void test_both_restart(void **state)
{
    (void)state;
    begin(20);
    settle();
    assert_together(1);
    restart(0);
    restart(1);
    town.sides[0].is_deaf = town.sides[1].is_deaf = true;
    turn(0);
    turn(1);
    town.sides[0].is_deaf = town.sides[1].is_deaf = false;
    town.now_ns += HF_PEER_RETRY_NS;
    settle();
    assert_together(2);
    end();
}

/* A hello proves nothing by itself, repeated as it may be: whoever answered it goes on as before.
 */
static void test_hello_repeated(void **state)
{
    (void)state;
    begin(21);
    struct hf_handshake_hello hello;
    assert_true(hf_peer_hello(&town.sides[0].peer, town.now_ns, UNIX_NS + town.now_ns, &hello));
    put(1, &hello, sizeof hello);
    settle();
    assert_together(1);
    town.now_ns += HF_PEER_RETRY_NS;
    expect(arrive_at(1, &hello, sizeof hello, true), HF_FATE_REPLAYED_HANDSHAKE);
    restart(1); /* it has forgotten that hello */
    settle();
    assert_together(2);
    for (uint64_t i = 0; i < 5; i++) {
        town.now_ns += HF_PEER_RETRY_NS;
        enum hf_fate fate = arrive_at(1, &hello, sizeof hello, false);
        expect(fate, i == 0 ? HF_FATE_WELCOMED : HF_FATE_REPLAYED_HANDSHAKE);
        assert_together(3 + i);
    }
    end();
}

/* ---- silence */

/* When each hello without an answer comes, from the first: at once, and then ever more seldom. */
static void test_back_off(void **state)
{
    (void)state;
    static const uint64_t at_ms[] = {0, 100, 300, 700, 1500, 2500, 3500, 4500};
    begin(30);
    uint64_t begun_ns = town.now_ns, next = 0;
    town.sides[1].is_deaf = true;
    for (uint64_t ms = 0; ms <= 5000; ms++) {
        uint64_t before = town.sides[0].hellos;
        town.now_ns = begun_ns + ms * STEP_NS;
        turn(0);
        if (town.sides[0].hellos != before) {
            assert_true(next < sizeof at_ms / sizeof at_ms[0]);
            assert_int_equal(ms, at_ms[next++]);
        }
    }
    assert_int_equal(next, sizeof at_ms / sizeof at_ms[0]);
    town.sides[1].is_deaf = false;
    town.now_ns += SECOND_NS;
    settle();
    assert_together(1);
    end();
}

/* One that was lost and came back under the same address, without a word of its own. */
static void test_silence(void **state)
{
    (void)state;
    for (uint32_t lost = 0; lost < 2; lost++) {
        begin(31 + lost);
        settle();
        assert_together(1);
        restart(lost);
        uint64_t hellos = town.sides[1 - lost].hellos;
        assert_true(say(1 - lost, 2, 64)); /* nobody can open that */
        drop_wire(lost);
        town.now_ns += HF_GATE_SILENCE_NS - 1;
        turn(1 - lost);
        assert_int_equal(town.sides[1 - lost].hellos, hellos);
        town.now_ns += 1;
        turn(1 - lost);
        assert_int_equal(town.sides[1 - lost].hellos, hellos + 1);
        settle();
        assert_together(3);
        end();
    }
}

/* Nobody has anything to say for an hour and more: no hellos but the one that renews, and then both
 * are there. */
static void test_quiet(void **state)
{
    (void)state;
    begin(33);
    settle();
    uint64_t hellos = town.sides[0].hellos + town.sides[1].hellos;
    for (int second = 0; second < 4000; second++) {
        town.now_ns += SECOND_NS;
        settle();
    }
    assert_true(town.sides[0].hellos + town.sides[1].hellos <= hellos + 3);
    assert_together(1);
    end();
}

/* ---- keys that change */

static void test_rekey_by_count(void **state)
{
    (void)state;
    struct hf_channel_limits limits = hf_peer_limits_default;
    limits.epoch_datagrams = 16;
    for (uint32_t dialer = 0; dialer < 2; dialer++) {
        for (uint32_t talker = 0; talker < 2; talker++) {
            begin_with(40 + dialer, &limits);
            dial(dialer);
            /* One says nine times as much as the other. */
            for (uint64_t number = 0; number < 2000; number++) {
                uint32_t from = number % 10 == 0 ? 1 - talker : talker;
                uint64_t before = town.sides[1 - from].heard;
                assert_true(say(from, number, 64));
                deliver(1 - from, 1);
                assert_int_equal(town.sides[1 - from].heard, before + 1);
            }
            const struct hf_channel *channel = &town.sides[dialer].peer.gate.channels[0];
            assert_true(channel->sender.epoch > 80);
            assert_int_equal(town.sides[0].hellos + town.sides[1].hellos, 1);
            end();
        }
    }
}

/* Three hours, a word each way every second: the keys change every two minutes, the sessions before
 * they end; nothing is lost. */
static void test_three_hours(void **state)
{
    (void)state;
    for (uint32_t dialer = 0; dialer < 2; dialer++) {
        begin(50 + dialer);
        dial(dialer);
        for (uint64_t second = 0; second < 3 * 3600; second++) {
            town.now_ns += SECOND_NS;
            assert_together(second);
            settle();
        }
        uint64_t hellos = town.sides[0].hellos + town.sides[1].hellos;
        assert_in_range(hellos, 4, 5);
        assert_int_equal(town.sides[1 - dialer].hellos, 0);
        assert_true(town.sides[dialer].peer.gate.channels[0].sender.epoch > 0);
        end();
    }
}

/* ---- the longest */

static void test_longest(void **state)
{
    (void)state;
    struct hf_channel_limits limits = hf_peer_limits_default;
    limits.datagram_max = LONGEST;
    begin_with(60, &limits);
    settle();
    for (uint32_t from = 0; from < 2; from++) {
        struct side *to = &town.sides[1 - from];
        assert_true(say(from, 7, LONGEST - HF_PEER_ROOM));
        assert_int_equal(to->wire[0].length, LONGEST);
        uint64_t heard = to->heard;
        deliver(1 - from, 1);
        assert_int_equal(to->heard, heard + 1);
        /* One byte more is none of ours, whoever made it. */
        memset(buffer, 0, sizeof buffer);
        struct hf_wire_header header = {.magic = HF_WIRE_MAGIC,
                                        .version = HF_WIRE_VERSION,
                                        .flags = HF_WIRE_SEALED | HF_WIRE_REPLIES,
                                        .length = LONGEST + 1};
        header.session = to->peer.gate.channels[0].own_id;
        uint8_t *longer = calloc(1, LONGEST + 1);
        assert_non_null(longer);
        memcpy(longer, &header, sizeof header);
        enum hf_fate fate = arrive_at(1 - from, longer, LONGEST + 1, true);
        assert_true(fate == HF_FATE_MALFORMED || fate == HF_FATE_UNKNOWN_SESSION);
        free(longer);
    }
    end();
}

/* ---- those without the key */

/* All that is heard on the wire, changed, repeated, turned round: nothing of it is heard. */
static void test_attack(void **state)
{
    (void)state;
    static struct datagram seen[WIRE_MAX];
    uint32_t seen_count = 0;
    begin(70);
    for (uint64_t round = 0; round < 40; round++) {
        if (round == 20)
            restart((uint32_t)draw(2));
        for (uint32_t i = 0; i < 2; i++) {
            turn(i);
            (void)say(i, round, 64 + (uint32_t)draw(200));
        }
        for (uint32_t to = 0; to < 2; to++) {
            struct side *side = &town.sides[to];
            for (uint32_t i = 0; i < side->count && seen_count < WIRE_MAX; i++) {
                seen[seen_count] = side->wire[i];
                seen[seen_count].bytes = malloc(side->wire[i].length + 1);
                assert_non_null(seen[seen_count].bytes);
                memcpy(seen[seen_count].bytes, side->wire[i].bytes, side->wire[i].length);
                seen_count++;
            }
            while (side->count > 0)
                deliver(to, 1);
        }
    }
    settle();
    assert_together(99);
    assert_true(seen_count > 80);
    uint64_t heard[2] = {town.sides[0].heard, town.sides[1].heard};
    uint64_t opened[2] = {town.sides[0].fates[HF_FATE_OPENED], town.sides[1].fates[HF_FATE_OPENED]};
    uint8_t changed[4096];
    for (int i = 0; i < 50000; i++) {
        const struct datagram *one = &seen[draw(seen_count)];
        uint32_t length = one->length;
        memcpy(changed, one->bytes, length);
        if (draw(4) != 0)
            changed[draw(length)] ^= (uint8_t)(1u << draw(8));
        if (draw(4) == 0)
            length = (uint32_t)draw(length + 1);
        (void)arrive_at((uint32_t)draw(2), changed, length, false);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(town.sides[i].heard, heard[i]);
        assert_int_equal(town.sides[i].fates[HF_FATE_OPENED], opened[i]);
        assert_true(town.sides[i].fates[HF_FATE_FORGED] > 1000);
        assert_true(town.sides[i].fates[HF_FATE_REPLAYED] > 300);
    }
    settle();
    assert_together(100);
    for (uint32_t i = 0; i < seen_count; i++)
        free(seen[i].bytes);
    end();
}

static bool make_hello(const struct hf_key_pair *own, const uint8_t *remote,
                       enum hf_handshake_purpose purpose, struct hf_handshake_hello *hello)
{
    static struct hf_dial dial;
    hf_dial_begin(&dial, HF_CIPHER_CHACHAPOLY, (struct hf_id){7, 9}, own, remote, &town.limits,
                  (struct hf_entropy){random_fill, &town.random});
    dial.purpose = purpose;
    return hf_dial_hello(&dial, town.now_ns, UNIX_NS + town.now_ns, hello);
}

static void test_strangers(void **state)
{
    (void)state;
    struct hf_key_pair stranger;
    struct hf_handshake_hello hello;
    begin(80);
    struct side *side = &town.sides[0];
    random_fill(&town.random, stranger.private_key, sizeof stranger.private_key);
    hf_key_pair_complete(&stranger);
    /* Who does not know the public key is not even worked for. */
    assert_true(make_hello(&stranger, stranger.public_key, HF_HANDSHAKE_FOR_PAIR, &hello));
    expect(arrive_at(0, &hello, sizeof hello, true), HF_FATE_BAD_MAC);
    /* The peer itself, but at the door for clients. */
    assert_true(
        make_hello(&town.sides[1].keys, side->keys.public_key, HF_HANDSHAKE_FOR_CLIENTS, &hello));
    expect(arrive_at(0, &hello, sizeof hello, true), HF_FATE_BAD_HANDSHAKE);
    /* And our own hello, sent back. */
    assert_true(hf_peer_hello(&side->peer, town.now_ns, UNIX_NS + town.now_ns, &hello));
    expect(arrive_at(0, &hello, sizeof hello, true), HF_FATE_BAD_MAC);
    uint32_t worked = 0, cookies = 0;
    assert_int_equal(town.sides[1].count, 0);
    for (int i = 0; i < 200; i++) {
        assert_true(make_hello(&stranger, side->keys.public_key, HF_HANDSHAKE_FOR_PAIR, &hello));
        enum hf_fate fate = arrive_at(0, &hello, sizeof hello, true);
        worked += fate == HF_FATE_UNKNOWN_ORIGIN;
        cookies += fate == HF_FATE_COOKIE;
    }
    /* A tenth of a second's worth is worked for; all others are answered with a cookie. */
    assert_true(worked <= HF_PEER_FREE_PER_S / 10 + 1);
    assert_int_equal(worked + cookies, 200);
    assert_int_equal(town.sides[1].count, cookies);
    for (uint32_t i = 0; i < town.sides[1].count; i++)
        assert_int_equal(town.sides[1].wire[i].length, sizeof(struct hf_handshake_cookie));
    drop_wire(1);
    /* The peer comes in all the same: a cookie, and another hello with it. */
    turn(1);
    deliver(0, 1);
    assert_int_equal(side->fates[HF_FATE_COOKIE], cookies + 1);
    settle();
    assert_together(1);
    assert_int_equal(town.sides[1].fates[HF_FATE_COOKIE], 1);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_begins),   cmocka_unit_test(test_both_begin),
        cmocka_unit_test(test_any_order),    cmocka_unit_test(test_restart),
        cmocka_unit_test(test_both_restart), cmocka_unit_test(test_hello_repeated),
        cmocka_unit_test(test_back_off),     cmocka_unit_test(test_silence),
        cmocka_unit_test(test_quiet),        cmocka_unit_test(test_rekey_by_count),
        cmocka_unit_test(test_three_hours),  cmocka_unit_test(test_longest),
        cmocka_unit_test(test_attack),       cmocka_unit_test(test_strangers),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
