/* SPDX-License-Identifier: Apache-2.0 */
/* syscall(): what goes past the names of libc. libuv closes its sockets by number, so that no
 * thread can be cancelled in between; others read, connect or wait that way. A number that means
 * the same as a hooked name goes to that hook; rings, which lead past all of them, are refused on
 * request and else on record; whatever remains only passes. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/libc.h"
#include "base/sys.h"
#include "event/write.h"
#include "hooks/gate.h"
#include "hooks/limits.h"

#include "base/banned.h"

/* Of this thread: such a call is under way. Another preloaded library may do what a name means by
 * number (tcmalloc's mmap does): its call must not come back to the name. */
static __thread unsigned char numbered;

/* NUMBER(number, call of a hook with a[0] to a[5]): the kernel's arguments are those of libc, and
 * so are its results. */
#define P(type, i) ((type *)(uintptr_t)a[i])
#define I(i)       ((int)a[i])
#define NUMBERS(NUMBER)                                                                            \
    NUMBER(close, close(I(0)))                                                                     \
    NUMBER(read, read(I(0), P(void, 1), (size_t)a[2]))                                             \
    NUMBER(write, write(I(0), P(const void, 1), (size_t)a[2]))                                     \
    NUMBER(readv, readv(I(0), P(const struct iovec, 1), I(2)))                                     \
    NUMBER(writev, writev(I(0), P(const struct iovec, 1), I(2)))                                   \
    NUMBER(pread64, pread(I(0), P(void, 1), (size_t)a[2], a[3]))                                   \
    NUMBER(pwrite64, pwrite(I(0), P(const void, 1), (size_t)a[2], a[3]))                           \
    NUMBER(preadv, preadv(I(0), P(const struct iovec, 1), I(2), a[3]))                             \
    NUMBER(pwritev, pwritev(I(0), P(const struct iovec, 1), I(2), a[3]))                           \
    NUMBER(sendfile, sendfile(I(0), I(1), P(off_t, 2), (size_t)a[3]))                              \
    NUMBER(splice, splice(I(0), P(off_t, 1), I(2), P(off_t, 3), (size_t)a[4], (unsigned)a[5]))     \
    NUMBER(copy_file_range,                                                                        \
           copy_file_range(I(0), P(off_t, 1), I(2), P(off_t, 3), (size_t)a[4], (unsigned)a[5]))    \
    NUMBER(socket, socket(I(0), I(1), I(2)))                                                       \
    NUMBER(socketpair, socketpair(I(0), I(1), I(2), P(int, 3)))                                    \
    NUMBER(connect, connect(I(0), P(const struct sockaddr, 1), (socklen_t)a[2]))                   \
    NUMBER(accept, accept(I(0), P(struct sockaddr, 1), P(socklen_t, 2)))                           \
    NUMBER(accept4, accept4(I(0), P(struct sockaddr, 1), P(socklen_t, 2), I(3)))                   \
    NUMBER(listen, listen(I(0), I(1)))                                                             \
    NUMBER(shutdown, shutdown(I(0), I(1)))                                                         \
    NUMBER(recvfrom,                                                                               \
           recvfrom(I(0), P(void, 1), (size_t)a[2], I(3), P(struct sockaddr, 4), P(socklen_t, 5))) \
    NUMBER(sendto, sendto(I(0), P(const void, 1), (size_t)a[2], I(3), P(const struct sockaddr, 4), \
                          (socklen_t)a[5]))                                                        \
    NUMBER(recvmsg, recvmsg(I(0), P(struct msghdr, 1), I(2)))                                      \
    NUMBER(sendmsg, sendmsg(I(0), P(const struct msghdr, 1), I(2)))                                \
    NUMBER(recvmmsg,                                                                               \
           recvmmsg(I(0), P(struct mmsghdr, 1), (unsigned)a[2], I(3), P(struct timespec, 4)))      \
    NUMBER(sendmmsg, sendmmsg(I(0), P(struct mmsghdr, 1), (unsigned)a[2], I(3)))                   \
    NUMBER(setsockopt, setsockopt(I(0), I(1), I(2), P(const void, 3), (socklen_t)a[4]))            \
    NUMBER(getsockopt, getsockopt(I(0), I(1), I(2), P(void, 3), P(socklen_t, 4)))                  \
    NUMBER(dup, dup(I(0)))                                                                         \
    NUMBER(dup3, dup3(I(0), I(1), I(2)))                                                           \
    NUMBER(pipe2, pipe2(P(int, 0), I(1)))                                                          \
    NUMBER(eventfd2, eventfd((unsigned)a[0], I(1)))                                                \
    NUMBER(timerfd_create, timerfd_create(I(0), I(1)))                                             \
    NUMBER(inotify_init1, inotify_init1(I(0)))                                                     \
    NUMBER(memfd_create, memfd_create(P(const char, 0), (unsigned)a[1]))                           \
    NUMBER(close_range, close_range((unsigned)a[0], (unsigned)a[1], I(2)))                         \
    NUMBER(ioctl, ioctl(I(0), (mh_ioctl_number)a[1], a[2]))                                        \
    NUMBER(openat, openat(I(0), P(const char, 1), I(2), (mode_t)a[3]))                             \
    NUMBER(fsync, fsync(I(0)))                                                                     \
    NUMBER(fdatasync, fdatasync(I(0)))                                                             \
    NUMBER(ftruncate, ftruncate(I(0), a[1]))                                                       \
    NUMBER(truncate, truncate(P(const char, 0), a[1]))                                             \
    NUMBER(fallocate, fallocate(I(0), I(1), a[2], a[3]))                                           \
    NUMBER(renameat2, renameat2(I(0), P(const char, 1), I(2), P(const char, 3), (unsigned)a[4]))   \
    NUMBER(unlinkat, unlinkat(I(0), P(const char, 1), I(2)))                                       \
    NUMBER(mkdirat, mkdirat(I(0), P(const char, 1), (mode_t)a[2]))                                 \
    NUMBER(linkat, linkat(I(0), P(const char, 1), I(2), P(const char, 3), I(4)))                   \
    NUMBER(symlinkat, symlinkat(P(const char, 0), I(1), P(const char, 2)))                         \
    NUMBER(newfstatat, fstatat(I(0), P(const char, 1), P(struct stat, 2), I(3)))                   \
    NUMBER(fstat, fstat(I(0), P(struct stat, 1)))                                                  \
    NUMBER(statx, statx(I(0), P(const char, 1), I(2), (unsigned)a[3], P(struct statx, 4)))         \
    NUMBER(faccessat, faccessat(I(0), P(const char, 1), I(2), 0))                                  \
    NUMBER(readlinkat, readlinkat(I(0), P(const char, 1), P(char, 2), (size_t)a[3]))               \
    NUMBER(epoll_create1, epoll_create1(I(0)))                                                     \
    NUMBER(epoll_ctl, epoll_ctl(I(0), I(1), I(2), P(struct epoll_event, 3)))                       \
    NUMBER(epoll_pwait, epoll_pwait(I(0), P(struct epoll_event, 1), I(2), I(3), P(sigset_t, 4)))   \
    NUMBER(epoll_pwait2, epoll_pwait2(I(0), P(struct epoll_event, 1), I(2),                        \
                                      P(const struct timespec, 3), P(sigset_t, 4)))                \
    NUMBER(clock_gettime, clock_gettime(I(0), P(struct timespec, 1)))                              \
    NUMBER(gettimeofday, gettimeofday(P(struct timeval, 0), P(void, 1)))                           \
    NUMBER(nanosleep, nanosleep(P(const struct timespec, 0), P(struct timespec, 1)))

