/* The face of the room, and the apply pass: operations in order, one at a time, each climbing the
 * steps of OPERATIONS.md. Before it come the passes of turn.c, which change nothing. */
#include "ledger.h"

#include "attest.h"
#include "authorise.h"
#include "card.h"
#include "chain.h"
#include "execute.h"
#include "once.h"
#include "promise.h"
#include "settle.h"
#include "state.h"

#include <assert.h>
#include <string.h>

/* ---- making one ---- */

static bool is_count(uint64_t count)
{
    return count >= 1 && count <= HF_LEDGER_RECORDS_MAX;
}

static bool are_limits(const struct hf_ledger_limits *limits)
{
    return is_count(limits->accounts) && is_count(limits->instruments) && is_count(limits->holds) &&
           is_count(limits->terms) && is_count(limits->parts) && is_count(limits->selectors) &&
           is_count(limits->limits) && is_count(limits->rolling) && is_count(limits->remembered);
}

/* Lays everything out in an arena that begins with the ledger itself; `ledger` may be a stand-in
 * when the arena only measures. */
static void lay_out(struct hf_ledger *ledger, struct hf_arena *arena,
                    const struct hf_ledger_limits *limits)
{
    size_t before = arena->used;

    hf_table_create(&ledger->accounts, arena, limits->accounts);
    ledger->account_memory_size = arena->used - before;
    hf_table_create(&ledger->instruments, arena, limits->instruments);
    hf_instruments_create(&ledger->instrument_list, arena, &ledger->instruments, limits->selectors);
    hf_holds_create(&ledger->holds, arena, limits);
    hf_seen_create(&ledger->seen, arena, limits->remembered);
    hf_terms_create(&ledger->terms, arena, limits->terms);
    hf_limits_create(&ledger->limit_list, arena, limits->limits, limits->rolling);
    hf_expire_create(ledger, arena);
    hf_undo_create(&ledger->undo, arena, limits->rolling);
    ledger->memory_size = arena->used;
}

size_t hf_ledger_memory_size(const struct hf_ledger_limits *limits)
{
    struct hf_ledger stand_in;
    struct hf_arena arena;

    assert(limits != NULL);
    if (!are_limits(limits))
        return 0;
    memset(&stand_in, 0, sizeof(stand_in));
    hf_arena_open(&arena, NULL, 0);
    hf_arena_take(&arena, 1, sizeof(struct hf_ledger));
    lay_out(&stand_in, &arena, limits);
    return arena.used;
}

struct hf_ledger *hf_ledger_create(const struct hf_ledger_limits *limits, void *memory, size_t size)
{
    struct hf_arena arena;
    size_t needed = hf_ledger_memory_size(limits);

    if (needed == 0 || memory == NULL || size < needed ||
        (uintptr_t)memory % HF_ARENA_ALIGNMENT != 0)
        return NULL;
    hf_arena_open(&arena, memory, size);
    struct hf_ledger *ledger = hf_arena_take(&arena, 1, sizeof(struct hf_ledger));
    ledger->magic = HF_LEDGER_MAGIC;
    ledger->limits = *limits;
    lay_out(ledger, &arena, limits);
    assert(ledger->memory_size == needed);
    return ledger;
}

/* ---- apply ---- */

static inline void apply_move(struct hf_ledger *ledger, const struct hf_turn *turn,
                              struct hf_answer *answer)
{
    const struct hf_op_move *move = &turn->operation->move;
    struct hf_account *payer;
    struct hf_account *payee;

    if (!hf_turn_find_parties(ledger, turn, move->payer, move->payee, &payer, &payee, answer))
        return;
    if (__builtin_expect(hf_account_are_plain(payer, payee, move->asset), 1))
        hf_execute_move(payer, payee, move->amount, hf_turn_is_dry(turn), answer);
    else if (hf_account_admit_others(ledger, payer, payee, move->asset, &hf_attributes_none,
                                     answer))
        hf_execute_move_by_plan(ledger, payer, payee, move->amount, hf_turn_is_dry(turn), answer);
}

