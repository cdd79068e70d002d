/* The image: out and in again, into other limits; and nothing broken ever gets in. */
#include "hold_fixture.h"

#include "engine/image.h"

/* A whole image in memory. */
struct picture {
    uint8_t *bytes;
    size_t length;
};

/* A ledger in which every section has something to show: cards, open and resolved holds (not
 * resolved in the order in which they were made), forgotten answers. */
static void open_busy(struct fixture *f)
{
    struct hf_id holds[7];

    open_fixture(f, &small_limits);
    open_accounts(f);
    assert_ok(f, make_asset(f, EUR, "EURO"));
    assert_ok(f, make_instrument(f, 70, 2));
    assert_ok(f, make_instrument(f, 72, 1)); /* so that each account is named by something */
    union hf_operation card = make_instrument(f, 71, 3);
    card.instrument_put.remaining = 5;
    card.instrument_put.amount_limit = 100;
    card.instrument_put.expires_ns = f->now_ns * 2;
    assert_ok(f, card);
    for (int i = 0; i < 60; i++) {
        f->now_ns += 7 * NS_IN_MS;
        assert_ok(f, make_move(f, 1 + (uint64_t)i % 2, 3, 1));
    }
    for (int i = 0; i < 7; i++) {
        assert_ok(f, make_hold(f, 3, 4, 10 + (uint64_t)i));
        holds[i] = f->reply.id;
        if (i == 3) {
            assert_ok(f, make_capture(f, holds[2], HF_AMOUNT_ALL, false));
            assert_ok(f, make_release(f, holds[0], HF_AMOUNT_ALL));
            assert_ok(f, make_capture(f, holds[3], 2, true));
        }
    }
    /* Holds 3, 4, 5 and 6 lived on: now two are resolved, in the order 5, 4. */
    assert_ok(f, make_release(f, holds[5], HF_AMOUNT_ALL));
    assert_ok(f, make_capture(f, holds[4], 3, false));
    assert_ok(f, make_capture(f, holds[4], 4, true));
    assert_ok(f, make_auth(f, 71, 4, 50));
    struct hf_ledger_counts counts = counts_of(f);
    assert_int_equal(counts.holds_open + counts.holds_resolved, 4);
    assert_true(counts.holds_resolved >= 1);
    assert_true(counts.holds_open >= 2);
    assert_true(counts.floor_ms > 0);
}

static const struct hf_ledger_limits rich_limits = {
    .accounts = 40,
    .instruments = 4,
    .holds = 12,
    .terms = 24,
    .parts = 64,
    .limits = 6,
    .rolling = 2,
    .remembered = 256,
    .remember_ns = 3600 * SECOND_NS,
    .id_ahead_ns = 60 * SECOND_NS,
};

/* Totals of two storeys over accounts 10 and 11, both with money; 11 has a filter and a sink, and
 * expires. */
static void open_family(struct fixture *f)
{
    union hf_operation op;

    assert_ok(f, make_total(f, 20, HF_FLOOR_NONE));
    op = make_child(f, 21, HF_FLOOR_NONE, 20);
    op.account_put.flags = HF_ACCOUNT_TOTAL;
    op.account_put.ceiling = 5000;
    assert_ok(f, op);
    assert_ok(f, make_child(f, 10, 0, 21));
    op = make_child(f, 11, 0, 20);
    op.account_put.filter.mccs[3] = 5411;
    op.account_put.filter.merchant[15] = 1;
    op.account_put.sink = account_id(4);
    op.account_put.expires_ns = f->now_ns + 50 * SECOND_NS;
    assert_ok(f, op);
    op.account_put.header = header_of(f, HF_OP_ACCOUNT_PUT);
    op.account_put.header.length = sizeof(op.account_put);
    memset(&op.account_put.filter, 0, sizeof(op.account_put.filter));
    op.account_put.filter.channels = 1; /* that of a HOLD */
    assert_ok(f, op);
    assert_ok(f, make_move(f, 1, 10, 700));
    assert_ok(f, make_move(f, 1, 11, 300));
    assert_ok(f, make_move(f, 10, 2, 5));
}

/* Of two payers, for whoever claims it, on two of three conditions, one of them proved. */
static struct hf_id hold_on_conditions(struct fixture *f)
{
    struct long_operation op;
    struct hf_op_hold_plan *hold = begin_hold_plan(f, &op, 90);
    const struct hf_op_condition conditions[3] = {
        {.kind = HF_CONDITION_ORIGIN, .code = 4},
        {.kind = HF_CONDITION_NOT_AFTER, .time_ns = f->now_ns + 9},
        {.kind = HF_CONDITION_SIGNATURE, .bytes = {1, 2, 3}},
    };

    hold->terms.policy = HF_HOLD_RATIO;
    hold->terms.tolerance = 30;
    hold->terms.class_number = 3;
    hold->terms.required = 2;
    hold->header.origin = 77;
    hold_of(hold, 10, HF_ENTRY_FIXED, 60);
    hold_of(hold, 2, HF_ENTRY_REMAINING, 0);
    for (int i = 0; i < 3; i++)
        hold_until(hold, &conditions[i]);
    assert_plan_ok(f, &op);
    union hf_operation attest = make_attest(f, hold->header.id, 1, "", 0);
    attest.header.origin = 4;
    assert_ok(f, attest);
    return hold->header.id;
}

/* A card on account 10 with limits of its own, of its account and of a total, and what was approved
 * in part by one of them; its hold has ended. */
