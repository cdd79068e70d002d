/* Calibration: what this machine can do at best, without Holdfast.
 *
 * Every goal is a ratio to one of these. They use the working set, the pages and the batch of the
 * measurement that they stand beside, and they too find their random places in a list made outside
 * the timed part, as the engine finds its operations: neither pays for making work up. */
#include "bench/bench_disk.h"
#include "bench/harness.h"
#include "bench/lines.h"
#include "bench/memory.h"
#include "bench/random.h"

#include <assert.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define BATCH           64
#define PLACES          16384 /* per iteration */
#define DEPENDENT_LOADS 4096
#define COPY_BYTES      ((size_t)64 << 20)
#define CALLS           4096 /* of a hash or cipher per iteration */
#define SHIFTS          8    /* places in the text where a hash may begin */

/* Keeps the compiler from dropping a result. */
#define KEEP(value) __asm__ volatile("" : : "g"(value) : "memory")

/* ---- memory ------------------------------------------------------------------------------- */

struct walk {
    const struct hf_bench_lines *set;
    struct hf_bench_random random;
    uint32_t at;
    uint32_t places[PLACES * 2];
};

static struct walk *walk_create(uint64_t count)
{
    const struct hf_bench_lines *set = hf_bench_lines_get(count);
    struct walk *walk = calloc(1, sizeof(*walk));
    if (set == NULL || walk == NULL) {
        free(walk);
        return NULL;
    }
    walk->set = set;
    walk->random.counter = 0xca11b;
    return walk;
}

static void *walk_setup_large(const struct hf_bench_scale *scale, const void *argument)
{
    (void)argument;
    return walk_create(scale->accounts_large);
}

static void *walk_setup_small(const struct hf_bench_scale *scale, const void *argument)
{
    (void)argument;
    return walk_create(scale->accounts_small);
}

static void walk_prepare(void *state)
{
    struct walk *walk = state;
    for (uint32_t i = 0; i < PLACES * 2; i++) {
        walk->places[i] = (uint32_t)hf_bench_random_below(&walk->random, walk->set->count);
    }
}

/* Each load's address comes out of the load before: the full latency, no overlap. */
static void run_dependent(void *state)
{
    struct walk *walk = state;
    const struct hf_bench_line *lines = walk->set->lines;
    uint32_t at = walk->at;
    for (uint32_t i = 0; i < DEPENDENT_LOADS; i++) {
        at = lines[at].next;
    }
    walk->at = at;
}

/* K1: the lines of a batch are asked for, then read, changed and written. */
static void run_k1(void *state)
{
    struct walk *walk = state;
    struct hf_bench_line *lines = walk->set->lines;
    for (uint32_t begin = 0; begin < PLACES; begin += BATCH) {
        const uint32_t *places = &walk->places[begin];
        for (uint32_t i = 0; i < BATCH; i++) {
            __builtin_prefetch(&lines[places[i]], 1);
        }
        for (uint32_t i = 0; i < BATCH; i++) {
            struct hf_bench_line *line = &lines[places[i]];
            line->value += 1;
            line->count += 1;
        }
    }
}

/* K2: a payer's and a payee's line, and the compare between them: the least that a transfer is. */
static void run_k2(void *state)
{
    struct walk *walk = state;
    struct hf_bench_line *lines = walk->set->lines;
    for (uint32_t begin = 0; begin < PLACES; begin += BATCH) {
        const uint32_t *places = &walk->places[begin * 2];
        for (uint32_t i = 0; i < BATCH * 2; i++) {
            __builtin_prefetch(&lines[places[i]], 1);
        }
        for (uint32_t i = 0; i < BATCH; i++) {
            struct hf_bench_line *payer = &lines[places[i * 2]];
            struct hf_bench_line *payee = &lines[places[i * 2 + 1]];
            if (payer->value >= 1) {
                payer->value -= 1;
                payer->count += 1;
                payee->value += 1;
                payee->count += 1;
            }
        }
    }
}

struct copy {
    uint8_t *from;
    uint8_t *to;
};

