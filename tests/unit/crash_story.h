/* A story for crash tests: five hundred operations of every kind that moves money (accounts, moves,
 * holds, captures, releases, cards, authorisations), some of them refused and some sent twice, in
 * bundles; and what an engine that never stops says and holds after each bundle. */
#ifndef HF_TESTS_CRASH_STORY_H
#define HF_TESTS_CRASH_STORY_H

#include "fixture.h"

#include "wal/writer.h"

#define STORY_OPERATIONS 500
#define STORY_BUNDLES    160 /* at most */
#define STORY_BUNDLE_MAX 8
#define STORY_WALLETS    12
#define STORY_CARDS      4

static const struct hf_ledger_limits story_limits = {
    .accounts = 40,
    .instruments = 8,
    .holds = 200,
    .terms = 4,
    .parts = 4,
    .selectors = 1,
    .limits = 4,
    .rolling = 1,
    .remembered = 512,
    .remember_ns = 3600 * UINT64_C(1000000000),
    .record_ns = UINT64_C(45) * 86400 * 1000000000,
    .id_ahead_ns = 60 * UINT64_C(1000000000),
};

struct story {
    uint32_t bundle_count;
    uint32_t first[STORY_BUNDLES + 1]; /* of each bundle's operations */
    uint64_t time_ns[STORY_BUNDLES];
    uint64_t placed[STORY_BUNDLES];          /* which of its operations took a place */
    uint64_t place_after[STORY_BUNDLES + 1]; /* the newest place before bundle b */
    struct hf_id digest[STORY_BUNDLES + 1];  /* of the state before bundle b */
    union hf_operation operations[STORY_OPERATIONS];
    struct hf_reply replies[STORY_OPERATIONS];
    struct hf_id holds[STORY_OPERATIONS];
    uint32_t hold_count;
    uint32_t answers_refused;
    uint32_t repeated;
};

static inline uint64_t story_below(uint64_t *random, uint64_t bound)
{
    return next_random(random) % bound;
}

/* Account 1 pays for all, 2 is a shop, 10 and on are wallets, cards 70 and on belong to the first
 * of them. */
static inline union hf_operation story_begin(struct fixture *f, uint32_t number)
{
    if (number == 0) {
        return make_asset(f, USD, "USD");
    }
    if (number <= 2) {
        return make_account(f, number, number == 1 ? HF_FLOOR_NONE : 0);
    }
    if (number < 3 + STORY_WALLETS) {
        return make_account(f, 10 + number - 3, 0);
    }
    return make_instrument(f, 70 + number - 3 - STORY_WALLETS, 10 + number - 3 - STORY_WALLETS);
}
#define STORY_BEGIN (3 + STORY_WALLETS + STORY_CARDS)

/* A hold that the story has made, most of the time; one that never was, now and then. */
static inline struct hf_id story_hold(const struct story *story, struct fixture *f,
                                      uint64_t *random)
{
    if (story->hold_count == 0 || story_below(random, 20) == 0) {
        return new_id(f);
    }
    return story->holds[story_below(random, story->hold_count)];
}

static inline union hf_operation story_next(struct story *story, struct fixture *f, uint32_t number,
                                            uint64_t *random)
{
    uint64_t one = 10 + story_below(random, STORY_WALLETS + 1); /* the last one is nobody's */
    uint64_t other = 10 + story_below(random, STORY_WALLETS);
    uint64_t amount = 1 + story_below(random, 300);
    if (number < STORY_BEGIN) {
        return story_begin(f, number);
    }
    switch (story_below(random, 12)) {
    case 0:
    case 1:
        return make_move(f, 1, other, 5 * amount);
    case 2:
    case 3:
    case 4:
        return make_move(f, one, other, amount);
    case 5:
        return make_hold(f, one, 2, amount);
    case 6:
        return make_capture(f, story_hold(story, f, random), amount / 2 + 1,
                            story_below(random, 2) == 0);
    case 7:
        return make_release(f, story_hold(story, f, random), amount);
    case 8:
        story->repeated++;
        return story->operations[story_below(random, number)];
    default:
        return make_auth(f, 70 + story_below(random, STORY_CARDS + 1), 2, amount);
    }
}

static inline bool story_makes_hold(const union hf_operation *operation)
{
    return operation->header.type == HF_OP_HOLD || operation->header.type == HF_OP_AUTH;
}

/* Applies bundle b as it stands. Replies go to `replies`; says which took a place. */
static inline uint64_t story_apply(const struct story *story, uint32_t b, struct hf_ledger *ledger,
                                   struct hf_reply replies[STORY_BUNDLE_MAX])
{
    const union hf_operation *bundle[STORY_BUNDLE_MAX];
    uint32_t count = story->first[b + 1] - story->first[b];
    for (uint32_t i = 0; i < count; i++) {
        bundle[i] = &story->operations[story->first[b] + i];
    }
    memset(replies, 0, count * sizeof *replies);
    return hf_ledger_apply(ledger, story->time_ns[b], bundle, count, replies);
}

static inline void story_make(struct story *story, uint64_t seed)
{
    struct fixture f;
    uint64_t random = seed;
    uint32_t number = 0;
    memset(story, 0, sizeof *story);
    open_fixture(&f, &story_limits);
    while (number < STORY_OPERATIONS) {
        uint32_t b = story->bundle_count++;
        uint32_t count = 1 + (uint32_t)story_below(&random, STORY_BUNDLE_MAX);
        assert_true(b < STORY_BUNDLES);
        story->first[b] = number;
        story->digest[b] = hf_ledger_digest(f.ledger);
        story->place_after[b] = hf_ledger_place(f.ledger);
        f.now_ns += NS_IN_MS;
        story->time_ns[b] = f.now_ns;
        for (; count != 0 && number < STORY_OPERATIONS; count--, number++) {
            story->operations[number] = story_next(story, &f, number, &random);
        }
        story->first[b + 1] = number;
        story->placed[b] = story_apply(story, b, f.ledger, &story->replies[story->first[b]]);
        for (uint32_t i = story->first[b]; i < number; i++) {
            const struct hf_reply *reply = &story->replies[i];
            if (story_makes_hold(&story->operations[i]) && reply->code == HF_CODE_OK) {
                story->holds[story->hold_count++] = reply->id;
            }
            story->answers_refused += reply->code != HF_CODE_OK;
        }
    }
    story->digest[story->bundle_count] = hf_ledger_digest(f.ledger);
    story->place_after[story->bundle_count] = hf_ledger_place(f.ledger);
    assert_true(hf_ledger_is_balanced(f.ledger));
    /* It is worth telling. */
    assert_true(story->hold_count > 50);
    assert_true(story->answers_refused > 30);
    assert_true(story->repeated > 10);
    close_fixture(&f);
}

#endif
