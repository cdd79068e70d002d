/* What the two halves of the generator share. */
#ifndef HF_TESTS_MODEL_DRAW_INSIDE_H
#define HF_TESTS_MODEL_DRAW_INSIDE_H

#include "draw.h"

#define DRAW_ASSETS_USED 3
#define DRAW_WHALES      6 /* the first names of accounts */
#define DRAW_NS_PER_MS   UINT64_C(1000000)

/* Payer, payee and asset, nearly always of one asset. */
struct parties {
    const struct model_account *payer; /* NULL when it does not exist */
    const struct model_account *payee;
    struct hf_id payer_id;
    struct hf_id payee_id;
    uint16_t asset;
    bool whales;
};

/* draw.c */
uint64_t draw_bits(struct draw *draw);
bool chance(struct draw *draw, uint32_t percent);
uint64_t pick(struct draw *draw, const uint64_t values[], size_t count);
#define PICK(draw, ...)                         \
    pick(draw, (const uint64_t[]){__VA_ARGS__}, \
         sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))
/* What 128 bits came to, brought back into the range that an operation may carry. */
uint64_t as_amount(__int128 value);
/* The name of an account of the pool, and any of them. */
struct hf_id draw_account_name(uint64_t index);
struct hf_id draw_account_id(struct draw *draw);
struct hf_id draw_token(struct draw *draw);
/* An account that exists, if there is any; a whale or none as asked. */
const struct model_account *draw_account(struct draw *draw, bool whale);
bool is_whale(const struct model_account *account);
void draw_parties(struct draw *draw, const struct model_account *payer, struct parties *parties);
uint64_t draw_amount(struct draw *draw, const struct parties *parties);
void draw_header(struct draw *draw, uint8_t type, struct hf_op_header *header);
/* Header and body. */
void draw_fresh(struct draw *draw, uint8_t type, union model_operation *operation);
/* An instrument, rather one that works; NULL when there is none. */
const struct model_instrument *draw_card(struct draw *draw);
/* A body for the header that is there. */
void draw_body(struct draw *draw, union hf_operation *operation);
/* Makes an operation one of those that may be sent again. */
void draw_remember(struct draw *draw, const union hf_operation *operation);

/* draw_account.c */
void draw_account_put(struct draw *draw, struct hf_op_account_put *put);
void draw_account_close(struct draw *draw, struct hf_op_account_close *close);

/* draw_hold.c */
void draw_hold(struct draw *draw, struct hf_op_hold *hold, const struct parties *parties,
               uint64_t amount);
void draw_terms(struct draw *draw, struct hf_op_terms *terms);
void draw_condition(struct draw *draw, struct hf_op_condition *condition);
void draw_capture(struct draw *draw, struct hf_op_capture *capture);
void draw_release(struct draw *draw, struct hf_op_release *release);
void draw_adjust(struct draw *draw, struct hf_op_adjust *adjust);
void draw_attest(struct draw *draw, struct hf_op_attest *attest);
void draw_expire(struct draw *draw, struct hf_op_expire *expire);
void draw_class_put(struct draw *draw, struct hf_op_class_put *put);
/* Mostly an open hold; now and then any, or a name that never held anything. */
const struct model_hold *draw_hold_record(struct draw *draw, struct hf_id *id);

/* draw_card.c */
void draw_instrument_put(struct draw *draw, struct hf_op_instrument_put *put);
void draw_auth(struct draw *draw, struct hf_op_auth *auth);
void draw_increment(struct draw *draw, struct hf_op_increment *increment);
void draw_reverse(struct draw *draw, struct hf_op_reverse *reverse);
void draw_clear(struct draw *draw, struct hf_op_clear *clear);
uint64_t draw_acquirer(struct draw *draw);

/* draw_limit.c */
/* A limit that may bear on the card: of its own, of an account of it or of a total above; or NULL.
 */
const struct model_limit *draw_limit_on(struct draw *draw, const struct model_instrument *card);
void draw_limit_put(struct draw *draw, struct hf_op_limit_put *put);
/* Brings an authorisation to the edge of what a limit on it lets through, or leaves it alone. */
void draw_limited_amount(struct draw *draw, const struct model_instrument *card,
                         struct hf_op_auth *auth);
void draw_minimum(struct draw *draw, const struct model_account *payer, struct hf_op_auth *auth);
/* Now and then the moment at which some limit's window ends or a bucket of it is left behind, or
 * the last one before it; 0: not now. */
uint64_t draw_limit_edge_ns(struct draw *draw);

/* draw_plan.c */
void draw_attributes(struct draw *draw, uint16_t *mcc, uint16_t *country, uint8_t *channel,
                     uint8_t merchant[16]);
void draw_filter(struct draw *draw, struct hf_filter *filter);
void draw_move_plan(struct draw *draw, struct hf_op_move_plan *move);
void draw_hold_plan(struct draw *draw, struct hf_op_hold_plan *hold);
void draw_chain(struct draw *draw, struct hf_op_chain *chain);
/* Damage where only lists have places for it. */
void draw_damage_list(struct draw *draw, union hf_operation *operation);

#endif
