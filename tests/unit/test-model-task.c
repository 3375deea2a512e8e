/* SPDX-License-Identifier: Apache-2.0 */
/* Runs of tasks as units of work: which calls are theirs, how they ended, and what is not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/macros.h"
#include "model/model.h"
#include "story.h"

#include "base/banned.h"

enum { RUN = 1073741825, PLAIN = 1, FAILURE, RETRY, JOB, ACK, LOOP };

static void open_story(struct story *s, const char *name)
{
    static const char worker[] =
        "\nfast_trace_task\t/usr/lib/python3/dist-packages/celery/app/trace.py\t649\n"
        "Worker.workloop\t/usr/lib/python3/dist-packages/billiard/pool.py\t361";
    static const struct {
        int64_t id;
        const char *inner;
    } stacks[] = {
        {PLAIN, "pay\t/srv/shop/tasks.py\t7"},
        {FAILURE,
         "TraceInfo.handle_failure\t/usr/lib/python3/dist-packages/celery/app/trace.py\t220"},
        {RETRY, "Task.retry\t/usr/lib/python3/dist-packages/celery/app/task.py\t734\npay\t/srv/"
                "shop/tasks.py\t9"}};
    char text[600];

    story_open(s, name);
    story(s, peer, "redis\n10.0.0.5", .peer = 1, .family = 2, .port = 6379, .side = 1);
    for (size_t i = 0; i < ARRAY_SIZE(stacks); i++) {
        snprintf(text, sizeof(text), "%s%s", stacks[i].inner, worker);
        story(s, stack, text, .stack = stacks[i].id, .frames = 3);
    }
    story(s, stack,
          "mail\t/srv/shop/tasks.py\t3\n_WorkerThread.process_message\t/v/site-packages/dramatiq/"
          "worker.py\t500",
          .stack = JOB, .frames = 2);
    story(s, stack,
          "_RedisBroker.ack\t/v/site-packages/dramatiq/brokers/redis.py\t90\n"
          "_WorkerThread.process_message\t/v/site-packages/dramatiq/worker.py\t520",
          .stack = ACK, .frames = 2);
    story(s, stack,
          "Redis.brpop\t/usr/lib/python3/dist-packages/redis/client.py\t1\n"
          "WorkController.start\t/usr/lib/python3/dist-packages/celery/worker/worker.py\t203",
          .stack = LOOP, .frames = 2);
}

static struct mh_model *load(struct story *s)
{
    const char *dirs[] = {s->dir};
    struct mh_model *m = NULL;

    if (s->file)
        story_close(s);
    assert_int_equal(mh_model_load(dirs, 1, NULL, &m), 0);
    return m;
}

static void done(struct story *s, struct mh_model *m)
{
    mh_model_free(m);
    story_remove(s);
}

static void begin(struct story *s, int64_t unit, const char *text, int exact, int64_t stack)
{
    story(s, task_begin, text, .unit = unit, .exact = exact, .stack = stack);
}

static void ask(struct story *s, int64_t unit, int64_t stack)
{
    story(s, request, "GET", .conn = ++s->ids, .peer = 1, .exchange = 1, .stack = stack,
          .unit = unit);
}

static const char *state_of(const struct mh_model *m, size_t i)
{
    return mh_task_state_names[m->tasks.v[m->units.v[i].task_run - 1].state];
}

static void from_begin_to_end(void **state)
{
    static const char *const words[] = {"unknown", "succeeded", "failed", "retried", "rejected"};
    struct story s = {0};
    struct mh_model *m;

    open_story(&s, "a");
    for (int i = 1; i < 5; i++) {
        s.now = i * 100;
        begin(&s, RUN + i, "celery\nshop.pay\n7f", 1, 0);
        s.now += 10;
        ask(&s, RUN + i, PLAIN);
        s.now += 10;
        story(&s, task_end, i == MH_TASK_failed ? "KeyError" : "", .unit = RUN + i, .state = i);
        s.now += 10;
        ask(&s, 0, LOOP);
    }
    m = load(&s);
    assert_int_equal(m->units.n, 4);
    assert_string_equal(mh_model_text(m, m->routes.v[0].name), "task shop.pay");
    for (size_t i = 0; i < 4; i++) {
        const struct mh_unit *u = &m->units.v[i];

        assert_string_equal(state_of(m, i), words[i + 1]);
        assert_int_equal(u->latency, 20 * STORY_MS);
        assert_int_equal(u->nacts, 1);
        assert_int_equal(mh_unit_failed(u), i + 1 == MH_TASK_failed);
        assert_string_equal(mh_model_text(m, m->tasks.v[u->task_run - 1].id), "7f");
    }
    assert_string_equal(mh_model_text(m, m->tasks.v[1].exception), "KeyError");
    assert_string_equal(mh_process_role(&m->processes.v[0]), "celery pool process");
    done(&s, m);
}

/* Without its begin and end: what its calls tell. No evidence is not success. */
static void by_its_calls(void **state)
{
    struct story s = {0};
    struct mh_model *m;

    open_story(&s, "a");
    begin(&s, RUN, "celery\nshop.pay\n1", 0, PLAIN);
    ask(&s, RUN, PLAIN);
    s.now += 30;
    story(&s, log, "KeyError", .level = MH_LEVEL_error, .sink = 2, .unit = RUN, .stack = FAILURE);
    begin(&s, RUN + 1, "celery\nshop.pay\n2", 0, PLAIN);
    ask(&s, RUN + 1, PLAIN);
    s.now += 10;
    ask(&s, RUN + 1, RETRY);
    begin(&s, RUN + 2, "celery\nshop.pay\n3", 0, PLAIN);
    ask(&s, RUN + 2, PLAIN);
    m = load(&s);
    assert_int_equal(m->units.n, 3);
    assert_string_equal(state_of(m, 0), "failed");
    assert_int_equal(m->units.v[0].latency, 30 * STORY_MS);
    assert_string_equal(state_of(m, 1), "retried");
    assert_string_equal(state_of(m, 2), "unknown");
    assert_false(mh_unit_failed(&m->units.v[2]));
    assert_false(m->units.v[2].open);
    done(&s, m);
}

