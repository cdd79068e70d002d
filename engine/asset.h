/* Assets: the few kinds of value there are. */
#ifndef HF_ENGINE_ASSET_H
#define HF_ENGINE_ASSET_H

#include "answer.h"
#include "ledger.h"

struct hf_turn;

struct hf_asset {
    uint16_t asset; /* its number */
    uint8_t scale;
    uint8_t reserved[5];
    char code[8];
};
HF_STATIC_ASSERT(sizeof(struct hf_asset) == 16, "asset");

/* In the order of registration: the common ones come first, and a walk finds them at once. */
struct hf_assets {
    struct hf_asset list[HF_LEDGER_ASSETS_MAX];
    uint32_t count;
};

/* The asset of a number, or NULL. */
const struct hf_asset *hf_asset_find(const struct hf_assets *assets, uint16_t asset);

/* ASSET_PUT. */
void hf_asset_put(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer);

#endif
