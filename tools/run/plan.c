/* SPDX-License-Identifier: Apache-2.0 */
/* Preparation of a run; see plan.h. Nothing here outlives a refused run but an empty directory. */
#include "run/plan.h"

#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/macros.h"
#include "cmd.h"
#include "files.h"
#include "log.h"
#include "rule/load.h"
#include "run/library.h"
#include "run/program.h"
#include "run/ready.h"

#include "base/banned.h"

bool mh_plan_command_exists(const char *name)
{
    const char *path = getenv("PATH");

    if (strchr(name, '/'))
        return access(name, X_OK) == 0;
    for (path = path ? path : "/usr/bin:/bin"; *path; path += *path == ':') {
        size_t n = strcspn(path, ":");
        _cleanup_free_ char *file = NULL;

        if (asprintf(&file, "%.*s/%s", n ? (int)n : 1, n ? path : ".", name) < 0) {
            file = NULL;
            return true;
        }
        if (access(file, X_OK) == 0)
            return true;
        path += n;
    }
    return false;
}

int mh_plan_ready(const char *ready, struct mh_ready **ret)
{
    int r = mh_ready_new(ready, ret);

    if (r == -EINVAL)
        mh_log("--ready: '%s' is not HOST:PORT, nor http://HOST:PORT/PATH", ready);
    else if (r == -EPROTONOSUPPORT)
        mh_log("--ready: '%s' is not of http://; HOST:PORT asks for no protocol", ready);
    else if (r == -ENOMEM)
        mh_log_errno(r, "--ready");
    else if (r < 0)
        mh_log("--ready: the host of '%s' has no address", ready);
    else if (mh_ready_listens(*ret, 500))
        mh_log("%s answers before the command was started: something else listens there", ready);
    else
        return MH_EXIT_OK;
    return MH_EXIT_MISUSE;
}

/* Adds ":PATH". Returns 0 or a negative errno. */
static int config_add(struct mh_plan *plan, const char *path)
{
    char *longer;

    if (asprintf(&longer, "%s%s%s", plan->config ? plan->config : "", plan->config ? ":" : "",
                 path) < 0)
        return -ENOMEM;
    free(plan->config);
    plan->config = longer;
    return 0;
}

static int config_validate(struct mh_plan *plan)
{
    _cleanup_free_ struct mh_mistakes *mistakes = calloc(1, sizeof(*mistakes));
    int r;

    plan->rules = calloc(1, sizeof(*plan->rules));
    if (!mistakes || !plan->rules)
        return mh_log_errno(-ENOMEM, "Cannot read the scenario"), MH_EXIT_TROUBLE;
    r = mh_rules_load(plan->config, plan->rules, mistakes);
    for (size_t i = 0; i < MH_MIN(mistakes->n, ARRAY_SIZE(mistakes->at)); i++)
        if (mistakes->at[i].line)
            fprintf(stderr, "%s:%d: %s\n", mistakes->at[i].file, mistakes->at[i].line,
                    mistakes->at[i].text);
        else
            fprintf(stderr, "%s: %s\n", mistakes->at[i].file, mistakes->at[i].text);
    if (mistakes->n > ARRAY_SIZE(mistakes->at))
        mh_log("and %zu mistakes more", mistakes->n - ARRAY_SIZE(mistakes->at));
    if (r == 0)
        return MH_EXIT_OK;
    if (!mistakes->n)
        mh_log_errno(r, "Cannot read '%s'", plan->config);
    return MH_EXIT_MISUSE;
}

void mh_scenarios_add(struct mh_scenarios *scenarios, char *name, struct argp_state *state)
{
    if (scenarios->n == MH_MAX_FILES)
        argp_error(state, "more than %d scenarios", MH_MAX_FILES);
    else
        scenarios->v[scenarios->n++] = name;
}

int mh_plan_config(struct mh_plan *plan, char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        _cleanup_free_ char *path = mh_scenario_find(names[i]);

        if (!path) {
            mh_log_errno(-errno, "Cannot use the scenario '%s'", names[i]);
            return MH_EXIT_MISUSE;
        }
        if (strchr(path, ':')) {
            mh_log("'%s': a scenario's path cannot hold ':'", path);
            return MH_EXIT_MISUSE;
        }
        if (config_add(plan, path) < 0)
            return mh_log_errno(-ENOMEM, "Cannot use '%s'", path), MH_EXIT_TROUBLE;
    }
    return n ? config_validate(plan) : MH_EXIT_OK;
}

/* mkdir -p; only the last part may be an existing directory without our saying so. */
static int make_directories(const char *path)
{
    _cleanup_free_ char *copy = strdup(path);

    if (!copy)
        return -ENOMEM;
    for (char *p = copy + 1; *p; p++) {
        if (*p != '/')
            continue;
        *p = 0;
        if (mkdir(copy, 0777) < 0 && errno != EEXIST)
            return -errno;
        *p = '/';
    }
    return mkdir(copy, 0777) < 0 && errno != EEXIST ? -errno : 0;
}

/* mishap-out/2026-11-23T15-04-05Z-4711: sorts by time, and holds nothing that a shell minds. */
static char *fresh_name(void)
{
    time_t now = time(NULL);
    struct tm utc;
    char when[40], *name;

    gmtime_r(&now, &utc);
    strftime(when, sizeof(when), "%Y-%m-%dT%H-%M-%SZ", &utc);
    return asprintf(&name, "mishap-out/%s-%d", when, (int)getpid()) < 0 ? NULL : name;
}

