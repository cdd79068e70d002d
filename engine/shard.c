/* A shard at work. */
#include "execute.h"
#include "shard_inside.h"

#include <assert.h>
#include <string.h>

/* ---- accounts that are in somebody's hands ---- */

static uint16_t touched_bit(uint64_t hash)
{
    return (uint16_t)((hash >> 16) % HF_TOUCHED_BITS);
}
_Static_assert(HF_TOUCHED_BITS <= UINT16_MAX, "a bit's number fits");

static bool are_touched(const struct hf_touched *touched, const struct hf_parties *parties)
{
    uint64_t seen = 0;

    for (uint32_t k = 0; k < 2; k++)
        seen |= touched->bits[parties->bits[k] / 64] >> (parties->bits[k] % 64);
    return (seen & 1) != 0;
}

static void touch_all(struct hf_touched *touched, const struct hf_parties *parties)
{
    for (uint32_t k = 0; k < 2; k++)
        touched->bits[parties->bits[k] / 64] |= UINT64_C(1) << (parties->bits[k] % 64);
}

/* ---- words ---- */

static void note_word(struct hf_shard *shard, uint32_t from, const struct hf_shard_word *word)
{
    shard->done |= word->done;
    shard->ready |= word->lent; /* of a plain MOVE there is one that lends */
    for (uint64_t left = word->lent & shard->work->whole; left != 0; left &= left - 1)
        shard->lenders[__builtin_ctzll(left)] |= UINT64_C(1) << from;
}

/* Takes in what the others say about the work in hand. What one says about a later work stays with
 * it, and so does all that comes behind: of that nothing is needed yet. */
static void take_in(struct hf_shard *shard)
{
    const struct hf_shard_mail *mail = &shard->shards->mail;

    for (uint64_t left = shard->peers; left != 0; left &= left - 1) {
        uint32_t peer = (uint32_t)__builtin_ctzll(left);
        struct hf_shard_word *word = &shard->early[peer];
        while (word->work != 0 || mail->receive(mail->context, peer, shard->number, word)) {
            assert(word->work >= shard->work->number);
            if (word->work != shard->work->number)
                break;
            note_word(shard, peer, word);
            word->work = 0;
        }
    }
}

static void send_out(struct hf_shard *shard)
{
    const struct hf_shard_mail *mail = &shard->shards->mail;

    for (uint64_t left = shard->carried == 0 ? 0 : shard->peers; left != 0; left &= left - 1) {
        uint32_t peer = (uint32_t)__builtin_ctzll(left);
        shard->outboxes[peer].done |= shard->carried & shard->work->mine[peer];
    }
    shard->carried = 0;

    for (uint64_t left = shard->unsent; left != 0; left &= left - 1) {
        uint32_t peer = (uint32_t)__builtin_ctzll(left);
        struct hf_outbox *outbox = &shard->outboxes[peer];
        const struct hf_shard_word word = {shard->work->number, outbox->lent, outbox->done};
        if (!mail->send(mail->context, shard->number, peer, &word))
            continue;
        *outbox = (struct hf_outbox){0, 0};
        shard->unsent &= ~(UINT64_C(1) << peer);
        shard->counts.words++;
    }
}

static void lend(struct hf_shard *shard, uint32_t i)
{
    uint32_t executor = shard->work->executors[i];
    uint64_t bit = UINT64_C(1) << i;

    assert(executor != shard->number);
    shard->outboxes[executor].lent |= bit;
    shard->unsent |= UINT64_C(1) << executor;
    shard->lent |= bit;
    shard->counts.lent++;
}

/* ---- carrying out ---- */

static void carry_out_move(struct hf_shard *shard, const struct hf_turn *turn,
                           struct hf_answer *answer)
{
    const struct hf_ledger *ledger = shard->shards->ledger;
    const struct hf_op_move *move = &turn->operation->move;
    struct hf_account *payer;
    struct hf_account *payee;

    if (__builtin_expect(hf_turn_is_late(turn, shard->work->timestamp_ns), 0)) {
        hf_turn_refuse_late(turn, answer);
        return;
    }
    if (!hf_turn_find_parties(ledger, turn, move->payer, move->payee, &payer, &payee, answer))
        return;
    if (__builtin_expect(!hf_account_are_plain(payer, payee, move->asset), 0)) {
        bool passes =
            hf_account_admit_others(ledger, payer, payee, move->asset, &hf_attributes_none, answer);
        assert(!passes && "accounts with terms are not moved here");
        (void)passes;
        return;
    }
    hf_execute_move(payer, payee, move->amount, hf_turn_is_dry(turn), answer);
}

