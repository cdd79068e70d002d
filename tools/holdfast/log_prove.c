#include "log_prove.h"

#include "log_books.h"
#include "log_file.h"
#include "log_json.h"
#include "log_print.h"
#include "wal/proof.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The largest file that may be one. */
#define PROOF_SIZE_MAX (4u << 20)

struct proving {
    struct hf_id id;
    struct log_books books;
    struct hf_events events;
    uint64_t place; /* of the operation, 0: not found yet */
    struct hf_record_header *record;
    struct hf_chain_seal_record *seal;
    struct hf_chain_hash *leaves; /* of the span in hand */
    uint64_t leaf_count;
    uint64_t leaf_capacity;
    char *note;
};

/* A seal's record as a whole. */
struct hf_chain_seal_record {
    struct hf_record_header header;
    struct hf_chain_seal seal;
};
_Static_assert(sizeof(struct hf_chain_seal_record) == HF_CHAIN_SEAL_LENGTH, "a seal");

static enum hf_status no_memory(struct hf_fault *fault)
{
    snprintf(fault->line, sizeof fault->line, "no memory for a proof");
    return HF_STATUS_NO_MEMORY;
}

/* ---- Finding ---- */

static enum hf_status add_leaf(struct proving *proving, const struct hf_record_header *record,
                               struct hf_fault *fault)
{
    if (proving->leaf_count == proving->leaf_capacity) {
        uint64_t capacity = proving->leaf_capacity == 0 ? 1024 : 2 * proving->leaf_capacity;
        struct hf_chain_hash *leaves = realloc(proving->leaves, capacity * sizeof *leaves);
        if (leaves == NULL)
            return no_memory(fault);
        proving->leaves = leaves;
        proving->leaf_capacity = capacity;
    }
    hf_chain_leaf(record, &proving->leaves[proving->leaf_count++]);
    return HF_STATUS_OK;
}

static bool contains(struct proving *proving, const struct hf_record_header *record)
{
    uint32_t offset = 0;
    const union hf_operation *operation = hf_record_next(record, &offset);
    for (uint64_t place = record->first_place; operation != NULL; place++) {
        if (hf_id_equal(operation->header.id, proving->id)) {
            proving->place = place;
            return true;
        }
        operation = hf_record_next(record, &offset);
    }
    return false;
}

static enum hf_status keep(void **kept, const struct hf_record_header *record,
                           struct hf_fault *fault)
{
    *kept = malloc(record->length);
    if (*kept == NULL)
        return no_memory(fault);
    memcpy(*kept, record, record->length);
    return HF_STATUS_OK;
}

static enum hf_status find(void *context, const struct hf_record_header *record,
                           struct hf_fault *fault)
{
    struct proving *proving = context;
    if (proving->seal != NULL)
        return HF_STATUS_OK;
    if (record->kind == HF_RECORD_SEAL) {
        if (proving->record != NULL)
            return keep((void **)(void *)&proving->seal, record, fault);
        proving->leaf_count = 0;
        return HF_STATUS_OK;
    }
    if (proving->record == NULL && contains(proving, record)) {
        enum hf_status status = keep((void **)(void *)&proving->record, record, fault);
        if (status != HF_STATUS_OK)
            return status;
    }
    return add_leaf(proving, record, fault);
}

/* ---- What was answered ---- */

static bool lies_before(const void *context, const struct hf_checkpoint_header *header)
{
    const struct proving *proving = context;
    return header->place < proving->place;
}

static void note_events(void *context)
{
    struct proving *proving = context;
    json_t *told = json_array();
    for (uint32_t i = 0; i < proving->events.count; i++) {
        if (proving->events.list[i].place == proving->place)
            json_array_append_new(told, log_print_describe_event(&proving->events.list[i]));
    }
    proving->events.count = 0;
    if (json_array_size(told) != 0 && proving->note == NULL)
        proving->note = json_dumps(told, JSON_COMPACT);
    json_decref(told);
}

