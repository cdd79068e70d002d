#include "journal.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_SIZE (1u << 20)
#define LINE_SIZE   256u

/* ---- writing ---- */

struct hf_journal {
    FILE *file;
    uint64_t accounts;
};

struct hf_journal *hf_journal_open(const char *path, uint64_t accounts, struct hf_fault *fault)
{
    struct hf_journal *journal = calloc(1, sizeof *journal);
    if (journal != NULL)
        journal->file = fopen(path, "ae");
    if (journal == NULL || journal->file == NULL) {
        snprintf(fault->line, sizeof fault->line, "%.150s: %s", path, strerror(errno));
        free(journal);
        return NULL;
    }
    setvbuf(journal->file, NULL, _IOFBF, BUFFER_SIZE);
    journal->accounts = accounts;
    return journal;
}

bool hf_journal_close(struct hf_journal *journal)
{
    if (journal == NULL)
        return true;
    bool failed = ferror(journal->file) != 0;
    failed = fclose(journal->file) != 0 || failed;
    free(journal);
    return !failed;
}

void hf_journal_run(struct hf_journal *journal, enum hf_workload_kind kind)
{
    if (journal != NULL)
        fprintf(journal->file, "R %s %" PRIu64 "\n", hf_workload_kind_name(kind),
                journal->accounts);
}

void hf_journal_balance(struct hf_journal *journal, uint64_t index,
                        const struct hf_workload_balance *balance)
{
    if (journal != NULL)
        fprintf(journal->file, "B %" PRIu64 " %" PRId64 " %" PRId64 " %" PRId64 "\n",
                hf_workload_account_id(journal->accounts, index).lo, balance->posted,
                balance->held_out, balance->held_in);
}

void hf_journal_sent(struct hf_journal *journal, const struct hf_workload_entry *entry)
{
    if (journal == NULL)
        return;
    uint64_t accounts = journal->accounts;
    fprintf(journal->file,
            "S 0x%016" PRIx64 "%016" PRIx64 " %s %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64,
            entry->id.hi, entry->id.lo, hf_operation_name(entry->type),
            hf_workload_account_id(accounts, entry->payer).lo,
            hf_workload_account_id(accounts, entry->payee).lo, entry->amount, entry->returned);
    for (uint8_t i = 0; i < entry->further_count; i++)
        fprintf(journal->file, " %" PRIu64 " %" PRIu64,
                hf_workload_account_id(accounts, entry->further[i].payer).lo,
                entry->further[i].amount);
    fputc('\n', journal->file);
}

void hf_journal_answered(struct hf_journal *journal, const struct hf_reply *reply)
{
    if (journal != NULL)
        fprintf(journal->file, "A 0x%016" PRIx64 "%016" PRIx64 " %u %" PRIu64 " %" PRIu64 "\n",
                reply->id.hi, reply->id.lo, reply->code, reply->place, reply->approved);
}

void hf_journal_flush(struct hf_journal *journal)
{
    if (journal != NULL)
        fflush(journal->file);
}

/* ---- reading ---- */

struct reader {
    struct hf_journal_contents *contents;
    uint64_t operation_room;
    uint64_t *table; /* operation index + 1 by id: open addressing, at most half full; 0: empty */
    uint64_t table_size;
};

/* The table's place for an id: its own, or the empty one where it belongs. */
static uint64_t place_of(const struct reader *reader, struct hf_id id)
{
    uint64_t mask = reader->table_size - 1;
    uint64_t at = hf_id_hash(id) & mask;
    while (reader->table[at] != 0 &&
           !hf_id_equal(reader->contents->operations[reader->table[at] - 1].entry.id, id))
        at = (at + 1) & mask;
    return at;
}

