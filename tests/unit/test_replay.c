/* Replay: a log and a ledger that belong together, and those that do not. */
#include "fixture.h"
#include "wal/replay.h"

#define OPERATIONS 150 /* three bundles, the last one not full */

/* Remembers all of them, which have ids of the same millisecond. */
static void open_large(struct fixture *f)
{
    struct hf_ledger_limits limits = small_limits;

    limits.remembered = OPERATIONS;
    open_fixture(f, &limits);
}

static _Alignas(64) uint8_t bytes[HF_RECORD_HEADER_SIZE + OPERATIONS * HF_OPERATION_FIXED_MAX];

static struct hf_record_header *begin(uint64_t first_place)
{
    struct hf_record_header *record = (struct hf_record_header *)(void *)bytes;

    memset(bytes, 0, sizeof bytes);
    record->length = HF_RECORD_HEADER_SIZE;
    record->index = 9;
    record->first_place = first_place;
    record->timestamp_ns = START_NS;
    return record;
}

static void add(struct hf_record_header *record, const union hf_operation *operation)
{
    memcpy(bytes + record->length, operation, operation->header.length);
    record->length += operation->header.length;
    record->count++;
}

/* An asset, two accounts, and transfers between them. */
static struct hf_record_header *make_story(struct fixture *f)
{
    struct hf_record_header *record = begin(1);
    union hf_operation operation = make_asset(f, USD, "USD");

    add(record, &operation);
    for (uint64_t i = 1; i <= 2; i++) {
        operation = make_account(f, i, HF_FLOOR_NONE);
        add(record, &operation);
    }
    while (record->count < OPERATIONS) {
        operation = make_move(f, 1, 2, 1);
        add(record, &operation);
    }
    return record;
}

static void count_call(void *context)
{
    (*(uint32_t *)context)++;
}

static void test_whole(void **state)
{
    struct fixture f;
    struct hf_fault fault;
    uint32_t calls = 0;

    (void)state;
    open_large(&f);
    const struct hf_record_header *record = make_story(&f);
    assert_int_equal(hf_replay_record(f.ledger, record, count_call, &calls, &fault), HF_STATUS_OK);
    assert_int_equal(calls, 3);
    assert_int_equal(hf_ledger_place(f.ledger), OPERATIONS);
    assert_int_equal(hf_ledger_timestamp_ns(f.ledger), START_NS);
    /* A mark has nothing to say. */
    record = begin(OPERATIONS + 1);
    assert_int_equal(hf_replay_record(f.ledger, record, count_call, &calls, &fault), HF_STATUS_OK);
    assert_int_equal(calls, 3);
    close_fixture(&f);
}

static void assert_diverges(struct fixture *f, const struct hf_record_header *record)
{
    struct hf_fault fault = {0};

    assert_int_equal(hf_replay_record(f->ledger, record, NULL, NULL, &fault), HF_STATUS_DIVERGED);
    assert_non_null(strstr(fault.line, "record 9"));
}

static void test_another_place(void **state)
{
    struct fixture f;

    (void)state;
    open_large(&f);
    struct hf_record_header *record = make_story(&f);
    record->first_place = 2;
    assert_diverges(&f, record);
    assert_int_equal(hf_ledger_place(f.ledger), 0);
    close_fixture(&f);
}

/* An id that was used before takes no place: so this log is not that ledger's. */
static void test_operation_without_place(void **state)
{
    struct fixture f;

    (void)state;
    open_large(&f);
    struct hf_record_header *record = make_story(&f);
    size_t last = record->length - sizeof(struct hf_op_move);
    memcpy(bytes + last, bytes + last - sizeof(struct hf_op_move), sizeof(struct hf_op_move));
    assert_diverges(&f, record);
    close_fixture(&f);
}

static void test_bad_shape(void **state)
{
    struct fixture f;

    (void)state;
    open_large(&f);
    struct hf_record_header *record = make_story(&f);
    struct hf_op_move *last =
        (struct hf_op_move *)(void *)(bytes + record->length - sizeof(struct hf_op_move));
    last->amount = 0;
    assert_diverges(&f, record);
    close_fixture(&f);
}

/* Fewer operations than the record says. */
static void test_short(void **state)
{
    struct fixture f;

    (void)state;
    open_large(&f);
    struct hf_record_header *record = make_story(&f);
    record->count++;
    assert_diverges(&f, record);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_another_place),
        cmocka_unit_test(test_operation_without_place),
        cmocka_unit_test(test_bad_shape),
        cmocka_unit_test(test_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
