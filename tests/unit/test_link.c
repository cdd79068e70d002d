/* The link between two nodes, over a pipe that loses, doubles, damages and reorders: frames come
 * whole, once and in order, or the stream begins anew and says so. */
#include "fixture.h"

#include "replication/link.h"

#define PIPE_MAX   4096
#define DATAGRAM   1472
#define FRAMES     400
#define STEP_NS    UINT64_C(100000)
#define PAYLOAD_AT HF_LINK_HEADER_SIZE

struct datagram {
    uint32_t length;
    uint8_t bytes[DATAGRAM];
};

/* One way. */
struct pipe {
    struct datagram list[PIPE_MAX];
    uint32_t count;
    uint32_t lost_percent;
    uint64_t *seed;
};

struct world {
    struct hf_link *links[2];
    struct pipe pipes[2]; /* to link 0, to link 1 */
    uint64_t seed;
    uint64_t now_ns;
};

static const struct hf_id cluster = {7, 0};
static struct world world;

static void into_pipe(void *context, const void *bytes, size_t length)
{
    struct pipe *pipe = context;

    assert_true(length <= DATAGRAM - HF_LINK_SEAL_ROOM);
    for (int copies = next_random(pipe->seed) % 20 == 0 ? 2 : 1; copies > 0; copies--) {
        if (pipe->count == PIPE_MAX || next_random(pipe->seed) % 100 < pipe->lost_percent)
            continue;
        struct datagram *made = &pipe->list[pipe->count++];
        made->length = (uint32_t)length;
        memcpy(made->bytes, bytes, length);
    }
}

static struct hf_link *open_link(uint32_t index, uint64_t incarnation)
{
    const struct hf_link_options options = {.cluster = cluster,
                                            .node = index + 1,
                                            .datagram_size = DATAGRAM,
                                            .incarnation = incarnation,
                                            .send = into_pipe,
                                            .context = &world.pipes[1 - index]};
    struct hf_link *link = NULL;
    struct hf_fault fault;

    assert_int_equal(hf_link_create(&options, &link, &fault), HF_STATUS_OK);
    return link;
}

static enum hf_link_verdict deliver(uint32_t to, struct hf_link_carried *carried);

/* Two links that have heard of each other: from the first word of a new life a stream begins anew.
 */
static void begin(uint64_t seed, uint32_t lost_percent)
{
    struct hf_link_carried carried;

    memset(&world, 0, sizeof world);
    world.seed = seed;
    world.now_ns = 1000000000;
    for (uint32_t i = 0; i < 2; i++) {
        world.pipes[i].seed = &world.seed;
        world.links[i] = open_link(i, 1);
    }
    for (uint32_t i = 0; i < 2; i++) {
        hf_link_note(world.links[1 - i], HF_LINK_SELF, "here", 5);
        assert_int_equal(deliver(i, &carried), HF_LINK_NOTED);
        world.pipes[i].count = 0;
        world.pipes[i].lost_percent = lost_percent;
    }
    print_message("seed %llu, %u %% lost\n", (unsigned long long)seed, lost_percent);
}

static void end(void)
{
    hf_link_destroy(world.links[0]);
    hf_link_destroy(world.links[1]);
}

/* Gives a link one of the datagrams on their way to it, not always the oldest. */
static enum hf_link_verdict deliver(uint32_t to, struct hf_link_carried *carried)
{
    struct pipe *pipe = &world.pipes[to];
    uint32_t at = (uint32_t)(next_random(&world.seed) % (pipe->count < 4 ? pipe->count : 4));
    static struct datagram datagram;

    datagram = pipe->list[at];
    memmove(&pipe->list[at], &pipe->list[at + 1], (--pipe->count - at) * sizeof datagram);
    return hf_link_receive(world.links[to], datagram.bytes, datagram.length, carried, world.now_ns);
}

/* A frame that says which it is: its length and every byte follow from its number. */
static uint32_t length_of(uint32_t number)
{
    uint32_t longest = number % 50 == 49 ? 200000 : 4000;

    return HF_MESSAGE_SIZE + 8 + (number * 2654435761u) % longest;
}

