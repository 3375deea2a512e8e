/* SPDX-License-Identifier: Apache-2.0 */
/* What an application talks to, as a clean run shows it, turned into phases of faults; see
 * compose.h. One row a shape: what is written is the ordinary language, for a user to keep. */
#include "compose.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "cmd.h"
#include "judge.h"
#include "log.h"
#include "model/model.h"
#include "report/doc.h"

#include "base/banned.h"

enum { MOST_PEERS = 6, MOST_WORDS = 12, LONGEST_WORD = 90, BUSY_CALLS = 30 };

#define SECOND INT64_C(1000000000)

/* %s in a body is the peer; %u spreads the hits of a one-shot fault over the calls. */
struct shape {
    const char *name;
    bool full; /* only in the full plan */
    bool one_shot;
    const char *call, *what; /* keys of the fault, after `peer` */
    const char *too_call, *too;
};

/* The first ones matter most: they are what the quick plan has. */
static const struct shape peer_shapes[] = {
    {"reset", false, true, "recv", "side = client\nreset = yes\n", NULL, NULL},
    {"slow", false, false, "recv", "side = client\ndelay = normal 400ms 100ms\n", NULL, NULL},
    {"refused", false, false, "connect", "error = ECONNREFUSED\n", "recv",
     "side = client\nreset = yes\n"},
    {"hung", false, false, "recv", "side = client\nhang = yes\n", NULL, NULL},
    {"unsent", true, true, "send", "side = client\nerror = EPIPE\n", NULL, NULL},
    {"timed-out", true, true, "recv", "side = client\nerror = ETIMEDOUT\n", NULL, NULL},
    {"gone", true, false, "send", "side = client\nblackhole = yes\n", NULL, NULL},
    {"drip", true, false, "recv", "side = client\nrate = 1KiB/s\n", NULL, NULL},
};

struct words {
    char v[MOST_WORDS][LONGEST_WORD];
    size_t n;
};

struct composer {
    const struct mh_compose *how;
    const struct mh_model *m;
    const struct mh_peer_seen *peers[MOST_PEERS];
    size_t npeers;
    struct words names, paths; /* names looked up, directories written to */
    struct words tasks;        /* that ran in children of a pool, who can be replaced */
    unsigned serving;          /* processes that answered requests */
    int door_fd;               /* the lowest descriptor that one of them got by accept(); 0 none */
    FILE *phases, *faults, *left_out;
    char slug[24];
    int64_t unit;
    unsigned nphases, faulty; /* phases; those of them with faults */
    char unix_name[LONGEST_WORD];
};

static void add_word(struct words *w, const char *word)
{
    for (size_t i = 0; i < w->n; i++)
        if (!strcmp(w->v[i], word))
            return;
    if (w->n < MOST_WORDS && *word && strlen(word) < LONGEST_WORD && !strpbrk(word, " \t;#,?[]"))
        snprintf(w->v[w->n++], LONGEST_WORD, "%s", word);
}

bool mh_compose_peer_named(const char *name)
{
    const char *colon = strrchr(name, ':');

    if (strlen(name) >= LONGEST_WORD || strpbrk(name, " \t;#,"))
        return false;
    return !strncmp(name, "unix:/", 6) || (colon && colon != name && isdigit(colon[1]));
}

/* The peer as the language names it. */
static const char *name_of(struct composer *c, const struct mh_peer_seen *p)
{
    const char *name = mh_model_text(c->m, p->name);

    if (*name != '/' || strlen(name) >= LONGEST_WORD - strlen("unix:"))
        return name;
    snprintf(c->unix_name, sizeof(c->unix_name), "unix:%s", name);
    return c->unix_name;
}

static int by_calls(const void *a, const void *b)
{
    const struct mh_peer_seen *const *x = a, *const *y = b;

    return (*x)->calls < (*y)->calls ? 1 : (*x)->calls > (*y)->calls ? -1 : 0;
}

