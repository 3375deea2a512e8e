/* SPDX-License-Identifier: Apache-2.0 */
/* The model room: names made comparable, calls given to their units of work, and recordings that
 * are cut, empty, of another kind or plain noise. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/macros.h"
#include "model/model.h"
#include "model/site.h"
#include "story.h"

#include "base/banned.h"

static void routes(void **state)
{
    static const char *const rows[][2] = {
        {"GET /items/42", "GET /items/{n}"},
        {"GET /items/42?x=1", "GET /items/{n}"},
        {"GET /items/sku-7", "GET /items/sku-{n}"},
        {"GET /v1/items", "GET /v1/items"},
        {"GET /o/123e4567-e89b-12d3-a456-426614174000/x", "GET /o/{id}/x"},
        {"GET /blob/0123456789abcdef0123456789abcdef", "GET /blob/{id}"},
        {"GET /blob/01HZY3V8K2QW7R5T6N9XJ4M0PD", "GET /blob/{id}"},
        {"GET /t/dQw4w9WgXcQ", "GET /t/{id}"},
        {"GET /day/2026-11-25/x", "GET /day/{date}/x"},
        {"GET /month/2026-11", "GET /month/{date}"},
        {"GET /items/42.json", "GET /items/{n}.json"},
        {"GET /o/123e4567-e89b-12d3-a456-426614174000.png", "GET /o/{id}.png"},
        {"GET /mp3tomp4converter", "GET /mp3tomp4converter"},
        {"GET /oauth2/token", "GET /oauth{n}/token"},
        {"GET /base64url/h264-1080p", "GET /base64url/h264-1080p"},
        {"GET /two-factor-setup.html", "GET /two-factor-setup.html"},
        {"GET /2fa/setup", "GET /2fa/setup"},
        {"GET /files/report.v2", "GET /files/report.v2"},
        {"GET /", "GET /"},
        {"", ""},
        {"GET /cafe", "GET /cafe"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char name[200] = "";

        mh_route_template(rows[i][0], strlen(rows[i][0]), name, sizeof(name));
        assert_string_equal(name, rows[i][1]);
    }
}

static void kinds_of_frames(void **state)
{
    static const struct {
        const char *file;
        enum mh_frame_kind kind;
        const char *package;
    } rows[] = {
        {"/srv/app/shop.py", MH_FRAME_app, ""},
        {"/usr/lib/python3.11/http/client.py", MH_FRAME_stdlib, "http"},
        {"/opt/python/versions/3.12.1/lib/python3.12/socket.py", MH_FRAME_stdlib, "socket"},
        {"/usr/lib/python3/dist-packages/redis/client.py", MH_FRAME_library, "redis"},
        {"/srv/.venv/lib/python3.13/site-packages/six.py", MH_FRAME_library, "six"},
        {"<frozen importlib._bootstrap>", MH_FRAME_stdlib, ""},
        {"/usr/bin/uvicorn", MH_FRAME_library, ""},
        {"/home/libby/python3/app.py", MH_FRAME_app, ""},
        {"/srv/python/app.py", MH_FRAME_app, ""},
        {"shop.py", MH_FRAME_app, ""},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char package[64];

        mh_package_of(rows[i].file, package, sizeof(package));
        assert_int_equal(mh_frame_kind_of(rows[i].file), rows[i].kind);
        assert_string_equal(package, rows[i].package);
    }
}

static struct mh_model *load(const struct story *s)
{
    const char *dirs[] = {s->dir};
    struct mh_model *m = NULL;

    assert_int_equal(mh_model_load(dirs, 1, NULL, &m), 0);
    return m;
}

static void peer_and_stack(struct story *s)
{
    story(s, peer, "redis\n10.0.0.5", .peer = 1, .family = 2, .port = 6379, .side = 1);
    story(s, stack,
          "Connection.send\t/usr/lib/python3/dist-packages/redis/connection.py\t700\n"
          "get_page\t/srv/shop/pages.py\t31\nproduct\t/srv/shop/api.py\t58\n"
          "RequestResponseCycle.run_asgi\t/usr/lib/python3/dist-packages/uvicorn/h11.py\t3\n"
          "task\tTask-7",
          .stack = 1, .frames = 4);
}

static void begin(struct story *s, int64_t unit, const char *path)
{
    story(s, unit_begin, path, .unit = unit, .conn = 500 + unit);
}

static void end(struct story *s, int64_t unit, int64_t begun, int64_t task, const char *path)
{
    story(s, unit_end, path, .unit = unit, .conn = 500 + unit, .status = 200,
          .latency_ns = (s->now - begun) * STORY_MS, .task = task,
          .begun_at = STORY_MONO + begun * STORY_MS, .retry_after_s = -1);
}

/* Words that vary are one route when they are many and seldom asked for again. */
static void slugs(void **state)
{
    struct story s = {0};
    struct mh_model *m;
    char text[64];
    unsigned posts = 0, endpoints = 0;

    story_open(&s, "a");
    for (int i = 0; i < 100; i++) {
        s.now += 10;
        snprintf(text, sizeof(text), "GET /%s%c%c%s", i < 25 ? "posts/on-" : "api/", 'a' + i % 25,
                 'k' + i % 25 / 5, i < 25 ? "/comments" : "");
        begin(&s, 1 + i, text);
        end(&s, 1 + i, s.now, 0, text);
    }
    story_close(&s);
    m = load(&s);
    for (size_t i = 0; i < m->units.n; i++) {
        const char *name = mh_model_text(m, m->routes.v[m->units.v[i].route - 1].name);

        posts += !strcmp(name, "GET /posts/{slug}/comments");
        endpoints += !strncmp(name, "GET /api/", 9) && !strchr(name, '{');
    }
    assert_int_equal(posts, 25);
    assert_int_equal(endpoints, 75);
    assert_int_equal(m->routes.n, 26);
    mh_model_free(m);
    story_remove(&s);
}

