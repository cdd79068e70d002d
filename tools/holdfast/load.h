/* The load generator's parts: set-up, driving, looking at the books, checking a journal. */
#ifndef HF_TOOLS_LOAD_H
#define HF_TOOLS_LOAD_H

#include "histogram.h"
#include "journal.h"
#include "workload.h"

struct hf_load_options {
    struct hf_client_options client;
    struct hf_workload_settings workload;
    double seconds;               /* how long to send; 0: until `workload.operations` are sent */
    double rate;                  /* open loop: operations a second; 0: closed loop */
    uint32_t inflight;            /* closed loop: kept in flight; open loop: at most */
    uint32_t batch;               /* operations sent together */
    uint32_t duplicates_permille; /* how many are sent a second time once they are answered */
    double drain_seconds;
    bool set_up;
    bool spin; /* never sleep while waiting for answers */
    bool verify_balances;
    bool json;
    const char *journal;  /* file; NULL: none */
    const char *timeline; /* likewise: timeline.h */
    const char *check;    /* check this journal instead of putting load on */
};

/* Makes asset, accounts and cards where they are missing, and funds accounts that run low. Running
 * it again on the same node is cheap and changes nothing that is in order. */
HF_MUST_USE enum hf_status hf_load_set_up(struct hf_client *client,
                                          const struct hf_workload_settings *workload,
                                          struct hf_fault *fault);

/* Asks for every account's balance; `balances` has accounts + 2 places. An account that is not
 * there is NOT_FOUND. */
HF_MUST_USE enum hf_status hf_load_read_balances(struct hf_client *client, uint64_t accounts,
                                                 struct hf_workload_balance balances[],
                                                 struct hf_fault *fault);

/* Compares balances as they must be with those read; prints the first few that differ to stderr.
 * Returns how many differ. */
uint64_t hf_load_compare_balances(uint64_t accounts, const struct hf_workload_balance expected[],
                                  const struct hf_workload_balance found[]);

#define HF_LOAD_CODES 256u

struct hf_load_result {
    uint64_t sent;
    uint64_t answered;
    uint64_t refused;
    uint64_t lost;     /* never answered */
    uint64_t captures; /* and clearings */
    uint64_t reversals;
    uint64_t duplicates;     /* sent a second time; not in `sent` */
    uint64_t changed;        /* of these, answered otherwise than the first time */
    double seconds;          /* from the first send to the last answer */
    uint64_t longest_gap_ns; /* between two answers */
    uint64_t by_code[HF_LOAD_CODES];
    uint8_t durability; /* as the last answer that took a place said */
    struct hf_histogram latency;
};

/* Puts load on. Enters what is carried out into `balances` (NULL: nobody wants to know) and all
 * into the journal (NULL: none). NO_MEMORY, INVALID or OK. */
HF_MUST_USE enum hf_status hf_load_drive(struct hf_client *client,
                                         const struct hf_load_options *options,
                                         struct hf_journal *journal,
                                         struct hf_workload_balance *balances,
                                         struct hf_load_result *result, struct hf_fault *fault);

/* `holdfast load --check`: asks the node about every operation of the journal, and compares the
 * balances with the sum of what was carried out. Prints; returns the exit status. */
int hf_load_check(const struct hf_load_options *options);

#endif
