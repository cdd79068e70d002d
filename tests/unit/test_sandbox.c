/* What a node in its sandbox is refused, in every thread and in what it starts, and what not. */
#include "tools/holdfastd/sandbox.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* How many of these the kernel lets us do; each is harmless where it is allowed. */
static int allowed_count(void)
{
    struct timeval now;
    int allowed = 0;
    gettimeofday(&now, NULL);
    allowed += !(unshare(0) != 0 && errno == ENOSYS);
    allowed += !(mount("", "", "", 0, NULL) != 0 && errno == ENOSYS);
#ifndef __SANITIZE_ADDRESS__
    allowed += !(ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 && errno == ENOSYS);
#endif
    allowed +=
        !(syscall(SYS_process_vm_readv, getpid(), NULL, 0, NULL, 0, 0) != 0 && errno == ENOSYS);
    allowed += !(settimeofday(&now, NULL) != 0 && errno == ENOSYS);
    allowed += !(syscall(SYS_bpf, -1, NULL, 0) != 0 && errno == ENOSYS);
    allowed += !(chroot("/") != 0 && errno == ENOSYS);
    allowed += !(mknod("/", S_IFCHR, 0) != 0 && errno == ENOSYS);
    allowed += !(syscall(SYS_clone3, NULL, 0) != 0 && errno == ENOSYS);
    /* A namespace with the right flags elsewhere: refused before the kernel looks at them. */
    allowed +=
        !(syscall(SYS_clone, CLONE_NEWUSER | CLONE_SIGHAND, 0, 0, 0, 0) < 0 && errno == ENOSYS);
    allowed += !(syscall(1000000) != 0 && errno == ENOSYS);
    return allowed;
}

static pthread_barrier_t entered;

static void *run_thread(void *context)
{
    pthread_barrier_wait(&entered);
    *(int *)context = allowed_count();
    return NULL;
}

static int in_the_sandbox(void)
{
    pthread_t thread;
    struct hf_fault fault;
    int in_thread = -1, status = -1, pipes[2];
    pthread_barrier_init(&entered, NULL, 2);
    if (pthread_create(&thread, NULL, run_thread, &in_thread) != 0 ||
        sandbox_enter(&fault) != HF_STATUS_OK)
        return 1;
    pthread_barrier_wait(&entered); /* it was there before */
    pthread_join(thread, NULL);
    if (in_thread != 0 || allowed_count() != 0)
        return 2;
    for (int again = 0; again < 300; again++) {
        if (sandbox_enter(&fault) != HF_STATUS_OK)
            return 7;
    }
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
        return 3;
    pid_t child = fork();
    if (child == 0)
        _exit(allowed_count());
    if (waitpid(child, &status, 0) != child || status != 0)
        return 4;
    /* What a node goes on doing. */
    if (pipe(pipes) != 0 || socket(AF_INET, SOCK_DGRAM, 0) < 0 || access("/", R_OK) != 0)
        return 5;
    child = fork();
    if (child == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    return waitpid(child, &status, 0) == child && status == 0 ? 0 : 6;
}

static void test_sandbox(void **state)
{
    int status = -1;
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(in_the_sandbox());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_user(void **state)
{
    static struct config config;
    struct hf_fault fault = {{0}};
    (void)state;
    assert_int_equal(sandbox_become_user(&config, &fault), HF_STATUS_OK);
    strcpy(config.user, "no-such-user-here");
    assert_int_equal(sandbox_become_user(&config, &fault), HF_STATUS_INVALID);
    assert_non_null(strstr(fault.line, "no such user"));
    config.port_kind = CONFIG_PORT_DPDK;
    assert_int_equal(sandbox_become_user(&config, &fault), HF_STATUS_INVALID);
    assert_non_null(strstr(fault.line, "goes with kernel ports"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sandbox),
        cmocka_unit_test(test_user),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
