/* What a ledger consists of: shared by the rooms' own files, and by nobody outside. */
#ifndef HF_ENGINE_STATE_H
#define HF_ENGINE_STATE_H

#include "account.h"
#include "asset.h"
#include "draw.h"
#include "expire.h"
#include "hold.h"
#include "instrument.h"
#include "ledger.h"
#include "plan.h"
#include "seen.h"
#include "terms.h"
#include "undo.h"

#define HF_LEDGER_MAGIC UINT64_C(0x72656764656c6668) /* "hfledger" */

/* A record named by an operation: its hash, and where it probably lies. */
struct hf_key {
    uint64_t hash;
    void *guess; /* its line, probably; of a hold perhaps NULL. Before the fetch pass: what is to be
                    fetched */
};

/* One operation's turn: what the passes before the apply pass found out about it. */
struct hf_turn {
    const union hf_operation *operation;
    uint64_t id_hash;
    struct hf_seen_bucket *id_home;
    struct hf_key keys[2]; /* of the first and second id in the body */
    uint32_t fingerprint;  /* of its content: all but id, deadline, flags and origin */
    uint32_t origin;       /* who sent it; inside a chain, who sent the chain. Not of a MOVE */
    uint32_t hold_slot;    /* of one that makes a hold: the slot it will get, probably */
    uint8_t type;          /* of the operation, and its flags: at hand */
    uint8_t flags;
};

struct hf_ledger {
    uint64_t magic;
    struct hf_ledger_limits limits;
    struct hf_assets assets;
    struct hf_table accounts;
    struct hf_table instruments;
    struct hf_instrument_list instrument_list;
    struct hf_holds holds;
    struct hf_seen seen;
    uint64_t timestamp_ns; /* of the newest operation */
    uint64_t bundle_ns;    /* timestamp of the bundle in hand */
    struct hf_terms_list terms;
    struct hf_limit_list limit_list;
    struct hf_limit_clock limit_clocks[HF_LIMIT_WINDOWS]; /* no part of the state */
    struct hf_undo undo;
    struct hf_wheels *wheels; /* those below. No part of the state: asking what is due turns them */
    struct hf_wheels wheels_inside;
    uint8_t chain_number;     /* of the operation in hand in its chain, from 1; 0: by itself */
    struct hf_events *events; /* of whoever looks on, or NULL. Borrowed */
    size_t memory_size;
    size_t account_memory_size;
    struct hf_turn turns[HF_BUNDLE_OPERATIONS_MAX]; /* of the bundle in hand */
    struct hf_plan plan;                            /* of the operation in hand */
    struct hf_takes takes;                          /* likewise, of a MOVE_PLAN or HOLD_PLAN */
    struct hf_bearing bearing;                      /* likewise, of an authorisation */
    uint64_t dry_place; /* which the operation in hand would get if it were not dry */
};

/* Answer as if carried out, change nothing? */
static inline bool hf_turn_is_dry(const struct hf_turn *turn)
{
    return (turn->flags & HF_OP_DRY_RUN) != 0;
}

/* Does nobody look on, and need nothing be undone? Then the short paths may be taken. */
static inline bool hf_ledger_is_alone(const struct hf_ledger *ledger)
{
    return ledger->events == NULL && !ledger->undo.is_open;
}

/* Has its sender given up by then? What is forbidden is marked by a deadline of long ago. */
static inline bool hf_turn_is_late(const struct hf_turn *turn, uint64_t timestamp_ns)
{
    uint64_t deadline_ns = turn->operation->header.deadline_ns;

    return deadline_ns != 0 && deadline_ns < timestamp_ns;
}

static inline void hf_turn_refuse_late(const struct hf_turn *turn, struct hf_answer *answer)
{
    if ((turn->flags & HF_OP_FORBIDDEN) != 0)
        hf_answer_refuse(answer, HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN);
    else
        hf_answer_refuse(answer, HF_CODE_DEADLINE_PASSED, HF_RULE_DEADLINE);
}

/* Adds to the list of whoever looks on. Asserts that there is room. */
void hf_event_append(struct hf_events *events, const struct hf_event *event);

/* Tells of a refusal, if the answer is one. What was done has been told by whoever did it. */
void hf_event_add_refusal(struct hf_events *events, const struct hf_answer *answer);

/* Tells what an operation did; `answer` is its own. Call it only where something really happens:
 * not for a dry run, and after whatever may still refuse. */
static inline void hf_event_add(struct hf_ledger *ledger, const struct hf_answer *answer,
                                enum hf_event_kind kind, struct hf_id subject, int64_t amount,
                                uint16_t asset, uint8_t entry)
{
    if (__builtin_expect(ledger->events == NULL, 1))
        return;
    const struct hf_event event = {
        .place = answer->place,
        .subject = subject,
        .amount = amount,
        .asset = asset,
        .kind = (uint8_t)kind,
        .entry = entry,
        .type = answer->type,
    };
    hf_event_append(ledger->events, &event);
}

