#include "config.h"

#include "ini_file.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum kind {
    KIND_TEXT,
    KIND_NUMBER,
    KIND_SIZE,     /* bytes: a number with an optional k, m, g (powers of 1024) */
    KIND_DURATION, /* nanoseconds: a number with ns, us, ms, s, m, h, d */
    KIND_CHOICE,   /* one of the words in `choices`, stored as its position */
};

struct setting {
    const char *section;
    const char *key;
    enum kind kind;
    size_t offset;
    const char *initial;
    uint64_t least; /* of numbers, sizes (bytes) and durations (ns) */
    uint64_t most;
    const char *choices; /* blank-separated */
    const char *help;
};

#define AT(member) offsetof(struct config, member)
#define NS_PER_S   UINT64_C(1000000000)

static const struct setting settings[] = {
    {"node", "cluster", KIND_TEXT, AT(cluster), "1", 0, 0, NULL,
     "the cluster's id: decimal, 0x hexadecimal or 8-4-4-4-12"},
    {"node", "node", KIND_NUMBER, AT(node), "1", 1, 65535, NULL,
     "this node's number in its cluster"},
    {"node", "cores", KIND_TEXT, AT(cores), "0: rx order log tx", 0, 0, NULL,
     "which pollers run on which core, e.g. \"0: rx tx; 1: order log\"; shard0, shard1.. divide "
     "the "
     "ledger, rx0, rx1.. take a receive queue each (tools/OPERATIONS.md)"},
    {"node", "idle", KIND_CHOICE, AT(idle), "sleep", 0, 0, "sleep spin",
     "what a core does without work: spin, or spin a while and then sleep"},
    {"node", "idle_spin_us", KIND_NUMBER, AT(idle_spin_us), "50", 0, 1000000, NULL,
     "how long to spin before the first sleep, microseconds"},
    {"node", "idle_wait_us", KIND_NUMBER, AT(idle_wait_us), "200", 1, 100000, NULL,
     "the longest sleep between two looks at the port, microseconds"},
    {"node", "bundles", KIND_NUMBER, AT(bundles), "512", 8, 65536, NULL,
     "bundles of up to 64 operations under way, shared by the receive pollers; beyond them the "
     "answer is BUSY"},
    {"node", "benchmark", KIND_CHOICE, AT(benchmark), "no", 0, 0, "no yes",
     "yes: this node is a benchmark, and may run without durability"},
    {"node", "test_clock", KIND_CHOICE, AT(test_clock), "no", 0, 0, "no yes",
     "yes: for tests, the admin command advance may move the node's clock forward"},
    {"node", "key", KIND_TEXT, AT(key), "node-key", 0, 0, NULL,
     "file of the key that signs the log, in the data directory unless it has a slash; made at the "
     "first start"},
    {"node", "user", KIND_TEXT, AT(user), "", 0, 0, NULL,
     "kernel: user to become when the port is open, with its group; the data directory is to be "
     "its own"},
    {"node", "sandbox", KIND_CHOICE, AT(sandbox), "yes", 0, 0, "no yes",
     "yes: once it serves, the node makes only the system calls that it needs (tools/SECURITY.md)"},
    {"data", "directory", KIND_TEXT, AT(data_directory), "holdfast-data", 0, 0, NULL,
     "where log, checkpoints and superblock live; made when missing"},
    {"port", "kind", KIND_CHOICE, AT(port_kind), "kernel", 0, 0, "kernel dpdk",
     "kernel: UDP through io_uring; dpdk: any poll-mode driver"},
    {"port", "address", KIND_TEXT, AT(port_address), "127.0.0.1:4600", 0, 0, NULL,
     "IPv4 address and UDP port; kernel ports may name port 0 and get a free one"},
    {"port", "eal", KIND_TEXT, AT(port_eal), "", 0, 0, NULL,
     "dpdk: EAL arguments, passed through; of all ports over DPDK of this node"},
    {"port", "device", KIND_NUMBER, AT(port_device), "0", 0, 31, NULL,
     "dpdk: which Ethernet device, in the order of the EAL arguments"},
    {"port", "mtu", KIND_NUMBER, AT(port_mtu), "1500", 640, 9028, NULL,
     "largest IP packet, bytes: a datagram is 28 less; 9012 carries the longest chain"},
    {"log", "durability", KIND_CHOICE, AT(durability), "solo", 0, 0,
     "solo memory-bench pair-fast pair-safe",
     "solo: answers leave after the flush; pair-safe: after the flush on both nodes of a pair; "
     "pair-fast: when both have it in memory; memory-bench: nothing is kept (benchmarks only)"},
    {"log", "segment_bytes", KIND_SIZE, AT(segment_bytes), "64m", 1 << 20, UINT64_C(1) << 32, NULL,
     "size of a log segment (fixed when the directory is made)"},
    {"log", "segments_ahead", KIND_NUMBER, AT(segments_ahead), "2", 1, 16, NULL,
     "segments kept ready ahead of the log"},
    {"log", "batch_bytes", KIND_SIZE, AT(batch_bytes), "256k", 64 << 10, 1 << 20, NULL,
     "largest log record"},
    {"log", "depth", KIND_NUMBER, AT(depth), "4", 1, 16, NULL, "log writes in flight"},
    {"log", "unflushed", KIND_NUMBER, AT(unflushed), "8", 1, CONFIG_UNFLUSHED_MAX, NULL,
     "log records written or on their way there and not yet flushed: how many may share a flush; "
     "fewer where their buffers would take more than half a segment"},
    {"log", "block_bytes", KIND_SIZE, AT(block_bytes), "512", 512, 4096, NULL,
     "block of direct writes, 512 or 4096 (fixed when the directory is made)"},
    {"log", "seal_records", KIND_NUMBER, AT(seal_records), "1024", 1, 1 << 20, NULL,
     "records of the log under one signature"},
    {"log", "seal_interval", KIND_DURATION, AT(seal_interval_ns), "1s", 0, 86400 * NS_PER_S, NULL,
     "time after which the newest records of a node by itself are signed, however few; 0s: not by "
     "time"},
    {"log", "digest_interval", KIND_DURATION, AT(digest_interval_ns), "1m", 0, 86400 * NS_PER_S,
     NULL,
     "time after which the log says what the state is, for the standby and every replay to "
     "compare; "
     "0s: never"},
    {"log", "digest_pause", KIND_DURATION, AT(digest_pause_ns), "5ms", 0, NS_PER_S, NULL,
     "the longest that the order may stand still for that: a larger state goes without"},
    {"log", "retain_bytes", KIND_SIZE, AT(retain_bytes), "1g", 0, UINT64_C(1) << 50, NULL,
     "log that stays although no checkpoint needs it to start; what is older is removed"},
    {"log", "archive", KIND_TEXT, AT(archive), "", 0, 0, NULL,
     "shell command run with the path of a segment behind it before that is removed; while it "
     "fails, nothing is removed"},
    {"checkpoint", "bytes", KIND_SIZE, AT(checkpoint_bytes), "1g", 0, UINT64_C(1) << 50, NULL,
     "log written after which a checkpoint is made beside the service; 0: not by bytes"},
    {"checkpoint", "interval", KIND_DURATION, AT(checkpoint_interval_ns), "1h", 0,
     400 * 86400 * NS_PER_S, NULL,
     "time after which a checkpoint is made when anything was logged; 0s: not by time"},
    {"checkpoint", "rate", KIND_SIZE, AT(checkpoint_rate), "100m", 0, UINT64_C(1) << 40, NULL,
     "bytes a second that making a checkpoint reads or writes at most; 0: no bound"},
    {"checkpoint", "priority", KIND_CHOICE, AT(checkpoint_priority), "idle", 0, 0, "idle low",
     "of the process that makes it: idle takes only time that nobody wants; low, for nodes that "
     "spin on every processor, gets a little always"},
    {"checkpoint", "test_stop", KIND_NUMBER, AT(checkpoint_test_stop), "0", 0, 1000000, NULL,
     "for tests: the node's first checkpoint process stops before the change of that number to the "
     "data directory"},
    {"ledger", "accounts", KIND_NUMBER, AT(accounts), "1000000", 1, UINT64_C(1) << 31, NULL,
     "accounts there is room for"},
    {"ledger", "instruments", KIND_NUMBER, AT(instruments), "1000000", 1, UINT64_C(1) << 31, NULL,
     "instruments there is room for"},
    {"ledger", "holds", KIND_NUMBER, AT(holds), "1000000", 1, UINT64_C(1) << 31, NULL,
     "open holds there is room for, and with them ended ones and records of authorisations"},
    {"ledger", "terms", KIND_NUMBER, AT(terms), "100000", 1, UINT64_C(1) << 31, NULL,
     "accounts with terms (ceiling, parent, expiry, sink, filter, total) there is room for"},
    {"ledger", "parts", KIND_NUMBER, AT(parts), "100000", 1, UINT64_C(1) << 31, NULL,
     "payers of open holds that have several, and as many conditions, there is room for"},
    {"ledger", "selectors", KIND_NUMBER, AT(selectors), "100000", 1, UINT64_C(1) << 31, NULL,
     "instruments with further accounts there is room for"},
    {"ledger", "limits", KIND_NUMBER, AT(limits), "100000", 1, UINT64_C(1) << 31, NULL,
     "limits on the authorisations of instruments and accounts there is room for"},
    {"ledger", "rolling", KIND_NUMBER, AT(rolling), "10000", 1, UINT64_C(1) << 31, NULL,
     "of these, with a rolling window; a kilobyte each"},
    {"ledger", "remembered", KIND_NUMBER, AT(remembered), "4000000", 1, UINT64_C(1) << 31, NULL,
     "operations whose answers are remembered"},
    {"ledger", "remember", KIND_DURATION, AT(remember_ns), "1h", NS_PER_S, 400 * 86400 * NS_PER_S,
     NULL, "how long an operation's answer is remembered (when the number does not run out first)"},
    {"ledger", "record", KIND_DURATION, AT(record_ns), "45d", NS_PER_S, 400 * 86400 * NS_PER_S,
     NULL,
     "how long ended holds and authorisations stay known (when open ones do not need their room)"},
    {"ledger", "id_ahead", KIND_DURATION, AT(id_ahead_ns), "60s", 1000000, 86400 * NS_PER_S, NULL,
     "how far an operation id's time may lie ahead of the node's clock"},
    {"security", "sessions", KIND_CHOICE, AT(security), "off", 0, 0,
     "off on off-although-others-can-reach-it",
     "on: only who has a key among the origins is heard, and everything is sealed (of a pair: also "
     "what the nodes say to each other, pair.peer_key); off: loopback, memif and network "
     "namespaces "
     "of its own only"},
    {"security", "key", KIND_TEXT, AT(session_key), "session-key", 0, 0, NULL,
     "file of the node's key for sessions, in the data directory unless it has a slash; made at "
     "the first start"},
    {"security", "origins", KIND_TEXT, AT(origins_file), "", 0, 0, NULL,
     "file of the origins: who may send what; read again on SIGHUP"},
    {"security", "origins_max", KIND_NUMBER, AT(origins_max), "64", 1, 4096, NULL,
     "the largest number that an origin can have"},
    {"security", "sessions_per_origin", KIND_NUMBER, AT(sessions_per_origin), "16", 2, 256, NULL,
     "sessions of one origin at once; five kilobytes of locked memory each"},
    {"security", "handshakes_seen", KIND_NUMBER, AT(handshakes_seen), "50000", 1, 1000000, NULL,
     "handshakes a second that are looked at without a cookie, and as many with one"},
    {"security", "handshakes_address", KIND_NUMBER, AT(handshakes_address), "20", 1, 1000000, NULL,
     "and of one host and port"},
    {"security", "handshakes_free", KIND_NUMBER, AT(handshakes_free), "10", 0, 100000, NULL,
     "handshakes a second that are taken without a cookie"},
    {"security", "handshakes", KIND_NUMBER, AT(handshakes), "200", 1, 100000, NULL,
     "handshakes a second that the curve is worked for, a quarter of a millisecond each"},
    {"security", "handshakes_host", KIND_NUMBER, AT(handshakes_host), "20", 1, 100000, NULL,
     "and of one host"},
    {"pair", "address", KIND_TEXT, AT(pair_address), "", 0, 0, NULL,
     "IPv4 address and UDP port for the other node of the pair alone (durability pair-...)"},
    {"pair", "port", KIND_CHOICE, AT(pair_port), "kernel", 0, 0, "kernel dpdk",
     "how the nodes speak to each other, as port.kind; dpdk takes port.eal as well"},
    {"pair", "device", KIND_NUMBER, AT(pair_device), "1", 0, 31, NULL,
     "dpdk: which Ethernet device is for the other node, another one than port.device"},
    {"pair", "peer", KIND_TEXT, AT(pair_peer), "", 0, 0, NULL, "the other node's pair.address"},
    {"pair", "peer_key", KIND_TEXT, AT(pair_peer_key), "", 0, 0, NULL,
     "the other node's public key (64 hexadecimal digits, or a file with them): what the two say "
     "to "
     "each other is sealed, with security.key; empty: it is not, and stays on loopback"},
    {"pair", "peer_node", KIND_NUMBER, AT(pair_peer_node), "0", 0, 65535, NULL,
     "the other node's number; 0: 2 for node 1, 1 for node 2. The lower number founds the pair"},
    {"pair", "clients", KIND_TEXT, AT(pair_clients), "", 0, 0, NULL,
     "where clients are sent that ask the other node; empty: port.address"},
    {"pair", "arbiter", KIND_TEXT, AT(pair_arbiter), "", 0, 0, NULL,
     "etcd, as http://HOST:PORT, several separated by commas; empty: the operator decides (admin "
     "promote, standby)"},
    {"pair", "when_alone", KIND_CHOICE, AT(pair_when_alone), "go-on", 0, 0, "go-on refuse",
     "when the standby is gone: go on alone once the arbiter has it in writing, with an alarm, or "
     "answer nothing until it is back"},
    {"pair", "grace", KIND_DURATION, AT(pair_grace_ns), "200ms", 5000000, 60 * NS_PER_S, NULL,
     "the standby takes over when it has heard nothing for so long; the primary goes on alone when "
     "it has heard nothing for twice that"},
    {"pair", "mtu", KIND_NUMBER, AT(pair_mtu), "1500", 640, 65000, NULL,
     "largest IP packet to the other node, bytes; equal on both; over dpdk at most 9600"},
    {"pair", "recent_bytes", KIND_SIZE, AT(pair_recent_bytes), "32m", 8 << 20, UINT64_C(1) << 30,
     NULL, "records kept in memory for the other node; a power of two"},
    {"admin", "socket", KIND_TEXT, AT(admin_socket), "holdfast-admin", 0, 0, NULL,
     "path of the admin socket (mode 0600, or 0666 with readers or writers: who asks is looked "
     "at)"},
    {"admin", "readers", KIND_TEXT, AT(admin_readers), "", 0, 0, NULL,
     "users, by name or number, that may look through the admin socket"},
    {"admin", "writers", KIND_TEXT, AT(admin_writers), "", 0, 0, NULL,
     "users that may change things as well, besides root and the node's own"},
    {"admin", "audit", KIND_TEXT, AT(admin_audit), "", 0, 0, NULL,
     "file of what was changed through the admin socket and by whom; audit in the data directory "
     "unless named"},
};
#define SETTING_COUNT (sizeof settings / sizeof settings[0])

