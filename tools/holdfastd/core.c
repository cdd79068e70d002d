#include "core.h"

#include "clock.h"
#include "counters.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <rte_pause.h>

/* Rounds without work between two looks at the clock. */
#define IDLE_ROUNDS 64
/* Away for longer when it let others in, a core stays for so many times as long. */
#define AWAY_NS     UINT64_C(500000)
#define STAYS_TIMES 20
/* Without work for longer, and something under way, a core sleeps, for so long at a time. */
#define HELD_UP_NS      UINT64_C(200000)
#define HELD_UP_WAIT_US 50
/* Longer than what Linux gives by default (0.7 ms to 3 ms, by its number of cores), and no longer
 * than it must be: who asks for more waits longer for its turn where others want the core too. */
#define SLICE_NS      UINT64_C(6000000)
#define RESET_ON_FORK UINT64_C(1) /* SCHED_FLAG_RESET_ON_FORK */

static uint32_t poll_one(struct poller *poller)
{
    uint32_t found = poller->poll(poller->state);

    if (found != 0)
        counter_add(&poller->rounds, 1);
    return found;
}

static bool poll_all(struct core *core)
{
    uint32_t work = 0;

    for (uint32_t i = 0; i < core->poller_count; i++)
        work += poll_one(core->pollers[i]);
    return work != 0;
}

/* The same, and who found something to do has the time that it took noted. */
static bool poll_all_timed(struct core *core)
{
    uint64_t before = clock_monotonic_ns();
    uint32_t work = 0;

    for (uint32_t i = 0; i < core->poller_count; i++) {
        struct poller *poller = core->pollers[i];
        uint32_t found = poll_one(poller);
        uint64_t now = clock_monotonic_ns();
        if (found != 0)
            counter_add(&poller->sampled_ns, now - before);
        before = now;
        work += found;
    }
    return work != 0;
}

static bool is_pending(const struct core *core)
{
    for (uint32_t i = 0; i < core->poller_count; i++) {
        if (core->pollers[i]->is_pending != NULL &&
            core->pollers[i]->is_pending(core->pollers[i]->state))
            return true;
    }
    return false;
}

/* Rounds until the next that is timed, 1 to 32: at random, so that it keeps step with nobody's
 * work. */
static uint32_t draw_rounds(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 27) + 1;
}

/* What the core waits for may be another thread's work on this very processor: a flush ends in one
 * of the kernel's, the other node may have its core here. Without this they would wait for the
 * clock's next tick, milliseconds, each time. Those are back within microseconds; where somebody
 * wants the processor for good, each time costs a whole slice of it, and is worth that only now and
 * then. */
static void let_others_in(struct core *core, uint64_t now)
{
    if (now < core->stays_until_ns)
        return;
    sched_yield();
    uint64_t away_ns = clock_monotonic_ns() - now;
    if (away_ns > AWAY_NS)
        core->stays_until_ns = now + away_ns + STAYS_TIMES * away_ns;
}

/* Nothing was found for `idle_ns`: sleeps when that is long and nothing is under way. What is under
 * way for too long may be held up by this very core: a yield need not let in a thread of another
 * scheduling group than the core's (a session's, a service's; the kernel's own), which Linux can
 * keep waiting for as long as two of the group run in turns. Who sleeps lets in everybody. */
static void rest(struct core *core, uint64_t idle_ns, uint64_t now)
{
    bool pending = is_pending(core);

    if (idle_ns <= (pending ? HELD_UP_NS : core->idle_spin_ns)) {
        let_others_in(core, now);
        return;
    }
    core->wait(core->wait_context, pending ? HELD_UP_WAIT_US : core->idle_wait_us);
    counter_add(&core->sleeps_taken, 1);
}

/* Polls until *quit. The clock is read when work begins or ends and now and then between, not every
 * round. */
static void run(struct core *core)
{
    uint64_t counted_ns = clock_monotonic_ns(); /* up to then time is in busy_ns or idle_ns */
    uint64_t since_ns = counted_ns; /* when the present stretch of work or of idleness began */
    bool working = false;
    uint32_t idle_rounds = 0;
    uint32_t random = core->processor;
    uint32_t to_timed = 1;

    while (!atomic_load_explicit(core->quit, memory_order_relaxed)) {
        bool is_timed = --to_timed == 0;
        bool found = is_timed ? poll_all_timed(core) : poll_all(core);
        uint64_t now;

        if (is_timed)
            to_timed = draw_rounds(&random);
        if (found == working && !is_timed && (found || ++idle_rounds < IDLE_ROUNDS)) {
            if (!found)
                rte_pause();
            continue;
        }
        now = clock_monotonic_ns();
        counter_add(working ? &core->busy_ns : &core->idle_ns, now - counted_ns);
        counted_ns = now;
        idle_rounds = 0;
        if (found != working) {
            since_ns = now;
            working = found;
        } else if (!found && core->sleeps) {
            rest(core, now - since_ns, now);
        }
    }
}

