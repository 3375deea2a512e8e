/* SPDX-License-Identifier: Apache-2.0 */
/* ptrace; see tracee.h. A thread is seized, which by itself stops nothing, and interrupted. Who was
 * in a system call then is in it again when it goes on: the kernel sees to that, but for some calls
 * that it lets end with EINTR, as after SIGSTOP; those are begun anew here, unless a signal of the
 * program's own is waiting. A function that is called comes back to an address where nothing is:
 * the fault that this makes is caught. */
#include "attach/tracee.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attach/place.h"
#include "base/macros.h"
#include "base/sys.h"

#include "base/banned.h"

enum {
    BACK = 16,        /* never mapped */
    STOP_MS = 3000,   /* a thread that does not stop in this time does not stop */
    CALL_MS = 30000,  /* a call that lasts longer does not end */
    SIGNALS_SIZE = 8, /* of the kernel's set */
    ENDED = -ESRCH,
};

/* Faults of the called function itself are not kept off it. */
#define FAULTS                                                                                     \
    (UINT64_C(1) << (SIGSEGV - 1) | UINT64_C(1) << (SIGBUS - 1) | UINT64_C(1) << (SIGILL - 1) |    \
     UINT64_C(1) << (SIGFPE - 1) | UINT64_C(1) << (SIGTRAP - 1) | UINT64_C(1) << (SIGABRT - 1))

static void pause_ms(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

/* Waits for the thread's next stop. Returns 0, ENDED, or -ETIMEDOUT. */
static int wait_stop(pid_t tid, int ms, int *ret_status)
{
    int64_t until = mh_now() + (int64_t)ms * 1000000;

    for (unsigned i = 0;; i++) {
        pid_t got = waitpid(tid, ret_status, __WALL | WNOHANG);

        if (got < 0)
            return ENDED;
        if (got == tid)
            return WIFSTOPPED(*ret_status) ? 0 : ENDED;
        if (mh_now() > until)
            return -ETIMEDOUT;
        if (i > 20)
            pause_ms(1);
        else
            mh_sys(SYS_sched_yield, 0);
    }
}

/* Stops a seized thread; signals that come first are handed on. *ret_signal: one was. */
static int interrupt(pid_t tid, bool *ret_signal)
{
    int status, r;

    *ret_signal = false;
    if (ptrace(PTRACE_INTERRUPT, tid, 0, 0) < 0)
        return -errno;
    for (;;) {
        r = wait_stop(tid, STOP_MS, &status);
        if (r || status >> 16 == PTRACE_EVENT_STOP)
            return r;
        *ret_signal = true;
        if (ptrace(PTRACE_CONT, tid, 0, (long)WSTOPSIG(status)) < 0)
            return -errno;
    }
}

/* Takes it and stops it. */
static int stop(pid_t pid, pid_t tid, bool *ret_signal, struct mh_waited *ret)
{
    int r;

    mh_waited_see(pid, tid, ret);
    if (ptrace(PTRACE_SEIZE, tid, 0, 0) < 0)
        return -errno;
    r = interrupt(tid, ret_signal);
    if (r && r != ENDED)
        ptrace(PTRACE_DETACH, tid, 0, 0);
    mh_waited_check(pid, tid, ret);
    return r;
}

/* Does a signal wait that the program has a handler for? It ends what the thread does, rightly. */
static bool signal_waits(pid_t pid, pid_t tid)
{
    uint64_t own = 0, shared = 0, blocked = 0, caught = 0;
    char path[64], line[256];
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/status", (int)pid, (int)tid);
    f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "SigPnd: %" SCNx64, &own) != 1 &&
            sscanf(line, "ShdPnd: %" SCNx64, &shared) != 1 &&
            sscanf(line, "SigBlk: %" SCNx64, &blocked) != 1)
            sscanf(line, "SigCgt: %" SCNx64, &caught);
    if (f)
        fclose(f);
    return (own | shared) & ~blocked & caught;
}

/* Has our stop ended a system call that the kernel does not begin anew by itself? */
static bool was_cut_short(pid_t pid, pid_t tid, const struct mh_registers *r)
{
    return r->call >= 0 && r->call != SYS_close && mh_registers_answer(r) == -EINTR &&
           !signal_waits(pid, tid);
}

static void begin_anew(struct mh_registers *r, const struct mh_waited *waited)
{
    mh_waited_shorten(waited, r);
    mh_registers_again(r);
}

static void go_on(pid_t pid, pid_t tid, const struct mh_waited *waited)
{
    _cleanup_free_ struct mh_registers *r = malloc(sizeof(*r));

    if (r && mh_registers_save(tid, r) == 0 && was_cut_short(pid, tid, r)) {
        begin_anew(r, waited);
        mh_registers_restore(tid, r);
    }
    ptrace(PTRACE_DETACH, tid, 0, 0);
}

/* The next thread of the process, 0 at the end. */
static pid_t next_thread(DIR *tasks)
{
    const struct dirent *e;

    while ((e = readdir(tasks)))
        if (e->d_name[0] != '.')
            return (pid_t)strtoul(e->d_name, NULL, 10);
    return 0;
}

static DIR *tasks_of(pid_t pid)
{
    char path[32];

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    return opendir(path);
}

/* Stops this thread, and keeps it if it is where it should be. 0: it is. */
static int try(struct mh_tracee *t, pid_t tid, const struct mh_maps *maps)
{
    bool signal;
    int r = stop(t->pid, tid, &signal, &t->waited);

    if (r)
        return r;
    r = mh_registers_save(tid, &t->registers);
    if (!r && (signal || !mh_place_safe(t->pid, t->mem, maps, &t->registers)))
        r = -EAGAIN;
    if (!r && ptrace(PTRACE_GETSIGMASK, tid, SIGNALS_SIZE, &t->signals) < 0)
        r = -errno;
    if (r) {
        go_on(t->pid, tid, &t->waited);
        return r;
    }
    t->tid = tid;
    return 0;
}

