/* The small world: what can happen in it. */
#include "world_inside.h"

#define BIG_NS   100
#define LEASE_NS 2
#define GRACE_NS 3
#define NOW_NS   10 /* always: time passes by everything else becoming older */

struct world_limits world_limits;
static uint64_t epoch_max;
static uint64_t index_max;

/* ---- The arbiter ---- */

static bool swap(struct world *w, uint64_t expected, const struct hf_config *next)
{
    if (w->config.epoch != expected) {
        return false;
    }
    world_check_swap(w, next);
    if (next->epoch != w->config.epoch + 1) {
        world_is_wrong("I1: CFG does not go one epoch up");
    }
    w->config = *next;
    return true;
}

/* ---- One node ---- */

static const struct hf_id cluster = {.lo = 7, .hi = 7};

void world_set_options(struct hf_replica_options *o, uint32_t n)
{
    *o = (struct hf_replica_options){
        .cluster = cluster,
        .node = n + 1,
        .peer = 2 - n,
        .durability = world_limits.durability,
        .on_loss = world_limits.on_loss,
        .beacon_ns = 1,
        .lease_ns = world_limits.clock != 0 ? LEASE_NS : 0,
        .grace_ns = world_limits.clock != 0 ? GRACE_NS : BIG_NS,
        .drop_ns = world_limits.clock != 0 ? GRACE_NS : BIG_NS,
        .ask_ns = world_limits.clock != 0 ? GRACE_NS : BIG_NS,
        .window = 2,
        .join_lag = 1,
        .may_found = n == 0,
    };
}

static void put_letter(struct world *w, uint32_t to, const struct hf_message *m)
{
    struct world_node *node = &w->nodes[to];
    uint64_t at = 0;
    while (at < node->letter_count && memcmp(&node->letters[at], m, sizeof *m) < 0) {
        at++;
    }
    if (at < node->letter_count && memcmp(&node->letters[at], m, sizeof *m) == 0) {
        return;
    }
    if (node->letter_count == world_limits.letters) {
        return; /* lost; what filled the way could have been lost instead */
    }
    memmove(&node->letters[at + 1], &node->letters[at],
            (node->letter_count - at) * sizeof node->letters[0]);
    node->letters[at] = *m;
    node->letter_count++;
}

static void take_letter(struct world_node *node, uint32_t at)
{
    node->letter_count--;
    memmove(&node->letters[at], &node->letters[at + 1],
            (node->letter_count - at) * sizeof node->letters[0]);
    memset(&node->letters[node->letter_count], 0, sizeof node->letters[0]);
}

static void send(struct world *w, uint32_t n, const struct hf_message *sent)
{
    const struct world_log *log = &w->nodes[n].log;
    struct hf_message m = *sent;
    if (m.kind == HF_MESSAGE_PREPARE) {
        m.record_epoch = epoch_of(log, m.index);
        m.hash = hash_at(log, m.index);
        m.prev_hash = hash_at(log, m.index - 1);
    } else if (m.kind == HF_MESSAGE_CUT) {
        m.hash = hash_at(log, m.index);
    } else if (m.kind == HF_MESSAGE_NACK) {
        world_seen[WORLD_SEEN_NACK]++;
    } else if (m.kind == HF_MESSAGE_HANDOVER) {
        world_seen[WORLD_SEEN_HANDOVER]++;
    }
    struct hf_message read;
    if (hf_message_read(&m, sizeof m, cluster, &read) != HF_MESSAGE_GOOD) {
        world_is_wrong("a message that the peer would refuse");
    }
    world_check_fence(w, n, &m);
    if (world_limits.clock == 0) {
        m.time_ns = 0;
    }
    m.magic = 0; /* in all of them */
    m.cluster = (struct hf_id){0, 0};
    put_letter(w, 1 - n, &m);
}

