/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of the grader about files under a failing disk. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "grade/grade.h"
#include "grading.h"
#include "play.h"
#include "stage.h"
#include "story.h"

#include "base/banned.h"

enum { PLAIN_PATH = 1, TEMP_PATH = 2 };

static void opened(struct story *s, int path, int flags)
{
    char text[32];

    snprintf(text, sizeof(text), "/data/file-%d", path);
    story(s, path, text, .path = path);
    story(s, file, "", .path = path, .fd = 9, .flags = O_WRONLY | O_CREAT | flags,
          .stack = IN_STOCK);
}

static void disk_fault(struct story *s, enum mh_op_kind kind, int path, int err)
{
    int64_t op = ++s->ids;

    story(s, op, "", .op = op, .kind = kind, .call = MH_CALL_write, .fd = 9, .path = path,
          .asked = 100, .result = -1, .err = err, .wait_ns = -1, .fault = 1,
          .effect = MH_EFFECT_error + 1, .ordinal = op, .stack = IN_STOCK);
    caught(s, op, "stock\t/srv/shop/stock.py\t12");
}

static void writes_in_place(struct story *s, struct answer *a)
{
    opened(s, PLAIN_PATH, O_TRUNC);
}
static void torn(struct story *s, struct answer *a)
{
    opened(s, PLAIN_PATH, O_TRUNC);
    disk_fault(s, MH_OP_write, PLAIN_PATH, ENOSPC);
    a->status = 503;
}
static void put_right(struct story *s, struct answer *a)
{
    torn(s, a);
    s->now += 1;
    opened(s, PLAIN_PATH, O_TRUNC);
}
static void beside(struct story *s, struct answer *a)
{
    opened(s, TEMP_PATH, O_EXCL);
    disk_fault(s, MH_OP_write, TEMP_PATH, ENOSPC);
    a->status = 503;
}
static void appends(struct story *s, struct answer *a)
{
    opened(s, PLAIN_PATH, O_APPEND);
    disk_fault(s, MH_OP_write, PLAIN_PATH, ENOSPC);
    a->status = 503;
}
static void writes_over(struct story *s, struct answer *a)
{
    opened(s, PLAIN_PATH, 0);
    disk_fault(s, MH_OP_write, PLAIN_PATH, ENOSPC);
    a->status = 503;
}
static void a_new_name(struct story *s, struct answer *a)
{
    opened(s, 100 + (int)s->ids, O_TRUNC);
    disk_fault(s, MH_OP_write, 100 + (int)s->ids, ENOSPC);
}
static void sync_ignored(struct story *s, struct answer *a)
{
    opened(s, PLAIN_PATH, O_TRUNC);
    disk_fault(s, MH_OP_fsync, PLAIN_PATH, EIO);
}
static void sync_told(struct story *s, struct answer *a)
{
    sync_ignored(s, a);
    a->status = 503;
}
static void sync_then_anew(struct story *s, struct answer *a)
{
    sync_ignored(s, a);
    s->now += 1;
    opened(s, PLAIN_PATH, O_TRUNC);
}

/* What was not kept is written anew under another name, as a receipt with the next number. */
static void sync_then_copy(struct story *s, struct answer *a)
{
    opened(s, 200 + (int)s->ids, O_EXCL);
    disk_fault(s, MH_OP_fsync, 200 + (int)s->ids, EIO);
    s->now += 1;
    opened(s, 200 + (int)s->ids, O_EXCL);
}
static void sync_then_other(struct story *s, struct answer *a)
{
    sync_ignored(s, a);
    s->now += 1;
    story(s, path, "/var/log/shop.log", .path = 77);
    story(s, file, "", .path = 77, .fd = 9, .flags = O_WRONLY | O_CREAT, .stack = IN_PRICES);
}

/* ---- what is only asked about a file ---- */

static void asks(struct story *s, enum mh_op_kind kind, int err, const char *handler)
{
    int64_t op = ++s->ids;

    story(s, op, "", .op = op, .kind = kind, .call = MH_CALL_stat64, .fd = -1, .path = PLAIN_PATH,
          .result = -1, .err = err, .wait_ns = -1, .fault = 1, .effect = MH_EFFECT_error + 1,
          .ordinal = op, .stack = IN_STOCK);
    if (handler)
        caught(s, op, handler);
}

static const char exists[] = "exists\t/usr/lib/python3.11/genericpath.py\t19";

