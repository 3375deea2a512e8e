/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner of log records: what it tells of records as the usual formatters write them, and that
 * nothing but words of its classes leaves it. */
#include "wire/logsink.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/errname.h"
#include "base/macros.h"

enum { KEY = 7 };

static struct mh_log_facts scan(const char *text)
{
    struct mh_log_facts ret;

    mh_log_scan(text, strlen(text), KEY, NULL, &ret);
    return ret;
}

/* Whose request it was. */
static void test_idents(void **state)
{
    static const char *const named[] = {"WARNING request_id=8f2 no quote", "{\"traceId\": \"a\"}",
                                        "[X-Request-ID 17] ERROR",
                                        "WARNING 123e4567-e89b-12d3-a456-426614174000 no quote",
                                        "ERROR 4bf92f3577b34da6a3ce929d0e0e4736 no quote"};
    static const char *const not_named[] = {"WARNING no quote for order 17",
                                            "ERROR commit f9bab64 is bad", "WARNING 2024-01-02 no"};

    for (size_t i = 0; i < ARRAY_SIZE(named); i++)
        if (!scan(named[i]).ident)
            fail_msg("%s: nobody is named", named[i]);
    for (size_t i = 0; i < ARRAY_SIZE(not_named); i++)
        if (scan(not_named[i]).ident)
            fail_msg("%s: somebody is named", not_named[i]);
}

