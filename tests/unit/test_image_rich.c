/* The image of a ledger that has all there is: terms, limits, parts, conditions, cards with several
 * accounts, and records of authorisations. */
#include "image_fixture.h"

static const struct hf_ledger_limits rich_limits = {
    .accounts = 40,
    .instruments = 4,
    .holds = 24,
    .terms = 24,
    .parts = 64,
    .selectors = 1,
    .limits = 6,
    .rolling = 2,
    .remembered = 256,
    .remember_ns = 3600 * SECOND_NS,
    .record_ns = 86400 * SECOND_NS,
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
    op.account_put.filter.parts = HF_FILTER_BY_MCC | HF_FILTER_BY_MERCHANT; /* not kept */
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
    op.limit_put.filter.parts = HF_FILTER_BY_CHANNEL; /* not kept */
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

static struct hf_id send(struct fixture *f, union hf_operation op, uint16_t code)
{
    assert_true(apply(f, &op));
    assert_string_equal(hf_code_name(f->reply.code), hf_code_name(code));
    return op.header.id;
}

/* A card with three accounts, and records of every kind. The first record is that of one reversed
 * before it came, the second that of one refused. */
static void open_records(struct fixture *f)
{
    struct long_operation room = {.bytes = {0}};
    union hf_operation *card = operation_of(&room);
    union hf_operation op = make_auth(f, 71, 4, 1);

    f->now_ns += 1;
    send(f, make_reverse(f, op.header.id, HF_AMOUNT_ALL), HF_CODE_OK);
    send(f, make_auth(f, 70, 99, 5), HF_CODE_UNKNOWN_ACCOUNT);
    *card = make_instrument(f, 71, 10);
    card->instrument_put.further[0] = account_id(2);
    card->instrument_put.further[1] = account_id(3);
    card->instrument_put.further_count = 2;
    card->header.length = sizeof(card->instrument_put) + 2 * sizeof(struct hf_id);
    assert_true(apply(f, card));
    send(f, make_auth(f, 71, 4, 0), HF_CODE_OK);
    op = make_auth(f, 71, 4, 640);
    op.auth.auth_flags = HF_AUTH_FORCED;
    struct hf_id several = send(f, op, HF_CODE_OK);
    send(f, make_reverse(f, several, 20), HF_CODE_OK);
    op = make_auth(f, 70, 4, 2);
    op.auth.auth_flags = HF_AUTH_ESTIMATED | HF_AUTH_FORCED;
    struct hf_id raised = send(f, op, HF_CODE_OK);
    f->now_ns += 1;
    op = make_limit(f, HF_LIMIT_INSTRUMENT, 70, 7, HF_LIMIT_ROLLING);
    op.limit_put.length_ns = 3600 * SECOND_NS;
    send(f, op, HF_CODE_OK);
    send(f, make_increment(f, raised, 3), HF_CODE_OK);
    op = make_clear(f, several, 7);
    send(f, op, HF_CODE_OK);
    op = make_clear(f, (struct hf_id){0}, 9);
    op.clear.clear_flags = HF_CLEAR_FORCED;
    op.clear.token = account_id(71);
    op.clear.payee = account_id(4);
    send(f, op, HF_CODE_OK);
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
    open_records(f);
    f->now_ns += 1;
    struct hf_ledger_counts counts = counts_of(f);
    assert_int_equal(counts.holds_open, 4);
    assert_int_equal(counts.holds_resolved, 8);
    assert_int_equal(counts.selectors, 1);
    assert_int_equal(counts.limits, 4);
    assert_int_equal(counts.rolling, 2);
    assert_int_equal(counts.parts, 4);
    assert_int_equal(counts.conditions, 3);
    assert_int_equal(counts.terms, 4);
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
        assert_balances(&copy, 20, 679, 60 + 613 + 5, 0); /* and two authorisations */
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
        limits.parts = beyond == 2 ? 3 : 4; /* and three conditions */
        limits.holds = beyond == 3 ? 3 : 4; /* no room for those that have ended */
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

static void test_flipped_bits(void **state)
{
    (void)state;
    assert_bits_refused(open_rich, &rich_limits);
}

/* The limits of accounts lie before those of the card, which has two: the second one is rolling. */
#define IN_LIMIT(member)                                                         \
    3 * sizeof(struct hf_image_limit) + offsetof(struct hf_image_limit, member), \
        sizeof(((struct hf_image_limit *)0)->member)

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
        {HF_IMAGE_SECTION_TERMS, IN(hf_image_terms, filter.parts), 1},
        {HF_IMAGE_SECTION_TERMS, IN(hf_image_terms, reserved[78]), 1},
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(scope_id), 71},
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(scope_id), 0},
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(used_amount), 1},
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(used_count), 1},
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(period), INT64_MAX},
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(period), UINT64_MAX},
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(length_ns), 63},
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(scope), HF_LIMIT_ACCOUNT},
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(scope), 0},
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(number), 0},
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(number), 2}, /* another has it */
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(number), 3}, /* its buckets name it */
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(window), HF_LIMIT_LIFETIME},
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(window), 7},
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(start), 1},
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(zone_minutes), 1},
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(reserved[1]), 1},
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(since), 1 << 20},
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(filter.parts), 16},
        {HF_IMAGE_SECTION_LIMITS, IN_LIMIT(filter.parts), HF_FILTER_BY_CHANNEL}, /* has one */
        {HF_IMAGE_SECTION_ROLLING, IN(hf_image_rolling, scope_id), 71},
        {HF_IMAGE_SECTION_ROLLING, IN(hf_image_rolling, scope), 3},
        {HF_IMAGE_SECTION_ROLLING, IN(hf_image_rolling, number), 2}, /* has none */
        {HF_IMAGE_SECTION_ROLLING, IN(hf_image_rolling, reserved[45]), 1},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, status), HF_HOLD_OPEN},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, status), 3},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, expires_ns), 0},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, amount), 0},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, number), 1}, /* it has no record */
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, token), 70},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, merchant), 1},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, reserved), 1},
        {HF_IMAGE_SECTION_SELECTORS, IN(hf_image_selector, token), 99},
        {HF_IMAGE_SECTION_SELECTORS, IN(hf_image_selector, token), 0},
        {HF_IMAGE_SECTION_SELECTORS, IN(hf_image_selector, further[0]), 99},
        {HF_IMAGE_SECTION_SELECTORS, IN(hf_image_selector, further[0]), 0},
        {HF_IMAGE_SECTION_SELECTORS, IN(hf_image_selector, further[6]), UINT64_MAX},
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

