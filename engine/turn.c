/* The way of a bundle to the apply pass.
 *
 * The cost of an operation is its cache misses: two accounts, the index of ids. A bundle goes
 * through passes, so that the misses of all its operations overlap:
 *
 *   look up   hash the ids
 *   ask       fetch the home lines of the accounts and the bucket of the index
 *   fetch     name the likely lines, fetch them
 *   lost      the few keys that lie elsewhere: fetch control words, then the lines they name
 *
 * What needs no line (the fingerprints) is done where lines would be waited for.
 *
 * What they find are hints: the apply pass compares the key of each line it is led to, and looks
 * again where an earlier operation of the bundle made the record meanwhile. */
#include "chain.h"
#include "state.h"

#ifndef XXH_INLINE_ALL
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include <assert.h>
#include <string.h>

enum table_kind { NO_TABLE, ACCOUNTS, INSTRUMENTS, HOLDS };

/* Which tables the first and second id of each type's body belong to. */
static const uint8_t key_tables[HF_OP_TYPE_MAX + 1][2] = {
    [HF_OP_ACCOUNT_PUT] = {ACCOUNTS, NO_TABLE}, [HF_OP_MOVE] = {ACCOUNTS, ACCOUNTS},
    [HF_OP_HOLD] = {ACCOUNTS, ACCOUNTS},        [HF_OP_CAPTURE] = {HOLDS, NO_TABLE},
    [HF_OP_RELEASE] = {HOLDS, NO_TABLE},        [HF_OP_INSTRUMENT_PUT] = {INSTRUMENTS, ACCOUNTS},
    [HF_OP_AUTH] = {INSTRUMENTS, ACCOUNTS},     [HF_OP_ACCOUNT_CLOSE] = {ACCOUNTS, NO_TABLE},
    [HF_OP_ADJUST] = {HOLDS, NO_TABLE},         [HF_OP_ATTEST] = {HOLDS, NO_TABLE},
    [HF_OP_INCREMENT] = {HOLDS, NO_TABLE},      [HF_OP_REVERSE] = {HOLDS, NO_TABLE},
    [HF_OP_CLEAR] = {HOLDS, NO_TABLE},
};

/* What may be applied: the lengths of each type, 0 for the others. Of types with a list it is that
 * of what stands before it. The whole check is the caller's duty; this much of it the engine's own
 * memory stands on, and it is asserted for each operation. */
static const uint16_t lengths[HF_OP_TYPE_MAX + 1] = {
    [HF_OP_ASSET_PUT] = sizeof(struct hf_op_asset_put),
    [HF_OP_ACCOUNT_PUT] = sizeof(struct hf_op_account_put),
    [HF_OP_ACCOUNT_CLOSE] = sizeof(struct hf_op_account_close),
    [HF_OP_MOVE] = sizeof(struct hf_op_move),
    [HF_OP_MOVE_PLAN] = sizeof(struct hf_op_move_plan),
    [HF_OP_CHAIN] = sizeof(struct hf_op_chain),
    [HF_OP_HOLD] = sizeof(struct hf_op_hold),
    [HF_OP_HOLD_PLAN] = sizeof(struct hf_op_hold_plan),
    [HF_OP_ADJUST] = sizeof(struct hf_op_adjust),
    [HF_OP_CAPTURE] = sizeof(struct hf_op_capture),
    [HF_OP_RELEASE] = sizeof(struct hf_op_release),
    [HF_OP_ATTEST] = sizeof(struct hf_op_attest),
    [HF_OP_EXPIRE] = sizeof(struct hf_op_expire),
    [HF_OP_CLASS_PUT] = sizeof(struct hf_op_class_put),
    [HF_OP_INSTRUMENT_PUT] = sizeof(struct hf_op_instrument_put),
    [HF_OP_LIMIT_PUT] = sizeof(struct hf_op_limit_put),
    [HF_OP_AUTH] = sizeof(struct hf_op_auth),
    [HF_OP_INCREMENT] = sizeof(struct hf_op_increment),
    [HF_OP_REVERSE] = sizeof(struct hf_op_reverse),
    [HF_OP_CLEAR] = sizeof(struct hf_op_clear),
};
/* Of types that have a shorter form. */
static const uint16_t short_lengths[HF_OP_TYPE_MAX + 1] = {
    [HF_OP_ACCOUNT_PUT] = HF_ACCOUNT_PUT_SHORT,
    [HF_OP_CAPTURE] = HF_CAPTURE_SHORT,
};

