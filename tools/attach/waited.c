/* SPDX-License-Identifier: Apache-2.0 */
/* See waited.h. The scheduler notes when a thread last ran, on its processor's own clock, which
 * differs between processors and stands still while they are taken away from the machine: so it is
 * read on that same processor, and what it says is at most what has passed. */
#include "attach/waited.h"

#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/sys.h"

#include "base/banned.h"

enum { LIMIT = 3, FIELD_CPU = 36 }; /* argument of the call; of stat, counted behind the name */

static bool waits_for_events(long number)
{
#ifdef SYS_epoll_wait
    if (number == SYS_epoll_wait)
        return true;
#endif
    return number == SYS_epoll_pwait;
}

static bool is_in_wait(pid_t pid, pid_t tid)
{
    unsigned long long a[LIMIT + 1];
    char path[64];
    long number;
    FILE *f;
    bool is;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", (int)pid, (int)tid);
    f = fopen(path, "re");
    if (!f)
        return false;
    is = fscanf(f, "%ld %llx %llx %llx %llx", &number, &a[0], &a[1], &a[2], &a[LIMIT]) == 5 &&
         waits_for_events(number) && (int)a[LIMIT] > 0;
    fclose(f);
    return is;
}

/* The value behind a name at the beginning of a line; -1 none. */
static double value_of(pid_t pid, pid_t tid, const char *file, const char *name)
{
    char path[64], line[256];
    double value = -1;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/%s", (int)pid, (int)tid, file);
    f = fopen(path, "re");
    while (f && value < 0 && fgets(line, sizeof(line), f))
        if (!strncmp(line, name, strlen(name)) && strchr(line, ':'))
            value = strtod(strchr(line, ':') + 1, NULL);
    if (f)
        fclose(f);
    return value;
}

static double slept_since(pid_t pid, pid_t tid)
{
    return value_of(pid, tid, "sched", "se.exec_start"); /* ms */
}

static unsigned long long sleeps_of(pid_t pid, pid_t tid)
{
    return (unsigned long long)value_of(pid, tid, "status", "voluntary_ctxt_switches");
}

/* The processor that it was on last; -1 unknown. */
static int processor_of(pid_t pid, pid_t tid)
{
    char path[64], line[1024] = "", *p;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)pid, (int)tid);
    f = fopen(path, "re");
    if (!f)
        return -1;
    if (!fgets(line, sizeof(line), f))
        line[0] = '\0';
    fclose(f);
    p = strrchr(line, ')');
    for (int i = 0; p && i <= FIELD_CPU; i++)
        p = strchr(p + 1, ' ');
    return p ? (int)strtol(p, NULL, 10) : -1;
}

void mh_waited_see(pid_t pid, pid_t tid, struct mh_waited *ret)
{
    int cpu = is_in_wait(pid, tid) ? processor_of(pid, tid) : -1;
    cpu_set_t before, there;
    double slept, here;

    *ret = (struct mh_waited){.ns = 0};
    if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof(before), &before) < 0)
        return;
    CPU_ZERO(&there);
    CPU_SET(cpu, &there);
    if (sched_setaffinity(0, sizeof(there), &there) < 0)
        return;
    ret->sleeps = sleeps_of(pid, tid);
    slept = slept_since(pid, tid);
    here = slept_since(getpid(), (pid_t)mh_sys(SYS_gettid, 0));
    ret->at = mh_now();
    sched_setaffinity(0, sizeof(before), &before);
    if (slept > 0 && here > slept)
        ret->ns = (int64_t)((here - slept) * 1e6);
}

/* The stop itself is one sleep more. */
void mh_waited_check(pid_t pid, pid_t tid, struct mh_waited *w)
{
    if (w->ns && sleeps_of(pid, tid) > w->sleeps + 1)
        w->ns = 0;
}

void mh_waited_shorten(const struct mh_waited *w, struct mh_registers *r)
{
    int64_t over = (w->ns + mh_now() - w->at) / 1000000;
    int limit;

    if (!w->ns || !waits_for_events(r->call))
        return;
    limit = (int)mh_registers_argument(r, LIMIT);
    if (limit > 0)
        mh_registers_argument_set(r, LIMIT, (uint64_t)MH_MAX(limit - over, 0));
}
