/* SPDX-License-Identifier: Apache-2.0 */
/* Directory, scenarios and names for a process that runs; see settings.h. */
#include "attach/settings.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macros.h"
#include "cmd.h"
#include "control/attach.h"
#include "control/control.h"
#include "log.h"
#include "run/manifest.h"

#include "base/banned.h"

static int no_memory(void)
{
    mh_log_errno(-ENOMEM, "Cannot attach");
    return MH_EXIT_TROUBLE;
}

/* mkdir -p */
static int make_directory(char *path)
{
    for (char *p = path + 1; *p; p++)
        if (*p == '/') {
            *p = '\0';
            mkdir(path, 0777);
            *p = '/';
        }
    return mkdir(path, 0777) < 0 && errno != EEXIST ? -errno : 0;
}

/* Among the files that the process sees. */
static int directory_there(const struct mh_target *t, const char *name,
                           struct mh_settings_place *ret)
{
    int r;

    if (name && *name != '/') {
        mh_log("process %d sees other files than this command: give an absolute directory of its "
               "own",
               (int)t->pid);
        return MH_EXIT_MISUSE;
    }
    if (name)
        ret->there = strdup(name);
    else if (asprintf(&ret->there, "/tmp/mishap-out/%lld-%d", (long long)time(NULL), (int)t->pid) <
             0)
        ret->there = NULL;
    ret->here = ret->there ? mh_target_path(t, ret->there) : NULL;
    if (!ret->here)
        return no_memory();
    r = make_directory(ret->here);
    if (r)
        mh_log_errno(r, "Cannot use the directory '%s'", ret->here);
    return r ? MH_EXIT_MISUSE : MH_EXIT_OK;
}

int mh_settings_directory(const struct mh_target *t, struct mh_plan *plan, const char *name,
                          struct mh_settings_place *ret)
{
    _cleanup_free_ char *cwd = getcwd(NULL, 0);
    bool same = cwd && mh_target_sees(t, cwd);
    int status;

    *ret = (struct mh_settings_place){NULL, NULL};
    if (!same)
        status = directory_there(t, name, ret);
    else
        status = mh_plan_directory(plan, name);
    if (status)
        return status;
    if (same) {
        ret->there = strdup(plan->dir);
        ret->here = strdup(plan->dir);
        if (!ret->there || !ret->here)
            return no_memory();
    }
    /* what it writes is its own; we write nothing there once it has begun */
    if (!geteuid() && t->uid && chown(ret->here, t->uid, t->gid) < 0)
        return mh_log_errno(-errno, "Cannot give '%s' to uid %u", ret->here, t->uid),
               MH_EXIT_TROUBLE;
    return MH_EXIT_OK;
}

void mh_settings_place_done(struct mh_settings_place *place)
{
    free(place->there);
    free(place->here);
    *place = (struct mh_settings_place){NULL, NULL};
}

/* Can the process read every scenario where we found it? */
static bool can_read_all(const struct mh_target *t, const char *config)
{
    for (const char *p = config; *p;) {
        size_t n = strcspn(p, ":");
        _cleanup_free_ char *path = strndup(p, n);

        if (!path || geteuid() != t->uid || !mh_target_sees(t, path))
            return false;
        p += n + (p[n] == ':');
    }
    return true;
}

/* Copies beside its recording, for one that cannot. */
static int copy_all(const char *config, const struct mh_settings_place *place, struct mh_buf *b)
{
    json_t *names = mh_manifest_scenarios(config, place->here), *name;
    size_t i;

    if (!names) {
        mh_log("cannot copy the scenarios to '%s'", place->here);
        return MH_EXIT_TROUBLE;
    }
    json_array_foreach(names, i, name)
    {
        _cleanup_free_ char *path = NULL;

        if (asprintf(&path, "%s/%s", place->here, json_string_value(name)) < 0) {
            path = NULL;
            continue;
        }
        chmod(path, 0644);
        mh_buf_add(b, i ? ":" : "");
        mh_buf_add(b, place->there);
        mh_buf_add(b, "/");
        mh_buf_add(b, json_string_value(name));
    }
    json_decref(names);
    return MH_EXIT_OK;
}

/* What a name of the scenario stands for: connections are there that nobody will ask a name for. */
static void add_name(const char *name, struct mh_buf *b)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *list = NULL;

    if (getaddrinfo(name, NULL, &hints, &list))
        return;
    for (const struct addrinfo *a = list; a; a = a->ai_next) {
        char address[INET6_ADDRSTRLEN] = "";

        if (getnameinfo(a->ai_addr, a->ai_addrlen, address, sizeof(address), NULL, 0,
                        NI_NUMERICHOST))
            continue;
        mh_buf_add(b, "name=");
        mh_buf_add(b, name);
        mh_buf_add(b, " ");
        mh_buf_add(b, address);
        mh_buf_add(b, "\n");
    }
    freeaddrinfo(list);
}

static void add_names(const struct mh_rules *rules, struct mh_buf *b)
{
    for (unsigned i = 0; rules && i < rules->nfaults; i++)
        for (unsigned k = 0; k < rules->faults[i].npeers; k++) {
            const struct mh_peer_pattern *p = &rules->faults[i].peers[k];

            if (!p->family && p->name[0] && !strpbrk(p->name, "*?["))
                add_name(p->name, b);
        }
}

int mh_settings_make(const struct mh_target *t, const struct mh_plan *plan,
                     const struct mh_settings_place *place, const char *seed, bool any, char **ret)
{
    _cleanup_free_ char *text = malloc(MH_ATTACH_TEXT);
    struct mh_buf b;
    int status = MH_EXIT_OK;

    if (!text)
        return no_memory();
    b = mh_buf_over(text, MH_ATTACH_TEXT);
    mh_buf_add(&b, "version=");
    mh_buf_add_int(&b, MH_CONTROL_VERSION);
    mh_buf_add(&b, "\nout=");
    mh_buf_add(&b, place->there);
    if (plan->config) {
        mh_buf_add(&b, "\nconfig=");
        if (can_read_all(t, plan->config))
            mh_buf_add(&b, plan->config);
        else
            status = copy_all(plan->config, place, &b);
    }
    if (plan->library && mh_target_sees(t, plan->library)) {
        mh_buf_add(&b, "\nlibrary=");
        mh_buf_add(&b, plan->library);
    }
    if (seed) {
        mh_buf_add(&b, "\nseed=");
        mh_buf_add(&b, seed);
    }
    mh_buf_add(&b, any ? "\nany=1\n" : "\n");
    add_names(plan->rules, &b);
    if (!status && b.cut) {
        mh_log("too many scenarios, or too many names in them");
        status = MH_EXIT_MISUSE;
    }
    *ret = status ? NULL : mh_steal(text);
    return status;
}
