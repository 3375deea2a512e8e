/* SPDX-License-Identifier: Apache-2.0 */
/* rule/match.c and rule/pattern.c: globs, peers and processes. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/macros.h"
#include "rule/loader.h"
#include "rule/rule.h"

#include "base/banned.h"

static void globs(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool parts, hit;
    } rows[] = {
        {"", "", true, true},
        {"", "a", true, false},
        {"a", "", true, false},
        {"*", "", true, true},
        {"*", "abc", true, true},
        {"*", "a/b", true, false},
        {"*", "a/b", false, true},
        {"**", "a/b", true, true},
        {"?", "a", true, true},
        {"?", "/", true, false},
        {"?", "/", false, true},
        {"a*c", "abbc", true, true},
        {"a*c", "ab/c", true, false},
        {"a*b*c", "aXbYbZc", true, true},
        {"*a*a*a*b", "aaaaaaaaaaaaaaaaaa", true, false},
        {"/var/lib/app/**", "/var/lib/app/x/y.db", true, true},
        {"/var/lib/app/**", "/var/lib/app", true, false},
        {"/var/lib/app/**", "/var/lib/apple/x", true, false},
        {"/a/**/b", "/a/b", true, true},
        {"/a/**/b", "/a/x/y/b", true, true},
        {"/a/**/b", "/a/xb", true, false},
        {"/a/**/b", "/a/x/b/c", true, false},
        {"**/x.db", "x.db", true, true},
        {"**/x.db", "/data/x.db", true, true},
        {"**/x.db", "/data/ax.db", true, false},
        {"**/*.db", "/data/deep/ax.db", true, true},
        {"**/*.db", "/data/x.db/y", true, false},
        {"**/data/**", "/srv/data/x", true, true},
        {"**/data/**", "data/x", true, true},
        {"/a**b", "/a/x/b", true, true},
        {"*u/v*", "xuu/vy", true, true},
        {"**/a/*b/**/c", "/a/xb/a/b/q/c", true, true},
        {"celery*worker*", "celery -A app worker -l info", false, true},
        {"a[b]", "a[b]", true, true},
        {"a[b]", "ab", true, false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (mh_glob(rows[i].pattern, rows[i].text, rows[i].parts) != rows[i].hit)
            fail_msg("'%s' on '%s'", rows[i].pattern, rows[i].text);
}

/* What a glob means, plainly and slowly. */
static bool slow_glob(const char *p, const char *s, bool begin)
{
    if (!*p)
        return !*s;
    if (p[0] == '*' && p[1] == '*') {
        if (begin && p[2] == '/') {
            for (const char *t = s; t; t = strchr(t, '/') ? strchr(t, '/') + 1 : NULL)
                if (slow_glob(p + 3, t, true))
                    return true;
            return false;
        }
        for (const char *t = s;; t++) {
            if (slow_glob(p + 2, t, false))
                return true;
            if (!*t)
                return false;
        }
    }
    if (*p == '*') {
        for (const char *t = s;; t++) {
            if (slow_glob(p + 1, t, false))
                return true;
            if (!*t || *t == '/')
                return false;
        }
    }
    return *s && ((*p == '?' && *s != '/') || *p == *s) && slow_glob(p + 1, s + 1, *p == '/');
}

static void globs_against_the_definition(void **state)
{
    static const char in_pattern[] = "ab/*?*/", in_text[] = "ab/a";
    uint64_t seed = 42, hits = 0;

    for (int i = 0; i < 200000; i++) {
        char pattern[9] = "", text[11] = "";
        bool expected;

        for (int j = 0, n = (int)(mh_mix(seed++) % 8); j < n; j++)
            pattern[j] = in_pattern[mh_mix(seed++) % 7];
        for (int j = 0, n = (int)(mh_mix(seed++) % 10); j < n; j++)
            text[j] = in_text[mh_mix(seed++) % 4];
        if (strstr(pattern, "***")) /* its meaning is nobody's promise */
            continue;
        expected = slow_glob(pattern, text, true);
        hits += expected;
        if (mh_glob(pattern, text, true) != expected)
            fail_msg("'%s' on '%s' is not %d", pattern, text, expected);
    }
    assert_true(hits > 1000);
}

static struct mh_peer peer(int family, const char *address, uint16_t port, const char *name)
{
    struct mh_peer p = {.family = family, .port = port};

    if (family == AF_UNIX)
        memcpy(p.path, address, strlen(address) + 1);
    else if (family)
        assert_int_equal(inet_pton(family, address, p.addr), 1);
    memcpy(p.name, name, strlen(name) + 1);
    return p;
}

