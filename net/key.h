/* Key files: a static X25519 key pair on disk, for its owner alone.
 *
 *     holdfast-private-key 1 <64 hexadecimal digits>
 *     public <64 hexadecimal digits>
 *
 * Two lines, lower case, each with its newline: 160 bytes, nothing else. The second line is there
 * to be looked up, and must belong to the first. A file is made with mode 0600 and never written
 * over; one that anybody else could read or change is not read.
 *
 * Key pairs lie in pages of their own, locked into memory, left out of core dumps and wiped before
 * they are given back. The functions block on the disk; sodium_init has been called. */
#ifndef HF_NET_KEY_H
#define HF_NET_KEY_H

#include "noise.h"

#define HF_KEY_FILE_SIZE   160
#define HF_KEY_DIGITS      64
#define HF_KEY_DIGITS_SIZE (HF_KEY_DIGITS + 1) /* with a NUL */

/* Memory for secrets: zeroed, locked, aligned to a page. NULL, with `*fault`, when it cannot be
 * had: usually the limit on locked memory (ulimit -l) is too low. */
void *hf_key_memory_create(size_t size, struct hf_fault *fault);
/* Wipes and gives back. NULL is allowed. */
void hf_key_memory_destroy(void *memory, size_t size);

/* No core dumps of this process from now on, and nobody of the same user looks into it: copies of
 * secrets may lie on stacks. At the start of a program that reads keys. False when the system does
 * not let us. */
HF_MUST_USE bool hf_key_forbid_dumps(void);

/* Draws a new pair. */
void hf_key_generate(struct hf_key_pair *pair);

/* Makes the file and waits until it is on disk. EXISTS: there is something of that name, which is
 * left alone; NO_MEMORY; IO: no such file is left. */
HF_MUST_USE enum hf_status hf_key_write(const char *path, const struct hf_key_pair *pair,
                                        struct hf_fault *fault);

/* Reads a pair; on failure `*pair` is zero. NOT_FOUND; INVALID: no regular file, another owner's,
 * or a mode but 0600 or 0400; WRONG_FORMAT: no key file; CORRUPT: its halves are no pair;
 * NO_MEMORY; IO. `pair` lies in locked memory: the caller's duty. */
HF_MUST_USE enum hf_status hf_key_read(const char *path, struct hf_key_pair *pair,
                                       struct hf_fault *fault);

/* A public key from text: its 64 digits, or the name of a file that holds them, alone or as the
 * last line of a key file. NOT_FOUND, IO, WRONG_FORMAT. Blocks. */
HF_MUST_USE enum hf_status hf_key_read_public(const char *text, uint8_t key[HF_NOISE_KEY_SIZE],
                                              struct hf_fault *fault);

/* A public key as text, and back: exactly 64 hexadecimal digits of either case. */
void hf_key_text(const uint8_t key[HF_NOISE_KEY_SIZE], char text[HF_KEY_DIGITS_SIZE]);
HF_MUST_USE bool hf_key_parse(const char *text, uint8_t key[HF_NOISE_KEY_SIZE]);

#endif
