/* SPDX-License-Identifier: Apache-2.0 */
/* rule/load.c and what it is made of: scenarios that are right, wrong, cut, binary or random. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <netdb.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/macros.h"
#include "rule/keys.h"
#include "rule/load.h"
#include "whole-language.h"

#include "base/banned.h"

static struct mh_rules rules;
static struct mh_mistakes mistakes;
static char folder[] = "/tmp/mishap-test-XXXXXX";

static int make_folder(void **state)
{
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"x.ini", "y.ini"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        unlink(names[i]);
    return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static void write_file(const char *name, const void *text, size_t n)
{
    FILE *f = fopen(name, "we");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void write_text(const char *name, const char *text)
{
    write_file(name, text, strlen(text));
}

static int load(const char *text)
{
    write_text("x.ini", text);
    return mh_rules_load("x.ini", &rules, &mistakes);
}

/* "LINE: MESSAGE\n" for each mistake. */
static const char *told(void)
{
    static char text[sizeof(mistakes)];
    size_t at = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < mistakes.n && i < ARRAY_SIZE(mistakes.at); i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%d: %s\n", mistakes.at[i].line,
                               mistakes.at[i].text);
    return text;
}

static void wrong_spellings(void **state)
{
    static const struct {
        const char *scenario, *told;
    } rows[] = {
#define BAD(scenario, message) {scenario, message},
#include "bad-spellings.def"
#undef BAD
    };

    assert_true(ARRAY_SIZE(rows) >= 120);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(load(rows[i].scenario), -EINVAL);
        assert_string_equal(told(), rows[i].told);
        assert_int_equal(rules.nfaults + rules.nphases, 0);
        assert_string_equal(mistakes.at[0].file, "x.ini");
    }
}

static void the_whole_language(void **state)
{
    const struct mh_fault *two = &rules.faults[0], *one = &rules.faults[1];

    assert_int_equal(load(whole), 0);
    assert_int_equal(mistakes.n, 0);
    assert_true(rules.seed_given && rules.seed == (UINT64_C(1) << 53) - 1);
    assert_int_equal(rules.nprocesses, 2);
    assert_string_equal(rules.processes[1], "uvicorn");
    assert_int_equal(rules.stop_after_ns, INT64_C(7200000000000));
    assert_int_equal(rules.nphases, 3);
    assert_string_equal(rules.phases[1].name, "bad");
    assert_int_equal(rules.phases[1].start_ns, 1500000000);
    assert_int_equal(rules.phases[1].for_ns, INT64_C(120000000000));
    assert_int_equal(rules.phases[1].faults[0], 3);
    assert_int_equal(rules.phases[2].for_ns, 0);
    assert_int_equal(rules.phases[0].faults[0] | rules.phases[2].faults[0], 0);
    assert_int_equal(rules.nfaults, 2); /* in the order of the file */
    assert_string_equal(two->name, "two");
    assert_int_equal(two->line, 15);
    assert_true(two->ops == (MH_OP_BIT(MH_OP_recv) | MH_OP_BIT(MH_OP_getaddrinfo)));
    assert_int_equal(two->npeers, 4);
    assert_int_equal(two->peers[3].family, AF_UNIX);
    assert_int_equal(two->nerrors, 3);
    assert_int_equal(two->errors[1].number, EAI_AGAIN);
    assert_int_equal(two->errors[1].weight, 1);
    assert_int_equal(two->errors[2].weight, 2);
    assert_int_equal(two->delay.kind, MH_DIST_normal);
    assert_int_equal(two->delay.a, 200000000);
    assert_int_equal(two->delay.b, 50000000);
    assert_in_range(two->probability, UINT32_MAX / 8 - 1, UINT32_MAX / 8 + 1);
    assert_true(two->skip == 1 && two->every == 2 && two->count == 3 && two->per == MH_PER_site);
    assert_true(two->after_ns == 1000000000 && two->for_ns == INT64_C(4000000000));
    assert_int_equal(two->nprocesses, 1);
    assert_int_equal(one->npaths, 2);
    assert_string_equal(one->paths[0], "**/*.db");
    assert_int_equal(one->signal, SIGTERM);
    assert_true(one->probability == UINT32_MAX && one->every == 1 && one->count == 0);
}

