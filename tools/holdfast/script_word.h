/* Words of a script: cutting a line into them, and the values they stand for. Pure. */
#ifndef HF_TOOLS_SCRIPT_WORD_H
#define HF_TOOLS_SCRIPT_WORD_H

#include "script.h"

#define HF_SCRIPT_WORDS_MAX 320

/* Cuts a line (changed: NULs go between the words) at blanks, up to a word that begins with '#'.
 * Returns how many words, or HF_SCRIPT_WORDS_MAX + 1 when they are too many. */
uint32_t hf_script_split(char *line, char *words[HF_SCRIPT_WORDS_MAX]);

/* An amount in main units ("42.17" with scale 2: 4217), or in smallest units with a `u` behind it
 * ("4217u"). False when it is none, has too many decimals, or does not fit 64 bits. */
bool hf_script_read_amount(const char *word, uint8_t scale, uint64_t *amount);
/* The same with an optional sign; the result's bits. */
bool hf_script_read_balance(const char *word, uint8_t scale, uint64_t *bits);
/* A whole number. */
bool hf_script_read_number(const char *word, uint64_t most, uint64_t *number);
/* "80/100" or "80%": parts of a whole, both at least 1. */
bool hf_script_read_ratio(const char *word, uint64_t *parts, uint32_t *whole);
/* "15%" or "2.5%": parts per thousand. */
bool hf_script_read_permille(const char *word, uint16_t *permille);
/* 64 hexadecimal digits. */
bool hf_script_read_hash(const char *word, uint8_t hash[32]);
/* East of Greenwich, in minutes: "+02:00", "-03:30". */
bool hf_script_read_zone(const char *word, int16_t *minutes);
/* A time from now: "+5s", "-2h", "250ms"; ms, s, m, h, d. */
bool hf_script_read_span(const char *word, struct hf_script_span *span);
/* A code's name, "CODE/RULE", or an ISO 8583 response code of two or three digits. */
bool hf_script_read_code(const char *word, struct hf_script_code *code, int *rule);
/* A rule's name ("PAYER"). */
bool hf_script_read_rule(const char *word, uint64_t *rule);
/* True when the name may be given to something: a letter, then letters, digits, '-', '_' and '.'.
 */
bool hf_script_is_name(const char *word);

/* A name's id: mixed from kind, name and salt. Never a reserved one. */
struct hf_id hf_script_id(char kind, const char *name, uint64_t salt);

#endif
