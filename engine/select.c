/* Which of an instrument's accounts pay how much; and what is forgiven when it must stand.
 *
 * In the order of OPERATIONS.md: the instrument, the parties, its limits, what each payer takes,
 * the guards. Each step may refuse. Of what is forced most of that is forgiven instead, and the
 * first thing forgiven is told of as the exception. */
#include "select.h"

#include "execute.h"
#include "expire.h"
#include "instrument.h"
#include "promise.h"
#include "state.h"

#include <assert.h>

/* An authorisation at work. */
struct selection {
    struct hf_ledger *ledger;
    const struct hf_turn *turn;
    struct hf_answer *answer;
    struct hf_instrument *instrument;
    struct hf_id payee_id;
    struct hf_account *payee;
    struct hf_attributes attributes;
    struct hf_verdict exception; /* the first thing forgiven; HF_CODE_OK: none */
    struct hf_payers payers;
    uint8_t refusals[HF_INSTRUMENT_ACCOUNTS_MAX]; /* enum hf_code: why one is passed over */
    uint64_t amount;                              /* as far as it has been cut down */
    uint64_t minimum;
    uint16_t asset;
    bool is_forced;
    bool is_posted; /* at once; else held */
};

static struct hf_verdict verdict_of(uint16_t code, uint8_t rule, uint32_t entry)
{
    return (struct hf_verdict){code, rule, (uint8_t)entry};
}

/* Of several payers a refusal names which. */
static uint32_t entry_of(const struct selection *s, uint32_t index)
{
    return s->payers.count > 1 ? index + 1 : 0;
}

/* Always false: it is the end. The balances are the first payer's once the parties are known. */
static bool refuse(const struct selection *s, struct hf_verdict verdict, bool with_balances)
{
    s->answer->approved = 0;
    s->answer->entry = verdict.entry;
    if (with_balances)
        hf_account_refuse(s->payers.accounts[0], verdict.code, verdict.rule, s->answer);
    else
        hf_answer_refuse(s->answer, verdict.code, verdict.rule);
    return false;
}

/* True when it may go on nevertheless. */
static bool forgive(struct selection *s, struct hf_verdict verdict)
{
    if (!s->is_forced)
        return false;
    if (s->exception.code == HF_CODE_OK)
        s->exception = verdict;
    return true;
}

/* ---- the instrument and the parties ---- */

static bool admit_instrument(struct selection *s)
{
    struct hf_verdict verdict =
        hf_instrument_check(s->instrument, s->amount, s->ledger->bundle_ns, false);

    return verdict.code == HF_CODE_OK || forgive(s, verdict) || refuse(s, verdict, false);
}

static bool find_parties(struct selection *s)
{
    struct hf_ledger *ledger = s->ledger;
    uint32_t slots[HF_INSTRUMENT_ACCOUNTS_MAX];

    s->payers.count = hf_instrument_accounts(ledger, s->instrument, slots);
    for (uint32_t i = 0; i < s->payers.count; i++) {
        s->payers.accounts[i] = hf_account_at(&ledger->accounts, slots[i]);
        s->payers.amounts[i] = 0;
        s->refusals[i] = HF_CODE_OK;
    }
    for (uint32_t i = 0; i < s->payers.count; i++) {
        if (hf_id_equal(s->payers.accounts[i]->id, s->payee_id))
            return refuse(s, verdict_of(HF_CODE_SAME_ACCOUNT, HF_RULE_PAYER, entry_of(s, i)),
                          false);
    }
    if (!hf_id_is_zero(s->payee_id))
        s->payee = hf_ledger_find_account(ledger, s->payee_id);
    if (s->payee == NULL)
        return refuse(s, verdict_of(HF_CODE_UNKNOWN_ACCOUNT, HF_RULE_PAYEE, 0), true);
    return true;
}

/* What nothing helps against, and is looked at of all before the rest of any. */
static bool is_of_kind(uint16_t code)
{
    return code == HF_CODE_IS_TOTAL || code == HF_CODE_ASSET_MISMATCH;
}

/* A payer's standing says no. Of several it is passed over; of what is forced only when closed. */
static bool admit_payer(struct selection *s, uint32_t index, uint16_t code)
{
    struct hf_verdict verdict = verdict_of(code, HF_RULE_PAYER, entry_of(s, index));

    if (code != HF_CODE_CLOSED && forgive(s, verdict))
        return true;
    if (s->payers.count == 1)
        return refuse(s, verdict, true);
    s->refusals[index] = (uint8_t)code;
    return true;
}