static const struct {
    const char *pattern;
    int family;
    const char *address;
    uint16_t port;
    const char *name;
    bool hit;
} peer_rows[] = {
    {"redis:6379", AF_INET, "172.18.0.2", 6379, "redis", true},
    {"redis:6379", AF_INET, "172.18.0.2", 6379, "REDIS", true},
    {"Redis:6379", AF_INET, "172.18.0.2", 6379, "redis", true},
    {"redis:6379", AF_INET, "172.18.0.2", 6380, "redis", false},
    {"redis:6379", AF_INET, "172.18.0.2", 6379, "", false},
    {"redis", AF_INET, "172.18.0.2", 6380, "redis", true},
    {"redis:*", AF_INET, "172.18.0.2", 6380, "redis", true},
    {"redis", AF_INET, "172.18.0.2", 6380, "redis2", false},
    {"*.internal:5432", AF_INET, "10.1.1.1", 5432, "db.internal", true},
    {"*.internal:5432", AF_INET, "10.1.1.1", 5432, "a.b.internal", true},
    {"*.internal:5432", AF_INET, "10.1.1.1", 5432, "internal", false},
    {":443", AF_INET, "10.1.1.1", 443, "x", true},
    {":443", AF_INET6, "::1", 443, "", true},
    {":443", AF_UNIX, "/run/x", 0, "", false},
    {"*:443", AF_INET, "10.1.1.1", 443, "", true},
    {"10.0.0.0/8", AF_INET, "10.200.3.4", 1, "x", true},
    {"10.0.0.0/8", AF_INET, "11.0.0.0", 1, "x", false},
    {"10.1.2.3/8", AF_INET, "10.200.3.4", 1, "x", true},
    {"10.0.0.0/8:5432", AF_INET, "10.0.0.1", 5433, "", false},
    {"10.32.0.0/11", AF_INET, "10.63.255.255", 1, "", true},
    {"10.32.0.0/11", AF_INET, "10.64.0.0", 1, "", false},
    {"8.0.0.0/5", AF_INET, "10.0.0.1", 1, "", true},
    {"0.0.0.0/0", AF_INET, "1.2.3.4", 1, "", true},
    {"0.0.0.0/0", AF_INET6, "::1", 1, "", false},
    {"127.0.0.1:6379", AF_INET, "127.0.0.1", 6379, "localhost", true},
    {"127.0.0.1:6379", AF_INET6, "::ffff:127.0.0.1", 6379, "", true},
    {"127.0.0.1:6379", AF_INET, "127.0.0.2", 6379, "", false},
    {"[::1]:80", AF_INET6, "::1", 80, "", true},
    {"[::1]:80", AF_INET6, "::1", 81, "", false},
    {"[::1]", AF_INET6, "::1", 81, "", true},
    {"::1", AF_INET6, "::1", 81, "", true},
    {"[fd00::/8]:80", AF_INET6, "fd12::3", 80, "", true},
    {"fd00::/8", AF_INET6, "fd12::3", 80, "", true},
    {"fd00::/8", AF_INET6, "fe12::3", 80, "", false},
    {"unix:/run/x.sock", AF_UNIX, "/run/x.sock", 0, "", true},
    {"unix:/run/*.sock", AF_UNIX, "/run/y.sock", 0, "", true},
    {"unix:/run/*.sock", AF_UNIX, "/run/a/y.sock", 0, "", false},
    {"unix:/run/**", AF_UNIX, "/run/a/y.sock", 0, "", true},
    /* questions: no address yet, and perhaps no port */
    {"redis:6379", 0, "", 0, "redis", true},
    {"redis:6379", 0, "", 6380, "redis", false},
    {"redis:6379", 0, "", 0, "kafka", false},
    {"*.*", 0, "", 80, "api.example.com", true},
    {"*.*", 0, "", 80, "localhost", false},
    /* an address in letters is no question */
    {"*.*", 0, "", 80, "127.0.0.1", false},
    {"*", 0, "", 80, "::1", false},
    {"127.0.*:80", 0, "", 80, "127.0.0.1", true},
};

