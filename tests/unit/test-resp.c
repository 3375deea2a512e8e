/* SPDX-License-Identifier: Apache-2.0 */
/* RESP commands: names and times to live, and nothing of keys or values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "wire/resp.h"

static const char *command(const char *text)
{
    static char ret[MH_RESP_TEXT];

    mh_resp_command(text, strlen(text), ret);
    return ret;
}

static void test_commands(void **state)
{
    (void)state;
    assert_string_equal(command("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"), "GET");
    assert_string_equal(command("*1\r\n$4\r\nping\r\n"), "PING");
    assert_string_equal(command("*4\r\n$5\r\nSETEX\r\n$1\r\nk\r\n$2\r\n60\r\n$1\r\nv\r\n"),
                        "SETEX");
}

static void test_time_to_live(void **state)
{
    (void)state;
    assert_string_equal(
        command("*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n$2\r\nEX\r\n$2\r\n60\r\n"), "SET EX");
    assert_string_equal(
        command("*6\r\n$3\r\nset\r\n$1\r\nk\r\n$1\r\nv\r\n$2\r\nNX\r\n$2\r\npx\r\n$1\r\n9\r\n"),
        "SET EX");
    assert_string_equal(command("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\nv\r\n"), "SET");
    /* a key or a value that looks like the option is none */
    assert_string_equal(command("*3\r\n$3\r\nSET\r\n$2\r\nEX\r\n$2\r\nEX\r\n"), "SET");
    /* cut before the option */
    assert_string_equal(command("*5\r\n$3\r\nSET\r\n$1\r\nk\r\n$9\r\nv"), "SET");
}

static void test_others(void **state)
{
    static const char *const no[] = {"",
                                     "GET / HTTP/1.1\r\n",
                                     "*",
                                     "*1\r\n",
                                     "*1\r\n$4\r\nPI",
                                     "*0\r\n",
                                     "*1\r\n$3\r\nG3T\r\n",
                                     "*1\r\n$-1\r\n",
                                     "*99999999999\r\n$1\r\nA\r\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(no); i++)
        assert_string_equal(command(no[i]), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_commands),
                                       cmocka_unit_test(test_time_to_live),
                                       cmocka_unit_test(test_others)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
