#include "origins.h"

#include "ini_file.h"
#include "net/rate.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUERIES_DEFAULT 1000

/* ---- reading */

/* Reads a number in decimal, or after 0x in hexadecimal, up to the next blank. */
static bool read_number(const char *text, const char **rest, uint64_t *number)
{
    bool is_hexadecimal = text[0] == '0' && text[1] == 'x';
    const char *digits = is_hexadecimal ? text + 2 : text;
    char *end;

    if (strchr(is_hexadecimal ? "0123456789abcdefABCDEF" : "0123456789", digits[0]) == NULL ||
        digits[0] == '\0')
        return false;
    errno = 0;
    *number = strtoull(digits, &end, is_hexadecimal ? 16 : 10);
    *rest = end;
    return errno == 0 && (*end == '\0' || *end == ' ');
}

static const char *skip_blanks(const char *text)
{
    return text + strspn(text, " ");
}

static const char *read_reach(const char *text, struct origin_reach *reach)
{
    memset(reach, 0, sizeof *reach);
    if (strcmp(text, "all") == 0) {
        reach->is_all = true;
        return NULL;
    }
    if (strcmp(text, "none") == 0)
        return NULL;
    for (text = skip_blanks(text); *text != '\0'; text = skip_blanks(text)) {
        if (reach->family_count == ORIGIN_FAMILIES_MAX)
            return "names more than 16 families";
        if (!read_number(text, &text, &reach->families[reach->family_count++]))
            return "is neither all, none, nor upper halves of ids";
    }
    return reach->family_count != 0 ? NULL : "is empty: all, none, or upper halves of ids";
}

static uint8_t type_of(const char *word, size_t length)
{
    for (uint8_t type = 1; type <= HF_OP_TYPE_MAX; type++) {
        const char *name = hf_operation_name(type);
        if (type != HF_OP_EXPIRE && hf_operation_length(type) != 0 && strlen(name) == length &&
            memcmp(name, word, length) == 0)
            return type;
    }
    return 0;
}

static const char *read_allowed(const char *text, uint32_t *allowed)
{
    static _Thread_local char why[80];

    if (strcmp(text, "all") == 0) {
        *allowed = UINT32_MAX;
        return NULL;
    }
    for (text = skip_blanks(text); *text != '\0'; text = skip_blanks(text)) {
        size_t length = strcspn(text, " ");
        uint8_t type = type_of(text, length);
        if (type == 0) {
            snprintf(why, sizeof why, "%.*s is no operation that can be sent", (int)length, text);
            return why;
        }
        *allowed |= UINT32_C(1) << type;
        text += length;
    }
    return *allowed != 0 ? NULL : "is empty: all, or names of operations";
}
_Static_assert(HF_OP_TYPE_MAX < 32, "a bit for every type");

static const char *read_rate(const char *text, uint32_t *rate)
{
    const char *rest;
    uint64_t number;

    if (!read_number(text, &rest, &number) || *rest != '\0' || number > HF_RATE_MAX)
        return "is not a number from 0 to 1000000000";
    *rate = (uint32_t)number;
    return NULL;
}

static const char *read_name(const char *text, char name[ORIGIN_NAME_SIZE])
{
    size_t length = strlen(text);

    if (length == 0 || length >= ORIGIN_NAME_SIZE)
        return "is not 1 to 31 characters long";
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '!' || text[i] > '~' || text[i] == '"' || text[i] == '\\')
            return "has a character that is no plain letter, digit or sign";
    }
    memcpy(name, text, length + 1);
    return NULL;
}

enum { SAID_KEY = 1, SAID_ALLOW = 2, SAID_NAME = 4, SAID_ACCOUNTS = 8, SAID_INSTRUMENTS = 16 };
enum { SAID_RATE = 32, SAID_QUERIES = 64 };

struct reading {
    struct origin_set *set;
    uint8_t *said; /* of each origin, which of its settings */
};

static const char *read_key(const struct origin_set *set, const char *text, struct origin *origin)
{
    if (!hf_key_parse(text, origin->key))
        return "is not 64 hexadecimal digits";
    for (uint32_t i = 0; i < set->count_max; i++) {
        const struct origin *other = &set->list[i];
        if (other != origin && other->is_set &&
            memcmp(other->key, origin->key, sizeof origin->key) == 0)
            return "is another origin's too";
    }
    return NULL;
}

