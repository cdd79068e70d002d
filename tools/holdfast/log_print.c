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

/* An id, a time or a number, when it is not the one that means none. */
static void set_id_if(json_t *object, const char *key, struct hf_id id)
{
    if (id.lo != 0 || id.hi != 0) {
        set_id(object, key, id);
    }
}

static void set_number_if(json_t *object, const char *key, uint64_t value)
{
    if (value != 0) {
        set_number(object, key, value);
    }
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
    set_number_if(object, "country", auth->country);
    set_number_if(object, "channel", auth->channel);
    set_number_if(object, "minimum", auth->minimum);
    set_number_if(object, "class", auth->class_number);
    set_number_if(object, "tolerance", auth->tolerance);
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

/* Hexadecimal digits of bytes. */
static void set_bytes(json_t *object, const char *key, const uint8_t *bytes, size_t count)
{
    char text[2 * HF_PROOF_MAX + 1] = "";
    assert(count <= HF_PROOF_MAX);
    for (size_t i = 0; i < count; i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
    set_text(object, key, text);
}

static void set_numbers(json_t *object, const char *key, const uint16_t *numbers, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count; i++) {
        if (numbers[i] != 0) {
            json_array_append_new(array, json_integer(numbers[i]));
        }
    }
    if (json_array_size(array) != 0) {
        json_object_set(object, key, array);
    }
    json_decref(array);
}

static void describe_filter(json_t *object, const struct hf_filter *filter)
{
    set_numbers(object, "mccs", filter->mccs, HF_FILTER_MCCS_MAX);
    set_numbers(object, "countries", filter->countries, HF_FILTER_COUNTRIES_MAX);
    set_number_if(object, "channels", filter->channels);
    if (filter->merchant[0] != 0) {
        set_field(object, "only_merchant", filter->merchant, sizeof filter->merchant);
    }
}

static void describe_limit(json_t *object, const struct hf_op_limit_put *put)
{
    static const char *const modes[] = {"SET", "RAISE", "RESET"};
    static const char *const windows[] = {
        [HF_LIMIT_OPERATION] = "OPERATION", [HF_LIMIT_DAY] = "DAY",
        [HF_LIMIT_WEEK] = "WEEK",           [HF_LIMIT_MONTH] = "MONTH",
        [HF_LIMIT_ROLLING] = "ROLLING",     [HF_LIMIT_LIFETIME] = "LIFETIME",
    };
    set_id(object, put->scope == HF_LIMIT_INSTRUMENT ? "token" : "account", put->scope_id);
    set_number(object, "number", put->number);
    set_text(object, "mode", modes[put->mode]);
    if (put->mode == HF_LIMIT_RESET) {
        return;
    }
    set_amount(object, "amount", put->max_amount, "unlimited");
    set_amount(object, "count", put->max_count, "unlimited");
    if (put->mode == HF_LIMIT_RAISE) {
        return;
    }
    set_text(object, "window", windows[put->window]);
    set_number_if(object, "length_ns", put->length_ns);
    if (put->zone_minutes != 0) {
        json_object_set_new(object, "zone_minutes", json_integer(put->zone_minutes));
    }
    set_number_if(object, "start", put->start);
    describe_filter(object, &put->filter);
}

static void describe_account_terms(json_t *object, const struct hf_op_account_put *put)
{
    set_number_if(object, "flags", put->flags);
    if (put->ceiling != HF_CEILING_NONE) {
        json_object_set_new(object, "ceiling", json_integer(put->ceiling));
    }
    set_number_if(object, "expires_ns", put->expires_ns);
    set_id_if(object, "parent", put->parent);
    set_id_if(object, "sink", put->sink);
    describe_filter(object, &put->filter);
}

static void describe_account(json_t *object, const struct hf_op_account_put *put)
{
    set_id(object, "account", put->account);
    if (put->floor == HF_FLOOR_NONE) {
        set_text(object, "floor", "none");
    } else {
        json_object_set_new(object, "floor", json_integer(put->floor));
    }
    set_number(object, "asset", put->asset);
    set_number(object, "status", put->status);
    if (put->header.length != HF_ACCOUNT_PUT_SHORT) {
        describe_account_terms(object, put);
    }
}

/* "60.00 of it", as the entry's rule says: FIXED 6000, RATIO 80/100, UP_TO 500, REMAINING. */
static void describe_entries(json_t *object, const char *key, const struct hf_op_entry *entries,
                             uint32_t count, uint32_t denominator)
{
    static const char *const rules[] = {
        [HF_ENTRY_FIXED] = "FIXED",           [HF_ENTRY_RATIO] = "RATIO",
        [HF_ENTRY_UP_TO] = "UP_TO",           [HF_ENTRY_REMAINING] = "REMAINING",
        [HF_ENTRY_EVERYTHING] = "EVERYTHING",
    };
    json_t *array = json_array();
    for (uint32_t i = 0; i < count; i++) {
        json_t *entry = json_object();
        set_id(entry, "account", entries[i].account);
        set_text(entry, "rule", rules[entries[i].rule]);
        if (entries[i].amount != 0) {
            set_amount(entry, "amount", entries[i].amount, "all");
        }
        if (entries[i].rule == HF_ENTRY_RATIO) {
            set_number(entry, "of", denominator);
        }
        json_array_append_new(array, entry);
    }
    json_object_set_new(object, key, array);
}

static void describe_plan(json_t *object, const struct hf_op_plan *plan,
                          const struct hf_op_entry *entries)
{
    set_amount(object, "amount", plan->amount, "all");
    set_number(object, "asset", plan->asset);
    set_number_if(object, "minimum", plan->minimum);
    set_number_if(object, "choose_max", plan->choose_max);
    set_number_if(object, "mcc", plan->mcc);
    set_number_if(object, "country", plan->country);
    set_number_if(object, "channel", plan->channel);
    if (plan->merchant[0] != 0) {
        set_field(object, "merchant", plan->merchant, sizeof plan->merchant);
    }
    set_number_if(object, "reference", plan->reference);
    describe_entries(object, "sources", entries, plan->source_count, plan->source_denominator);
    describe_entries(object, "destinations", entries + plan->source_count, plan->destination_count,
                     plan->destination_denominator);
}

static void set_expiry(json_t *object, uint64_t expires_ns)
{
    if (expires_ns == HF_EXPIRES_NEVER) {
        set_text(object, "expires_ns", "never");
    } else {
        set_number_if(object, "expires_ns", expires_ns);
    }
}

static json_t *describe_condition(const struct hf_op_condition *condition)
{
    static const char *const kinds[] = {
        [HF_CONDITION_BLAKE2B] = "BLAKE2B",     [HF_CONDITION_SHA256] = "SHA256",
        [HF_CONDITION_SIGNATURE] = "SIGNATURE", [HF_CONDITION_REGION] = "REGION",
        [HF_CONDITION_ORIGIN] = "ORIGIN",       [HF_CONDITION_NOT_BEFORE] = "NOT_BEFORE",
        [HF_CONDITION_NOT_AFTER] = "NOT_AFTER",
    };
    json_t *object = json_object();
    set_text(object, "kind", kinds[condition->kind]);
    set_number_if(object, "code", condition->code);
    set_number_if(object, "time_ns", condition->time_ns);
    if (condition->kind <= HF_CONDITION_REGION) {
        set_bytes(object, "bytes", condition->bytes, sizeof condition->bytes);
    }
    return object;
}

static void describe_hold_plan(json_t *object, const struct hf_op_hold_plan *hold)
{
    const struct hf_op_terms *terms = &hold->terms;
    const struct hf_op_condition *conditions = hf_hold_plan_conditions(hold);
    describe_plan(object, &hold->plan, hold->entries);
    set_expiry(object, terms->expires_ns);
    set_number_if(object, "tolerance", terms->tolerance);
    set_number_if(object, "class", terms->class_number);
    set_number_if(object, "policy", terms->policy);
    if (terms->condition_count == 0) {
        return;
    }
    json_t *array = json_array();
    for (uint32_t i = 0; i < terms->condition_count; i++) {
        json_array_append_new(array, describe_condition(&conditions[i]));
    }
    set_number(object, "required", terms->required);
    json_object_set_new(object, "conditions", array);
}

static void describe_adjust(json_t *object, const struct hf_op_adjust *adjust)
{
    static const char *const modes[] = {"KEEP", "RAISE", "LOWER", "SET"};
    set_id(object, "hold", adjust->hold);
    set_text(object, "mode", modes[adjust->mode]);
    set_number_if(object, "amount", adjust->amount);
    set_expiry(object, adjust->expires_ns);
}

static void describe_attest(json_t *object, const struct hf_op_attest *attest)
{
    set_id(object, "hold", attest->hold);
    set_number(object, "condition", attest->condition);
    set_number_if(object, "code", attest->code);
    set_bytes(object, "proof", attest->proof, attest->proof_length);
}

static void describe_expire(json_t *object, const struct hf_op_expire *expire)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < expire->count; i++) {
        json_t *expiry = json_object();
        set_id(expiry, expire->expiries[i].kind == HF_EXPIRY_HOLD ? "hold" : "account",
               expire->expiries[i].id);
        json_array_append_new(array, expiry);
    }
    json_object_set_new(object, "expiries", array);
}