static bool admit_parties(struct selection *s)
{
    const struct hf_ledger *ledger = s->ledger;
    uint16_t codes[HF_INSTRUMENT_ACCOUNTS_MAX];

    for (uint32_t i = 0; i < s->payers.count; i++) {
        codes[i] = hf_terms_standing(ledger, s->payers.accounts[i], s->asset, &s->attributes);
        if (is_of_kind(codes[i]))
            return refuse(s, verdict_of(codes[i], HF_RULE_PAYER, entry_of(s, i)), true);
    }
    uint16_t code = hf_terms_standing(ledger, s->payee, s->asset, NULL);
    struct hf_verdict verdict = verdict_of(code, HF_RULE_PAYEE, 0);
    if (is_of_kind(code))
        return refuse(s, verdict, true);
    for (uint32_t i = 0; i < s->payers.count; i++) {
        if (codes[i] != HF_CODE_OK && !admit_payer(s, i, codes[i]))
            return false;
    }
    if (code == HF_CODE_OK || (code != HF_CODE_CLOSED && forgive(s, verdict)))
        return true;
    return refuse(s, verdict, true);
}

/* ---- how much, of whom ---- */

/* A single payer takes all: what is forced asks nobody how much. */
static bool take_from_one(struct selection *s)
{
    struct hf_ledger *ledger = s->ledger;

    assert(s->is_forced);
    struct hf_verdict verdict =
        hf_draw_ask(ledger, s->instrument, s->payers.accounts[0], &s->attributes, 0, &s->amount);
    if (verdict.code != HF_CODE_OK)
        forgive(s, verdict);
    s->payers.amounts[0] = s->amount;
    return true;
}

/* What a payer takes of what is left: `*verdict` is what its limits say, when they and not its
 * funds are what stops it. */
static uint64_t take_up_to(struct selection *s, uint32_t index, uint64_t left,
                           struct hf_verdict *verdict)
{
    struct hf_ledger *ledger = s->ledger;
    struct hf_account *payer = s->payers.accounts[index];
    struct hf_verdict strictest;
    uint64_t can_pay = hf_plan_can_pay(ledger, &ledger->plan, payer);
    uint64_t allowed = hf_draw_allowed(ledger, payer, &s->attributes, &strictest);
    uint64_t amount = left;

    *verdict = verdict_of(HF_CODE_OK, HF_RULE_NONE, 0);
    if (allowed < can_pay && allowed < left)
        *verdict = strictest;
    if (left == 0 && strictest.code == HF_CODE_COUNT_LIMIT)
        *verdict = strictest;
    amount = can_pay < amount ? can_pay : amount;
    amount = allowed < amount ? allowed : amount;
    if (amount == 0)
        return 0;
    const struct hf_change change = {.held_out = (int64_t)amount};
    hf_plan_add(ledger, &ledger->plan, payer, &change, HF_RULE_PAYER, 0, true);
    hf_draw_gather_payer(ledger, payer, &s->attributes, amount);
    return amount;
}

/* Something is left that no payer may give. */
static bool settle_for_less(struct selection *s, uint32_t first, uint64_t left,
                            struct hf_verdict verdict)
{
    uint64_t taken = s->amount - left;

    if (s->minimum != 0 && taken >= s->minimum) {
        s->amount = taken;
        return true;
    }
    if (verdict.code == HF_CODE_OK)
        verdict = verdict_of(HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 0);
    if (!forgive(s, verdict))
        return refuse(s, verdict, true);
    s->payers.amounts[first] += left;
    return true;
}

/* Each payer in turn, as far as it reaches. */
static bool take_in_order(struct selection *s)
{
    struct hf_ledger *ledger = s->ledger;
    struct hf_verdict stopped = verdict_of(HF_CODE_OK, HF_RULE_NONE, 0);
    uint32_t first = s->payers.count; /* that is not passed over */
    uint64_t left;

    struct hf_verdict verdict =
        hf_draw_ask(ledger, s->instrument, NULL, &s->attributes, s->minimum, &s->amount);
    if (verdict.code != HF_CODE_OK && !forgive(s, verdict))
        return refuse(s, verdict, true);
    hf_plan_begin(&ledger->plan);
    left = s->amount;
    for (uint32_t i = 0; i < s->payers.count; i++) {
        if (s->refusals[i] != HF_CODE_OK)
            continue;
        s->payers.amounts[i] = take_up_to(s, i, left, &verdict);
        left -= s->payers.amounts[i];
        if (stopped.code == HF_CODE_OK && (s->amount != 0 || first == s->payers.count))
            stopped = verdict;
        first = first == s->payers.count ? i : first;
    }
    if (first == s->payers.count)
        return refuse(s, verdict_of(s->refusals[0], HF_RULE_PAYER, 1), true);
    if (s->amount == 0)
        return stopped.code == HF_CODE_OK || refuse(s, stopped, true);
    return left == 0 || settle_for_less(s, first, left, stopped);
}

