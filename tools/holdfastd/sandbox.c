#include "sandbox.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static enum hf_status refuse(struct hf_fault *fault, const char *user, const char *why)
{
    snprintf(fault->line, sizeof fault->line, "node.user: %.60s: %.150s", user, why);
    return HF_STATUS_INVALID;
}

enum hf_status sandbox_become_user(const struct config *config, struct hf_fault *fault)
{
    static const struct rlimit any = {RLIM_INFINITY, RLIM_INFINITY};
    const struct passwd *user;

    if (config->user[0] == '\0')
        return HF_STATUS_OK;
    if (config->port_kind != CONFIG_PORT_KERNEL ||
        (config_is_pair(config) && config->pair_port != CONFIG_PORT_KERNEL))
        return refuse(fault, config->user,
                      "goes with kernel ports: a DPDK port needs its rights for as long as it is "
                      "open");
    user = getpwnam(config->user);
    if (user == NULL)
        return refuse(fault, config->user, "there is no such user");
    if (geteuid() != 0)
        return geteuid() == user->pw_uid
                   ? HF_STATUS_OK
                   : refuse(fault, config->user, "only root can become somebody else");
    if (mkdir(config->data_directory, 0700) == 0) {
        if (chown(config->data_directory, user->pw_uid, user->pw_gid) != 0)
            return refuse(fault, config->user, strerror(errno));
    } else if (errno != EEXIST) {
        return refuse(fault, config->data_directory, strerror(errno));
    }
    /* Sessions lie in locked memory, of which root has as much as it likes. Where this may not be
     * raised, what there is may be enough; whoever needs more will say so. */
    (void)setrlimit(RLIMIT_MEMLOCK, &any);
    if (setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 || setuid(user->pw_uid) != 0)
        return refuse(fault, config->user, strerror(errno));
    return HF_STATUS_OK;
}

/* No node, no checkpoint beside it and no archive's command needs one of these. */
static const char *const refused[] = {
    /* other processes */
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "pidfd_getfd", "kcmp",
    /* the file system's shape, and other namespaces */
    "mount", "umount", "umount2", "pivot_root", "chroot", "move_mount", "open_tree", "fsopen",
    "fsconfig", "fsmount", "fspick", "mount_setattr", "setns", "unshare", "swapon", "swapoff",
    "quotactl", "quotactl_fd", "name_to_handle_at", "open_by_handle_at",
    /* the kernel, and what runs in it */
    "init_module", "finit_module", "delete_module", "kexec_load", "kexec_file_load", "bpf",
    "perf_event_open", "userfaultfd", "iopl", "ioperm", "modify_ldt", "syslog", "lookup_dcookie",
    /* its keys, clocks, name and power */
    "add_key", "keyctl", "request_key", "settimeofday", "clock_settime", "clock_settime64",
    "adjtimex", "clock_adjtime", "clock_adjtime64", "stime", "sethostname", "setdomainname",
    "reboot", "acct", "vhangup", "personality", "nfsservctl"};

/* The address sanitizer's search for leaks traces the process at its end. */
#ifdef __SANITIZE_ADDRESS__
#define MAY_TRACE true
#else
#define MAY_TRACE false
#endif

static int add_rules(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        int call = seccomp_syscall_resolve_name(refused[i]);
        if (call == __NR_SCMP_ERROR) /* this library does not know it: nor does its kernel */
            continue;
        if (MAY_TRACE && strcmp(refused[i], "ptrace") == 0)
            continue;
        int error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0);
        if (error != 0)
            return error;
    }
    return 0;
}

enum hf_status sandbox_enter(struct hf_fault *fault)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int error = filter == NULL ? -ENOMEM : 0;

    /* Every thread at once: the pollers run already. */
    if (error == 0)
        error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (error == 0)
        error = add_rules(filter);
    if (error == 0)
        error = seccomp_load(filter);
    if (filter != NULL)
        seccomp_release(filter);
    if (error == 0)
        return HF_STATUS_OK;
    snprintf(fault->line, sizeof fault->line,
             "the kernel takes no filter of system calls (%s); node.sandbox = no does without",
             strerror(-error));
    return HF_STATUS_IO;
}
