/* The story of the crash tests on a disk that fails: at the k-th call of any kind, for every k,
 * once or from then on; a write that falls short, goes astray, is lost or rots on its way, for
 * every write; and a start that gets no memory, at its k-th allocation, for every k. Whatever
 * happens:
 *
 *   - after a failure that the log has seen, nothing more is answered (P7);
 *   - what the next start finds holds everything that was answered, and nothing that was not
 *     submitted; or, where the disk has lied, it halts. */
#include "crash_node.h"

#include "wal/segment.h"

#include <errno.h>

/* Under the address sanitizer everything takes ten times as long. */
#ifdef __SANITIZE_ADDRESS__
#define STRIDE 9u
#else
#define STRIDE 1u
#endif

#define SEED 11

static struct story story;

/* ---- Memory that is not there ---- */

static uint64_t allocations;
static uint64_t fail_allocation = UINT64_MAX;

static bool allocation_fails(void)
{
    return allocations++ == fail_allocation;
}

/* The linker puts these before the library's (-Wl,--wrap). The simulated disk grows by realloc,
 * which is not among them: it is no part of the node. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

void *__wrap_malloc(size_t size)
{
    return allocation_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return allocation_fails() ? NULL : __real_aligned_alloc(alignment, size);
}

static void fail_after(uint64_t count)
{
    allocations = 0;
    fail_allocation = count;
}

/* ---- One life, and what is found afterwards ---- */

static struct hf_disk *make_disk(void)
{
    struct hf_disk_sim_options options = {
        .seed = SEED, .block_size = 512, .delay_most = 3, .flush_delay = 1};
    struct hf_disk *disk = hf_disk_sim_create(&options);
    assert_non_null(disk);
    return disk;
}

static void begin(struct crash_node *node)
{
    memset(node, 0, sizeof *node);
    node->random = SEED;
}

/* How one life of a node on a failing disk ended. */
struct ending {
    enum hf_status status;
    uint64_t acked_place;
    uint64_t submitted_place;
    uint64_t commit_index;
};

/* Tells the story on this disk; then the process ends, in order or at once. */
static struct ending live(struct hf_disk *disk, bool in_order)
{
    static struct crash_node node;
    begin(&node);
    struct ending ending = {.status = crash_live(&node, &story, disk)};
    if (node.writer != NULL && hf_log_writer_is_poisoned(node.writer)) {
        assert_true(hf_log_writer_fault(node.writer)->line[0] != '\0');
        uint64_t acked_place = node.acked_place;
        for (int i = 0; i < 8; i++) {
            assert_int_equal(crash_poll(&node), HF_STATUS_IO);
        }
        assert_int_equal(node.acked_place, acked_place);
    }
    if (ending.status != HF_STATUS_OK) {
        assert_true(node.fault.line[0] != '\0' || node.writer != NULL);
    }
    ending.acked_place = node.acked_place;
    ending.submitted_place = node.submitted_place;
    if (node.writer != NULL) {
        ending.commit_index = hf_log_writer_commit_index(node.writer);
        if (in_order) {
            hf_log_writer_detach(node.writer);
        }
        hf_log_writer_destroy(node.writer);
        node.writer = NULL;
    }
    crash_stop(&node);
    return ending;
}

static enum hf_status find(struct hf_disk *disk, struct crash_node *node)
{
    enum hf_status status = crash_open(node, &story, disk);
    if (status == HF_STATUS_OK) {
        (void)crash_check_state(node);
    } else {
        assert_true(node->fault.line[0] != '\0');
    }
    return status;
}

/* ---- Calls that fail ---- */

