/* Operations on holds: amounts around what remains and what the tolerance allows, proofs that are
 * good, forged or made for something else, expiries a few bundles ahead. */
#include "draw_inside.h"

#include <assert.h>
#include <sodium.h>
#include <string.h>

#define SECRETS 6
#define KEYS    3
#define REGIONS 3

/* The secret texts and keys that conditions are made of are few, so that whoever wants to prove one
 * finds it by trying. */
static void make_secret(uint64_t index, uint8_t secret[HF_PROOF_MAX], uint8_t *length)
{
    *length = (uint8_t)(index == 0 ? HF_PROOF_MAX : index * 7);
    memset(secret, (int)(0x30 + index), *length);
}

static void make_key(uint64_t index, uint8_t public_key[32], uint8_t secret_key[64])
{
    uint8_t seed[32];
    memset(seed, (int)(0x41 + index), sizeof(seed));
    crypto_sign_seed_keypair(public_key, secret_key, seed);
}

static void hash_secret(uint8_t kind, const uint8_t *secret, uint8_t length, uint8_t hash[32])
{
    if (kind == HF_CONDITION_BLAKE2B)
        crypto_generichash(hash, 32, secret, length, NULL, 0);
    else
        crypto_hash_sha256(hash, secret, length);
}

static uint64_t draw_expiry(struct draw *draw)
{
    if (chance(draw, 3))
        return draw->timestamp_ns + draw_below(draw, 3) - 1;
    return draw->timestamp_ns + 1 + draw_below(draw, PICK(draw, 5, 20, 100) * DRAW_NS_PER_MS);
}

void draw_condition(struct draw *draw, struct hf_op_condition *condition)
{
    uint8_t secret[HF_PROOF_MAX];
    uint8_t secret_key[64];
    uint8_t length;
    memset(condition, 0, sizeof(*condition));
    condition->kind = (uint8_t)PICK(draw, 1, 1, 2, 2, 3, 4, 5, 5, 6, 7);
    switch (condition->kind) {
    case HF_CONDITION_BLAKE2B:
    case HF_CONDITION_SHA256:
        make_secret(draw_below(draw, SECRETS), secret, &length);
        hash_secret(condition->kind, secret, length, condition->bytes);
        break;
    case HF_CONDITION_REGION:
        condition->code = (uint32_t)draw_below(draw, REGIONS);
        /* fall through */
    case HF_CONDITION_SIGNATURE:
        make_key(draw_below(draw, KEYS), condition->bytes, secret_key);
        break;
    case HF_CONDITION_ORIGIN:
        condition->code = (uint32_t)draw_below(draw, 3);
        break;
    default:
        condition->time_ns = draw->timestamp_ns + draw_below(draw, 10 * DRAW_NS_PER_MS);
    }
}

void draw_terms(struct draw *draw, struct hf_op_terms *terms)
{
    memset(terms, 0, sizeof(*terms));
    uint64_t kind = draw_below(draw, 100);
    terms->expires_ns = kind < 30 ? 0 : kind < 40 ? HF_EXPIRES_NEVER : draw_expiry(draw);
    terms->tolerance = (uint16_t)PICK(draw, 0, 0, 0, 15, 100, 999, HF_TOLERANCE_MAX);
    terms->class_number = (uint8_t)draw_below(draw, HF_CLASSES);
    terms->policy |= chance(draw, 30) ? HF_HOLD_SOFT : 0;
    terms->policy |= chance(draw, 40) ? HF_HOLD_RATIO : 0;
    terms->policy |= chance(draw, 15) ? HF_HOLD_SINGLE : 0;
    if ((terms->policy & HF_HOLD_SOFT) == 0 && chance(draw, 40)) {
        terms->condition_count =
            (uint8_t)(chance(draw, 5) ? HF_CONDITIONS_MAX : 1 + draw_below(draw, 3));
        terms->required = (uint8_t)(1 + draw_below(draw, terms->condition_count));
    }
}

void draw_hold(struct draw *draw, struct hf_op_hold *hold, const struct parties *parties,
               uint64_t amount)
{
    hold->header.length = sizeof(*hold);
    hold->payer = parties->payer_id;
    hold->payee = parties->payee_id;
    hold->asset = parties->asset;
    hold->amount = amount;
    hold->reference = (uint32_t)draw_bits(draw);
    if (chance(draw, 40))
        hold->expires_ns = chance(draw, 5) ? HF_EXPIRES_NEVER : draw_expiry(draw);
}