static void open_limits(struct fixture *f)
{
    union hf_operation op;

    assert_ok(f, make_instrument(f, 70, 10));
    op = make_limit(f, HF_LIMIT_INSTRUMENT, 70, 7, HF_LIMIT_ROLLING);
    op.limit_put.length_ns = 3600 * SECOND_NS;
    op.limit_put.max_amount = 30;
    assert_ok(f, op);
    op = make_limit(f, HF_LIMIT_INSTRUMENT, 70, 2, HF_LIMIT_WEEK);
    op.limit_put.start = 7;
    op.limit_put.zone_minutes = -840;
    op.limit_put.filter.channels = 1;
    assert_ok(f, op);
    assert_ok(f, make_limit(f, HF_LIMIT_ACCOUNT, 10, 1, HF_LIMIT_OPERATION));
    op = make_limit(f, HF_LIMIT_ACCOUNT, 21, 255, HF_LIMIT_ROLLING);
    op.limit_put.length_ns = 64;
    assert_ok(f, op);
    op = make_auth(f, 70, 4, 33);
    op.auth.minimum = 1;
    assert_answer(f, op, HF_CODE_OK_PARTIAL, HF_RULE_NONE);
    assert_int_equal(f->reply.approved, 30);
    assert_ok(f, make_release(f, f->reply.id, HF_AMOUNT_ALL));
}

/* A ledger with all that holds and accounts can have. */
static void open_rich(struct fixture *f)
{
    struct long_operation op;
    union hf_operation hold;

    open_fixture(f, &rich_limits);
    open_accounts(f);
    open_family(f);
    assert_ok(f, make_class(f, 7, 12345));
    hold_on_conditions(f);
    /* Two that have lapsed at one place, one that was made and ended in a chain, one open in it. */
    for (uint64_t i = 0; i < 2; i++) {
        struct hf_op_hold_plan *soft = begin_hold_plan(f, &op, 10 + i);
        soft->terms.policy = HF_HOLD_SOFT;
        soft->terms.expires_ns = f->now_ns + 3 + i;
        hold_of(soft, 2, HF_ENTRY_FIXED, 4);
        hold_of(soft, 3, HF_ENTRY_REMAINING, 0);
        hold_for(soft, 4);
        assert_plan_ok(f, &op);
    }
    f->now_ns += 5;
    assert_int_equal(expire(f), 2);
    struct hf_op_chain *chain = begin_chain(f, &op);
    hold = make_hold(f, 2, 4, 5);
    add_link(chain, &hold);
    hold = make_release(f, hold.header.id, HF_AMOUNT_ALL);
    add_link(chain, &hold);
    hold = make_hold(f, 11, 10, 8);
    hold.hold.expires_ns = f->now_ns + 40 * SECOND_NS;
    add_link(chain, &hold);
    assert_plan_ok(f, &op);
    open_limits(f);
    f->now_ns += 1;
    struct hf_ledger_counts counts = counts_of(f);
    assert_int_equal(counts.holds_open, 2);
    assert_int_equal(counts.holds_resolved, 4);
    assert_int_equal(counts.limits, 4);
    assert_int_equal(counts.rolling, 2);
    assert_int_equal(counts.parts, 2);
    assert_int_equal(counts.conditions, 3);
    assert_int_equal(counts.terms, 4);
}

/* Takes the image in buffers of `step` bytes. */
static struct picture take_picture(const struct fixture *f, size_t step)
{
    struct hf_image_writer writer;
    struct picture picture = {.length = 0};
    size_t size = hf_image_length(f->ledger);
    size_t filled;

    picture.bytes = malloc(size + step);
    assert_non_null(picture.bytes);
    hf_image_write_begin(&writer, f->ledger);
    do {
        filled = hf_image_write(&writer, picture.bytes + picture.length, step);
        picture.length += filled;
        assert_true(picture.length <= size);
    } while (filled == step);
    assert_int_equal(hf_image_write(&writer, picture.bytes + picture.length, step), 0);
    assert_int_equal(picture.length, size);
    return picture;
}

/* Feeds an image to an empty ledger in buffers of `step` bytes. */
static enum hf_status load(struct fixture *f, const uint8_t *bytes, size_t length, size_t step)
{
    struct hf_image_reader reader;
    enum hf_status status = HF_STATUS_OK;

    hf_image_read_begin(&reader, f->ledger);
    for (size_t at = 0; at < length; at += step) {
        status = hf_image_read(&reader, bytes + at, step < length - at ? step : length - at);
        if (status != HF_STATUS_OK)
            break;
    }
    enum hf_status end = hf_image_read_end(&reader);
    if (status != HF_STATUS_OK)
        assert_int_equal(end, status); /* once wrong, wrong for ever */
    return end;
}

static void assert_same_state(const struct fixture *a, const struct fixture *b)
{
    struct hf_ledger_counts in = counts_of(a);
    struct hf_ledger_counts out = counts_of(b);

    assert_true(hf_id_equal(hf_ledger_digest(a->ledger), hf_ledger_digest(b->ledger)));
    assert_int_equal(hf_ledger_place(a->ledger), hf_ledger_place(b->ledger));
    assert_int_equal(hf_ledger_timestamp_ns(a->ledger), hf_ledger_timestamp_ns(b->ledger));
    assert_int_equal(in.accounts, out.accounts);
    assert_int_equal(in.instruments, out.instruments);
    assert_int_equal(in.holds_open, out.holds_open);
    assert_int_equal(in.holds_resolved, out.holds_resolved);
    assert_int_equal(in.terms, out.terms);
    assert_int_equal(in.parts, out.parts);
    assert_int_equal(in.conditions, out.conditions);
    assert_int_equal(in.limits, out.limits);
    assert_int_equal(in.rolling, out.rolling);
    assert_int_equal(in.remembered, out.remembered);
    assert_int_equal(in.floor_ms, out.floor_ms);
    for (uint64_t number = 1; number <= 4; number++) {
        struct hf_account_view left = view_account(a, number);
        struct hf_account_view right = view_account(b, number);
        assert_memory_equal(&left, &right, sizeof(left));
    }
}

