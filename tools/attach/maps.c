/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings and symbols of another process; see maps.h. What is read there is checked before it is
 * believed: sizes are bounded, and a read that fails is the end of it. */
#include "attach/maps.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macros.h"

#include "base/banned.h"

enum { MOST_HEADERS = 64, MOST_DYNAMIC = 256, MOST_SYMBOLS = 1 << 20, MOST_NAME = 64 };

static int add(struct mh_maps *maps, const char *line)
{
    struct mh_map m = {0}, *grown;
    char flags[5] = "";
    int at = 0;

    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %" SCNx64 " %*s %*s %n", &m.from, &m.to, flags,
               &m.offset, &at) < 4 ||
        !at)
        return 0;
    m.executable = flags[2] == 'x';
    m.shared = flags[3] == 's';
    m.path = strndup(line + at, strcspn(line + at, "\n"));
    grown = m.path ? reallocarray(maps->v, maps->n + 1, sizeof(*grown)) : NULL;
    if (!grown) {
        free(m.path);
        return -ENOMEM;
    }
    maps->v = grown;
    maps->v[maps->n++] = m;
    return 0;
}

int mh_maps_read(pid_t pid, struct mh_maps *ret)
{
    _cleanup_free_ char *line = NULL;
    size_t size = 0;
    char path[32];
    int r = 0;
    FILE *f;

    *ret = (struct mh_maps){NULL, 0};
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    f = fopen(path, "re");
    if (!f)
        return -errno;
    while (!r && getline(&line, &size, f) > 0)
        r = add(ret, line);
    if (!r && ferror(f))
        r = -EIO;
    fclose(f);
    if (r)
        mh_maps_done(ret);
    return r;
}

void mh_maps_done(struct mh_maps *maps)
{
    for (size_t i = 0; i < maps->n; i++)
        free(maps->v[i].path);
    free(maps->v);
    *maps = (struct mh_maps){NULL, 0};
}

const struct mh_map *mh_maps_at(const struct mh_maps *maps, uintptr_t at)
{
    for (size_t i = 0; i < maps->n; i++)
        if (at >= maps->v[i].from && at < maps->v[i].to)
            return &maps->v[i];
    return NULL;
}

uintptr_t mh_maps_object(const struct mh_maps *maps, const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < maps->n; i++) {
        const char *slash = strrchr(maps->v[i].path, '/');
        const char *base = slash ? slash + 1 : maps->v[i].path;
        const char *memory = strstr(base, "memfd:"); /* its name has no folder */

        base = memory == base ? base + strlen("memfd:") : base;
        if (!maps->v[i].offset && !strncmp(base, name, n) && strchr(".- ", base[n]))
            return maps->v[i].from;
    }
    return 0;
}

static bool take(int mem, uintptr_t at, void *to, size_t n)
{
    return pread(mem, to, n, (off_t)at) == (ssize_t)n;
}

/* What an object says of its symbols. */
struct names {
    uintptr_t base, symbols, strings, hash;
};

/* The linker has made addresses of what the file has, but not in objects of the kernel. */
static uintptr_t relocated(const struct names *o, uintptr_t at)
{
    return at < o->base ? at + o->base : at;
}

static bool read_dynamic(int mem, uintptr_t at, struct names *o)
{
    for (unsigned i = 0; i < MOST_DYNAMIC; i++) {
        Elf64_Dyn d;

        if (!take(mem, at + i * sizeof(d), &d, sizeof(d)))
            return false;
        if (d.d_tag == DT_NULL)
            break;
        if (d.d_tag == DT_SYMTAB)
            o->symbols = relocated(o, d.d_un.d_ptr);
        else if (d.d_tag == DT_STRTAB)
            o->strings = relocated(o, d.d_un.d_ptr);
        else if (d.d_tag == DT_GNU_HASH)
            o->hash = relocated(o, d.d_un.d_ptr);
    }
    return o->symbols && o->strings && o->hash;
}

/* A program that is not position-independent stands where it says: then its base adds nothing. */
static bool read_object(int mem, uintptr_t at, struct names *o)
{
    Elf64_Ehdr head;
    Elf64_Phdr p[MOST_HEADERS];
    uintptr_t dynamic = 0;

    if (!take(mem, at, &head, sizeof(head)) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
        head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_phnum > MOST_HEADERS ||
        !take(mem, at + head.e_phoff, p, head.e_phnum * sizeof(p[0])))
        return false;
    *o = (struct names){.base = head.e_type == ET_EXEC ? 0 : at};
    for (unsigned i = 0; i < head.e_phnum; i++)
        if (p[i].p_type == PT_DYNAMIC)
            dynamic = o->base + p[i].p_vaddr;
    return dynamic && read_dynamic(mem, dynamic, o);
}

static uint32_t gnu_hash(const char *name)
{
    uint32_t h = 5381;

    for (; *name; name++)
        h = h * 33 + (unsigned char)*name;
    return h;
}

static bool is_named(int mem, const struct names *o, const Elf64_Sym *s, const char *name)
{
    char have[MOST_NAME];
    size_t n = strlen(name) + 1;

    return s->st_shndx && s->st_value && n <= sizeof(have) &&
           take(mem, o->strings + s->st_name, have, n) && !memcmp(have, name, n);
}

/* The chain of the hash table that the name would be in; of several versions the default one is not
 * told apart, and what is looked up here has one. */
uintptr_t mh_maps_symbol(int mem, uintptr_t base, const char *name)
{
    uint32_t head[4], i, h = gnu_hash(name), chain;
    uintptr_t buckets, chains;
    struct names o;

    if (!base || !read_object(mem, base, &o) || !take(mem, o.hash, head, sizeof(head)) || !head[0])
        return 0;
    buckets = o.hash + sizeof(head) + (uintptr_t)head[2] * sizeof(Elf64_Addr);
    chains = buckets + (uintptr_t)head[0] * 4;
    if (!take(mem, buckets + (uintptr_t)(h % head[0]) * 4, &i, sizeof(i)) || i < head[1])
        return 0;
    for (unsigned k = 0; k < MOST_SYMBOLS; k++, i++) {
        Elf64_Sym s;

        if (!take(mem, chains + (uintptr_t)(i - head[1]) * 4, &chain, sizeof(chain)))
            return 0;
        if ((chain | 1) == (h | 1) &&
            take(mem, o.symbols + (uintptr_t)i * sizeof(s), &s, sizeof(s)) &&
            is_named(mem, &o, &s, name))
            return o.base + s.st_value;
        if (chain & 1)
            return 0;
    }
    return 0;
}
