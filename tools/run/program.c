/* SPDX-License-Identifier: Apache-2.0 */
/* Commands, followed to the ELF file behind them; see program.h. */
#include "run/program.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/macros.h"

#include "base/banned.h"

enum { MOST_WORDS = 1024, MOST_SCRIPTS = 5 };

/* A file, mapped to be read. */
struct image {
    const char *data;
    size_t size;
};

static int image_open(const char *path, struct image *ret)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *p;

    *ret = (struct image){NULL, 0};
    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_size < 4)
        return -ENOEXEC;
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return -errno;
    *ret = (struct image){p, (size_t)st.st_size};
    return 0;
}

static void image_close(struct image *i)
{
    if (i->data)
        munmap((void *)i->data, i->size);
}

char *mh_program_find(const char *name)
{
    const char *path = getenv("PATH");

    if (strchr(name, '/'))
        return access(name, X_OK) == 0 ? strdup(name) : NULL;
    for (path = path ? path : "/usr/bin:/bin"; *path && *name; path += *path == ':') {
        size_t n = strcspn(path, ":");
        char *file = NULL;

        if (asprintf(&file, "%.*s/%s", n ? (int)n : 1, n ? path : ".", name) < 0)
            return NULL;
        if (access(file, X_OK) == 0)
            return file;
        free(file);
        path += n;
    }
    return NULL;
}

/* The ELF header when it is one of this machine's word size and byte order. */
static const Elf64_Ehdr *elf_header(const struct image *i)
{
    const Elf64_Ehdr *h = (const Elf64_Ehdr *)i->data;

    if (i->size < sizeof(*h) || memcmp(h->e_ident, ELFMAG, SELFMAG) != 0 ||
        h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_phentsize != sizeof(Elf64_Phdr) ||
        h->e_phoff > i->size || (i->size - h->e_phoff) / sizeof(Elf64_Phdr) < h->e_phnum)
        return NULL;
    return h;
}

/* Base name of the program interpreter (the dynamic loader); NULL when it has none. */
static const char *elf_loader(const struct image *i)
{
    const Elf64_Ehdr *h = elf_header(i);

    for (unsigned k = 0; h && k < h->e_phnum; k++) {
        const Elf64_Phdr *p = (const Elf64_Phdr *)(i->data + h->e_phoff) + k;
        const char *name, *slash;

        if (p->p_type != PT_INTERP || p->p_offset >= i->size || p->p_filesz == 0 ||
            p->p_filesz > i->size - p->p_offset)
            continue;
        name = i->data + p->p_offset;
        if (name[p->p_filesz - 1])
            return NULL;
        slash = strrchr(name, '/');
        return slash ? slash + 1 : name;
    }
    return NULL;
}

/* Is any of these texts a name of its dynamic symbols, or of the libraries it needs? */
static bool elf_names(const struct image *i, const char *const *texts, size_t n)
{
    const Elf64_Ehdr *h = elf_header(i);
    const Elf64_Shdr *s;

    if (!h || h->e_shentsize != sizeof(*s) || h->e_shoff > i->size ||
        (i->size - h->e_shoff) / sizeof(*s) < h->e_shnum)
        return false;
    s = (const Elf64_Shdr *)(i->data + h->e_shoff);
    for (unsigned k = 0; k < h->e_shnum; k++) {
        const Elf64_Shdr *names;

        if (s[k].sh_type != SHT_DYNSYM || s[k].sh_link >= h->e_shnum)
            continue;
        names = &s[s[k].sh_link];
        if (names->sh_offset > i->size || names->sh_size > i->size - names->sh_offset)
            continue;
        for (size_t e = 0; e < n; e++)
            if (memmem(i->data + names->sh_offset, names->sh_size, texts[e], strlen(texts[e]) + 1))
                return true;
    }
    return false;
}

/* Does it start an interpreter? */
static bool elf_python(const struct image *i)
{
    static const char *const entries[] = {"Py_BytesMain", "Py_RunMain", "Py_Main"};

    return elf_names(i, entries, ARRAY_SIZE(entries));
}

