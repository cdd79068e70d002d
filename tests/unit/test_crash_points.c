/* The power fails before every step that changes the disk, in a story of five hundred operations
 * that opens a log, changes segments, checkpoints in the middle of its work, stops clean and goes
 * on. Of what was not flushed then, every subset of sectors is left when there are few, and subsets
 * by the dice when there are many; sometimes only the process dies. Each of these disks is opened
 * by the real code into a real ledger:
 *
 *   - nothing that was acknowledged is missing;
 *   - nothing is there that was not submitted, and nothing in part: the state is, digest for
 * digest, the one that the story had after some bundle;
 *   - who asks again gets the answer he got, and the rest of the story goes on from there to the
 *     same end;
 *   - the incarnation of a start that anybody can have seen is never given again;
 *   - a checkpoint that has its name is whole;
 *   - power that fails again during the recovery changes none of this, nor does power that fails
 *     while another process goes on where one has died.
 *
 *     test_crash_points [SEED [SUBSETS]]
 *
 * SUBSETS is how many are drawn at a step. Two stories are told, with this seed and the next. */
#include "crash_node.h"

/* Under the address sanitizer everything takes thirty times as long: every eleventh step is enough
 * for what it looks for. */
#define SUBSETS_WHOLE 60
#ifdef __SANITIZE_ADDRESS__
#define STRIDE          11
#define SUBSETS_DEFAULT 3
#else
#define STRIDE          1
#define SUBSETS_DEFAULT SUBSETS_WHOLE
#endif
#define IMAGES_MIN  10000
#define SECTORS_ALL 4 /* so few are left in every combination */
/* How long one goes on after another has died, and how many of its steps are looked at. */
#define HEIR_BUNDLES 12
#define HEIR_STEPS   24

static struct story story;
/* The one that tells the story, as it was after the last start that came to its end; and one that
 * goes on after it has died. */
static struct crash_node teller;
static struct crash_node heir;
/* Of these, the one whose disk is judged. */
static const struct crash_node *known = &teller;

static struct {
    uint64_t seed;
    uint32_t subsets;
    uint64_t random;
    uint64_t steps;
    uint64_t images;
    uint64_t torn;   /* images in which a tail was cut */
    uint64_t loaded; /* from a checkpoint */
    uint64_t retold; /* stories told to their end */
    uint64_t twice;  /* crashes in a recovery */
    uint64_t heirs;  /* processes that went on where one had died */
} run;

/* What is on this disk must be between what was acknowledged and what was submitted. The process
 * that found it dies; returns the place. */
static uint64_t judge(struct hf_disk *disk, uint64_t acked_place, bool to_the_end)
{
    static struct crash_node node;
    enum hf_status status = crash_open(&node, &story, disk);
    if (status != HF_STATUS_OK) {
        print_error("seed %llu, step %llu: %s\n", (unsigned long long)run.seed,
                    (unsigned long long)run.steps, node.fault.line);
        fail();
    }
    uint64_t place = hf_ledger_place(node.ledger);
    if (place < acked_place || place > known->submitted_place) {
        print_error("seed %llu, step %llu: place %llu is there, %llu was acknowledged, %llu "
                    "submitted\n",
                    (unsigned long long)run.seed, (unsigned long long)run.steps,
                    (unsigned long long)place, (unsigned long long)acked_place,
                    (unsigned long long)known->submitted_place);
        fail();
    }
    assert_int_equal(crash_check_state(&node), place);
    assert_true(node.state.superblock.incarnation > known->incarnation);
    assert_int_equal(node.state.checkpoints_broken, 0); /* what has its name is whole */
    run.torn += node.state.cut_bytes != 0;
    run.loaded += node.state.checkpoint_index != 0;
    if (to_the_end) {
        crash_retell(&node);
        run.retold++;
    }
    crash_stop(&node);
    return place;
}

struct second_crash {
    uint64_t left; /* steps of the recovery until the power fails again */
    struct hf_disk *found;
};

static void crash_again(void *context, struct hf_disk *disk)
{
    struct second_crash *second = context;
    if (second->left-- == 0) {
        second->found = hf_disk_sim_fork(disk, next_random(&run.random));
        assert_non_null(second->found);
    }
}

/* The disk as power leaves it that fails again at some step of the recovery, if it gets that far.
 */
static struct hf_disk *crash_in_recovery(struct hf_disk *disk)
{
    struct second_crash second = {.left = next_random(&run.random) % 16};
    hf_disk_sim_watch(disk, crash_again, &second);
    (void)judge(disk, known->acked_place, false);
    hf_disk_sim_watch(disk, NULL, NULL);
    if (second.found == NULL) {
        return disk;
    }
    disk->maker->destroy(disk);
    hf_disk_sim_crash(second.found);
    run.twice++;
    return second.found;
}

static void judge_image(struct hf_disk *disk)
{
    uint64_t number = run.images++;
    if (number % 5 == 1) {
        disk = crash_in_recovery(disk);
    }
    uint64_t place = judge(disk, known->acked_place, number % 4 == 0);
    if (number % 3 == 0) {
        /* What a start has shown, it may have answered from: the next one shows it too. */
        hf_disk_sim_crash(disk);
        assert_int_equal(judge(disk, place, false), place);
    }
    disk->maker->destroy(disk);
}

