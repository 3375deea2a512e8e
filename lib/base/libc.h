/* SPDX-License-Identifier: Apache-2.0 */
/* Which libc this is compiled for, and what its headers say otherwise than glibc's: the one place
 * that asks. What the hooks do otherwise is in hooks/glibc.c and hooks/musl.c. */
#pragma once

#include <features.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#ifdef __GLIBC__
#define MH_LIBC_GLIBC 1

/* dlsym and dlvsym moved from libdl to libc in glibc 2.34: the old version serves both. */
#if defined(__x86_64__)
#define MH_OLD_DLSYM        __asm__(".symver dlsym, dlsym@GLIBC_2.2.5")
#define MH_OLD_DLVSYM       __asm__(".symver dlvsym, dlvsym@GLIBC_2.2.5")
#define MH_FIRST_VERSION    "GLIBC_2.2.5"
#define MH_FXSTATAT_VERSION "GLIBC_2.4"
#elif defined(__aarch64__)
#define MH_OLD_DLSYM        __asm__(".symver dlsym, dlsym@GLIBC_2.17")
#define MH_OLD_DLVSYM       __asm__(".symver dlvsym, dlvsym@GLIBC_2.17")
#define MH_FIRST_VERSION    "GLIBC_2.17"
#define MH_FXSTATAT_VERSION "GLIBC_2.17"
#endif

/* What stdio.h's own macros look at: the descriptor of a stream; is there a byte to be read, or
 * room for one to be written. */
#define MH_STREAM_FD(f)    ((f)->_fileno)
#define MH_STREAM_HAS(f)   ((f)->_IO_read_ptr < (f)->_IO_read_end)
#define MH_STREAM_TAKES(f) ((f)->_IO_write_ptr < (f)->_IO_write_end)

/* Macros for what are functions, too. */
#undef fread_unlocked
#undef fwrite_unlocked

typedef int mh_mmsg_flags;
typedef unsigned long mh_ioctl_number;

#else /* musl says nothing of itself */
#define MH_LIBC_GLIBC 0
#define MH_OLD_DLSYM  _Static_assert(1, "no versions there")

#define NETDB_INTERNAL -1 /* of h_errno */

#define MH_STREAM_FD(f)    fileno(f)
#define MH_STREAM_HAS(f)   false
#define MH_STREAM_TAKES(f) false

/* Macros that stand for themselves, and would get into names that are put together. */
#undef stdin
#undef stdout
#undef stderr

typedef unsigned mh_mmsg_flags;
typedef int mh_ioctl_number;
#endif

/* Of glibc 2.34 or 2.35, of musl 1.2.5, or of none yet: what is asked of a libc that lacks them is
 * in the hooks. */
struct iovec;
struct epoll_event;
struct timespec;
struct statx;
ssize_t preadv2(int fd, const struct iovec *iov, int n, off_t at, int flags);
ssize_t pwritev2(int fd, const struct iovec *iov, int n, off_t at, int flags);
int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags);
int close_range(unsigned first, unsigned last, int flags);
void closefrom(int first);
int epoll_pwait2(int epfd, struct epoll_event *events, int n, const struct timespec *timeout,
                 const sigset_t *mask);
int statx(int dir, const char *path, int flags, unsigned mask, struct statx *ret);
int execveat(int dir, const char *path, char *const argv[], char *const env[], int flags);

/* Of <linux/close_range.h> of Linux 5.11. */
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif
