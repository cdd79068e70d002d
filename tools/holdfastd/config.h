/* The node's settings: one table names every one of them, with its default, its range and a
 * sentence of help.
 *
 * They come from an INI file (--config FILE) and from flags (--section.key VALUE); a flag wins over
 * the file. */
#ifndef HOLDFASTD_CONFIG_H
#define HOLDFASTD_CONFIG_H

#include "engine/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define CONFIG_TEXT_SIZE     256
#define CONFIG_UNFLUSHED_MAX 31 /* and as many batches, and one more, beside the pair's */

enum config_port { CONFIG_PORT_KERNEL = 0, CONFIG_PORT_DPDK = 1 };
enum config_idle { CONFIG_IDLE_SLEEP = 0, CONFIG_IDLE_SPIN = 1 };
enum config_durability {
    CONFIG_DURABILITY_SOLO = 0,
    CONFIG_DURABILITY_MEMORY_BENCH = 1,
    CONFIG_DURABILITY_PAIR_FAST = 2,
    CONFIG_DURABILITY_PAIR_SAFE = 3,
};
enum config_alone { CONFIG_ALONE_GO_ON = 0, CONFIG_ALONE_REFUSE = 1 };

enum config_security {
    CONFIG_SECURITY_OFF = 0,
    CONFIG_SECURITY_ON = 1,
    CONFIG_SECURITY_OFF_REACHABLE = 2,
};

enum config_priority { CONFIG_PRIORITY_IDLE = 0, CONFIG_PRIORITY_LOW = 1 };

struct config {
    /* [node] */
    char cluster[CONFIG_TEXT_SIZE];
    uint64_t node;
    char cores[CONFIG_TEXT_SIZE];
    uint64_t idle; /* enum config_idle */
    uint64_t idle_spin_us;
    uint64_t idle_wait_us;
    uint64_t bundles;
    uint64_t benchmark;
    uint64_t test_clock;
    char key[CONFIG_TEXT_SIZE];
    char user[CONFIG_TEXT_SIZE];
    uint64_t sandbox;
    /* [data] */
    char data_directory[CONFIG_TEXT_SIZE];
    /* [port] */
    uint64_t port_kind; /* enum config_port */
    char port_address[CONFIG_TEXT_SIZE];
    char port_eal[CONFIG_TEXT_SIZE];
    uint64_t port_device;
    uint64_t port_mtu;
    /* [log] */
    uint64_t durability; /* enum config_durability */
    uint64_t segment_bytes;
    uint64_t segments_ahead;
    uint64_t batch_bytes;
    uint64_t depth;
    uint64_t unflushed;
    uint64_t block_bytes;
    uint64_t seal_records;
    uint64_t seal_interval_ns;
    uint64_t digest_interval_ns;
    uint64_t digest_pause_ns;
    uint64_t retain_bytes;
    char archive[CONFIG_TEXT_SIZE];
    /* [checkpoint] */
    uint64_t checkpoint_bytes;
    uint64_t checkpoint_interval_ns;
    uint64_t checkpoint_rate;     /* bytes a second, 0: no bound */
    uint64_t checkpoint_priority; /* enum config_priority */
    uint64_t checkpoint_test_stop;
    /* [ledger] */
    uint64_t accounts;
    uint64_t instruments;
    uint64_t holds;
    uint64_t terms;
    uint64_t parts;
    uint64_t selectors;
    uint64_t limits;
    uint64_t rolling;
    uint64_t remembered;
    uint64_t remember_ns;
    uint64_t record_ns;
    uint64_t id_ahead_ns;
    /* [security] */
    uint64_t security; /* enum config_security */
    char session_key[CONFIG_TEXT_SIZE];
    char origins_file[CONFIG_TEXT_SIZE];
    uint64_t origins_max;
    uint64_t sessions_per_origin;
    uint64_t handshakes_seen; /* a second */
    uint64_t handshakes_address;
    uint64_t handshakes_free; /* a second */
    uint64_t handshakes;
    uint64_t handshakes_host;
    /* [pair] */
    char pair_address[CONFIG_TEXT_SIZE];
    uint64_t pair_port; /* enum config_port */
    uint64_t pair_device;
    char pair_peer[CONFIG_TEXT_SIZE];
    char pair_peer_key[CONFIG_TEXT_SIZE];
    uint64_t pair_peer_node; /* 0: the other of 1 and 2 */
    char pair_clients[CONFIG_TEXT_SIZE];
    char pair_arbiter[CONFIG_TEXT_SIZE];
    uint64_t pair_when_alone; /* enum config_alone */
    uint64_t pair_grace_ns;
    uint64_t pair_mtu;
    uint64_t pair_recent_bytes;
    /* [admin] */
    char admin_socket[CONFIG_TEXT_SIZE];
    char admin_readers[CONFIG_TEXT_SIZE];
    char admin_writers[CONFIG_TEXT_SIZE];
    char admin_audit[CONFIG_TEXT_SIZE];
};

/* Fills in the defaults, then reads the command line and the file it names. Returns OK; INVALID
 * with one line in *fault that names the file, the line and the key (or the flag). *show tells
 * whether --help or --version was asked for. */
enum config_show { CONFIG_SHOW_NOTHING, CONFIG_SHOW_HELP, CONFIG_SHOW_VERSION };
HF_MUST_USE enum hf_status config_read(struct config *config, int argc, char **argv,
                                       enum config_show *show, struct hf_fault *fault);

static inline bool config_is_pair(const struct config *config)
{
    return config->durability >= CONFIG_DURABILITY_PAIR_FAST;
}

/* Whether what the nodes of a pair say to each other is sealed. */
static inline bool config_seals_pair(const struct config *config)
{
    return config->pair_peer_key[0] != '\0';
}

static inline bool config_keeps_log(const struct config *config)
{
    return config->durability != CONFIG_DURABILITY_MEMORY_BENCH;
}

/* As the setting and every reply name it: "solo"... */
const char *config_durability_name(const struct config *config);

/* Reads a duration as the settings have it ("90s", "2h"), or a number of nanoseconds. False when
 * it is neither, or over UINT64_MAX nanoseconds. */
bool config_read_duration(const char *text, uint64_t *duration_ns);

/* Writes all settings as flags, for another process of this program to read them back as they are
 * here: pointers into `text` in `flags`. Returns how many; both asserted to be large enough. */
#define CONFIG_FLAGS_MAX      80
#define CONFIG_FLAG_TEXT_SIZE (CONFIG_FLAGS_MAX * (CONFIG_TEXT_SIZE + 64))
int config_write_flags(const struct config *config, char text[CONFIG_FLAG_TEXT_SIZE],
                       char *flags[CONFIG_FLAGS_MAX]);

/* Prints every setting with its default and its meaning. */
void config_print_help(FILE *out);

/* The number of the pair's other node. */
static inline uint32_t config_peer_node(const struct config *config)
{
    return (uint32_t)(config->pair_peer_node != 0 ? config->pair_peer_node : 3 - config->node);
}

#endif
