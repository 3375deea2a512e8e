/* SPDX-License-Identifier: Apache-2.0 */
/* rule/rule.c and count.c: which faults apply to an operation, when, and with what draw. */
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/hash.h"
#include "base/macros.h"
#include "rule/rule.h"

#include "base/banned.h"

#define BIT(effect) MH_EFFECT_BIT(MH_EFFECT_##effect)
#define S           INT64_C(1000000000)

static struct mh_rules rules;
static struct mh_counters counters, shared;
static const struct mh_peer redis = {
    .family = AF_INET, .addr = {10, 0, 0, 1}, .port = 6379, .key = 11, .name = "redis"};
static const struct mh_peer kafka = {
    .family = AF_INET, .addr = {10, 0, 0, 2}, .port = 9092, .key = 22, .name = "kafka"};

/* A fault on recv without limits; the caller adds the effect. */
static struct mh_fault *fault(const char *name, uint32_t effects)
{
    struct mh_fault *f = &rules.faults[rules.nfaults++];

    memset(f, 0, sizeof(*f));
    f->key = mh_hash_text(MH_HASH_START, name);
    f->ops = MH_OP_BIT(MH_OP_recv);
    f->effects = effects;
    f->probability = UINT32_MAX;
    f->every = 1;
    f->per = MH_PER_peer;
    f->delay = (struct mh_dist){MH_DIST_fixed, 5, 0};
    f->nerrors = 1;
    f->errors[0].number = ECONNRESET;
    f->errors[0].weight = 1;
    f->signal = SIGKILL;
    f->short_min = f->short_max = 3;
    f->eof_after = 100;
    f->reset_after = 200;
    f->memory = 1000;
    return f;
}

static int begin(void **state)
{
    memset(&rules, 0, sizeof(rules));
    memset(&counters, 0, sizeof(counters));
    memset(&shared, 0, sizeof(shared));
    rules.seed = 7;
    return 0;
}

static struct mh_op recv_from(const struct mh_peer *peer)
{
    return (struct mh_op){
        .kind = MH_OP_recv, .side = MH_SIDE_client, .peer = peer, .run_ns = S, .process_ns = S};
}

static bool decide(const struct mh_op *op, struct mh_verdict *v)
{
    mh_rules_bind(&rules, "python3", "python3");
    return mh_rules_decide(&rules, &counters, op, v);
}

/* One '#' for each of n operations that is hit, '.' for each that passes. */
static const char *hits(struct mh_op op, unsigned n)
{
    static char text[4096];
    struct mh_verdict v;

    mh_rules_bind(&rules, "python3", "python3");
    for (unsigned i = 0; i < n; i++)
        text[i] = mh_rules_decide(&rules, &counters, &op, &v) ? '#' : '.';
    text[n] = '\0';
    return text;
}

static void nothing(void **state)
{
    struct mh_op op = recv_from(&redis);
    struct mh_verdict v;

    assert_false(decide(&op, &v));
    assert_int_equal(v.fault, -1);
    assert_int_equal(v.delay_fault, -1);
    assert_int_equal(v.effects, 0);
    fault("x", BIT(error));
    op.kind = MH_OP_send;
    assert_false(decide(&op, &v));
    assert_int_equal(v.fault, -1);
}

static void where(void **state)
{
    struct mh_op op = recv_from(&redis);
    struct mh_fault *f = fault("x", BIT(error));

    f->npeers = 2;
    memcpy(f->peers[0].name, "db", 3);
    memcpy(f->peers[1].name, "redis", 6);
    f->peers[1].port = 6379;
    assert_string_equal(hits(op, 1), "#");
    assert_string_equal(hits(recv_from(&kafka), 1), ".");
    assert_string_equal(hits(recv_from(NULL), 1), ".");
    f->side = MH_SIDE_server;
    assert_string_equal(hits(op, 1), ".");
    op.side = MH_SIDE_server;
    assert_string_equal(hits(op, 1), "#");
    f->side = MH_SIDE_any;
    f->npeers = 0;
    f->npaths = 1;
    f->ops = MH_OP_BIT(MH_OP_write);
    f->errors[0].number = ENOSPC;
    memcpy(f->paths[0], "/data/**", 9);
    op.kind = MH_OP_write;
    op.path = "/data/x/y";
    assert_string_equal(hits(op, 1), "#");
    op.path = "/date/x/y";
    assert_string_equal(hits(op, 1), ".");
    op.path = NULL;
    assert_string_equal(hits(op, 1), ".");
}