static bool read_number(const char *text, const char **rest, uint64_t *number)
{
    char *end;

    if (text[0] < '0' || text[0] > '9')
        return false;
    errno = 0;
    *number = strtoull(text, &end, 10);
    *rest = end;
    return errno == 0;
}

/* A unit's factor, 0 for a unit that is none of the kind. */
static uint64_t unit_factor(enum kind kind, const char *unit)
{
    static const struct {
        enum kind kind;
        const char *unit;
        uint64_t factor;
    } units[] = {
        {KIND_NUMBER, "", 1},
        {KIND_SIZE, "", 1},
        {KIND_SIZE, "k", 1 << 10},
        {KIND_SIZE, "m", 1 << 20},
        {KIND_SIZE, "g", 1 << 30},
        {KIND_DURATION, "ns", 1},
        {KIND_DURATION, "us", 1000},
        {KIND_DURATION, "ms", 1000000},
        {KIND_DURATION, "s", NS_PER_S},
        {KIND_DURATION, "m", 60 * NS_PER_S},
        {KIND_DURATION, "h", 3600 * NS_PER_S},
        {KIND_DURATION, "d", 86400 * NS_PER_S},
    };

    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (units[i].kind == kind && strcmp(units[i].unit, unit) == 0)
            return units[i].factor;
    }
    return 0;
}

