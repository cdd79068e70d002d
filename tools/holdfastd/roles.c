#include "roles.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A user's number from it or from a name. */
static bool find_user(const char *word, uid_t *user)
{
    char *end;
    const struct passwd *entry;

    errno = 0;
    unsigned long number = strtoul(word, &end, 10);
    if (word[0] >= '0' && word[0] <= '9' && *end == '\0' && errno == 0 && number < UINT32_MAX) {
        *user = (uid_t)number;
        return true;
    }
    entry = getpwnam(word);
    if (entry == NULL)
        return false;
    *user = entry->pw_uid;
    return true;
}

static enum hf_status read_users(const char *setting, const char *text,
                                 uid_t users[ROLES_USERS_MAX], uint32_t *count,
                                 struct hf_fault *fault)
{
    char copy[CONFIG_TEXT_SIZE];
    char *rest = NULL;

    *count = 0;
    strcpy(copy, text);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) {
        if (*count == ROLES_USERS_MAX) {
            snprintf(fault->line, sizeof fault->line, "%s: names more than 16 users", setting);
            return HF_STATUS_INVALID;
        }
        if (!find_user(word, &users[(*count)++])) {
            snprintf(fault->line, sizeof fault->line, "%s: there is no user %.60s", setting, word);
            return HF_STATUS_INVALID;
        }
    }
    return HF_STATUS_OK;
}

enum hf_status roles_read(struct roles *roles, const struct config *config, struct hf_fault *fault)
{
    enum hf_status status = read_users("admin.readers", config->admin_readers, roles->readers,
                                       &roles->reader_count, fault);

    roles->own = geteuid();
    if (status == HF_STATUS_OK)
        status = read_users("admin.writers", config->admin_writers, roles->writers,
                            &roles->writer_count, fault);
    return status;
}

static bool is_among(const uid_t users[], uint32_t count, uid_t user)
{
    for (uint32_t i = 0; i < count; i++) {
        if (users[i] == user)
            return true;
    }
    return false;
}

enum role role_of(const struct roles *roles, uid_t user)
{
    if (user == 0 || user == roles->own || is_among(roles->writers, roles->writer_count, user))
        return ROLE_FULL;
    return is_among(roles->readers, roles->reader_count, user) ? ROLE_READER : ROLE_NONE;
}
