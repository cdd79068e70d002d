/* Which limits bear, what they allow, drawing and giving back. */
#include "draw.h"

#include "state.h"

#include <assert.h>

HF_STATIC_ASSERT(HF_LIMITS_BEARING_MAX == HF_UNDO_DRAWS_MAX, "all draws can be undone");
HF_STATIC_ASSERT(sizeof(struct hf_limit) + sizeof(struct hf_usage) + 2 * HF_UNDO_NOTE_SIZE ==
                     HF_UNDO_DRAW_SIZE,
                 "all draws can be undone");
HF_STATIC_ASSERT(sizeof(struct hf_rolling) + HF_UNDO_NOTE_SIZE == HF_UNDO_ROLLING_SIZE,
                 "and so can the emptying of all rolling windows");

/* ---- which bear ---- */

static inline bool is_bearing(const struct hf_limit_list *limits, const struct hf_limit *limit,
                              const struct hf_attributes *attributes)
{
    return limit->has_filter == 0 ||
           hf_filter_passes(&hf_limit_more_of(limits, limit)->filter, attributes);
}

static inline void add(struct hf_ledger *ledger, struct hf_limit *limit, uint8_t rule,
                       uint64_t amount)
{
    struct hf_bearing *bearing = &ledger->bearing;

    assert(bearing->count < HF_LIMITS_BEARING_MAX);
    bearing->list[bearing->count++] = (struct hf_bearing_limit){
        .limit = limit,
        .period = hf_limit_period_by(ledger->limit_clocks, limit, ledger->bundle_ns),
        .amount = amount,
        .rule = rule,
    };
}

static inline void gather(struct hf_ledger *ledger, struct hf_limit_run run, uint8_t rule,
                          const struct hf_attributes *attributes, uint64_t amount)
{
    for (uint32_t i = 0; i < run.count; i++) {
        struct hf_limit *limit = hf_limit_in(&ledger->limit_list, run, i);
        if (is_bearing(&ledger->limit_list, limit, attributes))
            add(ledger, limit, rule, amount);
    }
}

/* Those of the payer's terms and of all its ancestors. */
static __attribute__((noinline)) void gather_payer(struct hf_ledger *ledger,
                                                   const struct hf_account *payer,
                                                   const struct hf_attributes *attributes)
{
    const struct hf_terms *terms = hf_terms_of(&ledger->terms, payer);
    uint8_t rule = HF_RULE_ACCOUNT_LIMIT;

    while (terms != NULL) {
        gather(ledger, hf_limit_run_of_terms(terms), rule, attributes, 0);
        if (terms->parent == HF_TABLE_NONE)
            return;
        terms = hf_terms_of(&ledger->terms, hf_account_at(&ledger->accounts, terms->parent));
        rule = HF_RULE_PARENT_LIMIT;
    }
}

static inline void gather_both(struct hf_ledger *ledger, const struct hf_instrument *instrument,
                               const struct hf_account *payer,
                               const struct hf_attributes *attributes)
{
    ledger->bearing.count = 0;
    gather(ledger, hf_limit_run_of(instrument), HF_RULE_INSTRUMENT_LIMIT, attributes, 0);
    if (payer != NULL && (payer->flags & HF_ACCOUNT_HAS_TERMS) != 0)
        gather_payer(ledger, payer, attributes);
}

void hf_draw_gather(struct hf_ledger *ledger, const struct hf_instrument *instrument,
                    const struct hf_account *payer, const struct hf_attributes *attributes)
{
    gather_both(ledger, instrument, payer, attributes);
}

/* Those of an ancestor, some of which another payer may have brought already. */
static void gather_once(struct hf_ledger *ledger, struct hf_limit_run run, uint8_t rule,
                        const struct hf_attributes *attributes, uint64_t amount)
{
    struct hf_bearing *bearing = &ledger->bearing;

    for (uint32_t i = 0; i < run.count; i++) {
        struct hf_limit *limit = hf_limit_in(&ledger->limit_list, run, i);
        uint32_t index = 0;
        if (!is_bearing(&ledger->limit_list, limit, attributes))
            continue;
        while (index < bearing->count && bearing->list[index].limit != limit)
            index++;
        if (index == bearing->count)
            add(ledger, limit, rule, amount);
        else
            bearing->list[index].amount += amount;
    }
}

