/* SPDX-License-Identifier: Apache-2.0 */
/* Values drawn from a random word: times of a distribution, numbers of a range. Integer arithmetic
 * and plain doubles only, so that no libm comes along; pure, any context may call it. */
#pragma once

#include <stdint.h>

#include "rule/rule.h"

/* A time of this distribution; never negative. The same word gives the same time. */
int64_t mh_dist_draw(const struct mh_dist *dist, uint64_t word);

/* Natural logarithm of x > 0, and its inverse for -700 < x < 700: good to 1e-14. */
double mh_draw_log(double x);
double mh_draw_exp(double x);

/* Its mean, before times are cut at 0 or an hour; at most an hour. */
int64_t mh_dist_mean(const struct mh_dist *dist);

/* A number from low to high, both included. */
uint64_t mh_range_draw(uint64_t low, uint64_t high, uint64_t word);
