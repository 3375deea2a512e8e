/* SPDX-License-Identifier: Apache-2.0 */
/* The descriptor table; see table.h. Descriptions live in chunks of raw mmap, made on demand and
 * never given back, so that a stale pointer reads old state and never unmapped memory. */
#include "fd/table.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "base/lock.h"
#include "base/sys.h"

#include "base/banned.h"

enum { CHUNK = 256, MAX_CHUNKS = 256 };

uint8_t mh_fd_kind[MH_FD_MAX];

static struct {
    _Atomic uint32_t index[MH_FD_MAX]; /* description + 1 of each descriptor */
    _Atomic(struct mh_desc *) chunks[MAX_CHUNKS];
    _Atomic uint8_t used[CHUNK * MAX_CHUNKS];
    _Atomic uint32_t next;
    _Atomic int64_t open;
    _Atomic int top;
    _Atomic int64_t ids, conns;
} table;

static struct mh_desc *desc_at(uint32_t i)
{
    struct mh_desc *chunk = atomic_load(&table.chunks[i / CHUNK]);

    return chunk ? &chunk[i % CHUNK] : NULL;
}

static bool chunk_ensure(uint32_t c)
{
    struct mh_desc *have = NULL;
    long p;

    if (atomic_load(&table.chunks[c]))
        return true;
    p = mh_sys(SYS_mmap, 0, CHUNK * sizeof(struct mh_desc), PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p < 0 && p > -4096)
        return false;
    if (!atomic_compare_exchange_strong(&table.chunks[c], &have, (struct mh_desc *)p))
        mh_sys(SYS_munmap, p, CHUNK * sizeof(struct mh_desc));
    return true;
}

/* Takes a free description. Searches from where the last one was found. */
static int desc_take(void)
{
    uint32_t start = atomic_load(&table.next);

    for (uint32_t n = 0; n < CHUNK * MAX_CHUNKS; n++) {
        uint32_t i = (start + n) % (CHUNK * MAX_CHUNKS);
        uint8_t free_ = 0;

        if (!atomic_compare_exchange_strong(&table.used[i], &free_, 1))
            continue;
        if (!chunk_ensure(i / CHUNK)) {
            atomic_store(&table.used[i], 0);
            return -1;
        }
        /* Low numbers first keeps the tables small; freed ones are found by the wrap-around. */
        atomic_store(&table.next, i + 1 >= 4 * CHUNK && n == 0 ? 0 : i + 1);
        return (int)i;
    }
    return -1;
}

struct mh_desc *mh_fd_get(int fd)
{
    uint32_t i;

    if ((unsigned)fd >= MH_FD_MAX)
        return NULL;
    i = atomic_load(&table.index[fd]);
    return i ? desc_at(i - 1) : NULL;
}

static void set_fd(int fd, uint32_t index_plus_1, enum mh_desc_kind kind)
{
    uint32_t old = atomic_exchange(&table.index[fd], index_plus_1);
    int top = atomic_load(&table.top);

    __atomic_store_n(&mh_fd_kind[fd], (uint8_t)kind, __ATOMIC_RELEASE);
    if (!old && index_plus_1)
        atomic_fetch_add(&table.open, 1);
    if (old && !index_plus_1)
        atomic_fetch_sub(&table.open, 1);
    while (index_plus_1 && top <= fd && !atomic_compare_exchange_weak(&table.top, &top, fd + 1))
        ;
}

struct mh_desc *mh_fd_new(int fd, enum mh_desc_kind kind)
{
    struct mh_desc *d;
    int i;

    if ((unsigned)fd >= MH_FD_MAX)
        return NULL;
    mh_desc_free(mh_fd_drop(fd));
    i = desc_take();
    if (i < 0)
        return NULL;
    d = desc_at((uint32_t)i);
    memset(d, 0, sizeof(*d));
    d->refs = 1;
    d->kind = kind;
    d->nonblocking = mh_sys(SYS_fcntl, fd, F_GETFL, 0) & O_NONBLOCK;
    set_fd(fd, (uint32_t)i + 1, kind);
    return d;
}

struct mh_desc *mh_fd_drop(int fd)
{
    struct mh_desc *d = mh_fd_get(fd);

    if (!d)
        return NULL;
    set_fd(fd, 0, MH_DESC_none);
    return __atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL) == 0 ? d : NULL;
}

struct mh_desc *mh_desc_free(struct mh_desc *d)
{
    if (!d)
        return NULL;
    if (d->path)
        mh_sys(SYS_munmap, d->path, 4096);
    d->path = NULL;
    for (uint32_t c = 0; c < MAX_CHUNKS; c++) {
        struct mh_desc *chunk = atomic_load(&table.chunks[c]);

        if (chunk && d >= chunk && d < chunk + CHUNK)
            atomic_store(&table.used[c * CHUNK + (uint32_t)(d - chunk)], 0);
    }
    return NULL;
}

void mh_fd_share(int from, int to)
{
    struct mh_desc *d = mh_fd_get(from);

    if ((unsigned)to >= MH_FD_MAX || from == to)
        return;
    mh_desc_free(mh_fd_drop(to));
    if (!d)
        return;
    __atomic_add_fetch(&d->refs, 1, __ATOMIC_ACQ_REL);
    set_fd(to, atomic_load(&table.index[from]), d->kind);
}

int64_t mh_fd_count(void)
{
    return atomic_load(&table.open);
}

int mh_fd_top(void)
{
    return atomic_load(&table.top);
}

bool mh_desc_lock(struct mh_desc *d)
{
    return mh_lock(&d->lock);
}

void mh_desc_unlock(struct mh_desc *d)
{
    mh_lock_open(&d->lock);
}

void mh_fd_after_fork(void)
{
    for (uint32_t c = 0; c < MAX_CHUNKS; c++) {
        struct mh_desc *chunk = atomic_load(&table.chunks[c]);

        for (uint32_t i = 0; chunk && i < CHUNK; i++)
            chunk[i].lock = 0;
    }
}

uint64_t mh_armed(enum mh_side side, const struct mh_peer *peer, const char *path)
{
    const struct mh_rules *rules = mh_guest.rules;
    uint64_t armed = 0;

    for (unsigned i = 0; rules && i < rules->nfaults; i++) {
        const struct mh_fault *f = &rules->faults[i];
        bool fits = f->takes_part && (f->side == MH_SIDE_any || f->side == side);

        if (fits && f->npeers) {
            fits = false;
            for (unsigned k = 0; peer && k < f->npeers; k++)
                fits |= mh_peer_matches(&f->peers[k], peer);
        } else if (peer && peer->family == AF_UNIX) {
            fits = false; /* local sockets carry a program's own plumbing: only by name */
        }
        if (fits && f->npaths) {
            fits = false;
            for (unsigned k = 0; path && k < f->npaths; k++)
                fits |= mh_glob(f->paths[k], path, true);
        }
        if (fits)
            armed |= f->ops;
    }
    return armed;
}

void mh_desc_connect(struct mh_desc *d, enum mh_side side, struct mh_peer *peer)
{
    d->side = side;
    d->peer = peer;
    d->conn = atomic_fetch_add(&table.conns, 1) + 1;
    d->ordinal = peer ? mh_peer_connection(peer) : 0;
    d->armed = mh_armed(side, peer, NULL);
}

int64_t mh_new_id(void)
{
    return atomic_fetch_add(&table.ids, 1) + 1;
}
