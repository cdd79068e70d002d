/* Starts a program inside the node's sandbox, as a node does that starts itself anew.
 *
 *     in_sandbox PROGRAM [ARGUMENT...] */
#include "tools/holdfastd/sandbox.h"

#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct hf_fault fault = {{0}};

    if (argc < 2) {
        fputs("usage: in_sandbox PROGRAM [ARGUMENT...]\n", stderr);
        return 2;
    }
    if (sandbox_enter(&fault) != HF_STATUS_OK) {
        fprintf(stderr, "in_sandbox: %s\n", fault.line);
        return 1;
    }
    execv(argv[1], argv + 1);
    perror(argv[1]);
    return 1;
}