/* The same where somebody looks on or it may have to be undone: always by a plan. Not in the frame
 * of hf_turn_carry_out, which all others would pay for. */
static __attribute__((noinline)) void
apply_move_by_plan(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    const struct hf_op_move *move = &turn->operation->move;
    struct hf_account *payer;
    struct hf_account *payee;

    if (hf_turn_find_parties(ledger, turn, move->payer, move->payee, &payer, &payee, answer) &&
        hf_account_admit(ledger, payer, payee, move->asset, &hf_attributes_none, answer))
        hf_execute_move_by_plan(ledger, payer, payee, move->amount, hf_turn_is_dry(turn), answer);
}

__attribute__((noinline)) void
hf_turn_carry_out(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    switch (turn->type) {
    case HF_OP_AUTH:
        hf_authorise(ledger, turn, answer);
        return;
    case HF_OP_HOLD:
        hf_promise_hold(ledger, turn, answer);
        return;
    case HF_OP_HOLD_PLAN:
        hf_promise_plan(ledger, turn, answer);
        return;
    case HF_OP_CAPTURE:
        hf_settle_capture(ledger, turn, answer);
        return;
    case HF_OP_REVERSE:
        hf_card_reverse(ledger, turn, answer);
        return;
    case HF_OP_CLEAR:
        hf_card_clear(ledger, turn, answer);
        return;
    case HF_OP_INCREMENT:
        hf_card_increment(ledger, turn, answer);
        return;
    case HF_OP_RELEASE:
        hf_settle_release(ledger, turn, answer);
        return;
    case HF_OP_ADJUST:
        hf_settle_adjust(ledger, turn, answer);
        return;
    case HF_OP_ATTEST:
        hf_attest(ledger, turn, answer);
        return;
    case HF_OP_EXPIRE:
        hf_expire_carry_out(ledger, turn, answer);
        return;
    case HF_OP_CLASS_PUT:
        hf_hold_put_class(ledger, turn, answer);
        return;
    case HF_OP_MOVE:
        apply_move_by_plan(ledger, turn, answer);
        return;
    case HF_OP_MOVE_PLAN:
        hf_plan_move(ledger, turn, answer);
        return;
    case HF_OP_CHAIN:
        hf_chain_carry_out(ledger, turn, answer);
        return;
    case HF_OP_ACCOUNT_PUT:
        hf_account_put(ledger, turn, answer);
        return;
    case HF_OP_ACCOUNT_CLOSE:
        hf_account_close(ledger, turn, answer);
        return;
    case HF_OP_INSTRUMENT_PUT:
        hf_instrument_put(ledger, turn, answer);
        return;
    case HF_OP_LIMIT_PUT:
        hf_limit_put(ledger, turn, answer);
        return;
    case HF_OP_ASSET_PUT:
        hf_asset_put(ledger, turn, answer);
        return;
    default:
        assert(false && "every operation has passed hf_operation_check");
    }
}

void hf_event_append(struct hf_events *events, const struct hf_event *event)
{
    assert(events->count < events->capacity);
    events->list[events->count++] = *event;
}

/* Not in the frame of whoever calls it. */
__attribute__((noinline)) void hf_event_add_refusal(struct hf_events *events,
                                                    const struct hf_answer *answer)
{
    if (answer->place == 0 || answer->code == HF_CODE_OK || answer->code == HF_CODE_OK_PARTIAL)
        return;
    const struct hf_event event = {
        .place = answer->place,
        .subject = answer->id,
        .code = answer->code,
        .kind = HF_EVENT_REFUSED,
        .rule = answer->rule,
        .entry = answer->entry,
        .type = answer->type,
    };
    hf_event_append(events, &event);
}

/* The answer that an operation of this id got before, or NULL: step 2 of OPERATIONS.md. A hold
 * outlives the memory of its maker, but only below the floor. */
