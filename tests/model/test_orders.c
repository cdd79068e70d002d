/* Every order in which the messages about one card payment can arrive: the authorisation, its
 * repeat, an advice, a reversal, another reversal, a clearing; each lost, once, or several times.
 * All sequences of six over these six, which begin with all shorter ones, on an engine and a model
 * that are compared after every step. At last what a card holder cares about: whatever was reversed
 * and neither cleared nor advised holds nothing and has drawn nothing.
 *
 * The sequences are a tree: what several begin with is done once, and each goes on from a snapshot
 * of what that led to.
 *
 * In half of the tables midnight strikes in the middle, so that a day's limit gives back what
 * another day drew. */
#include "run.h"
#include "tally.h"

#include <assert.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum message { AUTHORISATION, REPEAT, ADVICE, REVERSAL, REVERSAL_AGAIN, CLEARING, MESSAGES };
#define STEPS       6
#define SEQUENCES   46656 /* MESSAGES to the power of STEPS */
#define SETUP_MAX   16
#define MIDNIGHT_NS (UINT64_C(19675) * 86400 * 1000000000)
#define NS_PER_MS   UINT64_C(1000000)
#define COUNTER     5
#define NOTE_SIZE   256

enum advice { FORCED_CLEARING, FORCED_AUTHORISATION, FORCED_UNDER_THE_SAME_ID };

/* What the messages of a table are like. */
struct table {
    const char *name;
    enum advice advice;
    uint8_t reverses_captured; /* of the second reversal */
    uint8_t clear_flags;       /* of the clearing */
    uint64_t clear_amount;
    uint64_t start_ns;
};

static const struct table tables[] = {
    {"an advice that clears, within a day", FORCED_CLEARING, 0, 0, 60, MIDNIGHT_NS + 1},
    {"an advice that clears, around midnight", FORCED_CLEARING, 1, HF_CLEAR_FINAL, 60,
     MIDNIGHT_NS - 3 * NS_PER_MS},
    {"an advice that authorises, around midnight", FORCED_AUTHORISATION, 1, HF_CLEAR_FINAL, 60,
     MIDNIGHT_NS - 3 * NS_PER_MS},
    {"an advice under the id of the authorisation, within a day", FORCED_UNDER_THE_SAME_ID, 1, 0,
     110, MIDNIGHT_NS + 1},
};
#define TABLES (sizeof(tables) / sizeof(tables[0]))

#define ASSET    978
#define ACQUIRER 4711
static const struct hf_id total = {.lo = 1, .hi = 1};
static const struct hf_id payer = {.lo = 2, .hi = 1};
static const struct hf_id payee = {.lo = 3, .hi = 1};
static const struct hf_id purse = {.lo = 4, .hi = 1};
static const struct hf_id token = {.lo = 5, .hi = 1};

static const struct hf_ledger_limits limits = {
    .accounts = 4,
    .instruments = 1,
    .holds = 8,
    .terms = 4,
    .parts = 1,
    .selectors = 1,
    .limits = 4,
    .rolling = 1,
    .remembered = 64,
    .remember_ns = 3600000 * NS_PER_MS,
    .record_ns = 3600000 * NS_PER_MS,
    .id_ahead_ns = 1000 * NS_PER_MS,
};

/* One world. Its snapshots are by how many steps were done: [0] is as it was opened. Of the
 * engine's memory they have all, but only pages that were ever written since the opening are
 * copied: the others are the same in all of them. */
struct world {
    struct run run;
    size_t size;
    size_t page_size;
    uint32_t written_count;
    size_t *written; /* where each of these pages begins */
    uint8_t *memories[STEPS];
    struct model *models[STEPS + 1];
    uint32_t setup_count;
    union hf_operation setup[SETUP_MAX];
    union hf_operation messages[MESSAGES];
    uint64_t steps;
    uint32_t sequences;
};

static void fill_header(struct hf_op_header *header, uint8_t type, size_t length,
                        const struct table *table, uint64_t number)
{
    header->type = type;
    header->length = (uint16_t)length;
    header->id = (struct hf_id){.hi = (table->start_ns / NS_PER_MS) << 16, .lo = number};
    header->origin = 9;
}

/* Opening --------------------------------------------------------------------------------- */

static union hf_operation *add_setup(struct world *world, uint8_t type, size_t length,
                                     const struct table *table)
{
    assert(world->setup_count < SETUP_MAX);
    union hf_operation *operation = &world->setup[world->setup_count++];
    memset(operation, 0, sizeof(*operation));
    fill_header(&operation->header, type, length, table, 100 + world->setup_count);
    return operation;
}

