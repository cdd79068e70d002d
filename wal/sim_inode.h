/* A file of the simulated disk: `bytes`, which every reader sees, `durable`, what the last flush
 * covered, and between them the writes since then. Single thread. */
#ifndef HF_WAL_SIM_INODE_H
#define HF_WAL_SIM_INODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HF_SIM_SECTOR 512 /* what a power cut tears a write into */

struct hf_sim_write {
    uint64_t offset;
    size_t length;
    uint8_t *bytes; /* NULL: the file was given this whole length, as zeros */
};

struct hf_sim_inode {
    uint8_t *bytes;
    size_t size;
    uint8_t *durable;
    size_t durable_size;
    struct hf_sim_write *pending;
    size_t pending_count;
    bool touched; /* by a test, through hf_disk_sim_bytes: `durable` is behind */
};

/* Who says what a power cut leaves of unflushed writes: the dice, which keep each write, lose it or
 * tear it; or `kept`, bit by bit for sector after sector, from the 65th on nothing. */
struct hf_sim_fate {
    uint64_t *random;
    bool is_told;
    uint64_t kept;
};

/* The next of a sequence of well-mixed numbers that *random stands for: splitmix64. */
uint64_t hf_sim_dice(uint64_t *random);
/* realloc that ends the program when there is no memory. */
void *hf_sim_grow(void *memory, size_t size);

/* Sectors of a write of this length. */
uint64_t hf_sim_sector_count(size_t length);

/* A copy of all of it. */
struct hf_sim_inode *hf_sim_inode_copy(const struct hf_sim_inode *inode);
/* Releases an inode and what it holds. */
void hf_sim_inode_free(struct hf_sim_inode *inode);
/* Sets the size as seen by readers; what is added is zeros. */
void hf_sim_inode_resize(struct hf_sim_inode *inode, size_t size);
/* Writes, without making it durable. */
void hf_sim_inode_write(struct hf_sim_inode *inode, uint64_t offset, const uint8_t *bytes,
                        size_t length);
/* The same, with one of its bits turned. */
void hf_sim_inode_write_rotten(struct hf_sim_inode *inode, uint64_t offset, const uint8_t *bytes,
                               size_t length, uint64_t bit);
/* Makes a file longer by zeros, likewise not durable. */
void hf_sim_inode_allocate(struct hf_sim_inode *inode, size_t size);
/* Everything written since the last flush becomes durable. */
void hf_sim_inode_flush(struct hf_sim_inode *inode);
/* A flush fails: each write since the last one meets its fate now, readers go on seeing it, as from
 * a page cache that calls it clean, and no flush to come covers it. */
void hf_sim_inode_flush_fails(struct hf_sim_inode *inode, struct hf_sim_fate *fate);
/* How many sectors a power cut would decide about; room that was allocated counts as one. */
uint64_t hf_sim_inode_unflushed(const struct hf_sim_inode *inode);
/* A power cut: each write that was not flushed meets its fate; the result is durable. */
void hf_sim_inode_crash(struct hf_sim_inode *inode, struct hf_sim_fate *fate);

#endif
