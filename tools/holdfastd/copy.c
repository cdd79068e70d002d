#include "copy.h"

#include "clock.h"
#include "engine/image.h"
#include "load.h"
#include "paced_disk.h"
#include "storage.h"
#include "wal/disk_uring.h"
#include "wal/retain.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENT_COUNT 6 /* before the flags */
#define NICE_LEAST     19

struct copy {
    struct config config;
    struct hf_id cluster;
    uint64_t until_index;
    bool is_pressing; /* the log has no room: free what can be freed */
    int report_file;
    struct copy_report report;

    struct hf_disk *log_disk; /* reads the log */
    struct hf_disk *disk;     /* writes the checkpoint, removes segments */
    struct paced_disk paced_log;
    struct paced_disk paced;
    struct load load;
    struct hf_log_state state;
};

extern char **environ;

static void tell(struct copy *copy, enum copy_phase phase)
{
    copy->report.phase = phase;
    /* A node that is gone reads no more, and has us killed. */
    if (write(copy->report_file, &copy->report, sizeof copy->report) !=
        (ssize_t)sizeof copy->report)
        _exit(EXIT_FAILURE);
}

/* ---- becoming it
 * ------------------------------------------------------------------------------------------------
 */

static void write_text(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CLOEXEC);

    if (file < 0)
        return;
    if (write(file, text, strlen(text)) < 0)
        fprintf(stderr, "holdfastd copy: %s: %s\n", path, strerror(errno));
    close(file);
}

/* Dies with the node, stands behind everybody for the processor, and is the first to go when memory
 * runs out. */
static void stand_back(const struct copy *copy, pid_t node)
{
    const struct sched_param none = {0};

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != node)
        _exit(EXIT_FAILURE);
    if (setpriority(PRIO_PROCESS, 0, NICE_LEAST) != 0)
        fprintf(stderr, "holdfastd copy: nice: %s\n", strerror(errno));
    if (copy->config.checkpoint_priority == CONFIG_PRIORITY_IDLE &&
        sched_setscheduler(0, SCHED_IDLE, &none) != 0)
        fprintf(stderr, "holdfastd copy: idle scheduling: %s\n", strerror(errno));
    write_text("/proc/self/oom_score_adj", "1000");
}

static enum hf_status open_disks(struct copy *copy)
{
    const struct config *config = &copy->config;
    struct hf_fault *fault = &copy->report.fault;
    enum hf_status status = hf_disk_uring_open(
        config->data_directory, true, false, (uint32_t)config->block_bytes, &copy->log_disk, fault);

    if (status == HF_STATUS_OK)
        status = hf_disk_uring_open(config->data_directory, false, false,
                                    (uint32_t)config->block_bytes, &copy->disk, fault);
    if (status != HF_STATUS_OK)
        return status;
    paced_disk_init(&copy->paced_log, copy->log_disk, config->checkpoint_rate, 0);
    paced_disk_init(&copy->paced, copy->disk, config->checkpoint_rate,
                    config->checkpoint_test_stop);
    return HF_STATUS_OK;
}

static void close_all(struct copy *copy)
{
    load_release(&copy->load);
    if (copy->disk != NULL)
        copy->disk->maker->destroy(copy->disk);
    if (copy->log_disk != NULL)
        copy->log_disk->maker->destroy(copy->log_disk);
}

/* ---- segments
 * ---------------------------------------------------------------------------------------------------
 */

/* Runs the operator's command with the segment's path, and waits for it. */
static enum hf_status archive_segment(void *context, const char *name, struct hf_fault *fault)
{
    struct copy *copy = context;
    char command[CONFIG_TEXT_SIZE + 8];
    char directory[PATH_MAX];
    char path[PATH_MAX + HF_DISK_NAME_SIZE];
    char shell[] = "sh";
    char flag[] = "-c";
    char *arguments[] = {shell, flag, command, shell, path, NULL};
    int status = 0;
    pid_t child;
    int error;

    if (realpath(copy->config.data_directory, directory) == NULL) {
        snprintf(fault->line, sizeof fault->line, "%.150s: %s", copy->config.data_directory,
                 strerror(errno));
        return HF_STATUS_IO;
    }
    snprintf(path, sizeof path, "%s/%s", directory, name);
    snprintf(command, sizeof command, "%s \"$1\"", copy->config.archive);
    error = posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ);
    if (error != 0) {
        snprintf(fault->line, sizeof fault->line, "log.archive: no shell: %s", strerror(error));
        return HF_STATUS_IO;
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        copy->report.archived++;
        return HF_STATUS_OK;
    }
    snprintf(fault->line, sizeof fault->line, "log.archive: %.100s: %s %d for %s",
             copy->config.archive, WIFEXITED(status) ? "exit status" : "signal",
             WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), name);
    return HF_STATUS_IO;
}

/* Lets go of the segments before record `index`, as far as the settings say, or a full disk. That
 * they cannot be archived or removed is told, and does not make the checkpoint worse. */
static void retain(struct copy *copy, const struct hf_superblock *superblock, uint64_t index)
{
    const struct hf_retention retention = {
        .index = index,
        .keep_bytes = copy->is_pressing ? 0 : copy->config.retain_bytes,
        .archive = copy->config.archive[0] != '\0' ? archive_segment : NULL,
        .context = copy,
    };
    struct hf_retained retained;

    tell(copy, COPY_RETAINING);
    copy->report.retain_status =
        hf_retain(&copy->paced.disk, superblock, &retention, &retained, &copy->report.retain_fault);
    copy->report.removed += retained.removed;
}

