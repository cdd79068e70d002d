/* The face of the room, and the way of a bundle through it.
 *
 * The cost of an operation is its cache misses: two accounts, the index of ids. A bundle goes
 * through passes, so that the misses of all its operations overlap:
 *
 *   look up   hash the ids
 *   ask       fetch the home lines of the accounts and the bucket of the index
 *   fetch     name the likely lines, fetch them
 *   lost      the few keys that lie elsewhere: fetch control words, then the lines they name
 *   apply     in order, one operation at a time; only this pass changes anything
 *
 * What the first passes found are hints: the apply pass compares the key of each line it is led to,
 * and looks again where an earlier operation of the bundle made the record meanwhile. */
#include "ledger.h"

#include "authorise.h"
#include "execute.h"
#include "state.h"

#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include <assert.h>
#include <string.h>

#define NS_PER_MS UINT64_C(1000000)

/* ---- making one ---- */

static bool is_count(uint64_t count)
{
    return count >= 1 && count <= HF_LEDGER_RECORDS_MAX;
}

static bool are_limits(const struct hf_ledger_limits *limits)
{
    return is_count(limits->accounts) && is_count(limits->instruments) && is_count(limits->holds) &&
           is_count(limits->remembered);
}

/* Lays everything out in an arena that begins with the ledger itself; `ledger` may be a stand-in
 * when the arena only measures. */
