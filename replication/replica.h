/* A replica: one node's part in the protocol of a primary and its standby, as one step function.
 *
 * Something happens (an input), the replica changes, and says what is to be done (an update):
 * messages to send, things to write, questions to the arbiter, how far the log is committed. It
 * does none of it itself: no I/O, no clock, no threads, no memory but its own structure. It knows
 * records by epoch, index and hash, never their contents. PROTOCOL.md tells the whole protocol; the
 * invariants I1 to I8 are named where they are kept.
 *
 * One thread owns a replica. Nothing here blocks or allocates; all times are nanoseconds of one
 * monotonic clock. Assertions are the host's duties; what the peer or the arbiter may do wrong is
 * an alarm. */
#ifndef HF_REPLICATION_REPLICA_H
#define HF_REPLICATION_REPLICA_H

#include "config.h"
#include "epochs.h"
#include "message.h"

#define HF_REPLICA_OUTPUTS_MAX 40
#define HF_REPLICA_WINDOW_MAX  32

enum hf_role {
    HF_ROLE_SETTLING = 0,  /* it is not known yet what this node is */
    HF_ROLE_LEARNER = 1,   /* follows a primary; its acknowledgements do not count */
    HF_ROLE_REJOINING = 2, /* cuts what its log has and the primary's has not */
    HF_ROLE_BACKUP = 3,    /* follows, and is in I */
    HF_ROLE_CLAIMING = 4,  /* on its way to be the primary */
    HF_ROLE_PRIMARY = 5,
    HF_ROLE_HALTED = 6, /* for ever: the alarm says why */
};

enum hf_alarm {
    HF_ALARM_ALONE = 1,             /* answers are safe on this machine only */
    HF_ALARM_REFUSING = 2,          /* the standby is gone, and the setting says: answer nothing */
    HF_ALARM_ARBITER_BEHIND = 3,    /* CFG is older than this node's log: restored from a backup? */
    HF_ALARM_DIVERGED = 4,          /* same epoch and index, another hash */
    HF_ALARM_CUT_COMMITTED = 5,     /* I7: the primary lacks what is known committed */
    HF_ALARM_TWO_PRIMARIES = 6,     /* I1: another node leads this node's epoch */
    HF_ALARM_DURABILITY = 7,        /* the two nodes are configured differently */
    HF_ALARM_STRANGER = 8,          /* a message from a node that is not the peer */
    HF_ALARM_DISK_FAILED = 9,       /* a write or a flush failed */
    HF_ALARM_BOTH_LOGS_NEEDED = 10, /* pair-fast, both were down: waits for the peer's log */
    HF_ALARM_LOSS_POSSIBLE = 11,    /* promoted by the operator outside of I */
    HF_ALARM_STATE_DIFFERS = 12,    /* the follower's state is not the primary's: it has halted */
};

enum hf_on_loss {
    HF_ON_LOSS_ALONE = 1,  /* go on without the standby once the arbiter has it in writing */
    HF_ON_LOSS_REFUSE = 2, /* commit nothing that is not on both nodes */
};

struct hf_replica_options {
    struct hf_id cluster;
    uint32_t node;
    uint32_t peer; /* 0 in solo */
    uint32_t durability;
    uint32_t on_loss;
    uint64_t beacon_ns; /* a primary's sign of life goes out this often */
    uint64_t lease_ns;  /* reads are served this long after an echoed beacon was sent */
    uint64_t grace_ns;  /* a follower waits for beacons this long: lease < grace */
    uint64_t drop_ns;   /* a primary waits for acknowledgements this long */
    uint64_t ask_ns;    /* an unanswered or unclear question to the arbiter is put again */
    uint32_t window;    /* records sent ahead of acknowledgements */
    uint32_t join_lag;  /* records: a learner this close is taken into I */
    uint32_t may_found; /* this node writes the first CFG, when its log is empty */
    uint32_t reserved;
};

