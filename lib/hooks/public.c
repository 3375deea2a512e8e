/* SPDX-License-Identifier: Apache-2.0 */
/* What an application may ask of us, by the page that its run shares; see mishap.h. */
#include "hooks/mishap.h"

#include <errno.h>
#include <string.h>

#include "base/macros.h"
#include "fd/guest.h"

#include "base/banned.h"

enum { ALL = -1 };

/* Which fault of the run it is, or ALL; or an error. */
static int find(const struct mh_control *c, const char *fault, int *ret)
{
    if (!c || __atomic_load_n(&c->told, __ATOMIC_ACQUIRE) != 2)
        return -ENOTCONN;
    for (int i = 0; fault && i < (int)c->nfaults; i++)
        if (!strcmp(c->names[i], fault)) {
            *ret = i;
            return 0;
        }
    *ret = ALL;
    return fault ? -ENOENT : 0;
}

MH_PUBLIC int mishap_switch(const char *fault, int on)
{
    int at, r = find(mh_guest.control, fault, &at);

    if (r == 0)
        mh_control_switch(mh_guest.control, at, on != 0);
    return r;
}

MH_PUBLIC long mishap_fired(const char *fault)
{
    const struct mh_control *c = mh_guest.control;
    int at, r = find(c, fault, &at);
    uint64_t sum = 0;

    for (int i = 0; r == 0 && i < (int)c->nfaults; i++)
        if (at == ALL || at == i)
            sum += __atomic_load_n(&c->fired[i], __ATOMIC_RELAXED);
    return r == 0 ? (long)sum : r;
}
