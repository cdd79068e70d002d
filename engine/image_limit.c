/* Loading limits: their settings are such as an operation could have made, and what is used is such
 * as draws up to the newest operation could have used. */
#include "image_limit.h"

#include "state.h"

#include <assert.h>
#include <string.h>

static bool is_zero(const uint8_t *bytes, size_t count)
{
    uint8_t seen = 0;

    for (size_t i = 0; i < count; i++)
        seen |= bytes[i];
    return seen == 0;
}

/* The settings of a limit as the operation that could have made it. */
static struct hf_op_limit_put put_of(const struct hf_image_limit *record)
{
    return (struct hf_op_limit_put){
        .header = {.length = sizeof(struct hf_op_limit_put),
                   .type = HF_OP_LIMIT_PUT,
                   .id = record->scope_id},
        .scope_id = record->scope_id,
        .max_amount = record->max_amount,
        .max_count = record->max_count,
        .length_ns = record->length_ns,
        .scope = record->scope,
        .number = record->number,
        .window = record->window,
        .zone_minutes = record->zone_minutes,
        .start = record->start,
        .filter = record->filter,
    };
}

/* May so much be used, in this window? None lies ahead of the newest operation's. Counts and
 * amounts go their own ways: some draws count nothing, and of some the amount was given back. */
static bool is_usage(const struct hf_image_reader *reader, const struct hf_limit *limit,
                     const struct hf_image_limit *record)
{
    if (record->period != 0 && record->period > hf_limit_period(limit, reader->timestamp_ns))
        return false;
    switch (limit->window) {
    case HF_LIMIT_OPERATION:
        return record->used_count == 0 && record->used_amount == 0 && record->period == 0;
    case HF_LIMIT_ROLLING: /* its buckets tell */
        return record->used_count == 0 && record->used_amount == 0 && record->period >= 0;
    case HF_LIMIT_LIFETIME:
        return record->period == 0;
    default:
        return true;
    }
}

/* Who has the limit of a record, `first` being NULL when nobody does. Any bytes may be
 * asked for. */
static struct hf_limit_owner find_owner(const struct hf_ledger *ledger, uint8_t scope,
                                        struct hf_id id)
{
    if ((scope != HF_LIMIT_INSTRUMENT && scope != HF_LIMIT_ACCOUNT) || hf_id_is_reserved(id))
        return (struct hf_limit_owner){0};
    return hf_limit_owner_of(ledger, scope, id);
}

/* The owner's limit of this number, or NULL. */
static struct hf_limit *find_limit(const struct hf_ledger *ledger, struct hf_limit_owner owner,
                                   uint8_t number)
{
    return hf_limit_find(&ledger->limit_list, (struct hf_limit_run){*owner.first, *owner.count},
                         number);
}

enum hf_status hf_image_take_limit(struct hf_image_reader *reader, const void *bytes)
{
    struct hf_ledger *ledger = reader->ledger;
    struct hf_image_limit record;

    memcpy(&record, bytes, sizeof(record));
    const union hf_operation operation = {.limit_put = put_of(&record)};
    const struct hf_limit_owner owner = find_owner(ledger, record.scope, record.scope_id);
    if (owner.first == NULL || !is_zero(record.reserved, sizeof(record.reserved)) ||
        record.filter.parts != 0 || record.since > reader->place ||
        hf_operation_check(&operation, sizeof(operation.limit_put)).code != HF_CODE_OK ||
        find_limit(ledger, owner, record.number) != NULL || *owner.count == HF_LIMITS_A_SCOPE)
        return HF_STATUS_CORRUPT;
    struct hf_limit *limit = hf_limit_add(ledger, owner, &operation.limit_put, record.since);
    limit->used.amount = record.used_amount;
    limit->used.count = record.used_count;
    limit->period = record.period;
    return is_usage(reader, limit, &record) ? HF_STATUS_OK : HF_STATUS_CORRUPT;
}

enum hf_status hf_image_take_rolling(struct hf_image_reader *reader, const void *bytes)
{
    struct hf_ledger *ledger = reader->ledger;
    struct hf_image_rolling record;

    memcpy(&record, bytes, sizeof(record));
    const struct hf_limit_owner owner = find_owner(ledger, record.scope, record.scope_id);
    if (owner.first == NULL || !is_zero(record.reserved, sizeof(record.reserved)))
        return HF_STATUS_CORRUPT;
    struct hf_limit *limit = find_limit(ledger, owner, record.number);
    if (limit == NULL || limit->window != HF_LIMIT_ROLLING || limit->rolling != HF_TABLE_NONE)
        return HF_STATUS_CORRUPT;
    *hf_limit_add_rolling(ledger, limit) = record.rolling;
    return HF_STATUS_OK;
}

bool hf_image_are_limits_whole(const struct hf_limit_list *limits)
{
    for (uint32_t line = hf_limit_next(limits, 0); line != HF_TABLE_NONE;
         line = hf_limit_next(limits, line + 1)) {
        const struct hf_limit *limit = &limits->list[line];
        if ((limit->window == HF_LIMIT_ROLLING) != (limit->rolling != HF_TABLE_NONE))
            return false;
    }
    return true;
}