static enum hf_status replay_record(void *context, const struct hf_record_header *record,
                                    struct hf_fault *fault)
{
    struct proving *proving = context;
    if (record->index > proving->record->index)
        return HF_STATUS_OK;
    return log_books_replay(&proving->books, record, note_events, proving, fault);
}

/* What the operation did, by replay. Where the log that is left does not reach back so far, the
 * proof goes without: it is no part of it. */
static void make_note(struct proving *proving)
{
    struct hf_fault fault;
    proving->events.capacity = HF_BUNDLE_OPERATIONS_MAX * HF_EVENTS_MAX;
    proving->events.list = calloc(proving->events.capacity, sizeof *proving->events.list);
    if (proving->events.list == NULL ||
        log_books_load_newest(&proving->books, lies_before, proving, &fault) != HF_STATUS_OK)
        return;
    hf_ledger_watch(proving->books.ledger, &proving->events);
    if (log_books_read(&proving->books, replay_record, proving, &fault) != HF_STATUS_OK) {
        free(proving->note);
        proving->note = NULL;
    }
}

/* ---- Writing ---- */

static const union hf_operation *operation_at(const struct hf_record_header *record, uint64_t place)
{
    uint32_t offset = 0;
    const union hf_operation *operation = hf_record_next(record, &offset);
    for (uint64_t at = record->first_place; at < place; at++)
        operation = hf_record_next(record, &offset);
    return operation;
}

static void print_proof(const struct hf_proof *proof, const char *path, bool key_given, bool json)
{
    const struct hf_chain_seal *seal = hf_chain_seal_of(proof->seal);
    json_t *object = json_object();
    json_object_set_new(object, "holds", json_true());
    log_json_set_text(object, "file", path);
    log_json_set_number(object, "record", proof->record->index);
    log_json_set_number(object, "timestamp_ns", proof->record->timestamp_ns);
    log_json_set_hash(
        object, "cluster",
        (struct hf_hash){.lo = proof->seal->cluster.lo, .hi = proof->seal->cluster.hi});
    log_json_set_number(object, "node", seal->node);
    log_json_set_number(object, "epoch", proof->seal->epoch);
    log_json_set_number(object, "sealed_from", seal->first_index);
    log_json_set_number(object, "sealed_to", proof->seal->index - 1);
    log_json_set_number(object, "path_length", proof->path_count);
    log_json_set_bytes(object, "chain", &seal->chain, sizeof seal->chain);
    log_json_set_bytes(object, "key", seal->public_key, sizeof seal->public_key);
    json_object_set_new(object, "key_compared", json_boolean(key_given));
    json_object_set_new(object, "operation",
                        log_print_describe_operation(proof->place, proof->operation));
    if (proof->note_length != 0) {
        json_t *note = json_loadb(proof->note, strnlen(proof->note, proof->note_length), 0, NULL);
        json_object_set_new(object, "unsigned_note", note != NULL ? note : json_null());
    }
    if (json)
        log_json_print(object);
    else
        log_json_print_block(object);
    json_decref(object);
}

static enum hf_status write_proof(struct proving *proving, const char *path, bool json,
                                  struct hf_fault *fault)
{
    struct hf_chain_hash steps[HF_CHAIN_HEIGHT_MAX];
    struct hf_proof proof = {
        .place = proving->place,
        .operation = operation_at(proving->record, proving->place),
        .record = proving->record,
        .seal = &proving->seal->header,
        .path = steps,
        .note = proving->note == NULL ? "" : proving->note,
        .note_length = proving->note == NULL ? 0 : (uint32_t)strlen(proving->note),
    };
    proof.path_count =
        hf_chain_path(proving->leaves, proving->leaf_count,
                      proving->record->index - proving->seal->seal.first_index, steps);
    size_t size = hf_proof_size(&proof);
    void *bytes = malloc(size);
    if (bytes == NULL)
        return no_memory(fault);
    hf_proof_write(&proof, bytes);
    struct hf_proof read_back;
    const uint8_t *key = hf_superblock_key_of(&proving->books.superblock, proving->seal->seal.node);
    assert(key != NULL); /* the seal has been checked by it */
    const char *why = hf_proof_check(bytes, size, key, &read_back);
    enum hf_status status = HF_STATUS_OK;
    if (why != NULL) {
        snprintf(fault->line, sizeof fault->line, "the proof would not hold: it %s", why);
        status = HF_STATUS_CORRUPT;
    } else {
        status = log_file_write("the proof", path, bytes, size, fault);
    }
    if (status == HF_STATUS_OK)
        print_proof(&read_back, path, true, json);
    free(bytes);
    return status;
}

