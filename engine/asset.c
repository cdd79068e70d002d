/* Registering assets. */
#include "asset.h"

#include "state.h"

#include <assert.h>
#include <string.h>

const struct hf_asset *hf_asset_find(const struct hf_assets *assets, uint16_t asset)
{
    assert(assets->count <= HF_LEDGER_ASSETS_MAX);
    for (uint32_t i = 0; i < assets->count; i++) {
        if (assets->list[i].asset == asset)
            return &assets->list[i];
    }
    return NULL;
}

static void tell(struct hf_ledger *ledger, uint16_t asset, const struct hf_answer *answer)
{
    hf_event_add(ledger, answer, HF_EVENT_PUT, (struct hf_id){.lo = asset}, 0, 0, 0);
}

void hf_asset_put(struct hf_ledger *ledger, const struct hf_turn *turn, struct hf_answer *answer)
{
    const struct hf_op_asset_put *put = &turn->operation->asset_put;
    struct hf_assets *assets = &ledger->assets;
    const struct hf_asset *known = hf_asset_find(assets, put->asset);

    if (known != NULL) {
        if (known->scale != put->scale || memcmp(known->code, put->code, sizeof(put->code)) != 0)
            hf_answer_refuse(answer, HF_CODE_ASSET_MISMATCH, HF_RULE_ASSET);
        else if (!hf_turn_is_dry(turn))
            tell(ledger, put->asset, answer);
        return;
    }
    if (assets->count == HF_LEDGER_ASSETS_MAX) {
        hf_answer_refuse(answer, HF_CODE_CAPACITY, HF_RULE_TABLE);
        return;
    }
    if (hf_turn_is_dry(turn))
        return;
    hf_undo_keep(&ledger->undo, &assets->count, sizeof(assets->count));
    struct hf_asset *asset = &assets->list[assets->count++];
    asset->asset = put->asset;
    asset->scale = put->scale;
    memcpy(asset->code, put->code, sizeof(asset->code));
    tell(ledger, put->asset, answer);
}
