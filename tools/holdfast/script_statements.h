/* The statements of scripts that stand in files of their own: script_record.c (what there is),
 * script_limit.c, script_money.c (what moves), script_plan.c and script_card.c (card payments);
 * script.c has the others, and calls these. Each reads the words behind its first, and makes the
 * statement's operation. */
#ifndef HF_TOOLS_SCRIPT_STATEMENTS_H
#define HF_TOOLS_SCRIPT_STATEMENTS_H

#include "script_parser.h"

bool hf_script_parse_asset(struct hf_script_parser *parser);
bool hf_script_parse_account(struct hf_script_parser *parser);
bool hf_script_parse_freeze(struct hf_script_parser *parser);
bool hf_script_parse_unfreeze(struct hf_script_parser *parser);
bool hf_script_parse_close(struct hf_script_parser *parser);
bool hf_script_parse_card(struct hf_script_parser *parser);
bool hf_script_parse_limit(struct hf_script_parser *parser);
bool hf_script_parse_class(struct hf_script_parser *parser);
bool hf_script_parse_key(struct hf_script_parser *parser);
bool hf_script_parse_unknown(struct hf_script_parser *parser);
bool hf_script_parse_move(struct hf_script_parser *parser);
bool hf_script_parse_hold(struct hf_script_parser *parser);
bool hf_script_parse_capture(struct hf_script_parser *parser);
bool hf_script_parse_release(struct hf_script_parser *parser);
bool hf_script_parse_adjust(struct hf_script_parser *parser);
bool hf_script_parse_attest(struct hf_script_parser *parser);
bool hf_script_parse_auth(struct hf_script_parser *parser);
bool hf_script_parse_later(struct hf_script_parser *parser);
bool hf_script_parse_increment(struct hf_script_parser *parser);
bool hf_script_parse_reverse(struct hf_script_parser *parser);
bool hf_script_parse_clear(struct hf_script_parser *parser);
/* "expect authorisations ...", behind that word. */
bool hf_script_parse_expect_authorisations(struct hf_script_parser *parser);
bool hf_script_parse_plan(struct hf_script_parser *parser);
/* "hold NAME plan ...", behind the word plan. */
bool hf_script_parse_hold_plan(struct hf_script_parser *parser, const char *name);

/* "AMOUNT [ASSET]", the amount perhaps the `special` word. `*asset` and the statement's scale are
 * what they are when no asset is said. */
bool hf_script_take_money(struct hf_script_parser *parser, const char *special,
                          uint64_t special_amount, uint64_t *amount, uint16_t *asset);
/* "PAYEE AMOUNT [ASSET]"; the payer is an account, or a card that stands for one. */
bool hf_script_take_payment(struct hf_script_parser *parser, const struct hf_script_name *payer,
                            const struct hf_script_name **payee, uint64_t *amount, uint16_t *asset);

#endif