/* Lapsed ones that may still be captured are worth a visit. */
static bool is_interesting(struct draw *draw, const struct model_hold *hold)
{
    if (hold->status == HF_HOLD_OPEN)
        return true;
    bool soft = hold->status == HF_HOLD_LAPSED && (hold->policy & HF_HOLD_SOFT) != 0;
    return chance(draw, soft ? 50 : 2);
}

const struct model_hold *draw_hold_record(struct draw *draw, struct hf_id *id)
{
    const struct model_books *books = draw->model->books;
    const struct model_hold *hold = NULL;
    for (int tries = 0; tries < 10 && books->hold_count > 0; tries++) {
        hold = &books->holds[draw_below(draw, books->hold_count)];
        if (is_interesting(draw, hold))
            break;
    }
    if (hold != NULL && !chance(draw, 3)) {
        *id = hold->id;
        bool was_held = hold->status != HF_HOLD_REFUSED && hold->status != HF_HOLD_REVERSED;
        return was_held ? hold : NULL;
    }
    if (draw->history_count > 0)
        *id = draw->history[draw_below(draw, draw->history_count)].operation.header.id;
    else
        *id = draw_account_id(draw);
    return NULL;
}

/* What remains, all of it by name, one more, one less, what the tolerance allows, or a part. */
static uint64_t draw_part(struct draw *draw, const struct model_hold *hold)
{
    if (hold == NULL || chance(draw, 20))
        return UINT64_MAX;
    const struct model_account *payer = model_account_of(draw->model, hold->parts[0].account);
    uint64_t unused = UINT64_MAX - payer->lifetime_debits;
    __int128 left =
        hold->status == HF_HOLD_LAPSED ? hold->amount - hold->captured : hold->remaining;
    __int128 most = left + (__int128)hold->amount * hold->tolerance / 1000;
    switch (draw_below(draw, 10)) {
    case 0:
        return as_amount(left);
    case 1:
        return as_amount(left + 1);
    case 2:
        return as_amount(left - 1);
    case 3:
        return as_amount((__int128)unused + (__int128)draw_below(draw, 2));
    case 4:
        return as_amount(most + (__int128)draw_below(draw, 2));
    default:
        return 1 + (left > 1 ? draw_below(draw, (uint64_t)left) : 0);
    }
}

/* Nearly always who made the hold. */
static void set_origin(struct draw *draw, const struct model_hold *hold,
                       struct hf_op_header *header)
{
    if (hold != NULL && !chance(draw, 4))
        header->origin = hold->origin;
}

/* Anybody who holds the asset. */
static struct hf_id draw_claimant(struct draw *draw, const struct model_hold *hold)
{
    const struct model_account *account = draw_account(draw, chance(draw, 5));
    for (int tries = 0; tries < 8 && account != NULL; tries++) {
        if (hold == NULL || (account->asset == hold->asset && !account->is_total))
            break;
        account = draw_account(draw, false);
    }
    return account == NULL ? draw_account_id(draw) : account->id;
}

/* A hold whose payer has been closed: nothing of it may be debited any more. */
static const struct model_hold *draw_orphan(struct draw *draw)
{
    const struct model_books *books = draw->model->books;
    uint64_t first = draw_below(draw, MODEL_HOLDS_MAX);
    for (uint32_t i = 0; i < books->hold_count; i++) {
        const struct model_hold *hold = &books->holds[(first + i) % books->hold_count];
        const struct model_account *payer = model_account_of(draw->model, hold->parts[0].account);
        bool pending = hold->status == HF_HOLD_OPEN || hold->status == HF_HOLD_LAPSED;
        if (pending && payer->status == HF_ACCOUNT_CLOSED)
            return hold;
    }
    return NULL;
}

void draw_capture(struct draw *draw, struct hf_op_capture *capture)
{
    const struct model_hold *hold = draw_hold_record(draw, &capture->hold);
    const struct model_hold *late = chance(draw, 8) ? draw_orphan(draw) : NULL;
    if (late != NULL) {
        hold = late;
        capture->hold = late->id;
    }
    bool open = hold != NULL && hold->payee.lo == 0 && hold->payee.hi == 0;
    capture->header.length = HF_CAPTURE_SHORT;
    capture->amount = draw_part(draw, hold);
    capture->final = chance(draw, 30);
    set_origin(draw, hold, &capture->header);
    if (!open && chance(draw, 75))
        return;
    if (open && chance(draw, 3))
        return;
    capture->header.length = sizeof(*capture);
    if (open && !chance(draw, 3))
        capture->payee = chance(draw, 4)   ? hold->parts[draw_below(draw, hold->part_count)].account
                         : chance(draw, 2) ? draw_account_id(draw)
                                           : draw_claimant(draw, hold);
    else if (hold != NULL && chance(draw, 70))
        capture->payee = hold->payee;
    else if (chance(draw, 70))
        capture->payee = draw_account_id(draw);
}

