/* The model's holds: how they are made, changed, proved, captured, and how they end. */
#include "model_inside.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

static struct model_account *payer_of(struct model_books *books, const struct model_hold *hold)
{
    return find_account(books, hold->parts[0].account);
}

bool hold_has_expired(const struct model_hold *hold, uint64_t now_ns)
{
    return hold->expires_ns != 0 && now_ns >= hold->expires_ns;
}

uint8_t part_number(const struct model_hold *hold, uint32_t part)
{
    return hold->part_count > 1 ? (uint8_t)(part + 1) : 0;
}

/* Making ---------------------------------------------------------------------------------- */

static void remove_hold(struct model_books *books, uint32_t at)
{
    books->hold_count--;
    memmove(&books->holds[at], &books->holds[at + 1],
            (books->hold_count - at) * sizeof(books->holds[0]));
}

void forget_first_ended(struct model_books *books)
{
    uint32_t first = UINT32_MAX;
    for (uint32_t i = 0; i < books->hold_count; i++) {
        if (books->holds[i].ended == 0)
            continue;
        if (first == UINT32_MAX || books->holds[i].ended < books->holds[first].ended)
            first = i;
    }
    assert(first != UINT32_MAX);
    remove_hold(books, first);
}

bool model_is_stale(const struct model *model, const struct model_hold *hold, uint64_t timestamp_ns)
{
    wide end_ns = (wide)hold->ended_ns + (wide)model->limits.record_ns;
    return hold->ended != 0 && (wide)timestamp_ns >= end_ns;
}

void forget_stale(struct model *model, uint64_t now_ns)
{
    struct model_books *books = model->books;
    for (uint32_t i = books->hold_count; i-- > 0;)
        if (model_is_stale(model, &books->holds[i], now_ns))
            remove_hold(books, i);
}

struct model_hold *make_hold(const struct turn *turn)
{
    struct model_books *books = turn->model->books;
    if (books->hold_count == turn->model->limits.holds)
        forget_first_ended(books);
    struct model_hold *hold = &books->holds[books->hold_count++];
    memset(hold, 0, sizeof(*hold));
    hold->id = turn->operation->header.id;
    hold->origin = turn->origin;
    hold->memory.operation = turn->operation;
    return hold;
}

struct model_hold *make_plain_hold(const struct turn *turn, struct hf_id payer, struct hf_id payee,
                                   uint16_t asset, uint64_t amount, uint64_t expires_ns)
{
    struct model_hold *hold = make_hold(turn);
    hold->payee = payee;
    hold->amount = amount;
    hold->remaining = amount;
    hold->asset = asset;
    hold->expires_ns = expires_ns;
    hold->part_count = 1;
    hold->parts[0] = (struct model_part){.account = payer, .remaining = amount};
    add_event(turn, HF_EVENT_HELD, hold->id, (wide)amount, asset, 0);
    return hold;
}

struct outcome begin_hold(const struct turn *turn, uint64_t expires_ns)
{
    const struct model_hold *known = find_hold(turn->model->books, turn->operation->header.id);
    bool authorises =
        turn->operation->header.type == HF_OP_AUTH || turn->operation->header.type == HF_OP_CLEAR;
    if (known != NULL && authorises && known->status == HF_HOLD_REVERSED)
        return refuse(HF_CODE_REVERSED, HF_RULE_ORIGINAL, 0, NULL);
    if (known != NULL)
        return refuse(HF_CODE_DUPLICATE_DIFFERENT, HF_RULE_ID, 0, NULL);
    if (expires_ns != 0 && expires_ns <= turn->now_ns)
        return refuse(HF_CODE_EXPIRED, HF_RULE_EXPIRY, 0, NULL);
    return approve(0, NULL);
}

