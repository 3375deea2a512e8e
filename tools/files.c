/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of recordings, and long files; see files.h. */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"

#include "base/banned.h"

static int push(struct mh_files *files, char *name)
{
    char **names;

    if (!name)
        return -ENOMEM;
    names = reallocarray(files->names, files->n + 1, sizeof(*names));
    if (!names) {
        free(name);
        return -ENOMEM;
    }
    files->names = names;
    names[files->n++] = name;
    return 0;
}

static int is_recording(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);

    return n > 4 && !strcmp(entry->d_name + n - 4, ".mhr");
}

static int add_directory(struct mh_files *files, const char *path)
{
    struct dirent **entries;
    int n = scandir(path, &entries, is_recording, alphasort), r = 0;

    if (n < 0)
        return -errno;
    for (int i = 0; i < n; i++) {
        char *name = NULL;

        if (!r && asprintf(&name, "%s/%s", path, entries[i]->d_name) < 0)
            r = -ENOMEM;
        else if (!r)
            r = push(files, name);
        free(entries[i]);
    }
    free(entries);
    return r ? r : n;
}

int mh_files_add(struct mh_files *files, const char *path)
{
    struct stat st;
    int r;

    if (stat(path, &st) < 0)
        return -errno;
    if (S_ISDIR(st.st_mode))
        return add_directory(files, path);
    r = push(files, strdup(path));
    return r ? r : 1;
}

void mh_files_done(struct mh_files *files)
{
    for (size_t i = 0; i < files->n; i++)
        free(files->names[i]);
    free(files->names);
    files->names = NULL;
    files->n = 0;
}

/* A file that exists and is no regular one must not be replaced by one. */
static bool is_special(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

static int write_to(FILE *out, int (*write)(FILE *out, void *context), void *context)
{
    int r = write(out, context);

    if (!r && (fflush(out) == EOF || ferror(out)))
        r = errno ? -errno : -EIO;
    return r;
}

int mh_files_write(const char *path, int (*write)(FILE *out, void *context), void *context)
{
    _cleanup_free_ char *temporary = NULL;
    bool special;
    FILE *out;
    int r;

    if (!path || !strcmp(path, "-"))
        return write_to(stdout, write, context);
    special = is_special(path);
    if (asprintf(&temporary, "%s.%d.tmp", path, getpid()) < 0)
        return -ENOMEM;
    out = fopen(special ? path : temporary, "we");
    if (!out)
        return -errno;
    r = write_to(out, write, context);
    if (fclose(out) == EOF && !r)
        r = -errno;
    if (special)
        return r;
    if (!r && rename(temporary, path) < 0)
        r = -errno;
    if (r)
        unlink(temporary);
    return r;
}
