/* SPDX-License-Identifier: Apache-2.0 */
/* From a clean recording to one scenario for each place that can fail; see sweep.h. */
#include "sweep.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/macros.h"
#include "compose.h"
#include "model/model.h"
#include "rule/rule.h"

#include "base/banned.h"

/* How each kind of thing fails: the commonest error of its kind, one that the call may return. */
enum kind { CONNECT, ANSWER, NAME, OPEN, WRITE, KINDS };
static const struct {
    const char *call, *fault, *where;
} kinds[KINDS] = {
    [CONNECT] = {"connect", "error = ECONNREFUSED", "peer"},
    [ANSWER] = {"recv", "reset = yes", "peer"},
    [NAME] = {"dns", "error = EAI_AGAIN", "peer"},
    [OPEN] = {"file.open", "error = EACCES", "path"},
    [WRITE] = {"file.write", "error = ENOSPC", "path"},
};

struct finder {
    const struct mh_model *m;
    MH_VEC(struct mh_target) targets;
    struct mh_map known;
    FILE *left_out;
};

static bool can_be_said(const char *text)
{
    return *text && !strpbrk(text, " \t,;#*?[]");
}

/* "orders.place": what tells the function apart and is short. The package is its directory. */
static bool name_frame(const struct mh_model *m, const struct mh_frame *f, char *ret, size_t size)
{
    const char *file = mh_model_text(m, f->file), *base = strrchr(file, '/'), *dot;
    const char *function = mh_model_text(m, f->function);

    base = base ? base + 1 : file;
    dot = strrchr(base, '.');
    if (!strcmp(base, "__init__.py"))
        snprintf(ret, size, "%s", function);
    else
        snprintf(ret, size, "%.*s.%s", (int)(dot ? dot - base : (long)strlen(base)), base,
                 function);
    return can_be_said(ret) && strlen(ret) < size - 1;
}

/* As many callers as the language has room for, the innermost function always. */
static void name_stack(const struct mh_model *m, const struct mh_site *s, struct mh_target *t)
{
    char frame[MH_PATTERN_SIZE], longer[3 * MH_PATTERN_SIZE];

    for (unsigned i = 0; s->app && i < s->nframes; i++) {
        if (!name_frame(m, &s->frames[i], frame, sizeof(frame)))
            return;
        snprintf(longer, sizeof(longer), "%s%s%s", frame, i ? " ** " : "", t->stack);
        if (strlen(longer) >= sizeof(t->stack))
            return;
        memcpy(t->stack, longer, strlen(longer) + 1);
    }
}

static int add(struct finder *f, enum kind kind, uint32_t site, const char *where)
{
    const struct mh_site *s = site ? &f->m->sites.v[site - 1] : NULL;
    uint64_t key =
        mh_mix2(mh_mix2(kind, s ? s->key : 0), mh_hash_bytes(MH_HASH_START, where, strlen(where)));
    uint32_t known = mh_map_get(&f->known, key);
    struct mh_target *t;

    if (known != MH_MAP_NONE) {
        f->targets.v[known].calls++;
        return 0;
    }
    t = mh_vec_add(&f->targets);
    if (!t || mh_map_set(&f->known, key, (uint32_t)(t - f->targets.v)) < 0)
        return -ENOMEM;
    t->call = kinds[kind].call;
    t->fault = kinds[kind].fault;
    t->calls = 1;
    snprintf(t->where, sizeof(t->where), "%s = %s", kinds[kind].where, where);
    if (s && s->app) {
        name_stack(f->m, s, t);
        snprintf(t->file, sizeof(t->file), "%s", mh_model_file(f->m, s->frames[0].file));
        snprintf(t->site, sizeof(t->site), "%s%s%s",
                 s->nframes > 1 ? mh_model_text(f->m, s->frames[1].function) : "",
                 s->nframes > 1 ? " > " : "", mh_model_text(f->m, s->frames[0].function));
    }
    return 0;
}

static int add_peer(struct finder *f, enum kind kind, uint32_t site, uint32_t peer)
{
    const char *name;

    if (!peer)
        return 0;
    name = mh_model_text(f->m, f->m->peers.v[peer - 1].name);
    if (mh_compose_peer_named(name))
        return add(f, kind, site, name);
    fprintf(f->left_out, "%s: a scenario cannot name this peer\n", name);
    return 0;
}

