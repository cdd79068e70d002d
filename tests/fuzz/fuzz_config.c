/* Fuzz target: a node's configuration and its file of origins.
 *
 * An input is eight bytes, of which the second says which of the two, and the file's text. It is
 * read, or refused with a line that names the file. A configuration that was read, written out as
 * flags and read again, is the same. */
#include "target.h"

#include "tools/holdfastd/config.h"
#include "tools/holdfastd/origins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ORIGINS_MAX 8
#define TEXT_MAX    65536

static void read_again(const struct config *config)
{
    static struct config again;
    static char text[CONFIG_FLAG_TEXT_SIZE];
    static char name[] = "holdfastd";
    char *flags[CONFIG_FLAGS_MAX + 2] = {name};
    enum config_show show;
    struct hf_fault fault = {{0}};
    int count = config_write_flags(config, text, flags + 1);
    flags[count + 1] = NULL;
    FUZZ_CHECK(config_read(&again, count + 1, flags, &show, &fault) == HF_STATUS_OK);
    FUZZ_CHECK(memcmp(&again, config, sizeof again) == 0);
}

static void read_config(char *path)
{
    static struct config config;
    static char name[] = "holdfastd", flag[] = "--config";
    char *words[] = {name, flag, path, NULL};
    enum config_show show;
    struct hf_fault fault = {{0}};
    enum hf_status status = config_read(&config, 3, words, &show, &fault);
    if (status == HF_STATUS_OK)
        read_again(&config);
    else
        FUZZ_CHECK(status == HF_STATUS_INVALID && fault.line[0] != '\0');
}

static void read_origins(const char *path)
{
    static struct origin list[ORIGINS_MAX];
    struct origin_set set = {.count_max = ORIGINS_MAX, .list = list};
    struct hf_fault fault = {{0}};
    enum hf_status status = origins_read(path, &set, &fault);
    if (status != HF_STATUS_OK) {
        FUZZ_CHECK(status == HF_STATUS_INVALID && strncmp(fault.line, path, strlen(path)) == 0);
        return;
    }
    FUZZ_CHECK(set.count >= 1 && set.count <= ORIGINS_MAX);
    for (uint32_t i = 0; i < ORIGINS_MAX; i++)
        FUZZ_CHECK(!list[i].is_set || (list[i].allowed != 0 && list[i].name[0] != '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    char path[64];
    if (size < FUZZ_HEAD || size > TEXT_MAX)
        return 0;
    if (file < 0)
        file = memfd_create("fuzz", MFD_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    FUZZ_CHECK(ftruncate(file, 0) == 0);
    size -= FUZZ_HEAD;
    FUZZ_CHECK(pwrite(file, data + FUZZ_HEAD, size, 0) == (ssize_t)size);
    if (data[1] % 2 == 0)
        read_config(path);
    else
        read_origins(path);
    return 0;
}
