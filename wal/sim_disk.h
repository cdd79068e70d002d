/* The simulated disk's inside, for its two halves: disk_sim.c does what a caller asks, sim_crash.c
 * what happens to a disk.
 *
 * Names are kept as the files' bytes are (sim_inode.h): the names in force, the durable ones, and
 * the changes since the last directory flush. */
#ifndef HF_WAL_SIM_DISK_H
#define HF_WAL_SIM_DISK_H

#include "disk_sim.h"
#include "hash.h"
#include "sim_inode.h"

#define HF_SIM_QUEUE_MAX   128
#define HF_SIM_NAMES_MAX   256
#define HF_SIM_CHANGES_MAX 64

struct hf_sim_name {
    char text[HF_DISK_NAME_SIZE];
    struct hf_sim_inode *inode; /* NULL: a free entry */
};

enum hf_sim_change_kind { HF_SIM_CREATE, HF_SIM_RENAME, HF_SIM_REMOVE };

struct hf_sim_change {
    enum hf_sim_change_kind kind;
    char from[HF_DISK_NAME_SIZE];
    char to[HF_DISK_NAME_SIZE];
    struct hf_sim_inode *inode;
};

/* An append or a fill that has been queued and not yet been carried out. */
struct hf_sim_request {
    struct hf_sim_inode *inode;
    uint64_t offset;
    const uint8_t *bytes; /* the caller's, which must not change */
    size_t length;
    struct hf_hash hash; /* of them when they were queued */
    uint64_t tag;
    uint32_t delay;
    enum hf_disk_sim_mishap mishap;
    bool durable;
    bool is_written; /* and not flushed yet */
    bool fails;
    bool cancelled; /* the power went */
};

struct hf_sim_file {
    struct hf_sim_inode *inode;
    unsigned flags;
};

struct hf_sim_disk {
    struct hf_disk disk; /* first: it is what others hold */
    struct hf_disk_sim_options options;
    uint64_t random;
    bool locked;
    bool attached;
    bool is_fork; /* what is queued is the original's */
    uint64_t calls;
    uint64_t changes;
    uint64_t fail_at;
    bool fail_for_ever;
    uint64_t writes; /* write, append, fill so far */
    uint64_t befall_at;
    enum hf_disk_sim_mishap befall;
    void (*watch)(void *context, struct hf_disk *disk);
    void *watch_context;
    struct hf_sim_inode **inodes;
    size_t inode_count;
    struct hf_sim_name names[HF_SIM_NAMES_MAX];
    struct hf_sim_name durable_names[HF_SIM_NAMES_MAX];
    struct hf_sim_change name_changes[HF_SIM_CHANGES_MAX];
    size_t name_change_count;
    struct hf_sim_file files[HF_DISK_FILES_MAX];
    struct hf_sim_request queue[HF_SIM_QUEUE_MAX];
    uint32_t queue_count;
};

static inline struct hf_sim_disk *hf_sim_disk_of(struct hf_disk *disk)
{
    return (struct hf_sim_disk *)(void *)disk;
}

/* The entry of that name, or NULL. */
struct hf_sim_name *hf_sim_name_find(struct hf_sim_name *names, const char *text);
void hf_sim_name_set(struct hf_sim_name *names, const char *text, struct hf_sim_inode *inode);
void hf_sim_name_apply(struct hf_sim_name *names, const struct hf_sim_change *change);

/* A file without a name yet, which the disk owns. */
struct hf_sim_inode *hf_sim_inode_make(struct hf_sim_disk *self);

/* Whether a file may grow to this end. */
bool hf_sim_space_allows(const struct hf_sim_disk *self, const struct hf_sim_inode *inode,
                         uint64_t end);

#endif
