/* Fuzz target: what the other node of a pair says.
 *
 * An input is a byte that is unused, one that says as what it comes (enum pair_place), six that are
 * unused, and the bytes: of a request for a slice of a checkpoint, to a node that leads; of a frame
 * of the stream, a slice or a PREPARE with its record, to a node that takes a checkpoint; of a
 * message; or of a whole datagram. All but the last come in datagrams of a link that is right, for
 * what lies behind its hash to be reached. Whatever comes, the node goes on, and it neither takes a
 * promise back nor believes committed what it has not got. */
#include "fuzz.h"

#include "replication/fetch.h"
#include "replication/pair_inside.h"

#define PEER        2
#define SIZE_LONG   (32u << 10) /* what fits the credits that a link begins with */
#define POLLS       8
#define POLL_NS     UINT64_C(20000000)
#define DATAGRAM    1472
#define SEGMENT     (64 << 10)
#define LIFE        5
#define ROUNDS_MOST 1000

enum pair_place { PAIR_REQUEST, PAIR_FRAME, PAIR_MESSAGE, PAIR_DATAGRAM, PAIR_PLACES };

static struct {
    struct hf_disk *disk;
    struct fuzz_ledger ledger;
    struct hf_log_state state;
    struct hf_log_writer *writer;
    struct hf_pair *pair;
    struct hf_link *link; /* the other node's end */
    uint64_t now_ns;
    struct hf_fault fault;
} world;

static _Alignas(64) uint8_t recent_memory[HF_PAIR_RECENT_MIN];

static void lose(void *context, const void *bytes, size_t length)
{
    (void)context, (void)bytes, (void)length;
}

static void deliver(void *context, const void *bytes, size_t length)
{
    (void)context;
    hf_pair_receive(world.pair, bytes, length, world.now_ns);
}

static void open_log(void)
{
    struct hf_log_options options = {
        .cluster = fuzz_cluster, .node = FUZZ_NODE, .create = true, .segment_size = SEGMENT};
    const struct hf_log_replay replay = {.context = &world.ledger,
                                         .image = fuzz_take_image,
                                         .image_end = fuzz_end_image,
                                         .record = fuzz_take_record};
    const struct hf_log_writer_options writer = {.depth = 3,
                                                 .segments_ahead = 1,
                                                 .batch_count = 4,
                                                 .batch_capacity = 4096,
                                                 .pair_batches = HF_PAIR_BATCHES,
                                                 .observe = hf_pair_observe,
                                                 .seal_span = 16,
                                                 .secret_key = fuzz_secret_key()};
    struct hf_log_writer_options with_pair = writer;
    memcpy(options.public_key, hf_chain_key_public(fuzz_secret_key()), sizeof options.public_key);
    world.disk = fuzz_make_disk(512);
    fuzz_make_ledger(&world.ledger);
    FUZZ_CHECK(hf_log_open(world.disk, &options, &replay, &world.state, &world.fault) ==
               HF_STATUS_OK);
    const struct hf_pair_options pair = {
        .replica = {.cluster = fuzz_cluster,
                    .node = FUZZ_NODE,
                    .peer = PEER,
                    .durability = HF_DURABILITY_PAIR_SAFE,
                    .on_loss = HF_ON_LOSS_ALONE,
                    .beacon_ns = 2 * POLL_NS,
                    .lease_ns = 4 * POLL_NS,
                    .grace_ns = 6 * POLL_NS,
                    .drop_ns = 12 * POLL_NS,
                    .ask_ns = 100 * POLL_NS,
                    .window = 8,
                    .join_lag = 4,
                    .may_found = true},
        .datagram_size = DATAGRAM,
        .recent_bytes = sizeof recent_memory,
        .recent_memory = recent_memory,
        .send = lose,
    };
    FUZZ_CHECK(hf_pair_create(&pair, &world.state, world.disk, world.disk, &world.pair,
                              &world.fault) == HF_STATUS_OK);
    with_pair.observe_context = world.pair;
    FUZZ_CHECK(hf_log_writer_create(world.disk, &world.state, &with_pair, &world.writer,
                                    &world.fault) == HF_STATUS_OK);
    FUZZ_CHECK(hf_log_writer_attach(world.writer, &world.fault) == HF_STATUS_OK);
}

