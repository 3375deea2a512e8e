/* SPDX-License-Identifier: Apache-2.0 */
/* Files: open, read, write. On a file a delay blocks the calling thread, as
 * a slow disk does. */
#include "hooks/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/iov.h"
#include "base/macros.h"
#include "base/sys.h"
#include "event/write.h"
#include "fault/corrupt.h"
#include "fault/lost.h"
#include "fd/decide.h"
#include "fd/lift.h"
#include "fd/observe.h"
#include "fd/rest.h"
#include "fd/stream.h"
#include "fd/wait.h"
#include "hooks/bytes.h"
#include "hooks/disk.h"
#include "hooks/gate.h"
#include "hooks/limits.h"

#include "base/banned.h"

/* What a stream can meet: libc makes up for short reads, and has its own idea of what it reads. */
#define MH_STREAM_EFFECTS                                                                          \
    (MH_EFFECT_BIT(MH_EFFECT_delay) | MH_EFFECT_BIT(MH_EFFECT_error) |                             \
     MH_EFFECT_BIT(MH_EFFECT_eof) | MH_EFFECT_BIT(MH_EFFECT_kill) | MH_EFFECT_BIT(MH_EFFECT_rate))

/* What the file that this thread is about to truncate by opening it holds. */
static __thread int64_t truncating;
static __thread int64_t emptying; /* the same for its record, plus 1; 0: not known */

void mh_path_absolute(int dir, const char *path, struct mh_buf *b)
{
    if (path[0] != '/') {
        long n = 0;

        if (dir == AT_FDCWD) {
            n = mh_sys(SYS_getcwd, b->data, b->size - 1) - 1;
        } else {
            MH_BUF(link, 64);

            mh_buf_add(&link, "/proc/self/fd/");
            mh_buf_add_int(&link, dir);
            n = mh_sys(SYS_readlinkat, AT_FDCWD, link.data, b->data, b->size - 1);
        }
        b->len = n > 0 ? (size_t)n : 0;
        b->data[b->len] = '\0';
        if (b->len && b->data[b->len - 1] != '/')
            mh_buf_add_char(b, '/');
        if (path[0] == '.' && path[1] == '/')
            path += 2;
    }
    mh_buf_add(b, path);
}

int mh_path_fault(enum mh_op_kind kind, enum mh_call call, int fd, const struct mh_desc *d,
                  const char *path, int64_t *watch)
{
    struct mh_place place;
    struct mh_verdict v;
    struct mh_story s = {.kind = kind,
                         .call = call,
                         .fd = fd,
                         .d = d,
                         .verdict = &v,
                         .place = &place,
                         .timeout_ns = -1};

    *watch = 0;
    if (!(mh_guest.rules->ops & MH_OP_BIT(kind)))
        return 0;
    mh_python_place(&place);
    if (!mh_decide_path(kind, path, NULL, &place, &v))
        return 0;
    s.path_id = mh_path_id(path);
    if (v.delay_ns) {
        s.effect = MH_EFFECT_delay;
        s.delay_ns = v.delay_ns;
        s.wait_ns = -1;
        if (!mh_record(&s))
            return 0;
        mh_wait_held(mh_now() + v.delay_ns, v.delay_fault);
    }
    s.wait_ns = s.delay_ns = 0;
    if (v.effects & MH_EFFECT_BIT(MH_EFFECT_lost)) {
        s.effect = MH_EFFECT_lost;
        return mh_record(&s) != 0;
    }
    if (!(v.effects & MH_EFFECT_BIT(MH_EFFECT_error)))
        return 0;
    s.effect = MH_EFFECT_error;
    s.err = v.error;
    s.result = -1;
    *watch = mh_record(&s);
    return *watch ? -v.error : 0;
}

static bool ends_with(const char *text, size_t n, const char *tail)
{
    size_t t = strlen(tail);

    return n >= t && !memcmp(text + n - t, tail, t);
}

/* What opening this file throws away, plus 1; 0: nothing, or it cannot be told. */
static int64_t content_before(int dir, const char *path, int flags)
{
    struct stat st;
    long r;

    if (!(flags & O_TRUNC) || (flags & O_ACCMODE) == O_RDONLY)
        return 0;
    r = mh_sys(SYS_newfstatat, dir, path, &st, 0);
    if (r)
        return r == -ENOENT;
    return S_ISREG(st.st_mode) ? st.st_size + 1 : 0;
}

