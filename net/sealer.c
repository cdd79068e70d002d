#include "sealer.h"

#include <assert.h>
#include <string.h>

struct hf_sealer_session {
    _Alignas(64) uint64_t id; /* 0: none */
    uint64_t peer_id;
    uint64_t born_ns;
    struct hf_channel_sender sender;
};

/* ---- slates
 *
 * Every word is stored with release and loaded with acquire, so that they cannot be seen in another
 * order: who reads any word of a newer session also sees that the id is no longer the old one. */

static void store(_Atomic uint64_t *word, uint64_t value)
{
    atomic_store_explicit(word, value, memory_order_release);
}

static uint64_t load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_acquire);
}

void hf_slate_write(struct hf_slate *slate, uint64_t id, uint64_t peer_id, uint64_t born_ns,
                    const struct hf_channel_sender *sender)
{
    uint64_t words[HF_SLATE_KEY_WORDS];
    assert(id != 0 && sender->key.suite != HF_CIPHER_NONE);
    assert(sender->sequence == 0);
    memcpy(words, &sender->key, sizeof words);
    store(&slate->id, 0);
    store(&slate->key_epoch, sender->epoch);
    store(&slate->epoch, sender->epoch);
    store(&slate->peer_id, peer_id);
    store(&slate->born_ns, born_ns);
    for (size_t i = 0; i < HF_SLATE_KEY_WORDS; i++)
        store(&slate->key[i], words[i]);
    sodium_memzero(words, sizeof words);
    store(&slate->id, id);
}

void hf_slate_follow(struct hf_slate *slate, uint32_t epoch)
{
    if (load(&slate->epoch) != epoch)
        store(&slate->epoch, epoch);
}

static void wipe_key(struct hf_slate *slate)
{
    for (size_t i = 0; i < HF_SLATE_KEY_WORDS; i++)
        store(&slate->key[i], 0);
}

void hf_slate_clear(struct hf_slate *slate)
{
    store(&slate->id, 0);
    wipe_key(slate);
}

void hf_slate_age(struct hf_slate *slate)
{
    uint64_t id = load(&slate->id);
    if (id != 0 && load(&slate->taken) == id)
        wipe_key(slate);
}

/* ---- sealing */

size_t hf_sealer_memory_size(uint32_t session_count)
{
    return session_count * sizeof(struct hf_sealer_session);
}

void hf_sealer_begin(struct hf_sealer *sealer, struct hf_slate slates[], uint32_t session_count,
                     const struct hf_channel_limits *limits, void *memory)
{
    assert(sealer != NULL && slates != NULL && limits != NULL);
    assert(memory != NULL && (uintptr_t)memory % 64 == 0);
    memset(memory, 0, hf_sealer_memory_size(session_count));
    *sealer = (struct hf_sealer){
        .slates = slates,
        .sessions = memory,
        .session_count = session_count,
        .limits = *limits,
    };
}

void hf_sealer_wipe(struct hf_sealer *sealer)
{
    assert(sealer != NULL && sealer->sessions != NULL);
    sodium_memzero(sealer->sessions, hf_sealer_memory_size(sealer->session_count));
    memset(sealer, 0, sizeof *sealer);
}

/* Takes a session's half over from its slate. False when it is not (or no longer) there. */
static bool take(struct hf_sealer_session *session, struct hf_slate *slate, uint64_t id)
{
    uint64_t words[HF_SLATE_KEY_WORDS];
    if (load(&slate->id) != id)
        return false;
    session->id = 0;
    session->peer_id = load(&slate->peer_id);
    session->born_ns = load(&slate->born_ns);
    for (size_t i = 0; i < HF_SLATE_KEY_WORDS; i++)
        words[i] = load(&slate->key[i]);
    memset(&session->sender, 0, sizeof session->sender);
    memcpy(&session->sender.key, words, sizeof words);
    sodium_memzero(words, sizeof words);
    session->sender.epoch = (uint32_t)load(&slate->key_epoch);
    session->sender.epoch_ns = session->born_ns;
    if (load(&slate->id) != id)
        return false;
    assert(session->sender.key.suite != HF_CIPHER_NONE);
    session->id = id;
    store(&slate->taken, id);
    return true;
}

uint32_t hf_sealer_seal(struct hf_sealer *sealer, uint64_t id, uint8_t *datagram, uint32_t length,
                        size_t capacity, uint64_t now_ns)
{
    assert(sealer != NULL && sealer->sessions != NULL);
    uint64_t index = id & HF_SESSION_INDEX_MASK;
    if (id == 0 || index >= sealer->session_count)
        return 0;
    struct hf_slate *slate = &sealer->slates[index];
    struct hf_sealer_session *session = &sealer->sessions[index];
    if (session->id != id && !take(session, slate, id))
        return 0;
    uint32_t epoch = (uint32_t)load(&slate->epoch);
    if (load(&slate->id) != id)
        return 0;
    if (now_ns > session->born_ns && now_ns - session->born_ns >= sealer->limits.life_ns)
        return 0;
    hf_channel_sender_follow(&session->sender, epoch, now_ns);
    uint32_t sealed = hf_channel_sender_seal(&session->sender, &sealer->limits, session->peer_id,
                                             datagram, length, capacity);
    sealer->sealed += sealed != 0;
    return sealed;
}
