/* The engine against the model: random operations in bundles, every answer and event compared byte
 * for byte, every record looked at through QUERY, the invariants of money summed up from the model.
 *
 * Three ledgers run side by side. The `live` one gets every bundle whole. The `replayed` one gets
 * only the operations that took a place, as a log would hand them back: it must give the same
 * answers and end in the same state, or recovery would lie. Now and then the live one is written
 * out as an image and read back into fresh memory, and the run goes on with that.
 * Every bundle one of the two is watched and the other is not, which may take shorter ways.
 * Whatever the live one wants to expire must be due, and now and then all that is due is expired.
 *
 * The first difference ends the run with the seed, the step, the operation and both answers. */
#include "engine/expire.h"
#include "engine/image.h"
#include "run.h"
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
/* From this many operations on, a reachable answer that was never seen is a failure. */
#define SEEN_OPERATIONS OPERATIONS_USUAL

/* Looking at everything ------------------------------------------------------------------- */

static void mix_trace(struct run *run, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        run->trace = (run->trace ^ ((const uint8_t *)bytes)[i]) * UINT64_C(0x100000001b3);
}

/* Everything there is. */
static void sweep(struct run *run)
{
    const struct model_books *books = run->model->books;
    for (uint32_t i = 0; i < books->account_count; i++) {
        compare_record(run, HF_QUERY_ACCOUNT, books->accounts[i].id);
        compare_record(run, HF_QUERY_ACCOUNT_HOLDS, books->accounts[i].id);
        compare_record(run, HF_QUERY_ACCOUNT_LIMITS, books->accounts[i].id);
    }
    for (uint32_t i = 0; i < books->instrument_count; i++) {
        compare_record(run, HF_QUERY_INSTRUMENT, books->instruments[i].token);
        compare_record(run, HF_QUERY_INSTRUMENT_LIMITS, books->instruments[i].token);
        compare_authorisations(run, books->instruments[i].token);
    }
    for (uint32_t i = 0; i < books->hold_count; i++) {
        compare_record(run, HF_QUERY_HOLD, books->holds[i].id);
        compare_record(run, HF_QUERY_AUTHORISATION, books->holds[i].id);
        compare_record(run, HF_QUERY_OPERATION, books->holds[i].id);
    }
    for (uint32_t i = 0; i < run->model->remembered_count; i++) {
        uint32_t at = (run->model->remembered_start + i) % MODEL_REMEMBERED_MAX;
        compare_record(run, HF_QUERY_OPERATION, run->model->remembered_ids[at]);
    }
    compare_counts(run);
    check_money(run);
    check_limits(run);
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
    uint64_t expected_mask;
    uint32_t event_count;
    union model_operation operations[HF_BUNDLE_OPERATIONS_MAX];
    struct hf_reply expected[HF_BUNDLE_OPERATIONS_MAX];
    struct hf_event events[EVENTS_CAPACITY]; /* that are expected */
};

static void compare_verdicts(struct run *run, const union model_operation *operation,
                             size_t available, struct hf_verdict expected, struct hf_verdict got)
{
    if (expected.code == got.code && expected.rule == got.rule && expected.entry == got.entry)
        return;
    size_t length = operation->operation.header.length;
    print_bytes("bytes", operation, length < available ? length : available);
    fprintf(stderr, "of which %zu at hand\nmodel:  %s/%s %u\nengine: %s/%s %u\n", available,
            hf_code_name(expected.code), hf_rule_name(expected.rule), expected.entry,
            hf_code_name(got.code), hf_rule_name(got.rule), got.entry);
    fail(run, "the model and the engine judge a shape differently");
}

/* A damaged operation may be anything: both must judge it alike, as one that was sent and as one of
 * the log. True when it is still good and no question. */
static bool judge_shape(struct run *run, union model_operation *operation)
{
    size_t available = draw_damage(&run->draw, operation);
    struct hf_verdict expected = model_check(&operation->operation, available);
    /* Only `available` bytes are lent, so that a sanitizer sees any look beyond. */
    union hf_operation *lent = malloc(available > 0 ? available : 1);
    assert(lent != NULL);
    memcpy(lent, operation, available);
    compare_verdicts(run, operation, available, expected, hf_operation_check(lent, available));
    compare_verdicts(run, operation, available,
                     model_check_logged(&operation->operation, available),
                     hf_operation_check_logged(lent, available));
    free(lent);
    tally_count(TALLY_SHAPE, expected.code, expected.rule);
    return expected.code == HF_CODE_OK && operation->operation.header.type != HF_OP_QUERY;
}

