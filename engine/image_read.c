/* Loading an image: nothing in it is believed before it has been looked at.
 *
 * What a hold promises must be what its accounts say is promised, and what a total has the sum of
 * what its children have. To see that without memory of its own, the reader takes each open hold
 * off the accounts as it comes; at the end nothing may be left, and what the holds promise is put
 * back. Then it does the same with children and totals. What is left on all accounts together it
 * keeps in one number, and what is posted in one an asset: it need not go through them again. */
#include "image.h"

#include "condition.h"
#include "image_hold.h"
#include "image_limit.h"
#include "state.h"

#include <assert.h>
#include <string.h>

/* How many records ahead the table's control word, and then its line, are fetched. */
#define GROUP_AHEAD UINT64_C(24)
#define LINE_AHEAD  UINT64_C(12)

void hf_image_read_begin(struct hf_image_reader *reader, struct hf_ledger *ledger)
{
    assert(ledger->magic == HF_LEDGER_MAGIC);
    assert(hf_ledger_place(ledger) == 0);
    assert(ledger->accounts.count == 0);
    memset(reader, 0, sizeof(*reader));
    reader->ledger = ledger;
    reader->left = 1;
}

static bool is_zero(const uint8_t *bytes, size_t count)
{
    uint8_t seen = 0;

    for (size_t i = 0; i < count; i++)
        seen |= bytes[i];
    return seen == 0;
}

/* ---- one record of each section: what it must be, and where it goes ---- */

static enum hf_status take_header(struct hf_image_reader *reader, const void *record)
{
    struct hf_image_header *header = &reader->header;
    const struct hf_ledger_limits *limits = &reader->ledger->limits;

    memcpy(header, record, sizeof(*header));
    if (header->magic != HF_IMAGE_MAGIC || header->version != HF_IMAGE_VERSION)
        return HF_STATUS_WRONG_FORMAT;
    if (header->assets > HF_LEDGER_ASSETS_MAX || header->accounts > HF_LEDGER_RECORDS_MAX ||
        header->instruments > HF_LEDGER_RECORDS_MAX || header->answers > HF_LEDGER_RECORDS_MAX ||
        header->holds_open > HF_LEDGER_RECORDS_MAX || header->holds_ended > HF_LEDGER_RECORDS_MAX ||
        header->terms > HF_LEDGER_RECORDS_MAX || header->parts > HF_LEDGER_RECORDS_MAX ||
        header->conditions > HF_LEDGER_RECORDS_MAX || header->limits > HF_LEDGER_RECORDS_MAX ||
        header->rolling > header->limits || header->selectors > header->instruments ||
        !is_zero((const uint8_t *)header->reserved, sizeof(header->reserved)))
        return HF_STATUS_CORRUPT;
    if (header->accounts > limits->accounts || header->instruments > limits->instruments ||
        header->holds_open > limits->holds || header->terms > limits->terms ||
        header->parts > limits->parts || header->conditions > limits->parts ||
        header->limits > limits->limits || header->rolling > limits->rolling ||
        header->selectors > limits->selectors)
        return HF_STATUS_FULL;
    return HF_STATUS_OK;
}

static enum hf_status take_head(struct hf_image_reader *reader, const void *record)
{
    struct hf_image_head head;

    memcpy(&head, record, sizeof(head));
    if (!is_zero(head.reserved, sizeof(head.reserved)))
        return HF_STATUS_CORRUPT;
    /* Every operation is remembered when it comes: there are answers as soon as there is a place.
     */
    if (head.place == UINT64_MAX || reader->header.answers > head.place ||
        (reader->header.answers == 0) != (head.place == 0))
        return HF_STATUS_CORRUPT;
    reader->place = head.place;
    reader->timestamp_ns = head.timestamp_ns;
    hf_seen_start_after(&reader->ledger->seen, head.place - reader->header.answers, head.floor_ms);
    return HF_STATUS_OK;
}

