/* Before the load: asset, accounts, cards, money. After it: what the accounts say. */
#include "load.h"
#include "pump.h"

#include <inttypes.h>
#include <stdlib.h>

/* What each account is given, in smallest units, as long as all of it together stays far from 2^63.
 */
#define FUNDS_EACH_MOST  UINT64_C(1000000000000)
#define FUNDS_TOTAL_MOST UINT64_C(4000000000000000000)
/* A card's counter: high enough never to run out, there so that every authorisation draws it. */
#define CARD_COUNT UINT64_C(1000000000000000)
#define CARD_LIMIT UINT64_C(1000000000)
/* Likewise a limit's amount: cards draw on it, and it never refuses. */
#define LIMIT_AMOUNT      UINT64_C(1000000000000000)
#define CALL_TIMEOUT_US   UINT64_C(10000000)
#define DIFFERENCES_SHOWN 10u

struct set_up {
    const struct hf_workload_settings *workload;
    bool *missing;      /* account or card is not there */
    uint64_t *short_of; /* what an account needs to have its funds again */
    uint64_t funds_each;
};

static bool refused(struct hf_fault *fault, const char *what, uint64_t index,
                    const struct hf_reply *reply)
{
    snprintf(fault->line, sizeof fault->line, "%s %" PRIu64 ": %s/%s, %s%s", what, index,
             hf_code_name(reply->code), hf_rule_name(reply->rule), hf_code_sentence(reply->code),
             reply->code == HF_CODE_CAPACITY ? ": start the node with larger ledger limits" : "");
    return false;
}

/* ---- one at a time: asset, issuance account, acquirer ---- */

static enum hf_status put(struct hf_client *client, const union hf_operation *op, const char *what,
                          struct hf_fault *fault)
{
    struct hf_query_reply reply;
    enum hf_status status = hf_client_call(client, op, &reply, CALL_TIMEOUT_US);
    if (status != HF_STATUS_OK) {
        snprintf(fault->line, sizeof fault->line, "%s: no answer from the node for 10 seconds",
                 what);
        return status;
    }
    if (reply.reply.code == HF_CODE_OK)
        return HF_STATUS_OK;
    snprintf(fault->line, sizeof fault->line, "%s: %s/%s", what, hf_code_name(reply.reply.code),
             hf_rule_name(reply.reply.rule));
    return HF_STATUS_IO;
}

static enum hf_status put_common(struct hf_client *client, uint64_t accounts,
                                 struct hf_fault *fault)
{
    union hf_operation op;
    hf_make_asset_put(&op, hf_client_next_id(client), HF_WORKLOAD_ASSET, HF_WORKLOAD_ASSET_CODE,
                      HF_WORKLOAD_ASSET_SCALE);
    enum hf_status status = put(client, &op, "asset 840 USD 2", fault);
    if (status == HF_STATUS_OK) {
        hf_make_account_put(&op, hf_client_next_id(client),
                            hf_workload_account_id(accounts, accounts), HF_WORKLOAD_ASSET,
                            HF_FLOOR_NONE, HF_ACCOUNT_OPEN);
        status = put(client, &op, "issuance account", fault);
    }
    if (status == HF_STATUS_OK) {
        hf_make_account_put(&op, hf_client_next_id(client),
                            hf_workload_account_id(accounts, accounts + 1), HF_WORKLOAD_ASSET, 0,
                            HF_ACCOUNT_OPEN);
        status = put(client, &op, "acquirer's account", fault);
    }
    return status;
}

/* ---- accounts: ask, open what is missing, fund what is low ---- */

static bool ask_account(void *context, struct hf_client *client, uint64_t index,
                        union hf_operation *op)
{
    const struct set_up *set_up = context;
    hf_make_query(op, hf_client_next_id(client), HF_QUERY_ACCOUNT,
                  hf_workload_account_id(set_up->workload->accounts, index));
    return true;
}