static void add_account(struct world *world, const struct table *table, struct hf_id account,
                        int64_t floor, uint8_t flags, struct hf_id parent)
{
    struct hf_op_account_put *put =
        &add_setup(world, HF_OP_ACCOUNT_PUT, sizeof(*put), table)->account_put;
    put->account = account;
    put->floor = floor;
    put->asset = ASSET;
    put->flags = flags;
    put->ceiling = HF_CEILING_NONE;
    put->parent = parent;
}

static void add_limit(struct world *world, const struct table *table, uint8_t scope,
                      struct hf_id scope_id, uint8_t window, uint64_t max_amount)
{
    struct hf_op_limit_put *put =
        &add_setup(world, HF_OP_LIMIT_PUT, sizeof(*put), table)->limit_put;
    put->scope = scope;
    put->scope_id = scope_id;
    put->number = window;
    put->window = window;
    put->max_amount = max_amount;
    put->max_count = 4;
    if (window == HF_LIMIT_ROLLING)
        put->length_ns = 63 * 2 * NS_PER_MS;
}

static void write_setup(struct world *world, const struct table *table)
{
    static const struct hf_id none;
    world->setup_count = 0;
    struct hf_op_asset_put *asset =
        &add_setup(world, HF_OP_ASSET_PUT, sizeof(*asset), table)->asset_put;
    asset->asset = ASSET;
    asset->scale = 2;
    memcpy(asset->code, "EUR", 3);
    add_account(world, table, total, HF_FLOOR_NONE, HF_ACCOUNT_TOTAL, none);
    add_account(world, table, purse, HF_FLOOR_NONE, 0, none);
    add_account(world, table, payer, 0, 0, total);
    add_account(world, table, payee, 0, 0, none);
    struct hf_op_move *move = &add_setup(world, HF_OP_MOVE, sizeof(*move), table)->move;
    move->payer = purse;
    move->payee = payer;
    move->amount = 230;
    move->asset = ASSET;
    struct hf_op_instrument_put *card =
        &add_setup(world, HF_OP_INSTRUMENT_PUT, sizeof(*card), table)->instrument_put;
    card->token = token;
    card->account = payer;
    card->amount_limit = 150;
    card->remaining = COUNTER;
    card->status = HF_INSTRUMENT_ACTIVE;
    add_limit(world, table, HF_LIMIT_INSTRUMENT, token, HF_LIMIT_DAY, 170);
    add_limit(world, table, HF_LIMIT_INSTRUMENT, token, HF_LIMIT_ROLLING, 500);
    add_limit(world, table, HF_LIMIT_ACCOUNT, payer, HF_LIMIT_OPERATION, 120);
    add_limit(world, table, HF_LIMIT_ACCOUNT, total, HF_LIMIT_LIFETIME, 1000);
}

/* Messages -------------------------------------------------------------------------------- */

static void write_auth(struct hf_op_auth *auth, const struct table *table, uint64_t number)
{
    fill_header(&auth->header, HF_OP_AUTH, sizeof(*auth), table, number);
    auth->token = token;
    auth->payee = payee;
    auth->amount = 100;
    auth->acquirer = ACQUIRER;
    auth->asset = ASSET;
    auth->class_number = 1;
    auth->tolerance = 200;
}

static void write_reverse(struct hf_op_reverse *reverse, const struct table *table, uint64_t number,
                          uint8_t captured)
{
    fill_header(&reverse->header, HF_OP_REVERSE, sizeof(*reverse), table, number);
    reverse->original.hi = (table->start_ns / NS_PER_MS) << 16;
    reverse->original.lo = 1;
    reverse->amount = HF_AMOUNT_ALL;
    reverse->acquirer = ACQUIRER;
    reverse->asset = ASSET;
    reverse->captured = captured;
}

static void write_clear(struct hf_op_clear *clear, const struct table *table, uint64_t number,
                        uint8_t flags, uint64_t amount)
{
    fill_header(&clear->header, HF_OP_CLEAR, sizeof(*clear), table, number);
    clear->original.hi = (table->start_ns / NS_PER_MS) << 16;
    clear->original.lo = 1;
    clear->amount = amount;
    clear->acquirer = ACQUIRER;
    clear->asset = ASSET;
    clear->clear_flags = flags;
    if ((flags & HF_CLEAR_FORCED) == 0)
        return;
    clear->token = token;
    clear->payee = payee;
}

