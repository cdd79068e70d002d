#include "session.h"

#include "rate.h"
#include "wire.h"

#include <assert.h>
#include <string.h>

#define ORIGINS_MAX   65536
#define SHARE_MAX     256
#define HOST_RATES    1024
#define ADDRESS_RATES 4096
#define HELLOS_KEPT   64
#define SECOND_NS     UINT64_C(1000000000)
#define ID_ALWAYS     (UINT64_C(1) << 63) /* no session's number is zero */

_Static_assert(ORIGINS_MAX *SHARE_MAX - 1 <= HF_SESSION_INDEX_MASK,
               "a session's place fits its number");
_Static_assert((HOST_RATES & (HOST_RATES - 1)) == 0, "hosts are told apart by low bits");
_Static_assert((ADDRESS_RATES & (ADDRESS_RATES - 1)) == 0, "and addresses");

/* A hello that has been taken. */
struct hello_seen {
    uint64_t unix_ns; /* 0: none */
    uint64_t key;     /* of its ephemeral key, eight bytes */
};

/* The newest hellos are remembered, so that none is taken twice. What is older than the oldest that
 * is remembered is not taken at all. A single "newer than the last" would shut out one of two
 * clients of the same origin whose clocks differ. */
struct hf_session_origin {
    uint8_t key[HF_NOISE_KEY_SIZE];
    bool is_set;
    uint64_t floor_unix_ns;
    struct hello_seen hellos[HELLOS_KEPT];
};

struct hf_session {
    uint64_t id; /* 0: this place is free */
    uint64_t heard_ns;
    bool is_told; /* its sending half is the sealer's */
    struct hf_channel channel;
};

/* ---- memory */

static size_t round_up(size_t size)
{
    return (size + HF_SESSION_MEMORY_ALIGNMENT - 1) / HF_SESSION_MEMORY_ALIGNMENT *
           HF_SESSION_MEMORY_ALIGNMENT;
}

uint32_t hf_session_count_max(const struct hf_session_config *config)
{
    return config->origins_max * config->sessions_per_origin;
}

size_t hf_session_memory_size(const struct hf_session_config *config)
{
    assert(config->origins_max >= 1 && config->origins_max <= ORIGINS_MAX);
    assert(config->sessions_per_origin >= 1 && config->sessions_per_origin <= SHARE_MAX);
    return round_up(hf_session_count_max(config) * sizeof(struct hf_session)) +
           round_up(config->origins_max * sizeof(struct hf_session_origin)) +
           round_up(hf_session_count_max(config) * sizeof(struct hf_slate)) +
           round_up((HOST_RATES + ADDRESS_RATES) * sizeof(uint64_t));
}

/* Which hosts share a rate, and which addresses: nobody outside can tell. */
static void deal_places(struct hf_session_table *table)
{
    table->jar.entropy.fill(table->jar.entropy.context, table->place_key, sizeof table->place_key);
}

void hf_session_table_begin(struct hf_session_table *table, const struct hf_session_config *config,
                            const struct hf_key_pair *own, struct hf_entropy entropy, void *memory,
                            uint64_t now_ns)
{
    assert(table != NULL && own != NULL && memory != NULL);
    assert((uintptr_t)memory % HF_SESSION_MEMORY_ALIGNMENT == 0);
    uint8_t *next = memory;
    memset(table, 0, sizeof *table);
    memset(memory, 0, hf_session_memory_size(config));
    table->config = *config;
    table->own = own;
    table->sessions = (struct hf_session *)(void *)next;
    next += round_up(hf_session_count_max(config) * sizeof(struct hf_session));
    table->origins = (struct hf_session_origin *)(void *)next;
    next += round_up(config->origins_max * sizeof(struct hf_session_origin));
    table->slates = (struct hf_slate *)(void *)next;
    next += round_up(hf_session_count_max(config) * sizeof(struct hf_slate));
    table->host_rates = (uint64_t *)(void *)next;
    table->address_rates = table->host_rates + HOST_RATES;
    hf_handshake_keys_make(&table->own_keys, own->public_key);
    hf_cookie_jar_begin(&table->jar, entropy, now_ns);
    deal_places(table);
}

void hf_session_table_wipe(struct hf_session_table *table)
{
    assert(table != NULL && table->sessions != NULL);
    sodium_memzero(table->sessions, hf_session_memory_size(&table->config));
    sodium_memzero(table, sizeof *table);
}