bool config_read_duration(const char *text, uint64_t *duration_ns)
{
    const char *rest;
    uint64_t number;

    if (!read_number(text, &rest, &number))
        return false;
    uint64_t factor = rest[0] == '\0' ? 1 : unit_factor(KIND_DURATION, rest);
    if (factor == 0 || number > UINT64_MAX / factor)
        return false;
    *duration_ns = number * factor;
    return true;
}

static bool find_choice(const char *choices, const char *value, uint64_t *position)
{
    size_t length = strlen(value);

    *position = 0;
    for (const char *word = choices; *word != '\0' && length > 0;) {
        size_t word_length = strcspn(word, " ");
        if (word_length == length && strncmp(word, value, length) == 0)
            return true;
        word += word_length;
        word += strspn(word, " ");
        (*position)++;
    }
    return false;
}

/* Stores a value. NULL when it does, else why not. */
static const char *store(struct config *config, const struct setting *setting, const char *value)
{
    static _Thread_local char why[160];
    char *field = (char *)config + setting->offset;
    uint64_t number;
    uint64_t factor;
    const char *rest;

    switch (setting->kind) {
    case KIND_TEXT:
        if (strlen(value) >= CONFIG_TEXT_SIZE)
            return "longer than 255 bytes";
        memcpy(field, value, strlen(value) + 1);
        return NULL;
    case KIND_CHOICE:
        if (!find_choice(setting->choices, value, &number)) {
            snprintf(why, sizeof why, "is none of: %s", setting->choices);
            return why;
        }
        break;
    default:
        if (!read_number(value, &rest, &number))
            return "is not a number";
        factor = unit_factor(setting->kind, rest);
        if (factor == 0)
            return setting->kind == KIND_DURATION ? "needs a unit: ns us ms s m h d"
                                                  : "has something behind the number";
        if (number > UINT64_MAX / factor || number * factor < setting->least ||
            number * factor > setting->most) {
            snprintf(why, sizeof why, "is outside %llu to %llu%s",
                     (unsigned long long)setting->least, (unsigned long long)setting->most,
                     setting->kind == KIND_DURATION ? " ns"
                     : setting->kind == KIND_SIZE   ? " bytes"
                                                    : "");
            return why;
        }
        number *= factor;
        break;
    }
    memcpy(field, &number, sizeof number);
    return NULL;
}

