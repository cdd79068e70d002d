#include "bench/instructions_shards.h"

#include "engine/shard.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 4 /* a shard says no more than that before it is listened to */

struct mailbox {
    struct hf_shard_word words[WORDS];
    uint32_t head, tail;
};

static struct mailbox mailboxes[HF_BENCH_DIVIDED_MAX][HF_BENCH_DIVIDED_MAX];
static struct hf_shards *divided;
static struct hf_work *work;
static uint32_t count;

static bool send_word(void *context, uint32_t from, uint32_t to, const struct hf_shard_word *word)
{
    struct mailbox *box = &mailboxes[from][to];

    (void)context;
    if (box->tail - box->head == WORDS)
        return false;
    box->words[box->tail++ % WORDS] = *word;
    return true;
}

static bool receive_word(void *context, uint32_t from, uint32_t to, struct hf_shard_word *word)
{
    struct mailbox *box = &mailboxes[from][to];

    (void)context;
    if (box->tail == box->head)
        return false;
    *word = box->words[box->head++ % WORDS];
    return true;
}

bool hf_bench_divide(struct hf_bench_ledger *fixture, uint32_t shards)
{
    const struct hf_shard_mail mail = {NULL, send_word, receive_word};
    size_t size = hf_shards_memory_size(hf_ledger_limits_of(fixture->ledger), shards);
    void *memory = size == 0 ? NULL : aligned_alloc(64, (size + 63) / 64 * 64);

    work = aligned_alloc(64, hf_work_size());
    if (memory == NULL || work == NULL || shards > HF_BENCH_DIVIDED_MAX)
        return false;
    memset(memory, 0, size);
    memset(work, 0, hf_work_size());
    divided = hf_shards_create(fixture->ledger, shards, &mail, memory, size);
    count = shards;
    return divided != NULL;
}

void hf_bench_divided_apply(uint64_t timestamp_ns, const union hf_operation *const operations[],
                            struct hf_reply replies[])
{
    uint64_t placed;
    uint64_t left;

    if (!hf_shards_submit(divided, timestamp_ns, operations, HF_BUNDLE_OPERATIONS_MAX, replies,
                          work, &placed))
        assert(!"nothing else is under way");
    left = hf_work_shards(work);
    for (uint32_t i = 0; i < count; i++) {
        if ((left >> i & 1) != 0)
            hf_shard_begin(hf_shards_at(divided, i), work);
    }
    while (left != 0) {
        for (uint32_t i = 0; i < count; i++) {
            if ((left >> i & 1) == 0 || !hf_shard_step(hf_shards_at(divided, i)))
                continue;
            hf_work_finished(work);
            left &= ~(UINT64_C(1) << i);
        }
    }
    if (hf_shards_collect(divided) != work)
        assert(!"it has just been finished");
}