/* ---- origins */

static struct hf_session *share_of(struct hf_session_table *table, uint32_t origin)
{
    assert(origin < table->config.origins_max);
    return &table->sessions[(size_t)origin * table->config.sessions_per_origin];
}

static struct hf_slate *slate_of(struct hf_session_table *table, const struct hf_session *session)
{
    return &table->slates[session - table->sessions];
}

static void end_session(struct hf_session_table *table, struct hf_session *session)
{
    hf_slate_clear(slate_of(table, session));
    sodium_memzero(session, sizeof *session);
}

void hf_session_origin_remove(struct hf_session_table *table, uint32_t origin)
{
    struct hf_session *share = share_of(table, origin);
    for (uint32_t i = 0; i < table->config.sessions_per_origin; i++)
        end_session(table, &share[i]);
    memset(&table->origins[origin], 0, sizeof table->origins[origin]);
}

static uint32_t find_origin(const struct hf_session_table *table,
                            const uint8_t key[HF_NOISE_KEY_SIZE])
{
    for (uint32_t i = 0; i < table->config.origins_max; i++) {
        const struct hf_session_origin *origin = &table->origins[i];
        if (origin->is_set && memcmp(origin->key, key, HF_NOISE_KEY_SIZE) == 0)
            return i;
    }
    return HF_SESSION_ORIGIN_NONE;
}

enum hf_status hf_session_origin_put(struct hf_session_table *table, uint32_t origin,
                                     const uint8_t key[HF_NOISE_KEY_SIZE])
{
    assert(table != NULL && key != NULL);
    assert(origin < table->config.origins_max);
    uint32_t present = find_origin(table, key);
    if (present == origin)
        return HF_STATUS_OK;
    if (present != HF_SESSION_ORIGIN_NONE)
        return HF_STATUS_EXISTS;
    hf_session_origin_remove(table, origin);
    memcpy(table->origins[origin].key, key, HF_NOISE_KEY_SIZE);
    table->origins[origin].is_set = true;
    return HF_STATUS_OK;
}

/* Marks a hello as taken. False when it had been, or may have been. */
static bool is_new_hello(struct hf_session_origin *origin, uint64_t unix_ns, uint64_t key)
{
    struct hello_seen *oldest = &origin->hellos[0];
    if (unix_ns <= origin->floor_unix_ns)
        return false;
    for (uint32_t i = 0; i < HELLOS_KEPT; i++) {
        struct hello_seen *seen = &origin->hellos[i];
        if (seen->unix_ns == unix_ns && seen->key == key)
            return false;
        oldest = seen->unix_ns < oldest->unix_ns ? seen : oldest;
    }
    if (unix_ns <= oldest->unix_ns) { /* it would be the next to be forgotten: forget it at once */
        origin->floor_unix_ns = unix_ns;
        return true;
    }
    if (oldest->unix_ns > origin->floor_unix_ns)
        origin->floor_unix_ns = oldest->unix_ns;
    *oldest = (struct hello_seen){.unix_ns = unix_ns, .key = key};
    return true;
}

/* ---- rates */

static uint64_t place_of(const struct hf_session_table *table, const void *bytes, size_t size)
{
    uint64_t hash;
    _Static_assert(sizeof hash == crypto_shorthash_siphash24_BYTES, "SipHash's output");
    _Static_assert(sizeof table->place_key == crypto_shorthash_siphash24_KEYBYTES, "SipHash's key");
    crypto_shorthash_siphash24((uint8_t *)&hash, bytes, size, table->place_key);
    return hash;
}

static bool host_rate_allows(struct hf_session_table *table,
                             const struct hf_session_arrival *arrival)
{
    uint64_t place = place_of(table, arrival->address.host, sizeof arrival->address.host);
    return hf_rate_allows(&table->host_rates[place % HOST_RATES], table->config.host_per_s,
                          arrival->now_ns);
}

/* What a flood has too much of is dropped before the first hash over it: who is in a session
 * already pays for no more. One address at a time first: many hellos from few addresses leave all
 * others their look. */
