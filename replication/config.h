/* CFG, the one value that the arbiter keeps for a group: who leads, and who must hold a copy.
 *
 *      0  epoch          8  0: nothing has been written yet
 *      8  primary        4  node
 *     12  durability     4  enum hf_durability, of the primary that wrote it
 *     16  insync        32  two times { incarnation 8, node 4, zero 4 }; node 0: none
 *
 * It is changed only by compare-and-swap of the whole value, one epoch up each time (I1). Pure. */
#ifndef HF_REPLICATION_CONFIG_H
#define HF_REPLICATION_CONFIG_H

#include "engine/operation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HF_GROUP_NODES 2

/* Where an arbiter that keeps many things keeps CFG: a key, of the cluster's id as text. */
#define HF_CONFIG_KEY_FORMAT "/holdfast/%s/cfg"

struct hf_member {
    uint64_t incarnation;
    uint32_t node; /* from 1 */
    uint32_t reserved;
};

struct hf_config {
    uint64_t epoch;
    uint32_t primary;
    uint32_t durability;
    struct hf_member insync[HF_GROUP_NODES]; /* the primary first */
};
_Static_assert(sizeof(struct hf_config) == 48, "CFG");
_Static_assert(offsetof(struct hf_config, insync) == 16, "CFG insync");

/* The member of that node, NULL when it is not in I. */
static inline const struct hf_member *hf_config_member(const struct hf_config *config,
                                                       uint32_t node)
{
    for (int i = 0; i < HF_GROUP_NODES; i++) {
        if (config->insync[i].node == node) {
            return &config->insync[i];
        }
    }
    return NULL;
}

/* Whether this life of the node holds all that I is relied on for. What is flushed outlives a
 * restart; what is only in memory does not, so in pair-fast another incarnation is nobody. */
static inline bool hf_config_counts(const struct hf_config *config, uint32_t node,
                                    uint64_t incarnation)
{
    const struct hf_member *member = hf_config_member(config, node);
    return member != NULL &&
           (config->durability != HF_DURABILITY_PAIR_FAST || member->incarnation == incarnation);
}

static inline bool hf_config_is_pair(const struct hf_config *config)
{
    return config->insync[1].node != 0;
}

static inline bool hf_config_equal(const struct hf_config *a, const struct hf_config *b)
{
    return a->epoch == b->epoch && a->primary == b->primary && a->durability == b->durability &&
           a->insync[0].node == b->insync[0].node && a->insync[1].node == b->insync[1].node &&
           a->insync[0].incarnation == b->insync[0].incarnation &&
           a->insync[1].incarnation == b->insync[1].incarnation;
}

#endif
