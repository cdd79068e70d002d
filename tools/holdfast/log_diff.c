#include "log_diff.h"

#include "log_books.h"
#include "log_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What of a record is compared and told. */
struct entry {
    uint64_t index;
    struct hf_hash hash;
    uint64_t first_place;
    uint64_t timestamp_ns;
    uint64_t count;
};

struct side {
    const char *directory;
    struct log_books books;
    struct entry *list;
    uint64_t count;
    uint64_t capacity;
};

static enum hf_status take_record(void *context, const struct hf_record_header *record,
                                  struct hf_fault *fault)
{
    struct side *side = context;
    if (side->count == side->capacity) {
        uint64_t capacity = side->capacity == 0 ? 4096 : 2 * side->capacity;
        struct entry *list = realloc(side->list, capacity * sizeof *list);
        if (list == NULL) {
            snprintf(fault->line, sizeof fault->line, "no memory for %" PRIu64 " records",
                     capacity);
            return HF_STATUS_NO_MEMORY;
        }
        side->list = list;
        side->capacity = capacity;
    }
    side->list[side->count++] = (struct entry){
        .index = record->index,
        .hash = record->hash,
        .first_place = record->first_place,
        .timestamp_ns = record->timestamp_ns,
        .count = record->count,
    };
    return HF_STATUS_OK;
}

/* Reads one of the two; its directory stands before whatever is wrong with it. */
static enum hf_status read_side(struct side *side, const char *directory, struct hf_fault *fault)
{
    side->directory = directory;
    enum hf_status status = log_books_open(&side->books, directory, fault);
    if (status == HF_STATUS_OK)
        status = log_books_read(&side->books, take_record, side, fault);
    if (status != HF_STATUS_OK)
        log_books_name_directory(directory, fault);
    return status;
}

static void describe_entry(json_t *object, const char *key, const struct side *side,
                           const struct entry *entry)
{
    json_t *inner = json_object();
    log_json_set_text(inner, "directory", side->directory);
    log_json_set_hash(inner, "hash", entry->hash);
    log_json_set_number(inner, "first_place", entry->first_place);
    log_json_set_number(inner, "count", entry->count);
    log_json_set_number(inner, "timestamp_ns", entry->timestamp_ns);
    json_object_set_new(object, key, inner);
}

static uint64_t end_of(const struct side *side)
{
    return side->count == 0 ? 0 : side->list[side->count - 1].index;
}

/* Tells in one line for a person, or in one object. */
static void tell(const struct side sides[2], uint64_t first, uint64_t compared,
                 const struct entry *one, const struct entry *other, bool json)
{
    json_t *object = json_object();
    const struct side *shorter = end_of(&sides[0]) < end_of(&sides[1]) ? &sides[0] : &sides[1];
    const char *relation = one != NULL                              ? "differ"
                           : end_of(&sides[0]) == end_of(&sides[1]) ? "same"
                                                                    : "prefix";
    log_json_set_text(object, "relation", relation);
    log_json_set_number(object, "first_record", first);
    log_json_set_number(object, "records_same", compared);
    if (one != NULL) {
        log_json_set_number(object, "record", one->index);
        describe_entry(object, "one", &sides[0], one);
        describe_entry(object, "other", &sides[1], other);
    } else if (shorter != NULL && strcmp(relation, "prefix") == 0) {
        log_json_set_text(object, "shorter", shorter->directory);
        log_json_set_number(object, "shorter_ends", end_of(shorter));
        log_json_set_number(object, "longer_ends",
                            end_of(shorter == &sides[0] ? &sides[1] : &sides[0]));
    }
    if (json) {
        log_json_print(object);
    } else if (one != NULL) {
        printf("differ at record %" PRIu64 ", after %" PRIu64 " that are the same: place %" PRIu64
               " in %s, place %" PRIu64 " in %s\n",
               one->index, compared, one->first_place, sides[0].directory, other->first_place,
               sides[1].directory);
    } else {
        log_json_print_line("", object);
    }
    json_decref(object);
}

static enum hf_status compare(const struct side sides[2], bool json, bool *same,
                              struct hf_fault *fault)
{
    const struct side *one = &sides[0];
    const struct side *other = &sides[1];
    if (!hf_id_equal(one->books.superblock.cluster, other->books.superblock.cluster)) {
        snprintf(fault->line, sizeof fault->line, "%.110s and %.110s are of two clusters",
                 one->directory, other->directory);
        return HF_STATUS_WRONG_CLUSTER;
    }
    uint64_t first = 1;
    for (int i = 0; i < 2; i++) {
        if (sides[i].count != 0 && sides[i].list[0].index > first)
            first = sides[i].list[0].index;
    }
    if ((one->count != 0 && first > end_of(one)) || (other->count != 0 && first > end_of(other))) {
        snprintf(fault->line, sizeof fault->line, "%.110s and %.110s have no record in common",
                 one->directory, other->directory);
        return HF_STATUS_NOT_FOUND;
    }
    uint64_t last = end_of(one) < end_of(other) ? end_of(one) : end_of(other);
    for (uint64_t index = first; index <= last; index++) {
        const struct entry *a = &one->list[index - one->list[0].index];
        const struct entry *b = &other->list[index - other->list[0].index];
        if (!hf_hash_equal(a->hash, b->hash)) {
            tell(sides, first, index - first, a, b, json);
            return HF_STATUS_OK;
        }
    }
    *same = end_of(one) == end_of(other);
    tell(sides, first, last + 1 - first, NULL, NULL, json);
    return HF_STATUS_OK;
}

enum hf_status log_diff(const char *const directories[2], bool json, bool *same,
                        struct hf_fault *fault)
{
    struct side sides[2] = {{0}};
    enum hf_status status = HF_STATUS_OK;
    *same = false;
    for (int i = 0; i < 2 && status == HF_STATUS_OK; i++)
        status = read_side(&sides[i], directories[i], fault);
    if (status == HF_STATUS_OK)
        status = compare(sides, json, same, fault);
    for (int i = 0; i < 2; i++) {
        log_books_close(&sides[i].books);
        free(sides[i].list);
    }
    return status;
}