static void test_round_trip(void **state)
{
    static const size_t steps[] = {64, 128, 192, 320, 4096, 1 << 20};
    struct fixture f;

    (void)state;
    open_busy(&f);
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = 0; j < 6; j++) {
            struct fixture copy;
            struct picture picture = take_picture(&f, steps[i]);
            open_fixture(&copy, &small_limits);
            assert_int_equal(load(&copy, picture.bytes, picture.length, steps[j]), HF_STATUS_OK);
            assert_same_state(&f, &copy);
            assert_true(hf_ledger_is_balanced(copy.ledger));
            close_fixture(&copy);
            free(picture.bytes);
        }
    }
    close_fixture(&f);
}

/* All records of a rich ledger come back, and both expire, capture and forget alike afterwards. */
static void test_rich_round_trip(void **state)
{
    static const size_t steps[] = {64, 192, 4096};
    struct fixture f;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct fixture copy;
        struct long_operation op;
        open_rich(&f);
        struct picture picture = take_picture(&f, steps[i]);
        open_fixture(&copy, &rich_limits);
        assert_int_equal(load(&copy, picture.bytes, picture.length, steps[2 - i]), HF_STATUS_OK);
        copy.id_count = f.id_count;
        copy.now_ns = f.now_ns;
        assert_same_state(&f, &copy);
        for (uint64_t number = 1; number <= 21; number += number == 4 ? 6 : number == 11 ? 9 : 1) {
            struct hf_account_view left = view_account(&f, number);
            struct hf_account_view right = view_account(&copy, number);
            assert_memory_equal(&left, &right, sizeof(left));
        }
        for (int round = 0; round < 30; round++) {
            struct fixture *both[2] = {&f, &copy};
            for (int j = 0; j < 2; j++) {
                struct hf_op_hold_plan *hold = begin_hold_plan(both[j], &op, 2);
                hold_of(hold, 3, HF_ENTRY_FIXED, 1);
                hold_of(hold, 1, HF_ENTRY_FIXED, 1);
                hold->terms.expires_ns = both[j]->now_ns + 2 * SECOND_NS;
                hold_for(hold, 2);
                assert_plan_ok(both[j], &op);
                both[j]->now_ns += 3 * SECOND_NS;
                /* The first time the hold made in the chain, and account 11, come due as well. */
                while (expire(both[j]) != 0)
                    continue;
            }
            assert_int_equal(f.now_ns, copy.now_ns);
            assert_same_state(&f, &copy);
        }
        assert_balances(&copy, 11, 0, 0, 0);
        assert_balances(&copy, 20, 695, 60, 0);
        free(picture.bytes);
        close_fixture(&f);
        close_fixture(&copy);
    }
}

static void test_rich_limits(void **state)
{
    struct fixture f;

    (void)state;
    open_rich(&f);
    struct picture picture = take_picture(&f, 4096);
    for (int beyond = 0; beyond < 6; beyond++) {
        struct hf_ledger_limits limits = rich_limits;
        struct fixture copy;
        limits.terms = beyond == 1 ? 3 : 4;
        limits.parts = beyond == 2 ? 2 : 3; /* and three conditions */
        limits.holds = beyond == 3 ? 1 : 2; /* no room for those that have ended */
        limits.limits = beyond == 4 ? 3 : 4;
        limits.rolling = beyond == 5 ? 1 : 2;
        open_fixture(&copy, &limits);
        assert_int_equal(load(&copy, picture.bytes, picture.length, 4096),
                         beyond == 0 ? HF_STATUS_OK : HF_STATUS_FULL);
        if (beyond == 0)
            assert_int_equal(counts_of(&copy).holds_resolved, 0);
        close_fixture(&copy);
    }
    free(picture.bytes);
    close_fixture(&f);
}

static void test_empty_ledger(void **state)
{
    struct fixture f;
    struct fixture copy;

    (void)state;
    open_fixture(&f, &small_limits);
    struct picture picture = take_picture(&f, 64);
    assert_int_equal(picture.length, 128 + 64 + 128 + 64);
    open_fixture(&copy, &small_limits);
    assert_int_equal(load(&copy, picture.bytes, picture.length, 64), HF_STATUS_OK);
    assert_true(hf_id_equal(hf_ledger_digest(f.ledger), hf_ledger_digest(copy.ledger)));
    open_accounts(&copy);
    free(picture.bytes);
    close_fixture(&f);
    close_fixture(&copy);
}

/* The trailer carries the digest that the ledger names. */
static void test_golden_bytes(void **state)
{
    struct fixture f;

    (void)state;
    open_busy(&f);
    struct picture picture = take_picture(&f, 4096);
    const uint8_t *trailer = picture.bytes + picture.length - 64;
    struct hf_id digest = hf_ledger_digest(f.ledger);
    uint64_t length;
    assert_memory_equal(picture.bytes, "HFIMAGE1", 8);
    assert_int_equal(picture.bytes[8], 3);  /* version */
    assert_int_equal(picture.bytes[12], 2); /* assets */
    assert_int_equal(picture.bytes[16], 4); /* accounts */
    assert_memory_equal(trailer, "HFMGEND1", 8);
    memcpy(&length, trailer + 8, sizeof(length));
    assert_int_equal(length, picture.length);
    assert_memory_equal(trailer + 16, &digest, sizeof(digest));
    free(picture.bytes);
    close_fixture(&f);
}