static void *copy_setup(const struct hf_bench_scale *scale, const void *argument)
{
    (void)scale;
    (void)argument;
    struct copy *copy = calloc(1, sizeof(*copy));
    if (copy == NULL) {
        return NULL;
    }
    copy->from = hf_bench_memory_map(COPY_BYTES);
    copy->to = hf_bench_memory_map(COPY_BYTES);
    return copy->from != NULL && copy->to != NULL ? copy : NULL;
}

static void run_copy(void *state)
{
    struct copy *copy = state;
    memcpy(copy->to, copy->from, COPY_BYTES);
    KEEP(copy->to);
}

static void copy_teardown(void *state)
{
    struct copy *copy = state;
    hf_bench_memory_unmap(copy->from, COPY_BYTES);
    hf_bench_memory_unmap(copy->to, COPY_BYTES);
    free(copy);
}

/* ---- hashes and ciphers -------------------------------------------------------------------- */

/* Text, sealed text and key of one cipher or hash benchmark; every size stays in the first-level
 * cache. */
struct bytes {
    size_t length;
    uint64_t sink;
    bool is_aes;
    crypto_aead_aes256gcm_state aes;
    uint8_t key[32];
    uint8_t header[24];
    uint8_t text[4096 + SHIFTS];
    uint8_t sealed[4096 + 16];
};

static void seal(struct bytes *bytes, uint64_t counter)
{
    uint8_t nonce[12] = {0};
    memcpy(nonce, &counter, sizeof(counter));
    unsigned long long length;
    int failed = bytes->is_aes ? crypto_aead_aes256gcm_encrypt_afternm(
                                     bytes->sealed, &length, bytes->text, bytes->length,
                                     bytes->header, sizeof(bytes->header), NULL, nonce, &bytes->aes)
                               : crypto_aead_chacha20poly1305_ietf_encrypt(
                                     bytes->sealed, &length, bytes->text, bytes->length,
                                     bytes->header, sizeof(bytes->header), NULL, nonce, bytes->key);
    assert(failed == 0);
    (void)failed;
}

static int open_sealed(struct bytes *bytes, uint64_t counter)
{
    uint8_t nonce[12] = {0};
    memcpy(nonce, &counter, sizeof(counter));
    unsigned long long length;
    return bytes->is_aes
               ? crypto_aead_aes256gcm_decrypt_afternm(bytes->text, &length, NULL, bytes->sealed,
                                                       bytes->length + 16, bytes->header,
                                                       sizeof(bytes->header), nonce, &bytes->aes)
               : crypto_aead_chacha20poly1305_ietf_decrypt(
                     bytes->text, &length, NULL, bytes->sealed, bytes->length + 16, bytes->header,
                     sizeof(bytes->header), nonce, bytes->key);
}

static void *bytes_setup(const struct hf_bench_scale *scale, const void *argument)
{
    (void)scale;
    /* libsodium's AES state wants 16-byte alignment, which calloc's jemalloc gives. */
    struct bytes *bytes = aligned_alloc(64, (sizeof(*bytes) + 63) / 64 * 64);
    if (bytes == NULL || sodium_init() < 0) {
        free(bytes);
        return NULL;
    }
    memset(bytes, 0x5a, sizeof(*bytes));
    bytes->length = *(const size_t *)argument;
    bytes->is_aes = crypto_aead_aes256gcm_is_available() == 1;
    if (bytes->is_aes) {
        crypto_aead_aes256gcm_beforenm(&bytes->aes, bytes->key);
    }
    seal(bytes, 0);
    return bytes;
}

static void run_xxh3_64(void *state)
{
    struct bytes *bytes = state;
    uint64_t sum = bytes->sink;
    for (uint32_t i = 0; i < CALLS; i++) {
        /* From another byte on each time, so that no call can be left out. */
        sum += XXH3_64bits(bytes->text + i % SHIFTS, bytes->length);
    }
    bytes->sink = sum;
}

static void run_xxh3_128(void *state)
{
    struct bytes *bytes = state;
    uint64_t sum = bytes->sink;
    for (uint32_t i = 0; i < CALLS; i++) {
        sum += XXH3_128bits(bytes->text + i % SHIFTS, bytes->length).low64;
    }
    bytes->sink = sum;
}