/* The older half, which newer architectures lack. */
#ifdef SYS_open
#define OLD_NUMBERS(NUMBER)                                                                        \
    NUMBER(open, open(P(const char, 0), I(1), (mode_t)a[2]))                                       \
    NUMBER(creat, creat(P(const char, 0), (mode_t)a[1]))                                           \
    NUMBER(rename, rename(P(const char, 0), P(const char, 1)))                                     \
    NUMBER(renameat, renameat(I(0), P(const char, 1), I(2), P(const char, 3)))                     \
    NUMBER(unlink, unlink(P(const char, 0)))                                                       \
    NUMBER(mkdir, mkdir(P(const char, 0), (mode_t)a[1]))                                           \
    NUMBER(link, link(P(const char, 0), P(const char, 1)))                                         \
    NUMBER(symlink, symlink(P(const char, 0), P(const char, 1)))                                   \
    NUMBER(stat, stat(P(const char, 0), P(struct stat, 1)))                                        \
    NUMBER(lstat, lstat(P(const char, 0), P(struct stat, 1)))                                      \
    NUMBER(access, access(P(const char, 0), I(1)))                                                 \
    NUMBER(readlink, readlink(P(const char, 0), P(char, 1), (size_t)a[2]))                         \
    NUMBER(dup2, dup2(I(0), I(1)))                                                                 \
    NUMBER(pipe, pipe(P(int, 0)))                                                                  \
    NUMBER(poll, poll(P(struct pollfd, 0), (nfds_t)a[1], I(2)))                                    \
    NUMBER(select, select(I(0), P(fd_set, 1), P(fd_set, 2), P(fd_set, 3), P(struct timeval, 4)))   \
    NUMBER(epoll_create, epoll_create(I(0)))                                                       \
    NUMBER(epoll_wait, epoll_wait(I(0), P(struct epoll_event, 1), I(2), I(3)))                     \
    NUMBER(time, time(P(time_t, 0)))
