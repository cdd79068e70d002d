/* Clients: what they ask for, and the book of what they were told. A client is the real library on
 * a port of the simulated network. */
#include "sim.h"

#include "net/client.h"

#define WINDOW_MOST   6
#define TIMEOUT_US    400000 /* then it is asked again, by the same id */
#define RETRY_US      15000
#define RETRY_MOST_US 80000
#define WALLETS       6
#define ISSUER        1
#define SHOP          2
#define WALLET        10
#define CARD          70
#define SETUP         (3 + WALLETS + 1) /* the first client's first operations */
#define REST_MOST_MS  120

static struct hf_id account(uint64_t number)
{
    return (struct hf_id){.lo = number};
}

/* ---- Clocks: a client's are true ---- */

static uint64_t monotonic_ns(void *context)
{
    const struct sim *sim = context;
    return sim->now_ms * SIM_NS_IN_MS + 1;
}

uint64_t sim_client_wall_ms(const struct sim *sim)
{
    return SIM_START_MS + sim->now_ms;
}

static uint64_t unix_ms(void *context)
{
    return sim_client_wall_ms(context);
}

void sim_client_open(struct sim *sim, uint32_t number)
{
    struct sim_client *client = &sim->clients[number];
    char servers[SIM_NODES][HF_ADDRESS_TEXT_SIZE];
    struct hf_client_options options = {.window = WINDOW_MOST,
                                        .retry_us = RETRY_US,
                                        .retry_most_us = RETRY_MOST_US,
                                        .timeout_us = TIMEOUT_US};
    const struct hf_client_clock clock = {
        .monotonic_ns = monotonic_ns, .unix_ms = unix_ms, .context = sim};
    struct hf_address local = {.ip = 0x0a000064 + number};
    struct hf_fault fault;
    client->sim = sim;
    client->number = number;
    client->random = sim->seed ^ (0xc11e47 + number);
    for (uint32_t n = 0; n < SIM_NODES; n++) {
        hf_address_format(&sim->nodes[n].clients->local, servers[n]);
        options.servers[n] = servers[n];
    }
    if (hf_port_sim_open(sim->network, &local, &client->port, &fault) != HF_STATUS_OK ||
        hf_client_open_on(&options, client->port, &clock, sim_random(&client->random),
                          &client->client, &fault) != HF_STATUS_OK) {
        sim_wrong(sim, "a client cannot be opened: %s", fault.line);
    }
}

void sim_client_close(struct sim_client *client)
{
    hf_client_close(client->client); /* and its port */
}

/* ---- What is asked ---- */

/* Accounts, assets and a card: what everything else stands on. */
static void make_setup(struct sim_client *client, union hf_operation *op, struct hf_id id)
{
    uint32_t number = client->count;
    if (number == 0) {
        hf_make_asset_put(op, id, SIM_ASSET, "USD", 2);
    } else if (number <= 2) {
        hf_make_account_put(op, id, account(number), SIM_ASSET,
                            number == ISSUER ? HF_FLOOR_NONE : 0, HF_ACCOUNT_OPEN);
    } else if (number < 3 + WALLETS) {
        hf_make_account_put(op, id, account(WALLET + number - 3), SIM_ASSET, 0, HF_ACCOUNT_OPEN);
    } else {
        hf_make_instrument_put(op, id, account(CARD), account(WALLET), HF_INSTRUMENT_ACTIVE,
                               HF_INSTRUMENT_UNLIMITED, HF_INSTRUMENT_UNLIMITED);
    }
}

/* The id of some operation of this client's that held money, if it finds one. */
static struct hf_id some_hold(struct sim_client *client, struct hf_id otherwise)
{
    for (uint32_t tries = 0; tries < 8 && client->count != 0; tries++) {
        const struct sim_entry *entry = &client->book[sim_below(&client->random, client->count)];
        uint8_t type = entry->operation.header.type;
        if (type == HF_OP_HOLD || type == HF_OP_AUTH) {
            return entry->operation.header.id;
        }
    }
    return otherwise;
}

