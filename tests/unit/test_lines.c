/* Lines of waiting datagrams: in order within a client, in turn between clients, bounded, and none
 * lost: a plain model beside it, and shares counted. */
#include "tools/holdfastd/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PIECES       256
#define DATAGRAM_MAX 1472
#define FIRST_ROOM   (LINES_PIECE_BYTES - sizeof(struct lines_datagram))

static struct lines lines;

static int set_up(void **state)
{
    (void)state;
    return lines_create(&lines, PIECES, DATAGRAM_MAX, 0x5eed) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    assert_int_equal(lines.waiting, 0);
    assert_int_equal(lines.free_pieces, PIECES);
    assert_int_equal(lines.first_in_turn, 0);
    lines_destroy(&lines);
    return 0;
}

/* A datagram tells whose it is, its number, and its length, in every byte. */
static bool put(uint64_t client, uint32_t number, uint32_t length)
{
    uint8_t bytes[DATAGRAM_MAX];
    const struct lines_datagram datagram = {
        .sender = {.session = client}, .origin = number, .length = length};

    for (uint32_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(client * 7 + number * 3 + i);
    return lines_put(&lines, client, &datagram, bytes);
}

/* Takes one, and looks at every byte. Returns false when nobody waits. */
static bool take(uint64_t *client, uint32_t *number, uint32_t *length)
{
    struct lines_datagram datagram;
    const uint8_t *bytes = lines_take(&lines, &datagram);

    if (bytes == NULL)
        return false;
    *client = datagram.sender.session;
    *number = datagram.origin;
    *length = datagram.length;
    for (uint32_t i = 0; i < datagram.length; i++)
        assert_int_equal(bytes[i], (uint8_t)(*client * 7 + *number * 3 + i));
    return true;
}

static void drain(void)
{
    uint64_t client;
    uint32_t number, length;

    while (take(&client, &number, &length))
        continue;
}

static void test_lengths_at_the_edges_of_pieces(void **state)
{
    const uint32_t lengths[] = {0,
                                1,
                                FIRST_ROOM - 1,
                                FIRST_ROOM,
                                FIRST_ROOM + 1,
                                FIRST_ROOM + LINES_PIECE_BYTES,
                                FIRST_ROOM + LINES_PIECE_BYTES + 1,
                                DATAGRAM_MAX};
    uint64_t client;
    uint32_t number, length;

    (void)state;
    for (uint32_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++)
        assert_true(put(9, i, lengths[i]));
    for (uint32_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        assert_true(take(&client, &number, &length));
        assert_int_equal(number, i);
        assert_int_equal(length, lengths[i]);
    }
    assert_false(take(&client, &number, &length));
}

/* One alone has half of the room, and the next still finds half of the rest. */
static void test_room_is_left_for_others(void **state)
{
    uint32_t counts[3] = {0, 0, 0};

    (void)state;
    for (uint64_t client = 0; client < 3; client++) {
        while (put(client, counts[client], 100))
            counts[client]++;
    }
    assert_int_equal(counts[0], PIECES / 2);
    assert_int_equal(counts[1], PIECES / 4);
    assert_int_equal(counts[2], PIECES / 8);
    assert_true(put(3, 0, DATAGRAM_MAX));
    assert_false(put(0, 0, 100)); /* and whoever had more gets no more before others had theirs */
    drain();
}

static void test_no_room_at_all(void **state)
{
    uint64_t clients = 0;

    (void)state;
    while (put(clients, 0, 100))
        clients++;
    assert_int_equal(clients, PIECES);
    assert_int_equal(lines.free_pieces, 0);
    drain();
}

/* Whoever sends long datagrams gets as many bytes as who sends short ones, and a third that has
 * little waits behind one turn of each. */
static void test_equal_bytes(void **state)
{
    uint64_t bytes[3] = {0, 0, 0};
    uint64_t client = 0;
    uint32_t number, length = 0;
    uint32_t before = 0;
    bool is_served = false;

    (void)state;
    for (uint32_t i = 0; i < 16; i++)
        assert_true(put(0, i, DATAGRAM_MAX));
    for (uint32_t i = 0; put(1, i, 100); i++)
        continue;
    assert_true(put(2, 0, 100));
    while (lines.lines[lines.first_in_turn].client == 2 || bytes[1] < 5000) {
        assert_true(take(&client, &number, &length));
        bytes[client] += length;
        is_served = is_served || client == 2;
        before += !is_served;
    }
    assert_true(is_served);
    assert_true(before <= 1 + DATAGRAM_MAX / 100 + 1);
    assert_in_range(bytes[0], bytes[1] - 2 * DATAGRAM_MAX, bytes[1] + 2 * DATAGRAM_MAX);
    drain();
}

/* A million random puts and takes of fifty clients: each client's datagrams come out in the order
 * in which they went in, all of them, whole; nobody waits longer than a turn of all the others. */
static void test_random(void **state)
{
    enum { CLIENTS = 50, STEPS = 1000000 };
    static uint32_t put_numbers[CLIENTS], taken_numbers[CLIENTS];
    uint32_t random = 1;
    uint32_t waiting = 0;
    uint32_t refused = 0;
    uint64_t client;
    uint32_t number, length;

    (void)state;
    for (uint32_t i = 0; i < STEPS; i++) {
        random = random * 1664525 + 1013904223;
        /* Longer stretches of puts, then of takes: full, and empty. */
        if ((random >> 28) < ((i / 2000) % 2 == 0 ? 10u : 6u)) {
            client = (random >> 8) % CLIENTS;
            if (put(client, put_numbers[client], (random >> 4) % (DATAGRAM_MAX + 1))) {
                put_numbers[client]++;
                waiting++;
            } else {
                refused++;
            }
        } else if (take(&client, &number, &length)) {
            assert_int_equal(number, taken_numbers[client]);
            taken_numbers[client]++;
            waiting--;
        }
        assert_int_equal(lines.waiting, waiting);
    }
    assert_true(refused > 1000);
    drain();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lengths_at_the_edges_of_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_room_is_left_for_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_no_room_at_all, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_equal_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_random, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