/* ---- the checkpoint
 * --------------------------------------------------------------------------------------------- */

/* Reads a checkpoint back, every byte of it. */
static enum hf_status verify(struct copy *copy, uint64_t index)
{
    struct hf_checkpoint_header header;
    uint64_t began_ns = clock_monotonic_ns();
    enum hf_status status;

    tell(copy, COPY_VERIFYING);
    status =
        hf_checkpoint_verify(&copy->paced.disk, copy->cluster, index, &header, &copy->report.fault);
    copy->report.verify_ns = clock_monotonic_ns() - began_ns;
    if (status != HF_STATUS_OK)
        return status;
    copy->report.index = header.index;
    copy->report.place = header.place;
    copy->report.image_bytes = header.image_length;
    return HF_STATUS_OK;
}

static enum hf_status load_and_replay(struct copy *copy)
{
    struct copy_report *report = &copy->report;
    const struct hf_log_options options = {
        .cluster = copy->cluster,
        .beside = true,
        .until_index = copy->until_index,
    };
    enum hf_status status;

    tell(copy, COPY_LOADING);
    status = load_make_ledger(&copy->load, &copy->config, false, &report->fault);
    if (status == HF_STATUS_OK)
        status = load_log(&copy->load, &copy->config, &copy->paced_log.disk, &options, false,
                          &copy->state, &report->fault);
    report->load_ns = copy->load.image_ns;
    report->replay_ns = copy->load.replay_ns;
    report->operations_replayed = copy->state.operations_replayed;
    return status;
}

static enum hf_status write_checkpoint(struct copy *copy)
{
    static struct hf_image_writer image; /* too large for a stack */
    const struct hf_checkpoint_stream stream = {.context = &image,
                                                .source = storage_fill_from_image};
    struct hf_checkpoint_header header;
    uint64_t began_ns = clock_monotonic_ns();
    enum hf_status status;

    tell(copy, COPY_WRITING);
    hf_log_state_describe(&copy->state, &header);
    header.digest = hf_ledger_digest(copy->load.ledger);
    hf_image_write_begin(&image, copy->load.ledger);
    status = hf_checkpoint_write(&copy->paced.disk, &header, &stream, &copy->report.fault);
    copy->report.write_ns = clock_monotonic_ns() - began_ns;
    return status;
}

/* What the next start will need of the log: from the checkpoint on that this one was made from. It
 * was read whole a moment ago, and stays as the older of the two. */
static uint64_t needed_from(const struct copy *copy)
{
    return copy->is_pressing ? copy->report.index : copy->state.checkpoint_index;
}

static enum hf_status make_checkpoint(struct copy *copy)
{
    enum hf_status status = load_and_replay(copy);

    if (status == HF_STATUS_OK)
        status = write_checkpoint(copy);
    load_release(&copy->load);
    if (status == HF_STATUS_OK)
        status = verify(copy, copy->until_index);
    if (status == HF_STATUS_OK)
        retain(copy, &copy->state.superblock, needed_from(copy));
    return status;
}

/* A full disk: first make room with what there is. When the newest checkpoint does not verify, it
 * frees nothing, and the one to come is made from an older one. */
static enum hf_status press(struct copy *copy, uint64_t newest)
{
    struct hf_superblock superblock;
    enum hf_status status = hf_superblock_read(copy->log_disk, &superblock, &copy->report.fault);

    if (status != HF_STATUS_OK || newest == 0)
        return status;
    status = verify(copy, newest);
    if (status == HF_STATUS_OK)
        retain(copy, &superblock, newest);
    return newest < copy->until_index ? HF_STATUS_OK : status;
}

static enum hf_status carry_out(struct copy *copy)
{
    struct hf_fault *fault = &copy->report.fault;
    uint64_t newest = 0;
    enum hf_status status = open_disks(copy);

    if (status == HF_STATUS_OK)
        status = hf_checkpoint_newest(copy->disk, UINT64_MAX, &newest, fault);
    if (status == HF_STATUS_OK && copy->is_pressing)
        status = press(copy, newest);
    if (status == HF_STATUS_OK && newest < copy->until_index)
        status = make_checkpoint(copy);
    return status;
}

int copy_main(int argc, char **argv)
{
    static struct copy copy;
    enum config_show show;
    enum hf_status status;

    if (argc < ARGUMENT_COUNT) {
        fprintf(stderr, "holdfastd: " COPY_FLAG " is for the node itself\n");
        return EXIT_FAILURE;
    }
    copy.until_index = strtoull(argv[2], NULL, 10);
    copy.is_pressing = strcmp(argv[3], "1") == 0;
    copy.report_file = (int)strtol(argv[4], NULL, 10);
    if (config_read(&copy.config, argc - ARGUMENT_COUNT + 1, argv + ARGUMENT_COUNT - 1, &show,
                    &copy.report.fault) != HF_STATUS_OK ||
        !hf_id_parse(copy.config.cluster, strlen(copy.config.cluster), &copy.cluster)) {
        fprintf(stderr, "holdfastd copy: %s\n", copy.report.fault.line);
        return EXIT_FAILURE;
    }
    /* Neither is for the archive's command: the one's end is our end, the other holds the lock. */
    (void)fcntl(copy.report_file, F_SETFD, FD_CLOEXEC);
    (void)fcntl(copy.report_file + 1, F_SETFD, FD_CLOEXEC);
    stand_back(&copy, (pid_t)strtol(argv[5], NULL, 10));
    status = carry_out(&copy);
    close_all(&copy);
    copy.report.status = (int32_t)status;
    tell(&copy, COPY_ENDED);
    return status == HF_STATUS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