/* Both go on alike: the same operations, the same answers, the same forgetting. */
static void test_life_goes_on(void **state)
{
    struct fixture f;
    struct fixture copy;

    (void)state;
    open_busy(&f);
    struct picture picture = take_picture(&f, 4096);
    open_fixture(&copy, &small_limits);
    assert_int_equal(load(&copy, picture.bytes, picture.length, 4096), HF_STATUS_OK);
    copy.id_count = f.id_count;
    copy.now_ns = f.now_ns;
    for (int i = 0; i < 200; i++) {
        union hf_operation op;
        switch (i % 4) {
        case 0:
            op = make_hold(&f, 3, 4, 1);
            break;
        case 1:
            op = make_release(&f, f.reply.id, HF_AMOUNT_ALL);
            break;
        case 2:
            op = make_auth(&f, 71, 4, 1);
            break;
        default:
            op = make_move(&f, 2, 4, 1);
            break;
        }
        assert_int_equal(apply(&f, &op), apply(&copy, &op));
        assert_memory_equal(&f.reply, &copy.reply, sizeof(f.reply));
        f.now_ns += NS_IN_MS;
        copy.now_ns += NS_IN_MS;
        assert_same_state(&f, &copy);
    }
    free(picture.bytes);
    close_fixture(&f);
    close_fixture(&copy);
}

/* What a chain made is known to no memory of ids: the hold itself tells, out of an image too. */
static void test_hold_made_in_a_chain(void **state)
{
    struct long_operation op;
    struct fixture f;
    struct fixture copy;

    (void)state;
    open_busy(&f);
    struct hf_op_chain *chain = begin_chain(&f, &op);
    union hf_operation hold = make_hold(&f, 3, 4, 5);
    add_link(chain, &hold);
    assert_plan_ok(&f, &op);
    struct picture picture = take_picture(&f, 4096);
    open_fixture(&copy, &small_limits);
    assert_int_equal(load(&copy, picture.bytes, picture.length, 4096), HF_STATUS_OK);
    copy.id_count = f.id_count;
    copy.now_ns = f.now_ns;
    assert_answer(&f, hold, HF_CODE_DUPLICATE_DIFFERENT, HF_RULE_ID);
    assert_answer(&copy, hold, HF_CODE_DUPLICATE_DIFFERENT, HF_RULE_ID);
    assert_same_state(&f, &copy);
    free(picture.bytes);
    close_fixture(&f);
    close_fixture(&copy);
}

static void test_other_limits(void **state)
{
    struct fixture f;
    struct fixture copy;
    struct hf_ledger_limits limits = {
        .accounts = 5000,
        .instruments = 300,
        .holds = 999,
        .terms = 77,
        .parts = 555,
        .limits = 44,
        .rolling = 33,
        .remembered = 2000,
        .remember_ns = 1,
        .id_ahead_ns = 0,
    };

    (void)state;
    open_busy(&f);
    struct picture picture = take_picture(&f, 4096);
    open_fixture(&copy, &limits);
    assert_int_equal(load(&copy, picture.bytes, picture.length, 4096), HF_STATUS_OK);
    assert_true(hf_id_equal(hf_ledger_digest(f.ledger), hf_ledger_digest(copy.ledger)));
    close_fixture(&copy);

    /* Just as much as is needed, and one less. */
    struct hf_ledger_counts counts = counts_of(&f);
    limits = small_limits;
    limits.accounts = counts.accounts;
    limits.instruments = counts.instruments;
    limits.holds = counts.holds_open + counts.holds_resolved;
    open_fixture(&copy, &limits);
    assert_int_equal(load(&copy, picture.bytes, picture.length, 64), HF_STATUS_OK);
    assert_same_state(&f, &copy);
    close_fixture(&copy);
    limits.accounts--;
    open_fixture(&copy, &limits);
    assert_int_equal(load(&copy, picture.bytes, picture.length, 64), HF_STATUS_FULL);
    close_fixture(&copy);
    limits.accounts++;
    limits.instruments--;
    open_fixture(&copy, &limits);
    assert_int_equal(load(&copy, picture.bytes, picture.length, 64), HF_STATUS_FULL);
    close_fixture(&copy);
    limits.instruments++;
    limits.holds = counts.holds_open - 1;
    open_fixture(&copy, &limits);
    assert_int_equal(load(&copy, picture.bytes, picture.length, 64), HF_STATUS_FULL);
    close_fixture(&copy);
    free(picture.bytes);
    close_fixture(&f);
}

/* A smaller memory forgets the oldest answers, a smaller table of holds those resolved first. */
static void test_smaller_memories(void **state)
{
    struct fixture f;
    struct fixture copy;
    struct hf_ledger_limits limits = small_limits;

    (void)state;
    open_busy(&f);
    struct picture picture = take_picture(&f, 4096);
    struct hf_ledger_counts counts = counts_of(&f);
    limits.remembered = 3;
    limits.holds = counts.holds_open;
    open_fixture(&copy, &limits);
    assert_int_equal(load(&copy, picture.bytes, picture.length, 128), HF_STATUS_OK);
    struct hf_ledger_counts kept = counts_of(&copy);
    assert_int_equal(kept.remembered, 3);
    assert_int_equal(kept.holds_open, counts.holds_open);
    assert_int_equal(kept.holds_resolved, 0);
    assert_int_equal(kept.floor_ms, f.now_ns / NS_IN_MS + 1);
    assert_int_equal(hf_ledger_place(copy.ledger), hf_ledger_place(f.ledger));
    free(picture.bytes);
    /* And its own image loads again. */
    picture = take_picture(&copy, 64);
    struct fixture again;
    open_fixture(&again, &small_limits);
    assert_int_equal(load(&again, picture.bytes, picture.length, 64), HF_STATUS_OK);
    assert_true(hf_id_equal(hf_ledger_digest(again.ledger), hf_ledger_digest(copy.ledger)));
    close_fixture(&again);
    close_fixture(&copy);
    close_fixture(&f);
    free(picture.bytes);
}

