/* Writing an image: section by section, a record at a time. */
#include "image.h"

#include "state.h"

#include <assert.h>
#include <string.h>

uint64_t hf_image_length(const struct hf_ledger *ledger)
{
    const struct hf_holds *holds = &ledger->holds;
    uint64_t lines = ledger->assets.count + (uint64_t)ledger->accounts.count + ledger->seen.count;
    uint64_t known_count = holds->tally.open_count + (uint64_t)holds->tally.ended_count -
                           hf_hold_count_stale(holds, ledger->timestamp_ns);

    return sizeof(struct hf_image_header) + sizeof(struct hf_image_head) +
           sizeof(struct hf_image_classes) + lines * HF_IMAGE_UNIT +
           ledger->terms.count * sizeof(struct hf_image_terms) +
           ledger->instruments.count * sizeof(struct hf_image_instrument) +
           ledger->instrument_list.selector_pool.count * sizeof(struct hf_image_selector) +
           ledger->limit_list.count * sizeof(struct hf_image_limit) +
           ledger->limit_list.rolling_pool.count * sizeof(struct hf_image_rolling) +
           known_count * sizeof(struct hf_image_hold) +
           holds->part_pool.count * sizeof(struct hf_image_part) +
           holds->condition_pool.count * sizeof(struct hf_image_condition) +
           sizeof(struct hf_image_trailer);
}

void hf_image_write_begin(struct hf_image_writer *writer, const struct hf_ledger *ledger)
{
    assert(ledger->magic == HF_LEDGER_MAGIC);
    memset(writer, 0, sizeof(*writer));
    writer->ledger = ledger;
    writer->place = hf_ledger_place(ledger);
    writer->stale_count = hf_hold_count_stale(&ledger->holds, ledger->timestamp_ns);
}

static void put(struct hf_image_writer *writer, const void *record, uint32_t length)
{
    assert(length % HF_IMAGE_UNIT == 0);
    assert(length <= sizeof(writer->record));
    memcpy(writer->record, record, length);
    writer->record_length = length;
    writer->record_taken = 0;
    writer->length += length;
}

static void put_counted(struct hf_image_writer *writer, enum hf_image_kind kind, const void *record,
                        uint32_t length)
{
    hf_digest_add(&writer->digest, kind, record, length);
    put(writer, record, length);
}

/* Each maker makes the section's next record, or says that there is none. */

static bool make_header(struct hf_image_writer *writer)
{
    const struct hf_ledger *ledger = writer->ledger;

    if (writer->cursor++ != 0)
        return false;
    const struct hf_image_header header = {
        .magic = HF_IMAGE_MAGIC,
        .version = HF_IMAGE_VERSION,
        .assets = ledger->assets.count,
        .accounts = ledger->accounts.count,
        .terms = ledger->terms.count,
        .instruments = ledger->instruments.count,
        .answers = ledger->seen.count,
        .holds_ended = ledger->holds.tally.ended_count - writer->stale_count,
        .holds_open = ledger->holds.tally.open_count,
        .parts = ledger->holds.part_pool.count,
        .conditions = ledger->holds.condition_pool.count,
        .limits = ledger->limit_list.count,
        .rolling = ledger->limit_list.rolling_pool.count,
        .selectors = ledger->instrument_list.selector_pool.count,
    };
    put(writer, &header, sizeof(header));
    return true;
}

static bool make_head(struct hf_image_writer *writer)
{
    if (writer->cursor++ != 0)
        return false;
    const struct hf_image_head head = {
        .place = writer->place,
        .timestamp_ns = writer->ledger->timestamp_ns,
        .floor_ms = writer->ledger->seen.floor_ms,
    };
    put_counted(writer, HF_IMAGE_HEAD, &head, sizeof(head));
    return true;
}

static bool make_classes(struct hf_image_writer *writer)
{
    struct hf_image_classes record;

    if (writer->cursor++ != 0)
        return false;
    memcpy(record.lifetimes_ns, writer->ledger->holds.lifetimes_ns, sizeof(record.lifetimes_ns));
    put_counted(writer, HF_IMAGE_CLASSES, &record, sizeof(record));
    return true;
}

static bool make_asset(struct hf_image_writer *writer)
{
    const struct hf_assets *assets = &writer->ledger->assets;

    if (writer->cursor == assets->count)
        return false;
    const struct hf_asset *asset = &assets->list[writer->cursor++];
    struct hf_image_asset record = {.asset = asset->asset, .scale = asset->scale};
    memcpy(record.code, asset->code, sizeof(record.code));
    put_counted(writer, HF_IMAGE_ASSET, &record, sizeof(record));
    return true;
}