/* The events of a plain MOVE, as the general path tells them. */
static void tell_move(struct hf_events *events, const struct hf_turn *turn,
                      const struct hf_answer *answer)
{
    const struct hf_op_move *move = &turn->operation->move;
    struct hf_event event = {
        .place = answer->place,
        .subject = move->payer,
        .amount = -(int64_t)move->amount,
        .asset = move->asset,
        .kind = HF_EVENT_POSTED,
        .type = answer->type,
    };

    hf_event_add_refusal(events, answer);
    if (answer->place == 0 || answer->code != HF_CODE_OK)
        return;
    hf_event_append(events, &event);
    event.subject = move->payee;
    event.amount = (int64_t)move->amount;
    hf_event_append(events, &event);
}

static void carry_out_whole(struct hf_shard *shard, uint32_t i)
{
    struct hf_ledger *ledger = shard->shards->ledger;
    struct hf_work *work = shard->work;
    const struct hf_turn *turn = &ledger->turns[shard->whole_turns[i]];

    if ((work->old >> i & 1) != 0) {
        hf_turn_answer_old(ledger, turn, &work->replies[i]);
        return;
    }
    ledger->dry_place = work->dry_places[i];
    hf_turn_answer(ledger, turn, work->answers[i], &work->replies[i]);
}

static void carry_out(struct hf_shard *shard, uint32_t i)
{
    struct hf_work *work = shard->work;
    const uint64_t others = work->concerned[i] & ~(UINT64_C(1) << shard->number);

    if ((work->whole >> i & 1) != 0) {
        carry_out_whole(shard, i);
    } else {
        const struct hf_turn *turn = &shard->turns[i];
        struct hf_answer *answer = work->answers[i];
        carry_out_move(shard, turn, answer);
        if (shard->events != NULL)
            tell_move(shard->events, turn, answer);
        hf_answer_write_reply(answer, (turn->flags & HF_OP_RETURN_BALANCES) != 0,
                              &work->replies[i]);
    }
    shard->carried |= UINT64_C(1) << i;
    shard->unsent |= others;
    shard->counts.operations++;
    shard->counts.borrowed += others != 0;
}

/* ---- the order ---- */

/* Has everybody lent what this shard needs for one that is no plain MOVE? */
static bool is_lent(const struct hf_shard *shard, uint32_t i)
{
    uint64_t needed = shard->work->concerned[i] & ~(UINT64_C(1) << shard->number);

    return (needed & ~shard->lenders[i]) == 0;
}

static bool executes(const struct hf_shard *shard, uint32_t i)
{
    return (shard->executes >> i & 1) != 0;
}

/* Ends what is pending no longer: own operations for which everything is here now, and lent ones
 * that are done. */
static void settle_pending(struct hf_shard *shard)
{
    const uint64_t own = shard->pending & shard->executes & shard->ready;
    const uint64_t over = own | (shard->pending & ~shard->executes & shard->done);

    for (uint64_t left = own; left != 0; left &= left - 1)
        carry_out(shard, (uint32_t)__builtin_ctzll(left));
    shard->pending &= ~over;
    shard->is_stale = shard->is_stale || over != 0;
}

/* Is one of these accounts in the hands of a pending operation? */
static bool is_in_use(struct hf_shard *shard, const struct hf_parties *parties)
{
    if (!are_touched(&shard->touched, parties))
        return false;
    if (!shard->is_stale)
        return true;
    memset(&shard->touched, 0, sizeof(shard->touched));
    for (uint64_t left = shard->pending; left != 0; left &= left - 1)
        touch_all(&shard->touched, &shard->parties[__builtin_ctzll(left)]);
    shard->is_stale = false;
    return are_touched(&shard->touched, parties);
}

/* Everything before it is over. False: it is not yet done with itself. */
static bool reach_whole(struct hf_shard *shard, uint32_t i)
{
    if (shard->pending != 0)
        return false;
    if (executes(shard, i)) {
        if (!is_lent(shard, i))
            return false;
        carry_out(shard, i);
        return true;
    }
    if ((shard->lent >> i & 1) == 0)
        lend(shard, i);
    return (shard->done >> i & 1) != 0;
}

static bool reach_move(struct hf_shard *shard, uint32_t i)
{
    const struct hf_parties *parties = &shard->parties[i];
    const uint64_t bit = UINT64_C(1) << i;

    if (shard->peers == 0) { /* nobody else has to do with the work, and nothing can be pending */
        carry_out(shard, i);
        return true;
    }
    if (is_in_use(shard, parties))
        return false;
    if ((shard->executes & shard->ready & bit) != 0) {
        carry_out(shard, i);
        return true;
    }
    if (!executes(shard, i))
        lend(shard, i);
    shard->pending |= bit;
    touch_all(&shard->touched, parties);
    return true;
}

/* ---- a work ---- */

static struct hf_turn *begin_turn(struct hf_shard *shard, uint32_t i)
{
    const union hf_operation *operation = shard->work->operations[i];
    struct hf_turn *turn = &shard->turns[i];

    turn->operation = operation;
    turn->type = operation->header.type;
    turn->flags = operation->header.flags;
    return turn;
}

/* The operations of a work that a shard carries out. */
struct own {
    const union hf_operation *wholes[HF_BUNDLE_OPERATIONS_MAX];
    struct hf_turn *moves[HF_BUNDLE_OPERATIONS_MAX];
    uint32_t whole_count;
    uint32_t move_count;
};