static bool put_question(struct world_node *node, const struct hf_output *output)
{
    struct world_question *q = &node->question;
    if (q->kind == HF_ASKING_SWAP && q->is_done == 0) {
        if (node->late_expected != 0) {
            return false;
        }
        node->late_expected = q->expected;
        node->late = q->config;
    }
    *q = (struct world_question){
        .kind = output->kind == HF_OUTPUT_READ ? HF_ASKING_READ : HF_ASKING_SWAP,
        .expected = output->kind == HF_OUTPUT_READ ? 0 : node->replica.config.epoch,
        .config = output->config,
    };
    return true;
}

static bool step(struct world *w, uint32_t n, struct hf_input *input);

static bool follow_output(struct world *w, uint32_t n, const struct hf_input *input,
                          const struct hf_output *output)
{
    struct world_node *node = &w->nodes[n];
    switch (output->kind) {
    case HF_OUTPUT_SEND:
        send(w, n, &output->message);
        return true;
    case HF_OUTPUT_APPEND:
        if (input->message.index != node->log.count + 1 || node->log.count >= index_max) {
            world_is_wrong("appends what does not follow");
            return true;
        }
        node->log = (struct world_log){input->message.hash.lo, input->message.index};
        return true;
    case HF_OUTPUT_APPEND_EPOCH: {
        if (node->log.count >= index_max) {
            return false;
        }
        append(&node->log, output->config.epoch, WORLD_MARK);
        struct hf_input appended = {.kind = HF_INPUT_APPENDED,
                                    .own = tag_at(&node->log, node->log.count)};
        return step(w, n, &appended);
    }
    case HF_OUTPUT_SAVE:
        return true; /* waits in replica->saving */
    case HF_OUTPUT_TRUNCATE:
        world_check_cut(node, w, output->index);
        world_seen[WORLD_SEEN_CUT]++;
        return true; /* waits in replica->cutting */
    case HF_OUTPUT_SWAP:
        if (node->replica.role != HF_ROLE_PRIMARY && node->promise < output->config.epoch) {
            world_is_wrong("P6: claims an epoch before its promise is durable");
        }
        return put_question(node, output);
    case HF_OUTPUT_READ:
        return put_question(node, output);
    case HF_OUTPUT_COMMIT:
        world_check_commit(w, n, output->index);
        return true;
    case HF_OUTPUT_ROLE:
        if (output->role == HF_ROLE_PRIMARY &&
            common(&node->log, &w->committed) < w->committed.count) {
            world_is_wrong("I4: a new primary lacks what was committed");
        }
        return true;
    case HF_OUTPUT_FETCH:
        world_is_wrong("asks for a checkpoint, and no record is gone");
        return true;
    default:
        return true;
    }
}

/* Moments that nobody will ask for before they are set again. */
static void forget_times(struct hf_replica *r)
{
    const uint64_t old = NOW_NS - GRACE_NS;
    if (!(r->role == HF_ROLE_PRIMARY)) {
        r->times.progress = old;
        r->times.beaconed = old;
        r->times.leased = old;
    }
    if (r->acked >= r->last.place.index) {
        r->times.progress = old;
    }
    if (r->times.asked < old) {
        r->times.asked = old;
    }
}

static bool step(struct world *w, uint32_t n, struct hf_input *input)
{
    struct world_node *node = &w->nodes[n];
    struct hf_update update;
    struct hf_replica *r = &node->replica;
    world_set_options(&r->options, n);
    input->ask = 0;
    input->now_ns += world_limits.clock != 0 ? NOW_NS : 0;
    hf_replica_step(r, input, &update);
    /* Time stands still between actions, old questions are never answered, alarms are raised anew:
     * none of them makes a state another. */
    if (world_limits.clock == 0) {
        r->times = (struct hf_replica_times){0};
    } else {
        forget_times(r);
    }
    r->alarms = 0;
    r->ask = 0;
    for (uint32_t i = 0; i < update.count; i++) {
        if (!follow_output(w, n, input, &update.outputs[i])) {
            return false;
        }
    }
    if (r->asking == HF_ASKING_NOTHING && node->question.kind != HF_ASKING_NOTHING) {
        /* It does not wait any more. */
        if (node->question.kind == HF_ASKING_SWAP && node->question.is_done == 0) {
            if (node->late_expected != 0) {
                return false;
            }
            node->late_expected = node->question.expected;
            node->late = node->question.config;
        }
        node->question = (struct world_question){0};
    }
    return true;
}

