#include "arbiter_operator.h"

#include "wal/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "pair-config"

/* The file: 80 bytes. */
struct kept {
    char magic[8]; /* "HFPAIRCF" */
    struct hf_id cluster;
    struct hf_config config;
    struct hf_hash hash; /* of all before it */
};
_Static_assert(sizeof(struct kept) == 88, "kept");

struct operator_state {
    char directory[CONFIG_TEXT_SIZE];
    struct hf_id cluster;
    pthread_mutex_t lock;
    struct hf_config config;
    bool is_permitted;
    bool leads;     /* by a change of this life */
    bool may_found; /* who may not has no use for "there is no CFG", which need not be so */
};

static struct hf_hash hash_of(const struct kept *kept)
{
    return hf_hash_of(kept, offsetof(struct kept, hash));
}

static bool write_all(int file, const void *bytes, size_t length)
{
    return write(file, bytes, length) == (ssize_t)length && fsync(file) == 0;
}

/* Under a temporary name, flushed, renamed, the directory flushed. */
static bool keep(struct operator_state *state, const struct hf_config *config)
{
    struct kept kept = {.magic = "HFPAIRCF", .cluster = state->cluster, .config = *config};
    int directory = open(state->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int file = -1;
    bool kept_well = false;

    kept.hash = hash_of(&kept);
    if (directory >= 0)
        file = openat(directory, FILE_NAME ".tmp", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file >= 0)
        kept_well = write_all(file, &kept, sizeof kept) &&
                    renameat(directory, FILE_NAME ".tmp", directory, FILE_NAME) == 0 &&
                    fsync(directory) == 0;
    if (file >= 0)
        close(file);
    if (directory >= 0)
        close(directory);
    if (kept_well)
        state->config = *config;
    else
        fprintf(stderr, "holdfastd: " FILE_NAME ": %s\n", strerror(errno));
    return kept_well;
}

/* What may be changed without asking: the standby of a primary that stays the primary; the first
 * CFG of all. */
static bool may_change(const struct operator_state *state, const struct hf_question *question)
{
    if (question->expected.epoch == 0 || state->is_permitted)
        return true;
    return state->leads && question->wanted.insync[1].node != 0;
}

static enum hf_answer_kind swap(struct operator_state *state, const struct hf_question *question,
                                struct hf_config *config)
{
    if (!hf_config_equal(&state->config, &question->expected)) {
        *config = state->config;
        return HF_ANSWER_VALUE;
    }
    if (!may_change(state, question) || !keep(state, &question->wanted))
        return HF_ANSWER_UNKNOWN;
    state->is_permitted = false;
    state->leads = true;
    return HF_ANSWER_DONE;
}

static enum hf_answer_kind ask(void *context, const struct hf_question *question,
                               struct hf_config *config)
{
    struct operator_state *state = context;
    enum hf_answer_kind answer = HF_ANSWER_UNKNOWN;

    pthread_mutex_lock(&state->lock);
    if (question->kind == HF_QUESTION_SWAP) {
        answer = swap(state, question, config);
    } else if (state->is_permitted || state->leads ||
               (state->config.epoch == 0 && state->may_found)) {
        *config = state->config;
        answer = HF_ANSWER_VALUE;
    }
    pthread_mutex_unlock(&state->lock);
    return answer;
}

static void destroy(void *context)
{
    struct operator_state *state = context;

    pthread_mutex_destroy(&state->lock);
    free(state);
}

const struct arbiter_way arbiter_operator = {.name = "operator", .ask = ask, .destroy = destroy};

static enum hf_status read_kept(struct operator_state *state, struct hf_fault *fault)
{
    char path[CONFIG_TEXT_SIZE + sizeof FILE_NAME + 1];
    struct kept kept;
    int file;
    ssize_t length;

    snprintf(path, sizeof path, "%s/" FILE_NAME, state->directory);
    file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT)
        return HF_STATUS_OK;
    length = file < 0 ? -1 : read(file, &kept, sizeof kept);
    if (file >= 0)
        close(file);
    if (length != (ssize_t)sizeof kept || memcmp(kept.magic, "HFPAIRCF", 8) != 0 ||
        !hf_hash_equal(kept.hash, hash_of(&kept)) || !hf_id_equal(kept.cluster, state->cluster)) {
        snprintf(fault->line, sizeof fault->line,
                 "%.150s: is not this pair's configuration, or is damaged", path);
        return HF_STATUS_CORRUPT;
    }
    state->config = kept.config;
    return HF_STATUS_OK;
}

enum hf_status arbiter_operator_open(const struct config *config, struct hf_id cluster,
                                     void **state_made, struct hf_fault *fault)
{
    struct operator_state *state = calloc(1, sizeof *state);
    enum hf_status status;

    if (state == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory for the pair's configuration");
        return HF_STATUS_NO_MEMORY;
    }
    snprintf(state->directory, sizeof state->directory, "%s", config->data_directory);
    state->cluster = cluster;
    state->may_found = config->node < config_peer_node(config);
    pthread_mutex_init(&state->lock, NULL);
    status = read_kept(state, fault);
    if (status != HF_STATUS_OK) {
        destroy(state);
        return status;
    }
    *state_made = state;
    return HF_STATUS_OK;
}

void arbiter_operator_permit(void *context)
{
    struct operator_state *state = context;

    pthread_mutex_lock(&state->lock);
    state->is_permitted = true;
    pthread_mutex_unlock(&state->lock);
}

void arbiter_operator_learn(void *context, const struct hf_config *config)
{
    struct operator_state *state = context;

    pthread_mutex_lock(&state->lock);
    if (config->epoch > state->config.epoch)
        (void)keep(state, config);
    pthread_mutex_unlock(&state->lock);
}