void draw_release(struct draw *draw, struct hf_op_release *release)
{
    const struct model_hold *hold = draw_hold_record(draw, &release->hold);
    release->header.length = sizeof(*release);
    release->amount = draw_part(draw, hold);
    set_origin(draw, hold, &release->header);
}

/* A little more, exactly what its payer can still hold, or far too much. */
static uint64_t draw_raise(struct draw *draw, const struct model_hold *hold)
{
    if (hold == NULL || chance(draw, 60))
        return 1 + draw_below(draw, 300);
    const struct model_account *payer = model_account_of(draw->model, hold->parts[0].account);
    uint64_t kind = draw_below(draw, 4);
    if (kind == 0)
        return as_amount((__int128)INT64_MAX - (__int128)hold->amount +
                         (__int128)draw_below(draw, 2));
    if (kind == 1)
        return as_amount((__int128)hold->remaining * (__int128)draw_below(draw, 4));
    return as_amount((__int128)model_available(draw->model, payer) + (__int128)draw_below(draw, 2));
}

void draw_adjust(struct draw *draw, struct hf_op_adjust *adjust)
{
    const struct model_hold *hold = draw_hold_record(draw, &adjust->hold);
    adjust->header.length = sizeof(*adjust);
    set_origin(draw, hold, &adjust->header);
    adjust->mode = (uint8_t)draw_below(draw, 4);
    bool lasting = hold != NULL && hold->expires_ns == 0;
    if (adjust->mode == HF_ADJUST_KEEP && lasting && chance(draw, 90))
        adjust->mode = HF_ADJUST_RAISE;
    if (adjust->mode == HF_ADJUST_RAISE)
        adjust->amount = draw_raise(draw, hold);
    if (adjust->mode == HF_ADJUST_LOWER || adjust->mode == HF_ADJUST_SET) {
        adjust->amount = draw_part(draw, hold);
        if (adjust->amount == UINT64_MAX)
            adjust->amount = hold == NULL ? 1 : as_amount((__int128)hold->remaining);
        if (adjust->mode == HF_ADJUST_SET && chance(draw, 30) && adjust->amount < 1000000)
            adjust->amount += draw_below(draw, 200);
    }
    if (adjust->mode != HF_ADJUST_KEEP && chance(draw, lasting ? 95 : 60))
        return;
    uint64_t old_ns = hold == NULL ? 0 : hold->expires_ns;
    uint64_t kind = draw_below(draw, 10);
    if (kind < 1)
        adjust->expires_ns = HF_EXPIRES_NEVER;
    else if (kind < 3 && old_ns != 0)
        adjust->expires_ns = old_ns + draw_below(draw, 2);
    else if (kind < 7 && old_ns != 0)
        adjust->expires_ns = old_ns + 1 + draw_below(draw, 30 * DRAW_NS_PER_MS);
    else
        adjust->expires_ns = draw_expiry(draw);
    if (adjust->expires_ns == 0)
        adjust->expires_ns = 1;
}

static void sign(const struct hf_op_attest *attest, const struct hf_op_condition *condition,
                 uint8_t proof[HF_PROOF_MAX])
{
    struct hf_attestation attestation = {
        .hold = attest->hold, .condition = attest->condition, .code = condition->code};
    memcpy(attestation.tag, HF_ATTESTATION_TAG, sizeof(attestation.tag));
    for (uint64_t i = 0; i < KEYS; i++) {
        uint8_t public_key[32];
        uint8_t secret_key[64];
        make_key(i, public_key, secret_key);
        if (memcmp(public_key, condition->bytes, 32) == 0)
            crypto_sign_detached(proof, NULL, (const uint8_t *)&attestation, sizeof(attestation),
                                 secret_key);
    }
}