enum hf_input_kind {
    HF_INPUT_START = 1,     /* the first one: go and find out what this node is */
    HF_INPUT_MESSAGE = 2,   /* `message`, read and of this cluster; for CUT `own` too */
    HF_INPUT_APPENDED = 3,  /* the primary's own record `own` follows the last one */
    HF_INPUT_FLUSHED = 4,   /* all records up to `index` are durable */
    HF_INPUT_SAVED = 5,     /* promise and epoch table are durable as last asked */
    HF_INPUT_TRUNCATED = 6, /* the log ends with `own` now (index 0: it is empty) */
    HF_INPUT_INSTALLED = 7, /* a checkpoint made after record `own` replaces state and log */
    HF_INPUT_ARBITER = 8,   /* `answer` to the question `ask` */
    HF_INPUT_TICK = 9,      /* time has passed */
    HF_INPUT_DISK_FAILED = 10,
    HF_INPUT_STEP_DOWN = 11, /* the operator: give the role away */
    HF_INPUT_PROMOTE = 12,   /* the operator: lead, whatever I says */
    HF_INPUT_DIVERGED = 13,  /* what was committed leads to another state here, at `index` */
};

enum hf_answer_kind {
    HF_ANSWER_VALUE = 1,   /* CFG is `config` (epoch 0: none); a compare-and-swap did not happen */
    HF_ANSWER_DONE = 2,    /* the compare-and-swap happened */
    HF_ANSWER_UNKNOWN = 3, /* no answer: it may have happened, or may happen yet */
};

/* A record as the protocol knows it. */
struct hf_tag {
    struct hf_place place;
    struct hf_hash hash;
};

struct hf_input {
    enum hf_input_kind kind;
    enum hf_answer_kind answer;
    uint64_t now_ns;
    uint64_t ask;
    uint64_t index;
    uint64_t first_index; /* TICK: the oldest record of the log that can still be sent */
    struct hf_tag own;    /* MESSAGE CUT: this node's record at message.index */
    struct hf_config config;
    struct hf_message message;
};

enum hf_output_kind {
    HF_OUTPUT_SEND = 1,   /* `message`; the host adds what is said below */
    HF_OUTPUT_APPEND = 2, /* append the record that came with this PREPARE, and flush */
    HF_OUTPUT_APPEND_EPOCH =
        3,                  /* append a mark of `config.epoch`, give it as APPENDED, and flush */
    HF_OUTPUT_SAVE = 4,     /* make replica->promise and replica->epochs durable, in one write */
    HF_OUTPUT_TRUNCATE = 5, /* quarantine and cut all after `index`, state included */
    HF_OUTPUT_FETCH = 6,    /* copy a checkpoint of the primary's, beside all else; INSTALLED may be
                               said while replica->needs_checkpoint is not 0. Said again and again */
    HF_OUTPUT_READ = 7,     /* ask the arbiter for CFG, linearisably */
    HF_OUTPUT_SWAP = 8,     /* compare-and-swap replica->config by `config` */
    HF_OUTPUT_COMMIT = 9,   /* all records up to `index` are committed: answer, show, apply */
    HF_OUTPUT_ROLE = 10,
    HF_OUTPUT_ALARM = 11,
};

/* To a PREPARE the host adds the record at message.index: its epoch, hashes and bytes; to a CUT the
 * hash of that record (zero for index 0). It may leave out what it cannot read: the peer asks
 * again. A new question to the arbiter takes the place of the one before. */
struct hf_output {
    enum hf_output_kind kind;
    enum hf_role role;
    enum hf_alarm alarm;
    uint64_t index;
    uint64_t ask;
    struct hf_config config;
    struct hf_message message;
};

struct hf_update {
    uint32_t count;
    struct hf_output outputs[HF_REPLICA_OUTPUTS_MAX];
};

enum hf_saving { /* what goes on when promise and table are durable */
                 HF_SAVING_NOTHING = 0,
                 HF_SAVING_FOLLOW = 1,
                 HF_SAVING_EPOCH = 2,
                 HF_SAVING_CUT = 3,
                 HF_SAVING_CLAIM = 4,
                 HF_SAVING_OPEN = 5,
                 HF_SAVING_INSTALL = 6,
};

enum hf_opening { /* how far an epoch won is from being served */
                  HF_OPENING_NOTHING = 0,
                  HF_OPENING_FLUSH = 1,  /* of all that lies before it */
                  HF_OPENING_SAVE = 2,   /* promise and table */
                  HF_OPENING_APPEND = 3, /* its first record: asked for */
                  HF_OPENING_MARK = 4,   /* and appended, not flushed */
};

enum hf_asking { HF_ASKING_NOTHING = 0, HF_ASKING_READ = 1, HF_ASKING_SWAP = 2 };

