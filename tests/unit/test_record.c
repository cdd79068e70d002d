/* Records: the bytes as they are published, and every damage to them seen. */
#include "golden.h"
#include "log_testing.h"

static _Alignas(64) uint8_t buffer[16384];

static struct hf_record_header *make_record(uint32_t count)
{
    memset(buffer, 0, sizeof buffer);
    struct hf_record_header *record = (struct hf_record_header *)(void *)buffer;
    *record = (struct hf_record_header){
        .magic = HF_RECORD_MAGIC,
        .format = HF_RECORD_FORMAT,
        .kind = count == 0 ? HF_RECORD_MARK : HF_RECORD_OPERATIONS,
        .length = HF_RECORD_HEADER_SIZE,
        .count = count,
        .cluster = log_cluster,
        .epoch = 1,
        .index = 5,
        .first_place = 41,
        .timestamp_ns = LOG_TIME_NS,
        .commit = 3,
        .prev_hash = {.lo = 0x0102030405060708, .hi = 0x090a0b0c0d0e0f10},
    };
    for (uint32_t i = 0; i < count; i++) {
        union hf_operation operation;
        log_operation(41 + i, 1, &operation);
        memcpy(buffer + record->length, &operation, operation.header.length);
        record->length += operation.header.length;
    }
    hf_record_seal(record);
    return record;
}

static enum hf_record_verdict check(size_t available)
{
    return hf_record_check(buffer, available, 512, log_cluster, NULL);
}

static void compare_golden(const char *name, uint32_t count)
{
    uint8_t golden[4096];
    const struct hf_record_header *record = make_record(count);
    size_t length = golden_read(name, golden, sizeof golden);
    assert_int_equal(length, record->length);
    assert_memory_equal(buffer, golden, length);
    /* And the other way: the published bytes read as a good record. */
    memset(buffer, 0, sizeof buffer);
    memcpy(buffer, golden, length);
    assert_int_equal(check(sizeof buffer), HF_RECORD_GOOD);
}

static void test_golden(void **state)
{
    (void)state;
    compare_golden("record-mark.hex", 0);
    compare_golden("record-moves.hex", 2);
    compare_golden("record-auth.hex", 5);
}

static void test_round_trip(void **state)
{
    (void)state;
    for (uint32_t count = 0; count < 40; count++) {
        const struct hf_record_header *record = make_record(count);
        assert_int_equal(check(hf_record_padded_length(record->length, 512)), HF_RECORD_GOOD);
        uint32_t offset = 0;
        for (uint32_t i = 0; i < count; i++) {
            union hf_operation expected;
            const union hf_operation *operation = hf_record_next(record, &offset);
            log_operation(41 + i, 1, &expected);
            assert_non_null(operation);
            assert_memory_equal(operation, &expected, expected.header.length);
        }
        assert_null(hf_record_next(record, &offset));
    }
}

