/* SPDX-License-Identifier: Apache-2.0 */
/* Stacks to sites, URL paths to routes, peers to roles; see site.h. */
#include "model/site.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/macros.h"

#include "base/banned.h"

const char *const mh_role_names[MH_ROLE_COUNT] = {"other", "http",      "cache", "db",
                                                  "queue", "telemetry", "mail",  "store"};

static const struct {
    int port;
    const char *package;
    enum mh_role role;
} role_rows[] = {
#define PORT(port, role)       {port, NULL, MH_ROLE_##role},
#define LIBRARY(package, role) {0, #package, MH_ROLE_##role},
#include "model/roles.def"
#undef PORT
#undef LIBRARY
};

enum mh_role mh_role_of_port(int port)
{
    for (size_t i = 0; i < ARRAY_SIZE(role_rows); i++)
        if (role_rows[i].port && role_rows[i].port == port)
            return role_rows[i].role;
    return MH_ROLE_other;
}

enum mh_role mh_role_of_library(const char *package)
{
    for (size_t i = 0; i < ARRAY_SIZE(role_rows); i++)
        if (role_rows[i].package && !strcmp(role_rows[i].package, package))
            return role_rows[i].role;
    return MH_ROLE_other;
}

enum mh_role mh_role_named(const char *name)
{
    for (int i = 0; i < MH_ROLE_COUNT; i++)
        if (!strcmp(mh_role_names[i], name))
            return (enum mh_role)i;
    return MH_ROLE_COUNT;
}

static const char *after(const char *text, const char *mark)
{
    const char *at = strstr(text, mark);

    return at ? at + strlen(mark) : NULL;
}

/* What follows ".../lib/python3.11/" or ".../lib/python311.zip/". */
static const char *below_stdlib(const char *file)
{
    for (const char *at = file; (at = strstr(at, "/python")) != NULL;) {
        bool lib = (at - file >= 4 && !strncmp(at - 4, "/lib", 4)) ||
                   (at - file >= 6 && !strncmp(at - 6, "/lib64", 6));
        const char *p = at += strlen("/python");

        while (isdigit((unsigned char)*p) || *p == '.')
            p++;
        if (!lib || p == at)
            continue;
        if (!strncmp(p, "zip/", 4))
            return p + 4;
        p += *p == 't';
        if (*p == '/')
            return p + 1;
    }
    return NULL;
}

static const char *below_packages(const char *file)
{
    const char *at = after(file, "/site-packages/");

    return at ? at : after(file, "/dist-packages/");
}

enum mh_frame_kind mh_frame_kind_of(const char *file)
{
    const char *slash = strrchr(file, '/');

    if (below_packages(file))
        return MH_FRAME_library;
    if (!*file || *file == '<' || below_stdlib(file))
        return MH_FRAME_stdlib;
    /* a console script: /usr/bin/uvicorn, .venv/bin/celery */
    if (slash && slash - file >= 4 && !strncmp(slash - 4, "/bin", 4))
        return MH_FRAME_library;
    return MH_FRAME_app;
}

const char *mh_package_path(const char *file)
{
    const char *at = below_packages(file);

    if (!at)
        at = below_stdlib(file);
    return at ? at : "";
}

void mh_package_of(const char *file, char *ret, size_t size)
{
    const char *at = mh_package_path(file);
    size_t n = strcspn(at, "/.");

    n = MH_MIN(n, size - 1);
    memcpy(ret, at, n);
    ret[n] = 0;
}

static int64_t number_of(const char *p, const char *end)
{
    int64_t v = 0;

    while (p < end && isdigit((unsigned char)*p) && v < INT32_MAX / 10)
        v = v * 10 + (*p++ - '0');
    return v;
}

/* Of a frame of machine code: whose object is it? The application's own code is Python. */
static enum mh_frame_kind kind_of_object(const char *path)
{
    static const char *const system[] = {"libc.so", "ld-linux", "libpthread", "libstdc++"};
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

    for (size_t i = 0; i < ARRAY_SIZE(system); i++)
        if (!strncmp(name, system[i], strlen(system[i])))
            return MH_FRAME_stdlib;
    return MH_FRAME_library;
}

