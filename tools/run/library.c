/* SPDX-License-Identifier: Apache-2.0 */
/* Look-ups beside the executable and in the prefix; see library.h. */
#include "run/library.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/macros.h"
#include "run/program.h"

#include "base/banned.h"

/* FOLDER/NAME as an absolute path when it can be read; NULL otherwise. */
static char *readable(const char *folder, const char *name)
{
    _cleanup_free_ char *path = NULL;

    if (asprintf(&path, "%s/%s", folder, name) < 0) {
        path = NULL;
        errno = ENOMEM;
        return NULL;
    }
    return access(path, R_OK) == 0 ? realpath(path, NULL) : NULL;
}

/* Directory of the running executable; caller frees. */
static char *own_folder(void)
{
    char path[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
    char *slash;

    if (n < 0)
        return NULL;
    path[n] = 0;
    slash = strrchr(path, '/');
    if (!slash)
        return NULL;
    *slash = 0;
    return strdup(path);
}

/* Tries places relative to the executable, then an absolute folder. */
static char *find(const char *const *places, size_t n, const char *last, const char *name)
{
    _cleanup_free_ char *own = own_folder();
    char *found = NULL;

    for (size_t i = 0; own && i < n && !found; i++) {
        _cleanup_free_ char *folder = NULL;

        if (asprintf(&folder, "%s/%s", own, places[i]) < 0) {
            folder = NULL;
            errno = ENOMEM;
            return NULL;
        }
        found = readable(folder, name);
    }
    return found ? found : readable(last, name);
}

char *mh_library_find(char *const *command)
{
    /* The build tree, the same folder, the prefix after it was moved as a whole. */
    static const char *const places[] = {"../lib", ".", MISHAP_FROM_BIN_TO_LIB};
    struct mh_program program = {NULL};
    char *found = NULL;

    if (command && mh_program_inspect(command, NULL, &program) == 0 && program.musl)
        found = find(places, ARRAY_SIZE(places), MISHAP_LIBDIR, "libmishap-musl.so");
    mh_program_done(&program);
    return found ? found : find(places, ARRAY_SIZE(places), MISHAP_LIBDIR, "libmishap.so");
}

/* Where shipped data are: the source tree around a build, and around one in that; the prefix. */
static const char *const data_places[] = {"../../config", "../../../config",
                                          MISHAP_FROM_BIN_TO_DATA};

char *mh_advice_find(void)
{
    return find(data_places, ARRAY_SIZE(data_places), MISHAP_DATADIR, "advice");
}

char *mh_lang_find(void)
{
    return find(data_places, ARRAY_SIZE(data_places), MISHAP_DATADIR, "lang");
}

char *mh_scenario_find(const char *name)
{
    _cleanup_free_ char *with_suffix = NULL;
    char *found = realpath(name, NULL);

    if (found || errno != ENOENT || !*name || strchr(name, '/'))
        return found;
    found = find(data_places, ARRAY_SIZE(data_places), MISHAP_DATADIR, name);
    if (!found && asprintf(&with_suffix, "%s.ini", name) >= 0)
        found = find(data_places, ARRAY_SIZE(data_places), MISHAP_DATADIR, with_suffix);
    if (!found)
        errno = ENOENT;
    return found;
}
