/* The client library against a real ledger on a simulated network, in one thread and on simulated
 * time: loss, copies, overtaking, silence, BUSY, two servers, strangers. */
#include "client_world.h"

static void test_a_call_brings_the_answer(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){0}, 1);
    furnish(world);
    union hf_operation op;
    struct hf_query_reply reply;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 6000, ASSET);
    op.header.flags = HF_OP_RETURN_BALANCES;
    assert_int_equal(hf_client_call(world->client, &op, &reply, 1000000), HF_STATUS_OK);
    assert_int_equal(reply.reply.code, HF_CODE_OK);
    assert_int_equal(reply.reply.approved, 6000);
    assert_int_equal(reply.reply.posted, -6000);
    hf_make_move(&op, hf_client_next_id(world->client), account(1), account(2), 6001, ASSET);
    must_call(world, &op, HF_CODE_INSUFFICIENT);
    assert_int_equal(posted(world, 1), 6000);
    end(world);
}

static void test_operations_share_datagrams(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){.window = 64}, 2);
    furnish(world);
    uint64_t before = world->servers[0].datagrams;
    move_many(world, 1280);
    assert_int_equal(posted(world, 1), 1280);
    /* 18 moves fit 1472 bytes: 64 fill four datagrams. */
    assert_in_range(world->servers[0].datagrams - before, 1280 / 18, 1280 / 8);
    assert_int_equal(count_of(world).retransmitted, 0);
    assert_int_equal(count_of(world).late, 0);
    end(world);
}

static void test_each_is_done_once_on_a_bad_network(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        struct world *world = begin(
            &(struct hf_client_options){.window = 100, .retry_us = 2000, .retry_most_us = 50000},
            seed);
        furnish(world);
        const struct hf_sim_faults faults = {
            .loss_permille = 200,
            .duplicate_permille = 200,
            .delay_min = 1,
            .delay_max = 30,
            .reorder_permille = 200,
            .reorder_max = 40,
        };
        hf_sim_network_set_faults(world->network, &faults);
        uint64_t executed = world->servers[0].executed;
        move_many(world, 4000);
        assert_int_equal(world->servers[0].executed - executed, 4000);
        assert_int_equal(posted(world, 1), 4000);
        assert_int_equal(posted(world, 0), -4000);
        struct hf_client_counters counters = count_of(world);
        assert_true(counters.retransmitted > 0);
        assert_true(counters.late > 0);
        assert_int_equal(counters.sent, counters.submitted + counters.retransmitted);
        assert_int_equal(counters.answered, counters.submitted);
        end(world);
    }
}

static void test_busy_is_sent_again(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){.window = 32}, 3);
    furnish(world);
    world->servers[0].busy = 50;
    move_many(world, 200);
    assert_int_equal(count_of(world).busy, 50);
    assert_int_equal(posted(world, 1), 200);
    end(world);
}

static void test_busy_is_handed_up_when_asked_for(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){.busy_is_answer = true}, 3);
    furnish(world);
    world->servers[0].busy = 1;
    union hf_operation op;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 1, ASSET);
    must_call(world, &op, HF_CODE_BUSY);
    must_call(world, &op, HF_CODE_OK); /* the same id again */
    assert_int_equal(posted(world, 1), 1);
    end(world);
}

static void test_malformed_is_handed_up(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){0}, 3);
    furnish(world);
    union hf_operation op;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 1, ASSET);
    op.move.reserved = 1;
    must_call(world, &op, HF_CODE_MALFORMED);
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 0, ASSET);
    must_call(world, &op, HF_CODE_BAD_AMOUNT);
    end(world);
}

static void test_what_is_never_answered_times_out(void **state)
{
    (void)state;
    struct world *world =
        begin(&(struct hf_client_options){.timeout_us = 300000, .retry_us = 20000}, 4);
    furnish(world);
    hf_sim_network_cut(world->network, world->servers[0].port, world->client_port, true);
    union hf_operation op;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 5, ASSET);
    int context;
    assert_int_equal(hf_client_submit(world->client, &op, &context), HF_STATUS_OK);
    struct hf_answer given_up;
    uint64_t began = world_ns(world);
    while (hf_client_poll(world->client, &given_up, 1) == 0)
        step(world);
    assert_int_equal(given_up.outcome, HF_OUTCOME_TIMED_OUT);
    assert_ptr_equal(given_up.context, &context);
    assert_true(hf_id_equal(given_up.id, op.header.id));
    assert_true(given_up.attempts >= 3);
    assert_in_range(world_ns(world) - began, 300000000, 301000000);
    assert_int_equal(count_of(world).timed_out, 1);
    assert_int_equal(hf_client_in_flight(world->client), 0);

    /* It was carried out all the same; sent again once the network is whole it gets that answer. */
    hf_sim_network_cut(world->network, world->servers[0].port, world->client_port, false);
    must_call(world, &op, HF_CODE_OK);
    assert_int_equal(posted(world, 1), 5);
    end(world);
}