static json_t *describe_operation(uint64_t place, const union hf_operation *operation);

/* The operations inside, each whole; they have the chain's place. */
static void describe_chain(json_t *object, const struct hf_op_chain *chain)
{
    json_t *array = json_array();
    const uint8_t *at = chain->operations;
    for (uint32_t i = 0; i < chain->count; i++) {
        const union hf_operation *inner = (const union hf_operation *)(const void *)at;
        json_array_append_new(array, describe_operation(0, inner));
        at += inner->header.length;
    }
    json_object_set_new(object, "operations", array);
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
        describe_account(object, &operation->account_put);
        break;
    case HF_OP_ACCOUNT_CLOSE:
        set_id(object, "account", operation->account_close.account);
        set_id_if(object, "sink", operation->account_close.sink);
        break;
    case HF_OP_MOVE_PLAN:
        describe_plan(object, &operation->move_plan.plan, operation->move_plan.entries);
        break;
    case HF_OP_HOLD_PLAN:
        describe_hold_plan(object, &operation->hold_plan);
        break;
    case HF_OP_ADJUST:
        describe_adjust(object, &operation->adjust);
        break;
    case HF_OP_ATTEST:
        describe_attest(object, &operation->attest);
        break;
    case HF_OP_CLASS_PUT:
        set_number(object, "class", operation->class_put.class_number);
        set_number(object, "lifetime_ns", operation->class_put.lifetime_ns);
        break;
    case HF_OP_EXPIRE:
        describe_expire(object, &operation->expire);
        break;
    case HF_OP_CHAIN:
        describe_chain(object, &operation->chain);
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
        set_expiry(object, operation->hold.expires_ns);
        break;
    case HF_OP_CAPTURE:
        set_id(object, "hold", operation->capture.hold);
        set_amount(object, "amount", operation->capture.amount, "all");
        set_number(object, "final", operation->capture.final);
        if (operation->header.length != HF_CAPTURE_SHORT) {
            set_id_if(object, "payee", operation->capture.payee);
        }
        break;
    case HF_OP_RELEASE:
        set_id(object, "hold", operation->release.hold);
        set_amount(object, "amount", operation->release.amount, "all");
        break;
    case HF_OP_INSTRUMENT_PUT:
        describe_instrument(object, &operation->instrument_put);
        break;
    case HF_OP_LIMIT_PUT:
        describe_limit(object, &operation->limit_put);
        break;
    case HF_OP_AUTH:
        describe_auth(object, &operation->auth);
        break;
    default:
        break; /* nothing else is ever in a log */
    }
}

