#include "workload.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define DRAWS_MOST     (UINT64_C(1) << 22)
#define FOLLOWING_MOST (1u << 16)
#define AMOUNT_MOST    100u
/* How many operations are made before what comes a while later. */
#define A_WHILE 2000u
/* What a CLEAR may be above its AUTH, parts per thousand: a tip of a fifth. */
#define TOLERANCE 200u
/* DE32 of every card payment. */
#define ACQUIRER_CODE UINT64_C(12345678901)
/* Ranks are spread over the accounts by multiplication with a prime: neighbours in rank are then no
 * neighbours in number. The prime of xxHash. */
#define SCRAMBLE_PRIME UINT64_C(11400714785074694791)

/* What is to follow an operation that was approved. */
struct following {
    struct hf_workload_entry of;
    uint8_t type; /* CAPTURE, CLEAR or REVERSE */
    uint64_t due; /* when so many operations have been made */
};
struct following_ring {
    struct following *list; /* FOLLOWING_MOST of them, in order of `due` */
    uint32_t first, count;
};

struct hf_workload {
    struct hf_workload_settings settings;
    struct hf_random random;
    uint32_t *draws; /* account indices by zipf; NULL: uniform */
    uint64_t draw_count;
    uint64_t draw_next;
    uint64_t made;
    struct following_ring at_once;
    struct following_ring later;
    union hf_operation_buffer plan; /* the one being made */
    /* The second of two that belong together: an AUTH and its overtaking or chasing REVERSE. */
    bool has_second;
    union hf_operation second;
    struct hf_workload_entry second_entry;
};

static const char *const kind_names[] = {
    [HF_WORKLOAD_TRANSFER] = "transfer", [HF_WORKLOAD_AUTH] = "auth",
    [HF_WORKLOAD_SPLIT] = "split",       [HF_WORKLOAD_HOLD] = "hold",
    [HF_WORKLOAD_MIXED] = "mixed",       [HF_WORKLOAD_CARDS] = "cards",
    [HF_WORKLOAD_QUERY] = "query",
};

const char *hf_workload_kind_name(enum hf_workload_kind kind)
{
    return kind_names[kind];
}

bool hf_workload_kind_parse(const char *text, enum hf_workload_kind *kind)
{
    for (size_t i = 0; i < sizeof kind_names / sizeof kind_names[0]; i++) {
        if (strcmp(text, kind_names[i]) == 0) {
            *kind = (enum hf_workload_kind)i;
            return true;
        }
    }
    return false;
}

bool hf_workload_needs_cards(enum hf_workload_kind kind)
{
    return kind == HF_WORKLOAD_AUTH || kind == HF_WORKLOAD_MIXED || kind == HF_WORKLOAD_CARDS ||
           kind == HF_WORKLOAD_QUERY;
}

uint64_t hf_workload_accounts_min(enum hf_workload_kind kind)
{
    return kind == HF_WORKLOAD_SPLIT || kind == HF_WORKLOAD_MIXED ? HF_WORKLOAD_FURTHER + 2 : 2;
}

/* ---- names ---- */

struct hf_id hf_workload_account_id(uint64_t accounts, uint64_t index)
{
    assert(index < accounts + 2);
    uint64_t lo = HF_WORKLOAD_ACCOUNT_BASE + index;
    if (index == accounts)
        lo = HF_WORKLOAD_ISSUANCE;
    else if (index == accounts + 1)
        lo = HF_WORKLOAD_ACQUIRER;
    return (struct hf_id){.lo = lo, .hi = 0};
}

struct hf_id hf_workload_token(uint64_t index)
{
    return (struct hf_id){.lo = HF_WORKLOAD_TOKEN_BASE + index, .hi = 0};
}

uint64_t hf_workload_account_index(uint64_t accounts, struct hf_id id)
{
    if (id.hi != 0)
        return UINT64_MAX;
    if (id.lo == HF_WORKLOAD_ISSUANCE)
        return accounts;
    if (id.lo == HF_WORKLOAD_ACQUIRER)
        return accounts + 1;
    uint64_t index = id.lo - HF_WORKLOAD_ACCOUNT_BASE;
    return index < accounts ? index : UINT64_MAX;
}

