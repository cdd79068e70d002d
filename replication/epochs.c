/* The epoch table (epochs.h). It has at most 64 lines and is asked when epochs change: a plain walk
 * from the newest is enough. */
#include "epochs.h"

#include <assert.h>
#include <string.h>

uint64_t hf_epochs_newest(const struct hf_epochs *epochs)
{
    assert(epochs->count <= HF_SUPERBLOCK_EPOCHS_MAX);
    return epochs->count == 0 ? 0 : epochs->starts[epochs->count - 1].epoch;
}

uint64_t hf_epochs_at(const struct hf_epochs *epochs, uint64_t index)
{
    if (index == 0) {
        return 0;
    }
    for (uint32_t i = epochs->count; i-- > 0;) {
        if (epochs->starts[i].start_index <= index) {
            return epochs->starts[i].epoch;
        }
    }
    return 0;
}

void hf_epochs_add(struct hf_epochs *epochs, uint64_t epoch, uint64_t start_index)
{
    uint64_t newest = hf_epochs_newest(epochs);
    assert(epoch >= newest);
    if (epoch == newest) {
        return;
    }
    assert(epochs->count == 0 || start_index >= epochs->starts[epochs->count - 1].start_index);
    if (epochs->count == HF_SUPERBLOCK_EPOCHS_MAX) {
        memmove(&epochs->starts[0], &epochs->starts[1],
                (HF_SUPERBLOCK_EPOCHS_MAX - 1) * sizeof epochs->starts[0]);
        epochs->count--;
    }
    epochs->starts[epochs->count++] = (struct hf_epoch_start){epoch, start_index};
}

bool hf_epochs_trim(struct hf_epochs *epochs, uint64_t last_index)
{
    bool trimmed = false;
    while (epochs->count > 0 && epochs->starts[epochs->count - 1].start_index > last_index) {
        epochs->starts[--epochs->count] = (struct hf_epoch_start){0, 0};
        trimmed = true;
    }
    return trimmed;
}

struct hf_place hf_epochs_floor(const struct hf_epochs *epochs, uint64_t last_index,
                                struct hf_place place)
{
    uint64_t index = place.index < last_index ? place.index : last_index;
    for (uint32_t i = epochs->count; i-- > 0 && index > 0;) {
        const struct hf_epoch_start *start = &epochs->starts[i];
        if (start->start_index > index) {
            continue;
        }
        if (start->epoch <= place.epoch) {
            return (struct hf_place){start->epoch, index};
        }
        index = start->start_index - 1;
    }
    return (struct hf_place){0, 0};
}
