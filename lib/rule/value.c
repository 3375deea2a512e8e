/* SPDX-License-Identifier: Apache-2.0 */
/* Values of keys that are one thing: numbers, times, choices, distributions; see loader.h. */
#include <errno.h>
#include <string.h>

#include "base/num.h"
#include "rule/loader.h"

#include "base/banned.h"

static char *blanks(char *p)
{
    return p + strspn(p, " \t");
}

/* Says why a number was refused; `what` is what it should have been: "time". */
static bool refuse(struct mh_loader *l, const struct mh_key_row *k, const char *whole,
                   const char *part, const char *what, int r)
{
    const char *unit = part + strspn(part, "0123456789. \t");

    if (r == -ENODATA)
        mh_complain_value(l, k, whole, "%q has no unit", part);
    else if (r == -ENOENT)
        mh_complain_value(l, k, whole, "unknown unit %q", unit);
    else if (r == -ERANGE)
        mh_complain_value(l, k, whole, "%q is out of range", part);
    else
        mh_complain_value(l, k, whole, "%q is not a %s", part, what);
    return false;
}

static bool take_uint(struct mh_loader *l, const struct mh_key_row *k, void *field, char *text)
{
    uint64_t value;
    int r = mh_num_uint(text, &value);

    if (r == 0 && (value < k->least || value > k->most))
        r = -ERANGE;
    if (r < 0)
        return refuse(l, k, text, text, "whole number", r);
    *(uint64_t *)field = value;
    if (k->section == MH_SECTION_run)
        l->rules->seed_given = true;
    return true;
}

/* A time within the key's range; `whole` is the value that it is part of. */
static bool part_time(struct mh_loader *l, const struct mh_key_row *k, const char *whole,
                      const char *text, int64_t *ret)
{
    int64_t ns;
    int r = mh_num_time(text, &ns);

    if (r == 0 && ((uint64_t)ns < k->least || (uint64_t)ns > k->most))
        r = -ERANGE;
    if (r < 0)
        return refuse(l, k, whole, text, "time", r);
    *ret = ns;
    return true;
}

static bool part_size(struct mh_loader *l, const struct mh_key_row *k, const char *whole,
                      const char *text, uint64_t *ret)
{
    uint64_t bytes;
    int r = mh_num_size(text, &bytes);

    if (r == 0 && (bytes < k->least || bytes > k->most))
        r = -ERANGE;
    if (r < 0)
        return refuse(l, k, whole, text, "size", r);
    *ret = bytes;
    return true;
}

static bool take_time(struct mh_loader *l, const struct mh_key_row *k, void *field, char *text)
{
    return part_time(l, k, text, text, field);
}

/* A time with a sign. */
static bool take_step(struct mh_loader *l, const struct mh_key_row *k, void *field, char *text)
{
    const char *time = text + (*text == '-' || *text == '+');

    if (!part_time(l, k, text, time, field))
        return false;
    if (*text == '-')
        *(int64_t *)field *= -1;
    return true;
}

static bool take_size(struct mh_loader *l, const struct mh_key_row *k, void *field, char *text)
{
    return part_size(l, k, text, text, field);
}

static bool take_percent(struct mh_loader *l, const struct mh_key_row *k, void *field, char *text)
{
    uint32_t share;
    int r = mh_num_percent(text, &share);

    if (r == 0 && share == 0)
        r = -ERANGE;
    if (r < 0)
        return refuse(l, k, text, text, "share", r);
    *(uint32_t *)field = share;
    return true;
}

static bool take_flag(struct mh_loader *l, const struct mh_key_row *k, void *field, char *text)
{
    bool yes = !strcmp(text, "yes");

    if (!yes && strcmp(text, "no") != 0) {
        mh_complain_value(l, k, text, "it is a switch");
        return false;
    }
    if (mh_key_effect(k) < 0)
        *(bool *)field = yes;
    return yes;
}

/* Position of the text in a list of words; -1 after having complained. */
static int choice(struct mh_loader *l, const struct mh_key_row *k, const char *text,
                  const char *const *words, int n)
{
    struct mh_nearest near = {text, NULL, 0};
    MH_BUF(hint, 64);

    for (int i = 0; i < n; i++) {
        mh_nearest_try(&near, words[i]);
        if (!strcmp(words[i], text))
            return i;
    }
    mh_nearest_say(&near, &hint, MH_DID_YOU_MEAN, "");
    mh_complain_value(l, k, text, "unknown word%s", hint.data);
    return -1;
}