static const struct setting *find_setting(const char *section, size_t section_length,
                                          const char *key)
{
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strlen(settings[i].section) == section_length &&
            strncmp(settings[i].section, section, section_length) == 0 &&
            strcmp(settings[i].key, key) == 0)
            return &settings[i];
    }
    return NULL;
}

/* What has been read of a file. */
struct file_reading {
    struct config *config;
    bool seen[SETTING_COUNT];
};

static const char *take_setting(void *context, const char *section, const char *key,
                                const char *value, int line)
{
    struct file_reading *reading = context;
    const struct setting *setting = find_setting(section, strlen(section), key);

    (void)line;
    if (setting == NULL)
        return "no such setting";
    if (reading->seen[setting - settings])
        return "set twice";
    reading->seen[setting - settings] = true;
    return store(reading->config, setting, value);
}

static enum hf_status read_file(struct config *config, const char *path, struct hf_fault *fault)
{
    struct file_reading reading = {.config = config};

    return ini_file_read(path, take_setting, &reading, fault);
}

/* Splits --section.key=VALUE or --section.key VALUE. Returns the number of arguments used, 0 when
 * it is no setting. */
static int split_flag(char **argv, const struct setting **setting, const char **value)
{
    const char *dot = strchr(argv[0], '.');
    const char *equals = strchr(argv[0], '=');
    char key[64];
    size_t key_length;

    if (strncmp(argv[0], "--", 2) != 0 || dot == NULL || (equals != NULL && equals < dot))
        return 0;
    key_length = equals != NULL ? (size_t)(equals - dot - 1) : strlen(dot + 1);
    if (key_length >= sizeof key)
        return 0;
    memcpy(key, dot + 1, key_length);
    key[key_length] = '\0';
    *setting = find_setting(argv[0] + 2, (size_t)(dot - argv[0] - 2), key);
    if (*setting == NULL)
        return 0;
    *value = equals != NULL ? equals + 1 : argv[1];
    return equals != NULL ? 1 : 2;
}

