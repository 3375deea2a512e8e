/* SPDX-License-Identifier: Apache-2.0 */
/* How far two words are from each other, for "did you mean". Pure; any context may call it. */
#pragma once

/* Letters to insert, delete, replace or swap with their neighbour to make one word of the other;
 * case is
 * ignored. A word of 64 letters or more is infinitely far (UINT_MAX). */
unsigned mh_near_distance(const char *a, const char *b);