static void when_counts(void **state)
{
    struct mh_fault *f = fault("x", BIT(error));
    struct mh_op op = recv_from(&redis);

    f->skip = 3;
    assert_string_equal(hits(op, 8), "...#####");
    assert_string_equal(hits(recv_from(&kafka), 5), "...##"); /* another peer, other counters */
    begin(NULL);
    f = fault("x", BIT(error));
    f->count = 2;
    assert_string_equal(hits(op, 6), "##....");
    begin(NULL);
    f = fault("x", BIT(error));
    f->every = 3;
    assert_string_equal(hits(op, 8), "#..#..#.");
    begin(NULL);
    f = fault("x", BIT(error));
    f->skip = 2;
    f->every = 3;
    f->count = 2;
    assert_string_equal(hits(op, 10), "..#..#....");
}

static void count_is_of_hits(void **state)
{
    struct mh_fault *f = fault("x", BIT(error));
    const char *text;
    unsigned n = 0;

    f->probability = UINT32_MAX / 4;
    f->count = 5;
    text = hits(recv_from(&redis), 400);
    for (const char *p = text; *p; p++)
        n += *p == '#';
    assert_int_equal(n, 5);
    assert_null(strstr(text, "#####")); /* they are spread, not the first five */
}

static void scopes(void **state)
{
    struct mh_op op = recv_from(&redis), other;
    struct mh_fault *f = fault("x", BIT(error));

    f->count = 1;
    f->per = MH_PER_connection;
    assert_string_equal(hits(op, 2), "#.");
    op.conn = 1;
    assert_string_equal(hits(op, 2), "#.");
    f->per = MH_PER_site;
    assert_string_equal(hits(op, 2), "#.");
    op.site = 99;
    assert_string_equal(hits(op, 2), "#.");
    f->per = MH_PER_process;
    assert_string_equal(hits(op, 2), "#.");
    op.process = 1;
    assert_string_equal(hits(op, 2), "#.");
    other = recv_from(&kafka);
    other.process = 1;
    assert_string_equal(hits(other, 2), "..");
    f->per = MH_PER_run;
    op.shared = other.shared = &shared;
    assert_string_equal(hits(op, 2), "#.");
    other.process = 2;
    assert_string_equal(hits(other, 2), "..");
    other.shared = NULL; /* the private counters know nothing of it */
    assert_string_equal(hits(other, 2), "#.");
}

static void when_by_the_clock(void **state)
{
    struct mh_op op = recv_from(&redis);
    struct mh_fault *f = fault("x", BIT(error));
    static const struct {
        int64_t ns;
        const char *hit;
    } rows[] = {{-1, "."},    {0, "."},         {2 * S - 1, "."},
                {2 * S, "#"}, {5 * S - 1, "#"}, {5 * S, "."}};

    f->after_ns = 2 * S;
    f->for_ns = 3 * S;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        op.process_ns = rows[i].ns;
        assert_string_equal(hits(op, 1), rows[i].hit);
    }
    f->after_ns = f->for_ns = 0;
    op.process_ns = -1; /* the run is held until the program is ready */
    assert_string_equal(hits(op, 1), ".");
    rules.stop_after_ns = 60 * S;
    op.process_ns = op.run_ns = 60 * S - 1;
    assert_string_equal(hits(op, 1), "#");
    op.run_ns = 60 * S;
    assert_string_equal(hits(op, 1), ".");
    op.run_ns = -1;
    op.process_ns = 60 * S;
    assert_string_equal(hits(op, 1), ".");
}

static void phases(void **state)
{
    struct mh_op op = recv_from(&redis);
    struct mh_fault *f = fault("x", BIT(error));
    static const struct {
        int64_t run_ns;
        int phase;
        const char *hit;
    } rows[] = {
        {-5, -1, "."},    {0, 0, "."},          {10 * S - 1, 0, "."}, {10 * S, 1, "."},
        {11 * S, 1, "#"}, {20 * S - 1, 1, "#"}, {20 * S, 2, "."},     {30 * S, -1, "."},
    };

    fault("never listed", BIT(hang));
    f->after_ns = S;
    rules.nphases = 3;
    for (unsigned i = 0; i < 3; i++) {
        rules.phases[i].start_ns = i * 10 * S;
        rules.phases[i].for_ns = 10 * S;
    }
    rules.phases[1].faults[0] = 1;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        op.run_ns = rows[i].run_ns;
        op.process_ns = 0; /* counts nothing here */
        assert_int_equal(mh_rules_phase(&rules, op.run_ns), rows[i].phase);
        assert_string_equal(hits(op, 1), rows[i].hit);
    }
    rules.phases[2].for_ns = 0; /* to the end */
    assert_int_equal(mh_rules_phase(&rules, 3600 * S), 2);
    rules.phases[2].faults[0] = 1;
    f->count = 1;
    f->after_ns = 0;
    op.run_ns = 12 * S;
    assert_string_equal(hits(op, 2), "..");
    op.run_ns = 22 * S; /* each phase counts anew */
    assert_string_equal(hits(op, 2), "#.");
}