/* Moves the cursor to the next taken slot. False at the end of the table. */
static bool step_to_taken(struct hf_image_writer *writer, const struct hf_table *table)
{
    uint32_t slot = hf_table_next(table, (uint32_t)writer->cursor);

    writer->cursor = slot;
    return slot != HF_TABLE_NONE;
}

static bool make_account(struct hf_image_writer *writer)
{
    const struct hf_table *accounts = &writer->ledger->accounts;

    if (!step_to_taken(writer, accounts))
        return false;
    const struct hf_account *account = hf_account_at(accounts, (uint32_t)writer->cursor++);
    const struct hf_image_account record = {
        .id = account->id,
        .posted = account->posted,
        .held_out = account->held_out,
        .held_in = account->held_in,
        .lifetime_debits = account->lifetime_debits,
        .floor = account->floor,
        .asset = account->asset,
        .status = account->status,
    };
    put_counted(writer, HF_IMAGE_ACCOUNT, &record, sizeof(record));
    return true;
}

/* The id of the account at a slot; zero when there is none. */
static struct hf_id id_of(const struct hf_ledger *ledger, uint32_t slot)
{
    return slot == HF_TABLE_NONE ? (struct hf_id){0} : hf_table_key(&ledger->accounts, slot);
}

static bool make_terms(struct hf_image_writer *writer)
{
    const struct hf_ledger *ledger = writer->ledger;

    if (writer->cursor == ledger->terms.count)
        return false;
    const struct hf_terms *terms = &ledger->terms.list[writer->cursor];
    const struct hf_account *account = hf_account_at(&ledger->accounts, terms->account);
    const struct hf_image_terms record = {
        .account = account->id,
        .parent = id_of(ledger, terms->parent),
        .sink = id_of(ledger, terms->sink),
        .ceiling = terms->ceiling,
        .expires_ns = terms->expires_ns,
        .filter = ledger->terms.filters[writer->cursor],
        .flags = (account->flags & HF_ACCOUNT_IS_TOTAL) != 0 ? HF_ACCOUNT_TOTAL : 0,
    };
    writer->cursor++;
    put_counted(writer, HF_IMAGE_TERMS, &record, sizeof(record));
    return true;
}

static bool make_instrument(struct hf_image_writer *writer)
{
    const struct hf_ledger *ledger = writer->ledger;

    if (!step_to_taken(writer, &ledger->instruments))
        return false;
    uint32_t slot = (uint32_t)writer->cursor++;
    const struct hf_instrument *instrument = hf_instrument_at(&ledger->instruments, slot);
    const struct hf_image_instrument record = {
        .token = instrument->token,
        .account = hf_table_key(&ledger->accounts, instrument->account),
        .expires_ns = instrument->expires_ns,
        .amount_limit = instrument->amount_limit,
        .remaining = instrument->remaining,
        .put_place = ledger->instrument_list.put_places[slot],
        .status = instrument->status,
        .flags = instrument->flags,
    };
    put_counted(writer, HF_IMAGE_INSTRUMENT, &record, sizeof(record));
    return true;
}

static bool make_selector(struct hf_image_writer *writer)
{
    const struct hf_ledger *ledger = writer->ledger;

    for (; step_to_taken(writer, &ledger->instruments); writer->cursor++) {
        const struct hf_instrument *instrument =
            hf_instrument_at(&ledger->instruments, (uint32_t)writer->cursor);
        struct hf_image_selector record = {.token = instrument->token};
        uint32_t slots[HF_INSTRUMENT_ACCOUNTS_MAX];
        uint32_t count = hf_instrument_accounts(ledger, instrument, slots);
        if (count == 1)
            continue;
        for (uint32_t i = 1; i < count; i++)
            record.further[i - 1] = id_of(ledger, slots[i]);
        writer->cursor++;
        put_counted(writer, HF_IMAGE_SELECTOR, &record, sizeof(record));
        return true;
    }
    return false;
}

static bool make_limit(struct hf_image_writer *writer)
{
    const struct hf_limit_list *limits = &writer->ledger->limit_list;

    uint32_t line = hf_limit_next(limits, (uint32_t)writer->cursor);
    if (line == HF_TABLE_NONE)
        return false;
    writer->cursor = line + 1;
    const struct hf_limit *limit = &limits->list[line];
    const struct hf_limit_more *more = &limits->more[line];
    const struct hf_image_limit record = {
        .scope_id = more->scope_id,
        .max_amount = limit->max_amount,
        .max_count = limit->max_count,
        .used_amount = limit->used.amount,
        .used_count = limit->used.count,
        .period = limit->period,
        .length_ns = limit->length_ns,
        .scope = limit->scope,
        .number = limit->number,
        .window = limit->window,
        .start = limit->start,
        .zone_minutes = limit->zone_minutes,
        .since = limits->since[line],
        .filter = more->filter,
    };
    put_counted(writer, HF_IMAGE_LIMIT, &record, sizeof(record));
    return true;
}

