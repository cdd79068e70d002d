/* Single rules of the replication protocol, where a walk through small worlds is too coarse: the
 * arithmetic of the lease, what halts a node, checkpoints, the operator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "replication/replica.h"

static const struct hf_id cluster = {.lo = 1, .hi = 2};

#define BEACON_NS 10
#define LEASE_NS  50
#define GRACE_NS  80
#define DROP_NS   90
#define ASK_NS    20

/* One replica and what it said last. */
struct stage {
    struct hf_replica replica;
    struct hf_update update;
    uint64_t now_ns;
};

static struct hf_replica_options options_of(uint32_t node, uint32_t durability)
{
    bool is_pair = durability != HF_DURABILITY_SOLO;
    return (struct hf_replica_options){
        .cluster = cluster,
        .node = node,
        .peer = is_pair ? 3 - node : 0,
        .durability = durability,
        .on_loss = HF_ON_LOSS_ALONE,
        .beacon_ns = BEACON_NS,
        .lease_ns = LEASE_NS,
        .grace_ns = GRACE_NS,
        .drop_ns = DROP_NS,
        .ask_ns = ASK_NS,
        .window = 4,
        .join_lag = 2,
        .may_found = node == 1,
    };
}

static struct hf_hash hash_of(uint64_t index)
{
    return (struct hf_hash){.lo = 1000 + index, .hi = index == 0 ? 0 : 9};
}

static struct hf_tag tag(uint64_t epoch, uint64_t index)
{
    struct hf_tag made = {{epoch, index}, hash_of(index)};
    if (index == 0) {
        made.hash = (struct hf_hash){0, 0};
    }
    return made;
}

static void feed(struct stage *s, struct hf_input input)
{
    input.now_ns = s->now_ns;
    hf_replica_step(&s->replica, &input, &s->update);
}

static const struct hf_output *said(const struct stage *s, enum hf_output_kind kind)
{
    for (uint32_t i = 0; i < s->update.count; i++) {
        if (s->update.outputs[i].kind == kind) {
            return &s->update.outputs[i];
        }
    }
    return NULL;
}

static const struct hf_message *sent(const struct stage *s, enum hf_message_kind kind)
{
    for (uint32_t i = 0; i < s->update.count; i++) {
        if (s->update.outputs[i].kind == HF_OUTPUT_SEND &&
            s->update.outputs[i].message.kind == kind) {
            return &s->update.outputs[i].message;
        }
    }
    return NULL;
}

static bool alarmed(const struct stage *s, enum hf_alarm alarm)
{
    return (s->replica.alarms & (1u << alarm)) != 0;
}

static void assert_halted(const struct stage *s, enum hf_alarm alarm)
{
    assert_int_equal(s->replica.role, HF_ROLE_HALTED);
    assert_true(alarmed(s, alarm));
    assert_false(hf_replica_may_append(&s->replica));
    assert_false(hf_replica_may_read(&s->replica, s->now_ns));
}

/* A log of `last` records, all of epoch 1, in the second life of the node. */
static void start_with_log(struct stage *s, uint32_t node, uint32_t durability, uint64_t last)
{
    memset(s, 0, sizeof *s);
    s->now_ns = 1000;
    struct hf_replica_options options = options_of(node, durability);
    struct hf_replica_start start = {
        .incarnation = 2, .promise = 1, .last = tag(last == 0 ? 0 : 1, last), .now_ns = s->now_ns};
    hf_epochs_add(&start.epochs, 1, 1);
    hf_replica_init(&s->replica, &options, &start);
    feed(s, (struct hf_input){.kind = HF_INPUT_START});
    assert_non_null(said(s, HF_OUTPUT_READ));
}

static void answer(struct stage *s, enum hf_answer_kind said_by_arbiter, struct hf_config config)
{
    feed(s, (struct hf_input){.kind = HF_INPUT_ARBITER,
                              .answer = said_by_arbiter,
                              .ask = s->replica.ask,
                              .config = config});
}

static struct hf_config config_of(uint64_t epoch, uint32_t primary, uint32_t durability,
                                  uint64_t primary_life, uint64_t other_life)
{
    struct hf_config config = {.epoch = epoch,
                               .primary = primary,
                               .durability = durability,
                               .insync = {{primary_life, primary, 0}}};
    if (other_life != 0) {
        config.insync[1] = (struct hf_member){other_life, 3 - primary, 0};
    }
    return config;
}

static struct hf_message message_from_peer(const struct stage *s, enum hf_message_kind kind,
                                           uint64_t epoch)
{
    return (struct hf_message){.magic = HF_MESSAGE_MAGIC,
                               .format = HF_MESSAGE_FORMAT,
                               .kind = (uint16_t)kind,
                               .cluster = cluster,
                               .node = s->replica.options.peer,
                               .durability = (uint16_t)s->replica.options.durability,
                               .incarnation = 1,
                               .epoch = epoch};
}

