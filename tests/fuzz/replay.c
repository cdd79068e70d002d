/* Runs a fuzz target without libFuzzer: on every file of the folders named, as it is and with its
 * hashes set right, and on a number of variations of each, drawn from a seed.
 *
 *     replay_TARGET [--seed N] [--variations N] FOLDER... */
#include "fuzz.h"

#include <dirent.h>

#define SIZE_MAX_READ (1u << 20)

static uint8_t original[SIZE_MAX_READ];
static uint8_t varied[SIZE_MAX_READ];
static uint64_t seed = 1;
static uint64_t variation_count = 40;
static uint64_t run_count;

static uint64_t draw(uint64_t bound)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % bound;
}

static void run(const uint8_t *bytes, size_t size)
{
    (void)LLVMFuzzerTestOneInput(bytes, size);
    run_count++;
}

/* Turns a few bits, overwrites a run, copies a part elsewhere, or cuts the end off. */
static size_t vary(size_t size)
{
    memcpy(varied, original, size);
    for (uint64_t times = 1 + draw(4); times != 0 && size > FUZZ_HEAD; times--) {
        size_t at = FUZZ_HEAD + draw(size - FUZZ_HEAD);
        size_t length = 1 + draw(64);
        length = length < size - at ? length : size - at;
        switch (draw(5)) {
        case 0:
        case 1:
            varied[at] ^= (uint8_t)(1u << draw(8));
            break;
        case 2:
            memset(varied + at, (int)(draw(3) * 0x7f), length);
            break;
        case 3:
            memmove(varied + at, original + FUZZ_HEAD + draw(size - FUZZ_HEAD - length + 1),
                    length);
            break;
        default:
            size = draw(8) == 0 ? at : size;
            break;
        }
    }
    varied[0] = (uint8_t)((varied[0] & ~HF_FUZZ_REPAIR) | (draw(4) != 0 ? HF_FUZZ_REPAIR : 0));
    return size;
}

static void run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        exit(2);
    }
    size_t size = fread(original, 1, sizeof original, file);
    fclose(file);
    run(original, size);
    for (uint64_t i = 0; i < variation_count; i++) {
        run(varied, vary(size));
    }
}

static void run_folder(const char *folder)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    if (count < 0) {
        perror(folder);
        exit(2);
    }
    for (int i = 0; i < count; i++) {
        char path[1024];
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (entries[i]->d_name[0] != '.') {
            run_file(path);
        }
        free(entries[i]);
    }
    free(entries);
}

int main(int argc, char **argv)
{
    int at = 1;
    for (; at + 1 < argc && argv[at][0] == '-'; at += 2) {
        uint64_t *option = strcmp(argv[at], "--seed") == 0 ? &seed : &variation_count;
        *option = strtoull(argv[at + 1], NULL, 10);
    }
    printf("seed %llu, %llu variations of each\n", (unsigned long long)seed,
           (unsigned long long)variation_count);
    for (; at < argc; at++) {
        run_folder(argv[at]);
    }
    printf("%llu inputs\n", (unsigned long long)run_count);
    return run_count > 1 ? 0 : 1;
}