static const char *take(struct reading *reading, struct origin *origin, uint8_t *said,
                        const char *key, const char *value)
{
    static const struct {
        const char *key;
        uint8_t said;
    } keys[] = {
        {"key", SAID_KEY},
        {"allow", SAID_ALLOW},
        {"name", SAID_NAME},
        {"accounts", SAID_ACCOUNTS},
        {"instruments", SAID_INSTRUMENTS},
        {"rate", SAID_RATE},
        {"queries", SAID_QUERIES},
    };
    uint8_t which = 0;

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        which |= strcmp(keys[i].key, key) == 0 ? keys[i].said : 0;
    if (which == 0)
        return "no such setting";
    if ((*said & which) != 0)
        return "set twice";
    *said |= which;
    switch (which) {
    case SAID_KEY:
        return read_key(reading->set, value, origin);
    case SAID_ALLOW:
        return read_allowed(value, &origin->allowed);
    case SAID_NAME:
        return read_name(value, origin->name);
    case SAID_ACCOUNTS:
        return read_reach(value, &origin->accounts);
    case SAID_INSTRUMENTS:
        return read_reach(value, &origin->instruments);
    case SAID_RATE:
        return read_rate(value, &origin->rate);
    default:
        return read_rate(value, &origin->queries);
    }
}

static const char *take_setting(void *context, const char *section, const char *key,
                                const char *value, int line)
{
    struct reading *reading = context;
    struct origin_set *set = reading->set;
    struct origin *origin;
    const char *rest;
    uint64_t number;

    (void)line;
    if (strncmp(section, "origin ", 7) != 0 || !read_number(section + 7, &rest, &number) ||
        *rest != '\0')
        return "stands in no section [origin N]";
    if (number == 0 || number > set->count_max)
        return "is of an origin whose number is not 1 to security.origins_max";
    origin = &set->list[number - 1];
    if (!origin->is_set) {
        origin->is_set = true;
        origin->queries = QUERIES_DEFAULT;
        snprintf(origin->name, sizeof origin->name, "%u", (unsigned)number);
        set->count++;
    }
    return take(reading, origin, &reading->said[number - 1], key, value);
}

static enum hf_status check_whole(const char *path, const struct reading *reading,
                                  struct hf_fault *fault)
{
    const uint8_t needed = SAID_KEY | SAID_ALLOW;

    for (uint32_t i = 0; i < reading->set->count_max; i++) {
        if (!reading->set->list[i].is_set || (reading->said[i] & needed) == needed)
            continue;
        snprintf(fault->line, sizeof fault->line, "%.100s: [origin %u] has no %s", path, i + 1,
                 (reading->said[i] & SAID_KEY) == 0 ? "key" : "allow");
        return HF_STATUS_INVALID;
    }
    if (reading->set->count != 0)
        return HF_STATUS_OK;
    snprintf(fault->line, sizeof fault->line, "%.100s: names no origin: nobody could send anything",
             path);
    return HF_STATUS_INVALID;
}

enum hf_status origins_read(const char *path, struct origin_set *set, struct hf_fault *fault)
{
    struct reading reading = {.set = set};
    enum hf_status status;

    assert(set != NULL && set->list != NULL);
    memset(set->list, 0, set->count_max * sizeof *set->list);
    set->count = 0;
    reading.said = calloc(set->count_max, sizeof *reading.said);
    if (reading.said == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory to read the origins");
        return HF_STATUS_NO_MEMORY;
    }
    status = ini_file_read(path, take_setting, &reading, fault);
    if (status == HF_STATUS_OK)
        status = check_whole(path, &reading, fault);
    free(reading.said);
    return status;
}

/* ---- judging */

static bool reaches(const struct origin_reach *reach, struct hf_id id)
{
    bool found = reach->is_all;

    for (uint32_t i = 0; i < reach->family_count && !found; i++)
        found = reach->families[i] == id.hi;
    return found;
}

/* An id that may be left out: zero names nobody. */
static bool reaches_if_named(const struct origin_reach *reach, struct hf_id id)
{
    return hf_id_is_zero(id) || reaches(reach, id);
}

static bool reaches_entries(const struct origin *origin, const struct hf_op_plan *plan,
                            const struct hf_op_entry entries[])
{
    for (uint32_t i = 0; i < (uint32_t)plan->source_count + plan->destination_count; i++) {
        if (!reaches(&origin->accounts, entries[i].account))
            return false;
    }
    return true;
}