static enum hf_status take_classes(struct hf_image_reader *reader, const void *bytes)
{
    struct hf_image_classes record;

    memcpy(&record, bytes, sizeof(record));
    if (record.lifetimes_ns[0] != 0)
        return HF_STATUS_CORRUPT;
    memcpy(reader->ledger->holds.lifetimes_ns, record.lifetimes_ns, sizeof(record.lifetimes_ns));
    return HF_STATUS_OK;
}

static enum hf_status take_asset(struct hf_image_reader *reader, const void *bytes)
{
    struct hf_assets *assets = &reader->ledger->assets;
    struct hf_image_asset record;

    memcpy(&record, bytes, sizeof(record));
    if (record.asset == 0 || record.scale > HF_ASSET_SCALE_MAX || record.code[0] == '\0')
        return HF_STATUS_CORRUPT;
    if (!is_zero(record.reserved, sizeof(record.reserved)) ||
        !is_zero(record.reserved_too, sizeof(record.reserved_too)))
        return HF_STATUS_CORRUPT;
    if (hf_asset_find(assets, record.asset) != NULL)
        return HF_STATUS_CORRUPT;
    struct hf_asset *asset = &assets->list[assets->count++];
    asset->asset = record.asset;
    asset->scale = record.scale;
    memcpy(asset->code, record.code, sizeof(asset->code));
    return HF_STATUS_OK;
}

/* What execute.c keeps of every account. */
static bool is_within_bounds(const struct hf_image_account *record)
{
    int64_t sum;

    return record->held_out <= HF_AMOUNT_MAX &&
           hf_balance_subtract(record->posted, record->held_out, &sum) &&
           hf_balance_add(record->posted, record->held_in, &sum);
}

static enum hf_status take_account(struct hf_image_reader *reader, const void *bytes)
{
    struct hf_table *accounts = &reader->ledger->accounts;
    struct hf_image_account record;

    memcpy(&record, bytes, sizeof(record));
    if (hf_id_is_reserved(record.id) || record.status > HF_ACCOUNT_CLOSED ||
        !is_zero(record.reserved, sizeof(record.reserved)) || !is_within_bounds(&record))
        return HF_STATUS_CORRUPT;
    const struct hf_assets *assets = &reader->ledger->assets;
    const struct hf_asset *asset = hf_asset_find(assets, record.asset);
    if (asset == NULL)
        return HF_STATUS_CORRUPT;
    uint64_t hash = hf_id_hash(record.id);
    if (hf_table_find(accounts, record.id, hash) != HF_TABLE_NONE)
        return HF_STATUS_CORRUPT;
    uint32_t slot = hf_table_insert(accounts, record.id, hash);
    assert(slot != HF_TABLE_NONE);
    struct hf_account *account = hf_account_at(accounts, slot);
    account->posted = record.posted;
    account->held_out = record.held_out;
    account->held_in = record.held_in;
    account->lifetime_debits = record.lifetime_debits;
    account->floor = record.floor;
    account->asset = record.asset;
    account->status = record.status;
    reader->promised += record.held_out;
    reader->promised += record.held_in;
    reader->posted[asset - assets->list] += record.posted;
    return HF_STATUS_OK;
}

/* The account of an id, or NULL. Any 16 bytes may be asked for. */
static struct hf_account *find_account(const struct hf_ledger *ledger, struct hf_id id)
{
    return hf_id_is_reserved(id) ? NULL : hf_ledger_find_account(ledger, id);
}

/* The terms of a parent, which come before those of its children; NULL when it cannot be one. */
static struct hf_terms *find_parent(const struct hf_ledger *ledger, const struct hf_account *child,
                                    struct hf_id id)
{
    const struct hf_account *parent = find_account(ledger, id);

    if (parent == NULL || parent == child || parent->asset != child->asset ||
        (parent->flags & HF_ACCOUNT_IS_TOTAL) == 0)
        return NULL;
    if (parent->status == HF_ACCOUNT_CLOSED && child->status != HF_ACCOUNT_CLOSED)
        return NULL;
    struct hf_terms *terms = hf_terms_of(&ledger->terms, parent);
    return terms->depth < HF_PARENT_DEPTH_MAX ? terms : NULL;
}

