/* Breadth first through everything that can happen in the small world: every state is visited once,
 * and what is wrong is found with the shortest way that leads to it.
 *
 * Visited states are remembered by 64 bits of hash. Two that share them would hide one from the
 * walk: with ten million states the chance is one in three hundred thousand. */
#include "world.h"

#include "wal/hash.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/* A state's bytes in a layer, behind its number and their count. */
struct layer {
    uint8_t *bytes;
    size_t size;
    size_t capacity;
};

struct visit {
    uint32_t parent;
    struct world_action action;
    uint8_t reserved;
};

static struct {
    uint64_t *hashes; /* open addressing; 0: free */
    uint64_t mask;
    struct visit *visits;
    uint32_t count;
    uint32_t room;
    uint64_t steps;
    uint64_t no_room; /* choices left out because the world is too small for them */
    uint32_t depth;
    struct world root;
    /* What is being done now, for whoever wants to know how it came to an abort. */
    uint32_t parent;
    struct world_action action;
    /* Over all walks. */
    uint64_t seen[WORLD_MARKS];
    uint64_t all_states;
    uint32_t converge_every; /* states; 0: never */
    uint64_t ends[WORLD_NO_ROOM + 1];
} walk;

static void *must(void *memory)
{
    if (memory == NULL) {
        fprintf(stderr, "no memory for the walk\n");
        exit(1);
    }
    return memory;
}

/* True when the state was not known. */
static bool note(const uint8_t *packed, uint32_t size)
{
    struct hf_hash hash = hf_hash_of(packed, size);
    uint64_t key = hash.lo == 0 ? 1 : hash.lo;
    uint64_t slot = hash.hi & walk.mask;
    while (walk.hashes[slot] != 0) {
        if (walk.hashes[slot] == key) {
            return false;
        }
        slot = (slot + 1) & walk.mask;
    }
    walk.hashes[slot] = key;
    return true;
}

static void add(struct layer *layer, uint32_t number, const uint8_t *packed, uint32_t size)
{
    size_t need = layer->size + sizeof number + sizeof size + size;
    if (need > layer->capacity) {
        layer->capacity = need * 2;
        layer->bytes = must(realloc(layer->bytes, layer->capacity));
    }
    memcpy(layer->bytes + layer->size, &number, sizeof number);
    memcpy(layer->bytes + layer->size + sizeof number, &size, sizeof size);
    memcpy(layer->bytes + layer->size + sizeof number + sizeof size, packed, size);
    layer->size = need;
}

/* Goes the way again, from the beginning, and tells it. The last action only by name: it may be
 * the one that aborts. */
static void tell_way(uint32_t last)
{
    uint32_t length = 0;
    for (uint32_t at = last; at != 0; at = walk.visits[at].parent) {
        length++;
    }
    uint32_t *way = must(calloc(length + 1, sizeof *way));
    uint32_t i = length;
    for (uint32_t at = last; at != 0; at = walk.visits[at].parent) {
        way[--i] = at;
    }
    struct world w = walk.root;
    world_print(&w, stdout);
    for (i = 0; i < length; i++) {
        struct world_action action = walk.visits[way[i]].action;
        printf("%3u ", i + 1);
        world_print_action(&w, action, stdout);
        world_do(&w, action);
        world_print(&w, stdout);
    }
    printf("%3u ", length + 1);
    world_print_action(&w, walk.action, stdout);
    fflush(stdout);
    free(way);
}

static void on_abort(int number)
{
    signal(number, SIG_DFL);
    printf("FAILED: an assertion, after %u steps:\n", walk.depth + 1);
    tell_way(walk.parent);
    raise(number);
}

/* Whether the pair is at work again when nothing goes wrong any more after this state. */
static bool comes_back(uint32_t parent, const struct world *from)
{
    static struct world w;
    memcpy(&w, from, sizeof w);
    enum world_end end = world_converge(&w);
    walk.ends[end]++;
    if (end != WORLD_STUCK && world_wrong == NULL) {
        return true;
    }
    printf("FAILED: %s, after %u steps and all that should help:\n",
           world_wrong != NULL ? world_wrong : "the pair does not come back", walk.depth + 1);
    tell_way(parent);
    world_print(from, stdout);
    printf("    and in the end:\n");
    world_print(&w, stdout);
    return false;
}

