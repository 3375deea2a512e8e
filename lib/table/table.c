/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the .def files as arrays; see table.h. */
#include "table/table.h"

#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "base/banned.h"

#define ERR(...)                              __VA_ARGS__ __VA_OPT__(, ) 0
#define OP(name, group, effects, errnos, doc) static const int errnos_##name[] = {errnos};
#include "table/ops.def"
#undef OP
#undef ERR

const struct mh_op_row mh_op_rows[MH_OP_COUNT] = {
#define E(effect)                             MH_EFFECT_BIT(MH_EFFECT_##effect)
#define OP(name, group, effects, errnos, doc) {#name, #group, effects, errnos_##name, doc},
#include "table/ops.def"
#undef OP
#undef E
};

const struct mh_effect_row mh_effect_rows[MH_EFFECT_COUNT] = {
#define EFFECT(name, doc) {#name, doc},
#include "table/effects.def"
#undef EFFECT
};

const struct mh_call_row mh_call_rows[MH_CALL_COUNT] = {
#define HOOK(op, ret, name, params) {#name, MH_OP_##op},
#include "table/hooks.def"
#undef HOOK
};

uint64_t mh_ops_named(const char *word)
{
    size_t n = strlen(word);
    uint64_t set = 0;

    if (!strcmp(word, "none"))
        return 0;
    for (unsigned i = 1; i < MH_OP_COUNT; i++) {
        const char *group = mh_op_rows[i].group;

        if (!strcmp(mh_op_rows[i].name, word) ||
            (!strncmp(group, word, n) && (group[n] == '\0' || group[n] == '.')))
            set |= MH_OP_BIT(i);
    }
    for (unsigned i = 0; !set && i < MH_CALL_COUNT; i++)
        if (!strcmp(mh_call_rows[i].name, word) && mh_call_rows[i].op != MH_OP_none)
            set |= MH_OP_BIT(mh_call_rows[i].op);
    return set;
}