double core_idle_share(const struct core *core, const struct poller *poller)
{
    double busy_ns = (double)counter_read(&core->busy_ns);
    double all_ns = busy_ns + (double)counter_read(&core->idle_ns);
    double sampled_ns = 0;

    for (uint32_t i = 0; i < core->poller_count; i++)
        sampled_ns += (double)counter_read(&core->pollers[i]->sampled_ns);
    if (all_ns == 0 || sampled_ns == 0)
        return 1;
    /* Its own is read last, and may have grown meanwhile. */
    double own = (double)counter_read(&poller->sampled_ns) / sampled_ns;
    return 1 - (own < 1 ? own : 1) * busy_ns / all_ns;
}

/* The first `count` pollers let go of what is bound to this thread. */
static void detach(const struct core *core, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (core->pollers[i]->detach != NULL)
            core->pollers[i]->detach(core->pollers[i]->state);
    }
}

/* What sched_setattr(2) takes: struct sched_attr, version 0. The C library has none yet. */
struct schedule {
    uint32_t size;
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime_ns;
    uint64_t deadline_ns;
    uint64_t period_ns;
};
_Static_assert(sizeof(struct schedule) == 48, "struct sched_attr, version 0");

/* Asks for a longer slice of time than others have, for this thread and none of its children (Linux
 * 6.12; an older kernel takes no notice). Whoever wakes up on its core is then let in at once: the
 * kernel's threads that end the node's writes and flushes, which wait for the clock's next tick
 * else, milliseconds away. */
static void give_way(void)
{
    struct schedule now;

    if (syscall(SYS_sched_getattr, 0, &now, sizeof now, 0) != 0 || now.policy != SCHED_OTHER)
        return;
    now.flags |= RESET_ON_FORK;
    now.runtime_ns = SLICE_NS;
    syscall(SYS_sched_setattr, 0, &now, 0);
}

/* Brings the calling thread to its processor, and its pollers to the thread. */
static enum hf_status attach(struct core *core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(core->processor, &set);
    if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0) {
        snprintf(core->fault.line, sizeof core->fault.line,
                 "core %u: this process may not run there", core->processor);
        return HF_STATUS_INVALID;
    }
    give_way();
    for (uint32_t i = 0; i < core->poller_count; i++) {
        struct poller *poller = core->pollers[i];
        if (poller->attach != NULL && poller->attach(poller->state, &core->fault) != HF_STATUS_OK) {
            detach(core, i + 1);
            return HF_STATUS_INVALID;
        }
    }
    return HF_STATUS_OK;
}

static void *core_main(void *argument)
{
    struct core *core = argument;

    core->status = attach(core);
    sem_post(&core->started);
    if (core->status == HF_STATUS_OK) {
        run(core);
        detach(core, core->poller_count);
    }
    return NULL;
}

enum hf_status core_start(struct core *core, struct hf_fault *fault)
{
    char name[16];
    int error;

    sem_init(&core->started, 0, 0);
    error = pthread_create(&core->thread, NULL, core_main, core);
    if (error != 0) {
        snprintf(fault->line, sizeof fault->line, "core %u: no thread: %s", core->processor,
                 strerror(error));
        return HF_STATUS_NO_MEMORY;
    }
    snprintf(name, sizeof name, "core-%u", core->processor);
    pthread_setname_np(core->thread, name);
    while (sem_wait(&core->started) != 0)
        ; /* a signal came between */
    if (core->status != HF_STATUS_OK) {
        pthread_join(core->thread, NULL);
        *fault = core->fault;
    }
    return core->status;
}

void core_join(struct core *core)
{
    pthread_join(core->thread, NULL);
}

/* ---- the configuration's text
 * ------------------------------------------------------------------------------------ */

static struct poller *find_poller(const char *name, struct poller *pollers, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(pollers[i].name, name) == 0)
            return &pollers[i];
    }
    return NULL;
}

static bool is_placed(const struct poller *poller, const struct core *cores, uint32_t core_count)
{
    for (uint32_t i = 0; i < core_count; i++) {
        for (uint32_t k = 0; k < cores[i].poller_count; k++) {
            if (cores[i].pollers[k] == poller)
                return true;
        }
    }
    return false;
}

