#include "lines.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define LINE_BUCKETS_MIN 8

/* ---- memory */

static uint32_t power_of_two(uint32_t at_least)
{
    uint32_t power = LINE_BUCKETS_MIN;

    while (power < at_least)
        power *= 2;
    return power;
}

bool lines_create(struct lines *lines, uint32_t piece_count, uint32_t datagram_max, uint64_t secret)
{
    uint32_t buckets = power_of_two(piece_count);

    assert(piece_count != 0);
    assert(datagram_max != 0);
    *lines = (struct lines){
        .pieces = aligned_alloc(64, ((size_t)piece_count + 1) * sizeof *lines->pieces),
        .lines = calloc((size_t)piece_count + 1, sizeof *lines->lines),
        .buckets = calloc(buckets, sizeof *lines->buckets),
        .taken = malloc(datagram_max),
        .bucket_mask = buckets - 1,
        .piece_count = piece_count,
        .free_pieces = piece_count,
        .quantum = datagram_max,
        .secret = secret,
    };
    if (lines->pieces == NULL || lines->lines == NULL || lines->buckets == NULL ||
        lines->taken == NULL)
        return false;
    memset(lines->pieces, 0, ((size_t)piece_count + 1) * sizeof *lines->pieces);
    for (uint32_t i = piece_count; i != 0; i--) {
        lines->pieces[i].next = lines->free_piece;
        lines->free_piece = i;
        lines->lines[i].next_in_turn = lines->free_line;
        lines->free_line = i;
    }
    return true;
}
_Static_assert(sizeof(struct lines_piece) == 256, "pieces begin on cache lines");

void lines_destroy(struct lines *lines)
{
    free(lines->pieces);
    free(lines->lines);
    free(lines->buckets);
    free(lines->taken);
    *lines = (struct lines){0};
}

/* ---- lines */

/* splitmix64's finaliser, on a number that nobody outside knows. */
static uint32_t *bucket_of(struct lines *lines, uint64_t client)
{
    uint64_t mixed = client ^ lines->secret;

    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94d049bb133111eb);
    return &lines->buckets[(mixed ^ (mixed >> 31)) & lines->bucket_mask];
}

static void stand_in_turn(struct lines *lines, uint32_t number)
{
    lines->lines[number].next_in_turn = 0;
    if (lines->first_in_turn == 0)
        lines->first_in_turn = number;
    else
        lines->lines[lines->last_in_turn].next_in_turn = number;
    lines->last_in_turn = number;
}

/* The client's line; made, at the end of the round, when there is none. */
static struct line *find_line(struct lines *lines, uint64_t client)
{
    uint32_t *bucket = bucket_of(lines, client);
    uint32_t number = *bucket;
    struct line *line;

    while (number != 0 && lines->lines[number].client != client)
        number = lines->lines[number].next_in_bucket;
    if (number != 0)
        return &lines->lines[number];
    number = lines->free_line;
    assert(number != 0); /* there are as many as datagrams can be */
    line = &lines->lines[number];
    lines->free_line = line->next_in_turn;
    *line = (struct line){
        .client = client,
        .next_in_bucket = *bucket,
        .credit = lines->quantum,
    };
    *bucket = number;
    stand_in_turn(lines, number);
    return line;
}

/* The line whose turn it is has nothing any more. */
static void end_line(struct lines *lines)
{
    uint32_t number = lines->first_in_turn;
    struct line *line = &lines->lines[number];
    uint32_t *link = bucket_of(lines, line->client);

    assert(line->pieces == 0);
    while (*link != number)
        link = &lines->lines[*link].next_in_bucket;
    *link = line->next_in_bucket;
    lines->first_in_turn = line->next_in_turn;
    if (lines->first_in_turn == 0)
        lines->last_in_turn = 0;
    line->next_in_turn = lines->free_line;
    lines->free_line = number;
}

/* ---- datagrams, in pieces */

static uint32_t pieces_for(uint32_t length)
{
    return ((uint32_t)sizeof(struct lines_datagram) + length + LINES_PIECE_BYTES - 1) /
           LINES_PIECE_BYTES;
}
_Static_assert(sizeof(struct lines_datagram) < LINES_PIECE_BYTES, "all of it in the first piece");

/* Copies the datagram into free pieces; there are enough. Returns the first. */
static uint32_t write_pieces(struct lines *lines, const struct lines_datagram *datagram,
                             const uint8_t *bytes)
{
    uint32_t first = lines->free_piece;
    struct lines_piece *piece = &lines->pieces[first];
    uint32_t offset = sizeof *datagram;

    memcpy(piece->bytes, datagram, sizeof *datagram);
    piece->next_datagram = 0;
    for (uint32_t done = 0;;) {
        uint32_t room = LINES_PIECE_BYTES - offset;
        uint32_t some = datagram->length - done < room ? datagram->length - done : room;
        memcpy(piece->bytes + offset, bytes + done, some);
        done += some;
        lines->free_pieces--;
        lines->free_piece = piece->next;
        if (done == datagram->length)
            break;
        piece = &lines->pieces[piece->next];
        offset = 0;
    }
    piece->next = 0;
    return first;
}

/* Copies the datagram out, and gives its pieces back. */
static void read_pieces(struct lines *lines, uint32_t first, struct lines_datagram *datagram)
{
    struct lines_piece *piece = &lines->pieces[first];
    uint32_t offset = sizeof *datagram;

    memcpy(datagram, piece->bytes, sizeof *datagram);
    for (uint32_t done = 0;;) {
        uint32_t room = LINES_PIECE_BYTES - offset;
        uint32_t some = datagram->length - done < room ? datagram->length - done : room;
        memcpy(lines->taken + done, piece->bytes + offset, some);
        done += some;
        lines->free_pieces++;
        if (piece->next == 0)
            break;
        piece = &lines->pieces[piece->next];
        offset = 0;
    }
    piece->next = lines->free_piece;
    lines->free_piece = first;
}

bool lines_put(struct lines *lines, uint64_t client, const struct lines_datagram *datagram,
               const void *bytes)
{
    uint32_t pieces = pieces_for(datagram->length);
    struct line *line;
    uint32_t first;

    assert(datagram->length <= lines->quantum);
    if (pieces > lines->free_pieces)
        return false;
    line = find_line(lines, client);
    if (line->pieces != 0 && line->pieces + pieces > lines->free_pieces)
        return false;
    first = write_pieces(lines, datagram, bytes);
    if (line->pieces == 0)
        line->first = first;
    else
        lines->pieces[line->last].next_datagram = first;
    line->last = first;
    line->pieces += pieces;
    lines->waiting++;
    return true;
}

const uint8_t *lines_take(struct lines *lines, struct lines_datagram *datagram)
{
    uint32_t number = lines->first_in_turn;
    struct line *line = &lines->lines[number];
    uint32_t first = line->first;

    if (number == 0)
        return NULL;
    memcpy(datagram, lines->pieces[first].bytes, sizeof *datagram);
    if (datagram->length > line->credit) { /* its turn is over; the next has all its credit */
        lines->first_in_turn = line->next_in_turn;
        if (lines->first_in_turn == 0)
            lines->last_in_turn = 0;
        line->credit += lines->quantum;
        stand_in_turn(lines, number);
        line = &lines->lines[lines->first_in_turn];
        first = line->first;
    }
    line->first = lines->pieces[first].next_datagram;
    read_pieces(lines, first, datagram);
    assert(datagram->length <= line->credit);
    line->credit -= datagram->length;
    line->pieces -= pieces_for(datagram->length);
    lines->waiting--;
    if (line->pieces == 0)
        end_line(lines);
    return lines->taken;
}