static const struct hf_answer *find_first_answer(const struct hf_ledger *ledger,
                                                 const struct hf_turn *turn)
{
    struct hf_id id = turn->operation->header.id;
    const struct hf_answer *first = hf_seen_find(&ledger->seen, turn->id_home, id, turn->id_hash);

    if (first == NULL && hf_id_time_ms(id) < ledger->seen.floor_ms)
        first = hf_hold_answer(&ledger->holds, id, turn->id_hash, ledger->bundle_ns);
    return first;
}

/* Answers what never enters the order: steps 2 and 3. False when it is to enter. */
static __attribute__((noinline)) bool answer_outside(const struct hf_ledger *ledger,
                                                     const struct hf_turn *turn,
                                                     const struct hf_horizon *horizon,
                                                     struct hf_reply *reply)
{
    const struct hf_answer *first = find_first_answer(ledger, turn);
    uint64_t time_ms = hf_id_time_ms(turn->operation->header.id);

    if (first != NULL)
        hf_once_answer_again(first, turn, ledger->bundle_ns, reply);
    else if (time_ms < hf_horizon_floor(&ledger->seen, horizon))
        hf_once_refuse(turn, HF_CODE_ID_TOO_OLD, ledger->bundle_ns, reply);
    else if (time_ms > horizon->ceiling_ms)
        hf_once_refuse(turn, HF_CODE_ID_TOO_NEW, ledger->bundle_ns, reply);
    else
        return false;
    return true;
}

void hf_turn_answer_old(const struct hf_ledger *ledger, const struct hf_turn *turn,
                        struct hf_reply *reply)
{
    const struct hf_answer *first = hf_hold_answer(&ledger->holds, turn->operation->header.id,
                                                   turn->id_hash, ledger->bundle_ns);

    if (first != NULL)
        hf_once_answer_again(first, turn, ledger->bundle_ns, reply);
    else
        hf_once_refuse(turn, HF_CODE_ID_TOO_OLD, ledger->bundle_ns, reply);
}

/* Its sender has given up; of an AUTH that is told in its record. Or it is forbidden: then it is no
 * word about anything, and no instrument remembers it. */
static __attribute__((noinline)) void
refuse_late(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    hf_turn_refuse_late(turn, answer);
    if (turn->type == HF_OP_AUTH && (turn->flags & HF_OP_FORBIDDEN) == 0)
        hf_record_refuse(ledger, turn, answer);
}

void hf_turn_answer(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer,
                    struct hf_reply *reply)
{
    if (hf_turn_is_late(turn, ledger->bundle_ns))
        refuse_late(ledger, turn, answer);
    else
        hf_turn_carry_out(ledger, turn, answer);
    if (ledger->events != NULL)
        hf_event_add_refusal(ledger->events, answer);
    hf_answer_write_reply(answer, (turn->flags & HF_OP_RETURN_BALANCES) != 0, reply);
}

/* Takes one operation through steps 2 to 6. True when it took a place. */
static inline bool apply_one(struct hf_ledger *ledger, const struct hf_turn *turn,
                             const struct hf_horizon *horizon, struct hf_reply *reply)
{
    struct hf_seen *seen = &ledger->seen;
    struct hf_events *events = ledger->events;
    struct hf_answer unplaced;
    struct hf_answer *answer = &unplaced;
    uint64_t place = 0;

    if (__builtin_expect(!hf_once_is_new(seen, turn, horizon), 0)) {
        if (answer_outside(ledger, turn, horizon, reply))
            return false;
    }
    if (__builtin_expect(!hf_turn_is_dry(turn), 1)) {
        place = seen->next_place;
        answer = hf_seen_add(seen, turn->id_home, turn->id_hash);
    } else {
        ledger->dry_place = seen->next_place;
    }
    hf_answer_begin(answer, turn, place, ledger->bundle_ns);
    if (__builtin_expect(hf_turn_is_late(turn, ledger->bundle_ns), 0))
        refuse_late(ledger, turn, answer);
    else if (__builtin_expect(turn->type == HF_OP_MOVE && events == NULL, 1))
        apply_move(ledger, turn, answer);
    else
        hf_turn_carry_out(ledger, turn, answer);
    if (__builtin_expect(events != NULL, 0))
        hf_event_add_refusal(events, answer);
    hf_answer_write_reply(answer, (turn->flags & HF_OP_RETURN_BALANCES) != 0, reply);
    return place != 0;
}

