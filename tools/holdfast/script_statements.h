/* The statements of scripts that stand in files of their own: script_record.c (what there is),
 * script_limit.c, script_money.c (what moves) and script_plan.c; script.c has the others, and calls
 * these. Each reads the words behind its first, and makes the statement's operation. */
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
bool hf_script_parse_auth(struct hf_script_parser *parser);
bool hf_script_parse_capture(struct hf_script_parser *parser);
bool hf_script_parse_release(struct hf_script_parser *parser);
bool hf_script_parse_adjust(struct hf_script_parser *parser);
bool hf_script_parse_attest(struct hf_script_parser *parser);
bool hf_script_parse_plan(struct hf_script_parser *parser);
/* "hold NAME plan ...", behind the word plan. */
bool hf_script_parse_hold_plan(struct hf_script_parser *parser, const char *name);

#endif