/* All that can follow on one state. False: something is wrong. */
static bool expand(uint32_t number, const uint8_t *packed, uint32_t packed_size, struct layer *next)
{
    static struct world before;
    static struct world after;
    world_unpack(packed, packed_size, &before);
    struct world_action actions[WORLD_ACTIONS_MAX];
    uint32_t count = world_choices(&before, actions);
    for (uint32_t i = 0; i < count; i++) {
        walk.parent = number;
        walk.action = actions[i];
        memcpy(&after, &before, sizeof after);
        bool fits = world_do(&after, actions[i]);
        walk.steps++;
        if (world_wrong != NULL) {
            const char *what = world_wrong;
            printf("FAILED: %s, after %u steps:\n", what, walk.depth + 1);
            tell_way(number);
            world_print(&after, stdout);
            return false;
        }
        if (!fits) {
            walk.no_room++;
            continue;
        }
        uint8_t bytes[WORLD_PACKED_MAX];
        uint32_t size = world_pack(&after, bytes);
        if (!note(bytes, size)) {
            continue;
        }
        if (walk.count == walk.room) {
            printf("FAILED: more than %u states: the budgets are too large\n", walk.room);
            return false;
        }
        if (walk.converge_every != 0 && walk.count % walk.converge_every == 0 &&
            !comes_back(number, &after)) {
            return false;
        }
        walk.visits[walk.count] = (struct visit){number, actions[i], 0};
        add(next, walk.count++, bytes, size);
    }
    return true;
}

static bool walk_all(const struct world_limits *limits, uint32_t room)
{
    world_set_limits(limits);
    world_begin(&walk.root);
    if (world_wrong != NULL) {
        printf("FAILED: %s\n", world_wrong);
        world_print(&walk.root, stdout);
        return false;
    }
    uint64_t slots = 1;
    while (slots < (uint64_t)room * 3 / 2) {
        slots *= 2;
    }
    walk.mask = slots - 1;
    walk.hashes = must(calloc(slots, sizeof *walk.hashes));
    walk.visits = must(calloc(room, sizeof *walk.visits));
    walk.room = room;
    walk.steps = 0;
    walk.no_room = 0;
    walk.depth = 0;

    struct layer now = {NULL, 0, 0};
    struct layer next = {NULL, 0, 0};
    uint8_t bytes[WORLD_PACKED_MAX];
    uint32_t size = world_pack(&walk.root, bytes);
    note(bytes, size);
    add(&now, 0, bytes, size);
    walk.count = 1;
    bool fine = true;
    while (now.size > 0 && fine) {
        for (size_t at = 0; at < now.size && fine;) {
            uint32_t number;
            memcpy(&number, now.bytes + at, sizeof number);
            memcpy(&size, now.bytes + at + sizeof number, sizeof size);
            at += sizeof number + sizeof size;
            fine = expand(number, now.bytes + at, size, &next);
            at += size;
        }
        struct layer done = now;
        now = next;
        next = done;
        next.size = 0;
        walk.depth++;
    }
    free(now.bytes);
    free(next.bytes);
    free(walk.hashes);
    free(walk.visits);
    return fine;
}

struct plan {
    const char *name;
    struct world_limits limits;
};

#define SAFE   HF_DURABILITY_PAIR_SAFE
#define FAST   HF_DURABILITY_PAIR_FAST
#define ALONE  HF_ON_LOSS_ALONE
#define REFUSE HF_ON_LOSS_REFUSE

/* Budgets: crashes, doubts, repeats, slips, moments. Then epochs and records beyond the two of the
 * prologue, letters on their way to each node, mode, what to do alone, clock, beginning alone. */
static const struct plan small[] = {
    {"safe, slips", {{0, 0, 0, 1, 0, 0}, 2, 3, 1, SAFE, ALONE, 0, 0}},
    {"fast, slips", {{0, 0, 0, 1, 0, 0}, 2, 3, 1, FAST, ALONE, 0, 0}},
    {"safe, a crash", {{1, 0, 0, 0, 0, 0}, 2, 2, 1, SAFE, ALONE, 0, 0}},
};

