/* The same answers from any number of shards.
 *
 * A ledger by itself and four that are divided, among 1, 2, 3 and 8 shards, are given the same
 * operations of every kind: those of the model test, which look for edges. The shards of each take
 * their turns at random, some of them held up for long, over queues of one to four words. Every
 * reply must be the same, and at each halt, when nothing is under way, so must the events, in the
 * order of places, the digest and the counts. At many halts a divided ledger is divided anew, among
 * another number of shards, half of the time by way of an image loaded into an empty ledger: what n
 * shards have written, m go on with.
 *
 * usage: test_shards [--seed N] [--operations N] */
#include "engine/image.h"
#include "engine/shard.h"
#include "run.h"

#include <assert.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_USUAL       20261130
#define OPERATIONS_USUAL 1000000
#define ROUND_OPERATIONS 20000
#define BUNDLES_AT_ONCE  12 /* under way in a divided ledger at most */
#define HALT_BUNDLES     40 /* from one halt to the next */
#define QUEUE_WORDS_MAX  4
#define EVENTS_MAX       (UINT32_C(1) << 14) /* of a shard from one halt to the next */
#define WORLDS           4
#define MOVE_TRIES       60

static const uint32_t usual_counts[WORLDS] = {1, 2, 3, 8};
static const uint32_t other_counts[] = {1, 2, 3, 4, 5, 8, 13, 64};

/* A bundle, and what the ledger by itself has said. */
struct bundle {
    uint32_t count;
    uint32_t users; /* divided ledgers that have it under way */
    uint64_t timestamp_ns;
    uint64_t placed;
    struct hf_reply expected[HF_BUNDLE_OPERATIONS_MAX];
    union model_operation operations[HF_BUNDLE_OPERATIONS_MAX];
};

struct part {
    struct bundle *bundle;
    struct hf_work *work;
    struct hf_reply replies[HF_BUNDLE_OPERATIONS_MAX];
};

struct queue {
    struct hf_shard_word words[QUEUE_WORDS_MAX];
    uint32_t first;
    uint32_t count;
};

/* A divided ledger. */
struct world {
    uint64_t *random;
    struct ledger_in_memory memory;
    struct hf_shards *shards;
    uint32_t count;
    uint32_t queue_room;
    struct queue queues[HF_SHARDS_MAX][HF_SHARDS_MAX]; /* from, to */
    struct part parts[BUNDLES_AT_ONCE];                /* a ring, the oldest first */
    uint32_t part_first;
    uint32_t part_count;
    uint32_t next[HF_SHARDS_MAX]; /* by shard: which of them it looks at next, from the first */
    struct hf_work *in_hand[HF_SHARDS_MAX];
    uint32_t held_up[HF_SHARDS_MAX]; /* for so many turns */
    struct hf_events events[HF_SHARDS_MAX];
};

static struct {
    uint64_t seed;
    uint64_t operations;
    uint64_t done;
    uint64_t halts;
    uint64_t divided_anew;
    uint64_t events;
    uint64_t lent;
    uint64_t borrowed;
    uint64_t waits;
} total;

static void *take(size_t size)
{
    size_t rounded = (size + 63) / 64 * 64;
    void *memory = aligned_alloc(64, rounded);
    assert(memory != NULL);
    memset(memory, 0, rounded);
    return memory;
}

static _Noreturn void differ(const struct world *world, const char *what)
{
    fprintf(stderr, "%u shards: %s, after %" PRIu64 " operations\nseed %" PRIu64 "\n", world->count,
            what, total.done, total.seed);
    abort();
}

/* splitmix64, as Steele, Lea and Flood gave it. */
static uint64_t below(uint64_t *state, uint64_t bound)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % bound;
}

/* The mail ---------------------------------------------------------------------------------- */

static bool send_word(void *context, uint32_t from, uint32_t to, const struct hf_shard_word *word)
{
    struct world *world = context;
    struct queue *queue = &world->queues[from][to];
    if (queue->count == world->queue_room)
        return false;
    queue->words[(queue->first + queue->count++) % QUEUE_WORDS_MAX] = *word;
    return true;
}