static void is_not_there(struct story *s, struct answer *a)
{
    asks(s, MH_OP_stat, ENOENT, "stock\t/srv/shop/stock.py\t12");
}
static void may_not_be_seen(struct story *s, struct answer *a)
{
    for (int i = 0; i < 3; i++)
        asks(s, MH_OP_stat, EACCES, exists);
}
static void cannot_be_read(struct story *s, struct answer *a)
{
    asks(s, MH_OP_stat, EIO, "stock\t/srv/shop/stock.py\t12");
}
static void seems_not_there(struct story *s, struct answer *a)
{
    asks(s, MH_OP_stat, EIO, exists);
}
static void nobody_is_told(struct story *s, struct answer *a)
{
    asks(s, MH_OP_fstat, EIO, NULL);
}
static void breaks(struct story *s, struct answer *a)
{
    asks(s, MH_OP_stat, EIO,
         "ServerErrorMiddleware.__call__\t"
         "/usr/lib/python3/dist-packages/starlette/middleware/errors.py\t162");
    a->status = 500;
}
static void cannot_be_listed(struct story *s, struct answer *a)
{
    asks(s, MH_OP_readdir, EIO, "stock\t/srv/shop/stock.py\t12");
}

static bool stopped, others_serve;
static enum mh_op_kind failing;
static int failing_err;
static void fails(struct story *s, struct answer *a)
{
    opened(s, PLAIN_PATH, O_APPEND);
    disk_fault(s, failing, PLAIN_PATH, failing_err);
    a->status = 503;
}

/* ---- what was said to be done, and was not ---- */

static void lost(struct story *s, enum mh_op_kind kind, int path)
{
    int64_t op = ++s->ids;

    story(s, op, "", .op = op, .kind = kind, .call = MH_CALL_write, .fd = 9, .path = path,
          .asked = 100, .result = kind == MH_OP_write ? 100 : 0, .wait_ns = -1, .fault = 1,
          .effect = MH_EFFECT_lost + 1, .ordinal = op, .stack = IN_STOCK);
}
static void loses(struct story *s, struct answer *a)
{
    opened(s, PLAIN_PATH, O_TRUNC);
    lost(s, MH_OP_write, PLAIN_PATH);
    lost(s, MH_OP_fsync, PLAIN_PATH);
}
static void loses_and_breaks(struct story *s, struct answer *a)
{
    loses(s, a);
    story(s, log, "ValueError", .level = MH_LEVEL_error, .sink = 2, .traceback = 1);
    *a = (struct answer){.status = 500, .ms = 3, .retry_after = -1};
}
static void loses_and_refuses(struct story *s, struct answer *a)
{
    loses(s, a);
    a->status = 503;
}
static void loses_slowly(struct story *s, struct answer *a)
{
    loses(s, a);
    a->ms = 240;
}
static void loses_a_record(struct story *s, struct answer *a)
{
    story(s, path, "/srv/shop/shop.log", .path = 77);
    lost(s, MH_OP_write, 77);
}
static bool has(const json_t *list, const char *text)
{
    size_t i;
    json_t *one;

    json_array_foreach(list, i, one) if (strstr(json_string_value(one), text)) return true;
    return false;
}

/* Whatever follows a lost write, it has no outcome, and no rule is judged by it. */
static void untold(void **state)
{
    static const struct {
        behave *hit;
        const char *told;
    } table[] = {
        {loses, "24 writes and flushes were said"},
        {loses_and_breaks, "24 writes and flushes were said"},
        {loses_and_refuses, "24 writes and flushes were said"},
        {loses_slowly, "24 writes and flushes were said"},
        {loses_a_record, "12 writes and flushes were said"},
    };

    static const char *const rules_of_errors[] = {"MH-0101", "MH-0103", "MH-1001",
                                                  "MH-1004", "MH-2006", "MH-2007"};

    for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
        const struct play p = {"", "", "", writes_in_place, table[i].hit};
        json_t *document = perform(&p);
        const json_t *cases = json_object_get(document, "cases");
        size_t k;
        json_t *one;

        assert_true(has(json_object_get(document, "blind_spots"), table[i].told));
        assert_true(json_array_size(cases) > 0);
        json_array_foreach(cases, k, one)
            assert_true(json_is_null(json_object_get(one, "outcome")));
        for (k = 0; k < ARRAY_SIZE(rules_of_errors); k++)
            assert_string_equal(verdict(document, rules_of_errors[k]), "not exercised");
        assert_int_equal(json_array_size(json_object_get(document, "findings")), 0);
        json_decref(document);
    }
}

/* A thread of its own writes the log: is it to their credit that requests do not feel its fault? */
static const char *aside(enum mh_effect effect)
{
    struct story s = {0};

    story_open(&s, "a");
    prologue(&s);
    story(&s, path, "/srv/shop/shop.log", .path = 77);
    s.tid = WORKER;
    for (int i = 0; i < CALM; i++)
        unit(&s, well, 10);
    s.now = CALM_MS;
    for (int i = 0; i < HIT; i++) {
        int64_t op = ++s.ids;

        s.now += 10;
        s.tid = WORKER + 7;
        story(&s, op, "", .op = op, .kind = MH_OP_write, .call = MH_CALL_write, .fd = 9, .path = 77,
              .asked = 100, .result = effect == MH_EFFECT_lost ? 100 : -1,
              .err = effect == MH_EFFECT_lost ? 0 : ENOSPC, .wait_ns = -1, .fault = 1,
              .effect = effect + 1, .ordinal = op);
        s.tid = WORKER;
        s.now += 10;
        unit(&s, well, 10);
    }
    story(&s, exit, "", .status = 0);
    story_close(&s);
    return story_verdict(&s, "MH-1004");
}

