/* How accounts are opened, changed and closed: bounds around what they have, totals several deep,
 * expiries a few bundles ahead. */
#include "draw_inside.h"

static int64_t draw_floor(struct draw *draw, bool whale)
{
    uint64_t kind = draw_below(draw, 100);
    if (kind < (whale ? 80 : 12))
        return INT64_MIN;
    if (kind < 60)
        return 0;
    if (kind < 90)
        return -(int64_t)draw_below(draw, 50000);
    if (kind < 96)
        return (int64_t)draw_below(draw, 2000);
    if (kind < 98)
        return (int64_t)PICK(draw, (uint64_t)INT64_MIN + 1, INT64_MAX, 1);
    return (int64_t)draw_bits(draw);
}

/* The floor of a total binds many: mostly it is far off, now and then a little below what its
 * children can spend together. */
static int64_t draw_total_floor(struct draw *draw, const struct model_account *known)
{
    if (known != NULL && chance(draw, 45)) {
        struct model_balance balance = model_balance_of(draw->model, known);
        model_wide near = balance.posted - balance.held_out - (model_wide)draw_below(draw, 2000);
        return near > INT64_MIN && near < INT64_MAX ? (int64_t)near : 0;
    }
    if (chance(draw, 40))
        return INT64_MIN;
    return chance(draw, 60) ? -(int64_t)draw_below(draw, 100000) : 0;
}

static int64_t draw_ceiling(struct draw *draw, const struct model_account *known, bool whale)
{
    if (chance(draw, whale ? 85 : 60))
        return INT64_MAX;
    if (known != NULL && chance(draw, 60)) {
        struct model_balance balance = model_balance_of(draw->model, known);
        model_wide near = balance.posted + balance.held_in + (model_wide)draw_below(draw, 3000);
        return near > INT64_MAX ? INT64_MAX : near < INT64_MIN ? INT64_MIN : (int64_t)near;
    }
    if (chance(draw, 3))
        return (int64_t)draw_bits(draw);
    return (int64_t)draw_below(draw, 60000);
}

static uint32_t depth_of(const struct draw *draw, const struct model_account *account)
{
    uint32_t depth = 0;
    for (; account->parent.lo != 0 || account->parent.hi != 0; depth++)
        account = model_account_of(draw->model, account->parent);
    return depth;
}

/* A total of the asset to open the account under, rather a deep one; zero: none. */
static struct hf_id draw_parent(struct draw *draw, uint16_t asset)
{
    const struct model_books *books = draw->model->books;
    const struct model_account *deepest = NULL;
    for (int tries = 0; tries < 16 && books->account_count > 0; tries++) {
        const struct model_account *account =
            &books->accounts[draw_below(draw, books->account_count)];
        if (chance(draw, 1))
            return account->id;
        if (!account->is_total || account->asset != asset)
            continue;
        if (deepest == NULL || depth_of(draw, account) > depth_of(draw, deepest))
            deepest = account;
    }
    if (deepest == NULL || chance(draw, 2))
        return chance(draw, 20) ? draw_account_id(draw) : (struct hf_id){0, 0};
    return deepest->id;
}

static struct hf_id draw_sink(struct draw *draw, uint16_t asset)
{
    for (int tries = 0; tries < 8; tries++) {
        const struct model_account *account = draw_account(draw, false);
        if (account != NULL && account->asset == asset && (!account->is_total || chance(draw, 2)))
            return account->id;
    }
    return draw_account_id(draw);
}

