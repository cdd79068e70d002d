/* Marks of what a simulation has met: a run that never meets one of them is blind there, and
 * fails. */
#ifndef HF_TESTS_SIM_MARKS_H
#define HF_TESTS_SIM_MARKS_H

#include <stdbool.h>
#include <stdint.h>

#define SIM_MARKS(X)                                                         \
    /* Faults. */                                                            \
    X(LOSS, "datagrams lost")                                                \
    X(DUPLICATE, "datagrams doubled")                                        \
    X(DELAY, "datagrams late")                                               \
    X(REORDER, "datagrams overtaken")                                        \
    X(PARTITION, "nodes cut off from each other, both ways")                 \
    X(ONE_WAY, "nodes cut off from each other, one way")                     \
    X(CLIENT_CUT, "a client cut off from a node")                            \
    X(GARBAGE, "garbage received")                                           \
    X(PAUSE, "a node stood still")                                           \
    X(PAUSE_LONG, "a primary stood still beyond the grace")                  \
    X(POWER_CUT, "power cut")                                                \
    X(POWER_CUT_LOSES, "power cut that lost records in flight")              \
    X(POWER_CUT_INSIDE, "power cut in the middle of a blocking call")        \
    X(KILL, "process killed")                                                \
    X(BOTH_DOWN, "both nodes down at once")                                  \
    X(STOP, "node stopped in order")                                         \
    X(WRITE_FAILED, "log poisoned by a failed write")                        \
    X(CALL_FAILED, "start failed by a failed disk call")                     \
    X(FULL, "disk full")                                                     \
    X(DISK_FULL, "node without room for another segment")                    \
    X(ROT_LOG, "a bit of a committed record rotted")                         \
    X(ROT_SUPERBLOCK, "a bit of a superblock's copy rotted")                 \
    X(ROT_FOUND, "start refused: the log is corrupt")                        \
    X(ROT_CHECKPOINT, "a checkpoint damaged as it was written")              \
    X(LET_GO, "old segments removed behind a checkpoint")                    \
    X(REPLACED, "node replaced by an empty one")                             \
    X(CLOCK_FORWARD, "wall clock jumped forward")                            \
    X(CLOCK_BACK, "wall clock jumped back")                                  \
    X(ARBITER_AWAY, "question to an arbiter that is away")                   \
    X(ARBITER_UNSURE, "swap done, and its answer lost")                      \
    X(ARBITER_LATE, "swap done after its asker had given up")                \
    /* The protocol: settling. */                                            \
    X(FOUNDED, "group founded")                                              \
    X(TAKEOVER, "takeover by the standby")                                   \
    X(TAKEOVER_SILENCE, "takeover after silence")                            \
    X(TAKEOVER_HANDOVER, "takeover after a handover")                        \
    X(TAKEOVER_FINISHED, "takeover finished after a restart")                \
    X(SWAP_CONFLICT, "swap that came too late")                              \
    X(SWAP_FOUND, "own swap found done by reading again")                    \
    X(DEPOSED, "primary deposed")                                            \
    X(PROMOTED, "node promoted by the operator")                             \
    X(RESTART_ALONE, "primary that was alone leads again")                   \
    X(RESTART_PAIR, "primary of a pair leads again: the standby is silent")  \
    X(BOTH_LOGS, "both logs compared, the longer wins")                      \
    X(NACK, "closed epoch refused with a NACK")                              \
    X(FENCED, "primary fenced by a NACK")                                    \
    /* Leading. */                                                           \
    X(ALONE, "primary goes on alone")                                        \
    X(REFUSING, "primary refuses without its standby")                       \
    X(DROP_INCARNATION, "standby dropped for a new life (pair-fast)")        \
    X(LEASE, "first echo of an epoch: a lease")                              \
    X(JOIN, "learner taken into I")                                          \
    X(READ_LEASE, "read answered under a lease")                             \
    X(READ_ALONE, "read answered by a primary alone")                        \
    X(READ_REFUSED, "read not answered: no lease")                           \
    X(STEP_DOWN, "primary gives its role away")                              \
    /* Following. */                                                         \
    X(RESEND, "gap: records asked for again")                                \
    X(LEARN_ROUNDS, "logs compared in more than one round")                  \
    X(TRUNCATED, "suffix cut off and quarantined")                           \
    X(ENTER_EPOCH, "follower enters an epoch while catching up")             \
    X(REJOINED, "deposed primary is backup again")                           \
    X(DIGEST, "standby's state compared with the primary's")                 \
    X(FETCHED, "checkpoint taken from the primary, and installed")           \
    X(FETCH_RESUMED, "taking a checkpoint went on after silence")            \
    X(FETCH_RESTARTED, "taking a checkpoint begun anew")                     \
    X(FETCH_REFUSED, "checkpoint of the primary's not taken: damaged")       \
    X(SLOWED, "primary slowed down for a learner")                           \
    /* Clients. */                                                           \
    X(RETRIED, "operation sent again")                                       \
    X(OTHER_NODE, "operation answered by another node than the first asked") \
    X(REPEATED, "answered operation sent again: the same answer")            \
    X(BUSY, "operation refused for want of room")                            \
    X(TOO_NEW, "id refused as too new")                                      \
    X(DEADLINE, "operation refused: its deadline had passed")                \
    X(EXPIRED, "hold ended by the node's own clock")                         \
    /* Seldom, once in a thousand worlds: asked of long runs alone. */       \
    X(JOIN_DOUBT, "joining given up while its swap was in doubt")

enum sim_mark {
#define SIM_MARK(name, text) SIM_MARK_##name,
    SIM_MARKS(SIM_MARK)
#undef SIM_MARK
        SIM_MARK_COUNT
};

#endif