/* A coroutine's wait ends with the timer of its loop that was due last, shortly before. */
static void timers(void **state)
{
    struct story s = {0};
    struct mh_act act = {.tid = STORY_LOOP};
    struct mh_model *m;
    int64_t origin;

    story_open(&s, "a");
    s.now = 500; /* asked for 300, woken 4 late */
    story(&s, sleep, "", .requested_ns = 300 * STORY_MS, .waited_ns = 304 * STORY_MS);
    s.tid = STORY_LOOP + 1;
    s.now = 505;
    story(&s, sleep, "", .requested_ns = 5 * STORY_MS, .waited_ns = 5 * STORY_MS);
    story_close(&s);
    m = load(&s);
    origin = STORY_WALL - 0;
    act.at = origin + 506 * STORY_MS;
    assert_int_equal(mh_model_timer(m, &act, origin), origin + 496 * STORY_MS);
    assert_int_equal(mh_model_timer(m, &act, origin + 497 * STORY_MS), 0);
    act.at = origin + 540 * STORY_MS; /* too long ago */
    assert_int_equal(mh_model_timer(m, &act, origin), 0);
    act.at = origin + 490 * STORY_MS; /* not due yet */
    assert_int_equal(mh_model_timer(m, &act, origin), 0);
    mh_model_free(m);
    story_remove(&s);
}

static void ask(struct story *s, int64_t conn, int64_t task)
{
    story(s, request, "", .conn = conn, .peer = 1, .exchange = 1, .stack = 1, .task = task);
}

/* Which unit the n-th attempt was given to, by its path; "" for none. */
static const char *owner(const struct mh_model *m, unsigned n, bool *ret_ambiguous)
{
    for (size_t i = 0; i < m->acts.n; i++)
        if (m->acts.v[i].kind == MH_ACT_attempt && n-- == 0) {
            *ret_ambiguous = m->acts.v[i].ambiguous;
            return m->acts.v[i].unit ? mh_model_text(m, m->units.v[m->acts.v[i].unit - 1].path)
                                     : "";
        }
    fail();
    return "";
}

static void assert_owner(const struct mh_model *m, unsigned n, const char *path, bool ambiguous)
{
    bool is;

    assert_string_equal(owner(m, n, &is), path);
    assert_int_equal(is, ambiguous);
}

static void by_task_and_thread(void **state)
{
    struct story s = {0};
    struct mh_model *m;

    story_open(&s, "a");
    peer_and_stack(&s);
    begin(&s, 1, "GET /a");
    begin(&s, 2, "GET /b");
    s.now = 10;
    ask(&s, 1, 71); /* the task that will answer /a */
    ask(&s, 2, 72);
    s.now = 20;
    end(&s, 2, 0, 72, "GET /b");
    end(&s, 1, 0, 71, "GET /a");
    s.now = 30;
    ask(&s, 3, 71); /* the task goes on after its answer: background */
    s.now = 40;
    s.tid = 200; /* a synchronous server: the thread that answers */
    begin(&s, 3, "GET /c");
    s.now = 45;
    ask(&s, 4, 0);
    s.now = 50;
    end(&s, 3, 40, 0, "GET /c");
    story_close(&s);
    m = load(&s);
    assert_owner(m, 0, "GET /a", false);
    assert_owner(m, 1, "GET /b", false);
    assert_owner(m, 2, "", false);
    assert_owner(m, 3, "GET /c", false);
    assert_string_equal(mh_model_text(m, m->peers.v[0].name), "redis:6379");
    assert_int_equal(m->peers.v[0].role, MH_ROLE_cache);
    assert_string_equal(mh_model_text(m, m->sites.v[0].frames[0].function), "get_page");
    assert_string_equal(mh_model_file(m, m->sites.v[0].frames[0].file), "pages.py");
    assert_int_equal(m->sites.v[0].nframes, 2);
    mh_model_free(m);
    story_remove(&s);
}