uint32_t hf_draw_gather_payer(struct hf_ledger *ledger, const struct hf_account *payer,
                              const struct hf_attributes *attributes, uint64_t amount)
{
    uint32_t first = ledger->bearing.count;
    uint8_t rule = HF_RULE_ACCOUNT_LIMIT;

    for (; payer != NULL; payer = hf_terms_parent(ledger, payer)) {
        const struct hf_terms *terms = hf_terms_of(&ledger->terms, payer);
        if (terms == NULL)
            break;
        gather_once(ledger, hf_limit_run_of_terms(terms), rule, attributes, amount);
        rule = HF_RULE_PARENT_LIMIT;
    }
    return first;
}

void hf_draw_gather_all(struct hf_ledger *ledger, const struct hf_instrument *instrument,
                        const struct hf_payers *payers, const struct hf_attributes *attributes)
{
    uint64_t total = 0;

    for (uint32_t i = 0; i < payers->count; i++)
        total += payers->amounts[i];
    ledger->bearing.count = 0;
    gather(ledger, hf_limit_run_of(instrument), HF_RULE_INSTRUMENT_LIMIT, attributes, total);
    for (uint32_t i = 0; i < payers->count; i++) {
        if (payers->amounts[i] != 0)
            hf_draw_gather_payer(ledger, payers->accounts[i], attributes, payers->amounts[i]);
    }
}

/* ---- what they allow ---- */

/* What a limit allows, and whether it is its count that allows nothing. */
struct allowance {
    uint64_t amount;
    bool is_count_used_up;
};

/* What is left of a maximum. */
static uint64_t left_of(uint64_t maximum, uint64_t used)
{
    if (maximum == HF_LIMIT_UNLIMITED)
        return HF_LIMIT_UNLIMITED;
    return used < maximum ? maximum - used : 0;
}

static struct allowance allowance_of(const struct hf_limit_list *limits,
                                     const struct hf_bearing_limit *bearing)
{
    const struct hf_limit *limit = bearing->limit;
    struct hf_usage used = hf_limit_used(limits, limit, bearing->period);

    if (limit->max_count != HF_LIMIT_UNLIMITED && used.count >= limit->max_count)
        return (struct allowance){.amount = 0, .is_count_used_up = true};
    return (struct allowance){.amount = left_of(limit->max_amount, used.amount)};
}

static bool is_stricter(const struct allowance *one, const struct allowance *other)
{
    if (one->amount != other->amount)
        return one->amount < other->amount;
    return one->is_count_used_up && !other->is_count_used_up;
}

static struct hf_verdict verdict_of(const struct allowance *allowance,
                                    const struct hf_bearing_limit *bearing)
{
    return (struct hf_verdict){
        allowance->is_count_used_up ? HF_CODE_COUNT_LIMIT : HF_CODE_AMOUNT_LIMIT,
        bearing->rule,
        bearing->limit->number,
    };
}

/* Surely it allows this amount? Where this is false, allowance_of knows. Of a maximum that is no
 * limit the largest number is left. */
static inline bool allows_at_a_glance(const struct hf_limit_list *limits,
                                      const struct hf_bearing_limit *bearing, uint64_t amount)
{
    const struct hf_limit *limit = bearing->limit;
    struct hf_usage used = hf_limit_used(limits, limit, bearing->period);

    return used.count < limit->max_count && used.amount <= limit->max_amount &&
           limit->max_amount - used.amount >= amount;
}

static bool all_allow_at_a_glance(const struct hf_ledger *ledger, uint64_t amount)
{
    const struct hf_bearing *bearing = &ledger->bearing;

    for (uint32_t i = 0; i < bearing->count; i++) {
        if (!allows_at_a_glance(&ledger->limit_list, &bearing->list[i], amount))
            return false;
    }
    return true;
}

static const struct hf_verdict fine = {HF_CODE_OK, HF_RULE_NONE, 0};

/* The strictest decides. */
static __attribute__((noinline)) struct hf_verdict
check_strictest(const struct hf_ledger *ledger, uint64_t minimum, uint64_t *amount)
{
    const struct hf_bearing *bearing = &ledger->bearing;
    struct allowance strictest = {.amount = HF_LIMIT_UNLIMITED};
    uint32_t index = 0;

    for (uint32_t i = 0; i < bearing->count; i++) {
        struct allowance allowance = allowance_of(&ledger->limit_list, &bearing->list[i]);
        if (!is_stricter(&allowance, &strictest))
            continue;
        strictest = allowance;
        index = i;
    }
    if (strictest.amount >= *amount && !strictest.is_count_used_up)
        return fine;
    if (strictest.amount != 0 && minimum != 0 && strictest.amount >= minimum) {
        *amount = strictest.amount;
        return fine;
    }
    return verdict_of(&strictest, &bearing->list[index]);
}

