#include "checkpointer.h"

#include "clock.h"
#include "counters.h"
#include "wal/disk_uring.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)
/* Before the next attempt after a failure: at first, and at most, for it doubles. */
#define PAUSE_LEAST_NS SECOND_NS
#define PAUSE_MOST_NS  (60 * SECOND_NS)
/* And while there is no room, and nothing could be freed. */
#define PAUSE_FULL_NS (5 * SECOND_NS)
/* Between two looks at the room. */
#define LOOK_NS SECOND_NS
/* Where the copy finds what it inherits. */
#define COPY_REPORT_FILE    3
#define COPY_DIRECTORY_FILE 4
#define COPY_FILES_END      5
/* Descriptors on their way there are kept out of that range. */
#define HIGH_FILE 16

extern char **environ;

void checkpointer_init(struct checkpointer *checkpointer, const struct config *config,
                       struct storage *storage, struct logger *logger)
{
    const struct hf_log_state *state = &storage->state;

    memset(checkpointer, 0, sizeof *checkpointer);
    checkpointer->config = config;
    checkpointer->storage = storage;
    checkpointer->logger = logger;
    checkpointer->report_file = -1;
    checkpointer->due_since_ns = clock_monotonic_ns();
    if (state->checkpoint_index != 0) {
        checkpointer->newest = (struct checkpointer_newest){
            .index = state->checkpoint_index,
            .place = storage->load->checkpoint_place,
            .bytes = storage->load->image_bytes,
            .made_ns = state->checkpoint_timestamp_ns,
        };
    }
}

/* Bytes of log that a start would have read so far: those it did read, and what came since. */
static uint64_t log_bytes(const struct checkpointer *checkpointer)
{
    return checkpointer->storage->state.bytes_replayed +
           counter_read(&checkpointer->logger->device_bytes);
}

static uint64_t commit_index(const struct checkpointer *checkpointer)
{
    return counter_read(&checkpointer->logger->commit_index);
}

/* Segments cannot be made: soon the log has no room, if it still has any. */
static bool lacks_space(const struct checkpointer *checkpointer)
{
    return atomic_load_explicit(&checkpointer->logger->lacks_space, memory_order_relaxed);
}

/* ---- ending
 * -----------------------------------------------------------------------------------------------------
 */

/* The next attempt comes later each time, up to a bound. */
static void rest(struct checkpointer *checkpointer, uint64_t most_ns)
{
    uint64_t longer_ns = 2 * checkpointer->pause_ns;

    checkpointer->pause_ns = longer_ns < PAUSE_LEAST_NS ? PAUSE_LEAST_NS : longer_ns;
    if (checkpointer->pause_ns > most_ns)
        checkpointer->pause_ns = most_ns;
    checkpointer->not_before_ns = clock_monotonic_ns() + checkpointer->pause_ns;
}

static void note_failure(struct checkpointer *checkpointer)
{
    checkpointer->failures++;
    checkpointer->asked_index = 0; /* whoever asked is told of the failure */
    rest(checkpointer, PAUSE_MOST_NS);
    fprintf(stderr,
            "holdfastd: no checkpoint at record %llu (the older one and the log stay): %s\n",
            (unsigned long long)checkpointer->until_index, checkpointer->failure.line);
}