/* A worker thread of an asynchronous server does not say for whom it works. */
static void by_worker(void **state)
{
    struct story s = {0};
    struct mh_model *m;

    story_open(&s, "a");
    peer_and_stack(&s);
    begin(&s, 1, "GET /only");
    s.now = 5;
    s.tid = 300;
    ask(&s, 1, 0);
    s.tid = STORY_LOOP;
    s.now = 10;
    end(&s, 1, 0, 71, "GET /only");
    s.now = 20;
    begin(&s, 2, "GET /slow"); /* both in flight; the site was seen with GET /only */
    begin(&s, 3, "GET /only");
    s.now = 25;
    s.tid = 300;
    ask(&s, 2, 0);
    s.tid = STORY_LOOP;
    s.now = 30;
    end(&s, 3, 20, 72, "GET /only");
    s.now = 90;
    end(&s, 2, 20, 73, "GET /slow");
    story_close(&s);
    m = load(&s);
    assert_owner(m, 0, "GET /only", false);
    assert_owner(m, 1, "GET /only", true);
    mh_model_free(m);
    story_remove(&s);
}

/* A thread that is as busy when nothing is in flight serves no request. */
static void busy_in_background(void **state)
{
    struct story s = {0};
    struct mh_model *m;

    story_open(&s, "a");
    peer_and_stack(&s);
    for (int i = 0; i < 20; i++) {
        s.tid = STORY_LOOP;
        if (i % 4 == 0)
            begin(&s, 1 + i, "GET /x");
        s.now += 5;
        s.tid = 400;
        ask(&s, 1, 0);
        s.tid = STORY_LOOP;
        s.now += 5;
        if (i % 4 == 0)
            end(&s, 1 + i, s.now - 10, 71, "GET /x");
    }
    story_close(&s);
    m = load(&s);
    for (unsigned i = 0; i < 20; i++)
        assert_owner(m, i, "", false);
    mh_model_free(m);
    story_remove(&s);
}

/* In a run without a server each process is one unit of work. */
static void a_command(void **state)
{
    struct story s = {0};
    struct mh_model *m;

    story_open(&s, "a");
    peer_and_stack(&s);
    s.now = 10;
    ask(&s, 1, 0);
    s.now = 20;
    story(&s, exit, "", .status = 3);
    story_close(&s);
    m = load(&s);
    assert_int_equal(m->units.n, 1);
    assert_true(m->units.v[0].command && mh_unit_failed(&m->units.v[0]));
    assert_owner(m, 0, "run uvicorn shop:app", false);
    mh_model_free(m);
    story_remove(&s);
}

static void full_story(struct story *s)
{
    story_open(s, "a");
    peer_and_stack(s);
    story(s, fault, "slow\nx.ini\nrecv is slow", .fault = 0, .effects = 1);
    story(s, phase, "calm", .phase = 0, .for_ns = 100 * STORY_MS);
    story(s, phase, "bad\nslow", .phase = 1, .start_ns = 100 * STORY_MS);
    for (int i = 0; i < 60; i++) {
        begin(s, i + 1, "GET /a");
        story(s, connect, "", .conn = i + 1, .peer = 1, .side = 1, .stack = 1, .task = i + 1);
        ask(s, i + 1, i + 1);
        s->now += 2;
        if (s->now > 100)
            story(s, op, "", .op = i + 1, .kind = MH_OP_recv, .conn = i + 1, .peer = 1, .fault = 1,
                  .effect = 1 + MH_EFFECT_delay, .delay_ns = STORY_MS, .stack = 1, .task = i + 1,
                  .side = 1);
        story(s, outcome, "OSError\tf\t/srv/shop/a.py\t3", .op = i + 1, .step = MH_STEP_handled);
        story(s, log, "OSError", .level = 4, .task = i + 1);
        end(s, i + 1, s->now - 2, i + 1, "GET /a");
    }
    story(s, exit, "", .status = 0);
    story_close(s);
}

static void calm_and_phases(void **state)
{
    struct story s = {0};
    struct mh_model *m;

    full_story(&s);
    m = load(&s);
    assert_int_equal(m->units.n, 60);
    assert_int_equal(m->calm_units, 49);
    assert_int_equal(m->fired, 10);
    assert_int_equal(m->phases.n, 2);
    assert_false(mh_model_fault_active(m, m->phases.v[1].start - 1));
    assert_true(mh_model_fault_active(m, m->phases.v[1].start));
    assert_int_equal(m->routes.v[0].calm_p50, 2 * STORY_MS);
    assert_int_equal(m->routes.v[0].deadline, 1000 * STORY_MS);
    mh_model_free(m);
    story_remove(&s);
}

