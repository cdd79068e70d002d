/* Loading an image: nothing in it is believed before it has been looked at.
 *
 * What a hold promises must be what its two accounts say is promised. To see that without memory of
 * its own, the reader takes each open hold off the accounts as it comes; at the end nothing may be
 * left, and what the holds promise is put back. */
#include "image.h"

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
        header->holds_open > HF_LEDGER_RECORDS_MAX ||
        header->holds_resolved > HF_LEDGER_RECORDS_MAX || header->reserved != 0)
        return HF_STATUS_CORRUPT;
    if (header->accounts > limits->accounts || header->instruments > limits->instruments ||
        header->holds_open > limits->holds)
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
    if (hf_asset_find(&reader->ledger->assets, record.asset) == NULL)
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
    return HF_STATUS_OK;
}

static enum hf_status take_instrument(struct hf_image_reader *reader, const void *bytes)
{
    struct hf_ledger *ledger = reader->ledger;
    struct hf_instrument_view record;

    memcpy(&record, bytes, sizeof(record));
    if (hf_id_is_reserved(record.token) || hf_id_is_reserved(record.account) ||
        record.status > HF_INSTRUMENT_CLOSED || (record.flags & ~HF_INSTRUMENT_FIRST_USE) != 0 ||
        !is_zero(record.reserved, sizeof(record.reserved)))
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
    struct hf_seen_bucket *home = hf_seen_home(seen, hash);
    if (hf_seen_find(seen, home, answer.id, hash) != NULL)
        return HF_STATUS_CORRUPT;
    *hf_seen_add(seen, home, hash) = answer;
    reader->newest_ns = answer.timestamp_ns;
    return HF_STATUS_OK;
}

/* A hold's answer is one that HOLD or AUTH got for it, and where the memory of answers reaches back
 * to its place, the one that is remembered there. Below, only the floor keeps a repeat out. */
static bool is_answer_of(const struct hf_image_reader *reader, const struct hf_image_hold *record)
{
    const struct hf_answer *answer = &record->answer;
    const struct hf_seen *seen = &reader->ledger->seen;

    if (answer->type != HF_OP_HOLD && answer->type != HF_OP_AUTH)
        return false;
    if (!hf_id_equal(answer->id, record->id) || answer->code != HF_CODE_OK ||
        answer->approved != record->amount || answer->place == 0 || answer->place > reader->place)
        return false;
    if (answer->place < hf_seen_oldest(seen))
        return hf_id_time_ms(answer->id) < seen->floor_ms;
    return memcmp(hf_seen_at(seen, answer->place), answer, sizeof(*answer)) == 0;
}

static bool is_hold(const struct hf_image_reader *reader, const struct hf_image_hold *record)
{
    uint64_t spent;

    if (hf_id_is_reserved(record->id) || hf_id_is_reserved(record->payer) ||
        hf_id_is_reserved(record->payee) || !is_zero(record->reserved, sizeof(record->reserved)))
        return false;
    if (record->amount == 0 || record->amount > HF_AMOUNT_MAX ||
        !hf_amount_add(record->captured, record->remaining, &spent) || spent > record->amount)
        return false;
    return is_answer_of(reader, record);
}

