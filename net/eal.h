/* DPDK's environment (EAL): started once a process, stopped once, leaving nothing behind.
 *
 * Main thread only. */
#ifndef HF_NET_EAL_H
#define HF_NET_EAL_H

#include "engine/status.h"

#include <stdbool.h>

/* Starts it with `arguments`, one string split at blanks. The calling thread keeps the processors
 * it may run on (EAL would pin it). A second start in a process, even after a failed first, is
 * EXISTS: EAL cannot be started again. */
enum hf_status hf_eal_start(const char *arguments, struct hf_fault *fault);

/* Stops it and removes what it leaves: its runtime directory and its files of huge pages. EAL frees
 * what its interrupt thread uses without stopping that thread: unless the thread is surely asleep,
 * `may_free` is false, and EAL's memory stays until the process ends. */
void hf_eal_stop(bool may_free);

#endif