static enum hf_status read_flags(struct config *config, int argc, char **argv,
                                 struct hf_fault *fault)
{
    for (int i = 1; i < argc;) {
        const struct setting *setting;
        const char *value = NULL;
        const char *why;
        int used;

        if (strcmp(argv[i], "--config") == 0) {
            i += 2;
            continue;
        }
        used = split_flag(argv + i, &setting, &value);
        if (used == 0) {
            snprintf(fault->line, sizeof fault->line, "%.100s: no such flag (see --help)", argv[i]);
            return HF_STATUS_INVALID;
        }
        why = value == NULL ? "needs a value" : store(config, setting, value);
        if (why != NULL) {
            snprintf(fault->line, sizeof fault->line, "--%s.%s: %s", setting->section, setting->key,
                     why);
            return HF_STATUS_INVALID;
        }
        i += used;
    }
    return HF_STATUS_OK;
}

static enum hf_status check_pair(const struct config *config, struct hf_fault *fault)
{
    const char *wrong = NULL;

    if (!config_is_pair(config)) {
        if (config->pair_peer[0] != '\0')
            wrong = "pair.peer: needs log.durability = pair-safe or pair-fast";
        else if (config_seals_pair(config))
            wrong = "pair.peer_key: needs log.durability = pair-safe or pair-fast";
    } else if (config->pair_address[0] == '\0' || config->pair_peer[0] == '\0') {
        wrong = "log.durability: of a pair needs pair.address and pair.peer";
    } else if (config->security == CONFIG_SECURITY_ON && !config_seals_pair(config)) {
        wrong = "pair.peer_key: must be set: with security.sessions = on the stream of a pair is "
                "sealed too";
    } else if (config->pair_peer_node == 0 && config->node > 2) {
        wrong = "pair.peer_node: must be set, this node is neither 1 nor 2";
    } else if (config->pair_peer_node == config->node) {
        wrong = "pair.peer_node: is this node itself";
    } else if ((config->pair_recent_bytes & (config->pair_recent_bytes - 1)) != 0) {
        wrong = "pair.recent_bytes: is not a power of two";
    }
    if (wrong == NULL)
        return HF_STATUS_OK;
    snprintf(fault->line, sizeof fault->line, "%s", wrong);
    return HF_STATUS_INVALID;
}