static void get(struct stage *s, struct hf_message m)
{
    struct hf_input input = {.kind = HF_INPUT_MESSAGE, .message = m};
    if (m.index <= s->replica.last.place.index) {
        input.own = tag(m.record_epoch, m.index);
    }
    feed(s, input);
}

/* From a swap that was done to serving. */
static void open_epoch(struct stage *s, uint64_t epoch)
{
    assert_non_null(said(s, HF_OUTPUT_SAVE));
    assert_int_equal(s->replica.promise, epoch);
    feed(s, (struct hf_input){.kind = HF_INPUT_SAVED});
    assert_non_null(said(s, HF_OUTPUT_APPEND_EPOCH));
    assert_false(hf_replica_may_append(&s->replica));
    uint64_t index = s->replica.last.place.index + 1;
    feed(s, (struct hf_input){.kind = HF_INPUT_APPENDED, .own = tag(epoch, index)});
    assert_false(hf_replica_may_append(&s->replica));
    feed(s, (struct hf_input){.kind = HF_INPUT_FLUSHED, .index = index});
    assert_true(hf_replica_may_append(&s->replica));
}

/* A primary alone in epoch 2, with one record. */
static void lead_alone(struct stage *s)
{
    start_with_log(s, 1, HF_DURABILITY_PAIR_SAFE, 0);
    answer(s, HF_ANSWER_VALUE, config_of(1, 1, HF_DURABILITY_PAIR_SAFE, 1, 0));
    feed(s, (struct hf_input){.kind = HF_INPUT_SAVED});
    assert_int_equal(said(s, HF_OUTPUT_SWAP)->config.epoch, 2);
    answer(s, HF_ANSWER_DONE, (struct hf_config){0});
    open_epoch(s, 2);
}

/* A primary of epoch 3, whose backup is node 2. */
static void lead_pair(struct stage *s)
{
    lead_alone(s);
    struct hf_message ack = message_from_peer(s, HF_MESSAGE_ACK, 2);
    ack.index = s->replica.last.place.index;
    get(s, ack);
    assert_int_equal(said(s, HF_OUTPUT_SWAP)->config.insync[1].node, 2);
    answer(s, HF_ANSWER_DONE, (struct hf_config){0});
    open_epoch(s, 3);
}

static void echo(struct stage *s, uint64_t time_ns)
{
    struct hf_message m = message_from_peer(s, HF_MESSAGE_ECHO, s->replica.epoch);
    m.time_ns = time_ns;
    get(s, m);
}

/* ---- The lease ---- */

static void test_lease_counts_from_sending(void **state)
{
    (void)state;
    struct stage s;
    lead_pair(&s);
    s.now_ns = 1040;
    assert_false(hf_replica_may_read(&s.replica, s.now_ns));
    feed(&s, (struct hf_input){.kind = HF_INPUT_TICK});
    assert_int_equal(sent(&s, HF_MESSAGE_BEACON)->time_ns, 1040);
    s.now_ns = 1070; /* the echo took long: that is the lease's loss */
    echo(&s, 1040);
    assert_true(hf_replica_may_read(&s.replica, 1070));
    assert_true(hf_replica_may_read(&s.replica, 1040 + LEASE_NS - 1));
    assert_false(hf_replica_may_read(&s.replica, 1040 + LEASE_NS));
    assert_false(hf_replica_may_read(&s.replica, 5000));
}

static void test_lease_takes_the_newest_echo(void **state)
{
    (void)state;
    struct stage s;
    lead_pair(&s);
    s.now_ns = 2050;
    echo(&s, 2040);
    echo(&s, 2010); /* overtaken on its way: no step back */
    assert_true(hf_replica_may_read(&s.replica, 2040 + LEASE_NS - 1));
    echo(&s, 9000); /* a beacon that was never sent */
    assert_false(hf_replica_may_read(&s.replica, 2040 + LEASE_NS));
}

static void test_lease_is_of_this_epoch(void **state)
{
    (void)state;
    struct stage s;
    lead_pair(&s);
    s.now_ns = 2010;
    struct hf_message m = message_from_peer(&s, HF_MESSAGE_ECHO, 2);
    m.time_ns = 2005;
    get(&s, m);
    assert_false(hf_replica_may_read(&s.replica, 2010));
}

static void test_nack_ends_lease_and_acknowledgements(void **state)
{
    (void)state;
    struct stage s;
    lead_pair(&s);
    s.now_ns = 2010;
    echo(&s, 2005);
    assert_true(hf_replica_may_read(&s.replica, 2010));
    struct hf_message nack = message_from_peer(&s, HF_MESSAGE_NACK, 3);
    nack.promise = 4;
    get(&s, nack);
    assert_non_null(said(&s, HF_OUTPUT_READ));
    assert_false(hf_replica_may_read(&s.replica, 2010));
    assert_false(hf_replica_may_append(&s.replica));
    uint64_t commit = s.replica.commit;
    struct hf_message ack = message_from_peer(&s, HF_MESSAGE_ACK, 3);
    ack.index = s.replica.last.place.index;
    get(&s, ack);
    assert_int_equal(s.replica.commit, commit);
}