static void prove(const struct hf_op_condition *condition, struct hf_op_attest *attest)
{
    uint8_t secret[HF_PROOF_MAX];
    uint8_t hash[32];
    uint8_t length;
    if (condition->kind == HF_CONDITION_SIGNATURE || condition->kind == HF_CONDITION_REGION) {
        attest->proof_length = 64;
        attest->code = condition->code;
        sign(attest, condition, attest->proof);
    }
    if (condition->kind == HF_CONDITION_ORIGIN)
        attest->header.origin = condition->code;
    if (condition->kind != HF_CONDITION_BLAKE2B && condition->kind != HF_CONDITION_SHA256)
        return;
    for (uint64_t i = 0; i < SECRETS; i++) {
        make_secret(i, secret, &length);
        hash_secret(condition->kind, secret, length, hash);
        if (memcmp(hash, condition->bytes, 32) != 0)
            continue;
        attest->proof_length = length;
        memcpy(attest->proof, secret, length);
    }
}

static void spoil(struct draw *draw, struct hf_op_attest *attest)
{
    switch (draw_below(draw, 6)) {
    case 0:
        attest->proof[draw_below(draw, 64)] ^= (uint8_t)(1u << draw_below(draw, 8));
        break;
    case 1:
        attest->condition = (uint8_t)(1 + draw_below(draw, HF_CONDITIONS_MAX));
        break;
    case 2:
        draw_hold_record(draw, &attest->hold);
        break;
    case 3:
        attest->proof_length = (uint8_t)draw_below(draw, HF_PROOF_MAX + 1);
        break;
    case 4:
        attest->code = (uint32_t)draw_below(draw, REGIONS + 1);
        break;
    default:
        attest->header.origin = (uint32_t)draw_below(draw, 4);
    }
    memset(attest->proof + attest->proof_length, 0, 64u - attest->proof_length);
}

void draw_attest(struct draw *draw, struct hf_op_attest *attest)
{
    const struct model_books *books = draw->model->books;
    const struct model_hold *hold = draw_hold_record(draw, &attest->hold);
    uint64_t first = draw_below(draw, MODEL_HOLDS_MAX);
    for (uint32_t i = 0; i < books->hold_count && !chance(draw, 1); i++) {
        const struct model_hold *other = &books->holds[(first + i) % books->hold_count];
        if (other->condition_count == 0 || !is_interesting(draw, other))
            continue;
        hold = other;
        attest->hold = other->id;
        break;
    }
    attest->header.length = sizeof(*attest);
    attest->condition = 1;
    if (hold != NULL && hold->condition_count > 0) {
        attest->condition = (uint8_t)(1 + draw_below(draw, hold->condition_count));
        prove(&hold->conditions[attest->condition - 1], attest);
    }
    if (chance(draw, 25))
        spoil(draw, attest);
}

/* Ids that are due, ids that are not, and ids of nothing; now and then one twice. */
void draw_expire(struct draw *draw, struct hf_op_expire *expire)
{
    const struct model_books *books = draw->model->books;
    expire->count = (uint8_t)(chance(draw, 3) ? HF_EXPIRIES_MAX : 1 + draw_below(draw, 6));
    expire->header.length =
        (uint16_t)(sizeof(*expire) + expire->count * sizeof(struct hf_op_expiry));
    for (uint32_t i = 0; i < expire->count; i++) {
        struct hf_op_expiry *expiry = &expire->expiries[i];
        memset(expiry, 0, sizeof(*expiry));
        expiry->kind = (uint8_t)PICK(draw, HF_EXPIRY_HOLD, HF_EXPIRY_HOLD, HF_EXPIRY_ACCOUNT);
        expiry->id = draw_account_id(draw);
        for (int tries = 0; tries < 6; tries++) {
            if (expiry->kind == HF_EXPIRY_HOLD && books->hold_count > 0) {
                const struct model_hold *hold = &books->holds[draw_below(draw, books->hold_count)];
                expiry->id = hold->id;
                if (model_hold_is_due(hold, draw->timestamp_ns))
                    break;
            }
            if (expiry->kind == HF_EXPIRY_ACCOUNT && books->account_count > 0) {
                const struct model_account *account =
                    &books->accounts[draw_below(draw, books->account_count)];
                expiry->id = account->id;
                if (model_account_is_due(draw->model, account, draw->timestamp_ns))
                    break;
            }
        }
        if (i > 0 && chance(draw, 2))
            *expiry = expire->expiries[i - 1];
    }
}

void draw_class_put(struct draw *draw, struct hf_op_class_put *put)
{
    put->header.length = sizeof(*put);
    put->class_number = (uint8_t)(1 + draw_below(draw, HF_CLASSES - 1));
    put->lifetime_ns = PICK(draw, 0, 1, 3 * DRAW_NS_PER_MS, 40 * DRAW_NS_PER_MS, UINT64_MAX,
                            UINT64_MAX - draw->timestamp_ns, UINT64_MAX - draw->timestamp_ns - 1);
}