static void add_to_bundle(struct run *run, struct bundle *bundle)
{
    const union hf_operation *operation = &bundle->operations[bundle->count].operation;
    struct hf_verdict shape = hf_operation_check_logged(operation, operation->header.length);
    if (shape.code != HF_CODE_OK)
        print_operation(run, operation);
    require(run, shape.code == HF_CODE_OK, "the engine refuses a good shape");
    const struct model_hold *hold = model_hold_of(run->model, operation->header.id);
    if (hold != NULL && model_memory_of(run->model, operation->header.id) == &hold->memory)
        run->answered_by_holds++;
    struct hf_reply *reply = &bundle->expected[bundle->count];
    if (model_apply(run->model, run->draw.timestamp_ns, operation, reply)) {
        bundle->expected_mask |= UINT64_C(1) << bundle->count;
        check_money(run);
    }
    memcpy(&bundle->events[bundle->event_count], run->model->events,
           run->model->event_count * sizeof(bundle->events[0]));
    bundle->event_count += run->model->event_count;
    bool forbidden = (operation->header.flags & HF_OP_FORBIDDEN) != 0;
    tally_count(forbidden ? TALLY_FORBIDDEN : operation->header.type, reply->code, reply->rule);
    bundle->count++;
}

/* What the engine itself would expire now: all of it is due. */
static bool draw_due(struct run *run, union model_operation *operation)
{
    struct hf_op_expire *expire = &operation->operation.expire;
    memset(operation, 0, sizeof(*operation));
    if (!hf_ledger_make_expire(run->live.ledger, run->draw.timestamp_ns, expire))
        return false;
    draw_expire_envelope(&run->draw, &expire->header);
    for (uint32_t i = 0; i < expire->count; i++) {
        const struct hf_op_expiry *expiry = &expire->expiries[i];
        const struct model_hold *hold = model_hold_of(run->model, expiry->id);
        const struct model_account *account = model_account_of(run->model, expiry->id);
        bool due = expiry->kind == HF_EXPIRY_HOLD
                       ? hold != NULL && model_hold_is_due(hold, run->draw.timestamp_ns)
                       : account != NULL &&
                             model_account_is_due(run->model, account, run->draw.timestamp_ns);
        if (!due)
            print_bytes("expiry", expiry, sizeof(*expiry));
        require(run, due, "the engine wants to expire what is not due");
    }
    return true;
}

/* Draws each operation after the one before was applied to the model. */
static void fill_bundle(struct run *run, uint32_t count, struct bundle *bundle)
{
    bundle->count = 0;
    bundle->event_count = 0;
    bundle->expected_mask = 0;
    if (draw_below(&run->draw, 3) == 0 && draw_due(run, &bundle->operations[0]))
        add_to_bundle(run, bundle);
    while (bundle->count < count) {
        static union model_operation damaged;
        union model_operation *operation = &bundle->operations[bundle->count];
        draw_operation(&run->draw, operation);
        if (draw_below(&run->draw, 12) == 0) {
            damaged = *operation;
            if (judge_shape(run, &damaged))
                *operation = damaged;
        }
        draw_forbid(&run->draw, &operation->operation);
        add_to_bundle(run, bundle);
    }
}

static void compare_events(struct run *run, const struct bundle *bundle,
                           const struct hf_events *got, const char *who)
{
    uint32_t count = bundle->event_count < got->count ? bundle->event_count : got->count;
    uint32_t at = 0;
    while (at < count && memcmp(&bundle->events[at], &got->list[at], sizeof(got->list[0])) == 0)
        at++;
    if (at == bundle->event_count && at == got->count)
        return;
    const struct hf_event none = {0};
    const struct hf_event *pair[2] = {at < bundle->event_count ? &bundle->events[at] : &none,
                                      at < got->count ? &got->list[at] : &none};
    for (uint32_t i = 0; i < bundle->count; i++)
        if (bundle->expected[i].place == pair[pair[0]->place == 0]->place)
            print_operation(run, &bundle->operations[i].operation);
    for (int i = 0; i < 2; i++)
        fprintf(stderr,
                "%s place %" PRIu64 " kind %u type %u subject %" PRIx64 "/%" PRIx64
                " amount %" PRId64 " asset %u code %u rule %u entry %u\n",
                i == 0 ? "model: " : "engine:", pair[i]->place, pair[i]->kind, pair[i]->type,
                pair[i]->subject.lo, pair[i]->subject.hi, pair[i]->amount, pair[i]->asset,
                pair[i]->code, pair[i]->rule, pair[i]->entry);
    fail(run, who);
}

static void apply_live(struct run *run, const struct bundle *bundle)
{
    const union hf_operation *operations[HF_BUNDLE_OPERATIONS_MAX];
    struct hf_reply got[HF_BUNDLE_OPERATIONS_MAX];
    for (uint32_t i = 0; i < bundle->count; i++)
        operations[i] = &bundle->operations[i].operation;
    memset(got, 0xa5, sizeof(got));
    bool watched = (run->bundles & 1) == 0; /* who is not watched may take shorter ways */
    run->live.events->count = 0;
    hf_ledger_watch(run->live.ledger, watched ? run->live.events : NULL);
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
    run->events += bundle->event_count;
    if (!watched)
        return;
    compare_events(run, bundle, run->live.events, "the model and the engine tell other events");
    mix_trace(run, run->live.events->list, bundle->event_count * sizeof(struct hf_event));
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
        operations[count++] = &bundle->operations[i].operation;
    }
    if (count == 0)
        return;
    bool is_watched = run->bundles % 2 == 0;
    run->replayed.events->count = 0;
    hf_ledger_watch(run->replayed.ledger, is_watched ? run->replayed.events : NULL);
    uint64_t mask =
        hf_ledger_apply(run->replayed.ledger, run->draw.timestamp_ns, operations, count, got);
    uint64_t all = count == 64 ? UINT64_MAX : (UINT64_C(1) << count) - 1;
    require(run, mask == all, "an operation that took a place did not take one when replayed");
    for (uint32_t i = 0; i < count; i++)
        compare_reply(run, operations[i], &bundle->expected[where[i]], &got[i],
                      "an answer was another when replayed");
    if (is_watched)
        compare_events(run, bundle, run->replayed.events, "the events were others when replayed");
}

