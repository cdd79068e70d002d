/* The wire codec against golden vectors made without it, and against every damage we can think of.
 *
 * Each datagram is read from a buffer of exactly its size, so that a sanitizer sees a read past the
 * end. */
#include "wire_words.h"

#define STEPS_MAX    16
#define VECTORS_MAX  512
#define RANDOM_COUNT 100000

struct vector {
    char name[64];
    uint8_t *bytes; /* exactly `length` of them */
    size_t length;
    char open[64];
    char header[128];
    char *steps[STEPS_MAX];
    uint32_t step_count;
};

/* Room for any operation. */
union any_operation {
    union hf_operation operation;
    uint8_t bytes[HF_OPERATION_LENGTH_MAX];
};

static struct vector vectors[VECTORS_MAX];
static uint32_t vector_count;

/* ---- the file of vectors */

static char *rest_of(char *line, const char *keyword)
{
    size_t length = strlen(keyword);
    if (strncmp(line, keyword, length) != 0)
        return NULL;
    return line[length] == ' ' ? line + length + 1 : line + length;
}

static void add_hex(struct vector *vector, const char *hex)
{
    size_t count = strlen(hex) / 2;
    vector->bytes = realloc(vector->bytes, vector->length + count);
    assert_non_null(vector->bytes);
    for (size_t i = 0; i < count; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        vector->bytes[vector->length++] = (uint8_t)byte;
    }
}

static void take_line(char *line)
{
    struct vector *vector = &vectors[vector_count];
    char *rest;
    if (line[0] == '\0' || line[0] == '#')
        return;
    if ((rest = rest_of(line, "vector")) != NULL)
        snprintf(vector->name, sizeof vector->name, "%.63s", rest);
    else if ((rest = rest_of(line, "hex")) != NULL)
        add_hex(vector, rest);
    else if ((rest = rest_of(line, "open")) != NULL)
        snprintf(vector->open, sizeof vector->open, "%.63s", rest);
    else if ((rest = rest_of(line, "header")) != NULL)
        snprintf(vector->header, sizeof vector->header, "%.127s", rest);
    else if (strcmp(line, "end") == 0)
        assert_true(++vector_count < VECTORS_MAX);
    else {
        assert_true(vector->step_count < STEPS_MAX);
        vector->steps[vector->step_count++] = strdup(line);
    }
}

static int load_vectors(void **state)
{
    (void)state;
    FILE *file = fopen(HF_TEST_GOLDEN_WIRE, "r");
    if (file == NULL) {
        print_error("cannot open %s\n", HF_TEST_GOLDEN_WIRE);
        return -1;
    }
    static char line[LINE_SIZE];
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        take_line(line);
    }
    fclose(file);
    print_message("%u vectors\n", vector_count);
    return vector_count > 100 ? 0 : -1;
}

static int free_vectors(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < vector_count; i++) {
        free(vectors[i].bytes);
        for (uint32_t s = 0; s < vectors[i].step_count; s++)
            free(vectors[i].steps[s]);
    }
    return 0;
}

/* ---- reading */

/* One reading step in words; false at the end. Keeps what was read for encoding again. */
static bool read_step(struct hf_wire_reader *reader, union any_operation *any,
                      struct hf_query_reply *reply, char *text, size_t size)
{
    union hf_operation *operation = &any->operation;
    struct hf_verdict verdict;
    char why[64];
    enum hf_wire_step step;
    if ((reader->header.flags & HF_WIRE_REPLIES) != 0) {
        step = hf_wire_next_reply(reader, reply);
        if (step == HF_WIRE_MESSAGE)
            reply_text(reply, text, size);
        else
            snprintf(text, size, "broken reply");
        assert_int_not_equal(step, HF_WIRE_REFUSED);
        return step != HF_WIRE_END;
    }
    step = hf_wire_next_operation(reader, operation, HF_OPERATION_LENGTH_MAX, &verdict);
    verdict_text(verdict, why, sizeof why);
    if (step == HF_WIRE_MESSAGE) {
        assert_int_equal(verdict.code, HF_CODE_OK);
        operation_text(operation, text, size);
    } else {
        snprintf(text, size, "%s %s %s", step == HF_WIRE_REFUSED ? "refused" : "broken", why,
                 id_text(operation->header.id));
        assert_int_equal(step == HF_WIRE_END, verdict.code == HF_CODE_OK);
    }
    return step != HF_WIRE_END;
}

