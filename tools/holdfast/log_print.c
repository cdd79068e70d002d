#include "log_print.h"

#include "log_json.h"

#include "wal/segment.h"

#include <assert.h>
#include <inttypes.h>
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
    figures->seals += record->kind == HF_RECORD_SEAL ? 1 : 0;
    figures->operations += record->count;
    figures->bytes_logical += record->length;
}

void log_figures_add_operation(struct log_figures *figures, const union hf_operation *operation)
{
    assert(operation->header.type < LOG_TYPES_MAX);
    figures->by_type[operation->header.type]++;
}

/* What is so; what is not goes without saying. */
static void set_flag(json_t *object, const char *key, bool is_set)
{
    if (is_set) {
        json_object_set_new(object, key, json_true());
    }
}

/* ---- Operations ---- */

static void describe_auth(json_t *object, const struct hf_op_auth *auth)
{
    log_json_set_id(object, "token", auth->token);
    log_json_set_id(object, "payee", auth->payee);
    log_json_set_number(object, "amount", auth->amount);
    log_json_set_number(object, "asset", auth->asset);
    log_json_set_number(object, "acquirer", auth->acquirer);
    log_json_set_field(object, "terminal", auth->terminal, sizeof auth->terminal);
    log_json_set_field(object, "merchant", auth->merchant, sizeof auth->merchant);
    log_json_set_field(object, "rrn", auth->rrn, sizeof auth->rrn);
    log_json_set_number(object, "stan", auth->stan);
    log_json_set_number(object, "mcc", auth->mcc);
    log_json_set_number_if(object, "country", auth->country);
    log_json_set_number_if(object, "channel", auth->channel);
    log_json_set_number_if(object, "minimum", auth->minimum);
    log_json_set_number_if(object, "class", auth->class_number);
    log_json_set_number_if(object, "tolerance", auth->tolerance);
    set_flag(object, "forced", (auth->auth_flags & HF_AUTH_FORCED) != 0);
    set_flag(object, "estimated", (auth->auth_flags & HF_AUTH_ESTIMATED) != 0);
}

static void describe_increment(json_t *object, const struct hf_op_increment *increment)
{
    log_json_set_id(object, "original", increment->original);
    log_json_set_number(object, "amount", increment->amount);
    log_json_set_number(object, "asset", increment->asset);
    log_json_set_number(object, "acquirer", increment->acquirer);
    log_json_set_number_if(object, "class", increment->class_number);
}

static void describe_reverse(json_t *object, const struct hf_op_reverse *reverse)
{
    log_json_set_id(object, "original", reverse->original);
    log_json_set_amount(object, "amount", reverse->amount, "all");
    log_json_set_number(object, "asset", reverse->asset);
    log_json_set_number(object, "acquirer", reverse->acquirer);
    set_flag(object, "captured", reverse->captured != 0);
}

static void describe_clear(json_t *object, const struct hf_op_clear *clear)
{
    log_json_set_id_if(object, "original", clear->original);
    log_json_set_id_if(object, "token", clear->token);
    log_json_set_id_if(object, "payee", clear->payee);
    log_json_set_number(object, "amount", clear->amount);
    log_json_set_number(object, "asset", clear->asset);
    log_json_set_number(object, "acquirer", clear->acquirer);
    set_flag(object, "final", (clear->clear_flags & HF_CLEAR_FINAL) != 0);
    set_flag(object, "forced", (clear->clear_flags & HF_CLEAR_FORCED) != 0);
    if (clear->merchant[0] != 0) {
        log_json_set_field(object, "merchant", clear->merchant, sizeof clear->merchant);
    }
    log_json_set_number_if(object, "mcc", clear->mcc);
    log_json_set_number_if(object, "country", clear->country);
    log_json_set_number_if(object, "channel", clear->channel);
    log_json_set_number_if(object, "reference", clear->reference);
}