static void test_alone_needs_no_lease_until_it_joins(void **state)
{
    (void)state;
    struct stage s;
    lead_alone(&s);
    assert_true(hf_replica_may_read(&s.replica, 999999));
    struct hf_message ack = message_from_peer(&s, HF_MESSAGE_ACK, 2);
    ack.index = s.replica.last.place.index;
    get(&s, ack);
    /* From here on the other may be in I without our knowing. */
    assert_non_null(said(&s, HF_OUTPUT_SWAP));
    assert_false(hf_replica_may_read(&s.replica, s.now_ns));
}

/* ---- Patience ---- */

static void follow_in_epoch_1(struct stage *s, uint64_t last)
{
    start_with_log(s, 2, HF_DURABILITY_PAIR_SAFE, last);
    answer(s, HF_ANSWER_VALUE, config_of(1, 1, HF_DURABILITY_PAIR_SAFE, 1, 1));
    struct hf_message beacon = message_from_peer(s, HF_MESSAGE_BEACON, 1);
    beacon.index = last;
    beacon.flags = HF_MESSAGE_INSYNC;
    get(s, beacon);
    assert_non_null(sent(s, HF_MESSAGE_ECHO));
}

static void test_takeover_waits_for_the_grace(void **state)
{
    (void)state;
    struct stage s;
    follow_in_epoch_1(&s, 3);
    s.now_ns += GRACE_NS - 1;
    feed(&s, (struct hf_input){.kind = HF_INPUT_TICK});
    assert_null(said(&s, HF_OUTPUT_READ));
    s.now_ns += 1;
    feed(&s, (struct hf_input){.kind = HF_INPUT_TICK});
    assert_non_null(said(&s, HF_OUTPUT_READ));
    answer(&s, HF_ANSWER_VALUE, config_of(1, 1, HF_DURABILITY_PAIR_SAFE, 1, 1));
    /* The promise is durable before anybody is asked. */
    assert_non_null(said(&s, HF_OUTPUT_SAVE));
    assert_null(said(&s, HF_OUTPUT_SWAP));
    feed(&s, (struct hf_input){.kind = HF_INPUT_SAVED});
    assert_int_equal(said(&s, HF_OUTPUT_SWAP)->config.primary, 2);
    struct hf_message prepare = message_from_peer(&s, HF_MESSAGE_PREPARE, 1);
    prepare.index = 4;
    get(&s, prepare);
    assert_int_equal(sent(&s, HF_MESSAGE_NACK)->promise, 2);
}

static void test_beacon_calls_a_takeover_off(void **state)
{
    (void)state;
    struct stage s;
    follow_in_epoch_1(&s, 3);
    s.now_ns += GRACE_NS;
    feed(&s, (struct hf_input){.kind = HF_INPUT_TICK});
    struct hf_message beacon = message_from_peer(&s, HF_MESSAGE_BEACON, 1);
    get(&s, beacon);
    answer(&s, HF_ANSWER_VALUE, config_of(1, 1, HF_DURABILITY_PAIR_SAFE, 1, 1));
    assert_null(said(&s, HF_OUTPUT_SAVE));
    assert_int_equal(s.replica.promise, 1);
}

static void test_grace_begins_anew_with_a_life(void **state)
{
    (void)state;
    struct stage s;
    start_with_log(&s, 2, HF_DURABILITY_PAIR_SAFE, 3);
    answer(&s, HF_ANSWER_VALUE, config_of(1, 1, HF_DURABILITY_PAIR_SAFE, 1, 1));
    s.now_ns += GRACE_NS - 1;
    feed(&s, (struct hf_input){.kind = HF_INPUT_TICK});
    answer(&s, HF_ANSWER_VALUE, config_of(1, 1, HF_DURABILITY_PAIR_SAFE, 1, 1));
    assert_null(said(&s, HF_OUTPUT_SAVE));
}

static void test_handover_needs_no_grace(void **state)
{
    (void)state;
    struct stage s;
    follow_in_epoch_1(&s, 3);
    get(&s, message_from_peer(&s, HF_MESSAGE_HANDOVER, 1));
    answer(&s, HF_ANSWER_VALUE, config_of(1, 1, HF_DURABILITY_PAIR_SAFE, 1, 1));
    assert_non_null(said(&s, HF_OUTPUT_SAVE));
    assert_int_equal(s.replica.promise, 2);
}

static void test_answers_to_old_questions_are_nothing(void **state)
{
    (void)state;
    struct stage s;
    start_with_log(&s, 1, HF_DURABILITY_PAIR_SAFE, 3);
    feed(&s, (struct hf_input){.kind = HF_INPUT_ARBITER,
                               .answer = HF_ANSWER_VALUE,
                               .ask = s.replica.ask - 1,
                               .config = config_of(1, 1, HF_DURABILITY_PAIR_SAFE, 1, 0)});
    assert_int_equal(s.update.count, 0);
    s.now_ns += ASK_NS;
    feed(&s, (struct hf_input){.kind = HF_INPUT_TICK});
    assert_non_null(said(&s, HF_OUTPUT_READ)); /* nobody has answered: again */
}