static void lay_out(struct hf_ledger *ledger, struct hf_arena *arena,
                    const struct hf_ledger_limits *limits)
{
    size_t before = arena->used;

    hf_table_create_guided(&ledger->accounts, arena, limits->accounts);
    ledger->account_memory_size = arena->used - before;
    hf_table_create_guided(&ledger->instruments, arena, limits->instruments);
    hf_holds_create(&ledger->holds, arena, limits->holds);
    hf_seen_create(&ledger->seen, arena, limits->remembered);
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

/* ---- look up and fetch ---- */

enum table_kind { NO_TABLE, ACCOUNTS, INSTRUMENTS, HOLDS };

/* Which tables the first and second id of each type's body belong to. */
static const uint8_t key_tables[HF_OP_TYPE_MAX + 1][2] = {
    [HF_OP_ACCOUNT_PUT] = {ACCOUNTS, NO_TABLE}, [HF_OP_MOVE] = {ACCOUNTS, ACCOUNTS},
    [HF_OP_HOLD] = {ACCOUNTS, ACCOUNTS},        [HF_OP_CAPTURE] = {HOLDS, NO_TABLE},
    [HF_OP_RELEASE] = {HOLDS, NO_TABLE},        [HF_OP_INSTRUMENT_PUT] = {INSTRUMENTS, ACCOUNTS},
    [HF_OP_AUTH] = {INSTRUMENTS, ACCOUNTS},
};

/* What may be applied: the length of each type, 0 for the others. The whole check is the caller's
 * duty; this much of it the engine's own memory stands on, and it is asserted for each operation.
 */
static const uint16_t lengths[HF_OP_TYPE_MAX + 1] = {
    [HF_OP_ASSET_PUT] = sizeof(struct hf_op_asset_put),
    [HF_OP_ACCOUNT_PUT] = sizeof(struct hf_op_account_put),
    [HF_OP_MOVE] = sizeof(struct hf_op_move),
    [HF_OP_HOLD] = sizeof(struct hf_op_hold),
    [HF_OP_CAPTURE] = sizeof(struct hf_op_capture),
    [HF_OP_RELEASE] = sizeof(struct hf_op_release),
    [HF_OP_INSTRUMENT_PUT] = sizeof(struct hf_op_instrument_put),
    [HF_OP_AUTH] = sizeof(struct hf_op_auth),
};

#define FIRST_KEY_OFFSET 32
HF_STATIC_ASSERT(offsetof(struct hf_op_account_put, account) == FIRST_KEY_OFFSET, "first id");
HF_STATIC_ASSERT(offsetof(struct hf_op_move, payer) == FIRST_KEY_OFFSET, "first id");
HF_STATIC_ASSERT(offsetof(struct hf_op_move, payee) == FIRST_KEY_OFFSET + 16, "second id");
HF_STATIC_ASSERT(offsetof(struct hf_op_hold, payer) == FIRST_KEY_OFFSET, "first id");
HF_STATIC_ASSERT(offsetof(struct hf_op_hold, payee) == FIRST_KEY_OFFSET + 16, "second id");
HF_STATIC_ASSERT(offsetof(struct hf_op_capture, hold) == FIRST_KEY_OFFSET, "first id");
HF_STATIC_ASSERT(offsetof(struct hf_op_release, hold) == FIRST_KEY_OFFSET, "first id");
HF_STATIC_ASSERT(offsetof(struct hf_op_instrument_put, token) == FIRST_KEY_OFFSET, "first id");
HF_STATIC_ASSERT(offsetof(struct hf_op_instrument_put, account) == FIRST_KEY_OFFSET + 16, "second");
HF_STATIC_ASSERT(offsetof(struct hf_op_auth, token) == FIRST_KEY_OFFSET, "first id");
HF_STATIC_ASSERT(offsetof(struct hf_op_auth, payee) == FIRST_KEY_OFFSET + 16, "second id");

static const struct hf_table *table_of(const struct hf_ledger *ledger, uint8_t kind)
{
    if (kind == ACCOUNTS)
        return &ledger->accounts;
    if (kind == INSTRUMENTS)
        return &ledger->instruments;
    assert(kind == HOLDS);
    return &ledger->holds.table;
}

static inline struct hf_id key_of(const union hf_operation *operation, uint32_t index)
{
    struct hf_id id;

    memcpy(&id, operation->bytes + FIRST_KEY_OFFSET + index * sizeof(id), sizeof(id));
    return id;
}

struct hf_account *hf_turn_search_account(const struct hf_ledger *ledger,
                                          const struct hf_turn *turn, uint32_t index)
{
    struct hf_id id = key_of(turn->operation, index);
    uint32_t slot = hf_table_find(&ledger->accounts, id, turn->keys[index].hash);

    return slot == HF_TABLE_NONE ? NULL : hf_account_at(&ledger->accounts, slot);
}

static void look_up_key(const struct hf_table *table, const union hf_operation *operation,
                        uint32_t index, struct hf_key *key)
{
    key->hash = hf_id_hash(key_of(operation, index));
    if (table->is_guided)
        key->guess = hf_table_home_line(table, key->hash);
    else
        key->guess = &table->groups[hf_table_home(table, key->hash)];
}

/* The same for the accounts, which are guided. */
static inline void look_up_account(const struct hf_ledger *ledger,
                                   const union hf_operation *operation, uint32_t index,
                                   struct hf_key *key)
{
    key->hash = hf_id_hash(key_of(operation, index));
    key->guess = hf_table_home_line(&ledger->accounts, key->hash);
}

static bool makes_hold(uint8_t type)
{
    return type == HF_OP_HOLD || type == HF_OP_AUTH;
}

/* The low 32 bits of XXH3-64 over the operation's body, seeded with its type. Id, deadline, flags
 * and origin are not content. */
static __attribute__((noinline)) uint32_t fingerprint_of(const union hf_operation *operation)
{
    const size_t header_size = sizeof(struct hf_op_header);
    const uint8_t *body = operation->bytes + header_size;
    uint8_t type = operation->header.type;

    return (uint32_t)XXH3_64bits_withSeed(body, lengths[type] - header_size, type);
}

/* The same, with length and seed known: then xxHash comes down to four multiplications. */
static inline uint32_t fingerprint_of_move(const union hf_operation *operation)
{
    const size_t header_size = sizeof(struct hf_op_header);
    const uint8_t *body = operation->bytes + header_size;

    return (uint32_t)XXH3_64bits_withSeed(body, sizeof(operation->move) - header_size, HF_OP_MOVE);
}

static void look_up(const struct hf_ledger *ledger, const union hf_operation *operation,
                    struct hf_turn *turn)
{
    uint8_t type = operation->header.type;

    turn->operation = operation;
    turn->type = type;
    turn->flags = operation->header.flags;
    turn->id_hash = hf_id_hash(operation->header.id);
    turn->id_home = hf_seen_home(&ledger->seen, turn->id_hash);
    if (__builtin_expect(type == HF_OP_MOVE, 1)) {
        assert(operation->header.length == sizeof(operation->move));
        look_up_account(ledger, operation, 0, &turn->keys[0]);
        look_up_account(ledger, operation, 1, &turn->keys[1]);
        turn->fingerprint = fingerprint_of_move(operation);
        return;
    }
    assert(type <= HF_OP_TYPE_MAX);
    assert(lengths[type] != 0);
    assert(operation->header.length == lengths[type]);
    turn->fingerprint = fingerprint_of(operation);
    for (uint32_t i = 0; i < 2; i++) {
        turn->keys[i].guess = NULL;
        if (key_tables[type][i] != NO_TABLE)
            look_up_key(table_of(ledger, key_tables[type][i]), operation, i, &turn->keys[i]);
    }
    if (makes_hold(type))
        hf_table_prefetch_group(&ledger->holds.table, turn->id_hash);
}

/* Asks for the lines that the hashes name. This is a pass of its own, with nothing else between: a
 * prefetch is not done before its address is translated, and only next to each other do the
 * translations of many overlap. Amid the hashing it took more than twice the time. */
static inline void ask(const struct hf_turn *turn)
{
    __builtin_prefetch(turn->keys[0].guess, 1);
    __builtin_prefetch(turn->keys[1].guess, 1);
    __builtin_prefetch(turn->id_home, 1);
}

/* Which keys of a bundle did not lie where they were guessed to: number of the turn * 2 + index. */
struct lost_keys {
    uint32_t count;
    uint32_t keys[HF_BUNDLE_OPERATIONS_MAX * 2 + 1]; /* and one that is begun, and not lost */
};

static inline void follow_key(struct hf_turn *turn, uint32_t index)
{
    struct hf_key *key = &turn->keys[index];

    key->guess = hf_table_follow(key_of(turn->operation, index), key->hash, key->guess);
}

static void fetch(const struct hf_ledger *ledger, struct hf_turn *turn)
{
    uint8_t type = turn->type;

    if (__builtin_expect(type == HF_OP_MOVE, 1)) {
        follow_key(turn, 0);
        follow_key(turn, 1);
        return;
    }
    for (uint32_t i = 0; i < 2 && key_tables[type][i] != NO_TABLE; i++) {
        const struct hf_table *table = table_of(ledger, key_tables[type][i]);
        if (table->is_guided)
            follow_key(turn, i);
        else
            turn->keys[i].guess =
                hf_table_guess(table, turn->keys[i].hash, hf_table_home(table, turn->keys[i].hash));
    }
    if (makes_hold(type)) {
        uint32_t slot = hf_table_guess_free(&ledger->holds.table, turn->id_hash);
        if (slot != HF_TABLE_NONE)
            __builtin_prefetch(&ledger->holds.answers[slot], 1);
    }
}

/* Adds a key to the lost ones when it is; without a branch, which would often go wrong. */
static inline void note_if_lost(struct lost_keys *lost, const struct hf_turn *turn, uint32_t number,
                                uint32_t index)
{
    lost->keys[lost->count] = number * 2 + index;
    lost->count += !hf_table_is_at(key_of(turn->operation, index), turn->keys[index].guess);
}

static inline void note_lost(const struct hf_ledger *ledger, const struct hf_turn *turn,
                             uint32_t number, struct lost_keys *lost)
{
    uint8_t type = turn->type;

    if (__builtin_expect(type == HF_OP_MOVE, 1)) {
        note_if_lost(lost, turn, number, 0);
        note_if_lost(lost, turn, number, 1);
        return;
    }
    for (uint32_t i = 0; i < 2 && key_tables[type][i] != NO_TABLE; i++) {
        if (table_of(ledger, key_tables[type][i])->is_guided)
            note_if_lost(lost, turn, number, i);
    }
}

/* Finds lost keys by the control words, all of them overlapped. */
static void fetch_lost(struct hf_ledger *ledger, const struct lost_keys *lost)
{
    for (uint32_t pass = 0; pass < 2; pass++) {
        for (uint32_t i = 0; i < lost->count; i++) {
            struct hf_turn *turn = &ledger->turns[lost->keys[i] / 2];
            uint32_t index = lost->keys[i] % 2;
            const struct hf_table *table = table_of(ledger, key_tables[turn->type][index]);
            struct hf_key *key = &turn->keys[index];
            if (pass == 0)
                hf_table_prefetch_group(table, key->hash);
            else
                key->guess = hf_table_guess(table, key->hash, hf_table_home(table, key->hash));
        }
    }
}

/* Some accounts are named by another record only: by a card, by a hold. */
static void fetch_behind(const struct hf_ledger *ledger, const struct hf_turn *turn)
{
    uint8_t type = turn->type;
    const void *guess = turn->keys[0].guess;

    if (key_tables[type][0] == NO_TABLE || guess == NULL)
        return;
    if (type == HF_OP_AUTH) {
        const struct hf_instrument *instrument = guess;
        __builtin_prefetch(hf_account_at(&ledger->accounts, instrument->account), 1);
    } else if (type == HF_OP_CAPTURE || type == HF_OP_RELEASE) {
        const struct hf_hold *hold = guess;
        __builtin_prefetch(hf_account_at(&ledger->accounts, hold->payer), 1);
        __builtin_prefetch(hf_account_at(&ledger->accounts, hold->payee), 1);
    }
}

/* The passes before the apply pass. */
static void prepare(struct hf_ledger *ledger, const union hf_operation *const operations[],
                    uint32_t count)
{
    struct hf_turn *turns = ledger->turns;
    struct lost_keys lost;
    bool are_moves = true;

    for (uint32_t i = 0; i < count; i++) {
        look_up(ledger, operations[i], &turns[i]);
        are_moves &= operations[i]->header.type == HF_OP_MOVE;
    }
    for (uint32_t i = 0; i < count; i++)
        ask(&turns[i]);
    for (uint32_t i = 0; i < count; i++)
        fetch(ledger, &turns[i]);
    lost.count = 0;
    for (uint32_t i = 0; i < count; i++)
        note_lost(ledger, &turns[i], i, &lost);
    fetch_lost(ledger, &lost);
    for (uint32_t i = 0; i < count && !are_moves; i++)
        fetch_behind(ledger, &turns[i]);
}

/* ---- apply ---- */

/* Between which id times an unknown id may be new. The floor rises further when the table of
 * remembered ids forgets one. */
struct horizon {
    uint64_t floor_ms;
    uint64_t ceiling_ms;
};

static struct horizon horizon_at(const struct hf_ledger_limits *limits, uint64_t timestamp_ns)
{
    uint64_t now_ms = timestamp_ns / NS_PER_MS;
    uint64_t remember_ms = limits->remember_ns / NS_PER_MS;

    return (struct horizon){
        .floor_ms = now_ms > remember_ms ? now_ms - remember_ms : 0,
        .ceiling_ms = now_ms + limits->id_ahead_ns / NS_PER_MS,
    };
}

static uint64_t floor_of(const struct hf_ledger *ledger, const struct horizon *horizon)
{
    return horizon->floor_ms > ledger->seen.floor_ms ? horizon->floor_ms : ledger->seen.floor_ms;
}

static inline void apply_move(struct hf_ledger *ledger, const struct hf_turn *turn,
                              struct hf_answer *answer)
{
    const struct hf_op_move *move = &turn->operation->move;
    struct hf_account *payer;
    struct hf_account *payee;

    if (!hf_turn_find_parties(ledger, turn, move->payer, move->payee, &payer, &payee, answer))
        return;
    if (!hf_account_admit(payer, payee, move->asset, answer))
        return;
    hf_execute_move(payer, payee, move->amount, hf_turn_is_dry(turn), answer);
}

/* The operation itself: step 6 of OPERATIONS.md. */
static __attribute__((noinline)) void
carry_out(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    switch (turn->type) {
    case HF_OP_AUTH:
        hf_authorise(ledger, turn, answer);
        return;
    case HF_OP_HOLD:
        hf_hold_open(ledger, turn, answer);
        return;
    case HF_OP_CAPTURE:
        hf_hold_capture(ledger, turn, answer);
        return;
    case HF_OP_RELEASE:
        hf_hold_release(ledger, turn, answer);
        return;
    case HF_OP_ACCOUNT_PUT:
        hf_account_put(ledger, turn, answer);
        return;
    case HF_OP_INSTRUMENT_PUT:
        hf_instrument_put(ledger, turn, answer);
        return;
    case HF_OP_ASSET_PUT:
        hf_asset_put(ledger, turn, answer);
        return;
    default:
        assert(false && "every operation has passed hf_operation_check");
    }
}

/* An answer of which nothing is decided yet. */
static inline void begin_answer(struct hf_answer *answer, const struct hf_ledger *ledger,
                                const struct hf_turn *turn, uint64_t place)
{
    *answer = (struct hf_answer){
        .id = turn->operation->header.id,
        .fingerprint = turn->fingerprint,
        .type = turn->type,
        .place = place,
        .timestamp_ns = ledger->bundle_ns,
    };
}

/* The answer that an operation of this id got before, or NULL: step 2 of OPERATIONS.md. A hold
 * outlives the memory of its maker, but only below the floor. */
static const struct hf_answer *find_first_answer(const struct hf_ledger *ledger,
                                                 const struct hf_turn *turn)
{
    struct hf_id id = turn->operation->header.id;
    const struct hf_answer *first = hf_seen_find(&ledger->seen, turn->id_home, id, turn->id_hash);

    if (first == NULL && hf_id_time_ms(id) < ledger->seen.floor_ms)
        first = hf_hold_answer(&ledger->holds, id, turn->id_hash);
    return first;
}

/* Is this id surely new, and its time within the horizon? Then it may take a place. What this
 * cannot tell at a glance, answer_outside looks into. */
static inline bool is_new(const struct hf_ledger *ledger, const struct hf_turn *turn,
                          const struct horizon *horizon)
{
    uint64_t time_ms = hf_id_time_ms(turn->operation->header.id);

    return hf_seen_is_absent(&ledger->seen, turn->id_home, turn->id_hash) &&
           time_ms >= horizon->floor_ms && time_ms >= ledger->seen.floor_ms &&
           time_ms <= horizon->ceiling_ms;
}

/* Answers what never enters the order: steps 2 and 3. False when it is to enter. */
static __attribute__((noinline)) bool answer_outside(const struct hf_ledger *ledger,
                                                     const struct hf_turn *turn,
                                                     const struct horizon *horizon,
                                                     struct hf_reply *reply)
{
    const struct hf_op_header *header = &turn->operation->header;
    const struct hf_answer *first = find_first_answer(ledger, turn);
    uint64_t time_ms = hf_id_time_ms(header->id);
    bool with_balances = (turn->flags & HF_OP_RETURN_BALANCES) != 0;
    struct hf_answer answer;

    if (first != NULL && first->type == header->type && first->fingerprint == turn->fingerprint) {
        hf_answer_write_reply(first, with_balances, reply);
        return true;
    }
    begin_answer(&answer, ledger, turn, 0);
    if (first != NULL)
        hf_answer_refuse(&answer, HF_CODE_DUPLICATE_DIFFERENT, HF_RULE_ID);
    else if (time_ms < floor_of(ledger, horizon))
        hf_answer_refuse(&answer, HF_CODE_ID_TOO_OLD, HF_RULE_ID);
    else if (time_ms > horizon->ceiling_ms)
        hf_answer_refuse(&answer, HF_CODE_ID_TOO_NEW, HF_RULE_ID);
    else
        return false;
    hf_answer_write_reply(&answer, with_balances, reply);
    return true;
}

/* Takes one operation through steps 2 to 6. True when it took a place. */
static inline bool apply_one(struct hf_ledger *ledger, const struct hf_turn *turn,
                             const struct horizon *horizon, struct hf_reply *reply)
{
    const struct hf_op_header *header = &turn->operation->header;
    struct hf_seen *seen = &ledger->seen;
    struct hf_answer unplaced;
    struct hf_answer *answer = &unplaced;
    uint64_t place = 0;

    if (__builtin_expect(!is_new(ledger, turn, horizon), 0)) {
        if (answer_outside(ledger, turn, horizon, reply))
            return false;
    }
    if (__builtin_expect(!hf_turn_is_dry(turn), 1)) {
        place = seen->next_place;
        answer = hf_seen_add(seen, turn->id_home, turn->id_hash);
    }
    begin_answer(answer, ledger, turn, place);
    if (__builtin_expect(header->deadline_ns != 0 && header->deadline_ns < ledger->bundle_ns, 0))
        hf_answer_refuse(answer, HF_CODE_DEADLINE_PASSED, HF_RULE_DEADLINE);
    else if (__builtin_expect(turn->type == HF_OP_MOVE, 1))
        apply_move(ledger, turn, answer);
    else
        carry_out(ledger, turn, answer);
    hf_answer_write_reply(answer, (turn->flags & HF_OP_RETURN_BALANCES) != 0, reply);
    return !hf_turn_is_dry(turn);
}

uint64_t hf_ledger_apply(struct hf_ledger *ledger, uint64_t timestamp_ns,
                         const union hf_operation *const operations[], uint32_t count,
                         struct hf_reply replies[])
{
    const struct horizon horizon = horizon_at(&ledger->limits, timestamp_ns);
    uint64_t placed = 0;

    assert(ledger->magic == HF_LEDGER_MAGIC);
    assert(count <= HF_BUNDLE_OPERATIONS_MAX);
    assert(timestamp_ns >= ledger->timestamp_ns);
    ledger->bundle_ns = timestamp_ns;
    prepare(ledger, operations, count);
    for (uint32_t i = 0; i < count; i++)
        placed |= (uint64_t)apply_one(ledger, &ledger->turns[i], &horizon, &replies[i]) << i;
    if (placed != 0)
        ledger->timestamp_ns = timestamp_ns;
    return placed;
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
    struct horizon horizon = horizon_at(&ledger->limits, ledger->timestamp_ns);

    assert(ledger->magic == HF_LEDGER_MAGIC);
    *counts = (struct hf_ledger_counts){
        .accounts = ledger->accounts.count,
        .instruments = ledger->instruments.count,
        .holds_open = ledger->holds.open_count,
        .holds_resolved = ledger->holds.resolved_count,
        .remembered = ledger->seen.count,
        .assets = ledger->assets.count,
        .floor_ms = floor_of(ledger, &horizon),
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
        sums[asset - ledger->assets.list] += account->posted;
    }
    for (uint32_t i = 0; i < ledger->assets.count; i++) {
        if (sums[i] != 0)
            return false;
    }
    return true;
}
