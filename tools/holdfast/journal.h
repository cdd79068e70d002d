/* The load generator's journal: what was sent and what was answered, so that a check after a crash
 * can tell whether the node kept its word.
 *
 * Text, one record a line, appended; a run adds:
 *
 *     R WORKLOAD ACCOUNTS                  a run begins
 *     B ACCOUNT POSTED HELD_OUT HELD_IN    balances before it (every account)
 *     S ID TYPE PAYER PAYEE AMOUNT [RETURNED [PAYER AMOUNT]...]   about to be sent
 *     A ID CODE PLACE APPROVED             answered
 *
 * RETURNED is what a capture or clearing gives back, negative what it takes beyond what was held;
 * how much a reversal took back is what it was APPROVED; the pairs are a plan's further payers and
 * their parts. What is left out is 0 and none.
 *
 * Ids are 0x and 32 hexadecimal digits; accounts their decimal ids; amounts in smallest units. An S
 * line reaches the kernel before its operation does, so that even a killed load generator leaves no
 * operation unrecorded. */
#ifndef HF_TOOLS_JOURNAL_H
#define HF_TOOLS_JOURNAL_H

#include "workload.h"

#include <stdio.h>

struct hf_journal;

/* Opens for appending. NULL, with `*fault`, when it cannot be. */
struct hf_journal *hf_journal_open(const char *path, uint64_t accounts, struct hf_fault *fault);
/* False when a write failed at any time. NULL is allowed, as for all below: they do nothing. */
bool hf_journal_close(struct hf_journal *journal);

void hf_journal_run(struct hf_journal *journal, enum hf_workload_kind kind);
void hf_journal_balance(struct hf_journal *journal, uint64_t index,
                        const struct hf_workload_balance *balance);
void hf_journal_sent(struct hf_journal *journal, const struct hf_workload_entry *entry);
void hf_journal_answered(struct hf_journal *journal, const struct hf_reply *reply);
/* Hands everything to the kernel. */
void hf_journal_flush(struct hf_journal *journal);

/* What a journal says, all runs together. */
struct hf_journal_operation {
    struct hf_workload_entry entry;
    bool answered;
    uint16_t code;
    uint64_t place;
    uint64_t approved;
};
struct hf_journal_contents {
    enum hf_workload_kind kind; /* of the last run */
    uint64_t accounts;
    struct hf_workload_balance *balances; /* accounts + 2, before the last run */
    struct hf_journal_operation *operations;
    uint64_t operation_count;
    uint64_t run_first; /* the last run's first operation */
};

/* Reads a journal. A last line without its end is left out: its writer was killed. NOT_FOUND, IO,
 * NO_MEMORY or CORRUPT with a line in `*fault`. Free afterwards in any case. */
HF_MUST_USE enum hf_status hf_journal_read(const char *path, struct hf_journal_contents *contents,
                                           struct hf_fault *fault);
void hf_journal_free(struct hf_journal_contents *contents);

#endif