/* Runs without ids are told apart by their ends, and named after their function. */
static void without_ids(void **state)
{
    struct story s = {0};
    struct mh_model *m;

    open_story(&s, "a");
    begin(&s, RUN, "dramatiq\n\n", 0, JOB);
    for (int i = 0; i < 3; i++) {
        s.now += 10;
        ask(&s, RUN, JOB);
        ask(&s, RUN, ACK);
    }
    m = load(&s);
    assert_int_equal(m->units.n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(state_of(m, i), "succeeded");
        assert_string_equal(mh_model_text(m, m->tasks.v[i].name), "tasks.mail");
        assert_int_equal(m->units.v[i].nacts, 2);
    }
    done(&s, m);
}

static struct mh_model *taken_away(struct story *s, bool run_over)
{
    open_story(s, "a");
    begin(s, RUN, "celery\nshop.pay\n1", 1, 0);
    ask(s, RUN, PLAIN);
    s->now += 500;
    ask(s, RUN, PLAIN);
    /* it leaves no word behind: not complete, no exit */
    fseek(s->file, offsetof(struct mh_file_header, complete), SEEK_SET);
    fwrite("\0\0\0\0", 1, 4, s->file);
    story_close(s);
    if (run_over) {
        story_open(s, "b");
        story(s, child, "celery worker", .pid = STORY_PID, .status = 0);
    }
    return load(s);
}

static void killed(void **state)
{
    struct story s = {0};
    struct mh_model *m = taken_away(&s, true);

    assert_string_equal(state_of(m, 0), "killed");
    assert_true(mh_unit_failed(&m->units.v[0]));
    done(&s, m);
    s = (struct story){0};
    m = taken_away(&s, false); /* it may still be at work */
    assert_string_equal(state_of(m, 0), "unknown");
    assert_true(m->units.v[0].open);
    done(&s, m);
}

/* The consumer's own calls are nobody's, the threads that a task starts are its. */
static void threads_of_a_task(void **state)
{
    struct story s = {0};
    struct mh_model *m;
    unsigned mine = 0;

    open_story(&s, "a");
    story(&s, stack, "fetch\t/srv/shop/tasks.py\t40\nrun\t/usr/lib/python3.11/threading.py\t975",
          .stack = 20, .frames = 2);
    for (int i = 0; i < 4; i++) {
        s.now += 100;
        begin(&s, RUN + i, "celery\nshop.pay\n1", 1, 0);
        s.tid = STORY_LOOP + 7;
        ask(&s, 0, 20);
        s.tid = STORY_LOOP + 1;
        ask(&s, 0, LOOP);
        s.tid = STORY_LOOP;
        s.now += 20;
        story(&s, task_end, "", .unit = RUN + i, .state = MH_TASK_succeeded);
    }
    m = load(&s);
    for (size_t i = 0; i < m->acts.n; i++) {
        const struct mh_act *a = &m->acts.v[i];

        if (a->kind != MH_ACT_attempt)
            continue;
        assert_int_equal(a->unit != 0, a->tid == STORY_LOOP + 7);
        mine += a->unit != 0;
    }
    assert_int_equal(mine, 4);
    done(&s, m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_begin_to_end), cmocka_unit_test(by_its_calls),
        cmocka_unit_test(without_ids),       cmocka_unit_test(killed),
        cmocka_unit_test(threads_of_a_task),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
