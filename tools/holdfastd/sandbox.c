#include "sandbox.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
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

/* All that a node, the checkpoint beside it and an archive's command do. What is not here is
 * answered as by a kernel that does not have it: then libraries fall back on what is. Not here on
 * purpose: tracing and reading other processes; mounts, roots, device nodes and other namespaces;
 * modules, bpf, perf and whatever else runs in the kernel; keys; setting clocks, names and power.
 * io_uring passes a filter by, but does nothing that is not here. */
static const char *const allowed[] = {
#ifdef __SANITIZE_ADDRESS__
    /* the search for leaks at the end traces the process; and it has its addresses at one place */
    "ptrace", "personality",
#endif
    /* files */
    "access", "chdir", "chmod", "chown", "close", "close_range", "copy_file_range", "creat", "dup",
    "dup2", "dup3", "faccessat", "faccessat2", "fadvise64", "fallocate", "fchdir", "fchmod",
    "fchmodat", "fchmodat2", "fchown", "fchownat", "fcntl", "fdatasync", "fgetxattr", "flistxattr",
    "flock", "fremovexattr", "fsetxattr", "fstat", "fstatfs", "fsync", "ftruncate", "futimesat",
    "getcwd", "getdents", "getdents64", "getxattr", "inotify_add_watch", "inotify_init",
    "inotify_init1", "inotify_rm_watch", "ioctl", "lchown", "lgetxattr", "link", "linkat",
    "listxattr", "llistxattr", "lremovexattr", "lseek", "lsetxattr", "lstat", "mkdir", "mkdirat",
    "newfstatat", "open", "openat", "openat2", "pread64", "preadv", "preadv2", "pwrite64",
    "pwritev", "pwritev2", "read", "readahead", "readlink", "readlinkat", "readv", "removexattr",
    "rename", "renameat", "renameat2", "rmdir", "sendfile", "setxattr", "splice", "stat", "statfs",
    "statx", "symlink", "symlinkat", "sync", "sync_file_range", "syncfs", "tee", "truncate",
    "umask", "unlink", "unlinkat", "utime", "utimensat", "utimes", "write", "writev",
    /* waiting, and files that are none */
    "alarm", "epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2",
    "epoll_wait", "eventfd", "eventfd2", "getitimer", "io_uring_enter", "io_uring_register",
    "io_uring_setup", "memfd_create", "pipe", "pipe2", "poll", "ppoll", "pselect6", "select",
    "setitimer", "signalfd", "signalfd4", "timer_create", "timer_delete", "timer_getoverrun",
    "timer_gettime", "timer_settime", "timerfd_create", "timerfd_gettime", "timerfd_settime",
    /* memory */
    "brk", "get_mempolicy", "madvise", "mbind", "mincore", "mlock", "mlock2", "mlockall", "mmap",
    "mprotect", "mremap", "msync", "munlock", "munlockall", "munmap", "set_mempolicy",
    /* sockets */
    "accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen",
    "recvfrom", "recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown",
    "socket", "socketpair",
    /* time */
    "clock_getres", "clock_gettime", "clock_nanosleep", "gettimeofday", "nanosleep", "pause",
    "time", "times",
    /* threads */
    "arch_prctl", "futex", "futex_waitv", "get_robust_list", "getcpu", "membarrier", "rseq",
    "sched_get_priority_max", "sched_get_priority_min", "sched_getaffinity", "sched_getattr",
    "sched_getparam", "sched_getscheduler", "sched_rr_get_interval", "sched_setaffinity",
    "sched_setattr", "sched_setparam", "sched_setscheduler", "sched_yield", "set_robust_list",
    "set_tid_address",
    /* signals */
    "kill", "pidfd_open", "pidfd_send_signal", "restart_syscall", "rt_sigaction", "rt_sigpending",
    "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
    "rt_tgsigqueueinfo", "sigaltstack", "tgkill", "tkill",
    /* processes: the checkpoint's, the archive's command, and the node itself when it starts anew
     */
    "capget", "capset", "execve", "execveat", "exit", "exit_group", "fork", "getegid", "geteuid",
    "getgid", "getgroups", "getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getrandom",
    "getresgid", "getresuid", "getrlimit", "getrusage", "getsid", "gettid", "getuid", "ioprio_get",
    "ioprio_set", "prctl", "prlimit64", "seccomp", "setfsgid", "setfsuid", "setgid", "setgroups",
    "setpgid", "setpriority", "setregid", "setresgid", "setresuid", "setreuid", "setrlimit",
    "setsid", "setuid", "sysinfo", "uname", "vfork", "wait4", "waitid"};

/* Processes and threads, but no namespace is made by the way. (clone3 hides its flags where no
 * filter sees them: without it libraries call clone.) */
#define NAMESPACES                                                                             \
    (CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | \
     CLONE_NEWCGROUP)

static int add_rules(scmp_filter_ctx filter)
{
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++) {
        int call = seccomp_syscall_resolve_name(allowed[i]);
        if (call < 0) /* the library or this machine does not know it */
            continue;
        int error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0);
        if (error != 0)
            return error;
    }
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
                            SCMP_A0(SCMP_CMP_MASKED_EQ, NAMESPACES, 0));
}

/* Whoever starts anew is in the sandbox already. Another filter each time would be one too many
 * some day: the kernel counts their instructions. */
#define INSIDE "HOLDFASTD_SANDBOX"

static bool is_inside(void)
{
    return getenv(INSIDE) != NULL && unshare(0) != 0 && errno == ENOSYS;
}

enum hf_status sandbox_enter(struct hf_fault *fault)
{
    if (is_inside())
        return HF_STATUS_OK;

    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int error = filter == NULL ? -ENOMEM : 0;

    /* Every thread at once: the pollers run already. */
    if (error == 0)
        error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (error == 0)
        error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a search, not a list */
    if (error == 0)
        error = add_rules(filter);
    if (error == 0)
        error = seccomp_load(filter);
    if (filter != NULL)
        seccomp_release(filter);
    if (error == 0 && setenv(INSIDE, "1", 1) != 0)
        error = -errno;
    if (error == 0)
        return HF_STATUS_OK;
    snprintf(fault->line, sizeof fault->line,
             "the kernel takes no filter of system calls (%s); node.sandbox = no does without",
             strerror(-error));
    return HF_STATUS_IO;
}