/* Half a segment has room for the buffers of all records that may be unflushed, and of the one
 * being filled: so the next segment is ready in time. */
static void bound_unflushed(struct config *config)
{
    uint64_t buffers = config->segment_bytes / 2 / config->batch_bytes;
    uint64_t most = buffers < 2 ? 1 : buffers - 1;

    if (config->unflushed > most)
        config->unflushed = most;
}

enum hf_status config_read(struct config *config, int argc, char **argv, enum config_show *show,
                           struct hf_fault *fault)
{
    enum hf_status status;

    memset(config, 0, sizeof *config);
    fault->line[0] = '\0';
    *show = CONFIG_SHOW_NOTHING;
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const char *why = store(config, &settings[i], settings[i].initial);
        if (why != NULL) {
            snprintf(fault->line, sizeof fault->line, "default of %s.%s %s", settings[i].section,
                     settings[i].key, why);
            return HF_STATUS_INVALID;
        }
    }
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "--version") == 0) {
            *show = argv[i][2] == 'h' ? CONFIG_SHOW_HELP : CONFIG_SHOW_VERSION;
            return HF_STATUS_OK;
        }
        if (strcmp(argv[i], "--config") != 0)
            continue;
        if (argv[i + 1] == NULL) {
            snprintf(fault->line, sizeof fault->line, "--config: needs a file");
            return HF_STATUS_INVALID;
        }
        status = read_file(config, argv[i + 1], fault);
        if (status != HF_STATUS_OK)
            return status;
    }
    status = read_flags(config, argc, argv, fault);
    if (status == HF_STATUS_OK && config->block_bytes != 512 && config->block_bytes != 4096) {
        snprintf(fault->line, sizeof fault->line, "log.block_bytes: is neither 512 nor 4096");
        return HF_STATUS_INVALID;
    }
    if (status == HF_STATUS_OK && config->durability == CONFIG_DURABILITY_MEMORY_BENCH &&
        config->benchmark == 0) {
        snprintf(fault->line, sizeof fault->line,
                 "log.durability: memory-bench keeps nothing and needs node.benchmark = yes");
        return HF_STATUS_INVALID;
    }
    bound_unflushed(config);
    return status == HF_STATUS_OK ? check_pair(config, fault) : status;
}

