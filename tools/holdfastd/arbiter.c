#include "arbiter.h"

#include "arbiter_etcd.h"
#include "arbiter_operator.h"
#include "clock.h"
#include "counters.h"
#include "load.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* After a question without an answer. */
#define PAUSE_NS 20000000

static void *arbiter_main(void *argument)
{
    struct arbiter *arbiter = argument;

    pthread_mutex_lock(&arbiter->lock);
    for (;;) {
        struct hf_question question;
        struct hf_arbiter_answer answer = {0};
        uint64_t began_ns;
        uint64_t took_ns;

        while (!arbiter->has_question && !arbiter->stopping)
            pthread_cond_wait(&arbiter->changed, &arbiter->lock);
        if (arbiter->stopping)
            break;
        question = arbiter->question;
        arbiter->has_question = false;
        pthread_mutex_unlock(&arbiter->lock);
        began_ns = clock_monotonic_ns();
        answer.ask = question.ask;
        answer.kind = arbiter->way->ask(arbiter->state, &question, &answer.config);
        took_ns = clock_monotonic_ns() - began_ns;
        counter_add(&arbiter->asked, 1);
        counter_add(&arbiter->unknown, answer.kind == HF_ANSWER_UNKNOWN);
        if (took_ns > counter_read(&arbiter->slowest_ns))
            atomic_store_explicit(&arbiter->slowest_ns, took_ns, memory_order_relaxed);
        if (answer.kind == HF_ANSWER_UNKNOWN)
            nanosleep(&(struct timespec){0, PAUSE_NS}, NULL); /* it will be asked again at once */
        pthread_mutex_lock(&arbiter->lock);
        arbiter->answer = answer;
        arbiter->has_answer = true;
        atomic_store_explicit(&arbiter->answered, true, memory_order_release);
    }
    pthread_mutex_unlock(&arbiter->lock);
    return NULL;
}

enum hf_status arbiter_start(struct arbiter *arbiter, const struct config *config,
                             struct hf_id cluster, struct hf_fault *fault)
{
    enum hf_status status;

    memset(arbiter, 0, sizeof *arbiter);
    if (config->pair_arbiter[0] != '\0') {
        arbiter->way = &arbiter_etcd;
        status = arbiter_etcd_open(config->pair_arbiter, cluster, &arbiter->state, fault);
    } else {
        arbiter->way = &arbiter_operator;
        status = arbiter_operator_open(config, cluster, &arbiter->state, fault);
    }
    if (status != HF_STATUS_OK)
        return status;
    pthread_mutex_init(&arbiter->lock, NULL);
    pthread_cond_init(&arbiter->changed, NULL);
    if (pthread_create(&arbiter->thread, NULL, arbiter_main, arbiter) != 0) {
        snprintf(fault->line, sizeof fault->line, "no thread for the arbiter");
        return HF_STATUS_NO_MEMORY;
    }
    pthread_setname_np(arbiter->thread, "arbiter");
    arbiter->runs = true;
    return HF_STATUS_OK;
}

void arbiter_stop(struct arbiter *arbiter)
{
    if (arbiter->runs) {
        pthread_mutex_lock(&arbiter->lock);
        arbiter->stopping = true;
        pthread_cond_signal(&arbiter->changed);
        pthread_mutex_unlock(&arbiter->lock);
        pthread_join(arbiter->thread, NULL);
        arbiter->runs = false;
    }
    if (arbiter->state != NULL)
        arbiter->way->destroy(arbiter->state);
    arbiter->state = NULL;
}

void arbiter_ask(struct arbiter *arbiter, const struct hf_question *question)
{
    pthread_mutex_lock(&arbiter->lock);
    arbiter->question = *question;
    arbiter->has_question = true;
    pthread_cond_signal(&arbiter->changed);
    pthread_mutex_unlock(&arbiter->lock);
}

bool arbiter_take(struct arbiter *arbiter, struct hf_arbiter_answer *answer)
{
    bool has;

    if (!atomic_load_explicit(&arbiter->answered, memory_order_acquire))
        return false;
    pthread_mutex_lock(&arbiter->lock);
    has = arbiter->has_answer;
    *answer = arbiter->answer;
    arbiter->has_answer = false;
    atomic_store_explicit(&arbiter->answered, false, memory_order_relaxed);
    pthread_mutex_unlock(&arbiter->lock);
    return has;
}