static void live_switches(void **state)
{
    struct mh_op op = recv_from(&redis);
    uint64_t off[MH_FAULT_WORDS] = {0}, match[MH_FAULT_WORDS];
    struct mh_verdict v;

    for (int i = 0; i < 100; i++)
        fault("x", BIT(error))->npeers = 1; /* an empty pattern fits everybody */
    op.off = off;
    off[0] = UINT64_MAX;
    off[1] = UINT64_MAX - (1 << 9);
    assert_true(decide(&op, &v));
    assert_int_equal(v.fault, 73);
    off[1] = UINT64_MAX;
    assert_false(decide(&op, &v));
    memset(off, 0, sizeof(off));
    memcpy(rules.faults[0].peers[0].name, "kafka", 6);
    mh_rules_match_peer(&rules, &redis, match);
    assert_true(match[0] == UINT64_MAX - 1 && match[1] == (UINT64_C(1) << 36) - 1);
    op.peer_faults = match;
    assert_true(decide(&op, &v));
    assert_int_equal(v.fault, 1);
    mh_rules_match_peer(&rules, NULL, match);
    assert_true(match[0] == 0 && match[1] == 0);
}

static void effects(void **state)
{
    struct mh_op op = recv_from(&redis);
    struct mh_verdict v;

    fault("a", BIT(delay));
    fault("b", BIT(delay) | BIT(short));
    fault("c", BIT(error));
    fault("d", BIT(hang) | BIT(delay));
    fault("e", BIT(short))->short_max = 9;
    assert_true(decide(&op, &v));
    assert_int_equal(v.delay_ns, 15);
    assert_int_equal(v.delay_fault, 0);
    assert_int_equal(v.fault, 1); /* the first that does more than delay */
    assert_int_equal(v.effects, BIT(delay) | BIT(short) | BIT(error));
    assert_int_equal(v.error, ECONNRESET);
    assert_int_equal(v.short_len, 3);
    begin(NULL);
    fault("kill", BIT(kill));
    fault("reset", BIT(reset) | BIT(eof));
    assert_true(decide(&op, &v));
    assert_int_equal(v.effects, BIT(kill));
    assert_int_equal(v.signal, SIGKILL);
    begin(NULL);
    fault("reset", BIT(reset));
    fault("eof", BIT(eof));
    op.effects = BIT(error); /* of which neither has any: it does not count for them */
    assert_false(decide(&op, &v));
    op.effects = 0;
    assert_true(decide(&op, &v));
    assert_int_equal(v.ordinal, 0);
    assert_int_equal(v.reset_after, 200);
    assert_int_equal(v.eof_after, 100);
    begin(NULL);
    fault("memory", BIT(memory) | BIT(delay))->ops = MH_OP_BIT(MH_OP_malloc);
    op.kind = MH_OP_malloc;
    assert_true(decide(&op, &v)); /* malloc cannot be delayed */
    assert_int_equal(v.effects, BIT(memory));
    assert_int_equal(v.memory, 1000);
}

static void superseded_faults_do_not_count(void **state)
{
    struct mh_op op = recv_from(&redis);
    struct mh_fault *first = fault("first", BIT(error)), *second = fault("second", BIT(hang));
    struct mh_verdict v;

    first->count = 2;
    second->count = 1;
    for (int i = 0; i < 2; i++) {
        assert_true(decide(&op, &v));
        assert_int_equal(v.fault, 0);
    }
    assert_true(decide(&op, &v));
    assert_int_equal(v.fault, 1);
    assert_int_equal(v.ordinal, 2);
    assert_false(decide(&op, &v));
}