const char *config_durability_name(const struct config *config)
{
    static const char *const names[] = {"solo", "memory-bench", "pair-fast", "pair-safe"};

    assert(config->durability < sizeof names / sizeof names[0]);
    return names[config->durability];
}

/* The word at a position of blank-separated choices. */
static void copy_choice(const char *choices, uint64_t position, char word[CONFIG_TEXT_SIZE])
{
    for (; position > 0; position--) {
        choices += strcspn(choices, " ");
        choices += strspn(choices, " ");
    }
    snprintf(word, CONFIG_TEXT_SIZE, "%.*s", (int)strcspn(choices, " "), choices);
}

int config_write_flags(const struct config *config, char text[CONFIG_FLAG_TEXT_SIZE],
                       char *flags[CONFIG_FLAGS_MAX])
{
    size_t used = 0;

    _Static_assert(SETTING_COUNT <= CONFIG_FLAGS_MAX, "every setting has room");
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        const struct setting *setting = &settings[i];
        const char *field = (const char *)config + setting->offset;
        char word[CONFIG_TEXT_SIZE];
        const char *value = word;
        uint64_t number = 0;

        if (setting->kind != KIND_TEXT)
            memcpy(&number, field, sizeof number);
        if (setting->kind == KIND_TEXT)
            value = field;
        else if (setting->kind == KIND_CHOICE)
            copy_choice(setting->choices, number, word);
        else
            snprintf(word, sizeof word, "%llu%s", (unsigned long long)number,
                     setting->kind == KIND_DURATION ? "ns" : "");
        flags[i] = text + used;
        int length = snprintf(text + used, CONFIG_FLAG_TEXT_SIZE - used, "--%s.%s=%s",
                              setting->section, setting->key, value);
        assert(length > 0);
        assert((size_t)length < CONFIG_FLAG_TEXT_SIZE - used);
        used += (size_t)length + 1;
    }
    return (int)SETTING_COUNT;
}

void config_print_help(FILE *out)
{
    const char *section = "";

    fputs("usage: holdfastd [--config FILE] [--SECTION.KEY VALUE ...]\n"
          "       holdfastd --help | --version\n\n"
          "Runs a Holdfast node until SIGTERM. In the file, a line that begins with # or ; is a\n"
          "comment, and so is what follows a blank and a #. Settings, with their defaults:\n",
          out);
    for (size_t i = 0; i < SETTING_COUNT; i++) {
        if (strcmp(section, settings[i].section) != 0)
            fprintf(out, "\n[%s]\n", settings[i].section);
        section = settings[i].section;
        fprintf(out, "%s = %s\n    # %s", settings[i].key, settings[i].initial, settings[i].help);
        if (settings[i].choices != NULL)
            fprintf(out, " (one of: %s)", settings[i].choices);
        fputc('\n', out);
    }
}