static void test_levels(void **state)
{
    static const struct {
        const char *text;
        enum mh_level level;
    } rows[] = {
        {"ERROR:root:cannot pay\n", MH_LEVEL_error},
        {"INFO:     127.0.0.1:53412 - \"GET / HTTP/1.1\" 200 OK\n", MH_LEVEL_info},
        {"\033[32mINFO\033[0m:     Started\n", MH_LEVEL_info},
        {"2024-01-02 03:04:05,678 - shop - WARNING - slow", MH_LEVEL_warning},
        {"[2024-01-02 03:04:05,678: ERROR/MainProcess] Task x raised unexpected", MH_LEVEL_error},
        {"[2024-01-02 03:04:05 +0000] [17] [CRITICAL] WORKER TIMEOUT", MH_LEVEL_critical},
        {"2024-01-02 03:04:05.678 | ERROR    | shop:pay:17 - no", MH_LEVEL_error},
        {"{\"event\": \"x\", \"level\": \"error\"}", MH_LEVEL_error},
        {"{\"levelname\":\"WARNING\",\"message\":\"an ERROR\"}", MH_LEVEL_warning},
        {"{\"severity\" : \"Warn\"}", MH_LEVEL_warning},
        {"2024-01-02 [error    ] cannot pay  order=17", MH_LEVEL_error},
        {"[\033[31m\033[1mcritical \033[0m] \033[1mno\033[0m", MH_LEVEL_critical},
        {"ts=1 level=error msg=x", MH_LEVEL_error},
        {"lvl=warn", MH_LEVEL_warning},
        {"<11>shop: cannot pay", MH_LEVEL_error},
        {"<14>shop: paid", MH_LEVEL_info},
        {"MESSAGE=cannot pay\nPRIORITY=3\nCODE_LINE=7\n", MH_LEVEL_error},
        {"MESSAGE=PRIORITY=3 is what\nPRIORITY=6\n", MH_LEVEL_info},
        {"PRIORITY=33\nPRIORITY=x\n", MH_LEVEL_none},
        {"DEBUG x\nERROR y\nINFO z\n", MH_LEVEL_error},
        {"INFO the ERROR is gone", MH_LEVEL_info},
        {"an error happened", MH_LEVEL_none},
        {"LOG_ERROR=1 ERRORS pre-ERROR x.ERROR ERROR(1)", MH_LEVEL_none},
        {"[errors] [ error", MH_LEVEL_none},
        {"the level was error", MH_LEVEL_none},
        {"", MH_LEVEL_none},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (scan(rows[i].text).level != rows[i].level)
            fail_msg("'%s': level %d", rows[i].text, scan(rows[i].text).level);
}

static void test_tokens(void **state)
{
    static const struct {
        const char *text, *tokens;
    } rows[] = {
        {"redis.exceptions.ConnectionError: Error 111 connecting to localhost:6379. "
         "Connection refused.",
         "ConnectionError ECONNREFUSED localhost:6379"},
        {"OSError: [Errno 28] No space left on device: '/x'", "OSError ENOSPC"},
        {"ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', 6379)",
         "ConnectionRefusedError ECONNREFUSED 127.0.0.1:6379"},
        {"socket.gaierror: [Errno -2] Name or service not known", "gaierror EAI_NONAME"},
        {"HTTPConnectionPool(host='dep', port=8080): Max retries exceeded (Caused by "
         "ConnectTimeoutError(<x>, 'timed out'))",
         "dep:8080 ConnectTimeoutError"},
        {"connection to server at \"127.0.0.1\", port 5432 failed: Connection refused",
         "127.0.0.1:5432 ECONNREFUSED"},
        {"got ECONNRESET then EAI_AGAIN, ECONNRESET", "ECONNRESET EAI_AGAIN"},
        {"psycopg2.Error and Error and httpx.ReadTimeout, Timeout", "Error ReadTimeout"},
        {"ValueError ValueError KeyError OSError IndexError NameError",
         "ValueError KeyError OSError IndexError"},
        {"Too many open files in system", "ENFILE"},
        {"Too many open files", "EMFILE"},
        {"Traceback (most recent call last):\n  File \"a.py\", line 3, in f\nshop.OutOfStock: 17\n"
         "secret: x\n",
         "OutOfStock"},
        {"{\"exc\": \"Traceback (most recent call last):\\n  x\\nValueError: no\"}", "ValueError"},
        {"connected to redis://user:Hunter2@cache:6380/0", "cache:6380"},
        {"GET https://api.example.com/v1 and http://dep:80/", "api.example.com:443 dep:80"},
        {"amqp://guest:**@127.0.0.1:5672// lost", "127.0.0.1:5672"},
        {"postgresql://u:99/77@db:5432/x", "db:5432"},
        {"10.0.0.1:80 db:5432/0 cache:443", "10.0.0.1:80 db:5432 cache:443"},
        {"at 12:34:56 in file.py:1234, 2024-01-02T03:04:05 app.views:17 id:42", ""},
        {"user:12345@h a:1.5 a:80:90 /var/x:8080 x:70000 x:0 MainThread:4321 256.1.1.1:90", ""},
        {"1234:5678 a:123456 x:8080y [::1]:8080", ""},
        {"SystemExit: 1", "SystemExit"},
        {"raise KeyboardInterrupt", "KeyboardInterrupt"},
        {"Exit Interrupt Refused Warning Exception Terror mirror", ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct mh_log_facts f = scan(rows[i].text);

        if (strcmp(f.tokens, rows[i].tokens))
            fail_msg("'%s': '%s'", rows[i].text, f.tokens);
    }
}

static bool only_redis(const char *host, size_t n, unsigned long port)
{
    return n == 5 && !memcmp(host, "redis", 5) && port == 6379;
}

/* What has the shape of a peer may be a password. */
static void test_unknown_peers(void **state)
{
    struct mh_log_facts f;
    static const char text[] = "login admin:54321, redis:6379 and redis:6380, http://hunter2:8080/";

    mh_log_scan(text, sizeof(text) - 1, KEY, only_redis, &f);
    assert_string_equal(f.tokens, "redis:6379");
}

static void test_traces(void **state)
{
#define ID "0af7651916cd43dd8448eb211c80319c"
    static const struct {
        const char *text, *trace;
    } rows[] = {
        {"traceparent: 00-" ID "-b7ad6b7169203331-01", ID},
        {"{\"trace_id\": \"" ID "\", \"level\": \"error\"}", ID},
        {"[trace_id=" ID " span_id=b7ad6b7169203331] failed", ID},
        {"\"traceId\":\"" ID "\"", ID},
        {"trace.id=" ID, ID},
        {"token " ID, ""},
        {"trace_id of " ID, ""},
        {"trace_id=0af7651916cd43dd8448eb211c80319", ""},
        {"trace_id=00000000000000000000000000000000", ""},
        {"00-" ID "-b7ad6b7169203331-0", ""},
        {"01-" ID "-b7ad6b7169203331-01", ""},
        {"trace_id=0AF7651916CD43DD8448EB211C80319C", ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct mh_log_facts f = scan(rows[i].text);

        if (strcmp(f.trace, rows[i].trace))
            fail_msg("'%s': '%s'", rows[i].text, f.trace);
    }
#undef ID
}

static void test_traceback(void **state)
{
    assert_true(scan("x\nTraceback (most recent call last):\n").traceback);
    assert_true(scan("  + Exception Group Traceback (most recent call last):\n").traceback);
    assert_false(scan("Traceback (most recent").traceback);
}

static void test_digest(void **state)
{
    assert_true(scan("10:00:01 ERROR order 17\n").digest == scan("11:22:33 ERROR order 4").digest);
    assert_true(scan("ERROR a").digest != scan("ERROR b").digest);
}

static void test_long(void **state)
{
    static char text[100000];
    struct mh_log_facts f;

    memset(text, 'x', sizeof(text));
    memcpy(text, "ERROR Traceback (most recent call last)\n", 40);
    memcpy(text + sizeof(text) - 20, "\nConnectionError: no", 20);
    mh_log_scan(text, sizeof(text), KEY, NULL, &f);
    assert_int_equal(f.level, MH_LEVEL_error);
    assert_true(f.traceback);
    assert_string_equal(f.tokens, "ConnectionError");
    memset(text, ':', sizeof(text));
    for (size_t i = 0; i < 1000; i++)
        memcpy(text + 40 * i, "AaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaError ", 40);
    mh_log_scan(text, sizeof(text), KEY, NULL, &f);
    assert_true(strlen(f.tokens) <= MH_LOG_TOKENS);
}

static const char alnum[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/* Secrets strewn among what is recognised, joined to it by every kind of mark: none comes out. */
static void test_secrets(void **state)
{
    static const char *const words[] = {
        "ERROR",
        "level=error",
        "ValueError",
        "Connection refused",
        "[Errno 111]",
        "db:5432",
        "Traceback (most recent call last):\n  x\n",
        "redis://",
        "postgres://u:",
        "\"level\": \"",
        "host='db', port=5432",
        "('127.0.0.1', 6379)",
        "EPIPE",
        "http://dep:80/",
        "password=",
        "\033[31m",
        "\n",
        "\\n",
        "token: ",
        "<11>",
        "at \"db\", port 5432",
        "https://",
    };
    static const char marks[] = " :=@/\\.,'\"[](){}-_\n\t|;&?#";

    srand(1);
    for (unsigned round = 0; round < 20000; round++) {
        char secrets[4][20], text[2048];
        size_t len = 0;
        struct mh_log_facts f;

        for (int i = 0; i < 4; i++) {
            size_t n = 12 + (size_t)rand() % 7;

            for (size_t k = 0; k < n; k++)
                secrets[i][k] = alnum[(size_t)rand() % (sizeof(alnum) - 1)];
            /* A port is a class of its own, and so is a class name: no secret looks like them. */
            secrets[i][0] = 'q';
            secrets[i][n - 1] = 'Z';
            secrets[i][n] = '\0';
        }
        for (int i = 0; i < 16; i++) {
            const char *w = i % 4 ? words[(size_t)rand() % ARRAY_SIZE(words)] : secrets[i / 4];

            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%c", w,
                                    marks[(size_t)rand() % (sizeof(marks) - 1)]);
        }
        char *copy = malloc(len);

        assert_non_null(copy);
        memcpy(copy, text, len);
        mh_log_scan(copy, len, KEY, NULL, &f);
        free(copy);
        for (int i = 0; i < 4; i++)
            if (strstr(f.tokens, secrets[i]))
                fail_msg("'%s' gave '%s'", text, f.tokens);
    }
}

/* Every token of a random text is of a class that it may be of. */
static void test_noise(void **state)
{
    srand(2);
    for (unsigned round = 0; round < 20000; round++) {
        static const char set[] = "aEr:/.@['\"\\ \n1\033-=(,Error<";
        char text[300];
        size_t n = (size_t)rand() % sizeof(text);
        char *copy;
        struct mh_log_facts f;

        for (size_t i = 0; i < n; i++)
            text[i] = rand() % 4 ? set[(size_t)rand() % (sizeof(set) - 1)] : (char)rand();
        copy = malloc(n + !n);
        assert_non_null(copy);
        memcpy(copy, text, n);
        mh_log_scan(copy, n, KEY, NULL, &f);
        free(copy);
        for (char *save, *t = strtok_r(f.tokens, " ", &save); t; t = strtok_r(NULL, " ", &save)) {
            size_t len = strlen(t);

            assert_true(strchr(t, ':') || (len > 4 && !strcmp(t + len - 5, "Error")) ||
                        mh_errno_number(t) > 0 || mh_eai_number(t));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_levels),        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_unknown_peers), cmocka_unit_test(test_traces),
        cmocka_unit_test(test_traceback),     cmocka_unit_test(test_digest),
        cmocka_unit_test(test_long),          cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_noise),         cmocka_unit_test(test_idents),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