#else
#define OLD_NUMBERS(NUMBER)
#endif

/* libuv and liburing set rings up that way; what goes through one is seen by no hook. */
static bool ring_refused(void)
{
    static _Atomic int said;

    if (!mh_gate_open(&mh_gate.fd))
        return false;
    if (mh_limit_refuses(MH_OP_io_uring, MH_CALL_syscall))
        return true;
    if (!said && mh_guest_enter()) {
        said = 1;
        mh_note(MH_NOTE_bypass, SYS_io_uring_setup, false,
                "an io_uring was asked for: what goes through it is neither seen nor injected");
        mh_guest_leave();
    }
    return false;
}

static long past(long number, const long a[6])
{
    if (number == SYS_io_uring_setup && ring_refused())
        return -1;
    return MH_REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static long by_name(long number, const long a[6])
{
    switch (number) {
#define NUMBER(name, call)                                                                         \
    case SYS_##name:                                                                               \
        return call;
        NUMBERS(NUMBER)
        OLD_NUMBERS(NUMBER)
#undef NUMBER
    default:
        return past(number, a);
    }
}

/* Six arguments are taken, as the C library does itself: they are registers, given or not. The
 * child of a vfork leaves its mark only while the call lasts, and not with execve(): that does not
 * return. */
MH_PUBLIC long syscall(long number, ...)
{
    long a[6], r;
    va_list list;

    va_start(list, number);
    for (unsigned i = 0; i < 6; i++)
        a[i] = va_arg(list, long);
    va_end(list);
    if (number == SYS_execve)
        return execve(P(const char, 0), P(char *const, 1), P(char *const, 2));
    if (number == SYS_execveat)
        return execveat(I(0), P(const char, 1), P(char *const, 2), P(char *const, 3), I(4));
    if (numbered || !mh_gate_open(&mh_gate.fd))
        return MH_REAL(syscall)(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    numbered = 1;
    r = by_name(number, a);
    numbered = 0;
    return r;
}
