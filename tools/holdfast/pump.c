#include "pump.h"

#include "target.h"

#include <assert.h>
#include <stdio.h>

#define ANSWERS_MOST 256u
#define WAIT_US      50000u
#define SILENCE_NS   UINT64_C(10000000000)

/* Submits from `*next` on until the window is full or all are under way. */
static void fill_window(struct hf_client *client, const struct hf_pump *pump, uint64_t *next,
                        uint64_t count)
{
    union hf_operation op;
    while (*next < count) {
        if (hf_client_in_flight(client) >= ANSWERS_MOST)
            return;
        if (pump->make(pump->context, client, *next, &op)) {
            void *tag = (void *)(uintptr_t)*next;
            enum hf_status status = hf_client_submit(client, &op, tag);
            if (status == HF_STATUS_FULL)
                return;
            assert(status == HF_STATUS_OK);
        }
        (*next)++;
    }
}

enum hf_status hf_pump_run(struct hf_client *client, const struct hf_pump *pump, uint64_t count,
                           struct hf_fault *fault)
{
    struct hf_answer answers[ANSWERS_MOST];
    uint64_t next = 0;
    uint64_t heard_ns = hf_target_now_ns();
    assert(hf_client_in_flight(client) == 0);
    for (;;) {
        fill_window(client, pump, &next, count);
        if (next == count && hf_client_in_flight(client) == 0)
            return HF_STATUS_OK;
        uint32_t got = hf_client_poll(client, answers, ANSWERS_MOST);
        for (uint32_t i = 0; i < got; i++) {
            assert(answers[i].outcome == HF_OUTCOME_ANSWERED);
            uint64_t index = (uint64_t)(uintptr_t)answers[i].context;
            if (!pump->take(pump->context, index, &answers[i].reply, fault))
                return HF_STATUS_IO;
        }
        if (got > 0) {
            heard_ns = hf_target_now_ns();
        } else if (hf_target_now_ns() - heard_ns > SILENCE_NS) {
            snprintf(fault->line, sizeof fault->line, "no answer from the node for 10 seconds");
            return HF_STATUS_TIMEOUT;
        } else {
            hf_client_wait(client, WAIT_US);
        }
    }
}
