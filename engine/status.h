/* The program's own troubles: what a function returns when the world did not do as asked.
 *
 * A status is never a business answer: those are data, and live in code.h. The caller must look at
 * every status. Where a person will read about the trouble, the function also fills an hf_fault
 * with one line. */
#ifndef HF_ENGINE_STATUS_H
#define HF_ENGINE_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

enum hf_status {
    HF_STATUS_OK = 0,
    HF_STATUS_INVALID = 1,       /* an argument or a setting is outside its range */
    HF_STATUS_NO_MEMORY = 2,     /* memory given or asked for at start does not suffice */
    HF_STATUS_NOT_FOUND = 3,     /* no such file, record or address */
    HF_STATUS_EXISTS = 4,        /* it is there already */
    HF_STATUS_IO = 5,            /* a read, write, flush or socket call failed */
    HF_STATUS_FULL = 6,          /* no room: device, segment, ring or table */
    HF_STATUS_CORRUPT = 7,       /* bytes that should verify do not */
    HF_STATUS_WRONG_FORMAT = 8,  /* written by another format version, or not ours at all */
    HF_STATUS_WRONG_CLUSTER = 9, /* belongs to another cluster or node */
    HF_STATUS_LOCKED = 10,       /* another process holds it */
    HF_STATUS_READ_ONLY = 11,    /* it may not be written */
    HF_STATUS_TIMEOUT = 12,      /* the time given ran out */
    HF_STATUS_AGAIN = 13,        /* nothing there now; ask again */
    HF_STATUS_DIVERGED = 14,     /* a replay ended elsewhere than the log says */
};

#define HF_MUST_USE __attribute__((warn_unused_result))

#define HF_FAULT_LINE_SIZE 256

/* One line for a person: what, where, why. Always ends with a NUL; never ends with a newline. */
struct hf_fault {
    char line[HF_FAULT_LINE_SIZE];
};

#ifdef __cplusplus
}
#endif
#endif