static enum hf_status take_terms(struct hf_image_reader *reader, const void *bytes)
{
    struct hf_ledger *ledger = reader->ledger;
    struct hf_image_terms record;
    struct hf_terms *above = NULL;
    const struct hf_account *sink = NULL;

    memcpy(&record, bytes, sizeof(record));
    struct hf_account *account = find_account(ledger, record.account);
    if (account == NULL || (account->flags & HF_ACCOUNT_HAS_TERMS) != 0 ||
        (record.flags & ~HF_ACCOUNT_TOTAL) != 0 || record.filter.parts != 0 ||
        !is_zero(record.reserved, sizeof(record.reserved)))
        return HF_STATUS_CORRUPT;
    if (!hf_id_is_zero(record.parent)) {
        above = find_parent(ledger, account, record.parent);
        if (above == NULL)
            return HF_STATUS_CORRUPT;
    }
    if (!hf_id_is_zero(record.sink)) {
        sink = find_account(ledger, record.sink);
        if (sink == NULL || sink == account || sink->asset != account->asset)
            return HF_STATUS_CORRUPT;
    }
    struct hf_terms *terms = hf_terms_add(ledger, account);
    if ((record.flags & HF_ACCOUNT_TOTAL) != 0)
        account->flags |= HF_ACCOUNT_IS_TOTAL;
    terms->ceiling = record.ceiling;
    terms->expires_ns = record.expires_ns;
    terms->sink = sink == NULL ? HF_TABLE_NONE : hf_table_slot(&ledger->accounts, sink);
    hf_terms_set_filter(ledger, account, &record.filter);
    if (above != NULL) {
        terms->parent = above->account;
        terms->depth = (uint8_t)(above->depth + 1);
        above->children += account->status != HF_ACCOUNT_CLOSED;
    }
    hf_expire_watch(ledger, account);
    return HF_STATUS_OK;
}

static enum hf_status take_instrument(struct hf_image_reader *reader, const void *bytes)
{
    struct hf_ledger *ledger = reader->ledger;
    struct hf_image_instrument record;

    memcpy(&record, bytes, sizeof(record));
    if (hf_id_is_reserved(record.token) || hf_id_is_reserved(record.account) ||
        record.status > HF_INSTRUMENT_CLOSED || (record.flags & ~HF_INSTRUMENT_FIRST_USE) != 0 ||
        record.put_place > reader->place || !is_zero(record.reserved, sizeof(record.reserved)))
        return HF_STATUS_CORRUPT;
    uint64_t hash = hf_id_hash(record.token);
    uint32_t account = hf_table_find(&ledger->accounts, record.account, hf_id_hash(record.account));
    if (account == HF_TABLE_NONE ||
        hf_table_find(&ledger->instruments, record.token, hash) != HF_TABLE_NONE)
        return HF_STATUS_CORRUPT;
    uint32_t slot = hf_table_insert(&ledger->instruments, record.token, hash);
    assert(slot != HF_TABLE_NONE);
    struct hf_instrument *instrument = hf_instrument_at(&ledger->instruments, slot);
    instrument->expires_ns = record.expires_ns;
    instrument->amount_limit = record.amount_limit;
    instrument->remaining = record.remaining;
    instrument->account = account;
    instrument->status = record.status;
    instrument->flags = record.flags;
    ledger->instrument_list.put_places[slot] = record.put_place;
    return HF_STATUS_OK;
}

static enum hf_status take_selector(struct hf_image_reader *reader, const void *bytes)
{
    struct hf_ledger *ledger = reader->ledger;
    struct hf_image_selector record;
    struct hf_selector selector = {.count = 0};
    uint32_t count = HF_INSTRUMENT_FURTHER_MAX;

