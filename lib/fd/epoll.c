/* SPDX-License-Identifier: Apache-2.0 */
/* Registrations, shadows and wake-up of epoll sets; see epoll.h. One lock guards the tables; it is
 * never held across a wait, and a description's lock is taken inside it, never around it. */
#include "fd/epoll.h"

#include <errno.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>

#include "base/hash.h"
#include "base/lock.h"
#include "base/macros.h"
#include "base/sys.h"
#include "event/write.h"
#include "fd/lift.h"
#include "fd/sever.h"
#include "fd/stream.h"
#include "fd/wait.h"

#include "base/banned.h"

enum { REGS = 16384, PROBES = 64, SETS = 64, SHADOWS = 1024, HINTS = 1024 };

struct set {
    int epfd;  /* + 1; 0 = free */
    int timer; /* descriptor, -1 none */
    int shadows;
};

static struct {
    uint32_t lock;
    struct mh_epoll_reg regs[REGS];
    struct set sets[SETS];
    uint16_t shadows[SHADOWS]; /* indices into regs */
    unsigned nshadows;
    uint16_t hints[HINTS]; /* where a registration was found by its data: an index into regs */
} epolls;

static struct mh_epoll_reg *reg_find(int epfd, int fd, bool make)
{
    uint64_t start = mh_mix2((uint64_t)epfd, (uint64_t)fd);
    struct mh_epoll_reg *free_ = NULL;

    for (unsigned n = 0; n < PROBES; n++) {
        struct mh_epoll_reg *r = &epolls.regs[(start + n) % REGS];

        if (r->epfd == epfd + 1 && r->fd == fd)
            return r;
        if (!r->epfd && !free_)
            free_ = r;
    }
    if (!make || !free_)
        return NULL;
    *free_ = (struct mh_epoll_reg){.epfd = epfd + 1, .fd = fd};
    return free_;
}

/* Event loops put the descriptor into the low half of their data (selectors, libuv, libev). For
 * others, such as gRPC with its pointers, the table is searched. Where it was is remembered. */
struct mh_epoll_reg *mh_epoll_reg_of(int epfd, uint64_t data)
{
    uint16_t *hint = &epolls.hints[mh_mix2((uint64_t)epfd, data) % HINTS];
    struct mh_epoll_reg *r = &epolls.regs[*hint];

    if (r->epfd == epfd + 1 && r->data == data)
        return r;
    r = reg_find(epfd, (int)(uint32_t)data, false);
    for (unsigned i = 0; (!r || r->data != data) && i < REGS; i++) {
        r = &epolls.regs[i];
        r = r->epfd == epfd + 1 ? r : NULL;
    }
    if (!r || r->data != data)
        return NULL;
    *hint = (uint16_t)(r - epolls.regs);
    return r;
}

static struct set *set_find(int epfd, bool make)
{
    struct set *free_ = NULL;

    for (unsigned i = 0; i < SETS; i++) {
        if (epolls.sets[i].epfd == epfd + 1)
            return &epolls.sets[i];
        if (!epolls.sets[i].epfd && !free_)
            free_ = &epolls.sets[i];
    }
    if (!make || !free_)
        return NULL;
    *free_ = (struct set){.epfd = epfd + 1, .timer = -1};
    return free_;
}

static void ctl(int epfd, int what, int fd, uint32_t events, uint64_t data)
{
    struct epoll_event e = {.events = events, .data.u64 = data};

    if (what == EPOLL_CTL_MOD && (events & EPOLLEXCLUSIVE)) {
        mh_sys(SYS_epoll_ctl, epfd, EPOLL_CTL_DEL, fd, &e);
        what = EPOLL_CTL_ADD; /* the kernel does not let an exclusive one be modified */
    }
    mh_sys(SYS_epoll_ctl, epfd, what, fd, &e);
}

static void shadow_drop(struct mh_epoll_reg *r)
{
    struct set *s;

    if (!r->shadow)
        return;
    r->shadow = false;
    for (unsigned i = 0; i < epolls.nshadows; i++)
        if (&epolls.regs[epolls.shadows[i]] == r) {
            epolls.shadows[i] = epolls.shadows[--epolls.nshadows];
            break;
        }
    s = set_find(r->epfd - 1, false);
    if (s && --s->shadows <= 0) {
        s->shadows = 0;
        if (s->timer >= 0)
            mh_sys(SYS_close, s->timer);
        s->timer = -1;
    }
}