static bool tick(struct world *w, uint32_t n, uint64_t now_ns)
{
    struct hf_input input = {.kind = HF_INPUT_TICK, .now_ns = now_ns, .first_index = 1};
    if (world_limits.clock != 0) {
        input.now_ns = 0;
    }
    return step(w, n, &input);
}

static bool deliver(struct world *w, uint32_t n, uint32_t at, bool stays)
{
    struct world_node *node = &w->nodes[n];
    struct hf_input input = {.kind = HF_INPUT_MESSAGE, .message = node->letters[at]};
    if (input.message.kind == HF_MESSAGE_CUT && input.message.index <= node->log.count) {
        input.own = tag_at(&node->log, input.message.index);
    }
    if (!stays) {
        take_letter(node, at);
    }
    return step(w, n, &input);
}

static bool answer(struct world *w, uint32_t n, enum hf_answer_kind said,
                   const struct hf_config *config)
{
    struct hf_input input = {.kind = HF_INPUT_ARBITER, .answer = said, .config = *config};
    w->nodes[n].question = (struct world_question){0};
    return step(w, n, &input);
}

static void execute(struct world *w, struct world_question *q)
{
    q->is_done = 1;
    q->answer = HF_ANSWER_VALUE;
    if (q->kind == HF_ASKING_SWAP && swap(w, q->expected, &q->config)) {
        q->answer = HF_ANSWER_DONE;
    }
    q->config = q->answer == HF_ANSWER_DONE ? (struct hf_config){0} : w->config;
    q->expected = 0;
}

/* ---- Ends and beginnings of lives ---- */

static bool truncated(struct world *w, uint32_t n)
{
    struct world_node *node = &w->nodes[n];
    cut(&node->log, node->replica.cut);
    struct hf_input input = {.kind = HF_INPUT_TRUNCATED,
                             .own = tag_at(&node->log, node->log.count)};
    return step(w, n, &input);
}

static bool saved(struct world *w, uint32_t n)
{
    struct world_node *node = &w->nodes[n];
    struct hf_input input = {.kind = HF_INPUT_SAVED};
    node->promise = node->replica.promise;
    node->epochs = node->replica.epochs;
    return step(w, n, &input);
}

/* pair-fast promises to lose nothing while one of the two memories lasts. */
static void excuse_loss(struct world *w)
{
    uint64_t kept = 0;
    for (uint32_t n = 0; n < WORLD_NODES; n++) {
        uint64_t held = common(&w->nodes[n].log, &w->committed);
        kept = held > kept ? held : kept;
    }
    if (kept == w->committed.count) {
        return;
    }
    if (world_limits.durability == HF_DURABILITY_PAIR_FAST) {
        world_seen[WORLD_SEEN_LOSS]++;
        cut(&w->committed, kept);
    } else {
        world_is_wrong("I4: committed, and nobody holds it");
    }
}

static bool crash(struct world *w, uint32_t n, uint8_t detail)
{
    struct world_node *node = &w->nodes[n];
    const struct hf_replica *r = &node->replica;
    uint64_t kept = r->flushed + (detail & 15);
    if (r->saving != HF_SAVING_NOTHING && (detail & 16) != 0) {
        node->promise = r->promise;
        node->epochs = r->epochs;
    }
    if (r->cutting != 0 && (detail & 32) != 0) {
        kept = r->cut;
    }
    if (node->question.kind == HF_ASKING_SWAP && node->question.is_done == 0) {
        if (node->late_expected != 0) {
            return false;
        }
        node->late_expected = node->question.expected;
        node->late = node->question.config;
    }
    node->question = (struct world_question){0};
    cut(&node->log, kept);
    memset(&node->replica, 0, sizeof node->replica);
    node->is_up = 0;
    if (w->reader == n + 1) {
        w->reader = w->value = w->answered = 0;
    }
    excuse_loss(w);
    return true;
}

