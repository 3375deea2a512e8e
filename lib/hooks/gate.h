/* SPDX-License-Identifier: Apache-2.0 */
/* The fast path of every hook: one relaxed load and one predicted branch before the real call, and
 * for descriptors one more byte. Only hook files include this. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"
#include "fd/guest.h"
#include "fd/table.h"
#include "hooks/real.h"

#ifdef _FORTIFY_SOURCE
#error "hook files are built without _FORTIFY_SOURCE: the wrappers would be redirected"
#endif
#ifdef _FILE_OFFSET_BITS
#error "hook files are built without _FILE_OFFSET_BITS: open would become open64"
#endif

/* First call before the constructor: resolves the real functions and shuts the gates. */
void mh_gate_boot(void);

/* The real function, also before the constructor has run. */
#define MH_REAL(name)                                                                              \
    (MH_LIKELY(mh_real.name != NULL) ? mh_real.name : (mh_gate_boot(), mh_real.name))

/* The same where a library that a program brings late has it: libpthread before glibc 2.34. */
#define MH_REAL_LATE(name)                                                                         \
    (MH_LIKELY(mh_real.name != NULL)                                                               \
         ? mh_real.name                                                                            \
         : (mh_gate_boot(), mh_real_fetch(#name, &mh_real.name, sizeof(mh_real.name)),             \
            mh_real.name))

/* Should this class of calls take its slow path? */
static inline bool mh_gate_open(const uint32_t *gate)
{
    uint32_t word = __atomic_load_n(gate, __ATOMIC_RELAXED);

    if (MH_LIKELY(!word))
        return false;
    if (MH_UNLIKELY(word & MH_GATE_BOOT)) {
        mh_gate_boot();
        return false;
    }
    return true;
}

/* Nothing to do for this descriptor? Asked before anything that wants a stack frame, so that the
 * real call is a jump: after a system call every further return costs some 10 ns. */
static inline bool mh_gate_idle(int fd)
{
    uint32_t word = __atomic_load_n(&mh_gate.fd, __ATOMIC_RELAXED);

    if (MH_UNLIKELY(word != MH_GATE_ON))
        return !word;
    return MH_UNLIKELY((unsigned)fd >= MH_FD_MAX) ||
           MH_LIKELY(!__atomic_load_n(&mh_fd_kind[(unsigned)fd], __ATOMIC_RELAXED));
}

/* Is this descriptor one that we observe? */
MH_INLINE bool mh_gate_fd(int fd)
{
    return mh_gate_open(&mh_gate.fd) && (unsigned)fd < MH_FD_MAX &&
           MH_UNLIKELY(__atomic_load_n(&mh_fd_kind[fd], __ATOMIC_RELAXED)) && mh_guest_enter();
}