static uint8_t byte_of(uint32_t number, uint32_t at)
{
    return (uint8_t)(number * 31 + at * 7);
}

static void put_frame(struct hf_link *link, uint32_t number)
{
    static uint8_t bytes[HF_LINK_FRAME_MAX];
    uint32_t length = length_of(number);

    for (uint32_t i = 0; i < length; i++)
        bytes[i] = byte_of(number, i);
    hf_link_put(link, bytes, HF_MESSAGE_SIZE, bytes + HF_MESSAGE_SIZE, length - HF_MESSAGE_SIZE,
                world.now_ns);
}

static void assert_frame(const uint8_t *frame, uint32_t length, uint32_t number)
{
    assert_int_equal((uintptr_t)frame % 8, 0);
    assert_int_equal(length, length_of(number));
    for (uint32_t i = 0; i < length; i++)
        assert_int_equal(frame[i], byte_of(number, i));
}

/* Carries frames from link 0 to link 1 until all have come. The reader takes its time: what it has
 * not taken is not delivered, and never more is on its way than it has room for. */
static void carry_frames(uint32_t taken_percent)
{
    struct hf_link_carried carried;
    uint32_t put = 0;
    uint32_t taken = 0;
    uint64_t stream = hf_link_stream(world.links[0]);

    for (uint32_t step = 0; taken < FRAMES; step++) {
        uint32_t length = 0;
        const uint8_t *frame;
        assert_true(step < 2000000);
        while (put < FRAMES && hf_link_has_room(world.links[0], length_of(put)))
            put_frame(world.links[0], put++);
        for (uint32_t to = 0; to < 2; to++) {
            if (world.pipes[to].count != 0)
                assert_in_range(deliver(to, &carried), HF_LINK_NOTHING, HF_LINK_STREAMED);
        }
        frame = hf_link_frame(world.links[1], &length);
        if (frame != NULL && next_random(&world.seed) % 100 < taken_percent) {
            assert_frame(frame, length, taken++);
            hf_link_take(world.links[1]);
        }
        world.now_ns += STEP_NS / 10;
        hf_link_poll(world.links[0], world.now_ns);
        hf_link_poll(world.links[1], world.now_ns);
    }
    assert_int_equal(hf_link_stream(world.links[0]), stream);
}

static void test_frames_in_order(void **state)
{
    (void)state;
    begin(1, 0);
    carry_frames(100);
    end();
    begin(2, 5);
    carry_frames(100);
    end();
    begin(3, 25);
    carry_frames(20);
    end();
}

/* Nothing more is sent than the other side has said it has room for. */
static void test_credits(void **state)
{
    struct hf_link_counts before;
    struct hf_link_counts after;

    (void)state;
    begin(4, 0);
    uint32_t put = 0;
    while (hf_link_has_room(world.links[0], HF_LINK_FRAME_MAX))
        put_frame(world.links[0], put++);
    hf_link_count(world.links[0], &before);
    assert_true(before.datagrams_sent < 64);
    assert_int_equal(hf_link_delivered(world.links[0]), 0);
    world.pipes[1].count = 0; /* none of them has come: after a while they are sent again */
    world.now_ns += HF_LINK_RETRY_NS;
    hf_link_poll(world.links[0], world.now_ns);
    hf_link_count(world.links[0], &after);
    assert_int_equal(after.datagrams_repeated, before.datagrams_sent - 1); /* but the first note */
    end();
}

/* When nothing is acknowledged for long the stream is broken, and a new one says so. */
static void test_a_stream_breaks(void **state)
{
    (void)state;
    begin(5, 100);
    uint64_t stream = hf_link_stream(world.links[0]);
    put_frame(world.links[0], 0);
    for (uint64_t waited = 0; waited < HF_LINK_BREAK_NS; waited += HF_LINK_RETRY_NS) {
        assert_int_equal(hf_link_stream(world.links[0]), stream);
        world.now_ns += HF_LINK_RETRY_NS;
        hf_link_poll(world.links[0], world.now_ns);
    }
    assert_int_equal(hf_link_stream(world.links[0]), stream + 1);
    world.pipes[0].lost_percent = world.pipes[1].lost_percent = 0;
    carry_frames(100);
    end();
}

