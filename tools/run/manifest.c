/* SPDX-License-Identifier: Apache-2.0 */
/* run.json; see manifest.h. */
#include "run/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/macros.h"

#include "base/banned.h"

enum { VERSION = 1 };

static int copy(const char *from, const char *to)
{
    _cleanup_close_ int in = open(from, O_RDONLY | O_CLOEXEC), out = -1;
    char buf[4096];
    ssize_t n;

    if (in < 0)
        return -errno;
    out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (out < 0)
        return -errno;
    while ((n = read(in, buf, sizeof(buf))) > 0)
        if (write(out, buf, (size_t)n) != n)
            return errno ? -errno : -EIO;
    return n < 0 ? -errno : 0;
}

json_t *mh_manifest_scenarios(const char *config, const char *dir)
{
    json_t *list = json_array();
    int n = 0;

    for (const char *p = config ? config : ""; list && *p;) {
        size_t length = strcspn(p, ":");
        _cleanup_free_ char *from = strndup(p, length);
        char name[32], to[PATH_MAX];

        snprintf(name, sizeof(name), "scenario-%d.ini", ++n);
        snprintf(to, sizeof(to), "%s/%s", dir, name);
        if (!from || copy(from, to) < 0 || json_array_append_new(list, json_string(name)) < 0) {
            json_decref(list);
            return NULL;
        }
        p += length + (p[length] == ':');
    }
    return list;
}

static json_t *words_of(char *const *command)
{
    json_t *words = json_array();

    for (; *command; command++)
        if (json_array_append_new(words, json_string(*command)) < 0) {
            json_decref(words); /* an argument that is no UTF-8 */
            return NULL;
        }
    return words;
}

const char *mh_manifest_pipeline(void)
{
    static const char *const names[] = {"GITHUB_ACTIONS",     "GITLAB_CI", "JENKINS_URL",
                                        "BUILDKITE",          "TF_BUILD",  "CIRCLECI",
                                        "TEAMCITY_VERSION",   "DRONE",     "BITBUCKET_BUILD_NUMBER",
                                        "CODEBUILD_BUILD_ID", "CI"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        const char *value = getenv(names[i]);

        if (value && *value && strcmp(value, "0") && strcasecmp(value, "false"))
            return names[i];
    }
    return NULL;
}

int mh_manifest_save(const struct mh_manifest *m, const char *dir)
{
    _cleanup_free_ char *here = getcwd(NULL, 0);
    char path[PATH_MAX];
    json_t *words = words_of(m->command), *scenarios = mh_manifest_scenarios(m->config, dir);
    json_t *o = json_pack(
        "{s:i, s:o, s:o, s:s, s:s?, s:s?, s:I, s:I, s:I, s:I, s:b, s:s?, s:s?, s:b, s:s?}",
        "version", VERSION, "command", words, "scenarios", scenarios, "directory",
        here ? here : ".", "with", m->with, "ready", m->ready, "for_ns", (json_int_t)m->for_ns,
        "grace_ns", (json_int_t)m->grace_ns, "ready_ns", (json_int_t)m->ready_ns, "seed",
        (json_int_t)m->seed, "no_calm", m->no_calm, "plan", m->plan, "fail_on", m->fail_on,
        "compared", m->compared, "pipeline", mh_manifest_pipeline());
    int r;

    if (!o)
        return -EILSEQ;
    snprintf(path, sizeof(path), "%s/run.json", dir);
    r = json_dump_file(o, path, JSON_INDENT(1)) < 0 ? -(errno ? errno : EIO) : 0;
    json_decref(o);
    return r;
}

int mh_manifest_load(const char *dir, json_t **ret)
{
    char path[PATH_MAX];
    json_t *o;

    snprintf(path, sizeof(path), "%s/run.json", dir);
    if (access(path, R_OK) < 0)
        return -errno;
    o = json_load_file(path, 0, NULL);
    if (json_integer_value(json_object_get(o, "version")) != VERSION ||
        !json_array_size(json_object_get(o, "command"))) {
        json_decref(o);
        return -EBADMSG;
    }
    *ret = o;
    return 0;
}
