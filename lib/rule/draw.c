/* SPDX-License-Identifier: Apache-2.0 */
/* Draws; see draw.h. */
#include "rule/draw.h"

#include "base/hash.h"

#include "base/banned.h"

uint64_t mh_range_draw(uint64_t low, uint64_t high, uint64_t word)
{
    uint64_t span = high - low + 1;

    if (span == 0)
        return word;
    return low + (uint64_t)((unsigned __int128)mh_mix(word) * span >> 64);
}

/* Twelve even draws from 0 to 1, summed, less 6: mean 0, deviation 1, within 6 deviations. The
 * tails beyond 3 deviations are a little thin, which a delay does not mind. */
static double normal(uint64_t word)
{
    int64_t sum = 0;

    for (unsigned i = 0; i < 6; i++) {
        uint64_t two = mh_mix2(word, i);

        sum += (int64_t)(two >> 32) + (int64_t)(two & UINT32_MAX);
    }
    return (double)sum / 4294967296.0 - 6.0;
}

int64_t mh_dist_draw(const struct mh_dist *dist, uint64_t word)
{
    int64_t low = dist->a, high = dist->a;

    switch (dist->kind) {
    case MH_DIST_none:
        return 0;
    case MH_DIST_fixed:
        break;
    case MH_DIST_jitter:
        low = dist->a - dist->b;
        high = dist->a + dist->b;
        break;
    case MH_DIST_uniform:
        high = dist->b;
        break;
    case MH_DIST_normal:
        low = high = dist->a + (int64_t)(normal(word) * (double)dist->b);
        break;
    }
    if (low != high)
        low += (int64_t)mh_range_draw(0, (uint64_t)(high - low), word);
    return low < 0 ? 0 : low;
}

int64_t mh_dist_mean(const struct mh_dist *dist)
{
    return dist->kind == MH_DIST_none      ? 0
           : dist->kind == MH_DIST_uniform ? dist->a + (dist->b - dist->a) / 2
                                           : dist->a;
}
