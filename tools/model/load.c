/* SPDX-License-Identifier: Apache-2.0 */
/* Finds recordings, reads them all and settles the model; see model.h. */
#include "model/load.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/macros.h"
#include "model/site.h"
#include "model/skim.h"

#include "base/banned.h"

enum {
    MAX_DEPTH = 16,
    KEEP = 400000,      /* routine records of a time when all went well, in all recordings, */
    KEEP_LEAST = 20000, /* and in each */
    RECORD = 64,        /* bytes of a record, at least */
};

struct found {
    char *path;
    bool baseline;
    off_t size;
};
struct recordings {
    MH_VEC(struct found) list;
    struct mh_skim skim;
};

static int skip(struct mh_model *m, const char *path, int err)
{
    const char *why = err == -EPROTONOSUPPORT ? "of a newer format or another byte order"
                      : err == -EBADMSG       ? "not a recording, or damaged at its head"
                                              : strerror(-err);
    char line[1024];
    int n = snprintf(line, sizeof(line), "%s: %s", path, why);
    int64_t text = mh_texts_add(&m->texts, line, (size_t)MH_MIN(n, (int)sizeof(line) - 1));
    uint32_t *slot = mh_vec_add(&m->skipped);

    if (text < 0 || !slot)
        return -ENOMEM;
    *slot = (uint32_t)text;
    return 0;
}

static int found_add(struct recordings *all, const char *path, bool baseline, off_t size)
{
    struct found *f = mh_vec_add(&all->list);

    if (!f)
        return -ENOMEM;
    *f = (struct found){strdup(path), baseline, size};
    return f->path ? 0 : -ENOMEM;
}

/* Is any recording larger than what is kept? Then all are asked when something happened. */
static int prepare(struct recordings *all, uint64_t keep)
{
    uint64_t edge = keep ? keep : MH_MAX(KEEP / MH_MAX(all->list.n, 1u), (uint64_t)KEEP_LEAST);
    bool large = false;
    int r = 0;

    for (size_t i = 0; i < all->list.n; i++)
        large = large || (uint64_t)all->list.v[i].size > edge * RECORD;
    for (size_t i = 0; large && i < all->list.n && !r; i++)
        r = mh_skim_learn(&all->skim, all->list.v[i].path);
    mh_skim_settle(&all->skim);
    all->skim.edge = large ? edge : 0;
    return r;
}

static int read_all(struct mh_model *m, struct recordings *all)
{
    int r = 0;

    for (size_t i = 0; i < all->list.n && !r; i++) {
        const struct found *f = &all->list.v[i];

        r = mh_model_read(m, f->path, f->baseline, &all->skim);
        if (r && r != -ENOMEM)
            r = skip(m, f->path, r);
    }
    return r;
}

static void recordings_done(struct recordings *all)
{
    for (size_t i = 0; i < all->list.n; i++)
        free(all->list.v[i].path);
    free(all->list.v);
    mh_skim_done(&all->skim);
}

static int wanted(const struct dirent *e)
{
    size_t n = strlen(e->d_name);

    if (e->d_name[0] == '.')
        return 0;
    return e->d_type == DT_DIR || e->d_type == DT_UNKNOWN || e->d_type == DT_LNK ||
           (n > 4 && !strcmp(e->d_name + n - 4, ".mhr"));
}

static int walk(struct recordings *all, const char *path, bool baseline, bool named, int depth)
{
    struct dirent **entries;
    size_t len = strlen(path);
    struct stat st;
    int n, r = 0;

    if (stat(path, &st) < 0)
        return named ? -errno : 0;
    if (!S_ISDIR(st.st_mode)) {
        if (!named && (len < 4 || strcmp(path + len - 4, ".mhr")))
            return 0;
        return found_add(all, path, baseline, st.st_size);
    }
    if (depth > MAX_DEPTH)
        return 0;
    n = scandir(path, &entries, wanted, alphasort);
    if (n < 0)
        return named ? -errno : 0;
    for (int i = 0; i < n; i++) {
        char *name = NULL;

        if (!r && asprintf(&name, "%s/%s", path, entries[i]->d_name) < 0)
            r = -ENOMEM;
        else if (!r) {
            r = walk(all, name, baseline, false, depth + 1);
            free(name);
        }
        free(entries[i]);
    }
    free(entries);
    return r;
}

