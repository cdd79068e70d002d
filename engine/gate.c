/* The gate: operations get their places, and works go to the shards and come back. */
#include "instrument.h"
#include "once.h"
#include "shard_inside.h"

#include <assert.h>
#include <string.h>

/* ---- making them ---- */

static void lay_out(struct hf_shards *shards, struct hf_arena *arena,
                    const struct hf_ledger_limits *limits)
{
    hf_directory_create(&shards->accounts, arena, limits->terms * 2);
    hf_directory_create(&shards->instruments, arena, limits->instruments);
    hf_directory_create(&shards->holds, arena, limits->holds * 2);
}

/* Room for so many shards, wherever pages begin in it. */
static void *take_pages(struct hf_arena *arena, uint32_t count)
{
    return hf_arena_take(arena, 1, count * sizeof(struct hf_shard) + HF_SHARD_PAGE);
}

static struct hf_shard *first_page(void *room)
{
    return (void *)(((uintptr_t)room + HF_SHARD_PAGE - 1) / HF_SHARD_PAGE * HF_SHARD_PAGE);
}

size_t hf_shards_memory_size(const struct hf_ledger_limits *limits, uint32_t count)
{
    struct hf_shards stand_in;
    struct hf_arena arena;

    if (count < 1 || count > HF_SHARDS_MAX || limits->remembered < HF_SHARD_ANSWERS)
        return 0;
    hf_arena_open(&arena, NULL, 0);
    hf_arena_take(&arena, 1, sizeof(struct hf_shards));
    take_pages(&arena, count);
    lay_out(&stand_in, &arena, limits);
    return arena.used;
}

size_t hf_work_size(void)
{
    return (sizeof(struct hf_work) + 63) / 64 * 64;
}

/* The homes of an account and of all totals above it. */
static uint64_t homes_of(const struct hf_shards *shards, uint32_t slot)
{
    const struct hf_ledger *ledger = shards->ledger;
    uint64_t homes = 0;

    while (slot != HF_TABLE_NONE) {
        const struct hf_account *account = hf_account_at(&ledger->accounts, slot);
        const struct hf_terms *terms = hf_terms_of(&ledger->terms, account);
        homes |= hf_shards_home(shards, account->id);
        slot = terms == NULL ? HF_TABLE_NONE : terms->parent;
    }
    return homes;
}

static void note_instruments(struct hf_shards *shards)
{
    const struct hf_table *instruments = &shards->ledger->instruments;

    for (uint32_t slot = hf_table_next(instruments, 0); slot != HF_TABLE_NONE;
         slot = hf_table_next(instruments, slot + 1)) {
        const struct hf_instrument *instrument = hf_instrument_at(instruments, slot);
        uint32_t accounts[HF_INSTRUMENT_ACCOUNTS_MAX];
        uint32_t count = hf_instrument_accounts(shards->ledger, instrument, accounts);
        uint64_t homes = 0;
        for (uint32_t i = 0; i < count; i++)
            homes |= homes_of(shards, accounts[i]);
        hf_directory_add(&shards->instruments, instrument->token, homes);
    }
}

/* Of a hold with several payers any account may be one. */
static void note_holds(struct hf_shards *shards)
{
    const struct hf_holds *holds = &shards->ledger->holds;

    for (uint32_t slot = hf_hold_next(holds, 0); slot != HF_TABLE_NONE;
         slot = hf_hold_next(holds, slot + 1)) {
        const struct hf_hold *hold = hf_hold_at(holds, slot);
        uint64_t homes = UINT64_C(1);
        if (hold->has_more && hf_hold_more_of(holds, hold)->payer_count > 1)
            homes = shards->all;
        if (hold->payer != HF_TABLE_NONE)
            homes |= homes_of(shards, hold->payer);
        if (hold->payee != HF_TABLE_NONE)
            homes |= homes_of(shards, hold->payee);
        hf_directory_add(&shards->holds, hold->id, homes);
    }
}

/* What the ledger has already. */
static void note_all(struct hf_shards *shards)
{
    const struct hf_terms_list *terms = &shards->ledger->terms;

    for (uint32_t i = 0; i < terms->count; i++)
        hf_directory_add(&shards->accounts, terms->list[i].id,
                         homes_of(shards, terms->list[i].account));
    note_instruments(shards);
    note_holds(shards);
}

