#include "log_print.h"

#include "wal/segment.h"

#include <assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Counting ---- */

void log_figures_add_record(struct log_figures *figures, const struct hf_record_header *record)
{
    if (figures->records == 0) {
        figures->first_index = record->index;
        figures->first_place = record->first_place;
        figures->first_timestamp_ns = record->timestamp_ns;
    }
    figures->records++;
    figures->marks += record->kind == HF_RECORD_MARK ? 1 : 0;
    figures->operations += record->count;
    figures->bytes_logical += record->length;
}

void log_figures_add_operation(struct log_figures *figures, const union hf_operation *operation)
{
    assert(operation->header.type < LOG_TYPES_MAX);
    figures->by_type[operation->header.type]++;
}

/* ---- Values ---- */

/* Jansson's integers are signed: what does not fit is text. */
static void set_number(json_t *object, const char *key, uint64_t value)
{
    if (value <= INT64_MAX) {
        json_object_set_new(object, key, json_integer((json_int_t)value));
    } else {
        char text[24];
        snprintf(text, sizeof text, "%" PRIu64, value);
        json_object_set_new(object, key, json_string(text));
    }
}

static void set_text(json_t *object, const char *key, const char *text)
{
    json_object_set_new(object, key, json_string(text));
}

static void set_id(json_t *object, const char *key, struct hf_id id)
{
    char text[HF_ID_TEXT_SIZE];
    hf_id_format(id, text);
    set_text(object, key, text);
}

static void set_hash(json_t *object, const char *key, struct hf_hash hash)
{
    char text[40];
    snprintf(text, sizeof text, "%016" PRIx64 "%016" PRIx64, hash.hi, hash.lo);
    set_text(object, key, text);
}

static void set_amount(json_t *object, const char *key, uint64_t amount, const char *all)
{
    if (amount == UINT64_MAX) {
        set_text(object, key, all);
    } else {
        set_number(object, key, amount);
    }
}

/* Text of a fixed field, which ends at a NUL or at its size. */
static void set_field(json_t *object, const char *key, const void *bytes, size_t size)
{
    char text[32];
    size_t length = strnlen(bytes, size);
    assert(length < sizeof text);
    for (size_t i = 0; i < length; i++) {
        char c = ((const char *)bytes)[i];
        text[i] = c >= ' ' && c <= '~' ? c : '?';
    }
    text[length] = '\0';
    set_text(object, key, text);
}

/* ---- Operations ---- */

static void describe_auth(json_t *object, const struct hf_op_auth *auth)
{
    set_id(object, "token", auth->token);
    set_id(object, "payee", auth->payee);
    set_number(object, "amount", auth->amount);
    set_number(object, "asset", auth->asset);
    set_number(object, "acquirer", auth->acquirer);
    set_field(object, "terminal", auth->terminal, sizeof auth->terminal);
    set_field(object, "merchant", auth->merchant, sizeof auth->merchant);
    set_field(object, "rrn", auth->rrn, sizeof auth->rrn);
    set_number(object, "stan", auth->stan);
    set_number(object, "mcc", auth->mcc);
}

static void describe_instrument(json_t *object, const struct hf_op_instrument_put *put)
{
    set_id(object, "token", put->token);
    set_id(object, "account", put->account);
    set_number(object, "expires_ns", put->expires_ns);
    set_amount(object, "amount_limit", put->amount_limit, "unlimited");
    set_amount(object, "remaining", put->remaining, "unlimited");
    set_number(object, "status", put->status);
    set_number(object, "flags", put->flags);
}

