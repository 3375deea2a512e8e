/* SPDX-License-Identifier: Apache-2.0 */
/* report.json: what the kernel told, and what only the kernel saw; see document.h. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/errname.h"
#include "base/macros.h"
#include "grade/document.h"

#include "base/banned.h"

enum { MOST_NAMED = 8, MOST_PROGRAMS = 64 };

/* What the tier's line says of a kernel that was watched: the ends and the network in one sentence.
 */
static void watched(const struct mh_kernel_seen *k, char *buf, size_t size)
{
    size_t killed = 0, oom = 0;
    int n;

    for (size_t i = 0; i < k->ends.n; i++) {
        killed += k->ends.v[i].signal != 0;
        oom += k->ends.v[i].oom;
    }
    n = snprintf(buf, size, "%zu process%s ended", k->ends.n, k->ends.n == 1 ? "" : "es");
    if (killed)
        n += snprintf(buf + n, size - (size_t)n, ", %zu by a signal", killed);
    if (oom)
        n += snprintf(buf + n, size - (size_t)n, ", %zu for want of memory", oom);
    if (k->resets_received || k->resets_sent)
        n += snprintf(buf + n, size - (size_t)n, "; TCP resets: %llu received, %llu sent",
                      (unsigned long long)k->resets_received, (unsigned long long)k->resets_sent);
    if (k->retransmits)
        n += snprintf(buf + n, size - (size_t)n, "; %llu retransmits",
                      (unsigned long long)k->retransmits);
    if (k->probed && k->faults_said == k->faults && k->failures_said == k->failures)
        snprintf(buf + n, size - (size_t)n, "; agrees on %llu faults and %llu failures",
                 (unsigned long long)k->faults, (unsigned long long)k->failures);
}

json_t *mh_document_kernel_tier(const struct mh_grading *g)
{
    const struct mh_kernel_seen *k = &g->m->kernel;
    char note[256];

    if (k->loaded > 0)
        watched(k, note, sizeof(note));
    else
        snprintf(note, sizeof(note), "%s",
                 k->told ? mh_model_text(g->m, k->missing)
                         : "only `mishap run` can ask the kernel");
    return mh_document_tier("K", "kernel", k->loaded > 0, note);
}

/* "N failed system calls ...: openat ENOTDIR 200, ..." over all processes. */
static void add_unseen(const struct mh_model *m, json_t *list)
{
    struct {
        uint32_t name;
        int err;
        uint64_t count;
    } rows[MOST_NAMED] = {0};
    uint64_t all = 0, shown = 0;
    char text[512] = "";
    size_t n = 0;

    for (size_t i = 0; i < m->kernel.calls.n; i++) {
        const struct mh_kernel_call *c = &m->kernel.calls.v[i];
        uint64_t unseen = mh_kernel_unseen(m, c);

        all += unseen;
        for (size_t j = 0; unseen && j < MOST_NAMED; j++) {
            if (rows[j].count && (rows[j].name != c->name || rows[j].err != c->err))
                continue;
            rows[j].name = c->name;
            rows[j].err = c->err;
            rows[j].count += unseen;
            break;
        }
    }
    for (size_t j = 0; j < MOST_NAMED && rows[j].count && n < sizeof(text) - 80; j++) {
        const char *err = mh_errno_name(rows[j].err);

        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.30s %s %llu", n ? ", " : "",
                              mh_model_text(m, rows[j].name), err ? err : "?",
                              (unsigned long long)rows[j].count);
        shown += rows[j].count;
    }
    if (all)
        mh_sentence(list, "%llu failed system call%s seen only by the kernel, not by a hook: %s%s.",
                    (unsigned long long)all, all == 1 ? " was" : "s were", text,
                    shown < all ? ", ..." : "");
}

static void add_io_uring(const struct mh_model *m, json_t *list)
{
    for (size_t i = 0; i < m->kernel.calls.n; i++) {
        const struct mh_kernel_call *c = &m->kernel.calls.v[i];

        if (!c->err && json_array_size(list) < MOST_PROGRAMS)
            mh_sentence(list, "%s (pid %d) uses io_uring: what goes that way was not seen.",
                        mh_model_text(m, c->program), c->pid);
    }
}

const struct mh_kernel_end *mh_document_killed(const struct mh_grading *g, int pid)
{
    for (size_t i = 0; i < g->m->kernel.ends.n; i++)
        if (g->m->kernel.ends.v[i].pid == pid && g->m->kernel.ends.v[i].signal)
            return &g->m->kernel.ends.v[i];
    return NULL;
}

