#include "install.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A piece or a record, and the slice whose end is needed to have it whole. */
#define BUFFER_SIZE (HF_CHECKPOINT_PIECE_SIZE + HF_INSTALL_SLICE)
_Static_assert(HF_RECORD_LENGTH_MAX <= HF_CHECKPOINT_PIECE_SIZE, "a record fits as well");
_Static_assert(HF_INSTALL_SLICE % HF_RECORD_BLOCK_MAX == 0, "slices are written as they come");

static const char *const part_names[] = {HF_INSTALL_CHECKPOINT_NAME, HF_INSTALL_LOG_NAME};

static enum hf_status disk_fault(struct hf_disk *disk, enum hf_status status,
                                 struct hf_fault *fault)
{
    if (status != HF_STATUS_OK) {
        *fault = disk->fault;
    }
    return status;
}

static enum hf_status remove_name(struct hf_disk *disk, const char *name, struct hf_fault *fault)
{
    enum hf_status status = disk->maker->remove(disk, name);
    return disk_fault(disk, status == HF_STATUS_NOT_FOUND ? HF_STATUS_OK : status, fault);
}

/* ---- Taking in ---- */

enum hf_status hf_install_init(struct hf_install *install, struct hf_disk *disk,
                               const struct hf_superblock *superblock, struct hf_fault *fault)
{
    *install = (struct hf_install){.disk = disk, .superblock = superblock, .files = {-1, -1}};
    install->buffer = aligned_alloc(HF_RECORD_BLOCK_MAX, BUFFER_SIZE);
    if (install->buffer == NULL) {
        snprintf(fault->line, sizeof fault->line, "no memory to take a checkpoint in");
        return HF_STATUS_NO_MEMORY;
    }
    return HF_STATUS_OK;
}

static enum hf_status close_files(struct hf_install *install)
{
    enum hf_status status = HF_STATUS_OK;
    for (int part = 0; part < 2; part++) {
        if (install->files[part] >= 0) {
            enum hf_status closed =
                install->disk->maker->close(install->disk, install->files[part]);
            status = status == HF_STATUS_OK ? closed : status;
            install->files[part] = -1;
        }
    }
    return status;
}

void hf_install_finish(struct hf_install *install)
{
    if (install->buffer != NULL) {
        (void)close_files(install); /* they are of no use without an order */
        free(install->buffer);
        install->buffer = NULL;
    }
}

void hf_install_forget(struct hf_install *install)
{
    struct hf_fault ignored;
    (void)close_files(install);
    install->index = 0;
    for (int part = 0; part < 2; part++) {
        enum hf_status status = remove_name(install->disk, part_names[part], &ignored);
        (void)status; /* the next opening tries again */
    }
}

enum hf_status hf_install_begin(struct hf_install *install, uint64_t index, uint64_t segment,
                                struct hf_fault *fault)
{
    struct hf_disk *disk = install->disk;
    assert(index != 0);
    assert(segment != 0);
    hf_install_forget(install);
    install->segment = segment;
    install->part = HF_INSTALL_CHECKPOINT;
    install->offset = 0;
    install->written = 0;
    install->filled = 0;
    install->pieces = 0;
    install->first_index = 0;
    enum hf_status status = HF_STATUS_OK;
    for (int part = 0; part < 2 && status == HF_STATUS_OK; part++) {
        status = disk->maker->open(disk, part_names[part],
                                   HF_DISK_WRITE | HF_DISK_CREATE | HF_DISK_DIRECT,
                                   &install->files[part]);
    }
    if (status != HF_STATUS_OK) {
        *fault = disk->fault;
        hf_install_forget(install);
        return status;
    }
    install->index = index;
    return HF_STATUS_OK;
}

/* The buffer's first bytes are good. */
static enum hf_status write_out(struct hf_install *install, uint32_t length, struct hf_fault *fault)
{
    struct hf_disk *disk = install->disk;
    enum hf_status status =
        disk_fault(disk,
                   disk->maker->write(disk, install->files[install->part], install->written,
                                      install->buffer, length),
                   fault);
    install->written += length;
    install->filled -= length;
    memmove(install->buffer, install->buffer + length, install->filled);
    return status;
}

static void end_part(struct hf_install *install)
{
    install->part++;
    install->offset = 0;
    install->written = 0;
    install->filled = 0;
}