static void make_next(struct sim_client *client, union hf_operation *op, struct hf_id id)
{
    uint64_t *random = &client->random;
    struct hf_id one = account(WALLET + sim_below(random, WALLETS));
    struct hf_id other = account(WALLET + sim_below(random, WALLETS + 1)); /* the last: nobody's */
    uint64_t amount = sim_between(random, 1, 300);
    switch (sim_below(random, 12)) {
    case 0:
    case 1:
    case 2:
        hf_make_move(op, id, account(ISSUER), one, 5 * amount, SIM_ASSET);
        break;
    case 3:
    case 4:
        hf_make_move(op, id, one, other, amount, SIM_ASSET);
        break;
    case 5:
        hf_make_hold(op, id, one, account(SHOP), amount, SIM_ASSET);
        if (sim_below(random, 2) == 0) {
            op->hold.expires_ns =
                (sim_client_wall_ms(client->sim) + sim_between(random, 5, 400)) * SIM_NS_IN_MS;
        }
        break;
    case 6:
        hf_make_capture(op, id, some_hold(client, one), amount / 2 + 1, sim_below(random, 2) == 0);
        break;
    case 7:
        hf_make_release(op, id, some_hold(client, one), amount);
        break;
    case 8:
        hf_make_auth(op, id, account(CARD), account(SHOP), amount, SIM_ASSET);
        break;
    default:
        hf_make_query(op, id, HF_QUERY_ACCOUNT, one);
        return;
    }
    op->header.flags = HF_OP_RETURN_BALANCES;
    if (sim_below(random, 10) == 0) {
        op->header.deadline_ns =
            (sim_client_wall_ms(client->sim) + sim_between(random, 1, 60)) * SIM_NS_IN_MS;
    }
}

static void submit(struct sim_client *client, struct sim_entry *entry)
{
    enum hf_status status = hf_client_submit(client->client, &entry->operation, entry);
    if (status == HF_STATUS_FULL) {
        return;
    }
    if (status != HF_STATUS_OK) {
        sim_wrong(client->sim, "client %" PRIu32 " cannot submit: status %d", client->number,
                  (int)status);
    }
    entry->state = SIM_ENTRY_SUBMITTED;
    sim_trace_event(client->sim, UINT32_MAX, "client # sends operation #, of type #",
                    client->number, (uint64_t)(entry - client->book), entry->operation.header.type);
}

static void begin_next(struct sim_client *client)
{
    struct sim *sim = client->sim;
    struct sim_entry *entry = &client->book[client->count];
    struct hf_id id = hf_client_next_id(client->client);
    memset(entry, 0, sizeof *entry);
    if (client->number == 0 && client->count < SETUP) {
        make_setup(client, &entry->operation, id);
    } else {
        make_next(client, &entry->operation, id);
    }
    entry->least_place = sim->truth.answered_place;
    client->count++;
    submit(client, entry);
}

/* Something that was answered long ago, asked once more: the answer is the same. */
static void repeat_one(struct sim_client *client)
{
    struct sim_entry *entry = &client->book[sim_below(&client->random, client->count)];
    if (entry->state == SIM_ENTRY_ANSWERED && entry->has_reply) {
        submit(client, entry);
    }
}

/* ---- What is answered ---- */

static void check_query(struct sim_client *client, const struct sim_entry *entry,
                        const struct hf_reply *reply)
{
    struct sim *sim = client->sim;
    /* Nobody reads what was before something that anybody was told of. */
    if (reply->place < entry->least_place) {
        sim_wrong(sim,
                  "stale read: client %" PRIu32 " is shown place %" PRIu64 ", after place %" PRIu64
                  " was answered",
                  client->number, reply->place, entry->least_place);
    }
    sim_truth_answered(sim, reply->place);
}