/* ---- books ---- */

void hf_workload_enter(struct hf_workload_balance *balances, const struct hf_workload_entry *entry,
                       uint64_t approved)
{
    struct hf_workload_balance *payer = &balances[entry->payer];
    struct hf_workload_balance *payee = &balances[entry->payee];
    int64_t amount = (int64_t)entry->amount;
    assert(amount >= 0);
    if (entry->type == HF_OP_QUERY)
        return;
    if (entry->type == HF_OP_AUTH || entry->type == HF_OP_HOLD) {
        payer->held_out += amount;
        payee->held_in += amount;
        return;
    }
    if (entry->type == HF_OP_REVERSE) {
        payer->held_out -= (int64_t)approved;
        payee->held_in -= (int64_t)approved;
        return;
    }
    if (entry->type == HF_OP_CAPTURE || entry->type == HF_OP_CLEAR) {
        payer->held_out -= amount + entry->returned;
        payee->held_in -= amount + entry->returned;
    }
    payer->posted -= amount;
    payee->posted += amount;
    for (uint8_t i = 0; i < entry->further_count; i++) {
        balances[entry->further[i].payer].posted -= (int64_t)entry->further[i].amount;
        payer->posted += (int64_t)entry->further[i].amount;
    }
}

/* ---- operations ---- */

static bool draw_ahead(struct hf_workload *workload)
{
    const struct hf_workload_settings *settings = &workload->settings;
    /* Two draws a transfer, four a split. */
    workload->draw_count = DRAWS_MOST;
    if (settings->operations > 0 && settings->operations < DRAWS_MOST / 4)
        workload->draw_count = 4 * settings->operations;
    workload->draws = malloc(workload->draw_count * sizeof *workload->draws);
    if (workload->draws == NULL)
        return false;
    struct hf_zipf zipf;
    hf_zipf_init(&zipf, settings->accounts, settings->zipf);
    __extension__ typedef unsigned __int128 wide;
    for (uint64_t i = 0; i < workload->draw_count; i++) {
        uint64_t rank = hf_zipf_next(&zipf, &workload->random) - 1;
        workload->draws[i] = (uint32_t)((wide)rank * SCRAMBLE_PRIME % settings->accounts);
    }
    return true;
}

struct hf_workload *hf_workload_create(const struct hf_workload_settings *settings)
{
    assert(settings->accounts >= hf_workload_accounts_min(settings->kind));
    assert(settings->accounts <= HF_WORKLOAD_ACCOUNTS_MAX);
    struct hf_workload *workload = calloc(1, sizeof *workload);
    if (workload == NULL)
        return NULL;
    workload->settings = *settings;
    workload->random.state = settings->seed;
    workload->at_once.list = malloc(FOLLOWING_MOST * sizeof *workload->at_once.list);
    workload->later.list = malloc(FOLLOWING_MOST * sizeof *workload->later.list);
    if (workload->at_once.list == NULL || workload->later.list == NULL ||
        (settings->zipf > 0 && !draw_ahead(workload))) {
        hf_workload_destroy(workload);
        return NULL;
    }
    return workload;
}

void hf_workload_destroy(struct hf_workload *workload)
{
    if (workload == NULL)
        return;
    free(workload->at_once.list);
    free(workload->later.list);
    free(workload->draws);
    free(workload);
}

static uint64_t draw_account(struct hf_workload *workload)
{
    if (workload->draws == NULL)
        return hf_random_below(&workload->random, workload->settings.accounts);
    uint64_t account = workload->draws[workload->draw_next];
    if (++workload->draw_next == workload->draw_count)
        workload->draw_next = 0;
    return account;
}

/* Draws an account that none of the others is. */
static uint64_t draw_other(struct hf_workload *workload, const uint64_t others[], uint32_t count)
{
    uint64_t account = draw_account(workload);
    for (uint32_t i = 0; i < count; i++) {
        if (others[i] == account) {
            account = (account + 1) % workload->settings.accounts;
            i = UINT32_MAX; /* from the beginning: there are more accounts than others */
        }
    }
    return account;
}

static struct hf_id account_id(const struct hf_workload *workload, uint64_t index)
{
    return hf_workload_account_id(workload->settings.accounts, index);
}

