/* Which user may look, and which may change something. */
#include "tools/holdfastd/roles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct config config;
static struct roles roles;
static struct hf_fault fault;

static enum hf_status read_roles(const char *readers, const char *writers)
{
    memset(&config, 0, sizeof config);
    memset(&roles, 0xa5, sizeof roles);
    memset(&fault, 0, sizeof fault);
    snprintf(config.admin_readers, sizeof config.admin_readers, "%s", readers);
    snprintf(config.admin_writers, sizeof config.admin_writers, "%s", writers);
    return roles_read(&roles, &config, &fault);
}

static void expect_refusal(const char *readers, const char *writers, const char *line)
{
    assert_int_equal(read_roles(readers, writers), HF_STATUS_INVALID);
    assert_string_equal(fault.line, line);
}

static void test_nobody_is_named(void **state)
{
    (void)state;
    assert_int_equal(read_roles("", ""), HF_STATUS_OK);
    roles.own = 77;
    assert_int_equal(role_of(&roles, 0), ROLE_FULL);
    assert_int_equal(role_of(&roles, 77), ROLE_FULL);
    assert_int_equal(role_of(&roles, 78), ROLE_NONE);
    assert_int_equal(role_of(&roles, UINT32_MAX), ROLE_NONE);
    assert_int_equal(read_roles("   ", "  "), HF_STATUS_OK);
    assert_int_equal(roles.own, geteuid());
    assert_int_equal(role_of(&roles, 78), ROLE_NONE);
}

/* By number or by name; a writer may look as well. */
static void test_named(void **state)
{
    (void)state;
    assert_int_equal(read_roles(" 1001  bin 1003", "daemon 1003 4294967294"), HF_STATUS_OK);
    roles.own = 77;
    assert_int_equal(role_of(&roles, 1001), ROLE_READER);
    assert_int_equal(role_of(&roles, 2), ROLE_READER); /* bin */
    assert_int_equal(role_of(&roles, 1), ROLE_FULL);   /* daemon */
    assert_int_equal(role_of(&roles, 1003), ROLE_FULL);
    assert_int_equal(role_of(&roles, 4294967294), ROLE_FULL);
    assert_int_equal(role_of(&roles, 1002), ROLE_NONE);
}

static void test_refused(void **state)
{
    (void)state;
    expect_refusal("no-such-user-here", "", "admin.readers: there is no user no-such-user-here");
    expect_refusal("", "1 no-such-user-here", "admin.writers: there is no user no-such-user-here");
    expect_refusal("-1", "", "admin.readers: there is no user -1");
    expect_refusal("+1", "", "admin.readers: there is no user +1");
    expect_refusal("1x", "", "admin.readers: there is no user 1x");
    expect_refusal("0x1", "", "admin.readers: there is no user 0x1");
    /* What the kernel takes for no user at all, and beyond. */
    expect_refusal("4294967295", "", "admin.readers: there is no user 4294967295");
    expect_refusal("4294967297", "", "admin.readers: there is no user 4294967297");
    expect_refusal("99999999999999999999", "",
                   "admin.readers: there is no user 99999999999999999999");
}

static void test_sixteen(void **state)
{
    char words[CONFIG_TEXT_SIZE] = "";
    (void)state;
    for (unsigned user = 0; user < ROLES_USERS_MAX; user++)
        snprintf(words + strlen(words), sizeof words - strlen(words), "%u ", 2000 + user);
    assert_int_equal(read_roles(words, words), HF_STATUS_OK);
    roles.own = 77;
    assert_int_equal(role_of(&roles, 2000 + ROLES_USERS_MAX - 1), ROLE_FULL);
    assert_int_equal(role_of(&roles, 2000 + ROLES_USERS_MAX), ROLE_NONE);
    strcat(words, "3000");
    expect_refusal(words, "", "admin.readers: names more than 16 users");
    expect_refusal("", words, "admin.writers: names more than 16 users");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_is_named),
        cmocka_unit_test(test_named),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_sixteen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
