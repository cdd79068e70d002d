/* The engine against the model: random operations in bundles, every answer compared byte for byte,
 * every record looked at through QUERY, the invariants of money summed up from the model.
 *
 * Three ledgers run side by side. The `live` one gets every bundle whole. The `replayed` one gets
 * only the operations that took a place, as a log would hand them back: it must give the same
 * answers and end in the same state, or recovery would lie. Now and then the live one is written
 * out as an image and read back into fresh memory, and the run goes on with that.
 *
 * The first difference ends the run with the seed, the step, the operation and both answers. */
#include "draw.h"
#include "engine/image.h"
#include "tally.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS_MIN       12 /* each with other limits, from nothing */
#define ROUND_OPERATIONS UINT64_C(80000)
#define OPERATIONS_USUAL UINT64_C(1000000)
#define OPERATIONS_SHORT UINT64_C(20000)
#define SEED_USUAL       UINT64_C(20250117)
#define SWEEP_OPERATIONS 10000
#define IMAGE_OPERATIONS 25000
#define LEDGER_ALIGNMENT 64
/* From this many operations on, a reachable answer that was never seen is a failure. */
#define SEEN_OPERATIONS OPERATIONS_USUAL

struct ledger_in_memory {
    struct hf_ledger *ledger;
    void *memory;
};

struct run {
    uint64_t seed;
    uint64_t operations; /* to apply, over all rounds */
    uint64_t step;       /* operations applied so far, over all rounds */
    uint64_t bundles;
    uint64_t images;
    uint64_t answered_by_holds; /* ids that only their hold still knew */
    uint64_t swept_place;       /* of the state that was swept last, and its digest */
    struct hf_id swept_digest;
    uint64_t trace; /* a hash over all answers: two runs with one seed must have the same */
    struct draw draw;
    struct model *model;
    struct ledger_in_memory live;
    struct ledger_in_memory replayed;
};

/* Telling of a difference ----------------------------------------------------------------- */

static void print_bytes(const char *name, const void *bytes, size_t size)
{
    fprintf(stderr, "%s", name);
    for (size_t i = 0; i < size; i++)
        fprintf(stderr, "%s%02x", i % 8 == 0 ? " " : "", ((const uint8_t *)bytes)[i]);
    fprintf(stderr, "\n");
}

static void print_reply(const char *name, const struct hf_reply *reply)
{
    fprintf(stderr,
            "%s %s/%s approved %" PRIu64 " available %" PRId64 " posted %" PRId64 " place %" PRIu64
            " timestamp %" PRIu64 "\n",
            name, hf_code_name(reply->code), hf_rule_name(reply->rule), reply->approved,
            reply->available, reply->posted, reply->place, reply->timestamp_ns);
}

static void print_account(const struct model *model, const char *name, struct hf_id id)
{
    const struct model_account *account = model_account_of(model, id);
    if (account == NULL) {
        fprintf(stderr, "%s unknown\n", name);
        return;
    }
    fprintf(stderr,
            "%s (after, in the model) asset %u status %u posted %" PRId64 " floor %" PRId64
            " held_out %" PRIu64 " held_in %" PRIu64 " lifetime_debits %" PRIu64 "\n",
            name, account->asset, account->status, account->posted, account->floor,
            account->held_out, account->held_in, account->lifetime_debits);
}

static void print_operation(const struct run *run, const union hf_operation *operation)
{
    const struct hf_op_header *header = &operation->header;
    fprintf(stderr,
            "operation %s flags %#x id time %" PRIu64 " ms, bundle %" PRIu64 " ns, floor %" PRIu64
            " ms\n",
            hf_operation_name(header->type), header->flags, hf_id_time_ms(header->id),
            run->draw.timestamp_ns, model_floor_ms(run->model, run->draw.timestamp_ns));
    print_bytes("bytes", operation, header->length);
    if (header->type == HF_OP_MOVE || header->type == HF_OP_HOLD) {
        fprintf(stderr, "amount %" PRIu64 "\n", operation->move.amount);
        print_account(run->model, "payer", operation->move.payer);
        print_account(run->model, "payee", operation->move.payee);
    }
}