static void peers(void **state)
{
    for (size_t i = 0; i < ARRAY_SIZE(peer_rows); i++) {
        struct mh_peer p =
            peer(peer_rows[i].family, peer_rows[i].address, peer_rows[i].port, peer_rows[i].name);
        struct mh_peer_pattern pattern;
        MH_BUF(why, 200);
        int r = mh_peer_pattern_parse(peer_rows[i].pattern, &pattern, &why);

        if (!strcmp(peer_rows[i].pattern, "*")) {
            assert_true(r < 0);
            continue;
        }
        assert_int_equal(r, 0);
        if (mh_peer_matches(&pattern, &p) != peer_rows[i].hit)
            fail_msg("'%s' on %s %s:%u", peer_rows[i].pattern, peer_rows[i].name,
                     peer_rows[i].address, peer_rows[i].port);
    }
}

/* The decision passes over faults by what their patterns have in common: it must come to what the
 * patterns say one by one. */
static void hints(void **state)
{
    static struct mh_rules rules;
    static struct mh_counters counters;
    enum { N = ARRAY_SIZE(peer_rows) };
    static struct mh_peer_pattern patterns[N];
    struct mh_fault *f = &rules.faults[0];
    unsigned n = 0, hit = 0;

    for (size_t i = 0; i < N; i++) {
        MH_BUF(why, 200);

        if (mh_peer_pattern_parse(peer_rows[i].pattern, &patterns[n], &why) == 0)
            n++;
    }
    rules.nfaults = 1;
    f->ops = MH_OP_BIT(MH_OP_recv);
    f->effects = MH_EFFECT_BIT(MH_EFFECT_hang);
    f->probability = UINT32_MAX;
    f->npeers = 2;
    for (unsigned i = 0; i < n * n; i++) {
        f->peers[0] = patterns[i / n];
        f->peers[1] = patterns[i % n];
        mh_rules_bind(&rules, "", "");
        for (unsigned j = 0; j < N; j++) {
            struct mh_peer p = peer(peer_rows[j].family, peer_rows[j].address, peer_rows[j].port,
                                    peer_rows[j].name);
            struct mh_op op = {.kind = MH_OP_recv, .peer = &p};
            struct mh_verdict v;
            bool any = mh_peer_matches(&f->peers[0], &p) || mh_peer_matches(&f->peers[1], &p);

            hit += any;
            assert_int_equal(mh_rules_decide(&rules, &counters, &op, &v), any);
        }
    }
    assert_true(hit > n * n);
}

static void processes(void **state)
{
    static const struct {
        const char *processes, *exe, *line;
        bool part;
    } rows[] = {
        {"", "/usr/bin/python3.11", "python3 app.py", true},
        {"", "/usr/bin/python3.11", "/srv/venv/bin/uvicorn app:app", true},
        {"", "/usr/local/bin/python3.13", "python -m celery worker", true},
        {"", "/usr/bin/redis-server", "redis-server *:6379", false},
        {"", "/usr/bin/bash", "bash -c python3", false},
        {"", "/lib64/ld-linux-x86-64.so.2", "python3 app.py", true},
        {"celery*", "/usr/bin/python3.11", "/usr/bin/python3 /usr/bin/celery -A app worker", true},
        {"celery*", "/usr/bin/python3.11", "python3 -m celery -A app worker", true},
        {"celery*", "/usr/bin/python3.11", "python3 -X dev -u -W error /x/celery.py", true},
        {"celery*", "/usr/bin/python3.11", "python3 -c celery", false},
        {"celery*", "/usr/bin/python3.11", "python3 /usr/bin/uvicorn celery:app", false},
        {"celery*", "/usr/bin/python3.11", "python3", false},
        {"celery*", "/usr/bin/python3.11", "python3 -", false},
        {"celery*", "/usr/bin/python3.11", "python3 -u", false},
        {"celery*", "/usr/bin/python3.11", "", false},
        {"uwsgi", "/usr/bin/uwsgi", "uWSGI master", true},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        static struct mh_rules rules;

        rules.nprocesses = rows[i].processes[0] != '\0';
        memcpy(rules.processes[0], rows[i].processes, strlen(rows[i].processes) + 1);
        if (mh_rules_takes_part(&rules, rows[i].exe, rows[i].line) != rows[i].part)
            fail_msg("'%s' and '%s'", rows[i].processes, rows[i].line);
    }
}