static enum hf_status take_hold(struct hf_image_reader *reader, const struct hf_image_hold *record,
                                bool is_open)
{
    struct hf_ledger *ledger = reader->ledger;
    struct hf_holds *holds = &ledger->holds;
    uint64_t hash = hf_id_hash(record->id);

    if (!is_hold(reader, record) || (record->remaining != 0) != is_open ||
        hf_table_find(&holds->table, record->id, hash) != HF_TABLE_NONE)
        return HF_STATUS_CORRUPT;
    uint32_t payer = hf_table_find(&ledger->accounts, record->payer, hf_id_hash(record->payer));
    uint32_t payee = hf_table_find(&ledger->accounts, record->payee, hf_id_hash(record->payee));
    if (payer == HF_TABLE_NONE || payee == HF_TABLE_NONE || payer == payee)
        return HF_STATUS_CORRUPT;
    struct hf_account *from = hf_account_at(&ledger->accounts, payer);
    struct hf_account *to = hf_account_at(&ledger->accounts, payee);
    if (from->asset != record->asset || to->asset != record->asset ||
        from->held_out < record->remaining || to->held_in < record->remaining)
        return HF_STATUS_CORRUPT;
    from->held_out -= record->remaining;
    to->held_in -= record->remaining;

    uint32_t slot = hf_hold_add(holds, record->id, hash);
    struct hf_hold *hold = hf_hold_at(holds, slot);
    hold->amount = record->amount;
    hold->remaining = record->remaining;
    hold->captured = record->captured;
    hold->payer = payer;
    hold->payee = payee;
    hold->asset = record->asset;
    holds->answers[slot] = record->answer;
    if (!is_open)
        hf_hold_resolve(holds, slot, record->resolved_place);
    return HF_STATUS_OK;
}

static enum hf_status take_resolved(struct hf_image_reader *reader, const void *bytes)
{
    struct hf_image_hold record;

    memcpy(&record, bytes, sizeof(record));
    if (record.resolved_place <= reader->resolved_place ||
        record.resolved_place <= record.answer.place || record.resolved_place > reader->place)
        return HF_STATUS_CORRUPT;
    reader->resolved_place = record.resolved_place;
    return take_hold(reader, &record, false);
}

static enum hf_status take_open(struct hf_image_reader *reader, const void *bytes)
{
    struct hf_image_hold record;

    memcpy(&record, bytes, sizeof(record));
    if (record.resolved_place != 0)
        return HF_STATUS_CORRUPT;
    return take_hold(reader, &record, true);
}

/* Nothing may be left promised without a hold; then the holds' promises go back where they were. */
static bool settle_promises(struct hf_ledger *ledger)
{
    const struct hf_table *accounts = &ledger->accounts;
    const struct hf_holds *holds = &ledger->holds;

    for (uint32_t slot = hf_table_next(accounts, 0); slot != HF_TABLE_NONE;
         slot = hf_table_next(accounts, slot + 1)) {
        const struct hf_account *account = hf_account_at(accounts, slot);
        if (account->held_out != 0 || account->held_in != 0)
            return false;
    }
    for (uint32_t slot = hf_table_next(&holds->table, 0); slot != HF_TABLE_NONE;
         slot = hf_table_next(&holds->table, slot + 1)) {
        const struct hf_hold *hold = hf_hold_at(holds, slot);
        hf_account_at(accounts, hold->payer)->held_out += hold->remaining;
        hf_account_at(accounts, hold->payee)->held_in += hold->remaining;
    }
    return true;
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
    if (!settle_promises(reader->ledger) || !hf_ledger_is_balanced(reader->ledger))
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
    [HF_IMAGE_SECTION_ASSETS] = {take_asset, sizeof(struct hf_image_asset), HF_IMAGE_ASSET},
    [HF_IMAGE_SECTION_ACCOUNTS] = {take_account, sizeof(struct hf_image_account), HF_IMAGE_ACCOUNT},
    [HF_IMAGE_SECTION_INSTRUMENTS] = {take_instrument, sizeof(struct hf_instrument_view),
                                      HF_IMAGE_INSTRUMENT},
    [HF_IMAGE_SECTION_ANSWERS] = {take_answer, sizeof(struct hf_answer), HF_IMAGE_ANSWER},
    [HF_IMAGE_SECTION_RESOLVED] = {take_resolved, sizeof(struct hf_image_hold), HF_IMAGE_HOLD},
    [HF_IMAGE_SECTION_OPEN] = {take_open, sizeof(struct hf_image_hold), HF_IMAGE_HOLD},
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
    case HF_IMAGE_SECTION_ANSWERS:
        return header->answers;
    case HF_IMAGE_SECTION_RESOLVED:
        return header->holds_resolved;
    case HF_IMAGE_SECTION_OPEN:
        return header->holds_open;
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
        __builtin_prefetch(hf_seen_home(&ledger->seen, hf_id_hash(key)), 1);
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
