/* Lines of datagrams that wait to be read, one line for each client, and taken from them in turn:
 * each line as many bytes as any other (deficit round robin). So a client that floods waits behind
 * itself, and whoever sends less than its share hardly waits at all.
 *
 * A client may have waiting as much as there is room left for others: one alone half of all the
 * room, two a third each. So a newcomer always finds some, and what is beyond is turned away at
 * once. A line exists as long as something waits in it. Everything costs the same however many wait
 * (the bytes are copied in and out); all memory is taken at start. One thread. */
#ifndef HOLDFASTD_LINES_H
#define HOLDFASTD_LINES_H

#include "bundle.h"

/* Datagrams lie in pieces of this size, the last of each partly empty. */
#define LINES_PIECE_BYTES 248

struct lines_piece {
    uint32_t next;          /* of the datagram, or of the free ones, from 1; 0: the last */
    uint32_t next_datagram; /* of the first piece of one: the first of that behind it */
    uint8_t bytes[LINES_PIECE_BYTES];
};

/* What waits, beside its bytes: they begin with this. */
struct lines_datagram {
    struct sender sender;
    uint32_t origin; /* with sessions: whose, from 0 */
    uint32_t length; /* of the datagram in bytes */
};

struct line {
    uint64_t client;
    uint32_t next_in_bucket; /* lines are numbered from 1; 0: none */
    uint32_t next_in_turn;
    uint32_t first, last; /* datagrams, by their first pieces */
    uint32_t pieces;      /* that wait in it */
    uint32_t credit;      /* bytes that it may still send in this turn */
};

struct lines {
    struct lines_piece *pieces;
    struct line *lines;
    uint32_t *buckets;
    uint32_t bucket_mask;
    uint32_t piece_count;
    uint32_t free_pieces, free_piece; /* how many, and the first */
    uint32_t free_line;
    uint32_t first_in_turn, last_in_turn;
    uint32_t quantum; /* bytes of a turn: the longest datagram */
    uint8_t *taken;   /* the datagram taken last */
    uint32_t waiting; /* datagrams */
    uint64_t secret;  /* nobody is to choose in which bucket a client lies */
};

/* Takes memory for `piece_count` pieces (at least 1), and for as many lines. `datagram_max`: bytes
 * of the longest datagram. False: there is none. lines_destroy is allowed then, and for one that is
 * all zeros. */
HF_MUST_USE bool lines_create(struct lines *lines, uint32_t piece_count, uint32_t datagram_max,
                              uint64_t secret);
void lines_destroy(struct lines *lines);

/* Puts a datagram at the end of its client's line. False: the client has as much waiting as it may.
 * `bytes` are copied. */
HF_MUST_USE bool lines_put(struct lines *lines, uint64_t client,
                           const struct lines_datagram *datagram, const void *bytes);

/* Takes the next datagram, whosever turn it is. Returns its bytes, which are good until the next is
 * taken; NULL: nobody waits. */
const uint8_t *lines_take(struct lines *lines, struct lines_datagram *datagram);

#endif
