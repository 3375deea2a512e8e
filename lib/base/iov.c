/* SPDX-License-Identifier: Apache-2.0 */
/* Vectors of bytes; see iov.h. */
#include "base/iov.h"

#include "base/macros.h"

#include "base/banned.h"

size_t mh_iov_total(const struct iovec *iov, size_t n)
{
    size_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += iov[i].iov_len;
    return sum;
}

size_t mh_iov_cap(const struct iovec *iov, size_t n, uint64_t cap, struct iovec to[MH_IOV_MAX])
{
    size_t i = 0;

    for (; i < n && i < MH_IOV_MAX && cap; i++) {
        to[i] = iov[i];
        to[i].iov_len = MH_MIN(to[i].iov_len, cap);
        cap -= to[i].iov_len;
    }
    return i;
}
