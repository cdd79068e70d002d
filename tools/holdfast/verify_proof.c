/* holdfast-verify-proof: checks a proof (wal/proof.h) and nothing else. For an auditor who wants to
 * read all of what he trusts: this file, wal/proof.c, wal/chain.c, wal/slice.c, and libsodium.
 *
 * Usage: holdfast-verify-proof FILE PUBLIC-KEY. Exit status: 0 it holds, 1 it proves nothing, 2
 * wrong usage. */
#include "wal/proof.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define FILE_SIZE_MAX (4u << 20)

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c == '\0' ? NULL : strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c);
    return at == NULL ? -1 : (int)(at - digits);
}

static bool parse_key(const char *text, uint8_t key[HF_CHAIN_PUBLIC_SIZE])
{
    if (strlen(text) != 2 * HF_CHAIN_PUBLIC_SIZE) {
        return false;
    }
    for (size_t i = 0; i < HF_CHAIN_PUBLIC_SIZE; i++) {
        int high = hex_digit(text[2 * i]);
        int low = hex_digit(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        key[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

static void print_id(const char *what, struct hf_id id)
{
    printf("%s %08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64 "\n", what,
           id.hi >> 32, id.hi >> 16 & 0xffff, id.hi & 0xffff, id.lo >> 48,
           id.lo & UINT64_C(0xffffffffffff));
}

static void print_proof(const struct hf_proof *proof)
{
    const struct hf_chain_seal *seal = hf_chain_seal_of(proof->seal);
    puts("holds");
    print_id("operation", proof->operation->header.id);
    printf("type %u\nplace %" PRIu64 "\nrecord %" PRIu64 "\ntimestamp_ns %" PRIu64 "\n",
           proof->operation->header.type, proof->place, proof->record->index,
           proof->record->timestamp_ns);
    print_id("cluster", proof->seal->cluster);
    printf("node %" PRIu32 "\nepoch %" PRIu64 "\nsealed_from %" PRIu64 "\nsealed_to %" PRIu64
           "\nchain ",
           seal->node, proof->seal->epoch, seal->first_index, proof->seal->index - 1);
    for (size_t i = 0; i < sizeof seal->chain.bytes; i++) {
        printf("%02x", seal->chain.bytes[i]);
    }
    putchar('\n');
}

int main(int argc, char **argv)
{
    static _Alignas(8) uint8_t bytes[FILE_SIZE_MAX];
    uint8_t key[HF_CHAIN_PUBLIC_SIZE];
    struct hf_proof proof;
    if (argc != 3 || !parse_key(argv[2], key)) {
        fputs("usage: holdfast-verify-proof FILE PUBLIC-KEY (64 hexadecimal digits)\n", stderr);
        return 2;
    }
    FILE *file = fopen(argv[1], "rb");
    if (file == NULL) {
        perror(argv[1]);
        return 2;
    }
    size_t length = fread(bytes, 1, sizeof bytes, file);
    bool unread = ferror(file) != 0;
    fclose(file);
    hf_chain_prepare();
    const char *why = unread ? "cannot be read" : hf_proof_check(bytes, length, key, &proof);
    if (why != NULL) {
        fprintf(stderr, "%s: proves nothing: it %s\n", argv[1], why);
        return 1;
    }
    print_proof(&proof);
    return 0;
}