static void draw_payer_and_payee(struct hf_workload *workload, struct hf_workload_entry *entry)
{
    entry->payer = draw_account(workload);
    entry->payee = draw_other(workload, &entry->payer, 1);
}

static void next_transfer(struct hf_workload *workload, union hf_operation *op,
                          struct hf_workload_entry *entry)
{
    entry->type = HF_OP_MOVE;
    draw_payer_and_payee(workload, entry);
    hf_make_move(op, entry->id, account_id(workload, entry->payer),
                 account_id(workload, entry->payee), entry->amount, HF_WORKLOAD_ASSET);
}

static void next_hold(struct hf_workload *workload, union hf_operation *op,
                      struct hf_workload_entry *entry)
{
    entry->type = HF_OP_HOLD;
    draw_payer_and_payee(workload, entry);
    hf_make_hold(op, entry->id, account_id(workload, entry->payer),
                 account_id(workload, entry->payee), entry->amount, HF_WORKLOAD_ASSET);
}

/* A waterfall: the first two give what they have up to a third of it, the last whatever is missing.
 * Accounts hold far more than that, so the books know each one's part. */
static void next_split(struct hf_workload *workload, union hf_workload_operation *op,
                       struct hf_workload_entry *entry)
{
    union hf_operation_buffer *plan = &workload->plan;
    uint64_t drawn[HF_WORKLOAD_FURTHER + 1];
    entry->type = HF_OP_MOVE_PLAN;
    entry->amount += 2; /* a third of it is something */
    uint64_t third = entry->amount / 3;
    entry->payer = drawn[0] = draw_account(workload);
    hf_make_move_plan_begin(plan, entry->id, entry->amount, HF_WORKLOAD_ASSET);
    bool fits = hf_plan_add_source(plan, account_id(workload, drawn[0]), HF_ENTRY_UP_TO, third);
    for (uint8_t i = 0; i < HF_WORKLOAD_FURTHER; i++) {
        bool is_last = i + 1 == HF_WORKLOAD_FURTHER;
        drawn[i + 1] = draw_other(workload, drawn, i + 1u);
        entry->further[i].payer = drawn[i + 1];
        entry->further[i].amount = is_last ? entry->amount - third * HF_WORKLOAD_FURTHER : third;
        fits = fits && hf_plan_add_source(plan, account_id(workload, drawn[i + 1]),
                                          is_last ? HF_ENTRY_REMAINING : HF_ENTRY_UP_TO,
                                          is_last ? 0 : third);
    }
    entry->further_count = HF_WORKLOAD_FURTHER;
    entry->payee = draw_other(workload, drawn, HF_WORKLOAD_FURTHER + 1);
    fits = fits &&
           hf_plan_add_destination(plan, account_id(workload, entry->payee), HF_ENTRY_REMAINING, 0);
    assert(fits);
    assert(plan->operation.header.length <= sizeof *op);
    memcpy(op, plan, plan->operation.header.length);
}

static void next_auth(struct hf_workload *workload, union hf_operation *op,
                      struct hf_workload_entry *entry)
{
    uint64_t accounts = workload->settings.accounts;
    entry->type = HF_OP_AUTH;
    entry->payer = draw_account(workload);
    entry->payee = accounts + 1;
    hf_make_auth(op, entry->id, hf_workload_token(entry->payer),
                 hf_workload_account_id(accounts, entry->payee), entry->amount, HF_WORKLOAD_ASSET);
    op->auth.acquirer = ACQUIRER_CODE;
    op->auth.tolerance = workload->settings.kind == HF_WORKLOAD_CARDS ? TOLERANCE : 0;
    op->auth.transaction_type = 0; /* goods and services */
    op->auth.mcc = 5411;           /* grocery stores */
    op->auth.country = 840;
    op->auth.entry_mode = 51; /* chip, with PIN */
    op->auth.card_expiry = 4912;
    memcpy(op->auth.terminal, "TERM0001", sizeof op->auth.terminal);
    memcpy(op->auth.merchant, "MERCHANT0000001", sizeof op->auth.merchant);
}