static void records(void **state)
{
    assert_string_equal(aside(MH_EFFECT_error), "pass");
    assert_string_equal(aside(MH_EFFECT_lost), "not exercised");
}

static const struct play plays[] = {
    {"emptied, and the write failed", "MH-2006", "fail", writes_in_place, torn},
    {"put right in the same request", "MH-2006", "fail", writes_in_place, put_right},
    {"a temporary name", "MH-2006", "pass", writes_in_place, beside},
    {"a log that is appended to", "MH-2006", "not exercised", writes_in_place, appends},
    {"written over, not emptied", "MH-2006", "unclear", writes_in_place, writes_over},
    {"a file that was not there", "MH-2006", "not exercised", writes_in_place, a_new_name},
    {"fsync failed, success", "MH-2007", "fail", writes_in_place, sync_ignored},
    {"fsync failed, 503", "MH-2007", "pass", writes_in_place, sync_told},
    {"fsync failed, written anew", "MH-2007", "pass", writes_in_place, sync_then_anew},
    {"fsync failed, a second copy", "MH-2007", "pass", writes_in_place, sync_then_copy},
    {"fsync failed, then a log", "MH-2007", "fail", writes_in_place, sync_then_other},
    {"the process goes on", "MH-0606", "pass", writes_in_place, beside},
    {"a write that failed", "MH-2007", "not exercised", writes_in_place, torn},
    {"no is an answer", "MH-1001", "not exercised", writes_in_place, is_not_there},
    {"no is an answer, not swallowed", "MH-0103", "not exercised", writes_in_place, is_not_there},
    {"no is an answer, asked again", "MH-0507", "not exercised", writes_in_place, may_not_be_seen},
    {"not read, and not told", "MH-1001", "fail", writes_in_place, cannot_be_read},
    {"not read, and swallowed", "MH-0103", "fail", writes_in_place, cannot_be_read},
    {"not read: exists() says no", "MH-1001", "not exercised", writes_in_place, seems_not_there},
    {"not read: nothing was raised", "MH-1001", "not exercised", writes_in_place, nobody_is_told},
    {"not read: who lives is no proof", "MH-0104", "not exercised", writes_in_place,
     nobody_is_told},
    {"not read, and a 500", "MH-0101", "fail", writes_in_place, breaks},
    {"a directory that is not read", "MH-1001", "fail", writes_in_place, cannot_be_listed},
};

static void rules(void **state)
{
    plays_hold(plays, ARRAY_SIZE(plays));
}

/* Three requests meet an error, the process exits a second later, another one goes on. */
static const char *ended(const char *rule, enum mh_op_kind kind, int err, int status)
{
    struct story s = {0};
    json_t *document;
    const char *got;

    story_open(&s, "a");
    prologue(&s);
    s.tid = WORKER;
    for (int i = 0; i < CALM; i++)
        unit(&s, writes_in_place, 10);
    s.now = CALM_MS;
    for (int i = 0; i < 3; i++) {
        failing = kind;
        failing_err = err;
        unit(&s, fails, 10);
    }
    s.now += 1000;
    story(&s, exit, "", .status = status);
    story_close(&s);
    story_open(&s, "b");
    if (stopped)
        story(&s, child, "", .stopped = 1);
    for (s.now = 8000; s.now < 20000; s.now += 1000)
        if (others_serve)
            unit(&s, writes_in_place, 10);
        else
            story(&s, sleep, "", .requested_ns = STORY_MS);
    story_close(&s);
    document = grade_story(&s);
    got = verdict(document, rule);
    json_decref(document);
    story_remove(&s);
    return got;
}

static void limits(void **state)
{
    assert_string_equal(ended("MH-0606", MH_OP_write, ENOSPC, 1), "fail");
    assert_string_equal(ended("MH-0104", MH_OP_write, ENOSPC, 1), "not exercised");
    assert_string_equal(ended("MH-0606", MH_OP_open, EMFILE, 1), "fail");
    assert_string_equal(ended("MH-0606", MH_OP_write, ENOSPC, 0), "not exercised"); /* asked to */
    assert_string_equal(ended("MH-0606", MH_OP_write, EIO, 1), "not exercised");
    assert_string_equal(ended("MH-0104", MH_OP_write, EIO, 1), "fail");
    assert_string_equal(ended("MH-0606", MH_OP_malloc, ENOMEM, 1), "not exercised");
    stopped = true; /* the end of the run may have been its end, unless others went on */
    assert_string_equal(ended("MH-0606", MH_OP_write, ENOSPC, 1), "not exercised");
    others_serve = true;
    assert_string_equal(ended("MH-0606", MH_OP_write, ENOSPC, 1), "fail");
    stopped = others_serve = false;
}