/* Where the hold of this id lies in the image. */
static size_t offset_of_hold(const struct picture *picture, struct hf_id id)
{
    size_t end = offset_of(picture, HF_IMAGE_SECTION_PARTS);

    for (size_t at = offset_of(picture, HF_IMAGE_SECTION_ENDED); at < end; at += 256) {
        if (memcmp(picture->bytes + at, &id, sizeof(id)) == 0)
            return at;
    }
    fail_msg("the image has no such hold");
    return 0;
}

/* Records that cannot be, of the newest of a card and of what was reversed before it came. */
static void test_record_nonsense(void **state)
{
    static const struct {
        bool is_buried;
        size_t offset;
        size_t size;
        uint64_t value;
    } rows[] = {
        {false, IN(hf_image_hold, token), 99},
        {false, IN(hf_image_hold, token), 0},
        {false, IN(hf_image_hold, payer), 0},
        {false, IN(hf_image_hold, payee), 0},
        {false, IN(hf_image_hold, before), UINT64_MAX},
        {false, IN(hf_image_hold, before), 1}, /* another lies between the two */
        {false, IN(hf_image_hold, draws_ns), 1},
        {false, IN(hf_image_hold, flags), 0x20},
        {false, IN(hf_image_hold, number), 33},
        {false, IN(hf_image_hold, payer_count), 9},
        {false, IN(hf_image_hold, condition_count), 1},
        {false, IN(hf_image_hold, policy), HF_HOLD_SOFT | HF_HOLD_RATIO},
        {false, IN(hf_image_hold, reserved), 1},
        {false, IN(hf_image_hold, answer.approved), 0},
        {true, IN(hf_image_hold, token), 71},
        {true, IN(hf_image_hold, payer), 2},
        {true, IN(hf_image_hold, before), 1},
        {true, IN(hf_image_hold, answer.place), 1},
        {true, IN(hf_image_hold, answer.id), 1},
        {true, IN(hf_image_hold, flags), 0x80},
        {true, IN(hf_image_hold, status), HF_HOLD_REFUSED},
    };
    struct fixture f;

    (void)state;
    open_rich(&f);
    union hf_operation late = make_auth(&f, 71, 4, 1);
    send(&f, make_reverse(&f, late.header.id, HF_AMOUNT_ALL), HF_CODE_OK);
    struct hf_id newest = send(&f, make_post(&f, 71, 4, 3), HF_CODE_OK);
    struct picture picture = take_picture(&f, 4096);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct picture forged = {malloc(picture.length), picture.length};
        struct fixture copy;
        assert_non_null(forged.bytes);
        memcpy(forged.bytes, picture.bytes, picture.length);
        size_t at = offset_of_hold(&forged, rows[i].is_buried ? late.header.id : newest);
        for (size_t done = 0; done < rows[i].size; done += 8)
            memcpy(forged.bytes + at + rows[i].offset + done, &rows[i].value,
                   rows[i].size < 8 ? rows[i].size : 8);
        seal(&forged);
        open_fixture(&copy, &rich_limits);
        enum hf_status status = load(&copy, forged.bytes, forged.length, 4096);
        if (status != HF_STATUS_CORRUPT)
            fail_msg("forgery %zu: status %d", i, (int)status);
        close_fixture(&copy);
        free(forged.bytes);
    }
    free(picture.bytes);
    close_fixture(&f);
}