/* The architecture in the words of those who name images and wheels by it. */
static const char *elf_machine(const struct image *i)
{
    static const struct {
        unsigned machine;
        const char *name;
    } known[] = {{EM_X86_64, "x86-64"}, {EM_AARCH64, "aarch64"}, {EM_386, "i386"},
                 {EM_ARM, "arm"},       {EM_RISCV, "riscv"},     {EM_S390, "s390x"},
                 {EM_PPC64, "ppc64"}};
    const unsigned char *head = (const unsigned char *)i->data;
    unsigned machine = 0;

    if (i->size >= 20)
        machine =
            head[EI_DATA] == ELFDATA2MSB ? head[18] << 8 | head[19] : head[19] << 8 | head[18];
    for (size_t k = 0; k < ARRAY_SIZE(known); k++)
        if (known[k].machine == machine)
            return known[k].name;
    return "an unknown machine";
}

/* The libc that a dynamic loader belongs to; its own name when it is none of the two. */
static const char *loader_libc(const char *loader)
{
    return !strncmp(loader, "ld-musl", 7)                                      ? "musl"
           : !strncmp(loader, "ld-linux", 8) || !strncmp(loader, "ld64.so", 7) ? "glibc"
                                                                               : loader;
}

/* The libc that the library needs; it has no loader of its own. */
static const char *library_libc(const struct image *i)
{
    /* As musl's own tools name it, and as Alpine does. */
    static const char *const musl[] = {"libc.so", "libc.musl-x86_64.so.1",
                                       "libc.musl-aarch64.so.1"};

    return elf_names(i, musl, ARRAY_SIZE(musl)) ? "musl" : "glibc";
}

/* The loader takes no LD_PRELOAD from whoever gains rights by the start. */
static const char *gains_rights(const char *path)
{
    struct statvfs fs;
    struct stat st;

    if (stat(path, &st) < 0 || (statvfs(path, &fs) == 0 && (fs.f_flag & ST_NOSUID)))
        return NULL;
    if ((st.st_mode & S_ISUID) && st.st_uid != getuid())
        return "is setuid";
    if ((st.st_mode & S_ISGID) && (st.st_mode & S_IXGRP) && st.st_gid != getgid())
        return "is setgid";
    if (getuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0)
        return "has file capabilities";
    return NULL;
}

/* Compares with the library, or with this very program, which was built with it. */
static void judge_elf(struct mh_program *p, const struct image *it, const char *library)
{
    const char *loader = elf_loader(it), *rights = gains_rights(p->path);
    const Elf64_Ehdr *h = elf_header(it), *mine;
    const char *libc;
    struct image own;

    if (image_open(library ? library : "/proc/self/exe", &own) < 0)
        return;
    mine = elf_header(&own);
    libc = library            ? library_libc(&own)
           : elf_loader(&own) ? loader_libc(elf_loader(&own))
                              : "glibc";
    p->musl = loader && !strcmp(loader_libc(loader), "musl");
    p->foreign = true;
    if (!h || !mine || h->e_machine != mine->e_machine ||
        h->e_ident[EI_DATA] != mine->e_ident[EI_DATA]) {
        snprintf(p->why, sizeof(p->why),
                 "%s is for another architecture than libmishap.so: %s, not %s", p->path,
                 elf_machine(it), elf_machine(&own));
    } else if (loader && strcmp(loader_libc(loader), libc) != 0) {
        snprintf(p->why, sizeof(p->why), "%s has another libc than libmishap.so: %s (%s), not %s",
                 p->path, loader_libc(loader), loader, libc);
    } else {
        p->foreign = false;
        p->alone = !loader || rights;
        if (!loader)
            snprintf(p->why, sizeof(p->why),
                     "%s is statically linked: there is no loader that could preload libmishap.so",
                     p->path);
        else if (rights)
            snprintf(p->why, sizeof(p->why), "%s %s: the loader ignores LD_PRELOAD there", p->path,
                     rights);
    }
    image_close(&own);
}

/* argv of the process, as it changes on the way through scripts. */
struct words {
    char *at[MOST_WORDS + 1];
    size_t n;
};

static void words_done(struct words *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->at[i]);
}

/* Puts a word in front. */
static int words_push(struct words *w, const char *text, size_t n)
{
    char *copy = strndup(text, n);

    if (!copy || w->n == MOST_WORDS) {
        free(copy);
        return -ENOMEM;
    }
    memmove(&w->at[1], &w->at[0], w->n++ * sizeof(w->at[0]));
    w->at[0] = copy;
    return 0;
}

static int words_pop(struct words *w)
{
    free(w->at[0]);
    memmove(&w->at[0], &w->at[1], --w->n * sizeof(w->at[0]));
    return w->n ? 0 : -ENOENT;
}