/* "PEER=role": the user's word on what a peer is for. */
static void give_roles(struct mh_model *m, const char *const *roles)
{
    for (; roles && *roles; roles++) {
        const char *equals = strrchr(*roles, '=');
        enum mh_role role = equals ? mh_role_named(equals + 1) : MH_ROLE_COUNT;

        for (size_t i = 0; i < m->peers.n && role != MH_ROLE_COUNT; i++) {
            const char *name = mh_model_text(m, m->peers.v[i].name);
            size_t n = (size_t)(equals - *roles);

            if (!strncmp(name, *roles, n) && (!name[n] || name[n] == ':')) {
                m->peers.v[i].role = role;
                m->peers.v[i].role_given = true;
            }
        }
    }
}

/* How a command ended is the status of its one unit of work. */
static void command_status(const struct mh_model *m, const struct mh_process *p, struct mh_unit *u)
{
    /* whatever it says when it was told to end: an interpreter that is interrupted exits with 1 */
    bool told = m->child_stopped && m->stops.n && p->last >= m->stops.v[0].at;

    u->open = false;
    if ((p->exited || p->complete) && !(told && p->exit_status > 0))
        u->status = p->exit_status > 0 ? 500 : 200;
    else if (m->child_stopped || (m->supervised && m->child_status == INT32_MIN))
        u->how = 1;
    else
        u->how = 2;
}

/* The word at *at without the folders of a path; *at moves to the next one. */
static int word(const char **at, const char **ret)
{
    const char *from = *at, *end = from + strcspn(from, " ");

    *at = end + strspn(end, " ");
    for (const char *p = from; p < end; p++)
        if (*p == '/')
            from = p + 1;
    *ret = from;
    return (int)(end - from);
}

/* What was run, without where it lies and with what arguments: "run sums.py", "run -m shop". */
static int name_run(const char *command, char *ret, size_t size)
{
    const char *at = command, *program, *what;
    int n = word(&at, &program), k;

    if (n < 6 || strncmp(program, "python", 6) || !*at)
        return snprintf(ret, size, "run%s%.*s", n ? " " : "", n, program);
    while (*at == '-' && strncmp(at, "-m ", 3) && strncmp(at, "-c", 2))
        word(&at, &what);
    if (!*at || !strncmp(at, "-c", 2))
        return snprintf(ret, size, "run %.*s%s", n, program, *at ? " -c" : "");
    k = *at == '-' ? word(&at, &what) : 0;
    n = word(&at, &what);
    return snprintf(ret, size, "run %s%.*s", k ? "-m " : "", n, what);
}

/* In a run without any server each process is one unit of work: the run of a command. */
static int add_commands(struct mh_model *m)
{
    if (m->child_never_ready) /* a server it would have been */
        return 0;
    for (size_t i = 0; i < m->processes.n; i++)
        if (m->processes.v[i].nunits || m->processes.v[i].listening)
            return 0;
    for (size_t i = 0; i < m->processes.n; i++) {
        struct mh_process *p = &m->processes.v[i];
        const char *command = mh_model_text(m, p->command);
        char name[160];
        int64_t route, text;
        struct mh_unit *u;
        int n;

        if (!p->recorded || !p->python || p->attached) /* nobody saw it begin */
            continue;
        n = snprintf(name, sizeof(name), "run %.150s", command);
        n = MH_MIN(n, (int)sizeof(name) - 1);
        text = mh_texts_add(&m->texts, name, (size_t)n);
        n = name_run(command, name, sizeof(name));
        route = mh_model_add_route(m, name, (size_t)MH_MIN(n, (int)sizeof(name) - 1));
        p->first_unit = m->units.n;
        u = mh_vec_add(&m->units);
        if (route < 0 || text < 0 || !u)
            return -ENOMEM;
        *u = (struct mh_unit){.process = (uint32_t)i,
                              .route = (uint32_t)route,
                              .path = (uint32_t)text,
                              .begun = p->started,
                              .ended = p->last,
                              .latency = p->last - p->started,
                              .retry_after = -1,
                              .kind = MH_UNIT_command,
                              .command = true};
        command_status(m, p, u);
        p->nunits = 1;
        p->command_run = true;
    }
    return 0;
}