/* Unmasks one: it is again as the program made it. */
static void shadow_give_back(struct mh_epoll_reg *r)
{
    shadow_drop(r);
    ctl(r->epfd - 1, EPOLL_CTL_MOD, r->fd, r->events, r->data);
}

void mh_epoll_hide(struct mh_epoll_reg *r)
{
    struct set *s;

    if (r->shadow || r->spent || epolls.nshadows == SHADOWS || mh_guest.leaving)
        return;
    s = set_find(r->epfd - 1, true);
    if (!s)
        return;
    if (r->events & EPOLLEXCLUSIVE)
        ctl(r->epfd - 1, EPOLL_CTL_DEL, r->fd, 0, 0);
    ctl(r->epfd - 1, r->events & EPOLLEXCLUSIVE ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, r->fd,
        (r->events & ~(uint32_t)(EPOLLONESHOT | EPOLLEXCLUSIVE)) | EPOLLET, r->data);
    r->shadow = true;
    s->shadows++;
    epolls.shadows[epolls.nshadows++] = (uint16_t)(r - epolls.regs);
}

/* Sets the set's timer, which wakes every thread that sleeps in it. */
static void timer_set(struct set *s, int64_t at)
{
    struct itimerspec t = {.it_value = {at / 1000000000, at % 1000000000}};
    struct epoll_event e = {.events = EPOLLIN | EPOLLET, .data.u64 = MH_EPOLL_TIMER};

    if (at == MH_NEVER)
        return;
    if (s->timer < 0) {
        s->timer = (int)mh_sys(SYS_timerfd_create, CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (s->timer < 0)
            return;
        s->timer = mh_fd_hide(s->timer);
        mh_sys(SYS_epoll_ctl, s->epfd - 1, EPOLL_CTL_ADD, s->timer, &e);
    }
    mh_sys(SYS_timerfd_settime, s->timer, TFD_TIMER_ABSTIME, &t, 0);
}

/* Next change on this registration's descriptor, from its state alone. */
static int64_t reg_next(const struct mh_epoll_reg *r, int64_t now)
{
    struct mh_desc *d = mh_fd_get(r->fd);

    return d ? mh_stream_next(d, now) : MH_NEVER;
}

bool mh_epoll_readable(const struct mh_epoll_reg *r, const struct mh_desc *d, int64_t now)
{
    uint64_t released = mh_stream_released(d, now);

    if (!released || released == MH_STREAM_END || !(r->events & EPOLLET))
        return released != 0;
    return d->consumed + released > r->told;
}

/* Is there something to tell now that was held back? */
static bool reg_due(const struct mh_epoll_reg *r, int64_t now)
{
    struct mh_desc *d = mh_fd_get(r->fd);

    if (!d || (d->dead && !d->connecting))
        return true;
    if ((d->hole.op || mh_switched()) && mh_desc_lock(d)) {
        mh_hole_settle(d, r->fd, now);
        mh_desc_unlock(d);
    }
    if (d->connecting)
        return d->out.release <= now;
    if ((r->events & EPOLLIN) && mh_epoll_readable(r, d, now))
        return true;
    if ((r->events & EPOLLOUT) && d->out.decided && d->out.release <= now)
        return true;
    return mh_stream_next(d, now) == MH_NEVER && !d->nholds && !d->end_release && !d->hole.op;
}

int64_t mh_epoll_restore(int epfd, int64_t now)
{
    int64_t next = MH_NEVER;

    for (unsigned i = 0; i < epolls.nshadows;) {
        struct mh_epoll_reg *r = &epolls.regs[epolls.shadows[i]];

        if (r->epfd == epfd + 1 && reg_due(r, now)) {
            shadow_give_back(r);
            continue;
        }
        if (r->epfd == epfd + 1)
            next = MH_MIN(next, reg_next(r, now));
        i++;
    }
    return next;
}

/* Has this registration woken when its descriptor changes by us alone. */
static void watch(struct mh_epoll_reg *r, int64_t at)
{
    struct set *s;

    mh_epoll_hide(r);
    s = set_find(r->epfd - 1, false);
    if (s && r->shadow) /* who sleeps already learns that there is something held */
        timer_set(s, MH_MIN(at, mh_now() + MH_LIFT_TICK));
}

static void remember(int epfd, int what, int fd, const struct epoll_event *event)
{
    struct mh_epoll_reg *r = reg_find(epfd, fd, what != EPOLL_CTL_DEL);
    struct mh_desc *d;

    if (!r)
        return;
    shadow_drop(r); /* the program's own change has replaced the mask */
    if (what == EPOLL_CTL_DEL) {
        *r = (struct mh_epoll_reg){0};
        return;
    }
    r->events = event->events;
    r->data = event->data.u64;
    r->spent = false;
    r->told = 0;
    d = mh_fd_get(fd);
    if (d && d->hole.op)
        watch(r, d->hole.until);
}

int mh_epoll_ctl(int epfd, int what, int fd, struct epoll_event *event)
{
    bool locked = mh_lock(&epolls.lock);
    int r = (int)mh_sys(SYS_epoll_ctl, epfd, what, fd, event);

    if (locked && r == 0)
        remember(epfd, what, fd, event);
    if (locked)
        mh_lock_open(&epolls.lock);
    return r;
}

void mh_epoll_rearm(int fd, int64_t release)
{
    if (!mh_lock(&epolls.lock))
        return;
    for (unsigned i = 0; i < SETS; i++) {
        struct set *s = &epolls.sets[i];
        struct mh_epoll_reg *r = s->epfd ? reg_find(s->epfd - 1, fd, false) : NULL;

        if (r && (r->events & EPOLLET)) {
            mh_epoll_hide(r);
            timer_set(s, release);
        }
    }
    mh_lock_open(&epolls.lock);
}

void mh_epoll_watch(int fd, int64_t at)
{
    if (!mh_lock(&epolls.lock))
        return;
    for (unsigned i = 0; i < REGS; i++) {
        struct mh_epoll_reg *r = &epolls.regs[i];

        if (r->epfd && r->fd == fd)
            watch(r, at);
    }
    mh_lock_open(&epolls.lock);
}

void mh_epoll_closed(int fd)
{
    struct set *own;

    if (!mh_lock(&epolls.lock))
        return;
    for (unsigned i = 0; i < SETS; i++) {
        struct set *s = &epolls.sets[i];
        struct mh_epoll_reg *r = s->epfd ? reg_find(s->epfd - 1, fd, false) : NULL;

        if (s->epfd && s->timer == fd)
            s->timer = -1; /* the program closed a range; the next hold makes a new one */
        if (r) {
            shadow_drop(r);
            *r = (struct mh_epoll_reg){0};
        }
    }
    own = set_find(fd, false);
    if (own) {
        for (unsigned i = 0; i < REGS; i++)
            if (epolls.regs[i].epfd == fd + 1) {
                shadow_drop(&epolls.regs[i]);
                epolls.regs[i] = (struct mh_epoll_reg){0};
            }
        if (own->timer >= 0)
            mh_sys(SYS_close, own->timer);
        *own = (struct set){0};
    }
    mh_lock_open(&epolls.lock);
}

void mh_epoll_after_fork(void)
{
    mh_lock_open(&epolls.lock);
}

void mh_epoll_adopt(int epfd, int fd, uint32_t events, uint64_t data)
{
    if (!mh_epoll_needed() || !mh_lock(&epolls.lock))
        return;
    remember(epfd, EPOLL_CTL_ADD, fd, &(struct epoll_event){events, {.u64 = data}});
    mh_lock_open(&epolls.lock);
}

void mh_epoll_let_go(void)
{
    if (!mh_lock(&epolls.lock))
        return;
    while (epolls.nshadows)
        shadow_give_back(&epolls.regs[epolls.shadows[0]]);
    memset(epolls.regs, 0, sizeof(epolls.regs));
    mh_lock_open(&epolls.lock);
}

bool mh_epoll_needed(void)
{
    const uint64_t ops = MH_OP_BIT(MH_OP_recv) | MH_OP_BIT(MH_OP_send) | MH_OP_BIT(MH_OP_connect) |
                         MH_OP_BIT(MH_OP_accept);

    return mh_guest.rules && (mh_guest.rules->ops & ops);
}

bool mh_epoll_lock(void)
{
    return mh_lock(&epolls.lock);
}

void mh_epoll_unlock(void)
{
    mh_lock_open(&epolls.lock);
}

struct mh_epoll_reg *mh_epoll_hidden(unsigned i)
{
    return i < epolls.nshadows ? &epolls.regs[epolls.shadows[i]] : NULL;
}

bool mh_epoll_hides(int epfd)
{
    const struct set *s = epolls.nshadows ? set_find(epfd, false) : NULL;

    return s && s->shadows;
}

void mh_epoll_wake(int epfd, int64_t at)
{
    struct set *s = set_find(epfd, false);

    if (s)
        timer_set(s, at);
}
