/* SPDX-License-Identifier: Apache-2.0 */
/* Raw system calls: the only way that code on a hooked path may talk to the kernel. They neither
 * set errno nor pass through libc, so they are safe in signal handlers, after fork and before the
 * constructor. Each returns the result, or a negative errno. */
#pragma once

#include <stdint.h>
#include <sys/syscall.h>
#include <time.h>

/* Numbers that headers of before Linux 5.11 lack; they are the same on every architecture. */
#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif
#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 441
#endif

#if defined(__x86_64__)
static inline long mh_sys6(long n, long a, long b, long c, long d, long e, long f)
{
    long ret;
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    __asm__ volatile("syscall"
                     : "=a"(ret)
                     : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return ret;
}
#elif defined(__aarch64__)
static inline long mh_sys6(long n, long a, long b, long c, long d, long e, long f)
{
    register long x8 __asm__("x8") = n;
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;
    register long x2 __asm__("x2") = c;
    register long x3 __asm__("x3") = d;
    register long x4 __asm__("x4") = e;
    register long x5 __asm__("x5") = f;
    __asm__ volatile("svc 0"
                     : "+r"(x0)
                     : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                     : "memory");
    return x0;
}
#else
#error "mishap knows the system call convention of x86_64 and aarch64 only"
#endif

/* Aligned, these would run past the last column. */
/* clang-format off */
#define mh_sys(n, ...) MH_SYS_PICK(__VA_ARGS__, 6, 5, 4, 3, 2, 1, 0)(n, __VA_ARGS__)
#define MH_SYS_PICK(a, b, c, d, e, f, k, ...) MH_SYS_##k
#define MH_SYS_1(n, a) mh_sys6(n, (long)(a), 0, 0, 0, 0, 0)
#define MH_SYS_2(n, a, b) mh_sys6(n, (long)(a), (long)(b), 0, 0, 0, 0)
#define MH_SYS_3(n, a, b, c) mh_sys6(n, (long)(a), (long)(b), (long)(c), 0, 0, 0)
#define MH_SYS_4(n, a, b, c, d) mh_sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), 0, 0)
#define MH_SYS_5(n, a, b, c, d, e) \
    mh_sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), 0)
#define MH_SYS_6(n, a, b, c, d, e, f) \
    mh_sys6(n, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e), (long)(f))
/* clang-format on */

static inline int mh_sys_getpid(void)
{
    return (int)mh_sys6(SYS_getpid, 0, 0, 0, 0, 0, 0);
}

static inline int mh_sys_gettid(void)
{
    return (int)mh_sys6(SYS_gettid, 0, 0, 0, 0, 0, 0);
}

/* The real clock_gettime(), which is the vDSO and safe everywhere; it cannot fail for the clocks
 * below. A pointer, since the name itself may be a hook of ours that tells another time of day. */
extern int (*mh_clock_read)(clockid_t clock, struct timespec *ret)
    __attribute__((visibility("hidden")));

/* Nanoseconds of CLOCK_MONOTONIC. */
static inline int64_t mh_now(void)
{
    struct timespec ts;

    mh_clock_read(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Nanoseconds of CLOCK_REALTIME, whatever a fault makes of it. */
static inline int64_t mh_now_wall(void)
{
    struct timespec ts;

    mh_clock_read(CLOCK_REALTIME, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}
