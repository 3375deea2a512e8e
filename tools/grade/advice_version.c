/* SPDX-License-Identifier: Apache-2.0 */
/* Versions of libraries: compared, and found by what an installer left beside their files. */
#include <ctype.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "grade/advice.h"

#include "base/banned.h"

bool mh_version_parse(const char *text, struct mh_version *ret)
{
    *ret = (struct mh_version){.known = isdigit((unsigned char)*text)};
    for (int i = 0; i < MH_VERSION_PARTS && isdigit((unsigned char)*text); i++) {
        while (isdigit((unsigned char)*text) && ret->part[i] < 1000000)
            ret->part[i] = ret->part[i] * 10 + (*text++ - '0');
        text += *text == '.';
    }
    return ret->known;
}

int mh_version_compare(const struct mh_version *a, const struct mh_version *b)
{
    for (int i = 0; i < MH_VERSION_PARTS; i++)
        if (a->part[i] != b->part[i])
            return a->part[i] < b->part[i] ? -1 : 1;
    return 0;
}

bool mh_advice_for_version(const struct mh_advice_library *library,
                           const struct mh_version *version)
{
    if (!version->known)
        return !library->below.known;
    return (!library->from.known || mh_version_compare(version, &library->from) >= 0) &&
           (!library->below.known || mh_version_compare(version, &library->below) < 0);
}

/* A letter of a package's name: one of '-', '_' and '.' is as good as another. */
static int letter(char c)
{
    return c == '_' || c == '.' ? '-' : tolower((unsigned char)c);
}

/* "redis-4.3.4.egg-info" is redis in version 4.3.4. */
static bool is_of(const char *entry, const char *package, size_t n, struct mh_version *ret)
{
    const char *suffix = strrchr(entry, '.');

    if (!suffix || (strcmp(suffix, ".dist-info") != 0 && strcmp(suffix, ".egg-info") != 0))
        return false;
    for (size_t i = 0; i < n; i++)
        if (!entry[i] || letter(entry[i]) != letter(package[i]))
            return false;
    return entry[n] == '-' && mh_version_parse(entry + n + 1, ret);
}

void mh_version_installed(const struct mh_advice_library *library, const char *file,
                          struct mh_version *ret)
{
    const char *at = strstr(file, "/site-packages/"), *package = library->text[MH_ADVICE_package];
    _cleanup_free_ char *folder = NULL;
    struct dirent *entry;
    DIR *dir;

    *ret = (struct mh_version){false};
    if (!at)
        at = strstr(file, "/dist-packages/");
    if (!at)
        return;
    folder = strndup(file, (size_t)(at - file) + strlen("/site-packages"));
    dir = folder ? opendir(folder) : NULL;
    if (!package)
        package = library->text[MH_ADVICE_name];
    while (dir && !ret->known && (entry = readdir(dir)))
        for (const char *p = package; *p && !ret->known; p += strspn(p, " ")) {
            size_t n = strcspn(p, " ");

            if (!is_of(entry->d_name, p, n, ret))
                ret->known = false;
            p += n;
        }
    if (dir)
        closedir(dir);
}
