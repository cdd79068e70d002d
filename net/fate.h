/* What became of a datagram at a session's door. The first four are the good ends. All others are
 * refusals: nothing has changed, the datagram is counted, and whoever sent it hears nothing. */
#ifndef HF_NET_FATE_H
#define HF_NET_FATE_H

/* name, word for a metric, meaning */
#define HF_FATES(X)                                                                       \
    X(OPENED, "opened", "a sealed datagram was opened")                                   \
    X(WELCOMED, "welcomed", "a handshake was answered with a session")                    \
    X(COOKIE, "cookie", "a handshake was answered with a cookie, or one came")            \
    X(JOINED, "joined", "our own handshake was answered: there is a session")             \
    X(MALFORMED, "malformed", "not laid out as anything we take")                         \
    X(UNSEALED, "unsealed", "a plain datagram")                                           \
    X(UNKNOWN_SESSION, "unknown_session", "sealed for no session of ours")                \
    X(WRONG_EPOCH, "wrong_epoch", "sealed with a key long past or still to come")         \
    X(EXPIRED, "expired", "the session has lived its life")                               \
    X(FORGED, "forged", "its tag is wrong")                                               \
    X(REPLAYED, "replayed", "it had come before")                                         \
    X(TOO_OLD, "too_old", "too far behind the newest to tell whether it had come before") \
    X(BAD_MAC, "bad_mac", "a handshake by someone who does not know our public key")      \
    X(UNSUPPORTED, "unsupported", "a handshake for a cipher that is not to be had here")  \
    X(OVER_RATE, "over_rate", "more handshakes than there is time for")                   \
    X(BAD_HANDSHAKE, "bad_handshake", "a handshake that does not prove its key")          \
    X(UNKNOWN_ORIGIN, "unknown_origin", "a handshake by a key that is not ours to serve") \
    X(WRONG_TIME, "wrong_time", "a handshake made too long ago, or by a wrong clock")     \
    X(REPLAYED_HANDSHAKE, "replayed_handshake", "a handshake that had come before")       \
    X(NO_ROOM, "no_room", "all sessions of the origin are in use")

enum hf_fate {
#define HF_FATE_MEMBER(name, word, meaning) HF_FATE_##name,
    HF_FATES(HF_FATE_MEMBER)
#undef HF_FATE_MEMBER
        HF_FATE_COUNT
};

/* The word of an fate, for metrics. */
static inline const char *hf_fate_word(enum hf_fate fate)
{
    static const char *const words[] = {
#define HF_FATE_WORD(name, word, meaning) word,
        HF_FATES(HF_FATE_WORD)
#undef HF_FATE_WORD
    };
    return fate < HF_FATE_COUNT ? words[fate] : "unknown";
}

#endif