static int load_all(struct mh_model *m, const char *const *dirs, size_t n,
                    const struct mh_model_options *options)
{
    struct recordings all = {0};
    int r = 0;

    for (size_t i = 0; options && i < options->nbaselines && !r; i++)
        r = walk(&all, options->baselines[i], true, true, 0);
    for (size_t i = 0; i < n && !r; i++)
        r = walk(&all, dirs[i], false, true, 0);
    if (!r)
        r = prepare(&all, options ? options->keep : 0);
    if (!r)
        r = read_all(m, &all);
    recordings_done(&all);
    if (r)
        return r;
    if (!m->files)
        return m->skipped.n ? -EBADMSG : -ENOENT;
    if (options)
        give_roles(m, options->roles);
    r = add_commands(m);
    if (!r)
        r = mh_routes_settle(m);
    if (!r)
        r = mh_model_attribute(m);
    if (!r && m->sealed)
        r = mh_units_name(m);
    if (!r)
        r = mh_sites_lend(m);
    return r ? r : mh_model_settle(m);
}

int mh_model_load(const char *const *dirs, size_t n, const struct mh_model_options *options,
                  struct mh_model **ret)
{
    struct mh_model *m = calloc(1, sizeof(*m));
    int r;

    if (!m)
        return -ENOMEM;
    m->child_status = INT32_MIN;
    m->supervised = options && options->supervised;
    r = load_all(m, dirs, n, options);
    if (r) {
        mh_model_free(m);
        return r;
    }
    *ret = m;
    return 0;
}

struct mh_model *mh_model_free(struct mh_model *m)
{
    if (!m)
        return NULL;
    for (size_t i = 0; i < m->peers.n; i++)
        free(m->peers.v[i].latencies.v);
    for (size_t i = 0; i < m->phases.n; i++)
        free(m->phases.v[i].faults.v);
    mh_texts_done(&m->texts);
    free(m->processes.v);
    free(m->frames.v);
    free(m->stacks.v);
    free(m->sites.v);
    free(m->peers.v);
    free(m->routes.v);
    free(m->paths.v);
    free(m->spent.v);
    free(m->timers.v);
    free(m->tasks.v);
    free(m->units.v);
    free(m->acts.v);
    free(m->ops.v);
    free(m->pieces.v);
    free(m->steps.v);
    free(m->locked.v);
    free(m->clocks.v);
    free(m->moves.v);
    free(m->conns.v);
    free(m->faults.v);
    free(m->phases.v);
    free(m->by_unit.v);
    free(m->scenario.v);
    free(m->notes.v);
    free(m->listeners.v);
    free(m->stops.v);
    free(m->skipped.v);
    free(m->kernel.calls.v);
    free(m->kernel.ends.v);
    free(m->kernel.signals.v);
    mh_map_done(&m->kernel.hooked);
    mh_map_done(&m->stack_keys);
    mh_map_done(&m->site_keys);
    mh_map_done(&m->peer_keys);
    mh_map_done(&m->route_keys);
    mh_map_done(&m->path_keys);
    free(m);
    return NULL;
}