static void note_newest(struct checkpointer *checkpointer)
{
    const struct copy_report *report = &checkpointer->report;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    checkpointer->newest = (struct checkpointer_newest){
        .index = report->index,
        .place = report->place,
        .bytes = report->image_bytes,
        .made_ns = (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec,
    };
    checkpointer->newest_bytes = checkpointer->started_bytes;
    checkpointer->made++;
    fprintf(
        stderr,
        "holdfastd: checkpoint at record %llu, place %llu: %llu MiB in %.2f s (load %.2f, replay "
        "%.2f, write %.2f, read back %.2f), %llu segments removed\n",
        (unsigned long long)report->index, (unsigned long long)report->place,
        (unsigned long long)report->image_bytes >> 20, checkpointer->seconds,
        (double)report->load_ns / 1e9, (double)report->replay_ns / 1e9,
        (double)report->write_ns / 1e9, (double)report->verify_ns / 1e9,
        (unsigned long long)report->removed);
}

static void note_segments(struct checkpointer *checkpointer)
{
    const struct copy_report *report = &checkpointer->report;

    checkpointer->removed += report->removed;
    checkpointer->archived += report->archived;
    checkpointer->retain_failure = report->retain_fault;
    if (report->retain_status == HF_STATUS_OK)
        return;
    checkpointer->retain_failures++;
    fprintf(stderr, "holdfastd: old segments stay: %s\n", report->retain_fault.line);
}

/* The process is gone, or goes: what it told last says how it went. */
static void end_copy(struct checkpointer *checkpointer)
{
    struct copy_report *report = &checkpointer->report;
    int status = 0;

    while (waitpid(checkpointer->copy, &status, 0) < 0 && errno == EINTR)
        continue;
    close(checkpointer->report_file);
    checkpointer->report_file = -1;
    checkpointer->copy = 0;
    checkpointer->seconds = (double)(clock_monotonic_ns() - checkpointer->started_ns) / 1e9;
    checkpointer->due_since_ns = clock_monotonic_ns();
    note_segments(checkpointer);
    if (report->phase != COPY_ENDED || report->status != HF_STATUS_OK) {
        if (report->phase == COPY_ENDED)
            checkpointer->failure = report->fault;
        else
            snprintf(checkpointer->failure.line, sizeof checkpointer->failure.line,
                     "the process that made it was ended by %s %d",
                     WIFSIGNALED(status) ? "signal" : "exit status",
                     WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        note_failure(checkpointer);
        return;
    }
    checkpointer->failure.line[0] = '\0';
    if (report->index > checkpointer->newest.index)
        note_newest(checkpointer);
    if (checkpointer->is_pressing && report->removed == 0)
        rest(checkpointer, PAUSE_FULL_NS); /* in vain: not again at once */
    else
        checkpointer->pause_ns = 0;
}

/* Reads what there is; the end of it is the end of the process. */
static void hear(struct checkpointer *checkpointer)
{
    for (;;) {
        ssize_t got =
            read(checkpointer->report_file, &checkpointer->report, sizeof checkpointer->report);
        if (got == (ssize_t)sizeof checkpointer->report)
            continue;
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            return;
        end_copy(checkpointer);
        return;
    }
}

/* ---- starting
 * ---------------------------------------------------------------------------------------------------
 */

/* The program's command line: its own number of arguments, then every setting. */
struct command {
    char until[24];
    char report[8];
    char node[24];
    char text[CONFIG_FLAG_TEXT_SIZE];
    char *arguments[CONFIG_FLAGS_MAX + 8];
};

static void write_command(const struct checkpointer *checkpointer, struct command *command)
{
    static char program[] = "holdfastd";
    static char flag[] = COPY_FLAG;
    static char yes[] = "1";
    static char no[] = "0";
    struct config config = *checkpointer->config;
    char **next = command->arguments;

    if (checkpointer->has_stopped)
        config.checkpoint_test_stop = 0;
    snprintf(command->until, sizeof command->until, "%llu",
             (unsigned long long)checkpointer->until_index);
    snprintf(command->report, sizeof command->report, "%d", COPY_REPORT_FILE);
    snprintf(command->node, sizeof command->node, "%ld", (long)getpid());
    *next++ = program;
    *next++ = flag;
    *next++ = command->until;
    *next++ = checkpointer->is_pressing ? yes : no;
    *next++ = command->report;
    *next++ = command->node;
    next += config_write_flags(&config, command->text, next);
    *next = NULL;
}

/* What the process starts with: nothing of ours but the pipe, and the directory, whose lock it
 * keeps so that no other node comes before it is gone. A process group of its own: what a terminal
 * says to the node is not for it. */
static int prepare(posix_spawn_file_actions_t *files, posix_spawnattr_t *attributes, int report,
                   int directory)
{
    sigset_t none;
    sigset_t all;
    int error = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);

    sigemptyset(&none);
    sigfillset(&all);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(files, 2, 1);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(files, report, COPY_REPORT_FILE);
    if (error == 0)
        error = posix_spawn_file_actions_adddup2(files, directory, COPY_DIRECTORY_FILE);
    if (error == 0)
        error = posix_spawn_file_actions_addclosefrom_np(files, COPY_FILES_END);
    if (error == 0)
        error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0)
        error = posix_spawnattr_setsigdefault(attributes, &all);
    if (error == 0)
        error = posix_spawnattr_setpgroup(attributes, 0);
    if (error == 0)
        error = posix_spawnattr_setflags(
            attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    return error;
}

/* The same program, even when its file has been replaced meanwhile. Only this thread waits for it,
 * and nothing of the ledger's memory is copied. */
static int spawn(struct checkpointer *checkpointer, int report)
{
    static struct command command; /* one thread, and too large for a stack */
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int directory = hf_disk_uring_directory(checkpointer->storage->disk);
    int high_directory = fcntl(directory, F_DUPFD_CLOEXEC, HIGH_FILE);
    int error = high_directory < 0 ? errno : posix_spawn_file_actions_init(&files);

    if (error == 0) {
        error = posix_spawnattr_init(&attributes);
        if (error == 0) {
            error = prepare(&files, &attributes, report, high_directory);
            write_command(checkpointer, &command);
            if (error == 0)
                error = posix_spawn(&checkpointer->copy, "/proc/self/exe", &files, &attributes,
                                    command.arguments, environ);
            posix_spawnattr_destroy(&attributes);
        }
        posix_spawn_file_actions_destroy(&files);
    }
    if (high_directory >= 0)
        close(high_directory);
    return error;
}

static void start_copy(struct checkpointer *checkpointer)
{
    int ends[2] = {-1, -1};
    int high = -1;
    int error = 0;

    checkpointer->until_index = commit_index(checkpointer);
    checkpointer->is_pressing = lacks_space(checkpointer);
    checkpointer->started_ns = clock_monotonic_ns();
    checkpointer->started_bytes = log_bytes(checkpointer);
    memset(&checkpointer->report, 0, sizeof checkpointer->report);
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        error = errno;
    if (error == 0) {
        high = fcntl(ends[1], F_DUPFD_CLOEXEC, HIGH_FILE);
        error = high < 0 ? errno : spawn(checkpointer, high);
    }
    if (high >= 0)
        close(high);
    if (ends[1] >= 0)
        close(ends[1]);
    if (error == 0) {
        checkpointer->report_file = ends[0];
        checkpointer->has_stopped = true;
        return;
    }
    if (ends[0] >= 0)
        close(ends[0]);
    checkpointer->copy = 0;
    snprintf(checkpointer->failure.line, sizeof checkpointer->failure.line,
             "no process to make it: %s", strerror(error));
    note_failure(checkpointer);
}

/* ---- when
 * -------------------------------------------------------------------------------------------------------
 */

static bool is_due(const struct checkpointer *checkpointer)
{
    const struct config *config = checkpointer->config;
    uint64_t now_ns = clock_monotonic_ns();
    bool is_new = commit_index(checkpointer) > checkpointer->newest.index;

    if (is_new && checkpointer->asked_index > checkpointer->newest.index)
        return true;
    if (now_ns < checkpointer->not_before_ns)
        return false;
    if (lacks_space(checkpointer))
        return is_new || checkpointer->newest.index != 0;
    if (!is_new)
        return false;
    if (checkpointer->failure.line[0] != '\0')
        return true;
    if (config->checkpoint_bytes != 0 &&
        log_bytes(checkpointer) - checkpointer->newest_bytes >= config->checkpoint_bytes)
        return true;
    return config->checkpoint_interval_ns != 0 &&
           checkpointer->place > checkpointer->newest.place &&
           now_ns - checkpointer->due_since_ns >= config->checkpoint_interval_ns;
}

void checkpointer_step(struct checkpointer *checkpointer)
{
    if (checkpointer->copy != 0)
        hear(checkpointer);
    if (checkpointer->copy == 0 && is_due(checkpointer))
        start_copy(checkpointer);
}

int checkpointer_file(const struct checkpointer *checkpointer)
{
    return checkpointer->report_file;
}

uint64_t checkpointer_ask(struct checkpointer *checkpointer)
{
    checkpointer->asked_index = commit_index(checkpointer);
    return checkpointer->asked_index;
}

bool checkpointer_has(const struct checkpointer *checkpointer, uint64_t index)
{
    return checkpointer->newest.index >= index;
}

bool checkpointer_wants_look(struct checkpointer *checkpointer)
{
    uint64_t now_ns = clock_monotonic_ns();

    if (now_ns < checkpointer->next_look_ns)
        return false;
    checkpointer->next_look_ns = now_ns + LOOK_NS;
    return true;
}

void checkpointer_look(struct checkpointer *checkpointer, uint64_t place, uint64_t image_bytes)
{
    struct statvfs room;

    checkpointer->place = place;
    storage_leave_room(checkpointer->storage, image_bytes);
    if (statvfs(checkpointer->config->data_directory, &room) == 0)
        checkpointer->free_bytes = (uint64_t)room.f_bavail * room.f_frsize;
}

void checkpointer_stop(struct checkpointer *checkpointer)
{
    if (checkpointer->copy == 0)
        return;
    kill(checkpointer->copy, SIGKILL);
    while (waitpid(checkpointer->copy, NULL, 0) < 0 && errno == EINTR)
        continue;
    close(checkpointer->report_file);
    checkpointer->report_file = -1;
    checkpointer->copy = 0;
}

const char *checkpointer_phase(const struct checkpointer *checkpointer)
{
    static const char *const phases[] = {"starting",  "loading",   "writing",
                                         "verifying", "retaining", "ending"};

    if (checkpointer->copy == 0)
        return "idle";
    assert(checkpointer->report.phase < sizeof phases / sizeof phases[0]);
    return phases[checkpointer->report.phase];
}
