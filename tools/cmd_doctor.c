/* SPDX-License-Identifier: Apache-2.0 */
/* `mishap doctor`: can each fault of a scenario fire here, in this command, and if not, why. Only
 * an interpreter is run, with a line of our own; the command itself is not. */
#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/macros.h"
#include "cmd.h"
#include "doctor_place.h"
#include "listing.h"
#include "log.h"
#include "rule/load.h"
#include "run/library.h"
#include "run/plan.h"
#include "run/probe.h"
#include "run/program.h"

#include "base/banned.h"

enum { UNABLE = 1 }; /* exit status: some fault cannot fire */

struct options {
    struct mh_scenarios scenarios;
    const char *dir;
    char **command; /* NULL: python3 of PATH stands in */
    bool json;
};

/* What holds for all faults. */
struct state {
    struct mh_plan plan;
    struct mh_program program;
    struct mh_probe probe;
    struct mh_rings rings;
    char *library;
    char *line; /* of the process that COMMAND becomes; NULL unknown */
    bool probed;
    char why[600];    /* none can fire, because; "" they can */
    char remark[200]; /* what else is to be known */
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case 'c':
        mh_scenarios_add(&o->scenarios, arg, state);
        return 0;
    case 'o':
        o->dir = arg;
        return 0;
    case 'j':
        o->json = true;
        return 0;
    case ARGP_KEY_ARG:
        o->command = &state->argv[state->next - 1];
        state->next = state->argc; /* all the rest is the command's */
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

#define BECAUSE(s, ...)                                                                            \
    ((s)->why[0] ? 0 : snprintf((s)->why, sizeof((s)->why), __VA_ARGS__)) /* the first counts */

static void check_library(struct state *s, char *const *command)
{
    const char *disabled = getenv("MISHAP_DISABLE");

    if (disabled && *disabled && strcmp(disabled, "0") != 0)
        BECAUSE(s, "MISHAP_DISABLE is set: every call passes through");
    s->library = mh_library_find(command);
    if (!s->library)
        BECAUSE(s, "libmishap.so is not there, neither beside this program nor where it was "
                   "installed");
    else if (strpbrk(s->library, " :"))
        BECAUSE(s, "%s: the loader takes no blank and no ':' in the path of a library", s->library);
}

/* In the directory, or in the nearest one above it that is there, one is made and removed again:
 * rights alone do not tell. */
static void check_directory(struct state *s, const char *dir)
{
    _cleanup_free_ char *path = strdup(dir), *trial = NULL;

    while (path && access(path, F_OK) < 0 && errno != EACCES) {
        char *slash = strrchr(path, '/');

        if (slash && slash != path)
            *slash = '\0';
        else
            memcpy(path, *path == '/' ? "/" : ".", 2);
    }
    if (!path || asprintf(&trial, "%s/.mishap-XXXXXX", path) < 0) {
        trial = NULL;
        return;
    }
    if (mkdtemp(trial))
        rmdir(trial);
    else
        BECAUSE(s,
                "'%s' cannot be written to (%s: %s), and what cannot be recorded is not injected",
                dir, path, strerror(errno));
}

static bool calls_itself_python(const char *name)
{
    const char *slash = strrchr(name, '/');

    return !strncmp(slash ? slash + 1 : name, "python", 6);
}

/* An interpreter is asked; so is a script in front of one, as version managers have them. */
static int check_interpreter(struct state *s, const char *name)
{
    const char *asked = s->program.python ? s->program.invoked : name;
    int r;

    if (!s->program.path || !s->library || (!s->program.python && !calls_itself_python(name)))
        return 0;
    r = mh_probe_run(asked, s->library, &s->probe);
    s->probed = r == 0;
    if (r < 0) {
        snprintf(s->remark, sizeof(s->remark), "%s could not be asked: %s", asked, strerror(-r));
    } else if (!s->probe.loaded) {
        BECAUSE(s, "%s does not load the library%s%s", asked, s->probe.said[0] ? ": " : "",
                s->probe.said);
    } else if (s->probe.python && !s->probe.stacks) {
        snprintf(s->remark, sizeof(s->remark),
                 "Python %u.%u.%u is not one whose stacks are known: no sites, no outcomes",
                 s->probe.python >> 24, s->probe.python >> 16 & 255, s->probe.python >> 8 & 255);
    } else if (s->program.musl) {
        snprintf(s->remark, sizeof(s->remark),
                 "but not in what calls open64 and the like, as Rust of before musl 1.2.4 does: "
                 "musl has no such names, and they pass");
    }
    return 0;
}

/* Who the process will be, to its own eyes and the scenario's. */
static void check_part(struct state *s, char *const *command)
{
    const struct mh_program *p = &s->program;
    bool behind_script = s->probed && s->probe.python && !p->python;
    const char *exe = behind_script ? command[0] : p->path;
    const struct mh_rules *rules = s->plan.rules;
    const char *line = p->line;
    bool part;
    MH_BUF(given, 2048);
    MH_BUF(patterns, 300);

    if (!exe || !line)
        return;
    for (size_t i = 0; command[i]; i++) {
        mh_buf_add(&given, i ? " " : "");
        mh_buf_add(&given, command[i]);
    }
    if (behind_script)
        line = given.data;
    for (unsigned i = 0; rules && i < rules->nprocesses; i++) {
        mh_buf_add(&patterns, i ? " " : "");
        mh_buf_add(&patterns, rules->processes[i]);
    }
    part = rules ? mh_rules_takes_part(rules, exe, line) : p->python || behind_script;
    if (!part)
        BECAUSE(s,
                "%s is none of the processes that take part (%s); what it starts may be: ask "
                "about that",
                exe, patterns.len ? patterns.data : "python*");
    if (s->plan.rules)
        mh_rules_bind(s->plan.rules, exe, line);
    s->line = strdup(line);
}

/* Of one fault: "" when it can fire. */
static void judge(const struct state *s, const struct mh_fault *f, bool bound, struct mh_buf *ret)
{
    if (s->why[0]) {
        mh_buf_add(ret, s->why);
    } else if (bound && !f->takes_part) {
        mh_buf_add(ret, "process = ");
        for (unsigned i = 0; i < f->nprocesses; i++) {
            mh_buf_add(ret, i ? " " : "");
            mh_buf_add(ret, f->processes[i]);
        }
        mh_buf_add(ret, " does not match '");
        mh_buf_add(ret, s->line);
        mh_buf_add(ret, "'; what it starts may");
    } else if ((f->per == MH_PER_site || f->nstacks) && s->probed && !s->probe.stacks) {
        mh_buf_add(ret, f->nstacks ? "stack: " : "per = site: ");
        mh_buf_add(ret, s->remark[0] ? s->remark : "no stack of Python was seen in it");
    } else if (f->nstacks && bound && !s->probed) {
        mh_buf_add(ret, "stack: '");
        mh_buf_add(ret, s->line);
        mh_buf_add(ret, "' is no Python; what it starts may be");
    }
}

/* Rings that are made without libc pass by a fault that refuses rings. */
static bool past_refusal(const struct state *s, const struct mh_fault *f)
{
    return (f->ops & MH_OP_BIT(MH_OP_io_uring)) && s->rings.how == MH_RING_itself &&
           !s->rings.kernel_never;
}

/* Calls of libuv that go through the kernel's ring never reach libc. */
static bool past_libc(const struct mh_fault *f)
{
    const char *ring = getenv("UV_USE_IO_URING");
    bool file = false;

    for (unsigned op = 1; op < MH_OP_COUNT; op++)
        file |= (f->ops & MH_OP_BIT(op)) && !strncmp(mh_op_rows[op].group, "file", 4);
    return file && ring && *ring && strcmp(ring, "0") != 0;
}

static int print(const struct options *o, const struct state *s)
{
    static const struct mh_listing_column columns[] = {
        {"FAULT", 22, false}, {"HERE", 11, false}, {"WHY", 0, false}};
    struct mh_listing *l =
        mh_listing_new(columns, ARRAY_SIZE(columns), o->json ? MH_LISTING_json : MH_LISTING_text);
    const struct mh_rules *rules = s->plan.rules;
    unsigned unable = rules && rules->nfaults ? 0 : s->why[0] != '\0';
    int r;

    for (unsigned i = 0; rules && i < rules->nfaults; i++) {
        const struct mh_fault *f = &rules->faults[i];
        MH_BUF(why, 1200);

        judge(s, f, s->line != NULL, &why);
        unable += why.len > 0;
        mh_listing_add(l, f->name);
        mh_listing_add(l, why.len ? "cannot fire" : "can fire");
        if (!why.len && past_libc(f))
            mh_buf_add(&why, "but not in libuv's calls on files: UV_USE_IO_URING is set, and they "
                             "go past libc");
        else if (!why.len && past_refusal(s, f))
            mh_buf_add(&why, "but not where a ring is made without libc: see (io_uring)");
        else if (!why.len && s->remark[0])
            mh_buf_add(&why, s->remark);
        else if (!why.len && mh_fault_by_route(f))
            mh_buf_add(&why, "but not for requests behind TLS, whose route is not seen: stack = "
                             "the function that serves them is");
        mh_listing_add(l, why.data);
    }
    if (!rules || !rules->nfaults) { /* recording alone */
        mh_listing_add(l, "(none)");
        mh_listing_add(l, s->why[0] ? "cannot record" : "can record");
        mh_listing_add(l, s->why[0] ? s->why : s->remark);
    }
    mh_doctor_place(l, &s->rings);
    r = mh_listing_finish(l);
    if (r < 0)
        return mh_log_errno(r, "Cannot print the table"), MH_EXIT_TROUBLE;
    return unable ? UNABLE : MH_EXIT_OK;
}

static int examine(const struct options *o, struct state *s)
{
    char *const python[] = {(char[]){"python3"}, NULL};
    char *const *command = o->command ? o->command : python;
    int r;

    check_library(s, command);
    check_directory(s, o->dir ? o->dir : "mishap-out");
    r = mh_program_inspect(command, s->library, &s->program);
    if (r < 0)
        return mh_log_errno(r, "Cannot look at '%s'", command[0]), MH_EXIT_TROUBLE;
    if (o->command || s->program.path) {
        if (s->program.why[0])
            BECAUSE(s, "%s", s->program.why);
        else
            check_interpreter(s, command[0]);
    }
    if (o->command)
        check_part(s, command);
    mh_doctor_rings(s->program.path, s->probe.roots, &s->rings);
    return print(o, s);
}

int mh_cmd_doctor(int argc, char **argv)
{
    static const struct argp_option rows[] = {
        {"config", 'c', "FILE", 0, "Scenario: a file, or the name of a shipped one; may repeat", 0},
        {"out", 'o', "DIR", 0, "Where recordings would go (default below mishap-out)", 0},
        {"json", 'j', 0, 0, "An array of objects", 0},
        {0},
    };
    static const struct argp argp = {
        .options = rows,
        .parser = parse,
        .args_doc = "[-- COMMAND [ARG...]]",
        .doc =
            "Says of each fault whether it can fire here, and why not."
            "\vCOMMAND is looked at, not run: what its PATH, its #! lines and its ELF file say. "
            "Behind a Python, that interpreter is run for a moment with a line of mishap's own. "
            "Without COMMAND the python3 of PATH stands in. Two rows more are on the place: what "
            "the kernel side has here, and which program or package could use an io_uring.\n\n"
            "Exit status: 0 all can fire; 1 some cannot; 2 misuse or a bad scenario.\n\n"
            "Example: mishap doctor -c slow-redis -- uvicorn app:app\n",
    };
    struct options o = {0};
    struct state s = {.why = ""};
    int status;

    if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &o))
        return MH_EXIT_MISUSE;
    status = mh_plan_config(&s.plan, o.scenarios.v, o.scenarios.n);
    if (!status)
        status = examine(&o, &s);
    mh_program_done(&s.program);
    mh_rings_done(&s.rings);
    mh_plan_done(&s.plan);
    free(s.library);
    free(s.line);
    return status;
}