static bool note_account(void *context, uint64_t index, const struct hf_query_reply *reply,
                         struct hf_fault *fault)
{
    struct set_up *set_up = context;
    set_up->missing[index] = reply->reply.code == HF_CODE_UNKNOWN_ACCOUNT;
    if (!set_up->missing[index] && reply->reply.code != HF_CODE_OK)
        return refused(fault, "account", index, &reply->reply);
    int64_t free_funds = 0;
    if (!set_up->missing[index])
        free_funds = reply->view.account.posted - (int64_t)reply->view.account.held_out;
    int64_t wanted = (int64_t)set_up->funds_each;
    set_up->short_of[index] = free_funds < wanted / 2 ? (uint64_t)(wanted - free_funds) : 0;
    return true;
}

static bool open_account(void *context, struct hf_client *client, uint64_t index,
                         union hf_operation *op)
{
    const struct set_up *set_up = context;
    if (!set_up->missing[index])
        return false;
    hf_make_account_put(op, hf_client_next_id(client),
                        hf_workload_account_id(set_up->workload->accounts, index),
                        HF_WORKLOAD_ASSET, 0, HF_ACCOUNT_OPEN);
    return true;
}

static bool fund_account(void *context, struct hf_client *client, uint64_t index,
                         union hf_operation *op)
{
    const struct set_up *set_up = context;
    uint64_t accounts = set_up->workload->accounts;
    if (set_up->short_of[index] == 0)
        return false;
    hf_make_move(op, hf_client_next_id(client), hf_workload_account_id(accounts, accounts),
                 hf_workload_account_id(accounts, index), set_up->short_of[index],
                 HF_WORKLOAD_ASSET);
    return true;
}

/* ---- cards ---- */

static bool ask_card(void *context, struct hf_client *client, uint64_t index,
                     union hf_operation *op)
{
    (void)context;
    hf_make_query(op, hf_client_next_id(client), HF_QUERY_INSTRUMENT, hf_workload_token(index));
    return true;
}

static bool note_card(void *context, uint64_t index, const struct hf_query_reply *reply,
                      struct hf_fault *fault)
{
    struct set_up *set_up = context;
    if (reply->reply.code != HF_CODE_OK && reply->reply.code != HF_CODE_UNKNOWN_INSTRUMENT)
        return refused(fault, "card", index, &reply->reply);
    set_up->missing[index] = reply->reply.code == HF_CODE_UNKNOWN_INSTRUMENT ||
                             reply->view.instrument.remaining < CARD_COUNT / 2;
    return true;
}

static bool issue_card(void *context, struct hf_client *client, uint64_t index,
                       union hf_operation *op)
{
    const struct set_up *set_up = context;
    if (!set_up->missing[index])
        return false;
    hf_make_instrument_put(op, hf_client_next_id(client), hf_workload_token(index),
                           hf_workload_account_id(set_up->workload->accounts, index),
                           HF_INSTRUMENT_ACTIVE, CARD_COUNT, CARD_LIMIT);
    return true;
}

static bool must_be_ok(void *context, uint64_t index, const struct hf_query_reply *reply,
                       struct hf_fault *fault)
{
    (void)context;
    if (reply->reply.code == HF_CODE_OK)
        return true;
    return refused(fault, "account or card", index, &reply->reply);
}

/* ---- limits ---- */

/* One after another for each card. A limit that is there already keeps what has been used. Rolling
 * windows are left out: they weigh a kilobyte each, and there may be ten million cards. */
static bool set_limit(void *context, struct hf_client *client, uint64_t index,
                      union hf_operation *op)
{
    static const uint8_t windows[] = {HF_LIMIT_DAY, HF_LIMIT_OPERATION, HF_LIMIT_MONTH,
                                      HF_LIMIT_WEEK, HF_LIMIT_LIFETIME};
    const struct set_up *set_up = context;
    uint32_t limits = set_up->workload->limits;
    hf_make_limit_put(op, hf_client_next_id(client), HF_LIMIT_INSTRUMENT,
                      hf_workload_token(index / limits), (uint8_t)(index % limits + 1),
                      windows[index % limits % sizeof windows], LIMIT_AMOUNT, CARD_COUNT);
    return true;
}