/* ---- the plan ---- */

static uint32_t count_takers(const struct selection *s, uint32_t *first)
{
    uint32_t count = 0;

    for (uint32_t i = s->payers.count; i-- > 0;) {
        if (s->payers.amounts[i] == 0)
            continue;
        *first = i;
        count++;
    }
    return count;
}

static void make_plan(struct selection *s)
{
    struct hf_ledger *ledger = s->ledger;
    struct hf_plan *plan = &ledger->plan;
    struct hf_change change = {0};

    hf_plan_begin(plan);
    for (uint32_t i = 0; i < s->payers.count; i++) {
        uint64_t amount = s->payers.amounts[i];
        assert(amount <= HF_AMOUNT_MAX);
        if (amount == 0)
            continue;
        if (s->is_posted)
            change = (struct hf_change){.posted = -(int64_t)amount, .lifetime_debits = amount};
        else
            change = (struct hf_change){.held_out = (int64_t)amount};
        hf_plan_add(ledger, plan, s->payers.accounts[i], &change, HF_RULE_PAYER,
                    (uint8_t)entry_of(s, i), true);
    }
    if (s->is_posted)
        change = (struct hf_change){.posted = (int64_t)s->amount};
    else
        change = (struct hf_change){.held_in = (int64_t)s->amount};
    hf_plan_add(ledger, plan, s->payee, &change, HF_RULE_PAYEE, 0, false);
}

static bool pass_guards(struct selection *s, uint32_t taker_count)
{
    const struct hf_ledger *ledger = s->ledger;
    struct hf_verdict verdict = hf_execute_check(ledger, &ledger->plan);

    if ((verdict.code == HF_CODE_INSUFFICIENT || verdict.code == HF_CODE_CEILING) &&
        forgive(s, verdict))
        verdict = hf_execute_check_forced(&ledger->plan);
    if (verdict.code == HF_CODE_OK && !s->is_posted &&
        !hf_promise_is_room(&ledger->holds, taker_count, 0))
        verdict = verdict_of(HF_CODE_CAPACITY, HF_RULE_TABLE, 0);
    return verdict.code == HF_CODE_OK || refuse(s, verdict, true);
}

/* All that may refuse. `*taker_count` payers give something, the first of them at `*first`. */
static bool decide(struct selection *s, uint32_t *taker_count, uint32_t *first)
{
    uint64_t asked = s->amount;

    *first = 0;
    if (!admit_instrument(s) || !find_parties(s) || !admit_parties(s))
        return false;
    if (!(s->payers.count == 1 ? take_from_one(s) : take_in_order(s)))
        return false;
    *taker_count = count_takers(s, first);
    make_plan(s);
    if (!pass_guards(s, *taker_count))
        return false;
    if (s->amount < asked)
        s->answer->code = HF_CODE_OK_PARTIAL;
    s->answer->approved = s->amount;
    hf_execute_show(&s->ledger->plan, s->payers.accounts[0], s->answer);
    return true;
}

/* ---- what it leaves ---- */

static uint32_t slot_of(const struct selection *s, uint32_t index)
{
    return hf_table_slot(&s->ledger->accounts, s->payers.accounts[index]);
}

/* The hold of an AUTH, with its parts. Returns its slot. */
static uint32_t hold(struct selection *s, uint32_t taker_count, uint32_t first)
{
    struct hf_ledger *ledger = s->ledger;
    const struct hf_op_auth *auth = &s->turn->operation->auth;
    const struct hf_hold_more more = {
        .expires_ns = hf_promise_class_expiry(ledger, auth->class_number),
        .origin = s->turn->origin,
        .first_part = HF_TABLE_NONE,
        .first_condition = HF_TABLE_NONE,
        .tolerance = auth->tolerance,
        .class_number = auth->class_number,
        .policy = HF_HOLD_SOFT,
        .payer_count = (uint8_t)taker_count,
    };
    uint32_t slot =
        hf_promise_add(ledger, s->turn, &more, s->payers.accounts[first], s->payee, s->answer);

    for (uint32_t i = 0; i < s->payers.count && taker_count > 1; i++) {
        if (s->payers.amounts[i] != 0)
            hf_hold_add_part(ledger, slot, slot_of(s, i), s->payers.amounts[i]);
    }
    return slot;
}

