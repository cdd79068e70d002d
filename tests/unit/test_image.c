/* The image: out and in again, into other limits; and nothing broken ever gets in. */

#include "image_fixture.h"

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
    assert_int_equal(picture.bytes[8], 4);  /* version */
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
        .selectors = 3,
        .limits = 44,
        .rolling = 33,
        .remembered = 2000,
        .remember_ns = 1,
        .record_ns = small_limits.record_ns,
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

static void test_flipped_bits(void **state)
{
    (void)state;
    assert_bits_refused(open_busy, &small_limits);
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
        {HF_IMAGE_SECTION_INSTRUMENTS, IN(hf_image_instrument, token), 0},
        {HF_IMAGE_SECTION_INSTRUMENTS, IN(hf_image_instrument, account), 99},
        {HF_IMAGE_SECTION_INSTRUMENTS, IN(hf_image_instrument, status), 4},
        {HF_IMAGE_SECTION_INSTRUMENTS, IN(hf_image_instrument, flags), 2},
        {HF_IMAGE_SECTION_INSTRUMENTS, IN(hf_image_instrument, put_place), 1 << 20},
        {HF_IMAGE_SECTION_INSTRUMENTS, IN(hf_image_instrument, reserved[61]), 1},
        {HF_IMAGE_SECTION_ANSWERS, IN(hf_answer, id), 0},
        {HF_IMAGE_SECTION_ANSWERS, IN(hf_answer, type), HF_OP_QUERY},
        {HF_IMAGE_SECTION_ANSWERS, IN(hf_answer, type), HF_OP_CLAIM},
        {HF_IMAGE_SECTION_ANSWERS, IN(hf_answer, type), 99},
        {HF_IMAGE_SECTION_ANSWERS, IN(hf_answer, place), 2},
        {HF_IMAGE_SECTION_ANSWERS, IN(hf_answer, timestamp_ns), UINT64_MAX},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, id), 0},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, ended_ns), 0},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, ended_ns), 1},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, ended_ns), UINT64_MAX},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_hold, remaining), 1},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, ended_ns), 1},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, payer), 99},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, payee), 3},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, amount), 0},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, amount), UINT64_MAX},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, remaining), 0},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, remaining), 1},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, captured), UINT64_MAX},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, captured), 1 << 20},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, asset), EUR},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_hold, reserved), 1},
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
        {HF_IMAGE_SECTION_INSTRUMENTS, IN(hf_image_header, instruments), 128},
        {HF_IMAGE_SECTION_ENDED, IN(hf_image_header, holds_ended), 256},
        {HF_IMAGE_SECTION_OPEN, IN(hf_image_header, holds_open), 256},
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

/* Four accounts without a hold: two with these balances and promises, one with what balances them.
 */
static enum hf_status load_sums(int64_t posted, uint64_t held_in, int64_t against)
{
    struct hf_image_account accounts[4];
    struct fixture f;
    struct fixture copy;

    open_fixture(&f, &small_limits);
    open_accounts(&f);
    struct picture picture = take_picture(&f, 4096);
    uint8_t *first = picture.bytes + offset_of(&picture, HF_IMAGE_SECTION_ACCOUNTS);
    memcpy(accounts, first, sizeof(accounts));
    for (int i = 0; i < 4; i++) {
        accounts[i].posted = i < 2 ? posted : i == 2 ? against : 0;
        accounts[i].held_in = i < 2 ? held_in : 0;
    }
    memcpy(first, accounts, sizeof(accounts));
    seal(&picture);
    open_fixture(&copy, &small_limits);
    enum hf_status status = load(&copy, picture.bytes, picture.length, 4096);
    close_fixture(&copy);
    free(picture.bytes);
    close_fixture(&f);
    return status;
}

/* Sums of many accounts are not those modulo 2^64. */
static void test_sums_are_wide(void **state)
{
    (void)state;
    assert_int_equal(load_sums(-5, 0, 10), HF_STATUS_OK);
    assert_int_equal(load_sums(-5, 0, 9), HF_STATUS_CORRUPT);
    assert_int_equal(load_sums(-5, 1, 10), HF_STATUS_CORRUPT);
    assert_int_equal(load_sums(-5, UINT64_C(1) << 63, 10), HF_STATUS_CORRUPT);
    assert_int_equal(load_sums(INT64_MIN, 0, 0), HF_STATUS_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),          cmocka_unit_test(test_empty_ledger),
        cmocka_unit_test(test_golden_bytes),        cmocka_unit_test(test_life_goes_on),
        cmocka_unit_test(test_other_limits),        cmocka_unit_test(test_smaller_memories),
        cmocka_unit_test(test_truncated_or_longer), cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_corrupted_counts),    cmocka_unit_test(test_sealed_nonsense),
        cmocka_unit_test(test_sealed_duplicates),   cmocka_unit_test(test_hold_made_in_a_chain),
        cmocka_unit_test(test_sums_are_wide),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
