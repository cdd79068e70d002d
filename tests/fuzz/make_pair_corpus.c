/* Writes the corpus of the fuzz targets of a pair anew: of its sessions every datagram that is
 * right, of its words requests, slices whose hash is not, and messages. To be run when a format has
 * changed; what comes out is the same every time.
 *
 *     make_pair_corpus FOLDER_OF_PEER FOLDER_OF_PAIR */
#include "fuzz.h"
#include "peer_world.h"

#include "replication/fetch.h"
#include "replication/message.h"
#include "wal/install.h"

static struct peer_world world, stages[2];
static struct peer_datagram known[PEER_PLACES];

static void put(const char *folder, const char *name, uint8_t flags, uint8_t place,
                const void *bytes, size_t length)
{
    char path[1024];
    const uint8_t head[FUZZ_HEAD] = {flags, place};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    FUZZ_CHECK(file != NULL);
    FUZZ_CHECK(fwrite(head, 1, sizeof head, file) == sizeof head);
    FUZZ_CHECK(fwrite(bytes, 1, length, file) == length);
    FUZZ_CHECK(fclose(file) == 0);
}

static void put_peer(const char *folder)
{
    static const char *const names[PEER_PLACES] = {"welcome", "hello", "answer", "word"};
    peer_make_world(&world, stages, known);
    for (uint8_t i = 0; i < PEER_PLACES; i++) {
        char repaired[32];
        snprintf(repaired, sizeof repaired, "%s-repaired", names[i]);
        put(folder, names[i], 0, i, known[i].bytes, known[i].length);
        put(folder, repaired, 1, i, known[i].bytes, known[i].length);
    }
}

static void put_message(const char *folder, const char *name, struct hf_message message)
{
    message.magic = HF_MESSAGE_MAGIC;
    message.format = HF_MESSAGE_FORMAT;
    message.cluster = fuzz_cluster;
    message.node = 2;
    message.durability = HF_DURABILITY_PAIR_SAFE;
    message.incarnation = 5;
    put(folder, name, 0, 2, &message, sizeof message);
}

static void put_pair(const char *folder)
{
    const struct hf_fetch_request newest = {.below = UINT64_MAX};
    const struct hf_fetch_request next = {.index = 7, .part = 1, .offset = HF_INSTALL_SLICE};
    static struct {
        struct hf_fetch_slice slice;
        uint8_t bytes[4096];
    } frame = {
        .slice = {
            .magic = HF_FETCH_MAGIC, .length = 4096, .index = 7, .segment = 1, .size = 1 << 20}};
    put(folder, "request-newest", 0, 0, &newest, sizeof newest);
    put(folder, "request-next", 0, 0, &next, sizeof next);
    put(folder, "slice", 0, 1, &frame, sizeof frame);
    frame.slice = (struct hf_fetch_slice){.magic = HF_FETCH_MAGIC};
    put(folder, "slice-none", 0, 1, &frame.slice, sizeof frame.slice);
    put_message(folder, "beacon",
                (struct hf_message){.kind = HF_MESSAGE_BEACON, .epoch = 3, .time_ns = 9});
    put_message(folder, "checkpoint",
                (struct hf_message){.kind = HF_MESSAGE_CHECKPOINT, .epoch = 3, .index = 5});
    put_message(folder, "nack",
                (struct hf_message){.kind = HF_MESSAGE_NACK, .epoch = 3, .promise = 4});
    put_message(folder, "position", (struct hf_message){.kind = HF_MESSAGE_POSITION, .epoch = 1});
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    put_peer(argv[1]);
    put_pair(argv[2]);
    return 0;
}