/* Returns whether the log saw it. */
static bool fail_at(uint64_t k, bool for_ever)
{
    static struct crash_node found;
    struct hf_disk *disk = make_disk();
    hf_disk_sim_fail(disk, k, for_ever);
    struct ending ending = live(disk, k % 2 == 0);
    assert_true(ending.status == HF_STATUS_OK || ending.status == HF_STATUS_IO);
    hf_disk_sim_fail(disk, UINT64_MAX, false);
    if (k % 3 != 0) {
        hf_disk_sim_crash(disk);
    }
    if (find(disk, &found) != HF_STATUS_OK) {
        print_error("call %llu fails%s: %s\n", (unsigned long long)k, for_ever ? " for ever" : "",
                    found.fault.line);
        fail();
    }
    uint64_t place = hf_ledger_place(found.ledger);
    if (place < ending.acked_place || place > ending.submitted_place) {
        print_error("call %llu fails%s: place %llu found, %llu acknowledged, %llu submitted\n",
                    (unsigned long long)k, for_ever ? " for ever" : "", (unsigned long long)place,
                    (unsigned long long)ending.acked_place,
                    (unsigned long long)ending.submitted_place);
        fail();
    }
    if (k % 4 == 0) {
        crash_retell(&found);
    }
    /* And once more, after what was found may have been answered from. */
    crash_stop(&found);
    hf_disk_sim_crash(disk);
    assert_int_equal(find(disk, &found), HF_STATUS_OK);
    assert_int_equal(hf_ledger_place(found.ledger), place);
    crash_stop(&found);
    disk->maker->destroy(disk);
    return ending.status == HF_STATUS_IO;
}

static uint64_t count_calls(uint64_t *writes)
{
    struct hf_disk *disk = make_disk();
    struct ending ending = live(disk, true);
    assert_int_equal(ending.status, HF_STATUS_OK);
    assert_int_equal(ending.acked_place, story.place_after[story.bundle_count]);
    uint64_t calls = hf_disk_sim_calls(disk);
    *writes = hf_disk_sim_writes(disk);
    disk->maker->destroy(disk);
    return calls;
}

static void test_every_call(void **state)
{
    (void)state;
    uint64_t writes = 0;
    uint64_t calls = count_calls(&writes);
    uint64_t seen = 0;
    assert_true(calls > 250);
    for (uint64_t k = 0; k < calls; k += STRIDE) {
        seen += fail_at(k, false);
        assert_true(fail_at(k, true) || k + 40 > calls); /* the last ones are the clean stop's */
    }
    print_message("%llu calls, each failing once and for ever: %llu of the single ones ended the "
                  "log; lost 0, invented 0\n",
                  (unsigned long long)calls, (unsigned long long)seen);
    assert_true(seen > calls / STRIDE / 2);
}

/* ---- Writes that the disk gets wrong ---- */

static struct {
    uint64_t halted;
    uint64_t harmless;
    uint64_t unproven; /* a tail that nobody called committed, and that is gone */
} lies;

/* A clean stop says of everything before it that it was committed: then nothing may be missing
 * unseen. After an end without one, what was in flight behind the newest witness may. */
static void lie(enum hf_disk_sim_mishap mishap, uint64_t write, bool in_order)
{
    static struct crash_node found;
    struct hf_disk *disk = make_disk();
    hf_disk_sim_befall(disk, mishap, write);
    struct ending ending = live(disk, in_order);
    hf_disk_sim_befall(disk, HF_DISK_SIM_NO_MISHAP, 0);
    hf_disk_sim_crash(disk);
    enum hf_status status = find(disk, &found);
    if (mishap == HF_DISK_SIM_SHORT) {
        /* The disk has said so. */
        assert_true(ending.status == HF_STATUS_OK || ending.status == HF_STATUS_IO);
        if (status != HF_STATUS_OK || hf_ledger_place(found.ledger) < ending.acked_place) {
            print_error("write %llu falls short: place %llu found, %llu acknowledged: %s\n",
                        (unsigned long long)write,
                        (unsigned long long)hf_ledger_place(found.ledger),
                        (unsigned long long)ending.acked_place, found.fault.line);
            fail();
        }
    } else if (status != HF_STATUS_OK) {
        assert_int_equal(status, HF_STATUS_CORRUPT);
        lies.halted++;
    } else if (hf_ledger_place(found.ledger) >= ending.acked_place) {
        lies.harmless++;
    } else {
        if (in_order || ending.commit_index - found.state.last_index > CRASH_UNFLUSHED) {
            print_error("mishap %d, write %llu: record %llu found, %llu acknowledged\n",
                        (int)mishap, (unsigned long long)write,
                        (unsigned long long)found.state.last_index,
                        (unsigned long long)ending.commit_index);
            fail();
        }
        lies.unproven++;
    }
    if (status == HF_STATUS_OK) {
        assert_true(hf_ledger_place(found.ledger) <= ending.submitted_place);
    }
    crash_stop(&found);
    disk->maker->destroy(disk);
}

