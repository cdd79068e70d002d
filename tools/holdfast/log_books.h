/* A data directory as the `log` subcommand reads it, and the ledger that its operations are carried
 * out on again. Nothing in the directory is ever changed.
 *
 * Beside a node that runs, the log is read up to where it is at the moment. What lies there has
 * been written, and perhaps not yet acknowledged; what lies beyond is not judged. */
#ifndef HF_TOOLS_LOG_BOOKS_H
#define HF_TOOLS_LOG_BOOKS_H

#include "engine/image.h"
#include "engine/ledger.h"
#include "wal/recover.h"

struct log_books {
    struct hf_disk *disk;
    bool is_running; /* a node has the directory */
    struct hf_superblock superblock;
    uint8_t expected_key[HF_CHAIN_PUBLIC_SIZE]; /* that must have signed; zeros: the superblock's */
    struct hf_log_state state;                  /* how the last reading ended */

    struct hf_ledger *ledger; /* NULL until it is made */
    void *memory;
    struct hf_image_reader *image;
    uint64_t loaded_index; /* records up to this one are in the ledger already */
    uint64_t loaded_place;
};

/* Takes the directory, or sees that a node has it, and reads the superblock. log_books_close undoes
 * it, also after an error. WRONG_FORMAT also when there is no such directory, or nothing of ours in
 * it. */
HF_MUST_USE enum hf_status log_books_open(struct log_books *books, const char *directory,
                                          struct hf_fault *fault);
void log_books_close(struct log_books *books);

/* Puts the directory before the fault's line, unless it stands there already: the disk's own lines
 * begin with it, the log's name only the file. */
void log_books_name_directory(const char *directory, struct hf_fault *fault);

/* Makes an empty ledger under the limits that the superblock names. */
HF_MUST_USE enum hf_status log_books_make(struct log_books *books, struct hf_fault *fault);

/* Loads the checkpoint at this index into the ledger, which must be empty. */
HF_MUST_USE enum hf_status log_books_load(struct log_books *books, uint64_t index,
                                          struct hf_fault *fault);

/* Makes a ledger and loads the newest whole checkpoint that `fits` says yes to; a broken one is
 * passed over, as the node does. Without any the ledger is empty. */
HF_MUST_USE enum hf_status
log_books_load_newest(struct log_books *books,
                      bool (*fits)(const void *context, const struct hf_checkpoint_header *header),
                      const void *context, struct hf_fault *fault);

/* Reads the whole log, from the oldest record there is, and hands on every record: verified, with
 * the chain and every seal. A status other than OK from `record` ends the reading with it. */
HF_MUST_USE enum hf_status
log_books_read(struct log_books *books,
               enum hf_status (*record)(void *context, const struct hf_record_header *record,
                                        struct hf_fault *fault),
               void *context, struct hf_fault *fault);

/* Carries out a record's operations on the ledger, unless they are in it already. `applied` (or
 * NULL) is called after each bundle. */
HF_MUST_USE enum hf_status log_books_replay(struct log_books *books,
                                            const struct hf_record_header *record,
                                            void (*applied)(void *context), void *context,
                                            struct hf_fault *fault);

#endif