/* A fault on a client's connection is no call to a peer, but the world is not calm any more. */
static void faults_on_clients(void **state)
{
    struct story s = {0};
    struct mh_model *m;

    story_open(&s, "a");
    story(&s, fault, "deaf\nx.ini\naccept fails", .fault = 0, .effects = 2);
    s.now = 500;
    story(&s, op, "", .op = 1, .kind = MH_OP_accept, .fault = 1, .effect = 1 + MH_EFFECT_error,
          .err = EMFILE, .result = -1, .side = 2);
    story(&s, exit, "", .status = 0);
    story_close(&s);
    m = load(&s);
    assert_int_equal(m->ops.n, 0);
    assert_int_equal(m->fired, 1);
    assert_true(m->calm_until == m->first_fault && m->first_fault > 0);
    mh_model_free(m);
    story_remove(&s);
}

static int load_path(const char *path, struct mh_model **ret)
{
    return mh_model_load(&path, 1, NULL, ret);
}

/* Every cut, and thousands of damages: it may find less, it may not fall. */
static void cut_and_damaged(void **state)
{
    struct story s = {0};
    struct mh_model *m = NULL;
    struct stat st;
    char *bytes, *copy;
    FILE *f;

    full_story(&s);
    assert_int_equal(stat(s.path, &st), 0);
    bytes = malloc((size_t)st.st_size);
    copy = malloc((size_t)st.st_size);
    f = fopen(s.path, "r");
    assert_true(bytes && copy && f);
    assert_int_equal(fread(bytes, 1, (size_t)st.st_size, f), st.st_size);
    fclose(f);
    for (uint64_t i = 0; i < 600; i++) {
        size_t n = i < 300 ? (size_t)(mh_mix(i) % (uint64_t)st.st_size) : (size_t)st.st_size;
        int r;

        memcpy(copy, bytes, (size_t)st.st_size);
        /* fields of any value: the words behind the record's header are not under its check */
        for (uint64_t k = 0; i >= 300 && k < 40; k++)
            copy[mh_mix2(i, k) % (uint64_t)st.st_size] = (char)mh_mix2(k, i);
        f = fopen(s.path, "w");
        assert_non_null(f);
        fwrite(copy, 1, n, f);
        fclose(f);
        r = load_path(s.dir, &m);
        if (r == 0)
            mh_model_free(m);
        else
            assert_int_equal(r, -EBADMSG);
    }
    free(bytes);
    free(copy);
    story_remove(&s);
}

static void no_recordings(void **state)
{
    struct story s = {0};
    struct mh_model *m = NULL;
    char path[200];
    FILE *f;

    full_story(&s);
    assert_int_equal(load_path("/nonexistent", &m), -ENOENT);
    assert_int_equal(unlink(s.path), 0);
    assert_int_equal(load_path(s.dir, &m), -ENOENT);
    f = fopen(s.path, "w"); /* empty */
    assert_non_null(f);
    fclose(f);
    assert_int_equal(load_path(s.dir, &m), -EBADMSG);
    f = fopen(s.path, "w");
    assert_non_null(f);
    for (int i = 0; i < 5000; i++)
        fputs("noise, not a recording\n", f);
    fclose(f);
    assert_int_equal(load_path(s.dir, &m), -EBADMSG);
    /* one that can be read beside one that cannot, in a folder below */
    snprintf(path, sizeof(path), "%s/below", s.dir);
    assert_int_equal(mkdir(path, 0700), 0);
    {
        struct story t = {0};

        memcpy(t.dir, path, MH_MIN(strlen(path) + 1, sizeof(t.dir)));
        full_story(&t);
    }
    assert_int_equal(load_path(s.dir, &m), 0);
    assert_int_equal(m->units.n, 60);
    assert_int_equal(m->skipped.n, 1);
    mh_model_free(m);
    story_remove(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(routes),
        cmocka_unit_test(slugs),
        cmocka_unit_test(timers),
        cmocka_unit_test(kinds_of_frames),
        cmocka_unit_test(by_task_and_thread),
        cmocka_unit_test(by_worker),
        cmocka_unit_test(busy_in_background),
        cmocka_unit_test(a_command),
        cmocka_unit_test(calm_and_phases),
        cmocka_unit_test(faults_on_clients),
        cmocka_unit_test(cut_and_damaged),
        cmocka_unit_test(no_recordings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