static bool restart(struct world *w, uint32_t n)
{
    struct world_node *node = &w->nodes[n];
    struct hf_replica_start start = {
        .incarnation = ++node->incarnation,
        .promise = node->promise,
        .epochs = node->epochs,
        .last = tag_at(&node->log, node->log.count),
        .now_ns = world_limits.clock != 0 ? NOW_NS : 0,
    };
    if (hf_epochs_newest(&start.epochs) > start.last.place.epoch &&
        start.epochs.starts[start.epochs.count - 1].start_index > node->log.count + 1) {
        world_is_wrong("the table claims what the log has lost: the start would halt");
    }
    /* A cut that was interrupted after the table was trimmed: recovery finds the epochs again. */
    for (uint64_t i = 1; i <= node->log.count; i++) {
        if (epoch_of(&node->log, i) > hf_epochs_newest(&start.epochs)) {
            hf_epochs_add(&start.epochs, epoch_of(&node->log, i), i);
        }
    }
    struct hf_replica_options options;
    world_set_options(&options, n);
    hf_replica_init(&node->replica, &options, &start);
    node->is_up = 1;
    struct hf_input input = {.kind = HF_INPUT_START};
    return step(w, n, &input);
}

static bool append_operation(struct world *w, uint32_t n, uint64_t op)
{
    struct world_node *node = &w->nodes[n];
    append(&node->log, node->replica.epoch, op);
    struct hf_input input = {.kind = HF_INPUT_APPENDED, .own = tag_at(&node->log, node->log.count)};
    return step(w, n, &input);
}

/* ---- Time, and reads ---- */

/* A moment longer ago; of what is older than every patience it does not matter how much. */
static void grow_old(uint64_t *then_ns)
{
    if (*then_ns > NOW_NS - GRACE_NS) {
        --*then_ns;
    } else {
        *then_ns = NOW_NS - GRACE_NS;
    }
}

static void pass_time(struct world *w)
{
    for (uint32_t n = 0; n < WORLD_NODES; n++) {
        struct world_node *node = &w->nodes[n];
        for (uint64_t i = 0; i < node->letter_count; i++) {
            uint16_t kind = node->letters[i].kind;
            if (kind == HF_MESSAGE_BEACON || kind == HF_MESSAGE_ECHO) {
                grow_old(&node->letters[i].time_ns);
            }
        }
        if (node->is_up) {
            struct hf_replica_times *times = &node->replica.times;
            grow_old(&times->heard);
            grow_old(&times->progress);
            grow_old(&times->beaconed);
            grow_old(&times->leased);
            grow_old(&times->asked);
        }
    }
}

static void take_value(struct world *w, uint32_t n)
{
    w->budget.slips--;
    w->reader = n + 1;
    w->value = w->nodes[n].replica.commit;
    w->answered = w->committed.count;
}

/* The question comes after the value was taken: that is what makes the answer current. */
static void check_value(struct world *w, uint32_t n)
{
    if (hf_replica_may_read(&w->nodes[n].replica, NOW_NS)) {
        world_seen[WORLD_SEEN_READ]++;
        if (w->value < w->answered) {
            world_is_wrong("a stale read: older than an answer given before it began");
        }
    }
    w->reader = w->value = w->answered = 0;
}

/* ---- Actions ---- */