static void make_reverse(union hf_operation *op, struct hf_workload_entry *entry,
                         const struct hf_workload_entry *of)
{
    entry->type = HF_OP_REVERSE;
    entry->payer = of->payer;
    entry->payee = of->payee;
    entry->amount = of->amount;
    hf_make_reverse(op, entry->id, of->id, HF_AMOUNT_ALL, HF_WORKLOAD_ASSET, ACQUIRER_CODE);
}

/* An authorisation, and what becomes of it. One that is overtaken or chased by its reversal is the
 * second of two, or has it as its second. */
static void next_fated_auth(struct hf_workload *workload, struct hf_client *client,
                            union hf_operation *op, struct hf_workload_entry *entry)
{
    next_auth(workload, op, entry);
    if (workload->settings.reverse_permille == 0 ||
        hf_random_below(&workload->random, 1000) >= workload->settings.reverse_permille)
        return;
    entry->fate = (uint8_t)(1 + hf_random_below(&workload->random, HF_WORKLOAD_FATES - 1));
    if (entry->fate != HF_WORKLOAD_OVERTAKEN && entry->fate != HF_WORKLOAD_CHASED)
        return;
    union hf_operation reverse;
    struct hf_workload_entry reversing = {.id = hf_client_next_id(client)};
    make_reverse(&reverse, &reversing, entry);
    bool overtakes = entry->fate == HF_WORKLOAD_OVERTAKEN;
    workload->second_entry = overtakes ? *entry : reversing;
    memcpy(&workload->second, overtakes ? op : &reverse,
           overtakes ? sizeof op->auth : sizeof reverse.reverse);
    workload->has_second = true;
    if (overtakes) {
        *entry = reversing;
        memcpy(op, &reverse, sizeof reverse.reverse);
    }
}

static void take_second(struct hf_workload *workload, union hf_operation *op,
                        struct hf_workload_entry *entry)
{
    *entry = workload->second_entry;
    memcpy(op, &workload->second, workload->second.header.length);
    workload->has_second = false;
}

/* What is cleared is final. Of ten, eight are of the amount, one of less, one of more. */
static uint64_t draw_cleared(struct hf_workload *workload, uint64_t amount)
{
    uint64_t drawn = hf_random_below(&workload->random, 10);
    if (drawn == 0)
        return 1 + hf_random_below(&workload->random, amount);
    if (drawn == 1)
        return amount + hf_random_below(&workload->random, amount * TOLERANCE / 1000 + 1);
    return amount;
}

/* A CAPTURE is of an authorisation in full, of a hold in part, and the rest goes back. */
static void make_following(struct hf_workload *workload, const struct following *following,
                           union hf_operation *op, struct hf_workload_entry *entry)
{
    const struct hf_workload_entry *of = &following->of;
    if (following->type == HF_OP_REVERSE) {
        make_reverse(op, entry, of);
        return;
    }
    entry->type = following->type;
    entry->payer = of->payer;
    entry->payee = of->payee;
    entry->amount = of->amount;
    if (following->type == HF_OP_CLEAR)
        entry->amount = draw_cleared(workload, of->amount);
    else if (of->type == HF_OP_HOLD)
        entry->amount = 1 + hf_random_below(&workload->random, of->amount);
    entry->returned = (int64_t)of->amount - (int64_t)entry->amount;
    if (following->type == HF_OP_CLEAR)
        hf_make_clear(op, entry->id, of->id, entry->amount, HF_WORKLOAD_ASSET, ACQUIRER_CODE,
                      HF_CLEAR_FINAL);
    else
        hf_make_capture(op, entry->id, of->id, entry->amount, true);
}

/* The ring's first, if its time has come. */
static const struct following *take_due(const struct hf_workload *workload,
                                        struct following_ring *ring)
{
    const struct following *following = &ring->list[ring->first];
    if (ring->count == 0 || following->due > workload->made)
        return NULL;
    ring->first = (ring->first + 1) % FOLLOWING_MOST;
    ring->count--;
    return following;
}

