/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers with units, without libc's locale-bound strto*; see num.h. */
#include "base/num.h"

#include <errno.h>
#include <string.h>

#include "base/macros.h"

#include "base/banned.h"

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit times[] = {
    {"ns", 1},          {"us", 1000},         {"ms", 1000000},      {"s", 1000000000},
    {"m", 60000000000}, {"h", 3600000000000}, {"min", 60000000000},
};

static const struct unit sizes[] = {
    {"bytes", 1},     {"byte", 1},  {"B", 1},     {"KiB", 1024},   {"MiB", 1 << 20},
    {"GiB", 1 << 30}, {"kB", 1000}, {"KB", 1000}, {"MB", 1000000}, {"GB", 1000000000},
};

static const struct unit shares[] = {{"%", 1000000}};

const char mh_num_time_units[] = "ns, us, ms, s, m, h";
const char mh_num_size_units[] = "bytes, KiB, MiB, GiB, kB, MB, GB";

/* A number with up to nine decimals: whole + parts / 10^9. Returns the first byte after it. */
static int number(const char **text, uint64_t *whole, uint64_t *parts)
{
    const char *p = *text;
    uint64_t scale = 1000000000;

    *whole = *parts = 0;
    if (*p < '0' || *p > '9')
        return -EINVAL;
    for (; *p >= '0' && *p <= '9'; p++)
        if (__builtin_mul_overflow(*whole, 10u, whole) ||
            __builtin_add_overflow(*whole, (uint64_t)(*p - '0'), whole))
            return -ERANGE;
    if (*p == '.') {
        if (*++p < '0' || *p > '9')
            return -EINVAL;
        for (; *p >= '0' && *p <= '9'; p++) {
            scale /= 10;
            *parts += scale * (uint64_t)(*p - '0');
        }
    }
    *text = p;
    return 0;
}

/* (whole + parts / 10^9) * factor; the parts are below 10^9 and the factor below 2^42, so halves of
 * the factor keep the product in 64 bits. */
static int scaled(uint64_t whole, uint64_t parts, uint64_t factor, uint64_t *ret)
{
    uint64_t big = factor / 1000000, small = factor % 1000000, sum, more;

    more = parts * big / 1000 + (parts * big % 1000 * 1000000 + parts * small) / 1000000000;
    if (__builtin_mul_overflow(whole, factor, &sum) || __builtin_add_overflow(sum, more, &sum))
        return -ERANGE;
    *ret = sum;
    return 0;
}

static int with_unit(const char *text, const struct unit *units, size_t n, uint64_t *ret)
{
    uint64_t whole, parts;
    int r = number(&text, &whole, &parts);

    if (r < 0)
        return r;
    while (*text == ' ' || *text == '\t')
        text++;
    if (!*text)
        return -ENODATA;
    for (size_t i = 0; i < n; i++)
        if (!strcmp(units[i].name, text))
            return scaled(whole, parts, units[i].factor, ret);
    return *text == '.' || (*text >= '0' && *text <= '9') ? -EINVAL : -ENOENT;
}

int mh_num_uint(const char *text, uint64_t *ret)
{
    uint64_t whole, parts;
    const char *end = text;
    int r = number(&end, &whole, &parts);

    if (r < 0)
        return r;
    if (*end || memchr(text, '.', (size_t)(end - text)))
        return -EINVAL;
    *ret = whole;
    return 0;
}

int mh_num_time(const char *text, int64_t *ret)
{
    uint64_t ns = 0;
    int r = with_unit(text, times, ARRAY_SIZE(times), &ns);

    if (r == 0 && ns > INT64_MAX)
        r = -ERANGE;
    if (r == 0)
        *ret = (int64_t)ns;
    return r;
}

int mh_num_size(const char *text, uint64_t *ret)
{
    return with_unit(text, sizes, ARRAY_SIZE(sizes), ret);
}

int mh_num_percent(const char *text, uint32_t *ret)
{
    uint64_t millionths = 0; /* of a percent */
    int r = with_unit(text, shares, ARRAY_SIZE(shares), &millionths);

    if (r == 0 && millionths > 100000000)
        r = -ERANGE;
    if (r == 0) /* 2^32 - 1 parts; the product stays below 2^59 */
        *ret = (uint32_t)((millionths * UINT32_MAX + 50000000) / 100000000);
    return r;
}

/* value / factor with at most three decimals, rounded down, no zeros at the end */
static void say_parts(struct mh_buf *b, uint64_t value, uint64_t factor)
{
    uint64_t rest = value % factor;

    mh_buf_add_uint(b, value / factor, 10);
    for (int i = 0; rest && i < 3; i++) {
        if (i == 0)
            mh_buf_add_char(b, '.');
        /* factors reach 2^42, so ten times the rest still fits */
        rest *= 10;
        mh_buf_add_char(b, (char)('0' + rest / factor));
        rest %= factor;
    }
}

void mh_num_say_time(struct mh_buf *b, int64_t ns)
{
    static const struct unit said[] = {{" h", 3600000000000}, {" min", 60000000000},
                                       {" s", 1000000000},    {" ms", 1000000},
                                       {" us", 1000},         {" ns", 1}};
    uint64_t value = ns < 0 ? 0 : (uint64_t)ns;
    size_t i = 0;

    if (value == 0) {
        mh_buf_add(b, "0 s");
        return;
    }
    /* whole minutes and hours only: "90 s" says more than "1.5 min" */
    while (value < said[i].factor || (i < 2 && value % said[i].factor))
        i++;
    say_parts(b, value, said[i].factor);
    mh_buf_add(b, said[i].name);
}

void mh_num_say_size(struct mh_buf *b, uint64_t bytes)
{
    static const struct unit said[] = {{" GiB", 1 << 30}, {" MiB", 1 << 20}, {" KiB", 1024}};

    for (size_t i = 0; i < ARRAY_SIZE(said); i++)
        if (bytes >= said[i].factor && bytes % (said[i].factor / 8 ?: 1) == 0) {
            say_parts(b, bytes, said[i].factor);
            mh_buf_add(b, said[i].name);
            return;
        }
    mh_buf_add_uint(b, bytes, 10);
    mh_buf_add(b, bytes == 1 ? " byte" : " bytes");
}

void mh_num_say_millionths(struct mh_buf *b, uint64_t millionths)
{
    say_parts(b, millionths, 1000000);
}

void mh_num_say_percent(struct mh_buf *b, uint32_t share)
{
    uint64_t millionths = ((uint64_t)share * 100000000 + UINT32_MAX / 2) / UINT32_MAX;

    say_parts(b, millionths, 1000000);
    mh_buf_add(b, " %");
}