static struct bundle bundle;

static void settle_bundle(struct run *run)
{
    apply_live(run, &bundle);
    apply_replayed(run, &bundle);
    run->bundles++;
    require(run, hf_ledger_place(run->live.ledger) == run->model->place, "place of the newest");
    require(run, hf_ledger_timestamp_ns(run->live.ledger) == run->model->timestamp_ns,
            "timestamp of the newest");
    for (uint32_t i = 0; i < bundle.count; i++)
        compare_touched(run, &bundle.operations[i].operation);
}

/* A limit whose window may just have ended, whether anybody has drawn on it or not. */
static void compare_edge(struct run *run)
{
    const struct model_books *books = run->model->books;
    if (run->draw.edge_limit >= books->limit_count)
        return;
    const struct model_limit *limit = &books->limits[run->draw.edge_limit];
    compare_record(run,
                   limit->scope == HF_LIMIT_INSTRUMENT ? HF_QUERY_INSTRUMENT_LIMITS
                                                       : HF_QUERY_ACCOUNT_LIMITS,
                   limit->scope_id);
}

static void do_bundle(struct run *run, uint32_t count)
{
    draw_next_bundle(&run->draw);
    fill_bundle(run, count, &bundle);
    settle_bundle(run);
    compare_edge(run);
    check_limits(run);
    struct hf_op_query query;
    draw_query(&run->draw, bundle.operations[0].operation.header.id, &query);
    compare_query(run, &query);
}

/* EXPIRE after EXPIRE, as the node makes them, until nothing is due. */
static void expire_now(struct run *run)
{
    const struct model_books *books = run->model->books;
    uint32_t turns_max = 4 + (books->hold_count + books->account_count) / HF_EXPIRIES_MAX;
    for (uint32_t turn = 0; turn < turns_max; turn++) {
        bundle.count = 0;
        bundle.event_count = 0;
        bundle.expected_mask = 0;
        if (!draw_due(run, &bundle.operations[0]))
            return;
        add_to_bundle(run, &bundle);
        run->expired += bundle.expected[0].approved;
        settle_bundle(run);
        if (bundle.expected[0].place == 0) /* its id was too old or too new */
            draw_next_bundle(&run->draw);
    }
    print_operation(run, &bundle.operations[0].operation);
    print_reply("answered:", &bundle.expected[0]);
    fail(run, "there is no end to what is due");
}

static bool is_account_kept(struct run *run, bool tell)
{
    const struct model_books *books = run->model->books;
    bool kept = false;
    for (uint32_t i = 0; i < books->account_count; i++) {
        const struct model_account *account = &books->accounts[i];
        if (!model_account_can_sweep(run->model, account, run->draw.timestamp_ns))
            continue;
        kept = true;
        if (tell)
            print_account(run->model, "account", account->id);
        if (tell)
            print_account(run->model, "sink", account->sink);
    }
    return kept;
}

/* Afterwards no hold is open past its time. An account whose sink would not take what it has is
 * tried again only after a while, but then it keeps nothing that the sink would take. */
static void expire_all(struct run *run)
{
    const struct model_books *books = run->model->books;
    draw_next_bundle(&run->draw);
    expire_now(run);
    if (is_account_kept(run, false)) {
        run->draw.timestamp_ns += HF_EXPIRE_RETRY_NS;
        expire_now(run);
    }
    for (uint32_t i = 0; i < books->hold_count; i++)
        require(run, !model_hold_is_due(&books->holds[i], run->draw.timestamp_ns),
                "a hold is open past its time");
    require(run, !is_account_kept(run, true), "an expired account keeps what its sink would take");
    run->storms++;
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
    give_events(&made);
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
    give_events(&run->live);
    give_events(&run->replayed);
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
        if (draw_below(&run->draw, 20) == 0)
            expire_all(run);
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
    printf("%" PRIu64 " operations, %" PRIu64 " bundles, %" PRIu64 " events, %" PRIu64
           " images, %" PRIu64 " times all that was due ended (%" PRIu64 " of it), %" PRIu64
           " repeats that only a hold could answer, trace %016" PRIx64 "\n",
           run.step, run.bundles, run.events, run.images, run.storms, run.expired,
           run.answered_by_holds, run.trace);
    if (operations < SEEN_OPERATIONS)
        return 0;
    require(&run, run.answered_by_holds > 0, "no repeat had to be answered by its hold alone");
    require(&run, tally_missing() == 0, "a reachable answer was never seen");
    return 0;
}
