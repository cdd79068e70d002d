/* Log and ledger of a node brought together, on a real directory: what a stop leaves, a start
 * finds; and a checkpoint that says something else than the node is not passed over in silence. */
#include "tools/holdfastd/storage.h"

#include "engine/operation.h"
#include "wal/disk_uring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define TIME_NS UINT64_C(1700000000000000000)

struct world {
    char directory[64];
    struct config config;
    struct load load;
    struct storage storage;
    struct hf_fault fault;
    uint64_t made; /* operations */
};

static struct world world;

static void read_config(const char *accounts)
{
    char directory[96];
    const char *const arguments[] = {
        "holdfastd",
        directory,
        "--ledger.accounts",
        accounts,
        "--ledger.instruments",
        "100",
        "--ledger.holds",
        "100",
        "--ledger.terms",
        "100",
        "--ledger.parts",
        "100",
        "--ledger.limits",
        "100",
        "--ledger.rolling",
        "10",
        "--ledger.remembered",
        "1000",
        "--log.segment_bytes",
        "1m",
        "--log.batch_bytes",
        "64k",
        "--log.segments_ahead",
        "1",
    };
    char *argv[32] = {NULL};
    int argc = (int)(sizeof arguments / sizeof arguments[0]);
    enum config_show show;

    snprintf(directory, sizeof directory, "--data.directory=%s", world.directory);
    for (int i = 0; i < argc; i++)
        argv[i] = (char *)(uintptr_t)arguments[i];
    assert_int_equal(config_read(&world.config, argc, argv, &show, &world.fault), HF_STATUS_OK);
}

static enum hf_status start(void)
{
    const struct hf_id cluster = {.lo = 1, .hi = 0};

    assert_int_equal(load_make_ledger(&world.load, &world.config, true, &world.fault),
                     HF_STATUS_OK);
    enum hf_status status =
        storage_open(&world.storage, &world.config, cluster, &world.load, NULL, &world.fault);
    if (status == HF_STATUS_OK)
        assert_int_equal(hf_log_writer_attach(world.storage.writer, &world.fault), HF_STATUS_OK);
    return status;
}

static void stop(void)
{
    if (world.storage.writer != NULL)
        hf_log_writer_detach(world.storage.writer);
    storage_close(&world.storage);
    load_release(&world.load);
}

/* One operation, applied and durable: an asset first, then accounts. */
static void append_one(void)
{
    struct hf_log_writer *writer = world.storage.writer;
    struct hf_log_batch *batch = hf_log_writer_batch(writer, 0);
    struct hf_log_batch *done = NULL;
    union hf_operation operation;
    const union hf_operation *operations[] = {&operation};
    struct hf_reply reply;
    uint64_t number = world.made++;
    uint64_t now_ns = TIME_NS + number;

    memset(&operation, 0, sizeof operation);
    if (number == 0) {
        operation.header.length = sizeof operation.asset_put;
        operation.header.type = HF_OP_ASSET_PUT;
        operation.asset_put.asset = 840;
        memcpy(operation.asset_put.code, "USD", 3);
    } else {
        operation.header.length = HF_ACCOUNT_PUT_SHORT;
        operation.header.type = HF_OP_ACCOUNT_PUT;
        operation.account_put.account = (struct hf_id){.lo = number, .hi = 1};
        operation.account_put.asset = 840;
    }
    operation.header.id = hf_id_make_operation(TIME_NS / 1000000, 0x7000, 1 + number);
    hf_log_batch_begin(batch, now_ns, hf_ledger_place(world.load.ledger) + 1);
    assert_int_equal(hf_ledger_apply(world.load.ledger, now_ns, operations, 1, &reply), 1);
    assert_int_equal(reply.code, HF_CODE_OK);
    assert_true(hf_log_batch_add(batch, &operation));
    assert_int_equal(hf_log_writer_submit(writer, batch), HF_STATUS_OK);
    while (hf_log_writer_poll(writer, &done, 1) == 0)
        assert_false(hf_log_writer_is_poisoned(writer));
    assert_ptr_equal(done, batch);
}

