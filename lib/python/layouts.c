/* SPDX-License-Identifier: Apache-2.0 */
/* Chooses the layout of this interpreter; see layouts.h. */
#include "python/layouts.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/macros.h"

#include "base/banned.h"

#define VERSION(major, minor) ((major) << 8 | (minor))

static const struct mh_layout layouts[] = {
#define LAYOUT_BEGIN(major, minor, kind)                                                           \
    {                                                                                              \
        .version = VERSION(major, minor), .lines = MH_LINES_##kind,
#define AT(field, offset) .field = offset,
#define LAYOUT_END                                                                                 \
    }                                                                                              \
    ,
#define WORD(major, minor, field, index)
#include "python/layouts.def"
#undef LAYOUT_BEGIN
#undef AT
#undef LAYOUT_END
#undef WORD
};

/* Which word of the interpreter's own description holds which field. */
static const struct {
    uint16_t version, field, index;
} words[] = {
#define LAYOUT_BEGIN(major, minor, kind)
#define AT(field, offset)
#define LAYOUT_END
#define WORD(major, minor, field, index)                                                           \
    {VERSION(major, minor), offsetof(struct mh_layout, field), index},
#include "python/layouts.def"
#undef LAYOUT_BEGIN
#undef AT
#undef LAYOUT_END
#undef WORD
};

static struct {
    uint32_t hex;
    int skew;
    enum mh_layout_source source;
} pretended;

void mh_layout_pretend(uint32_t hex, int skew, enum mh_layout_source source)
{
    pretended.hex = hex;
    pretended.skew = skew;
    pretended.source = source;
}

/* Head of _PyRuntime from 3.13 on. Offsets are small; anything else is no offset. */
static int layout_describe(uint32_t hex, const uint64_t *runtime, struct mh_layout *ret)
{
    uint32_t version = hex >> 16, rows = 0;

    if (memcmp(runtime, "xdebugpy", 8) || runtime[1] != hex)
        return -ENOENT;
    if (runtime[2])
        return -ENOTSUP;
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
        if (words[i].version <= version)
            rows = words[i].version;
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        if (words[i].version != rows)
            continue;
        if (runtime[words[i].index] > 4096)
            return -ENOENT;
        *(uint16_t *)(void *)((char *)ret + words[i].field) = (uint16_t)runtime[words[i].index];
    }
    return rows ? 0 : -ENOENT;
}

static void layout_skew(struct mh_layout *l)
{
    l->fr_code = (uint16_t)(l->fr_code + pretended.skew);
    l->fr_back = (uint16_t)(l->fr_back + pretended.skew);
    l->fr_instr = (uint16_t)(l->fr_instr + pretended.skew);
}

int mh_layout_find(uint32_t hex, const void *runtime, struct mh_layout *ret)
{
    uint32_t version = (pretended.hex ? pretended.hex : hex) >> 16;
    const struct mh_layout *row = NULL, *newest = NULL;
    struct mh_layout found;
    int r = -ENOENT;

    for (unsigned i = 0; i < ARRAY_SIZE(layouts); i++) {
        if (layouts[i].version != version)
            newest = &layouts[i];
        else if (pretended.source != MH_LAYOUT_words)
            row = &layouts[i];
    }
    found = row ? *row : *newest;
    found.version = version;
    if (runtime && version >= VERSION(3, 13) && pretended.source != MH_LAYOUT_table)
        r = layout_describe(hex, runtime, &found);
    if (r == -ENOTSUP || (!row && (r || pretended.hex)))
        return r ? r : -ENOENT;
    if (!row) /* opcodes are renumbered by every version: none is right for a new one */
        found.op_raise = found.op_await = found.op_match = found.op_match_arg = 0;
    layout_skew(&found);
    *ret = found;
    return 0;
}