static bool receive_word(void *context, uint32_t from, uint32_t to, struct hf_shard_word *word)
{
    struct world *world = context;
    struct queue *queue = &world->queues[from][to];
    if (queue->count == 0)
        return false;
    *word = queue->words[queue->first];
    queue->first = (queue->first + 1) % QUEUE_WORDS_MAX;
    queue->count--;
    return true;
}

/* Turns ------------------------------------------------------------------------------------- */

static struct part *part_at(struct world *world, uint32_t number)
{
    return &world->parts[(world->part_first + number) % BUNDLES_AT_ONCE];
}

/* A shard passes over the works that it has no part in. */
static struct hf_work *next_work(struct world *world, uint32_t shard)
{
    while (world->next[shard] < world->part_count) {
        struct hf_work *work = part_at(world, world->next[shard]++)->work;
        if ((hf_work_shards(work) >> shard & 1) != 0)
            return work;
    }
    return NULL;
}

static void collect(struct world *world)
{
    struct hf_work *work;
    while ((work = hf_shards_collect(world->shards)) != NULL) {
        struct part *part = part_at(world, 0);
        const struct bundle *bundle = part->bundle;
        if (part->work != work)
            differ(world, "works are collected in another order");
        for (uint32_t i = 0; i < bundle->count; i++) {
            if (memcmp(&part->replies[i], &bundle->expected[i], sizeof(struct hf_reply)) == 0)
                continue;
            fprintf(stderr, "operation %u of type %u\n", i,
                    bundle->operations[i].operation.header.type);
            print_reply("alone:  ", &bundle->expected[i]);
            print_reply("divided:", &part->replies[i]);
            differ(world, "another reply");
        }
        part->bundle->users--;
        world->part_first = (world->part_first + 1) % BUNDLES_AT_ONCE;
        world->part_count--;
        for (uint32_t shard = 0; shard < world->count; shard++)
            world->next[shard] -= world->next[shard] != 0;
    }
}

/* One shard's turn. */
static void turn(struct world *world)
{
    uint32_t number = (uint32_t)below(world->random, world->count);
    struct hf_shard *shard = hf_shards_at(world->shards, number);
    if (world->held_up[number] != 0) {
        world->held_up[number]--;
        return;
    }
    if (below(world->random, 64) == 0)
        world->held_up[number] = (uint32_t)below(world->random, 40);
    if (world->in_hand[number] == NULL) {
        world->in_hand[number] = next_work(world, number);
        if (world->in_hand[number] != NULL)
            hf_shard_begin(shard, world->in_hand[number]);
        return;
    }
    if (hf_shard_step(shard)) {
        hf_work_finished(world->in_hand[number]);
        world->in_hand[number] = NULL;
    }
}

/* So many turns a bundle that every shard has come round. */
#define TURNS_MAX 10000000

static void drain(struct world *world)
{
    collect(world);
    for (uint32_t turns = 0; hf_shards_under_way(world->shards) != 0; turns++) {
        if (turns == TURNS_MAX)
            differ(world, "the shards wait for each other for ever");
        turn(world);
        collect(world);
    }
}

static void submit(struct world *world, struct bundle *bundle)
{
    const union hf_operation *operations[HF_BUNDLE_OPERATIONS_MAX];
    uint64_t placed = 0;
    for (uint32_t i = 0; i < bundle->count; i++)
        operations[i] = &bundle->operations[i].operation;
    for (uint32_t turns = 0;; turns++) {
        struct part *part = part_at(world, world->part_count);
        if (world->part_count < BUNDLES_AT_ONCE &&
            hf_shards_submit(world->shards, bundle->timestamp_ns, operations, bundle->count,
                             part->replies, part->work, &placed)) {
            part->bundle = bundle;
            break;
        }
        if (turns == TURNS_MAX)
            differ(world, "no work can be submitted");
        turn(world);
        collect(world);
    }
    memset(part_at(world, world->part_count)->replies + bundle->count, 0xa5,
           (HF_BUNDLE_OPERATIONS_MAX - bundle->count) * sizeof(struct hf_reply));
    world->part_count++;
    bundle->users++;
    if (placed != bundle->placed)
        differ(world, "other operations take a place");
    for (uint64_t turns = below(world->random, 8 * world->count); turns != 0; turns--) {
        turn(world);
        collect(world);
    }
}

