/* What the client library stands on, for those who bring their own port and clock: tests on the
 * simulated network. Everybody else includes holdfast.h. */
#ifndef HF_NET_CLIENT_H
#define HF_NET_CLIENT_H

#include "channel.h"
#include "holdfast.h"
#include "port.h"

struct hf_client_clock {
    uint64_t (*monotonic_ns)(void *context);
    uint64_t (*unix_ms)(void *context);
    void *context;
    const struct hf_channel_limits *limits; /* of sessions; NULL: the default */
};

/* As hf_client_open, over a port that is open already, with a clock and a seed (session, ids and
 * back-off come from it) of the caller's. The client attaches both halves of the port to the
 * calling thread, and owns it from then on: closing destroys it, and so does a failure here. */
HF_MUST_USE enum hf_status hf_client_open_on(const struct hf_client_options *options,
                                             struct hf_port *port,
                                             const struct hf_client_clock *clock, uint64_t seed,
                                             struct hf_client **client, struct hf_fault *fault);

#endif
