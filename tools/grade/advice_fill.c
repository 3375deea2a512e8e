/* SPDX-License-Identifier: Apache-2.0 */
/* Placeholders of advice, rows of placeholders.def, and texts with values in their place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "grade/advice.h"

#include "base/banned.h"

static const struct {
    const char *name, *unknown;
} rows[] = {
#define PLACEHOLDER(name, unknown, means) {#name, unknown},
#include "grade/placeholders.def"
#undef PLACEHOLDER
};

const char *mh_placeholder_name(enum mh_placeholder placeholder)
{
    return rows[placeholder].name;
}

size_t mh_placeholder_at(const char *text, enum mh_placeholder *ret)
{
    size_t n;

    if (*text != '{')
        return 0;
    n = strspn(text + 1, "abcdefghijklmnopqrstuvwxyz_0123456789");
    if (!n || text[n + 1] != '}')
        return 0;
    *ret = MH_PLACEHOLDERS;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        if (strlen(rows[i].name) == n && !memcmp(rows[i].name, text + 1, n))
            *ret = (enum mh_placeholder)i;
    return n + 2;
}

char *mh_advice_fill(const char *text, const char *const values[MH_PLACEHOLDERS])
{
    char *ret = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&ret, &size);

    if (!out)
        return NULL;
    while (*text) {
        enum mh_placeholder which = MH_PLACEHOLDERS;
        size_t n = mh_placeholder_at(text, &which);

        if (n && which < MH_PLACEHOLDERS)
            fputs(values[which] && *values[which] ? values[which] : rows[which].unknown, out);
        else
            fwrite(text, 1, MH_MAX(n, (size_t)1), out);
        text += MH_MAX(n, (size_t)1);
    }
    if (fclose(out) != 0) {
        free(ret);
        return NULL;
    }
    return ret;
}