/* "#!INTERPRETER [ARGUMENT]": the kernel puts both in front of the script's path. */
static int follow_script(struct words *w, const char *path, const struct image *it)
{
    size_t n = 0;
    const char *p = it->data + 2, *end = it->data + MH_MIN(it->size, (size_t)256);
    const char *line = memchr(p, '\n', (size_t)(end - p));
    int r;

    end = line ? line : end;
    while (p < end && (*p == ' ' || *p == '\t'))
        p++;
    while (p + n < end && p[n] != ' ' && p[n] != '\t')
        n++;
    if (!n)
        return -ENOEXEC;
    words_pop(w); /* its own name gives way to its path */
    r = words_push(w, path, strlen(path));
    for (const char *arg = p + n; !r && arg < end; arg = end) {
        while (arg < end && (*arg == ' ' || *arg == '\t'))
            arg++;
        while (end > arg && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
            end--;
        if (arg < end)
            r = words_push(w, arg, (size_t)(end - arg));
    }
    return r ? r : words_push(w, p, n);
}

/* env finds the program by PATH, and starts it in its own place. */
static int follow_env(struct words *w)
{
    const char *slash = strrchr(w->at[0], '/');
    int r = 0;

    if (strcmp(slash ? slash + 1 : w->at[0], "env") != 0)
        return 0;
    do
        r = words_pop(w);
    while (!r && (w->at[0][0] == '-' || strchr(w->at[0], '=')));
    return r;
}

static int join(const struct words *w, char **ret)
{
    size_t size = 1;
    char *text;

    for (size_t i = 0; i < w->n; i++)
        size += strlen(w->at[i]) + 1;
    text = calloc(1, size);
    for (size_t i = 0, at = 0; text && i < w->n; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%s", i ? " " : "", w->at[i]);
    *ret = text;
    return text ? 0 : -ENOMEM;
}

/* One step: the file behind the first word. Returns 1 when there is another step, 0 at the end. */
static int step(struct words *w, const char *library, struct mh_program *p)
{
    _cleanup_free_ char *found = NULL;
    struct image it;
    int r = follow_env(w);

    if (r == -ENOENT)
        return snprintf(p->why, sizeof(p->why), "env is given no command"), 0;
    found = mh_program_find(w->at[0]);
    if (!found)
        return snprintf(p->why, sizeof(p->why), "there is no command '%s'", w->at[0]), 0;
    free(p->path);
    p->path = realpath(found, NULL);
    free(p->invoked);
    p->invoked = strdup(found);
    r = p->path ? image_open(p->path, &it) : -errno;
    if (r < 0) {
        snprintf(p->why, sizeof(p->why), "'%s' cannot be read: %s", found, strerror(-r));
        return 0;
    }
    if (!memcmp(it.data, "#!", 2)) {
        r = follow_script(w, found, &it);
        r = r == 0 ? 1 : r;
    } else if (memcmp(it.data, ELFMAG, SELFMAG) != 0) {
        snprintf(p->why, sizeof(p->why), "'%s' is neither a program nor a script with #!", found);
    } else {
        p->python = elf_python(&it);
        judge_elf(p, &it, library);
    }
    image_close(&it);
    return r == -ENOEXEC ? (snprintf(p->why, sizeof(p->why), "'%s' has an empty #!", found), 0) : r;
}

int mh_program_inspect(char *const argv[], const char *library, struct mh_program *ret)
{
    struct words w = {.n = 0};
    int r = 0;

    *ret = (struct mh_program){NULL};
    for (size_t n = 0; !r && argv[n]; n++) {
        w.at[w.n] = w.n < MOST_WORDS ? strdup(argv[n]) : NULL;
        r = w.at[w.n] ? 0 : -ENOMEM;
        w.n += w.at[w.n] != NULL;
    }
    r = r ? r : 1;
    for (int i = 0; r == 1 && i < MOST_SCRIPTS; i++)
        r = step(&w, library, ret);
    if (r == 1)
        snprintf(ret->why, sizeof(ret->why), "scripts that start scripts, too many of them");
    r = r < 0 ? r : join(&w, &ret->line);
    words_done(&w);
    return r;
}

void mh_program_done(struct mh_program *p)
{
    free(p->path);
    free(p->invoked);
    free(p->line);
}