static enum hf_status prove(struct proving *proving, const char *path, bool json,
                            struct hf_fault *fault)
{
    char text[HF_ID_TEXT_SIZE];
    enum hf_status status = log_books_read(&proving->books, find, proving, fault);
    if (status != HF_STATUS_OK)
        return status;
    hf_id_format(proving->id, text);
    if (proving->record == NULL) {
        snprintf(fault->line, sizeof fault->line, "no operation %s in the log", text);
        return HF_STATUS_NOT_FOUND;
    }
    if (proving->seal == NULL) {
        snprintf(fault->line, sizeof fault->line,
                 "operation %s is in record %" PRIu64
                 ", which no seal stands over yet: stop the node clean, or wait for the next seal",
                 text, proving->record->index);
        return HF_STATUS_AGAIN;
    }
    make_note(proving);
    return write_proof(proving, path, json, fault);
}

enum hf_status log_prove(const char *directory, struct hf_id id, const char *path, bool json,
                         struct hf_fault *fault)
{
    struct proving proving = {.id = id};
    enum hf_status status = log_books_open(&proving.books, directory, fault);
    if (status == HF_STATUS_OK)
        status = prove(&proving, path, json, fault);
    log_books_close(&proving.books);
    free(proving.events.list);
    free(proving.record);
    free(proving.seal);
    free(proving.leaves);
    free(proving.note);
    return status;
}

/* ---- Checking ---- */

static enum hf_status read_file(const char *path, uint8_t **bytes, size_t *size,
                                struct hf_fault *fault)
{
    struct stat info;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *bytes = NULL;
    *size = 0;
    bool known = file >= 0 && fstat(file, &info) == 0;
    if (known && S_ISREG(info.st_mode) && info.st_size <= PROOF_SIZE_MAX) {
        *bytes = malloc((size_t)info.st_size + 1);
        ssize_t done = *bytes == NULL ? -1 : read(file, *bytes, (size_t)info.st_size);
        *size = done < 0 ? 0 : (size_t)done;
        known = done == info.st_size;
    } else if (known) {
        errno = EFBIG;
        known = false;
    }
    int error = errno;
    if (file >= 0)
        close(file);
    if (known)
        return HF_STATUS_OK;
    snprintf(fault->line, sizeof fault->line, "%.160s: %s", path, strerror(error));
    return HF_STATUS_NOT_FOUND;
}

enum hf_status log_verify_proof(const char *path, const uint8_t *key, bool json,
                                struct hf_fault *fault)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    hf_chain_prepare();
    enum hf_status status = read_file(path, &bytes, &size, fault);
    if (status == HF_STATUS_OK) {
        struct hf_proof proof;
        const char *why = hf_proof_check(bytes, size, key, &proof);
        /* Whoever signed it may have signed nonsense: it is looked at before it is printed. */
        if (why == NULL &&
            hf_operation_check_logged(proof.operation, proof.operation->header.length).code !=
                HF_CODE_OK)
            why = "is of an operation that could never have entered a log";
        if (why == NULL) {
            print_proof(&proof, path, key != NULL, json);
        } else {
            snprintf(fault->line, sizeof fault->line, "%.160s: proves nothing: it %s", path, why);
            status = HF_STATUS_CORRUPT;
        }
    }
    free(bytes);
    return status;
}
