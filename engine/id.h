/* 128-bit identifiers: accounts, instruments (tokens), holds and operations.
 *
 * Little-endian: `lo` holds bytes 0-7, `hi` bytes 8-15. Zero and all-ones are reserved and never
 * name anything. An operation id is UUIDv7-shaped: its top 48 bits are Unix milliseconds, so that
 * its age can be told from the id alone. Ids of accounts and instruments that share a non-zero `hi`
 * form a family (they live together). */
#ifndef HF_ENGINE_ID_H
#define HF_ENGINE_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#define HF_STATIC_ASSERT(condition, text) static_assert(condition, text)
#else
#define HF_STATIC_ASSERT(condition, text) _Static_assert(condition, text)
#endif

struct hf_id {
    uint64_t lo;
    uint64_t hi;
};
HF_STATIC_ASSERT(sizeof(struct hf_id) == 16, "an id is 16 bytes");

/* Longest text form with its NUL: 8-4-4-4-12 hexadecimal digits. */
#define HF_ID_TEXT_SIZE 37

static inline bool hf_id_equal(struct hf_id a, struct hf_id b)
{
    return ((a.lo ^ b.lo) | (a.hi ^ b.hi)) == 0;
}

/* Zero is no id; where one may be left out it says so. */
static inline bool hf_id_is_zero(struct hf_id id)
{
    return (id.hi | id.lo) == 0;
}

/* True for the two reserved values, zero and all-ones. */
static inline bool hf_id_is_reserved(struct hf_id id)
{
    return (id.lo == 0 && id.hi == 0) || (id.lo == UINT64_MAX && id.hi == UINT64_MAX);
}

/* The time an operation id carries, in Unix milliseconds (48 bits). */
static inline uint64_t hf_id_time_ms(struct hf_id id)
{
    return id.hi >> 16;
}

/* An operation id from a time in Unix milliseconds and 80 bits of the caller's choice (16 + 64). */
static inline struct hf_id hf_id_make_operation(uint64_t time_ms, uint16_t upper, uint64_t lower)
{
    struct hf_id id;
    id.lo = lower;
    id.hi = (time_ms << 16) | upper;
    return id;
}

/* A 64-bit hash. The same on every machine: it decides table places only, never results. One
 * multiply-and-fold of both halves, as in wyhash's mum step: random ids spread at random, and ids
 * that count up spread more evenly than that. Tables look at its upper bits and at its lowest 16.
 */
static inline uint64_t hf_id_hash(struct hf_id id)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)(id.lo ^ 0x9e3779b97f4a7c15ull) * (id.hi ^ 0xd1b54a32d192ed03ull);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Reads an id from text: decimal up to 2^64-1 ("1001"), or hexadecimal after 0x (up to 32 digits),
 * or 8-4-4-4-12 hexadecimal digits. `length` bytes are looked at; no NUL is needed. False when it
 * is none of these or names a reserved value; `*id` is then untouched. */
bool hf_id_parse(const char *text, size_t length, struct hf_id *id);

/* Writes an id as hf_id_parse reads it: decimal when `hi` is zero, else 8-4-4-4-12. Returns the
 * length without the NUL, at most HF_ID_TEXT_SIZE - 1. */
size_t hf_id_format(struct hf_id id, char text[HF_ID_TEXT_SIZE]);

#ifdef __cplusplus
}
#endif
#endif
