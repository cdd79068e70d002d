/* `holdfast drill`: hands over to drill.py (tools/drill), which sets up name spaces, nodes and
 * faults. The program itself says where `holdfast` and `holdfastd` are: beside it. The script is
 * looked for where the build leaves it, seen from the program; then where an installation has it,
 * seen from the program, so that it may have been moved as a whole; then where it was configured to
 * be. */
#include "commands.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGUMENTS_MAX 64
#define PATH_SIZE     4096

/* False when there is none. */
static bool find_script(const char *programs, char script[PATH_SIZE])
{
    static const char *const places[] = {"/tools/drill", "/../share/holdfast/drill"};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        int length = snprintf(script, PATH_SIZE, "%s%s/drill.py", programs, places[i]);
        if (length < PATH_SIZE && access(script, R_OK) == 0)
            return true;
    }
    snprintf(script, PATH_SIZE, "%s/drill.py", HOLDFAST_DRILL_DIRECTORY);
    return access(script, R_OK) == 0;
}

int holdfast_drill_main(int argc, char **argv)
{
    static char python[] = "python3";
    static char no_cache[] = "-B";
    static char script[PATH_SIZE];
    char programs[PATH_SIZE];
    char *words[ARGUMENTS_MAX + 4];
    int count = 0;

    ssize_t length = readlink("/proc/self/exe", programs, sizeof programs - 1);
    if (length > 0)
        programs[length] = '\0';
    char *slash = length <= 0 ? NULL : strrchr(programs, '/');
    if (slash == NULL || argc > ARGUMENTS_MAX) {
        fprintf(stderr, "holdfast drill: %s\n",
                slash == NULL ? "where this program lies cannot be told" : "too many arguments");
        return HF_EXIT_USAGE;
    }
    *slash = '\0';
    if (!find_script(programs, script)) {
        fprintf(stderr, "holdfast drill: drill.py is neither beside this program nor in %s\n",
                HOLDFAST_DRILL_DIRECTORY);
        return HF_EXIT_FAILED;
    }
    setenv("HOLDFAST_PROGRAMS", programs, 1);
    words[count++] = python;
    words[count++] = no_cache;
    words[count++] = script;
    for (int i = 1; i < argc; i++)
        words[count++] = argv[i];
    words[count] = NULL;
    execvp(python, words);
    fprintf(stderr, "holdfast drill: python3: %s\n", strerror(errno));
    return HF_EXIT_FAILED;
}