struct outcome do_hold(const struct turn *turn)
{
    static const struct model_attributes none;
    const struct hf_op_hold *hold = &turn->operation->hold;
    struct plan plan;
    struct outcome outcome = begin_hold(turn, hold->expires_ns);
    if (outcome.code == HF_CODE_OK)
        outcome = check_value(turn, hold->payer, hold->payee, hold->asset, hold->amount, &none,
                              true, &plan);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    apply_plan(turn, &plan);
    uint64_t expires_ns = hold->expires_ns == HF_EXPIRES_NEVER ? 0 : hold->expires_ns;
    make_plain_hold(turn, hold->payer, hold->payee, hold->asset, hold->amount, expires_ns);
    return outcome;
}

uint64_t class_expiry_of(const struct turn *turn, uint8_t class_number)
{
    uint64_t lifetime_ns = turn->model->books->lifetimes_ns[class_number];
    wide expires_ns = (wide)turn->now_ns + (wide)lifetime_ns;
    return lifetime_ns == 0 || expires_ns >= UINT64_MAX ? 0 : (uint64_t)expires_ns;
}

static uint64_t expiry_of(const struct turn *turn, const struct hf_op_terms *terms)
{
    if (terms->expires_ns == HF_EXPIRES_NEVER)
        return 0;
    if (terms->expires_ns != 0)
        return terms->expires_ns;
    return class_expiry_of(turn, terms->class_number);
}

bool has_room(const struct model *model, uint32_t parts, uint32_t conditions)
{
    if (model_holds_open(model) >= model->limits.holds)
        return false;
    if (parts > 1 && model_parts_used(model) + parts > model->limits.parts)
        return false;
    return conditions == 0 || model_conditions_used(model) + conditions <= model->limits.parts;
}

struct outcome do_hold_plan(const struct turn *turn)
{
    const struct hf_op_hold_plan *operation = &turn->operation->hold_plan;
    const struct hf_op_plan *request = &operation->plan;
    const struct hf_op_terms *terms = &operation->terms;
    uint64_t expires_ns = expiry_of(turn, terms);
    uint64_t takes[HF_PLAN_CANDIDATES_MAX + HF_PLAN_DESTINATIONS_MAX];
    struct plan plan;
    struct outcome outcome = begin_hold(turn, expires_ns);
    if (outcome.code == HF_CODE_OK)
        outcome = compile_plan(turn, request, operation->entries, true, &plan, takes);
    if (!approved(&outcome))
        return outcome;
    struct outcome passed = pass_guards(turn->model->books, &plan, NULL);
    if (passed.code != HF_CODE_OK)
        return refuse(passed.code, passed.rule, passed.entry, outcome.account);
    uint32_t parts = 0;
    for (uint32_t i = 0; i < request->source_count; i++)
        if (takes[i] > 0)
            parts++;
    if (!has_room(turn->model, parts, terms->condition_count))
        return refuse(HF_CODE_CAPACITY, HF_RULE_TABLE, 0, outcome.account);

    apply_plan(turn, &plan);
    struct model_hold *hold = make_hold(turn);
    if (request->destination_count == 1)
        hold->payee = operation->entries[request->source_count].account;
    hold->amount = outcome.approved;
    hold->remaining = outcome.approved;
    hold->asset = request->asset;
    hold->expires_ns = expires_ns;
    hold->tolerance = terms->tolerance;
    hold->class_number = terms->class_number;
    hold->policy = terms->policy;
    hold->required = terms->required;
    hold->condition_count = terms->condition_count;
    memcpy(hold->conditions, hf_hold_plan_conditions(operation),
           terms->condition_count * sizeof(hold->conditions[0]));
    for (uint32_t i = 0; i < request->source_count; i++)
        if (takes[i] > 0)
            hold->parts[hold->part_count++] = (struct model_part){
                .account = operation->entries[i].account, .remaining = takes[i]};
    add_event(turn, HF_EVENT_HELD, hold->id, (wide)hold->amount, hold->asset, 0);
    return outcome;
}

/* Spreading an amount over parts ---------------------------------------------------------- */

enum way { WAY_CAPTURE, WAY_RELEASE, WAY_RAISE };