static json_t *describe_operation(uint64_t place, const union hf_operation *operation)
{
    json_t *object = json_object();
    set_number_if(object, "place", place);
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

/* ---- Events ---- */

static const char *event_name(uint8_t kind)
{
    static const char *const names[] = {
        [HF_EVENT_REFUSED] = "REFUSED",   [HF_EVENT_POSTED] = "POSTED",
        [HF_EVENT_HELD] = "HELD",         [HF_EVENT_ADJUSTED] = "ADJUSTED",
        [HF_EVENT_CAPTURED] = "CAPTURED", [HF_EVENT_RELEASED] = "RELEASED",
        [HF_EVENT_EXPIRED] = "EXPIRED",   [HF_EVENT_ATTESTED] = "ATTESTED",
        [HF_EVENT_OPENED] = "OPENED",     [HF_EVENT_CHANGED] = "CHANGED",
        [HF_EVENT_CLOSED] = "CLOSED",     [HF_EVENT_PUT] = "PUT",
        [HF_EVENT_DRAWN] = "DRAWN",       [HF_EVENT_LIMIT] = "LIMIT",
    };
    bool known = kind < sizeof names / sizeof names[0] && names[kind] != NULL;
    return known ? names[kind] : "UNKNOWN";
}

/* Kinds that are about no amount have none, and then no asset either. */
static bool has_amount(uint8_t kind)
{
    switch (kind) {
    case HF_EVENT_REFUSED:
    case HF_EVENT_ATTESTED:
    case HF_EVENT_OPENED:
    case HF_EVENT_CHANGED:
    case HF_EVENT_PUT:
        return false;
    default:
        return true;
    }
}

void log_print_event(const struct hf_event *event, bool json)
{
    json_t *object = json_object();
    set_number(object, "place", event->place);
    set_text(object, "event", event_name(event->kind));
    set_text(object, "type", hf_operation_name(event->type));
    set_id(object, "subject", event->subject);
    if (has_amount(event->kind)) {
        json_object_set_new(object, "amount", json_integer(event->amount));
    }
    set_number_if(object, "asset", event->asset);
    if (event->kind == HF_EVENT_REFUSED) {
        set_text(object, "code", hf_code_name(event->code));
        set_text(object, "rule", hf_rule_name(event->rule));
    }
    set_number_if(object, "entry", event->entry);
    if (json) {
        print_json(object);
    } else {
        print_line("", object);
    }
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