/* Asks for what this shard's own plain MOVEs will look at. */
static void look_up(struct hf_shard *shard, struct own *own)
{
    const struct hf_work *work = shard->work;

    own->whole_count = 0;
    own->move_count = 0;
    for (uint64_t left = shard->executes; left != 0; left &= left - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(left);
        if ((work->whole >> i & 1) != 0) {
            shard->whole_turns[i] = (uint8_t)own->whole_count;
            own->wholes[own->whole_count++] = work->operations[i];
        } else {
            own->moves[own->move_count++] = begin_turn(shard, i);
        }
    }
    hf_turns_look_up_moves(shard->shards->ledger, own->moves, own->move_count);
}

/* Finds it, and what its other operations will look at. */
static void prepare(struct hf_shard *shard, const struct own *own)
{
    struct hf_ledger *ledger = shard->shards->ledger;

    hf_turns_prepare_moves(ledger, own->moves, own->move_count);
    if (own->whole_count != 0) {
        ledger->bundle_ns = shard->work->timestamp_ns;
        hf_turns_prepare(ledger, own->wholes, own->whole_count);
    }
}

/* Payer and payee, or whichever of them is this shard's, twice. */
static void note_parties(struct hf_shard *shard)
{
    const struct hf_work *work = shard->work;
    const uint64_t moves = shard->to_reach & ~work->whole;

    for (uint64_t left = moves & shard->executes; left != 0; left &= left - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(left);
        uint32_t second = (uint32_t)(shard->ready >> i & 1); /* so far: what is all its own */
        const struct hf_key *keys = shard->turns[i].keys;
        shard->parties[i].bits[0] = touched_bit(keys[0].hash);
        shard->parties[i].bits[1] = touched_bit(keys[second].hash);
    }
    for (uint64_t left = moves & ~shard->executes; left != 0; left &= left - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(left);
        uint16_t bit = touched_bit(hf_id_hash(work->operations[i]->move.payee));
        shard->parties[i] = (struct hf_parties){{bit, bit}};
    }
}

/* Lends at once what no operation before it touches: then its executor need not wait until this
 * shard comes so far. What is lent so is reached, and pending: whatever touches the same accounts
 * comes behind it. */
static void lend_early(struct hf_shard *shard)
{
    struct hf_touched before = {{0}};
    uint64_t early = 0;

    for (uint64_t left = shard->to_reach; left != 0; left &= left - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(left);
        if ((shard->work->whole >> i & 1) != 0)
            break;
        early |= (uint64_t)!are_touched(&before, &shard->parties[i]) << i;
        touch_all(&before, &shard->parties[i]);
    }
    early &= ~shard->executes;
    for (uint64_t left = early; left != 0; left &= left - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(left);
        lend(shard, i);
        touch_all(&shard->touched, &shard->parties[i]);
    }
    shard->pending = early;
    shard->to_reach &= ~early;
}

void hf_shard_begin(struct hf_shard *shard, struct hf_work *work)
{
    const uint64_t self = UINT64_C(1) << shard->number;
    struct own own;

    assert(shard->work == NULL);
    shard->work = work;
    shard->to_reach = work->mine[shard->number];
    shard->executes = 0;
    shard->peers = 0;
    shard->ready = 0;
    shard->carried = 0;
    for (uint64_t left = shard->to_reach; left != 0; left &= left - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(left);
        shard->executes |= (uint64_t)(work->executors[i] == shard->number) << i;
        shard->ready |= (uint64_t)(work->concerned[i] == self) << i;
        shard->peers |= work->concerned[i] & ~self;
        shard->lenders[i] = 0;
    }
    shard->pending = 0;
    shard->lent = 0;
    shard->done = 0;
    shard->is_stale = false;
    memset(&shard->touched, 0, sizeof(shard->touched));
    look_up(shard, &own);
    if (shard->peers != 0) {
        note_parties(shard);
        lend_early(shard);
    }
    send_out(shard);
    prepare(shard, &own);
}

bool hf_shard_step(struct hf_shard *shard)
{
    assert(shard->work != NULL);
    take_in(shard);
    settle_pending(shard);
    for (; shard->to_reach != 0; shard->to_reach &= shard->to_reach - 1) {
        uint32_t i = (uint32_t)__builtin_ctzll(shard->to_reach);
        bool is_whole = (shard->work->whole >> i & 1) != 0;
        if (!(is_whole ? reach_whole(shard, i) : reach_move(shard, i)))
            break;
    }
    send_out(shard);
    if (shard->to_reach != 0 || shard->pending != 0 || shard->unsent != 0) {
        shard->counts.waits++;
        return false;
    }
    shard->work = NULL;
    shard->counts.works++;
    return true;
}

const struct hf_shard_counts *hf_shard_count(const struct hf_shard *shard)
{
    return &shard->counts;
}