static bool make_rolling(struct hf_image_writer *writer)
{
    const struct hf_limit_list *limits = &writer->ledger->limit_list;

    for (;;) {
        uint32_t line = hf_limit_next(limits, (uint32_t)writer->cursor);
        if (line == HF_TABLE_NONE)
            return false;
        writer->cursor = line + 1;
        const struct hf_limit *limit = &limits->list[line];
        if (limit->rolling == HF_TABLE_NONE)
            continue;
        const struct hf_image_rolling record = {
            .scope_id = limits->more[line].scope_id,
            .scope = limit->scope,
            .number = limit->number,
            .rolling = limits->rollings[limit->rolling],
        };
        put_counted(writer, HF_IMAGE_ROLLING, &record, sizeof(record));
        return true;
    }
}

static bool make_answer(struct hf_image_writer *writer)
{
    const struct hf_seen *seen = &writer->ledger->seen;
    uint64_t place = hf_seen_oldest(seen) + writer->cursor;

    if (place == seen->next_place)
        return false;
    writer->cursor++;
    put_counted(writer, HF_IMAGE_ANSWER, hf_seen_at(seen, place), sizeof(struct hf_answer));
    return true;
}

/* What an authorisation has besides. */
static void add_record(const struct hf_ledger *ledger, uint32_t slot, struct hf_image_hold *image)
{
    const struct hf_holds *holds = &ledger->holds;
    const struct hf_record *record = &holds->records[slot];
    uint32_t before = hf_record_before(holds, slot, ledger->timestamp_ns);

    memcpy(image->merchant, record->merchant, sizeof(image->merchant));
    image->acquirer = record->acquirer;
    image->reversed = record->reversed;
    image->first_draw = record->first_draw;
    image->later_draws = record->later_draws;
    image->draws_ns = record->later_draws == 0 ? 0 : holds->later[slot].draws_ns;
    image->before = before == HF_TABLE_NONE ? 0 : hf_record_key(holds, before);
    image->mcc = record->mcc;
    image->country = record->country;
    image->channel = record->channel;
    image->exception = record->exception;
    image->flags = record->flags;
    image->number = record->number;
    if (record->instrument == HF_TABLE_NONE)
        return;
    const struct hf_instrument *instrument =
        hf_instrument_at(&ledger->instruments, record->instrument);
    image->token = instrument->token;
    if (hf_record_newest(ledger, instrument, ledger->timestamp_ns) == slot)
        image->flags |= HF_IMAGE_NEWEST;
}

static void put_hold(struct hf_image_writer *writer, uint32_t slot)
{
    const struct hf_ledger *ledger = writer->ledger;
    const struct hf_hold *hold = hf_hold_at(&ledger->holds, slot);
    const struct hf_hold_more *more = hf_hold_more_of(&ledger->holds, hold);
    struct hf_image_hold record = {
        .id = hold->id,
        .payer = id_of(ledger, hold->payer),
        .payee = id_of(ledger, hold->payee),
        .amount = hold->amount,
        .remaining = hold->remaining,
        .captured = hold->captured,
        .ended_ns = hold->ended_ns,
        .expires_ns = more->expires_ns,
        .origin = more->origin,
        .asset = hold->asset,
        .tolerance = more->tolerance,
        .status = hold->status,
        .class_number = more->class_number,
        .policy = more->policy,
        .payer_count = more->payer_count,
        .condition_count = more->condition_count,
        .required = more->required,
        .met = more->met,
        .answer = ledger->holds.answers[slot],
    };

    if (hold->has_record)
        add_record(ledger, slot, &record);
    put_counted(writer, HF_IMAGE_HOLD, &record, sizeof(record));
}

static bool make_ended(struct hf_image_writer *writer)
{
    const struct hf_holds *holds = &writer->ledger->holds;

    uint32_t number = writer->stale_count + (uint32_t)writer->cursor++;

    if (number == holds->tally.ended_count)
        return false;
    put_hold(writer, hf_hold_ended(holds, number));
    return true;
}

static bool step_to_hold(struct hf_image_writer *writer)
{
    writer->cursor = hf_hold_next(&writer->ledger->holds, (uint32_t)writer->cursor);
    return writer->cursor != HF_TABLE_NONE;
}

static bool make_open(struct hf_image_writer *writer)
{
    const struct hf_holds *holds = &writer->ledger->holds;

    while (step_to_hold(writer)) {
        uint32_t slot = (uint32_t)writer->cursor++;
        if (hf_hold_at(holds, slot)->status != HF_HOLD_OPEN)
            continue;
        put_hold(writer, slot);
        return true;
    }
    return false;
}

