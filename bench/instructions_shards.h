/* The bundles of a pool through a ledger divided among shards, all in one thread: for counting
 * instructions, stage by stage. */
#ifndef HF_BENCH_INSTRUCTIONS_SHARDS_H
#define HF_BENCH_INSTRUCTIONS_SHARDS_H

#include "bench/ledger_fixture.h"

#define HF_BENCH_DIVIDED_MAX 8

/* Divides the fixture's ledger; once. False: no memory. */
bool hf_bench_divide(struct hf_bench_ledger *fixture, uint32_t shards);

/* One bundle through gate and shards. The stages are functions that are not inlined, so that a
 * profile tells them apart: hf_shards_submit, hf_shard_begin, hf_shard_step, hf_shards_collect. */
void hf_bench_divided_apply(uint64_t timestamp_ns, const union hf_operation *const operations[],
                            struct hf_reply replies[]);

#endif
