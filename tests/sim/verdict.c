/* The end. Nothing goes wrong any more, so everything must have come together: the pair is at rest,
 * both nodes hold the same log and the same state, and an engine that never heard of faults, given
 * that log, has given the very answers that the clients were given. */
#include "sim.h"

static bool is_at_rest(const struct sim *sim, uint32_t p)
{
    const struct sim_node *one = &sim->nodes[p];
    const struct sim_node *other = &sim->nodes[1 - p];
    if (!sim_node_is_up(one) || !sim_node_is_up(other)) {
        return false;
    }
    const struct hf_replica *primary = hf_pair_replica(one->pair);
    const struct hf_replica *backup = hf_pair_replica(other->pair);
    uint64_t last = primary->last.place.index;
    return primary->role == HF_ROLE_PRIMARY && backup->role == HF_ROLE_BACKUP &&
           hf_config_is_pair(&primary->config) && hf_replica_may_append(primary) &&
           backup->last.place.index == last && primary->commit == last && backup->commit == last &&
           primary->flushed == last && backup->flushed == last &&
           hf_pair_must_apply(one->pair) == 0 &&
           hf_ledger_place(one->ledger) == hf_ledger_place(other->ledger);
}

bool sim_verdict_is_calm(const struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_CLIENTS; i++) {
        if (!sim_client_is_done(&sim->clients[i])) {
            return false;
        }
    }
    return is_at_rest(sim, 0) || is_at_rest(sim, 1);
}

/* ---- The log, told again ---- */

static struct sim_entry *find_entry(struct sim *sim, struct hf_id id)
{
    for (uint32_t i = 0; i < SIM_CLIENTS; i++) {
        struct sim_client *client = &sim->clients[i];
        for (uint32_t k = 0; k < client->count; k++) {
            if (hf_id_equal(client->book[k].operation.header.id, id)) {
                return &client->book[k];
            }
        }
    }
    return NULL;
}

/* One operation of the log, and what a lone engine answers. */
static void compare_answer(struct sim *sim, const union hf_operation *operation,
                           const struct hf_reply *reply)
{
    struct sim_entry *entry = find_entry(sim, operation->header.id);
    if (entry == NULL) {
        if (operation->header.type != HF_OP_EXPIRE) {
            sim_wrong(sim, "place %" PRIu64 " of the log holds an operation that nobody sent",
                      reply->place);
        }
        return;
    }
    if (entry->is_logged) {
        sim_wrong(sim, "I8: the operation at place %" PRIu64 " is in the log twice", reply->place);
    }
    entry->is_logged = true;
    struct hf_reply told = entry->reply;
    told.durability = reply->durability;
    if (entry->has_reply && memcmp(&told, reply, sizeof told) != 0) {
        sim_wrong(sim,
                  "P1: place %" PRIu64 " was answered %s, and the log says %s at place %" PRIu64,
                  told.place, hf_code_name(told.code), hf_code_name(reply->code), reply->place);
    }
}

static struct hf_ledger *tell_again(struct sim *sim, void *memory, size_t size)
{
    const struct sim_log *committed = &sim->truth.committed;
    memset(memory, 0, size);
    struct hf_ledger *ledger = hf_ledger_create(&sim_limits, memory, size);
    assert(ledger != NULL);
    for (uint64_t index = 1; index <= committed->count; index++) {
        const struct hf_record_header *record = committed->records[index - 1].bytes;
        const union hf_operation *operation = NULL;
        uint32_t offset = 0;
        while ((operation = hf_record_next(record, &offset)) != NULL) {
            struct hf_reply reply;
            if (hf_ledger_apply(ledger, record->timestamp_ns, &operation, 1, &reply) != 1) {
                sim_wrong(sim, "I8: record %" PRIu64 " holds an operation that takes no place",
                          index);
            }
            compare_answer(sim, operation, &reply);
        }
    }
    return ledger;
}

/* Whatever a client was told has a place is there: once. */
static void check_books(struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_CLIENTS; i++) {
        const struct sim_client *client = &sim->clients[i];
        for (uint32_t k = 0; k < client->count; k++) {
            if (client->book[k].has_reply && !client->book[k].is_logged) {
                sim_wrong(sim,
                          "P6: operation %" PRIu32 " of client %" PRIu32
                          " was answered at place %" PRIu64 " and is in no log",
                          k, i, client->book[k].reply.place);
            }
        }
    }
}

static void check_node(struct sim *sim, const struct sim_node *node, const struct hf_ledger *ledger)
{
    const struct sim_log *log = &sim->truth.logs[node->number];
    const struct sim_log *committed = &sim->truth.committed;
    if (log->count != committed->count || !hf_hash_equal(log->records[log->count - 1].hash,
                                                         committed->records[log->count - 1].hash)) {
        sim_wrong(sim, "I5: node %" PRIu32 " ends with another log than was committed",
                  node->number + 1);
    }
    if (!hf_id_equal(hf_ledger_digest(node->ledger), hf_ledger_digest(ledger))) {
        sim_wrong(sim, "node %" PRIu32 " ends in another state than its log", node->number + 1);
    }
    if (!hf_ledger_is_balanced(node->ledger)) {
        sim_wrong(sim, "P4: node %" PRIu32 ": the money does not add up", node->number + 1);
    }
}

void sim_verdict(struct sim *sim)
{
    size_t size = (hf_ledger_memory_size(&sim_limits) + 63) & ~(size_t)63;
    void *memory = aligned_alloc(64, size);
    if (memory == NULL) {
        sim_wrong(sim, "no memory for a ledger");
    }
    const struct hf_ledger *ledger = tell_again(sim, memory, size);
    check_books(sim);
    for (uint32_t n = 0; n < SIM_NODES; n++) {
        check_node(sim, &sim->nodes[n], ledger);
    }
    sim_trace_event(sim, UINT32_MAX, "all is well: # records, # operations, epoch #",
                    sim->truth.committed.count, hf_ledger_place(ledger), sim->truth.epoch);
    free(memory);
}