/* What is the type's own. */
static void describe_body(json_t *object, const union hf_operation *operation)
{
    switch (operation->header.type) {
    case HF_OP_ASSET_PUT:
        set_number(object, "asset", operation->asset_put.asset);
        set_number(object, "scale", operation->asset_put.scale);
        set_field(object, "code", operation->asset_put.code, sizeof operation->asset_put.code);
        break;
    case HF_OP_ACCOUNT_PUT:
        set_id(object, "account", operation->account_put.account);
        if (operation->account_put.floor == HF_FLOOR_NONE) {
            set_text(object, "floor", "none");
        } else {
            json_object_set_new(object, "floor", json_integer(operation->account_put.floor));
        }
        set_number(object, "asset", operation->account_put.asset);
        set_number(object, "status", operation->account_put.status);
        break;
    case HF_OP_MOVE:
        set_id(object, "payer", operation->move.payer);
        set_id(object, "payee", operation->move.payee);
        set_number(object, "amount", operation->move.amount);
        set_number(object, "asset", operation->move.asset);
        set_number(object, "reference", operation->move.reference);
        break;
    case HF_OP_HOLD:
        set_id(object, "payer", operation->hold.payer);
        set_id(object, "payee", operation->hold.payee);
        set_number(object, "amount", operation->hold.amount);
        set_number(object, "asset", operation->hold.asset);
        set_number(object, "reference", operation->hold.reference);
        break;
    case HF_OP_CAPTURE:
        set_id(object, "hold", operation->capture.hold);
        set_amount(object, "amount", operation->capture.amount, "all");
        set_number(object, "final", operation->capture.final);
        break;
    case HF_OP_RELEASE:
        set_id(object, "hold", operation->release.hold);
        set_amount(object, "amount", operation->release.amount, "all");
        break;
    case HF_OP_INSTRUMENT_PUT:
        describe_instrument(object, &operation->instrument_put);
        break;
    case HF_OP_AUTH:
        describe_auth(object, &operation->auth);
        break;
    default:
        break; /* nothing else has a body in this version */
    }
}

static json_t *describe_operation(uint64_t place, const union hf_operation *operation)
{
    json_t *object = json_object();
    set_number(object, "place", place);
    set_text(object, "type", hf_operation_name(operation->header.type));
    set_id(object, "id", operation->header.id);
    if (operation->header.origin != 0) {
        set_number(object, "origin", operation->header.origin);
    }
    if (operation->header.deadline_ns != 0) {
        set_number(object, "deadline_ns", operation->header.deadline_ns);
    }
    describe_body(object, operation);
    return object;
}

static json_t *describe_record(const struct hf_record_header *record)
{
    json_t *object = json_object();
    set_number(object, "record", record->index);
    set_text(object, "kind", record->kind == HF_RECORD_MARK ? "mark" : "operations");
    set_number(object, "epoch", record->epoch);
    set_number(object, "first_place", record->first_place);
    set_number(object, "count", record->count);
    set_number(object, "timestamp_ns", record->timestamp_ns);
    set_number(object, "commit", record->commit);
    set_number(object, "length", record->length);
    set_hash(object, "hash", record->hash);
    return object;
}

/* ---- Writing ---- */

/* Key, blank, value, in their order, with two blanks between one pair and the next. */
static void print_line(const char *indent, json_t *object)
{
    const char *key = NULL;
    json_t *value = NULL;
    const char *separator = indent;
    json_object_foreach(object, key, value)
    {
        printf("%s%s ", separator, key);
        if (json_is_string(value)) {
            fputs(json_string_value(value), stdout);
        } else {
            json_dumpf(value, stdout, JSON_ENCODE_ANY | JSON_COMPACT);
        }
        separator = "  ";
    }
    putchar('\n');
}

static void print_json(json_t *object)
{
    json_dumpf(object, stdout, JSON_COMPACT);
    putchar('\n');
}

/* One key a line, for a person. */
static void print_block(json_t *object)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(object, key, value)
    {
        if (json_is_object(value)) {
            printf("%s\n", key);
            const char *inner_key = NULL;
            json_t *inner = NULL;
            json_object_foreach(value, inner_key, inner)
            {
                printf("  %-20s %" JSON_INTEGER_FORMAT "\n", inner_key, json_integer_value(inner));
            }
            continue;
        }
        printf("%-22s ", key);
        if (json_is_string(value)) {
            puts(json_string_value(value));
        } else {
            json_dumpf(value, stdout, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(5));
            putchar('\n');
        }
    }
}

void log_print_record(const struct hf_record_header *record, bool json)
{
    json_t *object = describe_record(record);
    json_t *operations = json_array();
    uint32_t offset = 0;
    uint64_t place = record->first_place;
    const union hf_operation *operation = hf_record_next(record, &offset);
    if (!json) {
        print_line("", object);
    }
    while (operation != NULL) {
        json_t *line = describe_operation(place++, operation);
        if (json) {
            json_array_append(operations, line);
        } else {
            print_line("  ", line);
        }
        json_decref(line);
        operation = hf_record_next(record, &offset);
    }
    if (json) {
        json_object_set(object, "operations", operations);
        print_json(object);
    }
    json_decref(operations);
    json_decref(object);
}

