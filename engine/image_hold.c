/* Loading holds and records.
 *
 * A record says which one of its instrument came before, by key. They come in any order: so each
 * keeps that key until all are there, then every instrument's are sorted, and linked where the one
 * that was named is the next. It is not when a smaller table of holds has forgotten it meanwhile.
 */
#include "image_hold.h"

#include "hold_add.h"

#include <assert.h>
#include <string.h>

static bool is_zero(const void *bytes, size_t count)
{
    const uint8_t *next = bytes;
    uint8_t seen = 0;

    for (size_t i = 0; i < count; i++)
        seen |= next[i];
    return seen == 0;
}

/* ---- what a hold may say ---- */

/* An authorisation's, or a record by itself. */
static bool has_record(const struct hf_image_hold *record)
{
    return record->status == HF_HOLD_REVERSED || record->answer.type == HF_OP_AUTH ||
           record->answer.type == HF_OP_CLEAR;
}

/* Is it the answer of an operation that makes such a thing? */
static bool is_answer_for(const struct hf_image_hold *record)
{
    const struct hf_answer *answer = &record->answer;
    bool is_approved = answer->code == HF_CODE_OK || answer->code == HF_CODE_OK_PARTIAL;
    bool is_part = answer->code == HF_CODE_OK_PARTIAL;

    if (record->status == HF_HOLD_REFUSED)
        return answer->type == HF_OP_AUTH && !is_approved && answer->approved == 0;
    if (!is_approved || answer->approved > HF_AMOUNT_MAX)
        return false;
    switch (answer->type) {
    case HF_OP_HOLD:
        return !is_part && answer->approved != 0;
    case HF_OP_HOLD_PLAN:
        return answer->approved != 0;
    case HF_OP_AUTH: /* or a verification */
        return answer->approved != 0 ||
               (record->status == HF_HOLD_RESOLVED && record->amount == 0 && !is_part);
    default:
        return answer->type == HF_OP_CLEAR && record->status == HF_HOLD_RESOLVED && !is_part &&
               answer->approved != 0;
    }
}

/* A hold's answer is one that its maker got for it, and where the memory of answers reaches back to
 * its place, the one that is remembered there; or there is a chain that it was made in. What was
 * reversed before it came has had none. */
static bool is_answer_of(const struct hf_image_reader *reader, const struct hf_image_hold *record)
{
    const struct hf_answer *answer = &record->answer;
    const struct hf_seen *seen = &reader->ledger->seen;
    const struct hf_answer none = {.id = record->id};

    if (record->status == HF_HOLD_REVERSED)
        return memcmp(answer, &none, sizeof(none)) == 0;
    if (!is_answer_for(record) || !hf_id_equal(answer->id, record->id) || answer->place == 0 ||
        answer->place > reader->place)
        return false;
    if (answer->place < hf_seen_oldest(seen))
        return true;
    const struct hf_answer *remembered = hf_seen_at(seen, answer->place);
    if (remembered->type == HF_OP_CHAIN)
        return remembered->code == HF_CODE_OK && remembered->timestamp_ns == answer->timestamp_ns;
    return memcmp(remembered, answer, sizeof(*answer)) == 0;
}

/* What was captured and what remains is within the amount, or beyond as far as is tolerated. Of an
 * authorisation that has ended more may have been captured: by force, or before it was reversed. */
static bool is_sum_of_hold(const struct hf_image_hold *record)
{
    __extension__ typedef unsigned __int128 wide;
    wide tolerated = (wide)record->amount * record->tolerance / HF_TOLERANCE_MAX;

    if (record->remaining > record->amount)
        return false;
    return (has_record(record) && record->status != HF_HOLD_OPEN) ||
           (wide)record->captured + record->remaining <= record->amount + tolerated;
}

static bool are_hold_terms(const struct hf_image_hold *record)
{
    const uint8_t policies = HF_HOLD_SOFT | HF_HOLD_RATIO | HF_HOLD_SINGLE;

    return record->tolerance <= HF_TOLERANCE_MAX && record->class_number < HF_CLASSES &&
           (record->policy & ~policies) == 0 && record->payer_count >= 1 &&
           record->payer_count <= HF_HOLD_PARTS_MAX &&
           record->condition_count <= HF_CONDITIONS_MAX &&
           record->required <= record->condition_count &&
           (record->required == 0) == (record->condition_count == 0) &&
           record->met >> record->condition_count == 0;
}