static int add_file(struct finder *f, const struct mh_act *a)
{
    char path[MH_PATTERN_SIZE];
    const char *name = mh_model_text(f->m, a->file.path);
    size_t n = strlen(name);
    int r;

    if (!strncmp(name, "/dev/", 5) || !strncmp(name, "/proc/", 6) || strstr(name, "/__pycache__/"))
        return 0;
    if (n >= sizeof(path) || strpbrk(name, " \t,;#?[]")) {
        fprintf(f->left_out, "%s: a scenario cannot name this path\n", name);
        return 0;
    }
    memcpy(path, name, n + 1);
    mh_compose_unmask(path);
    r = add(f, OPEN, a->site, path);
    /* Who writes is not recorded, but what is written to is. */
    return r ? r : add(f, WRITE, 0, path);
}

static int add_name(struct finder *f, const struct mh_act *a)
{
    const char *name = mh_model_text(f->m, a->dns.name);
    unsigned char address[16];

    /* A numeric address is looked up without anybody being asked. */
    if (!can_be_said(name) || inet_pton(AF_INET, name, address) == 1 ||
        inet_pton(AF_INET6, name, address) == 1)
        return 0;
    return add(f, NAME, a->site, name);
}

static int add_act(struct finder *f, const struct mh_act *a)
{
    switch (a->kind) {
    case MH_ACT_attempt:
        return add_peer(f, ANSWER, a->site, a->peer);
    case MH_ACT_dns:
        return add_name(f, a);
    case MH_ACT_file:
        return a->file.path ? add_file(f, a) : 0;
    default:
        return 0;
    }
}

static int by_calls(const void *a, const void *b)
{
    const struct mh_target *x = a, *y = b;
    int order = strcmp(x->where, y->where);

    if (x->calls != y->calls)
        return x->calls < y->calls ? 1 : -1;
    if (!order)
        order = strcmp(x->call, y->call);
    return order ? order : strcmp(x->stack, y->stack);
}

static int find(struct finder *f)
{
    const struct mh_model *m = f->m;
    int r = 0;

    for (size_t i = 0; i < m->conns.n && !r; i++)
        if (m->conns.v[i].opened_at)
            r = add_peer(f, CONNECT, m->conns.v[i].site, m->conns.v[i].peer);
    for (size_t i = 0; i < m->acts.n && !r; i++)
        r = add_act(f, &m->acts.v[i]);
    if (!r && f->targets.n)
        qsort(f->targets.v, f->targets.n, sizeof(*f->targets.v), by_calls);
    return r;
}

int mh_targets_find(const char *clean, struct mh_targets *ret)
{
    const char *dirs[] = {clean};
    struct mh_model *m = NULL;
    struct finder f = {.targets = {0}};
    size_t n;
    int r = mh_model_load(dirs, 1, NULL, &m);

    *ret = (struct mh_targets){0};
    if (r < 0)
        return r;
    f.m = m;
    f.left_out = open_memstream(&ret->left_out, &n);
    r = f.left_out ? find(&f) : -ENOMEM;
    if (f.left_out && fclose(f.left_out))
        r = -ENOMEM;
    ret->v = f.targets.v;
    ret->n = f.targets.n;
    mh_map_done(&f.known);
    mh_model_free(m);
    if (r < 0)
        mh_targets_done(ret);
    return r;
}

void mh_targets_done(struct mh_targets *targets)
{
    free(targets->v);
    free(targets->left_out);
    *targets = (struct mh_targets){0};
}

int mh_target_write(const struct mh_target *t, const char *name, unsigned times, const char *path)
{
    FILE *f = fopen(path, "we");
    int r;

    if (!f)
        return -errno;
    fprintf(f, "[fault %s]\ncall = %s\n%s\n", name, t->call, t->where);
    if (*t->stack)
        fprintf(f, "stack = %s\n", t->stack);
    fprintf(f, "%s%s\ncount = %u\nper = run\n", strcmp(t->call, "recv") ? "" : "side = client\n",
            t->fault, times);
    r = ferror(f) ? -EIO : 0;
    return fclose(f) ? -errno : r;
}