static void run_seal(void *state)
{
    struct bytes *bytes = state;
    for (uint32_t i = 0; i < CALLS; i++) {
        seal(bytes, i);
    }
}

/* What run_open opens was sealed with counter 0. */
static void prepare_open(void *state)
{
    seal(state, 0);
}

static void run_open(void *state)
{
    struct bytes *bytes = state;
    int failures = 0;
    for (uint32_t i = 0; i < CALLS; i++) {
        failures += open_sealed(bytes, 0);
    }
    assert(failures == 0);
    (void)failures;
}

static void report_cipher(void *state, struct hf_bench_figures *figures)
{
    struct bytes *bytes = state;
    hf_bench_figure_add(figures, "is_aes", bytes->is_aes ? 1 : 0);
}

/* ---- the list ------------------------------------------------------------------------------ */

static void register_memory(void)
{
    struct hf_bench bench = {.clock = HF_BENCH_CORE, .prepare = walk_prepare, .teardown = free};
    for (int small = 0; small <= 1; small++) {
        const char *size = small ? "small" : "large";
        bench.setup = small ? walk_setup_small : walk_setup_large;
        snprintf(bench.name, sizeof(bench.name), "calibrate/dependent_load/%s", size);
        bench.items = DEPENDENT_LOADS;
        bench.run = run_dependent;
        hf_bench_register(&bench);
        snprintf(bench.name, sizeof(bench.name), "calibrate/k1/%s", size);
        bench.items = PLACES;
        bench.run = run_k1;
        hf_bench_register(&bench);
        snprintf(bench.name, sizeof(bench.name), "calibrate/k2/%s", size);
        bench.run = run_k2;
        hf_bench_register(&bench);
    }
    const struct hf_bench copy = {
        .name = "calibrate/copy",
        .clock = HF_BENCH_CORE,
        .items = 1,
        .bytes = COPY_BYTES,
        .setup = copy_setup,
        .run = run_copy,
        .teardown = copy_teardown,
    };
    hf_bench_register(&copy);
}

static void register_bytes(void)
{
    static const struct {
        const char *name;
        size_t lengths[3];
        void (*prepare)(void *state);
        void (*run)(void *state);
        void (*report)(void *state, struct hf_bench_figures *figures);
    } kinds[] = {
        {"xxh3_64", {64, 256, 4096}, NULL, run_xxh3_64, NULL},
        {"xxh3_128", {64, 256, 4096}, NULL, run_xxh3_128, NULL},
        {"seal", {64, 256, 1400}, NULL, run_seal, report_cipher},
        {"open", {64, 256, 1400}, prepare_open, run_open, report_cipher},
    };
    for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
        for (size_t i = 0; i < 3; i++) {
            struct hf_bench bench = {
                .clock = HF_BENCH_CORE,
                .items = CALLS,
                .bytes = CALLS * kinds[kind].lengths[i],
                .argument = &kinds[kind].lengths[i],
                .setup = bytes_setup,
                .prepare = kinds[kind].prepare,
                .run = kinds[kind].run,
                .report = kinds[kind].report,
                .teardown = free,
            };
            snprintf(bench.name, sizeof(bench.name), "calibrate/%s/%zu", kinds[kind].name,
                     kinds[kind].lengths[i]);
            hf_bench_register(&bench);
        }
    }
}

static void register_disk(void)
{
    static const struct {
        const char *name;
        struct hf_bench_disk_setting setting;
    } kinds[] = {
        {"calibrate/disk_write/64KiB", {65536, 8, 256, false, false}},
        {"calibrate/disk_write/1MiB", {1048576, 4, 16, false, false}},
        {"calibrate/disk_flush/4KiB", {4096, 1, 64, true, false}},
        {"calibrate/disk_flush/64KiB", {65536, 1, 64, true, false}},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        hf_bench_register_disk(kinds[i].name, &kinds[i].setting);
    }
}

void hf_bench_register_calibration(void)
{
    register_memory();
    register_bytes();
    register_disk();
}