/* What an authorisation says besides; of any other hold nothing. */
static bool is_record(const struct hf_image_reader *reader, const struct hf_image_hold *record)
{
    const size_t begin = offsetof(struct hf_image_hold, token);
    const uint8_t flags = HF_AUTHORISATION_FORCED | HF_AUTHORISATION_ESTIMATED |
                          HF_AUTHORISATION_REVERSED | HF_AUTHORISATION_COUNTED |
                          HF_AUTHORISATION_DREW | HF_IMAGE_NEWEST;
    uint64_t place = record->answer.place;
    bool is_alone = record->status == HF_HOLD_REVERSED || record->status == HF_HOLD_REFUSED;
    bool has_token = !hf_id_is_zero(record->token);

    if (!has_record(record))
        return record->number == 0 && is_zero(&record->token, sizeof(*record) - begin);
    if (record->payer_count > HF_INSTRUMENT_ACCOUNTS_MAX || record->condition_count != 0 ||
        (record->policy & (HF_HOLD_RATIO | HF_HOLD_SINGLE)) != 0 || record->reserved != 0)
        return false;
    if ((record->flags & ~flags) != 0 || record->number > HF_CHAIN_OPERATIONS_MAX ||
        place > HF_RECORD_PLACE_MAX)
        return false;
    if (!has_token && (!is_alone || record->before != 0 || (record->flags & HF_IMAGE_NEWEST) != 0))
        return false;
    if ((has_token || !hf_id_is_zero(record->payer)) && record->status == HF_HOLD_REVERSED)
        return false;
    return (record->later_draws != 0 || record->draws_ns == 0) &&
           record->draws_ns <= reader->timestamp_ns &&
           (record->before == 0 ||
            record->before < (place << HF_RECORD_NUMBER_BITS | record->number));
}

static bool is_hold(const struct hf_image_reader *reader, const struct hf_image_hold *record)
{
    if (hf_id_is_reserved(record->id))
        return false;
    /* Only one that was lowered until nothing was left, or never held, has an amount of 0. */
    if (record->amount > HF_AMOUNT_MAX || record->expires_ns == HF_EXPIRES_NEVER ||
        !is_sum_of_hold(record) || !are_hold_terms(record))
        return false;
    return is_answer_of(reader, record) && is_record(reader, record);
}

/* ---- taking one ---- */

/* Whom it names. */
struct parties {
    struct hf_account *payer; /* NULL: none */
    struct hf_account *payee;
    struct hf_instrument *instrument;
};

static struct hf_account *find_account(const struct hf_ledger *ledger, struct hf_id id)
{
    return hf_id_is_reserved(id) ? NULL : hf_ledger_find_account(ledger, id);
}

/* Is everybody there that it names, and may they be such? Of what was refused they may be anybody.
 */
static bool find_parties(const struct hf_ledger *ledger, const struct hf_image_hold *record,
                         struct parties *parties)
{
    struct hf_id token = record->token;
    uint32_t slot = hf_id_is_reserved(token)
                        ? HF_TABLE_NONE
                        : hf_table_find(&ledger->instruments, token, hf_id_hash(token));

    parties->payer = find_account(ledger, record->payer);
    parties->payee = find_account(ledger, record->payee);
    parties->instrument =
        slot == HF_TABLE_NONE ? NULL : hf_instrument_at(&ledger->instruments, slot);
    if ((parties->payer == NULL) != hf_id_is_zero(record->payer) ||
        (parties->payee == NULL) != hf_id_is_zero(record->payee) ||
        (parties->instrument == NULL) != hf_id_is_zero(token))
        return false;
    if (record->status == HF_HOLD_REFUSED || record->status == HF_HOLD_REVERSED)
        return true;
    return parties->payer != NULL && parties->payer != parties->payee &&
           parties->payer->asset == record->asset &&
           (parties->payee == NULL ? !has_record(record) : parties->payee->asset == record->asset);
}

bool hf_image_take_promise(struct hf_image_reader *reader, struct hf_account *payer,
                           uint64_t remaining)
{
    if (payer->held_out < remaining)
        return false;
    payer->held_out -= remaining;
    reader->promised -= remaining;
    return true;
}