static void defaults(void **state)
{
    assert_int_equal(load("[fault x]\ncall = recv\nhang = yes\n"), 0);
    assert_false(rules.seed_given);
    assert_int_equal(rules.nprocesses, 0);
    assert_int_equal(rules.stop_after_ns, INT64_C(900000000000));
    assert_int_equal(rules.faults[0].per, MH_PER_peer);
    assert_false(rules.faults[0].force);
    for (unsigned i = 0; i < MH_KEY_COUNT; i++) { /* every default is a value that may be written */
        const struct mh_key_row *k = &mh_key_rows[i];
        char text[256];

        if (!k->dflt[0])
            continue;
        snprintf(text, sizeof(text), "[run]\n%s%s = %s\n%s",
                 k->section == MH_SECTION_fault ? "[fault x]\ncall = recv\nerror = EIO\n" : "",
                 k->name, k->dflt, k->section == MH_SECTION_fault ? "\n" : "");
        if (load(text) != 0)
            fail_msg("%s = %s: %s", k->name, k->dflt, told());
    }
}

/* What can happen to none of the calls is not kept; the sentence says what is. */
static void sentences(void **state)
{
    static const struct {
        const char *scenario, *sentence;
    } rows[] = {
        {"call = recv\npeer = redis:6379\ndelay = 200ms jitter 50ms\nprobability = 25%\n",
         "recv on redis:6379 is delayed by 200 ms ± 50 ms, 25 % of the time"},
        {"call = net\nerror = ECONNREFUSED\n", "connect and recv fail with ECONNREFUSED"},
        {"call = net.connect dns\nerror = ECONNREFUSED 3, EAI_AGAIN\ndelay = uniform 1s 2s\n",
         "connect and getaddrinfo are delayed by 1 s to 2 s and fail with ECONNREFUSED (75 %) or "
         "EAI_AGAIN (25 %)"},
        {"call = open64\npath = /etc/*.conf x\nerror = EMFILE\ncount = 1\nskip = 3\nevery = 2\n",
         "open on /etc/*.conf or **/x fails with EMFILE, every 2nd time, after the first 3, at "
         "most "
         "1 time per process"},
        {"call = recv send\nside = server\npeer = [::1]:80 unix:/x :443\nshort = 1..16\nafter = "
         "5s\nfor = 1m\n",
         "recv and send as a server on [::1]:80, unix:/x or :443 move at most 1 to 16 bytes a "
         "call, "
         "from 5 s on, for 1 min"},
        {"call = recv\neof = after 100 bytes\nshort = 1\ncount = 7\nper = connection\n",
         "recv moves at most 1 byte a call and comes to the end after 100 bytes, at most 7 times "
         "per "
         "connection"},
        {"call = send\nreset = yes\nprocess = *worker* *beat*\n",
         "send in processes like *worker* or *beat* is reset at once"},
        {"call = memory\nmemory = 256MiB\n",
         "malloc and mmap fail with ENOMEM past 256 MiB in a process"},
        {"call = recv\nstack = shop.orders.*  **\tget, put\ncaller = libpq*\noperation = GET /a*, "
         "shop.tasks.*\nhang = yes\n",
         "recv with shop.orders.* ** get or put on the stack by code of libpq* during GET /a* or "
         "shop.tasks.* never becomes ready"},
        {"call = clock\nstep = -90m\n", "clock is 90 min behind"},
        {"call = time\nstep = +1h\nafter = 5s\n", "clock is 1 h ahead, from 5 s on"},
        {"call = dns\npeer = prices\naddress = 10.0.0.9, ::1\n",
         "getaddrinfo on prices gives 10.0.0.9 and ::1 as its addresses"},
        {"call = dns\nfamily = other\n", "getaddrinfo gives addresses of another family first"},
        {"call = recv\nhang = yes\n", "recv never becomes ready"},
        {"call = file.sync\nlost = yes\n", "fsync is said to be done, and is not"},
        {"call = write fsync\npath = /data/**\nlost = yes\nrate = 1MiB/s\nprobability = 5%\n",
         "write and fsync on /data/** move at most 1 MiB a second and are said to be done, and are "
         "not, 5 % of the time"},
        {"call = fsync\nkill = SIGKILL\ndelay = normal 1s 200ms\n",
         "fsync is delayed by 1 s ± 200 ms (normal) and kills the process with SIGKILL"},
        {"call = recv\nerror = EPIPE\nforce = yes\n", "recv fails with EPIPE"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char text[512];
        MH_BUF(b, 512);

        snprintf(text, sizeof(text), "[fault x]\n%s", rows[i].scenario);
        if (load(text) != 0)
            fail_msg("%s%s", text, told());
        mh_fault_sentence(&rules.faults[0], &b);
        assert_string_equal(b.data, rows[i].sentence);
    }
}

static void several_files(void **state)
{
    write_text("x.ini", "[phase a]\nfor = 1s\nfaults = y\n");
    write_text("y.ini", "[fault y]\ncall = recv\nhang = yes\n");
    assert_int_equal(mh_rules_load("x.ini:y.ini", &rules, &mistakes), 0);
    assert_int_equal(rules.nfiles, 2);
    assert_int_equal(rules.faults[0].file, 1);
    assert_int_equal(rules.phases[0].faults[0], 1);
    assert_int_equal(mh_rules_load(":x.ini::y.ini:", &rules, &mistakes), 0);
    write_text("x.ini", "[run]\nseed = 7\nstop_after = 60s\n");
    write_text("y.ini", "[run]\nstop_after = 1m\nseed = 7\n[fault y]\ncall = recv\nhang = yes\n");
    assert_int_equal(mh_rules_load("x.ini:y.ini", &rules, &mistakes), 0); /* they agree */
    assert_int_equal(rules.seed, 7);
    write_text("x.ini", "[run]\nseed = 1\n[fault y]\ncall = sned\n");
    write_text("y.ini", "[run]\nseed = 2\nsed = 1\n[fault y]\nhang = yes\n");
    assert_int_equal(mh_rules_load("x.ini:y.ini", &rules, &mistakes), -EINVAL);
    assert_string_equal(
        told(),
        "3: [fault y] has no effect; give one of: delay, error, short, eof, reset, hang, "
        "memory, kill, blackhole, rate, corrupt, fds, threads, disk, family, step, address, "
        "lost\n"
        "4: call = 'sned': unknown call (did you mean 'send'?); allowed: operations, "
        "groups or libc "
        "calls, as `mishap list calls` shows them\n"
        "2: 'seed' is set twice; first in x.ini:2\n"
        "3: unknown key 'sed' in [run]; did you mean 'seed'?\n"
        "4: [fault y] is defined twice; first in x.ini:3\n"
        "4: [fault y] has no 'call'; say what it happens to, such as call = recv\n");
    assert_string_equal(mistakes.at[2].file, "y.ini");
    assert_int_equal(mh_rules_load("x.ini:x.ini", &rules, &mistakes), -EINVAL);
    assert_string_equal(mistakes.at[0].text, "this file is named twice");
}

static void files_that_are_none(void **state)
{
    static const struct {
        const char *path, *told;
    } rows[] = {
        {"", "0: no file is named\n"},
        {":", "0: no file is named\n"},
        {"nowhere.ini", "0: cannot read it: No such file or directory\n"},
        {"/", "0: cannot read it: it is a directory\n"},
        {"/dev/null", "0: cannot read it: it is not a regular file\n"},
        {"x.ini/y", "0: cannot read it: Not a directory\n"},
    };
    char name[1000];

    load("");
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        assert_int_equal(mh_rules_load(rows[i].path, &rules, &mistakes), -EINVAL);
        assert_string_equal(told(), rows[i].told);
    }
    assert_int_equal(mh_rules_load(NULL, &rules, &mistakes), -EINVAL);
    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(mh_rules_load(name, &rules, &mistakes), -EINVAL);
    assert_non_null(strstr(told(), "0: the path is too long; at most 511 bytes\n"));
    for (int i = 0; i < 17; i++)
        memcpy(name + 2 * i, (char[]){(char)('a' + i), ':', '\0'}, 3);
    assert_int_equal(mh_rules_load(name, &rules, &mistakes), -EINVAL);
    assert_non_null(strstr(told(), "0: there are more than 16 files\n"));
    unlink("y.ini");
    assert_int_equal(mkfifo("y.ini", 0600), 0); /* must not wait for a writer */
    assert_int_equal(mh_rules_load("y.ini", &rules, &mistakes), -EINVAL);
    assert_string_equal(told(), "0: cannot read it: it is not a regular file\n");
    unlink("y.ini");
}