    memcpy(&record, bytes, sizeof(record));
    uint32_t slot =
        hf_id_is_reserved(record.token)
            ? HF_TABLE_NONE
            : hf_table_find(&ledger->instruments, record.token, hf_id_hash(record.token));
    if (slot == HF_TABLE_NONE)
        return HF_STATUS_CORRUPT;
    struct hf_instrument *instrument = hf_instrument_at(&ledger->instruments, slot);
    while (count > 0 && hf_id_is_zero(record.further[count - 1]))
        count--;
    if (count == 0 || instrument->selector != 0)
        return HF_STATUS_CORRUPT;
    for (; selector.count < count; selector.count++) {
        const struct hf_account *account = find_account(ledger, record.further[selector.count]);
        if (account == NULL || (account->flags & HF_ACCOUNT_IS_TOTAL) != 0)
            return HF_STATUS_CORRUPT;
        uint32_t further = hf_table_slot(&ledger->accounts, account);
        bool is_twice = further == instrument->account;
        for (uint32_t i = 0; i < selector.count; i++)
            is_twice |= selector.accounts[i] == further;
        if (is_twice)
            return HF_STATUS_CORRUPT;
        selector.accounts[selector.count] = further;
    }
    hf_instrument_add_selector(ledger, instrument, &selector);
    return HF_STATUS_OK;
}

static enum hf_status take_answer(struct hf_image_reader *reader, const void *bytes)
{
    struct hf_seen *seen = &reader->ledger->seen;
    struct hf_answer answer;

    memcpy(&answer, bytes, sizeof(answer));
    if (hf_id_is_reserved(answer.id) || hf_operation_length(answer.type) == 0 ||
        answer.type == HF_OP_QUERY || answer.place != seen->next_place ||
        answer.timestamp_ns < reader->newest_ns || answer.timestamp_ns > reader->timestamp_ns)
        return HF_STATUS_CORRUPT;
    uint64_t hash = hf_id_hash(answer.id);
    struct hf_seen_bucket *home = hf_seen_home(seen, answer.id, hash);
    if (hf_seen_find(seen, home, answer.id, hash) != NULL)
        return HF_STATUS_CORRUPT;
    *hf_seen_add(seen, home, hash) = answer;
    reader->newest_ns = answer.timestamp_ns;
    return HF_STATUS_OK;
}

/* The open hold that a part or condition belongs to, or NULL. */
static struct hf_hold *find_open(const struct hf_ledger *ledger, struct hf_id id)
{
    uint32_t slot =
        hf_id_is_reserved(id) ? HF_TABLE_NONE : hf_hold_find(&ledger->holds, id, hf_id_hash(id));

    if (slot == HF_TABLE_NONE || hf_hold_at(&ledger->holds, slot)->status != HF_HOLD_OPEN)
        return NULL;
    return hf_hold_at(&ledger->holds, slot);
}

static uint32_t length_of_list(const struct hf_pool *pool, uint32_t first)
{
    uint32_t count = 0;

    for (; first != HF_TABLE_NONE; first = pool->next[first])
        count++;
    return count;
}

static enum hf_status take_part(struct hf_image_reader *reader, const void *bytes)
{
    struct hf_ledger *ledger = reader->ledger;
    struct hf_holds *holds = &ledger->holds;
    struct hf_image_part record;