static void test_every_bit_flipped(void **state)
{
    (void)state;
    for (uint32_t count = 0; count <= 6; count += 3) {
        uint32_t padded = hf_record_padded_length(make_record(count)->length, 512);
        for (uint32_t bit = 0; bit < padded * 8; bit++) {
            buffer[bit / 8] ^= (uint8_t)(1u << (bit % 8));
            /* A longer length may ask for more bytes than there are: not good, either way. */
            assert_int_not_equal(check(padded), HF_RECORD_GOOD);
            assert_int_not_equal(check(sizeof buffer), HF_RECORD_GOOD);
            buffer[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        }
        assert_int_equal(check(padded), HF_RECORD_GOOD);
    }
}

static void test_short(void **state)
{
    (void)state;
    uint32_t padded = hf_record_padded_length(make_record(9)->length, 512);
    for (size_t available = 0; available < padded; available++) {
        size_t needed = 0;
        assert_int_equal(hf_record_check(buffer, available, 512, log_cluster, &needed),
                         HF_RECORD_SHORT);
        assert_true(needed > available);
        assert_true(needed <= padded);
    }
    assert_int_equal(check(padded), HF_RECORD_GOOD);
}

/* Fields that a right hash does not excuse. */
static void expect_bad(struct hf_record_header *record)
{
    hf_record_seal(record);
    assert_int_equal(check(sizeof buffer), HF_RECORD_BAD);
}

static void test_nonsense_with_a_right_hash(void **state)
{
    (void)state;
    struct hf_record_header *record = make_record(3);
    record->kind = 4;
    expect_bad(record);
    record = make_record(3);
    record->kind = HF_RECORD_SEAL;
    expect_bad(record);
    record = make_record(3);
    record->kind = HF_RECORD_MARK;
    expect_bad(record);
    record = make_record(0);
    record->kind = HF_RECORD_OPERATIONS;
    expect_bad(record);
    record = make_record(3);
    record->count = 2;
    expect_bad(record);
    record = make_record(3);
    record->count = 4;
    expect_bad(record);
    record = make_record(3);
    record->index = 0;
    expect_bad(record);
    record = make_record(3);
    record->epoch = 0;
    expect_bad(record);
    record = make_record(3);
    record->first_place = 0;
    expect_bad(record);
    record = make_record(3);
    record->commit = record->index;
    expect_bad(record);
    record = make_record(3);
    record->format = 1;
    expect_bad(record);
    record = make_record(3);
    record->reserved[7] = 1;
    expect_bad(record);
    record = make_record(3);
    record->digest.hi = 1; /* a mark's alone */
    expect_bad(record);
    record = make_record(3);
    record->length -= 8;
    expect_bad(record);
    record = make_record(3);
    ((struct hf_op_header *)(void *)(buffer + HF_RECORD_HEADER_SIZE))->length = 40;
    expect_bad(record);
    record = make_record(3);
    ((struct hf_op_header *)(void *)(buffer + HF_RECORD_HEADER_SIZE))->length = 82;
    expect_bad(record);
}

static void test_other_cluster(void **state)
{
    (void)state;
    struct hf_id other = log_cluster;
    other.hi ^= 1;
    make_record(3);
    assert_int_equal(hf_record_check(buffer, sizeof buffer, 512, other, NULL), HF_RECORD_BAD);
}

static void test_padding(void **state)
{
    (void)state;
    uint32_t length = make_record(1)->length;
    assert_int_equal(hf_record_padded_length(length, 512), 512);
    assert_int_equal(hf_record_padded_length(512, 512), 512);
    assert_int_equal(hf_record_padded_length(513, 512), 1024);
    assert_int_equal(hf_record_padded_length(1, 4096), 4096);
    assert_int_equal(hf_record_padded_length(HF_RECORD_LENGTH_MAX, 4096), HF_RECORD_LENGTH_MAX);
    /* What lies after the padding is not the record's. */
    buffer[512] = 1;
    assert_int_equal(check(sizeof buffer), HF_RECORD_GOOD);
    assert_int_equal(hf_record_check(buffer, sizeof buffer, 4096, log_cluster, NULL),
                     HF_RECORD_BAD);
}

static void test_batch(void **state)
{
    (void)state;
    struct hf_log_batch batch = {.bytes = buffer, .capacity = 4096};
    hf_log_batch_begin(&batch, 7, 11);
    uint32_t count = 0;
    union hf_operation operation;
    log_operation(1, 1, &operation);
    while (hf_log_batch_add(&batch, &operation)) {
        count++;
    }
    assert_int_equal(count, (4096 - HF_RECORD_HEADER_SIZE) / sizeof(struct hf_op_move));
    assert_int_equal(batch.count, count);
    assert_int_equal(batch.length, HF_RECORD_HEADER_SIZE + count * sizeof(struct hf_op_move));
    assert_int_equal(hf_log_batch_room(&batch), 4096 - batch.length);
    hf_log_batch_begin(&batch, 8, 12);
    assert_int_equal(batch.count, 0);
    assert_int_equal(batch.first_place, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_every_bit_flipped),
        cmocka_unit_test(test_short),
        cmocka_unit_test(test_nonsense_with_a_right_hash),
        cmocka_unit_test(test_other_cluster),
        cmocka_unit_test(test_padding),
        cmocka_unit_test(test_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
