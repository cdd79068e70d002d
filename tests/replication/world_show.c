/* The small world as bytes to be remembered by, and as text for people. */
#include "world_inside.h"

/* ---- Packing ---- */

/* The parts of a world that differ between states, in words: not the options, and of the tables no
 * more epochs than a walk has. */
#define TABLE_ROOM 8

struct part {
    size_t from;
    size_t to;
};

#define WORDS_TO(member) (offsetof(struct world_node, member) / sizeof(uint64_t))

static const struct part node_parts[] = {
    {WORDS_TO(replica.role), WORDS_TO(replica.epochs.starts[TABLE_ROOM])},
    {WORDS_TO(replica.last), WORDS_TO(epochs.starts[TABLE_ROOM])},
    {WORDS_TO(question), sizeof(struct world_node) / sizeof(uint64_t)},
};
_Static_assert(offsetof(struct hf_replica, role) == sizeof(struct hf_replica_options),
               "options first");
_Static_assert(sizeof(struct world_node) % sizeof(uint64_t) == 0, "whole words");

#define PARTS (WORLD_NODES * 3 + 1)

static struct part part_of_world(uint32_t number)
{
    const size_t node_words = sizeof(struct world_node) / sizeof(uint64_t);
    if (number == PARTS - 1) {
        return (struct part){offsetof(struct world, config) / sizeof(uint64_t),
                             sizeof(struct world) / sizeof(uint64_t)};
    }
    struct part part = node_parts[number % 3];
    part.from += number / 3 * node_words;
    part.to += number / 3 * node_words;
    return part;
}

/* Word after word: how many zeros come before it, then the word in sevens of bits. */
uint32_t world_pack(const struct world *w, uint8_t packed[WORLD_PACKED_MAX])
{
    const uint64_t *words = (const uint64_t *)(const void *)w;
    uint32_t size = 0;
    uint32_t zeros = 0;
    for (uint32_t p = 0; p < PARTS; p++) {
        struct part part = part_of_world(p);
        for (size_t i = part.from; i < part.to; i++) {
            uint64_t word = words[i];
            if (word == 0) {
                zeros++;
                continue;
            }
            for (; zeros >= 255; zeros -= 255) {
                packed[size++] = 255;
            }
            packed[size++] = (uint8_t)zeros;
            zeros = 0;
            for (; word > 127; word >>= 7) {
                packed[size++] = (uint8_t)(word & 127) | 128;
            }
            packed[size++] = (uint8_t)word;
            assert(size + 16 < WORLD_PACKED_MAX);
        }
    }
    return size;
}

void world_unpack(const uint8_t *packed, uint32_t size, struct world *w)
{
    memset(w, 0, sizeof *w);
    uint64_t *words = (uint64_t *)(void *)w;
    struct part part = part_of_world(0);
    uint32_t p = 0;
    size_t at = part.from;
    for (uint32_t i = 0; i < size;) {
        for (; packed[i] == 255; i++) {
            at += 255;
        }
        at += packed[i++];
        while (at >= part.to) {
            size_t over = at - part.to;
            part = part_of_world(++p);
            at = part.from + over;
        }
        uint64_t word = 0;
        for (uint32_t shift = 0;; shift += 7) {
            word |= (uint64_t)(packed[i] & 127) << shift;
            if (packed[i++] < 128) {
                break;
            }
        }
        words[at++] = word;
    }
    for (uint32_t n = 0; n < WORLD_NODES; n++) {
        if (w->nodes[n].is_up) {
            world_set_options(&w->nodes[n].replica.options, n);
        }
    }
}

/* ---- For people ---- */

static const char *const act_names[WORLD_ACTS] = {
    "beacon is due",
    "patience runs out",
    "gets",
    "gets a copy of",
    "loses",
    "appends",
    "has flushed",
    "saved",
    "has cut",
    "arbiter executes",
    "is answered",
    "answer is lost",
    "answer is lost, the swap is late",
    "late swap",
    "crashes",
    "restarts",
    "sees time pass",
    "reads",
    "checks its lease",
};

void world_print_action(const struct world *w, struct world_action action, FILE *to)
{
    fprintf(to, "node %u %s", action.node + 1u, act_names[action.act]);
    if (action.act == WORLD_DELIVER || action.act == WORLD_REPEAT || action.act == WORLD_LOSE) {
        const struct hf_message *m = &w->nodes[action.node].letters[action.detail];
        fprintf(to, " %s(e%lu i%lu of e%lu, commit %lu, promise %lu)",
                hf_message_kind_name(m->kind), (unsigned long)m->epoch, (unsigned long)m->index,
                (unsigned long)m->record_epoch, (unsigned long)m->commit,
                (unsigned long)m->promise);
    } else if (action.act == WORLD_CRASH || action.act == WORLD_APPEND) {
        fprintf(to, " (%u)", action.detail);
    }
    fprintf(to, "\n");
}

static void print_log(const struct world_log *log, FILE *to)
{
    for (uint64_t i = 1; i <= log->count; i++) {
        fprintf(to, " %lu%c", (unsigned long)epoch_of(log, i),
                what_is(log, i) == WORLD_MARK ? '*' : (char)('a' + what_is(log, i) - 1));
    }
}

void world_print(const struct world *w, FILE *to)
{
    for (uint32_t n = 0; n < WORLD_NODES; n++) {
        const struct world_node *node = &w->nodes[n];
        const struct hf_replica *r = &node->replica;
        fprintf(to, "    node %u.%lu %s epoch %lu promise %lu/%lu commit %lu flushed %lu%s%s log",
                n + 1, (unsigned long)node->incarnation,
                node->is_up ? hf_role_name((enum hf_role)r->role) : "down", (unsigned long)r->epoch,
                (unsigned long)r->promise, (unsigned long)node->promise, (unsigned long)r->commit,
                (unsigned long)r->flushed, r->is_verified ? " verified" : "",
                r->is_fenced ? " fenced" : "");
        print_log(&node->log, to);
        fprintf(to, "\n");
    }
    fprintf(to, "    CFG e%lu primary %u I {%u.%lu %u.%lu}, committed",
            (unsigned long)w->config.epoch, w->config.primary, w->config.insync[0].node,
            (unsigned long)w->config.insync[0].incarnation, w->config.insync[1].node,
            (unsigned long)w->config.insync[1].incarnation);
    print_log(&w->committed, to);
    fprintf(to, "\n");
}
