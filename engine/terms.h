/* Account terms: what only some accounts have. A ceiling, an expiry and a sink, a filter, a total
 * above, being a total.
 *
 * A plain account is one line and knows nothing of this. One with terms has a flag in its line,
 * which takes it off the short path of a plain transfer. Its terms are an entry in a list of lines,
 * and at the same number of a second list its filter; an index leads from ids to numbers:
 *
 *   places[2^n]  at least twice as many as terms; number + 1, or 0 = free. An id's is the first
 * from its hash on that has its number
 *
 * Terms are never given back, so the list has no holes: numbers 0 to count - 1 are in use. */
#ifndef HF_ENGINE_TERMS_H
#define HF_ENGINE_TERMS_H

#include "account.h"
#include "arena.h"

struct hf_terms {
    struct hf_id id; /* of the account */
    int64_t ceiling; /* HF_CEILING_NONE: none */
    uint64_t expires_ns;
    uint32_t account;    /* its slot */
    uint32_t parent;     /* slot of the total above, or HF_TABLE_NONE */
    uint32_t sink;       /* slot, or HF_TABLE_NONE */
    uint32_t children;   /* of a total: accounts below it that are not closed */
    uint8_t depth;       /* how many totals are above it, to HF_PARENT_DEPTH_MAX */
    uint8_t has_filter;  /* 1: the filter asks for something */
    uint8_t limit_count; /* limit.h */
    uint8_t reserved;
    uint32_t first_limit; /* likewise; 0: none */
    uint8_t reserved_too[8];
};
HF_STATIC_ASSERT(sizeof(struct hf_terms) == 64, "terms are one line");

struct hf_terms_list {
    struct hf_terms *list;
    struct hf_filter *filters;
    uint32_t *places;
    uint32_t place_mask;
    uint32_t count;
    uint32_t capacity;
};

/* What filters look at. */
struct hf_attributes {
    uint16_t mcc;
    uint16_t country;
    uint8_t channel;
    const uint8_t *merchant; /* 16 bytes */
};
/* Of operations that carry none. */
extern const struct hf_attributes hf_attributes_none;

struct hf_ledger;
struct hf_turn;

void hf_terms_create(struct hf_terms_list *terms, struct hf_arena *arena, uint64_t capacity);

/* The terms of an account that has some (asserted). */
struct hf_terms *hf_terms_find(const struct hf_terms_list *terms, struct hf_id account);

/* The terms of an account, or NULL when it has none. */
static inline struct hf_terms *hf_terms_of(const struct hf_terms_list *terms,
                                           const struct hf_account *account)
{
    return (account->flags & HF_ACCOUNT_HAS_TERMS) == 0 ? NULL : hf_terms_find(terms, account->id);
}

static inline uint32_t hf_terms_number(const struct hf_terms_list *terms,
                                       const struct hf_terms *line)
{
    return (uint32_t)(line - terms->list);
}

/* Gives an account terms: all defaults, nothing above it. There must be room (asserted). */
struct hf_terms *hf_terms_add(struct hf_ledger *ledger, struct hf_account *account);

/* May these terms be given to an account of this asset: parent (only of a new one), sink, room?
 * `known` is the account, or NULL when it will be a new one. */
struct hf_verdict hf_terms_check(const struct hf_ledger *ledger,
                                 const struct hf_op_account_put *put,
                                 const struct hf_account *known);

/* Sets them, as just checked. */
void hf_terms_set(struct hf_ledger *ledger, struct hf_account *account,
                  const struct hf_op_account_put *put, bool is_new);

/* The filter of an operation as it is kept: what it asks for. That its sender said by which parts
 * he filters was for the check of its shape. */
struct hf_filter hf_filter_kept(const struct hf_filter *filter);

/* Sets the filter alone. Whatever may be undone the caller has kept. */
void hf_terms_set_filter(struct hf_ledger *ledger, const struct hf_account *account,
                         const struct hf_filter *filter);

/* The total directly above an account, or NULL. */
struct hf_account *hf_terms_parent(const struct hf_ledger *ledger,
                                   const struct hf_account *account);

/* Does the filter let an operation pass? */
bool hf_filter_passes(const struct hf_filter *filter, const struct hf_attributes *attributes);

/* The whole standing of an account in an operation over `asset`: HF_CODE_OK, or what is against it.
 * `attributes` only of one that pays, else NULL: then no filter is looked at. */
uint16_t hf_terms_standing(const struct hf_ledger *ledger, const struct hf_account *account,
                           uint16_t asset, const struct hf_attributes *attributes);

#endif
