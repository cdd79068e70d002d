#include "log_arbiter.h"

#include "log_books.h"
#include "log_file.h"
#include "log_json.h"
#include "replication/config.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

struct side {
    const char *directory;
    struct hf_superblock superblock;
    uint64_t epoch; /* newest that it has a record of, or knows the beginning of */
    uint64_t last_index;
    struct hf_hash last_hash;
};

static enum hf_status skip_record(void *context, const struct hf_record_header *record,
                                  struct hf_fault *fault)
{
    (void)context;
    (void)record;
    (void)fault;
    return HF_STATUS_OK;
}

/* Reads a whole log: a node that cannot start on it cannot lead either. */
static enum hf_status read_log(struct side *side, struct log_books *books, struct hf_fault *fault)
{
    enum hf_status status = log_books_open(books, side->directory, fault);
    if (status != HF_STATUS_OK)
        return status;
    if (books->is_running) {
        snprintf(fault->line, sizeof fault->line, "a node runs on it: stop both nodes first");
        return HF_STATUS_AGAIN;
    }
    if (books->superblock.peer_node == 0) {
        snprintf(fault->line, sizeof fault->line, "it is not of a pair");
        return HF_STATUS_INVALID;
    }
    status = log_books_read(books, skip_record, NULL, fault);
    side->superblock = books->superblock;
    side->epoch = hf_superblock_epoch(&books->superblock);
    if (books->state.last_epoch > side->epoch)
        side->epoch = books->state.last_epoch;
    side->last_index = books->state.last_index;
    side->last_hash = books->state.last_hash;
    return status;
}

static enum hf_status read_side(struct side *side, const char *directory, struct hf_fault *fault)
{
    struct log_books books;

    *side = (struct side){.directory = directory};
    enum hf_status status = read_log(side, &books, fault);
    log_books_close(&books);
    if (status != HF_STATUS_OK)
        log_books_name_directory(directory, fault);
    return status;
}

/* Can they be the two nodes of one pair? */
static enum hf_status check_both(const struct side sides[2], struct hf_fault *fault)
{
    const struct hf_superblock *one = &sides[0].superblock;
    const struct hf_superblock *other = &sides[1].superblock;

    if (!hf_id_equal(one->cluster, other->cluster)) {
        snprintf(fault->line, sizeof fault->line, "%.110s and %.110s are of two clusters",
                 sides[0].directory, sides[1].directory);
        return HF_STATUS_WRONG_CLUSTER;
    }
    if (one->node == other->node) {
        snprintf(fault->line, sizeof fault->line, "%.110s and %.110s are both of node %" PRIu32,
                 sides[0].directory, sides[1].directory, one->node);
        return HF_STATUS_INVALID;
    }
    if (sides[0].epoch == sides[1].epoch && sides[0].last_index == sides[1].last_index &&
        !hf_hash_equal(sides[0].last_hash, sides[1].last_hash)) {
        snprintf(fault->line, sizeof fault->line,
                 "%.80s and %.80s end with other records of one epoch: see holdfast log diff",
                 sides[0].directory, sides[1].directory);
        return HF_STATUS_DIVERGED;
    }
    return HF_STATUS_OK;
}

/* Everything that was answered is in this one's log, if in any (I4): the newest epoch's primary had
 * it when the epoch began, and whoever counted has what was answered in it. */
static bool is_further(const struct side *one, const struct side *other)
{
    if (one->epoch != other->epoch)
        return one->epoch > other->epoch;
    return one->last_index > other->last_index;
}

/* An epoch that neither is ahead of: both take it for what they left behind. A promise is one more
 * than the CFG that it was made under. */
static uint64_t epoch_for(const struct side sides[], uint32_t count)
{
    uint64_t epoch = 1;

    for (uint32_t i = 0; i < count; i++) {
        uint64_t promised = sides[i].superblock.promised_epoch;
        if (sides[i].epoch > epoch)
            epoch = sides[i].epoch;
        if (promised > epoch + 1)
            epoch = promised - 1;
    }
    return epoch;
}

static void print(const struct side *leads, const struct hf_config *config, bool is_only,
                  const char *key, const char *path)
{
    printf("node %" PRIu32 " leads alone from epoch %" PRIu64 " on: %s ends with record %" PRIu64
           " of epoch %" PRIu64 "\n",
           config->primary, config->epoch + 1, leads->directory, leads->last_index, leads->epoch);
    if (is_only)
        printf("what the other node alone had is lost\n");
    printf("etcdctl put %s < %s\n", key, path);
}

static void print_json(const struct side *leads, const struct hf_config *config, const char *key,
                       const char *path)
{
    json_t *object = json_object();

    log_json_set_number(object, "node", config->primary);
    log_json_set_text(object, "directory", leads->directory);
    log_json_set_number(object, "epoch", config->epoch);
    log_json_set_number(object, "last_record", leads->last_index);
    log_json_set_number(object, "last_epoch", leads->epoch);
    log_json_set_text(object, "key", key);
    log_json_set_text(object, "file", path);
    log_json_print(object);
    json_decref(object);
}

enum hf_status log_arbiter(const char *const directories[], uint32_t count, const char *path,
                           bool json, struct hf_fault *fault)
{
    struct side sides[2] = {{0}};
    const struct side *leads = &sides[0];

    assert(count == 1 || count == 2);
    for (uint32_t i = 0; i < count; i++) {
        enum hf_status status = read_side(&sides[i], directories[i], fault);
        if (status != HF_STATUS_OK)
            return status;
    }
    if (count == 2) {
        enum hf_status status = check_both(sides, fault);
        if (status != HF_STATUS_OK)
            return status;
        leads = is_further(&sides[1], &sides[0]) ? &sides[1] : &sides[0];
    }
    /* Counted on whatever its incarnation: as pair-safe does. When it leads it writes its own. */
    const struct hf_config config = {
        .epoch = epoch_for(sides, count),
        .primary = leads->superblock.node,
        .durability = HF_DURABILITY_PAIR_SAFE,
        .insync = {{.incarnation = leads->superblock.incarnation, .node = leads->superblock.node}},
    };
    enum hf_status status =
        log_file_write("the arbiter's value", path, &config, sizeof config, fault);
    if (status != HF_STATUS_OK)
        return status;
    char cluster[HF_ID_TEXT_SIZE];
    char key[HF_ID_TEXT_SIZE + 32];
    hf_id_format(leads->superblock.cluster, cluster);
    snprintf(key, sizeof key, HF_CONFIG_KEY_FORMAT, cluster);
    if (json)
        print_json(leads, &config, key, path);
    else
        print(leads, &config, count == 1, key, path);
    return HF_STATUS_OK;
}
