/* Runs simulated worlds: `sim --seeds N [--from S]` many, `sim --seed S` one, with its trace. */
#include "sim.h"

#include <getopt.h>
#include <signal.h>
#include <unistd.h>

#define TWICE_EVERY 40    /* of so many seeds one is run again: it must do the same */
#define LONG_RUN    20000 /* seeds: from so many on what is met seldom must have been met too */

static uint64_t running; /* the seed */

static const char *const mark_names[] = {
#define SIM_MARK(name, text) text,
    SIM_MARKS(SIM_MARK)
#undef SIM_MARK
};

/* An assertion has failed somewhere in the product: which seed it was is all that is needed. */
static void tell_seed(int number)
{
    char line[64];
    int length = snprintf(line, sizeof line, "FAILED: seed %" PRIu64 ": an assertion\n", running);
    ssize_t written = write(STDOUT_FILENO, line, (size_t)length);
    (void)written;
    signal(number, SIG_DFL);
    raise(number);
}

static int usage(void)
{
    fprintf(stderr, "usage: sim --seeds N [--from S] [--marks]   runs seeds S (1) to S+N-1\n"
                    "       sim --seed S                        runs one and prints its trace\n");
    return 2;
}

static bool read_number(const char *text, uint64_t *number)
{
    char *end = NULL;
    *number = strtoull(text, &end, 10);
    return *text != '\0' && *end == '\0';
}

static bool show_marks(bool must_all, bool is_long)
{
    bool is_blind = false;
    for (uint32_t i = 0; i < SIM_MARK_COUNT; i++) {
        bool missed = must_all && sim_seen[i] == 0 && (is_long || i < SIM_MARK_JOIN_DOUBT);
        printf("%10" PRIu64 "  %s%s\n", sim_seen[i], mark_names[i],
               missed ? "  <- NEVER: the simulation is blind here" : "");
        is_blind = is_blind || missed;
    }
    return !is_blind;
}

static int run_many(uint64_t from, uint64_t count, bool must_all)
{
    uint64_t twice = 0;
    for (uint64_t seed = from; seed < from + count; seed++) {
        running = seed;
        uint64_t hash = sim_run(seed, NULL);
        if ((seed - from) % TWICE_EVERY != 0) {
            continue;
        }
        twice++;
        if (sim_run(seed, NULL) != hash) {
            printf("FAILED: seed %" PRIu64 " did something else when run again\n", seed);
            return 1;
        }
    }
    bool saw_all = show_marks(must_all, count >= LONG_RUN);
    printf("%" PRIu64 " seeds from %" PRIu64 ", %" PRIu64 " of them twice%s\n", count, from, twice,
           saw_all ? "" : ": FAILED: marks were never met");
    return saw_all ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"seeds", required_argument, NULL, 'n'},
                                            {"seed", required_argument, NULL, 's'},
                                            {"from", required_argument, NULL, 'f'},
                                            {"marks", no_argument, NULL, 'm'},
                                            {NULL, 0, NULL, 0}};
    uint64_t count = 0;
    uint64_t seed = 0;
    uint64_t from = 1;
    bool has_seed = false;
    bool must_all = false;
    int option = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        bool good = option == 'm';
        switch (option) {
        case 'n':
            good = read_number(optarg, &count) && count != 0;
            break;
        case 's':
            good = read_number(optarg, &seed);
            has_seed = good;
            break;
        case 'f':
            good = read_number(optarg, &from);
            break;
        case 'm':
            must_all = true;
            break;
        default:
            break;
        }
        if (!good) {
            return usage();
        }
    }
    if (optind != argc || has_seed == (count != 0)) {
        return usage();
    }
    signal(SIGABRT, tell_seed);
    if (!has_seed) {
        return run_many(from, count, must_all);
    }
    running = seed;
    setlinebuf(stdout); /* to the last line before an assertion */
    printf("trace hash %016" PRIx64 "\n", sim_run(seed, stdout));
    return 0;
}