/* Halts ------------------------------------------------------------------------------------- */

static void divide(struct world *world, uint32_t count)
{
    const struct hf_shard_mail mail = {world, send_word, receive_word};
    const struct hf_ledger_limits *limits = hf_ledger_limits_of(world->memory.ledger);
    size_t size = hf_shards_memory_size(limits, count);
    assert(size != 0);
    world->count = count;
    world->queue_room = 1 + (uint32_t)below(world->random, QUEUE_WORDS_MAX);
    world->shards = hf_shards_create(world->memory.ledger, count, &mail, take(size), size);
    assert(world->shards != NULL);
}

static void undivide(struct world *world)
{
    for (uint32_t i = 0; i < world->count; i++) {
        const struct hf_shard_counts *counts = hf_shard_count(hf_shards_at(world->shards, i));
        total.lent += counts->lent;
        total.borrowed += counts->borrowed;
        total.waits += counts->waits;
    }
    free(world->shards);
}

/* An image of the ledger, in another one. */
static void go_through_image(struct world *world)
{
    static struct hf_image_writer writer;
    static struct hf_image_reader reader;
    size_t length = (size_t)hf_image_length(world->memory.ledger);
    uint8_t *image = take(length);
    hf_image_write_begin(&writer, world->memory.ledger);
    if (hf_image_write(&writer, image, length) != length)
        differ(world, "an image of another length");
    struct ledger_in_memory loaded = make_ledger(hf_ledger_limits_of(world->memory.ledger));
    hf_image_read_begin(&reader, loaded.ledger);
    if (hf_image_read(&reader, image, length) != HF_STATUS_OK ||
        hf_image_read_end(&reader) != HF_STATUS_OK)
        differ(world, "an image that cannot be read");
    free(image);
    drop_ledger(&world->memory);
    world->memory = loaded;
}

static void print_event(const char *who, const struct hf_event *event)
{
    fprintf(stderr,
            "%s place %" PRIu64 " kind %u type %u subject %" PRIx64 "/%" PRIx64 " amount %" PRId64
            " asset %u code %u rule %u entry %u\n",
            who, event->place, event->kind, event->type, event->subject.lo, event->subject.hi,
            event->amount, event->asset, event->code, event->rule, event->entry);
}

static int by_place(const void *a, const void *b)
{
    const struct hf_event *const *one = a;
    const struct hf_event *const *other = b;
    if ((*one)->place != (*other)->place)
        return (*one)->place < (*other)->place ? -1 : 1;
    return *one < *other ? -1 : *one > *other; /* one shard has told all of a place */
}

static void compare_events(struct world *world, const struct hf_events *expected)
{
    static const struct hf_event *told[HF_SHARDS_MAX * EVENTS_MAX];
    uint32_t count = 0;
    for (uint32_t shard = 0; shard < world->count; shard++) {
        for (uint32_t i = 0; i < world->events[shard].count; i++)
            told[count++] = &world->events[shard].list[i];
        world->events[shard].count = 0;
    }
    qsort(told, count, sizeof(told[0]), by_place);
    for (uint32_t i = 0; i < expected->count && i < count; i++) {
        if (memcmp(told[i], &expected->list[i], sizeof(struct hf_event)) == 0)
            continue;
        print_event("alone:  ", &expected->list[i]);
        print_event("divided:", told[i]);
        differ(world, "another event");
    }
    if (count != expected->count)
        differ(world, "more or fewer events");
}