struct hf_verdict hf_draw_ask(struct hf_ledger *ledger, const struct hf_instrument *instrument,
                              const struct hf_account *payer,
                              const struct hf_attributes *attributes, uint64_t minimum,
                              uint64_t *amount)
{
    assert(*amount <= HF_AMOUNT_MAX);
    assert(minimum <= *amount);
    gather_both(ledger, instrument, payer, attributes);
    return all_allow_at_a_glance(ledger, *amount) ? fine : check_strictest(ledger, minimum, amount);
}

struct hf_verdict hf_draw_check_more(const struct hf_ledger *ledger, uint64_t held, uint64_t amount)
{
    const struct hf_bearing *bearing = &ledger->bearing;
    struct allowance strictest = {.amount = HF_LIMIT_UNLIMITED};
    uint32_t index = 0;

    for (uint32_t i = 0; i < bearing->count; i++) {
        const struct hf_bearing_limit *one = &bearing->list[i];
        uint64_t used = one->limit->window == HF_LIMIT_OPERATION
                            ? held
                            : hf_limit_used(&ledger->limit_list, one->limit, one->period).amount;
        uint64_t left = left_of(one->limit->max_amount, used);
        if (left >= strictest.amount)
            continue;
        strictest.amount = left;
        index = i;
    }
    return strictest.amount >= amount ? fine : verdict_of(&strictest, &bearing->list[index]);
}

uint64_t hf_draw_allowed(const struct hf_ledger *ledger, const struct hf_account *payer,
                         const struct hf_attributes *attributes, struct hf_verdict *verdict)
{
    const struct hf_bearing *bearing = &ledger->bearing;
    struct allowance strictest = {.amount = HF_LIMIT_UNLIMITED};
    uint8_t rule = HF_RULE_ACCOUNT_LIMIT;

    *verdict = fine;
    for (; payer != NULL; payer = hf_terms_parent(ledger, payer), rule = HF_RULE_PARENT_LIMIT) {
        const struct hf_terms *terms = hf_terms_of(&ledger->terms, payer);
        if (terms == NULL)
            break;
        const struct hf_limit_run run = hf_limit_run_of_terms(terms);
        for (uint32_t index = 0; index < run.count; index++) {
            struct hf_limit *limit = hf_limit_in(&ledger->limit_list, run, index);
            struct hf_bearing_limit one = {.limit = limit, .rule = rule};
            if (!is_bearing(&ledger->limit_list, limit, attributes))
                continue;
            one.period = hf_limit_period(limit, ledger->bundle_ns);
            struct allowance allowance = allowance_of(&ledger->limit_list, &one);
            for (uint32_t i = 0; i < bearing->count; i++) {
                if (bearing->list[i].limit == limit)
                    allowance.amount = left_of(allowance.amount, bearing->list[i].amount);
            }
            if (!is_stricter(&allowance, &strictest))
                continue;
            strictest = allowance;
            *verdict = verdict_of(&allowance, &one);
        }
    }
    return strictest.amount;
}

/* ---- drawing ---- */

/* Makes the bucket of this number the newest: those passed over are empty. */
static void roll_on(struct hf_rolling *rolling, int64_t newest, int64_t period)
{
    int64_t first = newest + 1;

    if (period - first >= HF_LIMIT_BUCKETS)
        first = period - (HF_LIMIT_BUCKETS - 1);
    for (int64_t i = first; i <= period; i++)
        rolling->buckets[i % HF_LIMIT_BUCKETS] = (struct hf_usage){0};
}

/* Of one that has been rolled on already only the bucket is kept: so a chain keeps a whole window
 * once. */
static void draw_on_bucket(struct hf_ledger *ledger, struct hf_limit *limit, int64_t period,
                           uint64_t amount, uint64_t count)
{
    struct hf_rolling *rolling = &ledger->limit_list.rollings[limit->rolling];
    struct hf_usage *bucket = &rolling->buckets[period % HF_LIMIT_BUCKETS];

    if (limit->period == period) {
        hf_undo_keep(&ledger->undo, bucket, sizeof(*bucket));
    } else {
        hf_undo_keep(&ledger->undo, rolling, sizeof(*rolling));
        roll_on(rolling, limit->period, period);
        limit->period = period;
    }
    bucket->amount = hf_limit_add_up(bucket->amount, amount);
    bucket->count += count;
}

