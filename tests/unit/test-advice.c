/* SPDX-License-Identifier: Apache-2.0 */
/* Which advice a finding gets: by the frames of its stack, by who else calls the peer, by what the
 * application has besides, and by versions. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/macros.h"
#include "grade/advice.h"
#include "grade/grade.h"
#include "grading.h"
#include "play-more.h"
#include "stage.h"
#include "story.h"

#include "base/banned.h"

#define LIB      "/usr/lib/python3/dist-packages/"
#define STD      "/usr/lib/python3.11/"
#define FETCH    "Prices.fetch\t/srv/shop/prices.py\t12\n"
#define APP      "quote\t/srv/shop/prices.py\t12\n"
#define SOCKET   "create_connection\t" STD "socket.py\t831\n"
#define REQUESTS "get\t" LIB "requests/api.py\t73\n"
#define FASTAPI  "run_endpoint_function\t" LIB "fastapi/routing.py\t163\n"
#define STARLET  "app\t" LIB "starlette/routing.py\t68\n"
#define TENACITY "Retrying.__call__\t" LIB "tenacity/__init__.py\t382\n"
#define PSYCOPG2 "connect\t" LIB "psycopg2/__init__.py\t122\n"
#define STAMINA  "sync_inner\t" LIB "stamina/_core.py\t420\n"
#define LOOP     "BaseEventLoop._run_once\t" STD "asyncio/base_events.py\t1900\n"
#define FLASK    "Flask.dispatch_request\t" LIB "flask/app.py\t1799\n"
#define BACKOFF  "retry_exception\t" LIB "backoff/_sync.py\t105\n"

/* The stack of the calls that fail; one that is seen elsewhere, and whether with the same peer. */
static const struct {
    const char *name, *rule;
    behave *hit;
    const char *stack, *other;
    bool same_peer;
    const char *library, *code, *text;
} rows[] = {
    {"its own way", "MH-0502", storm, SOCKET REQUESTS APP, "", false, "requests", "Retry(total=3",
     ""},
    {"who calls it tries again", "MH-0502", storm, SOCKET APP TENACITY, "", false, "tenacity",
     "retry_if_exception_type(OSError)", "Here: quote in prices.py"},
    {"whose function is called as the stand-in", "MH-0502", storm, SOCKET FETCH TENACITY, "", false,
     "tenacity", "def fetch_guarded(key):", "Here: Prices.fetch in prices.py"},
    {"the nearest one", "MH-0502", storm, SOCKET APP STAMINA TENACITY, "", false, "stamina",
     "attempts=3", ""},
    {"seen elsewhere", "MH-0502", storm, SOCKET APP, SOCKET APP TENACITY, false, "tenacity", "",
     ""},
    {"one above the other", "MH-0502", storm, SOCKET APP, SOCKET APP TENACITY STAMINA, false,
     "stamina", "", ""},
    {"on a loop", "MH-0502", storm, SOCKET APP LOOP, "", false, "asyncio", "await asyncio.sleep",
     ""},
    {"a loop elsewhere", "MH-0502", storm, SOCKET APP, SOCKET APP LOOP, false, NULL, "time.sleep",
     ""},
    {"nothing but Python", "MH-0502", storm, SOCKET APP, "", false, NULL, "time.sleep(random", ""},
    {"another's client", "MH-0502", storm, SOCKET APP, REQUESTS APP, false, NULL, "time.sleep", ""},
    {"a dead library", "MH-0502", storm, SOCKET APP BACKOFF, "", false, "backoff", "stamina",
     "2022"},
    {"the framework, of the client", "MH-0101", uncontrolled,
     SOCKET REQUESTS APP FASTAPI STARLET LOOP, "", false, "fastapi",
     "exception_handler(requests.RequestException)", ""},
    {"in a thread", "MH-0101", uncontrolled, SOCKET REQUESTS APP, FASTAPI STARLET LOOP, false,
     "fastapi", "prices:8443 failed", ""},
    {"another framework", "MH-0101", uncontrolled, SOCKET REQUESTS APP FLASK, STARLET, false,
     "flask", "register_error_handler", ""},
    {"no frames of the client", "MH-0101", uncontrolled, APP, PSYCOPG2 APP, true, NULL,
     "except psycopg2.OperationalError", ""},
    {"a client of another peer", "MH-0101", uncontrolled, APP, PSYCOPG2 APP, false, NULL,
     "except OSError", ""},
};

static void complain(void *context, const char *file, int line, const char *message)
{
    fail_msg("%s:%d: %s", file, line, message);
}

static struct mh_advice *shipped(void)
{
    struct mh_advice *advice;

    assert_int_equal(mh_advice_load(MISHAP_SOURCE "/config/advice", complain, NULL, &advice), 0);
    assert_true(advice->libraries.n > 40);
    return advice;
}

static int frames(const char *stack)
{
    int n = 0;

    for (const char *p = stack; (p = strchr(p, '\n')); p++)
        n++;
    return n;
}

