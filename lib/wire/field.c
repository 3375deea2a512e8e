/* SPDX-License-Identifier: Apache-2.0 */
/* Header fields; see field.h. */
#include "wire/field.h"

#include <string.h>
#include <strings.h>

#include "base/macros.h"

#include "base/banned.h"

#define NAMED(name) name, sizeof(name) - 1

static const struct {
    const char *name;
    size_t len;
    enum mh_field field;
} rows[] = {
    {NAMED("content-length"), MH_FIELD_length},
    {NAMED("date"), MH_FIELD_date},
    {NAMED("idempotency-key"), MH_FIELD_idempotency_key},
    {NAMED("retry-after"), MH_FIELD_retry_after},
    {NAMED("transfer-encoding"), MH_FIELD_encoding},
    {NAMED("upgrade"), MH_FIELD_upgrade},
};

enum mh_field mh_field_named(const char *name, size_t n)
{
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].len == n && !memcmp(rows[i].name, name, n))
            return rows[i].field;
    return MH_FIELD_other;
}

int64_t mh_field_number(const char *value, size_t n)
{
    int64_t ret = 0;

    if (!n || n > 18)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (value[i] < '0' || value[i] > '9')
            return -1;
        ret = ret * 10 + (value[i] - '0');
    }
    return ret;
}

/* Days since 1970-01-01 of a day of the Gregorian calendar; March is taken as the first month, so
 * that the leap day is the last of its year. */
static int64_t days(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t m = (month + 9) % 12;

    return 365 * y + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

int64_t mh_field_date(const char *value, size_t n)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    int64_t day, year, hour, minute, second;

    if (n != 29 || memcmp(value + 25, " GMT", 4) || value[3] != ',')
        return -1;
    day = mh_field_number(value + 5, 2);
    year = mh_field_number(value + 12, 4);
    hour = mh_field_number(value + 17, 2);
    minute = mh_field_number(value + 20, 2);
    second = mh_field_number(value + 23, 2);
    if (day < 1 || day > 31 || year < 1970 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
        second < 0 || second > 60)
        return -1;
    for (int i = 0; i < 12; i++)
        if (!memcmp(months + 3 * i, value + 8, 3))
            return ((days(year, i + 1, day) * 24 + hour) * 60 + minute) * 60 + second;
    return -1;
}

bool mh_field_websocket(const char *value, size_t n)
{
    static const char word[] = "websocket";

    return n == sizeof(word) - 1 && !strncasecmp(value, word, n);
}

bool mh_field_chunked(const char *value, size_t n)
{
    static const char word[] = "chunked";
    size_t len = sizeof(word) - 1;

    if (n < len || strncasecmp(value + n - len, word, len))
        return false;
    return n == len || value[n - len - 1] == ',' || value[n - len - 1] == ' ';
}