bool world_do(struct world *w, struct world_action action)
{
    uint32_t n = action.node;
    struct world_node *node = &w->nodes[n];
    struct world_question *q = &node->question;
    bool fits = true;
    switch ((enum world_act)action.act) {
    case WORLD_SMALL_TICK:
        fits = tick(w, n, 1);
        break;
    case WORLD_BIG_TICK:
        w->budget.slips--;
        fits = tick(w, n, BIG_NS);
        break;
    case WORLD_DELIVER:
        fits = deliver(w, n, action.detail, false);
        break;
    case WORLD_REPEAT:
        w->budget.repeats--;
        fits = deliver(w, n, action.detail, true);
        break;
    case WORLD_LOSE:
        take_letter(node, action.detail);
        break;
    case WORLD_APPEND:
        fits = append_operation(w, n, action.detail);
        break;
    case WORLD_FLUSH: {
        struct hf_input input = {.kind = HF_INPUT_FLUSHED, .index = node->log.count};
        fits = step(w, n, &input);
        break;
    }
    case WORLD_SAVE:
        fits = saved(w, n);
        break;
    case WORLD_TRUNCATE:
        fits = truncated(w, n);
        break;
    case WORLD_EXECUTE:
        execute(w, q);
        break;
    case WORLD_ANSWER: {
        struct hf_config config = q->config;
        fits = answer(w, n, (enum hf_answer_kind)q->answer, &config);
        break;
    }
    case WORLD_LATER:
        if (node->late_expected != 0) {
            return false;
        }
        node->late_expected = q->expected;
        node->late = q->config;
        w->budget.doubts--;
        fits = answer(w, n, HF_ANSWER_UNKNOWN, &w->config);
        break;
    case WORLD_FORGET:
        w->budget.doubts--;
        fits = answer(w, n, HF_ANSWER_UNKNOWN, &w->config);
        break;
    case WORLD_LATE:
        world_seen[WORLD_SEEN_LATE] += swap(w, node->late_expected, &node->late);
        node->late_expected = 0;
        node->late = (struct hf_config){0};
        break;
    case WORLD_CRASH:
        w->budget.crashes--;
        fits = crash(w, n, action.detail);
        break;
    case WORLD_RESTART:
        fits = restart(w, n);
        break;
    case WORLD_TIME:
        w->budget.moments--;
        pass_time(w);
        break;
    case WORLD_READ:
        take_value(w, n);
        break;
    case WORLD_CHECK:
        check_value(w, n);
        break;
    case WORLD_ACTS:
        assert(false);
    }
    /* A swap that can no longer happen is none. */
    for (uint32_t i = 0; i < WORLD_NODES; i++) {
        if (w->nodes[i].late_expected != 0 && w->nodes[i].late_expected < w->config.epoch) {
            w->nodes[i].late_expected = 0;
            w->nodes[i].late = (struct hf_config){0};
        }
    }
    world_check_state(w);
    return fits;
}

struct choices {
    struct world_action *actions;
    uint32_t count;
};

static void choose(struct choices *c, enum world_act act, uint32_t node, uint32_t detail)
{
    assert(c->count < WORLD_ACTIONS_MAX);
    c->actions[c->count++] = (struct world_action){(uint8_t)act, (uint8_t)node, (uint8_t)detail};
}

static void choose_of_arbiter(const struct world *w, struct choices *c, uint32_t n)
{
    const struct world_node *node = &w->nodes[n];
    const struct world_question *q = &node->question;
    if (node->late_expected != 0 && node->late_expected == w->config.epoch &&
        node->late.epoch <= epoch_max) {
        choose(c, WORLD_LATE, n, 0);
    }
    if (q->kind == HF_ASKING_NOTHING) {
        return;
    }
    bool is_swap = q->kind == HF_ASKING_SWAP;
    if (q->is_done) {
        choose(c, WORLD_ANSWER, n, 0);
        if (w->budget.doubts > 0 && q->answer == HF_ANSWER_DONE) {
            choose(c, WORLD_FORGET, n, 0);
        }
        return;
    }
    if (!is_swap || q->config.epoch <= epoch_max) {
        choose(c, WORLD_EXECUTE, n, 0);
        if (w->budget.doubts > 0 && is_swap) {
            choose(c, WORLD_LATER, n, 0);
        }
    }
}

static void choose_of_crash(struct choices *c, const struct world_node *node, uint32_t n)
{
    const struct hf_replica *r = &node->replica;
    for (uint32_t kept = 0; kept <= r->last.place.index - r->flushed; kept++) {
        choose(c, WORLD_CRASH, n, kept);
        if (r->saving != HF_SAVING_NOTHING) {
            choose(c, WORLD_CRASH, n, kept + 16);
        }
        if (r->cutting != 0) {
            choose(c, WORLD_CRASH, n, kept + 32);
        }
    }
}

