/* Where a node may listen: a truth table, once in the machine's own network and
 * once in a namespace that the test makes for itself (as root). Nothing is opened here. */
#include "tools/holdfastd/listen.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const struct row {
    enum config_port kind;
    const char *where; /* the address of a kernel port, the EAL's arguments of a DPDK port */
    bool outside;      /* allowed in the machine's own network */
    bool inside;       /* allowed in a namespace of its own */
} rows[] = {
    {CONFIG_PORT_KERNEL, "127.0.0.1:4600", true, true},
    {CONFIG_PORT_KERNEL, "127.0.0.1:0", true, true},
    {CONFIG_PORT_KERNEL, "127.255.255.254:1", true, true},
    {CONFIG_PORT_KERNEL, "126.255.255.255:1", false, true},
    {CONFIG_PORT_KERNEL, "128.0.0.0:1", false, true},
    {CONFIG_PORT_KERNEL, "0.0.0.0:4600", false, true},
    {CONFIG_PORT_KERNEL, "10.0.0.1:4600", false, true},
    {CONFIG_PORT_KERNEL, "255.255.255.255:4600", false, true},
    {CONFIG_PORT_DPDK, "--no-pci --vdev net_memif0,role=server", true, true},
    {CONFIG_PORT_DPDK, "--no-pci --vdev=net_memif0,role=server", true, true},
    {CONFIG_PORT_DPDK, "--vdev=net_ring0 --vdev net_null0 --no-pci", true, true},
    {CONFIG_PORT_DPDK, "--no-pci", false, true},
    {CONFIG_PORT_DPDK, "--no-pci --vdev net_tap0,iface=x", false, true},
    {CONFIG_PORT_DPDK, "--no-pci --vdev net_af_packet0,iface=x", false, true},
    {CONFIG_PORT_DPDK, "--no-pci --vdev=eth_af_packet0,iface=x", false, true},
    {CONFIG_PORT_DPDK, "--no-pci --vdev net_af_xdp0,iface=x", false, true},
    {CONFIG_PORT_DPDK, "--no-pci --vdev net_pcap0,iface=x", false, true},
    {CONFIG_PORT_DPDK, "--no-pci --vdev net_memif0 --vdev net_tap0", false, true},
    {CONFIG_PORT_DPDK, "--no-pci --vdev net_tap0 --vdev net_memif0", false, true},
    /* getopt_long takes any unambiguous beginning of an option for the option. */
    {CONFIG_PORT_DPDK, "--no-pci --vdev net_memif0 --vde net_tap0", false, true},
    {CONFIG_PORT_DPDK, "--no-pci --vdev net_memif0 --vd=net_tap0", false, true},
    {CONFIG_PORT_DPDK, "--vdev net_memif0", false, false},
    {CONFIG_PORT_DPDK, "-a 0000:00:04.0", false, false},
    {CONFIG_PORT_DPDK, "", false, false},
};

/* The clients' port, or the other node's, which is sealed when there are sessions. */
static enum hf_status check(const struct row *row, bool is_pair, enum config_security security,
                            struct hf_fault *fault)
{
    static struct config config;
    struct hf_address address = {.ip = 0x0a4d0002, .udp = 4600};

    memset(&config, 0, sizeof config);
    memset(fault, 0, sizeof *fault);
    config.security = security;
    if (is_pair && security == CONFIG_SECURITY_ON)
        strcpy(config.pair_peer_key, "key");
    config.port_kind = is_pair ? CONFIG_PORT_KERNEL : row->kind;
    config.pair_port = is_pair ? row->kind : CONFIG_PORT_KERNEL;
    if (row->kind == CONFIG_PORT_KERNEL) {
        strcpy(config.port_address, row->where);
        assert_true(hf_address_parse(row->where, &address));
    } else {
        strcpy(config.port_eal, row->where);
    }
    return is_pair ? listen_check_pair(&config, &address, fault)
                   : listen_check(&config, &address, fault);
}

static int judge(const struct row *row, bool is_pair, bool inside)
{
    bool expected = inside ? row->inside : row->outside;
    struct hf_fault fault;
    enum hf_status status = check(row, is_pair, CONFIG_SECURITY_OFF, &fault);
    const char *section = is_pair && row->kind == CONFIG_PORT_KERNEL ? "pair." : "port.";
    bool named = strncmp(fault.line, section, 5) == 0;

    if (status == (expected ? HF_STATUS_OK : HF_STATUS_INVALID) && named != expected)
        return 0;
    print_error("%s \"%s\" %s: status %d, \"%s\"\n", inside ? "inside" : "outside", row->where,
                is_pair ? "to the peer" : "to clients", (int)status, fault.line);
    return 1;
}

/* The number of rows that are judged wrongly; each is printed. */
static int judge_rows(bool inside)
{
    int wrong = 0;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hf_fault fault;
        wrong += judge(&rows[i], false, inside) + judge(&rows[i], true, inside);
        /* With sessions anywhere, and so for who says that he means it. */
        for (int is_pair = 0; is_pair < 2; is_pair++) {
            if (check(&rows[i], is_pair, CONFIG_SECURITY_ON, &fault) != HF_STATUS_OK ||
                check(&rows[i], is_pair, CONFIG_SECURITY_OFF_REACHABLE, &fault) != HF_STATUS_OK) {
                print_error("\"%s\" with sessions: \"%s\"\n", rows[i].where, fault.line);
                wrong++;
            }
        }
    }
    return wrong;
}

/* The first process shows it, or, where that one may not be looked at, a setting that only the
 * machine's own network has. */
static bool in_first_namespace(void)
{
    struct stat ours;
    struct stat first;

    if (stat("/proc/1/ns/net", &first) != 0)
        return access("/proc/sys/net/core/netdev_max_backlog", F_OK) == 0;
    return stat("/proc/self/ns/net", &ours) == 0 && ours.st_ino == first.st_ino;
}

static void test_in_the_machines_network(void **state)
{
    (void)state;
    if (!in_first_namespace()) {
        print_message("not in the machine's own network, or not to be told: skipped\n");
        skip();
    }
    assert_int_equal(judge_rows(false), 0);
}

static void test_in_a_namespace(void **state)
{
    pid_t child;
    int status = 0;

    (void)state;
    if (geteuid() != 0) {
        print_message("a network namespace needs root: skipped\n");
        skip();
    }
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (unshare(CLONE_NEWNET) != 0) {
            print_error("unshare: %s\n", strerror(errno));
            _exit(100);
        }
        _exit(judge_rows(true));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_the_machines_network),
        cmocka_unit_test(test_in_a_namespace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
