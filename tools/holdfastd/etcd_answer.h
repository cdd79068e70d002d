/* What etcd's JSON gateway answers, read. In it, what is false, zero or empty is left out, values
 * are base64, and anything may come: what cannot be understood is UNKNOWN. Any thread. */
#ifndef HOLDFASTD_ETCD_ANSWER_H
#define HOLDFASTD_ETCD_ANSWER_H

#include "replication/arbiter.h"

#include <jansson.h>

/* Of /v3/kv/range on the one key: VALUE with what lies there (epoch 0: nothing does), or UNKNOWN.
 * `answer` may be NULL, or anything. */
enum hf_answer_kind etcd_answer_to_range(const json_t *answer, struct hf_config *config);

/* Of /v3/kv/txn that compares, and either puts or reads: DONE, VALUE with what stood in the way, or
 * UNKNOWN. Likewise. */
enum hf_answer_kind etcd_answer_to_txn(const json_t *answer, struct hf_config *config);

#endif
