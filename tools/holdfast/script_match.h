/* Compares what came back with what a line expects, and says both in words. Pure. */
#ifndef HF_TOOLS_SCRIPT_MATCH_H
#define HF_TOOLS_SCRIPT_MATCH_H

#include "script.h"

#define HF_SCRIPT_TEXT_SIZE 256

/* What came back from a question. */
struct hf_script_found {
    struct hf_query_reply reply;
    uint64_t holds; /* open holds on the account, when all pages were asked for */
};

/* Adds to a text; what does not fit is left out. */
__attribute__((format(printf, 2, 3))) void hf_script_append(char text[HF_SCRIPT_TEXT_SIZE],
                                                            const char *format, ...);
/* An amount or a balance (`is_signed`) in main units. */
void hf_script_append_amount(char text[HF_SCRIPT_TEXT_SIZE], uint64_t bits, bool is_signed,
                             uint8_t scale);
/* An answer as a person reads it: code, rule, amounts, place. */
void hf_script_describe_reply(char text[HF_SCRIPT_TEXT_SIZE],
                              const struct hf_script_statement *statement,
                              const struct hf_reply *reply);

/* Whether the answer, or the record in it (`subject` is of enum hf_query_subject; 0: the answer
 * itself), is what the statement expects. Writes both texts anew, whatever comes out. */
bool hf_script_matches(const struct hf_script *script, const struct hf_script_statement *statement,
                       uint8_t subject, const struct hf_script_found *found,
                       char expected[HF_SCRIPT_TEXT_SIZE], char got[HF_SCRIPT_TEXT_SIZE]);

#endif
