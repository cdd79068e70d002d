/* What happened, as a hash and to read. */
#include "sim.h"

#include "wal/hash.h"

#include <stdarg.h>

uint64_t sim_seen[SIM_MARK_COUNT];

void sim_trace_event(struct sim *sim, uint32_t node, const char *what, uint64_t a, uint64_t b,
                     uint64_t c)
{
    const uint64_t words[] = {sim->trace.hash, sim->now_ms, node, strlen(what), a, b, c};
    sim->trace.hash = hf_hash_of(words, sizeof words).lo;
    if (sim->trace.to == NULL) {
        return;
    }
    fprintf(sim->trace.to, "%6" PRIu64 " ", sim->now_ms);
    if (node < SIM_NODES) {
        fprintf(sim->trace.to, "node %" PRIu32 "  ", node + 1);
    } else {
        fprintf(sim->trace.to, "        ");
    }
    /* Each # in the text stands for the next number. */
    const uint64_t numbers[] = {a, b, c};
    size_t next = 0;
    for (const char *s = what; *s != '\0'; s++) {
        if (*s == '#' && next < sizeof numbers / sizeof numbers[0]) {
            fprintf(sim->trace.to, "%" PRIu64, numbers[next++]);
        } else {
            fputc(*s, sim->trace.to);
        }
    }
    fputc('\n', sim->trace.to);
}

void sim_wrong(struct sim *sim, const char *format, ...)
{
    va_list list;
    FILE *to = sim->trace.to != NULL ? sim->trace.to : stdout;
    fflush(stdout);
    fprintf(to, "FAILED: seed %" PRIu64 ", at %" PRIu64 " ms: ", sim->seed, sim->now_ms);
    va_start(list, format);
    vfprintf(to, format, list);
    va_end(list);
    fprintf(to, "\n");
    fflush(to);
    exit(1);
}