static int rank_peers(struct composer *c)
{
    const struct mh_model *m = c->m;
    _cleanup_free_ const struct mh_peer_seen **all = calloc(m->peers.n + 1, sizeof(*all));
    size_t n = 0;

    if (!all)
        return -ENOMEM;
    for (size_t i = 0; i < m->peers.n; i++)
        if (m->peers.v[i].calls)
            all[n++] = &m->peers.v[i];
    qsort(all, n, sizeof(*all), by_calls);
    for (size_t i = 0; i < n; i++) {
        const char *name = name_of(c, all[i]);

        if (name == c->unix_name && all[i]->failures >= all[i]->calls)
            fprintf(c->left_out, "%s: nobody answered there in the clean run\n", name);
        else if (!mh_compose_peer_named(name))
            fprintf(c->left_out, "%s: a scenario cannot name this peer\n", name);
        else if (c->npeers == MOST_PEERS)
            fprintf(c->left_out, "%s: %d peers are called more often\n", name, MOST_PEERS);
        else
            c->peers[c->npeers++] = all[i];
    }
    return 0;
}

void mh_compose_unmask(char *path)
{
    char *to = path;

    for (const char *p = path; *p; p++) {
        const char *end = *p == '{' ? strchr(p, '}') : NULL;

        *to++ = *p;
        if (end) {
            to[-1] = '*';
            p = end;
        }
    }
    *to = 0;
}

static bool answered(const struct mh_model *m, const struct mh_process *p)
{
    for (uint32_t i = 0; i < p->nunits; i++)
        if (m->units.v[p->first_unit + i].kind == MH_UNIT_request)
            return true;
    return false;
}

static void look_at_acts(struct composer *c)
{
    const struct mh_model *m = c->m;
    unsigned char address[16];
    char directory[512];

    for (size_t i = 0; i < m->acts.n; i++) {
        const struct mh_act *a = &m->acts.v[i];

        if (a->kind == MH_ACT_dns) {
            const char *name = mh_model_text(m, a->dns.name);

            if (inet_pton(AF_INET, name, address) != 1 && inet_pton(AF_INET6, name, address) != 1)
                add_word(&c->names, name);
        } else if (a->kind == MH_ACT_file && a->file.path) {
            const char *path = mh_model_text(m, a->file.path), *slash = strrchr(path, '/');

            if (!slash || slash == path || !strncmp(path, "/dev/", 5) ||
                !strncmp(path, "/proc/", 6) || strstr(path, "/__pycache__/"))
                continue;
            snprintf(directory, sizeof(directory), "%.*s", (int)(slash - path), path);
            mh_compose_unmask(directory);
            add_word(&c->paths, directory);
        }
    }
    for (size_t i = 0; i < m->units.n; i++) {
        const struct mh_unit *u = &m->units.v[i];

        if (u->task_run && m->processes.v[u->process].forked)
            add_word(&c->tasks, mh_model_text(m, m->tasks.v[u->task_run - 1].name));
    }
    for (size_t i = 0; i < m->processes.n; i++) {
        const struct mh_process *p = &m->processes.v[i];

        if (!answered(m, p))
            continue;
        c->serving++;
        if (p->door_fd && (!c->door_fd || p->door_fd < c->door_fd))
            c->door_fd = p->door_fd;
    }
}

/* A short name for the peer that no other one has. */
static void name_slug(struct composer *c, size_t peer)
{
    const char *name = name_of(c, c->peers[peer]);
    size_t n = 0;

    for (; *name && n < 16; name++)
        if (isalnum((unsigned char)*name))
            c->slug[n++] = (char)tolower((unsigned char)*name);
        else if (n && c->slug[n - 1] != '-')
            c->slug[n++] = '-';
    while (n && c->slug[n - 1] == '-')
        n--;
    snprintf(c->slug + n, sizeof(c->slug) - n, "-%zu", peer + 1);
}

static void add_phase(struct composer *c, const char *name, const char *of, const char *faults,
                      unsigned units)
{
    fprintf(c->phases, "\n[phase %s%s]\nfor = %" PRId64 "ms\n", name, of,
            units * c->unit / 1000000);
    if (faults)
        fprintf(c->phases, "faults = %s\n", faults);
    c->faulty += faults != NULL;
    c->nphases += units;
}

static void add_peer_shape(struct composer *c, const struct shape *s, size_t peer)
{
    const char *name = name_of(c, c->peers[peer]);
    char of[32], both[160];

    snprintf(of, sizeof(of), "-%s", c->slug);
    snprintf(both, sizeof(both), s->too ? "%s%s drop%s" : "%s%s", s->name, of, of);
    add_phase(c, s->name, of, both, 1);
    fprintf(c->faults, "\n[fault %s%s]\ncall = %s\npeer = %s\n%s", s->name, of, s->call, name,
            s->what);
    if (s->one_shot)
        fprintf(c->faults, "every = %d\ncount = 3\n", c->peers[peer]->calls >= BUSY_CALLS ? 5 : 1);
    if (s->too)
        fprintf(c->faults, "\n[fault drop%s]\ncall = %s\npeer = %s\n%s", of, s->too_call, name,
                s->too);
}