static void noise(void **state)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *told;
    } rows[] = {
        {"[run]\n\0seed = 1\n", 16,
         "2: a NUL byte: this is no text file; a scenario is UTF-8 text\n"},
        {"[run]\n\x1b[1m", 10,
         "2: a control character: this is no text file; a scenario is UTF-8 text\n"},
        {"; caf\xe9\n", 7,
         "1: a byte that is not UTF-8: this is no text file; a scenario is UTF-8 text\n"},
        {"\xff\xfe[\0", 4,
         "1: a byte that is not UTF-8: this is no text file; a scenario is UTF-8 text\n"},
        {"; \xe2\x82", 4,
         "1: a byte that is not UTF-8: this is no text file; a scenario is UTF-8 text\n"},
    };
    static char big[10 << 20];

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        write_file("x.ini", rows[i].bytes, rows[i].n);
        assert_int_equal(mh_rules_load("x.ini", &rules, &mistakes), -EINVAL);
        assert_string_equal(told(), rows[i].told);
    }
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)mh_mix(i);
    write_file("x.ini", big, sizeof(big));
    assert_int_equal(mh_rules_load("x.ini", &rules, &mistakes), -EINVAL);
    assert_string_equal(told(), "0: cannot read it: it is larger than 1 MiB, the most that a "
                                "scenario may have\n");
    write_file("x.ini", big, 1 << 20);
    assert_int_equal(mh_rules_load("x.ini", &rules, &mistakes), -EINVAL);
    assert_int_equal(mistakes.n, 1);
}

