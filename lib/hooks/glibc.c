/* SPDX-License-Identifier: Apache-2.0 */
/* The half of the hooks that only glibc knows: names with 64 in them, and those that
 * _FORTIFY_SOURCE puts in the place of others. musl.c is built instead where there are none. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>

#include "hooks/bytes.h"
#include "hooks/clock.h"
#include "hooks/gate.h"
#include "hooks/libc.h"
#include "hooks/look.h"
#include "hooks/mappings.h"
#include "hooks/paths.h"
#include "hooks/room.h"
#include "hooks/semaphores.h"
#include "hooks/streams.h"
#include "hooks/variadic.h"

#include "base/banned.h"

MH_OLD_DLVSYM;

void mh_libc_at_exit(void (*run)(int status, void *unused))
{
    on_exit(run, NULL);
}

/* Up to glibc 2.32 programs were bound to these, and those that were built with it still are; a
 * newer one has them for such programs only, in a version that dlsym() does not look for. */
void mh_libc_fill(void)
{
    void *found;

#define OLD(name, version)                                                                         \
    found = mh_real.name || mh_real_late() ? NULL : dlvsym(RTLD_NEXT, #name, version);             \
    if (found)                                                                                     \
        memcpy(&mh_real.name, &found, sizeof(found));
    OLD(__xstat, MH_FIRST_VERSION)
    OLD(__xstat64, MH_FIRST_VERSION)
    OLD(__lxstat, MH_FIRST_VERSION)
    OLD(__lxstat64, MH_FIRST_VERSION)
    OLD(__fxstat, MH_FIRST_VERSION)
    OLD(__fxstat64, MH_FIRST_VERSION)
    OLD(__fxstatat, MH_FXSTATAT_VERSION)
    OLD(__fxstatat64, MH_FXSTATAT_VERSION)
#undef OLD
}

MH_PUBLIC int stat64(const char *restrict path, struct stat64 *restrict ret)
{
    MH_LOOK(stat64, AT_FDCWD, path, (path, ret), SYS_newfstatat, AT_FDCWD, path, ret, 0);
}

MH_PUBLIC int lstat64(const char *restrict path, struct stat64 *restrict ret)
{
    MH_LOOK(lstat64, AT_FDCWD, path, (path, ret), SYS_newfstatat, AT_FDCWD, path, ret,
            AT_SYMLINK_NOFOLLOW);
}

MH_PUBLIC int fstat64(int fd, struct stat64 *ret)
{
    MH_LOOK(fstat64, fd, NULL, (fd, ret), SYS_fstat, fd, ret);
}

MH_PUBLIC int fstatat64(int dir, const char *restrict path, struct stat64 *restrict ret, int flags)
{
    MH_LOOK(fstatat64, dir, path, (dir, path, ret, flags), SYS_newfstatat, dir, path, ret, flags);
}

/* `version` is that of struct stat: there is one only on the machines that we know. */
MH_PUBLIC int __xstat(int version, const char *path, struct stat *ret);
MH_PUBLIC int __xstat(int version, const char *path, struct stat *ret)
{
    MH_LOOK(__xstat, AT_FDCWD, path, (version, path, ret), SYS_newfstatat, AT_FDCWD, path, ret, 0);
}

MH_PUBLIC int __xstat64(int version, const char *path, struct stat64 *ret);
MH_PUBLIC int __xstat64(int version, const char *path, struct stat64 *ret)
{
    MH_LOOK(__xstat64, AT_FDCWD, path, (version, path, ret), SYS_newfstatat, AT_FDCWD, path, ret,
            0);
}

MH_PUBLIC int __lxstat(int version, const char *path, struct stat *ret);
MH_PUBLIC int __lxstat(int version, const char *path, struct stat *ret)
{
    MH_LOOK(__lxstat, AT_FDCWD, path, (version, path, ret), SYS_newfstatat, AT_FDCWD, path, ret,
            AT_SYMLINK_NOFOLLOW);
}

MH_PUBLIC int __lxstat64(int version, const char *path, struct stat64 *ret);
MH_PUBLIC int __lxstat64(int version, const char *path, struct stat64 *ret)
{
    MH_LOOK(__lxstat64, AT_FDCWD, path, (version, path, ret), SYS_newfstatat, AT_FDCWD, path, ret,
            AT_SYMLINK_NOFOLLOW);
}

MH_PUBLIC int __fxstat(int version, int fd, struct stat *ret);
MH_PUBLIC int __fxstat(int version, int fd, struct stat *ret)
{
    MH_LOOK(__fxstat, fd, NULL, (version, fd, ret), SYS_fstat, fd, ret);
}

MH_PUBLIC int __fxstat64(int version, int fd, struct stat64 *ret);
MH_PUBLIC int __fxstat64(int version, int fd, struct stat64 *ret)
{
    MH_LOOK(__fxstat64, fd, NULL, (version, fd, ret), SYS_fstat, fd, ret);
}

MH_PUBLIC int __fxstatat(int version, int dir, const char *path, struct stat *ret, int flags);
MH_PUBLIC int __fxstatat(int version, int dir, const char *path, struct stat *ret, int flags)
{
    MH_LOOK(__fxstatat, dir, path, (version, dir, path, ret, flags), SYS_newfstatat, dir, path, ret,
            flags);
}

MH_PUBLIC int __fxstatat64(int version, int dir, const char *path, struct stat64 *ret, int flags);
MH_PUBLIC int __fxstatat64(int version, int dir, const char *path, struct stat64 *ret, int flags)
{
    MH_LOOK(__fxstatat64, dir, path, (version, dir, path, ret, flags), SYS_newfstatat, dir, path,
            ret, flags);
}

/* libc's own answer to an overflow is to abort. */
MH_PUBLIC ssize_t __readlink_chk(const char *restrict path, char *restrict buf, size_t n,
                                 size_t size);
MH_PUBLIC ssize_t __readlink_chk(const char *restrict path, char *restrict buf, size_t n,
                                 size_t size)
{
    return n <= size && mh_look_fault(MH_CALL___readlink_chk, AT_FDCWD, path)
               ? -1
               : MH_REAL(__readlink_chk)(path, buf, n, size);
}

MH_PUBLIC ssize_t __readlinkat_chk(int dir, const char *restrict path, char *restrict buf, size_t n,
                                   size_t size);
MH_PUBLIC ssize_t __readlinkat_chk(int dir, const char *restrict path, char *restrict buf, size_t n,
                                   size_t size)
{
    return n <= size && mh_look_fault(MH_CALL___readlinkat_chk, dir, path)
               ? -1
               : MH_REAL(__readlinkat_chk)(dir, path, buf, n, size);
}

MH_PUBLIC struct dirent64 *readdir64(DIR *dir)
{
    return mh_list_fault(MH_CALL_readdir64, dir) ? NULL : MH_REAL(readdir64)(dir);
}

MH_PUBLIC int readdir64_r(DIR *restrict dir, struct dirent64 *restrict entry,
                          struct dirent64 **restrict ret)
{
    MH_LIST_R(readdir64_r, dir, entry, ret);
}

MH_PUBLIC ssize_t __recv_chk(int fd, void *buf, size_t n, size_t size, int flags);
MH_PUBLIC ssize_t __recv_chk(int fd, void *buf, size_t n, size_t size, int flags)
{
    if (n > size || !mh_gate_fd(fd)) /* libc's own answer to an overflow is to abort */
        return mh_real.__recv_chk(fd, buf, n, size, flags);
    return mh_receive(MH_CALL___recv_chk, fd, buf, n, flags);
}

MH_PUBLIC ssize_t __recvfrom_chk(int fd, void *restrict buf, size_t n, size_t size, int flags,
                                 struct sockaddr *restrict addr, socklen_t *restrict len);
MH_PUBLIC ssize_t __recvfrom_chk(int fd, void *restrict buf, size_t n, size_t size, int flags,
                                 struct sockaddr *restrict addr, socklen_t *restrict len)
{
    if (n > size || !mh_gate_fd(fd))
        return mh_real.__recvfrom_chk(fd, buf, n, size, flags, addr, len);
    return mh_receive_from(MH_CALL___recvfrom_chk, fd, buf, n, flags, addr, len);
}

MH_PUBLIC ssize_t __read_chk(int fd, void *buf, size_t n, size_t size);
MH_PUBLIC ssize_t __read_chk(int fd, void *buf, size_t n, size_t size)
{
    struct iovec iov = {buf, n};

    if (n > size || !mh_gate_fd(fd))
        return mh_real.__read_chk(fd, buf, n, size);
    return mh_read_any(MH_CALL___read_chk, fd, &iov, 1);
}

MH_PUBLIC ssize_t pread64(int fd, void *buf, size_t n, off64_t at)
{
    struct iovec iov = {buf, n};

    if (at < 0 || !mh_gate_fd(fd))
        return mh_real.pread64(fd, buf, n, at);
    return mh_file_read(MH_CALL_pread64, fd, &iov, 1, at);
}

MH_PUBLIC ssize_t __pread_chk(int fd, void *buf, size_t n, off_t at, size_t size);
MH_PUBLIC ssize_t __pread_chk(int fd, void *buf, size_t n, off_t at, size_t size)
{
    if (n > size || at < 0 || !mh_gate_fd(fd))
        return mh_real.__pread_chk(fd, buf, n, at, size);
    mh_guest_leave();
    return pread(fd, buf, n, at);
}

MH_PUBLIC ssize_t __pread64_chk(int fd, void *buf, size_t n, off64_t at, size_t size);
MH_PUBLIC ssize_t __pread64_chk(int fd, void *buf, size_t n, off64_t at, size_t size)
{
    if (n > size || at < 0 || !mh_gate_fd(fd))
        return mh_real.__pread64_chk(fd, buf, n, at, size);
    mh_guest_leave();
    return pread64(fd, buf, n, at);
}

MH_PUBLIC ssize_t pwrite64(int fd, const void *buf, size_t n, off64_t at)
{
    struct iovec iov = {(void *)(uintptr_t)buf, n};

    if (at < 0 || !mh_gate_fd(fd))
        return mh_real.pwrite64(fd, buf, n, at);
    return mh_file_write(MH_CALL_pwrite64, fd, &iov, 1, at);
}

MH_PUBLIC ssize_t preadv64(int fd, const struct iovec *iov, int n, off64_t at)
{
    if (n <= 0 || at < 0 || !mh_gate_fd(fd))
        return mh_real.preadv64(fd, iov, n, at);
    return mh_file_read(MH_CALL_preadv64, fd, iov, n, at);
}

MH_PUBLIC ssize_t preadv64v2(int fd, const struct iovec *iov, int n, off64_t at, int flags)
{
    if (n <= 0 || flags || at < -1 || !mh_gate_fd(fd))
        return mh_real.preadv64v2(fd, iov, n, at, flags);
    return mh_file_read(MH_CALL_preadv64v2, fd, iov, n, at);
}

MH_PUBLIC ssize_t pwritev64(int fd, const struct iovec *iov, int n, off64_t at)
{
    if (n <= 0 || at < 0 || !mh_gate_fd(fd))
        return mh_real.pwritev64(fd, iov, n, at);
    return mh_file_write(MH_CALL_pwritev64, fd, iov, n, at);
}

MH_PUBLIC ssize_t pwritev64v2(int fd, const struct iovec *iov, int n, off64_t at, int flags)
{
    if (n <= 0 || flags || at < -1 || !mh_gate_fd(fd))
        return mh_real.pwritev64v2(fd, iov, n, at, flags);
    return mh_file_write(MH_CALL_pwritev64v2, fd, iov, n, at);
}

MH_PUBLIC ssize_t sendfile64(int to, int from, off64_t *at, size_t n)
{
    return mh_sendfile_refused(to) ? -1 : mh_real.sendfile64(to, from, at, n);
}

MH_PUBLIC void *mmap64(void *at, size_t n, int prot, int flags, int fd, off64_t offset)
{
    return mh_memory_shut() ? mh_real.mmap64(at, n, prot, flags, fd, offset)
                            : mh_mmap_slow(MH_CALL_mmap64, at, n, prot, flags, fd, offset);
}

MH_PUBLIC int ftruncate64(int fd, off64_t length)
{
    return mh_ftruncate(MH_CALL_ftruncate64, fd, length, mh_real.ftruncate64);
}

MH_PUBLIC int truncate64(const char *path, off64_t length)
{
    return mh_truncate(MH_CALL_truncate64, path, length, MH_REAL(truncate64));
}

MH_PUBLIC int fallocate64(int fd, int mode, off64_t at, off64_t n)
{
    return mh_fallocate(MH_CALL_fallocate64, fd, mode, at, n, MH_REAL(fallocate64));
}

MH_PUBLIC int posix_fallocate64(int fd, off64_t at, off64_t n)
{
    return mh_posix_fallocate(MH_CALL_posix_fallocate64, fd, at, n, MH_REAL(posix_fallocate64));
}

MH_PUBLIC int statvfs64(const char *restrict path, struct statvfs64 *restrict ret)
{
    MH_ROOM_ASK(statvfs64, -1, path, ret, ret->f_frsize, MH_REAL(statvfs64)(path, ret));
}

MH_PUBLIC int fstatvfs64(int fd, struct statvfs64 *ret)
{
    MH_ROOM_ASK(fstatvfs64, fd, NULL, ret, ret->f_frsize, MH_REAL(fstatvfs64)(fd, ret));
}

MH_PUBLIC int statfs64(const char *path, struct statfs64 *ret)
{
    MH_ROOM_ASK(statfs64, -1, path, ret, ret->f_bsize, MH_REAL(statfs64)(path, ret));
}

MH_PUBLIC int fstatfs64(int fd, struct statfs64 *ret)
{
    MH_ROOM_ASK(fstatfs64, fd, NULL, ret, ret->f_bsize, MH_REAL(fstatfs64)(fd, ret));
}

MH_PUBLIC FILE *fopen64(const char *restrict path, const char *restrict mode)
{
    return mh_fopen(MH_CALL_fopen64, path, mode, mh_real.fopen64);
}

MH_PUBLIC FILE *freopen64(const char *restrict path, const char *restrict mode, FILE *restrict f)
{
    return mh_freopen(MH_CALL_freopen64, path, mode, f, MH_REAL(freopen64));
}

MH_PUBLIC int mkstemp64(char *name)
{
    MH_MAKE(mkstemp64, name, 0, MH_REAL(mkstemp64)(name));
}

MH_PUBLIC int mkstemps64(char *name, int suffix)
{
    MH_MAKE(mkstemps64, name, 0, MH_REAL(mkstemps64)(name, suffix));
}

MH_PUBLIC int mkostemp64(char *name, int flags)
{
    MH_MAKE(mkostemp64, name, flags, MH_REAL(mkostemp64)(name, flags));
}

MH_PUBLIC int mkostemps64(char *name, int suffix, int flags)
{
    MH_MAKE(mkostemps64, name, flags, MH_REAL(mkostemps64)(name, suffix, flags));
}

MH_PUBLIC int open64(const char *path, int flags, ...)
{
    MH_OPEN_MODE(flags)
    MH_OPEN(open64, AT_FDCWD, path, flags, mh_real.open64(path, flags, mode));
}

MH_PUBLIC int openat64(int dir, const char *path, int flags, ...)
{
    MH_OPEN_MODE(flags)
    MH_OPEN(openat64, dir, path, flags, mh_real.openat64(dir, path, flags, mode));
}

MH_PUBLIC int creat64(const char *path, mode_t mode)
{
    MH_OPEN(creat64, AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mh_real.creat64(path, mode));
}

MH_PUBLIC int __open_2(const char *path, int flags);
MH_PUBLIC int __open_2(const char *path, int flags)
{
    MH_OPEN(__open_2, AT_FDCWD, path, flags, mh_real.__open_2(path, flags));
}

MH_PUBLIC int __open64_2(const char *path, int flags);
MH_PUBLIC int __open64_2(const char *path, int flags)
{
    MH_OPEN(__open64_2, AT_FDCWD, path, flags, mh_real.__open64_2(path, flags));
}

MH_PUBLIC int __openat_2(int dir, const char *path, int flags);
MH_PUBLIC int __openat_2(int dir, const char *path, int flags)
{
    MH_OPEN(__openat_2, dir, path, flags, mh_real.__openat_2(dir, path, flags));
}

MH_PUBLIC int __openat64_2(int dir, const char *path, int flags);
MH_PUBLIC int __openat64_2(int dir, const char *path, int flags)
{
    MH_OPEN(__openat64_2, dir, path, flags, mh_real.__openat64_2(dir, path, flags));
}

MH_PUBLIC int fcntl64(int fd, int cmd, ...)
{
    MH_THIRD(cmd)
    return mh_fcntl(MH_CALL_fcntl64, fd, cmd, arg,
                    mh_real.fcntl64 ? mh_real.fcntl64 : MH_REAL(fcntl));
}

MH_PUBLIC int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size);
MH_PUBLIC int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size)
{
    if (size / sizeof(*fds) < n)
        return mh_real.__poll_chk(fds, n, timeout, size);
    return poll(fds, n, timeout);
}

MH_PUBLIC int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
                          const sigset_t *mask, size_t size);
MH_PUBLIC int __ppoll_chk(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
                          const sigset_t *mask, size_t size)
{
    if (size / sizeof(*fds) < n)
        return mh_real.__ppoll_chk(fds, n, timeout, mask, size);
    return ppoll(fds, n, timeout, mask);
}

MH_PUBLIC int sem_clockwait(sem_t *restrict sem, clockid_t clock,
                            const struct timespec *restrict until)
{
    struct mh_sem_wait wait;
    struct timespec real;

    if (mh_sem_take(sem))
        return 0;
    if (clock == CLOCK_REALTIME)
        until = mh_clock_real(MH_CALL_sem_clockwait, until, &real);
    wait = mh_sem_begin(sem);
    return mh_sem_end(&wait, MH_CALL_sem_clockwait, sem, true,
                      MH_REAL_LATE(sem_clockwait)(sem, clock, until));
}
