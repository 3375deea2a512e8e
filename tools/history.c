/* SPDX-License-Identifier: Apache-2.0 */
/* The history of an application's grades; see history.h. Writers take turns by a lock on the file
 * itself, which each of them replaces: so whoever gets the lock looks whether it is still that
 * file. */
#include "history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/macros.h"
#include "cmd.h"
#include "grade/compare.h"
#include "grade/grade.h"
#include "log.h"
#include "report/out.h"

#include "base/banned.h"

enum { VERSION = 1, WAITS = 100, WAIT_NS = 100 * 1000 * 1000 };

static const char version_key[] = "mishap_history";

const char *mh_history_full_run(const json_t *document)
{
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(document, "passed"), i, one)
    {
        if (!strcmp(mh_document_text(one, "rule"), "MH-0901"))
            return json_string_value(json_object_get(json_object_get(document, "run"), "started"));
    }
    return NULL;
}

/* ---- the file as text ---- */

static bool is_run(const json_t *one)
{
    return *mh_document_text(one, "id") && *mh_document_text(one, "started");
}

/* Says what is wrong with it; 0 or -EBADMSG. */
static int examine(const char *path, const json_t *file)
{
    const json_t *version = json_object_get(file, version_key), *one;
    const json_t *runs = json_object_get(file, "runs");
    bool sound = json_is_integer(version) && json_is_array(runs);
    size_t i;

    if (json_is_integer(version) && json_integer_value(version) > VERSION) {
        mh_log("--history: '%s' is of a later version of mishap, and is left as it is", path);
        return -EBADMSG;
    }
    json_array_foreach(runs, i, one) sound = sound && is_run(one);
    if (sound)
        return 0;
    mh_log("--history: '%s' is no history of mishap, and is left as it is", path);
    return -EBADMSG;
}

/* From a file at its begin. An empty one is a history without runs. */
static int read_runs(const char *path, int fd, json_t **ret)
{
    json_error_t error;
    json_t *file;
    struct stat st;
    int r;

    if (fstat(fd, &st) < 0)
        return mh_log_errno(-errno, "--history: cannot read '%s'", path);
    if (!S_ISREG(st.st_mode))
        return mh_log_errno(-EINVAL, "--history: '%s' is no regular file", path);
    if (!st.st_size)
        return *ret = json_array(), *ret ? 0 : -ENOMEM;
    file = json_loadfd(fd, 0, &error);
    if (!file) {
        mh_log("--history: %s:%d: %s; it is left as it is", path, error.line, error.text);
        return -EBADMSG;
    }
    r = examine(path, file);
    if (!r)
        *ret = json_incref(json_object_get(file, "runs"));
    json_decref(file);
    return r;
}

static int append(const char *bytes, size_t n, void *out)
{
    mh_out_add_n(out, bytes, n);
    return 0;
}

static int write_runs(const char *path, json_t *runs)
{
    json_t *file = json_pack("{s:i, s:O}", version_key, VERSION, "runs", runs);
    struct mh_out out = {.error = 0};
    int r = -ENOMEM;

    if (file && json_dump_callback(file, append, &out, JSON_INDENT(1)) == 0) {
        mh_out_add(&out, "\n");
        r = mh_out_save(&out, path);
    }
    mh_out_done(&out);
    json_decref(file);
    return r;
}

/* ---- one at a time ---- */

static bool is_that_file(const char *path, int fd)
{
    struct stat named, held;

    return stat(path, &named) == 0 && fstat(fd, &held) == 0 && named.st_dev == held.st_dev &&
           named.st_ino == held.st_ino;
}

static int take(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

/* Returns the locked file, or a negative errno. */
static int lock(const char *path)
{
    static const struct timespec moment = {.tv_nsec = WAIT_NS};

    for (int i = 0; i < WAITS; i++) {
        /* Not for writing only: on NFS a lock for one writer needs it. */
        _cleanup_close_ int fd =
            open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0666);

        if (fd < 0)
            return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            if (is_that_file(path, fd))
                return take(&fd);
            continue;
        }
        if (errno != EWOULDBLOCK && errno != EINTR)
            return -errno;
        nanosleep(&moment, NULL);
    }
    return -ETIMEDOUT;
}

/* ---- runs ---- */