static const struct plan quick[] = {
    {"safe, a crash", {{1, 0, 0, 1, 0, 0}, 2, 2, 1, SAFE, ALONE, 0, 0}},
    {"safe, a doubt and a repeat", {{0, 1, 1, 1, 0, 0}, 2, 2, 1, SAFE, ALONE, 0, 0}},
    {"safe, two slips", {{0, 0, 0, 2, 0, 0}, 2, 3, 1, SAFE, ALONE, 0, 0}},
    {"safe, refusing", {{1, 0, 0, 1, 0, 0}, 2, 2, 1, SAFE, REFUSE, 0, 0}},
    {"fast, a crash", {{1, 0, 0, 1, 0, 0}, 2, 2, 1, FAST, ALONE, 0, 0}},
    {"fast, both crash", {{2, 0, 0, 0, 0, 0}, 2, 2, 1, FAST, ALONE, 0, 0}},
    {"safe, joining", {{1, 1, 0, 1, 0, 0}, 1, 1, 1, SAFE, ALONE, 0, 1}},
    {"lease", {{0, 0, 0, 1, 4, 0}, 1, 1, 1, SAFE, ALONE, 1, 0}},
};

static const struct plan large[] = {
    {"safe, joining", {{1, 1, 0, 1, 0, 0}, 1, 2, 1, SAFE, ALONE, 0, 1}},
    {"safe, a crash, two letters", {{1, 0, 0, 1, 0, 0}, 2, 3, 2, SAFE, ALONE, 0, 0}},
    {"safe, a crash and a doubt", {{1, 1, 0, 1, 0, 0}, 2, 2, 1, SAFE, ALONE, 0, 0}},
    {"safe, a crash and a repeat", {{1, 0, 1, 1, 0, 0}, 2, 3, 1, SAFE, ALONE, 0, 0}},
    {"safe, two crashes", {{2, 0, 0, 1, 0, 0}, 3, 3, 1, SAFE, ALONE, 0, 0}},
    {"fast, two crashes", {{2, 0, 0, 1, 0, 0}, 3, 2, 1, FAST, ALONE, 0, 0}},
    {"fast, a crash and a doubt", {{1, 1, 0, 1, 0, 0}, 2, 2, 1, FAST, ALONE, 0, 0}},
    {"refusing, fast", {{2, 0, 0, 0, 0, 0}, 3, 2, 1, FAST, REFUSE, 0, 0}},
    {"lease", {{0, 0, 0, 1, 5, 0}, 1, 1, 1, SAFE, ALONE, 1, 0}},
};

static bool run(const struct plan *plan, uint32_t room)
{
    walk.converge_every = plan->limits.clock != 0 ? 0 : 16;
    bool fine = walk_all(&plan->limits, room);
    printf("%s: %u states, %lu steps, %u deep, %lu left out;", plan->name, walk.count,
           (unsigned long)walk.steps, walk.depth, (unsigned long)walk.no_room);
    for (int i = 0; i < WORLD_MARKS; i++) {
        printf(" %s %lu%s", world_mark_names[i], (unsigned long)world_seen[i],
               i + 1 < WORLD_MARKS ? "," : "\n");
        walk.seen[i] += world_seen[i];
    }
    walk.all_states += walk.count;
    fflush(stdout);
    return fine;
}

int main(int argc, char **argv)
{
    const struct plan *plans = quick;
    size_t count = sizeof quick / sizeof quick[0];
    uint32_t room = UINT32_C(4) << 20;
    bool is_quick = argc < 2 || strcmp(argv[1], "--quick") == 0;
    if (!is_quick && strcmp(argv[1], "--small") == 0) {
        plans = small;
        count = sizeof small / sizeof small[0];
    } else if (!is_quick && strcmp(argv[1], "--long") == 0) {
        plans = large;
        count = sizeof large / sizeof large[0];
        room = UINT32_C(300) << 20;
    } else if (!is_quick) {
        fprintf(stderr, "usage: %s [--quick | --small | --long]\n", argv[0]);
        return 2;
    }
    signal(SIGABRT, on_abort);
    for (size_t i = 0; i < count; i++) {
        if (!run(&plans[i], room)) {
            return 1;
        }
    }
    /* A walk that never saw a fault proves nothing about it. */
    for (int i = 0; i < WORLD_MARKS && is_quick; i++) {
        if (walk.seen[i] == 0) {
            printf("FAILED: not once: %s\n", world_mark_names[i]);
            return 1;
        }
    }
    printf("from %lu states without further faults: the pair came back %lu times, no room %lu\n",
           (unsigned long)(walk.ends[0] + walk.ends[1] + walk.ends[2]),
           (unsigned long)walk.ends[WORLD_CONVERGED], (unsigned long)walk.ends[WORLD_NO_ROOM]);
    printf("%lu states, in all of them I1 to I8 hold\n", (unsigned long)walk.all_states);
    return 0;
}