static void expect_text(const struct vector *vector, const char *got, const char *expected)
{
    if (strcmp(got, expected) != 0)
        print_error("vector %s\n", vector->name);
    assert_string_equal(got, expected);
}

static void check_vector(const struct vector *vector)
{
    struct hf_wire_reader reader;
    char text[LINE_SIZE];
    struct hf_verdict verdict = hf_wire_open(&reader, vector->bytes, vector->length);
    verdict_text(verdict, text, sizeof text);
    expect_text(vector, text, vector->open);
    if (verdict.code == HF_CODE_OK) {
        snprintf(text, sizeof text, "flags=%u count=%u session=%016" PRIx64 " counter=%" PRIu64,
                 reader.header.flags, reader.header.count, reader.header.session,
                 reader.header.counter);
        expect_text(vector, text, vector->header);
    }
    union any_operation any;
    struct hf_query_reply reply;
    for (uint32_t s = 0; s < vector->step_count; s++) {
        assert_true(read_step(&reader, &any, &reply, text, sizeof text));
        expect_text(vector, text, vector->steps[s]);
    }
    assert_false(read_step(&reader, &any, &reply, text, sizeof text));
    assert_false(read_step(&reader, &any, &reply, text, sizeof text));
}

static void test_golden_decode(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < vector_count; i++)
        check_vector(&vectors[i]);
}

static bool is_all_messages(const struct vector *vector)
{
    for (uint32_t s = 0; s < vector->step_count; s++)
        if (strncmp(vector->steps[s], "operation ", 10) != 0 &&
            strncmp(vector->steps[s], "reply ", 6) != 0)
            return false;
    return vector->step_count > 0;
}

/* What was read, written again, gives the same bytes. */
static void test_golden_encode(void **state)
{
    (void)state;
    uint32_t encoded = 0;
    for (uint32_t i = 0; i < vector_count; i++) {
        const struct vector *vector = &vectors[i];
        if (!is_all_messages(vector))
            continue;
        struct hf_wire_reader reader;
        assert_int_equal(hf_wire_open(&reader, vector->bytes, vector->length).code, HF_CODE_OK);
        uint8_t *buffer = malloc(vector->length);
        struct hf_wire_writer writer;
        hf_wire_begin(&writer, buffer, vector->length);
        union any_operation any;
        struct hf_query_reply reply;
        char text[LINE_SIZE];
        bool is_reply = (reader.header.flags & HF_WIRE_REPLIES) != 0;
        while (read_step(&reader, &any, &reply, text, sizeof text)) {
            if (is_reply)
                assert_true(hf_wire_add(&writer, &reply, reply.reply.length));
            else
                assert_true(hf_wire_add(&writer, &any, any.operation.header.length));
        }
        assert_int_equal(hf_wire_finish(&writer, reader.header.flags, reader.header.session,
                                        reader.header.counter),
                         vector->length);
        assert_memory_equal(buffer, vector->bytes, vector->length);
        free(buffer);
        encoded++;
    }
    assert_true(encoded >= 30);
}

/* Reads a datagram through, both ways, whatever it is. Its result: it ends, in bounds, with no more
 * steps than messages and one complaint, and every message handed out passed its check. */
