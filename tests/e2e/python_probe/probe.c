/* SPDX-License-Identifier: Apache-2.0 */
/* lib/python as a library of its own, for the tests of stacks and outcomes: preloaded or loaded by
 * ctypes. Its recv() and connect() fail when told to, as a hook would let them. */
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/sys.h"
#include "event/write.h"
#include "python/layouts.h"
#include "python/python.h"

#include "base/banned.h"

static struct mh_place early;
static _Thread_local struct {
    int64_t op;
    int err, fd;
} armed;

MH_PUBLIC int probe_open(const char *dir);
MH_PUBLIC void probe_init(void);
MH_PUBLIC void probe_pretend(uint32_t hex, int skew, int source);
MH_PUBLIC int probe_layouts_agree(void);
MH_PUBLIC void probe_place(uint64_t ret[3]);
MH_PUBLIC uint64_t probe_early(void);
MH_PUBLIC void probe_arm(int64_t op, int err);
MH_PUBLIC void probe_arm_fd(int64_t op, int err, int fd);
MH_PUBLIC int64_t probe_bench(int n);
MH_PUBLIC void probe_fork_child(const char *dir);
MH_PUBLIC uint64_t probe_foreign_thread(void);
MH_PUBLIC void probe_watch_now(int64_t op);
MH_PUBLIC int probe_library_recv(int64_t op, int fd);
MH_PUBLIC void probe_library_wait(void);

int probe_open(const char *dir)
{
    return mh_writer_open(dir);
}

void probe_init(void)
{
    mh_python_init();
}

void probe_pretend(uint32_t hex, int skew, int source)
{
    mh_layout_pretend(hex, skew, (enum mh_layout_source)source);
    mh_python_init();
}

/* Does the interpreter say of itself what the table says of its version? -1: it says nothing. */
int probe_layouts_agree(void)
{
    struct mh_layout table, both;
    const void *runtime = dlsym(RTLD_DEFAULT, "_PyRuntime");
    uint32_t hex = mh_python_version();
    int r = -1;

    memset(&table, 0, sizeof(table));
    memset(&both, 0, sizeof(both));
    mh_layout_pretend(0, 0, MH_LAYOUT_words);
    if (mh_layout_find(hex, runtime, &both) == 0) {
        mh_layout_pretend(0, 0, MH_LAYOUT_table);
        r = mh_layout_find(hex, NULL, &table);
        mh_layout_pretend(0, 0, MH_LAYOUT_both);
        r = !r && mh_layout_find(hex, runtime, &both) == 0 && !memcmp(&table, &both, sizeof(both));
    }
    mh_layout_pretend(0, 0, MH_LAYOUT_both);
    return r;
}

void probe_place(uint64_t ret[3])
{
    struct mh_place place;

    mh_python_place(&place);
    ret[0] = place.stack;
    ret[1] = place.site;
    ret[2] = place.task;
}

uint64_t probe_early(void)
{
    return early.stack | early.site | early.task;
}

/* The next recv() or connect() of this thread fails with `err`, and its error is followed as that
 * of operation `op`. */
void probe_arm(int64_t op, int err)
{
    probe_arm_fd(op, err, -1);
}

/* The same for calls on one descriptor only. */
void probe_arm_fd(int64_t op, int err, int fd)
{
    armed.op = op;
    armed.err = err;
    armed.fd = fd;
}

/* Nanoseconds of one capture, the mean of n. */
int64_t probe_bench(int n)
{
    struct mh_place place;
    int64_t begun;

    mh_python_place(&place);
    begun = mh_now();
    for (int i = 0; i < n; i++)
        mh_python_place(&place);
    return (mh_now() - begun) / n;
}

void probe_fork_child(const char *dir)
{
    mh_writer_abandon();
    mh_writer_open(dir);
    mh_python_after_fork();
}

/* A watch outside of any hook, whoever holds the GIL. */
void probe_watch_now(int64_t op)
{
    mh_python_watch(op, 0, &(struct mh_caller){0});
}

static void *foreign(void *ret)
{
    struct mh_place place;

    mh_python_place(&place);
    mh_python_watch(99, 0, &(struct mh_caller){0});
    *(uint64_t *)ret = place.stack | place.site | place.task;
    return NULL;
}

/* What a thread that Python knows nothing of sees, while this one waits for it. */
uint64_t probe_foreign_thread(void)
{
    uint64_t seen = 1;
    pthread_t thread;

    if (!pthread_create(&thread, NULL, foreign, &seen))
        pthread_join(thread, NULL);
    return seen;
}

static bool path_of(const void *address, char *ret, size_t size)
{
    Dl_info info;

    if (!dladdr(address, &info) || !info.dli_fname || strlen(info.dli_fname) >= size)
        return false;
    memcpy(ret, info.dli_fname, strlen(info.dli_fname) + 1);
    return true;
}

static bool fails(int fd, const void *caller)
{
    int err = armed.err;

    if (!err || (armed.fd >= 0 && armed.fd != fd))
        return false;
    armed.err = 0;
    errno = err;
    if (armed.op) /* 0: it only fails */
        mh_python_watch(armed.op, 0, &(struct mh_caller){caller, path_of});
    if (errno != err) /* must be kept */
        __builtin_trap();
    return true;
}

MH_PUBLIC ssize_t recv(int fd, void *buf, size_t n, int flags)
{
    long r;

    if (fails(fd, __builtin_return_address(0)))
        return -1;
    r = mh_sys(SYS_recvfrom, fd, buf, n, flags, 0, 0);
    if (r < 0)
        errno = (int)-r;
    return r < 0 ? -1 : r;
}

MH_PUBLIC int connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    long r;

    if (fails(fd, __builtin_return_address(0)))
        return -1;
    r = mh_sys(SYS_connect, fd, addr, len);
    if (r < 0)
        errno = (int)-r;
    return r < 0 ? -1 : 0;
}

/* A library with a lock of its own, that it holds while it receives. */
static pthread_mutex_t library = PTHREAD_MUTEX_INITIALIZER;
static atomic_int stage;

/* Called without the GIL: takes the lock, waits for the other thread, then fails in recv(). */
int probe_library_recv(int64_t op, int fd)
{
    char byte;
    int r;

    probe_arm(op, ECONNRESET);
    pthread_mutex_lock(&library);
    atomic_store(&stage, 1);
    for (int i = 0; atomic_load(&stage) < 2 && i < 5000; i++)
        usleep(1000);
    usleep(20000); /* the other one waits for the lock by now */
    r = (int)recv(fd, &byte, 1, 0);
    pthread_mutex_unlock(&library);
    return r;
}

/* Called with the GIL: wants the lock, and so holds up all of Python. */
void probe_library_wait(void)
{
    for (int i = 0; atomic_load(&stage) < 1 && i < 5000; i++)
        usleep(1000);
    atomic_store(&stage, 2);
    pthread_mutex_lock(&library);
    pthread_mutex_unlock(&library);
}

__attribute__((constructor)) static void probe_constructor(void)
{
    const char *dir = getenv("PROBE_OUT"), *source = getenv("PROBE_LAYOUT");

    if (source)
        mh_layout_pretend(0, 0, !strcmp(source, "words") ? MH_LAYOUT_words : MH_LAYOUT_table);
    mh_python_init();
    if (dir)
        mh_writer_open(dir);
    mh_python_place(&early);
}