static void test_a_call_gives_up_in_time(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){0}, 4);
    furnish(world);
    const struct hf_sim_faults slow = {.delay_min = 300, .delay_max = 300};
    hf_sim_network_set_faults(world->network, &slow);
    union hf_operation op;
    struct hf_query_reply reply;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 5, ASSET);
    uint64_t began = world_ns(world);
    assert_int_equal(hf_client_call(world->client, &op, &reply, 50000), HF_STATUS_TIMEOUT);
    assert_in_range(world_ns(world) - began, 50000000, 51000000);
    assert_int_equal(hf_client_in_flight(world->client), 0);
    for (uint32_t i = 0; i < 1000; i++)
        step(world);
    struct hf_answer answers[4];
    assert_int_equal(hf_client_poll(world->client, answers, 4), 0);
    assert_true(count_of(world).late > 0); /* its answers, too late */
    end(world);
}

static void test_a_call_leaves_other_answers_alone(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){0}, 4);
    furnish(world);
    union hf_operation op;
    int context;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 5, ASSET);
    assert_int_equal(hf_client_submit(world->client, &op, &context), HF_STATUS_OK);
    assert_int_equal(posted(world, 2), 0);
    assert_int_equal(posted(world, 1), 5);
    assert_int_equal(hf_client_in_flight(world->client), 1);
    struct hf_answer answers[4];
    assert_int_equal(hf_client_poll(world->client, answers, 4), 1);
    assert_ptr_equal(answers[0].context, &context);
    end(world);
}

static void test_back_off_doubles(void **state)
{
    (void)state;
    struct world *world =
        begin(&(struct hf_client_options){.retry_us = 10000, .retry_most_us = 80000}, 5);
    furnish(world);
    hf_sim_network_cut(world->network, world->client_port, world->servers[0].port, true);
    union hf_operation op;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 5, ASSET);
    assert_int_equal(hf_client_submit(world->client, &op, NULL), HF_STATUS_OK);
    static const uint64_t gaps_ms[] = {10, 20, 40, 80, 80, 80};
    uint64_t sent = count_of(world).sent;
    struct hf_answer answers[1];
    hf_client_poll(world->client, answers, 1);
    assert_int_equal(count_of(world).sent, sent + 1);
    for (size_t i = 0; i < sizeof gaps_ms / sizeof gaps_ms[0]; i++) {
        uint64_t began = world_ns(world);
        sent = count_of(world).sent;
        while (count_of(world).sent == sent) {
            hf_sim_network_step(world->network);
            assert_int_equal(hf_client_poll(world->client, answers, 1), 0);
        }
        uint64_t gap_us = (world_ns(world) - began) / 1000;
        assert_in_range(gap_us, gaps_ms[i] * 1000, gaps_ms[i] * 1125 + 200);
    }
    end(world);
}

/* The way takes longer than the first wait: a few needless repeats, then the client has learned. */
static void test_waiting_follows_the_round_trip(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){.window = 16}, 5);
    furnish(world);
    const struct hf_sim_faults slow = {.delay_min = 250,
                                       .delay_max = 300}; /* 50 to 60 ms both ways */
    hf_sim_network_set_faults(world->network, &slow);
    move_many(world, 320);
    uint64_t learning = count_of(world).retransmitted;
    assert_true(learning > 0);
    move_many(world, 640);
    assert_int_equal(count_of(world).retransmitted, learning);

    /* And back: when the way is short again, so is the wait. */
    hf_sim_network_set_faults(world->network, &(struct hf_sim_faults){0});
    move_many(world, 640);
    uint64_t began = world_ns(world);
    const struct hf_sim_faults lossy = {.loss_permille = 1000};
    hf_sim_network_set_faults(world->network, &lossy);
    union hf_operation op;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 1, ASSET);
    assert_int_equal(hf_client_submit(world->client, &op, NULL), HF_STATUS_OK);
    struct hf_answer answers[1];
    while (count_of(world).retransmitted == learning) {
        assert_int_equal(hf_client_poll(world->client, answers, 1), 0);
        hf_sim_network_step(world->network);
    }
    assert_in_range(world_ns(world) - began, 20000000, 23000000);
    end(world);
}

