/* JSON objects of the `log` subcommand: values put in, and written out as one line of JSON or as
 * text for a person. */
#ifndef HF_TOOLS_LOG_JSON_H
#define HF_TOOLS_LOG_JSON_H

#include "engine/id.h"
#include "wal/chain.h"

#include <jansson.h>

void log_json_set_number(json_t *object, const char *key, uint64_t value);
void log_json_set_text(json_t *object, const char *key, const char *text);
void log_json_set_id(json_t *object, const char *key, struct hf_id id);
void log_json_set_hash(json_t *object, const char *key, struct hf_hash hash);
/* `length` bytes, 64 at most, as hexadecimal digits in their order. */
void log_json_set_bytes(json_t *object, const char *key, const void *bytes, size_t length);
/* Reads `length` bytes as log_json_set_bytes writes them, in either case. False when the text is
 * anything else, or longer or shorter. */
bool log_json_parse_bytes(const char *text, void *bytes, size_t length);
/* The largest number stands for `all`. */
void log_json_set_amount(json_t *object, const char *key, uint64_t amount, const char *all);
/* Text of a fixed field, which ends at a NUL or at its size. */
void log_json_set_field(json_t *object, const char *key, const void *bytes, size_t size);
/* An id or a number, when it is not the one that means none: zero. */
void log_json_set_id_if(json_t *object, const char *key, struct hf_id id);
void log_json_set_number_if(json_t *object, const char *key, uint64_t value);

/* As one line of JSON. */
void log_json_print(json_t *object);
/* As one line of text: key, value, key, value. */
void log_json_print_line(const char *indent, json_t *object);
/* As text, one key a line. */
void log_json_print_block(json_t *object);

#endif