static void write_messages(struct world *world, const struct table *table)
{
    memset(world->messages, 0, sizeof(world->messages));
    write_auth(&world->messages[AUTHORISATION].auth, table, 1);
    write_auth(&world->messages[REPEAT].auth, table, 1);
    world->messages[REPEAT].header.flags = HF_OP_RETURN_BALANCES;
    union hf_operation *advice = &world->messages[ADVICE];
    if (table->advice == FORCED_CLEARING) {
        write_clear(&advice->clear, table, 2, HF_CLEAR_FORCED | HF_CLEAR_FINAL, 130);
    } else {
        write_auth(&advice->auth, table, table->advice == FORCED_AUTHORISATION ? 2 : 1);
        advice->auth.auth_flags = HF_AUTH_FORCED;
    }
    write_reverse(&world->messages[REVERSAL].reverse, table, 3, 0);
    write_reverse(&world->messages[REVERSAL_AGAIN].reverse, table, 4, table->reverses_captured);
    write_clear(&world->messages[CLEARING].clear, table, 5, table->clear_flags,
                table->clear_amount);
}

/* Steps ----------------------------------------------------------------------------------- */

/* Applies to both, and looks at all there is. */
static void step(struct world *world, const union hf_operation *operation, uint64_t now_ns)
{
    struct run *run = &world->run;
    struct hf_reply expected;
    struct hf_reply got;
    run->draw.timestamp_ns = now_ns;
    run->live.events->count = 0;
    bool takes = model_apply(run->model, now_ns, operation, &expected);
    uint64_t mask = hf_ledger_apply(run->live.ledger, now_ns, &operation, 1, &got);
    compare_reply(run, operation, &expected, &got, "the answers differ");
    require(run, mask == (takes ? 1 : 0), "one says it took a place, the other not");
    bool alike = run->live.events->count == run->model->event_count &&
                 memcmp(run->live.events->list, run->model->events,
                        run->model->event_count * sizeof(struct hf_event)) == 0;
    if (!alike)
        print_operation(run, operation);
    require(run, alike, "the events differ");
    compare_touched(run, operation);
    compare_record(run, HF_QUERY_ACCOUNT, payer);
    compare_record(run, HF_QUERY_ACCOUNT, payee);
    compare_record(run, HF_QUERY_ACCOUNT, total);
    compare_record(run, HF_QUERY_INSTRUMENT, token);
    compare_record(run, HF_QUERY_INSTRUMENT_LIMITS, token);
    compare_record(run, HF_QUERY_ACCOUNT_LIMITS, payer);
    compare_record(run, HF_QUERY_ACCOUNT_LIMITS, total);
    compare_authorisations(run, token);
    compare_counts(run);
    check_money(run);
    check_limits(run);
}

/* Whatever was reversed and never cleared is as if it had never been. */
static void check_end(struct world *world, const uint8_t sequence[STEPS])
{
    struct run *run = &world->run;
    bool seen[MESSAGES] = {false};
    require(run, hf_ledger_is_balanced(run->live.ledger), "the engine is not balanced");
    for (uint32_t i = 0; i < STEPS; i++)
        seen[sequence[i]] = true;
    bool reversed = seen[REVERSAL] || seen[REVERSAL_AGAIN];
    bool only_authorised = !seen[ADVICE] && !seen[CLEARING];
    const struct model_account *account = model_account_of(run->model, payer);
    require(run, account->lifetime_debits <= 130 + world->messages[CLEARING].clear.amount,
            "something was taken twice");
    if (!reversed || !only_authorised)
        return;
    require(run, account->held_out == 0 && account->posted == 230, "what was reversed is held");
    require(run, model_instrument_of(run->model, token)->remaining == COUNTER,
            "a counter was not given back");
    for (uint32_t i = 0; i < run->model->books->limit_count; i++) {
        const struct model_limit *limit = &run->model->books->limits[i];
        struct model_used used = model_used_of(run->model, limit, run->model->timestamp_ns);
        require(run, used.amount == 0 && used.count == 0, "a limit was not given back");
    }
}

/* Tables ---------------------------------------------------------------------------------- */

/* Whose memory the handler below looks at. */
static struct world *watched;

/* A page of the engine's memory is about to be written for the first time. Any other fault comes
 * again and ends the run. */
static void note_written(int signal_number, siginfo_t *info, void *context)
{
    (void)context;
    uint8_t *memory = watched->run.live.memory;
    size_t at = (size_t)((uintptr_t)info->si_addr - (uintptr_t)memory);
    if (at >= watched->size) {
        signal(signal_number, SIG_DFL);
        return;
    }
    at -= at % watched->page_size;
    watched->written[watched->written_count++] = at;
    if (mprotect(memory + at, watched->page_size, PROT_READ | PROT_WRITE) != 0)
        abort();
}

static void *map_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert(memory != MAP_FAILED);
    return memory;
}