static void test_window_and_ids_are_guarded(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){.window = 3}, 6);
    furnish(world);
    union hf_operation op;
    for (uint32_t i = 0; i < 3; i++) {
        hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 5, ASSET);
        assert_int_equal(hf_client_submit(world->client, &op, NULL), HF_STATUS_OK);
    }
    assert_int_equal(hf_client_submit(world->client, &op, NULL), HF_STATUS_EXISTS);
    op.header.id = hf_client_next_id(world->client);
    assert_int_equal(hf_client_submit(world->client, &op, NULL), HF_STATUS_FULL);
    op.header.length = 1472 - 24 + 8; /* more than a datagram of this client's carries */
    assert_int_equal(hf_client_submit(world->client, &op, NULL), HF_STATUS_INVALID);
    op.header.length = 40;
    assert_int_equal(hf_client_submit(world->client, &op, NULL), HF_STATUS_INVALID);
    op.header.length = 81;
    assert_int_equal(hf_client_submit(world->client, &op, NULL), HF_STATUS_INVALID);
    assert_int_equal(hf_client_in_flight(world->client), 3);
    end(world);
}

static void test_the_other_server_takes_over(void **state)
{
    (void)state;
    struct world *world =
        begin(&(struct hf_client_options){.servers = {"10.0.0.1:4600", "10.0.0.2:4600"}}, 7);
    furnish(world);
    assert_int_equal(world->servers[1].datagrams, 0);
    hf_sim_network_cut(world->network, world->client_port, world->servers[0].port, true);
    union hf_operation op;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 5, ASSET);
    must_call(world, &op, HF_CODE_OK);
    assert_int_equal(world->servers[1].datagrams, 1);
    assert_int_equal(count_of(world).retransmitted, 1);
    /* From now on it is asked first. */
    assert_int_equal(posted(world, 1), 5);
    move_many(world, 100);
    assert_int_equal(count_of(world).retransmitted, 1);
    end(world);
}

/* A reply sent by `port` to the client, as the node would. */
static void send_reply(struct world *world, struct hf_port *port, const struct hf_reply *reply,
                       uint8_t flags, uint64_t session)
{
    struct hf_packet packet;
    struct hf_wire_writer writer;
    assert_int_equal(port->maker->take(port, &packet, 1), 1);
    hf_wire_begin(&writer, packet.data, port->payload_max);
    assert_true(hf_wire_add(&writer, reply, reply->length));
    packet.length = hf_wire_finish(&writer, flags, session, 0);
    packet.peer = world->client_port->local;
    port->maker->send(port, &packet, 1);
    hf_sim_network_step(world->network);
}

static void test_strangers_are_not_heard(void **state)
{
    (void)state;
    struct world *world = begin(&(struct hf_client_options){.session = 42}, 8);
    furnish(world);
    hf_sim_network_cut(world->network, world->client_port, world->servers[0].port, true);
    union hf_operation op;
    hf_make_move(&op, hf_client_next_id(world->client), account(0), account(1), 5, ASSET);
    assert_int_equal(hf_client_submit(world->client, &op, NULL), HF_STATUS_OK);

    struct hf_reply reply = {
        .length = sizeof reply,
        .type = HF_OP_MOVE | HF_REPLY_TYPE_BIT,
        .id = op.header.id,
    };
    struct hf_port *node = world->servers[0].port;
    struct hf_answer answers[4];
    uint64_t foreign = 0;
    send_reply(world, world->servers[1].port, &reply, HF_WIRE_REPLIES, 42); /* not our server */
    assert_int_equal(hf_client_poll(world->client, answers, 4), 0);
    assert_int_equal(count_of(world).foreign, ++foreign);
    send_reply(world, node, &reply, HF_WIRE_REPLIES, 43); /* another session */
    assert_int_equal(hf_client_poll(world->client, answers, 4), 0);
    assert_int_equal(count_of(world).foreign, ++foreign);
    send_reply(world, node, &reply, 0, 42); /* operations, not replies */
    assert_int_equal(hf_client_poll(world->client, answers, 4), 0);
    assert_int_equal(count_of(world).foreign, ++foreign);
    reply.type = HF_OP_HOLD | HF_REPLY_TYPE_BIT; /* an answer to something else */
    send_reply(world, node, &reply, HF_WIRE_REPLIES, 42);
    assert_int_equal(hf_client_poll(world->client, answers, 4), 0);
    assert_int_equal(count_of(world).foreign, ++foreign);

    reply.type = HF_OP_MOVE | HF_REPLY_TYPE_BIT;
    reply.id.lo ^= 1; /* of nobody: a late one */
    send_reply(world, node, &reply, HF_WIRE_REPLIES, 42);
    assert_int_equal(hf_client_poll(world->client, answers, 4), 0);
    assert_int_equal(count_of(world).late, 1);
    reply.id = op.header.id;
    send_reply(world, node, &reply, HF_WIRE_REPLIES, 42);
    assert_int_equal(hf_client_poll(world->client, answers, 4), 1);
    assert_int_equal(count_of(world).foreign, foreign);
    end(world);
}

/* With a clock that stands still or jumps back, 2^24 ids and some more: the counter begins anew and
 * the time is moved on instead. */
