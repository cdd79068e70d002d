#include "once.h"

void hf_once_refuse(const struct hf_turn *turn, uint16_t code, uint64_t timestamp_ns,
                    struct hf_reply *reply)
{
    struct hf_answer answer;

    hf_answer_begin(&answer, turn, 0, timestamp_ns);
    hf_answer_refuse(&answer, code, HF_RULE_ID);
    hf_answer_write_reply(&answer, false, reply);
}

void hf_once_answer_again(const struct hf_answer *first, const struct hf_turn *turn,
                          uint64_t timestamp_ns, struct hf_reply *reply)
{
    if (first->type == turn->type && first->fingerprint == turn->fingerprint)
        hf_answer_write_reply(first, (turn->flags & HF_OP_RETURN_BALANCES) != 0, reply);
    else
        hf_once_refuse(turn, HF_CODE_DUPLICATE_DIFFERENT, timestamp_ns, reply);
}