    memcpy(&record, bytes, sizeof(record));
    const struct hf_hold *hold = find_open(ledger, record.hold);
    struct hf_account *account = find_account(ledger, record.account);
    if (hold == NULL || account == NULL || !is_zero(record.reserved, sizeof(record.reserved)))
        return HF_STATUS_CORRUPT;
    const struct hf_hold_more *more = hf_hold_more_of(holds, hold);
    uint32_t slot = hf_table_slot(&ledger->accounts, account);
    if (more->payer_count == 1 || record.number > more->payer_count ||
        record.number != length_of_list(&holds->part_pool, more->first_part) + 1)
        return HF_STATUS_CORRUPT;
    if (slot == hold->payee || (slot == hold->payer) != (record.number == 1) ||
        account->asset != hold->asset || record.remaining > hold->remaining)
        return HF_STATUS_CORRUPT;
    for (uint32_t i = more->first_part; i != HF_TABLE_NONE; i = holds->part_pool.next[i]) {
        if (holds->parts[i].account == slot)
            return HF_STATUS_CORRUPT;
    }
    if (!hf_image_take_promise(reader, account, record.remaining))
        return HF_STATUS_CORRUPT;
    hf_hold_add_part(ledger, hf_hold_slot(holds, hold), slot, record.remaining);
    return HF_STATUS_OK;
}

static bool is_condition(const struct hf_op_condition *condition)
{
    bool has_code =
        condition->kind == HF_CONDITION_REGION || condition->kind == HF_CONDITION_ORIGIN;
    bool has_bytes =
        condition->kind >= HF_CONDITION_BLAKE2B && condition->kind <= HF_CONDITION_REGION;

    if (condition->kind < HF_CONDITION_BLAKE2B || condition->kind > HF_CONDITION_NOT_AFTER)
        return false;
    return is_zero(condition->reserved, sizeof(condition->reserved)) &&
           (has_code || condition->code == 0) &&
           (condition->time_ns != 0) == hf_condition_is_time(condition) &&
           is_zero(condition->bytes, sizeof(condition->bytes)) != has_bytes;
}

static enum hf_status take_condition(struct hf_image_reader *reader, const void *bytes)
{
    struct hf_ledger *ledger = reader->ledger;
    const struct hf_holds *holds = &ledger->holds;
    struct hf_image_condition record;

    memcpy(&record, bytes, sizeof(record));
    const struct hf_hold *hold = find_open(ledger, record.hold);
    if (hold == NULL || !is_zero(record.reserved, sizeof(record.reserved)) ||
        !is_zero(record.reserved_too, sizeof(record.reserved_too)) ||
        !is_condition(&record.condition))
        return HF_STATUS_CORRUPT;
    const struct hf_hold_more *more = hf_hold_more_of(holds, hold);
    if (record.number > more->condition_count ||
        record.number != length_of_list(&holds->condition_pool, more->first_condition) + 1)
        return HF_STATUS_CORRUPT;
    if (hf_condition_is_time(&record.condition) && (more->met >> (record.number - 1) & 1) != 0)
        return HF_STATUS_CORRUPT;
    hf_hold_add_condition(ledger, hf_hold_slot(holds, hold), &record.condition);
    return HF_STATUS_OK;
}

/* ---- what must be true of all of it together ---- */

/* Has the open hold all its parts, which make up what remains, and all its conditions? */
static bool is_whole(const struct hf_holds *holds, const struct hf_hold *hold)
{
    const struct hf_hold_more *more = hf_hold_more_of(holds, hold);
    uint64_t sum = 0;

    if (more->condition_count != length_of_list(&holds->condition_pool, more->first_condition))
        return false;
    if (more->payer_count == 1)
        return true;
    for (uint32_t i = more->first_part; i != HF_TABLE_NONE; i = holds->part_pool.next[i]) {
        if (!hf_amount_add(sum, holds->parts[i].remaining, &sum))
            return false;
    }
    return sum == hold->remaining &&
           more->payer_count == length_of_list(&holds->part_pool, more->first_part);
}

/* Puts an open hold's promises back on its accounts. */
static void promise_again(struct hf_ledger *ledger, const struct hf_hold *hold)
{
    const struct hf_holds *holds = &ledger->holds;
    uint32_t part = hf_hold_more_of(holds, hold)->first_part;

    if (part == HF_TABLE_NONE)
        hf_account_at(&ledger->accounts, hold->payer)->held_out += hold->remaining;
    for (; part != HF_TABLE_NONE; part = holds->part_pool.next[part])
        hf_account_at(&ledger->accounts, holds->parts[part].account)->held_out +=
            holds->parts[part].remaining;
    if (hold->payee != HF_TABLE_NONE)
        hf_account_at(&ledger->accounts, hold->payee)->held_in += hold->remaining;
}