static _Noreturn void fail(const struct run *run, const char *what)
{
    fprintf(stderr,
            "FAILED: %s\nat step %" PRIu64 "; again with: test_model --seed %" PRIu64
            " --operations %" PRIu64 "\n",
            what, run->step, run->seed, run->operations);
    exit(1);
}

static void require(const struct run *run, bool holds, const char *what)
{
    if (!holds)
        fail(run, what);
}

/* Ledgers --------------------------------------------------------------------------------- */

static struct ledger_in_memory make_ledger(const struct hf_ledger_limits *limits)
{
    size_t size = hf_ledger_memory_size(limits);
    assert(size > 0);
    size_t rounded = (size + LEDGER_ALIGNMENT - 1) / LEDGER_ALIGNMENT * LEDGER_ALIGNMENT;
    struct ledger_in_memory made = {.memory = aligned_alloc(LEDGER_ALIGNMENT, rounded)};
    assert(made.memory != NULL);
    memset(made.memory, 0, rounded);
    made.ledger = hf_ledger_create(limits, made.memory, size);
    assert(made.ledger != NULL);
    return made;
}

static void drop_ledger(struct ledger_in_memory *made)
{
    free(made->memory);
    *made = (struct ledger_in_memory){0};
}

/* Comparing ------------------------------------------------------------------------------- */

