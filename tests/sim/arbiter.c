/* The arbiter: one linearisable register. A question may reach it late or never, its answer may be
 * lost, and a swap that nobody waits for any more may happen all the same. */
#include "sim.h"

#define DELAY_MOST_MS 6
#define LATE_MOST_MS  60

static struct sim_question *free_question(struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_QUESTIONS; i++) {
        if (!sim->arbiter.questions[i].is_live) {
            return &sim->arbiter.questions[i];
        }
    }
    return NULL;
}

/* What becomes of it, when not all is well: nothing; or it is carried out and nobody hears of it;
 * or its asker gives up first. */
static void make_unsure(struct sim *sim, struct sim_question *question)
{
    struct sim_arbiter *arbiter = &sim->arbiter;
    question->answer.kind = HF_ANSWER_UNKNOWN;
    switch (sim_below(&arbiter->random, 3)) {
    case 0:
        question->is_lost = true;
        break;
    case 1:
        question->answer_ms =
            question->execute_ms + sim_between(&arbiter->random, 0, DELAY_MOST_MS);
        break;
    default:
        question->execute_ms = question->answer_ms + sim_between(&arbiter->random, 1, LATE_MOST_MS);
        break;
    }
}

void sim_arbiter_ask(struct sim *sim, const struct sim_node *node, const struct hf_question *asked)
{
    struct sim_arbiter *arbiter = &sim->arbiter;
    const struct sim_mix *mix = &sim->faults.mix;
    struct sim_question *question = free_question(sim);
    assert(asked->kind == HF_QUESTION_READ || asked->kind == HF_QUESTION_SWAP);
    sim_trace_event(sim, node->number,
                    asked->kind == HF_QUESTION_READ ? "asks for CFG"
                                                    : "asks for epoch # instead of #",
                    asked->wanted.epoch, asked->expected.epoch, asked->ask);
    const struct hf_replica *replica = hf_pair_replica(node->pair);
    bool is_promised = replica->promise >= asked->wanted.epoch && replica->saving == 0;
    if (asked->kind == HF_QUESTION_SWAP && replica->role == HF_ROLE_CLAIMING && !is_promised) {
        sim_wrong(sim, "P6: node %" PRIu32 " claims epoch %" PRIu64 ", and has not promised it",
                  node->number + 1, asked->wanted.epoch);
    }
    if (question == NULL) {
        return; /* it is overrun: no answer ever comes */
    }
    *question = (struct sim_question){.is_live = true,
                                      .node = node->number,
                                      .life = node->life,
                                      .asked = *asked,
                                      .answer = {.ask = asked->ask}};
    /* In pair-fast, when nobody in I has his memory any more, the longer of both logs goes on; and
     * the operator may promote. */
    const uint32_t excuses = 1u << HF_ALARM_BOTH_LOGS_NEEDED | 1u << HF_ALARM_LOSS_POSSIBLE;
    question->is_excused = (replica->alarms & excuses) != 0;
    question->execute_ms = sim->now_ms + sim_between(&arbiter->random, 0, DELAY_MOST_MS);
    question->answer_ms = question->execute_ms + sim_between(&arbiter->random, 0, DELAY_MOST_MS);
    bool unsure = sim_below(&arbiter->random, 1000) < mix->unsure_permille;
    if (sim->faults.is_over) {
        return;
    }
    if (arbiter->is_away) {
        sim_mark(SIM_MARK_ARBITER_AWAY);
        make_unsure(sim, question);
    } else if (unsure) {
        make_unsure(sim, question);
    }
}

static void execute(struct sim *sim, struct sim_question *question)
{
    struct hf_config *config = &sim->arbiter.config;
    const struct hf_question *asked = &question->asked;
    bool answers = question->answer.kind != HF_ANSWER_UNKNOWN;
    bool swaps = asked->kind == HF_QUESTION_SWAP && hf_config_equal(config, &asked->expected);
    question->is_done = true;
    if (swaps) {
        *config = asked->wanted;
        sim_truth_swapped(sim, config, question->is_excused);
        if (!answers) {
            sim_mark(question->answer_ms == 0 ? SIM_MARK_ARBITER_LATE : SIM_MARK_ARBITER_UNSURE);
        }
    }
    if (answers) {
        question->answer.kind = swaps ? HF_ANSWER_DONE : HF_ANSWER_VALUE;
        question->answer.config = *config;
    }
}

static void answer(struct sim *sim, struct sim_question *question)
{
    struct sim_node *node = &sim->nodes[question->node];
    question->answer_ms = 0;
    if (!sim_node_is_up(node) || node->life != question->life) {
        return;
    }
    if (question->asked.kind == HF_QUESTION_SWAP && question->answer.kind == HF_ANSWER_VALUE) {
        sim_mark(SIM_MARK_SWAP_CONFLICT);
    }
    hf_pair_answered(node->pair, &question->answer, sim_node_monotonic_ns(node));
    sim_trace_event(sim, question->node,
                    question->answer.kind == HF_ANSWER_DONE    ? "the arbiter: done, epoch #"
                    : question->answer.kind == HF_ANSWER_VALUE ? "the arbiter: CFG has epoch #"
                                                               : "the arbiter: unknown",
                    question->answer.config.epoch, question->answer.config.primary,
                    question->answer.ask);
}

void sim_arbiter_poll(struct sim *sim)
{
    for (uint32_t i = 0; i < SIM_QUESTIONS; i++) {
        struct sim_question *question = &sim->arbiter.questions[i];
        if (!question->is_live) {
            continue;
        }
        if (!question->is_done && !question->is_lost && question->execute_ms <= sim->now_ms) {
            execute(sim, question);
        }
        /* A node that stands still hears of it later. */
        if (question->answer_ms != 0 && question->answer_ms <= sim->now_ms &&
            sim->nodes[question->node].paused_ms <= sim->now_ms) {
            answer(sim, question);
        }
        question->is_live = question->answer_ms != 0 || !(question->is_done || question->is_lost);
    }
}