/* "SIGKILL from gunicorn (4711)", "SIGSEGV", "SIGKILL: the kernel was out of memory" */
json_t *mh_document_killed_text(const struct mh_grading *g, const struct mh_kernel_end *end)
{
    static const char *const names[] = {
        [SIGHUP] = "SIGHUP",   [SIGINT] = "SIGINT",   [SIGQUIT] = "SIGQUIT", [SIGILL] = "SIGILL",
        [SIGTRAP] = "SIGTRAP", [SIGABRT] = "SIGABRT", [SIGBUS] = "SIGBUS",   [SIGFPE] = "SIGFPE",
        [SIGKILL] = "SIGKILL", [SIGUSR1] = "SIGUSR1", [SIGSEGV] = "SIGSEGV", [SIGUSR2] = "SIGUSR2",
        [SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM", [SIGXCPU] = "SIGXCPU",
        [SIGSYS] = "SIGSYS",
    };
    char number[24], text[96];
    const char *signal = number;

    snprintf(number, sizeof(number), "signal %d", end->signal);
    if (end->signal > 0 && end->signal < (int)ARRAY_SIZE(names) && names[end->signal])
        signal = names[end->signal];
    if (end->oom)
        snprintf(text, sizeof(text), "%s: out of memory", signal);
    else if (end->sender)
        snprintf(text, sizeof(text), "%s from %.20s (%d)", signal,
                 mh_model_text(g->m, end->sender_program), end->sender);
    else
        snprintf(text, sizeof(text), "%s", signal);
    return mh_json_text(text);
}

static bool is_recorded(const struct mh_model *m, int pid)
{
    for (size_t i = 0; i < m->processes.n; i++)
        if (m->processes.v[i].pid == pid && m->processes.v[i].recorded &&
            !m->processes.v[i].baseline)
            return true;
    return false;
}

/* Programs of the run that left no recording: static ones, or such as do not take part. */
static void add_unrecorded(const struct mh_model *m, json_t *list)
{
    struct {
        uint32_t name;
        size_t count;
    } rows[MOST_PROGRAMS] = {0};
    char text[512] = "";
    size_t all = 0, n = 0, shown = 0;

    for (size_t i = 0; i < m->kernel.ends.n; i++) {
        const struct mh_kernel_end *e = &m->kernel.ends.v[i];

        if (is_recorded(m, e->pid))
            continue;
        all++;
        for (size_t j = 0; j < MOST_PROGRAMS; j++) {
            if (rows[j].count && rows[j].name != e->program)
                continue;
            rows[j].name = e->program;
            rows[j].count++;
            break;
        }
    }
    for (size_t j = 0; j < MOST_NAMED && rows[j].count; j++) {
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%.20s %zu", n ? ", " : "",
                              mh_model_text(m, rows[j].name), rows[j].count);
        shown += rows[j].count;
    }
    if (all)
        mh_sentence(list, "%zu process%s of the run left no recording: %s%s.", all,
                    all == 1 ? "" : "es", text, shown < all ? ", ..." : "");
}

void mh_document_kernel_blind_spots(const struct mh_grading *g, json_t *list)
{
    const struct mh_kernel_seen *k = &g->m->kernel;
    const char *missing = mh_model_text(g->m, k->missing);

    if (k->loaded <= 0) {
        mh_sentence(list, "Kernel events were not recorded: what passes by libc (static programs, "
                          "io_uring) was not seen.");
        return;
    }
    if (mh_kernel_missed(g->m))
        mh_sentence(
            list,
            "%llu faults and failures that the kernel heard of are in no recording (%llu of "
            "%llu and %llu of %llu are): a recording is missing or was damaged.",
            (unsigned long long)mh_kernel_missed(g->m), (unsigned long long)k->faults,
            (unsigned long long)k->faults_said, (unsigned long long)k->failures,
            (unsigned long long)k->failures_said);
    if (*missing)
        mh_sentence(list, "The kernel was only partly watched: %s.", missing);
    add_unseen(g->m, list);
    add_io_uring(g->m, list);
    add_unrecorded(g->m, list);
    if (k->lost)
        mh_sentence(list, "%llu events of the kernel found no room.", (unsigned long long)k->lost);
}
