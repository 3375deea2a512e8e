/* SPDX-License-Identifier: Apache-2.0 */
/* The half of the hooks for musl, which has no on_exit(), and only of late some calls that others
 * always have. glibc.c is built instead where that is the libc. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sys.h"
#include "hooks/gate.h"
#include "hooks/libc.h"
#include "hooks/look.h"
#include "hooks/stdio.h"

#include "base/banned.h"

static struct {
    int status; /* with which the process ends */
    int (*run)(int, char **, char **);
    void (*at_exit)(int status, void *unused);
} ending = {.status = -1};

static int run_main(int argc, char **argv, char **env)
{
    int status = ending.run(argc, argv, env);

    ending.status = status;
    return status;
}

int __libc_start_main(int (*run)(int, char **, char **), int argc, char **argv, void (*init)(void),
                      void (*fini)(void), void (*end)(void));
/* The way into a program: main() returns to where we see what it returns. */
MH_PUBLIC int __libc_start_main(int (*run)(int, char **, char **), int argc, char **argv,
                                void (*init)(void), void (*fini)(void), void (*end)(void))
{
    ending.run = run;
    return MH_REAL(__libc_start_main)(run_main, argc, argv, init, fini, end);
}

MH_PUBLIC void exit(int status)
{
    ending.status = status;
    MH_REAL(exit)(status);
    __builtin_unreachable();
}

static void ended(void)
{
    ending.at_exit(ending.status < 0 ? -1 : ending.status & 0xff, NULL);
}

void mh_libc_at_exit(void (*run)(int status, void *unused))
{
    ending.at_exit = run;
    atexit(ended);
}

/* On 64-bit machines the kernel takes the offset from one register, and looks at no second. */
static ssize_t instead_preadv2(int fd, const struct iovec *iov, int n, off_t at, int flags)
{
    return mh_look_result(mh_sys(SYS_preadv2, fd, iov, n, at, 0, flags));
}

static ssize_t instead_pwritev2(int fd, const struct iovec *iov, int n, off_t at, int flags)
{
    return mh_look_result(mh_sys(SYS_pwritev2, fd, iov, n, at, 0, flags));
}

static int instead_renameat2(int from_dir, const char *from, int to_dir, const char *to,
                             unsigned flags)
{
    return (int)mh_look_result(mh_sys(SYS_renameat2, from_dir, from, to_dir, to, flags));
}

void mh_libc_fill(void)
{
    if (!mh_real.preadv2)
        mh_real.preadv2 = instead_preadv2;
    if (!mh_real.pwritev2)
        mh_real.pwritev2 = instead_pwritev2;
    if (!mh_real.renameat2)
        mh_real.renameat2 = instead_renameat2;
}

/* A stream is closed to us. Where its descriptor is has never changed; it is looked at each time.
 */
int *mh_stream_slot(FILE *f)
{
    int *slot = (int *)((void **)f + 15);

    return *slot == fileno(f) ? slot : NULL;
}

bool mh_stream_stuck(FILE *f)
{
    return false;
}

bool mh_stream_wants(FILE *f, size_t n)
{
    return __freadahead(f) < n && __freadable(f) && !feof_unlocked(f);
}

bool mh_stream_holds(FILE *f, int delim, size_t most)
{
    size_t n = 0;
    const char *bytes = __freadptr(f, &n);

    return n >= most || (bytes && memchr(bytes, delim, n));
}

bool mh_stream_overflows(FILE *f, size_t n)
{
    return __fpending(f) + n > __fbufsize(f);
}
