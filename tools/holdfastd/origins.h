/* Origins: who may send what. A file names each with its key and its rules:
 *
 *     [origin 7]
 *     name = first-acquirer
 *     key = 64 hexadecimal digits
 *     allow = AUTH INCREMENT REVERSE CLEAR QUERY
 *     accounts = 0x5100 0x5101
 *     instruments = all
 *     rate = 20000
 *     queries = 500
 *
 * ORIGINS.md says what each means. Pure but for reading the file. */
#ifndef HOLDFASTD_ORIGINS_H
#define HOLDFASTD_ORIGINS_H

#include "engine/operation.h"
#include "engine/status.h"
#include "net/key.h"

#include <stdbool.h>
#include <stdint.h>

#define ORIGIN_FAMILIES_MAX 16
#define ORIGIN_NAME_SIZE    32

/* Which ids of a kind: those whose upper half is named. */
struct origin_reach {
    bool is_all;
    uint32_t family_count;
    uint64_t families[ORIGIN_FAMILIES_MAX];
};

struct origin {
    bool is_set;
    char name[ORIGIN_NAME_SIZE];
    uint8_t key[HF_NOISE_KEY_SIZE]; /* public */
    uint32_t allowed;               /* bit n: operations of type n */
    struct origin_reach accounts;
    struct origin_reach instruments;
    uint32_t rate;    /* operations a second; 0: any */
    uint32_t queries; /* queries a second */
};

/* Numbers are 1 to `count_max`; origin n is list[n - 1]. */
struct origin_set {
    uint32_t count_max;
    uint32_t count;
    struct origin *list;
};

/* Reads a file into a set with room for `count_max`, which is emptied first. INVALID with one line
 * that names file and line; the set is then not to be used. Blocks. */
HF_MUST_USE enum hf_status origins_read(const char *path, struct origin_set *set,
                                        struct hf_fault *fault);

/* May it send this operation, which has passed hf_operation_check? */
bool origin_may(const struct origin *origin, const union hf_operation *operation);

/* Does it reach every account and instrument? */
static inline bool origin_reaches_all(const struct origin *origin)
{
    return origin->accounts.is_all && origin->instruments.is_all;
}

#endif