static json_t *describe_types(const struct log_figures *figures)
{
    json_t *types = json_object();
    for (unsigned type = 0; type < LOG_TYPES_MAX; type++) {
        if (figures->by_type[type] != 0) {
            set_number(types, hf_operation_name((uint8_t)type), figures->by_type[type]);
        }
    }
    return types;
}

/* The identity of the directory, and how far its log goes. */
static void describe_extent(json_t *object, const struct log_figures *figures)
{
    const struct hf_log_state *state = &figures->state;
    const struct hf_superblock *superblock = &state->superblock;
    char cluster[40];
    snprintf(cluster, sizeof cluster, "%016" PRIx64 "%016" PRIx64, superblock->cluster.hi,
             superblock->cluster.lo);
    set_text(object, "cluster", cluster);
    set_number(object, "node", superblock->node);
    set_number(object, "incarnation", superblock->incarnation);
    set_number(object, "epoch", superblock->epoch_count != 0 ? hf_superblock_epoch(superblock) : 0);
    set_number(object, "records", figures->records);
    set_number(object, "operations", figures->operations);
    set_number(object, "first_record", figures->first_index);
    set_number(object, "last_record", state->last_index);
    set_number(object, "last_place", state->next_place - 1);
    set_hash(object, "last_hash", state->last_hash);
    set_number(object, "checkpoints", figures->checkpoint_count);
    set_number(object, "checkpoint_record", figures->checkpoint_index);
}

static void describe_tail(json_t *object, const struct log_figures *figures)
{
    const struct hf_log_state *state = &figures->state;
    set_text(object, "tail", state->cut_bytes == 0 ? "clean" : "torn");
    if (state->cut_bytes != 0) {
        char name[HF_DISK_NAME_SIZE];
        hf_segment_format_name(state->cut_segment, name);
        set_text(object, "torn_segment", name);
        set_number(object, "torn_offset", state->cut_offset);
        set_number(object, "torn_bytes", state->cut_bytes);
        set_number(object, "torn_records", state->cut_records);
    }
}

void log_print_figures(const struct log_figures *figures, bool json)
{
    const struct hf_log_state *state = &figures->state;
    json_t *object = json_object();
    describe_extent(object, figures);
    set_number(object, "marks", figures->marks);
    set_number(object, "first_place", figures->first_place);
    set_number(object, "first_timestamp_ns", figures->first_timestamp_ns);
    set_number(object, "last_timestamp_ns", state->last_timestamp_ns);
    set_number(object, "block_bytes", state->superblock.block_size);
    set_number(object, "segment_bytes", state->superblock.segment_size);
    set_number(object, "segments",
               state->segment_last == 0 ? 0 : state->segment_last - state->segment_first + 1);
    set_number(object, "segments_used",
               state->segment_last == 0 ? 0 : state->segment - state->segment_first + 1);
    set_number(object, "record_bytes", figures->bytes_logical);
    set_number(object, "padded_bytes", state->bytes_replayed);
    if (figures->operations != 0) {
        json_object_set_new(
            object, "bytes_per_operation",
            json_real((double)figures->bytes_logical / (double)figures->operations));
    }
    set_number(object, "checkpoint_place", figures->checkpoint_place);
    set_number(object, "checkpoint_bytes", figures->checkpoint_bytes);
    describe_tail(object, figures);
    json_object_set_new(object, "types", describe_types(figures));
    if (json) {
        print_json(object);
    } else {
        print_block(object);
    }
    json_decref(object);
}

void log_print_verdict(const struct log_figures *figures, const char *fault, bool json)
{
    json_t *object = json_object();
    json_object_set_new(object, "holds", json_boolean(fault == NULL));
    if (fault == NULL) {
        describe_extent(object, figures);
        describe_tail(object, figures);
    } else {
        set_text(object, "fault", fault);
    }
    if (json) {
        print_json(object);
    } else if (fault == NULL) {
        print_block(object);
    }
    json_decref(object);
}