/* ---- What halts ---- */

static void test_arbiter_behind_halts(void **state)
{
    (void)state;
    struct stage s;
    memset(&s, 0, sizeof s);
    struct hf_replica_options options = options_of(1, HF_DURABILITY_PAIR_SAFE);
    struct hf_replica_start start = {.incarnation = 2, .promise = 5, .last = tag(4, 3)};
    hf_epochs_add(&start.epochs, 4, 1);
    const struct {
        uint64_t epoch;
        uint64_t promise;
        bool halts;
    } cases[] = {{0, 5, true}, {3, 5, true}, {4, 5, false}, {4, 6, true}, {5, 6, false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        start.promise = cases[i].promise;
        hf_replica_init(&s.replica, &options, &start);
        feed(&s, (struct hf_input){.kind = HF_INPUT_START});
        struct hf_config config = {0};
        if (cases[i].epoch != 0) {
            config = config_of(cases[i].epoch, 2, HF_DURABILITY_PAIR_SAFE, 1, 1);
        }
        answer(&s, HF_ANSWER_VALUE, config);
        assert_int_equal(s.replica.role == HF_ROLE_HALTED, cases[i].halts);
        assert_int_equal(alarmed(&s, HF_ALARM_ARBITER_BEHIND), cases[i].halts);
    }
}

/* An answer to a question that was asked before the primary's first record came may be older than
 * that record: it is asked again, and only then believed. */
static void test_news_while_asking(void **state)
{
    (void)state;
    struct stage s;
    memset(&s, 0, sizeof s);
    struct hf_replica_options options = options_of(2, HF_DURABILITY_PAIR_SAFE);
    struct hf_replica_start start = {.incarnation = 1};
    hf_replica_init(&s.replica, &options, &start);
    feed(&s, (struct hf_input){.kind = HF_INPUT_START});
    assert_non_null(said(&s, HF_OUTPUT_READ));
    s.replica.promise = 1;
    s.replica.last = tag(1, 1);
    hf_epochs_add(&s.replica.epochs, 1, 1);
    answer(&s, HF_ANSWER_VALUE, (struct hf_config){0});
    assert_int_not_equal(s.replica.role, HF_ROLE_HALTED);
    s.now_ns += ASK_NS;
    feed(&s, (struct hf_input){.kind = HF_INPUT_TICK});
    assert_non_null(said(&s, HF_OUTPUT_READ));
    answer(&s, HF_ANSWER_VALUE, (struct hf_config){0});
    assert_halted(&s, HF_ALARM_ARBITER_BEHIND);
}

static void test_other_durability_halts(void **state)
{
    (void)state;
    struct stage s;
    start_with_log(&s, 1, HF_DURABILITY_PAIR_SAFE, 3);
    answer(&s, HF_ANSWER_VALUE, config_of(1, 2, HF_DURABILITY_PAIR_FAST, 1, 1));
    assert_halted(&s, HF_ALARM_DURABILITY);
}

static void test_strangers_change_nothing(void **state)
{
    (void)state;
    struct stage s;
    follow_in_epoch_1(&s, 3);
    struct hf_replica before = s.replica;
    struct hf_message m = message_from_peer(&s, HF_MESSAGE_BEACON, 9);
    m.node = 7;
    get(&s, m);
    assert_true(alarmed(&s, HF_ALARM_STRANGER));
    m = message_from_peer(&s, HF_MESSAGE_BEACON, 9);
    m.durability = HF_DURABILITY_PAIR_FAST;
    get(&s, m);
    assert_true(alarmed(&s, HF_ALARM_DURABILITY));
    before.alarms = s.replica.alarms;
    assert_memory_equal(&before, &s.replica, sizeof before);
}

static void test_another_hash_halts(void **state)
{
    (void)state;
    struct stage s;
    follow_in_epoch_1(&s, 3);
    struct hf_message cut = message_from_peer(&s, HF_MESSAGE_CUT, 1);
    cut.record_epoch = 1;
    cut.index = 3;
    cut.promise = 1; /* it answers the question about this log's end */
    cut.commit = 3;
    cut.hash = hash_of(4);
    get(&s, cut);
    assert_halted(&s, HF_ALARM_DIVERGED);
}

static void test_cut_of_the_committed_halts(void **state)
{
    (void)state;
    for (uint64_t commit = 1; commit <= 2; commit++) {
        struct stage s;
        follow_in_epoch_1(&s, 3);
        s.replica.commit = commit; /* as the log's own records may say at the start */
        struct hf_message cut = message_from_peer(&s, HF_MESSAGE_CUT, 1);
        cut.record_epoch = 1;
        cut.index = 1;
        cut.promise = 1;
        cut.commit = 3;
        cut.hash = hash_of(1);
        get(&s, cut);
        if (commit == 2) {
            assert_halted(&s, HF_ALARM_CUT_COMMITTED); /* I7 */
            assert_null(said(&s, HF_OUTPUT_TRUNCATE));
        } else {
            assert_int_equal(said(&s, HF_OUTPUT_TRUNCATE)->index, 1);
        }
    }
}

/* What was said of a shorter log, in the life before, is no answer to this life's question: it
 * would cut off what was acknowledged since. */
static void test_answer_to_another_question_cuts_nothing(void **state)
{
    (void)state;
    struct stage s;
    follow_in_epoch_1(&s, 3);
    const struct hf_message *learn = sent(&s, HF_MESSAGE_LEARN);
    assert_non_null(learn);
    assert_int_equal(learn->index, 3);
    get(&s, message_from_peer(&s, HF_MESSAGE_CUT, 1)); /* of the empty log */
    assert_int_equal(s.update.count, 0);
    assert_false(s.replica.is_verified);
    struct hf_message cut = message_from_peer(&s, HF_MESSAGE_CUT, 1);
    cut.record_epoch = 1;
    cut.index = 3;
    cut.promise = 1;
    cut.commit = 3;
    cut.hash = hash_of(3);
    get(&s, cut);
    assert_true(s.replica.is_verified);
    assert_int_equal(s.replica.last.place.index, 3);
}

/* A gap that has been filled long ago is not filled again: that could be more than a step may say.
 */
static void test_old_resend_is_nothing(void **state)
{
    (void)state;
    struct stage s;
    lead_pair(&s);
    for (uint64_t i = 0; i < 2 * HF_REPLICA_OUTPUTS_MAX; i++) {
        uint64_t index = s.replica.last.place.index + 1;
        feed(&s, (struct hf_input){.kind = HF_INPUT_APPENDED, .own = tag(3, index)});
        feed(&s, (struct hf_input){.kind = HF_INPUT_FLUSHED, .index = index});
        struct hf_message ack = message_from_peer(&s, HF_MESSAGE_ACK, 3);
        ack.index = index;
        get(&s, ack);
    }
    struct hf_message resend = message_from_peer(&s, HF_MESSAGE_RESEND, 3);
    resend.index = 1;
    get(&s, resend);
    assert_null(sent(&s, HF_MESSAGE_PREPARE));
    feed(&s, (struct hf_input){.kind = HF_INPUT_APPENDED,
                               .own = tag(3, s.replica.last.place.index + 1)});
    assert_non_null(sent(&s, HF_MESSAGE_PREPARE));
    resend.index = s.replica.last.place.index;
    get(&s, resend);
    assert_int_equal(sent(&s, HF_MESSAGE_PREPARE)->index, resend.index);
}

static void test_second_primary_halts(void **state)
{
    (void)state;
    struct stage s;
    lead_alone(&s);
    get(&s, message_from_peer(&s, HF_MESSAGE_BEACON, 2));
    assert_halted(&s, HF_ALARM_TWO_PRIMARIES);
}

static void test_failed_disk_hands_over_and_ends(void **state)
{
    (void)state;
    struct stage s;
    lead_pair(&s);
    feed(&s, (struct hf_input){.kind = HF_INPUT_DISK_FAILED});
    assert_int_equal(sent(&s, HF_MESSAGE_HANDOVER)->epoch, 3);
    assert_halted(&s, HF_ALARM_DISK_FAILED);
    feed(&s, (struct hf_input){.kind = HF_INPUT_TICK});
    assert_int_equal(s.update.count, 0);
}

/* ---- Checkpoints, the operator, solo ---- */

static void test_learner_behind_the_log_takes_a_checkpoint(void **state)
{
    (void)state;
    struct stage p;
    lead_alone(&p);
    feed(&p, (struct hf_input){.kind = HF_INPUT_TICK, .first_index = 2});
    struct hf_message resend = message_from_peer(&p, HF_MESSAGE_RESEND, 2);
    resend.index = 1;
    get(&p, resend);
    assert_int_equal(sent(&p, HF_MESSAGE_CHECKPOINT)->index, 2);
    assert_null(sent(&p, HF_MESSAGE_PREPARE));
    feed(&p, (struct hf_input){.kind = HF_INPUT_TICK, .first_index = 3});
    struct hf_message learn = message_from_peer(&p, HF_MESSAGE_LEARN, 2);
    learn.index = 1;
    learn.record_epoch = 1;
    get(&p, learn);
    assert_null(sent(&p, HF_MESSAGE_CUT));
    assert_int_equal(sent(&p, HF_MESSAGE_CHECKPOINT)->index, 3);
    assert_int_equal(sent(&p, HF_MESSAGE_CHECKPOINT)->commit, 1);
    assert_int_equal(sent(&p, HF_MESSAGE_CHECKPOINT)->promise, 1);

    struct stage s;
    follow_in_epoch_1(&s, 0);
    get(&s, message_from_peer(&s, HF_MESSAGE_CUT, 1));
    assert_true(s.replica.is_verified);
    struct hf_message offer = message_from_peer(&s, HF_MESSAGE_CHECKPOINT, 1);
    offer.index = 21;
    get(&s, offer);
    assert_null(said(&s, HF_OUTPUT_FETCH)); /* it is counted on */
    get(&s, message_from_peer(&s, HF_MESSAGE_BEACON, 1));
    get(&s, offer);
    assert_non_null(said(&s, HF_OUTPUT_FETCH));
    assert_int_equal(s.replica.needs_checkpoint, 21);
    feed(&s, (struct hf_input){.kind = HF_INPUT_INSTALLED, .own = tag(1, 30)});
    assert_non_null(said(&s, HF_OUTPUT_SAVE));
    assert_int_equal(said(&s, HF_OUTPUT_COMMIT)->index, 30);
    feed(&s, (struct hf_input){.kind = HF_INPUT_SAVED});
    assert_int_equal(sent(&s, HF_MESSAGE_ACK)->index, 30);
    assert_int_equal(hf_epochs_at(&s.replica.epochs, 30), 1);
    assert_int_equal(hf_epochs_at(&s.replica.epochs, 29), 0);
}

/* Its log is too old to be compared: the answer to its question, and no older one, has it fetch. */
static void test_old_log_takes_a_checkpoint(void **state)
{
    (void)state;
    struct stage s;
    follow_in_epoch_1(&s, 5);
    get(&s, message_from_peer(&s, HF_MESSAGE_BEACON, 1));
    struct hf_message offer = message_from_peer(&s, HF_MESSAGE_CHECKPOINT, 1);
    offer.index = 21;
    offer.promise = 1;
    offer.commit = 4;
    get(&s, offer);
    assert_null(said(&s, HF_OUTPUT_FETCH));
    offer.commit = 5;
    get(&s, offer);
    assert_int_equal(said(&s, HF_OUTPUT_FETCH)->index, 21);
    assert_int_equal(s.replica.needs_checkpoint, 21);
    /* Another epoch: it is asked anew. */
    get(&s, message_from_peer(&s, HF_MESSAGE_BEACON, 2));
    assert_int_equal(s.replica.needs_checkpoint, 0);
}

static void test_operator_promotes_after_the_grace(void **state)
{
    (void)state;
    struct stage s;
    start_with_log(&s, 2, HF_DURABILITY_PAIR_SAFE, 3);
    struct hf_config without_me = config_of(1, 1, HF_DURABILITY_PAIR_SAFE, 1, 0);
    answer(&s, HF_ANSWER_VALUE, without_me);
    feed(&s, (struct hf_input){.kind = HF_INPUT_PROMOTE});
    answer(&s, HF_ANSWER_VALUE, without_me);
    assert_null(said(&s, HF_OUTPUT_SAVE)); /* the primary may be there still */
    s.now_ns += GRACE_NS + DROP_NS;
    feed(&s, (struct hf_input){.kind = HF_INPUT_TICK});
    answer(&s, HF_ANSWER_VALUE, without_me);
    assert_true(alarmed(&s, HF_ALARM_LOSS_POSSIBLE));
    feed(&s, (struct hf_input){.kind = HF_INPUT_SAVED});
    assert_int_equal(said(&s, HF_OUTPUT_SWAP)->config.primary, 2);
}

static void test_only_the_founder_founds(void **state)
{
    (void)state;
    for (uint32_t node = 1; node <= 2; node++) {
        struct stage s;
        start_with_log(&s, node, HF_DURABILITY_PAIR_SAFE, 0);
        answer(&s, HF_ANSWER_VALUE, (struct hf_config){0});
        assert_int_equal(said(&s, HF_OUTPUT_SWAP) != NULL, node == 1);
        assert_int_not_equal(s.replica.role, HF_ROLE_HALTED);
    }
}

static void test_solo_speaks_to_nobody(void **state)
{
    (void)state;
    struct stage s;
    start_with_log(&s, 1, HF_DURABILITY_SOLO, 3);
    answer(&s, HF_ANSWER_VALUE, config_of(1, 1, HF_DURABILITY_SOLO, 1, 0));
    feed(&s, (struct hf_input){.kind = HF_INPUT_SAVED});
    answer(&s, HF_ANSWER_DONE, (struct hf_config){0});
    open_epoch(&s, 2);
    assert_true(hf_replica_may_read(&s.replica, s.now_ns));
    feed(&s, (struct hf_input){.kind = HF_INPUT_APPENDED, .own = tag(2, 5)});
    assert_int_equal(s.replica.commit, 4);
    feed(&s, (struct hf_input){.kind = HF_INPUT_FLUSHED, .index = 5});
    assert_int_equal(said(&s, HF_OUTPUT_COMMIT)->index, 5);
    s.now_ns += 10 * DROP_NS;
    feed(&s, (struct hf_input){.kind = HF_INPUT_TICK});
    assert_int_equal(s.update.count, 0);
}

/* ---- Tables and messages ---- */

static void test_epochs(void **state)
{
    (void)state;
    struct hf_epochs epochs = {0};
    hf_epochs_add(&epochs, 1, 1);
    hf_epochs_add(&epochs, 2, 5);
    hf_epochs_add(&epochs, 4, 5); /* 2 is empty */
    hf_epochs_add(&epochs, 7, 9);
    const uint64_t expected[] = {0, 1, 1, 1, 1, 4, 4, 4, 4, 7, 7};
    for (uint64_t i = 0; i < 11; i++) {
        assert_int_equal(hf_epochs_at(&epochs, i), expected[i]);
    }
    const struct {
        struct hf_place asked;
        struct hf_place floor;
    } cases[] = {{{9, 99}, {7, 10}}, {{7, 9}, {7, 9}}, {{6, 10}, {4, 8}}, {{4, 6}, {4, 6}},
                 {{3, 8}, {1, 4}},   {{1, 2}, {1, 2}}, {{0, 0}, {0, 0}}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hf_place floor = hf_epochs_floor(&epochs, 10, cases[i].asked);
        assert_int_equal(floor.epoch, cases[i].floor.epoch);
        assert_int_equal(floor.index, cases[i].floor.index);
    }
    assert_true(hf_epochs_trim(&epochs, 8));
    assert_int_equal(hf_epochs_newest(&epochs), 4);
    assert_false(hf_epochs_trim(&epochs, 8));
    for (uint64_t epoch = 5; epoch < 5 + HF_SUPERBLOCK_EPOCHS_MAX; epoch++) {
        hf_epochs_add(&epochs, epoch, epoch * 10);
    }
    assert_int_equal(epochs.count, HF_SUPERBLOCK_EPOCHS_MAX);
    assert_int_equal(hf_epochs_at(&epochs, 8), 0); /* older than the table */
    assert_int_equal(hf_epochs_at(&epochs, 50), 5);
}

static void test_messages(void **state)
{
    (void)state;
    struct stage s;
    start_with_log(&s, 1, HF_DURABILITY_PAIR_SAFE, 0);
    struct hf_message good = message_from_peer(&s, HF_MESSAGE_NACK, 0x0102);
    good.promise = 0x0103;
    /* As PROTOCOL.md says. */
    const uint8_t *bytes = (const uint8_t *)&good;
    const uint8_t head[] = {'H', 'F', 'R', 'P', 1, 0, 3, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2,
                            0,   0,   0,   0,   0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 1, 0,
                            0,   0,   0,   0,   0, 0, 2, 1, 0, 0, 0, 0, 0, 0, 3, 1};
    assert_memory_equal(bytes, head, sizeof head);

    struct hf_message read;
    uint8_t moved[HF_MESSAGE_SIZE + 2] = {0};
    memcpy(moved + 1, &good, sizeof good);
    assert_int_equal(hf_message_read(moved + 1, HF_MESSAGE_SIZE, cluster, &read), HF_MESSAGE_GOOD);
    assert_memory_equal(&read, &good, sizeof good);
    assert_int_equal(hf_message_read(moved + 1, HF_MESSAGE_SIZE - 1, cluster, &read),
                     HF_MESSAGE_SHORT);
    assert_int_equal(hf_message_read(moved + 1, HF_MESSAGE_SIZE + 1, cluster, &read),
                     HF_MESSAGE_GARBAGE);
    assert_int_equal(hf_message_read(moved + 1, HF_MESSAGE_SIZE, (struct hf_id){9, 9}, &read),
                     HF_MESSAGE_OTHER_CLUSTER);
    const struct {
        size_t at;
        uint8_t byte;
        enum hf_message_verdict verdict;
    } bent[] = {
        {0, 'X', HF_MESSAGE_GARBAGE}, {4, 2, HF_MESSAGE_OTHER_FORMAT}, {6, 0, HF_MESSAGE_GARBAGE},
        {6, 12, HF_MESSAGE_GARBAGE},  {24, 0, HF_MESSAGE_GARBAGE},     {28, 1, HF_MESSAGE_GARBAGE},
        {28, 4, HF_MESSAGE_GARBAGE},  {30, 1, HF_MESSAGE_GARBAGE},     {32, 0, HF_MESSAGE_GARBAGE},
        {48, 2, HF_MESSAGE_GARBAGE}, /* promises its own epoch */
        {120, 1, HF_MESSAGE_GARBAGE},
    };
    for (size_t i = 0; i < sizeof bent / sizeof bent[0]; i++) {
        struct hf_message m = good;
        ((uint8_t *)&m)[bent[i].at] = bent[i].byte;
        assert_int_equal(hf_message_read(&m, sizeof m, cluster, &read), bent[i].verdict);
    }
    struct hf_message prepare = message_from_peer(&s, HF_MESSAGE_PREPARE, 3);
    prepare.index = 1;
    prepare.record_epoch = 4; /* of an epoch that is not its sender's yet */
    assert_int_equal(hf_message_read(&prepare, sizeof prepare, cluster, &read), HF_MESSAGE_GARBAGE);
    assert_string_equal(hf_message_kind_name(HF_MESSAGE_POSITION), "POSITION");
    assert_string_equal(hf_message_kind_name(99), "?");
}

/* A stream that has just begun has had no time to be acknowledged, however long the learner was
 * away. */
static void test_learner_is_owed_nothing_before_it_is_sent_something(void **state)
{
    struct stage s;
    (void)state;
    lead_alone(&s);
    s.now_ns += 10 * DROP_NS;
    feed(&s, (struct hf_input){.kind = HF_INPUT_TICK});
    struct hf_message echo = message_from_peer(&s, HF_MESSAGE_ECHO, 2);
    echo.flags = HF_MESSAGE_VERIFIED;
    get(&s, echo);
    assert_int_equal(s.replica.next, s.replica.last.place.index + 1);
    s.now_ns += DROP_NS - 1;
    get(&s, echo);
    feed(&s, (struct hf_input){.kind = HF_INPUT_TICK});
    assert_int_not_equal(s.replica.next, 0);
    s.now_ns += 1;
    feed(&s, (struct hf_input){.kind = HF_INPUT_TICK});
    assert_int_equal(s.replica.next, 0); /* it echoes and takes nothing */
}

/* Set to refuse, a primary whose epoch the standby has closed waits for it to take over; but not
 * for a life of it that cannot (pair-fast: its memory is gone). */
static void test_refusing_primary_goes_on_when_the_claimant_died(void **state)
{
    struct stage s;
    (void)state;
    lead_alone(&s);
    s.replica.options.on_loss = HF_ON_LOSS_REFUSE;
    struct hf_message nack = message_from_peer(&s, HF_MESSAGE_NACK, 2);
    nack.promise = 3;
    get(&s, nack);
    assert_non_null(said(&s, HF_OUTPUT_READ));
    struct hf_config config = s.replica.config;
    answer(&s, HF_ANSWER_VALUE, config);
    assert_null(said(&s, HF_OUTPUT_SWAP));
    struct hf_message position = message_from_peer(&s, HF_MESSAGE_POSITION, 1);
    get(&s, position); /* of another epoch: says nothing */
    feed(&s, (struct hf_input){.kind = HF_INPUT_TICK});
    answer(&s, HF_ANSWER_VALUE, config);
    assert_null(said(&s, HF_OUTPUT_SWAP));
    position.epoch = 2;
    get(&s, position);
    feed(&s, (struct hf_input){.kind = HF_INPUT_TICK});
    answer(&s, HF_ANSWER_VALUE, config);
    assert_non_null(said(&s, HF_OUTPUT_SWAP));
    assert_int_equal(said(&s, HF_OUTPUT_SWAP)->config.epoch, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_learner_is_owed_nothing_before_it_is_sent_something),
        cmocka_unit_test(test_refusing_primary_goes_on_when_the_claimant_died),
        cmocka_unit_test(test_lease_counts_from_sending),
        cmocka_unit_test(test_lease_takes_the_newest_echo),
        cmocka_unit_test(test_lease_is_of_this_epoch),
        cmocka_unit_test(test_nack_ends_lease_and_acknowledgements),
        cmocka_unit_test(test_alone_needs_no_lease_until_it_joins),
        cmocka_unit_test(test_takeover_waits_for_the_grace),
        cmocka_unit_test(test_beacon_calls_a_takeover_off),
        cmocka_unit_test(test_grace_begins_anew_with_a_life),
        cmocka_unit_test(test_handover_needs_no_grace),
        cmocka_unit_test(test_answers_to_old_questions_are_nothing),
        cmocka_unit_test(test_arbiter_behind_halts),
        cmocka_unit_test(test_news_while_asking),
        cmocka_unit_test(test_other_durability_halts),
        cmocka_unit_test(test_strangers_change_nothing),
        cmocka_unit_test(test_another_hash_halts),
        cmocka_unit_test(test_cut_of_the_committed_halts),
        cmocka_unit_test(test_answer_to_another_question_cuts_nothing),
        cmocka_unit_test(test_old_resend_is_nothing),
        cmocka_unit_test(test_second_primary_halts),
        cmocka_unit_test(test_failed_disk_hands_over_and_ends),
        cmocka_unit_test(test_learner_behind_the_log_takes_a_checkpoint),
        cmocka_unit_test(test_old_log_takes_a_checkpoint),
        cmocka_unit_test(test_operator_promotes_after_the_grace),
        cmocka_unit_test(test_only_the_founder_founds),
        cmocka_unit_test(test_solo_speaks_to_nobody),
        cmocka_unit_test(test_epochs),
        cmocka_unit_test(test_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
