/* SPDX-License-Identifier: Apache-2.0 */
/* Values that change while a run goes on: written by the tool, read by every process in its own
 * time. The generation tells a reader that it was not alone; see control.h. */
#include <errno.h>
#include <string.h>

#include "base/macros.h"
#include "control/control.h"

#include "base/banned.h"

void mh_control_tell(struct mh_control *c, const struct mh_rules *rules, const char *config)
{
    uint32_t none = 0;
    size_t n = strlen(config);

    if (!__atomic_compare_exchange_n(&c->told, &none, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    c->nfaults = rules->nfaults;
    for (unsigned i = 0; i < rules->nfaults; i++)
        memcpy(c->names[i], rules->faults[i].name, sizeof(c->names[i]));
    if (n < sizeof(c->config))
        memcpy(c->config, config, n + 1);
    __atomic_store_n(&c->told, 2, __ATOMIC_RELEASE);
}

void mh_control_switch(struct mh_control *c, int fault, bool on)
{
    if (fault < 0)
        __atomic_store_n(&c->off, !on, __ATOMIC_RELAXED);
    for (size_t w = 0; w < ARRAY_SIZE(c->fault_off); w++) {
        uint64_t faults = (uint64_t)((size_t)fault / 64 == w) << (unsigned)fault % 64;

        if (on)
            __atomic_and_fetch(&c->fault_off[w], fault < 0 ? 0 : ~faults, __ATOMIC_RELAXED);
        else if (fault >= 0)
            __atomic_or_fetch(&c->fault_off[w], faults, __ATOMIC_RELAXED);
    }
}

void mh_control_join(struct mh_control *c, uint64_t ordinal, int pid)
{
    if (ordinal > MH_CONTROL_MEMBERS)
        return;
    /* a process that became another program joins again */
    for (uint64_t i = 0; i + 1 < ordinal; i++)
        if (__atomic_load_n(&c->members[i].pid, __ATOMIC_RELAXED) == pid)
            __atomic_store_n(&c->members[i].ended, MH_MEMBER_FINE, __ATOMIC_RELAXED);
    __atomic_store_n(&c->members[ordinal - 1].pid, pid, __ATOMIC_RELEASE);
}

void mh_control_leave(struct mh_control *c, uint64_t ordinal, int status)
{
    if (ordinal >= 1 && ordinal <= MH_CONTROL_MEMBERS)
        __atomic_store_n(&c->members[ordinal - 1].ended, status ? MH_MEMBER_FAILED : MH_MEMBER_FINE,
                         __ATOMIC_RELEASE);
}

int mh_control_change(struct mh_control *c, const char *changes, const struct mh_fault *faults,
                      unsigned n)
{
    /* odd after a tool that died at this very place: nobody has read what it left */
    uint32_t writing = __atomic_load_n(&c->generation, __ATOMIC_RELAXED) | 1;
    size_t len = strlen(changes);

    if (len >= sizeof(c->changes))
        return -E2BIG;
    if (n > ARRAY_SIZE(c->changed))
        return -ENOSPC;
    __atomic_store_n(&c->generation, writing, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    memcpy(c->changes, changes, len + 1);
    memcpy(c->changed, faults, n * sizeof(*faults));
    c->nchanged = n;
    __atomic_store_n(&c->generation, writing + 1, __ATOMIC_SEQ_CST);
    return 0;
}

/* What it does and when is exchanged; what is known only here, and where it applies, stays. */
static void apply(struct mh_rules *rules, const struct mh_fault *changed)
{
    for (unsigned i = 0; i < rules->nfaults; i++) {
        struct mh_fault *f = &rules->faults[i];
        bool takes_part = f->takes_part;

        if (f->key != changed->key || memcmp(f->name, changed->name, sizeof(f->name)) != 0)
            continue;
        memcpy(f, changed, sizeof(*f));
        f->takes_part = takes_part;
        f->nerrors = MH_MIN(f->nerrors, (unsigned)MH_MAX_ERRORS);
        f->npeers = MH_MIN(f->npeers, (unsigned)MH_MAX_PATTERNS);
        f->npaths = MH_MIN(f->npaths, (unsigned)MH_MAX_PATTERNS);
        f->nprocesses = MH_MIN(f->nprocesses, (unsigned)MH_MAX_PATTERNS);
    }
}

int64_t mh_control_apply(const struct mh_control *c, struct mh_rules *rules)
{
    uint32_t generation = __atomic_load_n(&c->generation, __ATOMIC_ACQUIRE);
    unsigned n = MH_MIN(c->nchanged, (uint32_t)MH_CONTROL_CHANGED);

    if (generation & 1)
        return -EAGAIN;
    for (unsigned i = 0; i < n; i++)
        apply(rules, &c->changed[i]);
    mh_rules_rebind(rules);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (__atomic_load_n(&c->generation, __ATOMIC_RELAXED) != generation)
        return -EAGAIN;
    return generation;
}
