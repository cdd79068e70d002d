/* `holdfast drill`: hands over to tools/drill/drill.py, which sets up name spaces, nodes and
 * faults. The program itself says where `holdfast` and `holdfastd` are: beside it. */
#include "commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ARGUMENTS_MAX 64

int holdfast_drill_main(int argc, char **argv)
{
    static char python[] = "python3";
    static char script[] = HOLDFAST_DRILL;
    char self[4096];
    char *words[ARGUMENTS_MAX + 3];
    const char *elsewhere = getenv("HOLDFAST_DRILL");
    int count = 0;

    ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash = length < 0 ? NULL : memrchr(self, '/', (size_t)length);
    if (slash == NULL || argc > ARGUMENTS_MAX) {
        fprintf(stderr, "holdfast drill: %s\n",
                slash == NULL ? "where this program lies cannot be told" : "too many arguments");
        return HF_EXIT_USAGE;
    }
    *slash = '\0';
    setenv("HOLDFAST_PROGRAMS", self, 1);
    words[count++] = python;
    words[count++] = elsewhere != NULL ? strdup(elsewhere) : script;
    for (int i = 1; i < argc; i++)
        words[count++] = argv[i];
    words[count] = NULL;
    execvp(python, words);
    fprintf(stderr, "holdfast drill: python3: %s\n", strerror(errno));
    return HF_EXIT_FAILED;
}
