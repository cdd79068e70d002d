#include "door.h"

#include "clock.h"
#include "counters.h"
#include "net/rate.h"
#include "net/wire.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define PATH_SIZE      (2 * CONFIG_TEXT_SIZE)
#define SWEEP_NS       UINT64_C(1000000000)
#define RELOAD_LOOK_NS 100000

_Static_assert(HF_WIRE_DATAGRAM_MAX >= HF_HANDSHAKE_ANSWER_MAX, "room for an answer");

struct door_now door_clock(void)
{
    return (struct door_now){clock_monotonic_ns(), clock_wall_ns()};
}

static void draw(void *context, void *bytes, size_t size)
{
    (void)context;
    randombytes_buf(bytes, size);
}

static enum hf_status complain(struct hf_fault *fault, enum hf_status status, const char *what)
{
    struct hf_fault inner = *fault;

    snprintf(fault->line, sizeof fault->line, "%s: %.200s", what, inner.line);
    return status;
}

/* ---- making
 * ---------------------------------------------------------------------------------------------- */

enum hf_status door_read_key(const struct config *config, struct hf_key_pair *own,
                             struct hf_fault *fault)
{
    char path[PATH_SIZE];
    enum hf_status status;

    if (strchr(config->session_key, '/') != NULL)
        snprintf(path, sizeof path, "%s", config->session_key);
    else
        snprintf(path, sizeof path, "%s/%s", config->data_directory, config->session_key);
    status = hf_key_read(path, own, fault);
    if (status == HF_STATUS_NOT_FOUND) {
        hf_key_generate(own);
        status = hf_key_write(path, own, fault);
    }
    return status == HF_STATUS_OK ? status : complain(fault, status, "security.key");
}

static struct hf_session_config session_config(const struct config *config, struct hf_id cluster)
{
    return (struct hf_session_config){
        .cluster = cluster,
        .limits = hf_channel_limits_default,
        .origins_max = (uint32_t)config->origins_max,
        .sessions_per_origin = (uint32_t)config->sessions_per_origin,
        .looks_per_s = (uint32_t)config->handshakes_seen,
        .looks_per_address = (uint32_t)config->handshakes_address,
        .free_per_s = (uint32_t)config->handshakes_free,
        .hellos_per_s = (uint32_t)config->handshakes,
        .host_per_s = (uint32_t)config->handshakes_host,
    };
}

static enum hf_status take_memory(struct door *door, const struct hf_session_config *sessions,
                                  struct hf_fault *fault)
{
    uint32_t origins_max = sessions->origins_max;

    door->table_size = hf_session_memory_size(sessions);
    door->sealer_size = hf_sealer_memory_size(hf_session_count_max(sessions));
    door->own = hf_key_memory_create(sizeof *door->own, fault);
    if (door->own != NULL)
        door->table_memory = hf_key_memory_create(door->table_size, fault);
    if (door->table_memory != NULL)
        door->sealer_memory = hf_key_memory_create(door->sealer_size, fault);
    if (door->sealer_memory == NULL)
        return complain(fault, HF_STATUS_NO_MEMORY, "sessions");
    door->lists = calloc(2 * (size_t)origins_max, sizeof *door->lists);
    door->origins = calloc(origins_max, sizeof *door->origins);
    if (door->lists == NULL || door->origins == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory for the origins");
        return HF_STATUS_NO_MEMORY;
    }
    for (uint32_t i = 0; i < 2; i++)
        door->sets[i] = (struct origin_set){
            .count_max = origins_max,
            .list = door->lists + (size_t)i * origins_max,
        };
    return HF_STATUS_OK;
}

/* Lets in whom the rules name, and nobody else. Keys that go make room before others come: two
 * origins may change keys with each other. */
static void apply_keys(struct door *door, const struct origin_set *rules)
{
    for (uint32_t i = 0; i < rules->count_max; i++) {
        const struct origin *before = door->rules != NULL ? &door->rules->list[i] : NULL;
        const struct origin *now = &rules->list[i];
        bool goes = before != NULL && before->is_set &&
                    (!now->is_set || memcmp(before->key, now->key, sizeof now->key) != 0);
        if (goes)
            hf_session_origin_remove(&door->table, i);
    }
    for (uint32_t i = 0; i < rules->count_max; i++) {
        if (rules->list[i].is_set &&
            hf_session_origin_put(&door->table, i, rules->list[i].key) != HF_STATUS_OK)
            assert(!"no two origins have the same key: origins_read has seen to it");
    }
    door->rules = rules;
}

enum hf_status door_open(struct door *door, const struct config *config, struct hf_id cluster,
                         struct hf_fault *fault)
{
    const struct hf_session_config sessions = session_config(config, cluster);
    enum hf_status status;