static bool may_look(struct hf_session_table *table, const struct hf_handshake_hello *hello,
                     const struct hf_session_arrival *arrival)
{
    uint64_t place = place_of(table, &arrival->address, sizeof arrival->address);
    return hf_rate_allows(&table->address_rates[place % ADDRESS_RATES],
                          table->config.looks_per_address, arrival->now_ns) &&
           hf_rate_allows(&table->look_rates[hf_cookie_is_there(hello)], table->config.looks_per_s,
                          arrival->now_ns);
}

/* ---- handshakes */

static bool is_hello(const struct hf_handshake_header *header)
{
    return header->kind == HF_HANDSHAKE_HELLO && header->to == 0 && header->from != 0 &&
           header->length == sizeof(struct hf_handshake_hello);
}

/* All that is asked before any work on the curve. WELCOMED: go on. */
static enum hf_fate admit(struct hf_session_table *table, const struct hf_handshake_hello *hello,
                          const struct hf_session_arrival *arrival)
{
    uint64_t now_ns = arrival->now_ns;
    if (!may_look(table, hello, arrival))
        return HF_FATE_OVER_RATE;
    if (!hf_handshake_mac_is(hello->mac, table->own_keys.mac, sizeof table->own_keys.mac, hello,
                             offsetof(struct hf_handshake_hello, mac)))
        return HF_FATE_BAD_MAC;
    if (!hf_cipher_is_available(hello->header.suite))
        return HF_FATE_UNSUPPORTED;
    if (hf_cookie_is_good(&table->jar, hello, &arrival->address, now_ns)) {
        if (!host_rate_allows(table, arrival))
            return HF_FATE_OVER_RATE;
    } else if (!hf_rate_allows(&table->free_rate, table->config.free_per_s, now_ns)) {
        return HF_FATE_COOKIE;
    }
    if (!hf_rate_allows(&table->hello_rate, table->config.hellos_per_s, now_ns))
        return HF_FATE_OVER_RATE;
    return HF_FATE_WELCOMED;
}

/* Who is it, and is it now? WELCOMED: `noise` is ready for the second message. */
static enum hf_fate identify(struct hf_session_table *table, const struct hf_handshake_hello *hello,
                             uint64_t unix_ns, struct hf_noise *noise, uint32_t *origin)
{
    uint8_t prologue[HF_HANDSHAKE_PROLOGUE_SIZE];
    uint64_t said_ns = 0, key = 0;
    hf_handshake_prologue(prologue, table->config.purpose, table->config.cluster, &hello->header);
    hf_noise_begin(noise, hello->header.suite, prologue, sizeof prologue, table->own, NULL);
    if (!hf_noise_read_first(noise, hello->noise))
        return HF_FATE_BAD_HANDSHAKE;
    *origin = find_origin(table, noise->remote_static);
    if (*origin == HF_SESSION_ORIGIN_NONE)
        return HF_FATE_UNKNOWN_ORIGIN;
    if (!hf_noise_read_payload(noise, hello->noise + HF_NOISE_FIRST_SIZE - HF_CIPHER_TAG_SIZE,
                               sizeof said_ns, &said_ns))
        return HF_FATE_BAD_HANDSHAKE;
    uint64_t skew_ns = said_ns > unix_ns ? said_ns - unix_ns : unix_ns - said_ns;
    if (said_ns == 0 || skew_ns > HF_SESSION_SKEW_NS)
        return HF_FATE_WRONG_TIME;
    memcpy(&key, hello->noise, sizeof key);
    if (!is_new_hello(&table->origins[*origin], said_ns, key))
        return HF_FATE_REPLAYED_HANDSHAKE;
    return HF_FATE_WELCOMED;
}

static bool is_dead(const struct hf_session *session, uint64_t now_ns)
{
    const struct hf_channel *channel = &session->channel;
    if (session->id == 0 || hf_channel_is_expired(channel, now_ns))
        return true;
    return !channel->is_confirmed && now_ns > channel->born_ns &&
           now_ns - channel->born_ns >= HF_SESSION_CONFIRM_NS;
}

/* A place in the origin's share: a free one, else that of the oldest that nobody has spoken in,
 * else of the one silent longest, if it has been for a while. Whoever replays a hello after a
 * restart drives out what others replayed. */