static void describe_instrument(json_t *object, const struct hf_op_instrument_put *put)
{
    log_json_set_id(object, "token", put->token);
    log_json_set_id(object, "account", put->account);
    log_json_set_number(object, "expires_ns", put->expires_ns);
    log_json_set_amount(object, "amount_limit", put->amount_limit, "unlimited");
    log_json_set_amount(object, "remaining", put->remaining, "unlimited");
    log_json_set_number(object, "status", put->status);
    log_json_set_number(object, "flags", put->flags);
    if (put->further_count == 0) {
        return;
    }
    json_t *further = json_array();
    for (uint32_t i = 0; i < put->further_count; i++) {
        char text[HF_ID_TEXT_SIZE];
        hf_id_format(put->further[i], text);
        json_array_append_new(further, json_string(text));
    }
    json_object_set_new(object, "further", further);
}

/* Hexadecimal digits of bytes. */
static void set_bytes(json_t *object, const char *key, const uint8_t *bytes, size_t count)
{
    char text[2 * HF_PROOF_MAX + 1] = "";
    assert(count <= HF_PROOF_MAX);
    for (size_t i = 0; i < count; i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
    log_json_set_text(object, key, text);
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
    log_json_set_number_if(object, "filter_parts", filter->parts);
    set_numbers(object, "mccs", filter->mccs, HF_FILTER_MCCS_MAX);
    set_numbers(object, "countries", filter->countries, HF_FILTER_COUNTRIES_MAX);
    log_json_set_number_if(object, "channels", filter->channels);
    if (filter->merchant[0] != 0) {
        log_json_set_field(object, "only_merchant", filter->merchant, sizeof filter->merchant);
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
    log_json_set_id(object, put->scope == HF_LIMIT_INSTRUMENT ? "token" : "account", put->scope_id);
    log_json_set_number(object, "number", put->number);
    log_json_set_text(object, "mode", modes[put->mode]);
    if (put->mode == HF_LIMIT_RESET) {
        return;
    }
    log_json_set_amount(object, "amount", put->max_amount, "unlimited");
    log_json_set_amount(object, "count", put->max_count, "unlimited");
    if (put->mode == HF_LIMIT_RAISE) {
        return;
    }
    log_json_set_text(object, "window", windows[put->window]);
    log_json_set_number_if(object, "length_ns", put->length_ns);
    if (put->zone_minutes != 0) {
        json_object_set_new(object, "zone_minutes", json_integer(put->zone_minutes));
    }
    log_json_set_number_if(object, "start", put->start);
    describe_filter(object, &put->filter);
}

static void describe_account_terms(json_t *object, const struct hf_op_account_put *put)
{
    log_json_set_number_if(object, "flags", put->flags);
    if (put->ceiling != HF_CEILING_NONE) {
        json_object_set_new(object, "ceiling", json_integer(put->ceiling));
    }
    log_json_set_number_if(object, "expires_ns", put->expires_ns);
    log_json_set_id_if(object, "parent", put->parent);
    log_json_set_id_if(object, "sink", put->sink);
    describe_filter(object, &put->filter);
}

static void describe_account(json_t *object, const struct hf_op_account_put *put)
{
    log_json_set_id(object, "account", put->account);
    if (put->floor == HF_FLOOR_NONE) {
        log_json_set_text(object, "floor", "none");
    } else {
        json_object_set_new(object, "floor", json_integer(put->floor));
    }
    log_json_set_number(object, "asset", put->asset);
    log_json_set_number(object, "status", put->status);
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
        log_json_set_id(entry, "account", entries[i].account);
        log_json_set_text(entry, "rule", rules[entries[i].rule]);
        if (entries[i].amount != 0) {
            log_json_set_amount(entry, "amount", entries[i].amount, "all");
        }
        if (entries[i].rule == HF_ENTRY_RATIO) {
            log_json_set_number(entry, "of", denominator);
        }
        json_array_append_new(array, entry);
    }
    json_object_set_new(object, key, array);
}

static void describe_plan(json_t *object, const struct hf_op_plan *plan,
                          const struct hf_op_entry *entries)
{
    log_json_set_amount(object, "amount", plan->amount, "all");
    log_json_set_number(object, "asset", plan->asset);
    log_json_set_number_if(object, "minimum", plan->minimum);
    log_json_set_number_if(object, "choose_max", plan->choose_max);
    log_json_set_number_if(object, "mcc", plan->mcc);
    log_json_set_number_if(object, "country", plan->country);
    log_json_set_number_if(object, "channel", plan->channel);
    if (plan->merchant[0] != 0) {
        log_json_set_field(object, "merchant", plan->merchant, sizeof plan->merchant);
    }
    log_json_set_number_if(object, "reference", plan->reference);
    describe_entries(object, "sources", entries, plan->source_count, plan->source_denominator);
    describe_entries(object, "destinations", entries + plan->source_count, plan->destination_count,
                     plan->destination_denominator);
}

static void set_expiry(json_t *object, uint64_t expires_ns)
{
    if (expires_ns == HF_EXPIRES_NEVER) {
        log_json_set_text(object, "expires_ns", "never");
    } else {
        log_json_set_number_if(object, "expires_ns", expires_ns);
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
    log_json_set_text(object, "kind", kinds[condition->kind]);
    log_json_set_number_if(object, "code", condition->code);
    log_json_set_number_if(object, "time_ns", condition->time_ns);
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
    log_json_set_number_if(object, "tolerance", terms->tolerance);
    log_json_set_number_if(object, "class", terms->class_number);
    log_json_set_number_if(object, "policy", terms->policy);
    if (terms->condition_count == 0) {
        return;
    }
    json_t *array = json_array();
    for (uint32_t i = 0; i < terms->condition_count; i++) {
        json_array_append_new(array, describe_condition(&conditions[i]));
    }
    log_json_set_number(object, "required", terms->required);
    json_object_set_new(object, "conditions", array);
}

static void describe_adjust(json_t *object, const struct hf_op_adjust *adjust)
{
    static const char *const modes[] = {"KEEP", "RAISE", "LOWER", "SET"};
    log_json_set_id(object, "hold", adjust->hold);
    log_json_set_text(object, "mode", modes[adjust->mode]);
    log_json_set_number_if(object, "amount", adjust->amount);
    set_expiry(object, adjust->expires_ns);
}

static void describe_attest(json_t *object, const struct hf_op_attest *attest)
{
    log_json_set_id(object, "hold", attest->hold);
    log_json_set_number(object, "condition", attest->condition);
    log_json_set_number_if(object, "code", attest->code);
    set_bytes(object, "proof", attest->proof, attest->proof_length);
}

static void describe_expire(json_t *object, const struct hf_op_expire *expire)
{
    json_t *array = json_array();
    for (uint32_t i = 0; i < expire->count; i++) {
        json_t *expiry = json_object();
        log_json_set_id(expiry, expire->expiries[i].kind == HF_EXPIRY_HOLD ? "hold" : "account",
                        expire->expiries[i].id);
        json_array_append_new(array, expiry);
    }
    json_object_set_new(object, "expiries", array);
}

/* The operations inside, each whole; they have the chain's place. */
static void describe_chain(json_t *object, const struct hf_op_chain *chain)
{
    json_t *array = json_array();
    const uint8_t *at = chain->operations;
    for (uint32_t i = 0; i < chain->count; i++) {
        const union hf_operation *inner = (const union hf_operation *)(const void *)at;
        json_array_append_new(array, log_print_describe_operation(0, inner));
        at += inner->header.length;
    }
    json_object_set_new(object, "operations", array);
}

/* What is the type's own. */
static void describe_body(json_t *object, const union hf_operation *operation)
{
    switch (operation->header.type) {
    case HF_OP_ASSET_PUT:
        log_json_set_number(object, "asset", operation->asset_put.asset);
        log_json_set_number(object, "scale", operation->asset_put.scale);
        log_json_set_field(object, "code", operation->asset_put.code,
                           sizeof operation->asset_put.code);
        break;
    case HF_OP_ACCOUNT_PUT:
        describe_account(object, &operation->account_put);
        break;
    case HF_OP_ACCOUNT_CLOSE:
        log_json_set_id(object, "account", operation->account_close.account);
        log_json_set_id_if(object, "sink", operation->account_close.sink);
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
        log_json_set_number(object, "class", operation->class_put.class_number);
        log_json_set_number(object, "lifetime_ns", operation->class_put.lifetime_ns);
        break;
    case HF_OP_INCREMENT:
        describe_increment(object, &operation->increment);
        break;
    case HF_OP_REVERSE:
        describe_reverse(object, &operation->reverse);
        break;
    case HF_OP_CLEAR:
        describe_clear(object, &operation->clear);
        break;
    case HF_OP_EXPIRE:
        describe_expire(object, &operation->expire);
        break;
    case HF_OP_CHAIN:
        describe_chain(object, &operation->chain);
        break;
    case HF_OP_MOVE:
        log_json_set_id(object, "payer", operation->move.payer);
        log_json_set_id(object, "payee", operation->move.payee);
        log_json_set_number(object, "amount", operation->move.amount);
        log_json_set_number(object, "asset", operation->move.asset);
        log_json_set_number(object, "reference", operation->move.reference);
        break;
    case HF_OP_HOLD:
        log_json_set_id(object, "payer", operation->hold.payer);
        log_json_set_id(object, "payee", operation->hold.payee);
        log_json_set_number(object, "amount", operation->hold.amount);
        log_json_set_number(object, "asset", operation->hold.asset);
        log_json_set_number(object, "reference", operation->hold.reference);
        set_expiry(object, operation->hold.expires_ns);
        break;
    case HF_OP_CAPTURE:
        log_json_set_id(object, "hold", operation->capture.hold);
        log_json_set_amount(object, "amount", operation->capture.amount, "all");
        log_json_set_number(object, "final", operation->capture.final);
        if (operation->header.length != HF_CAPTURE_SHORT) {
            log_json_set_id_if(object, "payee", operation->capture.payee);
        }
        break;
    case HF_OP_RELEASE:
        log_json_set_id(object, "hold", operation->release.hold);
        log_json_set_amount(object, "amount", operation->release.amount, "all");
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

json_t *log_print_describe_operation(uint64_t place, const union hf_operation *operation)
{
    json_t *object = json_object();
    log_json_set_number_if(object, "place", place);
    log_json_set_text(object, "type", hf_operation_name(operation->header.type));
    log_json_set_id(object, "id", operation->header.id);
    if (operation->header.origin != 0) {
        log_json_set_number(object, "origin", operation->header.origin);
    }
    if (operation->header.deadline_ns != 0) {
        log_json_set_number(object, "deadline_ns", operation->header.deadline_ns);
    }
    describe_body(object, operation);
    return object;
}

static void describe_seal(json_t *object, const struct hf_record_header *record)
{
    const struct hf_chain_seal *seal = hf_chain_seal_of(record);
    log_json_set_number(object, "first_record", seal->first_index);
    log_json_set_number(object, "records", record->index - seal->first_index);
    log_json_set_number(object, "node", seal->node);
    log_json_set_bytes(object, "root", &seal->root, sizeof seal->root);
    log_json_set_bytes(object, "chain", &seal->chain, sizeof seal->chain);
    log_json_set_bytes(object, "key", seal->public_key, sizeof seal->public_key);
    log_json_set_bytes(object, "signature", seal->signature, sizeof seal->signature);
}

static const char *kind_name(uint16_t kind)
{
    static const char *const names[] = {[HF_RECORD_OPERATIONS] = "operations",
                                        [HF_RECORD_MARK] = "mark",
                                        [HF_RECORD_SEAL] = "seal"};
    assert(kind >= HF_RECORD_OPERATIONS);
    assert(kind <= HF_RECORD_SEAL);
    return names[kind];
}

static json_t *describe_record(const struct hf_record_header *record)
{
    json_t *object = json_object();
    log_json_set_number(object, "record", record->index);
    log_json_set_text(object, "kind", kind_name(record->kind));
    log_json_set_number(object, "epoch", record->epoch);
    log_json_set_number(object, "first_place", record->first_place);
    log_json_set_number(object, "count", record->count);
    log_json_set_number(object, "timestamp_ns", record->timestamp_ns);
    log_json_set_number(object, "commit", record->commit);
    log_json_set_number(object, "length", record->length);
    log_json_set_hash(object, "hash", record->hash);
    if (record->kind == HF_RECORD_SEAL) {
        describe_seal(object, record);
    }
    return object;
}

void log_print_record(const struct hf_record_header *record, bool json)
{
    json_t *object = describe_record(record);
    json_t *operations = json_array();
    uint32_t offset = 0;
    uint64_t place = record->first_place;
    const union hf_operation *operation = hf_record_next(record, &offset);
    if (!json) {
        log_json_print_line("", object);
    }
    while (operation != NULL) {
        json_t *line = log_print_describe_operation(place++, operation);
        if (json) {
            json_array_append(operations, line);
        } else {
            log_json_print_line("  ", line);
        }
        json_decref(line);
        operation = hf_record_next(record, &offset);
    }
    if (json) {
        json_object_set(object, "operations", operations);
        log_json_print(object);
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
        [HF_EVENT_REVERSED] = "REVERSED", [HF_EVENT_EXCEPTION] = "EXCEPTION",
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

json_t *log_print_describe_event(const struct hf_event *event)
{
    json_t *object = json_object();
    log_json_set_number(object, "place", event->place);
    log_json_set_text(object, "event", event_name(event->kind));
    log_json_set_text(object, "type", hf_operation_name(event->type));
    log_json_set_id(object, "subject", event->subject);
    if (has_amount(event->kind)) {
        json_object_set_new(object, "amount", json_integer(event->amount));
    }
    log_json_set_number_if(object, "asset", event->asset);
    if (event->kind == HF_EVENT_REFUSED || event->kind == HF_EVENT_EXCEPTION) {
        log_json_set_text(object, "code", hf_code_name(event->code));
        log_json_set_text(object, "rule", hf_rule_name(event->rule));
    }
    log_json_set_number_if(object, "entry", event->entry);
    return object;
}

void log_print_event(const struct hf_event *event, bool json)
{
    json_t *object = log_print_describe_event(event);
    if (json) {
        log_json_print(object);
    } else {
        log_json_print_line("", object);
    }
    json_decref(object);
}

static json_t *describe_types(const struct log_figures *figures)
{
    json_t *types = json_object();
    for (unsigned type = 0; type < LOG_TYPES_MAX; type++) {
        if (figures->by_type[type] != 0) {
            log_json_set_number(types, hf_operation_name((uint8_t)type), figures->by_type[type]);
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
    log_json_set_text(object, "cluster", cluster);
    log_json_set_number(object, "node", superblock->node);
    log_json_set_number(object, "incarnation", superblock->incarnation);
    log_json_set_number(object, "epoch",
                        superblock->epoch_count != 0 ? hf_superblock_epoch(superblock) : 0);
    log_json_set_number(object, "records", figures->records);
    log_json_set_number(object, "operations", figures->operations);
    log_json_set_number(object, "seals", figures->seals);
    log_json_set_number(object, "unsealed_records", state->span.tree.leaf_count);
    log_json_set_bytes(object, "key", superblock->public_key, sizeof superblock->public_key);
    if (state->span.previous_is_known) {
        log_json_set_bytes(object, "last_chain", &state->span.previous,
                           sizeof state->span.previous);
    }
    log_json_set_number(object, "first_record", figures->first_index);
    log_json_set_number(object, "last_record", state->last_index);
    log_json_set_number(object, "last_place", state->next_place - 1);
    log_json_set_hash(object, "last_hash", state->last_hash);
    log_json_set_number(object, "checkpoints", figures->checkpoint_count);
    log_json_set_number(object, "checkpoint_record", figures->checkpoint_index);
}

static void describe_tail(json_t *object, const struct log_figures *figures)
{
    const struct hf_log_state *state = &figures->state;
    if (figures->is_running) {
        log_json_set_text(object, "tail", "being written");
        return;
    }
    log_json_set_text(object, "tail", state->cut_bytes == 0 ? "clean" : "torn");
    if (state->cut_bytes != 0) {
        char name[HF_DISK_NAME_SIZE];
        hf_segment_format_name(state->cut_segment, name);
        log_json_set_text(object, "torn_segment", name);
        log_json_set_number(object, "torn_offset", state->cut_offset);
        log_json_set_number(object, "torn_bytes", state->cut_bytes);
        log_json_set_number(object, "torn_records", state->cut_records);
    }
}

void log_print_figures(const struct log_figures *figures, bool json)
{
    const struct hf_log_state *state = &figures->state;
    json_t *object = json_object();
    describe_extent(object, figures);
    log_json_set_number(object, "marks", figures->marks);
    log_json_set_number(object, "first_place", figures->first_place);
    log_json_set_number(object, "first_timestamp_ns", figures->first_timestamp_ns);
    log_json_set_number(object, "last_timestamp_ns", state->last_timestamp_ns);
    json_object_set_new(
        object, "seconds",
        json_real((double)(state->last_timestamp_ns - figures->first_timestamp_ns) / 1e9));
    log_json_set_number(object, "block_bytes", state->superblock.block_size);
    log_json_set_number(object, "segment_bytes", state->superblock.segment_size);
    log_json_set_number(object, "segments",
                        state->segment_last == 0 ? 0
                                                 : state->segment_last - state->segment_first + 1);
    log_json_set_number(object, "segments_used",
                        state->segment_last == 0 ? 0 : state->segment - state->segment_first + 1);
    log_json_set_number(object, "record_bytes", figures->bytes_logical);
    log_json_set_number(object, "padded_bytes", state->bytes_replayed);
    if (figures->operations != 0) {
        json_object_set_new(
            object, "bytes_per_operation",
            json_real((double)figures->bytes_logical / (double)figures->operations));
    }
    log_json_set_number(object, "checkpoint_place", figures->checkpoint_place);
    log_json_set_number(object, "checkpoint_bytes", figures->checkpoint_bytes);
    describe_tail(object, figures);
    json_object_set_new(object, "types", describe_types(figures));
    if (json) {
        log_json_print(object);
    } else {
        log_json_print_block(object);
    }
    json_decref(object);
}

void log_print_verdict(const struct log_figures *figures, const char *fault, bool json)
{
    json_t *object = json_object();
    json_object_set_new(object, "holds", json_boolean(fault == NULL));
    if (fault == NULL) {
        describe_extent(object, figures);
        json_object_set_new(object, "replayed", json_boolean(figures->is_replayed));
        if (figures->is_replayed) {
            log_json_set_number(object, "replayed_from_record", figures->replay_index + 1);
            log_json_set_number(object, "digests_compared", figures->digests_compared);
        }
        describe_tail(object, figures);
    } else {
        log_json_set_text(object, "fault", fault);
    }
    if (json) {
        log_json_print(object);
    } else if (fault == NULL) {
        log_json_print_block(object);
    }
    json_decref(object);
}
