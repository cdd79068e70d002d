/* Options that say which node to talk to, and over what: shared by the subcommands. */
#ifndef HF_TOOLS_TARGET_H
#define HF_TOOLS_TARGET_H

#include "net/holdfast.h"

#include <argp.h>

/* An argp child. Its input is a struct hf_client_options, all zero at first; it fills servers,
 * transport, local, eal, device, datagram_size and the keys. Strings stay argv's. */
extern const struct argp hf_target_argp;

/* Reads a whole number from `least` to `most`, or ends with a usage error that names the option. */
uint64_t hf_target_parse_number(const struct argp_state *state, const char *option,
                                const char *text, uint64_t least, uint64_t most);
/* Likewise a decimal number above 0. */
double hf_target_parse_positive(const struct argp_state *state, const char *option,
                                const char *text);

/* CLOCK_MONOTONIC. */
uint64_t hf_target_now_ns(void);

#endif