static void test_ids_never_come_twice(void **state)
{
    (void)state;
    enum { COUNT = (1 << 24) + 1000 };
    struct world *world = begin(&(struct hf_client_options){0}, 9);
    world->unix_runs = false;
    struct hf_id first = hf_client_next_id(world->client);
    uint8_t *seen = calloc(2, (1 << 24) / 8);
    assert_non_null(seen);
    for (uint32_t i = 0; i < COUNT; i++) {
        if (i == 1000)
            world->unix_ms -= 3600000;
        struct hf_id id = hf_client_next_id(world->client);
        uint64_t ms = hf_id_time_ms(id) - hf_id_time_ms(first);
        uint64_t count = id.lo & 0xffffff;
        assert_true(ms < 2);
        uint64_t bit = ms << 24 | count;
        assert_int_equal(seen[bit / 8] >> (bit % 8) & 1, 0);
        seen[bit / 8] = (uint8_t)(seen[bit / 8] | 1u << (bit % 8));
        assert_true(id.lo >> 24 == first.lo >> 24);
        assert_true((id.hi & 0xffff) == (first.hi & 0xffff));
    }
    free(seen);
    world->unix_ms += 7200000;
    assert_true(hf_id_time_ms(hf_client_next_id(world->client)) == world->unix_ms);
    end(world);
}

static void test_wrong_options_are_refused(void **state)
{
    (void)state;
    static const struct {
        struct hf_client_options options;
        const char *word;
    } cases[] = {
        {{.servers = {NULL}}, "servers"},
        {{.servers = {"127.0.0.1"}}, "127.0.0.1"},
        {{.servers = {"nonsense:1"}}, "nonsense"},
        {{.servers = {"127.0.0.1:1", "127.0.0.1:x"}}, "127.0.0.1:x"},
        {{.servers = {"127.0.0.1:1"}, .window = HF_CLIENT_WINDOW_MAX + 1}, "window"},
        {{.servers = {"127.0.0.1:1"}, .datagram_size = 200}, "datagram_size"},
        {{.servers = {"127.0.0.1:1"}, .datagram_size = 9001}, "datagram_size"},
        {{.servers = {"127.0.0.1:1"}, .local = "here"}, "here"},
        {{.servers = {"127.0.0.1:1"}, .reserved = 1}, "reserved"},
        {{.servers = {"127.0.0.1:1"}, .transport = HF_TRANSPORT_DPDK}, "local"},
        {{.servers = {"127.0.0.1:1"}, .transport = HF_TRANSPORT_DPDK, .local = "10.0.0.1"}, "eal"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hf_client *client = (struct hf_client *)&cases;
        struct hf_fault fault = {""};
        assert_int_equal(hf_client_open(&cases[i].options, &client, &fault), HF_STATUS_INVALID);
        assert_null(client);
        assert_non_null(strstr(fault.line, cases[i].word));
    }
    hf_client_close(NULL);
}

/* Over real sockets: nobody is there, the call comes back in time, closing is clean. */
static void test_a_kernel_client_with_nobody_there(void **state)
{
    (void)state;
    const struct hf_client_options options = {.servers = {"127.0.0.1:9"}, .retry_us = 1000};
    struct hf_client *client;
    struct hf_fault fault;
    assert_int_equal(hf_client_open(&options, &client, &fault), HF_STATUS_OK);
    union hf_operation op;
    struct hf_query_reply reply;
    hf_make_query(&op, hf_client_next_id(client), HF_QUERY_ACCOUNT, account(1));
    assert_int_equal(hf_client_call(client, &op, &reply, 20000), HF_STATUS_TIMEOUT);
    struct hf_client_counters counters;
    hf_client_count(client, &counters);
    assert_true(counters.retransmitted > 0);
    hf_client_close(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_brings_the_answer),
        cmocka_unit_test(test_operations_share_datagrams),
        cmocka_unit_test(test_each_is_done_once_on_a_bad_network),
        cmocka_unit_test(test_busy_is_sent_again),
        cmocka_unit_test(test_busy_is_handed_up_when_asked_for),
        cmocka_unit_test(test_malformed_is_handed_up),
        cmocka_unit_test(test_what_is_never_answered_times_out),
        cmocka_unit_test(test_a_call_gives_up_in_time),
        cmocka_unit_test(test_a_call_leaves_other_answers_alone),
        cmocka_unit_test(test_back_off_doubles),
        cmocka_unit_test(test_waiting_follows_the_round_trip),
        cmocka_unit_test(test_window_and_ids_are_guarded),
        cmocka_unit_test(test_the_other_server_takes_over),
        cmocka_unit_test(test_strangers_are_not_heard),
        cmocka_unit_test(test_ids_never_come_twice),
        cmocka_unit_test(test_wrong_options_are_refused),
        cmocka_unit_test(test_a_kernel_client_with_nobody_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
