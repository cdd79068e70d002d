/* The mix of operations. Accounts come from a pool a little larger than the table, so that it fills
 * up. The first few accounts of the pool are whales: unbounded ones that move amounts at the edge
 * of 64 bits; everyone else is kept clear of them so that ordinary business goes on. */
#include "draw_inside.h"

#include <assert.h>
#include <string.h>

#define WHALES      DRAW_WHALES
#define ASSETS_USED DRAW_ASSETS_USED
#define NS_PER_MS   DRAW_NS_PER_MS

/* splitmix64 (Steele, Lea, Flood 2014): a counter and a mixer. */
uint64_t draw_bits(struct draw *draw)
{
    draw->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t bits = draw->state;
    bits = (bits ^ (bits >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    bits = (bits ^ (bits >> 27)) * UINT64_C(0x94d049bb133111eb);
    return bits ^ (bits >> 31);
}

uint64_t draw_below(struct draw *draw, uint64_t bound)
{
    assert(bound > 0);
    return draw_bits(draw) % bound;
}

bool chance(struct draw *draw, uint32_t percent)
{
    return draw_below(draw, 100) < percent;
}

uint64_t pick(struct draw *draw, const uint64_t values[], size_t count)
{
    return values[draw_below(draw, count)];
}

/* Rounds and time ------------------------------------------------------------------------- */

struct hf_ledger_limits draw_limits(struct draw *draw)
{
    return (struct hf_ledger_limits){
        .accounts = PICK(draw, 20, 33, 64, 128, 200),
        .instruments = PICK(draw, 12, 30, 64, 100),
        .holds = PICK(draw, 1, 7, 16, 61, 128, 200),
        .terms = PICK(draw, 4, 15, 60, 200),
        .parts = PICK(draw, 3, 12, 60, 500),
        .selectors = PICK(draw, 1, 5, 30, 100),
        .limits = PICK(draw, 9, 60, 150, 400),
        .rolling = PICK(draw, 2, 12, 60, 200),
        .remembered = PICK(draw, 1, 17, 64, 300, 300, 1000, 1000, 2000),
        .remember_ns = PICK(draw, 40 * NS_PER_MS, 500 * NS_PER_MS + 700000, 20000 * NS_PER_MS - 1,
                            3600000 * NS_PER_MS),
        .record_ns = PICK(draw, 1, 20 * NS_PER_MS + 3, 150 * NS_PER_MS, 800 * NS_PER_MS + 1,
                          60000 * NS_PER_MS, UINT64_C(4000000) * 1000 * NS_PER_MS),
        .id_ahead_ns =
            PICK(draw, 999999, 5 * NS_PER_MS + 999999, 300 * NS_PER_MS, 60000 * NS_PER_MS),
    };
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

struct hf_ledger_limits draw_other_limits(struct draw *draw)
{
    const struct model_books *books = draw->model->books;
    struct hf_ledger_limits limits = draw->model->limits;
    if (chance(draw, 50))
        return limits;
    struct hf_ledger_limits other = draw_limits(draw);
    limits.accounts = larger(other.accounts, books->account_count);
    limits.instruments = larger(other.instruments, books->instrument_count);
    limits.holds = larger(other.holds, model_holds_open(draw->model));
    limits.terms = larger(other.terms, model_terms_used(draw->model));
    limits.parts = larger(
        other.parts, larger(model_parts_used(draw->model), model_conditions_used(draw->model)));
    limits.limits = larger(other.limits, books->limit_count);
    limits.rolling = larger(other.rolling, model_rolling_used(draw->model));
    limits.selectors = larger(other.selectors, model_selectors_used(draw->model));
    limits.remembered = other.remembered;
    limits.record_ns = other.record_ns;
    return limits;
}

void draw_start_round(struct draw *draw, const struct model *model)
{
    draw->model = model;
    draw->history_count = 0;
    draw->late_count = 0;
    draw->history_next = 0;
    draw->mood_left = 0;
    draw->edge_ns = 0;
    draw->edge_limit = 0;
    /* Near the epoch the floor of ids would be negative; it is 0. */
    draw->timestamp_ns = PICK(draw, 1 + draw_below(draw, 300 * NS_PER_MS),
                              UINT64_C(1700000000000000000) + draw_below(draw, 1000 * NS_PER_MS));
}

static bool is_soon(const struct draw *draw, uint64_t moment_ns)
{
    return moment_ns > draw->timestamp_ns && moment_ns - draw->timestamp_ns < 100 * NS_PER_MS;
}

/* The moment at which a hold or an account expires or a record is forgotten, or the last one before
 * that, when one comes soon; 0: none. */
static uint64_t draw_moment_ns(struct draw *draw)
{
    const struct model_books *books = draw->model->books;
    uint64_t first = draw_below(draw, MODEL_HOLDS_MAX);
    bool holds = chance(draw, 60);
    bool ended = chance(draw, 40);
    for (uint32_t i = 0; holds && ended && i < books->hold_count; i++) {
        const struct model_hold *hold = &books->holds[(first + i) % books->hold_count];
        uint64_t end_ns = hold->ended_ns + draw->model->limits.record_ns;
        if (hold->ended != 0 && is_soon(draw, end_ns))
            return end_ns - (is_soon(draw, end_ns - 1) ? draw_below(draw, 2) : 0);
    }
    for (uint32_t i = 0; holds && i < books->hold_count; i++) {
        const struct model_hold *hold = &books->holds[(first + i) % books->hold_count];
        if (hold->status == HF_HOLD_OPEN && is_soon(draw, hold->expires_ns))
            return hold->expires_ns;
    }
    for (uint32_t i = 0; !holds && i < books->account_count; i++) {
        const struct model_account *account = &books->accounts[(first + i) % books->account_count];
        if (is_soon(draw, account->expires_ns))
            return account->expires_ns;
    }
    return 0;
}

/* An account that expires at this very moment, or NULL. */
static const struct model_account *find_expiring(const struct draw *draw)
{
    const struct model_books *books = draw->model->books;
    for (uint32_t i = 0; i < books->account_count; i++)
        if (books->accounts[i].expires_ns == draw->timestamp_ns)
            return &books->accounts[i];
    return NULL;
}

void draw_next_bundle(struct draw *draw)
{
    uint64_t moment_ns = draw_limit_edge_ns(draw);
    if (moment_ns == 0 && chance(draw, 15))
        moment_ns = draw_moment_ns(draw);
    if (moment_ns != 0) {
        draw->timestamp_ns = moment_ns;
        return;
    }
    uint64_t now_ms = draw->timestamp_ns / NS_PER_MS;
    uint64_t floor_ms = model_floor_ms(draw->model, draw->timestamp_ns);
    uint64_t kind = draw_below(draw, 100);

    if (floor_ms > now_ms && chance(draw, 90))
        draw->timestamp_ns += (floor_ms - now_ms) * NS_PER_MS + draw_below(draw, NS_PER_MS);
    else if (kind < 20)
        draw->timestamp_ns += 0;
    else if (kind < 25)
        draw->timestamp_ns += 1;
    else if (kind < 60)
        draw->timestamp_ns += draw_below(draw, NS_PER_MS);
    else if (kind < 99)
        draw->timestamp_ns += draw_below(draw, 5 * NS_PER_MS);
    else
        draw->timestamp_ns += draw_below(draw, 2000 * NS_PER_MS);
}

static uint64_t draw_id_time_ms(struct draw *draw)
{
    uint64_t now_ms = draw->timestamp_ns / NS_PER_MS;
    uint64_t floor_ms = model_floor_ms(draw->model, draw->timestamp_ns);
    uint64_t newest_ms = now_ms + draw->model->limits.id_ahead_ns / NS_PER_MS;
    uint64_t kind = draw_below(draw, 200);

    if (kind < 3)
        return floor_ms;
    if (kind < 5)
        return floor_ms > 0 ? floor_ms - 1 : 0;
    if (kind < 6)
        return newest_ms;
    if (kind < 8)
        return newest_ms + 1;
    if (kind < 9)
        return PICK(draw, 0, 1, (UINT64_C(1) << 48) - 1);
    if (kind < 40 && floor_ms < now_ms)
        return floor_ms + draw_below(draw, now_ms - floor_ms + 1);
    return floor_ms > now_ms ? floor_ms : now_ms;
}

/* Names ----------------------------------------------------------------------------------- */

struct hf_id draw_account_name(uint64_t index)
{
    if (index % 3 == 0)
        return (struct hf_id){.lo = 1000 + index, .hi = 0};
    return (struct hf_id){.lo = index, .hi = 1 + index % 5};
}

struct hf_id draw_account_id(struct draw *draw)
{
    uint64_t accounts = draw->model->limits.accounts;
    return draw_account_name(draw_below(draw, accounts + accounts / 5 + 1));
}

struct hf_id draw_token(struct draw *draw)
{
    uint64_t instruments = draw->model->limits.instruments;
    uint64_t index = draw_below(draw, instruments + instruments / 5 + 1);
    return (struct hf_id){.lo = 0xc0ffee + index / 4, .hi = UINT64_MAX - index % 4};
}

bool is_whale(const struct model_account *account)
{
    for (uint64_t i = 0; i < WHALES; i++)
        if (memcmp(&account->id, &(struct hf_id[]){draw_account_name(i)}, 16) == 0)
            return true;
    return false;
}

const struct model_account *draw_account(struct draw *draw, bool whale)
{
    const struct model_books *books = draw->model->books;
    if (books->account_count == 0)
        return NULL;
    const struct model_account *account = find_expiring(draw);
    if (account != NULL && is_whale(account) == whale && chance(draw, 15))
        return account;
    for (int tries = 0; tries < 20; tries++) {
        account = whale ? model_account_of(draw->model, draw_account_name(draw_below(draw, WHALES)))
                        : &books->accounts[draw_below(draw, books->account_count)];
        if (account == NULL || is_whale(account) != whale)
            continue;
        bool idle = account->status != HF_ACCOUNT_OPEN ||
                    (account->expires_ns != 0 && account->expires_ns <= draw->timestamp_ns);
        if (!idle || chance(draw, 15))
            return account;
    }
    return account;
}

void draw_parties(struct draw *draw, const struct model_account *payer, struct parties *parties)
{
    parties->whales = payer == NULL ? chance(draw, 4) : is_whale(payer);
    if (payer == NULL)
        payer = draw_account(draw, parties->whales);
    const struct model_account *payee = draw_account(draw, parties->whales);
    for (int tries = 0; tries < 8 && payer != NULL && payee != NULL; tries++) {
        bool totals = payer->is_total || payee->is_total;
        if (payer != payee && payer->asset == payee->asset && (!totals || chance(draw, 5)))
            break;
        if (payer->is_total)
            payer = draw_account(draw, parties->whales);
        payee = draw_account(draw, parties->whales);
    }
    parties->payer_id = payer == NULL ? draw_account_id(draw) : payer->id;
    parties->payee_id = payee == NULL ? draw_account_id(draw) : payee->id;
    if (chance(draw, 2))
        parties->payee_id = draw_account_id(draw);
    if (chance(draw, 2))
        parties->payer_id = draw_account_id(draw);
    if (chance(draw, 1))
        parties->payee_id = parties->payer_id;
    parties->payer = model_account_of(draw->model, parties->payer_id);
    parties->payee = model_account_of(draw->model, parties->payee_id);
    parties->asset = parties->payer == NULL ? 1 : parties->payer->asset;
    if (chance(draw, 2) && parties->payee != NULL)
        parties->asset = parties->payee->asset;
    if (chance(draw, 2))
        parties->asset = (uint16_t)(1 + draw_below(draw, ASSETS_USED + 2));
}

/* Amounts --------------------------------------------------------------------------------- */

uint64_t as_amount(__int128 value)
{
    if (value < 1)
        return 1;
    if (value > INT64_MAX)
        return INT64_MAX;
    return (uint64_t)value;
}

/* Exactly what one of the limits allows for these two, or one more. */
static uint64_t draw_edge_amount(struct draw *draw, const struct parties *parties)
{
    const struct model_account *payer = parties->payer;
    const struct model_account *payee = parties->payee;
    __int128 spendable = (__int128)payer->posted - (__int128)payer->held_out;
    if (!parties->whales && payee->ceiling != INT64_MAX && chance(draw, 50))
        return as_amount((__int128)payee->ceiling - payee->posted - (__int128)payee->held_in +
                         (__int128)draw_below(draw, 2));
    __int128 edge;
    switch (draw_below(draw, parties->whales ? 6 : 1)) {
    case 0:
        edge = spendable - payer->floor;
        break;
    case 1:
        edge = spendable - INT64_MIN;
        break;
    case 2:
        edge = (__int128)UINT64_MAX - (__int128)payer->lifetime_debits;
        break;
    case 3:
        edge = (__int128)INT64_MAX - (__int128)payer->held_out;
        break;
    case 4:
        edge = (__int128)INT64_MAX - payee->posted - (__int128)payee->held_in;
        break;
    default:
        edge = INT64_MAX;
    }
    return as_amount(edge + (__int128)draw_below(draw, 2));
}

uint64_t draw_amount(struct draw *draw, const struct parties *parties)
{
    bool both = parties->payer != NULL && parties->payee != NULL;
    if (parties->whales) {
        if (both && chance(draw, 60))
            return draw_edge_amount(draw, parties);
        return 1 + (draw_bits(draw) >> (1 + draw_below(draw, 8))) % (uint64_t)INT64_MAX;
    }
    if (both && chance(draw, 10))
        return draw_edge_amount(draw, parties);
    return 1 + draw_below(draw, chance(draw, 10) ? 100000 : 500);
}

/* Bodies ---------------------------------------------------------------------------------- */

static void draw_asset_put(struct draw *draw, struct hf_op_asset_put *put)
{
    put->header.length = sizeof(*put);
    put->asset = (uint16_t)(1 + draw_below(draw, chance(draw, 30) ? ASSETS_USED : 400));
    put->scale = (uint8_t)(put->asset % 19);
    memcpy(put->code, "AST", 3);
    put->code[3] = (char)('0' + put->asset % 10);
    if (chance(draw, 5))
        put->scale = (uint8_t)draw_below(draw, 19);
    if (chance(draw, 5))
        put->code[draw_below(draw, 8) % 5] = 'Z';
}

static void draw_move(struct draw *draw, struct hf_op_move *move)
{
    struct parties parties;
    draw_parties(draw, NULL, &parties);
    move->header.length = sizeof(*move);
    move->payer = parties.payer_id;
    move->payee = parties.payee_id;
    move->asset = parties.asset;
    move->amount = draw_amount(draw, &parties);
    move->reference = (uint32_t)draw_bits(draw);
}

static void draw_any_hold(struct draw *draw, struct hf_op_hold *hold)
{
    struct parties parties;
    draw_parties(draw, NULL, &parties);
    draw_hold(draw, hold, &parties, draw_amount(draw, &parties));
}

/* Operations ------------------------------------------------------------------------------ */

void draw_header(struct draw *draw, uint8_t type, struct hf_op_header *header)
{
    uint64_t id_time_ms = draw_id_time_ms(draw);
    header->type = type;
    header->flags = chance(draw, 50) ? HF_OP_RETURN_BALANCES : 0;
    if (chance(draw, 4))
        header->flags |= HF_OP_DRY_RUN;
    header->origin = chance(draw, 80) ? 0 : (uint32_t)draw_below(draw, 3);
    header->id.hi = (id_time_ms << 16) | (draw_bits(draw) & 0xffff);
    header->id.lo = draw_bits(draw);
    uint64_t kind = draw_below(draw, 100);
    if (kind < 2)
        header->deadline_ns = draw->timestamp_ns - 1;
    else if (kind < 4)
        header->deadline_ns = draw->timestamp_ns;
    else if (kind < 5)
        header->deadline_ns = 1 + draw_below(draw, draw->timestamp_ns);
    else if (kind < 20)
        header->deadline_ns = draw->timestamp_ns + 1 + draw_below(draw, NS_PER_MS);
    else
        header->deadline_ns = 0;
}

void draw_body(struct draw *draw, union hf_operation *operation)
{
    switch (operation->header.type) {
    case HF_OP_ASSET_PUT:
        draw_asset_put(draw, &operation->asset_put);
        break;
    case HF_OP_ACCOUNT_PUT:
        draw_account_put(draw, &operation->account_put);
        break;
    case HF_OP_ACCOUNT_CLOSE:
        draw_account_close(draw, &operation->account_close);
        break;
    case HF_OP_MOVE:
        draw_move(draw, &operation->move);
        break;
    case HF_OP_MOVE_PLAN:
        draw_move_plan(draw, &operation->move_plan);
        break;
    case HF_OP_HOLD:
        draw_any_hold(draw, &operation->hold);
        break;
    case HF_OP_HOLD_PLAN:
        draw_hold_plan(draw, &operation->hold_plan);
        break;
    case HF_OP_CAPTURE:
        draw_capture(draw, &operation->capture);
        break;
    case HF_OP_RELEASE:
        draw_release(draw, &operation->release);
        break;
    case HF_OP_ADJUST:
        draw_adjust(draw, &operation->adjust);
        break;
    case HF_OP_ATTEST:
        draw_attest(draw, &operation->attest);
        break;
    case HF_OP_EXPIRE:
        draw_expire(draw, &operation->expire);
        break;
    case HF_OP_CLASS_PUT:
        draw_class_put(draw, &operation->class_put);
        break;
    case HF_OP_INSTRUMENT_PUT:
        draw_instrument_put(draw, &operation->instrument_put);
        break;
    case HF_OP_LIMIT_PUT:
        draw_limit_put(draw, &operation->limit_put);
        break;
    case HF_OP_AUTH:
        draw_auth(draw, &operation->auth);
        break;
    case HF_OP_INCREMENT:
        draw_increment(draw, &operation->increment);
        break;
    case HF_OP_REVERSE:
        draw_reverse(draw, &operation->reverse);
        break;
    case HF_OP_CLEAR:
        draw_clear(draw, &operation->clear);
        break;
    default:
        assert(operation->header.type == HF_OP_CHAIN);
        draw_chain(draw, &operation->chain);
    }
}

void draw_expire_envelope(struct draw *draw, struct hf_op_header *header)
{
    struct hf_op_header made = *header;
    draw_header(draw, HF_OP_EXPIRE, &made);
    made.flags &= (uint8_t)~HF_OP_DRY_RUN;
    made.deadline_ns = 0;
    made.length = header->length;
    uint64_t now_ms = draw->timestamp_ns / NS_PER_MS;
    uint64_t floor_ms = model_floor_ms(draw->model, draw->timestamp_ns);
    made.id.hi = (floor_ms > now_ms ? floor_ms : now_ms) << 16 | (made.id.hi & 0xffff);
    *header = made;
}

void draw_forbid(struct draw *draw, union hf_operation *operation)
{
    /* Its deadline of 1 has never passed in the epoch's first nanosecond. */
    bool is_sent = operation->header.type != HF_OP_EXPIRE;
    if (is_sent && draw->timestamp_ns > 1 && chance(draw, 3))
        hf_operation_forbid(operation);
}

void draw_fresh(struct draw *draw, uint8_t type, union model_operation *operation)
{
    memset(operation, 0, sizeof(*operation));
    draw_header(draw, type, &operation->operation.header);
    if (type == HF_OP_EXPIRE)
        operation->operation.header.flags &= (uint8_t)~HF_OP_DRY_RUN;
    draw_body(draw, &operation->operation);
}

/* One of the mix for the mood of the moment; 0 stands for sending something again. */
static uint8_t draw_type(struct draw *draw)
{
    enum { MOODS = 7, KINDS = 21 };
    static const uint8_t kinds[KINDS] = {
        0,
        HF_OP_ASSET_PUT,
        HF_OP_ACCOUNT_PUT,
        HF_OP_ACCOUNT_CLOSE,
        HF_OP_MOVE,
        HF_OP_MOVE_PLAN,
        HF_OP_HOLD,
        HF_OP_HOLD_PLAN,
        HF_OP_CAPTURE,
        HF_OP_RELEASE,
        HF_OP_ADJUST,
        HF_OP_ATTEST,
        HF_OP_EXPIRE,
        HF_OP_CLASS_PUT,
        HF_OP_INSTRUMENT_PUT,
        HF_OP_LIMIT_PUT,
        HF_OP_AUTH,
        HF_OP_CHAIN,
        HF_OP_INCREMENT,
        HF_OP_REVERSE,
        HF_OP_CLEAR,
    };
    static const uint8_t percent[MOODS][KINDS] = {
        /* a normal day */
        {5, 3, 5, 1, 17, 11, 7, 8, 8, 4, 4, 3, 2, 1, 3, 2, 8, 2, 1, 2, 3},
        /* everybody shops */
        {2, 1, 2, 0, 6, 6, 23, 21, 3, 1, 4, 3, 1, 0, 3, 2, 16, 2, 2, 1, 1},
        /* everything is cleared */
        {2, 1, 2, 1, 8, 6, 3, 3, 27, 14, 7, 5, 3, 0, 2, 1, 3, 2, 0, 4, 6},
        /* a bad network */
        {37, 1, 3, 1, 10, 6, 5, 6, 5, 3, 2, 2, 2, 1, 2, 1, 5, 2, 1, 3, 2},
        /* a change of contracts */
        {5, 3, 23, 4, 12, 8, 6, 7, 6, 4, 2, 1, 4, 2, 3, 4, 2, 2, 0, 1, 1},
        /* everybody has a card */
        {4, 1, 3, 1, 9, 2, 2, 2, 8, 4, 2, 0, 2, 1, 4, 9, 26, 3, 4, 6, 7},
        /* acquirers settle */
        {8, 1, 2, 1, 9, 1, 1, 1, 1, 1, 2, 0, 2, 1, 4, 4, 28, 4, 5, 11, 13},
    };
    if (draw->mood_left == 0) {
        draw->mood = (uint32_t)draw_below(draw, MOODS);
        draw->mood_left = 100 + (uint32_t)draw_below(draw, 1500);
    }
    draw->mood_left--;
    uint64_t at = draw_below(draw, 100);
    for (int i = 0; i < KINDS; i++) {
        if (at < percent[draw->mood][i])
            return kinds[i];
        at -= percent[draw->mood][i];
    }
    return HF_OP_MOVE;
}

/* Behind its length an operation has zeros, before as after. */
static void copy_operation(union model_operation *to, const union hf_operation *from)
{
    size_t length = from->header.length;
    size_t before = to->operation.header.length;
    memcpy(to, from, length);
    if (before > length)
        memset((uint8_t *)to + length, 0, before - length);
}

void draw_remember(struct draw *draw, const union hf_operation *operation)
{
    copy_operation(&draw->history[draw->history_next], operation);
    draw->history_next = (draw->history_next + 1) % DRAW_HISTORY_MAX;
    if (draw->history_count < DRAW_HISTORY_MAX)
        draw->history_count++;
}

/* Something sent before: the same, the same in another envelope, or other content under its id. */
static void draw_again(struct draw *draw, union model_operation *operation)
{
    static union model_operation changed;
    const struct model_books *books = draw->model->books;
    *operation = draw->history[draw_below(draw, draw->history_count)];
    if (books->hold_count > 0 && chance(draw, 30)) {
        const struct model_hold *hold = &books->holds[draw_below(draw, books->hold_count)];
        if (hold->memory.operation != NULL)
            copy_operation(operation, hold->memory.operation);
    }

    changed = *operation;
    struct hf_op_header *header = &changed.operation.header;
    switch (draw_below(draw, 4)) {
    case 0:
        draw_header(draw, header->type, header);
        header->id = operation->operation.header.id;
        break;
    case 1:
        draw_fresh(draw, (uint8_t)PICK(draw, HF_OP_MOVE, HF_OP_HOLD, HF_OP_RELEASE, HF_OP_AUTH),
                   &changed);
        header->id = operation->operation.header.id;
        break;
    case 2:
        ((uint8_t *)&changed)[32 + draw_below(draw, header->length - 32u)] ^=
            (uint8_t)(1u << draw_below(draw, 8));
        break;
    default:
        break;
    }
    if (model_check(&changed.operation, sizeof(changed)).code == HF_CODE_OK)
        *operation = changed;
}

void draw_operation(struct draw *draw, union model_operation *operation)
{
    uint8_t type = draw_type(draw);
    if (type == 0 && draw->history_count == 0)
        type = HF_OP_ASSET_PUT;
    bool resolves = type == HF_OP_CAPTURE || type == HF_OP_RELEASE;
    if (resolves && model_holds_open(draw->model) == 0 && chance(draw, 70))
        type = HF_OP_HOLD;
    bool clears = type == HF_OP_AUTH || type == HF_OP_REVERSE || type == HF_OP_CLEAR;
    if (draw->late_count > 0 && chance(draw, clears ? 25 : 3)) {
        uint64_t at = draw_below(draw, draw->late_count);
        *operation = draw->late[at];
        draw->late[at] = draw->late[--draw->late_count];
        draw_remember(draw, &operation->operation);
    } else if (type == 0) {
        draw_again(draw, operation);
    } else {
        /* A chain may have drawn one id twice. */
        do
            draw_fresh(draw, type, operation);
        while (model_check(&operation->operation, sizeof(*operation)).code != HF_CODE_OK);
        draw_remember(draw, &operation->operation);
    }
    assert(model_check(&operation->operation, sizeof(*operation)).code == HF_CODE_OK);
}

static void damage_bytes(struct draw *draw, union model_operation *operation, size_t *available)
{
    struct hf_op_header *header = &operation->operation.header;
    uint8_t *bytes = (uint8_t *)operation;
    size_t length = header->length < sizeof(*operation) ? header->length : sizeof(*operation);
    size_t at = draw_below(draw, length > 200 && chance(draw, 60) ? 200 : length);
    size_t wide_at = at / 8 * 8;
    switch (draw_below(draw, 10)) {
    case 0:
        header->type = (uint8_t)draw_below(draw, 30);
        break;
    case 1:
        header->length = (uint16_t)draw_below(draw, chance(draw, 5) ? 65536 : 220);
        break;
    case 2:
        header->flags = (uint8_t)draw_bits(draw);
        break;
    case 3:
        *available = draw_below(draw, sizeof(*operation) + 1);
        break;
    case 4:
        memset(bytes + (wide_at + 16 <= sizeof(*operation) ? wide_at : 32),
               chance(draw, 50) ? 0 : 0xff, 16);
        break;
    case 5: {
        uint64_t edge =
            PICK(draw, 0, 1, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX - 1, UINT64_MAX);
        memcpy(bytes + wide_at, &edge, 8);
        break;
    }
    case 6:
        bytes[at] = (uint8_t)draw_below(draw, 24);
        break;
    case 7:
        header->length = (uint16_t)(header->length + 8 * draw_below(draw, 17) - 64);
        break;
    case 8:
        memset(bytes + 32 + draw_below(draw, 4) * 16, chance(draw, 50) ? 0 : 0xff, 16);
        break;
    default:
        bytes[at] ^= (uint8_t)(1u << draw_below(draw, 8));
    }
}

size_t draw_damage(struct draw *draw, union model_operation *operation)
{
    if (chance(draw, 10)) {
        struct hf_id id = operation->operation.header.id;
        memset(operation, 0, sizeof(*operation));
        draw_query(draw, id, &operation->operation.query);
    }
    size_t available = chance(draw, 60) ? operation->operation.header.length : sizeof(*operation);
    if (chance(draw, 30))
        draw_damage_list(draw, &operation->operation);
    for (uint64_t times = draw_below(draw, 3); times > 0; times--) {
        if (operation->operation.header.length == 0)
            break;
        damage_bytes(draw, operation, &available);
    }
    return available;
}

void draw_query_of(uint8_t subject, struct hf_id id, struct hf_op_query *query)
{
    memset(query, 0, sizeof(*query));
    query->header.length = sizeof(*query);
    query->header.type = HF_OP_QUERY;
    query->header.id = (struct hf_id){.lo = subject, .hi = id.lo | 1};
    query->subject_id = id;
    query->subject = subject;
}

void draw_query(struct draw *draw, struct hf_id operation_id, struct hf_op_query *query)
{
    uint8_t subject = (uint8_t)(1 + draw_below(draw, 9));
    struct hf_id id = operation_id;
    if (subject == HF_QUERY_ACCOUNT || subject == HF_QUERY_ACCOUNT_HOLDS)
        id = draw_account_id(draw);
    if (subject == HF_QUERY_ACCOUNT_LIMITS)
        id = draw_account_id(draw);
    if (subject == HF_QUERY_INSTRUMENT || subject == HF_QUERY_INSTRUMENT_LIMITS ||
        subject == HF_QUERY_INSTRUMENT_AUTHORISATIONS)
        id = draw_token(draw);
    bool records = subject == HF_QUERY_HOLD || subject == HF_QUERY_AUTHORISATION;
    if (records && chance(draw, 50))
        draw_hold_record(draw, &id);
    draw_query_of(subject, id, query);
    if (subject == HF_QUERY_ACCOUNT_HOLDS && chance(draw, 20))
        query->cursor = (uint32_t)(draw_bits(draw) >> (32 + draw_below(draw, 32)));
    bool limits = subject == HF_QUERY_INSTRUMENT_LIMITS || subject == HF_QUERY_ACCOUNT_LIMITS;
    if (subject == HF_QUERY_INSTRUMENT_AUTHORISATIONS && chance(draw, 50))
        query->cursor =
            (uint32_t)(chance(draw, 5) ? HF_AUTHORISATIONS_SKIP_MAX : draw_below(draw, 12));
    if (limits && chance(draw, 50))
        query->cursor = (uint32_t)(chance(draw, 50) ? draw_below(draw, 20) : draw_below(draw, 256));
    query->header.flags = chance(draw, 50) ? HF_OP_RETURN_BALANCES : 0;
}
