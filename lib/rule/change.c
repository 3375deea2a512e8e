/* SPDX-License-Identifier: Apache-2.0 */
/* Values that were changed while a run goes on: text that takes the place of what the files say, so
 * that it is judged by the same parsers and the same checks; see load.h. */
#include <string.h>

#include "rule/loader.h"

#include "base/banned.h"

const char *mh_change_next(const char *changes, struct mh_change *ret)
{
    const char *end, *equals, *dot;

    if (!changes || !*changes)
        return NULL;
    end = changes + strcspn(changes, "\n");
    equals = memchr(changes, '=', (size_t)(end - changes));
    dot = equals ? memrchr(changes, '.', (size_t)(equals - changes)) : NULL;
    if (!dot)
        return NULL;
    *ret = (struct mh_change){.name = changes,
                              .key = dot + 1,
                              .value = equals + 1,
                              .name_len = (size_t)(dot - changes),
                              .key_len = (size_t)(equals - dot - 1),
                              .value_len = (size_t)(end - equals - 1)};
    return end + (*end == '\n');
}

static bool same(const char *text, const char *part, size_t n)
{
    return strlen(text) == n && !memcmp(text, part, n);
}

bool mh_change_find(struct mh_loader *l, const char *key)
{
    struct mh_buf b = {l->changed, sizeof(l->changed), 0, false};
    struct mh_change c;

    if (l->section != MH_SECTION_fault)
        return false;
    for (const char *p = l->changes; (p = mh_change_next(p, &c));)
        if (same(l->fault->name, c.name, c.name_len) && same(key, c.key, c.key_len)) {
            l->changed[0] = '\0';
            mh_buf_add_n(&b, c.value, c.value_len);
            return true;
        }
    return false;
}

bool mh_change_drops(const char *value)
{
    return !strcmp(value, "none");
}

static bool key_set(const struct mh_loader *l, const char *name)
{
    for (unsigned i = 0; i < MH_KEY_COUNT; i++)
        if (mh_key_rows[i].section == MH_SECTION_fault && !strcmp(mh_key_rows[i].name, name))
            return l->key_line[i] != 0;
    return false;
}

void mh_change_rest(struct mh_loader *l)
{
    int line = l->line;
    struct mh_change c;

    l->line = l->section_line;
    for (const char *p = l->changes; (p = mh_change_next(p, &c));) {
        MH_BUF(key, MH_NAME_SIZE);
        MH_BUF(value, MH_LOAD_LINE);

        if (!same(l->fault->name, c.name, c.name_len))
            continue;
        mh_buf_add_n(&key, c.key, c.key_len);
        mh_buf_add_n(&value, c.value, c.value_len);
        l->continued = false;
        if (!key_set(l, key.data) && !mh_change_drops(value.data))
            mh_load_key(l, "", key.data, value.data);
    }
    l->line = line;
}
