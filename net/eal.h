/* DPDK's environment (EAL): one in a process, shared by all its ports. The first starts it, the
 * last stops it, leaving nothing behind.
 *
 * Main thread only. */
#ifndef HF_NET_EAL_H
#define HF_NET_EAL_H

#include "engine/status.h"

#include <stdbool.h>

/* Starts it with `arguments`, one string split at blanks, or joins the one that runs, which must
 * have been started with the same. The calling thread keeps the processors it may run on (EAL would
 * pin it). Other arguments than the running one's, or a start after the last stop or after one that
 * failed, are EXISTS: EAL cannot be started again. */
enum hf_status hf_eal_start(const char *arguments, struct hf_fault *fault);

/* Leaves it, once for each start. The last one to leave stops it and removes what it leaves behind:
 * its runtime directory and its files of huge pages. EAL frees what its interrupt thread uses
 * without stopping that thread: unless all who leave know the thread to be surely asleep,
 * `may_free` is false, and EAL's memory stays until the process ends. */
void hf_eal_stop(bool may_free);

#endif
