/* The table's slower half: what needs more than the first guess. */
#include "table.h"

#include <assert.h>
#include <string.h>

/* 2^31 keys at 12.5 a group make 2.58 * 10^9 lines: every slot fits 32 bits, and so does NONE. */
#define CAPACITY_MAX   (UINT64_C(1) << 31)
#define OVERFLOW_STUCK UINT8_MAX

void hf_table_create(struct hf_table *table, struct hf_arena *arena, uint64_t capacity)
{
    assert(capacity >= 1);
    assert(capacity <= CAPACITY_MAX);
    uint64_t group_count = (capacity * 2 + 24) / 25;

    table->groups = hf_arena_take(arena, group_count, sizeof(struct hf_table_group));
    table->lines = hf_arena_take(arena, group_count * HF_TABLE_GROUP_LINES, HF_TABLE_LINE_SIZE);
    table->group_count = (uint32_t)group_count;
    table->line_count = (uint32_t)group_count * HF_TABLE_GROUP_LINES;
    table->capacity = (uint32_t)capacity;
    table->count = 0;
}

uint32_t hf_table_find(const struct hf_table *table, struct hf_id key, uint64_t hash)
{
    uint32_t group = hf_table_home(table, hash);
    uint8_t tag = hf_table_tag(hash);

    assert(!hf_id_is_reserved(key));
    /* All overflow counts may have stuck: the number of groups bounds the walk. */
    for (uint32_t probes = 0; probes < table->group_count; probes++) {
        const struct hf_table_group *control = &table->groups[group];
        uint32_t mask = hf_table_match(control, tag);
        for (; mask != 0; mask &= mask - 1) {
            uint32_t slot = group * HF_TABLE_GROUP_LINES + (uint32_t)__builtin_ctz(mask);
            if (hf_id_equal(hf_table_key(table, slot), key))
                return slot;
        }
        if (control->overflow == 0)
            return HF_TABLE_NONE;
        group = hf_table_group_after(table, group);
    }
    return HF_TABLE_NONE;
}

/* Leaves word in a key's home that it lies elsewhere, if that is near enough to say. */
static void guide(struct hf_table *table, uint32_t home, uint32_t slot, uint64_t hash)
{
    struct hf_table_place *place = hf_table_line(table, home);
    int64_t away = (int64_t)slot - (int64_t)home;

    if (away != 0 && away >= INT8_MIN && away <= INT8_MAX)
        place->guides[hf_table_guide_index(hash)] = (int8_t)away;
}

uint32_t hf_table_insert(struct hf_table *table, struct hf_id key, uint64_t hash)
{
    uint32_t home = hf_table_home_slot(table, hash);
    uint32_t group = home / HF_TABLE_GROUP_LINES;
    uint32_t index = home % HF_TABLE_GROUP_LINES;
    uint32_t mask;

    assert(!hf_id_is_reserved(key));
    if (table->count == table->capacity)
        return HF_TABLE_NONE;
    /* Ends: there are more lines than keys. */
    while ((mask = hf_table_match(&table->groups[group], 0)) == 0) {
        if (table->groups[group].overflow != OVERFLOW_STUCK)
            table->groups[group].overflow++;
        group = hf_table_group_after(table, group);
        index = 0;
    }
    index = hf_table_choose(mask, index);
    uint32_t slot = group * HF_TABLE_GROUP_LINES + index;
    table->groups[group].tags[index] = hf_table_tag(hash);
    table->count++;
    *(struct hf_id *)hf_table_line(table, slot) = key;
    guide(table, home, slot, hash);
    return slot;
}

void hf_table_delete(struct hf_table *table, uint32_t slot)
{
    uint32_t holder = slot / HF_TABLE_GROUP_LINES;
    uint32_t index = slot % HF_TABLE_GROUP_LINES;

    assert(holder < table->group_count);
    assert(table->groups[holder].tags[index] != 0);
    /* Take back what the insert counted on its way here. */
    uint32_t group = hf_table_home(table, hf_id_hash(hf_table_key(table, slot)));
    for (; group != holder; group = hf_table_group_after(table, group)) {
        assert(table->groups[group].overflow != 0);
        if (table->groups[group].overflow != OVERFLOW_STUCK)
            table->groups[group].overflow--;
    }
    table->groups[holder].tags[index] = 0;
    table->count--;
    memset(hf_table_line(table, slot), 0, HF_TABLE_LINE_SIZE - HF_TABLE_GUIDES);
}

void hf_table_restore(struct hf_table *table, uint32_t slot, const void *line)
{
    uint32_t holder = slot / HF_TABLE_GROUP_LINES;
    uint32_t index = slot % HF_TABLE_GROUP_LINES;

    assert(holder < table->group_count);
    assert(table->groups[holder].tags[index] == 0);
    memcpy(hf_table_line(table, slot), line, HF_TABLE_LINE_SIZE);
    uint64_t hash = hf_id_hash(hf_table_key(table, slot));
    for (uint32_t group = hf_table_home(table, hash); group != holder;
         group = hf_table_group_after(table, group)) {
        if (table->groups[group].overflow != OVERFLOW_STUCK)
            table->groups[group].overflow++;
    }
    table->groups[holder].tags[index] = hf_table_tag(hash);
    table->count++;
}

uint32_t hf_table_next(const struct hf_table *table, uint32_t slot)
{
    while (slot < table->line_count) {
        const struct hf_table_group *control = &table->groups[slot / HF_TABLE_GROUP_LINES];
        uint32_t index = slot % HF_TABLE_GROUP_LINES;
        uint32_t free_lines = hf_table_match(control, 0);
        uint32_t taken = ~free_lines & ((1u << HF_TABLE_GROUP_LINES) - 1) & ~((1u << index) - 1);
        if (taken != 0)
            return slot - index + (uint32_t)__builtin_ctz(taken);
        slot += HF_TABLE_GROUP_LINES - index;
    }
    return HF_TABLE_NONE;
}