static void read_through(const uint8_t *bytes, size_t length)
{
    struct hf_wire_reader reader;
    struct hf_wire_reader again;
    union any_operation any;
    const union hf_operation *operation = &any.operation;
    struct hf_query_reply reply;
    struct hf_verdict verdict;
    struct hf_verdict opened = hf_wire_open(&reader, bytes, length);
    again = reader;
    uint32_t steps = 0;
    enum hf_wire_step step;
    while ((step = hf_wire_next_operation(&reader, &any.operation, sizeof any, &verdict)) !=
           HF_WIRE_END) {
        assert_int_equal(step == HF_WIRE_MESSAGE, verdict.code == HF_CODE_OK);
        if (step == HF_WIRE_MESSAGE) {
            assert_true(operation->header.length >= hf_operation_length(operation->header.type));
            assert_int_not_equal(operation->header.type, HF_OP_EXPIRE);
            assert_false(hf_id_is_reserved(operation->header.id));
            assert_int_equal(operation->header.origin, 0);
        }
        assert_true(++steps <= HF_WIRE_MESSAGES_MAX + 1);
    }
    while ((step = hf_wire_next_reply(&again, &reply)) != HF_WIRE_END) {
        if (step == HF_WIRE_MESSAGE)
            assert_in_range(reply.reply.length, 64, HF_REPLY_LENGTH_MAX);
        assert_true(++steps <= 2 * (HF_WIRE_MESSAGES_MAX + 1));
    }
    assert_int_equal(opened.code == HF_CODE_OK, steps > 0);
}

/* As read_through, from a buffer of exactly `length` bytes at an odd address. */
static void read_through_exactly(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length + 1);
    assert_non_null(copy);
    memcpy(copy + 1, bytes, length);
    read_through(copy + 1, length);
    free(copy);
}

static void test_every_truncation(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < vector_count; i++) {
        const struct vector *vector = &vectors[i];
        uint8_t *copy = malloc(vector->length + 1);
        for (size_t length = 0; length < vector->length; length++) {
            memcpy(copy, vector->bytes, length);
            read_through_exactly(copy, length);
            if (length < sizeof(struct hf_wire_header))
                continue;
            /* The header tells the truth about the cut: now it is a message that is cut. */
            copy[4] = (uint8_t)length;
            copy[5] = (uint8_t)(length >> 8);
            read_through_exactly(copy, length);
        }
        free(copy);
    }
}

static void test_every_bit_flip(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < vector_count; i++) {
        const struct vector *vector = &vectors[i];
        for (size_t bit = 0; bit < vector->length * 8; bit++) {
            vector->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            read_through_exactly(vector->bytes, vector->length);
            vector->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}

static uint64_t random_state;

static uint64_t random_next(void)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15ull;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

/* Random bytes behind a header that mostly opens, with message headers that mostly look right. */
static size_t make_random_datagram(uint8_t bytes[512])
{
    size_t length = random_next() % 512;
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)random_next();
    if (length < sizeof(struct hf_wire_header) || random_next() % 16 == 0)
        return length;
    struct hf_wire_header header = {.magic = HF_WIRE_MAGIC,
                                    .version = HF_WIRE_VERSION,
                                    .flags = random_next() % 2,
                                    .length = (uint16_t)length,
                                    .count = (uint16_t)(1 + random_next() % 8)};
    memcpy(bytes, &header, sizeof header);
    size_t at = sizeof header;
    while (at + 4 <= length) {
        uint16_t message_length = (uint16_t)(random_next() % 32 * 8);
        bytes[at] = (uint8_t)message_length;
        bytes[at + 1] = 0;
        bytes[at + 2] = (uint8_t)(random_next() % 24 | (header.flags != 0 ? 0x80u : 0u));
        at += message_length == 0 ? 8 : message_length;
    }
    return length;
}