    memset(door, 0, sizeof *door);
    if (config->origins_file[0] == '\0') {
        snprintf(fault->line, sizeof fault->line,
                 "security.origins: sessions need a file of those who may speak");
        return HF_STATUS_INVALID;
    }
    if (sodium_init() < 0 || !hf_key_forbid_dumps()) {
        snprintf(fault->line, sizeof fault->line,
                 "security.sessions: the system gives no random numbers, or lets core dumps be");
        return HF_STATUS_IO;
    }
    status = take_memory(door, &sessions, fault);
    if (status == HF_STATUS_OK)
        status = origins_read(config->origins_file, &door->sets[0], fault);
    if (status == HF_STATUS_OK)
        status = door_read_key(config, door->own, fault);
    if (status != HF_STATUS_OK)
        return status;
    hf_session_table_begin(&door->table, &sessions, door->own, (struct hf_entropy){draw, NULL},
                           door->table_memory, door_clock().now_ns);
    hf_sealer_begin(&door->sealer, door->table.slates, hf_session_count_max(&sessions),
                    &sessions.limits, door->sealer_memory);
    apply_keys(door, &door->sets[0]);
    atomic_store(&door->published, &door->sets[0]);
    atomic_store(&door->in_use, &door->sets[0]);
    return HF_STATUS_OK;
}

void door_close(struct door *door)
{
    hf_key_memory_destroy(door->table_memory, door->table_size);
    hf_key_memory_destroy(door->sealer_memory, door->sealer_size);
    hf_key_memory_destroy(door->own, sizeof *door->own);
    free(door->lists);
    free(door->origins);
    sodium_memzero(door, sizeof *door);
}

enum hf_status door_reload(struct door *door, const struct config *config, const atomic_bool *quit,
                           struct hf_fault *fault)
{
    const struct timespec look = {0, RELOAD_LOOK_NS};
    const struct origin_set *present = atomic_load(&door->published);
    struct origin_set *next = &door->sets[present == &door->sets[0]];
    enum hf_status status = origins_read(config->origins_file, next, fault);

    if (status != HF_STATUS_OK)
        return status;
    atomic_store_explicit(&door->published, next, memory_order_release);
    while (atomic_load_explicit(&door->in_use, memory_order_acquire) != next && !atomic_load(quit))
        nanosleep(&look, NULL);
    return HF_STATUS_OK;
}

/* ---- the receive poller
 * ---------------------------------------------------------------------------------------------- */

void door_tend(struct door *door, const struct door_now *now)
{
    const struct origin_set *published =
        atomic_load_explicit(&door->published, memory_order_acquire);

    if (published != door->rules) {
        apply_keys(door, published);
        atomic_store_explicit(&door->in_use, published, memory_order_release);
    }
    if (now->now_ns - door->swept_ns < SWEEP_NS)
        return;
    door->swept_ns = now->now_ns;
    hf_session_sweep(&door->table, now->now_ns);
    atomic_store_explicit(&door->sessions, hf_session_count(&door->table, HF_SESSION_ORIGIN_NONE),
                          memory_order_relaxed);
}

static struct hf_cookie_address cookie_address(const struct hf_address *peer)
{
    struct hf_cookie_address address = {.host = {[10] = 0xff, [11] = 0xff}};

    for (int i = 0; i < 4; i++)
        address.host[12 + i] = (uint8_t)(peer->ip >> (24 - 8 * i));
    address.port[0] = (uint8_t)(peer->udp >> 8);
    address.port[1] = (uint8_t)peer->udp;
    return address;
}

enum hf_fate door_open_datagram(struct door *door, const struct hf_packet *packet,
                                const struct door_now *now, uint8_t *plain,
                                struct hf_session_result *result)
{
    const struct hf_session_arrival arrival = {
        .datagram = packet->data,
        .length = packet->length,
        .address = cookie_address(&packet->peer),
        .now_ns = now->now_ns,
        .unix_ns = now->unix_ns,
    };
    enum hf_fate fate = hf_session_receive(&door->table, &arrival, plain, result);

    counter_add(&door->fates[fate], 1);
    return fate;
}

bool door_has_session(const struct door *door, uint64_t session)
{
    return hf_session_exists(&door->table, session);
}

struct hf_verdict door_admit(struct door *door, uint32_t number, union hf_operation *operation,
                             const struct door_now *now)
{
    const struct hf_verdict fine = {HF_CODE_OK, HF_RULE_NONE, 0};
    const struct hf_verdict busy = {HF_CODE_BUSY, HF_RULE_ORIGIN, 0};
    const struct hf_verdict forbidden = {HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN, 0};
    const struct origin *origin = &door->rules->list[number];
    struct door_origin *paid = &door->origins[number];
    bool is_query = operation->header.type == HF_OP_QUERY;

    assert(number < door->rules->count_max && origin->is_set);
    if (is_query ? !hf_rate_allows(&paid->queries_paid_ns, origin->queries, now->now_ns)
                 : origin->rate != 0 &&
                       !hf_rate_allows(&paid->operations_paid_ns, origin->rate, now->now_ns)) {
        counter_add(&door->over_rate, 1);
        return busy;
    }
    operation->header.origin = number + 1;
    if (origin_may(origin, operation)) {
        if (is_query && origin_reaches_all(origin))
            operation->header.origin = 0; /* it sees every hold, whoever made it */
        return fine;
    }
    counter_add(&door->forbidden, 1);
    if (is_query)
        return forbidden;
    hf_operation_forbid(operation);
    return fine;
}