static void limits(void **state)
{
    static char text[64 << 10];
    struct mh_buf b = {text, sizeof(text), 0, false};

    for (unsigned i = 0; i < MH_MAX_FAULTS + 1; i++) {
        mh_buf_add(&b, "[fault f");
        mh_buf_add_uint(&b, i, 10);
        mh_buf_add(&b, "]\ncall = recv\nhang = yes\n");
        if (i + 1 == MH_MAX_FAULTS)
            assert_int_equal(load(text), 0);
    }
    assert_int_equal(rules.nfaults, MH_MAX_FAULTS);
    assert_int_equal(load(text), -EINVAL);
    assert_string_equal(told(), "385: [fault f128]: there are more than 128 faults\n");
    b.len = 0;
    for (unsigned i = 0; i < 100; i++)
        mh_buf_add(&b, "junk\n");
    assert_int_equal(load(text), -EINVAL);
    assert_int_equal(mistakes.n, 100); /* all are counted, the first are kept */
    assert_int_equal(mistakes.at[63].line, 64);
    b.len = 0;
    mh_buf_add(&b, "[run]\n; ");
    for (unsigned i = 0; i < 1000; i++)
        mh_buf_add(&b, "a long comment is no mistake ");
    mh_buf_add(&b, "\nseed = 1 ; ");
    for (unsigned i = 0; i < 1000; i++)
        mh_buf_add(&b, "nor is this ");
    assert_int_equal(load(text), 0);
    assert_int_equal(rules.seed, 1);
}

static void shipped_scenarios(void **state)
{
    glob_t found;

    assert_int_equal(glob(MISHAP_SOURCE "/config/*.ini", 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 15);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        if (mh_rules_load(found.gl_pathv[i], &rules, &mistakes) != 0)
            fail_msg("%s: %s", found.gl_pathv[i], told());
        assert_true(rules.nfaults > 0);
    }
    globfree(&found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_spellings),
        cmocka_unit_test(the_whole_language),
        cmocka_unit_test(defaults),
        cmocka_unit_test(sentences),
        cmocka_unit_test(several_files),
        cmocka_unit_test(files_that_are_none),
        cmocka_unit_test(noise),
        cmocka_unit_test(limits),
        cmocka_unit_test(shipped_scenarios),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