static inline void draw(struct hf_ledger *ledger, const struct hf_bearing_limit *bearing,
                        uint64_t amount, uint64_t count)
{
    struct hf_limit *limit = bearing->limit;
    struct hf_usage used = limit->used;

    if (limit->window == HF_LIMIT_OPERATION)
        return;
    hf_undo_keep(&ledger->undo, limit, sizeof(*limit));
    if (limit->window == HF_LIMIT_ROLLING) {
        draw_on_bucket(ledger, limit, bearing->period, amount, count);
        return;
    }
    if (limit->period != bearing->period)
        used = (struct hf_usage){0};
    limit->period = bearing->period;
    limit->used.amount = hf_limit_add_up(used.amount, amount);
    limit->used.count = used.count + count;
}

static inline void tell(struct hf_ledger *ledger, uint16_t asset, const struct hf_answer *answer)
{
    if (__builtin_expect(ledger->events == NULL, 1))
        return;
    for (uint32_t i = 0; i < ledger->bearing.count; i++)
        hf_limit_tell(ledger, ledger->bearing.list[i].limit, asset, answer);
}

static inline void draw_all(struct hf_ledger *ledger, uint64_t amount, uint64_t count)
{
    const struct hf_bearing *bearing = &ledger->bearing;

    assert(amount >= 1);
    assert(amount <= HF_AMOUNT_MAX);
    for (uint32_t i = 0; i < bearing->count; i++)
        draw(ledger, &bearing->list[i], amount, count);
}

void hf_draw(struct hf_ledger *ledger, uint64_t amount, uint16_t asset,
             const struct hf_answer *answer)
{
    draw_all(ledger, amount, 1);
    tell(ledger, asset, answer);
}

void hf_draw_each(struct hf_ledger *ledger, uint16_t asset, const struct hf_answer *answer)
{
    const struct hf_bearing *bearing = &ledger->bearing;

    for (uint32_t i = 0; i < bearing->count; i++) {
        assert(bearing->list[i].amount >= 1);
        draw(ledger, &bearing->list[i], bearing->list[i].amount, 1);
    }
    tell(ledger, asset, answer);
}

void hf_draw_more(struct hf_ledger *ledger, uint64_t amount, uint16_t asset,
                  const struct hf_answer *answer)
{
    draw_all(ledger, amount, 0);
    tell(ledger, asset, answer);
}

/* ---- giving back ---- */

/* What a limit still has of the window that a time lies in: NULL when it has let go of it. */
static struct hf_usage *find_usage(struct hf_ledger *ledger, struct hf_limit *limit,
                                   uint64_t timestamp_ns)
{
    int64_t period = hf_limit_period(limit, timestamp_ns);

    if (limit->window == HF_LIMIT_ROLLING) {
        if (period > limit->period || limit->period - period >= HF_LIMIT_BUCKETS)
            return NULL;
        return &ledger->limit_list.rollings[limit->rolling].buckets[period % HF_LIMIT_BUCKETS];
    }
    return period == limit->period ? &limit->used : NULL;
}

/* Takes what was drawn at a time from what is used in its window. True when that changed it. */
static bool take_back(struct hf_ledger *ledger, struct hf_limit *limit, uint64_t timestamp_ns,
                      uint64_t amount, uint64_t count)
{
    struct hf_usage *used = amount + count == 0 ? NULL : find_usage(ledger, limit, timestamp_ns);

    if (used == NULL)
        return false;
    amount = amount < used->amount ? amount : used->amount;
    count = count < used->count ? count : used->count;
    if (amount + count == 0)
        return false;
    hf_undo_keep(&ledger->undo, used, sizeof(*used));
    used->amount -= amount;
    used->count -= count;
    return true;
}

void hf_draw_give_back(struct hf_ledger *ledger, const struct hf_refund *refund, uint16_t asset,
                       const struct hf_answer *answer)
{
    const struct hf_bearing *bearing = &ledger->bearing;

    for (uint32_t i = 0; i < bearing->count; i++) {
        struct hf_limit *limit = bearing->list[i].limit;
        uint64_t since = ledger->limit_list.since[limit - ledger->limit_list.list];
        if (since > refund->place || limit->window == HF_LIMIT_OPERATION)
            continue;
        bool is_changed = take_back(ledger, limit, refund->later_ns, refund->later, 0);
        is_changed |= take_back(ledger, limit, refund->first_ns, bearing->list[i].amount,
                                refund->is_count ? 1 : 0);
        if (is_changed)
            hf_limit_tell(ledger, limit, asset, answer);
    }
}
