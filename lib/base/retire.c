/* SPDX-License-Identifier: Apache-2.0 */
/* Retired mappings; see retire.h. */
#include "base/retire.h"

#include "base/macros.h"
#include "base/sys.h"

#include "base/banned.h"

/* No thread is kept from going on for that long between the load of an address and its use. */
#define LONG_ENOUGH_NS INT64_C(10000000000)

static struct {
    void *at;
    size_t n;
    int64_t since;
} retired[256];

void mh_retire(void *at, size_t n)
{
    for (unsigned i = 0; i < ARRAY_SIZE(retired); i++)
        if (!retired[i].at) {
            retired[i].n = n;
            retired[i].since = mh_now();
            retired[i].at = at;
            return;
        }
}

void mh_retired_unmap(void)
{
    for (unsigned i = 0; i < ARRAY_SIZE(retired); i++)
        if (retired[i].at && mh_now() - retired[i].since > LONG_ENOUGH_NS) {
            mh_sys(SYS_munmap, retired[i].at, retired[i].n);
            retired[i].at = NULL;
        }
}
