#include "workload.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define DRAWS_MOST    (UINT64_C(1) << 22)
#define CAPTURES_MOST (1u << 16)
#define AMOUNT_MOST   100u
/* Ranks are spread over the accounts by multiplication with a prime: neighbours in rank are then no
 * neighbours in number. The prime of xxHash. */
#define SCRAMBLE_PRIME UINT64_C(11400714785074694791)

struct hf_workload {
    struct hf_workload_settings settings;
    struct hf_random random;
    uint32_t *draws; /* account indices by zipf; NULL: uniform */
    uint64_t draw_count;
    uint64_t draw_next;
    struct hf_workload_entry *captures; /* approved authorisations to capture: a ring */
    uint32_t capture_first, capture_count;
};

static const char *const kind_names[] = {
    [HF_WORKLOAD_TRANSFER] = "transfer",
    [HF_WORKLOAD_AUTH] = "auth",
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

void hf_workload_enter(struct hf_workload_balance *balances, const struct hf_workload_entry *entry)
{
    struct hf_workload_balance *payer = &balances[entry->payer];
    struct hf_workload_balance *payee = &balances[entry->payee];
    int64_t amount = (int64_t)entry->amount;
    assert(amount >= 0);
    if (entry->type == HF_OP_AUTH) {
        payer->held_out += amount;
        payee->held_in += amount;
        return;
    }
    if (entry->type == HF_OP_CAPTURE) {
        payer->held_out -= amount;
        payee->held_in -= amount;
    }
    payer->posted -= amount;
    payee->posted += amount;
}

/* ---- operations ---- */

static bool draw_ahead(struct hf_workload *workload)
{
    const struct hf_workload_settings *settings = &workload->settings;
    /* Two draws a transfer. */
    workload->draw_count = DRAWS_MOST;
    if (settings->operations > 0 && settings->operations < DRAWS_MOST / 2)
        workload->draw_count = 2 * settings->operations;
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
    assert(settings->accounts >= 2);
    assert(settings->accounts <= HF_WORKLOAD_ACCOUNTS_MAX);
    struct hf_workload *workload = calloc(1, sizeof *workload);
    if (workload == NULL)
        return NULL;
    workload->settings = *settings;
    workload->random.state = settings->seed;
    workload->captures = malloc(CAPTURES_MOST * sizeof *workload->captures);
    if (workload->captures == NULL || (settings->zipf > 0 && !draw_ahead(workload))) {
        hf_workload_destroy(workload);
        return NULL;
    }
    return workload;
}

void hf_workload_destroy(struct hf_workload *workload)
{
    if (workload == NULL)
        return;
    free(workload->captures);
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

static void next_transfer(struct hf_workload *workload, union hf_operation *op,
                          struct hf_workload_entry *entry)
{
    uint64_t accounts = workload->settings.accounts;
    entry->type = HF_OP_MOVE;
    entry->payer = draw_account(workload);
    entry->payee = draw_account(workload);
    if (entry->payee == entry->payer)
        entry->payee = (entry->payer + 1) % accounts;
    hf_make_move(op, entry->id, hf_workload_account_id(accounts, entry->payer),
                 hf_workload_account_id(accounts, entry->payee), entry->amount, HF_WORKLOAD_ASSET);
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
    op->auth.transaction_type = 0; /* goods and services */
    op->auth.mcc = 5411;           /* grocery stores */
    op->auth.country = 840;
    op->auth.entry_mode = 51; /* chip, with PIN */
    op->auth.card_expiry = 4912;
    memcpy(op->auth.terminal, "TERM0001", sizeof op->auth.terminal);
    memcpy(op->auth.merchant, "MERCHANT0000001", sizeof op->auth.merchant);
}

static void next_capture(struct hf_workload *workload, union hf_operation *op,
                         struct hf_workload_entry *entry)
{
    const struct hf_workload_entry *auth = &workload->captures[workload->capture_first];
    workload->capture_first = (workload->capture_first + 1) % CAPTURES_MOST;
    workload->capture_count--;
    entry->type = HF_OP_CAPTURE;
    entry->payer = auth->payer;
    entry->payee = auth->payee;
    entry->amount = auth->amount;
    hf_make_capture(op, entry->id, auth->id, auth->amount, true);
}

void hf_workload_next(struct hf_workload *workload, struct hf_client *client,
                      union hf_operation *op, struct hf_workload_entry *entry)
{
    entry->id = hf_client_next_id(client);
    if (workload->capture_count > 0) {
        next_capture(workload, op, entry);
        return;
    }
    entry->amount = 1 + hf_random_below(&workload->random, AMOUNT_MOST);
    if (workload->settings.kind == HF_WORKLOAD_TRANSFER)
        next_transfer(workload, op, entry);
    else
        next_auth(workload, op, entry);
}

void hf_workload_approved(struct hf_workload *workload, const struct hf_workload_entry *entry)
{
    uint32_t percent = workload->settings.clear_percent;
    if (percent == 0 || workload->capture_count == CAPTURES_MOST ||
        hf_random_below(&workload->random, 100) >= percent)
        return;
    uint32_t at = (workload->capture_first + workload->capture_count) % CAPTURES_MOST;
    workload->captures[at] = *entry;
    workload->capture_count++;
}