/* Takes totals out of the sums, as they are now: all that they have is their children's. */
static void leave_totals_out(struct hf_image_reader *reader)
{
    const struct hf_ledger *ledger = reader->ledger;
    const struct hf_terms_list *list = &ledger->terms;

    for (uint32_t i = 0; i < list->count; i++) {
        const struct hf_account *account = hf_account_at(&ledger->accounts, list->list[i].account);
        if ((account->flags & HF_ACCOUNT_IS_TOTAL) == 0)
            continue;
        reader->promised -= account->held_out;
        reader->promised -= account->held_in;
        reader->posted[hf_asset_find(&ledger->assets, account->asset) - ledger->assets.list] -=
            account->posted;
    }
}

/* Of every asset as much is owed as is owned. */
static bool is_balanced(const struct hf_image_reader *reader)
{
    for (uint32_t i = 0; i < reader->ledger->assets.count; i++) {
        if (reader->posted[i] != 0)
            return false;
    }
    return true;
}

/* Every open hold is whole; then their promises go back where they were. */
static bool settle_promises(struct hf_ledger *ledger)
{
    const struct hf_holds *holds = &ledger->holds;

    for (uint32_t slot = hf_hold_next(holds, 0); slot != HF_TABLE_NONE;
         slot = hf_hold_next(holds, slot + 1)) {
        const struct hf_hold *hold = hf_hold_at(holds, slot);
        if (hold->status != HF_HOLD_OPEN)
            continue;
        if (!is_whole(holds, hold))
            return false;
        promise_again(ledger, hold);
    }
    return true;
}

/* Takes a child's balances off its parent's, or puts them back. */
static void move_to_parent(struct hf_ledger *ledger, const struct hf_terms *terms, bool is_back)
{
    const struct hf_account *child = hf_account_at(&ledger->accounts, terms->account);
    struct hf_account *parent = hf_terms_parent(ledger, child);
    uint64_t sign = is_back ? 1 : UINT64_MAX; /* all of it modulo 2^64 */

    if (parent == NULL)
        return;
    parent->posted = (int64_t)((uint64_t)parent->posted + sign * (uint64_t)child->posted);
    parent->held_out += sign * child->held_out;
    parent->held_in += sign * child->held_in;
    parent->lifetime_debits += sign * child->lifetime_debits;
}

/* Every total is the sum of its children, and no sink is one. Parents come before their children:
 * in this order each child is taken off while it is still whole, and backwards put back when it is
 * whole again. */
static bool settle_totals(struct hf_ledger *ledger)
{
    const struct hf_terms_list *list = &ledger->terms;
    bool is_right = true;

    for (uint32_t i = 0; i < list->count; i++)
        move_to_parent(ledger, &list->list[i], false);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct hf_terms *terms = &list->list[i];
        const struct hf_account *account = hf_account_at(&ledger->accounts, terms->account);
        if (terms->sink != HF_TABLE_NONE)
            is_right &=
                (hf_account_at(&ledger->accounts, terms->sink)->flags & HF_ACCOUNT_IS_TOTAL) == 0;
        if ((account->flags & HF_ACCOUNT_IS_TOTAL) != 0)
            is_right &= account->posted == 0 && account->held_out == 0 && account->held_in == 0 &&
                        account->lifetime_debits == 0;
    }
    for (uint32_t i = list->count; i-- > 0;)
        move_to_parent(ledger, &list->list[i], true);
    return is_right;
}

static enum hf_status take_trailer(struct hf_image_reader *reader, const void *record)
{
    struct hf_image_trailer trailer;