static enum hf_status take_checkpoint(struct hf_install *install, struct hf_fault *fault)
{
    enum hf_status status = HF_STATUS_OK;
    if (install->written == 0) {
        if (install->filled < HF_CHECKPOINT_HEADER_SIZE) {
            return HF_STATUS_OK;
        }
        status = hf_checkpoint_check_header(install->buffer, install->superblock->cluster,
                                            install->index, &install->header, fault);
        if (status == HF_STATUS_OK) {
            status = write_out(install, HF_CHECKPOINT_HEADER_SIZE, fault);
        }
    }
    while (status == HF_STATUS_OK) {
        uint32_t size = hf_checkpoint_piece_size(&install->header, install->pieces);
        if (size == 0 && install->filled != 0) {
            snprintf(fault->line, sizeof fault->line,
                     "checkpoint-%016" PRIx64 " at offset %" PRIu64 ": bytes after the image's end",
                     install->index, install->written);
            return HF_STATUS_CORRUPT;
        }
        if (size == 0) {
            end_part(install);
            return HF_STATUS_OK;
        }
        if (install->filled < size) {
            return HF_STATUS_OK;
        }
        status =
            hf_checkpoint_check_piece(&install->header, install->pieces, install->buffer, fault);
        if (status == HF_STATUS_OK) {
            install->pieces++;
            status = write_out(install, size, fault);
        }
    }
    return status;
}

static enum hf_status bad_record(const struct hf_install *install, uint64_t offset,
                                 const char *what, struct hf_fault *fault)
{
    snprintf(fault->line, sizeof fault->line,
             "log-%016" PRIx64 " at offset %" PRIu64 ", beside checkpoint-%016" PRIx64 ": %s",
             install->segment, offset, install->index, what);
    return HF_STATUS_CORRUPT;
}

/* Why a good record is not the next of this log; NULL when it is. */
static const char *follow(struct hf_install *install, const struct hf_record_header *record,
                          bool opens, char why[HF_SUPERBLOCK_WHY_SIZE])
{
    const struct hf_checkpoint_header *header = &install->header;
    if (opens) {
        if (record->index > install->index + 1) {
            return "the segment begins after the checkpoint";
        }
        install->first_index = record->index;
        install->first_epoch = record->epoch;
        hf_log_chain_before(&install->chain, record);
        hf_chain_span_init(&install->span, record->index, record->first_place);
    }
    if (hf_log_chain_judge(&install->chain, record) != HF_LOG_LINK_NEXT) {
        return "a record that does not follow";
    }
    if (!hf_superblock_follow(install->superblock, &install->span, record, opens, why)) {
        return why;
    }
    bool is_before = record->index == install->index + 1; /* the first one */
    hf_log_chain_advance(&install->chain, record);
    struct hf_hash hash = is_before ? record->prev_hash : record->hash;
    uint64_t next_place = is_before ? record->first_place : install->chain.next_place;
    if ((is_before || record->index == install->index) &&
        (!hf_hash_equal(hash, header->record_hash) || next_place != header->place + 1)) {
        return "a record that is not the one that the checkpoint was made after";
    }
    return NULL;
}

static enum hf_status take_log(struct hf_install *install, struct hf_fault *fault)
{
    const uint32_t block_size = install->superblock->block_size;
    uint32_t done = 0;
    bool is_whole = false;
    while (done < install->filled && !is_whole) {
        const struct hf_record_header *record =
            (const struct hf_record_header *)(const void *)(install->buffer + done);
        char why[HF_SUPERBLOCK_WHY_SIZE];
        enum hf_record_verdict verdict = hf_record_check(record, install->filled - done, block_size,
                                                         install->superblock->cluster, NULL);
        if (verdict == HF_RECORD_SHORT) {
            break;
        }
        const char *wrong = verdict == HF_RECORD_GOOD
                                ? follow(install, record, install->written + done == 0, why)
                                : "no good record where one should be";
        if (wrong != NULL) {
            return bad_record(install, install->written + done, wrong, fault);
        }
        is_whole = record->index >= install->index;
        done += hf_record_padded_length(record->length, block_size);
    }
    if (done == 0 && install->filled >= HF_RECORD_LENGTH_MAX) {
        return bad_record(install, install->written, "no good record where one should be", fault);
    }
    enum hf_status status = done == 0 ? HF_STATUS_OK : write_out(install, done, fault);
    if (status == HF_STATUS_OK && is_whole) {
        end_part(install);
    }
    return status;
}

