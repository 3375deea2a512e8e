/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of stdio and of directories: how they come and go, and what is read in directories. What
 * moves through the others is in stdio.c. */
#include "hooks/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/sys.h"
#include "hooks/bytes.h"
#include "hooks/files.h"
#include "hooks/gate.h"
#include "hooks/stdio.h"

#include "base/banned.h"

/* open flags of a stdio mode: only whether it writes matters here. */
static int mode_flags(const char *mode)
{
    for (; mode && *mode; mode++)
        if (*mode == 'w' || *mode == 'a' || *mode == '+')
            return *mode == 'w' ? O_WRONLY | O_TRUNC : O_WRONLY;
    return O_RDONLY;
}

FILE *mh_fopen(enum mh_call call, const char *path, const char *mode,
               FILE *(*real)(const char *restrict, const char *restrict))
{
    FILE *f;

    if (!mh_gate_open(&mh_gate.file) || !mh_guest_enter())
        return real(path, mode);
    if (mh_open_before(call, AT_FDCWD, path, mode_flags(mode)))
        return NULL;
    errno = mh_thread.saved_errno;
    f = real(path, mode);
    mh_open_after(call, AT_FDCWD, path, mode_flags(mode), f ? fileno(f) : -1);
    return f;
}

MH_PUBLIC FILE *fopen(const char *restrict path, const char *restrict mode)
{
    return mh_fopen(MH_CALL_fopen, path, mode, mh_real.fopen);
}

/* libc closes the descriptor of a stream behind our back. */
static void stream_ends(int fd)
{
    if (!mh_gate_fd(fd))
        return;
    mh_fd_forget(fd);
    mh_guest_leave();
}

/* A refused one has closed the stream all the same, as libc's has. */
FILE *mh_freopen(enum mh_call call, const char *path, const char *mode, FILE *f,
                 FILE *(*real)(const char *restrict, const char *restrict, FILE *restrict))
{
    FILE *ret;

    if (!path || !f || !mh_gate_open(&mh_gate.file) || !mh_guest_enter())
        return real(path, mode, f);
    if (mh_open_before(call, AT_FDCWD, path, mode_flags(mode))) {
        int err = errno;

        stream_ends(fileno(f));
        MH_REAL(fclose)(f);
        errno = err;
        return NULL;
    }
    if (fileno(f) >= 0)
        mh_fd_forget(fileno(f));
    errno = mh_thread.saved_errno;
    ret = real(path, mode, f);
    mh_open_after(call, AT_FDCWD, path, mode_flags(mode), ret ? fileno(ret) : -1);
    return ret;
}

MH_PUBLIC FILE *freopen(const char *restrict path, const char *restrict mode, FILE *restrict f)
{
    return mh_freopen(MH_CALL_freopen, path, mode, f, MH_REAL(freopen));
}

/* Its error does not leave the stream open. */
MH_PUBLIC int fclose(FILE *f)
{
    int fd = f ? fileno(f) : -1, err, r;
    int64_t watch = 0;

    if (!mh_gate_fd(fd))
        return MH_REAL(fclose)(f);
    err = mh_stdio_drain(MH_CALL_fclose, f, &watch);
    if (!err)
        err = mh_close_fault(MH_CALL_fclose, fd, &watch);
    mh_fd_forget(fd);
    errno = mh_thread.saved_errno;
    r = MH_REAL(fclose)(f);
    if (r && !err)
        err = -errno;
    return (int)mh_finish(err, watch) ? EOF : 0;
}

MH_PUBLIC DIR *opendir(const char *path)
{
    DIR *ret;

    if (!mh_gate_open(&mh_gate.file) || !mh_guest_enter())
        return MH_REAL(opendir)(path);
    if (mh_open_before(MH_CALL_opendir, AT_FDCWD, path, O_RDONLY | O_DIRECTORY))
        return NULL;
    errno = mh_thread.saved_errno;
    ret = MH_REAL(opendir)(path);
    mh_open_after(MH_CALL_opendir, AT_FDCWD, path, O_RDONLY | O_DIRECTORY, ret ? dirfd(ret) : -1);
    return ret;
}

/* libc reads many entries with one system call and gives them out one by one: only the call that
 * goes to the kernel can fail, and is the operation that faults count. It does so where nothing is
 * left in its buffer: at the begin, and when the entry given last is as far as the kernel has got.
 */
static bool asks_kernel(DIR *dir)
{
    long at = telldir(dir);

    return !at || at == mh_sys(SYS_lseek, dirfd(dir), 0, SEEK_CUR);
}

bool mh_list_fails(enum mh_call call, DIR *dir)
{
    int fd = dirfd(dir), err = 0;
    struct mh_desc *d = mh_fd_get(fd);
    int64_t watch = 0;

    if (d && d->path && (d->armed & MH_OP_BIT(MH_OP_readdir)) && asks_kernel(dir))
        err = mh_path_fault(MH_OP_readdir, call, fd, d, d->path, &watch);
    return mh_finish(err, watch) < 0;
}

MH_PUBLIC struct dirent *readdir(DIR *dir)
{
    return mh_list_fault(MH_CALL_readdir, dir) ? NULL : MH_REAL(readdir)(dir);
}

MH_PUBLIC int readdir_r(DIR *restrict dir, struct dirent *restrict entry,
                        struct dirent **restrict ret)
{
    MH_LIST_R(readdir_r, dir, entry, ret);
}

MH_PUBLIC int closedir(DIR *dir)
{
    DIR *given = dir;

    __asm__("" : "+r"(given)); /* its header says that there is one; libc answers EINVAL if not */
    if (mh_gate_open(&mh_gate.look) && given)
        stream_ends(dirfd(given));
    return MH_REAL(closedir)(given);
}
