/* SPDX-License-Identifier: Apache-2.0 */
/* The memory that this process holds: bytes that malloc gave out and anonymous mappings, and
 * whether one more allocation fits a budget. Atomic counters and a fixed table; no lock, no malloc,
 * no system call, so any hook may call it. Nothing is counted unless a scenario has a memory
 * budget. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    MH_BUDGET_MAPPED = 64 << 10, /* smaller mappings are not counted */
    MH_BUDGET_SMALL = 512,       /* smaller blocks may go this far over the budget: */
    MH_BUDGET_OVER = 10,         /* per cent */
};

/* Bytes that came (positive) or went. Blocks that were given out before counting began and are
 * given back later make the sum a little too low. */
void mh_budget_add(int64_t bytes);

/* Bytes held now; never negative. */
uint64_t mh_budget_live(void);

/* Whether n more bytes fit below `limit`. Blocks below MH_BUDGET_SMALL still fit when
 * MH_BUDGET_OVER per cent more would: large ones fail first, so that an interpreter has what it
 * needs to raise its MemoryError and to handle it. */
bool mh_budget_fits(uint64_t limit, size_t n);

/* Whether a mapping is memory in use: anonymous, large enough, and not merely reserved. */
bool mh_budget_counts(size_t n, int prot, int flags);

/* A mapping was made; is about to be unmapped (before the call, since another thread may get the
 * address at once). Returns the bytes that were counted for it, to be given back to
 * mh_budget_map() when unmapping failed. */
void mh_budget_map(void *at, size_t n);
size_t mh_budget_unmap(void *at, size_t n);

/* One allocation was refused; returns how many were before it. */
uint64_t mh_budget_refuse(void);

/* How many were refused in this process. */
uint64_t mh_budget_refused(void);

/* All counters to nothing: for tests. The child of a fork holds what its parent held. */
void mh_budget_reset(void);
