/* SPDX-License-Identifier: Apache-2.0 */
/* Children by way of /proc; see tree.h. */
#include "run/tree.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/macros.h"

#include "base/banned.h"

pid_t mh_tree_parent(pid_t pid)
{
    char path[40], text[512], state;
    const char *after;
    FILE *f;
    size_t n;
    int parent;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    f = fopen(path, "re");
    if (!f)
        return 0;
    n = fread(text, 1, sizeof(text) - 1, f);
    fclose(f);
    text[n] = 0;
    after = strrchr(text, ')'); /* the name before it may hold anything */
    if (!after || sscanf(after + 1, " %c %d", &state, &parent) != 2 || state == 'Z')
        return 0;
    return parent;
}

/* Calls `each` for every live child of ours. Returns how many, or a negative errno. */
static int children(int (*each)(pid_t pid, void *data), void *data)
{
    pid_t self = getpid();
    struct dirent *entry;
    DIR *proc = opendir("/proc");
    int n = 0;

    if (!proc)
        return -errno;
    while ((entry = readdir(proc))) {
        pid_t pid =
            isdigit((unsigned char)entry->d_name[0]) ? (pid_t)strtol(entry->d_name, NULL, 10) : 0;

        if (pid > 0 && mh_tree_parent(pid) == self)
            n += each(pid, data);
    }
    closedir(proc);
    return n;
}

static int remember(pid_t pid, void *data)
{
    struct mh_tree *tree = data;
    pid_t *more = reallocarray(tree->before, tree->nbefore + 1, sizeof(*more));

    if (!more)
        return 0;
    tree->before = more;
    more[tree->nbefore++] = pid;
    return 1;
}

int mh_tree_init(struct mh_tree *tree)
{
    int n;

    *tree = (struct mh_tree){0};
    n = children(remember, tree);
    if (n < 0)
        return n;
    return prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 ? -errno : 0;
}

void mh_tree_done(struct mh_tree *tree)
{
    free(tree->before);
    *tree = (struct mh_tree){0};
}

struct order {
    const struct mh_tree *tree;
    int signal;
};

static int give(pid_t pid, void *data)
{
    const struct order *order = data;

    for (size_t i = 0; i < order->tree->nbefore; i++)
        if (order->tree->before[i] == pid)
            return 0;
    if (order->signal)
        kill(pid, order->signal);
    return 1;
}

int mh_tree_signal(const struct mh_tree *tree, int signal)
{
    struct order order = {tree, signal};

    return children(give, &order);
}
