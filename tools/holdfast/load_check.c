/* Checking a journal against a node that may have crashed in between: every answer that was given
 * must still stand, and the balances must be the sum of exactly what was carried out.
 *
 * The node remembers a bounded number of operations: a journal longer than that cannot be checked
 * this way, and shows as lost. */
#include "commands.h"
#include "load.h"
#include "pump.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#define SHOWN_MOST 10u

struct check {
    struct hf_journal_contents journal;
    uint64_t acked;
    uint64_t present;         /* acknowledged, known, same answer */
    uint64_t lost;            /* acknowledged, not known */
    uint64_t changed;         /* acknowledged, known with another answer */
    uint64_t known_unacked;   /* not acknowledged, carried out or refused all the same */
    uint64_t unknown_unacked; /* not acknowledged, never arrived */
    uint64_t accounts_wrong;
};

static bool ask_operation(void *context, struct hf_client *client, uint64_t index,
                          union hf_operation *op)
{
    const struct check *check = context;
    hf_make_query(op, hf_client_next_id(client), HF_QUERY_OPERATION,
                  check->journal.operations[index].entry.id);
    return true;
}

static void show(const struct check *check, const struct hf_journal_operation *operation,
                 const char *what, const struct hf_reply *found)
{
    char id[HF_ID_TEXT_SIZE];
    if (check->lost + check->changed > SHOWN_MOST)
        return;
    hf_id_format(operation->entry.id, id);
    fprintf(stderr, "%s: %s %s was answered %s, place %" PRIu64 ", approved %" PRIu64, what,
            hf_operation_name(operation->entry.type), id, hf_code_name(operation->code),
            operation->place, operation->approved);
    if (found != NULL)
        fprintf(stderr, "; now %s, place %" PRIu64 ", approved %" PRIu64, hf_code_name(found->code),
                found->place, found->approved);
    fputc('\n', stderr);
}

/* An answer that took no place (an id out of range) is remembered by nobody: rightly unknown. */
static void judge_acknowledged(struct check *check, struct hf_journal_operation *operation,
                               bool known, const struct hf_reply *found)
{
    check->acked++;
    if (!known && operation->place != 0) {
        check->lost++;
        show(check, operation, "lost", NULL);
    } else if (known && (found->code != operation->code || found->place != operation->place ||
                         found->approved != operation->approved)) {
        check->changed++;
        show(check, operation, "changed", found);
    } else {
        check->present++;
    }
}

static bool judge_operation(void *context, uint64_t index, const struct hf_query_reply *reply,
                            struct hf_fault *fault)
{
    struct check *check = context;
    struct hf_journal_operation *operation = &check->journal.operations[index];
    const struct hf_reply *found = &reply->view.operation;
    bool known = reply->reply.code == HF_CODE_OK;
    if (!known && reply->reply.code != HF_CODE_UNKNOWN_OPERATION) {
        snprintf(fault->line, sizeof fault->line, "operation %" PRIu64 ": %s", index,
                 hf_code_name(reply->reply.code));
        return false;
    }
    if (operation->answered) {
        judge_acknowledged(check, operation, known, found);
    } else if (known) {
        check->known_unacked++;
        operation->code = found->code;
    } else {
        check->unknown_unacked++;
    }
    /* What the node remembers is what it carried out. */
    bool done =
        (known ? found->code : operation->code) == HF_CODE_OK && (known || operation->answered);
    if (done && index >= check->journal.run_first)
        hf_workload_enter(check->journal.balances, &operation->entry,
                          known ? found->approved : operation->approved);
    return true;
}

static enum hf_status run_check(struct check *check, const struct hf_load_options *options,
                                struct hf_fault *fault)
{
    struct hf_client *client;
    enum hf_status status = hf_client_open(&options->client, &client, fault);
    if (status != HF_STATUS_OK)
        return status;
    const struct hf_pump pump = {ask_operation, judge_operation, check};
    status = hf_pump_run(client, &pump, check->journal.operation_count, fault);
    if (status == HF_STATUS_OK) {
        uint64_t accounts = check->journal.accounts;
        struct hf_workload_balance *found = calloc(accounts + 2, sizeof *found);
        if (found == NULL) {
            snprintf(fault->line, sizeof fault->line, "no memory for balances");
            status = HF_STATUS_NO_MEMORY;
        } else {
            status = hf_load_read_balances(client, accounts, found, fault);
        }
        if (status == HF_STATUS_OK)
            check->accounts_wrong =
                hf_load_compare_balances(accounts, check->journal.balances, found);
        free(found);
    }
    hf_client_close(client);
    return status;
}

static void print_check(const struct check *check, bool as_json)
{
    if (!as_json) {
        printf("acked            %" PRIu64 "\n"
               "present          %" PRIu64 "\n"
               "lost             %" PRIu64 "\n"
               "changed          %" PRIu64 "\n"
               "known, unacked   %" PRIu64 "\n"
               "unknown, unacked %" PRIu64 "\n"
               "accounts         %" PRIu64 "\n"
               "accounts wrong   %" PRIu64 "\n",
               check->acked, check->present, check->lost, check->changed, check->known_unacked,
               check->unknown_unacked, check->journal.accounts + 2, check->accounts_wrong);
        return;
    }
    json_t *json =
        json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "acked", (json_int_t)check->acked,
                  "present", (json_int_t)check->present, "lost", (json_int_t)check->lost, "changed",
                  (json_int_t)check->changed, "known_unacked", (json_int_t)check->known_unacked,
                  "unknown_unacked", (json_int_t)check->unknown_unacked, "accounts",
                  (json_int_t)(check->journal.accounts + 2), "accounts_wrong",
                  (json_int_t)check->accounts_wrong);
    json_dumpf(json, stdout, JSON_PRESERVE_ORDER);
    putchar('\n');
    json_decref(json);
}

int hf_load_check(const struct hf_load_options *options)
{
    struct check check = {0};
    struct hf_fault fault = {""};
    enum hf_status status = hf_journal_read(options->check, &check.journal, &fault);
    if (status == HF_STATUS_OK)
        status = run_check(&check, options, &fault);
    bool good = status == HF_STATUS_OK && check.lost == 0 && check.changed == 0 &&
                check.accounts_wrong == 0;
    if (status == HF_STATUS_OK)
        print_check(&check, options->json);
    else
        fprintf(stderr, "holdfast load: %s\n", fault.line);
    hf_journal_free(&check.journal);
    return good ? HF_EXIT_OK : HF_EXIT_FAILED;
}
