/* Conditions of holds in the ledger: who proves what, when it counts; and what holds tell to
 * whoever looks on. */
#include "hold_fixture.h"

#include <sodium.h>

/* A hold over 100 of account 2 for account 4, without conditions yet. */
static struct hf_op_hold_plan *begin_conditional(struct fixture *f, struct long_operation *op,
                                                 uint8_t required)
{
    struct hf_op_hold_plan *hold = begin_hold_plan(f, op, 100);

    hold->terms.required = required;
    hold->terms.expires_ns = f->now_ns + 100 * SECOND_NS;
    hold_of(hold, 2, HF_ENTRY_REMAINING, 0);
    hold_for(hold, 4);
    return hold;
}

static struct hf_op_condition preimage_of(const char *text, uint8_t length)
{
    struct hf_op_condition condition = {.kind = HF_CONDITION_SHA256};

    crypto_hash_sha256(condition.bytes, (const uint8_t *)text, length);
    return condition;
}

static struct hf_op_condition key_of(uint8_t number, uint8_t secret_key[crypto_sign_SECRETKEYBYTES])
{
    struct hf_op_condition condition = {.kind = HF_CONDITION_SIGNATURE};
    uint8_t seed[crypto_sign_SEEDBYTES];

    memset(seed, number, sizeof(seed));
    crypto_sign_seed_keypair(condition.bytes, secret_key, seed);
    return condition;
}

static void sign(uint8_t signature[64], const uint8_t *secret_key, struct hf_id hold,
                 uint32_t number)
{
    const struct hf_attestation bytes = {HF_ATTESTATION_TAG, hold, number, 0};

    crypto_sign_detached(signature, NULL, (const uint8_t *)&bytes, sizeof(bytes), secret_key);
}

/* Two of three, in any order; the refusal names the first that is missing. */
static void test_some_of_several(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    struct hf_op_hold_plan *hold = begin_conditional(f, &op, 2);

    for (const char *text = "abc"; *text != '\0'; text++) {
        const struct hf_op_condition condition = preimage_of(text, 1);
        hold_until(hold, &condition);
    }
    assert_plan_ok(f, &op);
    struct hf_id id = hold->header.id;
    assert_entry(f, make_capture(f, id, 10, false), HF_CODE_CONDITION_NOT_MET, HF_RULE_CONDITION,
                 1);
    assert_money(f, 0, 900, 1000);
    assert_ok(f, make_attest(f, id, 3, "c", 1));
    assert_money(f, 0, 0, 0);
    assert_entry(f, make_capture(f, id, 10, false), HF_CODE_CONDITION_NOT_MET, HF_RULE_CONDITION,
                 1);
    assert_ok(f, make_attest(f, id, 3, "c", 1)); /* once more is no more */
    assert_entry(f, make_attest(f, id, 3, "a", 1), HF_CODE_BAD_PROOF, HF_RULE_CONDITION, 3);
    assert_entry(f, make_attest(f, id, 2, "a", 1), HF_CODE_BAD_PROOF, HF_RULE_CONDITION, 2);
    assert_entry(f, make_attest(f, id, 4, "a", 1), HF_CODE_UNKNOWN_CONDITION, HF_RULE_CONDITION, 0);
    assert_entry(f, make_capture(f, id, 10, false), HF_CODE_CONDITION_NOT_MET, HF_RULE_CONDITION,
                 1);
    assert_ok(f, make_attest(f, id, 1, "a", 1));
    assert_int_equal(view_hold(f, id).met, 5);
    assert_ok(f, make_capture(f, id, 10, false));
    assert_int_equal(counts_of(f).conditions, 3);
    assert_ok(f, make_release(f, id, HF_AMOUNT_ALL));
    assert_int_equal(counts_of(f).conditions, 0);
    assert_int_equal(view_hold(f, id).met, 5);
    assert_int_equal(view_hold(f, id).condition_count, 3);
}

/* A signature is good for one condition of one hold. */
static void test_replayed_signatures(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    uint8_t secret_key[crypto_sign_SECRETKEYBYTES];
    uint8_t signature[64];
    const struct hf_op_condition key = key_of(9, secret_key);
    struct hf_id ids[2];

    for (int i = 0; i < 2; i++) {
        struct hf_op_hold_plan *hold = begin_conditional(f, &op, 2);
        hold_until(hold, &key);
        hold_until(hold, &key);
        assert_plan_ok(f, &op);
        ids[i] = hold->header.id;
    }
    sign(signature, secret_key, ids[0], 1);
    assert_entry(f, make_attest(f, ids[1], 1, signature, 64), HF_CODE_BAD_PROOF, HF_RULE_CONDITION,
                 1);
    assert_entry(f, make_attest(f, ids[0], 2, signature, 64), HF_CODE_BAD_PROOF, HF_RULE_CONDITION,
                 2);
    assert_ok(f, make_attest(f, ids[0], 1, signature, 64));
    assert_entry(f, make_capture(f, ids[0], 10, false), HF_CODE_CONDITION_NOT_MET,
                 HF_RULE_CONDITION, 2);
    sign(signature, secret_key, ids[0], 2);
    assert_ok(f, make_attest(f, ids[0], 2, signature, 64));
    assert_ok(f, make_capture(f, ids[0], 10, false));
    assert_int_equal(view_hold(f, ids[1]).met, 0);
}