/* A second run in the same place would be graded together with the first: whoever has the lock may
 * look whether there is one. Not every file system can lock; then only the look is left. */
static int claim(struct mh_plan *plan)
{
    _cleanup_free_ char *control = NULL;
    struct mh_files files = {0};
    bool used;

    plan->claim = open(plan->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (plan->claim >= 0 && flock(plan->claim, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK) {
        mh_log("a run goes on in '%s'; name another directory", plan->dir);
        return MH_EXIT_MISUSE;
    }
    used = mh_files_add(&files, plan->dir) != 0;
    mh_files_done(&files);
    if (asprintf(&control, "%s/control", plan->dir) < 0) {
        control = NULL;
        return MH_EXIT_TROUBLE;
    }
    if (!used && access(control, F_OK) < 0)
        return MH_EXIT_OK;
    mh_log("'%s' holds a run already; remove it, or name another directory", plan->dir);
    return MH_EXIT_MISUSE;
}

int mh_plan_directory(struct mh_plan *plan, const char *name)
{
    _cleanup_free_ char *fresh = name ? NULL : fresh_name();
    int r;

    if (!name && !fresh)
        return mh_log_errno(-ENOMEM, "Cannot name the output directory"), MH_EXIT_TROUBLE;
    name = name ? name : fresh;
    r = *name ? make_directories(name) : -EINVAL;
    if (!r) {
        plan->dir = realpath(name, NULL);
        r = plan->dir ? access(plan->dir, W_OK | X_OK) ? -errno : 0 : -errno;
    }
    if (r < 0) {
        mh_log_errno(r, "Cannot use the directory '%s'", name);
        return MH_EXIT_MISUSE;
    }
    return claim(plan);
}

static int add(struct mh_plan *plan, const char *name, const char *value)
{
    size_t i = 0;

    while (plan->environment[i])
        i++;
    if (asprintf(&plan->environment[i], value ? "%s=%s" : "%s", name, value) < 0) {
        plan->environment[i] = NULL;
        return -ENOMEM;
    }
    return 0;
}

static uint64_t random_seed(void)
{
    uint64_t seed;

    if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
        seed = (uint64_t)time(NULL) * 1000003 + (uint64_t)getpid();
    return seed & MH_PLAN_SEED_MAX;
}

int mh_plan_library(struct mh_plan *plan, char *const *command)
{
    plan->library = mh_library_find(command);
    if (!plan->library) {
        mh_log_errno(-errno, "Cannot find libmishap.so, beside this program or in " MISHAP_LIBDIR);
        return MH_EXIT_TROUBLE;
    }
    if (strpbrk(plan->library, " :")) {
        mh_log("'%s': the loader takes no blank and no ':' in the path of a preloaded library",
               plan->library);
        return MH_EXIT_TROUBLE;
    }
    return MH_EXIT_OK;
}

/* Whatever it starts is as foreign as the command itself, most likely; a static or setuid one may
 * well start a Python that takes part. */
int mh_plan_program(const struct mh_plan *plan, char *const *command)
{
    struct mh_program program;
    int status = MH_EXIT_OK;

    if (mh_program_inspect(command, plan->library, &program) == 0 &&
        (program.foreign || program.alone)) {
        mh_log(program.foreign ? "%s" : "%s; only what it starts can take part", program.why);
        if (program.foreign)
            status = MH_EXIT_TROUBLE;
    }
    mh_program_done(&program);
    return status;
}

int mh_plan_environment(struct mh_plan *plan, const uint64_t *seed)
{
    const char *others = getenv("LD_PRELOAD");
    _cleanup_free_ char *preload = NULL;
    char number[24];
    int r = 0;

    if (seed)
        plan->seed = *seed;
    else
        plan->seed = plan->rules && plan->rules->seed_given ? plan->rules->seed : random_seed();
    snprintf(number, sizeof(number), "%" PRIu64, plan->seed);
    if (asprintf(&preload, "%s%s%s", plan->library, others && *others ? ":" : "",
                 others ? others : "") < 0) {
        preload = NULL;
        r = -ENOMEM;
    }
    r = r ? r : add(plan, "LD_PRELOAD", preload);
    r = r ? r : add(plan, "MISHAP_CONFIG", plan->config);
    r = r ? r : add(plan, "MISHAP_OUT", plan->dir);
    r = r ? r : add(plan, "MISHAP_SEED", number);
    return r ? (mh_log_errno(r, "Cannot prepare the run"), MH_EXIT_TROUBLE) : MH_EXIT_OK;
}

bool mh_plan_has_calm(const struct mh_plan *plan)
{
    for (unsigned i = 0; plan->rules && i < plan->rules->nphases; i++) {
        uint64_t any = 0;

        for (size_t word = 0; word < ARRAY_SIZE(plan->rules->phases[i].faults); word++)
            any |= plan->rules->phases[i].faults[word];
        return !any; /* only what comes first is free of the aftermath of faults */
    }
    return false;
}

void mh_plan_done(struct mh_plan *plan)
{
    free(plan->config);
    free(plan->rules);
    free(plan->dir);
    free(plan->library);
    if (plan->claim > 0)
        close(plan->claim);
    for (size_t i = 0; plan->environment[i]; i++)
        free(plan->environment[i]);
    *plan = (struct mh_plan){0};
}