static void compare_ledgers(struct world *world, struct hf_ledger *alone)
{
    struct hf_ledger *ledger = world->memory.ledger;
    struct hf_ledger_counts expected;
    struct hf_ledger_counts counts;
    hf_ledger_count(alone, &expected);
    hf_ledger_count(ledger, &counts);
    if (memcmp(&expected, &counts, sizeof(counts)) != 0)
        differ(world, "other counts");
    if (hf_ledger_place(alone) != hf_ledger_place(ledger))
        differ(world, "another newest place");
    if (!hf_id_equal(hf_ledger_digest(alone), hf_ledger_digest(ledger)))
        differ(world, "another digest");
}

/* The run ----------------------------------------------------------------------------------- */

struct run_of_shards {
    struct draw draw;
    struct model *model;
    struct ledger_in_memory alone;
    bool is_watched;
    uint64_t random; /* of the turns */
    struct bundle bundles[BUNDLES_AT_ONCE + 1];
    struct world worlds[WORLDS];
};

/* The next operation; of many bundles a plain MOVE, as long as one is found: only these overlap. */
static void draw(struct run_of_shards *run, bool wants_move, union model_operation *drawn)
{
    for (uint32_t tries = 0; tries < MOVE_TRIES; tries++) {
        draw_operation(&run->draw, drawn);
        if (!wants_move || drawn->operation.header.type == HF_OP_MOVE)
            return;
        memset(drawn, 0, sizeof(*drawn));
    }
    draw_operation(&run->draw, drawn);
}

static void fill(struct run_of_shards *run, struct bundle *bundle)
{
    const bool wants_moves = draw_below(&run->draw, 3) == 0;
    const union hf_operation *operations[HF_BUNDLE_OPERATIONS_MAX];
    uint32_t wanted = 1 + (uint32_t)draw_below(&run->draw, HF_BUNDLE_OPERATIONS_MAX);
    assert(bundle->users == 0);
    draw_next_bundle(&run->draw);
    bundle->timestamp_ns = run->draw.timestamp_ns;
    bundle->count = 0;
    while (bundle->count < wanted) {
        union model_operation *drawn = &bundle->operations[bundle->count];
        struct hf_reply reply;
        memset(drawn, 0, sizeof(*drawn));
        if (bundle->count == 0 && draw_below(&run->draw, 3) == 0 &&
            hf_ledger_make_expire(run->alone.ledger, bundle->timestamp_ns,
                                  &drawn->operation.expire))
            draw_expire_envelope(&run->draw, &drawn->operation.header);
        else
            draw(run, wants_moves, drawn);
        draw_forbid(&run->draw, &drawn->operation);
        operations[bundle->count++] = &drawn->operation;
        model_apply(run->model, bundle->timestamp_ns, &drawn->operation, &reply);
    }
    bundle->placed = hf_ledger_apply(run->alone.ledger, bundle->timestamp_ns, operations,
                                     bundle->count, bundle->expected);
    total.done += bundle->count;
}

static void watch(struct run_of_shards *run, bool is_watched)
{
    run->is_watched = is_watched;
    hf_ledger_watch(run->alone.ledger, is_watched ? run->alone.events : NULL);
    for (uint32_t w = 0; w < WORLDS; w++) {
        struct world *world = &run->worlds[w];
        struct hf_events *events[HF_SHARDS_MAX];
        for (uint32_t i = 0; i < HF_SHARDS_MAX; i++)
            events[i] = &world->events[i];
        hf_shards_watch(world->shards, is_watched ? events : NULL);
    }
}

static void halt(struct run_of_shards *run)
{
    for (uint32_t w = 0; w < WORLDS; w++) {
        struct world *world = &run->worlds[w];
        drain(world);
        if (run->is_watched)
            compare_events(world, run->alone.events);
        compare_ledgers(world, run->alone.ledger);
        if (below(&run->random, 3) != 0)
            continue;
        undivide(world);
        if (below(&run->random, 2) == 0)
            go_through_image(world);
        bool is_usual = below(&run->random, 2) == 0;
        divide(world, is_usual ? usual_counts[w]
                               : other_counts[below(&run->random, sizeof(other_counts) /
                                                                      sizeof(other_counts[0]))]);
        total.divided_anew++;
    }
    total.events += run->alone.events->count;
    run->alone.events->count = 0;
    total.halts++;
    watch(run, !run->is_watched);
}