static void draw_account_terms(struct draw *draw, const struct model_account *known, bool whale,
                               struct hf_op_account_put *put)
{
    bool wants_total = !whale && chance(draw, 35);
    put->header.length = sizeof(*put);
    put->flags = wants_total ? HF_ACCOUNT_TOTAL : 0;
    if (known == NULL ? wants_total : known->is_total)
        put->floor = draw_total_floor(draw, known);
    put->ceiling = draw_ceiling(draw, known, whale);
    if (chance(draw, 12))
        put->expires_ns =
            draw->timestamp_ns + draw_below(draw, PICK(draw, 2, 10, 80) * DRAW_NS_PER_MS);
    if (put->expires_ns != 0 && chance(draw, 5))
        put->expires_ns = draw->timestamp_ns + draw_below(draw, 3);
    if (known != NULL) {
        put->parent = known->parent;
        put->flags = known->is_total ? HF_ACCOUNT_TOTAL : 0;
    } else if (!whale && chance(draw, 70)) {
        put->parent = draw_parent(draw, put->asset);
    }
    if (known != NULL && chance(draw, 1))
        put->parent = draw_parent(draw, put->asset);
    if (known != NULL && chance(draw, 1))
        put->flags ^= HF_ACCOUNT_TOTAL;
    if (chance(draw, put->expires_ns != 0 ? 85 : 10))
        put->sink = chance(draw, 2) ? draw_account_id(draw) : draw_sink(draw, put->asset);
    if (!whale && chance(draw, 12))
        draw_filter(draw, &put->filter);
    if (hf_id_equal(put->sink, put->account))
        put->sink = (struct hf_id){0, 0};
    if (hf_id_equal(put->parent, put->account))
        put->parent = (struct hf_id){0, 0};
}

void draw_account_put(struct draw *draw, struct hf_op_account_put *put)
{
    put->header.length = HF_ACCOUNT_PUT_SHORT;
    put->account =
        chance(draw, 10) ? draw_account_name(draw_below(draw, DRAW_WHALES)) : draw_account_id(draw);
    const struct model_account *known = model_account_of(draw->model, put->account);
    struct model_account wanted = {.id = put->account};
    bool whale = is_whale(&wanted);
    put->asset = whale ? 1 : (uint16_t)(1 + (put->account.lo % DRAW_ASSETS_USED));
    if (known != NULL)
        put->asset = known->asset;
    if (chance(draw, 4))
        put->asset = (uint16_t)(1 + draw_below(draw, chance(draw, 50) ? DRAW_ASSETS_USED : 500));
    put->status = chance(draw, whale ? 2 : 8) ? HF_ACCOUNT_FROZEN : HF_ACCOUNT_OPEN;
    put->floor = draw_floor(draw, whale);
    if (chance(draw, 60))
        draw_account_terms(draw, known, whale, put);
}

static bool can_close(struct draw *draw, const struct model_account *account)
{
    struct model_balance balance = model_balance_of(draw->model, account);
    return account->status != HF_ACCOUNT_CLOSED && balance.held_out == 0 && balance.held_in == 0 &&
           balance.posted >= 0;
}

/* The payer of a hold that lapsed and may be captured late, or has let others pay last: one that
 * can be closed while the hold is not resolved. Or payer or payee of what may be reversed. */
static bool draw_worn_account(struct draw *draw, struct hf_id *id)
{
    const struct model_books *books = draw->model->books;
    uint64_t first = draw_below(draw, MODEL_HOLDS_MAX);
    for (uint32_t i = 0; i < books->hold_count; i++) {
        const struct model_hold *hold = &books->holds[(first + i) % books->hold_count];
        bool late = hold->status == HF_HOLD_LAPSED && (hold->policy & HF_HOLD_SOFT) != 0;
        bool spent = hold->status == HF_HOLD_OPEN && hold->parts[0].remaining == 0;
        bool paid = hold->record.is_there && hold->captured > 0;
        *id = paid && chance(draw, 50) ? hold->payee : hold->parts[0].account;
        if ((late || spent || paid) && can_close(draw, model_account_of(draw->model, *id)))
            return true;
    }
    return false;
}

/* What is closed stays closed, so accounts that can be are mostly left alone. */
void draw_account_close(struct draw *draw, struct hf_op_account_close *close)
{
    const struct model_account *account = draw_account(draw, false);
    close->header.length = sizeof(*close);
    close->account = account == NULL || chance(draw, 3) ? draw_account_id(draw) : account->id;
    struct hf_id worn_id;
    bool worn = chance(draw, 15) && draw_worn_account(draw, &worn_id);
    if (worn)
        close->account = worn_id;
    account = model_account_of(draw->model, close->account);
    if (account == NULL)
        return;
    if (can_close(draw, account) && !chance(draw, worn ? 70 : 4))
        close->header.flags |= HF_OP_DRY_RUN;
    if (chance(draw, 80))
        close->sink = chance(draw, 5) ? draw_account_id(draw) : draw_sink(draw, account->asset);
    if (hf_id_equal(close->sink, close->account))
        close->sink = (struct hf_id){0, 0};
}
