/* SPDX-License-Identifier: Apache-2.0 */
/* The rest of short transfers; see rest.h. */
#include "fd/rest.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/iov.h"
#include "base/macros.h"
#include "base/sys.h"
#include "event/write.h"
#include "fd/decide.h"

#include "base/banned.h"

/* As the field `how` of the record says. */
enum how { HOW_rest = 1, HOW_other, HOW_nothing };

/* The first few bytes of iov from an offset on; returns how many. */
static uint8_t peek(const struct iovec *iov, size_t niov, uint64_t from, uint8_t *ret)
{
    uint8_t n = 0;

    for (size_t i = 0; i < niov && n < MH_REST_BYTES; i++) {
        const uint8_t *bytes = iov[i].iov_base;
        uint64_t len = iov[i].iov_len;

        for (uint64_t k = MH_MIN(from, len); k < len && n < MH_REST_BYTES; k++)
            ret[n++] = bytes[k];
        from -= MH_MIN(from, len);
    }
    return n;
}

/* What was asked for is all that the file holds from there on: the program knows how long it is. */
static bool is_whole(int fd, uint64_t asked, uint64_t moved, int64_t at)
{
    struct stat st;
    int64_t stands = at >= 0 ? at + (int64_t)moved : mh_sys(SYS_lseek, fd, 0, SEEK_CUR);

    return stands >= 0 && !mh_sys(SYS_fstat, fd, &st) && S_ISREG(st.st_mode) &&
           st.st_size - stands == (int64_t)(asked - moved);
}

/* A real one has no record of its own yet. */
static int64_t told(const struct mh_desc *d, const struct mh_rest *r)
{
    if (r->op)
        return r->op;
    return mh_record(&(struct mh_story){.kind = (enum mh_op_kind)r->kind,
                                        .fd = -1,
                                        .d = d,
                                        .asked = r->asked,
                                        .result = (int64_t)r->moved,
                                        .timeout_ns = -1,
                                        .place = &r->place});
}

/* That the rest of a real one was moved, too, is the usual thing and not worth a record. */
static void settle(struct mh_desc *d, enum how how)
{
    struct mh_rest r = d->rest;
    int64_t op;

    d->rest.kind = MH_OP_none;
    if (r.kind == MH_OP_none || r.pid != mh_guest.pid || (how == HOW_rest && !r.op))
        return;
    op = told(d, &r);
    if (op)
        mh_event(rest, NULL, 0, .op = op, .asked = (int64_t)r.asked, .moved = (int64_t)r.moved,
                 .how = how, .whole = r.whole, .listened = r.listened, .awaited = r.awaited);
}

void mh_rest_begin(struct mh_desc *d, enum mh_op_kind kind, int fd, const struct iovec *iov,
                   size_t niov, uint64_t moved, int64_t op, int64_t at)
{
    struct mh_rest *r = &d->rest;

    if (!mh_desc_lock(d))
        return;
    *r = (struct mh_rest){.kind = (uint8_t)kind,
                          .op = op,
                          .asked = mh_iov_total(iov, niov),
                          .moved = moved,
                          .tid = (int)mh_sys_gettid(),
                          .pid = mh_guest.pid};
    r->whole = kind == MH_OP_read && is_whole(fd, r->asked, moved, at);
    if (kind != MH_OP_read) {
        r->nfirst = peek(iov, niov, 0, r->first);
        r->nleft = peek(iov, niov, moved, r->left);
    }
    if (!op)
        mh_python_place(&r->place);
    mh_desc_unlock(d);
}

static bool begins_alike(const uint8_t *a, uint8_t na, const uint8_t *b, uint8_t nb)
{
    return na && nb && !memcmp(a, b, MH_MIN(na, nb));
}

void mh_rest_next(struct mh_desc *d, enum mh_op_kind kind, const struct iovec *iov, size_t niov)
{
    const struct mh_rest *r = &d->rest;
    uint8_t first[MH_REST_BYTES];
    uint8_t n;
    bool anew;

    if (MH_LIKELY(r->kind != kind) || !mh_desc_lock(d))
        return;
    n = kind == MH_OP_read ? 0 : peek(iov, niov, 0, first);
    anew = begins_alike(first, n, r->first, r->nfirst) && mh_iov_total(iov, niov) == r->asked;
    if (kind == MH_OP_read || anew || begins_alike(first, n, r->left, r->nleft))
        settle(d, HOW_rest);
    else if (n && r->tid == (int)mh_sys_gettid())
        settle(d, HOW_other);
    mh_desc_unlock(d);
}

void mh_rest_listens(struct mh_desc *d)
{
    if (d->rest.kind == MH_OP_send && d->rest.tid == (int)mh_sys_gettid())
        d->rest.listened = true;
}

void mh_rest_awaits(struct mh_desc *d)
{
    if (d->rest.kind == MH_OP_send)
        d->rest.awaited = true;
}

void mh_rest_end(struct mh_desc *d)
{
    if (MH_LIKELY(d->rest.kind == MH_OP_none) || !mh_desc_lock(d))
        return;
    settle(d, HOW_nothing);
    mh_desc_unlock(d);
}

void mh_rest_leave(void)
{
    int top = mh_fd_top();

    for (int fd = 0; fd < top; fd++) {
        struct mh_desc *d = mh_fd_get(fd);

        if (d)
            mh_rest_end(d);
    }
}