static bool take_side(struct mh_loader *l, const struct mh_key_row *k, void *field, char *text)
{
    static const char *const words[] = {"client", "server"};
    int i = choice(l, k, text, words, 2);

    if (i >= 0)
        *(enum mh_side *)field = i ? MH_SIDE_server : MH_SIDE_client;
    return i >= 0;
}

static bool take_family(struct mh_loader *l, const struct mh_key_row *k, void *field, char *text)
{
    static const char *const words[] = {"ipv4", "ipv6", "other"};
    int i = choice(l, k, text, words, 3);

    if (i >= 0)
        *(enum mh_family *)field = (enum mh_family)(i + 1);
    return i >= 0;
}

static bool take_per(struct mh_loader *l, const struct mh_key_row *k, void *field, char *text)
{
    static const char *const words[] = {
        [MH_PER_run] = "run",   [MH_PER_process] = "process",
        [MH_PER_peer] = "peer", [MH_PER_connection] = "connection",
        [MH_PER_site] = "site",
    };
    int i = choice(l, k, text, words, 5);

    if (i >= 0)
        *(enum mh_per *)field = (enum mh_per)i;
    return i >= 0;
}

static bool take_signal(struct mh_loader *l, const struct mh_key_row *k, void *field, char *text)
{
    const char *words[32];
    int n = 0, i;

    while (mh_signal_rows[n].name) {
        words[n] = mh_signal_rows[n].name;
        n++;
    }
    i = choice(l, k, text, words, n);
    if (i >= 0)
        *(int *)field = mh_signal_rows[i].number;
    return i >= 0;
}

/* "LEAST..MOST" or one number for both, into two uint32_t beside each other. */
static bool take_range(struct mh_loader *l, const struct mh_key_row *k, void *field, char *text)
{
    uint64_t ends[2];
    uint32_t *ret = field;
    char least[MH_LOAD_LINE];
    const char *dots = strstr(text, ".."), *most = text;
    size_t n = dots ? (size_t)(dots - text) : strlen(text);

    memcpy(least, text, n);
    while (n > 0 && (least[n - 1] == ' ' || least[n - 1] == '\t'))
        n--;
    least[n] = '\0';
    if (dots)
        most = dots + 2 + strspn(dots + 2, " \t");
    for (int i = 0; i < 2; i++) {
        const char *part = i == 0 ? least : most;
        int r = mh_num_uint(part, &ends[i]);

        if (r == 0 && (ends[i] < k->least || ends[i] > k->most))
            r = -ERANGE;
        if (r < 0)
            return refuse(l, k, text, part, "number of bytes", r);
    }
    if (ends[0] > ends[1]) {
        mh_complain_value(l, k, text, "the first number is larger than the second");
        return false;
    }
    ret[0] = (uint32_t)ends[0];
    ret[1] = (uint32_t)ends[1];
    return true;
}

static bool take_after(struct mh_loader *l, const struct mh_key_row *k, void *field, char *text)
{
    if (!strcmp(text, "yes")) {
        *(uint64_t *)field = 0;
        return true;
    }
    if (strncmp(text, "after", 5) != 0 || (text[5] != ' ' && text[5] != '\t')) {
        mh_complain_value(l, k, text, "it is neither 'yes' nor 'after SIZE'");
        return false;
    }
    return part_size(l, k, text, blanks(text + 5), field);
}