static void poll(void)
{
    struct hf_log_batch *done[HF_LOG_BATCHES_MAX];
    world.now_ns += POLL_NS;
    (void)hf_pair_poll(world.pair, done, HF_LOG_BATCHES_MAX, world.now_ns);
}

/* An arbiter that knows nothing yet, and does what it is asked: the node founds the pair. */
static void lead(void)
{
    for (int i = 0; i < ROUNDS_MOST && !hf_pair_leads(world.pair); i++) {
        struct hf_question question;
        if (hf_pair_question(world.pair, &question)) {
            bool is_swap = question.kind == HF_QUESTION_SWAP;
            struct hf_arbiter_answer answer = {.ask = question.ask,
                                               .kind = is_swap ? HF_ANSWER_DONE : HF_ANSWER_VALUE};
            hf_pair_answered(world.pair, &answer, world.now_ns);
        }
        poll();
    }
    FUZZ_CHECK(hf_pair_leads(world.pair));
}

/* The other node is there, and fits. */
static void meet(void)
{
    const struct hf_link_options options = {.cluster = fuzz_cluster,
                                            .node = PEER,
                                            .datagram_size = DATAGRAM,
                                            .incarnation = LIFE,
                                            .send = deliver};
    struct hf_pair_self self = world.pair->self;
    FUZZ_CHECK(hf_link_create(&options, &world.link, &world.fault) == HF_STATUS_OK);
    self.public_key[0] ^= 1;
    hf_link_note(world.link, HF_LINK_SELF, &self, sizeof self);
    FUZZ_CHECK(hf_pair_peer(world.pair) != NULL);
}

static void come(enum pair_place place, const uint8_t *bytes, uint32_t length)
{
    uint32_t note_max = hf_link_note_max(world.link);
    uint32_t note = length < note_max ? length : note_max;
    switch (place) {
    case PAIR_REQUEST:
        hf_link_note(world.link, HF_LINK_FETCH, bytes, note);
        break;
    case PAIR_FRAME:
        if (length >= HF_MESSAGE_SIZE)
            (void)hf_link_put(world.link, bytes, HF_MESSAGE_SIZE, bytes + HF_MESSAGE_SIZE,
                              length - HF_MESSAGE_SIZE, world.now_ns);
        break;
    case PAIR_MESSAGE:
        hf_link_note(world.link, HF_LINK_NOTE, bytes, note);
        break;
    default:
        deliver(NULL, bytes, length);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size <= FUZZ_HEAD || size > SIZE_LONG)
        return 0;
    enum pair_place place = data[1] % PAIR_PLACES;
    world.now_ns = POLL_NS;
    open_log();
    hf_pair_start(world.pair, world.writer, world.now_ns);
    if (place == PAIR_REQUEST)
        lead();
    meet();
    if (place == PAIR_FRAME)
        hf_pair_fetch(world.pair);
    const struct hf_replica *r = hf_pair_replica(world.pair);
    uint64_t promise = r->promise;
    come(place, data + FUZZ_HEAD, (uint32_t)(size - FUZZ_HEAD));
    for (int i = 0; i < POLLS; i++)
        poll();
    FUZZ_CHECK(!hf_log_writer_is_poisoned(world.writer));
    FUZZ_CHECK(r->promise >= promise);
    FUZZ_CHECK(hf_pair_commit_index(world.pair) <= r->last.place.index);
    hf_link_destroy(world.link);
    hf_pair_destroy(world.pair);
    hf_log_writer_destroy(world.writer);
    world.disk->maker->destroy(world.disk);
    return 0;
}
