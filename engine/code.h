/* Result codes: what an operation's answer says. Business data, stable for ever: a number is never
 * reused.
 *
 * One table gives each code its number, its name, its ISO 8583:1987 and :1993 response codes (DE39)
 * and a sentence for a person. Sources of the response codes: ISO 8583-1:1987 and :1993, table of
 * DE39 values. */
#ifndef HF_ENGINE_CODE_H
#define HF_ENGINE_CODE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*       name                 number  1987  1993  sentence */
#define HF_CODE_TABLE(X)                                                                          \
    X(OK, 0, "00", "000", "done")                                                                 \
    X(OK_PARTIAL, 1, "10", "002", "approved in part")                                             \
    X(INSUFFICIENT, 10, "51", "116", "the payer's available balance does not cover the amount")   \
    X(AMOUNT_LIMIT, 11, "61", "121", "the amount is over a limit")                                \
    X(COUNT_LIMIT, 12, "65", "123", "no transactions are left")                                   \
    X(CEILING, 13, "61", "121", "the payee's balance would pass its ceiling")                     \
    X(OVERFLOW, 14, "13", "110", "a balance would not fit 64 bits")                               \
    X(UNBALANCED, 15, "13", "110", "the plan does not add up")                                    \
    X(UNKNOWN_ACCOUNT, 20, "14", "111", "no such account")                                        \
    X(UNKNOWN_INSTRUMENT, 21, "14", "111", "no such instrument")                                  \
    X(UNKNOWN_HOLD, 22, "25", "914", "no such hold")                                              \
    X(UNKNOWN_OPERATION, 23, "25", "914", "no such operation is remembered")                      \
    X(UNKNOWN_ASSET, 24, "12", "902", "no such asset")                                            \
    X(UNKNOWN_CONDITION, 25, "25", "914", "the hold has no such condition")                       \
    X(UNKNOWN_LIMIT, 26, "25", "914", "no such limit")                                            \
    X(RESTRICTED, 30, "62", "104", "the account or instrument is frozen")                         \
    X(CLOSED, 31, "46", "111", "the account or instrument is closed")                             \
    X(INACTIVE, 32, "78", "125", "the instrument has not been activated")                         \
    X(EXPIRED, 33, "54", "101", "the account or instrument has expired")                          \
    X(NOT_PERMITTED, 34, "57", "119", "this is not allowed here")                                 \
    X(ASSET_MISMATCH, 35, "12", "902", "the assets of operation and account differ")              \
    X(SAME_ACCOUNT, 36, "12", "902", "payer and payee are the same account")                      \
    X(HELD, 37, "57", "119", "something is still held")                                           \
    X(NOT_EMPTY, 38, "57", "119", "a balance is left and no sink is named")                       \
    X(IS_TOTAL, 39, "57", "119", "a total moves with its children only")                          \
    X(HOLD_EXPIRED, 40, "54", "101", "the hold has expired")                                      \
    X(HOLD_RESOLVED, 41, "76", "914", "the hold has been captured or released already")           \
    X(OVER_CAPTURE, 42, "13", "110", "more than the hold has left")                               \
    X(CONDITION_NOT_MET, 43, "57", "119", "a condition of the hold is not met")                   \
    X(BAD_PROOF, 44, "63", "122", "a proof does not verify")                                      \
    X(REVERSED, 45, "12", "902", "it was reversed before it came")                                \
    X(NOTHING_TO_REVERSE, 46, "76", "914", "nothing of it is left to reverse")                    \
    X(DEADLINE_PASSED, 50, "68", "907", "its deadline had passed when its turn came")             \
    X(DUPLICATE_DIFFERENT, 51, "94", "913", "this id was used for another operation")             \
    X(ID_TOO_OLD, 52, "94", "913", "the id is older than what is remembered")                     \
    X(ID_TOO_NEW, 53, "12", "902", "the id's time lies in the future")                            \
    X(BUSY, 60, "91", "907", "queues or log are full: send again later with the same id")         \
    X(CAPACITY, 61, "96", "909", "a table is full")                                               \
    X(NOT_PRIMARY, 62, "91", "907", "another node of the pair takes operations: ask that one")    \
    X(MALFORMED, 70, "30", "904", "the message is malformed")                                     \
    X(WRONG_VERSION, 71, "30", "904", "another version of the wire format")                       \
    X(UNKNOWN_TYPE, 72, "12", "902", "no such message type")                                      \
    X(UNSUPPORTED, 73, "12", "902", "a type, flag or field that this version does not carry out") \
    X(BAD_AMOUNT, 74, "13", "110", "zero, or over the largest amount")                            \
    X(BAD_ID, 75, "12", "902", "a reserved id, or one used twice in a list")                      \
    X(NESTED_CHAIN, 76, "12", "902", "a chain inside a chain")

enum hf_code {
#define HF_CODE_ENTRY(name, number, iso1987, iso1993, sentence) HF_CODE_##name = number,
    HF_CODE_TABLE(HF_CODE_ENTRY)
#undef HF_CODE_ENTRY
};

/* What in the operation or the state refused: one byte in every reply, HF_RULE_NONE when nothing
 * did. */
#define HF_RULE_TABLE(X)    \
    X(NONE, 0)              \
    X(PAYER, 1)             \
    X(PAYEE, 2)             \
    X(ACCOUNT, 3)           \
    X(INSTRUMENT, 4)        \
    X(INSTRUMENT_AMOUNT, 5) \
    X(INSTRUMENT_COUNT, 6)  \
    X(HOLD, 7)              \
    X(ASSET, 8)             \
    X(ID, 9)                \
    X(DEADLINE, 10)         \
    X(LENGTH, 11)           \
    X(TYPE, 12)             \
    X(FLAGS, 13)            \
    X(RESERVED, 14)         \
    X(AMOUNT, 15)           \
    X(STATUS, 16)           \
    X(TABLE, 17)            \
    X(QUEUE, 18)            \
    X(LOG, 19)              \
    X(ORIGIN, 20)           \
    X(SUBJECT, 21)          \
    X(EXPIRY, 22)           \
    X(PARENT, 23)           \
    X(SINK, 24)             \
    X(CONDITION, 25)        \
    X(PLAN, 26)             \
    X(CHAIN, 27)            \
    X(CLASS, 28)            \
    X(CHILDREN, 29)         \
    X(INSTRUMENT_LIMIT, 30) \
    X(ACCOUNT_LIMIT, 31)    \
    X(PARENT_LIMIT, 32)     \
    X(LIMIT, 33)            \
    X(ACQUIRER, 34)         \
    X(ORIGINAL, 35)         \
    X(FILTER, 36)

enum hf_rule {
#define HF_RULE_ENTRY(name, number) HF_RULE_##name = number,
    HF_RULE_TABLE(HF_RULE_ENTRY)
#undef HF_RULE_ENTRY
};

/* The code's name as above ("INSUFFICIENT"), or "UNKNOWN_CODE". Static text. */
const char *hf_code_name(uint16_t code);
/* One sentence for a person, without a full stop. Static text. */
const char *hf_code_sentence(uint16_t code);
/* The response codes (DE39) of ISO 8583:1987 (two digits) and :1993 (three). Static text; unknown
 * codes give those of a system malfunction, "96" and "909". */
const char *hf_code_iso1987(uint16_t code);
const char *hf_code_iso1993(uint16_t code);
/* The number behind a name, or -1. */
int hf_code_from_name(const char *name);
/* The rule's name ("PAYER"), or "UNKNOWN_RULE". Static text. */
const char *hf_rule_name(uint8_t rule);

#ifdef __cplusplus
}
#endif
#endif