static void spread_by_ratio(const struct model_hold *hold, const wide remaining[], wide amount,
                            enum way way, wide shares[])
{
    wide whole = 0;
    for (uint32_t i = 0; i < hold->part_count; i++)
        whole += remaining[i];
    wide missing = amount;
    for (uint32_t i = 0; i < hold->part_count; i++) {
        shares[i] = whole == 0 ? 0 : amount * remaining[i] / whole;
        missing -= shares[i];
    }
    for (uint32_t i = 0; i < hold->part_count && missing > 0; i++) {
        bool has_left = way == WAY_RAISE ? remaining[i] > 0 : remaining[i] > shares[i];
        if (!has_left)
            continue;
        shares[i]++;
        missing--;
    }
    assert(missing == 0);
}

/* Captures and releases: what each part gives of `amount`, which `remaining` covers. */
static void spread_amount(const struct model_hold *hold, const wide remaining[], wide amount,
                          enum way way, wide shares[])
{
    if ((hold->policy & HF_HOLD_RATIO) != 0) {
        spread_by_ratio(hold, remaining, amount, way, shares);
        return;
    }
    for (uint32_t n = 0; n < hold->part_count; n++) {
        uint32_t i = way == WAY_CAPTURE ? n : hold->part_count - 1u - n;
        shares[i] = amount < remaining[i] ? amount : remaining[i];
        amount -= shares[i];
    }
    assert(amount == 0);
}

/* Ending ---------------------------------------------------------------------------------- */

void end_hold(const struct turn *turn, struct model_hold *hold, uint8_t status)
{
    assert(hold->remaining == 0);
    if (hold->ended == 0) {
        hold->ended = ++turn->model->books->ended_count;
        hold->ended_ns = turn->now_ns;
    }
    hold->status = status;
}

void list_remaining(const struct model_hold *hold, wide remaining[])
{
    for (uint32_t i = 0; i < hold->part_count; i++)
        remaining[i] = (wide)hold->parts[i].remaining;
}

void plan_release(struct model_books *books, const struct model_hold *hold, wide amount,
                  struct plan *plan, wide remaining[])
{
    wide shares[MODEL_PARTS_MAX];
    spread_amount(hold, remaining, amount, WAY_RELEASE, shares);
    for (uint32_t i = 0; i < hold->part_count; i++) {
        remaining[i] -= shares[i];
        if (shares[i] > 0)
            add_leg(plan, find_account(books, hold->parts[i].account),
                    (struct model_balance){.held_out = -shares[i]}, HF_RULE_PAYER,
                    part_number(hold, i), false);
    }
    if (amount > 0 && !no_id(hold->payee))
        add_leg(plan, find_account(books, hold->payee), (struct model_balance){.held_in = -amount},
                HF_RULE_PAYEE, 0, false);
}

void set_remaining(struct model_hold *hold, const wide remaining[])
{
    hold->remaining = 0;
    for (uint32_t i = 0; i < hold->part_count; i++) {
        hold->parts[i].remaining = (uint64_t)remaining[i];
        hold->remaining += hold->parts[i].remaining;
    }
}

/* An amount of an open hold goes back to its payers: nothing can refuse it. */
static void release_amount(const struct turn *turn, struct model_hold *hold, uint64_t amount)
{
    struct model_books *books = turn->model->books;
    wide remaining[MODEL_PARTS_MAX] = {0};
    struct plan plan;
    begin_plan(&plan);
    list_remaining(hold, remaining);
    plan_release(books, hold, (wide)amount, &plan, remaining);
    struct outcome passed = pass_guards(books, &plan, NULL);
    assert(passed.code == HF_CODE_OK);
    apply_plan(turn, &plan);
    set_remaining(hold, remaining);
}

/* Capturing ------------------------------------------------------------------------------- */

/* Records of refused and of reversed authorisations never held anything. */
static bool was_held(const struct model_hold *hold)
{
    return hold->status != HF_HOLD_REFUSED && hold->status != HF_HOLD_REVERSED;
}

