/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes and small helpers that every room may use; no code that runs, no other header of ours.
 */
#pragma once

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define MH_PUBLIC __attribute__((visibility("default")))
/* Data of ours that hooks load: -fvisibility does not hold for what is only declared, and an
 * address out of the GOT is an instruction more. */
#define MH_OWN                __attribute__((visibility("hidden")))
#define MH_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define MH_INLINE             static inline __attribute__((always_inline))
#define MH_LIKELY(x)          __builtin_expect(!!(x), 1)
#define MH_UNLIKELY(x)        __builtin_expect(!!(x), 0)
#define ARRAY_SIZE(a)         (sizeof(a) / sizeof((a)[0]))
#define MH_MIN(a, b)          ((a) < (b) ? (a) : (b))
#define MH_MAX(a, b)          ((a) > (b) ? (a) : (b))

/* Only for tools: what the name holds is released when the variable goes out of scope. */
#define MH_CLEANUP(f) __attribute__((cleanup(f)))
static inline void mh_cleanup_free(void *p)
{
    free(*(void **)p);
}
static inline void mh_cleanup_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}
#define _cleanup_free_  MH_CLEANUP(mh_cleanup_free)
#define _cleanup_close_ MH_CLEANUP(mh_cleanup_close)

/* Gives the pointer away: the variable no longer owns it. */
#define mh_steal(p)                                                                                \
    ({                                                                                             \
        __typeof__(p) stolen_ = (p);                                                               \
        (p) = NULL;                                                                                \
        stolen_;                                                                                   \
    })