static bool take_promises(struct hf_image_reader *reader, const struct hf_image_hold *record,
                          const struct parties *parties)
{
    if (record->remaining == 0)
        return true;
    if (record->payer_count == 1 &&
        !hf_image_take_promise(reader, parties->payer, record->remaining))
        return false; /* of several, part by part */
    if (parties->payee == NULL)
        return true;
    if (parties->payee->held_in < record->remaining)
        return false;
    parties->payee->held_in -= record->remaining;
    reader->promised -= record->remaining;
    return true;
}

/* The record's line. Its links come when all are there. */
static void add_record(struct hf_ledger *ledger, uint32_t slot, const struct hf_image_hold *image,
                       const struct hf_instrument *instrument)
{
    struct hf_holds *holds = &ledger->holds;
    struct hf_record *record = &holds->records[slot];

    *record = (struct hf_record){
        .acquirer = image->acquirer,
        .reversed = image->reversed,
        .first_draw = image->first_draw,
        .later_draws = image->later_draws,
        .instrument =
            instrument == NULL ? HF_TABLE_NONE : hf_table_slot(&ledger->instruments, instrument),
        .mcc = image->mcc,
        .country = image->country,
        .channel = image->channel,
        .exception = image->exception,
        .flags = image->flags,
        .number = image->number,
    };
    memcpy(record->merchant, image->merchant, sizeof(record->merchant));
    holds->later[slot] =
        (struct hf_record_later){.draws_ns = image->draws_ns, .before_key = image->before};
    hf_hold_at(holds, slot)->has_record = true;
}

static uint32_t slot_of(const struct hf_ledger *ledger, const struct hf_account *account)
{
    return account == NULL ? HF_TABLE_NONE : hf_table_slot(&ledger->accounts, account);
}

static enum hf_status take_hold(struct hf_image_reader *reader, const struct hf_image_hold *record,
                                bool is_open)
{
    struct hf_ledger *ledger = reader->ledger;
    struct hf_holds *holds = &ledger->holds;
    uint64_t hash = hf_id_hash(record->id);
    struct parties parties;
    const struct hf_hold_more more = {
        .expires_ns = record->expires_ns,
        .origin = record->origin,
        .first_part = HF_TABLE_NONE,
        .first_condition = HF_TABLE_NONE,
        .tolerance = record->tolerance,
        .class_number = record->class_number,
        .policy = record->policy,
        .payer_count = record->payer_count,
        .condition_count = record->condition_count,
        .required = record->required,
        .met = record->met,
    };

    if (!is_hold(reader, record) || (record->remaining != 0) != is_open ||
        hf_hold_find(holds, record->id, hash) != HF_TABLE_NONE)
        return HF_STATUS_CORRUPT;
    if (!find_parties(ledger, record, &parties) || !take_promises(reader, record, &parties))
        return HF_STATUS_CORRUPT;
    hf_hold_note_unseen(holds, record->id);
    uint32_t slot = hf_hold_add(ledger, record->id, hash);
    if (!hf_hold_more_is_plain(&more))
        hf_hold_set_more(ledger, slot, &more);
    struct hf_hold *hold = hf_hold_at(holds, slot);
    hold->amount = record->amount;
    hold->remaining = record->remaining;
    hold->captured = record->captured;
    hold->payer = slot_of(ledger, parties.payer);
    hold->payee = slot_of(ledger, parties.payee);
    hold->asset = record->asset;
    holds->answers[slot] = record->answer;
    if (has_record(record))
        add_record(ledger, slot, record, parties.instrument);
    if (!is_open)
        hf_hold_end(ledger, slot, record->status, record->ended_ns);
    return HF_STATUS_OK;
}

/* Several may end at one time. A refused AUTH may have taken over the end of its reversal. */
enum hf_status hf_image_take_ended(struct hf_image_reader *reader, const void *bytes)
{
    struct hf_image_hold record;