/* Moves to the next item (part or condition) of an open hold: first to those behind the one in
 * hand, then to the first of the next hold that has any. False when there are no more. */
static bool step_to_item(struct hf_image_writer *writer, const struct hf_pool *pool, bool is_part)
{
    const struct hf_holds *holds = &writer->ledger->holds;

    if (writer->item_number != 0) {
        writer->item = pool->next[writer->item];
        writer->item_number++;
        if (writer->item != HF_TABLE_NONE)
            return true;
        writer->item_number = 0;
        writer->cursor++;
    }
    for (; step_to_hold(writer); writer->cursor++) {
        const struct hf_hold_more *more =
            hf_hold_more_of(holds, hf_hold_at(holds, (uint32_t)writer->cursor));
        writer->item = is_part ? more->first_part : more->first_condition;
        if (writer->item == HF_TABLE_NONE)
            continue;
        writer->item_number = 1;
        return true;
    }
    return false;
}

static bool make_part(struct hf_image_writer *writer)
{
    const struct hf_ledger *ledger = writer->ledger;
    const struct hf_holds *holds = &ledger->holds;

    if (!step_to_item(writer, &holds->part_pool, true))
        return false;
    const struct hf_part *part = &holds->parts[writer->item];
    const struct hf_image_part record = {
        .hold = hf_hold_at(holds, (uint32_t)writer->cursor)->id,
        .account = hf_table_key(&ledger->accounts, part->account),
        .remaining = part->remaining,
        .number = writer->item_number,
    };
    put_counted(writer, HF_IMAGE_PART, &record, sizeof(record));
    return true;
}

static bool make_condition(struct hf_image_writer *writer)
{
    const struct hf_holds *holds = &writer->ledger->holds;

    if (!step_to_item(writer, &holds->condition_pool, false))
        return false;
    const struct hf_image_condition record = {
        .hold = hf_hold_at(holds, (uint32_t)writer->cursor)->id,
        .number = writer->item_number,
        .condition = holds->conditions[writer->item],
    };
    put_counted(writer, HF_IMAGE_CONDITION, &record, sizeof(record));
    return true;
}

static bool make_trailer(struct hf_image_writer *writer)
{
    if (writer->cursor++ != 0)
        return false;
    const struct hf_image_trailer trailer = {
        .magic = HF_IMAGE_TRAILER,
        .length = writer->length + sizeof(trailer),
        .digest = writer->digest.sum,
    };
    put(writer, &trailer, sizeof(trailer));
    assert(writer->length == hf_image_length(writer->ledger));
    return true;
}

static bool make_record(struct hf_image_writer *writer)
{
    static bool (*const makers[])(struct hf_image_writer *) = {
        [HF_IMAGE_SECTION_HEADER] = make_header,
        [HF_IMAGE_SECTION_HEAD] = make_head,
        [HF_IMAGE_SECTION_CLASSES] = make_classes,
        [HF_IMAGE_SECTION_ASSETS] = make_asset,
        [HF_IMAGE_SECTION_ACCOUNTS] = make_account,
        [HF_IMAGE_SECTION_TERMS] = make_terms,
        [HF_IMAGE_SECTION_INSTRUMENTS] = make_instrument,
        [HF_IMAGE_SECTION_SELECTORS] = make_selector,
        [HF_IMAGE_SECTION_LIMITS] = make_limit,
        [HF_IMAGE_SECTION_ROLLING] = make_rolling,
        [HF_IMAGE_SECTION_ANSWERS] = make_answer,
        [HF_IMAGE_SECTION_ENDED] = make_ended,
        [HF_IMAGE_SECTION_OPEN] = make_open,
        [HF_IMAGE_SECTION_PARTS] = make_part,
        [HF_IMAGE_SECTION_CONDITIONS] = make_condition,
        [HF_IMAGE_SECTION_TRAILER] = make_trailer,
    };

    while (writer->section != HF_IMAGE_SECTION_END) {
        if (makers[writer->section](writer))
            return true;
        writer->section++;
        writer->cursor = 0;
    }
    return false;
}

size_t hf_image_write(struct hf_image_writer *writer, void *buffer, size_t size)
{
    uint8_t *bytes = buffer;
    size_t filled = 0;

    assert(size % HF_IMAGE_UNIT == 0);
    assert(size > 0);
    assert(hf_ledger_place(writer->ledger) == writer->place);
    while (filled < size) {
        if (writer->record_taken == writer->record_length && !make_record(writer))
            break;
        size_t length = writer->record_length - writer->record_taken;
        if (length > size - filled)
            length = size - filled;
        memcpy(bytes + filled, writer->record + writer->record_taken, length);
        writer->record_taken += (uint32_t)length;
        filled += length;
    }
    return filled;
}
