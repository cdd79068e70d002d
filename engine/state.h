/* What a ledger consists of: shared by the rooms' own files, and by nobody outside. */
#ifndef HF_ENGINE_STATE_H
#define HF_ENGINE_STATE_H

#include "account.h"
#include "asset.h"
#include "hold.h"
#include "instrument.h"
#include "ledger.h"
#include "seen.h"

#define HF_LEDGER_MAGIC UINT64_C(0x72656764656c6668) /* "hfledger" */

/* A record named by an operation: its hash, and where it probably lies. */
struct hf_key {
    uint64_t hash;
    void *guess;   /* its line, probably; or NULL */
    uint32_t home; /* the group it belongs to */
};

/* What the passes before the apply pass found out about one operation. */
struct hf_step {
    uint64_t id_hash;
    struct hf_seen_bucket *id_home;
    uint32_t hold_home;    /* of the hold it will make */
    struct hf_key keys[2]; /* of the first and second id in the body */
};

/* One operation's turn. */
struct hf_turn {
    const union hf_operation *operation;
    const struct hf_step *step;
    uint64_t timestamp_ns;
    uint32_t fingerprint; /* of the operation's content */
    bool is_dry;          /* answer as if carried out, change nothing */
};

struct hf_ledger {
    uint64_t magic;
    struct hf_ledger_limits limits;
    struct hf_assets assets;
    struct hf_table accounts;
    struct hf_table instruments;
    struct hf_holds holds;
    struct hf_seen seen;
    uint64_t timestamp_ns; /* of the newest operation */
    size_t memory_size;
    size_t account_memory_size;
    struct hf_step steps[HF_BUNDLE_OPERATIONS_MAX]; /* of the bundle in hand */
};

/* The line of the account an operation names, or NULL. */
static inline struct hf_account *hf_turn_find_account(const struct hf_ledger *ledger,
                                                      const struct hf_turn *turn, uint32_t index,
                                                      struct hf_id id)
{
    const struct hf_key *key = &turn->step->keys[index];

    return hf_table_find_at(&ledger->accounts, id, key->hash, key->guess);
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