static void check_answer(struct sim_client *client, struct sim_entry *entry,
                         const struct hf_reply *reply)
{
    struct sim *sim = client->sim;
    uint64_t number = (uint64_t)(entry - client->book);
    sim_truth_answered(sim, reply->place);
    if (entry->has_reply) {
        struct hf_reply again = *reply;
        again.durability = entry->reply.durability; /* that of the moment */
        if (memcmp(&again, &entry->reply, sizeof again) != 0) {
            sim_wrong(sim,
                      "I8: client %" PRIu32 ", operation %" PRIu64 ": answered %s at place %" PRIu64
                      ", and then %s at place %" PRIu64,
                      client->number, number, hf_code_name(entry->reply.code), entry->reply.place,
                      hf_code_name(reply->code), reply->place);
        }
        sim_mark(SIM_MARK_REPEATED);
    } else if (reply->place != 0) {
        entry->has_reply = true;
        entry->reply = *reply;
    }
}

static void take_answer(struct sim_client *client, const struct hf_answer *answer)
{
    struct sim *sim = client->sim;
    struct sim_entry *entry = answer->context;
    const struct hf_reply *reply = &answer->reply.reply;
    uint64_t number = (uint64_t)(entry - client->book);
    assert(entry->state == SIM_ENTRY_SUBMITTED);
    if (answer->attempts > 1) {
        sim_mark(SIM_MARK_RETRIED);
    }
    if (answer->outcome != HF_OUTCOME_ANSWERED) {
        entry->state = SIM_ENTRY_OPEN;
        sim_trace_event(sim, UINT32_MAX, "client #: no answer to operation #", client->number,
                        number, 0);
        return;
    }
    sim_trace_event(sim, UINT32_MAX, "client #: operation # is answered, place #", client->number,
                    number, reply->place);
    if (entry->operation.header.type == HF_OP_QUERY) {
        check_query(client, entry, reply);
    } else {
        check_answer(client, entry, reply);
    }
    if (reply->code == HF_CODE_ID_TOO_NEW) {
        sim_mark(SIM_MARK_TOO_NEW);
        entry->state = SIM_ENTRY_OPEN; /* later it will not be */
        return;
    }
    if (reply->code == HF_CODE_DEADLINE_PASSED) {
        sim_mark(SIM_MARK_DEADLINE);
    }
    entry->state = SIM_ENTRY_ANSWERED;
}

/* ---- Its turn ---- */

bool sim_client_is_done(const struct sim_client *client)
{
    for (uint32_t i = 0; i < client->count; i++) {
        if (client->book[i].state != SIM_ENTRY_ANSWERED) {
            return false;
        }
    }
    return client->count >= client->sim->faults.mix.operations;
}

void sim_client_ask_again(struct sim_client *client)
{
    for (uint32_t i = 0; i < client->count; i++) {
        if (client->book[i].has_reply) {
            client->book[i].state = SIM_ENTRY_OPEN;
        }
    }
}

static void submit_open(struct sim_client *client)
{
    for (uint32_t i = 0; i < client->count; i++) {
        if (client->book[i].state == SIM_ENTRY_OPEN) {
            submit(client, &client->book[i]);
        }
    }
}

void sim_client_poll(struct sim_client *client)
{
    struct sim *sim = client->sim;
    struct hf_answer answers[WINDOW_MOST];
    uint32_t count = hf_client_poll(client->client, answers, WINDOW_MOST);
    for (uint32_t i = 0; i < count; i++) {
        take_answer(client, &answers[i]);
    }
    if (hf_client_in_flight(client->client) < WINDOW_MOST) {
        submit_open(client);
    }
    if (client->rests_until_ms > sim->now_ms) {
        return;
    }
    uint64_t chance = sim_below(&client->random, 64);
    if (chance == 0) {
        client->rests_until_ms = sim->now_ms + sim_between(&client->random, 1, REST_MOST_MS);
    } else if (chance < 3 && client->count != 0) {
        repeat_one(client);
    } else if (chance < 16 && client->count < sim->faults.mix.operations &&
               hf_client_in_flight(client->client) < WINDOW_MOST) {
        begin_next(client);
    }
    hf_client_flush(client->client);
}