static void errors(void **state)
{
    struct mh_op op = recv_from(&redis);
    struct mh_fault *f = fault("x", BIT(error));
    unsigned resets = 0, n = 4000;
    struct mh_verdict v;

    f->nerrors = 4;
    f->errors[0].weight = 3;
    f->errors[1].number = ETIMEDOUT;
    f->errors[1].weight = 1;
    f->errors[2].number = EPIPE; /* not recv's */
    f->errors[2].weight = 1000;
    f->errors[3].number = EAI_AGAIN;
    f->errors[3].weight = 1000;
    for (unsigned i = 0; i < n; i++) {
        assert_true(decide(&op, &v));
        assert_true(v.error == ECONNRESET || v.error == ETIMEDOUT);
        resets += v.error == ECONNRESET;
    }
    assert_in_range(resets, n * 70 / 100, n * 80 / 100);
    f->ops |= MH_OP_BIT(MH_OP_getaddrinfo);
    op.kind = MH_OP_getaddrinfo;
    assert_true(decide(&op, &v));
    assert_int_equal(v.error, EAI_AGAIN);
    f->nerrors = 3;
    assert_false(decide(&op, &v)); /* nothing that a look-up could return */
    f->force = true;
    assert_false(decide(&op, &v)); /* and an errno cannot be forced on it */
    op.kind = MH_OP_recv;
    f->errors[2].weight = UINT32_MAX;
    assert_true(decide(&op, &v));
    assert_int_equal(v.error, EPIPE);
}

static void probability_holds(void **state)
{
    struct mh_fault *f = fault("x", BIT(error));
    unsigned n = 0;

    f->probability = UINT32_MAX / 10;
    for (int i = 0; i < 10; i++)
        for (const char *p = hits(recv_from(&redis), 4000); *p; p++)
            n += *p == '#';
    assert_in_range(n, 3700, 4300);
}

/* The same seed gives the same verdicts, whatever else goes on; another seed, peer, process or
 * phase gives others. */
static void draws_replay(void **state)
{
    char first[257], text[257];
    struct mh_op op = recv_from(&redis);
    struct mh_fault *f = fault("x", BIT(error));
    uint64_t key = f->key;

    f->probability = UINT32_MAX / 2;
    memcpy(first, hits(op, 256), 257);
    begin(NULL);
    *fault("another before it", BIT(delay)) = (struct mh_fault){.ops = MH_OP_BIT(MH_OP_send)};
    fault("x", BIT(error))->probability = UINT32_MAX / 2;
    for (int i = 0; i < 256; i++) { /* with other peers in between */
        hits(recv_from(&kafka), 1 + i % 3);
        text[i] = hits(op, 1)[0];
    }
    text[256] = '\0';
    assert_string_equal(text, first);
    for (int i = 0; i < 4; i++) {
        memset(&counters, 0, sizeof(counters));
        op = recv_from(i == 0 ? &kafka : &redis);
        op.process = i == 1;
        rules.seed = i == 2 ? 8 : 7;
        rules.faults[1].key = key + (i == 3);
        assert_string_not_equal(hits(op, 256), first);
    }
}

static void *take_many(void *arg)
{
    struct mh_op op = recv_from(&redis);
    uintptr_t n = 0;
    struct mh_verdict v;

    for (int i = 0; i < 20000; i++)
        n += mh_rules_decide(&rules, &counters, &op, &v);
    return (void *)n;
}

static void count_holds_among_threads(void **state)
{
    pthread_t threads[4];
    uintptr_t all = 0;
    void *n;

    fault("x", BIT(error))->count = 1000;
    mh_rules_bind(&rules, "", "");
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, NULL), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &n);
        all += (uintptr_t)n;
    }
    assert_int_equal(all, 1000);
}

static void full_counters_fold(void **state)
{
    struct mh_counter *fold[2];
    unsigned folded = 0;

    for (uint64_t scope = 0; scope < 3 * MH_COUNTER_SLOTS; scope++)
        assert_non_null(mh_counter_get(&counters, 0, scope));
    fold[0] = mh_counter_get(&counters, 0, UINT64_MAX);
    fold[1] = mh_counter_get(&counters, 1, UINT64_MAX);
    assert_ptr_not_equal(fold[0], fold[1]);
    for (uint64_t scope = 0; scope < 3 * MH_COUNTER_SLOTS; scope++)
        folded += mh_counter_get(&counters, 0, scope) == fold[0];
    assert_in_range(folded, 2 * MH_COUNTER_SLOTS, 3 * MH_COUNTER_SLOTS);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, begin)
    const struct CMUnitTest tests[] = {
        TEST(nothing),
        TEST(where),
        TEST(when_counts),
        TEST(count_is_of_hits),
        TEST(scopes),
        TEST(when_by_the_clock),
        TEST(phases),
        TEST(live_switches),
        TEST(effects),
        TEST(superseded_faults_do_not_count),
        TEST(errors),
        TEST(probability_holds),
        TEST(draws_replay),
        TEST(count_holds_among_threads),
        TEST(full_counters_fold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