static void mix_trace(struct run *run, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        run->trace = (run->trace ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
}

static void compare_reply(struct run *run, const union hf_operation *operation,
                          const struct hf_reply *expected, const struct hf_reply *got,
                          const char *who)
{
    if (memcmp(expected, got, sizeof(*got)) == 0)
        return;
    print_operation(run, operation);
    print_reply("model: ", expected);
    print_reply("engine:", got);
    print_bytes("model: ", expected, sizeof(*expected));
    print_bytes("engine:", got, sizeof(*got));
    fail(run, who);
}

static void compare_query(struct run *run, const struct hf_op_query *query)
{
    struct hf_query_reply expected;
    struct hf_query_reply got;
    memset(&got, 0xa5, sizeof(got));
    model_query(run->model, query, &expected);
    hf_ledger_query(run->live.ledger, query, &got);
    tally_count(HF_OP_QUERY, expected.reply.code, expected.reply.rule);
    if (expected.reply.length == got.reply.length &&
        memcmp(&expected, &got, expected.reply.length) == 0)
        return;
    fprintf(stderr, "query of subject %u\n", query->subject);
    print_bytes("question", query, sizeof(*query));
    print_reply("model: ", &expected.reply);
    print_reply("engine:", &got.reply);
    print_bytes("model: ", &expected, sizeof(expected));
    print_bytes("engine:", &got, sizeof(got));
    fail(run, "the model and the engine show a record differently");
}

static void compare_record(struct run *run, uint8_t subject, struct hf_id id)
{
    struct hf_op_query query;
    draw_query_of(subject, id, &query);
    compare_query(run, &query);
}

/* Every record that the operation names. */
static void compare_touched(struct run *run, const union hf_operation *operation)
{
    switch (operation->header.type) {
    case HF_OP_ACCOUNT_PUT:
        compare_record(run, HF_QUERY_ACCOUNT, operation->account_put.account);
        break;
    case HF_OP_MOVE:
    case HF_OP_HOLD:
        compare_record(run, HF_QUERY_ACCOUNT, operation->move.payer);
        compare_record(run, HF_QUERY_ACCOUNT, operation->move.payee);
        break;
    case HF_OP_CAPTURE:
    case HF_OP_RELEASE: {
        const struct model_hold *hold = model_hold_of(run->model, operation->capture.hold);
        compare_record(run, HF_QUERY_HOLD, operation->capture.hold);
        if (hold != NULL) {
            compare_record(run, HF_QUERY_ACCOUNT, hold->payer);
            compare_record(run, HF_QUERY_ACCOUNT, hold->payee);
        }
        break;
    }
    case HF_OP_INSTRUMENT_PUT:
        compare_record(run, HF_QUERY_INSTRUMENT, operation->instrument_put.token);
        break;
    case HF_OP_AUTH: {
        const struct model_hold *hold = model_hold_of(run->model, operation->header.id);
        compare_record(run, HF_QUERY_INSTRUMENT, operation->auth.token);
        compare_record(run, HF_QUERY_ACCOUNT, operation->auth.payee);
        if (hold != NULL)
            compare_record(run, HF_QUERY_ACCOUNT, hold->payer);
        break;
    }
    default:
        break;
    }
    compare_record(run, HF_QUERY_OPERATION, operation->header.id);
    compare_record(run, HF_QUERY_HOLD, operation->header.id);
}

/* Invariants ------------------------------------------------------------------------------ */

/* What the page promises of any state, summed up in the model (whose records equal the engine's by
 * then). */
static void check_money(struct run *run)
{
    const struct model_books *books = run->model->books;
    __extension__ typedef __int128 wide;
    for (uint32_t a = 0; a < books->asset_count; a++) {
        wide sum = 0;
        for (uint32_t i = 0; i < books->account_count; i++)
            if (books->accounts[i].asset == books->assets[a].asset)
                sum += books->accounts[i].posted;
        require(run, sum == 0, "posted balances of an asset do not sum up to zero");
    }
    for (uint32_t i = 0; i < books->account_count; i++) {
        const struct model_account *account = &books->accounts[i];
        wide out = 0;
        wide in = 0;
        for (uint32_t h = 0; h < books->hold_count; h++) {
            if (hf_id_equal(books->holds[h].payer, account->id))
                out += (wide)books->holds[h].remaining;
            if (hf_id_equal(books->holds[h].payee, account->id))
                in += (wide)books->holds[h].remaining;
        }
        require(run, out == (wide)account->held_out, "held_out is not the sum of open holds");
        require(run, in == (wide)account->held_in, "held_in is not the sum of open holds");
        require(run, account->posted - out >= account->floor || account->floor_raised,
                "an account has fallen below its floor");
    }
}

static void compare_counts(struct run *run)
{
    struct hf_ledger_counts counts;
    const struct model_books *books = run->model->books;
    const struct model *model = run->model;
    hf_ledger_count(run->live.ledger, &counts);
    uint64_t open = model_holds_open(model);
    require(run, counts.assets == books->asset_count, "count of assets");
    require(run, counts.accounts == books->account_count, "count of accounts");
    require(run, counts.instruments == books->instrument_count, "count of instruments");
    require(run, counts.holds_open == open, "count of open holds");
    require(run, counts.holds_resolved == books->hold_count - open, "count of resolved holds");
    require(run, counts.remembered == model->remembered_count, "count of remembered ids");
    require(run, counts.floor_ms == model_floor_ms(model, model->timestamp_ns),
            "the floor of ids is not that of the newest operation");
}

/* Everything there is. */
static void sweep(struct run *run)
{
    const struct model_books *books = run->model->books;
    for (uint32_t i = 0; i < books->account_count; i++)
        compare_record(run, HF_QUERY_ACCOUNT, books->accounts[i].id);
    for (uint32_t i = 0; i < books->instrument_count; i++)
        compare_record(run, HF_QUERY_INSTRUMENT, books->instruments[i].token);
    for (uint32_t i = 0; i < books->hold_count; i++) {
        compare_record(run, HF_QUERY_HOLD, books->holds[i].id);
        compare_record(run, HF_QUERY_OPERATION, books->holds[i].id);
    }
    for (uint32_t i = 0; i < run->model->remembered_count; i++) {
        uint32_t at = (run->model->remembered_start + i) % MODEL_REMEMBERED_MAX;
        compare_record(run, HF_QUERY_OPERATION, run->model->remembered_ids[at]);
    }
    compare_counts(run);
    check_money(run);
    require(run, hf_ledger_is_balanced(run->live.ledger), "the engine says it is not balanced");
    struct hf_id live = hf_ledger_digest(run->live.ledger);
    struct hf_id replayed = hf_ledger_digest(run->replayed.ledger);
    require(run, hf_id_equal(live, replayed),
            "the state after replaying what took a place is another than the live one");
    bool moved = run->swept_place != run->model->place;
    require(run, moved != hf_id_equal(live, run->swept_digest),
            moved ? "the digest does not see what was done" : "the digest moves by itself");
    run->swept_place = run->model->place;
    run->swept_digest = live;
    mix_trace(run, &live, sizeof(live));
}

/* Bundles --------------------------------------------------------------------------------- */

struct bundle {
    uint32_t count;
    union hf_operation operations[HF_BUNDLE_OPERATIONS_MAX];
    struct hf_reply expected[HF_BUNDLE_OPERATIONS_MAX];
    uint64_t expected_mask;
};

/* A damaged operation may be anything: both must judge it alike. True when it is still good and no
 * question. */
static bool judge_shape(struct run *run, union hf_operation *operation)
{
    size_t available = draw_damage(&run->draw, operation);
    struct hf_verdict expected = model_check(operation, available);
    /* Only `available` bytes are lent, so that a sanitizer sees any look beyond. */
    union hf_operation *lent = malloc(available > 0 ? available : 1);
    assert(lent != NULL);
    memcpy(lent, operation, available);
    struct hf_verdict got = hf_operation_check(lent, available);
    free(lent);
    tally_count(TALLY_SHAPE, expected.code, expected.rule);
    if (expected.code != got.code || expected.rule != got.rule) {
        print_bytes("bytes", operation, sizeof(*operation));
        fprintf(stderr, "of which %zu at hand\nmodel:  %s/%s\nengine: %s/%s\n", available,
                hf_code_name(expected.code), hf_rule_name(expected.rule), hf_code_name(got.code),
                hf_rule_name(got.rule));
        fail(run, "the model and the engine judge a shape differently");
    }
    return expected.code == HF_CODE_OK && operation->header.type != HF_OP_QUERY;
}

/* Draws each operation after the one before was applied to the model. */
static void fill_bundle(struct run *run, uint32_t count, struct bundle *bundle)
{
    bundle->count = 0;
    bundle->expected_mask = 0;
    while (bundle->count < count) {
        union hf_operation *operation = &bundle->operations[bundle->count];
        draw_operation(&run->draw, operation);
        if (draw_below(&run->draw, 20) == 0) {
            union hf_operation damaged = *operation;
            if (judge_shape(run, &damaged))
                *operation = damaged;
        }
        struct hf_verdict shape = hf_operation_check(operation, operation->header.length);
        require(run, shape.code == HF_CODE_OK, "the engine refuses a good shape");
        const struct model_hold *hold = model_hold_of(run->model, operation->header.id);
        if (hold != NULL && model_memory_of(run->model, operation->header.id) == &hold->memory)
            run->answered_by_holds++;
        struct hf_reply *reply = &bundle->expected[bundle->count];
        if (model_apply(run->model, run->draw.timestamp_ns, operation, reply))
            bundle->expected_mask |= UINT64_C(1) << bundle->count;
        tally_count(operation->header.type, reply->code, reply->rule);
        bundle->count++;
    }
}

static void apply_live(struct run *run, const struct bundle *bundle)
{
    const union hf_operation *operations[HF_BUNDLE_OPERATIONS_MAX];
    struct hf_reply got[HF_BUNDLE_OPERATIONS_MAX];
    for (uint32_t i = 0; i < bundle->count; i++)
        operations[i] = &bundle->operations[i];
    memset(got, 0xa5, sizeof(got));
    uint64_t mask =
        hf_ledger_apply(run->live.ledger, run->draw.timestamp_ns, operations, bundle->count, got);
    for (uint32_t i = 0; i < bundle->count; i++) {
        run->step++;
        compare_reply(run, operations[i], &bundle->expected[i], &got[i],
                      "the model and the engine answer differently");
        bool took = (mask >> i & 1) != 0;
        if (took != ((bundle->expected_mask >> i & 1) != 0)) {
            print_operation(run, operations[i]);
            fprintf(stderr, "the engine says it took %s place\n", took ? "a" : "no");
            fail(run, "the model and the engine differ over who takes a place");
        }
    }
    require(run, mask == bundle->expected_mask, "bits are set beyond the bundle");
    mix_trace(run, got, bundle->count * sizeof(got[0]));
}

/* Only what took a place, as the log would hold it. */
static void apply_replayed(struct run *run, const struct bundle *bundle)
{
    const union hf_operation *operations[HF_BUNDLE_OPERATIONS_MAX];
    struct hf_reply got[HF_BUNDLE_OPERATIONS_MAX];
    uint32_t where[HF_BUNDLE_OPERATIONS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < bundle->count; i++) {
        if ((bundle->expected_mask >> i & 1) == 0)
            continue;
        where[count] = i;
        operations[count++] = &bundle->operations[i];
    }
    if (count == 0)
        return;
    uint64_t mask =
        hf_ledger_apply(run->replayed.ledger, run->draw.timestamp_ns, operations, count, got);
    uint64_t all = count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
    require(run, mask == all, "an operation that took a place did not take one when replayed");
    for (uint32_t i = 0; i < count; i++)
        compare_reply(run, operations[i], &bundle->expected[where[i]], &got[i],
                      "an answer was another when replayed");
}

static void do_bundle(struct run *run, uint32_t count)
{
    static struct bundle bundle;
    draw_next_bundle(&run->draw);
    fill_bundle(run, count, &bundle);
    apply_live(run, &bundle);
    apply_replayed(run, &bundle);
    run->bundles++;
    require(run, hf_ledger_place(run->live.ledger) == run->model->place, "place of the newest");
    require(run, hf_ledger_timestamp_ns(run->live.ledger) == run->model->timestamp_ns,
            "timestamp of the newest");
    for (uint32_t i = 0; i < bundle.count; i++)
        compare_touched(run, &bundle.operations[i]);
    struct hf_op_query query;
    draw_query(&run->draw, bundle.operations[0].header.id, &query);
    compare_query(run, &query);
}

/* Images ---------------------------------------------------------------------------------- */

#define IMAGE_PIECE_UNITS 40

/* The live ledger's image, written in pieces of any size. The caller frees it. */
static uint8_t *write_image(struct run *run, size_t *length)
{
    static struct hf_image_writer writer;
    *length = (size_t)hf_image_length(run->live.ledger);
    uint8_t *image = malloc(*length);
    assert(image != NULL);
    size_t written = 0;
    hf_image_write_begin(&writer, run->live.ledger);
    for (;;) {
        uint8_t piece[IMAGE_PIECE_UNITS * HF_IMAGE_UNIT];
        size_t size = (1 + draw_below(&run->draw, IMAGE_PIECE_UNITS)) * HF_IMAGE_UNIT;
        size_t got = hf_image_write(&writer, piece, size);
        require(run, got <= size, "an image's piece is longer than its buffer");
        require(run, got <= *length - written, "an image is longer than it said");
        if (got == 0)
            break;
        memcpy(image + written, piece, got);
        written += got;
    }
    require(run, written == *length, "an image is shorter than it said");
    return image;
}

static struct ledger_in_memory read_image(struct run *run, const struct hf_ledger_limits *limits,
                                          const uint8_t *image, size_t length)
{
    static struct hf_image_reader reader;
    struct ledger_in_memory made = make_ledger(limits);
    hf_image_read_begin(&reader, made.ledger);
    for (size_t at = 0; at < length;) {
        size_t size = (1 + draw_below(&run->draw, IMAGE_PIECE_UNITS)) * HF_IMAGE_UNIT;
        if (size > length - at)
            size = length - at;
        require(run, hf_image_read(&reader, image + at, size) == HF_STATUS_OK,
                "an image is refused");
        at += size;
    }
    require(run, hf_image_read_end(&reader) == HF_STATUS_OK, "an image is refused at its end");
    return made;
}

/* Both ledgers are put aside for what their image makes, half the time under other limits. */
static void go_through_image(struct run *run)
{
    size_t length;
    uint8_t *image = write_image(run, &length);
    struct hf_id before = hf_ledger_digest(run->live.ledger);

    struct ledger_in_memory same = read_image(run, &run->model->limits, image, length);
    struct hf_id after = hf_ledger_digest(same.ledger);
    require(run, hf_id_equal(before, after), "the digest is another after an image");
    drop_ledger(&same);

    struct hf_ledger_limits limits = draw_other_limits(&run->draw);
    drop_ledger(&run->live);
    drop_ledger(&run->replayed);
    run->live = read_image(run, &limits, image, length);
    run->replayed = read_image(run, &limits, image, length);
    model_resize(run->model, &limits);
    run->swept_digest = hf_ledger_digest(run->live.ledger);
    run->swept_place = run->model->place;
    free(image);
    run->images++;
    sweep(run);
}

/* Rounds ---------------------------------------------------------------------------------- */

static void do_round(struct run *run, uint64_t operations)
{
    struct hf_ledger_limits limits = draw_limits(&run->draw);
    run->model = model_create(&limits);
    run->live = make_ledger(&limits);
    run->replayed = make_ledger(&limits);
    draw_start_round(&run->draw, run->model);
    run->swept_digest = hf_ledger_digest(run->live.ledger);
    run->swept_place = 0;

    uint64_t end = run->step + operations;
    while (run->step < end) {
        uint64_t before = run->step;
        uint64_t count = 1 + draw_below(&run->draw, HF_BUNDLE_OPERATIONS_MAX);
        if (count > end - run->step)
            count = end - run->step;
        do_bundle(run, (uint32_t)count);
        if (run->step / SWEEP_OPERATIONS != before / SWEEP_OPERATIONS)
            sweep(run);
        if (run->step / IMAGE_OPERATIONS != before / IMAGE_OPERATIONS)
            go_through_image(run);
    }
    sweep(run);
    drop_ledger(&run->live);
    drop_ledger(&run->replayed);
    model_destroy(run->model);
    run->model = NULL;
}

static uint64_t rounds_of(uint64_t operations)
{
    uint64_t rounds = operations / ROUND_OPERATIONS;
    return rounds < ROUNDS_MIN ? ROUNDS_MIN : rounds;
}

static void do_run(uint64_t seed, uint64_t operations, struct run *run)
{
    uint64_t rounds = rounds_of(operations);
    memset(run, 0, sizeof(*run));
    run->seed = seed;
    run->operations = operations;
    run->draw.state = seed;
    for (uint64_t round = 0; round < rounds; round++) {
        uint64_t end = round + 1 < rounds ? operations / rounds * (round + 1) : operations;
        do_round(run, end - run->step);
    }
}

static uint64_t read_number(const char *text)
{
    char *end;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0') {
        fprintf(stderr, "not a number: %s\n", text);
        exit(2);
    }
    return number;
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'},
        {"operations", required_argument, NULL, 'n'},
        {NULL, 0, NULL, 0},
    };
    static struct run run;
    static struct run again;
    uint64_t seed = SEED_USUAL;
    uint64_t operations = OPERATIONS_USUAL;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 's')
            seed = read_number(optarg);
        else if (option == 'n')
            operations = read_number(optarg);
        else
            return 2;
    }
    printf("seed %" PRIu64 ", %" PRIu64 " operations in %" PRIu64 " rounds\n", seed, operations,
           rounds_of(operations));
    fflush(stdout);

    uint64_t short_operations = operations < OPERATIONS_SHORT ? operations : OPERATIONS_SHORT;
    do_run(seed, short_operations, &run);
    do_run(seed, short_operations, &again);
    require(&again, run.trace == again.trace, "two runs with one seed have given other answers");

    do_run(seed, operations, &run);
    tally_print();
    printf("%" PRIu64 " operations, %" PRIu64 " bundles, %" PRIu64 " images, %" PRIu64
           " repeats that only a hold could answer, trace %016" PRIx64 "\n",
           run.step, run.bundles, run.images, run.answered_by_holds, run.trace);
    if (operations < SEEN_OPERATIONS)
        return 0;
    require(&run, run.answered_by_holds > 0, "no repeat had to be answered by its hold alone");
    require(&run, tally_missing() == 0, "a reachable answer was never seen");
    return 0;
}