    memcpy(&trailer, record, sizeof(trailer));
    if (trailer.magic != HF_IMAGE_TRAILER || trailer.length != reader->length ||
        !hf_id_equal(trailer.digest, reader->digest.sum) ||
        !is_zero(trailer.reserved, sizeof(trailer.reserved)))
        return HF_STATUS_CORRUPT;
    if (reader->newest_ns != reader->timestamp_ns)
        return HF_STATUS_CORRUPT;
    if (!hf_image_are_limits_whole(&reader->ledger->limit_list) ||
        !hf_image_link_records(reader->ledger))
        return HF_STATUS_CORRUPT;
    leave_totals_out(reader);
    /* No account promises less than nothing: where all together promise nothing, none does. */
    if (reader->promised != 0 || !is_balanced(reader) || !settle_promises(reader->ledger) ||
        !settle_totals(reader->ledger))
        return HF_STATUS_CORRUPT;
    reader->ledger->timestamp_ns = reader->timestamp_ns;
    return HF_STATUS_OK;
}

/* ---- the stream ---- */

struct section_entry {
    enum hf_status (*take)(struct hf_image_reader *reader, const void *record);
    uint32_t record_size;
    uint32_t kind; /* in the digest; 0: not counted */
};

static const struct section_entry sections[] = {
    [HF_IMAGE_SECTION_HEADER] = {take_header, sizeof(struct hf_image_header), 0},
    [HF_IMAGE_SECTION_HEAD] = {take_head, sizeof(struct hf_image_head), HF_IMAGE_HEAD},
    [HF_IMAGE_SECTION_CLASSES] = {take_classes, sizeof(struct hf_image_classes), HF_IMAGE_CLASSES},
    [HF_IMAGE_SECTION_ASSETS] = {take_asset, sizeof(struct hf_image_asset), HF_IMAGE_ASSET},
    [HF_IMAGE_SECTION_ACCOUNTS] = {take_account, sizeof(struct hf_image_account), HF_IMAGE_ACCOUNT},
    [HF_IMAGE_SECTION_TERMS] = {take_terms, sizeof(struct hf_image_terms), HF_IMAGE_TERMS},
    [HF_IMAGE_SECTION_INSTRUMENTS] = {take_instrument, sizeof(struct hf_image_instrument),
                                      HF_IMAGE_INSTRUMENT},
    [HF_IMAGE_SECTION_SELECTORS] = {take_selector, sizeof(struct hf_image_selector),
                                    HF_IMAGE_SELECTOR},
    [HF_IMAGE_SECTION_LIMITS] = {hf_image_take_limit, sizeof(struct hf_image_limit),
                                 HF_IMAGE_LIMIT},
    [HF_IMAGE_SECTION_ROLLING] = {hf_image_take_rolling, sizeof(struct hf_image_rolling),
                                  HF_IMAGE_ROLLING},
    [HF_IMAGE_SECTION_ANSWERS] = {take_answer, sizeof(struct hf_answer), HF_IMAGE_ANSWER},
    [HF_IMAGE_SECTION_ENDED] = {hf_image_take_ended, sizeof(struct hf_image_hold), HF_IMAGE_HOLD},
    [HF_IMAGE_SECTION_OPEN] = {hf_image_take_open, sizeof(struct hf_image_hold), HF_IMAGE_HOLD},
    [HF_IMAGE_SECTION_PARTS] = {take_part, sizeof(struct hf_image_part), HF_IMAGE_PART},
    [HF_IMAGE_SECTION_CONDITIONS] = {take_condition, sizeof(struct hf_image_condition),
                                     HF_IMAGE_CONDITION},
    [HF_IMAGE_SECTION_TRAILER] = {take_trailer, sizeof(struct hf_image_trailer), 0},
};

