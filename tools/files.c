/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of recordings; see files.h. */
#include "files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