/* The peer starts anew: what was under way is forgotten on both sides. What the old life still had
 * on its way is not heard. */
static void test_a_new_life(void **state)
{
    struct hf_link_carried carried;

    (void)state;
    begin(6, 0);
    hf_link_note(world.links[1], HF_LINK_NOTE, "old", 4);
    static struct datagram old;
    old = world.pipes[0].list[0];
    world.pipes[0].count = 0;
    put_frame(world.links[0], 0);
    hf_link_destroy(world.links[1]);
    world.links[1] = open_link(1, 2);
    world.pipes[1].count = 0;
    uint64_t stream = hf_link_stream(world.links[0]);
    hf_link_note(world.links[1], HF_LINK_SELF, "new", 4);
    assert_int_equal(deliver(0, &carried), HF_LINK_NOTED);
    assert_int_equal(carried.kind, HF_LINK_SELF);
    assert_int_equal(carried.node, 2);
    assert_int_equal(carried.incarnation, 2);
    assert_int_equal(carried.length, 4);
    assert_memory_equal(carried.bytes, "new", 4);
    assert_int_equal(hf_link_stream(world.links[0]), stream + 1);
    assert_int_equal(hf_link_receive(world.links[0], old.bytes, old.length, &carried, world.now_ns),
                     HF_LINK_NOTHING);
    carry_frames(100);
    end();
}

/* Any bit turned, any byte less: garbage, and nothing else happens. */
static void test_garbage(void **state)
{
    struct hf_link_carried carried;
    static struct datagram good;

    (void)state;
    begin(7, 0);
    hf_link_note(world.links[1], HF_LINK_NOTE, "a note", 7);
    good = world.pipes[0].list[0];
    assert_int_equal(good.length, PAYLOAD_AT + 7);
    for (uint32_t bit = 0; bit < good.length * 8; bit++) {
        static struct datagram bad;
        bad = good;
        bad.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(
            hf_link_receive(world.links[0], bad.bytes, bad.length, &carried, world.now_ns),
            HF_LINK_GARBAGE);
    }
    for (uint32_t length = 0; length < good.length; length++)
        assert_int_equal(
            hf_link_receive(world.links[0], good.bytes, length, &carried, world.now_ns),
            HF_LINK_GARBAGE);
    assert_int_equal(
        hf_link_receive(world.links[0], good.bytes, good.length, &carried, world.now_ns),
        HF_LINK_NOTED);
    /* Its own words, come back. */
    assert_int_equal(
        hf_link_receive(world.links[1], good.bytes, good.length, &carried, world.now_ns),
        HF_LINK_NOTHING);
    end();
}

static void test_another_cluster(void **state)
{
    struct hf_link_options options = {.cluster = {8, 0},
                                      .node = 2,
                                      .datagram_size = DATAGRAM,
                                      .incarnation = 9,
                                      .send = into_pipe};
    struct hf_link_carried carried;
    struct hf_link *other = NULL;
    struct hf_fault fault;

    (void)state;
    begin(8, 0);
    options.context = &world.pipes[0];
    assert_int_equal(hf_link_create(&options, &other, &fault), HF_STATUS_OK);
    hf_link_note(other, HF_LINK_NOTE, "hello", 6);
    assert_int_equal(deliver(0, &carried), HF_LINK_OTHER_CLUSTER);
    hf_link_destroy(other);
    end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames_in_order), cmocka_unit_test(test_credits),
        cmocka_unit_test(test_a_stream_breaks), cmocka_unit_test(test_a_new_life),
        cmocka_unit_test(test_garbage),         cmocka_unit_test(test_another_cluster),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
