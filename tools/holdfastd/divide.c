#include "divide.h"

#include "counters.h"
#include "memory.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_ring_elem.h>

/* Words between two shards that may be under way: they go on with less. */
#define WORDS 64
/* Works begun in one poll. */
#define POLL_WORKS 4

/* ---- words ---- */

static bool send_word(void *context, uint32_t from, uint32_t to, const struct hf_shard_word *word)
{
    const struct divided *divided = context;

    return rte_ring_sp_enqueue_elem(divided->words[from * divided->count + to],
                                    (void *)(uintptr_t)word, sizeof *word) == 0;
}

static bool receive_word(void *context, uint32_t from, uint32_t to, struct hf_shard_word *word)
{
    const struct divided *divided = context;

    return rte_ring_sc_dequeue_elem(divided->words[from * divided->count + to], word,
                                    sizeof *word) == 0;
}

/* ---- making them ---- */

static enum hf_status no_memory(struct hf_fault *fault)
{
    snprintf(fault->line, sizeof fault->line, "no memory for the shards");
    return HF_STATUS_NO_MEMORY;
}

static enum hf_status make_words(struct divided *divided, const uint32_t processors[],
                                 struct hf_fault *fault)
{
    const uint32_t count = divided->count;

    divided->words = calloc((size_t)count * count, sizeof *divided->words);
    if (divided->words == NULL)
        return no_memory(fault);
    for (uint32_t from = 0; from < count; from++) {
        for (uint32_t to = 0; to < count; to++) {
            struct rte_ring **ring = &divided->words[from * count + to];
            if (from != to && (*ring = ring_create_near(sizeof(struct hf_shard_word), WORDS,
                                                        processors[to])) == NULL)
                return no_memory(fault);
        }
    }
    return HF_STATUS_OK;
}

static enum hf_status make_pollers(struct divided *divided, const uint32_t processors[],
                                   struct hf_fault *fault)
{
    size_t bytes = divided->count * sizeof *divided->pollers;

    divided->pollers = aligned_alloc(64, bytes);
    if (divided->pollers == NULL)
        return no_memory(fault);
    memset(divided->pollers, 0, bytes);
    for (uint32_t i = 0; i < divided->count; i++) {
        struct shard_poller *poller = &divided->pollers[i];
        poller->shard = hf_shards_at(divided->shards, i);
        poller->works = ring_create_near(sizeof(void *), HF_WORKS_MAX, processors[i]);
        poller->finished = ring_create(HF_WORKS_MAX);
        if (poller->works == NULL || poller->finished == NULL)
            return no_memory(fault);
    }
    return HF_STATUS_OK;
}

/* Each shard's own part of the memory lies with it; the directories, which are the gate's, lie
 * where they are touched. */
static void place_parts(const struct divided *divided, const uint32_t processors[])
{
    for (uint32_t i = 0; i < divided->count; i++) {
        const struct memory_place place = {MEMORY_NEAR, processors[i]};
        memory_put(hf_shards_at(divided->shards, i), hf_shard_size(), &place);
    }
}

enum hf_status divide_create(struct divided *divided, struct hf_ledger *ledger,
                             const uint32_t processors[], struct hf_fault *fault)
{
    const struct hf_shard_mail mail = {divided, send_word, receive_word};
    const struct memory_place anywhere = {MEMORY_ANYWHERE, 0};
    const size_t works_bytes = HF_WORKS_MAX * hf_work_size();
    enum hf_status status;

    divided->memory_bytes = hf_shards_memory_size(hf_ledger_limits_of(ledger), divided->count);
    if (divided->memory_bytes == 0) {
        snprintf(fault->line, sizeof fault->line,
                 "ledger.remembered: a ledger with shards remembers %u operations at least",
                 HF_SHARD_ANSWERS);
        return HF_STATUS_INVALID;
    }
    divided->memory = memory_map(divided->memory_bytes, false, &anywhere, fault);
    if (divided->memory == NULL)
        return HF_STATUS_NO_MEMORY;
    divided->shards =
        hf_shards_create(ledger, divided->count, &mail, divided->memory, divided->memory_bytes);
    assert(divided->shards != NULL);
    place_parts(divided, processors);
    divided->works = aligned_alloc(64, works_bytes);
    if (divided->works == NULL)
        return no_memory(fault);
    memset(divided->works, 0, works_bytes);
    status = make_words(divided, processors, fault);
    return status == HF_STATUS_OK ? make_pollers(divided, processors, fault) : status;
}