static void test_random_datagrams(void **state)
{
    (void)state;
    const char *given = getenv("HF_TEST_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 0) : 20250615;
    print_message("seed %" PRIu64 " (set HF_TEST_SEED for another)\n", seed);
    random_state = seed;
    uint8_t bytes[512];
    for (uint32_t i = 0; i < RANDOM_COUNT; i++)
        read_through_exactly(bytes, make_random_datagram(bytes));
}

/* ---- what vectors do not reach */

static void fill_move(union hf_operation *operation, uint64_t number)
{
    memset(operation, 0, sizeof *operation);
    operation->move = (struct hf_op_move){
        .header = {.length = sizeof(struct hf_op_move), .type = HF_OP_MOVE, .id = {number, 7}},
        .payer = {1, 0},
        .payee = {2, 0},
        .amount = 5,
        .asset = 840};
}

static void test_writer_limits(void **state)
{
    (void)state;
    union hf_operation operation;
    struct hf_wire_writer writer;
    uint8_t *buffer = malloc(UINT16_MAX + 1);
    assert_non_null(buffer);

    /* Nothing in it: nothing to send. */
    hf_wire_begin(&writer, buffer, 1472);
    assert_int_equal(hf_wire_finish(&writer, 0, 1, 1), 0);

    /* Whole messages, as many as fit: 18 of 80 bytes in 1472 - 24. */
    fill_move(&operation, 1);
    uint32_t count = 0;
    while (hf_wire_add(&writer, &operation, operation.header.length))
        count++;
    assert_int_equal(count, 18);
    assert_int_equal(hf_wire_finish(&writer, 0, 1, 1), 24 + 18 * 80);

    /* The format's bound on a datagram, whatever the buffer. */
    hf_wire_begin(&writer, buffer, UINT16_MAX + 1);
    count = 0;
    while (hf_wire_add(&writer, &operation, operation.header.length))
        count++;
    assert_int_equal(count, (HF_WIRE_DATAGRAM_MAX - 24) / 80);

    /* The bound on messages: 255 of the shortest are over 9000 bytes, so the length rules first. */
    assert_true((HF_WIRE_DATAGRAM_MAX - 24) / HF_OPERATION_LENGTH_MIN < HF_WIRE_MESSAGES_MAX);

    /* A message that does not fit leaves the datagram as it was. */
    hf_wire_begin(&writer, buffer, 24 + 80);
    assert_true(hf_wire_add(&writer, &operation, operation.header.length));
    assert_false(hf_wire_add(&writer, &operation, operation.header.length));
    assert_int_equal(hf_wire_finish(&writer, 0, 1, 1), 24 + 80);
    free(buffer);
}

static void test_datagram_over_the_limit(void **state)
{
    (void)state;
    size_t length = HF_WIRE_DATAGRAM_MAX + 8;
    uint8_t *bytes = calloc(1, length);
    assert_non_null(bytes);
    struct hf_wire_header header = {
        .magic = HF_WIRE_MAGIC, .version = HF_WIRE_VERSION, .length = (uint16_t)length, .count = 1};
    memcpy(bytes, &header, sizeof header);
    struct hf_wire_reader reader;
    struct hf_verdict verdict = hf_wire_open(&reader, bytes, length);
    assert_int_equal(verdict.code, HF_CODE_MALFORMED);
    assert_int_equal(verdict.rule, HF_RULE_LENGTH);
    free(bytes);
}

/* A node never takes a reply for an operation: it would answer, and be answered, for ever. */
static void test_replies_are_not_operations(void **state)
{
    (void)state;
    uint8_t bytes[256];
    union hf_operation operation;
    struct hf_wire_writer writer;
    struct hf_wire_reader reader;
    struct hf_verdict verdict;
    fill_move(&operation, 1);
    hf_wire_begin(&writer, bytes, sizeof bytes);
    assert_true(hf_wire_add(&writer, &operation, operation.header.length));
    uint32_t length = hf_wire_finish(&writer, HF_WIRE_REPLIES, 1, 1);
    assert_int_equal(hf_wire_open(&reader, bytes, length).code, HF_CODE_OK);
    assert_int_equal(hf_wire_next_operation(&reader, &operation, sizeof operation, &verdict),
                     HF_WIRE_BROKEN);
    assert_int_equal(verdict.code, HF_CODE_UNSUPPORTED);
    assert_int_equal(verdict.rule, HF_RULE_FLAGS);
    assert_true(hf_id_is_reserved(operation.header.id));
    assert_int_equal(hf_wire_next_operation(&reader, &operation, sizeof operation, &verdict),
                     HF_WIRE_END);
}

/* A longer operation than there is room for is left where it is, and read once there is more. */
static void test_no_room(void **state)
{
    (void)state;
    static union any_operation any;
    uint8_t bytes[512];
    union {
        struct hf_op_move_plan plan;
        uint8_t bytes[sizeof(struct hf_op_move_plan) + 4 * sizeof(struct hf_op_entry)];
    } made = {
        .plan = {.header = {.length = sizeof made, .type = HF_OP_MOVE_PLAN, .id = {1, 7}},
                 .plan = {.amount = 9, .asset = 840, .source_count = 3, .destination_count = 1}}};
    for (uint32_t i = 0; i < 4; i++)
        made.plan.entries[i] =
            (struct hf_op_entry){.account = {i + 1, 0},
                                 .rule = i < 3 ? HF_ENTRY_FIXED : HF_ENTRY_REMAINING,
                                 .amount = i < 3 ? 3 : 0};
    struct hf_wire_writer writer;
    struct hf_wire_reader reader;
    struct hf_verdict verdict;
    hf_wire_begin(&writer, bytes, sizeof bytes);
    assert_true(hf_wire_add(&writer, &made, sizeof made));
    uint32_t length = hf_wire_finish(&writer, 0, 1, 1);
    assert_int_equal(hf_wire_open(&reader, bytes, length).code, HF_CODE_OK);
    memset(&any, 0x5a, sizeof any);
    assert_int_equal(hf_wire_next_operation(&reader, &any.operation, sizeof made - 8, &verdict),
                     HF_WIRE_NO_ROOM);
    assert_int_equal(any.bytes[sizeof made - 8], 0x5a);
    assert_int_equal(hf_wire_next_operation(&reader, &any.operation, sizeof made, &verdict),
                     HF_WIRE_MESSAGE);
    assert_memory_equal(&any, &made, sizeof made);
    assert_int_equal(any.bytes[sizeof made], 0x5a);
    assert_int_equal(hf_wire_next_operation(&reader, &any.operation, sizeof made, &verdict),
                     HF_WIRE_END);
}

/* The longest operation fits the largest datagram, and one that is longer is only looked at. */
static void test_longest_operation(void **state)
{
    (void)state;
    static union any_operation any;
    static struct {
        struct hf_op_header header;
        uint8_t rest[HF_OPERATION_LENGTH_MAX + 8 - sizeof(struct hf_op_header)];
    } made;
    static uint8_t bytes[HF_WIRE_DATAGRAM_MAX];
    struct hf_wire_writer writer;
    struct hf_wire_reader reader;
    struct hf_verdict verdict;
    for (uint32_t more = 0; more <= 8; more += 8) {
        made.header = (struct hf_op_header){.length = (uint16_t)(HF_OPERATION_LENGTH_MAX + more),
                                            .type = HF_OP_CHAIN,
                                            .id = {1, 7}};
        made.rest[0] = 1; /* of a count: and what follows is no operation */
        hf_wire_begin(&writer, bytes, sizeof bytes);
        assert_true(hf_wire_add(&writer, &made, made.header.length));
        uint32_t length = hf_wire_finish(&writer, 0, 1, 1);
        assert_int_equal(hf_wire_open(&reader, bytes, length).code, HF_CODE_OK);
        assert_int_equal(hf_wire_next_operation(&reader, &any.operation, sizeof any, &verdict),
                         HF_WIRE_REFUSED);
        assert_int_equal(verdict.code, HF_CODE_MALFORMED);
        assert_int_equal(verdict.rule, HF_RULE_LENGTH);
        assert_int_equal(verdict.entry, more == 0 ? 1 : 0);
        assert_int_equal(hf_wire_next_operation(&reader, &any.operation, sizeof any, &verdict),
                         HF_WIRE_END);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_decode),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_longest_operation),
        cmocka_unit_test(test_golden_encode),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_every_bit_flip),
        cmocka_unit_test(test_random_datagrams),
        cmocka_unit_test(test_writer_limits),
        cmocka_unit_test(test_datagram_over_the_limit),
        cmocka_unit_test(test_replies_are_not_operations),
    };
    return cmocka_run_group_tests(tests, load_vectors, free_vectors);
}