/* What CAPTURE, RELEASE and ADJUST begin with. */
static struct outcome claim_hold(const struct turn *turn, const struct model_hold *hold)
{
    if (hold == NULL || !was_held(hold))
        return refuse(HF_CODE_UNKNOWN_HOLD, HF_RULE_HOLD, 0, NULL);
    const struct model_account *payer = payer_of(turn->model->books, hold);
    if (hold->origin != turn->origin)
        return refuse(HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN, 0, payer);
    if (hold->status == HF_HOLD_RESOLVED)
        return refuse(HF_CODE_HOLD_RESOLVED, HF_RULE_HOLD, 0, payer);
    return approve(0, payer);
}

static uint16_t check_payee(const struct turn *turn, const struct model_hold *hold,
                            struct hf_id named, struct model_account **payee)
{
    struct model_books *books = turn->model->books;
    if (!no_id(hold->payee)) {
        if (!no_id(named) && !same_id(named, hold->payee))
            return HF_CODE_NOT_PERMITTED;
        *payee = find_account(books, hold->payee);
        if ((*payee)->status == HF_ACCOUNT_CLOSED)
            return HF_CODE_CLOSED;
        return (*payee)->status == HF_ACCOUNT_FROZEN ? HF_CODE_RESTRICTED : HF_CODE_OK;
    }
    *payee = no_id(named) ? NULL : find_account(books, named);
    if (*payee == NULL)
        return HF_CODE_UNKNOWN_ACCOUNT;
    uint32_t payers = hold->status == HF_HOLD_LAPSED ? 1 : hold->part_count;
    for (uint32_t i = 0; i < payers; i++)
        if (same_id(hold->parts[i].account, named))
            return HF_CODE_SAME_ACCOUNT;
    return standing(turn, *payee, hold->asset, NULL);
}

static bool is_met(const struct turn *turn, const struct model_hold *hold, uint32_t i)
{
    const struct hf_op_condition *condition = &hold->conditions[i];
    if (condition->kind == HF_CONDITION_NOT_BEFORE)
        return turn->now_ns >= condition->time_ns;
    if (condition->kind == HF_CONDITION_NOT_AFTER)
        return turn->now_ns <= condition->time_ns;
    return (hold->met >> i & 1) != 0;
}

/* 0 when enough are met, else the number of the first that is not. */
static uint8_t first_unmet(const struct turn *turn, const struct model_hold *hold)
{
    uint32_t met = 0;
    uint8_t first = 0;
    for (uint32_t i = 0; i < hold->condition_count; i++) {
        if (is_met(turn, hold, i))
            met++;
        else if (first == 0)
            first = (uint8_t)(i + 1);
    }
    return met >= hold->required ? 0 : first;
}

/* All that may refuse a capture before its guards; `approved` is then the amount. */
static struct outcome check_capture(const struct turn *turn, const struct model_hold *hold,
                                    struct model_account **payee)
{
    const struct hf_op_capture *capture = &turn->operation->capture;
    bool is_long = capture->header.length == sizeof(*capture);
    struct outcome outcome = claim_hold(turn, hold);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    const struct model_account *payer = outcome.account;
    bool lapsed = hold->status == HF_HOLD_LAPSED;
    bool soft = (hold->policy & HF_HOLD_SOFT) != 0;
    if (!soft && (lapsed || hold_has_expired(hold, turn->now_ns)))
        return refuse(HF_CODE_HOLD_EXPIRED, HF_RULE_HOLD, 0, payer);
    struct hf_id named = is_long ? capture->payee : (struct hf_id){0, 0};
    uint16_t code = check_payee(turn, hold, named, payee);
    if (code != HF_CODE_OK)
        return refuse(code, HF_RULE_PAYEE, 0, payer);
    uint8_t unmet = first_unmet(turn, hold);
    if (unmet != 0)
        return refuse(HF_CODE_CONDITION_NOT_MET, HF_RULE_CONDITION, unmet, payer);
    uint64_t left = lapsed ? hold->amount - hold->captured : hold->remaining;
    wide most = (wide)left + (wide)hold->amount * hold->tolerance / 1000;
    uint64_t amount = capture->amount == UINT64_MAX ? left : capture->amount;
    if (amount == 0 || (wide)amount > most)
        return refuse(HF_CODE_OVER_CAPTURE, HF_RULE_HOLD, 0, payer);
    if (amount > hold->remaining && payer->status == HF_ACCOUNT_CLOSED)
        return refuse(HF_CODE_CLOSED, HF_RULE_PAYER, 0, payer);
    return approve(amount, payer);
}

