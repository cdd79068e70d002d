/* A file that the `log` subcommand makes. */
#ifndef HF_TOOLS_LOG_FILE_H
#define HF_TOOLS_LOG_FILE_H

#include "engine/status.h"

#include <stddef.h>

/* Makes a new file of these bytes, flushed. EXISTS when that cannot be done, for whatever reason:
 * the line says what was to be written (`what`) and why not. */
HF_MUST_USE enum hf_status log_file_write(const char *what, const char *path, const void *bytes,
                                          size_t size, struct hf_fault *fault);

#endif