static void test_late_proofs(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    const struct hf_op_condition condition = preimage_of("a", 1);
    struct hf_op_hold_plan *hold = begin_conditional(f, &op, 1);

    hold_until(hold, &condition);
    assert_plan_ok(f, &op);
    struct hf_id lapses = hold->header.id;
    hold = begin_conditional(f, &op, 1);
    hold_until(hold, &condition);
    assert_plan_ok(f, &op);
    struct hf_id resolved = hold->header.id;
    assert_ok(f, make_release(f, resolved, HF_AMOUNT_ALL));
    assert_answer(f, make_attest(f, resolved, 1, "a", 1), HF_CODE_HOLD_RESOLVED, HF_RULE_HOLD);
    assert_answer(f, make_attest(f, account_id(5), 1, "a", 1), HF_CODE_UNKNOWN_HOLD, HF_RULE_HOLD);
    f->now_ns += 100 * SECOND_NS;
    assert_answer(f, make_attest(f, lapses, 1, "a", 1), HF_CODE_HOLD_EXPIRED, HF_RULE_HOLD);
    assert_int_equal(expire(f), 1);
    assert_answer(f, make_attest(f, lapses, 1, "a", 1), HF_CODE_HOLD_EXPIRED, HF_RULE_HOLD);
}

/* Times are met by themselves, and only as long as they are. */
static void test_between_two_times(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    struct hf_op_hold_plan *hold = begin_conditional(f, &op, 2);
    const struct hf_op_condition from = {.kind = HF_CONDITION_NOT_BEFORE,
                                         .time_ns = f->now_ns + 10};
    const struct hf_op_condition until = {.kind = HF_CONDITION_NOT_AFTER,
                                          .time_ns = f->now_ns + 20};

    hold_until(hold, &from);
    hold_until(hold, &until);
    assert_plan_ok(f, &op);
    struct hf_id id = hold->header.id;
    f->now_ns += 9;
    assert_entry(f, make_capture(f, id, 1, false), HF_CODE_CONDITION_NOT_MET, HF_RULE_CONDITION, 1);
    assert_entry(f, make_attest(f, id, 1, "a", 1), HF_CODE_BAD_PROOF, HF_RULE_CONDITION, 1);
    f->now_ns += 1;
    assert_ok(f, make_capture(f, id, 1, false));
    f->now_ns += 10;
    assert_ok(f, make_capture(f, id, 1, false));
    f->now_ns += 1;
    assert_entry(f, make_capture(f, id, 1, false), HF_CODE_CONDITION_NOT_MET, HF_RULE_CONDITION, 2);
}

static void test_proof_by_origin(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    struct hf_op_hold_plan *hold = begin_conditional(f, &op, 1);
    const struct hf_op_condition condition = {.kind = HF_CONDITION_ORIGIN, .code = 12};

    hold_until(hold, &condition);
    assert_plan_ok(f, &op);
    union hf_operation attest = make_attest(f, hold->header.id, 1, "", 0);
    assert_entry(f, attest, HF_CODE_NOT_PERMITTED, HF_RULE_ORIGIN, 0);
    attest = make_attest(f, hold->header.id, 1, "", 0);
    attest.header.origin = 12;
    assert_ok(f, attest);
    assert_ok(f, make_capture(f, hold->header.id, HF_AMOUNT_ALL, false));
}

/* A proof in a chain that fails is none. */
static void test_proof_taken_back(void **state)
{
    struct fixture *f = *state;
    struct long_operation op;
    const struct hf_op_condition condition = preimage_of("a", 1);
    struct hf_op_hold_plan *hold = begin_conditional(f, &op, 1);

    hold_until(hold, &condition);
    assert_plan_ok(f, &op);
    struct hf_id id = hold->header.id;
    union hf_operation attest = make_attest(f, id, 1, "a", 1);
    union hf_operation capture = make_capture(f, id, 101, false);
    struct hf_op_chain *chain = begin_chain(f, &op);
    add_link(chain, &attest);
    add_link(chain, &capture);
    assert_plan(f, &op, HF_CODE_OVER_CAPTURE, HF_RULE_HOLD, 2);
    assert_int_equal(view_hold(f, id).met, 0);
    capture.capture.amount = 100;
    chain = begin_chain(f, &op);
    add_link(chain, &attest);
    add_link(chain, &capture);
    assert_plan_ok(f, &op); /* proof and payment in one */
    assert_hold(f, id, HF_HOLD_RESOLVED, 0, 100);
}

