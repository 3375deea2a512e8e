/* SPDX-License-Identifier: Apache-2.0 */
/* rule/load.c under scenarios that are spoilt at random, and under random bytes; seeded, so that
 * what fails fails again. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/macros.h"
#include "rule/load.h"
#include "whole-language.h"

#include "base/banned.h"

static struct mh_rules rules;
static struct mh_mistakes mistakes;
static char path[32];
static int fd;

static int make_file(void **state)
{
    fd = memfd_create("scenario", MFD_CLOEXEC); /* thousands of files: none on a disk */
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return fd < 0 ? -1 : 0;
}

static int remove_file(void **state)
{
    return close(fd);
}

static void write_bytes(const char *bytes, size_t n)
{
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, bytes, n, 0), n);
}

/* 0 and nothing to tell, or -EINVAL and at least one mistake: whatever the bytes are. */
static unsigned try_bytes(const char *bytes, size_t n)
{
    int r;

    write_bytes(bytes, n);
    memset(&mistakes, 0xaa, sizeof(mistakes));
    r = mh_rules_load(path, &rules, &mistakes);
    assert_true(r == 0 ? mistakes.n == 0 : r == -EINVAL && mistakes.n > 0 && rules.nfaults == 0);
    for (unsigned i = 0; i < mistakes.n && i < ARRAY_SIZE(mistakes.at); i++) {
        assert_string_equal(mistakes.at[i].file, path);
        assert_true(mistakes.at[i].line >= 0);
        assert_in_range(strlen(mistakes.at[i].text), 1, sizeof(mistakes.at[i].text) - 1);
        assert_null(strstr(mistakes.at[i].text, "inih cannot"));
    }
    for (unsigned i = 0; i < rules.nfaults; i++) {
        char text[4096] = "";
        struct mh_buf b = {text, sizeof(text), 0, false};

        mh_fault_sentence(&rules.faults[i], &b);
        assert_true(b.len > 5 && rules.faults[i].ops);
    }
    return r == 0;
}

/* What people and editors put in and leave out. */
static const char *const pieces[] = {
    "=",
    "\n",
    "\n  ",
    "[",
    "]",
    ";",
    " ;",
    "#",
    ":",
    ",",
    "..",
    "%",
    "[fault x]\n",
    "[phase p]\n",
    "call = recv\n",
    "peer = ",
    "delay = ",
    "error = ",
    "faults = ",
    "-",
    "0",
    "99999999999999999999",
    "ms",
    "KiB",
    " jitter ",
    "uniform ",
    "after ",
    "ECONNRESET",
    "/",
    "*",
    "\xc3\xa9",
    "\r",
    "\t",
    "hang = yes\n",
    "short = 1..2\n",
    "\"",
    "\\",
    "%s%n",
};

static void mutations(void **state)
{
    uint64_t seed = 1;
    unsigned fine = 0, rounds = 6000;

    for (unsigned i = 0; i < rounds; i++) {
        char text[4096];
        size_t n = sizeof(whole) - 1;

        memcpy(text, whole, n);
        for (uint64_t k = mh_mix(seed++) % 4; k < 4; k++) {
            const char *piece = pieces[mh_mix(seed++) % ARRAY_SIZE(pieces)];
            size_t at = mh_mix(seed++) % n, cut = mh_mix(seed++) % 12, len = strlen(piece);

            cut = MH_MIN(cut, n - at);
            if (mh_mix(seed++) % 3 == 0)
                len = 0;
            memmove(text + at + len, text + at + cut, n - at - cut);
            memcpy(text + at, piece, len);
            n = n - cut + len;
        }
        fine += try_bytes(text, n);
    }
    assert_in_range(fine, 1, rounds - 1);      /* both ways are gone */
    for (size_t n = 0; n < sizeof(whole); n++) /* cut anywhere */
        try_bytes(whole, n);
}

static void random_bytes(void **state)
{
    static const char letters[] = "[]=:;#,. \n\n\t%0123456789abcdefilnprstuy/*-_\r";
    uint64_t seed = 99;

    for (unsigned i = 0; i < 3000; i++) {
        char text[600];
        size_t n = mh_mix(seed++) % sizeof(text);
        bool any = i % 3 == 0;

        for (size_t j = 0; j < n; j++)
            text[j] = any ? (char)mh_mix(seed++) : letters[mh_mix(seed++) % (sizeof(letters) - 1)];
        try_bytes(text, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(mutations), cmocka_unit_test(random_bytes)};

    return cmocka_run_group_tests(tests, make_file, remove_file);
}
