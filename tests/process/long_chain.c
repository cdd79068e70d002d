/* The longest operation there is, from a client of the library to a node and back:
 *
 *     long_chain SERVER first|again [--dpdk LOCAL EAL]
 *
 * A chain of 29 plans and exactly HF_OPERATION_LENGTH_MAX bytes. `first` makes the accounts and
 * sends it; `again` sends the same bytes, which must change nothing. Both then ask for every
 * balance. Exit status 0 when all is as it must be; else a line on stderr says what is not. */
#include "net/holdfast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ASSET       840
#define ISSUER      1000
#define PLANS       29
#define LONG_PLANS  25 /* of these have seven entries, the others six */
#define TIMEOUT_US  30000000
#define ID_FILE_ENV "HF_LONG_CHAIN_IDS"

static struct hf_client *client;

static void fail(const char *what)
{
    fprintf(stderr, "long_chain: %s\n", what);
    exit(1);
}

static struct hf_id account(uint64_t number)
{
    return (struct hf_id){.lo = number, .hi = 0};
}

static struct hf_reply ask(const union hf_operation *operation, int64_t *posted)
{
    struct hf_query_reply reply;
    if (hf_client_call(client, operation, &reply, TIMEOUT_US) != HF_STATUS_OK)
        fail("no answer");
    if (posted != NULL && reply.reply.code == HF_CODE_OK)
        *posted = reply.view.account.posted;
    return reply.reply;
}

static void must(const union hf_operation *operation)
{
    struct hf_reply reply = ask(operation, NULL);
    if (reply.code != HF_CODE_OK)
        fail(hf_code_name(reply.code));
}

static uint32_t payees_of(uint32_t plan)
{
    return plan < LONG_PLANS ? 6 : 5;
}

/* Each plan takes from the issuer and gives 1 to each of the first six or five accounts. The ids
 * follow from the chain's. */
static void make_chain(union hf_operation_buffer *chain, struct hf_id id)
{
    static union hf_operation_buffer plan;
    hf_make_chain_begin(chain, id);
    for (uint32_t i = 0; i < PLANS; i++) {
        struct hf_id own = {.lo = id.lo + i + 1, .hi = id.hi};
        hf_make_move_plan_begin(&plan, own, payees_of(i), ASSET);
        if (!hf_plan_add_source(&plan, account(ISSUER), HF_ENTRY_REMAINING, 0))
            fail("no room for a source");
        for (uint32_t k = 1; k <= payees_of(i); k++)
            if (!hf_plan_add_destination(&plan, account(ISSUER + k), HF_ENTRY_FIXED, 1))
                fail("no room for a destination");
        if (!hf_chain_add(chain, &plan.operation))
            fail("no room for a plan");
    }
    if (chain->operation.header.length != HF_OPERATION_LENGTH_MAX)
        fail("not of the largest length");
}

static void make_accounts(void)
{
    union hf_operation op;
    hf_make_asset_put(&op, hf_client_next_id(client), ASSET, "USD", 2);
    must(&op);
    for (uint64_t i = 0; i <= 6; i++) {
        hf_make_account_put(&op, hf_client_next_id(client), account(ISSUER + i), ASSET,
                            i == 0 ? HF_FLOOR_NONE : 0, HF_ACCOUNT_OPEN);
        must(&op);
    }
}

static void check_balances(void)
{
    for (uint64_t i = 1; i <= 6; i++) {
        union hf_operation op;
        int64_t posted = 0;
        hf_make_query(&op, hf_client_next_id(client), HF_QUERY_ACCOUNT, account(ISSUER + i));
        if (ask(&op, &posted).code != HF_CODE_OK)
            fail("an account is not there");
        if (posted != (i == 6 ? LONG_PLANS : PLANS))
            fail("a balance is not what the chain makes it");
    }
}

/* The chain's id outlives this process in a file that the caller names. */
static struct hf_id chain_id(bool is_first)
{
    const char *path = getenv(ID_FILE_ENV);
    FILE *file = path == NULL ? NULL : fopen(path, is_first ? "wb" : "rb");
    struct hf_id id = {0, 0};
    if (file == NULL)
        fail("no file for the chain's id");
    if (is_first)
        id = hf_client_next_id(client);
    id.lo &= is_first ? ~UINT64_C(0xff) : UINT64_MAX;
    size_t done = is_first ? fwrite(&id, sizeof id, 1, file) : fread(&id, sizeof id, 1, file);
    if (fclose(file) != 0 || done != 1)
        fail("the file of the chain's id");
    return id;
}

int main(int argc, char **argv)
{
    static union hf_operation_buffer chain;
    struct hf_client_options options = {.datagram_size = 9000};
    struct hf_fault fault;
    if (argc != 3 && !(argc == 6 && strcmp(argv[3], "--dpdk") == 0)) {
        fprintf(stderr, "usage: long_chain SERVER first|again [--dpdk LOCAL EAL]\n");
        return 2;
    }
    options.servers[0] = argv[1];
    if (argc == 6) {
        options.transport = HF_TRANSPORT_DPDK;
        options.local = argv[4];
        options.eal = argv[5];
    }
    bool is_first = strcmp(argv[2], "first") == 0;
    if (hf_client_open(&options, &client, &fault) != HF_STATUS_OK)
        fail(fault.line);
    if (is_first)
        make_accounts();
    make_chain(&chain, chain_id(is_first));
    struct hf_reply reply = ask(&chain.operation, NULL);
    printf("%s, entry %u, approved %llu, place %llu\n", hf_code_name(reply.code), reply.entry,
           (unsigned long long)reply.approved, (unsigned long long)reply.place);
    if (reply.code != HF_CODE_OK || reply.approved != PLANS)
        fail("the chain was not carried out");
    check_balances();
    hf_client_close(client);
    return 0;
}
