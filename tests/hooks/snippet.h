/* SPDX-License-Identifier: Apache-2.0 */
/* What the snippets share. A snippet returns 0 when its call worked and did what it should, the
 * errno when the call failed, SHORT when it moved less than asked, and -line when it misbehaved. */
#pragma once

#ifdef _FILE_OFFSET_BITS
#error "open would become open64: the snippets call each name itself"
#endif

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/libc.h"
#include "base/sys.h"

enum {
    SHORT = 100000,    /* fewer bytes than asked */
    EAI_BASE = 200000, /* getaddrinfo's codes, from here on */
};

/* The call under test must not fail. */
#define TRY(expr)                                                                                  \
    do {                                                                                           \
        if ((expr) < 0)                                                                            \
            return errno;                                                                          \
    } while (0)

/* It must have moved this many. */
#define GOT(n, want)                                                                               \
    do {                                                                                           \
        TRY(n);                                                                                    \
        if ((n) < (want))                                                                          \
            return SHORT;                                                                          \
        WANT((n) == (want));                                                                       \
    } while (0)

#define WANT(expr)                                                                                 \
    do {                                                                                           \
        if (!(expr))                                                                               \
            return -__LINE__;                                                                      \
    } while (0)

#if !MH_LIBC_GLIBC /* musl has them late or never: only the library brings them */
#pragma weak close_range
#pragma weak closefrom
#pragma weak epoll_pwait2
#pragma weak execveat
#pragma weak preadv2
#pragma weak pwritev2
#pragma weak renameat2
#pragma weak statx
#endif

/* Of struct stat, as __xstat() and its kin are told; the kernel's own has this number everywhere.
 */
enum { VERSION = 0 };

/* A system call past every hook, as the C library would return it. */
#define past(number, ...) past_result(mh_sys(number, __VA_ARGS__))
long past_result(long r);

int seven(pid_t pid); /* a child: 0 when it exits with 7; its errno when with that + 100 */
extern char *const exit_seven[];     /* arguments of a shell that does so */
int listener(void);                  /* a listening TCP socket on a free loopback port */
int dial(int fd, int to);            /* connect() to that listener */
int pair(int p[2]);                  /* a TCP connection: p[0] connected, p[1] was accepted */
void done(int a, int b);             /* closes both */
int make_file(void);                 /* ./snippet.tmp holds "hello world"; past every hook */
int temp_file(void);                 /* the same, opened for both, at its begin */
FILE *temp_stream(const char *mode); /* the same as a stream */
FILE *bare_stream(void);             /* one to be written that has no buffer */
int syscall_open(const char *path);  /* opened for both, past every hook */
mode_t mask(void);

/* What calls on streams have in common: all bytes of temp_stream() one by one; some into
 * bare_stream(); and has a call done its work, so that this is what the file holds? */
int by_bytes(int (*get)(FILE *f));
int by_puts(int (*put)(int c, FILE *f));
int written(FILE *f, bool good, const char *want);

#define HOOK(op, ret, name, params) int snippet_##name(void);
#include "table/hooks_here.def"
#undef HOOK
