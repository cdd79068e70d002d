/* Plays a parsed script against a node: sends each line's operation, compares what comes back. */
#ifndef HF_TOOLS_SCRIPT_PLAY_H
#define HF_TOOLS_SCRIPT_PLAY_H

#include "node_process.h"
#include "script_match.h"

struct hf_script_player {
    struct hf_client *client;
    struct hf_node_process *node; /* for restart and stop-start; NULL: the node is not ours */
    const char *admin;            /* its admin socket; NULL: none */
    uint64_t timeout_us;          /* how long one answer may take */
    int64_t clock_ms;             /* how far the node's clock has been moved, by scripts before */
    /* Told about every line played, with what came back. NULL: nobody is. */
    void (*tell)(const struct hf_script_statement *statement, const char *got);
};

struct hf_script_result {
    uint32_t lines;      /* played */
    uint32_t operations; /* sent, repeats included */
    uint32_t restarts;
    const struct hf_script_statement *failed; /* the line that did not hold, NULL: all did */
    char expected[HF_SCRIPT_TEXT_SIZE];
    char got[HF_SCRIPT_TEXT_SIZE];
};

/* Whether the player has all the script needs: a node to restart, an admin socket. `*fault` says
 * what is missing. Its client is not looked at. */
bool hf_script_is_playable(const struct hf_script_player *player, const struct hf_script *script,
                           struct hf_fault *fault);

/* Plays a script, which must be playable, until the end or the first line that does not hold. OK in
 * both cases: see `result->failed`. NO_MEMORY: nothing has been played, `*fault` says so. */
HF_MUST_USE enum hf_status hf_script_play(struct hf_script_player *player, struct hf_script *script,
                                          struct hf_script_result *result, struct hf_fault *fault);

#endif
