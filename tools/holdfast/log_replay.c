#include "log_replay.h"

#include "log_books.h"
#include "log_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NS_PER_S UINT64_C(1000000000)

struct replaying {
    struct log_moment until;
    struct log_books books;
    bool is_past;   /* everything asked for is in the ledger */
    uint64_t *part; /* a record up to the moment: room for the longest */
};

/* ---- Moments ---- */

static bool parse_fraction(const char **text, uint64_t *fraction_ns)
{
    uint64_t unit = NS_PER_S / 10;
    *fraction_ns = 0;
    if (**text != '.')
        return true;
    for ((*text)++; **text >= '0' && **text <= '9'; (*text)++, unit /= 10)
        *fraction_ns += (uint64_t)(**text - '0') * unit;
    return unit != NS_PER_S / 10;
}

static bool parse_time(const char *text, uint64_t *time_ns)
{
    struct tm parts = {0};
    uint64_t fraction_ns;
    const char *rest = strptime(text, "%Y-%m-%d", &parts);
    if (rest == NULL || (*rest != 'T' && *rest != ' '))
        return false;
    rest = strptime(rest + 1, "%H:%M:%S", &parts);
    if (rest == NULL || !parse_fraction(&rest, &fraction_ns) || strcmp(rest, "Z") != 0)
        return false;
    const struct tm asked = parts;
    time_t seconds = timegm(&parts);
    /* A day or second that is not: it has become another. */
    if (parts.tm_mday != asked.tm_mday || parts.tm_sec != asked.tm_sec)
        return false;
    if (seconds < 0 || (uint64_t)seconds > UINT64_MAX / NS_PER_S - 1)
        return false;
    *time_ns = (uint64_t)seconds * NS_PER_S + fraction_ns;
    return true;
}

bool log_moment_parse(const char *text, struct log_moment *moment)
{
    size_t digits = strspn(text, "0123456789");
    *moment = (struct log_moment){.place = UINT64_MAX, .time_ns = UINT64_MAX};
    if (digits == 0 || digits > 19)
        return false;
    if (text[digits] == '\0') {
        moment->place = strtoull(text, NULL, 10);
        return moment->place != 0;
    }
    if (strcmp(text + digits, "ns") == 0) {
        moment->time_ns = strtoull(text, NULL, 10);
        return true;
    }
    return parse_time(text, &moment->time_ns);
}

/* ---- Replay ---- */

static bool lies_within(const void *context, const struct hf_checkpoint_header *header)
{
    const struct replaying *replaying = context;
    return header->place <= replaying->until.place &&
           header->timestamp_ns <= replaying->until.time_ns;
}

/* The beginning of a record, up to the place asked for, as a record. */
static const struct hf_record_header *cut(struct replaying *replaying,
                                          const struct hf_record_header *record)
{
    uint64_t count = replaying->until.place - record->first_place + 1;
    uint32_t offset = 0;
    for (uint64_t i = 0; i < count; i++)
        (void)!hf_record_next(record, &offset);
    memcpy(replaying->part, record, offset);
    struct hf_record_header *part = (struct hf_record_header *)(void *)replaying->part;
    part->length = offset;
    part->count = (uint32_t)count;
    return part;
}

static enum hf_status take_record(void *context, const struct hf_record_header *record,
                                  struct hf_fault *fault)
{
    struct replaying *replaying = context;
    const struct log_moment *until = &replaying->until;
    /* The rest is read all the same: what is told stands on a log that holds to its end. */
    if (record->count == 0 || replaying->is_past)
        return HF_STATUS_OK;
    if (record->first_place > until->place || record->timestamp_ns > until->time_ns) {
        replaying->is_past = true;
        return HF_STATUS_OK;
    }
    if (until->place - record->first_place < record->count - 1 &&
        record->index > replaying->books.loaded_index)
        record = cut(replaying, record);
    return log_books_replay(&replaying->books, record, NULL, NULL, fault);
}

/* ---- Telling ---- */

static void print_account(const struct hf_account_view *view, bool json)
{
    static const char *const statuses[] = {"open", "frozen", "closed"};
    json_t *object = json_object();
    log_json_set_id(object, "account", view->id);
    log_json_set_number(object, "asset", view->asset);
    log_json_set_number(object, "scale", view->scale);
    log_json_set_text(object, "status", statuses[view->status % 3]);
    json_object_set_new(object, "posted", json_integer((json_int_t)view->posted));
    json_object_set_new(object, "available", json_integer((json_int_t)view->available));
    log_json_set_number(object, "held_out", view->held_out);
    log_json_set_number(object, "held_in", view->held_in);
    if (json)
        log_json_print(object);
    else
        log_json_print_line("", object);
    json_decref(object);
}

static bool tell_account(const struct hf_ledger *ledger, struct hf_id account, bool json)
{
    struct hf_op_query query = {
        .header = {.length = sizeof query, .type = HF_OP_QUERY, .id = {.lo = 1, .hi = 1}},
        .subject_id = account,
        .subject = HF_QUERY_ACCOUNT,
    };
    struct hf_query_reply reply;
    hf_ledger_query(ledger, &query, &reply);
    if (reply.reply.code != HF_CODE_OK)
        return false;
    print_account(&reply.view.account, json);
    return true;
}