/* One line "function \t file \t line". Returns 1, 0 for lines of another kind, or -ENOMEM. */
static int add_frame(struct mh_model *m, const char *line, const char *end, bool native)
{
    const char *file = memchr(line, '\t', (size_t)(end - line));
    const char *no = file ? memchr(file + 1, '\t', (size_t)(end - file - 1)) : NULL;
    struct mh_frame *f;
    int64_t function, name;

    if (!no)
        return 0;
    function = mh_texts_add(&m->texts, line, (size_t)(file - line));
    name = mh_texts_add(&m->texts, file + 1, (size_t)(no - file - 1));
    f = mh_vec_add(&m->frames);
    if (function < 0 || name < 0 || !f)
        return -ENOMEM;
    f->function = (uint32_t)function;
    f->file = (uint32_t)name;
    f->line = (int32_t)number_of(no + 1, end);
    f->kind = native ? kind_of_object(mh_model_text(m, f->file))
                     : mh_frame_kind_of(mh_model_text(m, f->file));
    return 1;
}

/* The library whose function the application called, or failing that the standard module. */
static int64_t library_of(struct mh_model *m, const struct mh_frame *frames, uint32_t n)
{
    char best[64] = "", name[64];
    bool from_library = false;

    for (uint32_t i = 0; i < n && frames[i].kind != MH_FRAME_app; i++) {
        bool library = frames[i].kind == MH_FRAME_library;

        mh_package_of(mh_model_text(m, frames[i].file), name, sizeof(name));
        if (!*name || (from_library && !library))
            continue;
        memcpy(best, name, sizeof(best));
        from_library = library;
    }
    return mh_texts_add(&m->texts, best, strlen(best));
}

static int64_t site_of(struct mh_model *m, uint32_t stack, const struct mh_frame *frames,
                       uint32_t n)
{
    struct mh_site site = {.key = MH_HASH_START, .stack = stack};
    uint32_t have;
    struct mh_site *s;

    for (uint32_t i = 0; i < n && site.nframes < MH_SITE_DEPTH; i++)
        if (frames[i].kind == MH_FRAME_app)
            site.frames[site.nframes++] = frames[i];
    site.app = site.nframes > 0;
    for (uint32_t i = 0; i < n && !site.nframes; i++)
        if (frames[i].kind == MH_FRAME_library || i + 1 == n)
            site.frames[site.nframes++] = frames[i];
    for (unsigned i = 0; i < site.nframes; i++) {
        const char *file = mh_model_text(m, site.frames[i].file), *slash = strrchr(file, '/');

        site.key = mh_hash_text(site.key, mh_model_text(m, site.frames[i].function));
        site.key = mh_hash_text(site.key, slash ? slash : file);
    }
    have = mh_map_get(&m->site_keys, site.key);
    if (have != MH_MAP_NONE)
        return have;
    s = mh_vec_add(&m->sites);
    if (!s || mh_map_set(&m->site_keys, site.key, (uint32_t)m->sites.n))
        return -ENOMEM;
    *s = site;
    return (int64_t)m->sites.n;
}

int64_t mh_model_add_stack(struct mh_model *m, const char *text, size_t n, bool native)
{
    uint64_t key = mh_hash_bytes(MH_HASH_START, text, n);
    uint32_t have = mh_map_get(&m->stack_keys, key), first = (uint32_t)m->frames.n;
    const char *end = text + n;
    struct mh_stack *s;
    int64_t site, library;

    if (have != MH_MAP_NONE)
        return have;
    for (const char *line = text; line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));

        if (!stop)
            stop = end;
        if (add_frame(m, line, stop, native) < 0)
            return -ENOMEM;
        line = stop + 1;
    }
    s = mh_vec_add(&m->stacks);
    if (!s || mh_map_set(&m->stack_keys, key, (uint32_t)m->stacks.n))
        return -ENOMEM;
    s->frames = first;
    s->nframes = (uint32_t)m->frames.n - first;
    library = library_of(m, m->frames.v + first, s->nframes);
    site = s->nframes ? site_of(m, (uint32_t)m->stacks.n, m->frames.v + first, s->nframes) : 0;
    if (library < 0 || site < 0)
        return -ENOMEM;
    s->library = (uint32_t)library;
    s->site = (uint32_t)site;
    mh_model_stack_parts(m, s);
    m->stacks_seen += s->nframes > 0;
    return (int64_t)m->stacks.n;
}

const char *mh_model_file(const struct mh_model *m, uint32_t file)
{
    const char *name = mh_model_text(m, file), *dir = mh_model_text(m, m->common_dir), *at;
    size_t n = strlen(dir);

    if (n && !strncmp(name, dir, n))
        return name + n;
    at = below_packages(name);
    if (!at)
        at = below_stdlib(name);
    return at ? at : name;
}