/* Doubles operations and table together. */
static bool grow(struct reader *reader)
{
    struct hf_journal_contents *contents = reader->contents;
    uint64_t room = reader->operation_room == 0 ? 1024 : reader->operation_room * 2;
    struct hf_journal_operation *operations =
        realloc(contents->operations, room * sizeof *operations);
    if (operations == NULL)
        return false;
    contents->operations = operations;
    uint64_t *table = calloc(room * 2, sizeof *table);
    if (table == NULL)
        return false;
    free(reader->table);
    reader->table = table;
    reader->table_size = room * 2;
    reader->operation_room = room;
    for (uint64_t i = 0; i < contents->operation_count; i++)
        reader->table[place_of(reader, operations[i].entry.id)] = i + 1;
    return true;
}

static bool read_id(const char *text, struct hf_id *id)
{
    return hf_id_parse(text, strlen(text), id);
}

static bool read_account(const struct reader *reader, uint64_t lo, uint64_t *index)
{
    *index =
        hf_workload_account_index(reader->contents->accounts, (struct hf_id){.lo = lo, .hi = 0});
    return *index != UINT64_MAX;
}

static enum hf_status read_run(struct reader *reader, const char *line)
{
    char kind[16];
    uint64_t accounts;
    struct hf_journal_contents *contents = reader->contents;
    if (sscanf(line, "R %15s %" SCNu64, kind, &accounts) != 2 || accounts < 2 ||
        accounts > HF_WORKLOAD_ACCOUNTS_MAX || !hf_workload_kind_parse(kind, &contents->kind) ||
        (contents->accounts != 0 && contents->accounts != accounts))
        return HF_STATUS_CORRUPT;
    if (contents->balances == NULL)
        contents->balances = calloc(accounts + 2, sizeof *contents->balances);
    contents->accounts = accounts;
    contents->run_first = contents->operation_count;
    return contents->balances != NULL ? HF_STATUS_OK : HF_STATUS_NO_MEMORY;
}

static enum hf_status read_balance(struct reader *reader, const char *line)
{
    uint64_t account;
    uint64_t index;
    struct hf_workload_balance balance;
    if (sscanf(line, "B %" SCNu64 " %" SCNd64 " %" SCNd64 " %" SCNd64, &account, &balance.posted,
               &balance.held_out, &balance.held_in) != 4 ||
        !read_account(reader, account, &index))
        return HF_STATUS_CORRUPT;
    reader->contents->balances[index] = balance;
    return HF_STATUS_OK;
}

/* A plan's further payers, up to the line's end. */
static bool read_further(const struct reader *reader, const char *text,
                         struct hf_workload_entry *entry)
{
    uint64_t payer;
    uint64_t amount;
    uint64_t left = entry->amount;
    int taken;
    while (sscanf(text, "%" SCNu64 " %" SCNu64 "%n", &payer, &amount, &taken) == 2) {
        if (entry->further_count == HF_WORKLOAD_FURTHER || amount > left ||
            !read_account(reader, payer, &entry->further[entry->further_count].payer))
            return false;
        left -= amount;
        entry->further[entry->further_count++].amount = amount;
        text += taken;
    }
    return text[strspn(text, " \n")] == '\0';
}

static enum hf_status read_sent(struct reader *reader, const char *line)
{
    struct hf_journal_contents *contents = reader->contents;
    char id[HF_ID_TEXT_SIZE];
    char type[24];
    uint64_t payer;
    uint64_t payee;
    struct hf_journal_operation operation = {0};
    struct hf_workload_entry *entry = &operation.entry;
    int taken = 0;
    if (sscanf(line, "S %36s %23s %" SCNu64 " %" SCNu64 " %" SCNu64 "%n", id, type, &payer, &payee,
               &entry->amount, &taken) != 5 ||
        !read_id(id, &entry->id) || !read_account(reader, payer, &entry->payer) ||
        !read_account(reader, payee, &entry->payee))
        return HF_STATUS_CORRUPT;
    const char *rest = line + taken;
    if (sscanf(rest, "%" SCNd64 "%n", &entry->returned, &taken) == 1)
        rest += taken;
    if (!read_further(reader, rest, entry))
        return HF_STATUS_CORRUPT;
    static const uint8_t types[] = {HF_OP_MOVE,    HF_OP_MOVE_PLAN, HF_OP_HOLD,   HF_OP_AUTH,
                                    HF_OP_CAPTURE, HF_OP_CLEAR,     HF_OP_REVERSE};
    for (size_t i = 0; i < sizeof types; i++) {
        if (strcmp(type, hf_operation_name(types[i])) == 0)
            entry->type = types[i];
    }
    if (entry->type == 0)
        return HF_STATUS_CORRUPT;
    if (contents->operation_count == reader->operation_room && !grow(reader))
        return HF_STATUS_NO_MEMORY;
    uint64_t place = place_of(reader, entry->id);
    if (reader->table[place] != 0)
        return HF_STATUS_CORRUPT;
    contents->operations[contents->operation_count] = operation;
    reader->table[place] = ++contents->operation_count;
    return HF_STATUS_OK;
}