/* A table of holds that is too small for all records of a card: the list ends where the first that
 * was forgotten would come, and the digest is what it would be had they been forgotten one by one.
 */
static void test_shorter_list_of_records(void **state)
{
    struct hf_ledger_limits limits = small_limits;
    struct fixture large;
    struct fixture small;
    struct fixture copy;

    (void)state;
    limits.holds = 8;
    open_fixture(&large, &limits);
    limits.holds = 5;
    open_fixture(&small, &limits);
    open_fixture(&copy, &limits);
    struct fixture *both[2] = {&large, &small};
    struct hf_id open[2];
    for (int i = 0; i < 2; i++) {
        struct fixture *f = both[i];
        open_accounts(f);
        assert_ok(f, make_instrument(f, 70, 2));
        open[0] = authorise(f, 70, 1);
        send(f, make_auth(f, 70, 4, 5000), HF_CODE_INSUFFICIENT);
        send(f, make_auth(f, 70, 4, 0), HF_CODE_OK);
        open[1] = authorise(f, 70, 2);
        for (int n = 0; n < 3; n++)
            send(f, make_auth(f, 70, 4, 5000), HF_CODE_INSUFFICIENT);
    }
    assert_int_equal(counts_of(&large).holds_resolved, 5);
    assert_int_equal(counts_of(&small).holds_resolved, 3);
    struct picture picture = take_picture(&large, 4096);
    assert_int_equal(load(&copy, picture.bytes, picture.length, 4096), HF_STATUS_OK);
    assert_same_state(&small, &copy);
    assert_int_equal(view_records(&large, 70, 3).count, 3);
    assert_int_equal(view_records(&large, 70, 6).count, 1);
    assert_int_equal(view_records(&copy, 70, 3).count, 1);
    assert_true(hf_id_equal(view_records(&copy, 70, 3).lines[0].id, open[1]));
    assert_int_equal(view_records(&copy, 70, 0).next_cursor, 3);
    assert_int_equal(view_records(&copy, 70, 3).next_cursor, 0);
    assert_int_equal(query_code(&copy, HF_QUERY_AUTHORISATION, open[0]), HF_CODE_OK);
    free(picture.bytes);
    close_fixture(&large);
    close_fixture(&small);
    close_fixture(&copy);
}

/* What is no longer known is left out, and does not show in the digest. */
static void test_stale_records(void **state)
{
    struct hf_ledger_limits limits = small_limits;
    struct fixture f;
    struct fixture copy;

    (void)state;
    limits.record_ns = 10;
    open_fixture(&f, &limits);
    open_fixture(&copy, &limits);
    open_accounts(&f);
    assert_ok(&f, make_hold(&f, 2, 4, 5));
    struct hf_id first = f.reply.id;
    assert_ok(&f, make_release(&f, first, HF_AMOUNT_ALL));
    f.now_ns += 9;
    assert_ok(&f, make_hold(&f, 2, 4, 6));
    struct hf_id second = f.reply.id;
    assert_ok(&f, make_release(&f, second, HF_AMOUNT_ALL));
    size_t length = hf_image_length(f.ledger);
    f.now_ns += 1;
    assert_ok(&f, make_move(&f, 2, 4, 1));
    assert_int_equal(hf_image_length(f.ledger), length + 64 - 256);
    struct picture picture = take_picture(&f, 4096);
    assert_int_equal(load(&copy, picture.bytes, picture.length, 4096), HF_STATUS_OK);
    assert_same_state(&f, &copy);
    assert_int_equal(counts_of(&copy).holds_resolved, 1);
    assert_int_equal(query_code(&copy, HF_QUERY_HOLD, first), HF_CODE_UNKNOWN_HOLD);
    assert_int_equal(query_code(&copy, HF_QUERY_HOLD, second), HF_CODE_OK);
    free(picture.bytes);
    close_fixture(&f);
    close_fixture(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_record_nonsense),
        cmocka_unit_test(test_shorter_list_of_records),
        cmocka_unit_test(test_stale_records),
        cmocka_unit_test(test_rich_round_trip),
        cmocka_unit_test(test_rich_limits),
        cmocka_unit_test(test_rich_nonsense),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
