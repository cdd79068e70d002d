/* Writes the corpus of the fuzz target of sessions anew: every datagram that is right. To be run
 * when the format has changed; what comes out is the same every time.
 *
 *     make_session_corpus FOLDER */
#include "session_world.h"

static struct session_world world;

static bool put(const char *folder, const char *name, uint8_t flags,
                const struct session_datagram *datagram)
{
    char path[1024];
    const uint8_t head[8] = {flags, datagram->place};
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return false;
    bool is_written = fwrite(head, 1, sizeof head, file) == sizeof head &&
                      fwrite(datagram->bytes, 1, datagram->length, file) == datagram->length;
    return fclose(file) == 0 && is_written;
}

int main(int argc, char **argv)
{
    static const char *const names[SESSION_KNOWN] = {"hello", "welcome", "cookie", "sealed",
                                                     "answer"};
    if (argc != 2)
        return 2;
    session_make_world(&world);
    for (unsigned i = 0; i < SESSION_KNOWN; i++) {
        char repaired[64];
        snprintf(repaired, sizeof repaired, "%s-repaired", names[i]);
        if (!put(argv[1], names[i], 0, &world.known[i]) ||
            !put(argv[1], repaired, 1, &world.known[i])) {
            perror(argv[1]);
            return 1;
        }
    }
    return 0;
}