struct outcome capture_amount(const struct turn *turn, struct model_hold *hold,
                              struct model_account *payee, uint64_t whole, bool final,
                              struct outcome *forgiven, wide back[MODEL_PARTS_MAX])
{
    struct model_books *books = turn->model->books;
    wide amount = (wide)whole;
    wide inside = amount < (wide)hold->remaining ? amount : (wide)hold->remaining;
    wide beyond = amount - inside;
    struct plan plan;
    wide remaining[MODEL_PARTS_MAX] = {0};
    wide shares[MODEL_PARTS_MAX];
    begin_plan(&plan);
    list_remaining(hold, remaining);
    spread_amount(hold, remaining, inside, WAY_CAPTURE, shares);
    wide released = final ? (wide)hold->remaining - inside : 0;
    wide after[MODEL_PARTS_MAX] = {0};
    for (uint32_t i = 0; i < hold->part_count; i++)
        after[i] = remaining[i] - shares[i];
    spread_amount(hold, after, released, WAY_RELEASE, back);
    for (uint32_t i = 0; i < hold->part_count; i++) {
        wide extra = i == 0 ? beyond : 0;
        struct model_balance change = {.posted = -shares[i] - extra,
                                       .held_out = -shares[i] - back[i],
                                       .lifetime_debits = shares[i] + extra};
        after[i] -= back[i];
        if (change.posted != 0 || change.held_out != 0)
            add_leg(&plan, find_account(books, hold->parts[i].account), change, HF_RULE_PAYER,
                    part_number(hold, i), extra > 0);
    }
    struct model_balance given = {.posted = amount,
                                  .held_in = no_id(hold->payee) ? 0 : -inside - released};
    add_leg(&plan, payee, given, HF_RULE_PAYEE, 0, false);
    struct outcome passed = pass_guards(books, &plan, forgiven);
    if (passed.code != HF_CODE_OK)
        return passed;
    apply_plan(turn, &plan);
    if (forgiven != NULL)
        loosen_bounds(&plan);
    set_remaining(hold, after);
    hold->captured += whole;
    add_event(turn, HF_EVENT_CAPTURED, hold->id, amount, hold->asset, 0);
    if (released > 0)
        add_event(turn, HF_EVENT_RELEASED, hold->id, released, hold->asset, 0);
    bool lapsed = hold->status == HF_HOLD_LAPSED;
    if (lapsed ? final || hold->captured >= hold->amount : hold->remaining == 0)
        end_hold(turn, hold, HF_HOLD_RESOLVED);
    return passed;
}

struct outcome do_capture(const struct turn *turn)
{
    const struct hf_op_capture *capture = &turn->operation->capture;
    struct model_hold *hold = find_hold(turn->model->books, capture->hold);
    struct model_account *payee = NULL;
    struct outcome outcome = check_capture(turn, hold, &payee);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    bool final = capture->final == 1 || (hold->policy & HF_HOLD_SINGLE) != 0;
    wide back[MODEL_PARTS_MAX];
    struct outcome passed = capture_amount(turn, hold, payee, outcome.approved, final, NULL, back);
    if (passed.code != HF_CODE_OK)
        return refuse(passed.code, passed.rule, passed.entry, outcome.account);
    return outcome;
}