static void add_list(FILE *out, const char *key, const struct words *w, const char *suffix)
{
    for (size_t i = 0; i < w->n; i++)
        fprintf(out, "%s%s%s\n", i ? "  " : key, w->v[i], suffix);
}

static void add_peers(struct composer *c)
{
    for (size_t i = 0; i < c->npeers; i++) {
        name_slug(c, i);
        for (size_t k = 0; k < ARRAY_SIZE(peer_shapes); k++)
            if (c->how->full || !peer_shapes[k].full)
                add_peer_shape(c, &peer_shapes[k], i);
        add_phase(c, "after-", c->slug, NULL, 1);
    }
    if (!c->npeers)
        fprintf(c->left_out, "peers: the clean run called nobody\n");
}

static void add_files(struct composer *c)
{
    if (!c->paths.n) {
        fprintf(c->left_out, "full disk: the clean run opened no file for writing\n");
        return;
    }
    add_phase(c, "disk-full", "", "disk-full", 1);
    fputs("\n[fault disk-full]\ncall = write fsync\nerror = ENOSPC\n", c->faults);
    add_list(c->faults, "path = ", &c->paths, "/*");
    if (!c->how->full)
        return;
    add_phase(c, "disk-slow", "", "disk-slow", 1);
    fputs("\n[fault disk-slow]\ncall = write fsync\ndelay = uniform 20ms 200ms\n", c->faults);
    add_list(c->faults, "path = ", &c->paths, "/*");
}

/* First of all, as what becomes of a lost task may take two minutes to be seen. Its child dies when
 * something has been done already: it waits for an answer, or writes. */
static void add_lost_tasks(struct composer *c)
{
    if (!c->how->full || !c->tasks.n)
        return;
    add_phase(c, "lost-task", "", "lost-task", 1);
    fputs("\n[fault lost-task]\ncall = recv write\nskip = 2\nevery = 7\ncount = 3\nper = run\n"
          "kill = SIGKILL\n",
          c->faults);
    for (size_t i = 0; i < c->tasks.n; i++)
        fprintf(c->faults, "%s%s%s", i ? "" : "operation = ", c->tasks.v[i],
                i + 1 < c->tasks.n ? ", " : "\n");
    /* a broker in trouble could not give them back */
    add_phase(c, "after-", "lost-task", NULL, 1);
}

static void add_rest(struct composer *c)
{
    if (!c->how->full) {
        fputs("names, descriptors, loss of a worker: only --plan full does that\n", c->left_out);
        return;
    }
    if (c->names.n) {
        add_phase(c, "no-names", "", "no-names", 1);
        fputs("\n[fault no-names]\ncall = dns\ndelay = 1s\nerror = EAI_AGAIN\n", c->faults);
        add_list(c->faults, "peer = ", &c->names, "");
    } else {
        fputs("name lookups: the clean run looked up no name\n", c->left_out);
    }
    if (c->door_fd) {
        add_phase(c, "no-descriptors", "", "no-descriptors", 1);
        /* A budget, not an error: whoever closes one, as libuv does, has room again. */
        fprintf(c->faults, "\n[fault no-descriptors]\ncall = accept\nfds = %d\n", c->door_fd);
    } else {
        fputs("lack of descriptors: no inbound request was seen\n", c->left_out);
    }
    if (c->serving >= 2) {
        add_phase(c, "lost-worker", "", "lost-worker", 1);
        fputs("\n[fault lost-worker]\ncall = recv\nside = server\nevery = 10\ncount = 1\n"
              "per = run\nkill = SIGKILL\n",
              c->faults);
    } else if (!c->tasks.n) {
        fputs("loss of a worker: fewer than two processes answered requests, and no child of a "
              "pool ran a task\n",
              c->left_out);
    }
    fputs("memory and threads: how much is tight cannot be told from a clean run\n", c->left_out);
}

/* How many phases a plan for so many peers has, the calm ones counted as often as they are long. */
static unsigned count_phases(const struct composer *c, size_t npeers)
{
    unsigned each = 1, rest = 3 + !!c->paths.n;

    for (size_t k = 0; k < ARRAY_SIZE(peer_shapes); k++)
        each += c->how->full || !peer_shapes[k].full;
    if (c->how->full)
        rest += !!c->paths.n + !!c->names.n + !!c->door_fd + 2 * !!c->tasks.n + (c->serving >= 2);
    return each * (unsigned)npeers + rest;
}

