/* SPDX-License-Identifier: Apache-2.0 */
/* The page of a run that goes on, and its scenario; see live.h. */
#include "run/live.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/macros.h"
#include "cmd.h"
#include "log.h"
#include "rule/load.h"

#include "base/banned.h"

static bool is_directory(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The directory whose `control` the process has mapped, through its own root: it may live in a
 * container. Caller frees; NULL with errno. */
static char *directory_of(const char *pid)
{
    _cleanup_free_ char *maps = NULL, *line = NULL;
    char *found = NULL;
    size_t size = 0;
    FILE *f;

    if (asprintf(&maps, "/proc/%s/maps", pid) < 0) {
        maps = NULL;
        return NULL;
    }
    f = fopen(maps, "re");
    if (!f)
        return NULL;
    while (!found && getline(&line, &size, f) > 0) {
        char *path = strchr(line, '/'), *end = path ? strstr(path, "/control\n") : NULL;

        if (!end || !strstr(line, " rw-s "))
            continue;
        *end = '\0';
        if (asprintf(&found, "/proc/%s/root%s", pid, path) < 0) {
            found = NULL;
            break;
        }
        if (!is_directory(found)) { /* another user's process: by its plain name, then */
            free(found);
            found = strdup(path);
        }
    }
    fclose(f);
    if (!found)
        errno = 0;
    return found;
}

static int open_in(const char *directory, const char *name, struct mh_live *ret)
{
    _cleanup_free_ char *path = NULL;
    int r = mh_control_open(directory, false, &ret->control);

    if (r == -ENOENT)
        mh_log("'%s' holds no run", name);
    else if (r == -EPROTONOSUPPORT)
        mh_log("'%s' holds a run of another version of mishap", name);
    else if (r == -EBADMSG)
        mh_log("'%s' holds a file 'control' that is not a run's", name);
    else if (r < 0)
        mh_log_errno(r, "Cannot open the run in '%s'", name);
    if (r < 0) {
        ret->control = NULL;
        return MH_EXIT_MISUSE;
    }
    if (asprintf(&path, "%s/control", directory) < 0) {
        path = NULL;
        return mh_log_errno(-ENOMEM, "Cannot open the run"), MH_EXIT_TROUBLE;
    }
    ret->lock = open(path, O_RDONLY | O_CLOEXEC);
    if (ret->lock < 0 || flock(ret->lock, LOCK_EX) < 0)
        return mh_log_errno(-errno, "Cannot lock the run in '%s'", name), MH_EXIT_TROUBLE;
    if (__atomic_load_n(&ret->control->told, __ATOMIC_ACQUIRE) != 2) {
        mh_log("no process of the run in '%s' has begun yet", name);
        return MH_EXIT_TROUBLE;
    }
    return MH_EXIT_OK;
}

int mh_live_directory(const char *name, char **ret)
{
    *ret = NULL;
    if (is_directory(name)) {
        *ret = strdup(name);
        return *ret ? MH_EXIT_OK : (mh_log_errno(-ENOMEM, "Cannot look"), MH_EXIT_TROUBLE);
    }
    if (!*name || name[strspn(name, "0123456789")]) {
        mh_log("there is no directory '%s'", name);
        return MH_EXIT_MISUSE;
    }
    *ret = directory_of(name);
    if (*ret)
        return MH_EXIT_OK;
    if (errno == ENOENT)
        mh_log("there is no process %s", name);
    else if (errno)
        mh_log_errno(-errno, "Cannot look into process %s", name);
    else
        mh_log("process %s does not run under mishap", name);
    return MH_EXIT_MISUSE;
}

int mh_live_open(const char *name, struct mh_live *ret)
{
    _cleanup_free_ char *directory = NULL;
    int status = mh_live_directory(name, &directory);

    *ret = (struct mh_live){NULL, -1};
    return status ? status : open_in(directory, name, ret);
}

void mh_live_close(struct mh_live *live)
{
    if (live->control)
        munmap(live->control, sizeof(*live->control));
    if (live->lock >= 0)
        close(live->lock);
}

static bool same_key(const struct mh_change *a, const struct mh_change *b)
{
    return a->name_len == b->name_len && a->key_len == b->key_len &&
           !memcmp(a->name, b->name, a->name_len) && !memcmp(a->key, b->key, a->key_len);
}

/* Adds the line unless one of the words behind it says the same key. */
static void add_line(struct mh_buf *b, const struct mh_change *line, char *const *words, size_t n)
{
    struct mh_change later;

    for (size_t i = 0; i < n; i++)
        if (mh_change_next(words[i], &later) && same_key(line, &later))
            return;
    mh_buf_add_n(b, line->name, (size_t)(line->value - line->name) + line->value_len);
    mh_buf_add_char(b, '\n');
}

int mh_live_changes(const struct mh_control *c, char *const *words, size_t n, char **ret)
{
    struct mh_change change;
    char text[MH_CONTROL_TEXT] = "";
    struct mh_buf b = {text, sizeof(text), 0, false};

    for (const char *p = c->changes; (p = mh_change_next(p, &change));)
        add_line(&b, &change, words, n);
    for (size_t i = 0; i < n; i++)
        if (mh_change_next(words[i], &change))
            add_line(&b, &change, words + i + 1, n - i - 1);
    if (b.cut) {
        mh_log("too many changes: together they may have %d bytes", MH_CONTROL_TEXT - 1);
        return MH_EXIT_MISUSE;
    }
    *ret = strdup(text);
    return *ret ? MH_EXIT_OK : (mh_log_errno(-ENOMEM, "Cannot change the run"), MH_EXIT_TROUBLE);
}

bool mh_live_is_changed(const char *changes, const char *fault)
{
    struct mh_change change;

    for (const char *p = changes; (p = mh_change_next(p, &change));)
        if (strlen(fault) == change.name_len && !memcmp(fault, change.name, change.name_len))
            return true;
    return false;
}

/* Is what the files say now what the run was started with, as far as faults go by their place? */
static bool same_faults(const struct mh_control *c, const struct mh_rules *rules)
{
    bool same = c->nfaults == rules->nfaults;

    for (unsigned i = 0; same && i < c->nfaults; i++)
        same = !strcmp(c->names[i], rules->faults[i].name);
    return same;
}

static bool unix_peer(const struct mh_fault *f)
{
    for (unsigned i = 0; i < f->npeers; i++)
        if (f->peers[i].family == AF_UNIX)
            return true;
    return false;
}

/* Connections and files know since they were made which operations concern them: where a fault
 * applies can become narrower in a run, and wide again, but never wider than the scenario says. */
static int check_where(const struct mh_fault *before, const struct mh_fault *after)
{
    const struct {
        const char *key;
        bool wider;
    } rows[] = {
        {"peer", memcmp(before->peers, after->peers, sizeof(before->peers)) != 0 &&
                     (before->npeers || unix_peer(after))},
        {"path", memcmp(before->paths, after->paths, sizeof(before->paths)) != 0 && before->npaths},
        {"side", before->side != after->side && before->side != MH_SIDE_any},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (rows[i].wider) {
            mh_log(
                "'%s' of '%s' cannot be changed in a run: the scenario limits it, and connections "
                "and files know since they were made what concerns them; switch faults on and off "
                "instead",
                rows[i].key, after->name);
            return MH_EXIT_MISUSE;
        }
    return MH_EXIT_OK;
}

/* The same of operations. */
static int check_ops(const struct mh_rules *before, const struct mh_rules *after)
{
    for (unsigned i = 0; i < after->nfaults; i++) {
        uint64_t more = after->faults[i].ops & ~before->faults[i].ops;

        for (unsigned op = 1; op < MH_OP_COUNT; op++)
            if (more & MH_OP_BIT(op)) {
                mh_log("with that '%s' would also happen to %s, which cannot be changed in a run",
                       after->faults[i].name, mh_op_rows[op].name);
                return MH_EXIT_MISUSE;
            }
    }
    return MH_EXIT_OK;
}

int mh_live_rules_load(const struct mh_control *c, const char *changes, struct mh_rules **ret)
{
    _cleanup_free_ struct mh_rules *before = calloc(1, sizeof(*before)),
                                   *after = calloc(1, sizeof(*after));
    _cleanup_free_ struct mh_mistakes *mistakes = calloc(1, sizeof(*mistakes));
    int status;

    if (!before || !after || !mistakes)
        return mh_log_errno(-ENOMEM, "Cannot change the run"), MH_EXIT_TROUBLE;
    if (!c->config[0] || mh_rules_load(c->config, before, mistakes) < 0) {
        mh_log("the scenario that the run was started with cannot be read here%s%s: only switches "
               "can be changed",
               mistakes->n ? ", " : "", mistakes->n ? mistakes->at[0].file : "");
        return MH_EXIT_TROUBLE;
    }
    if (!same_faults(c, before)) {
        mh_log("the scenario has other faults than when the run began: only switches can be "
               "changed");
        return MH_EXIT_TROUBLE;
    }
    if (mh_rules_load_changed(c->config, changes, after, mistakes) < 0) {
        for (size_t i = 0; i < MH_MIN(mistakes->n, ARRAY_SIZE(mistakes->at)); i++)
            mh_log("%s", mistakes->at[i].text);
        return MH_EXIT_MISUSE;
    }
    status = check_ops(before, after);
    for (unsigned i = 0; i < after->nfaults && !status; i++)
        status = check_where(&before->faults[i], &after->faults[i]);
    if (!status)
        *ret = mh_steal(after);
    return status;
}