struct outcome do_release(const struct turn *turn)
{
    struct model_books *books = turn->model->books;
    const struct hf_op_release *release = &turn->operation->release;
    struct model_hold *hold = find_hold(books, release->hold);
    struct outcome outcome = claim_hold(turn, hold);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    if (hold->status == HF_HOLD_LAPSED)
        return refuse(HF_CODE_HOLD_EXPIRED, HF_RULE_HOLD, 0, outcome.account);
    uint64_t amount = release->amount == UINT64_MAX ? hold->remaining : release->amount;
    if (amount > hold->remaining)
        return refuse(HF_CODE_OVER_CAPTURE, HF_RULE_HOLD, 0, outcome.account);
    release_amount(turn, hold, amount);
    add_event(turn, HF_EVENT_RELEASED, hold->id, (wide)amount, hold->asset, 0);
    if (hold->remaining == 0)
        end_hold(turn, hold, HF_HOLD_RESOLVED);
    return approve(amount, outcome.account);
}

/* Adjusting ------------------------------------------------------------------------------- */

static struct outcome check_raise(const struct turn *turn, const struct model_hold *hold)
{
    struct model_books *books = turn->model->books;
    for (uint32_t i = 0; i < hold->part_count; i++) {
        uint16_t code = standing_rest(turn, find_account(books, hold->parts[i].account), NULL);
        if (code != HF_CODE_OK)
            return refuse(code, HF_RULE_PAYER, part_number(hold, i), NULL);
    }
    if (no_id(hold->payee))
        return approve(0, NULL);
    uint16_t code = standing_rest(turn, find_account(books, hold->payee), NULL);
    return code == HF_CODE_OK ? approve(0, NULL) : refuse(code, HF_RULE_PAYEE, 0, NULL);
}

static struct outcome raise_hold(const struct turn *turn, struct model_hold *hold, uint64_t amount)
{
    struct model_books *books = turn->model->books;
    struct outcome outcome = check_raise(turn, hold);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    struct plan plan;
    wide remaining[MODEL_PARTS_MAX] = {0};
    wide shares[MODEL_PARTS_MAX] = {(wide)amount};
    begin_plan(&plan);
    list_remaining(hold, remaining);
    bool by_ratio = (hold->policy & HF_HOLD_RATIO) != 0;
    if (hold->part_count > 1 && by_ratio)
        spread_by_ratio(hold, remaining, (wide)amount, WAY_RAISE, shares);
    wide left = (wide)amount;
    for (uint32_t i = 0; i < hold->part_count; i++) {
        struct model_account *account = find_account(books, hold->parts[i].account);
        if (hold->part_count > 1 && !by_ratio) {
            wide most = can_pay(books, &plan, account);
            shares[i] = most < left ? most : left;
        }
        left -= shares[i];
        remaining[i] += shares[i];
        if (shares[i] > 0)
            add_leg(&plan, account, (struct model_balance){.held_out = shares[i]}, HF_RULE_PAYER,
                    part_number(hold, i), true);
    }
    if (left > 0)
        return refuse(HF_CODE_INSUFFICIENT, HF_RULE_PAYER, 0, NULL);
    if ((wide)hold->amount + (wide)amount > INT64_MAX)
        return refuse(HF_CODE_OVERFLOW, HF_RULE_HOLD, 0, NULL);
    if (!no_id(hold->payee))
        add_leg(&plan, find_account(books, hold->payee),
                (struct model_balance){.held_in = (wide)amount}, HF_RULE_PAYEE, 0, false);
    outcome = pass_guards(books, &plan, NULL);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    apply_plan(turn, &plan);
    set_remaining(hold, remaining);
    hold->amount += amount;
    return outcome;
}

static bool is_later(uint64_t expires_ns, const struct model_hold *hold, uint64_t now_ns)
{
    if (hold->expires_ns == 0)
        return false;
    return expires_ns > hold->expires_ns && expires_ns > now_ns;
}

struct outcome do_adjust(const struct turn *turn)
{
    const struct hf_op_adjust *adjust = &turn->operation->adjust;
    struct model_books *books = turn->model->books;
    struct model_hold *hold = find_hold(books, adjust->hold);
    struct outcome outcome = claim_hold(turn, hold);
    if (outcome.code != HF_CODE_OK)
        return outcome;
    const struct model_account *payer = outcome.account;
    if (hold->status == HF_HOLD_LAPSED || hold_has_expired(hold, turn->now_ns))
        return refuse(HF_CODE_HOLD_EXPIRED, HF_RULE_HOLD, 0, payer);
    if (adjust->expires_ns != 0 && !is_later(adjust->expires_ns, hold, turn->now_ns))
        return refuse(HF_CODE_EXPIRED, HF_RULE_EXPIRY, 0, payer);

