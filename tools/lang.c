/* SPDX-License-Identifier: Apache-2.0 */
/* Finds catalogues of translations; see lang.h. A language is allowed if its file is there. */
#include "lang.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "log.h"
#include "run/library.h"

#include "base/banned.h"

static const char suffix[] = ".json";

static int is_catalogue(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name), tail = sizeof(suffix) - 1;

    return n > tail && !strcmp(entry->d_name + n - tail, suffix);
}

/* "en, pt": English and what the folder has. */
static void list(const char *folder, char *ret, size_t size)
{
    struct dirent **entries;
    int n = folder ? scandir(folder, &entries, is_catalogue, alphasort) : 0;
    size_t len = (size_t)snprintf(ret, size, "en");

    for (int i = 0; i < n; i++) {
        int stem = (int)(strlen(entries[i]->d_name) - (sizeof(suffix) - 1));

        if (len < size)
            len += (size_t)snprintf(ret + len, size - len, ", %.*s", stem, entries[i]->d_name);
        free(entries[i]);
    }
    if (n > 0)
        free(entries);
}

static void complain(const char *path, const char *message)
{
    mh_log("%s: %s", path, message);
}

static bool is_name(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyz-") == strlen(name);
}

int mh_lang_open(const char *name, struct mh_lang **ret)
{
    _cleanup_free_ char *folder = NULL, *path = NULL;
    char known[128];
    int r = -ENOENT;

    *ret = NULL;
    if (!name || !strcmp(name, "en"))
        return MH_EXIT_OK;
    folder = mh_lang_find();
    if (folder && is_name(name)) {
        if (asprintf(&path, "%s/%s%s", folder, name, suffix) < 0)
            return path = NULL, mh_log_errno(-ENOMEM, "--lang"), MH_EXIT_TROUBLE;
        r = mh_lang_load(path, complain, ret);
    }
    if (r == -ENOENT) {
        list(folder, known, sizeof(known));
        mh_log("--lang: '%s' is not a language of reports: %s", name, known);
        return MH_EXIT_MISUSE;
    }
    if (r < 0 && r != -EINVAL)
        mh_log_errno(r, "--lang: cannot read '%s'", path);
    return r < 0 ? MH_EXIT_TROUBLE : MH_EXIT_OK;
}