static int compare_ids(const void *a, const void *b)
{
    const struct hf_id *one = a;
    const struct hf_id *other = b;
    if (one->hi != other->hi)
        return one->hi < other->hi ? -1 : 1;
    return one->lo < other->lo ? -1 : one->lo > other->lo;
}

/* The ids of all accounts, from the ledger's image: header, head, classes, assets, and then them.
 */
static uint64_t list_accounts(const struct hf_ledger *ledger, struct hf_id **ids)
{
    struct hf_image_writer *writer = calloc(1, sizeof *writer);
    struct hf_image_header header;
    uint8_t line[HF_IMAGE_UNIT];
    uint8_t twice[2 * HF_IMAGE_UNIT];
    *ids = NULL;
    if (writer == NULL)
        return 0;
    hf_image_write_begin(writer, ledger);
    (void)hf_image_write(writer, twice, sizeof twice);
    memcpy(&header, twice, sizeof header);
    (void)hf_image_write(writer, line, sizeof line);
    (void)hf_image_write(writer, twice, sizeof twice);
    for (uint32_t i = 0; i < header.assets; i++)
        (void)hf_image_write(writer, line, sizeof line);
    *ids = calloc(header.accounts + 1, sizeof **ids);
    for (uint64_t i = 0; *ids != NULL && i < header.accounts; i++) {
        struct hf_image_account account;
        (void)hf_image_write(writer, &account, sizeof account);
        (*ids)[i] = account.id;
    }
    free(writer);
    return header.accounts;
}
_Static_assert(sizeof(struct hf_image_header) == 2 * HF_IMAGE_UNIT, "read in one");
_Static_assert(sizeof(struct hf_image_head) == HF_IMAGE_UNIT, "read in one");
_Static_assert(sizeof(struct hf_image_classes) == 2 * HF_IMAGE_UNIT, "read in one");
_Static_assert(sizeof(struct hf_image_asset) == HF_IMAGE_UNIT, "read in one");
_Static_assert(sizeof(struct hf_image_account) == HF_IMAGE_UNIT, "read in one");

static enum hf_status tell_accounts(const struct hf_ledger *ledger, bool json,
                                    struct hf_fault *fault)
{
    struct hf_id *ids = NULL;
    uint64_t count = list_accounts(ledger, &ids);
    if (ids == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory for a list of accounts");
        return HF_STATUS_NO_MEMORY;
    }
    qsort(ids, count, sizeof *ids, compare_ids);
    for (uint64_t i = 0; i < count; i++)
        (void)tell_account(ledger, ids[i], json);
    free(ids);
    return HF_STATUS_OK;
}

static void tell_moment(const struct hf_ledger *ledger, bool json)
{
    struct hf_id digest = hf_ledger_digest(ledger);
    json_t *object = json_object();
    log_json_set_number(object, "place", hf_ledger_place(ledger));
    log_json_set_number(object, "timestamp_ns", hf_ledger_timestamp_ns(ledger));
    log_json_set_hash(object, "digest", (struct hf_hash){.lo = digest.lo, .hi = digest.hi});
    if (json)
        log_json_print(object);
    else
        log_json_print_line("", object);
    json_decref(object);
}

static enum hf_status tell(const struct replaying *replaying, struct hf_id account, bool json,
                           struct hf_fault *fault)
{
    const struct hf_ledger *ledger = replaying->books.ledger;
    if (replaying->until.place != UINT64_MAX && hf_ledger_place(ledger) < replaying->until.place) {
        snprintf(fault->line, sizeof fault->line,
                 "the log ends at place %" PRIu64 ", before place %" PRIu64,
                 hf_ledger_place(ledger), replaying->until.place);
        return HF_STATUS_NOT_FOUND;
    }
    if (hf_id_is_zero(account)) {
        tell_moment(ledger, json);
        return tell_accounts(ledger, json, fault);
    }
    if (!tell_account(ledger, account, json)) {
        char text[HF_ID_TEXT_SIZE];
        hf_id_format(account, text);
        snprintf(fault->line, sizeof fault->line, "no account %s at place %" PRIu64, text,
                 hf_ledger_place(ledger));
        return HF_STATUS_NOT_FOUND;
    }
    return HF_STATUS_OK;
}

enum hf_status log_replay(const char *directory, const struct log_moment *until,
                          struct hf_id account, bool json, struct hf_fault *fault)
{
    struct replaying replaying = {.until = *until, .part = malloc(HF_RECORD_LENGTH_MAX)};
    if (replaying.part == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory for a record");
        return HF_STATUS_NO_MEMORY;
    }
    enum hf_status status = log_books_open(&replaying.books, directory, fault);
    if (status == HF_STATUS_OK)
        status = log_books_load_newest(&replaying.books, lies_within, &replaying, fault);
    if (status == HF_STATUS_OK)
        status = log_books_read(&replaying.books, take_record, &replaying, fault);
    if (status == HF_STATUS_OK)
        status = tell(&replaying, account, json, fault);
    log_books_close(&replaying.books);
    free(replaying.part);
    return status;
}