uint64_t hf_ledger_apply(struct hf_ledger *ledger, uint64_t timestamp_ns,
                         const union hf_operation *const operations[], uint32_t count,
                         struct hf_reply replies[])
{
    const struct hf_horizon horizon = hf_horizon_at(&ledger->limits, timestamp_ns);
    uint64_t placed = 0;

    assert(ledger->magic == HF_LEDGER_MAGIC);
    assert(count <= HF_BUNDLE_OPERATIONS_MAX);
    assert(timestamp_ns >= ledger->timestamp_ns);
    ledger->bundle_ns = timestamp_ns;
    hf_turns_prepare(ledger, operations, count);
    for (uint32_t i = 0; i < count; i++)
        if (__builtin_expect(apply_one(ledger, &ledger->turns[i], &horizon, &replies[i]), 1))
            placed |= UINT64_C(1) << i;
    if (placed != 0)
        ledger->timestamp_ns = timestamp_ns;
    return placed;
}

void hf_ledger_watch(struct hf_ledger *ledger, struct hf_events *events)
{
    assert(ledger->magic == HF_LEDGER_MAGIC);
    ledger->events = events;
}

/* ---- looking in ---- */

uint64_t hf_ledger_place(const struct hf_ledger *ledger)
{
    return ledger->seen.next_place - 1;
}

uint64_t hf_ledger_timestamp_ns(const struct hf_ledger *ledger)
{
    return ledger->timestamp_ns;
}

const struct hf_ledger_limits *hf_ledger_limits_of(const struct hf_ledger *ledger)
{
    return &ledger->limits;
}

void hf_ledger_count(const struct hf_ledger *ledger, struct hf_ledger_counts *counts)
{
    struct hf_horizon horizon = hf_horizon_at(&ledger->limits, ledger->timestamp_ns);

    assert(ledger->magic == HF_LEDGER_MAGIC);
    *counts = (struct hf_ledger_counts){
        .accounts = ledger->accounts.count,
        .instruments = ledger->instruments.count,
        .holds_open = ledger->holds.tally.open_count,
        .holds_resolved = ledger->holds.tally.ended_count -
                          hf_hold_count_stale(&ledger->holds, ledger->timestamp_ns),
        .terms = ledger->terms.count,
        .parts = ledger->holds.part_pool.count,
        .conditions = ledger->holds.condition_pool.count,
        .selectors = ledger->instrument_list.selector_pool.count,
        .limits = ledger->limit_list.count,
        .rolling = ledger->limit_list.rolling_pool.count,
        .remembered = ledger->seen.count,
        .assets = ledger->assets.count,
        .floor_ms = hf_horizon_floor(&ledger->seen, &horizon),
        .memory_bytes = ledger->memory_size,
        .memory_account_bytes = ledger->account_memory_size,
    };
}

bool hf_ledger_is_balanced(const struct hf_ledger *ledger)
{
    __extension__ typedef __int128 wide;
    wide sums[HF_LEDGER_ASSETS_MAX] = {0};
    const struct hf_table *accounts = &ledger->accounts;

    for (uint32_t slot = hf_table_next(accounts, 0); slot != HF_TABLE_NONE;
         slot = hf_table_next(accounts, slot + 1)) {
        const struct hf_account *account = hf_account_at(accounts, slot);
        const struct hf_asset *asset = hf_asset_find(&ledger->assets, account->asset);
        assert(asset != NULL);
        if ((account->flags & HF_ACCOUNT_IS_TOTAL) != 0)
            continue;
        sums[asset - ledger->assets.list] += account->posted;
    }
    for (uint32_t i = 0; i < ledger->assets.count; i++) {
        if (sums[i] != 0)
            return false;
    }
    return true;
}
