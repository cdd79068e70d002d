/* Accounts: one line each, the rules of opening and changing them, and who may take part in a
 * movement of value. Balances change in execute.c only. */
#ifndef HF_ENGINE_ACCOUNT_H
#define HF_ENGINE_ACCOUNT_H

#include "answer.h"
#include "table.h"

#include <string.h>

struct hf_ledger;
struct hf_turn;

/* Of every account, posted - held_out and posted + held_in fit a signed 64-bit number, and held_out
 * is at most the largest one: execute.c keeps it so. */
struct hf_account {
    struct hf_id id;
    int64_t posted;
    uint64_t held_out; /* promised by this account in open holds */
    uint64_t held_in;  /* promised to it */
    uint64_t lifetime_debits;
    int64_t floor; /* HF_FLOOR_NONE: none, and as the smallest number it needs no case of its own */
    uint16_t asset;
    uint8_t status;                  /* enum hf_account_status */
    uint8_t flags;                   /* HF_ACCOUNT_HAS_TERMS, HF_ACCOUNT_IS_TOTAL */
    uint8_t guides[HF_TABLE_GUIDES]; /* the table's */
};
#define HF_ACCOUNT_HAS_TERMS 0x01
#define HF_ACCOUNT_IS_TOTAL  0x02 /* never without the other */
HF_STATIC_ASSERT(sizeof(struct hf_account) == HF_TABLE_LINE_SIZE, "an account is one line");
HF_STATIC_ASSERT(offsetof(struct hf_account, asset) + 4 == offsetof(struct hf_account, guides),
                 "standing");
HF_STATIC_ASSERT(HF_ACCOUNT_OPEN == 0, "standing");

static inline struct hf_account *hf_account_at(const struct hf_table *accounts, uint32_t slot)
{
    return (struct hf_account *)hf_table_line(accounts, slot);
}

/* What the account could pay if it had no floor. */
static inline int64_t hf_account_spendable(const struct hf_account *account)
{
    return (int64_t)((uint64_t)account->posted - account->held_out);
}

/* What it will have when all that is promised to it has come. */
static inline int64_t hf_account_incoming(const struct hf_account *account)
{
    return (int64_t)((uint64_t)account->posted + account->held_in);
}

/* spendable - floor, cut to the 64-bit range; the largest number without a floor. */
static inline int64_t hf_account_available(int64_t spendable, int64_t floor)
{
    int64_t available;

    if (floor == HF_FLOOR_NONE)
        return INT64_MAX;
    if (__builtin_sub_overflow(spendable, floor, &available))
        return spendable < 0 ? INT64_MIN : INT64_MAX;
    return available;
}

/* The account's balances as they are now, into an answer. */
static inline void hf_account_show(const struct hf_account *account, struct hf_answer *answer)
{
    answer->posted = account->posted;
    answer->available = hf_account_available(hf_account_spendable(account), account->floor);
}

/* Asset, status and flags in one number: that of the asset alone when the account is open and has
 * no terms. */
static inline uint32_t hf_account_standing(const struct hf_account *account)
{
    uint32_t standing;

    memcpy(&standing, &account->asset, sizeof(standing));
    return standing;
}

/* Are both open accounts of this asset, without terms? Then nothing more is to be asked of them,
 * and the short paths are theirs. */
static inline bool hf_account_are_plain(const struct hf_account *payer,
                                        const struct hf_account *payee, uint16_t asset)
{
    return hf_account_standing(payer) == asset && hf_account_standing(payee) == asset;
}

struct hf_attributes;

/* Refuses, with the payer's balances as they are. */
void hf_account_refuse(const struct hf_account *payer, uint16_t code, uint8_t rule,
                       struct hf_answer *answer);

/* hf_account_admit for those who are not plain. */
bool hf_account_admit_others(const struct hf_ledger *ledger, const struct hf_account *payer,
                             const struct hf_account *payee, uint16_t asset,
                             const struct hf_attributes *attributes, struct hf_answer *answer);

/* May these two take part in a movement of this asset? Steps 3 and 4 of "Value". A refusal goes
 * into the answer, with the payer's balances. */
static inline bool hf_account_admit(const struct hf_ledger *ledger, const struct hf_account *payer,
                                    const struct hf_account *payee, uint16_t asset,
                                    const struct hf_attributes *attributes,
                                    struct hf_answer *answer)
{
    if (__builtin_expect(hf_account_are_plain(payer, payee, asset), 1))
        return true;
    return hf_account_admit_others(ledger, payer, payee, asset, attributes, answer);
}

/* ACCOUNT_PUT and ACCOUNT_CLOSE. */
void hf_account_put(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer);
void hf_account_close(struct hf_ledger *ledger, const struct hf_turn *turn,
                      struct hf_answer *answer);

#endif