static void test_every_write_befallen(void **state)
{
    (void)state;
    static const enum hf_disk_sim_mishap mishaps[] = {HF_DISK_SIM_SHORT, HF_DISK_SIM_MISDIRECTED,
                                                      HF_DISK_SIM_LOST, HF_DISK_SIM_ROTTEN};
    uint64_t writes = 0;
    (void)count_calls(&writes);
    assert_true(writes > 100);
    for (size_t i = 0; i < sizeof mishaps / sizeof mishaps[0]; i++) {
        for (uint64_t write = 0; write < writes; write += STRIDE) {
            lie(mishaps[i], write, true);
            lie(mishaps[i], write, false);
        }
    }
    print_message(
        "%llu writes, each short, astray, lost, rotten: %llu halted at the next start, %llu "
        "did no harm, %llu were a tail that nobody had called committed\n",
        (unsigned long long)writes, (unsigned long long)lies.halted,
        (unsigned long long)lies.harmless, (unsigned long long)lies.unproven);
    assert_true(lies.halted > writes / STRIDE);
}

/* ---- Memory ---- */

/* Starts that get no memory at their k-th allocation, until one gets all it asks for; k = 0 is the
 * test's own, for the ledger. Then the log is there as it was. */
static void starve(struct hf_disk *disk, uint64_t place, uint64_t least)
{
    static struct crash_node node;
    enum hf_status status = HF_STATUS_NO_MEMORY;
    uint64_t k = 1;
    for (; status == HF_STATUS_NO_MEMORY; k++) {
        assert_true(k < 100);
        fail_after(k);
        status = crash_open(&node, &story, disk);
        if (status == HF_STATUS_OK) {
            status = crash_start_writer(&node);
        }
        uint64_t asked = allocations;
        fail_after(UINT64_MAX);
        if (status == HF_STATUS_NO_MEMORY) {
            assert_true(asked > k);
            assert_non_null(strstr(node.fault.line, "no memory"));
        } else {
            assert_int_equal(status, HF_STATUS_OK);
            assert_true(asked <= k);
            assert_int_equal(hf_ledger_place(node.ledger), place);
        }
        if (node.writer != NULL) {
            hf_log_writer_destroy(node.writer);
            node.writer = NULL;
        }
        crash_stop(&node);
    }
    assert_true(k > least);
}

static void test_every_allocation_at_start(void **state)
{
    (void)state;
    static struct crash_node node;
    struct hf_disk *disk = make_disk();
    starve(disk, 0, 5);
    disk->maker->destroy(disk);

    /* A log with a checkpoint, records after it, and a torn tail. */
    disk = make_disk();
    begin(&node);
    assert_int_equal(crash_live(&node, &story, disk), HF_STATUS_OK);
    hf_log_writer_destroy(node.writer);
    node.writer = NULL;
    char name[HF_DISK_NAME_SIZE];
    hf_segment_format_name(node.state.segment_last, name);
    size_t size = 0;
    uint8_t *bytes = hf_disk_sim_bytes(disk, name, &size);
    memset(bytes + size - 512, 0x77, 512);
    crash_stop(&node);
    starve(disk, story.place_after[story.bundle_count], 8);
    disk->maker->destroy(disk);
}

static int make_story(void **state)
{
    (void)state;
    story_make(&story, SEED);
    return 0;
}

int main(void)
{
    print_message("disk faults: seed %d\n", SEED);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_call),
        cmocka_unit_test(test_every_write_befallen),
        cmocka_unit_test(test_every_allocation_at_start),
    };
    return cmocka_run_group_tests(tests, make_story, NULL);
}
