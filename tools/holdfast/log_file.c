#include "log_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum hf_status log_file_write(const char *what, const char *path, const void *bytes, size_t size,
                              struct hf_fault *fault)
{
    FILE *file = fopen(path, "wbx");
    bool written = file != NULL && fwrite(bytes, 1, size, file) == size && fflush(file) == 0 &&
                   fsync(fileno(file)) == 0;
    int error = errno;
    if (file != NULL && fclose(file) != 0 && written) {
        error = errno;
        written = false;
    }
    if (written)
        return HF_STATUS_OK;
    snprintf(fault->line, sizeof fault->line, "%.30s cannot be written to %.140s: %s", what, path,
             strerror(error));
    return HF_STATUS_EXISTS;
}