int mh_open_before(enum mh_call call, int dir, const char *path, int flags)
{
    int64_t watch;
    int err;
    MH_BUF(full, MH_PATH_BYTES);

    if (!path)
        return 0;
    mh_path_absolute(dir, path, &full);
    truncating = flags & O_TRUNC ? mh_disk_size_named(dir, path, full.data) : 0;
    emptying = content_before(dir, path, flags);
    err = mh_path_fault(MH_OP_open, call, -1, NULL, full.data, &watch);
    if (!err)
        err = mh_limit_fds(MH_OP_open, call, &watch);
    if (!err)
        return 0;
    mh_finish(err, watch);
    return 1;
}

/* What can go wrong with an open one. */
#define OF_FILES                                                                                   \
    (MH_OP_BIT(MH_OP_read) | MH_OP_BIT(MH_OP_write) | MH_OP_BIT(MH_OP_fsync) |                     \
     MH_OP_BIT(MH_OP_ftruncate) | MH_OP_BIT(MH_OP_allocate) | MH_OP_BIT(MH_OP_close) |             \
     MH_OP_BIT(MH_OP_fstat))
#define OF_DIRECTORIES (MH_OP_BIT(MH_OP_readdir) | MH_OP_BIT(MH_OP_fstat))

void mh_file_describe(int fd, const struct mh_buf *full, int flags, bool opened)
{
    bool writes = (flags & O_ACCMODE) != O_RDONLY;
    bool log = writes && ends_with(full->data, full->len, ".log");
    uint64_t armed = mh_armed(MH_SIDE_any, NULL, full->data);
    struct mh_place place;
    struct mh_desc *d;
    struct stat st;

    armed &= OF_FILES | OF_DIRECTORIES;
    if ((!armed && !writes) || mh_sys(SYS_fstat, fd, &st))
        return;
    armed &= S_ISREG(st.st_mode) ? OF_FILES : S_ISDIR(st.st_mode) ? OF_DIRECTORIES : 0;
    if (!armed && !(writes && S_ISREG(st.st_mode)))
        return;
    d = mh_fd_new(fd, log ? MH_DESC_log : MH_DESC_file);
    if (!d)
        return;
    d->sink = log ? MH_SINK_file : MH_SINK_none;
    d->armed = armed;
    d->path_id = mh_path_id(full->data);
    if (armed) {
        long p =
            mh_sys(SYS_mmap, 0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

        if (p > 0 || p < -4095) {
            d->path = (char *)p;
            memcpy(d->path, full->data, full->len + 1);
        }
    }
    if (writes && opened) {
        mh_python_place(&place);
        mh_event(file, NULL, 0, .path = d->path_id, .fd = fd, .flags = flags, .stack = place.stack,
                 .task = (int64_t)place.task, .unit = place.unit,
                 .had = flags & O_TRUNC ? emptying : 0);
    }
}

int mh_open_after(enum mh_call call, int dir, const char *path, int flags, int fd)
{
    int err = errno;
    MH_BUF(full, MH_PATH_BYTES);

    if (fd >= 0 && path) {
        mh_path_absolute(dir, path, &full);
        if (truncating > 0)
            mh_disk_changed(full.data, -truncating);
        mh_file_describe(fd, &full, flags, true);
    } else if (fd < 0 && err != EINTR && err != EAGAIN && path) {
        int64_t op;

        mh_path_absolute(dir, path, &full);
        op = mh_record(&(struct mh_story){.kind = MH_OP_open,
                                          .call = call,
                                          .fd = -1,
                                          .path_id = mh_path_id(full.data),
                                          .result = -1,
                                          .err = err,
                                          .timeout_ns = -1});
        /* Looking whether a file is there is how imports and locks work: not worth following. */
        mh_finish(-err, mh_errno_is_failure(err) ? op : 0);
        return -1;
    }
    mh_guest_leave_errno(fd < 0 ? err : 0);
    return fd;
}

static size_t total(const struct iovec *iov, int n)
{
    return mh_iov_total(iov, n > 0 ? (size_t)n : 0);
}

/* One read or write of a file under way. */
struct moving {
    enum mh_op_kind kind;
    enum mh_call call;
    int fd;
    struct mh_desc *d;
    const struct iovec *iov;
    int niov;
    int64_t at, watch, partial; /* as in recv.c */
    int64_t cut;                /* record of what a full disk cut short */
    uint32_t effects;           /* those that can be had; 0: all */
};

static int64_t record(const struct moving *m, const struct mh_verdict *v, int effect,
                      ssize_t result, int err, int64_t delay)
{
    return mh_record(&(struct mh_story){.kind = m->kind,
                                        .call = m->call,
                                        .fd = m->fd,
                                        .d = m->d,
                                        .asked = total(m->iov, m->niov),
                                        .result = result,
                                        .err = err,
                                        .wait_ns = delay ? -1 : 0,
                                        .timeout_ns = -1,
                                        .verdict = v,
                                        .effect = effect,
                                        .delay_ns = delay});
}

/* Returns 0 to move at most *cap bytes, or 1 with the answer in *ret. */
static int moving_fault(struct moving *m, struct mh_verdict *v, uint64_t *cap, ssize_t *ret)
{
    struct mh_place place;

    if (!(m->d->armed & MH_OP_BIT(m->kind)))
        return 0;
    mh_python_place(&place);
    if (!mh_decide_of(m->d, m->kind, &place, total(m->iov, m->niov), m->effects, v))
        return 0;
    if (v->delay_ns && record(m, v, MH_EFFECT_delay, 0, 0, v->delay_ns))
        mh_wait_held(mh_now() + v->delay_ns, v->delay_fault);
    if (v->effects & MH_EFFECT_BIT(MH_EFFECT_error)) {
        m->watch = record(m, v, MH_EFFECT_error, -1, v->error, 0);
        *ret = -v->error;
        return m->watch != 0;
    }
    if (v->effects & MH_EFFECT_BIT(MH_EFFECT_eof)) {
        if (m->d->delivered < v->eof_after)
            *cap = v->eof_after - m->d->delivered;
        else if ((m->watch = record(m, v, MH_EFFECT_eof, 0, 0, 0))) {
            *ret = 0;
            return 1;
        }
    }
    if ((v->effects & MH_EFFECT_BIT(MH_EFFECT_short)) && v->short_len &&
        total(m->iov, m->niov) > v->short_len &&
        (m->partial = record(m, v, MH_EFFECT_short, v->short_len, 0, 0)))
        *cap = MH_MIN(*cap, v->short_len);
    return 0;
}

static ssize_t raw_move(const struct moving *m, uint64_t cap)
{
    struct iovec iov[MH_IOV_MAX];
    size_t n = mh_iov_cap(m->iov, m->niov > 0 ? (size_t)m->niov : 0, cap, iov);
    long low = (long)(m->at & 0xffffffff), high = (long)(m->at >> 32);

    if (m->at < 0)
        return mh_sys(m->kind == MH_OP_read ? SYS_readv : SYS_writev, m->fd, iov, n);
    return mh_sys(m->kind == MH_OP_read ? SYS_preadv : SYS_pwritev, m->fd, iov, n, low, high);
}

/* The bytes have moved; the disk is busy with them, and with those of other threads before them. */
static void slow_disk(struct moving *m, const struct mh_verdict *v, uint64_t n)
{
    int64_t now = mh_now(), took = mh_flow_ns(n, v->rate), until;

    if (!record(m, v, MH_EFFECT_rate, (ssize_t)n, 0, took) || !mh_desc_lock(m->d))
        return;
    until = MH_MAX(m->d->out_free, now) + took;
    m->d->out_free = until;
    mh_desc_unlock(m->d);
    mh_wait_held(until, v->fault);
}

int mh_file_fault(enum mh_op_kind kind, enum mh_call call, int fd, struct mh_desc *d, uint64_t n,
                  struct mh_verdict *v, int64_t *watch, ssize_t *ret)
{
    struct iovec iov = {NULL, n};
    struct moving m = {kind, call, fd, d, &iov, 1, -1, 0, 0, 0, MH_STREAM_EFFECTS};
    uint64_t cap = UINT64_MAX;
    int r = moving_fault(&m, v, &cap, ret);

    *watch = m.watch;
    return r;
}

void mh_file_slow(enum mh_op_kind kind, enum mh_call call, int fd, struct mh_desc *d,
                  const struct mh_verdict *v, uint64_t n)
{
    struct iovec iov = {NULL, n};
    struct moving m = {kind, call, fd, d, &iov, 1, -1, 0, 0, 0, 0};

    slow_disk(&m, v, n);
}

static void corrupt(struct moving *m, const struct mh_verdict *v, size_t n)
{
    uint64_t at = m->at >= 0 ? (uint64_t)m->at : m->d->delivered;
    struct mh_stretch s = {at, n, at, n};

    if (mh_corrupt_count(m->d, v, &s) && record(m, v, MH_EFFECT_corrupt, (ssize_t)n, 0, 0))
        mh_corrupt(m->d, v, &s, m->iov, (size_t)m->niov);
}

/* A write whose bytes get lost, if the verdict says so. */
static ssize_t put(struct moving *m, const struct mh_verdict *v, uint64_t cap)
{
    struct mh_lost l = {m->fd, m->at, MH_MIN(total(m->iov, m->niov), cap), false};

    if (!(v->effects & MH_EFFECT_BIT(MH_EFFECT_lost)) || !mh_lost_begin(&l))
        return raw_move(m, cap);
    if (record(m, v, MH_EFFECT_lost, (ssize_t)l.n, 0, 0))
        return mh_lost_end(&l);
    m->at = l.at;
    return raw_move(m, cap);
}

/* A write that must not let the disk overflow. */
static ssize_t write_within(struct moving *m, const struct mh_verdict *given, uint64_t cap)
{
    uint64_t n = MH_MIN(total(m->iov, m->niov), cap), room;
    int64_t before = mh_disk_size(m->fd, m->d->path), after;
    struct mh_verdict v;
    ssize_t ret;

    if (before < 0)
        return put(m, given, cap);
    room = mh_disk_room(m->d, m->fd, m->at, n, before, &v);
    if (room < n) {
        int64_t op = record(m, &v, MH_EFFECT_disk, room ? (ssize_t)room : -1, room ? 0 : ENOSPC, 0);

        if (op && !room) {
            m->watch = op;
            return -ENOSPC;
        }
        cap = op ? room : cap;
        m->cut = op;
    }
    ret = put(m, given, cap);
    after = ret > 0 ? mh_disk_size(m->fd, m->d->path) : before;
    mh_disk_changed(m->d->path, after - before);
    return ret;
}

/* A read ends early at the end of a file, too: only what a fault cut is known to have more. */
static void fell_short(const struct moving *m, ssize_t ret)
{
    int64_t op = m->partial ? m->partial : m->cut;

    if (ret > 0 && m->niov > 0 && (size_t)ret < total(m->iov, m->niov) &&
        (op || m->kind == MH_OP_write))
        mh_rest_begin(m->d, m->kind, m->fd, m->iov, (size_t)m->niov, (uint64_t)ret, op, m->at);
}

static ssize_t move(struct moving *m)
{
    struct mh_verdict v = {.fault = -1};
    uint64_t cap = UINT64_MAX;
    ssize_t ret;

    mh_rest_next(m->d, m->kind, m->iov, m->niov > 0 ? (size_t)m->niov : 0);
    if (!moving_fault(m, &v, &cap, &ret)) {
        ret = m->kind == MH_OP_write ? write_within(m, &v, cap) : raw_move(m, cap);
        if (ret < 0 && !m->watch && mh_errno_is_failure((int)-ret))
            m->watch = record(m, NULL, 0, -1, (int)-ret, 0);
    }
    if (ret > 0 && v.fault >= 0 && (v.effects & MH_EFFECT_BIT(MH_EFFECT_corrupt)))
        corrupt(m, &v, (size_t)ret);
    if (ret > 0 && v.rate)
        slow_disk(m, &v, (uint64_t)ret);
    if (ret > 0 && m->kind == MH_OP_read)
        m->d->delivered += (uint64_t)ret;
    if (ret > 0)
        m->watch = m->partial;
    fell_short(m, ret);
    return ret;
}

ssize_t mh_file_read(enum mh_call call, int fd, const struct iovec *iov, int niov, int64_t at)
{
    struct moving m = {MH_OP_read, call, fd, mh_fd_get(fd), iov, niov, at, 0, 0, 0, 0};
    ssize_t ret = m.d ? move(&m) : raw_move(&m, UINT64_MAX);

    if (ret > 0 && m.d && m.d->kind == MH_DESC_jobs)
        mh_seen_job(iov, (size_t)ret, true);
    return mh_finish(ret, m.watch);
}

ssize_t mh_file_write(enum mh_call call, int fd, const struct iovec *iov, int niov, int64_t at)
{
    struct moving m = {MH_OP_write, call, fd, mh_fd_get(fd), iov, niov, at, 0, 0, 0, 0};
    ssize_t ret = m.d ? move(&m) : raw_move(&m, UINT64_MAX);

    if (ret > 0 && m.d && m.d->sink)
        for (int i = 0; i < niov; i++)
            mh_seen_log(m.d->sink, fd, iov[i].iov_base, iov[i].iov_len);
    if (ret > 0 && m.d && m.d->kind == MH_DESC_jobs)
        mh_seen_job(iov, (size_t)ret, false);
    return mh_finish(ret, m.watch);
}