static bool reaches_account_put(const struct origin *origin, const struct hf_op_account_put *put)
{
    if (!reaches(&origin->accounts, put->account))
        return false;
    return put->header.length == HF_ACCOUNT_PUT_SHORT ||
           (reaches_if_named(&origin->accounts, put->parent) &&
            reaches_if_named(&origin->accounts, put->sink));
}

static bool reaches_instrument_put(const struct origin *origin,
                                   const struct hf_op_instrument_put *put)
{
    bool reached =
        reaches(&origin->instruments, put->token) && reaches(&origin->accounts, put->account);

    for (uint32_t i = 0; i < put->further_count && reached; i++)
        reached = reaches(&origin->accounts, put->further[i]);
    return reached;
}

/* Holds and authorisations are named by the operation that made them: the engine answers who may
 * (their own origin, and nobody else). */
static bool reaches_subject(const struct origin *origin, const struct hf_op_query *query)
{
    switch (query->subject) {
    case HF_QUERY_ACCOUNT:
    case HF_QUERY_ACCOUNT_HOLDS:
    case HF_QUERY_ACCOUNT_LIMITS:
        return reaches(&origin->accounts, query->subject_id);
    case HF_QUERY_INSTRUMENT:
    case HF_QUERY_INSTRUMENT_LIMITS:
    case HF_QUERY_INSTRUMENT_AUTHORISATIONS:
        return reaches(&origin->instruments, query->subject_id);
    default:
        return true;
    }
}

static bool may_chain(const struct origin *origin, const struct hf_op_chain *chain)
{
    size_t offset = 0;

    for (uint32_t i = 0; i < chain->count; i++) {
        const union hf_operation *inner = (const void *)(chain->operations + offset);
        if (!origin_may(origin, inner))
            return false;
        offset += inner->header.length;
    }
    return true;
}

/* Every account and instrument that an operation names. */
static bool reaches_named(const struct origin *origin, const union hf_operation *operation)
{
    const struct origin_reach *accounts = &origin->accounts;
    const struct origin_reach *instruments = &origin->instruments;

    switch (operation->header.type) {
    case HF_OP_MOVE:
        return reaches(accounts, operation->move.payer) && reaches(accounts, operation->move.payee);
    case HF_OP_AUTH:
        return reaches(instruments, operation->auth.token) &&
               reaches(accounts, operation->auth.payee);
    case HF_OP_HOLD:
        return reaches(accounts, operation->hold.payer) && reaches(accounts, operation->hold.payee);
    case HF_OP_CAPTURE:
        return operation->header.length == HF_CAPTURE_SHORT ||
               reaches_if_named(accounts, operation->capture.payee);
    case HF_OP_CLEAR:
        return reaches_if_named(instruments, operation->clear.token) &&
               reaches_if_named(accounts, operation->clear.payee);
    case HF_OP_MOVE_PLAN:
        return reaches_entries(origin, &operation->move_plan.plan, operation->move_plan.entries);
    case HF_OP_HOLD_PLAN:
        return reaches_entries(origin, &operation->hold_plan.plan, operation->hold_plan.entries);
    case HF_OP_ACCOUNT_PUT:
        return reaches_account_put(origin, &operation->account_put);
    case HF_OP_ACCOUNT_CLOSE:
        return reaches(accounts, operation->account_close.account) &&
               reaches_if_named(accounts, operation->account_close.sink);
    case HF_OP_INSTRUMENT_PUT:
        return reaches_instrument_put(origin, &operation->instrument_put);
    case HF_OP_LIMIT_PUT:
        return reaches(operation->limit_put.scope == HF_LIMIT_INSTRUMENT ? instruments : accounts,
                       operation->limit_put.scope_id);
    case HF_OP_QUERY:
        return reaches_subject(origin, &operation->query);
    case HF_OP_CHAIN:
        return may_chain(origin, &operation->chain);
    default: /* holds and authorisations (as above), assets, classes: the type alone says it */
        return true;
    }
}

bool origin_may(const struct origin *origin, const union hf_operation *operation)
{
    uint8_t type = operation->header.type;

    assert(type <= HF_OP_TYPE_MAX);
    if ((origin->allowed >> type & 1) == 0)
        return false;
    return (origin_reaches_all(origin) && type != HF_OP_CHAIN) || reaches_named(origin, operation);
}