static void do_round(struct run_of_shards *run, uint64_t end)
{
    struct hf_ledger_limits limits = draw_limits(&run->draw);
    if (limits.remembered < HF_SHARD_ANSWERS)
        limits.remembered = HF_SHARD_ANSWERS;
    run->model = model_create(&limits);
    run->alone = make_ledger(&limits);
    give_events(&run->alone);
    draw_start_round(&run->draw, run->model);
    for (uint32_t w = 0; w < WORLDS; w++) {
        run->worlds[w].memory = make_ledger(&limits);
        divide(&run->worlds[w], usual_counts[w]);
    }
    watch(run, true);
    for (uint32_t bundles = 1; total.done < end; bundles++) {
        struct bundle *bundle = &run->bundles[bundles % (BUNDLES_AT_ONCE + 1)];
        fill(run, bundle);
        for (uint32_t w = 0; w < WORLDS; w++)
            submit(&run->worlds[w], bundle);
        if (bundles % HALT_BUNDLES == 0)
            halt(run);
    }
    halt(run);
    for (uint32_t w = 0; w < WORLDS; w++) {
        undivide(&run->worlds[w]);
        drop_ledger(&run->worlds[w].memory);
    }
    drop_ledger(&run->alone);
    model_destroy(run->model);
}

static void begin(struct run_of_shards *run)
{
    memset(run, 0, sizeof(*run));
    run->draw.state = total.seed;
    run->random = total.seed;
    for (uint32_t w = 0; w < WORLDS; w++) {
        struct world *world = &run->worlds[w];
        world->random = &run->random;
        for (uint32_t i = 0; i < BUNDLES_AT_ONCE; i++)
            world->parts[i].work = take(hf_work_size());
        for (uint32_t i = 0; i < HF_SHARDS_MAX; i++) {
            world->events[i].capacity = EVENTS_MAX;
            world->events[i].list = malloc(EVENTS_MAX * sizeof(struct hf_event));
            assert(world->events[i].list != NULL);
        }
    }
}

static void end(struct run_of_shards *run)
{
    for (uint32_t w = 0; w < WORLDS; w++) {
        for (uint32_t i = 0; i < BUNDLES_AT_ONCE; i++)
            free(run->worlds[w].parts[i].work);
        for (uint32_t i = 0; i < HF_SHARDS_MAX; i++)
            free(run->worlds[w].events[i].list);
    }
}

int main(int argc, char *argv[])
{
    static const struct option options[] = {
        {"seed", required_argument, NULL, 's'},
        {"operations", required_argument, NULL, 'n'},
        {NULL, 0, NULL, 0},
    };
    static struct run_of_shards run;
    total.seed = SEED_USUAL;
    total.operations = OPERATIONS_USUAL;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 's')
            total.seed = strtoull(optarg, NULL, 10);
        else if (option == 'n')
            total.operations = strtoull(optarg, NULL, 10);
        else
            return 2;
    }
    printf("seed %" PRIu64 ", %" PRIu64 " operations\n", total.seed, total.operations);
    fflush(stdout);
    begin(&run);
    while (total.done < total.operations) {
        uint64_t end = total.done + ROUND_OPERATIONS;
        do_round(&run, end < total.operations ? end : total.operations);
    }
    end(&run);
    printf("%" PRIu64 " operations, each by one ledger and by four divided ones; %" PRIu64
           " events, %" PRIu64 " halts, divided anew %" PRIu64 " times; lent %" PRIu64
           " times, %" PRIu64 " operations with what was lent, %" PRIu64 " waits\n",
           total.done, total.events, total.halts, total.divided_anew, total.lent, total.borrowed,
           total.waits);
    assert(total.borrowed > 0 && total.waits > 0 && total.divided_anew > 0);
    return 0;
}