struct hf_shards *hf_shards_create(struct hf_ledger *ledger, uint32_t count,
                                   const struct hf_shard_mail *mail, void *memory, size_t size)
{
    struct hf_arena arena;
    size_t needed = hf_shards_memory_size(&ledger->limits, count);

    if (needed == 0 || memory == NULL || size < needed ||
        (uintptr_t)memory % HF_ARENA_ALIGNMENT != 0)
        return NULL;
    hf_arena_open(&arena, memory, size);
    struct hf_shards *shards = hf_arena_take(&arena, 1, sizeof(struct hf_shards));
    shards->shards = first_page(take_pages(&arena, count));
    lay_out(shards, &arena, &ledger->limits);
    shards->ledger = ledger;
    shards->mail = *mail;
    shards->count = count;
    shards->all = UINT64_MAX >> (HF_SHARDS_MAX - count);
    for (uint32_t i = 0; i < count; i++) {
        shards->shards[i].shards = shards;
        shards->shards[i].number = i;
    }
    note_all(shards);
    return shards;
}

size_t hf_shard_size(void)
{
    return sizeof(struct hf_shard);
}

void hf_shards_renew(struct hf_shards *shards)
{
    assert(shards->under_way == 0);
    hf_directory_clear(&shards->accounts);
    hf_directory_clear(&shards->instruments);
    hf_directory_clear(&shards->holds);
    note_all(shards);
}

void hf_shards_watch(struct hf_shards *shards, struct hf_events *const events[])
{
    assert(shards->under_way == 0);
    for (uint32_t i = 0; i < shards->count; i++)
        shards->shards[i].events = events == NULL ? NULL : events[i];
    hf_ledger_watch(shards->ledger, events == NULL ? NULL : events[0]);
}

struct hf_shard *hf_shards_at(struct hf_shards *shards, uint32_t number)
{
    assert(number < shards->count);
    return &shards->shards[number];
}

/* ---- what is under way ---- */

static struct hf_work *oldest_work(const struct hf_shards *shards)
{
    return shards->under_way == 0 ? NULL : shards->ring[shards->first];
}

/* The place from which on answers may not be filled yet. */
static uint64_t unanswered_place(const struct hf_shards *shards)
{
    const struct hf_work *oldest = oldest_work(shards);

    return oldest == NULL ? shards->ledger->seen.next_place : oldest->first_place;
}

/* May so many answers be forgotten for new ones? None that somebody still needs. */
static bool may_forget(const struct hf_shards *shards, uint32_t count)
{
    const struct hf_seen *seen = &shards->ledger->seen;
    uint64_t needed = seen->next_place;

    if (seen->count + count <= seen->capacity)
        return true;
    for (uint32_t i = 0; i < shards->under_way; i++) {
        const struct hf_work *work = shards->ring[(shards->first + i) % HF_WORKS_MAX];
        if (work->oldest_place < needed)
            needed = work->oldest_place;
    }
    return hf_seen_oldest(seen) + (seen->count + count - seen->capacity) <= needed;
}

/* ---- submit ---- */

static void look_up(const struct hf_seen *seen, const union hf_operation *operation,
                    struct hf_turn *turn)
{
    const struct hf_op_header *header = &operation->header;

    turn->operation = operation;
    turn->type = header->type;
    turn->flags = header->flags;
    turn->origin = header->origin;
    turn->hold_slot = HF_TABLE_NONE;
    turn->id_hash = hf_id_hash(header->id);
    turn->id_home = hf_seen_home(seen, header->id, turn->id_hash);
    hf_prefetch(turn->id_home);
    turn->fingerprint = hf_turn_fingerprint(operation);
}

static void hand_to(struct hf_work *work, uint32_t i, const struct hf_route *route)
{
    const uint64_t bit = UINT64_C(1) << i;

    work->concerned[i] = route->concerned;
    work->executors[i] = (uint8_t)route->executor;
    work->whole |= route->is_whole ? bit : 0;
    for (uint64_t left = route->concerned; left != 0; left &= left - 1)
        work->mine[__builtin_ctzll(left)] |= bit;
    work->shards |= route->concerned;
}

/* Steps 2 and 3 for one that is not surely new. True when it has its answer, or will have it from
 * another; false when it enters the order. */