/* The record of a force-post by itself. Its slot, or HF_TABLE_NONE when there is no place. */
static uint32_t record_post(struct selection *s, uint32_t taker_count, uint32_t first)
{
    struct hf_ledger *ledger = s->ledger;
    struct hf_hold_more more = hf_hold_plain;
    const struct hf_record_alone alone = {
        .id = s->answer->id,
        .hash = s->turn->id_hash,
        .amount = s->amount,
        .captured = s->amount,
        .payer = slot_of(s, first),
        .payee = hf_table_slot(&ledger->accounts, s->payee),
        .asset = s->asset,
        .status = HF_HOLD_RESOLVED,
    };

    if (hf_hold_are_all_open(&ledger->holds))
        return HF_TABLE_NONE;
    more.origin = s->turn->origin;
    more.policy = HF_HOLD_SOFT;
    more.payer_count = (uint8_t)taker_count;
    uint32_t slot = hf_record_add(ledger, &alone, &more);
    ledger->holds.answers[slot] = *s->answer; /* kept when the hold was added */
    return slot;
}

/* Draws limits and counter, writes the record (unless it has no place), and tells the exception. */
static void draw(struct selection *s, uint32_t slot, struct hf_record *record)
{
    struct hf_ledger *ledger = s->ledger;
    struct hf_instrument *instrument = s->instrument;

    record->first_draw = s->amount;
    record->exception = (uint8_t)s->exception.code;
    record->flags |= HF_AUTHORISATION_COUNTED;
    hf_draw_gather_all(ledger, instrument, &s->payers, &s->attributes);
    hf_draw_each(ledger, s->asset, s->answer);
    hf_undo_keep(&ledger->undo, instrument, sizeof(*instrument));
    if (hf_instrument_draw(instrument)) {
        record->flags |= HF_AUTHORISATION_DREW;
        hf_event_add(ledger, s->answer, HF_EVENT_DRAWN, instrument->token,
                     (int64_t)instrument->remaining, 0, 0);
    }
    if (slot != HF_TABLE_NONE)
        hf_record_write(ledger, slot, instrument, record);
    hf_event_add_exception(ledger, s->answer, s->answer->id, s->asset, &s->exception);
}

void hf_select_authorise(struct hf_ledger *ledger, const struct hf_turn *turn,
                         struct hf_instrument *instrument, struct hf_answer *answer)
{
    const struct hf_op_auth *auth = &turn->operation->auth;
    struct hf_record record;
    hf_record_fill(&record, auth);
    struct selection s = {
        .ledger = ledger,
        .turn = turn,
        .answer = answer,
        .instrument = instrument,
        .payee_id = auth->payee,
        .attributes = hf_record_attributes(&record),
        .amount = auth->amount,
        .minimum = auth->minimum,
        .asset = auth->asset,
        .is_forced = (auth->auth_flags & HF_AUTH_FORCED) != 0,
    };
    uint32_t taker_count;
    uint32_t first;

    if (!decide(&s, &taker_count, &first) || hf_turn_is_dry(turn))
        return;
    if (s.amount == 0) {
        hf_record_verify(ledger, turn, answer);
        return;
    }
    hf_execute_apply(ledger, &ledger->plan, answer);
    uint32_t slot = hold(&s, taker_count, first);
    draw(&s, slot, &record);
}

void hf_select_post(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_id token,
                    struct hf_id payee, const struct hf_verdict *exception,
                    struct hf_answer *answer)
{
    const struct hf_op_clear *clear = &turn->operation->clear;
    uint32_t instrument = hf_id_is_zero(token)
                              ? HF_TABLE_NONE
                              : hf_table_find(&ledger->instruments, token, hf_id_hash(token));
    struct hf_record record = {
        .acquirer = clear->acquirer,
        .mcc = clear->mcc,
        .country = clear->country,
        .channel = clear->channel,
        .flags = HF_AUTHORISATION_FORCED,
    };
    uint32_t taker_count;
    uint32_t first;

    if (instrument == HF_TABLE_NONE) {
        hf_answer_refuse(answer, HF_CODE_UNKNOWN_INSTRUMENT, HF_RULE_INSTRUMENT);
        return;
    }
    __builtin_memcpy(record.merchant, clear->merchant, sizeof(record.merchant));
    struct selection s = {
        .ledger = ledger,
        .turn = turn,
        .answer = answer,
        .instrument = hf_instrument_at(&ledger->instruments, instrument),
        .payee_id = payee,
        .attributes = hf_record_attributes(&record),
        .exception = *exception,
        .amount = clear->amount,
        .asset = clear->asset,
        .is_forced = true,
        .is_posted = true,
    };
    if (!decide(&s, &taker_count, &first) || hf_turn_is_dry(turn))
        return;
    hf_execute_apply(ledger, &ledger->plan, answer);
    hf_expire_watch(ledger, s.payee); /* it may have expired, and has money now */
    hf_event_add(ledger, answer, HF_EVENT_CAPTURED, answer->id, (int64_t)s.amount, s.asset, 0);
    uint32_t slot = record_post(&s, taker_count, first);
    draw(&s, slot, &record);
}
