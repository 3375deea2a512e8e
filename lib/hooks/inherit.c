/* SPDX-License-Identifier: Apache-2.0 */
/* See inherit.h. The texts are made once, while the process is attached to. */
#include "hooks/inherit.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "base/sys.h"
#include "hooks/gate.h"

#include "base/banned.h"

#define PRELOAD "LD_PRELOAD="
#define OURS    "libmishap.so"

static char library[512], config[4200], out[600], seed[40];
static bool whole; /* nothing was cut: there is something to tell */

static bool text_set(char *ret, size_t size, const char *name, const char *value)
{
    struct mh_buf b = {ret, size, 0, false};

    mh_buf_add(&b, name);
    mh_buf_add(&b, value);
    return !b.cut;
}

void mh_inherit_begin(const struct mh_settings *settings)
{
    struct mh_buf number = {seed, sizeof(seed), 0, false};

    whole = false;
    if (!settings->library || !*settings->library || strchr(settings->library, ' ') ||
        strchr(settings->library, ':'))
        return;
    mh_buf_add(&number, "MISHAP_SEED=");
    mh_buf_add_uint(&number, mh_guest.rules->seed, 10);
    config[0] = '\0';
    whole = text_set(library, sizeof(library), PRELOAD, settings->library) &&
            text_set(out, sizeof(out), "MISHAP_OUT=", mh_guest.out) &&
            (!settings->config || !*settings->config ||
             text_set(config, sizeof(config), "MISHAP_CONFIG=", settings->config));
}

/* Are programs to be told of a run that this process's own environment does not speak of? */
static bool tells(void)
{
    return whole && mh_gate_open(&mh_gate.fd);
}

static bool has_name(const char *entry, const char *name)
{
    return !strncmp(entry, name, strlen(name));
}

/* The beginning of a program's file. */
struct head {
    _Alignas(Elf64_Ehdr) char bytes[4096];
    size_t n;
};

static void head_read(int dir, const char *path, struct head *ret)
{
    bool itself = !*path;
    long fd = itself
                  ? dir
                  : mh_sys(SYS_openat, dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    long n = fd < 0 ? 0 : mh_sys(SYS_pread64, fd, ret->bytes, sizeof(ret->bytes) - 1, 0);

    if (fd >= 0 && !itself)
        mh_sys(SYS_close, fd);
    ret->n = n > 0 ? (size_t)n : 0;
    ret->bytes[ret->n] = '\0';
}

/* musl's linker ends a program for a library that it cannot load, and one for 32 bits complains. */
static bool linker_takes(const struct head *h)
{
    const Elf64_Ehdr *e = (const void *)h->bytes;

    if (h->n < sizeof(*e) || memcmp(e->e_ident, ELFMAG, SELFMAG) != 0)
        return true;
    if (e->e_ident[EI_CLASS] != ELFCLASS64)
        return false;
    for (unsigned i = 0; i < e->e_phnum; i++) {
        uint64_t at = e->e_phoff + i * sizeof(Elf64_Phdr);
        Elf64_Phdr p;

        if (at > h->n || h->n - at < sizeof(p))
            return true;
        memcpy(&p, h->bytes + at, sizeof(p));
        if (p.p_type == PT_INTERP && p.p_offset < h->n)
            return !strstr(h->bytes + p.p_offset, "/ld-musl");
    }
    return true;
}

/* A script's program is what its first line names. */
static bool takes_library(int dir, const char *path)
{
    struct head h;

    head_read(dir, path, &h);
    if (!strncmp(h.bytes, "#!", 2)) {
        char *name = h.bytes + 2 + strspn(h.bytes + 2, " \t"), interpreter[256] = "";
        size_t n = strcspn(name, " \t\n");

        if (!n || n >= sizeof(interpreter))
            return true;
        memcpy(interpreter, name, n);
        head_read(AT_FDCWD, interpreter, &h);
    }
    return linker_takes(&h);
}

static bool brings_us(const char *entry)
{
    return has_name(entry, PRELOAD) && strstr(entry, OURS);
}

/* Somebody has seen to it already, or wants none of it. */
static bool speaks_of_mishap(const char *entry)
{
    return has_name(entry, "MISHAP_OUT=") || has_name(entry, "MISHAP_CONFIG=") ||
           has_name(entry, "MISHAP_DISABLE=");
}

static bool any(char *const env[], bool (*test)(const char *entry))
{
    for (char *const *e = env; e && *e; e++)
        if (test(*e))
            return true;
    return false;
}

/* The words of LD_PRELOAD, with our library before them or without it. */
static bool preload_make(struct mh_heir *heir, const char *entry, bool with)
{
    struct mh_buf b = {heir->preload, sizeof(heir->preload), 0, false};

    mh_buf_add(&b, with ? library : PRELOAD);
    for (const char *word = entry + strlen(PRELOAD); *word;) {
        size_t n = strcspn(word, " :");

        if (n && !memmem(word, n, OURS, strlen(OURS))) {
            mh_buf_add(&b, b.data[b.len - 1] == '=' ? "" : ":");
            mh_buf_add_n(&b, word, n);
        }
        word += n + (word[n] != '\0');
    }
    return !b.cut;
}

/* Copies `env` behind the n entries that are there, but for LD_PRELOAD. */
static char *const *changed(struct mh_heir *heir, unsigned n, char *const env[], bool with)
{
    for (char *const *e = env; e && *e; e++) {
        if (n == MH_HEIR_MOST + MH_HEIR_OURS)
            return env;
        if (!has_name(*e, PRELOAD))
            heir->env[n++] = *e;
        else if (!preload_make(heir, *e, with))
            return env;
        else
            heir->env[with ? 0 : n++] = heir->preload;
    }
    heir->env[n] = NULL;
    return heir->env;
}

char *const *mh_inherit(struct mh_heir *heir, int dir, const char *path, char *const env[])
{
    bool has = any(env, brings_us), add = !has && tells() && !any(env, speaks_of_mishap);
    unsigned n = 0;

    if (!has && !add)
        return env;
    if (path && !takes_library(dir, path))
        return has ? changed(heir, 0, env, false) : env;
    if (has)
        return env;
    heir->env[n++] = library;
    heir->env[n++] = out;
    heir->env[n++] = seed;
    if (config[0])
        heir->env[n++] = config;
    return changed(heir, n, env, true);
}
