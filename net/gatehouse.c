#include "gatehouse.h"

#include "key.h"

#include <assert.h>
#include <stdio.h>

static void draw(void *context, void *bytes, size_t size)
{
    (void)context;
    randombytes_buf(bytes, size);
}

static enum hf_status read_keys(struct hf_gatehouse *house, const char *key_file,
                                const char *const node_keys[], uint32_t server_count,
                                struct hf_id cluster, const struct hf_channel_limits *limits,
                                struct hf_fault *fault)
{
    uint8_t remote_key[HF_NOISE_KEY_SIZE];
    enum hf_status status = hf_key_read(key_file, &house->own, fault);

    if (status == HF_STATUS_OK && node_keys[0] == NULL) {
        snprintf(fault->line, sizeof fault->line, "node_keys: whose public key is missing");
        status = HF_STATUS_INVALID;
    }
    for (uint32_t i = 0; i < server_count && status == HF_STATUS_OK; i++) {
        if (node_keys[i] != NULL) /* otherwise the one before is good for this one too */
            status = hf_key_read_public(node_keys[i], remote_key, fault);
        if (status == HF_STATUS_OK)
            hf_gate_begin(&house->gates[i], HF_CIPHER_NONE, cluster, &house->own, remote_key,
                          limits, (struct hf_entropy){draw, NULL});
    }
    return status;
}

struct hf_gatehouse *hf_gatehouse_create(const char *key_file, const char *const node_keys[],
                                         uint32_t server_count, struct hf_id cluster,
                                         const struct hf_channel_limits *limits,
                                         enum hf_status *status, struct hf_fault *fault)
{
    assert(key_file != NULL && node_keys != NULL);
    assert(server_count >= 1 && server_count <= HF_GATEHOUSE_SERVERS_MAX);
    if (sodium_init() < 0) {
        snprintf(fault->line, sizeof fault->line, "no random numbers from the system");
        *status = HF_STATUS_IO;
        return NULL;
    }
    struct hf_gatehouse *house = hf_key_memory_create(sizeof *house, fault);
    if (house == NULL) {
        *status = HF_STATUS_NO_MEMORY;
        return NULL;
    }
    *status = read_keys(house, key_file, node_keys, server_count, cluster,
                        limits != NULL ? limits : &hf_channel_limits_default, fault);
    if (*status == HF_STATUS_OK)
        return house;
    hf_gatehouse_destroy(house);
    return NULL;
}

void hf_gatehouse_destroy(struct hf_gatehouse *house)
{
    hf_key_memory_destroy(house, sizeof *house);
}