    uint64_t raise = adjust->mode == HF_ADJUST_RAISE ? adjust->amount : 0;
    uint64_t lower = adjust->mode == HF_ADJUST_LOWER ? adjust->amount : 0;
    if (adjust->mode == HF_ADJUST_SET && adjust->amount > hold->remaining)
        raise = adjust->amount - hold->remaining;
    if (adjust->mode == HF_ADJUST_SET && adjust->amount < hold->remaining)
        lower = hold->remaining - adjust->amount;
    if (lower > hold->remaining)
        return refuse(HF_CODE_OVER_CAPTURE, HF_RULE_HOLD, 0, payer);
    if (raise > 0) {
        outcome = raise_hold(turn, hold, raise);
        outcome.account = payer;
        if (outcome.code != HF_CODE_OK)
            return outcome;
    }
    if (lower > 0) {
        release_amount(turn, hold, lower);
        hold->amount -= lower;
    }
    hold->record.is_adjusted = hold->record.is_adjusted || raise > 0 || lower > 0;
    if (adjust->expires_ns != 0)
        hold->expires_ns = adjust->expires_ns == HF_EXPIRES_NEVER ? 0 : adjust->expires_ns;
    add_event(turn, HF_EVENT_ADJUSTED, hold->id, (wide)hold->remaining, hold->asset, 0);
    if (hold->remaining == 0)
        end_hold(turn, hold, HF_HOLD_RESOLVED);
    return approve(hold->remaining, payer);
}

/* Proving --------------------------------------------------------------------------------- */

static bool proves(const struct hf_op_attest *attest, const struct hf_op_condition *condition)
{
    unsigned char hash[32];
    struct hf_attestation attestation = {
        .hold = attest->hold, .condition = attest->condition, .code = condition->code};
    memcpy(attestation.tag, HF_ATTESTATION_TAG, sizeof(attestation.tag));
    switch (condition->kind) {
    case HF_CONDITION_BLAKE2B:
        crypto_generichash(hash, 32, attest->proof, attest->proof_length, NULL, 0);
        return attest->proof_length >= 1 && memcmp(hash, condition->bytes, 32) == 0;
    case HF_CONDITION_SHA256:
        crypto_hash_sha256(hash, attest->proof, attest->proof_length);
        return attest->proof_length >= 1 && memcmp(hash, condition->bytes, 32) == 0;
    case HF_CONDITION_REGION:
        if (attest->code != condition->code)
            return false;
        /* fall through */
    case HF_CONDITION_SIGNATURE:
        return attest->proof_length == 64 &&
               crypto_sign_verify_detached(attest->proof, (const unsigned char *)&attestation,
                                           sizeof(attestation), condition->bytes) == 0;
    case HF_CONDITION_ORIGIN:
        return attest->proof_length == 0;
    default:
        return false;
    }
}

struct outcome do_attest(const struct turn *turn)
{
    const struct hf_op_attest *attest = &turn->operation->attest;
    struct model_hold *hold = find_hold(turn->model->books, attest->hold);
    if (hold == NULL || !was_held(hold))
        return refuse(HF_CODE_UNKNOWN_HOLD, HF_RULE_HOLD, 0, NULL);
    if (hold->status == HF_HOLD_RESOLVED)
        return refuse(HF_CODE_HOLD_RESOLVED, HF_RULE_HOLD, 0, NULL);
    if (hold->status == HF_HOLD_LAPSED || hold_has_expired(hold, turn->now_ns))
        return refuse(HF_CODE_HOLD_EXPIRED, HF_RULE_HOLD, 0, NULL);
    if (attest->condition > hold->condition_count)
        return refuse(HF_CODE_UNKNOWN_CONDITION, HF_RULE_CONDITION, 0, NULL);
    const struct hf_op_condition *condition = &hold->conditions[attest->condition - 1];
    if (condition->kind == HF_CONDITION_ORIGIN && condition->code != turn->origin)
        return refuse(HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN, 0, NULL);
    if (!proves(attest, condition))
        return refuse(HF_CODE_BAD_PROOF, HF_RULE_CONDITION, attest->condition, NULL);
    hold->met |= (uint8_t)(1u << (attest->condition - 1));
    add_event(turn, HF_EVENT_ATTESTED, hold->id, 0, 0, attest->condition);
    return approve(0, NULL);
}