static struct hf_session *find_place(struct hf_session_table *table, uint32_t origin,
                                     uint64_t now_ns)
{
    struct hf_session *share = share_of(table, origin);
    struct hf_session *silent = NULL, *unconfirmed = NULL;
    for (uint32_t i = 0; i < table->config.sessions_per_origin; i++) {
        struct hf_session *session = &share[i];
        struct hf_session **rival = session->channel.is_confirmed ? &silent : &unconfirmed;
        if (is_dead(session, now_ns))
            return session;
        if (*rival == NULL || session->heard_ns < (*rival)->heard_ns)
            *rival = session;
    }
    if (unconfirmed != NULL)
        return unconfirmed;
    assert(silent != NULL);
    bool is_silent = now_ns > silent->heard_ns && now_ns - silent->heard_ns >= HF_SESSION_SILENT_NS;
    return is_silent ? silent : NULL;
}

static uint64_t draw_id(struct hf_session_table *table, const struct hf_session *session)
{
    uint64_t id = 0;
    table->jar.entropy.fill(table->jar.entropy.context, &id, sizeof id);
    return (id & ~HF_SESSION_INDEX_MASK) | ID_ALWAYS | (uint64_t)(session - table->sessions);
}

/* Makes the session and writes the answer. */
static enum hf_fate welcome(struct hf_session_table *table, const struct hf_handshake_hello *hello,
                            struct hf_noise *noise, uint32_t origin, uint64_t now_ns,
                            struct hf_handshake_welcome *answer)
{
    struct hf_session *session = find_place(table, origin, now_ns);
    if (session == NULL)
        return HF_FATE_NO_ROOM;
    uint8_t ephemeral[HF_NOISE_KEY_SIZE];
    uint64_t id = draw_id(table, session);
    table->jar.entropy.fill(table->jar.entropy.context, ephemeral, sizeof ephemeral);
    hf_handshake_write_header(&answer->header, HF_HANDSHAKE_WELCOME, sizeof *answer,
                              hello->header.suite, hello->header.from, 0);
    bool is_sound = hf_noise_write_second(noise, ephemeral, &id, sizeof id, answer->noise);
    sodium_memzero(ephemeral, sizeof ephemeral);
    if (!is_sound)
        return HF_FATE_BAD_HANDSHAKE;

    struct hf_handshake_keys keys;
    hf_handshake_keys_make(&keys, noise->remote_static);
    hf_handshake_mac(answer->mac, keys.mac, sizeof keys.mac, answer,
                     offsetof(struct hf_handshake_welcome, mac));
    struct hf_cipher sending, receiving;
    hf_noise_split(noise, &sending, &receiving);
    end_session(table, session);
    session->id = id;
    session->heard_ns = now_ns;
    hf_channel_begin(&session->channel, &table->config.limits, false, id, hello->header.from,
                     &sending, &receiving, now_ns);
    hf_cipher_wipe(&sending);
    hf_cipher_wipe(&receiving);
    return HF_FATE_WELCOMED;
}

static enum hf_fate receive_hello(struct hf_session_table *table,
                                  const struct hf_session_arrival *arrival, uint8_t *buffer,
                                  struct hf_session_result *result)
{
    struct hf_handshake_header header;
    struct hf_handshake_hello hello;
    if (!hf_handshake_read_header(&header, arrival->datagram, arrival->length) ||
        !is_hello(&header))
        return HF_FATE_MALFORMED;
    memcpy(&hello, arrival->datagram, sizeof hello);
    hello.header = header; /* what was judged, whatever lies there by now */

    enum hf_fate fate = admit(table, &hello, arrival);
    if (fate == HF_FATE_COOKIE) {
        struct hf_handshake_cookie answer;
        hf_cookie_answer(&table->jar, &table->own_keys, &hello, &arrival->address, arrival->now_ns,
                         &answer);
        memcpy(buffer, &answer, sizeof answer);
        result->length = sizeof answer;
    }
    if (fate != HF_FATE_WELCOMED)
        return fate;

    struct hf_noise noise;
    struct hf_handshake_welcome answer;
    uint32_t origin = HF_SESSION_ORIGIN_NONE;
    fate = identify(table, &hello, arrival->unix_ns, &noise, &origin);
    if (fate == HF_FATE_WELCOMED)
        fate = welcome(table, &hello, &noise, origin, arrival->now_ns, &answer);
    hf_noise_wipe(&noise);
    if (fate == HF_FATE_WELCOMED) {
        memcpy(buffer, &answer, sizeof answer);
        result->length = sizeof answer;
        result->origin = origin;
    }
    return fate;
}

/* ---- sealed datagrams */

