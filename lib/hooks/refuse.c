/* SPDX-License-Identifier: Apache-2.0 */
/* Refused allocations; see refuse.h. As long as everything fits the smallest budget of the scenario
 * nothing is decided: one addition and one comparison. Interpreters are spared while they start and
 * while they end, for there CPython answers a failed allocation with abort(). */
#include "hooks/refuse.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "base/libc.h"
#include "base/macros.h"
#include "base/sys.h"
#include "fd/decide.h"
#include "hooks/gate.h"
#include "hooks/memory.h"
#include "memory/budget.h"
#include "python/python.h"

#include "base/banned.h"

MH_OLD_DLSYM;

/* So many refusals have their record in each second, the others are only counted: a program out of
 * memory may ask a million times. */
enum { RECORDS = 64, SECOND_NS = 1000 * 1000 * 1000 };

static struct {
    uint64_t limit; /* smallest budget */
    bool drawn;     /* a fault does not wait for a budget: each allocation is decided */
    bool by_site;   /* and needs to know where */
    int (*initialized)(void), (*finalizing)(void); /* of the interpreter, NULL: none */
    _Atomic int64_t second;                        /* the one that `told` counts */
    _Atomic unsigned told;
} state = {.limit = UINT64_MAX};

static void find(const char *name, int (**ret)(void))
{
    void *found = dlsym(RTLD_DEFAULT, name);

    if (found)
        memcpy(ret, &found, sizeof(found));
}

void mh_memory_init(void)
{
    const struct mh_rules *rules = mh_guest.rules;
    uint64_t ops = MH_OP_BIT(MH_OP_malloc) | MH_OP_BIT(MH_OP_mmap);

    state.limit = UINT64_MAX;
    state.drawn = state.by_site = false;
    for (unsigned i = 0; rules && i < rules->nfaults; i++) {
        const struct mh_fault *f = &rules->faults[i];

        if (!f->takes_part || !(f->ops & ops))
            continue;
        if (f->effects & MH_EFFECT_BIT(MH_EFFECT_memory))
            state.limit = MH_MIN(state.limit, f->memory);
        if (f->effects & (MH_EFFECT_BIT(MH_EFFECT_error) | MH_EFFECT_BIT(MH_EFFECT_kill)))
            state.drawn = true;
        state.by_site = state.by_site || f->per == MH_PER_site || f->nstacks || f->noperations;
    }
    find("Py_IsInitialized", &state.initialized);
    find("_Py_IsFinalizing", &state.finalizing);
    find("Py_IsFinalizing", &state.finalizing);
}

bool mh_refuse_counts(void)
{
    return __atomic_load_n(&mh_gate.memory, __ATOMIC_RELAXED) == MH_GATE_ON && !mh_inside_allocator;
}

static bool spared(void)
{
    return (state.initialized && !state.initialized()) ||
           (state.finalizing && state.finalizing()) || !mh_python_begun();
}

/* Makes it known; false when that is not possible: then nothing may be refused either. */
static bool tell(enum mh_call call, enum mh_op_kind kind, size_t n, const struct mh_verdict *v,
                 enum mh_effect effect, int err, const struct mh_place *place)
{
    int64_t second = mh_now() / SECOND_NS;

    if (atomic_exchange(&state.second, second) != second)
        atomic_store(&state.told, 0);
    if (atomic_fetch_add(&state.told, 1) >= RECORDS) {
        mh_budget_refuse();
        return true;
    }
    if (!mh_record(&(struct mh_story){.kind = kind,
                                      .call = call,
                                      .fd = -1,
                                      .asked = n,
                                      .result = -1,
                                      .err = err,
                                      .timeout_ns = -1,
                                      .verdict = v,
                                      .effect = (int)effect,
                                      .native = true,
                                      .place = place}))
        return false;
    mh_budget_refuse();
    return true;
}

/* Returns the errno to fail with, or 0. */
static int decide(enum mh_call call, enum mh_op_kind kind, size_t n, bool budgeted)
{
    struct mh_place here, *place = NULL;
    enum mh_effect effect = MH_EFFECT_error;
    struct mh_verdict v;
    int err = 0;

    if (state.by_site) {
        mh_python_place(&here);
        place = &here;
    }
    if (!mh_decide_path(kind, NULL, NULL, place, &v))
        return 0;
    if (v.effects & MH_EFFECT_BIT(MH_EFFECT_error)) {
        err = v.error;
    } else if (budgeted && (v.effects & MH_EFFECT_BIT(MH_EFFECT_memory)) &&
               !mh_budget_fits(v.memory, n)) {
        effect = MH_EFFECT_memory;
        err = ENOMEM;
    }
    return err && tell(call, kind, n, &v, effect, err, place) ? err : 0;
}

bool mh_refuse(enum mh_call call, enum mh_op_kind kind, size_t n, bool budgeted)
{
    int err;

    if (MH_LIKELY(!state.drawn && (!budgeted || mh_budget_fits(state.limit, n))))
        return false;
    /* What no machine has is refused without us. */
    if (n > PTRDIFF_MAX || spared() || !mh_guest_enter())
        return false;
    err = decide(call, kind, n, budgeted);
    mh_guest_leave_errno(err);
    return err != 0;
}
