/* SPDX-License-Identifier: Apache-2.0 */
/* Messages between a pool and its workers: bytes as pickle makes them, in old and new protocols. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "wire/job.h"

#include "base/banned.h"

#define ID          "0bd6a0ee-8f17-4a3e-b5a0-bc17a6f9bd2e"
#define FRAME       "\x95\x9c\0\0\0\0\0\0\0"
#define BYTES(text) text, sizeof(text) - 1

static const struct {
    const char *bytes;
    size_t n;
    enum mh_job_word word;
    enum mh_task_state state;
    const char *name, *id, *exception;
} rows[] = {
    {BYTES("\x80\x04" FRAME "K\x02(K\0N\x8c\x10"
           "celery.app.trace\x94\x8c\x0f"
           "fast_trace_task\x94\x93\x94("
           "\x8c\x09tasks.add\x94\x8c$" ID "\x94}\x94\x8c\x04lang"),
     MH_JOB_begun, MH_TASK_unknown, "tasks.add", ID, ""},
    {BYTES("\x80\x02K\x02(K\x07Nccelery.app.trace\nfast_trace_task\nq\0(X\x09\0\0\0tasks.addq\x01X$"
           "\0\0\0" ID "q"),
     MH_JOB_begun, MH_TASK_unknown, "tasks.add", ID, ""},
    {BYTES("\0\0\0\x2c\x80\x04" FRAME "K\x01(M\x10\x01N\x88K\0\x8c\x01"
           "5\x94G?h\x93t\xbcj~\xfa\x87\x94\x86"),
     MH_JOB_ended, MH_TASK_succeeded, "", "", ""},
    {BYTES("\x80\x02K\x01(K\0N\x88K\x01"
           "cbilliard.einfo\nExceptionInfo\nq\0)\x81q\x01}q\x02(X\x04\0\0\0typeq"
           "\x03"
           "ccelery.exceptions\nRetry\nq\x04X\x02\0\0\0tb"),
     MH_JOB_ended, MH_TASK_retried, "", "", "Retry"},
    {BYTES("\x80\x04" FRAME "K\x01(K\0N\x88K\x01\x8c\x0e"
           "billiard.einfo\x94\x8c\x0d"
           "ExceptionInfo\x94\x93\x94)\x81"
           "\x94}\x94(\x8c\x04type\x94\x8c\x08"
           "builtins\x94\x8c\x0aValueError\x94\x93\x94\x8c\x02tb"),
     MH_JOB_ended, MH_TASK_failed, "", "", "ValueError"},
    /* what runs the task broke down itself */
    {BYTES("\x80\x04" FRAME "K\x01(K\0N\x89\x8c\x01x\x94"), MH_JOB_ended, MH_TASK_failed, "", "",
     ""},
    /* it was accepted, and nothing more */
    {BYTES("\x80\x04" FRAME "K\0(K\0NG?h\x93t\xbcj~\xfaM\x10\x01K\x0c\x94"), MH_JOB_none,
     MH_TASK_unknown, "", "", ""},
    /* another pool's */
    {BYTES("\x80\x04" FRAME "K\x02(K\0N\x8c\x05"
           "tools\x94\x8c\x04"
           "work\x94\x93\x94(\x8c\x05token\x94\x8c\x06secret\x94"),
     MH_JOB_none, MH_TASK_unknown, "", "", ""},
    /* a name that is a sentence is no name */
    {BYTES("\x80\x04" FRAME "K\x02(K\0N\x8c\x10"
           "celery.app.trace\x94\x8c\x0f"
           "fast_trace_task\x94\x93\x94("
           "\x8c\x09tasks add\x94\x8c$" ID "\x94}"),
     MH_JOB_none, MH_TASK_unknown, "", "", ""},
    {BYTES("GET / HTTP/1.1\r\n"), MH_JOB_none, MH_TASK_unknown, "", "", ""},
    {BYTES(""), MH_JOB_none, MH_TASK_unknown, "", "", ""},
};

static void messages(void **state)
{
    struct mh_job job;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        mh_job_scan(rows[i].bytes, rows[i].n, &job);
        assert_int_equal(job.word, rows[i].word);
        assert_int_equal(job.state, rows[i].state);
        assert_string_equal(job.word == MH_JOB_begun ? job.name : "", rows[i].name);
        assert_string_equal(job.word == MH_JOB_begun ? job.id : "", rows[i].id);
        assert_string_equal(job.exception, rows[i].exception);
    }
}

/* A message that is cut anywhere says less, never something else. */
static void cut(void **state)
{
    struct mh_job job;
    char copy[300];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        for (size_t n = 0; n < rows[i].n; n++) {
            memset(copy, 'K', sizeof(copy));
            memcpy(copy, rows[i].bytes, n);
            mh_job_scan(copy, n, &job);
            if (job.word == MH_JOB_none)
                continue;
            assert_int_equal(job.word, rows[i].word);
            assert_true(job.word != MH_JOB_begun || !strcmp(job.id, rows[i].id));
            assert_true(job.state == rows[i].state || job.state == MH_TASK_failed);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(messages), cmocka_unit_test(cut)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