static void test_truncated_or_longer(void **state)
{
    struct fixture f;

    (void)state;
    open_busy(&f);
    struct picture picture = take_picture(&f, 4096);
    for (size_t length = 0; length < picture.length; length += 64) {
        struct fixture copy;
        open_fixture(&copy, &small_limits);
        assert_int_equal(load(&copy, picture.bytes, length, 4096), HF_STATUS_CORRUPT);
        close_fixture(&copy);
    }
    uint8_t *longer = calloc(1, picture.length + 64);
    assert_non_null(longer);
    memcpy(longer, picture.bytes, picture.length);
    struct fixture copy;
    open_fixture(&copy, &small_limits);
    assert_int_equal(load(&copy, longer, picture.length + 64, 4096), HF_STATUS_CORRUPT);
    close_fixture(&copy);
    free(longer);
    free(picture.bytes);
    close_fixture(&f);
}

/* Any single bit of header, head and trailer, and one of each byte between: refused. */
static void assert_bits_refused(void (*open)(struct fixture *f),
                                const struct hf_ledger_limits *limits)
{
    struct fixture f;

    open(&f);
    struct picture picture = take_picture(&f, 4096);
    size_t size = hf_ledger_memory_size(limits);
    struct fixture copy;
    open_fixture(&copy, limits);
    for (size_t bit = 0; bit < picture.length * 8; bit++) {
        bool is_frame = bit / 8 < 192 || bit / 8 >= picture.length - 64;
        if (!is_frame && bit % 8 != bit / 8 % 8)
            continue;
        memset(copy.memory, 0, size);
        copy.ledger = hf_ledger_create(limits, copy.memory, size);
        picture.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum hf_status status = load(&copy, picture.bytes, picture.length, 1 << 20);
        if (status == HF_STATUS_OK)
            fail_msg("bit %zu of byte %zu got in", bit % 8, bit / 8);
        if (bit < 12 * 8)
            assert_int_equal(status, HF_STATUS_WRONG_FORMAT);
        picture.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    close_fixture(&copy);
    free(picture.bytes);
    close_fixture(&f);
}

static void test_flipped_bits(void **state)
{
    (void)state;
    assert_bits_refused(open_busy, &small_limits);
    assert_bits_refused(open_rich, &rich_limits);
}

/* Counts that lie, one more and one less and absurd, each alone and moved from one to the next. */
static void test_corrupted_counts(void **state)
{
    static const int64_t changes[] = {1, -1, 2, 1 << 20, INT64_C(1) << 40, INT64_MIN};
    struct fixture f;

    (void)state;
    open_busy(&f);
    struct picture picture = take_picture(&f, 4096);
    for (size_t at = 16; at < 72; at += 8) {
        for (size_t i = 0; i < 6; i++) {
            for (int moves = 0; moves < 2; moves++) {
                struct fixture copy;
                uint8_t *bytes = malloc(picture.length);
                uint64_t counts[2];
                assert_non_null(bytes);
                memcpy(bytes, picture.bytes, picture.length);
                memcpy(counts, bytes + at, sizeof(counts));
                counts[0] += (uint64_t)changes[i];
                counts[1] -= moves == 1 ? (uint64_t)changes[i] : 0;
                memcpy(bytes + at, counts, sizeof(counts));
                open_fixture(&copy, &small_limits);
                enum hf_status status = load(&copy, bytes, picture.length, 4096);
                assert_true(status == HF_STATUS_CORRUPT || status == HF_STATUS_FULL);
                close_fixture(&copy);
                free(bytes);
            }
        }
    }
    free(picture.bytes);
    close_fixture(&f);
}

/* Walks a whole image's records, counts them into the digest, and seals the trailer anew. */
static void seal(struct picture *picture)
{
    struct hf_image_header header;
    struct hf_digest digest = {{0, 0}};
    const uint8_t *next = picture->bytes + sizeof(header);

    memcpy(&header, picture->bytes, sizeof(header));
    const struct {
        uint64_t count;
        uint32_t size;
        enum hf_image_kind kind;
    } parts[] = {
        {1, 64, HF_IMAGE_HEAD},
        {1, 128, HF_IMAGE_CLASSES},
        {header.assets, 64, HF_IMAGE_ASSET},
        {header.accounts, 64, HF_IMAGE_ACCOUNT},
        {header.terms, 192, HF_IMAGE_TERMS},
        {header.instruments, 64, HF_IMAGE_INSTRUMENT},
        {header.limits, 128, HF_IMAGE_LIMIT},
        {header.rolling, 1088, HF_IMAGE_ROLLING},
        {header.answers, 64, HF_IMAGE_ANSWER},
        {header.holds_ended + header.holds_open, 192, HF_IMAGE_HOLD},
        {header.parts, 64, HF_IMAGE_PART},
        {header.conditions, 128, HF_IMAGE_CONDITION},
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        for (uint64_t n = 0; n < parts[i].count; n++) {
            hf_digest_add(&digest, parts[i].kind, next, parts[i].size);
            next += parts[i].size;
        }
    }
    assert_ptr_equal(next, picture->bytes + picture->length - 64);
    memcpy(picture->bytes + picture->length - 64 + 16, &digest, sizeof(digest));
}

/* Where the first record of each section lies, by section. */
static size_t offset_of(const struct picture *picture, enum hf_image_section section)
{
    struct hf_image_header header;

    memcpy(&header, picture->bytes, sizeof(header));
    const uint64_t sizes[] = {
        [HF_IMAGE_SECTION_HEADER] = sizeof(header),
        [HF_IMAGE_SECTION_HEAD] = 64,
        [HF_IMAGE_SECTION_CLASSES] = 128,
        [HF_IMAGE_SECTION_ASSETS] = header.assets * 64,
        [HF_IMAGE_SECTION_ACCOUNTS] = header.accounts * 64,
        [HF_IMAGE_SECTION_TERMS] = header.terms * 192,
        [HF_IMAGE_SECTION_INSTRUMENTS] = header.instruments * 64,
        [HF_IMAGE_SECTION_LIMITS] = header.limits * 128,
        [HF_IMAGE_SECTION_ROLLING] = header.rolling * 1088,
        [HF_IMAGE_SECTION_ANSWERS] = header.answers * 64,
        [HF_IMAGE_SECTION_ENDED] = header.holds_ended * 192,
        [HF_IMAGE_SECTION_OPEN] = header.holds_open * 192,
        [HF_IMAGE_SECTION_PARTS] = header.parts * 64,
        [HF_IMAGE_SECTION_CONDITIONS] = header.conditions * 128,
    };
    size_t at = 0;
    for (uint32_t i = 0; i < section; i++)
        at += sizes[i];
    return at;
}

/* One field of the first record of a section, set to a value that makes no sense there (of an id
 * both halves). */
struct forgery {
    enum hf_image_section section;
    size_t offset;
    size_t size;
    uint64_t value;
};

#define IN(type, member) offsetof(struct type, member), sizeof(((struct type *)0)->member)

/* Each forgery alone, rightly sealed. */
static void assert_all_refused(void (*open)(struct fixture *f),
                               const struct hf_ledger_limits *limits,
                               const struct forgery forgeries[], size_t count)
{
    struct fixture f;

    open(&f);
    struct picture picture = take_picture(&f, 4096);
    for (size_t i = 0; i < count; i++) {
        const struct forgery *forgery = &forgeries[i];
        struct picture forged = {malloc(picture.length), picture.length};
        struct fixture copy;
        assert_non_null(forged.bytes);
        memcpy(forged.bytes, picture.bytes, picture.length);
        seal(&forged);
        assert_memory_equal(forged.bytes, picture.bytes, picture.length); /* it seals rightly */
        uint8_t *field = forged.bytes + offset_of(&forged, forgery->section) + forgery->offset;
        for (size_t at = 0; at < forgery->size; at += sizeof(forgery->value)) {
            size_t part = forgery->size - at < 8 ? forgery->size - at : 8;
            memcpy(field + at, &forgery->value, part);
        }
        seal(&forged);
        open_fixture(&copy, limits);
        enum hf_status status = load(&copy, forged.bytes, forged.length, 4096);
        if (status != HF_STATUS_CORRUPT)
            fail_msg("forgery %zu: status %d", i, (int)status);
        close_fixture(&copy);
        free(forged.bytes);
    }
    free(picture.bytes);
    close_fixture(&f);
}

/* Rightly sealed, and still nonsense: each is found by looking at it, not by the digest. */
static void test_sealed_nonsense(void **state)
{
    static const struct forgery forgeries[] = {
        {HF_IMAGE_SECTION_HEAD, IN(hf_image_head, place), 0},
        {HF_IMAGE_SECTION_HEAD, IN(hf_image_head, place), UINT64_MAX},
        {HF_IMAGE_SECTION_HEAD, IN(hf_image_head, place), 1000},
        {HF_IMAGE_SECTION_HEAD, IN(hf_image_head, timestamp_ns), 5},
        {HF_IMAGE_SECTION_HEAD, IN(hf_image_head, timestamp_ns), UINT64_MAX},
        {HF_IMAGE_SECTION_HEAD, IN(hf_image_head, reserved[3]), 1},
        {HF_IMAGE_SECTION_ASSETS, IN(hf_image_asset, asset), 0},
        {HF_IMAGE_SECTION_ASSETS, IN(hf_image_asset, asset), EUR},
        {HF_IMAGE_SECTION_ASSETS, IN(hf_image_asset, asset), 77},
        {HF_IMAGE_SECTION_ASSETS, IN(hf_image_asset, scale), 19},
        {HF_IMAGE_SECTION_ASSETS, IN(hf_image_asset, code[0]), 0},
        {HF_IMAGE_SECTION_ASSETS, IN(hf_image_asset, reserved[0]), 1},
        {HF_IMAGE_SECTION_ASSETS, IN(hf_image_asset, reserved_too[47]), 1},
        {HF_IMAGE_SECTION_ACCOUNTS, IN(hf_image_account, id), 0},
        {HF_IMAGE_SECTION_ACCOUNTS, IN(hf_image_account, id), UINT64_MAX},
        {HF_IMAGE_SECTION_ACCOUNTS, IN(hf_image_account, id), 999}, /* others name it */
        {HF_IMAGE_SECTION_ACCOUNTS, IN(hf_image_account, posted), 123456},
        {HF_IMAGE_SECTION_ACCOUNTS, IN(hf_image_account, held_out), 99},
        {HF_IMAGE_SECTION_ACCOUNTS, IN(hf_image_account, held_out), UINT64_MAX},
        {HF_IMAGE_SECTION_ACCOUNTS, IN(hf_image_account, held_in), 99},
        {HF_IMAGE_SECTION_ACCOUNTS, IN(hf_image_account, held_in), UINT64_MAX},
        {HF_IMAGE_SECTION_ACCOUNTS, IN(hf_image_account, asset), 5},
        {HF_IMAGE_SECTION_ACCOUNTS, IN(hf_image_account, status), 3},
        {HF_IMAGE_SECTION_ACCOUNTS, IN(hf_image_account, reserved[4]), 1},
        {HF_IMAGE_SECTION_INSTRUMENTS, IN(hf_instrument_view, token), 0},
        {HF_IMAGE_SECTION_INSTRUMENTS, IN(hf_instrument_view, account), 99},
        {HF_IMAGE_SECTION_INSTRUMENTS, IN(hf_instrument_view, status), 4},
        {HF_IMAGE_SECTION_INSTRUMENTS, IN(hf_instrument_view, flags), 2},
        {HF_IMAGE_SECTION_INSTRUMENTS, IN(hf_instrument_view, reserved[0]), 1},
        {HF_IMAGE_SECTION_ANSWERS, IN(hf_answer, id), 0},
        {HF_IMAGE_SECTION_ANSWERS, IN(hf_answer, type), HF_OP_QUERY},
        {HF_IMAGE_SECTION_ANSWERS, IN(hf_answer, type), HF_OP_REVERSE},
        {HF_IMAGE_SECTION_ANSWERS, IN(hf_answer, type), 99},
        {HF_IMAGE_SECTION_ANSWERS, IN(hf_answer, place), 2},
        {HF_IMAGE_SECTION_ANSWERS, IN(hf_answer, timestamp_ns), UINT64_MAX},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, id), 0},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, ended_place), 0},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, ended_place), 1},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, ended_place), 1 << 20},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, remaining), 1},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, ended_place), 1},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, payer), 99},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, payee), 3},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, amount), 0},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, amount), UINT64_MAX},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, remaining), 0},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, remaining), 1},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, captured), UINT64_MAX},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, captured), 1 << 20},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, asset), EUR},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, reserved[24]), 1},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, answer.id), 5},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, answer.type), HF_OP_MOVE},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, answer.code), HF_CODE_INSUFFICIENT},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, answer.approved), 3},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, answer.place), 0},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, answer.place), 1 << 20},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, answer.fingerprint), 1},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, answer.posted), 1},
    };

    (void)state;
    assert_all_refused(open_busy, &small_limits, forgeries,
                       sizeof(forgeries) / sizeof(forgeries[0]));
}