static bool must_be_set(void *context, uint64_t index, const struct hf_query_reply *reply,
                        struct hf_fault *fault)
{
    const struct set_up *set_up = context;
    return reply->reply.code == HF_CODE_OK ||
           refused(fault, "a limit of card", index / set_up->workload->limits, &reply->reply);
}

/* ---- the face ---- */

enum hf_status hf_load_set_up(struct hf_client *client, const struct hf_workload_settings *workload,
                              struct hf_fault *fault)
{
    uint64_t accounts = workload->accounts;
    struct set_up set_up = {
        .workload = workload,
        .missing = calloc(accounts, sizeof *set_up.missing),
        .short_of = calloc(accounts, sizeof *set_up.short_of),
        .funds_each = FUNDS_TOTAL_MOST / accounts,
    };
    if (set_up.funds_each > FUNDS_EACH_MOST)
        set_up.funds_each = FUNDS_EACH_MOST;

    const struct hf_pump steps[] = {
        {ask_account, note_account, &set_up}, {open_account, must_be_ok, &set_up},
        {fund_account, must_be_ok, &set_up},  {ask_card, note_card, &set_up},
        {issue_card, must_be_ok, &set_up},
    };
    size_t step_count = hf_workload_needs_cards(workload->kind) ? 5 : 3;
    enum hf_status status = HF_STATUS_OK;
    if (set_up.missing == NULL || set_up.short_of == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory for %" PRIu64 " accounts", accounts);
        status = HF_STATUS_NO_MEMORY;
    }
    if (status == HF_STATUS_OK)
        status = put_common(client, accounts, fault);
    for (size_t i = 0; i < step_count && status == HF_STATUS_OK; i++)
        status = hf_pump_run(client, &steps[i], accounts, fault);
    const struct hf_pump limits = {set_limit, must_be_set, &set_up};
    if (status == HF_STATUS_OK)
        status = hf_pump_run(client, &limits, accounts * workload->limits, fault);
    free(set_up.missing);
    free(set_up.short_of);
    return status;
}

struct balance_reading {
    uint64_t accounts;
    struct hf_workload_balance *balances;
};

static bool ask_balance(void *context, struct hf_client *client, uint64_t index,
                        union hf_operation *op)
{
    const struct balance_reading *reading = context;
    hf_make_query(op, hf_client_next_id(client), HF_QUERY_ACCOUNT,
                  hf_workload_account_id(reading->accounts, index));
    return true;
}

static bool note_balance(void *context, uint64_t index, const struct hf_query_reply *reply,
                         struct hf_fault *fault)
{
    struct balance_reading *reading = context;
    if (reply->reply.code != HF_CODE_OK)
        return refused(fault, "account", index, &reply->reply);
    reading->balances[index].posted = reply->view.account.posted;
    reading->balances[index].held_out = (int64_t)reply->view.account.held_out;
    reading->balances[index].held_in = (int64_t)reply->view.account.held_in;
    return true;
}

enum hf_status hf_load_read_balances(struct hf_client *client, uint64_t accounts,
                                     struct hf_workload_balance balances[], struct hf_fault *fault)
{
    struct balance_reading reading = {accounts, balances};
    const struct hf_pump pump = {ask_balance, note_balance, &reading};
    return hf_pump_run(client, &pump, accounts + 2, fault);
}

uint64_t hf_load_compare_balances(uint64_t accounts, const struct hf_workload_balance expected[],
                                  const struct hf_workload_balance found[])
{
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < accounts + 2; i++) {
        const struct hf_workload_balance *must = &expected[i];
        const struct hf_workload_balance *is = &found[i];
        if (must->posted == is->posted && must->held_out == is->held_out &&
            must->held_in == is->held_in)
            continue;
        if (wrong++ < DIFFERENCES_SHOWN)
            fprintf(stderr,
                    "account %" PRIu64 ": posted %" PRId64 ", must be %" PRId64
                    "; held out %" PRId64 ", must be %" PRId64 "; held in %" PRId64
                    ", must be %" PRId64 "\n",
                    hf_workload_account_id(accounts, i).lo, is->posted, must->posted, is->held_out,
                    must->held_out, is->held_in, must->held_in);
    }
    return wrong;
}