/* "COUNT UNIT" or "COUNT UNIT per SIZE". */
static bool take_corrupt(struct mh_loader *l, const struct mh_key_row *k, void *field, char *text)
{
    struct mh_corrupt ret = {0};
    char number[MH_LOAD_LINE];
    size_t n = strspn(text, "0123456789"), word;
    char *unit = blanks(text + n), *rest;
    uint64_t count = 0;
    int r;

    memcpy(number, text, n);
    number[n] = '\0';
    word = strcspn(unit, " \t");
    rest = blanks(unit + word);
    ret.bytes = !strncmp(unit, "byte", 4);
    if (!n || (!ret.bytes && strncmp(unit, "bit", 3) != 0) ||
        (word != (ret.bytes ? 4u : 3u) &&
         (unit[word - 1] != 's' || word != (ret.bytes ? 5u : 4u)))) {
        mh_complain_value(l, k, text, "it is no number of bits or bytes");
        return false;
    }
    r = mh_num_uint(number, &count);
    if (r == 0 && (count < k->least || count > k->most))
        r = -ERANGE;
    if (r < 0)
        return refuse(l, k, text, number, "whole number", r);
    ret.count = (uint32_t)count;
    if (*rest && (strncmp(rest, "per", 3) != 0 || !strchr(" \t", rest[3]) || !rest[3])) {
        mh_complain_value(l, k, text, "after that comes nothing, or 'per SIZE'");
        return false;
    }
    if (*rest) {
        r = mh_num_size(blanks(rest + 3), &ret.per);
        if (r == 0 && (ret.per == 0 || ret.per > UINT64_C(1) << 40))
            r = -ERANGE;
        if (r < 0)
            return refuse(l, k, text, blanks(rest + 3), "size", r);
        if (ret.count > ret.per * (ret.bytes ? 1 : 8)) {
            mh_complain_value(l, k, text, "there are not so many in it");
            return false;
        }
    }
    *(struct mh_corrupt *)field = ret;
    return true;
}

static bool take_rate(struct mh_loader *l, const struct mh_key_row *k, void *field, char *text)
{
    char size[MH_LOAD_LINE];
    size_t n = strlen(text);

    if (n < 2 || strcmp(text + n - 2, "/s") != 0) {
        mh_complain_value(l, k, text, "it is not so much a second");
        return false;
    }
    memcpy(size, text, n - 2);
    for (n -= 2; n > 0 && (size[n - 1] == ' ' || size[n - 1] == '\t');)
        n--;
    size[n] = '\0';
    return part_size(l, k, text, size, field);
}

/* Cuts `text` behind its first time ("200ms", "200 ms") and returns what follows it. */
static char *cut_time(char *text)
{
    char *p = text + strspn(text, "0123456789.");

    if (p > text) {
        char *unit = blanks(p);
        size_t n = strcspn(unit, " \t");

        /* a bare number before "jitter" has lost its unit: leave the word where it is */
        if (n > 0 && n <= 5 && strncmp(unit, "jitter", n) != 0 &&
            !(unit[0] >= '0' && unit[0] <= '9'))
            p = unit + n;
    } else {
        p = text + strcspn(text, " \t");
    }
    if (!*p)
        return p;
    if (*p == ' ' || *p == '\t') {
        *p = '\0';
        return blanks(p + 1);
    }
    return p + strlen(p); /* something glued to it: the whole is no time, and is refused as such */
}

static bool dist_kind(char **text, struct mh_dist *ret)
{
    static const struct {
        const char *word;
        enum mh_dist_kind kind;
    } kinds[] = {{"uniform", MH_DIST_uniform},
                 {"normal", MH_DIST_normal},
                 {"pareto", MH_DIST_pareto},
                 {"lognormal", MH_DIST_lognormal}};

    for (int i = 0; i < 4; i++) {
        size_t n = strlen(kinds[i].word);

        if (!strncmp(*text, kinds[i].word, n) && ((*text)[n] == ' ' || (*text)[n] == '\t')) {
            ret->kind = kinds[i].kind;
            *text = blanks(*text + n);
            return true;
        }
    }
    ret->kind = MH_DIST_fixed;
    return false;
}

/* The shape of a skewed distribution: a plain number, kept in millionths. */
static bool part_shape(struct mh_loader *l, const struct mh_key_row *k, const char *whole,
                       const char *text, int64_t *ret)
{
    size_t n = strspn(text, "0123456789"),
           m = text[n] == '.' ? strspn(text + n + 1, "0123456789") : 0;
    int64_t shape = 0, unit = 1000000;

    if (!*text) {
        mh_complain_value(l, k, whole, "the shape is missing");
        return false;
    }
    if (!n || n > 3 || m > 6 || (text[n] == '.' && !m) || text[n + (m ? m + 1 : 0)]) {
        mh_complain_value(l, k, whole, "%q is not a shape, such as 1.2", text);
        return false;
    }
    for (size_t i = 0; i < n; i++)
        shape = shape * 10 + (text[i] - '0') * unit;
    for (size_t i = 0; i < m; i++)
        shape += (text[n + 1 + i] - '0') * (unit /= 10);
    if (shape < 50000 || shape > 100 * INT64_C(1000000)) {
        mh_complain_value(l, k, whole, "%q is out of range; shapes are from 0.05 to 100", text);
        return false;
    }
    *ret = shape;
    return true;
}

