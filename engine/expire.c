/* Time passes. */
#include "expire.h"

#include "execute.h"
#include "settle.h"
#include "state.h"

#include <assert.h>
#include <string.h>

/* What one call of hf_ledger_make_expire does at most, for each of the two wheels: moves of timers
 * (some 40 instructions each), and ripe ones looked at. A million holds due in one second ripen in
 * some 500 calls and end in 15,625. */
#define MOVES_MAX 2048u
#define LOOKS_MAX 1024u

void hf_expire_create(struct hf_ledger *ledger, struct hf_arena *arena)
{
    ledger->wheels = &ledger->wheels_inside;
    hf_timers_create(&ledger->wheels->holds, arena, ledger->holds.slots.capacity);
    hf_timers_create(&ledger->wheels->accounts, arena, ledger->terms.capacity);
}

void hf_expire_arm_hold(struct hf_ledger *ledger, uint32_t slot, uint64_t expires_ns)
{
    hf_timers_arm(&ledger->wheels->holds, slot, expires_ns);
}

void hf_expire_disarm_hold(struct hf_ledger *ledger, uint32_t slot)
{
    /* The end of a hold inside a chain may be taken back. */
    if (!ledger->undo.is_open)
        hf_timers_disarm(&ledger->wheels->holds, slot);
}

void hf_expire_watch(struct hf_ledger *ledger, const struct hf_account *account)
{
    const struct hf_terms *terms = hf_terms_of(&ledger->terms, account);

    if (terms != NULL && terms->expires_ns != 0)
        hf_timers_arm(&ledger->wheels->accounts, hf_terms_number(&ledger->terms, terms),
                      terms->expires_ns);
}

/* ---- making an EXPIRE ---- */

/* Does this account have money that is to go to its sink? */
static bool is_account_due(const struct hf_account *account, const struct hf_terms *terms,
                           uint64_t timestamp_ns)
{
    return terms->expires_ns != 0 && timestamp_ns >= terms->expires_ns &&
           account->status != HF_ACCOUNT_CLOSED && hf_account_spendable(account) > 0 &&
           terms->sink != HF_TABLE_NONE && (account->flags & HF_ACCOUNT_IS_TOTAL) == 0;
}

/* What a ripe timer's record says: it is due now, or at a later time, or never (0). */
struct finding {
    bool is_due;
    uint64_t later_ns;
    struct hf_id id;
};

static struct finding look_at_hold(const struct hf_ledger *ledger, uint32_t slot,
                                   uint64_t timestamp_ns)
{
    const struct hf_hold *hold = hf_hold_at(&ledger->holds, slot);
    struct finding finding = {.id = hold->id};

    /* The hold may be gone and its line free, or another's that has no expiry. */
    if (hf_id_is_reserved(hold->id) || hold->status != HF_HOLD_OPEN)
        return finding;
    const struct hf_hold_more *more = hf_hold_more_of(&ledger->holds, hold);
    finding.is_due = hf_hold_is_due(more, timestamp_ns);
    finding.later_ns = more->expires_ns;
    return finding;
}

static struct finding look_at_account(const struct hf_ledger *ledger, uint32_t number,
                                      uint64_t timestamp_ns)
{
    if (number >= ledger->terms.count) /* the chain that gave the terms has failed */
        return (struct finding){.is_due = false};
    const struct hf_terms *terms = &ledger->terms.list[number];
    const struct hf_account *account = hf_account_at(&ledger->accounts, terms->account);
    struct finding finding = {.id = account->id};

    finding.is_due = is_account_due(account, terms, timestamp_ns);
    /* With nothing to sweep it waits until money comes: hf_expire_watch. */
    finding.later_ns = terms->expires_ns > timestamp_ns ? terms->expires_ns : 0;
    return finding;
}

/* Adds what is due of one wheel. Timers that were too early or are not needed are put right. */
static void collect(const struct hf_ledger *ledger, struct hf_timers *timers,
                    enum hf_expiry_kind kind, uint64_t timestamp_ns, struct hf_op_expire *expire)
{
    uint32_t looks = LOOKS_MAX;