static void faults_of_a_process(void **state)
{
    static struct mh_rules rules;
    struct mh_fault *f = rules.faults;
    static const char worker[] = "celery*worker*";

    rules.nfaults = 2;
    f[0].ops = MH_OP_BIT(MH_OP_recv);
    f[1].ops = MH_OP_BIT(MH_OP_send);
    f[1].nprocesses = 1;
    memcpy(f[1].processes[0], worker, sizeof(worker));
    mh_rules_bind(&rules, "/usr/bin/python3", "python3 /usr/bin/celery -A app worker");
    assert_true(f[0].takes_part && f[1].takes_part);
    assert_true(rules.ops == (MH_OP_BIT(MH_OP_recv) | MH_OP_BIT(MH_OP_send)));
    mh_rules_bind(&rules, "/usr/bin/python3", "python3 /usr/bin/celery -A app beat");
    assert_true(f[0].takes_part && !f[1].takes_part);
    assert_true(rules.ops == MH_OP_BIT(MH_OP_recv));
}

/* Patterns are the user's, texts are not: neither may make a hook slow. */
static void no_glob_is_slow(void **state)
{
    char pattern[MH_PATTERN_SIZE], text[4000];
    clock_t begin = clock();

    for (size_t i = 0; i + 1 < sizeof(pattern); i++)
        pattern[i] = i % 2 ? 'a' : '*';
    pattern[sizeof(pattern) - 2] = 'b';
    pattern[sizeof(pattern) - 1] = '\0';
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    assert_false(mh_glob(pattern, text, true));
    assert_false(mh_glob(pattern, text, false));
    assert_true(clock() - begin < CLOCKS_PER_SEC);
}

/* A stack as it is recorded, innermost first. */
static const char stack[] = "Redis.get\t/usr/lib/python3/dist-packages/redis/client.py\t7\n"
                            "cache\t/app/shop/store.py\t5\n"
                            "Orders.add.<locals>.one\t/app/shop/orders.py\t4\n"
                            "Orders.add\t/app/shop/orders.py\t3\n"
                            "place\t/app/shop/orders.py\t2\n"
                            "_call\t<frozen importlib._bootstrap>\t1\n"
                            "<module>\t/app/shop/__init__.py\t1\n";

static void stacks(void **state)
{
    static const struct {
        const char *pattern;
        bool fits;
    } rows[] = {
        {"redis.client.Redis.get", true},
        {"dist-packages.redis.client.*", true},
        {"shop.*", true},
        {"hop.*", false},
        {"Redis.get", true},
        {"get", true},
        {"et", false},
        {"shop.orders.*", true},
        {"shop.orders.place ** redis.client.*", true},
        {"redis.client.* ** shop.orders.place", false},
        {"place Orders.add", true},
        {"place cache", false},
        {"shop.orders.* shop.store.cache", true}, /* the first that fits has no such next one */
        {"Orders.add ** cache Redis.get", true},
        {"place ** place", false},
        {"shop.<module> importlib._bootstrap._call ** get", true},
        {"<module> place", false},
        {"*", true},
    };
    static struct mh_rules rules;
    uint64_t fits[MH_FAULT_WORDS];

    memset(&rules, 0, sizeof(rules));
    rules.nfaults = 2;
    rules.faults[1].nstacks = 1;
    rules.faults[0].takes_part = rules.faults[1].takes_part = true;
    mh_rules_rebind(&rules);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        memcpy(rules.faults[1].stacks[0], rows[i].pattern, strlen(rows[i].pattern) + 1);
        mh_rules_match_stack(&rules, stack, sizeof(stack) - 1, fits);
        if (fits[0] != (rows[i].fits ? 2u : 0u))
            fail_msg("%s", rows[i].pattern);
        mh_rules_match_stack(&rules, "", 0, fits);
        assert_int_equal(fits[0], 0);
    }
}

static void operations(void **state)
{
    assert_true(mh_operation_matches("GET /orders/*", "GET /orders/7"));
    assert_false(mh_operation_matches("GET /orders/*", "GET /orders/7/items"));
    assert_true(mh_operation_matches("GET /orders/**", "GET /orders/7/items"));
    assert_false(mh_operation_matches("GET /orders/*", "POST /orders/7"));
    assert_true(mh_operation_matches("* /orders/*", "POST /orders/7"));
    assert_true(mh_operation_matches("/orders/*", "POST /orders/7"));
    assert_false(mh_operation_matches("/orders", "POST /orders/7"));
    assert_true(mh_operation_matches("shop.tasks.*", "shop.tasks.charge"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(globs),
        cmocka_unit_test(globs_against_the_definition),
        cmocka_unit_test(peers),
        cmocka_unit_test(hints),
        cmocka_unit_test(processes),
        cmocka_unit_test(no_glob_is_slow),
        cmocka_unit_test(faults_of_a_process),
        cmocka_unit_test(stacks),
        cmocka_unit_test(operations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
