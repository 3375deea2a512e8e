/* SPDX-License-Identifier: Apache-2.0 */
/* Exchange of the rules while the process runs; see live.h. Each change makes a copy of the rules
 * as they were loaded, in one of a few places in turn. A thread that still decides by an old copy
 * while its place is used again would see values of both: rules hold no pointers, so that is a
 * verdict of mixed values at worst, and only if it was held up for that many changes within one
 * decision. */
#include "fd/live.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "base/buf.h"
#include "base/sys.h"
#include "event/write.h"

#include "base/banned.h"

enum { PLACES = 4 };

uint32_t mh_live_generation;

static struct {
    struct mh_rules *loaded;
    struct mh_rules *places[PLACES];
    unsigned next;
    atomic_bool busy; /* one thread adopts, the others go on with what they have */
} live;

static struct mh_rules *place_next(void)
{
    struct mh_rules **place = &live.places[live.next++ % PLACES];

    if (!*place) {
        long p = mh_sys(SYS_mmap, 0, sizeof(**place), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p > 0 || p < -4095)
            *place = (struct mh_rules *)p;
    }
    return *place;
}

/* Only what is used: most of a set is never touched. */
static void copy(struct mh_rules *to, const struct mh_rules *from)
{
    size_t end = offsetof(struct mh_rules, phases);

    memcpy(to, from, offsetof(struct mh_rules, faults));
    memcpy(to->faults, from->faults, from->nfaults * sizeof(from->faults[0]));
    memcpy(to->phases, from->phases, from->nphases * sizeof(from->phases[0]));
    end += sizeof(from->phases);
    memcpy((char *)to + end, (const char *)from + end, sizeof(*from) - end);
}

void mh_live_init(void)
{
    live.loaded = mh_guest.rules;
    if (__atomic_load_n(&mh_guest.control->generation, __ATOMIC_RELAXED))
        mh_live_adopt();
}

struct mh_rules *mh_live_loaded(void)
{
    return live.loaded;
}

void mh_live_after_fork(void)
{
    atomic_store(&live.busy, false);
}

void mh_live_adopt(void)
{
    struct mh_rules *rules;
    int64_t generation;

    /* odd: it is being written, or its writer died; either way the next one makes it even */
    if (__atomic_load_n(&mh_guest.control->generation, __ATOMIC_RELAXED) & 1 ||
        atomic_exchange(&live.busy, true))
        return;
    rules = place_next();
    if (rules) {
        copy(rules, live.loaded);
        generation = mh_control_apply(mh_guest.control, rules);
        if (generation >= 0) {
            __atomic_store_n(&mh_guest.rules, rules, __ATOMIC_RELEASE);
            __atomic_store_n(&mh_live_generation, (uint32_t)generation, __ATOMIC_RELAXED);
            if (mh_writer_ok())
                mh_note(MH_NOTE_changed, generation / 2, false, "values of faults were changed");
        }
    }
    atomic_store(&live.busy, false);
}