static void open_ledger(struct world *world)
{
    struct ledger_in_memory *live = &world->run.live;
    size_t needed = hf_ledger_memory_size(&limits);
    assert(needed > 0);
    world->page_size = (size_t)sysconf(_SC_PAGESIZE);
    world->size = (needed + world->page_size - 1) / world->page_size * world->page_size;
    live->memory = map_memory(world->size);
    live->ledger = hf_ledger_create(&limits, live->memory, needed);
    assert(live->ledger != NULL);
    live->events = calloc(1, sizeof(*live->events));
    assert(live->events != NULL);
    live->events->capacity = HF_EVENTS_MAX;
    live->events->list = malloc(HF_EVENTS_MAX * sizeof(live->events->list[0]));
    assert(live->events->list != NULL);
    hf_ledger_watch(live->ledger, live->events);
}

/* From now on it is noted what is written. */
static void take_first_snapshots(struct world *world)
{
    struct sigaction action = {.sa_sigaction = note_written, .sa_flags = SA_SIGINFO};
    world->written = calloc(world->size / world->page_size, sizeof(world->written[0]));
    assert(world->written != NULL);
    for (uint32_t i = 0; i < STEPS; i++) {
        world->memories[i] = map_memory(world->size);
        memcpy(world->memories[i], world->run.live.memory, world->size);
    }
    for (uint32_t i = 1; i <= STEPS; i++)
        world->models[i] = model_create(&limits);
    watched = world;
    int handled = sigaction(SIGSEGV, &action, NULL);
    assert(handled == 0);
    int shut = mprotect(world->run.live.memory, world->size, PROT_READ);
    assert(shut == 0);
}

static void open_world(struct world *world, const struct table *table)
{
    memset(world, 0, sizeof(*world));
    open_ledger(world);
    write_setup(world, table);
    write_messages(world, table);
    world->models[0] = model_create(&limits);
    world->run.model = world->models[0];
    for (uint32_t i = 0; i < world->setup_count; i++)
        step(world, &world->setup[i], table->start_ns);
    take_first_snapshots(world);
}

static void close_world(struct world *world)
{
    signal(SIGSEGV, SIG_DFL);
    munmap(world->run.live.memory, world->size);
    for (uint32_t i = 0; i < STEPS; i++)
        munmap(world->memories[i], world->size);
    free(world->written);
    free(world->run.live.events->list);
    free(world->run.live.events);
    for (uint32_t i = STEPS + 1; i-- > 0;)
        model_destroy(world->models[i]);
}

/* The ledger keeps no pointer out of its memory but to its events, which stay where they are. */
static void put_back(struct world *world, uint32_t steps)
{
    uint8_t *memory = world->run.live.memory;
    for (uint32_t i = 0; i < world->written_count; i++)
        memcpy(memory + world->written[i], world->memories[steps] + world->written[i],
               world->page_size);
}

static void take_snapshot(struct world *world, uint32_t steps)
{
    const uint8_t *memory = world->run.live.memory;
    for (uint32_t i = 0; i < world->written_count; i++)
        memcpy(world->memories[steps] + world->written[i], memory + world->written[i],
               world->page_size);
}

/* Tries every message as the next after so many steps, and all sequences that begin so. `note` has
 * what to say of them. */
static void walk(struct world *world, const struct table *table, uint32_t done,
                 uint8_t sequence[STEPS], char note[NOTE_SIZE])
{
    static const char *const names[MESSAGES] = {"authorisation", "repeat",         "advice",
                                                "reversal",      "reversal again", "clearing"};
    size_t noted = strlen(note);
    for (uint8_t message = 0; message < MESSAGES; message++) {
        sequence[done] = message;
        snprintf(note + noted, NOTE_SIZE - noted, "%s %s", done == 0 ? "" : ",", names[message]);
        put_back(world, done);
        model_copy(world->models[done + 1], world->models[done]);
        world->run.model = world->models[done + 1];
        step(world, &world->messages[message], table->start_ns + (done + 1) * NS_PER_MS);
        world->steps++;
        if (done + 1 < STEPS) {
            take_snapshot(world, done + 1);
            walk(world, table, done + 1, sequence, note);
        } else {
            check_end(world, sequence);
            world->sequences++;
        }
    }
    note[noted] = '\0';
}

int main(void)
{
    static struct world world;
    static char note[NOTE_SIZE];
    uint8_t sequence[STEPS];
    uint64_t steps = 0;
    for (size_t t = 0; t < TABLES; t++) {
        open_world(&world, &tables[t]);
        snprintf(note, sizeof(note), "with %s, after:", tables[t].name);
        world.run.note = note;
        walk(&world, &tables[t], 0, sequence, note);
        assert(world.sequences == SEQUENCES);
        steps += world.steps;
        close_world(&world);
    }
    printf("%zu tables, %d sequences each, %" PRIu64 " steps compared\n", TABLES, SEQUENCES, steps);
    return 0;
}