enum hf_status hf_install_take(struct hf_install *install, const uint8_t *bytes, uint32_t length,
                               struct hf_fault *fault)
{
    assert(install->index != 0);
    assert(install->part != HF_INSTALL_WHOLE);
    assert(length <= HF_INSTALL_SLICE);
    assert(length <= BUFFER_SIZE - install->filled);
    memcpy(install->buffer + install->filled, bytes, length);
    install->filled += length;
    install->offset += length;
    return install->part == HF_INSTALL_CHECKPOINT ? take_checkpoint(install, fault)
                                                  : take_log(install, fault);
}

/* ---- Deciding ---- */

static enum hf_status write_order(struct hf_disk *disk, struct hf_install_order *order,
                                  struct hf_fault *fault)
{
    int file = -1;
    enum hf_status status = remove_name(disk, HF_INSTALL_NAME_TEMPORARY, fault);
    if (status != HF_STATUS_OK) {
        return status;
    }
    status =
        disk->maker->open(disk, HF_INSTALL_NAME_TEMPORARY, HF_DISK_WRITE | HF_DISK_CREATE, &file);
    if (status != HF_STATUS_OK) {
        return disk_fault(disk, status, fault);
    }
    status = disk->maker->write(disk, file, 0, order, sizeof *order);
    if (status == HF_STATUS_OK) {
        status = disk->maker->flush(disk, file);
    }
    disk_fault(disk, status, fault);
    enum hf_status closed = disk->maker->close(disk, file);
    return status != HF_STATUS_OK ? status : disk_fault(disk, closed, fault);
}

enum hf_status hf_install_decide(struct hf_install *install, uint64_t life, struct hf_fault *fault)
{
    struct hf_disk *disk = install->disk;
    struct hf_install_order order = {
        .magic = HF_INSTALL_MAGIC,
        .format = HF_INSTALL_FORMAT,
        .cluster = install->superblock->cluster,
        .life = life,
        .index = install->index,
        .segment = install->segment,
        .first_index = install->first_index,
        .first_epoch = install->first_epoch,
    };
    assert(install->part == HF_INSTALL_WHOLE);
    order.hash = hf_hash_of(&order.magic, sizeof order - sizeof order.hash);
    enum hf_status status = HF_STATUS_OK;
    for (int part = 0; part < 2 && status == HF_STATUS_OK; part++) {
        status = disk->maker->flush(disk, install->files[part]);
    }
    enum hf_status closed = close_files(install);
    status = disk_fault(disk, status == HF_STATUS_OK ? closed : status, fault);
    if (status == HF_STATUS_OK) {
        /* Their names must be as durable as the order that speaks of them. */
        status = disk_fault(disk, disk->maker->flush_directory(disk), fault);
    }
    if (status == HF_STATUS_OK) {
        status = write_order(disk, &order, fault);
    }
    if (status == HF_STATUS_OK) {
        status = disk->maker->rename(disk, HF_INSTALL_NAME_TEMPORARY, HF_INSTALL_NAME);
        if (status == HF_STATUS_OK) {
            status = disk->maker->flush_directory(disk);
        }
        status = disk_fault(disk, status, fault);
    }
    return status;
}

/* ---- Carrying out ---- */

static enum hf_status read_order(struct hf_disk *disk, struct hf_id cluster,
                                 struct hf_install_order *order, struct hf_fault *fault)
{
    int file = -1;
    size_t done = 0;
    enum hf_status status = disk->maker->open(disk, HF_INSTALL_NAME, HF_DISK_READ, &file);
    if (status == HF_STATUS_NOT_FOUND) {
        return status;
    }
    if (status == HF_STATUS_OK) {
        status = disk->maker->read(disk, file, 0, order, sizeof *order, &done);
        disk_fault(disk, status, fault);
        enum hf_status closed = disk->maker->close(disk, file);
        status = status == HF_STATUS_OK ? disk_fault(disk, closed, fault) : status;
    } else {
        return disk_fault(disk, status, fault);
    }
    if (status != HF_STATUS_OK) {
        return status;
    }
    struct hf_hash hash = hf_hash_of(&order->magic, sizeof *order - sizeof order->hash);
    if (done != sizeof *order || !hf_hash_equal(hash, order->hash) ||
        memcmp(order->magic, HF_INSTALL_MAGIC, sizeof order->magic) != 0 ||
        order->format != HF_INSTALL_FORMAT || !hf_id_equal(order->cluster, cluster) ||
        order->index == 0 || order->segment == 0 || order->first_index == 0) {
        snprintf(fault->line, sizeof fault->line,
                 HF_INSTALL_NAME ": damaged: which checkpoint was to be installed is not known");
        return HF_STATUS_CORRUPT;
    }
    return HF_STATUS_OK;
}