static struct hf_disk *fork_of(const struct hf_disk *disk)
{
    struct hf_disk *image = hf_disk_sim_fork(disk, next_random(&run.random));
    assert_non_null(image);
    return image;
}

static void crash_heir(void *context, struct hf_disk *disk)
{
    uint32_t *steps_left = context;
    if (*steps_left != 0) {
        --*steps_left;
        struct hf_disk *image = fork_of(disk);
        hf_disk_sim_crash(image);
        judge_image(image);
    }
}

/* The process dies, with everything that it has written and named still in the caches; another one
 * goes on from there, and then the power fails. */
static void go_on(struct hf_disk *disk)
{
    uint32_t steps_left = HEIR_STEPS;
    hf_disk_sim_kill(disk);
    assert_int_equal(crash_open(&heir, &story, disk), HF_STATUS_OK);
    heir.acked_place = heir.submitted_place = crash_check_state(&heir);
    heir.next_bundle = crash_bundle_at(&story, heir.acked_place);
    heir.incarnation = heir.state.superblock.incarnation;
    uint32_t left = story.bundle_count - heir.next_bundle;
    known = &heir;
    hf_disk_sim_watch(disk, crash_heir, &steps_left);
    assert_int_equal(crash_start_writer(&heir), HF_STATUS_OK);
    uint32_t last = heir.next_bundle + (left < HEIR_BUNDLES ? left : HEIR_BUNDLES);
    assert_int_equal(crash_tell_until(&heir, last), HF_STATUS_OK);
    hf_disk_sim_watch(disk, NULL, NULL);
    crash_stop(&heir);
    known = &teller;
    disk->maker->destroy(disk);
    run.heirs++;
}

static void crash_here(void *context, struct hf_disk *disk)
{
    (void)context;
    uint32_t names = 0;
    uint64_t sectors = hf_disk_sim_unflushed(disk, &names);
    run.steps++;
    if (run.steps % STRIDE != 0) {
        return;
    }
    if (sectors <= SECTORS_ALL) {
        for (uint64_t kept = 0; kept < UINT64_C(1) << sectors; kept++) {
            for (uint32_t n = 0; n <= names; n++) {
                struct hf_disk *image = fork_of(disk);
                hf_disk_sim_crash_keeping(image, kept, n);
                judge_image(image);
            }
        }
    } else {
        for (uint32_t i = 0; i < run.subsets; i++) {
            struct hf_disk *image = fork_of(disk);
            hf_disk_sim_crash(image);
            judge_image(image);
        }
    }
    struct hf_disk *image = fork_of(disk);
    hf_disk_sim_kill(image);
    judge_image(image);
    if (names != 0 || run.steps % 16 == 0) {
        go_on(fork_of(disk));
    }
}

static void tell_story(void)
{
    run.random = run.seed;
    memset(&teller, 0, sizeof teller);
    story_make(&story, run.seed);
    struct hf_disk_sim_options options = {
        .seed = run.seed, .block_size = 512, .delay_most = 3, .flush_delay = run.seed % 4};
    struct hf_disk *disk = hf_disk_sim_create(&options);
    assert_non_null(disk);
    teller.random = run.seed;
    hf_disk_sim_watch(disk, crash_here, NULL);
    assert_int_equal(crash_live(&teller, &story, disk), HF_STATUS_OK);
    hf_log_writer_detach(teller.writer);
    crash_here(NULL, disk);
    hf_disk_sim_watch(disk, NULL, NULL);
    assert_int_equal(teller.acked_place, story.place_after[story.bundle_count]);
    assert_int_equal(crash_bundle_at(&story, hf_ledger_place(teller.ledger)), teller.next_bundle);
    struct hf_log_writer_counts counts;
    hf_log_writer_count(teller.writer, &counts);
    assert_true(counts.segment >= 3);
    crash_stop(&teller);
    disk->maker->destroy(disk);
    print_message(
        "up to seed %llu: %llu steps, %llu images: %llu cut, %llu from a checkpoint, %llu told "
        "to the end, %llu crashed again in recovery, %llu gone on from; lost 0, invented 0\n",
        (unsigned long long)run.seed, (unsigned long long)run.steps, (unsigned long long)run.images,
        (unsigned long long)run.torn, (unsigned long long)run.loaded,
        (unsigned long long)run.retold, (unsigned long long)run.twice,
        (unsigned long long)run.heirs);
    run.seed++;
}

static void test_every_step(void **state)
{
    (void)state;
    tell_story();
}

static void test_every_step_of_another(void **state)
{
    (void)state;
    tell_story();
}

static void test_enough(void **state)
{
    (void)state;
    assert_true(run.images >= (run.subsets < SUBSETS_WHOLE ? run.steps / STRIDE : IMAGES_MIN));
    assert_true(run.torn > 100 / STRIDE);
    assert_true(run.loaded > 100 / STRIDE);
    assert_true(run.twice > 100 / STRIDE);
    assert_true(run.heirs > 20 / STRIDE);
}

int main(int argc, char **argv)
{
    run.seed = argc > 1 ? strtoull(argv[1], NULL, 10) : 1;
    run.subsets = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : SUBSETS_DEFAULT;
    print_message("crash points: seed %llu, %u subsets a step\n", (unsigned long long)run.seed,
                  run.subsets);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_step),
        cmocka_unit_test(test_every_step_of_another),
        cmocka_unit_test(test_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
