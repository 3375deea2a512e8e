/* SPDX-License-Identifier: Apache-2.0 */
/* Optimal string alignment distance over three rows; see near.h. */
#include "base/near.h"

#include <limits.h>
#include <string.h>

#include "base/macros.h"

#include "base/banned.h"

enum { LONGEST = 64 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

unsigned mh_near_distance(const char *a, const char *b)
{
    size_t na = strlen(a), nb = strlen(b);
    unsigned rows[3][LONGEST + 1];

    if (na >= LONGEST || nb >= LONGEST)
        return UINT_MAX;
    for (unsigned j = 0; j <= nb; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= na; i++) {
        unsigned *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];

        now[0] = i;
        for (unsigned j = 1; j <= nb; j++) {
            char ca = lower(a[i - 1]), cb = lower(b[j - 1]);

            now[j] = MH_MIN(MH_MIN(last[j], now[j - 1]) + 1, last[j - 1] + (ca != cb));
            if (i > 1 && j > 1 && ca == lower(b[j - 2]) && lower(a[i - 2]) == cb)
                now[j] = MH_MIN(now[j], before[j - 2] + 1);
        }
    }
    return rows[na % 3][nb];
}