/* Expiring -------------------------------------------------------------------------------- */

bool model_hold_is_due(const struct model_hold *hold, uint64_t timestamp_ns)
{
    return hold->status == HF_HOLD_OPEN && hold_has_expired(hold, timestamp_ns);
}

bool model_account_is_due(const struct model *model, const struct model_account *account,
                          uint64_t timestamp_ns)
{
    if (!account->has_terms || account->is_total || account->status == HF_ACCOUNT_CLOSED)
        return false;
    if (account->expires_ns == 0 || timestamp_ns < account->expires_ns || no_id(account->sink))
        return false;
    return spendable_of(model->books, account) > 0;
}

/* What an expired account can spend goes to its sink: the plan of it, or false. */
static bool plan_sweep(const struct turn *turn, struct model_account *account, struct plan *plan)
{
    struct model_books *books = turn->model->books;
    if (!model_account_is_due(turn->model, account, turn->now_ns))
        return false;
    struct model_account *sink = find_account(books, account->sink);
    if (standing(turn, sink, account->asset, NULL) != HF_CODE_OK)
        return false;
    wide amount = spendable_of(books, account);
    begin_plan(plan);
    add_leg(plan, account, (struct model_balance){.posted = -amount, .lifetime_debits = amount},
            HF_RULE_ACCOUNT, 0, false);
    add_leg(plan, sink, (struct model_balance){.posted = amount}, HF_RULE_SINK, 0, false);
    struct outcome passed = pass_guards(books, plan, NULL);
    return passed.code == HF_CODE_OK;
}

bool model_account_can_sweep(struct model *model, const struct model_account *account,
                             uint64_t timestamp_ns)
{
    struct turn turn = {.model = model, .now_ns = timestamp_ns};
    struct plan plan;
    return plan_sweep(&turn, find_account(model->books, account->id), &plan);
}

static bool expire_hold(const struct turn *turn, struct hf_id id)
{
    struct model_hold *hold = find_hold(turn->model->books, id);
    if (hold == NULL || !model_hold_is_due(hold, turn->now_ns))
        return false;
    uint64_t amount = hold->remaining;
    release_amount(turn, hold, amount);
    end_hold(turn, hold, HF_HOLD_LAPSED);
    add_event(turn, HF_EVENT_EXPIRED, hold->id, (wide)amount, hold->asset, 0);
    return true;
}

static bool expire_account(const struct turn *turn, struct hf_id id)
{
    struct model_account *account = find_account(turn->model->books, id);
    struct plan plan;
    if (account == NULL || !plan_sweep(turn, account, &plan))
        return false;
    wide amount = plan.legs[0].change.lifetime_debits;
    apply_plan(turn, &plan);
    account->floor_raised = true;
    add_event(turn, HF_EVENT_EXPIRED, account->id, amount, account->asset, 0);
    return true;
}

struct outcome do_expire(const struct turn *turn)
{
    const struct hf_op_expire *expire = &turn->operation->expire;
    uint64_t ended = 0;
    for (uint32_t i = 0; i < expire->count; i++) {
        const struct hf_op_expiry *expiry = &expire->expiries[i];
        bool did = expiry->kind == HF_EXPIRY_HOLD ? expire_hold(turn, expiry->id)
                                                  : expire_account(turn, expiry->id);
        ended += did ? 1 : 0;
    }
    return approve(ended, NULL);
}
