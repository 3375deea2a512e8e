/* SPDX-License-Identifier: Apache-2.0 */
/* Listening sockets by way of /proc; see listeners.h. */
#include "run/listeners.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/sys.h"
#include "run/tree.h"

#include "base/banned.h"

enum { STATE_LISTEN = 10, MOST_GENERATIONS = 64 };

/* Of a listening socket the receive queue is the number of connections that wait in it. */
static void read_table(pid_t app, const char *table, struct mh_listeners *l)
{
    char path[64], line[512];
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%d/net/%s", (int)app, table);
    f = fopen(path, "re");
    while (f && fgets(line, sizeof(line), f)) {
        unsigned port, state, waiting;
        unsigned long inode;

        if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*s %x %*x:%x %*s %*s %*s %*s %lu", &port, &state,
                   &waiting, &inode) != 4 ||
            state != STATE_LISTEN || !inode)
            continue;
        if (l->n == MH_LISTENERS)
            l->looked = false;
        else
            l->v[l->n++] =
                (struct mh_listener){.inode = inode, .port = (int)port, .waiting = waiting};
    }
    if (f)
        fclose(f);
}

static bool is_below(pid_t pid, pid_t app)
{
    pid_t self = getpid();

    for (int i = 0; i < MOST_GENERATIONS && pid > 1; i++) {
        if (pid == app || pid == self) /* whose parent is gone is a child of ours */
            return true;
        pid = mh_tree_parent(pid);
    }
    return false;
}

static void hold(struct mh_listeners *l, unsigned long inode, pid_t pid)
{
    for (unsigned i = 0; i < l->n; i++) {
        struct mh_listener *one = &l->v[i];

        if (one->inode != inode || one->nholders == MH_HOLDERS ||
            (one->nholders && one->holders[one->nholders - 1] == pid))
            continue;
        one->holders[one->nholders++] = pid;
    }
}

static void read_process(pid_t pid, struct mh_listeners *l)
{
    char path[40], target[64];
    struct dirent *entry;
    DIR *fds;

    snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
    fds = opendir(path);
    while (fds && (entry = readdir(fds))) {
        unsigned long inode;
        ssize_t n = readlinkat(dirfd(fds), entry->d_name, target, sizeof(target) - 1);

        if (n <= 0)
            continue;
        target[n] = 0;
        if (sscanf(target, "socket:[%lu]", &inode) == 1)
            hold(l, inode, pid);
    }
    if (fds)
        closedir(fds);
}

void mh_listeners_look(pid_t app, struct mh_listeners *ret)
{
    struct dirent *entry;
    DIR *proc;
    unsigned kept = 0;

    *ret = (struct mh_listeners){.looked = true, .at = mh_now()};
    read_table(app, "tcp", ret);
    read_table(app, "tcp6", ret);
    proc = ret->n ? opendir("/proc") : NULL;
    while (proc && (entry = readdir(proc))) {
        pid_t pid =
            isdigit((unsigned char)entry->d_name[0]) ? (pid_t)strtol(entry->d_name, NULL, 10) : 0;

        if (pid > 0 && pid != getpid() && is_below(pid, app))
            read_process(pid, ret);
    }
    if (proc)
        closedir(proc);
    for (unsigned i = 0; i < ret->n; i++)
        if (ret->v[i].nholders)
            ret->v[kept++] = ret->v[i];
    ret->n = kept;
}
