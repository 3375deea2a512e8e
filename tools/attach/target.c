/* SPDX-License-Identifier: Apache-2.0 */
/* What speaks against attaching to a process; see target.h. Everything that can be read out of
 * /proc is asked before the process is touched. */
#include "attach/target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "cmd.h"
#include "log.h"

#include "base/banned.h"

/* Of glibc, before 2.34 in every program: what dlopen() calls, if asked with this flag. */
#define OLD_DLOPEN      "__libc_dlopen_mode"
#define OLD_DLOPEN_FLAG 0x80000000u

static void proc_path(const struct mh_target *t, const char *name, char ret[64])
{
    snprintf(ret, 64, "/proc/%d/%s", (int)t->pid, name);
}

/* What /proc/PID/status says of it. */
struct status {
    char state;
    int group, tracer, seccomp, filters;
    unsigned uids[4], gids[4];
};

static int status_read(const struct mh_target *t, struct status *ret)
{
    char path[64], line[256];
    FILE *f;

    *ret = (struct status){.state = '?'};
    proc_path(t, "status", path);
    f = fopen(path, "re");
    if (!f)
        return -errno;
    while (fgets(line, sizeof(line), f))
        if (sscanf(line, "State: %c", &ret->state) != 1 &&
            sscanf(line, "Tgid: %d", &ret->group) != 1 &&
            sscanf(line, "TracerPid: %d", &ret->tracer) != 1 &&
            sscanf(line, "Seccomp: %d", &ret->seccomp) != 1 &&
            sscanf(line, "Seccomp_filters: %d", &ret->filters) != 1 &&
            sscanf(line, "Uid: %u %u %u %u", &ret->uids[0], &ret->uids[1], &ret->uids[2],
                   &ret->uids[3]) < 1)
            sscanf(line, "Gid: %u %u %u %u", &ret->gids[0], &ret->gids[1], &ret->gids[2],
                   &ret->gids[3]);
    fclose(f);
    return 0;
}

static int refuse(const struct mh_target *t, const char *why)
{
    mh_log("process %d %s", (int)t->pid, why);
    return MH_EXIT_MISUSE;
}

static int parse(const char *word, struct mh_target *t)
{
    char *end;
    long pid = strtol(word, &end, 10);

    if (!*word || *end || pid <= 0 || pid > INT_MAX) {
        mh_log("'%s' is not a process id", word);
        return MH_EXIT_MISUSE;
    }
    t->pid = (pid_t)pid;
    return t->pid == getpid() ? refuse(t, "is this very command") : MH_EXIT_OK;
}

static int check_status(struct mh_target *t)
{
    const struct mh_target self = {.pid = getpid()};
    struct status s, own;
    char text[160];
    int r = status_read(t, &s);

    if (r == -ENOENT || r == -ESRCH) {
        mh_log("there is no process %d", (int)t->pid);
        return MH_EXIT_MISUSE;
    }
    if (r)
        return mh_log_errno(r, "Cannot look at process %d", (int)t->pid), MH_EXIT_TROUBLE;
    t->uid = s.uids[1];
    t->gid = s.gids[1];
    if (s.group != t->pid) {
        snprintf(text, sizeof(text), "is a thread; the process is %d", s.group);
        return refuse(t, text);
    }
    if (s.state == 'Z' || s.state == 'X')
        return refuse(t, "has ended");
    if (geteuid() && (s.uids[0] != geteuid() || s.uids[1] != geteuid() || s.uids[2] != geteuid())) {
        snprintf(text, sizeof(text),
                 "belongs to another user (uid %u): attach as that user, or as root", s.uids[1]);
        return refuse(t, text);
    }
    if (s.tracer) {
        snprintf(text, sizeof(text), "is traced by process %d: end that debugger or tracer first",
                 s.tracer);
        return refuse(t, text);
    }
    if (s.state == 'T' || s.state == 't') {
        snprintf(text, sizeof(text), "is stopped: `kill -CONT %d` lets it go on", (int)t->pid);
        return refuse(t, text);
    }
    if (s.seccomp == 1)
        return refuse(t, "is under strict seccomp: it may not load anything");
    t->filtered = s.seccomp == 2;
    t->filtered_as_we = status_read(&self, &own) == 0 && own.filters == s.filters;
    return MH_EXIT_OK;
}

