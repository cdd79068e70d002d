/* Ten authorisations at once against counters of three:
 *
 *     concurrent_counter SERVER make [--dpdk LOCAL EAL]
 *     concurrent_counter SERVER first|again CARD IDS [--dpdk LOCAL EAL]
 *
 * `make` opens the accounts and issues cards 1 to 4. What stops the fourth payment is the counter
 * of card 1, a limit of cards 2 and 4, and a limit of the account of card 3. `first` sends ten
 * authorisations of a card, each from a client of its own (DPDK: one client, ten datagrams, since
 * its device has one process at each end), says `sent` before it looks for an answer, and keeps
 * their ids in the file IDS; `again` sends the same ten. Both print the answers in the order of
 * sending. Exit status 0 when all were answered. */
#include "net/holdfast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ASSET      840
#define ISSUER     1000u
#define SHOP       1001u
#define HOLDERS    2000u /* + card: the account of a card */
#define TOKENS     3000u /* + card */
#define CARDS      4u
#define ONCE       10u /* authorisations at once */
#define COUNT      3u
#define AMOUNT     100u
#define FUNDS      5000u /* of all ten: what stops them is not the money */
#define TIMEOUT_US 60000000u
#define WAIT_US    10000u

static struct hf_client *clients[ONCE];
static uint32_t client_count;

static void fail(const char *what)
{
    fprintf(stderr, "concurrent_counter: %s\n", what);
    exit(1);
}

static struct hf_id named(uint64_t number)
{
    return (struct hf_id){.lo = number, .hi = 0};
}

static void must(const union hf_operation *operation)
{
    struct hf_query_reply reply;
    if (hf_client_call(clients[0], operation, &reply, TIMEOUT_US) != HF_STATUS_OK)
        fail("no answer");
    if (reply.reply.code != HF_CODE_OK)
        fail(hf_code_name(reply.reply.code));
}

static void open_account(uint64_t number, int64_t floor)
{
    union hf_operation op;
    hf_make_account_put(&op, hf_client_next_id(clients[0]), named(number), ASSET, floor,
                        HF_ACCOUNT_OPEN);
    must(&op);
}

static void issue(uint32_t card)
{
    union hf_operation op;
    open_account(HOLDERS + card, 0);
    hf_make_move(&op, hf_client_next_id(clients[0]), named(ISSUER), named(HOLDERS + card), FUNDS,
                 ASSET);
    must(&op);
    hf_make_instrument_put(&op, hf_client_next_id(clients[0]), named(TOKENS + card),
                           named(HOLDERS + card), HF_INSTRUMENT_ACTIVE,
                           card == 1 ? COUNT : HF_INSTRUMENT_UNLIMITED, HF_INSTRUMENT_UNLIMITED);
    must(&op);
    if (card == 1)
        return;
    bool is_account = card == 3;
    hf_make_limit_put(&op, hf_client_next_id(clients[0]),
                      is_account ? HF_LIMIT_ACCOUNT : HF_LIMIT_INSTRUMENT,
                      named(is_account ? HOLDERS + card : TOKENS + card), 1, HF_LIMIT_LIFETIME,
                      HF_LIMIT_UNLIMITED, COUNT);
    must(&op);
}

static void make(void)
{
    union hf_operation op;
    hf_make_asset_put(&op, hf_client_next_id(clients[0]), ASSET, "USD", 2);
    must(&op);
    open_account(ISSUER, HF_FLOOR_NONE);
    open_account(SHOP, 0);
    for (uint32_t card = 1; card <= CARDS; card++)
        issue(card);
}

/* New ids, or those of the first time: they outlive this process in a file. */
static void take_ids(struct hf_id ids[ONCE], const char *path, bool is_first)
{
    FILE *file = fopen(path, is_first ? "wb" : "rb");
    if (file == NULL)
        fail("no file for the ids");
    for (uint32_t i = 0; i < ONCE && is_first; i++)
        ids[i] = hf_client_next_id(clients[i % client_count]);
    size_t done =
        is_first ? fwrite(ids, sizeof *ids, ONCE, file) : fread(ids, sizeof *ids, ONCE, file);
    if (fclose(file) != 0 || done != ONCE)
        fail("the file of the ids");
}

static void send_all(uint32_t card, const struct hf_id ids[ONCE], struct hf_reply replies[ONCE])
{
    for (uint32_t i = 0; i < ONCE; i++) {
        struct hf_client *client = clients[i % client_count];
        union hf_operation op;
        hf_make_auth(&op, ids[i], named(TOKENS + card), named(SHOP), AMOUNT, ASSET);
        if (hf_client_submit(client, &op, &replies[i]) != HF_STATUS_OK)
            fail("submit");
        hf_client_flush(client);
    }
    puts("sent");
    fflush(stdout);
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

/* Each client in turn, until all ten answers are there. */
static void collect(void)
{
    uint64_t until = now_us() + TIMEOUT_US;
    for (uint32_t answered = 0; answered < ONCE;) {
        struct hf_answer answers[ONCE];
        if (now_us() > until)
            fail("not all were answered");
        for (uint32_t c = 0; c < client_count; c++) {
            uint32_t count = hf_client_poll(clients[c], answers, ONCE);
            for (uint32_t i = 0; i < count; i++)
                *(struct hf_reply *)answers[i].context = answers[i].reply.reply;
            answered += count;
            if (count == 0 && hf_client_in_flight(clients[c]) > 0)
                hf_client_wait(clients[c], WAIT_US);
        }
    }
}

static void print(const struct hf_reply replies[ONCE])
{
    for (uint32_t i = 0; i < ONCE; i++)
        printf("%s/%s %llu %llu\n", hf_code_name(replies[i].code), hf_rule_name(replies[i].rule),
               (unsigned long long)replies[i].approved, (unsigned long long)replies[i].place);
}

static void open_clients(const struct hf_client_options *options, uint32_t count)
{
    struct hf_fault fault;
    while (client_count < count) {
        if (hf_client_open(options, &clients[client_count], &fault) != HF_STATUS_OK)
            fail(fault.line);
        client_count++;
    }
}

int main(int argc, char **argv)
{
    struct hf_client_options options = {0};
    struct hf_id ids[ONCE];
    struct hf_reply replies[ONCE];
    bool is_make = argc > 2 && strcmp(argv[2], "make") == 0;
    int further = is_make ? 3 : 5;
    bool is_dpdk = argc == further + 3 && strcmp(argv[further], "--dpdk") == 0;
    if (argc != further && !is_dpdk) {
        fprintf(stderr, "usage: concurrent_counter SERVER make|first|again [CARD IDS] "
                        "[--dpdk LOCAL EAL]\n");
        return 2;
    }
    options.servers[0] = argv[1];
    if (is_dpdk) {
        options.transport = HF_TRANSPORT_DPDK;
        options.local = argv[further + 1];
        options.eal = argv[further + 2];
    }
    open_clients(&options, is_dpdk || is_make ? 1 : ONCE);
    if (is_make) {
        make();
    } else {
        uint32_t card = (uint32_t)strtoul(argv[3], NULL, 10);
        if (card < 1 || card > CARDS)
            fail("there is no such card");
        take_ids(ids, argv[4], strcmp(argv[2], "first") == 0);
        send_all(card, ids, replies);
        collect();
        print(replies);
    }
    while (client_count > 0)
        hf_client_close(clients[--client_count]);
    return 0;
}