static enum hf_status read_answered(struct reader *reader, const char *line)
{
    char text[HF_ID_TEXT_SIZE];
    struct hf_id id;
    struct hf_journal_operation answer = {.answered = true};
    if (sscanf(line, "A %36s %" SCNu16 " %" SCNu64 " %" SCNu64, text, &answer.code, &answer.place,
               &answer.approved) != 4 ||
        !read_id(text, &id) || reader->table_size == 0)
        return HF_STATUS_CORRUPT;
    uint64_t place = place_of(reader, id);
    if (reader->table[place] == 0)
        return HF_STATUS_CORRUPT;
    struct hf_journal_operation *operation =
        &reader->contents->operations[reader->table[place] - 1];
    if (operation->answered)
        return HF_STATUS_CORRUPT;
    answer.entry = operation->entry;
    *operation = answer;
    return HF_STATUS_OK;
}

static enum hf_status read_line(struct reader *reader, const char *line)
{
    if (line[0] == 'R')
        return read_run(reader, line);
    if (reader->contents->accounts == 0)
        return HF_STATUS_CORRUPT;
    switch (line[0]) {
    case 'B':
        return read_balance(reader, line);
    case 'S':
        return read_sent(reader, line);
    case 'A':
        return read_answered(reader, line);
    default:
        return HF_STATUS_CORRUPT;
    }
}

static enum hf_status read_lines(struct reader *reader, FILE *file, const char *path,
                                 struct hf_fault *fault)
{
    char line[LINE_SIZE];
    enum hf_status status = HF_STATUS_OK;
    for (uint64_t number = 1; fgets(line, sizeof line, file) != NULL; number++) {
        if (strchr(line, '\n') == NULL && feof(file) != 0)
            break;
        status = read_line(reader, line);
        if (status != HF_STATUS_OK) {
            snprintf(fault->line, sizeof fault->line, "%.150s:%" PRIu64 ": %s", path, number,
                     status == HF_STATUS_CORRUPT ? "not a journal's line" : "no memory");
            return status;
        }
    }
    if (ferror(file) != 0) {
        snprintf(fault->line, sizeof fault->line, "%.150s: %s", path, strerror(errno));
        return HF_STATUS_IO;
    }
    if (reader->contents->accounts == 0) {
        snprintf(fault->line, sizeof fault->line, "%.150s: holds no run", path);
        return HF_STATUS_CORRUPT;
    }
    return HF_STATUS_OK;
}

enum hf_status hf_journal_read(const char *path, struct hf_journal_contents *contents,
                               struct hf_fault *fault)
{
    memset(contents, 0, sizeof *contents);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        snprintf(fault->line, sizeof fault->line, "%.150s: %s", path, strerror(errno));
        return HF_STATUS_NOT_FOUND;
    }
    struct reader reader = {.contents = contents};
    enum hf_status status = read_lines(&reader, file, path, fault);
    free(reader.table);
    fclose(file);
    return status;
}

void hf_journal_free(struct hf_journal_contents *contents)
{
    free(contents->balances);
    free(contents->operations);
    memset(contents, 0, sizeof *contents);
}