static json_t *entry_of(const json_t *document)
{
    static const char *const of_score[] = {"grade", "points", "evidence", "low", "high"};
    const json_t *run = json_object_get(document, "run"), *one;
    const json_t *score = json_object_get(document, "score");
    int counts[MH_SEVERITY_critical + 1] = {0};
    json_t *entry = json_object(), *findings = json_object();
    size_t i;

    json_object_set(entry, "id", json_object_get(run, "id"));
    json_object_set(entry, "started", json_object_get(run, "started"));
    json_object_set(entry, "seed", json_object_get(run, "seed"));
    for (i = 0; i < ARRAY_SIZE(of_score); i++)
        json_object_set(entry, of_score[i], json_object_get(score, of_score[i]));
    json_array_foreach(json_object_get(document, "findings"), i, one)
    {
        int severity = mh_severity_named(mh_document_text(one, "severity"));

        if (severity >= 0)
            counts[severity]++;
    }
    for (int s = MH_SEVERITY_critical; s >= MH_SEVERITY_low; s--)
        json_object_set_new(findings, mh_severity_words[s], json_integer(counts[s]));
    json_object_set_new(entry, "findings", findings);
    json_object_set_new(entry, "full", json_boolean(mh_history_full_run(document)));
    return entry;
}

/* Short runs can follow one another into the same folder within a second. */
static bool same_run(const json_t *a, const json_t *b)
{
    return !strcmp(mh_document_text(a, "id"), mh_document_text(b, "id")) &&
           !strcmp(mh_document_text(a, "started"), mh_document_text(b, "started")) &&
           json_equal(json_object_get(a, "seed"), json_object_get(b, "seed"));
}

/* Takes over `entry`. Times are written so that their texts sort as they do. */
static int insert(json_t *runs, json_t *entry)
{
    const char *started = mh_document_text(entry, "started");
    size_t i, at = 0;
    json_t *one;

    for (i = json_array_size(runs); i > 0; i--)
        if (same_run(json_array_get(runs, i - 1), entry))
            json_array_remove(runs, i - 1);
    json_array_foreach(runs, i, one)
    {
        if (strcmp(mh_document_text(one, "started"), started) <= 0)
            at = i + 1;
    }
    if (json_array_insert_new(runs, at, entry) < 0)
        return -ENOMEM;
    while (json_array_size(runs) > MH_HISTORY_RUNS)
        json_array_remove(runs, 0);
    return 0;
}

/* Returns the status of what was said, or says it. */
static int told(int r, const char *path)
{
    if (r == -ENOENT)
        mh_log("--history: there is no folder for '%s'", path);
    else if (r == -ETIMEDOUT)
        mh_log("--history: '%s' is held by another mishap", path);
    else if (r == -ENODATA)
        mh_log("--history: it is not known when this run was made: it is not put into '%s'", path);
    else if (r < 0)
        mh_log_errno(r, "--history: cannot write '%s'", path);
    return r < 0 ? MH_EXIT_TROUBLE : MH_EXIT_OK;
}

int mh_history_load(const char *path, json_t **ret)
{
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

    if (fd < 0 && errno == ENOENT)
        return *ret = json_array(), *ret ? MH_EXIT_OK : MH_EXIT_TROUBLE;
    if (fd < 0)
        return mh_log_errno(-errno, "--history: cannot read '%s'", path), MH_EXIT_MISUSE;
    return read_runs(path, fd, ret) < 0 ? MH_EXIT_MISUSE : MH_EXIT_OK;
}

int mh_history_check(const char *path)
{
    json_t *runs = NULL;
    int status = mh_history_load(path, &runs), r;

    json_decref(runs);
    if (status)
        return status;
    r = mh_out_check(path);
    if (!r && access(path, W_OK) < 0 && errno != ENOENT)
        r = -errno;
    return told(r, path) ? MH_EXIT_MISUSE : MH_EXIT_OK;
}

int mh_history_add(const char *path, json_t *document)
{
    _cleanup_close_ int fd = lock(path);
    _cleanup_free_ char *real = NULL; /* a link stays a link */
    json_t *runs = NULL, *entry;
    int r;

    if (fd < 0)
        return told(fd, path);
    if (read_runs(path, fd, &runs) < 0)
        return MH_EXIT_TROUBLE;
    entry = entry_of(document);
    real = realpath(path, NULL);
    r = is_run(entry) ? insert(runs, json_incref(entry)) : -ENODATA;
    json_decref(entry);
    if (!r)
        r = real ? write_runs(real, runs) : -ENOMEM;
    if (!r && json_object_set_new(document, "trend", json_pack("{s:O}", "runs", runs)) < 0)
        r = -ENOMEM;
    json_decref(runs);
    return told(r, path);
}