static enum hf_status refuse(struct hf_fault *fault, const char *what, const char *why)
{
    snprintf(fault->line, sizeof fault->line, "node.cores: %.60s: %s", what, why);
    return HF_STATUS_INVALID;
}

static enum hf_status place(const char *name, struct poller *pollers, uint32_t poller_count,
                            struct core *cores, uint32_t number, struct hf_fault *fault)
{
    struct poller *poller = find_poller(name, pollers, poller_count);

    if (poller == NULL)
        return refuse(fault, name,
                      "no such poller (rx, or rx0 to rx15; order, log, tx, shard0 to shard63)");
    if (is_placed(poller, cores, number + 1))
        return refuse(fault, name, "stands twice");
    cores[number].pollers[cores[number].poller_count++] = poller;
    return HF_STATUS_OK;
}

uint32_t core_count_numbered(const char *text, const char *name, uint32_t most)
{
    uint32_t count = 0;

    for (const char *at = strstr(text, name); at != NULL; at = strstr(at + 1, name)) {
        char *end;
        const char *digits = at + strlen(name);
        unsigned long number = strtoul(digits, &end, 10);
        if (*digits < '0' || *digits > '9')
            continue;
        if (*end == '-') /* the last of several */
            number = strtoul(end + 1, NULL, 10);
        if (number < most && number >= count)
            count = (uint32_t)number + 1;
    }
    return count;
}

/* A poller's name, or "shard0-7": eight of them. */
static enum hf_status place_word(const char *word, struct poller *pollers, uint32_t poller_count,
                                 struct core *cores, uint32_t number, struct hf_fault *fault)
{
    enum hf_status status = HF_STATUS_OK;
    unsigned from;
    unsigned to;
    int length = 0;
    char name[16];

    size_t letters = strcspn(word, "0123456789");

    if (letters >= sizeof name - 3 ||
        sscanf(word + letters, "%2u-%2u%n", &from, &to, &length) != 2 ||
        word[letters + (size_t)length] != '\0')
        return place(word, pollers, poller_count, cores, number, fault);
    for (; status == HF_STATUS_OK && from <= to; from++) {
        snprintf(name, sizeof name, "%.*s%u", (int)letters, word, from);
        status = place(name, pollers, poller_count, cores, number, fault);
    }
    return status;
}

/* One core: "0: rx order". */
static enum hf_status parse_core(char *text, struct poller *pollers, uint32_t poller_count,
                                 struct core *cores, uint32_t *core_count, struct hf_fault *fault)
{
    char *colon = strchr(text, ':');
    struct core *core = &cores[*core_count];
    char *end;
    unsigned long processor;
    char *rest;

    if (colon == NULL)
        return refuse(fault, text, "is not of the form \"0: rx order log tx\"");
    *colon = '\0';
    processor = strtoul(text, &end, 10);
    if (end == text || end[strspn(end, " ")] != '\0' ||
        processor >= (unsigned long)sysconf(_SC_NPROCESSORS_CONF) || processor >= CPU_SETSIZE)
        return refuse(fault, text, "is no processor of this machine");
    for (uint32_t i = 0; i < *core_count; i++) {
        if (cores[i].processor == processor)
            return refuse(fault, text, "stands twice");
    }
    core->processor = (uint32_t)processor;
    for (char *word = strtok_r(colon + 1, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        enum hf_status status = place_word(word, pollers, poller_count, cores, *core_count, fault);
        if (status != HF_STATUS_OK)
            return status;
    }
    if (core->poller_count == 0)
        return refuse(fault, text, "a core without pollers");
    (*core_count)++;
    return HF_STATUS_OK;
}

enum hf_status core_parse(const char *text, struct poller *pollers, uint32_t poller_count,
                          struct core *cores, uint32_t *core_count, struct hf_fault *fault)
{
    char copy[256];
    char *rest;

    assert(poller_count <= CORE_POLLERS_MAX);
    if (strlen(text) >= sizeof copy)
        return refuse(fault, text, "too long");
    memcpy(copy, text, strlen(text) + 1);
    *core_count = 0;
    for (char *part = strtok_r(copy, ";", &rest); part != NULL; part = strtok_r(NULL, ";", &rest)) {
        enum hf_status status;
        if (*core_count == CORE_COUNT_MAX)
            return refuse(fault, text, "too many cores");
        status =
            parse_core(part + strspn(part, " "), pollers, poller_count, cores, core_count, fault);
        if (status != HF_STATUS_OK)
            return status;
    }
    for (uint32_t i = 0; i < poller_count; i++) {
        if (!is_placed(&pollers[i], cores, *core_count))
            return refuse(fault, pollers[i].name, "this poller has no core");
    }
    return HF_STATUS_OK;
}