static void follow(struct hf_workload *workload, const struct hf_workload_entry *of, uint8_t type,
                   bool is_later)
{
    struct following_ring *ring = is_later ? &workload->later : &workload->at_once;
    if (ring->count == FOLLOWING_MOST)
        return;
    ring->list[(ring->first + ring->count) % FOLLOWING_MOST] = (struct following){
        .of = *of,
        .type = type,
        .due = is_later ? workload->made + A_WHILE : 0,
    };
    ring->count++;
}

static void next_query(struct hf_workload *workload, union hf_operation *op,
                       struct hf_workload_entry *entry)
{
    static const uint8_t subjects[] = {HF_QUERY_ACCOUNT, HF_QUERY_INSTRUMENT,
                                       HF_QUERY_INSTRUMENT_AUTHORISATIONS};
    uint8_t subject = subjects[hf_random_below(&workload->random, sizeof subjects)];
    entry->type = HF_OP_QUERY;
    entry->payer = draw_account(workload);
    entry->payee = entry->payer;
    hf_make_query(op, entry->id, subject,
                  subject == HF_QUERY_ACCOUNT ? account_id(workload, entry->payer)
                                              : hf_workload_token(entry->payer));
}

static enum hf_workload_kind draw_kind(struct hf_workload *workload)
{
    static const enum hf_workload_kind mix[] = {
        HF_WORKLOAD_TRANSFER, HF_WORKLOAD_TRANSFER, HF_WORKLOAD_TRANSFER, HF_WORKLOAD_TRANSFER,
        HF_WORKLOAD_TRANSFER, HF_WORKLOAD_SPLIT,    HF_WORKLOAD_SPLIT,    HF_WORKLOAD_HOLD,
        HF_WORKLOAD_HOLD,     HF_WORKLOAD_AUTH,
    };
    if (workload->settings.kind != HF_WORKLOAD_MIXED)
        return workload->settings.kind;
    return mix[hf_random_below(&workload->random, sizeof mix / sizeof mix[0])];
}

void hf_workload_next(struct hf_workload *workload, struct hf_client *client,
                      union hf_workload_operation *op, struct hf_workload_entry *entry)
{
    workload->made++;
    if (workload->has_second) {
        take_second(workload, &op->operation, entry);
        return;
    }
    memset(entry, 0, sizeof *entry);
    entry->id = hf_client_next_id(client);
    const struct following *following = take_due(workload, &workload->at_once);
    if (following == NULL)
        following = take_due(workload, &workload->later);
    if (following != NULL) {
        make_following(workload, following, &op->operation, entry);
        return;
    }
    enum hf_workload_kind kind = draw_kind(workload);
    entry->amount = 1 + hf_random_below(&workload->random, AMOUNT_MOST);
    switch (kind) {
    case HF_WORKLOAD_TRANSFER:
        next_transfer(workload, &op->operation, entry);
        break;
    case HF_WORKLOAD_SPLIT:
        next_split(workload, op, entry);
        break;
    case HF_WORKLOAD_HOLD:
        next_hold(workload, &op->operation, entry);
        break;
    case HF_WORKLOAD_QUERY:
        next_query(workload, &op->operation, entry);
        break;
    default:
        assert(kind == HF_WORKLOAD_AUTH || kind == HF_WORKLOAD_CARDS);
        next_fated_auth(workload, client, &op->operation, entry);
        break;
    }
}

void hf_workload_approved(struct hf_workload *workload, const struct hf_workload_entry *entry)
{
    const struct hf_workload_settings *settings = &workload->settings;
    if (entry->type == HF_OP_HOLD) {
        follow(workload, entry, HF_OP_CAPTURE, false);
        return;
    }
    if (entry->fate == HF_WORKLOAD_TAKEN_BACK || entry->fate == HF_WORKLOAD_VOIDED) {
        follow(workload, entry, HF_OP_REVERSE, entry->fate == HF_WORKLOAD_VOIDED);
        return;
    }
    if (entry->fate != HF_WORKLOAD_KEPT || settings->clear_percent == 0 ||
        (settings->clear_percent < 100 &&
         hf_random_below(&workload->random, 100) >= settings->clear_percent))
        return;
    bool is_cards = settings->kind == HF_WORKLOAD_CARDS;
    follow(workload, entry, is_cards ? HF_OP_CLEAR : HF_OP_CAPTURE, is_cards);
}
