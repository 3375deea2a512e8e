/* SPDX-License-Identifier: Apache-2.0 */
/* Draws; see draw.h. */
#include "rule/draw.h"

#include <string.h>

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

#define LN2     0.69314718055994530942
#define LONGEST 3.6e12 /* an hour, in ns */

/* ln x = k ln 2 + 2 artanh s with s = (m - 1) / (m + 1), where x = m 2^k and m is near 1. */
double mh_draw_log(double x)
{
    uint64_t bits;
    double m, s, square, term, sum = 0;
    int k;

    memcpy(&bits, &x, sizeof(bits));
    k = (int)(bits >> 52) - 1023;
    bits = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1023) << 52;
    memcpy(&m, &bits, sizeof(m));
    if (m > 1.41421356237309505) {
        m /= 2;
        k++;
    }
    s = (m - 1) / (m + 1);
    square = s * s;
    term = s;
    for (int i = 1; i < 23; i += 2, term *= square)
        sum += term / i;
    return k * LN2 + 2 * sum;
}

/* exp x = 2^k exp r, with r near 0. */
double mh_draw_exp(double x)
{
    int k = (int)(x / LN2 + (x < 0 ? -0.5 : 0.5));
    double r = x - k * LN2, term = 1, sum = 1, power;
    uint64_t bits = (uint64_t)(k + 1023) << 52;

    for (int i = 1; i < 18; i++) {
        term *= r / i;
        sum += term;
    }
    memcpy(&power, &bits, sizeof(power));
    return sum * power;
}

/* Between 0 and 1, neither of them. */
static double unit(uint64_t word)
{
    return ((double)(mh_mix(word) >> 12) + 0.5) / 4503599627370496.0;
}

/* Marsaglia's polar method: unlike normal() true in the tails, which exp() would show. */
static double gauss(uint64_t word)
{
    for (unsigned i = 0;; i += 2) {
        double u = 2 * unit(mh_mix2(word, i)) - 1, v = 2 * unit(mh_mix2(word, i + 1)) - 1;
        double s = u * u + v * v;

        if (s > 0 && s < 1) /* u times the square root of -2 ln s / s */
            return u * mh_draw_exp(mh_draw_log(-2 * mh_draw_log(s) / s) / 2);
    }
}

static int64_t skewed(const struct mh_dist *dist, uint64_t word)
{
    double shape = (double)dist->b / 1e6, x;

    x = dist->kind == MH_DIST_pareto ? -mh_draw_log(unit(word)) / shape : shape * gauss(word);
    x = (double)dist->a * mh_draw_exp(x > 100 ? 100 : x < -100 ? -100 : x);
    return (int64_t)(x < LONGEST ? x : LONGEST);
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
    case MH_DIST_pareto:
    case MH_DIST_lognormal:
        return skewed(dist, word);
    }
    if (low != high)
        low += (int64_t)mh_range_draw(0, (uint64_t)(high - low), word);
    return low < 0 ? 0 : low;
}

int64_t mh_dist_mean(const struct mh_dist *dist)
{
    double shape = (double)dist->b / 1e6, mean;

    switch (dist->kind) {
    case MH_DIST_none:
        return 0;
    case MH_DIST_uniform:
        return dist->a + (dist->b - dist->a) / 2;
    case MH_DIST_pareto:
        mean = shape > 1 ? (double)dist->a * shape / (shape - 1) : LONGEST;
        return (int64_t)(mean < LONGEST ? mean : LONGEST);
    case MH_DIST_lognormal:
        mean = shape > 12 ? LONGEST : (double)dist->a * mh_draw_exp(shape * shape / 2);
        return (int64_t)(mean < LONGEST ? mean : LONGEST);
    default:
        return dist->a;
    }
}
