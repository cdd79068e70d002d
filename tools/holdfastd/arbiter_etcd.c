/* What is odd in etcd's gateway: keys and values are base64, 64-bit numbers are strings. */
#include "arbiter_etcd.h"

#include "etcd_answer.h"

#include <curl/curl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENDPOINTS_MAX   8
#define ENDPOINT_SIZE   128
#define CONNECT_MS      250L
#define ANSWER_MS       600L
#define ANSWER_SIZE_MAX 65536
#define TEXT_SIZE       256

struct etcd {
    CURL *curl;
    struct curl_slist *headers;
    char endpoints[ENDPOINTS_MAX][ENDPOINT_SIZE];
    size_t endpoint_count;
    size_t current; /* the one that answered last */
    char key[TEXT_SIZE];
    char answer[ANSWER_SIZE_MAX];
    size_t answer_length;
};

static void to_text(const void *bytes, size_t length, char text[TEXT_SIZE])
{
    sodium_bin2base64(text, TEXT_SIZE, bytes, length, sodium_base64_VARIANT_ORIGINAL);
}

static size_t take_answer(char *bytes, size_t size, size_t count, void *context)
{
    struct etcd *etcd = context;
    size_t length = size * count;

    if (length > ANSWER_SIZE_MAX - 1 - etcd->answer_length)
        return 0;
    memcpy(etcd->answer + etcd->answer_length, bytes, length);
    etcd->answer_length += length;
    return length;
}

/* One request to one endpoint. NULL when no answer came, or none that can be understood;
 * *not_sent: it can have done nothing there. */
static json_t *post(struct etcd *etcd, const char *path, const char *body, bool *not_sent)
{
    char url[ENDPOINT_SIZE + 32];
    long http = 0;
    CURLcode code;

    snprintf(url, sizeof url, "%s%s", etcd->endpoints[etcd->current], path);
    etcd->answer_length = 0;
    curl_easy_setopt(etcd->curl, CURLOPT_URL, url);
    curl_easy_setopt(etcd->curl, CURLOPT_POSTFIELDS, body);
    code = curl_easy_perform(etcd->curl);
    *not_sent = code == CURLE_COULDNT_CONNECT || code == CURLE_COULDNT_RESOLVE_HOST;
    if (code != CURLE_OK)
        return NULL;
    curl_easy_getinfo(etcd->curl, CURLINFO_RESPONSE_CODE, &http);
    return http == 200 ? json_loadb(etcd->answer, etcd->answer_length, 0, NULL) : NULL;
}

/* Asks the endpoint that answered last, then the others. Once a request may have been carried out,
 * only a read is put to another. */
static json_t *ask_any(struct etcd *etcd, const char *path, const char *body, bool is_read)
{
    for (size_t i = 0; i < etcd->endpoint_count; i++) {
        bool not_sent;
        json_t *answer = post(etcd, path, body, &not_sent);
        if (answer != NULL)
            return answer;
        etcd->current = (etcd->current + 1) % etcd->endpoint_count;
        if (!is_read && !not_sent)
            return NULL;
    }
    return NULL;
}

static void complain_if_not_understood(const json_t *answer, enum hf_answer_kind kind)
{
    if (answer != NULL && kind == HF_ANSWER_UNKNOWN)
        fprintf(stderr, "holdfastd: the arbiter's value is not a configuration of a pair\n");
}

static enum hf_answer_kind read_config(struct etcd *etcd, struct hf_config *config)
{
    char body[2 * TEXT_SIZE];
    json_t *answer;
    enum hf_answer_kind kind;

    snprintf(body, sizeof body, "{\"key\":\"%s\"}", etcd->key);
    answer = ask_any(etcd, "/v3/kv/range", body, true);
    kind = etcd_answer_to_range(answer, config);
    complain_if_not_understood(answer, kind);
    json_decref(answer);
    return kind;
}

static enum hf_answer_kind swap_config(struct etcd *etcd, const struct hf_question *question,
                                       struct hf_config *config)
{
    char expected[TEXT_SIZE];
    char wanted[TEXT_SIZE];
    char compare[2 * TEXT_SIZE];
    char body[6 * TEXT_SIZE];
    json_t *answer;
    enum hf_answer_kind kind;