/* The same of what only rich ledgers have. The first terms are the upper total's, the first part
 * that of account 10, the first condition the proved one. */
static void test_rich_nonsense(void **state)
{
    static const struct forgery forgeries[] = {
        {HF_IMAGE_SECTION_CLASSES, IN(hf_image_classes, lifetimes_ns[0]), 1},
        {HF_IMAGE_SECTION_TERMS, IN(hf_image_terms, account), 99},
        {HF_IMAGE_SECTION_TERMS, IN(hf_image_terms, account), 0},
        {HF_IMAGE_SECTION_TERMS, IN(hf_image_terms, parent), UINT64_MAX},
        {HF_IMAGE_SECTION_TERMS, IN(hf_image_terms, sink), UINT64_MAX},
        {HF_IMAGE_SECTION_TERMS, IN(hf_image_terms, flags), 0},
        {HF_IMAGE_SECTION_TERMS, IN(hf_image_terms, flags), 3},
        {HF_IMAGE_SECTION_TERMS, IN(hf_image_terms, filter.reserved), 1},
        {HF_IMAGE_SECTION_TERMS, IN(hf_image_terms, reserved[78]), 1},
        {HF_IMAGE_SECTION_LIMITS, IN(hf_image_limit, scope_id), 71},
        {HF_IMAGE_SECTION_LIMITS, IN(hf_image_limit, scope_id), 0},
        {HF_IMAGE_SECTION_LIMITS, IN(hf_image_limit, used_amount), 1},
        {HF_IMAGE_SECTION_LIMITS, IN(hf_image_limit, used_count), 1},
        {HF_IMAGE_SECTION_LIMITS, IN(hf_image_limit, period), INT64_MAX},
        {HF_IMAGE_SECTION_LIMITS, IN(hf_image_limit, period), UINT64_MAX},
        {HF_IMAGE_SECTION_LIMITS, IN(hf_image_limit, length_ns), 63},
        {HF_IMAGE_SECTION_LIMITS, IN(hf_image_limit, scope), HF_LIMIT_ACCOUNT},
        {HF_IMAGE_SECTION_LIMITS, IN(hf_image_limit, scope), 0},
        {HF_IMAGE_SECTION_LIMITS, IN(hf_image_limit, number), 0},
        {HF_IMAGE_SECTION_LIMITS, IN(hf_image_limit, number), 2}, /* another has it */
        {HF_IMAGE_SECTION_LIMITS, IN(hf_image_limit, number), 3}, /* its buckets name it */
        {HF_IMAGE_SECTION_LIMITS, IN(hf_image_limit, window), HF_LIMIT_LIFETIME},
        {HF_IMAGE_SECTION_LIMITS, IN(hf_image_limit, window), 7},
        {HF_IMAGE_SECTION_LIMITS, IN(hf_image_limit, start), 1},
        {HF_IMAGE_SECTION_LIMITS, IN(hf_image_limit, zone_minutes), 1},
        {HF_IMAGE_SECTION_LIMITS, IN(hf_image_limit, reserved[9]), 1},
        {HF_IMAGE_SECTION_LIMITS, IN(hf_image_limit, filter.reserved), 1},
        {HF_IMAGE_SECTION_ROLLING, IN(hf_image_rolling, scope_id), 71},
        {HF_IMAGE_SECTION_ROLLING, IN(hf_image_rolling, scope), 3},
        {HF_IMAGE_SECTION_ROLLING, IN(hf_image_rolling, number), 2}, /* has none */
        {HF_IMAGE_SECTION_ROLLING, IN(hf_image_rolling, reserved[45]), 1},
        {HF_IMAGE_SECTION_ROLLING, IN(hf_image_rolling, rolling.buckets[5].count), UINT64_MAX},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, status), HF_HOLD_OPEN},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, status), 3},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, expires_ns), 0},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, amount), 0},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, status), HF_HOLD_LAPSED},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, expires_ns), HF_EXPIRES_NEVER},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, tolerance), 1001},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, class_number), HF_CLASSES},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, policy), 8},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, payer_count), 0},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, payer_count), 3},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, payer_count), 33},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, condition_count), 9},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, condition_count), 4},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, required), 4},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, required), 9},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, met), 0xff},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, answer.code), HF_CODE_CAPACITY},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, answer.timestamp_ns), 1},
        {HF_IMAGE_SECTION_PARTS, IN(hf_image_part, hold), 5},
        {HF_IMAGE_SECTION_PARTS, IN(hf_image_part, hold), 0},
        {HF_IMAGE_SECTION_PARTS, IN(hf_image_part, account), 99},
        {HF_IMAGE_SECTION_PARTS, IN(hf_image_part, remaining), 59},
        {HF_IMAGE_SECTION_PARTS, IN(hf_image_part, remaining), 61},
        {HF_IMAGE_SECTION_PARTS, IN(hf_image_part, remaining), UINT64_MAX},
        {HF_IMAGE_SECTION_PARTS, IN(hf_image_part, number), 0},
        {HF_IMAGE_SECTION_PARTS, IN(hf_image_part, number), 2},
        {HF_IMAGE_SECTION_PARTS, IN(hf_image_part, reserved[0]), 1},
        {HF_IMAGE_SECTION_CONDITIONS, IN(hf_image_condition, hold), 5},
        {HF_IMAGE_SECTION_CONDITIONS, IN(hf_image_condition, number), 2},
        {HF_IMAGE_SECTION_CONDITIONS, IN(hf_image_condition, number), UINT32_MAX},
        {HF_IMAGE_SECTION_CONDITIONS, IN(hf_image_condition, condition.kind), 0},
        {HF_IMAGE_SECTION_CONDITIONS, IN(hf_image_condition, condition.kind), 8},
        {HF_IMAGE_SECTION_CONDITIONS, IN(hf_image_condition, condition.kind),
         HF_CONDITION_SIGNATURE},
        {HF_IMAGE_SECTION_CONDITIONS, IN(hf_image_condition, condition.time_ns), 1},
        {HF_IMAGE_SECTION_CONDITIONS, IN(hf_image_condition, condition.bytes[31]), 1},
        {HF_IMAGE_SECTION_CONDITIONS, IN(hf_image_condition, reserved[0]), 1},
        {HF_IMAGE_SECTION_CONDITIONS, IN(hf_image_condition, reserved_too[47]), 1},
    };

    (void)state;
    assert_all_refused(open_rich, &rich_limits, forgeries,
                       sizeof(forgeries) / sizeof(forgeries[0]));
}

