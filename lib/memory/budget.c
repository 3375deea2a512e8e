/* SPDX-License-Identifier: Apache-2.0 */
/* Live bytes; see budget.h. Mappings have a table of their own, because munmap() also takes down
 * file mappings, which were never counted. */
#include "memory/budget.h"

#include <stdatomic.h>
#include <sys/mman.h>

#include "base/hash.h"

#include "base/banned.h"

enum { SLOTS = 8192, PROBES = 64 };

/* Key values that are no address of a mapping. */
enum { FREE = 0, GONE = 1 };

struct slot {
    _Atomic uintptr_t at;
    _Atomic size_t n;
};

static struct {
    _Atomic int64_t live;
    _Atomic uint64_t refused;
    struct slot maps[SLOTS];
} state;

void mh_budget_add(int64_t bytes)
{
    atomic_fetch_add_explicit(&state.live, bytes, memory_order_relaxed);
}

uint64_t mh_budget_live(void)
{
    int64_t live = atomic_load_explicit(&state.live, memory_order_relaxed);

    return live > 0 ? (uint64_t)live : 0;
}

bool mh_budget_fits(uint64_t limit, size_t n)
{
    uint64_t live = mh_budget_live();
    uint64_t most = limit;

    if (n < MH_BUDGET_SMALL)
        most += limit / 100 * MH_BUDGET_OVER;
    return live <= most && n <= most - live;
}

bool mh_budget_counts(size_t n, int prot, int flags)
{
    return n >= MH_BUDGET_MAPPED && (flags & MAP_ANONYMOUS) && !(flags & MAP_NORESERVE) &&
           prot != PROT_NONE;
}

static struct slot *slot_at(uintptr_t at, unsigned probe)
{
    return &state.maps[(mh_mix(at) + probe) % SLOTS];
}

/* The slot that this address has, NULL when it has none. A free slot before it may have come later.
 */
static struct slot *slot_of(uintptr_t at)
{
    for (unsigned i = 0; i < PROBES; i++) {
        struct slot *s = slot_at(at, i);
        uintptr_t key = atomic_load_explicit(&s->at, memory_order_relaxed);

        if (key == at)
            return s;
        if (key == FREE)
            return NULL;
    }
    return NULL;
}

/* A slot that was freed is not told from one that is being filled by its size: the size is written
 * last, and taken by exchange, so that of two threads only one counts it back. */
void mh_budget_map(void *at, size_t n)
{
    struct slot *s = slot_of((uintptr_t)at);

    for (unsigned i = 0; !s && i < PROBES; i++) {
        struct slot *empty = slot_at((uintptr_t)at, i);
        uintptr_t key = atomic_load_explicit(&empty->at, memory_order_relaxed);

        if ((key == FREE || key == GONE) &&
            atomic_compare_exchange_strong(&empty->at, &key, (uintptr_t)at))
            s = empty;
    }
    if (s)
        mh_budget_add((int64_t)n - (int64_t)atomic_exchange(&s->n, n));
}

size_t mh_budget_unmap(void *at, size_t n)
{
    struct slot *s = slot_of((uintptr_t)at);
    size_t had;

    if (!s)
        return 0;
    had = atomic_exchange(&s->n, 0);
    mh_budget_add(-(int64_t)had);
    atomic_store(&s->at, GONE);
    if (had <= n)
        return had;
    /* The head of a mapping went: the rest of it stays. */
    mh_budget_map((char *)at + n, had - n);
    return n;
}

uint64_t mh_budget_refuse(void)
{
    return atomic_fetch_add_explicit(&state.refused, 1, memory_order_relaxed);
}

uint64_t mh_budget_refused(void)
{
    return atomic_load_explicit(&state.refused, memory_order_relaxed);
}

void mh_budget_reset(void)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        atomic_store_explicit(&state.maps[i].at, FREE, memory_order_relaxed);
        atomic_store_explicit(&state.maps[i].n, 0, memory_order_relaxed);
    }
    atomic_store(&state.live, 0);
    atomic_store(&state.refused, 0);
}