/* A beacon while one is still on its way in the same epoch would add nothing but states. */
static bool may_tick(const struct world *w, uint32_t n)
{
    const struct hf_replica *r = &w->nodes[n].replica;
    if (r->must_look != 0) {
        return true;
    }
    if (world_limits.clock != 0) {
        return NOW_NS >= r->times.heard + GRACE_NS || r->role == HF_ROLE_PRIMARY;
    }
    if (r->role != HF_ROLE_PRIMARY || r->opening != HF_OPENING_NOTHING) {
        return false;
    }
    const struct world_node *peer = &w->nodes[1 - n];
    for (uint64_t i = 0; i < peer->letter_count; i++) {
        if (peer->letters[i].kind == HF_MESSAGE_BEACON && peer->letters[i].epoch == r->epoch) {
            return false;
        }
    }
    return true;
}

static void choose_of_node(const struct world *w, struct choices *c, uint32_t n)
{
    const struct world_node *node = &w->nodes[n];
    const struct hf_replica *r = &node->replica;
    if (may_tick(w, n)) {
        choose(c, WORLD_SMALL_TICK, n, 0);
    }
    if (world_limits.clock != 0 && r->role == HF_ROLE_PRIMARY && w->reader == 0 &&
        w->budget.slips > 0) {
        choose(c, WORLD_READ, n, 0);
    }
    if (w->reader == n + 1) {
        choose(c, WORLD_CHECK, n, 0);
    }
    if (world_limits.clock == 0 && w->budget.slips > 0) {
        choose(c, WORLD_BIG_TICK, n, 0);
    }
    if (r->flushed < node->log.count) {
        choose(c, WORLD_FLUSH, n, 0);
    }
    if (r->saving != HF_SAVING_NOTHING) {
        choose(c, WORLD_SAVE, n, 0);
    }
    if (r->cutting != 0 && r->saving == HF_SAVING_NOTHING) {
        choose(c, WORLD_TRUNCATE, n, 0);
    }
    if (hf_replica_may_append(r) && node->log.count < index_max) {
        for (uint32_t op = 1; op <= WORLD_OPS; op++) {
            if (!holds_operation(&node->log, op)) {
                choose(c, WORLD_APPEND, n, op);
                break; /* the two are alike: the first that is missing */
            }
        }
    }
    if (w->budget.crashes > 0) {
        choose_of_crash(c, node, n);
    }
}

uint32_t world_choices(const struct world *w, struct world_action actions[WORLD_ACTIONS_MAX])
{
    struct choices c = {actions, 0};
    if (w->budget.moments > 0) {
        choose(&c, WORLD_TIME, 0, 0);
    }
    for (uint32_t n = 0; n < WORLD_NODES; n++) {
        const struct world_node *node = &w->nodes[n];
        choose_of_arbiter(w, &c, n);
        if (!node->is_up) {
            choose(&c, WORLD_RESTART, n, 0);
            continue;
        }
        choose_of_node(w, &c, n);
        for (uint32_t i = 0; i < node->letter_count; i++) {
            choose(&c, WORLD_DELIVER, n, i);
            if (w->budget.repeats > 0) {
                choose(&c, WORLD_REPEAT, n, i);
            }
            if (node->letter_count == world_limits.letters) {
                choose(&c, WORLD_LOSE, n, i);
            }
        }
    }
    return c.count;
}

/* ---- The beginning ---- */

void world_set_limits(const struct world_limits *set)
{
    world_limits = *set;
    assert(world_limits.letters <= WORLD_LETTERS);
}

/* Primary `p` and its backup are at work, and nothing is on its way. */
static bool is_at_rest(const struct world *w, uint32_t p)
{
    const struct hf_replica *primary = &w->nodes[p].replica;
    const struct hf_replica *backup = &w->nodes[1 - p].replica;
    uint64_t last = primary->last.place.index;
    return primary->role == HF_ROLE_PRIMARY && backup->role == HF_ROLE_BACKUP &&
           hf_config_is_pair(&primary->config) && hf_replica_may_append(primary) &&
           primary->commit == last && backup->commit == last && primary->flushed == last &&
           backup->flushed == last && backup->epoch == primary->epoch &&
           w->nodes[0].letter_count == 0 && w->nodes[1].letter_count == 0;
}

