/* A program of a stranger's, in C as in C++ (it is compiled as both): it knows the installed
 * headers, the library and nothing else. Asks a node for an account; usage: user A.B.C.D:PORT
 * ACCOUNT. Exit status: 0 the node answered, 3 it did not in time, 1 no client could be opened. */
#include <holdfast/holdfast.h>

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    struct hf_client_options options;
    memset(&options, 0, sizeof options);
    options.servers[0] = argv[1];
    struct hf_client *client;
    struct hf_fault fault;
    if (hf_client_open(&options, &client, &fault) != HF_STATUS_OK) {
        fprintf(stderr, "%s\n", fault.line);
        return 1;
    }
    struct hf_id account;
    union hf_operation op;
    struct hf_query_reply reply;
    if (!hf_id_parse(argv[2], strlen(argv[2]), &account))
        return 2;
    hf_make_query(&op, hf_client_next_id(client), HF_QUERY_ACCOUNT, account);
    enum hf_status status = hf_client_call(client, &op, &reply, 200000);
    hf_client_close(client);
    if (status != HF_STATUS_OK) {
        puts("no answer");
        return 3;
    }
    puts(hf_code_name(reply.reply.code));
    return 0;
}
