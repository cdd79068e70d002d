/* Who may ask what on the admin socket: by the user that the kernel says is at its other end. */
#ifndef HOLDFASTD_ROLES_H
#define HOLDFASTD_ROLES_H

#include "config.h"

#include <sys/types.h>

#define ROLES_USERS_MAX 16

enum role {
    ROLE_NONE,   /* hears that, and no more */
    ROLE_READER, /* may look */
    ROLE_FULL,   /* may change things */
};

struct roles {
    uid_t own;
    uid_t readers[ROLES_USERS_MAX];
    uid_t writers[ROLES_USERS_MAX];
    uint32_t reader_count;
    uint32_t writer_count;
};

/* Reads admin.readers and admin.writers: names or numbers of users. INVALID with one line. */
HF_MUST_USE enum hf_status roles_read(struct roles *roles, const struct config *config,
                                      struct hf_fault *fault);

/* root, the node's own user and writers: FULL. */
enum role role_of(const struct roles *roles, uid_t user);

#endif
