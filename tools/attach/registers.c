/* SPDX-License-Identifier: Apache-2.0 */
/* What all architectures do alike with registers; see registers.h. */
#include "attach/registers.h"

#include <errno.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "base/banned.h"

int mh_registers_move(int how, pid_t tid, int set, void *data, size_t *n)
{
    struct iovec iov = {data, *n};

    if (ptrace(how, tid, set, &iov) < 0)
        return -errno;
    *n = iov.iov_len;
    return 0;
}