static int set_up(void **state)
{
    const char *parent = getenv("TMPDIR");

    (void)state;
    memset(&world, 0, sizeof world);
    snprintf(world.directory, sizeof world.directory, "%.40s/storage-XXXXXX",
             parent == NULL || strlen(parent) > 40 ? "/tmp" : parent);
    assert_non_null(mkdtemp(world.directory));
    read_config("100");
    return 0;
}

static bool remove_visit(void *context, const char *name)
{
    char(*names)[HF_DISK_NAME_SIZE] = context;
    size_t i = 0;

    while (names[i][0] != '\0')
        i++;
    snprintf(names[i], HF_DISK_NAME_SIZE, "%s", name);
    return i < 30;
}

static int tear_down(void **state)
{
    static char names[32][HF_DISK_NAME_SIZE];
    struct hf_disk *disk = NULL;

    (void)state;
    memset(names, 0, sizeof names);
    assert_int_equal(hf_disk_uring_open(world.directory, false, false, 512, &disk, &world.fault),
                     HF_STATUS_OK);
    assert_int_equal(disk->maker->list(disk, remove_visit, names), HF_STATUS_OK);
    for (size_t i = 0; names[i][0] != '\0'; i++)
        assert_int_equal(disk->maker->remove(disk, names[i]), HF_STATUS_OK);
    disk->maker->destroy(disk);
    assert_int_equal(rmdir(world.directory), 0);
    return 0;
}

/* Changes one field of the newest checkpoint's header, and its hash with it. */
static void forge(size_t offset)
{
    struct hf_checkpoint_header *header = aligned_alloc(4096, sizeof *header);
    struct hf_disk *disk = world.storage.checkpoint_disk;
    char name[HF_DISK_NAME_SIZE];
    uint64_t index = 0;
    size_t done = 0;
    int file = -1;

    assert_non_null(header);
    assert_int_equal(hf_checkpoint_newest(disk, UINT64_MAX, &index, &world.fault), HF_STATUS_OK);
    hf_checkpoint_format_name(index, name);
    assert_int_equal(disk->maker->open(disk, name, HF_DISK_WRITE | HF_DISK_DIRECT, &file),
                     HF_STATUS_OK);
    assert_int_equal(disk->maker->read(disk, file, 0, header, sizeof *header, &done), HF_STATUS_OK);
    ((uint8_t *)header)[offset] ^= 1;
    header->hash = hf_hash_of((const uint8_t *)header + sizeof header->hash,
                              sizeof *header - sizeof header->hash);
    assert_int_equal(disk->maker->write(disk, file, 0, header, sizeof *header), HF_STATUS_OK);
    assert_int_equal(disk->maker->close(disk, file), HF_STATUS_OK);
    free(header);
}

static enum hf_status write_checkpoint(void)
{
    struct hf_checkpoint_header described;

    hf_log_writer_describe(world.storage.writer, &described);
    return storage_write_checkpoint(&world.storage, &described, &world.fault);
}

static void test_stop_and_start(void **state)
{
    (void)state;
    assert_int_equal(start(), HF_STATUS_OK);
    assert_true(world.storage.state.created);
    assert_int_equal(write_checkpoint(), HF_STATUS_EXISTS);
    for (int i = 0; i < 20; i++)
        append_one();
    assert_int_equal(write_checkpoint(), HF_STATUS_OK);
    assert_int_equal(write_checkpoint(), HF_STATUS_EXISTS);
    for (int i = 0; i < 5; i++)
        append_one();
    struct hf_id digest = hf_ledger_digest(world.load.ledger);
    stop();

    assert_int_equal(start(), HF_STATUS_OK);
    assert_int_equal(world.load.checkpoint_place, 20);
    assert_int_equal(world.storage.state.operations_replayed, 5);
    assert_true(hf_id_equal(hf_ledger_digest(world.load.ledger), digest));
    stop();
}