static bool is_progress(enum world_act act)
{
    return act == WORLD_DELIVER || act == WORLD_FLUSH || act == WORLD_SAVE ||
           act == WORLD_TRUNCATE || act == WORLD_EXECUTE || act == WORLD_ANSWER ||
           act == WORLD_RESTART;
}

/* Nothing is left to do: beacons, and when they do not help, patience runs out, first where nobody
 * leads. */
static bool wait_a_while(struct world *w, uint32_t quiet)
{
    bool fits = true;
    for (uint32_t n = 0; n < WORLD_NODES && fits; n++) {
        bool leads = w->nodes[n].replica.role == HF_ROLE_PRIMARY;
        bool is_long = quiet % 12 == 11 || (quiet % 4 == 3 && !leads);
        fits = tick(w, n, is_long ? BIG_NS : 1);
    }
    world_check_state(w);
    return fits;
}

enum world_end world_converge(struct world *w)
{
    uint64_t epochs = epoch_max;
    uint64_t records = index_max;
    enum world_end end = WORLD_STUCK;
    epoch_max = 7;
    index_max = WORLD_LOG;
    uint32_t letters = world_limits.letters;
    world_limits.letters = WORLD_LETTERS;
    for (uint32_t turn = 0, quiet = 0; turn < 600 && world_wrong == NULL; turn++) {
        if (is_at_rest(w, 0) || is_at_rest(w, 1)) {
            end = WORLD_CONVERGED;
            break;
        }
        struct world_action actions[WORLD_ACTIONS_MAX];
        uint32_t count = world_choices(w, actions);
        uint32_t i = 0;
        while (i < count && !is_progress((enum world_act)actions[i].act)) {
            i++;
        }
        if (!(i < count ? world_do(w, actions[i]) : wait_a_while(w, quiet++)) ||
            w->config.epoch == epoch_max || w->nodes[0].log.count == index_max ||
            w->nodes[1].log.count == index_max) {
            end = WORLD_NO_ROOM;
            break;
        }
    }
    world_limits.letters = letters;
    epoch_max = epochs;
    index_max = records;
    return end;
}

/* Where the prologue ends. */
static bool is_begun(const struct world *w)
{
    return world_limits.alone != 0 ? hf_replica_may_append(&w->nodes[0].replica) : is_at_rest(w, 0);
}

/* The founding of a pair, in which nothing goes wrong: always the first thing that can be done,
 * and a beacon when nothing else can. */
void world_begin(struct world *w)
{
    memset(w, 0, sizeof *w);
    world_wrong = NULL;
    epoch_max = 7;
    index_max = WORLD_LOG;
    for (uint32_t n = 0; n < WORLD_NODES; n++) {
        struct world_node *node = &w->nodes[n];
        node->promise = 1;
        hf_epochs_add(&node->epochs, 1, 1);
        restart(w, n);
    }
    w->budget.moments = 1000;
    for (uint32_t turn = 0; turn < 200 && !is_begun(w); turn++) {
        struct world_action actions[WORLD_ACTIONS_MAX];
        uint32_t count = world_choices(w, actions);
        struct world_action next = {
            world_limits.clock != 0 && turn % 2 == 0 ? WORLD_TIME : WORLD_SMALL_TICK, 0, 0};
        for (uint32_t i = 0; i < count; i++) {
            if (actions[i].act != WORLD_SMALL_TICK && actions[i].act != WORLD_TIME &&
                actions[i].act != WORLD_READ && actions[i].act != WORLD_APPEND &&
                actions[i].act != WORLD_LOSE) {
                next = actions[i];
                break;
            }
        }
        if (!world_do(w, next)) {
            world_is_wrong("the prologue does not fit the world");
        }
    }
    if (!is_begun(w)) {
        world_is_wrong("the prologue does not found a pair");
    }
    w->budget = world_limits.budget;
    epoch_max = w->config.epoch + world_limits.epochs;
    index_max = w->committed.count + world_limits.records;
    memset(world_seen, 0, sizeof world_seen);
}