static size_t entries_size(const struct hf_op_plan *plan)
{
    return ((size_t)plan->source_count + plan->destination_count) * sizeof(struct hf_op_entry);
}

/* The length of the operations inside a chain, as many as it says. Never looks past its end. */
static size_t chained_length(const struct hf_op_chain *chain)
{
    size_t room = chain->header.length - sizeof(*chain);
    size_t offset = 0;

    for (uint32_t i = 0; i < chain->count; i++) {
        assert(offset + sizeof(struct hf_op_header) <= room);
        offset += hf_chain_operation(chain, offset)->header.length;
        assert(offset <= room);
    }
    return offset;
}

/* Is the operation as long as its own counts say? */
static bool is_whole(const union hf_operation *operation)
{
    uint8_t type = operation->header.type;
    size_t length = operation->header.length;

    assert(type <= HF_OP_TYPE_MAX);
    assert(lengths[type] != 0);
    if (length < lengths[type])
        return length != 0 && length == short_lengths[type];
    switch (type) {
    case HF_OP_MOVE_PLAN:
        return length == lengths[type] + entries_size(&operation->move_plan.plan);
    case HF_OP_HOLD_PLAN:
        return length ==
               lengths[type] + entries_size(&operation->hold_plan.plan) +
                   operation->hold_plan.terms.condition_count * sizeof(struct hf_op_condition);
    case HF_OP_INSTRUMENT_PUT:
        return length ==
               lengths[type] + operation->instrument_put.further_count * sizeof(struct hf_id);
    case HF_OP_EXPIRE:
        return length == lengths[type] + operation->expire.count * sizeof(struct hf_op_expiry);
    case HF_OP_CHAIN:
        return length == lengths[type] + chained_length(&operation->chain);
    default:
        return length == lengths[type];
    }
}

#define FIRST_KEY_OFFSET 32
HF_STATIC_ASSERT(offsetof(struct hf_op_account_put, account) == FIRST_KEY_OFFSET, "first id");
HF_STATIC_ASSERT(offsetof(struct hf_op_move, payer) == FIRST_KEY_OFFSET, "first id");
HF_STATIC_ASSERT(offsetof(struct hf_op_move, payee) == FIRST_KEY_OFFSET + 16, "second id");
HF_STATIC_ASSERT(offsetof(struct hf_op_hold, payer) == FIRST_KEY_OFFSET, "first id");
HF_STATIC_ASSERT(offsetof(struct hf_op_hold, payee) == FIRST_KEY_OFFSET + 16, "second id");
HF_STATIC_ASSERT(offsetof(struct hf_op_account_close, account) == FIRST_KEY_OFFSET, "first id");
HF_STATIC_ASSERT(offsetof(struct hf_op_adjust, hold) == FIRST_KEY_OFFSET, "first id");
HF_STATIC_ASSERT(offsetof(struct hf_op_attest, hold) == FIRST_KEY_OFFSET, "first id");
HF_STATIC_ASSERT(offsetof(struct hf_op_capture, hold) == FIRST_KEY_OFFSET, "first id");
HF_STATIC_ASSERT(offsetof(struct hf_op_release, hold) == FIRST_KEY_OFFSET, "first id");
HF_STATIC_ASSERT(offsetof(struct hf_op_instrument_put, token) == FIRST_KEY_OFFSET, "first id");
HF_STATIC_ASSERT(offsetof(struct hf_op_instrument_put, account) == FIRST_KEY_OFFSET + 16, "second");
HF_STATIC_ASSERT(offsetof(struct hf_op_auth, token) == FIRST_KEY_OFFSET, "first id");
HF_STATIC_ASSERT(offsetof(struct hf_op_auth, payee) == FIRST_KEY_OFFSET + 16, "second id");
HF_STATIC_ASSERT(offsetof(struct hf_op_increment, original) == FIRST_KEY_OFFSET, "first id");
HF_STATIC_ASSERT(offsetof(struct hf_op_reverse, original) == FIRST_KEY_OFFSET, "first id");
HF_STATIC_ASSERT(offsetof(struct hf_op_clear, original) == FIRST_KEY_OFFSET, "first id");