/* The session of a number, or NULL. */
static struct hf_session *find_session(const struct hf_session_table *table, uint64_t id)
{
    uint64_t index = id & HF_SESSION_INDEX_MASK;
    if (id == 0 || index >= hf_session_count_max(&table->config))
        return NULL;
    struct hf_session *session = &table->sessions[index];
    return session->id == id ? session : NULL;
}

/* The peer has shown that it has the keys: now it may be answered. */
static void tell_sealer(struct hf_session_table *table, struct hf_session *session)
{
    struct hf_slate *slate = slate_of(table, session);
    if (session->is_told) {
        hf_slate_follow(slate, session->channel.sender.epoch);
        return;
    }
    struct hf_channel_sender sender;
    hf_channel_take_sender(&session->channel, &sender);
    hf_slate_write(slate, session->id, session->channel.peer_id, session->channel.born_ns, &sender);
    hf_cipher_wipe(&sender.key);
    session->is_told = true;
}

static enum hf_fate receive_sealed(struct hf_session_table *table,
                                   const struct hf_session_arrival *arrival, uint8_t *buffer,
                                   struct hf_session_result *result)
{
    struct hf_wire_header header;
    memcpy(&header, arrival->datagram, sizeof header);
    struct hf_session *session = find_session(table, header.session);
    if (session == NULL)
        return HF_FATE_UNKNOWN_SESSION;
    enum hf_fate fate = hf_channel_open(&session->channel, arrival->datagram, arrival->length,
                                        arrival->now_ns, buffer, &result->length);
    if (fate == HF_FATE_OPENED) {
        session->heard_ns = arrival->now_ns;
        tell_sealer(table, session);
        result->session = session->id;
        result->born_ns = session->channel.born_ns;
        result->origin =
            (uint32_t)((size_t)(session - table->sessions) / table->config.sessions_per_origin);
    }
    return fate;
}

static enum hf_fate receive(struct hf_session_table *table,
                            const struct hf_session_arrival *arrival, uint8_t *buffer,
                            struct hf_session_result *result)
{
    struct hf_wire_header header;
    if (arrival->length < sizeof header)
        return HF_FATE_MALFORMED;
    memcpy(&header, arrival->datagram, sizeof header);
    if (header.magic != HF_WIRE_MAGIC || header.version != HF_WIRE_VERSION)
        return HF_FATE_MALFORMED;
    if (header.flags == HF_WIRE_HANDSHAKE)
        return receive_hello(table, arrival, buffer, result);
    if ((header.flags & HF_WIRE_SEALED) != 0)
        return receive_sealed(table, arrival, buffer, result);
    return HF_FATE_UNSEALED;
}

enum hf_fate hf_session_receive(struct hf_session_table *table,
                                const struct hf_session_arrival *arrival, uint8_t *buffer,
                                struct hf_session_result *result)
{
    assert(table != NULL && arrival != NULL);
    assert(buffer != NULL && result != NULL);
    assert(buffer != arrival->datagram);
    *result = (struct hf_session_result){.origin = HF_SESSION_ORIGIN_NONE};
    enum hf_fate fate = receive(table, arrival, buffer, result);
    table->counts[fate]++;
    return fate;
}

bool hf_session_exists(const struct hf_session_table *table, uint64_t session)
{
    assert(table != NULL);
    return find_session(table, session) != NULL;
}

void hf_session_sweep(struct hf_session_table *table, uint64_t now_ns)
{
    assert(table != NULL);
    deal_places(table);
    for (size_t i = 0; i < hf_session_count_max(&table->config); i++) {
        struct hf_session *session = &table->sessions[i];
        if (session->id == 0)
            continue;
        if (is_dead(session, now_ns))
            end_session(table, session);
        else
            hf_channel_age(&session->channel, now_ns);
        hf_slate_age(slate_of(table, session));
    }
}

uint32_t hf_session_count(const struct hf_session_table *table, uint32_t origin)
{
    assert(table != NULL);
    uint32_t share = table->config.sessions_per_origin;
    bool is_all = origin == HF_SESSION_ORIGIN_NONE;
    size_t from = is_all ? 0 : (size_t)origin * share;
    size_t to = is_all ? hf_session_count_max(&table->config) : from + share;
    uint32_t count = 0;
    for (size_t i = from; i < to; i++)
        count += table->sessions[i].id != 0 ? 1 : 0;
    return count;
}