static uint64_t records_in(const struct hf_image_header *header, uint32_t section)
{
    switch (section) {
    case HF_IMAGE_SECTION_ASSETS:
        return header->assets;
    case HF_IMAGE_SECTION_ACCOUNTS:
        return header->accounts;
    case HF_IMAGE_SECTION_INSTRUMENTS:
        return header->instruments;
    case HF_IMAGE_SECTION_SELECTORS:
        return header->selectors;
    case HF_IMAGE_SECTION_LIMITS:
        return header->limits;
    case HF_IMAGE_SECTION_ROLLING:
        return header->rolling;
    case HF_IMAGE_SECTION_ANSWERS:
        return header->answers;
    case HF_IMAGE_SECTION_TERMS:
        return header->terms;
    case HF_IMAGE_SECTION_ENDED:
        return header->holds_ended;
    case HF_IMAGE_SECTION_OPEN:
        return header->holds_open;
    case HF_IMAGE_SECTION_PARTS:
        return header->parts;
    case HF_IMAGE_SECTION_CONDITIONS:
        return header->conditions;
    default:
        return 1;
    }
}

static void take_record(struct hf_image_reader *reader, const uint8_t *record)
{
    const struct section_entry *section = &sections[reader->section];

    assert(reader->left > 0);
    reader->length += section->record_size;
    if (section->kind != 0)
        hf_digest_add(&reader->digest, section->kind, record, section->record_size);
    reader->status = section->take(reader, record);
    reader->left--;
    while (reader->left == 0 && reader->section != HF_IMAGE_SECTION_END) {
        reader->section++;
        reader->left = records_in(&reader->header, reader->section);
    }
}

/* Records that come after this one in the same buffer: so that an insert need not wait for memory.
 */
static void fetch_ahead(const struct hf_image_reader *reader, const uint8_t *bytes, size_t length)
{
    const struct hf_ledger *ledger = reader->ledger;
    struct hf_id key;

    if (length <= GROUP_AHEAD * HF_IMAGE_UNIT)
        return;
    memcpy(&key, bytes + GROUP_AHEAD * HF_IMAGE_UNIT, sizeof(key));
    if (reader->section == HF_IMAGE_SECTION_ANSWERS)
        hf_prefetch(hf_seen_home(&ledger->seen, key, hf_id_hash(key)));
    if (reader->section == HF_IMAGE_SECTION_ACCOUNTS) {
        hf_table_prefetch_group(&ledger->accounts, hf_id_hash(key));
        memcpy(&key, bytes + LINE_AHEAD * HF_IMAGE_UNIT, sizeof(key));
        hf_table_guess_free(&ledger->accounts, hf_id_hash(key));
    }
}

/* Takes what is missing of the record in hand, as far as the bytes reach. Returns how many bytes
 * that was. */
static size_t take_bytes(struct hf_image_reader *reader, const uint8_t *bytes, size_t length)
{
    uint32_t record_size = sections[reader->section].record_size;

    if (reader->record_length == 0 && length >= record_size) { /* all of it is here */
        take_record(reader, bytes);
        return record_size;
    }
    size_t missing = record_size - reader->record_length;
    if (missing > length)
        missing = length;
    memcpy(reader->record + reader->record_length, bytes, missing);
    reader->record_length += (uint32_t)missing;
    if (reader->record_length == record_size) {
        reader->record_length = 0;
        take_record(reader, reader->record);
    }
    return missing;
}

enum hf_status hf_image_read(struct hf_image_reader *reader, const void *bytes, size_t length)
{
    const uint8_t *next = bytes;

    assert(length % HF_IMAGE_UNIT == 0);
    while (length > 0 && reader->status == HF_STATUS_OK) {
        if (reader->section == HF_IMAGE_SECTION_END) {
            reader->status = HF_STATUS_CORRUPT; /* something follows the trailer */
            break;
        }
        fetch_ahead(reader, next, length);
        size_t taken = take_bytes(reader, next, length);
        next += taken;
        length -= taken;
    }
    return reader->status;
}

enum hf_status hf_image_read_end(const struct hf_image_reader *reader)
{
    if (reader->status != HF_STATUS_OK)
        return reader->status;
    return reader->section == HF_IMAGE_SECTION_END ? HF_STATUS_OK : HF_STATUS_CORRUPT;
}