/* ---- events ---- */

static void assert_hold_event(const struct eyes *eyes, uint32_t index, uint8_t kind,
                              struct hf_id hold, int64_t amount)
{
    const struct hf_event *event = &eyes->list[index];

    assert_true(eyes->events.count > index);
    assert_int_equal(event->kind, kind);
    assert_true(hf_id_equal(event->subject, hold));
    assert_int_equal(event->amount, amount);
    assert_int_equal(event->asset, kind == HF_EVENT_ATTESTED ? 0 : USD);
}

static void test_events_of_a_hold(void **state)
{
    struct fixture *f = *state;
    static struct eyes eyes;
    struct long_operation op;
    struct hf_op_hold_plan *hold;

    watch(f, &eyes);
    hold = begin_conditional(f, &op, 1);
    const struct hf_op_condition condition = preimage_of("a", 1);
    hold_until(hold, &condition);
    assert_plan_ok(f, &op);
    struct hf_id id = hold->header.id;
    assert_ok(f, make_attest(f, id, 1, "a", 1));
    assert_ok(f, make_adjust(f, id, HF_ADJUST_RAISE, 5, 0));
    assert_ok(f, make_release(f, id, 15));
    assert_ok(f, make_capture(f, id, 60, true));
    assert_hold_event(&eyes, 0, HF_EVENT_HELD, id, 100);
    assert_hold_event(&eyes, 1, HF_EVENT_ATTESTED, id, 0);
    assert_int_equal(eyes.list[1].entry, 1);
    assert_hold_event(&eyes, 2, HF_EVENT_ADJUSTED, id, 105);
    assert_hold_event(&eyes, 3, HF_EVENT_RELEASED, id, 15);
    assert_event(&eyes, 4, HF_EVENT_POSTED, 2, -60);
    assert_event(&eyes, 5, HF_EVENT_POSTED, 4, 60);
    assert_hold_event(&eyes, 6, HF_EVENT_CAPTURED, id, 60);
    assert_hold_event(&eyes, 7, HF_EVENT_RELEASED, id, 30);
    assert_int_equal(eyes.events.count, 8);
    assert_int_equal(eyes.list[7].type, HF_OP_CAPTURE);
    assert_int_equal(eyes.list[7].place, f->reply.place);
    hf_ledger_watch(f->ledger, NULL);
}

static void test_events_of_expiry_and_cards(void **state)
{
    struct fixture *f = *state;
    static struct eyes eyes;
    union hf_operation card = make_instrument(f, 70, 2);
    union hf_operation hold = make_hold(f, 2, 4, 33);

    card.instrument_put.remaining = 3;
    assert_ok(f, card);
    hold.hold.expires_ns = f->now_ns + 5;
    assert_ok(f, hold);
    watch(f, &eyes);
    assert_ok(f, make_auth(f, 70, 4, 10));
    assert_hold_event(&eyes, 0, HF_EVENT_HELD, f->reply.id, 10);
    assert_event(&eyes, 1, HF_EVENT_DRAWN, 70, 2);
    assert_ok(f, make_class(f, 9, 5));
    assert_event(&eyes, 2, HF_EVENT_PUT, 9, 0);
    f->now_ns += 5;
    assert_int_equal(expire(f), 1);
    assert_hold_event(&eyes, 3, HF_EVENT_EXPIRED, hold.header.id, 33);
    assert_int_equal(eyes.list[3].type, HF_OP_EXPIRE);
    /* What changes nothing tells nothing but a refusal. */
    union hf_operation dry = make_hold(f, 2, 4, 1);
    dry.header.flags |= HF_OP_DRY_RUN;
    assert_false(apply(f, &dry));
    assert_answer(f, make_release(f, hold.header.id, 1), HF_CODE_HOLD_EXPIRED, HF_RULE_HOLD);
    assert_int_equal(eyes.events.count, 5);
    assert_int_equal(eyes.list[4].kind, HF_EVENT_REFUSED);
    hf_ledger_watch(f->ledger, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        each(test_some_of_several),  each(test_replayed_signatures),
        each(test_late_proofs),      each(test_between_two_times),
        each(test_proof_by_origin),  each(test_proof_taken_back),
        each(test_events_of_a_hold), each(test_events_of_expiry_and_cards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
