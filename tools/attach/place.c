/* SPDX-License-Identifier: Apache-2.0 */
/* Safe places; see place.h. libc calls back no code of a program while it holds a lock of its
 * allocator or, without being re-entrant, of its linker: code outside of them holds none. In them,
 * a thread is only trusted while it waits in a system call that they make for the program. */
#include "attach/place.h"

#include <linux/futex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/sys.h"

#include "base/banned.h"

/* Waits for something from outside. What reads or writes may be libc's own business with a file. */
static const struct {
    long number;
    enum { ALWAYS, STREAM, FUTEX } when;
} waits[] = {
#ifdef SYS_poll
    {SYS_poll, ALWAYS},
    {SYS_select, ALWAYS},
    {SYS_epoll_wait, ALWAYS},
    {SYS_pause, ALWAYS},
#endif
    {SYS_ppoll, ALWAYS},
    {SYS_pselect6, ALWAYS},
    {SYS_epoll_pwait, ALWAYS},
    {SYS_epoll_pwait2, ALWAYS},
    {SYS_recvfrom, ALWAYS},
    {SYS_recvmsg, ALWAYS},
    {SYS_recvmmsg, ALWAYS},
    {SYS_sendto, ALWAYS},
    {SYS_sendmsg, ALWAYS},
    {SYS_accept, ALWAYS},
    {SYS_accept4, ALWAYS},
    {SYS_connect, ALWAYS},
    {SYS_nanosleep, ALWAYS},
    {SYS_clock_nanosleep, ALWAYS},
    {SYS_wait4, ALWAYS},
    {SYS_waitid, ALWAYS},
    {SYS_rt_sigtimedwait, ALWAYS},
    {SYS_rt_sigsuspend, ALWAYS},
    {SYS_read, STREAM},
    {SYS_readv, STREAM},
    {SYS_write, STREAM},
    {SYS_writev, STREAM},
    {SYS_futex, FUTEX},
};

/* Is it a socket, a pipe or a terminal, and no file? */
static bool is_stream(pid_t pid, uint64_t fd)
{
    static const char *const kinds[] = {"socket:", "pipe:", "anon_inode:", "/dev/pts/", "/dev/tty"};
    char path[64], to[64] = "";

    snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, (int)fd);
    if (readlink(path, to, sizeof(to) - 1) < 0)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (!strncmp(to, kinds[i], strlen(kinds[i])))
            return true;
    return false;
}

/* libc's own locks wait by FUTEX_WAIT; condition variables, semaphores and what is made of them,
 * such as all of Python's locks, by the other one. */
static bool call_waits(pid_t pid, long number, uint64_t first, uint64_t second)
{
    for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
        if (waits[i].number != number)
            continue;
        if (waits[i].when == STREAM)
            return is_stream(pid, first);
        return waits[i].when == ALWAYS || (second & FUTEX_CMD_MASK) == FUTEX_WAIT_BITSET;
    }
    return false;
}

bool mh_place_waits(pid_t pid, pid_t tid)
{
    char path[64], line[256] = "";
    unsigned long long first, second;
    long number;
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", (int)pid, (int)tid);
    f = fopen(path, "re");
    if (!f)
        return false;
    if (!fgets(line, sizeof(line), f))
        line[0] = '\0';
    fclose(f);
    return sscanf(line, "%ld %llx %llx", &number, &first, &second) == 3 &&
           call_waits(pid, number, first, second);
}

/* Has this object a lock that a function of libc may want: an allocator's, the linker's, or ours?
 */
static bool has_locks(int mem, const struct mh_maps *maps, const struct mh_map *m)
{
    static const char *const names[] = {"libc",       "ld",    "ld-linux",
                                        "libpthread", "libdl", "libmishap"};
    uintptr_t base = 0;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        base = mh_maps_object(maps, names[i]);
        for (size_t k = 0; base && k < maps->n; k++)
            if (maps->v[k].from == base && !strcmp(maps->v[k].path, m->path))
                return true;
    }
    for (size_t k = 0; k < maps->n; k++)
        if (!strcmp(maps->v[k].path, m->path) && !maps->v[k].offset)
            return mh_maps_symbol(mem, maps->v[k].from, "malloc") != 0;
    return false;
}

bool mh_place_safe(pid_t pid, int mem, const struct mh_maps *maps, const struct mh_registers *r)
{
    const struct mh_map *m;

    if (r->call >= 0)
        return call_waits(pid, r->call, mh_registers_argument(r, 0), mh_registers_argument(r, 1));
    m = mh_maps_at(maps, mh_registers_place(r));
    return m && m->path[0] == '/' && !has_locks(mem, maps, m);
}
