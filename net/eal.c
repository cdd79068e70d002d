#include "eal.h"

#include <assert.h>
#include <dirent.h>
#include <limits.h>
#include <mntent.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_errno.h>

#define ARGUMENTS_MAX      64
#define ARGUMENTS_SIZE     4096
#define HUGE_FILE_SUFFIX   "map_" /* EAL names them PREFIXmap_NUMBER */
#define HUGE_PREFIX_LENGTH (sizeof HUGE_FILE_SUFFIX - 1)

/* EAL keeps pointers into its arguments, and there is one EAL in a process. */
static char argument_text[ARGUMENTS_SIZE];
static char given_text[ARGUMENTS_SIZE]; /* the same, not split */
static char *argument_list[ARGUMENTS_MAX + 1];
static char runtime_directory[PATH_MAX];
static bool was_started;
static uint32_t users;
static bool all_may_free = true;

/* Splits at blanks, in place. Returns how many there are, or -1 when there are too many. */
static int split_arguments(char *text, char *list[ARGUMENTS_MAX + 1])
{
    static char name[] = "holdfast";
    int count = 0;
    list[count++] = name;
    char *rest = NULL;
    for (char *word = strtok_r(text, " \t\n", &rest); word != NULL;
         word = strtok_r(NULL, " \t\n", &rest)) {
        if (count == ARGUMENTS_MAX)
            return -1;
        list[count++] = word;
    }
    list[count] = NULL;
    return count;
}

/* A further port of this process. */
static enum hf_status join(const char *arguments, struct hf_fault *fault)
{
    if (users > 0 && strcmp(arguments, given_text) == 0) {
        users++;
        return HF_STATUS_OK;
    }
    snprintf(fault->line, sizeof fault->line, "dpdk port: EAL was started in this process%s",
             users > 0 ? ", with other arguments" : "");
    return HF_STATUS_EXISTS;
}

enum hf_status hf_eal_start(const char *arguments, struct hf_fault *fault)
{
    assert(fault != NULL);
    if (arguments == NULL)
        arguments = "";
    if (was_started)
        return join(arguments, fault);
    int length = snprintf(given_text, sizeof given_text, "%s", arguments);
    memcpy(argument_text, given_text, sizeof argument_text);
    int count = split_arguments(argument_text, argument_list);
    if (length < 0 || (size_t)length >= sizeof argument_text || count < 0) {
        snprintf(fault->line, sizeof fault->line,
                 "dpdk port: EAL arguments: at most %d words and %d bytes", ARGUMENTS_MAX - 1,
                 ARGUMENTS_SIZE - 1);
        return HF_STATUS_INVALID;
    }

    cpu_set_t processors;
    bool has_processors =
        pthread_getaffinity_np(pthread_self(), sizeof processors, &processors) == 0;
    was_started = true;
    int used = rte_eal_init(count, argument_list);
    int error = rte_errno;
    if (has_processors)
        (void)pthread_setaffinity_np(pthread_self(), sizeof processors, &processors);
    if (used < 0) {
        snprintf(fault->line, sizeof fault->line, "dpdk port: EAL does not start: %s",
                 rte_strerror(error));
        return HF_STATUS_IO;
    }
    users = 1;
    const char *directory = rte_eal_get_runtime_dir();
    snprintf(runtime_directory, sizeof runtime_directory, "%s", directory == NULL ? "" : directory);
    return HF_STATUS_OK;
}

/* Removes the plain entries of a directory whose names begin with `prefix`. */
static void remove_entries(const char *directory, const char *prefix)
{
    DIR *entries = opendir(directory);
    if (entries == NULL)
        return;
    const struct dirent *entry;
    while ((entry = readdir(entries)) != NULL)
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            (void)unlinkat(dirfd(entries), entry->d_name, 0);
    closedir(entries);
}

/* Every mounted file system of huge pages may hold files of ours. */
static void remove_huge_files(const char *prefix)
{
    FILE *mounts = setmntent("/proc/self/mounts", "r");
    if (mounts == NULL)
        return;
    struct mntent mount;
    char text[2 * PATH_MAX];
    while (getmntent_r(mounts, &mount, text, sizeof text) != NULL)
        if (strcmp(mount.mnt_type, "hugetlbfs") == 0)
            remove_entries(mount.mnt_dir, prefix);
    endmntent(mounts);
}

void hf_eal_stop(bool may_free)
{
    assert(users > 0);
    all_may_free = all_may_free && may_free;
    if (--users > 0)
        return;
    bool is_primary = rte_eal_process_type() == RTE_PROC_PRIMARY;
    if (all_may_free)
        rte_eal_cleanup();
    if (!is_primary || runtime_directory[0] == '\0')
        return;

    /* The runtime directory's last part is the prefix; EAL's lock on it made it ours alone. */
    const char *slash = strrchr(runtime_directory, '/');
    char prefix[NAME_MAX + HUGE_PREFIX_LENGTH + 1];
    if (slash != NULL && slash[1] != '\0') {
        snprintf(prefix, sizeof prefix, "%.*s%s", NAME_MAX, slash + 1, HUGE_FILE_SUFFIX);
        remove_huge_files(prefix);
    }
    remove_entries(runtime_directory, "");
    (void)rmdir(runtime_directory);
}