/* All but HOLDS, which have an index. */
static const struct hf_table *table_of(const struct hf_ledger *ledger, uint8_t kind)
{
    if (kind == ACCOUNTS)
        return &ledger->accounts;
    assert(kind == INSTRUMENTS);
    return &ledger->instruments;
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

struct hf_account *hf_ledger_find_account(const struct hf_ledger *ledger, struct hf_id id)
{
    uint64_t hash = hf_id_hash(id);
    void *guess = hf_table_follow(id, hash, hf_table_home_line(&ledger->accounts, hash));

    return (struct hf_account *)hf_table_find_at(&ledger->accounts, id, hash, guess);
}

static inline void look_up_key(const struct hf_ledger *ledger, uint8_t kind,
                               const union hf_operation *operation, uint32_t index,
                               struct hf_key *key)
{
    key->hash = hf_id_hash(key_of(operation, index));
    if (kind == HOLDS)
        key->guess = hf_index_home(&ledger->holds.index, key->hash);
    else
        key->guess = hf_table_home_line(table_of(ledger, kind), key->hash);
}

/* The same for two accounts. */
static inline void look_up_accounts(const struct hf_ledger *ledger,
                                    const union hf_operation *operation, struct hf_turn *turn)
{
    for (uint32_t i = 0; i < 2; i++) {
        turn->keys[i].hash = hf_id_hash(key_of(operation, i));
        turn->keys[i].guess = hf_table_home_line(&ledger->accounts, turn->keys[i].hash);
    }
}

static inline bool makes_hold(uint8_t type)
{
    return type == HF_OP_HOLD || type == HF_OP_AUTH || type == HF_OP_HOLD_PLAN;
}

/* The types that name two records of tables, and have no list: those that are frequent, and take
 * the short way through the passes. */
static inline bool names_two(uint8_t type)
{
    return type == HF_OP_MOVE || type == HF_OP_HOLD || type == HF_OP_AUTH;
}

/* Fetches for an id in a list: in the first pass what its hash names, in the second the line that
 * this leads to. The hash is made twice, which is cheaper than somewhere to keep it. */
enum list_pass { FIRST_PASS, SECOND_PASS };

static void prefetch_id(const struct hf_ledger *ledger, uint8_t kind, struct hf_id id,
                        enum list_pass pass)
{
    uint64_t hash = hf_id_hash(id);

    if (kind == HOLDS) {
        struct hf_index_bucket *home = hf_index_home(&ledger->holds.index, hash);
        if (pass == FIRST_PASS)
            hf_prefetch(home);
        else
            hf_index_guess(&ledger->holds.index, hash, home);
        return;
    }
    void *home = hf_table_home_line(table_of(ledger, kind), hash);
    if (pass == FIRST_PASS)
        hf_prefetch(home);
    else
        hf_table_follow(id, hash, home);
}

static void prefetch_entries(const struct hf_ledger *ledger, const struct hf_op_plan *plan,
                             const struct hf_op_entry *entries, enum list_pass pass)
{
    for (uint32_t i = 0; i < (uint32_t)plan->source_count + plan->destination_count; i++)
        prefetch_id(ledger, ACCOUNTS, entries[i].account, pass);
}

static void prefetch_list(const struct hf_ledger *ledger, const union hf_operation *operation,
                          enum list_pass pass)
{
    if (operation->header.type == HF_OP_MOVE_PLAN)
        prefetch_entries(ledger, &operation->move_plan.plan, operation->move_plan.entries, pass);
    else if (operation->header.type == HF_OP_HOLD_PLAN)
        prefetch_entries(ledger, &operation->hold_plan.plan, operation->hold_plan.entries, pass);
    else if (operation->header.type == HF_OP_LIMIT_PUT)
        prefetch_id(ledger,
                    operation->limit_put.scope == HF_LIMIT_INSTRUMENT ? INSTRUMENTS : ACCOUNTS,
                    operation->limit_put.scope_id, pass);
}

static void prefetch_chain(const struct hf_ledger *ledger, const struct hf_op_chain *chain,
                           enum list_pass pass)
{
    size_t offset = 0;

    for (uint32_t i = 0; i < chain->count; i++) {
        const union hf_operation *operation = hf_chain_operation(chain, offset);
        const uint8_t *tables = key_tables[operation->header.type];
        for (uint32_t index = 0; index < 2 && tables[index] != NO_TABLE; index++)
            prefetch_id(ledger, tables[index], key_of(operation, index), pass);
        prefetch_list(ledger, operation, pass);
        offset += operation->header.length;
    }
}

/* This and fetch belong into the loops of prepare: the second copy, for chains, must not cost them
 * that. */
static inline __attribute__((always_inline)) void
look_up(const struct hf_ledger *ledger, const union hf_operation *operation, struct hf_turn *turn)
{
    uint8_t type = operation->header.type;

    turn->operation = operation;
    turn->type = type;
    turn->flags = operation->header.flags;
    turn->id_hash = hf_id_hash(operation->header.id);
    turn->id_home = hf_seen_home(&ledger->seen, operation->header.id, turn->id_hash);
    if (__builtin_expect(type == HF_OP_MOVE, 1)) {
        look_up_accounts(ledger, operation, turn);
        return;
    }
    turn->origin = operation->header.origin;
    if (type == HF_OP_HOLD) {
        look_up_accounts(ledger, operation, turn);
        return;
    }
    if (type == HF_OP_AUTH) {
        look_up_key(ledger, INSTRUMENTS, operation, 0, &turn->keys[0]);
        look_up_key(ledger, ACCOUNTS, operation, 1, &turn->keys[1]);
        return;
    }
    assert(is_whole(operation));
    for (uint32_t i = 0; i < 2; i++) {
        turn->keys[i].guess = NULL;
        if (key_tables[type][i] != NO_TABLE)
            look_up_key(ledger, key_tables[type][i], operation, i, &turn->keys[i]);
    }
}

/* The low 32 bits of XXH3-64 over the operation's body. Id, deadline, flags and origin are not
 * content; the type is compared beside it. */
static __attribute__((noinline)) uint32_t fingerprint_of(const union hf_operation *operation)
{
    const size_t header_size = sizeof(struct hf_op_header);
    const uint8_t *body = operation->bytes + header_size;

    return (uint32_t)XXH3_64bits(body, operation->header.length - header_size);
}

/* The same, with the length known to the compiler (and asserted): then xxHash comes down to a few
 * multiplications. */
static inline __attribute__((always_inline)) uint32_t
fingerprint_of_length(const union hf_operation *operation, size_t length)
{
    const size_t header_size = sizeof(struct hf_op_header);
    const uint8_t *body = operation->bytes + header_size;

    assert(operation->header.length == length);
    return (uint32_t)XXH3_64bits(body, length - header_size);
}

static inline __attribute__((always_inline)) void take_fingerprint(struct hf_turn *turn)
{
    const union hf_operation *operation = turn->operation;

    if (__builtin_expect(turn->type == HF_OP_MOVE, 1))
        turn->fingerprint = fingerprint_of_length(operation, sizeof(operation->move));
    else if (turn->type == HF_OP_HOLD)
        turn->fingerprint = fingerprint_of_length(operation, sizeof(operation->hold));
    else if (turn->type == HF_OP_AUTH)
        turn->fingerprint = fingerprint_of_length(operation, sizeof(operation->auth));
    else if (turn->type == HF_OP_CAPTURE && operation->header.length == HF_CAPTURE_SHORT)
        turn->fingerprint = fingerprint_of_length(operation, HF_CAPTURE_SHORT);
    else
        turn->fingerprint = fingerprint_of(operation);
}

/* Asks for the lines that the hashes name. This is a pass of its own, with nothing else between: a
 * prefetch is not done before its address is translated, and only next to each other do the
 * translations of many overlap. Amid the hashing it took more than twice the time. */
static inline void ask(const struct hf_turn *turn)
{
    hf_prefetch(turn->keys[0].guess);
    hf_prefetch(turn->keys[1].guess);
    hf_prefetch(turn->id_home);
}

/* Where a new hold will lie, before which `number` others come in the bundle: its line, its answer
 * and what a hold that is not plain, or is an authorisation's, has besides. All lie in the order of
 * slots, as do those of the holds that will be forgotten for them. */
static inline void ask_slot(const struct hf_holds *holds, struct hf_turn *turn, uint32_t number)
{
    uint32_t slot = hf_hold_slot_to_come(holds, number);

    turn->hold_slot = slot;
    if (slot == HF_TABLE_NONE)
        return;
    hf_prefetch(hf_hold_at(holds, slot));
    hf_prefetch(&holds->answers[slot]);
    if (turn->type != HF_OP_HOLD)
        hf_prefetch(&holds->more[slot]);
    if (turn->type == HF_OP_AUTH)
        hf_prefetch(&holds->records[slot]);
}

/* And in the index the hold that will be forgotten. */
static inline __attribute__((always_inline)) void fetch_forgotten(const struct hf_holds *holds,
                                                                  const struct hf_turn *turn)
{
    if (turn->hold_slot == HF_TABLE_NONE)
        return;
    struct hf_id id = hf_hold_at(holds, turn->hold_slot)->id;
    if (!hf_id_is_zero(id))
        hf_prefetch(hf_index_home(&holds->index, hf_id_hash(id)));
}

/* What others than a MOVE need besides. `hold_count` is how many of those before it in the bundle
 * make a hold. */
static void ask_more(const struct hf_ledger *ledger, struct hf_turn *turn, uint32_t *hold_count)
{
    if (makes_hold(turn->type)) {
        hf_prefetch(hf_index_home(&ledger->holds.index, turn->id_hash));
        ask_slot(&ledger->holds, turn, (*hold_count)++);
    }
    if (names_two(turn->type))
        return;
    prefetch_list(ledger, turn->operation, FIRST_PASS);
    if (turn->type == HF_OP_CHAIN)
        prefetch_chain(ledger, &turn->operation->chain, FIRST_PASS);
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

static inline void guess_hold(const struct hf_holds *holds, struct hf_key *key)
{
    key->guess = (void *)(uintptr_t)hf_index_guess(&holds->index, key->hash, key->guess);
}

static inline __attribute__((always_inline)) void fetch(const struct hf_ledger *ledger,
                                                        struct hf_turn *turn)
{
    uint8_t type = turn->type;

    if (__builtin_expect(names_two(type), 1)) {
        follow_key(turn, 0);
        follow_key(turn, 1);
        if (type != HF_OP_MOVE)
            fetch_forgotten(&ledger->holds, turn);
        return;
    }
    for (uint32_t i = 0; i < 2 && key_tables[type][i] != NO_TABLE; i++) {
        if (key_tables[type][i] == HOLDS)
            guess_hold(&ledger->holds, &turn->keys[i]);
        else
            follow_key(turn, i);
    }
    if (makes_hold(type))
        fetch_forgotten(&ledger->holds, turn);
    prefetch_list(ledger, turn->operation, SECOND_PASS);
    if (type == HF_OP_CHAIN)
        prefetch_chain(ledger, &turn->operation->chain, SECOND_PASS);
}

void hf_turn_look_up(const struct hf_ledger *ledger, const union hf_operation *operation,
                     struct hf_turn *turn)
{
    look_up(ledger, operation, turn);
    take_fingerprint(turn);
    turn->hold_slot = HF_TABLE_NONE;
    fetch(ledger, turn);
}

/* Adds a key to the lost ones when it is; without a branch, which would often go wrong. */
static inline void note_if_lost(struct lost_keys *lost, const struct hf_turn *turn, uint32_t number,
                                uint32_t index)
{
    lost->keys[lost->count] = number * 2 + index;
    lost->count += !hf_table_is_at(key_of(turn->operation, index), turn->keys[index].guess);
}

static inline void note_lost(const struct hf_turn *turn, uint32_t number, struct lost_keys *lost)
{
    uint8_t type = turn->type;

    if (__builtin_expect(names_two(type), 1)) {
        note_if_lost(lost, turn, number, 0);
        note_if_lost(lost, turn, number, 1);
        return;
    }
    for (uint32_t i = 0; i < 2 && key_tables[type][i] != NO_TABLE; i++) {
        if (key_tables[type][i] != HOLDS)
            note_if_lost(lost, turn, number, i);
    }
}

/* Lost keys are found by the control words, all of them overlapped. */
static void ask_lost(const struct hf_ledger *ledger, const struct lost_keys *lost)
{
    for (uint32_t i = 0; i < lost->count; i++) {
        const struct hf_turn *turn = &ledger->turns[lost->keys[i] / 2];
        uint32_t index = lost->keys[i] % 2;
        hf_table_prefetch_group(table_of(ledger, key_tables[turn->type][index]),
                                turn->keys[index].hash);
    }
}

static void fetch_lost(struct hf_ledger *ledger, const struct lost_keys *lost)
{
    for (uint32_t i = 0; i < lost->count; i++) {
        struct hf_turn *turn = &ledger->turns[lost->keys[i] / 2];
        uint32_t index = lost->keys[i] % 2;
        const struct hf_table *table = table_of(ledger, key_tables[turn->type][index]);
        struct hf_key *key = &turn->keys[index];
        void *guess = hf_table_guess(table, key->hash, hf_table_home(table, key->hash));
        if (guess != NULL)
            key->guess = guess;
    }
}

/* Some records are named by another one only: by a card, by a hold. */
static void fetch_behind(const struct hf_ledger *ledger, const struct hf_turn *turn)
{
    uint8_t type = turn->type;
    const void *guess = turn->keys[0].guess;

    if (key_tables[type][0] == NO_TABLE || guess == NULL)
        return;
    if (type == HF_OP_AUTH) {
        const struct hf_instrument *instrument = guess;
        hf_prefetch(hf_account_at(&ledger->accounts, instrument->account));
        for (uint32_t i = 0; i < instrument->limit_count; i++)
            hf_prefetch(hf_limit_in(&ledger->limit_list, hf_limit_run_of(instrument), i));
    } else if (key_tables[type][0] == HOLDS) {
        const struct hf_hold *hold = guess;
        if (hold->has_record)
            hf_prefetch(&ledger->holds.records[hf_hold_slot(&ledger->holds, hold)]);
        if (hold->payer != HF_TABLE_NONE)
            hf_prefetch(hf_account_at(&ledger->accounts, hold->payer));
        if (hold->payee != HF_TABLE_NONE)
            hf_prefetch(hf_account_at(&ledger->accounts, hold->payee));
    }
}

/* The passes after the second for MOVEs alone, with no look at what else there might be. */
static void fetch_moves(struct hf_ledger *ledger, uint32_t count)
{
    struct hf_turn *turns = ledger->turns;
    struct lost_keys lost;

    for (uint32_t i = 0; i < count; i++) {
        follow_key(&turns[i], 0);
        follow_key(&turns[i], 1);
    }
    lost.count = 0;
    for (uint32_t i = 0; i < count; i++) {
        note_if_lost(&lost, &turns[i], i, 0);
        note_if_lost(&lost, &turns[i], i, 1);
    }
    ask_lost(ledger, &lost);
    for (uint32_t i = 0; i < count; i++)
        turns[i].fingerprint =
            fingerprint_of_length(turns[i].operation, sizeof(turns[i].operation->move));
    fetch_lost(ledger, &lost);
}

void hf_turns_prepare(struct hf_ledger *ledger, const union hf_operation *const operations[],
                      uint32_t count)
{
    struct hf_turn *turns = ledger->turns;
    struct lost_keys lost;
    bool are_moves = true;
    uint32_t hold_count = 0;

    for (uint32_t i = 0; i < count; i++) {
        look_up(ledger, operations[i], &turns[i]);
        are_moves &= turns[i].type == HF_OP_MOVE;
    }
#pragma GCC unroll 4
    for (uint32_t i = 0; i < count; i++)
        ask(&turns[i]);
    if (are_moves) {
        fetch_moves(ledger, count);
        return;
    }
    for (uint32_t i = 0; i < count; i++)
        ask_more(ledger, &turns[i], &hold_count);
    for (uint32_t i = 0; i < count; i++)
        fetch(ledger, &turns[i]);
    lost.count = 0;
    for (uint32_t i = 0; i < count; i++)
        note_lost(&turns[i], i, &lost);
    ask_lost(ledger, &lost);
    for (uint32_t i = 0; i < count; i++)
        take_fingerprint(&turns[i]);
    fetch_lost(ledger, &lost);
    for (uint32_t i = 0; i < count; i++)
        fetch_behind(ledger, &turns[i]);
}

uint32_t hf_turn_fingerprint(const union hf_operation *operation)
{
    struct hf_turn turn = {.operation = operation, .type = operation->header.type};

    assert(is_whole(operation));
    take_fingerprint(&turn);
    return turn.fingerprint;
}

void hf_turns_look_up_moves(const struct hf_ledger *ledger, struct hf_turn *const turns[],
                            uint32_t count)
{
    assert(count <= HF_BUNDLE_OPERATIONS_MAX);
    for (uint32_t i = 0; i < count; i++)
        look_up_accounts(ledger, turns[i]->operation, turns[i]);
    for (uint32_t i = 0; i < count; i++) {
        hf_prefetch(turns[i]->keys[0].guess);
        hf_prefetch(turns[i]->keys[1].guess);
    }
}

void hf_turns_prepare_moves(const struct hf_ledger *ledger, struct hf_turn *const turns[],
                            uint32_t count)
{
    struct hf_key *lost[HF_BUNDLE_OPERATIONS_MAX * 2];
    uint32_t lost_count = 0;

    assert(count <= HF_BUNDLE_OPERATIONS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        follow_key(turns[i], 0);
        follow_key(turns[i], 1);
    }
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t index = 0; index < 2; index++) {
            struct hf_key *key = &turns[i]->keys[index];
            if (hf_table_is_at(key_of(turns[i]->operation, index), key->guess))
                continue;
            hf_table_prefetch_group(&ledger->accounts, key->hash);
            lost[lost_count++] = key;
        }
    }
    for (uint32_t i = 0; i < lost_count; i++) {
        const struct hf_table *accounts = &ledger->accounts;
        uint64_t hash = lost[i]->hash;
        void *guess = hf_table_guess(accounts, hash, hf_table_home(accounts, hash));
        if (guess != NULL)
            lost[i]->guess = guess;
    }
}