    hf_timers_advance(timers, timestamp_ns, MOVES_MAX);
    uint32_t slot = hf_timers_next_ripe(timers, HF_TABLE_NONE);
    while (slot != HF_TABLE_NONE && looks-- > 0 && expire->count < HF_EXPIRIES_MAX) {
        uint32_t next = hf_timers_next_ripe(timers, slot);
        struct finding finding = kind == HF_EXPIRY_HOLD
                                     ? look_at_hold(ledger, slot, timestamp_ns)
                                     : look_at_account(ledger, slot, timestamp_ns);
        if (finding.is_due) {
            expire->expiries[expire->count++] =
                (struct hf_op_expiry){.id = finding.id, .kind = (uint8_t)kind};
        } else {
            hf_timers_disarm(timers, slot);
            if (finding.later_ns != 0)
                hf_timers_arm(timers, slot, finding.later_ns);
        }
        slot = next;
    }
}

bool hf_ledger_make_expire(const struct hf_ledger *ledger, uint64_t timestamp_ns,
                           struct hf_op_expire *expire)
{
    assert(ledger->magic == HF_LEDGER_MAGIC);
    memset(expire, 0, sizeof(*expire));
    collect(ledger, &ledger->wheels->holds, HF_EXPIRY_HOLD, timestamp_ns, expire);
    collect(ledger, &ledger->wheels->accounts, HF_EXPIRY_ACCOUNT, timestamp_ns, expire);
    expire->header.type = HF_OP_EXPIRE;
    expire->header.length =
        (uint16_t)(sizeof(*expire) + expire->count * sizeof(struct hf_op_expiry));
    assert(expire->header.length <= HF_EXPIRE_LENGTH_MAX);
    return expire->count != 0;
}

/* ---- carrying one out ---- */

static bool expire_hold(struct hf_ledger *ledger, struct hf_id id, const struct hf_answer *answer)
{
    uint32_t slot = hf_hold_find(&ledger->holds, id, hf_id_hash(id));

    return slot != HF_TABLE_NONE && hf_settle_lapse(ledger, slot, answer);
}

/* Moves all that an account can spend to its sink, if guards and sink allow. */
static bool sweep(struct hf_ledger *ledger, struct hf_account *account,
                  const struct hf_terms *terms, const struct hf_answer *answer)
{
    struct hf_account *sink = hf_account_at(&ledger->accounts, terms->sink);
    int64_t amount = hf_account_spendable(account);
    const struct hf_change out = {.posted = -amount, .lifetime_debits = (uint64_t)amount};
    const struct hf_change in = {.posted = amount};
    struct hf_plan *plan = &ledger->plan;

    assert(amount > 0);
    if (hf_terms_standing(ledger, sink, account->asset, NULL) != HF_CODE_OK)
        return false;
    hf_plan_begin(plan);
    hf_plan_add(ledger, plan, account, &out, HF_RULE_ACCOUNT, 0, false);
    hf_plan_add(ledger, plan, sink, &in, HF_RULE_SINK, 0, false);
    if (hf_execute_check(ledger, plan).code != HF_CODE_OK)
        return false;
    hf_execute_apply(ledger, plan, answer);
    hf_event_add(ledger, answer, HF_EVENT_EXPIRED, account->id, amount, account->asset, 0);
    return true;
}

static bool expire_account(struct hf_ledger *ledger, struct hf_id id,
                           const struct hf_answer *answer)
{
    struct hf_account *account = hf_ledger_find_account(ledger, id);
    const struct hf_terms *terms = account == NULL ? NULL : hf_terms_of(&ledger->terms, account);

    if (terms == NULL || !is_account_due(account, terms, ledger->bundle_ns))
        return false;
    bool is_swept = sweep(ledger, account, terms, answer);
    uint32_t number = hf_terms_number(&ledger->terms, terms);
    hf_timers_disarm(&ledger->wheels->accounts, number);
    uint64_t again_ns = ledger->bundle_ns + HF_EXPIRE_RETRY_NS;
    if (!is_swept && again_ns > ledger->bundle_ns)
        hf_timers_arm(&ledger->wheels->accounts, number, again_ns);
    return is_swept;
}

void hf_expire_carry_out(struct hf_ledger *ledger, const struct hf_turn *turn,
                         struct hf_answer *answer)
{
    const struct hf_op_expire *expire = &turn->operation->expire;

    assert(expire->count <= HF_EXPIRIES_MAX);
    assert(!ledger->undo.is_open); /* no EXPIRE in a chain: what it disarms stays so */
    for (uint32_t i = 0; i < expire->count; i++) {
        const struct hf_op_expiry *expiry = &expire->expiries[i];
        bool has_ended = expiry->kind == HF_EXPIRY_HOLD
                             ? expire_hold(ledger, expiry->id, answer)
                             : expire_account(ledger, expiry->id, answer);
        answer->approved += has_ended;
    }
}