/* Moments, together so that they can be seen as such. */
struct hf_replica_times {
    uint64_t now;
    uint64_t heard;    /* primary: the backup; follower: the primary; else: since settling */
    uint64_t progress; /* the backup acknowledged something new, or owed nothing */
    uint64_t beaconed;
    uint64_t leased; /* when the newest echoed beacon was sent */
    uint64_t asked;
};

/* Look, do not touch. All words are defined: two replicas in the same state are equal by memcmp. */
struct hf_replica {
    struct hf_replica_options options;
    uint32_t role;
    uint32_t alarms; /* raised: bit n for alarm n */
    struct hf_replica_times times;

    /* Durable: incarnation, promise and table as the last SAVE says. */
    uint64_t incarnation;
    uint64_t promise; /* nothing of a smaller epoch is accepted */
    struct hf_epochs epochs;

    /* The log. */
    struct hf_tag last;
    uint64_t flushed;
    uint64_t commit; /* every record up to here is known committed; never falls */
    uint64_t first_index;

    uint64_t epoch; /* that this node leads or follows; 0: none */
    uint32_t saving;
    uint32_t cutting; /* 1: a TRUNCATE is under way */

    /* The arbiter. */
    struct hf_config config; /* as last read or written */
    struct hf_config wanted; /* by the swap in doubt */
    uint64_t ask;            /* number of the newest question */
    uint64_t knew;           /* of epochs, when that was asked: see settle.c */
    uint32_t asking;
    uint32_t must_look; /* 1: read CFG at the next chance */

    /* A follower. */
    uint64_t handed_over;      /* the epoch whose primary has said it leads no more */
    uint64_t epoch_start;      /* of the epoch that SAVING_EPOCH enters */
    uint64_t cut;              /* where TRUNCATE cuts */
    struct hf_place asked;     /* comparing logs: the place that LEARN names */
    uint64_t needs_checkpoint; /* the primary has no record before this one any more, and this
                                  node's log ends before it; 0: catches up from the log */
    uint32_t is_verified;      /* its log was compared with the primary's in this epoch */
    uint32_t is_insync;        /* the primary says so */
    uint32_t is_suspicious;    /* no beacon for the grace */
    uint32_t is_stranded;      /* nobody in I is left, or this node cannot tell */
    uint32_t is_forced;        /* the operator has promoted it */

    /* A primary. */
    uint32_t opening;
    uint64_t acked; /* by the peer, in this epoch and incarnation */
    uint64_t next;  /* to send; 0: the peer's log has not been compared */
    uint64_t peer_incarnation;
    uint32_t is_fenced;  /* acknowledges nothing: dropped, or dropping, or has seen a NACK */
    uint32_t is_joining; /* counts on the learner's acknowledgements though I does not */
    uint32_t join_sent;  /* a swap that takes it into I may happen at any time */
    uint32_t has_lease;
};

/* What is known when the node starts. */
struct hf_replica_start {
    uint64_t incarnation; /* of this life, durable */
    uint64_t promise;
    struct hf_epochs epochs;
    struct hf_tag last; /* all of the log is durable (wal/recover.h sees to it) */
    uint64_t known_commit;
    uint64_t now_ns;
};

/* Sets a replica up; the first step is START. Asserts sane options (lease < grace unless there is
 * no lease) and that records of epochs the table lacks are those an interrupted cut has left. */
void hf_replica_init(struct hf_replica *replica, const struct hf_replica_options *options,
                     const struct hf_replica_start *start);

/* One thing has happened. Never more than HF_REPLICA_OUTPUTS_MAX outputs, to be done in order. A
 * halted replica does nothing. */
void hf_replica_step(struct hf_replica *replica, const struct hf_input *input,
                     struct hf_update *update);

/* Whether the host may append client operations (as a record of replica->epoch) now. */
bool hf_replica_may_append(const struct hf_replica *replica);

/* Whether a read may be answered. To be asked AFTER the value was taken, with the time of asking:
 * then no other primary can have answered anything before the value was taken. */
bool hf_replica_may_read(const struct hf_replica *replica, uint64_t now_ns);

/* Names for status, metrics and traces. */
const char *hf_role_name(enum hf_role role);
const char *hf_alarm_name(enum hf_alarm alarm);

#endif