    to_text(&question->expected, sizeof question->expected, expected);
    to_text(&question->wanted, sizeof question->wanted, wanted);
    if (question->expected.epoch == 0)
        snprintf(compare, sizeof compare,
                 "\"target\":\"CREATE\",\"result\":\"EQUAL\",\"create_revision\":\"0\"");
    else
        snprintf(compare, sizeof compare,
                 "\"target\":\"VALUE\",\"result\":\"EQUAL\",\"value\":\"%s\"", expected);
    snprintf(body, sizeof body,
             "{\"compare\":[{\"key\":\"%s\",%s}],"
             "\"success\":[{\"request_put\":{\"key\":\"%s\",\"value\":\"%s\"}}],"
             "\"failure\":[{\"request_range\":{\"key\":\"%s\"}}]}",
             etcd->key, compare, etcd->key, wanted, etcd->key);
    answer = ask_any(etcd, "/v3/kv/txn", body, false);
    kind = etcd_answer_to_txn(answer, config);
    complain_if_not_understood(answer, kind);
    json_decref(answer);
    return kind;
}

static enum hf_answer_kind ask(void *state, const struct hf_question *question,
                               struct hf_config *config)
{
    return question->kind == HF_QUESTION_READ ? read_config(state, config)
                                              : swap_config(state, question, config);
}

static void destroy(void *state)
{
    struct etcd *etcd = state;

    if (etcd->curl != NULL)
        curl_easy_cleanup(etcd->curl);
    curl_slist_free_all(etcd->headers);
    free(etcd);
}

const struct arbiter_way arbiter_etcd = {.name = "etcd", .ask = ask, .destroy = destroy};

static bool read_endpoints(struct etcd *etcd, const char *text)
{
    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        char *endpoint = etcd->endpoints[etcd->endpoint_count];
        if (etcd->endpoint_count == ENDPOINTS_MAX || length >= ENDPOINT_SIZE ||
            (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0))
            return false;
        memcpy(endpoint, text, length);
        while (length > 0 && endpoint[length - 1] == '/')
            length--;
        endpoint[length] = '\0';
        etcd->endpoint_count++;
        text += strcspn(text, ",");
        text += *text == ',';
    }
    return etcd->endpoint_count != 0;
}

enum hf_status arbiter_etcd_open(const char *endpoints, struct hf_id cluster, void **state,
                                 struct hf_fault *fault)
{
    struct etcd *etcd = calloc(1, sizeof *etcd);
    char id[HF_ID_TEXT_SIZE];
    char key[TEXT_SIZE];

    if (etcd == NULL || !read_endpoints(etcd, endpoints)) {
        free(etcd);
        snprintf(fault->line, sizeof fault->line,
                 "pair.arbiter: %.100s is no list of up to %d addresses like http://10.0.0.3:2379",
                 endpoints, ENDPOINTS_MAX);
        return HF_STATUS_INVALID;
    }
    hf_id_format(cluster, id);
    int length = snprintf(key, sizeof key, HF_CONFIG_KEY_FORMAT, id);
    to_text(key, (size_t)length, etcd->key);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    etcd->curl = curl_easy_init();
    etcd->headers = curl_slist_append(NULL, "Content-Type: application/json");
    if (etcd->curl == NULL || etcd->headers == NULL) {
        destroy(etcd);
        snprintf(fault->line, sizeof fault->line, "no memory for the arbiter's client");
        return HF_STATUS_NO_MEMORY;
    }
    curl_easy_setopt(etcd->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(etcd->curl, CURLOPT_PROXY, ""); /* the arbiter is reached as it is named */
    curl_easy_setopt(etcd->curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS);
    curl_easy_setopt(etcd->curl, CURLOPT_TIMEOUT_MS, ANSWER_MS);
    curl_easy_setopt(etcd->curl, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(etcd->curl, CURLOPT_HTTPHEADER, etcd->headers);
    curl_easy_setopt(etcd->curl, CURLOPT_WRITEFUNCTION, take_answer);
    curl_easy_setopt(etcd->curl, CURLOPT_WRITEDATA, etcd);
    *state = etcd;
    return HF_STATUS_OK;
}