/* Tells that something stands although this would have refused it. */
static inline void hf_event_add_exception(struct hf_ledger *ledger, const struct hf_answer *answer,
                                          struct hf_id subject, uint16_t asset,
                                          const struct hf_verdict *verdict)
{
    if (__builtin_expect(ledger->events == NULL, 1) || verdict->code == HF_CODE_OK)
        return;
    const struct hf_event event = {
        .place = answer->place,
        .subject = subject,
        .amount = (int64_t)answer->approved,
        .code = verdict->code,
        .asset = asset,
        .kind = HF_EVENT_EXCEPTION,
        .rule = verdict->rule,
        .entry = verdict->entry,
        .type = answer->type,
    };
    hf_event_append(ledger->events, &event);
}

/* Finds out what the apply pass wants to know about each operation of a bundle, into ledger->turns,
 * and fetches it. Changes nothing. */
void hf_turns_prepare(struct hf_ledger *ledger, const union hf_operation *const operations[],
                      uint32_t count);

/* Finds out what the apply pass wants to know about an operation, and fetches nothing: for those
 * inside a chain. Flags and origin are the chain's business. */
void hf_turn_look_up(const struct hf_ledger *ledger, const union hf_operation *operation,
                     struct hf_turn *turn);

/* The operation itself: step 6 of OPERATIONS.md. */
void hf_turn_carry_out(struct hf_ledger *ledger, const struct hf_turn *turn,
                       struct hf_answer *answer);

/* Steps 4 to 6 of an operation that has its place (or is dry) and an answer that has just begun;
 * fills its reply. */
void hf_turn_answer(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer,
                    struct hf_reply *reply);

/* Answers an operation whose id is below the floor of the remembered ones and is not among them:
 * its hold may still know it. */
void hf_turn_answer_old(const struct hf_ledger *ledger, const struct hf_turn *turn,
                        struct hf_reply *reply);

/* For MOVEs, what hf_turns_prepare does for a bundle, and no more than their accounts, in two
 * steps: hashes the ids of those at turns[0] to turns[count - 1] and asks for their lines; then,
 * when these had time to come, finds them. */
void hf_turns_look_up_moves(const struct hf_ledger *ledger, struct hf_turn *const turns[],
                            uint32_t count);
void hf_turns_prepare_moves(const struct hf_ledger *ledger, struct hf_turn *const turns[],
                            uint32_t count);

/* The fingerprint of an operation's content. */
uint32_t hf_turn_fingerprint(const union hf_operation *operation);

/* The line of any account by its id, or NULL. */
struct hf_account *hf_ledger_find_account(const struct hf_ledger *ledger, struct hf_id id);

/* Looks for an account that is not where it was guessed to be: the first (index 0) or second id of
 * the operation's body. Its line, or NULL. */
struct hf_account *hf_turn_search_account(const struct hf_ledger *ledger,
                                          const struct hf_turn *turn, uint32_t index);

/* The line of the account that is the first or second id of the operation's body, or NULL. */
static inline struct hf_account *hf_turn_find_account(const struct hf_ledger *ledger,
                                                      const struct hf_turn *turn, uint32_t index,
                                                      struct hf_id id)
{
    struct hf_account *guess = turn->keys[index].guess;

    if (__builtin_expect(hf_id_equal(guess->id, id), 1))
        return guess;
    return hf_turn_search_account(ledger, turn, index);
}

/* The hold that is the first id of the operation's body, or NULL. */
static inline struct hf_hold *hf_turn_find_hold(const struct hf_ledger *ledger,
                                                const struct hf_turn *turn, struct hf_id id)
{
    const struct hf_key *key = &turn->keys[0];

    assert(!hf_id_is_reserved(id)); /* a free line's id is zero */
    struct hf_hold *hold = (struct hf_hold *)(uintptr_t)hf_index_find_at(&ledger->holds.index, id,
                                                                         key->hash, key->guess);
    if (hold == NULL || !hf_hold_is_known(&ledger->holds, hold, ledger->bundle_ns))
        return NULL;
    return hold;
}

/* The two accounts of a MOVE or HOLD. A refusal goes into the answer. */
static inline bool hf_turn_find_parties(const struct hf_ledger *ledger, const struct hf_turn *turn,
                                        struct hf_id payer_id, struct hf_id payee_id,
                                        struct hf_account **payer, struct hf_account **payee,
                                        struct hf_answer *answer)
{
    if (__builtin_expect(hf_id_equal(payer_id, payee_id), 0)) {
        hf_answer_refuse(answer, HF_CODE_SAME_ACCOUNT, HF_RULE_PAYER);
        return false;
    }
    *payer = hf_turn_find_account(ledger, turn, 0, payer_id);
    if (__builtin_expect(*payer == NULL, 0)) {
        hf_answer_refuse(answer, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYER);
        return false;
    }
    *payee = hf_turn_find_account(ledger, turn, 1, payee_id);
    if (__builtin_expect(*payee == NULL, 0)) {
        hf_account_refuse(*payer, HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE, answer);
        return false;
    }
    return true;
}

#endif
