/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and times of the command line; see arg.h. */
#include "arg.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

#include "base/banned.h"

int mh_arg_duration(const char *text, int64_t *ret_ns)
{
    static const struct {
        const char *unit;
        double ns;
    } rows[] = {{"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"h", 3600e9}};
    const double week = 7 * 24 * 3600e9;
    char *end;
    double value;

    if (!isdigit((unsigned char)*text) || strpbrk(text, "xXeE"))
        return -EINVAL;
    value = strtod(text, &end);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        if (strcmp(end, rows[i].unit) != 0)
            continue;
        value *= rows[i].ns;
        if (!(value >= 1) || value > week)
            return -ERANGE;
        *ret_ns = (int64_t)value;
        return 0;
    }
    return -EINVAL;
}

int mh_arg_number(const char *text, uint64_t max, uint64_t *ret)
{
    unsigned long long value;
    char *end;

    if (!isdigit((unsigned char)*text))
        return -EINVAL;
    errno = 0;
    value = strtoull(text, &end, !strncmp(text, "0x", 2) ? 16 : 10);
    if (*end)
        return -EINVAL;
    if (errno || value > max)
        return -ERANGE;
    *ret = value;
    return 0;
}