static bool take_delay(struct mh_loader *l, const struct mh_key_row *k, void *field, char *text)
{
    struct mh_dist dist = {MH_DIST_none};
    char whole[MH_LOAD_LINE], *second;
    bool named;

    memcpy(whole, text, strlen(text) + 1);
    named = dist_kind(&text, &dist);
    if (!named && (text[0] < '0' || text[0] > '9')) {
        mh_complain_value(l, k, whole, "it is not a time");
        return false;
    }
    second = cut_time(text);
    if (!part_time(l, k, whole, text, &dist.a))
        return false;
    if (!named && *second) {
        if (strncmp(second, "jitter", 6) != 0 || !strchr(" \t", second[6])) {
            mh_complain_value(l, k, whole, "after a time comes nothing, or 'jitter TIME'");
            return false;
        }
        second = blanks(second + 6);
        dist.kind = MH_DIST_jitter;
    }
    if (dist.kind >= MH_DIST_pareto) {
        if (!part_shape(l, k, whole, second, &dist.b))
            return false;
    } else if (dist.kind != MH_DIST_fixed) {
        if (!*second) {
            mh_complain_value(l, k, whole, "the second time is missing");
            return false;
        }
        if (!part_time(l, k, whole, second, &dist.b))
            return false;
    }
    if (dist.kind == MH_DIST_jitter && dist.b > dist.a) {
        mh_complain_value(l, k, whole, "the jitter is larger than the time itself");
        return false;
    }
    if (dist.kind == MH_DIST_uniform && dist.b < dist.a) {
        mh_complain_value(l, k, whole, "the first time is larger than the second");
        return false;
    }
    if (dist.a == 0 && (dist.b == 0 || dist.kind >= MH_DIST_pareto)) {
        mh_complain_value(l, k, whole, "a delay of nothing");
        return false;
    }
    *(struct mh_dist *)field = dist;
    return true;
}

bool mh_value_take(struct mh_loader *l, const struct mh_key_row *key, void *field, char *text)
{
    switch (key->type) {
    case MH_TYPE_uint:
        return take_uint(l, key, field, text);
    case MH_TYPE_time:
        return take_time(l, key, field, text);
    case MH_TYPE_step:
        return take_step(l, key, field, text);
    case MH_TYPE_size:
        return take_size(l, key, field, text);
    case MH_TYPE_percent:
        return take_percent(l, key, field, text);
    case MH_TYPE_flag:
        return take_flag(l, key, field, text);
    case MH_TYPE_side:
        return take_side(l, key, field, text);
    case MH_TYPE_family:
        return take_family(l, key, field, text);
    case MH_TYPE_per:
        return take_per(l, key, field, text);
    case MH_TYPE_signal:
        return take_signal(l, key, field, text);
    case MH_TYPE_delay:
        return take_delay(l, key, field, text);
    case MH_TYPE_range:
        return take_range(l, key, field, text);
    case MH_TYPE_after:
        return take_after(l, key, field, text);
    case MH_TYPE_corrupt:
        return take_corrupt(l, key, field, text);
    case MH_TYPE_rate:
        return take_rate(l, key, field, text);
    case MH_TYPE_calls:
        return mh_words_calls(l, key, text);
    case MH_TYPE_peers:
        return mh_words_peers(l, key, text);
    case MH_TYPE_paths:
        return mh_words_paths(l, key, text);
    case MH_TYPE_stacks:
        return mh_words_stacks(l, key, text);
    case MH_TYPE_callers:
        return mh_words_callers(l, key, text);
    case MH_TYPE_operations:
        return mh_words_operations(l, key, text);
    case MH_TYPE_aborts:
        return mh_words_aborts(l, key, text);
    case MH_TYPE_globs:
        return mh_words_globs(l, key, text);
    case MH_TYPE_addresses:
        return mh_words_addresses(l, key, text);
    case MH_TYPE_errors:
        return mh_words_errors(l, key, text);
    case MH_TYPE_faults:
        return mh_words_faults(l, key, text);
    case MH_TYPE_COUNT:
        break;
    }
    return false;
}