    memcpy(&record, bytes, sizeof(record));
    if (record.ended_ns < reader->ended_ns || record.ended_ns > reader->timestamp_ns ||
        (record.ended_ns < record.answer.timestamp_ns && record.status != HF_HOLD_REFUSED))
        return HF_STATUS_CORRUPT;
    if (record.status == HF_HOLD_OPEN || record.status > HF_HOLD_REVERSED)
        return HF_STATUS_CORRUPT;
    if (record.status == HF_HOLD_LAPSED &&
        (record.expires_ns == 0 || record.captured >= record.amount))
        return HF_STATUS_CORRUPT;
    reader->ended_ns = record.ended_ns;
    return take_hold(reader, &record, false);
}

enum hf_status hf_image_take_open(struct hf_image_reader *reader, const void *bytes)
{
    struct hf_image_hold record;

    memcpy(&record, bytes, sizeof(record));
    if (record.ended_ns != 0 || record.status != HF_HOLD_OPEN)
        return HF_STATUS_CORRUPT;
    return take_hold(reader, &record, true);
}

/* ---- lists of records ---- */

/* Lists of links (a slot and 1, or 0) with the largest key first, as one such list. */
static uint32_t merge(const struct hf_holds *holds, uint32_t one, uint32_t other)
{
    uint32_t first = 0;
    uint32_t *end = &first;

    while (one != 0 && other != 0) {
        uint32_t *larger =
            hf_record_key(holds, one - 1) > hf_record_key(holds, other - 1) ? &one : &other;
        *end = *larger;
        end = &holds->records[*larger - 1].before;
        *larger = *end;
    }
    *end = one != 0 ? one : other;
    return first;
}

/* A list sorted: heap n has 2^n links, or none, as in a binary number that counts them. */
static uint32_t sort(const struct hf_holds *holds, uint32_t list)
{
    uint32_t heaps[32] = {0};
    uint32_t sorted = 0;

    while (list != 0) {
        uint32_t heap = list;
        uint32_t n = 0;
        list = holds->records[heap - 1].before;
        holds->records[heap - 1].before = 0;
        for (; heaps[n] != 0; n++) {
            heap = merge(holds, heaps[n], heap);
            heaps[n] = 0;
        }
        heaps[n] = heap;
    }
    for (uint32_t n = 0; n < 32; n++)
        sorted = merge(holds, heaps[n], sorted);
    return sorted;
}

/* Leaves of a sorted list the links that the records themselves name. */
static bool cut(struct hf_holds *holds, uint32_t list)
{
    while (list != 0) {
        uint32_t slot = list - 1;
        struct hf_record *record = &holds->records[slot];
        uint64_t before_key = holds->later[slot].before_key;
        list = record->before;
        holds->later[slot].before_key = 0;
        if (list != 0) {
            uint64_t next_key = hf_record_key(holds, list - 1);
            /* None lies between the two, and no two are one. */
            if (next_key == hf_record_key(holds, slot) ||
                (before_key != 0 && next_key > before_key) ||
                (holds->records[list - 1].flags & HF_IMAGE_NEWEST) != 0)
                return false;
            if (next_key == before_key)
                continue;
        }
        record->before = 0;
    }
    return true;
}

bool hf_image_link_records(struct hf_ledger *ledger)
{
    struct hf_holds *holds = &ledger->holds;
    const struct hf_table *instruments = &ledger->instruments;

    for (uint32_t slot = hf_hold_next(holds, 0); slot != HF_TABLE_NONE;
         slot = hf_hold_next(holds, slot + 1)) {
        struct hf_record *record = &holds->records[slot];
        if (!hf_hold_at(holds, slot)->has_record || record->instrument == HF_TABLE_NONE)
            continue;
        struct hf_instrument *instrument = hf_instrument_at(instruments, record->instrument);
        record->before = instrument->newest;
        instrument->newest = slot + 1;
    }
    for (uint32_t slot = hf_table_next(instruments, 0); slot != HF_TABLE_NONE;
         slot = hf_table_next(instruments, slot + 1)) {
        struct hf_instrument *instrument = hf_instrument_at(instruments, slot);
        uint32_t list = sort(holds, instrument->newest);
        instrument->newest = 0;
        if (!cut(holds, list))
            return false;
        if (list == 0 || (holds->records[list - 1].flags & HF_IMAGE_NEWEST) == 0)
            continue;
        holds->records[list - 1].flags &= (uint8_t)~HF_IMAGE_NEWEST;
        instrument->newest = list;
    }
    return true;
}
