#include "listen.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOOPBACK_NETWORK 0x7f000000u
#define LOOPBACK_MASK    0xff000000u

/* A setting that only the machine's own network shows below /proc/sys: namespaces lack it. */
#define FIRST_NETWORK_MARK "/proc/sys/net/core/netdev_max_backlog"

static bool is_other_network(const struct stat *ours, const struct stat *other)
{
    return ours->st_ino != other->st_ino || ours->st_dev != other->st_dev;
}

/* Whether this process sits in another network namespace than the machine's first process. Where
 * that one may not be looked at, two things must hold instead: this is not the kernel's first
 * network, and whoever started us is in another one. When nothing can be told: no. */
static bool in_own_namespace(void)
{
    struct stat ours;
    struct stat other;
    char parent[64];

    if (stat("/proc/self/ns/net", &ours) != 0)
        return false;
    if (stat("/proc/1/ns/net", &other) == 0)
        return is_other_network(&ours, &other);
    snprintf(parent, sizeof parent, "/proc/%d/ns/net", (int)getppid());
    return access("/proc/sys/net/core", F_OK) == 0 && access(FIRST_NETWORK_MARK, F_OK) != 0 &&
           stat(parent, &other) == 0 && is_other_network(&ours, &other);
}

/* Whether every --vdev of the EAL arguments is one of the kinds that stay between processes, and
 * there is one. The EAL takes --vd and --vde for it, too. */
static bool only_between_processes(const char *eal)
{
    static const char *const kinds[] = {"net_memif", "net_ring", "net_null"};
    uint32_t devices = 0;

    for (const char *at = strstr(eal, "--vd"); at != NULL; at = strstr(at, "--vd")) {
        bool found = false;
        at += strcspn(at, " =");
        at += strspn(at, " =");
        for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
            found = found || strncmp(at, kinds[i], strlen(kinds[i])) == 0;
        if (!found)
            return false;
        devices++;
    }
    return devices != 0;
}

/* One port without sessions; `setting` is the one with its address, `remedy` the one that would
 * close it. */
static enum hf_status check(const struct config *config, uint64_t kind, const char *setting,
                            const char *remedy, const struct hf_address *address,
                            struct hf_fault *fault)
{
    char text[HF_ADDRESS_TEXT_SIZE];

    if (kind == CONFIG_PORT_DPDK && strstr(config->port_eal, "--no-pci") == NULL) {
        snprintf(fault->line, sizeof fault->line,
                 "port.eal: needs --no-pci: without %s a node does not listen on "
                 "real network devices",
                 remedy);
        return HF_STATUS_INVALID;
    }
    if (in_own_namespace())
        return HF_STATUS_OK;
    if (kind == CONFIG_PORT_KERNEL && (address->ip & LOOPBACK_MASK) != LOOPBACK_NETWORK) {
        hf_address_format(address, text);
        snprintf(fault->line, sizeof fault->line,
                 "%s: %s is not on loopback: without %s a node "
                 "listens on loopback, memif and network namespaces of its own only",
                 setting, text, remedy);
        return HF_STATUS_INVALID;
    }
    if (kind == CONFIG_PORT_DPDK && !only_between_processes(config->port_eal)) {
        snprintf(fault->line, sizeof fault->line,
                 "port.eal: only net_memif, net_ring and net_null outside a network namespace of "
                 "its own, without %s",
                 remedy);
        return HF_STATUS_INVALID;
    }
    return HF_STATUS_OK;
}

enum hf_status listen_check(const struct config *config, const struct hf_address *address,
                            struct hf_fault *fault)
{
    if (config->security != CONFIG_SECURITY_OFF)
        return HF_STATUS_OK;
    return check(config, config->port_kind, "port.address", "security.sessions = on", address,
                 fault);
}

enum hf_status listen_check_pair(const struct config *config, const struct hf_address *address,
                                 struct hf_fault *fault)
{
    if (config_seals_pair(config) || config->security == CONFIG_SECURITY_OFF_REACHABLE)
        return HF_STATUS_OK;
    return check(config, config->pair_port, "pair.address", "pair.peer_key", address, fault);
}