/* How long a phase lasts. Peers that are called least give way when the time is too short. */
static void size_phases(struct composer *c)
{
    int64_t all = c->how->for_ns;

    while (all && c->npeers > 1 && all / count_phases(c, c->npeers) < SECOND) {
        c->npeers--;
        fprintf(c->left_out, "%s: --for is too short for so many peers\n",
                mh_model_text(c->m, c->peers[c->npeers]->name));
    }
    if (all)
        c->unit = all / count_phases(c, c->npeers);
    else if (c->how->full)
        c->unit = 15 * SECOND;
    else
        c->unit = MH_MAX(2 * SECOND, MH_MIN(6 * SECOND, 60 * SECOND / count_phases(c, c->npeers)));
    c->unit = MH_MAX(c->unit, SECOND / 10);
}

static int put(struct composer *c, const char *phases, const char *faults)
{
    FILE *f = fopen(c->how->path, "we");
    int r;

    if (!f)
        return -errno;
    fprintf(f,
            "# Composed from a clean run by `mishap run --plan %s`; edit it, and run it with -c.\n"
            "[run]\nstop_after = %" PRId64 "s\n%s%s",
            c->how->name, c->nphases * c->unit / SECOND + 60, phases, faults);
    r = ferror(f) ? -EIO : 0;
    return fclose(f) ? -errno : r;
}

static int compose(struct composer *c)
{
    _cleanup_free_ char *phases = NULL, *faults = NULL;
    size_t n[2];
    int r = rank_peers(c);

    c->phases = open_memstream(&phases, &n[0]);
    c->faults = open_memstream(&faults, &n[1]);
    if (c->phases && c->faults && !r) {
        look_at_acts(c);
        size_phases(c);
        add_phase(c, "calm", "", NULL, 1);
        add_lost_tasks(c);
        add_peers(c);
        add_files(c);
        add_rest(c);
        add_phase(c, "recovery", "", NULL, 2);
    } else {
        r = -ENOMEM;
    }
    if (c->phases && fclose(c->phases))
        r = -ENOMEM;
    if (c->faults && fclose(c->faults))
        r = -ENOMEM;
    return r ? r : put(c, phases, faults);
}

int mh_compose(const struct mh_compose *how, struct mh_composed *ret)
{
    const char *dirs[] = {how->clean};
    struct mh_model *m = NULL;
    struct composer c = {.how = how};
    size_t n;
    int r = mh_model_load(dirs, 1, NULL, &m);

    *ret = (struct mh_composed){0};
    if (r < 0) {
        mh_log("the clean run recorded nothing, so no plan can be made: is COMMAND a Python "
               "program? See `mishap doctor`");
        return MH_EXIT_TROUBLE;
    }
    c.m = m;
    c.left_out = open_memstream(&ret->left_out, &n);
    r = c.left_out ? compose(&c) : -ENOMEM;
    if (c.left_out && fclose(c.left_out))
        r = -ENOMEM;
    ret->for_ns = c.nphases * c.unit;
    ret->nphases = c.nphases;
    ret->faulty = c.faulty;
    ret->ends = !m->child_stopped && m->child_status == 0;
    mh_model_free(m);
    if (r < 0)
        return mh_log_errno(r, "Cannot compose '%s'", how->path), MH_EXIT_TROUBLE;
    return MH_EXIT_OK;
}

void mh_compose_tell(const struct mh_composed *c, const char *report)
{
    json_t *document = NULL;
    const json_t *one;
    size_t i;

    printf("\nNot exercised, and why\n");
    for (const char *p = c->left_out; p && *p;) {
        size_t n = strcspn(p, "\n");

        printf("  %.*s\n", (int)n, p);
        p += n + !!p[n];
    }
    if (mh_judge_load(report, &document))
        return;
    json_array_foreach(json_object_get(document, "cases"), i, one)
    {
        if (!json_integer_value(json_object_get(one, "fired")) && *mh_doc_text(one, "fault"))
            printf("  %s: it never fired\n", mh_doc_text(one, "fault"));
    }
    json_array_foreach(json_object_get(document, "not_exercised"), i, one)
        printf("  %s %s: %s\n", mh_doc_text(one, "rule"), mh_doc_text(one, "title"),
               mh_doc_text(one, "reason"));
    json_decref(document);
}