/* The same record twice, with the counts to match. */
static void test_sealed_duplicates(void **state)
{
    static const struct {
        enum hf_image_section section;
        size_t count_offset;
        size_t count_size;
        size_t size;
    } rows[] = {
        {HF_IMAGE_SECTION_ASSETS, IN(hf_image_header, assets), 64},
        {HF_IMAGE_SECTION_ACCOUNTS, IN(hf_image_header, accounts), 64},
        {HF_IMAGE_SECTION_INSTRUMENTS, IN(hf_image_header, instruments), 64},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_header, holds_ended), 192},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_header, holds_open), 192},
    };
    struct fixture f;

    (void)state;
    open_busy(&f);
    struct picture picture = take_picture(&f, 4096);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        size_t at = offset_of(&picture, rows[i].section);
        struct picture twice = {malloc(picture.length + rows[i].size),
                                picture.length + rows[i].size};
        struct fixture copy;
        uint64_t length = twice.length;
        assert_non_null(twice.bytes);
        memcpy(twice.bytes, picture.bytes, at + rows[i].size);
        memcpy(twice.bytes + at + rows[i].size, picture.bytes + at, picture.length - at);
        twice.bytes[rows[i].count_offset]++;
        memcpy(twice.bytes + twice.length - 64 + 8, &length, sizeof(length));
        seal(&twice);
        open_fixture(&copy, &small_limits);
        assert_int_equal(load(&copy, twice.bytes, twice.length, 4096), HF_STATUS_CORRUPT);
        close_fixture(&copy);
        free(twice.bytes);
    }
    free(picture.bytes);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),          cmocka_unit_test(test_empty_ledger),
        cmocka_unit_test(test_golden_bytes),        cmocka_unit_test(test_life_goes_on),
        cmocka_unit_test(test_other_limits),        cmocka_unit_test(test_smaller_memories),
        cmocka_unit_test(test_truncated_or_longer), cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_corrupted_counts),    cmocka_unit_test(test_sealed_nonsense),
        cmocka_unit_test(test_sealed_duplicates),   cmocka_unit_test(test_rich_round_trip),
        cmocka_unit_test(test_rich_limits),         cmocka_unit_test(test_hold_made_in_a_chain),
        cmocka_unit_test(test_rich_nonsense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
