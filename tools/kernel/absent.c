/* SPDX-License-Identifier: Apache-2.0 */
/* Instead of kernel.c where clang, bpftool or libbpf were not there when mishap was built. */
#include "kernel/kernel.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "event/write.h"

#include "base/banned.h"

int mh_kernel_open(const char *library, struct mh_kernel **ret, char why[MH_KERNEL_WHY])
{
    *ret = NULL;
    snprintf(why, MH_KERNEL_WHY,
             "this mishap was built without it (clang, bpftool and libbpf are needed)");
    return -ENOSYS;
}

void mh_kernel_arm(struct mh_kernel *k, bool armed) {}

void mh_kernel_poll(struct mh_kernel *k) {}

void mh_kernel_record(struct mh_kernel *k, const char *why)
{
    mh_event(kernel, why, strlen(why), .loaded = 0);
}

struct mh_kernel *mh_kernel_free(struct mh_kernel *k)
{
    return NULL;
}
