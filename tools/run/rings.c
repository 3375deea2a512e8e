/* SPDX-License-Identifier: Apache-2.0 */
/* The number of io_uring_setup where a system call is made of it, and liburing's names; see
 * rings.h. */
#include "run/rings.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macros.h"

#include "base/banned.h"

#ifndef SYS_io_uring_setup
#define SYS_io_uring_setup 425
#endif
#define MOST_BYTES (UINT64_C(1) << 30)
enum { NEAR = 32, ABOUT = 12 }; /* bytes after and before a number in which its call is made */

/* Instructions that put the number where the kernel, or where syscall(), looks for it. */
struct code {
    unsigned char bytes[5];
    unsigned char n;
    bool libc;
};
#if defined(__x86_64__)
static const struct code numbers[] = {
    {{0xb8, 0xa9, 0x01, 0, 0}, 5, false}, /* mov $425, %eax */
    {{0xbf, 0xa9, 0x01, 0, 0}, 5, true},  /* mov $425, %edi */
};
static const struct code kernel = {{0x0f, 0x05}, 2, false}; /* syscall */
/* What else a call of a variadic function needs: the number of its vector arguments. */
static const struct code variadic[] = {
    {{0x31, 0xc0}, 2, true},                   /* xor %eax, %eax */
    {{0xb8, 0x00, 0x00, 0x00, 0x00}, 5, true}, /* mov $0, %eax */
};
#else
static const struct code numbers[] = {
    {{0x28, 0x35, 0x80, 0x52}, 4, false}, /* mov w8, #425 */
    {{0x28, 0x35, 0x80, 0xd2}, 4, false}, /* mov x8, #425 */
    {{0x20, 0x35, 0x80, 0x52}, 4, true},  /* mov w0, #425 */
    {{0x20, 0x35, 0x80, 0xd2}, 4, true},  /* mov x0, #425 */
};
static const struct code kernel = {{0x01, 0x00, 0x00, 0xd4}, 4, false}; /* svc #0 */
static const struct code variadic[] = {{{0}, 0, true}};                 /* nothing */
#endif

static bool has(const char *at, size_t n, const char *what, size_t size)
{
    return memmem(at, n, what, size) != NULL;
}

/* Is the number at `p` that of a call? The kernel's instruction follows it; a call of syscall() has
 * what goes with a variadic function on either side of it. */
static bool is_call(const char *data, const char *p, const char *end, const struct code *c)
{
    const char *from = c->libc && p - data > ABOUT ? p - ABOUT : p;
    size_t n = MH_MIN((size_t)(end - from), (size_t)NEAR);

    if (!c->libc)
        return has(p, n, (const char *)kernel.bytes, kernel.n);
    for (size_t i = 0; i < ARRAY_SIZE(variadic); i++)
        if (has(from, n, (const char *)variadic[i].bytes, variadic[i].n))
            return true;
    return false;
}

static bool calls(const char *data, size_t size, const struct code *c)
{
    const char *p = data, *end = data + size;

    if (c->libc && !has(data, size, "\0syscall", sizeof("\0syscall")))
        return false;
    while ((p = memmem(p, (size_t)(end - p), c->bytes, c->n))) {
        if (is_call(data, p, end, c))
            return true;
        p += c->n;
    }
    return false;
}

static enum mh_ring look(const char *data, size_t size)
{
    enum mh_ring how = MH_RING_none;

    if (memcmp(data, "\177ELF", 4) != 0)
        return MH_RING_none;
    if (has(data, size, "\0io_uring_queue_init", 20))
        return MH_RING_itself;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if (calls(data, size, &numbers[i]))
            how = MH_MAX(how, numbers[i].libc ? MH_RING_libc : MH_RING_itself);
    return how;
}

static int look_at(const char *path, uint64_t *bytes, struct mh_rings *ret)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum mh_ring how;
    struct stat st;
    void *p;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < 64)
        return 0;
    if ((*bytes += (uint64_t)st.st_size) > MOST_BYTES) {
        ret->cut = true;
        return 0;
    }
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return 0;
    how = look(p, (size_t)st.st_size);
    munmap(p, (size_t)st.st_size);
    ret->looked++;
    if (how == MH_RING_none)
        return 0;
    ret->others += ret->first != NULL;
    if (how > ret->how) {
        free(ret->first);
        ret->first = strdup(path);
        if (!ret->first)
            return -ENOMEM;
        ret->how = how;
    }
    return 0;
}

/* foo.so, libfoo.so.1.2, foo.cpython-311-x86_64-linux-gnu.so */
static bool shared_object(const char *name)
{
    const char *suffix = strstr(name, ".so");

    return suffix && (!suffix[3] || suffix[3] == '.');
}

int mh_rings_look(const char *path, struct mh_rings *ret)
{
    char *const roots[] = {(char *)path, NULL};
    FTS *tree = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_COMFOLLOW, NULL);
    uint64_t bytes = 0;
    int r = tree ? 0 : -errno;
    FTSENT *e;

    while (tree && !r && !ret->cut && (e = fts_read(tree)))
        if (e->fts_info == FTS_F && (e->fts_level == 0 || shared_object(e->fts_name)))
            r = look_at(e->fts_path, &bytes, ret);
    if (tree)
        fts_close(tree);
    return r;
}

void mh_rings_ask_kernel(struct mh_rings *ret)
{
    long fd = syscall(SYS_io_uring_setup, 0, NULL); /* no entries: refused by those that have it */

    if (fd >= 0)
        close((int)fd);
    ret->kernel_never = fd < 0 && (errno == EPERM || errno == ENOSYS);
}

void mh_rings_done(struct mh_rings *r)
{
    free(r->first);
    r->first = NULL;
}