struct search {
    const char *name; /* is it there? */
    bool is_there;
    bool wants_log; /* a segment, or else a checkpoint */
    char found[HF_DISK_NAME_SIZE];
};

static bool visit(void *context, const char *name)
{
    struct search *search = context;
    uint64_t number = 0;
    if (strcmp(name, search->name) == 0) {
        search->is_there = true;
    }
    if (search->wants_log ? hf_segment_parse_name(name, &number)
                          : hf_checkpoint_parse_name(name, &number)) {
        snprintf(search->found, sizeof search->found, "%s", name);
    }
    return true;
}

/* Puts what is there of the old, segments or checkpoints, into quarantine: while the new is still
 * waiting for its name, and so never the new itself. */
static enum hf_status quarantine(struct hf_disk *disk, const struct hf_install_order *order,
                                 enum hf_install_part part, struct hf_fault *fault)
{
    for (;;) {
        struct search search = {.name = part_names[part], .wants_log = part == HF_INSTALL_LOG};
        char name[HF_DISK_NAME_SIZE + 32];
        enum hf_status status = disk->maker->list(disk, visit, &search);
        if (status != HF_STATUS_OK || !search.is_there || search.found[0] == '\0') {
            return disk_fault(disk, status, fault);
        }
        snprintf(name, sizeof name, "quarantine-%016" PRIx64 "-%s", order->life, search.found);
        assert(strlen(name) < HF_DISK_NAME_SIZE);
        status = disk->maker->rename(disk, search.found, name);
        if (status != HF_STATUS_OK) {
            return disk_fault(disk, status, fault);
        }
    }
}

static enum hf_status give_name(struct hf_disk *disk, enum hf_install_part part, const char *name,
                                struct hf_fault *fault)
{
    enum hf_status status = disk->maker->rename(disk, part_names[part], name);
    return disk_fault(disk, status == HF_STATUS_NOT_FOUND ? HF_STATUS_OK : status, fault);
}

static enum hf_status change_names(struct hf_disk *disk, const struct hf_install_order *order,
                                   struct hf_fault *fault)
{
    char checkpoint[HF_DISK_NAME_SIZE];
    char segment[HF_DISK_NAME_SIZE];
    hf_checkpoint_format_name(order->index, checkpoint);
    hf_segment_format_name(order->segment, segment);
    enum hf_status status = quarantine(disk, order, HF_INSTALL_CHECKPOINT, fault);
    if (status == HF_STATUS_OK) {
        status = quarantine(disk, order, HF_INSTALL_LOG, fault);
    }
    if (status == HF_STATUS_OK) {
        /* The old is out of the way for good before the new comes in. */
        status = disk_fault(disk, disk->maker->flush_directory(disk), fault);
    }
    if (status == HF_STATUS_OK) {
        status = give_name(disk, HF_INSTALL_CHECKPOINT, checkpoint, fault);
    }
    if (status == HF_STATUS_OK) {
        status = give_name(disk, HF_INSTALL_LOG, segment, fault);
    }
    if (status == HF_STATUS_OK) {
        status = disk_fault(disk, disk->maker->flush_directory(disk), fault);
    }
    return status;
}

enum hf_status hf_install_carry_out(struct hf_disk *disk, struct hf_superblock *superblock,
                                    struct hf_fault *fault)
{
    struct hf_install_order order;
    enum hf_status status = read_order(disk, superblock->cluster, &order, fault);
    if (status != HF_STATUS_OK) {
        return status == HF_STATUS_NOT_FOUND ? HF_STATUS_OK : status;
    }
    if (disk->read_only) {
        snprintf(fault->line, sizeof fault->line,
                 HF_INSTALL_NAME ": a checkpoint takes the place of this log when the node starts");
        return HF_STATUS_READ_ONLY;
    }
    status = change_names(disk, &order, fault);
    if (status != HF_STATUS_OK) {
        return status;
    }
    memset(superblock->epochs, 0, sizeof superblock->epochs);
    superblock->epochs[0] = (struct hf_epoch_start){order.first_epoch, order.first_index};
    superblock->epoch_count = 1; /* those that follow are found in the records */
    if (superblock->settings_index > order.index) {
        superblock->settings_index = order.index;
    }
    status = hf_superblock_write(disk, superblock, fault);
    if (status == HF_STATUS_OK) {
        status = remove_name(disk, HF_INSTALL_NAME, fault);
    }
    if (status == HF_STATUS_OK) {
        status = disk_fault(disk, disk->maker->flush_directory(disk), fault);
    }
    return status;
}