/* The finding of a row's story, graded with the shipped advice; the caller owns the document. */
static json_t *graded(size_t row, const struct mh_advice *advice)
{
    const struct mh_grade_options options = {.advice = advice};
    struct story s = {0};
    const char *dirs[] = {s.dir};
    struct mh_model *m = NULL;
    json_t *document = NULL;

    story_open(&s, "a");
    prologue(&s);
    story(&s, stack, rows[row].stack, .stack = IN_PRICES, .frames = frames(rows[row].stack));
    if (*rows[row].other) {
        story(&s, stack, rows[row].other, .stack = 99, .frames = frames(rows[row].other));
        story(&s, connect, "", .conn = ++s.ids, .peer = rows[row].same_peer ? PRICES : OTHER,
              .side = 1, .stack = 99);
    }
    s.tid = WORKER;
    for (int i = 0; i < CALM; i++)
        unit(&s, well, 10);
    s.now = CALM_MS;
    for (int i = 0; i < HIT; i++)
        unit(&s, rows[row].hit, 10);
    for (s.now = MH_MAX(s.now, FAULT_MS); s.now < RECOVERED_MS; s.now += 400)
        unit(&s, well, 10);
    story(&s, exit, "", .status = 0);
    story_close(&s);
    assert_int_equal(mh_model_load(dirs, 1, NULL, &m), 0);
    assert_int_equal(mh_grade(m, &options, &document), 0);
    mh_model_free(m);
    story_remove(&s);
    return document;
}

static void choices(void **state)
{
    struct mh_advice *advice = shipped();

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        json_t *document = graded(i, advice);
        const json_t *fix = json_object_get(finding(document, rows[i].rule), "fix");
        const char *library = json_string_value(json_object_get(fix, "library"));
        const char *code = json_string_value(json_object_get(fix, "code"));
        const char *text = json_string_value(json_object_get(fix, "text"));

        if (!fix || !code || !text)
            fail_msg("%s: no finding of %s with a fix", rows[i].name, rows[i].rule);
        if (library ? !rows[i].library || strcmp(library, rows[i].library) : !!rows[i].library)
            fail_msg("%s: expected %s, got %s", rows[i].name,
                     rows[i].library ? rows[i].library : "none", library ? library : "none");
        if (!strstr(code, rows[i].code) || !strstr(text, rows[i].text))
            fail_msg("%s: '%s' and '%s' in\n%s\n%s", rows[i].name, rows[i].code, rows[i].text, code,
                     text);
        json_decref(document);
    }
    mh_advice_free(advice);
}

/* No folder: the rule's own advice, as it stands in the catalogue. */
static void none(void **state)
{
    struct mh_advice *advice = NULL;
    json_t *document = graded(0, NULL);
    const json_t *fix = json_object_get(finding(document, "MH-0502"), "fix");

    assert_true(json_is_null(json_object_get(fix, "library")));
    assert_string_equal(json_string_value(json_object_get(fix, "code")),
                        mh_rule_find("MH-0502")->code);
    json_decref(document);
    assert_int_equal(mh_advice_load("/nowhere", complain, NULL, &advice), -ENOENT);
    mh_advice_free(advice);
}

static const struct mh_advice_library *library(const struct mh_advice *advice, const char *file)
{
    for (size_t i = 0; i < advice->libraries.n; i++)
        if (!strcmp(advice->libraries.v[i].file, file))
            return &advice->libraries.v[i];
    fail_msg("there is no %s", file);
    return NULL;
}

static void versions(void **state)
{
    static const struct {
        const char *file, *version;
        bool holds;
    } checks[] = {
        {"uvicorn-old.ini", "0.17.6", true},  {"uvicorn-old.ini", "0.30", false},
        {"uvicorn-old.ini", "0.30.0", false}, {"uvicorn-old.ini", "0.29.9rc1", true},
        {"uvicorn-old.ini", "", false},       {"urllib3-2.ini", "1.26.12", false},
        {"urllib3-2.ini", "2.0.0", true},     {"urllib3-2.ini", "", true},
        {"requests.ini", "0.1", true},
    };
    struct mh_advice *advice = shipped();

    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        struct mh_version version;

        mh_version_parse(checks[i].version, &version);
        if (mh_advice_for_version(library(advice, checks[i].file), &version) != checks[i].holds)
            fail_msg("%s and '%s'", checks[i].file, checks[i].version);
    }
    mh_advice_free(advice);
}

/* What pip and apt leave beside a package tells its version; case and '-', '_', '.' do not count.
 */
static void installed(void **state)
{
    static const char *const entries[] = {"redis_tools-9.dist-info", "Dogpile_Cache-1.1.8.egg-info",
                                          "psycopg2_binary-2.9.13.dist-info", "redis"};
    char root[] = "/tmp/test-advice-XXXXXX", path[200];
    struct mh_advice *advice = shipped();
    struct mh_version version;

    assert_non_null(mkdtemp(root));
    snprintf(path, sizeof(path), "%s/site-packages", root);
    assert_int_equal(mkdir(path, 0755), 0);
    for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
        snprintf(path, sizeof(path), "%s/site-packages/%s", root, entries[i]);
        assert_int_equal(mkdir(path, 0755), 0);
    }
    snprintf(path, sizeof(path), "%s/site-packages/x/y.py", root);
    mh_version_installed(library(advice, "redis.ini"), path, &version);
    assert_false(version.known);
    mh_version_installed(library(advice, "dogpile.cache.ini"), path, &version);
    assert_true(version.known && version.part[0] == 1 && version.part[2] == 8);
    mh_version_installed(library(advice, "psycopg2.ini"), path, &version);
    assert_true(version.known && version.part[0] == 2 && version.part[2] == 13);
    mh_version_installed(library(advice, "redis.ini"), "/srv/shop/app.py", &version);
    assert_false(version.known);
    for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
        snprintf(path, sizeof(path), "%s/site-packages/%s", root, entries[i]);
        rmdir(path);
    }
    snprintf(path, sizeof(path), "%s/site-packages", root);
    rmdir(path);
    rmdir(root);
    mh_advice_free(advice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(choices), cmocka_unit_test(none),
                                       cmocka_unit_test(versions), cmocka_unit_test(installed)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