static bool stays_outside(struct hf_shards *shards, struct hf_work *work, uint32_t i,
                          const struct hf_horizon *horizon)
{
    static const struct hf_route to_holds = {UINT64_C(1), 0, true};
    const struct hf_seen *seen = &shards->ledger->seen;
    const struct hf_turn *turn = &work->turns[i];
    struct hf_id id = turn->operation->header.id;
    uint64_t time_ms = hf_id_time_ms(id);
    const struct hf_answer *first = hf_seen_find(seen, turn->id_home, id, turn->id_hash);

    if (first != NULL && first->place >= unanswered_place(shards)) {
        work->again |= UINT64_C(1) << i;
        work->firsts[i] = first;
        if (first->place < work->oldest_place)
            work->oldest_place = first->place;
    } else if (first != NULL) {
        hf_once_answer_again(first, turn, work->timestamp_ns, &work->replies[i]);
    } else if (time_ms < seen->floor_ms) {
        work->old |= UINT64_C(1) << i;
        hand_to(work, i, &to_holds);
    } else if (time_ms < horizon->floor_ms) {
        hf_once_refuse(turn, HF_CODE_ID_TOO_OLD, work->timestamp_ns, &work->replies[i]);
    } else if (time_ms > horizon->ceiling_ms) {
        hf_once_refuse(turn, HF_CODE_ID_TOO_NEW, work->timestamp_ns, &work->replies[i]);
    } else {
        return false;
    }
    return true;
}

/* True when it took a place. */
static bool admit(struct hf_shards *shards, struct hf_work *work, uint32_t i,
                  const struct hf_horizon *horizon)
{
    struct hf_seen *seen = &shards->ledger->seen;
    const struct hf_turn *turn = &work->turns[i];
    uint64_t place = 0;

    if (!hf_once_is_new(seen, turn, horizon) && stays_outside(shards, work, i, horizon))
        return false;
    struct hf_route route = hf_route_operation(shards, turn->operation);
    if (hf_turn_is_dry(turn)) {
        work->answers[i] = &work->dry[i];
        work->dry_places[i] = seen->next_place;
    } else {
        place = seen->next_place;
        work->answers[i] = hf_seen_add(seen, turn->id_home, turn->id_hash);
    }
    hf_answer_begin(work->answers[i], turn, place, work->timestamp_ns);
    hand_to(work, i, &route);
    return place != 0;
}

static void begin_work(struct hf_shards *shards, struct hf_work *work, uint64_t timestamp_ns,
                       uint32_t count, struct hf_reply replies[])
{
    work->number = ++shards->works;
    work->timestamp_ns = timestamp_ns;
    work->shards = 0;
    work->left = 0;
    work->first_place = shards->ledger->seen.next_place;
    work->oldest_place = work->first_place;
    work->count = count;
    work->whole = 0;
    work->old = 0;
    work->again = 0;
    work->replies = replies;
    memset(work->mine, 0, shards->count * sizeof(work->mine[0]));
    shards->ring[(shards->first + shards->under_way) % HF_WORKS_MAX] = work;
    shards->under_way++;
}

bool hf_shards_submit(struct hf_shards *shards, uint64_t timestamp_ns,
                      const union hf_operation *const operations[], uint32_t count,
                      struct hf_reply replies[], struct hf_work *work, uint64_t *placed)
{
    struct hf_ledger *ledger = shards->ledger;
    const struct hf_horizon horizon = hf_horizon_at(&ledger->limits, timestamp_ns);

    assert(count <= HF_BUNDLE_OPERATIONS_MAX);
    assert(timestamp_ns >= ledger->timestamp_ns);
    if (shards->under_way == HF_WORKS_MAX || !may_forget(shards, count))
        return false;
    begin_work(shards, work, timestamp_ns, count, replies);
    for (uint32_t i = 0; i < count; i++) {
        work->operations[i] = operations[i];
        look_up(&ledger->seen, operations[i], &work->turns[i]);
    }
    *placed = 0;
    for (uint32_t i = 0; i < count; i++)
        *placed |= (uint64_t)admit(shards, work, i, &horizon) << i;
    if (*placed != 0)
        ledger->timestamp_ns = timestamp_ns;
    for (uint64_t left = work->shards; left != 0; left &= left - 1)
        work->left++;
    return true;
}

uint64_t hf_work_shards(const struct hf_work *work)
{
    return work->shards;
}

/* ---- collect ---- */

void hf_work_finished(struct hf_work *work)
{
    assert(work->left != 0);
    work->left--;
}

struct hf_work *hf_shards_collect(struct hf_shards *shards)
{
    struct hf_work *work = oldest_work(shards);

    if (work == NULL || work->left != 0)
        return NULL;
    for (uint64_t left = work->again; left != 0; left &= left - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(left);
        hf_once_answer_again(work->firsts[i], &work->turns[i], work->timestamp_ns,
                             &work->replies[i]);
    }
    shards->first = (shards->first + 1) % HF_WORKS_MAX;
    shards->under_way--;
    return work;
}

uint32_t hf_shards_under_way(const struct hf_shards *shards)
{
    return shards->under_way;
}