/* A batch for every record that may be unflushed, and one to be filled: as many as fit a segment,
 * with room for seals, and not one more. */
static void test_unflushed(void **state)
{
    (void)state;
    world.config.unflushed = (1 << 20) / (64 << 10) - 2;
    assert_int_equal(start(), HF_STATUS_OK);
    assert_int_equal(hf_log_writer_own_batches(world.storage.writer), world.config.unflushed + 1);
    append_one();
    stop();
    world.config.unflushed++;
    assert_int_equal(start(), HF_STATUS_INVALID);
    assert_non_null(strstr(world.fault.line, "they must fit one segment"));
    stop();
}

/* Two ways to one place that do not meet: told, whichever of them is wrong. */
static void test_digests_that_differ(void **state)
{
    (void)state;
    assert_int_equal(start(), HF_STATUS_OK);
    for (int i = 0; i < 10; i++)
        append_one();
    assert_int_equal(write_checkpoint(), HF_STATUS_OK);
    forge(offsetof(struct hf_checkpoint_header, digest));
    assert_int_equal(write_checkpoint(), HF_STATUS_DIVERGED);
    assert_non_null(strstr(world.fault.line, "holds another state than this node"));
    stop();
    assert_int_equal(start(), HF_STATUS_DIVERGED);
    assert_non_null(strstr(world.fault.line, "another digest"));
    stop();
}

/* The newest checkpoint is rotten in the middle: what had been loaded of it leaves no trace. */
static void test_begins_again_when_rotten(void **state)
{
    uint8_t *piece = aligned_alloc(4096, 4096);
    char name[HF_DISK_NAME_SIZE];
    uint64_t index = 0;
    size_t done = 0;
    int file = -1;

    (void)state;
    assert_non_null(piece);
    assert_int_equal(start(), HF_STATUS_OK);
    for (int i = 0; i < 10; i++)
        append_one();
    assert_int_equal(write_checkpoint(), HF_STATUS_OK);
    for (int i = 0; i < 10; i++)
        append_one();
    struct hf_id digest = hf_ledger_digest(world.load.ledger);
    for (int rotten = 0; rotten < 2; rotten++) {
        struct hf_disk *disk = world.storage.checkpoint_disk;
        assert_int_equal(hf_checkpoint_newest(disk, UINT64_MAX, &index, &world.fault),
                         HF_STATUS_OK);
        hf_checkpoint_format_name(index, name);
        assert_int_equal(disk->maker->open(disk, name, HF_DISK_WRITE | HF_DISK_DIRECT, &file),
                         HF_STATUS_OK);
        assert_int_equal(disk->maker->read(disk, file, 4096, piece, 4096, &done), HF_STATUS_OK);
        piece[3000 + rotten] ^= 1;
        assert_int_equal(disk->maker->write(disk, file, 4096, piece, 4096), HF_STATUS_OK);
        assert_int_equal(disk->maker->close(disk, file), HF_STATUS_OK);
        stop();
        assert_int_equal(start(), HF_STATUS_OK);
        assert_int_equal(world.storage.state.checkpoints_broken, 1);
        assert_int_equal(world.load.checkpoint_place, 0);
        assert_true(hf_id_equal(hf_ledger_digest(world.load.ledger), digest));
    }
    stop();
    free(piece);
}

/* Room is left for what the state takes now. */
static void test_room(void **state)
{
    (void)state;
    assert_int_equal(start(), HF_STATUS_OK);
    uint64_t before = atomic_load(&world.storage.disk->keep_free_bytes);
    assert_true(before >= UINT64_C(4) << 20);
    storage_leave_room(&world.storage, UINT64_C(80) << 20);
    assert_int_equal(atomic_load(&world.storage.disk->keep_free_bytes), UINT64_C(94) << 20);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_stop_and_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unflushed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_digests_that_differ, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_begins_again_when_rotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_room, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