void divide_release(struct divided *divided)
{
    for (uint32_t i = 0; divided->pollers != NULL && i < divided->count; i++) {
        ring_destroy(divided->pollers[i].works);
        ring_destroy(divided->pollers[i].finished);
    }
    for (uint32_t i = 0; divided->words != NULL && i < divided->count * divided->count; i++)
        ring_destroy(divided->words[i]);
    free(divided->pollers);
    free(divided->words);
    free(divided->works);
    if (divided->memory != NULL)
        memory_unmap(divided->memory, divided->memory_bytes);
    *divided = (struct divided){0};
}

/* ---- the order poller's ---- */

static struct hf_work *work_at(const struct divided *divided, uint32_t number)
{
    return (struct hf_work *)(void *)(divided->works + number * hf_work_size());
}

bool divide_submit(struct divided *divided, uint64_t timestamp_ns, struct bundle *bundle,
                   uint64_t *placed)
{
    struct hf_work *work = work_at(divided, divided->next_work);

    if (!hf_shards_submit(divided->shards, timestamp_ns, bundle->operations,
                          bundle->operation_count, bundle->replies, work, placed))
        return false;
    divided->bundles[divided->next_work] = bundle;
    divided->next_work = (divided->next_work + 1) % HF_WORKS_MAX;
    for (uint64_t left = hf_work_shards(work); left != 0; left &= left - 1) {
        if (!ring_put(divided->pollers[__builtin_ctzll(left)].works, work))
            assert(!"the ring has room for every work");
    }
    return true;
}

struct bundle *divide_collect(struct divided *divided)
{
    uint32_t oldest =
        (divided->next_work + HF_WORKS_MAX - hf_shards_under_way(divided->shards)) % HF_WORKS_MAX;

    for (uint32_t i = 0; i < divided->count; i++) {
        struct hf_work *work;
        while ((work = ring_get(divided->pollers[i].finished)) != NULL)
            hf_work_finished(work);
    }
    return hf_shards_collect(divided->shards) == NULL ? NULL : divided->bundles[oldest];
}

void divide_renew(struct divided *divided)
{
    hf_shards_renew(divided->shards);
}

/* ---- a shard's ---- */

static void publish(struct shard_poller *poller)
{
    const struct hf_shard_counts *counts = hf_shard_count(poller->shard);

    counter_set(&poller->works_done, counts->works);
    counter_set(&poller->operations, counts->operations);
    counter_set(&poller->lent, counts->lent);
    counter_set(&poller->borrowed, counts->borrowed);
    counter_set(&poller->words, counts->words);
    counter_set(&poller->waits, counts->waits);
}

uint32_t shard_poll(struct shard_poller *poller)
{
    uint32_t finished = 0;

    while (finished < POLL_WORKS) {
        if (poller->work == NULL) {
            poller->work = ring_get(poller->works);
            if (poller->work == NULL)
                break;
            hf_shard_begin(poller->shard, poller->work);
        }
        if (!hf_shard_step(poller->shard))
            break;
        if (!ring_put(poller->finished, poller->work))
            assert(!"the ring has room for every work");
        poller->work = NULL;
        finished++;
    }
    if (finished != 0)
        publish(poller);
    return finished;
}

bool shard_is_pending(const struct shard_poller *poller)
{
    return poller->work != NULL || ring_count(poller->works) != 0;
}