/* Another worker wrote it, when all was well; the one that meets the fault never did. */
static const char *of_two(const char *path, bool first)
{
    struct story s = {0};

    story_open(&s, "a");
    prologue(&s);
    s.tid = WORKER;
    story(&s, path, path, .path = 5);
    for (s.now = first ? 0 : FAULT_MS + 500; s.now < (first ? CALM_MS : FAULT_MS + 1000);
         s.now += 500)
        story(&s, file, "", .path = 5, .fd = 9, .flags = O_WRONLY | O_CREAT | O_TRUNC,
              .stack = IN_STOCK);
    story_close(&s);
    s.pid = STORY_PID + 1;
    story_open(&s, "b");
    prologue(&s);
    s.tid = WORKER;
    story(&s, path, path, .path = 9);
    for (int i = 0; i < CALM; i++)
        unit(&s, well, 10);
    s.now = CALM_MS;
    {
        int64_t id = ++s.ids;

        story(&s, unit_begin, "POST /product/7", .unit = id, .conn = id, .fds = 10);
        story(&s, file, "", .path = 9, .fd = 9, .flags = O_WRONLY | O_CREAT | O_TRUNC,
              .stack = IN_STOCK);
        disk_fault(&s, MH_OP_write, 9, ENOSPC);
        s.now += 2;
        story(&s, unit_end, "POST /product/7", .unit = id, .conn = id, .status = 503,
              .latency_ns = 2 * STORY_MS, .retry_after_s = -1);
    }
    story(&s, exit, "", .status = 0);
    story_close(&s);
    return story_verdict(&s, "MH-2006");
}

static int64_t had; /* of each opening, plus 1 */

static void keeps(struct story *s, struct answer *a)
{
    story(s, path, "/data/place.json.new", .path = PLAIN_PATH);
    story(s, file, "", .path = PLAIN_PATH, .fd = 9, .flags = O_WRONLY | O_CREAT | O_TRUNC,
          .stack = IN_STOCK, .had = had);
}
/* What the first one leaves behind is found by the next one. */
static void fails_to_keep(struct story *s, struct answer *a)
{
    keeps(s, a);
    disk_fault(s, MH_OP_write, PLAIN_PATH, ENOSPC);
    had = 4097;
    a->status = 503;
}

static const char *kept(int64_t calm)
{
    static const struct play play = {"", "MH-2006", "", keeps, fails_to_keep};
    json_t *document;
    const char *got;

    had = calm;
    document = perform(&play);
    got = verdict(document, "MH-2006");
    json_decref(document);
    return got;
}

static void contents(void **state)
{
    assert_string_equal(kept(101), "fail");
    assert_string_equal(kept(1), "pass"); /* renamed away each time */
    assert_string_equal(kept(0), "fail"); /* of an older recording */
}

/* Of two workers that write one file the first fails, and leaves it empty; then the second does,
 * whose opening finds `content` (plus 1). Do all of their failures count? */
static bool both_count(int64_t content)
{
    struct story s = {0};
    json_t *document;
    const json_t *n;
    bool all;

    for (int i = 0; i < 2; i++) {
        s.pid = STORY_PID + i;
        story_open(&s, i ? "b" : "a");
        prologue(&s);
        s.tid = WORKER;
        had = 101;
        for (int k = 0; k < CALM; k++)
            unit(&s, keeps, 10);
        s.now = CALM_MS + 500 * i;
        for (int k = 0; k < 6; k++) {
            had = k ? 1 : i ? content : 101;
            unit(&s, fails_to_keep, 10);
        }
        story_close(&s);
    }
    document = grade_story(&s);
    n = json_object_get(finding(document, "MH-2006"), "trials");
    all = n && json_equal(json_object_get(n, "fired"), json_object_get(n, "failed"));
    json_decref(document);
    story_remove(&s);
    return all;
}

static void workers(void **state)
{
    assert_true(both_count(1)); /* it was not moved away */
    assert_true(both_count(101));
    assert_string_equal(of_two("/data/state.json", true), "fail");
    assert_string_equal(of_two("/data/state.json", false), "not exercised"); /* only later */
    assert_string_equal(of_two("/data/17/state.json", true), "not exercised");
    assert_string_equal(of_two("state.json", true), "not exercised");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(rules),   cmocka_unit_test(limits),
                                       cmocka_unit_test(untold),  cmocka_unit_test(records),
                                       cmocka_unit_test(workers), cmocka_unit_test(contents)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