/* One look at all threads: those that wait first, since they are least disturbed; then any. */
static int look(struct mh_tracee *t, const struct mh_maps *maps, bool any)
{
    DIR *tasks = tasks_of(t->pid);
    int r = -EAGAIN;
    pid_t tid;

    if (!tasks)
        return ENDED;
    while (r && r != -EPERM && (tid = next_thread(tasks)))
        if (any || mh_place_waits(t->pid, tid)) {
            r = try(t, tid, maps);
            if (r == ENDED && tid != t->pid)
                r = -EAGAIN; /* one thread less */
        }
    closedir(tasks);
    return r;
}

int mh_tracee_catch(struct mh_tracee *t, pid_t pid, int mem, const struct mh_maps *maps)
{
    int64_t until = mh_now() + MH_TRACEE_PATIENCE_MS * INT64_C(1000000);
    int r;

    *t = (struct mh_tracee){.pid = pid, .mem = mem};
    for (unsigned i = 0; mh_now() < until; i++) {
        r = look(t, maps, i % 8 == 7);
        if (r != -EAGAIN)
            return r;
        pause_ms(1 + (int)(i % 5));
    }
    return -ETIMEDOUT;
}

static int signals_set(pid_t tid, uint64_t set)
{
    return ptrace(PTRACE_SETSIGMASK, tid, SIGNALS_SIZE, &set) < 0 ? -errno : 0;
}

/* Lets it run until it is back, or has crashed. */
static int run(struct mh_tracee *t, uint64_t *ret)
{
    int64_t until = mh_now() + CALL_MS * INT64_C(1000000);
    uintptr_t place = 0;
    bool signal;
    int status, r;

    for (;;) {
        if (ptrace(PTRACE_CONT, t->tid, 0, 0) < 0)
            return -errno;
        r = wait_stop(t->tid, (int)((until - mh_now()) / 1000000), &status);
        if (r == -ETIMEDOUT) {
            interrupt(t->tid, &signal);
            return r;
        }
        if (r)
            return r;
        if (status >> 16) /* the process is being stopped: not now */
            continue;
        r = mh_registers_returned(t->tid, &place, ret);
        return r ? r : WSTOPSIG(status) == SIGSEGV && place == BACK ? 0 : -EFAULT;
    }
}

int mh_tracee_call(struct mh_tracee *t, uintptr_t function, uint64_t a, uint64_t b, uint64_t c,
                   uint64_t *ret)
{
    const uint64_t args[MH_REGISTERS_ARGS] = {a, b, c};
    uintptr_t stack = t->stack ? t->stack + t->room : mh_registers_stack(&t->registers);
    int r = signals_set(t->tid, ~FAULTS);

    if (!r)
        r = mh_registers_call(t->tid, &t->registers, function, args, stack, BACK);
    return r ? r : run(t, ret);
}

static bool holds(const struct mh_tracee *t, pid_t tid)
{
    for (size_t i = 0; i < t->nothers; i++)
        if (t->others[i].tid == tid)
            return true;
    return tid == t->tid;
}

/* Stops those that run still. Returns how many, or a negative errno. */
static int hold_more(struct mh_tracee *t)
{
    DIR *tasks = tasks_of(t->pid);
    int r = 0, n = 0;
    bool signal;
    pid_t tid;

    if (!tasks)
        return ENDED;
    while (!r && (tid = next_thread(tasks))) {
        struct mh_stopped *grown, one = {.tid = tid};

        if (holds(t, tid))
            continue;
        grown = reallocarray(t->others, t->nothers + 1, sizeof(*grown));
        if (!grown) {
            r = -ENOMEM;
            break;
        }
        t->others = grown;
        r = stop(t->pid, tid, &signal, &one.waited);
        if (r == 0)
            t->others[t->nothers++] = one;
        if (r == 0)
            n++;
        if (r == ENDED || r == -EPERM) /* of a thread that is ending */
            r = 0;
    }
    closedir(tasks);
    return r ? r : n;
}

int mh_tracee_hold_others(struct mh_tracee *t)
{
    int r;

    do
        r = hold_more(t);
    while (r > 0);
    if (r)
        mh_tracee_free_others(t);
    return r;
}

void mh_tracee_free_others(struct mh_tracee *t)
{
    for (size_t i = 0; i < t->nothers; i++)
        go_on(t->pid, t->others[i].tid, &t->others[i].waited);
    free(t->others);
    t->others = NULL;
    t->nothers = 0;
}

void mh_tracee_release(struct mh_tracee *t)
{
    mh_tracee_free_others(t);
    if (!t->tid)
        return;
    if (was_cut_short(t->pid, t->tid, &t->registers))
        begin_anew(&t->registers, &t->waited);
    mh_registers_restore(t->tid, &t->registers);
    signals_set(t->tid, t->signals);
    ptrace(PTRACE_DETACH, t->tid, 0, 0);
    t->tid = 0;
}

int mh_tracee_write(struct mh_tracee *t, uintptr_t at, const void *data, size_t n)
{
    ssize_t put = pwrite(t->mem, data, n, (off_t)at);

    return put < 0 ? -errno : (size_t)put == n ? 0 : -EIO;
}

int mh_tracee_text(struct mh_tracee *t, uintptr_t at, char *ret, size_t size)
{
    ssize_t got = pread(t->mem, ret, size - 1, (off_t)at);

    ret[got > 0 ? got : 0] = '\0';
    return got < 0 ? -errno : 0;
}