static int check_program(const struct mh_target *t)
{
    Elf64_Ehdr head = {0};
    char path[64];
    _cleanup_close_ int fd = -1;

    proc_path(t, "exe", path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return refuse(t, "is part of the kernel, no program");
    if (fd < 0) {
        mh_target_refused(t, -errno);
        return MH_EXIT_TROUBLE;
    }
    if (read(fd, &head, sizeof(head)) < (ssize_t)sizeof(Elf32_Ehdr) ||
        memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
        return refuse(t, "is no ELF program");
    if (head.e_ident[EI_CLASS] != ELFCLASS64)
        return refuse(t, "is a 32-bit program; the library is for 64 bits");
#if defined(__x86_64__)
    if (head.e_machine != EM_X86_64)
#elif defined(__aarch64__)
    if (head.e_machine != EM_AARCH64)
#endif
        return refuse(t, "is a program for another architecture");
    return MH_EXIT_OK;
}

/* Was it started with more rights than who started it had? The linker says so to the program. */
static int check_secure(const struct mh_target *t)
{
    Elf64_auxv_t pair;
    char path[64];
    FILE *f;
    bool secure = false;

    proc_path(t, "auxv", path);
    f = fopen(path, "re");
    if (!f) {
        mh_target_refused(t, -errno);
        return MH_EXIT_TROUBLE;
    }
    while (fread(&pair, sizeof(pair), 1, f) == 1 && pair.a_type != AT_NULL)
        secure |= pair.a_type == AT_SECURE && pair.a_un.a_val;
    fclose(f);
    return secure ? refuse(t, "is a setuid program: the library stays out of those") : MH_EXIT_OK;
}

static bool has_page(const struct mh_maps *maps)
{
    for (size_t i = 0; i < maps->n; i++) {
        size_t n = strlen(maps->v[i].path), tail = strlen("/control");

        if (maps->v[i].shared && n > tail && !strcmp(maps->v[i].path + n - tail, "/control"))
            return true;
    }
    return false;
}

int mh_target_again(struct mh_target *t)
{
    int r;

    mh_maps_done(&t->maps);
    r = mh_maps_read(t->pid, &t->maps);
    if (r)
        return r;
    t->library = mh_maps_object(&t->maps, "libmishap");
    t->recorded = t->library && has_page(&t->maps);
    return 0;
}

/* Who can load a library there? */
static int check_loader(struct mh_target *t)
{
    t->libc = mh_maps_object(&t->maps, "libc");
    if (mh_maps_object(&t->maps, "ld-musl") || /* or it is libc.so, of which that is a link */
        (t->libc && !mh_maps_symbol(t->mem, t->libc, "gnu_get_libc_version")))
        return refuse(t, "uses musl, where hooks must be there from the start: start it under "
                         "mishap");
    if (!t->libc)
        return refuse(
            t, "has no libc that could load anything: it is statically linked, or has only just "
               "begun");
    t->dlopen = mh_maps_symbol(t->mem, t->libc, "dlopen");
    if (!t->dlopen)
        t->dlopen = mh_maps_symbol(t->mem, mh_maps_object(&t->maps, "libdl"), "dlopen");
    if (!t->dlopen) {
        t->dlopen = mh_maps_symbol(t->mem, t->libc, OLD_DLOPEN);
        t->dlopen_flags = (int)OLD_DLOPEN_FLAG;
    }
    return t->dlopen ? MH_EXIT_OK : refuse(t, "has a libc that cannot load anything");
}

int mh_target_look(const char *word, struct mh_target *ret)
{
    char path[64];
    int status, r;

    *ret = (struct mh_target){.mem = -1};
    status = parse(word, ret);
    if (!status)
        status = check_status(ret);
    if (!status)
        status = check_program(ret);
    if (!status)
        status = check_secure(ret);
    if (status)
        return status;
    proc_path(ret, "mem", path);
    ret->mem = open(path, O_RDWR | O_CLOEXEC);
    r = ret->mem < 0 ? -errno : mh_target_again(ret);
    if (r) {
        mh_target_refused(ret, r);
        return MH_EXIT_TROUBLE;
    }
    return check_loader(ret);
}

void mh_target_done(struct mh_target *t)
{
    mh_maps_done(&t->maps);
    if (t->mem >= 0)
        close(t->mem);
    t->mem = -1;
}

bool mh_target_is_python(const struct mh_target *t)
{
    static const char entry[] = "Py_BytesMain"; /* from 3.8 on */
    const char *last = "";

    for (size_t i = 0; i < t->maps.n; i++) {
        const struct mh_map *m = &t->maps.v[i];

        if (m->offset || m->path[0] != '/' || !strcmp(m->path, last))
            continue;
        last = m->path;
        if (mh_maps_symbol(t->mem, m->from, entry))
            return true;
    }
    return false;
}

static int number_in(const char *path)
{
    FILE *f = fopen(path, "re");
    int n = -1;

    if (f && fscanf(f, "%d", &n) != 1)
        n = -1;
    if (f)
        fclose(f);
    return n;
}

void mh_target_refused(const struct mh_target *t, int r)
{
    static const char *const scopes[] = {
        [1] = "this system lets a process be traced by its parent only: attach as root, or "
              "`sysctl kernel.yama.ptrace_scope=0`",
        [2] = "this system lets root alone trace processes (kernel.yama.ptrace_scope = 2)",
        [3] = "this system lets nobody trace processes (kernel.yama.ptrace_scope = 3)",
    };
    int scope = number_in("/proc/sys/kernel/yama/ptrace_scope");

    if (r == -ESRCH || r == -ENOENT)
        mh_log("process %d has ended", (int)t->pid);
    else if (r != -EPERM && r != -EACCES)
        mh_log_errno(r, "Cannot attach to process %d", (int)t->pid);
    else if (scope > 0 && scope < (int)ARRAY_SIZE(scopes) && (geteuid() || scope == 3))
        mh_log("process %d may not be traced: %s", (int)t->pid, scopes[scope]);
    else
        mh_log("process %d may not be traced%s", (int)t->pid,
               geteuid() ? ": attach as root"
                         : ": this needs CAP_SYS_PTRACE (docker: --cap-add SYS_PTRACE)");
}

char *mh_target_path(const struct mh_target *t, const char *path)
{
    char *ret;

    return asprintf(&ret, "/proc/%d/root%s", (int)t->pid, path) < 0 ? NULL : ret;
}

bool mh_target_sees(const struct mh_target *t, const char *path)
{
    _cleanup_free_ char *there = mh_target_path(t, path);
    struct stat a, b;

    return there && stat(path, &a) == 0 && stat(there, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}
