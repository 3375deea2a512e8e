/* SPDX-License-Identifier: Apache-2.0 */
/* Enums and look-ups made from the .def files of this room: calls (hooks.def), operations
 * (ops.def), effects (effects.def) and event types (events.def). Pure data: any context may use it.
 */
#pragma once

#include <stdint.h>

/* Operations: what the program tries to do. At most 64, so that a set of them is one word. */
enum mh_op_kind {
#define OP(name, group, effects, errnos, doc) MH_OP_##name,
#include "table/ops.def"
#undef OP
    MH_OP_COUNT
};
_Static_assert(MH_OP_COUNT <= 64, "a set of operations is one 64-bit word");
#define MH_OP_BIT(op) (UINT64_C(1) << (op))

/* Effects: what a fault does. A set of them is one 32-bit word. */
enum mh_effect {
#define EFFECT(name, doc) MH_EFFECT_##name,
#include "table/effects.def"
#undef EFFECT
    MH_EFFECT_COUNT
};
#define MH_EFFECT_BIT(effect) (1u << (effect))

/* Those of which the program hears nothing: it never happens, and no error says so. */
#define MH_EFFECTS_SILENT (MH_EFFECT_BIT(MH_EFFECT_hang) | MH_EFFECT_BIT(MH_EFFECT_blackhole))

/* Those of which it hears that all went well. */
#define MH_EFFECTS_UNTOLD (MH_EFFECT_BIT(MH_EFFECT_lost))

/* Those that are kept, not drawn, and have nothing to do with one operation more than with another.
 * (Memory is decided by its own hooks.) */
#define MH_EFFECTS_KEPT                                                                            \
    (MH_EFFECT_BIT(MH_EFFECT_fds) | MH_EFFECT_BIT(MH_EFFECT_threads) |                             \
     MH_EFFECT_BIT(MH_EFFECT_disk) | MH_EFFECT_BIT(MH_EFFECT_step) |                               \
     MH_EFFECT_BIT(MH_EFFECT_address))

/* Of an effect as records have it: its number + 1, 0 = none; anything in a damaged one. */
static inline int mh_effect_among(int64_t recorded, uint32_t effects)
{
    return recorded > 0 && recorded <= MH_EFFECT_COUNT &&
           (MH_EFFECT_BIT(recorded - 1) & effects) != 0;
}

static inline int mh_effect_silent(int64_t recorded)
{
    return mh_effect_among(recorded, MH_EFFECTS_SILENT);
}

static inline int mh_effect_untold(int64_t recorded)
{
    return mh_effect_among(recorded, MH_EFFECTS_UNTOLD);
}

/* Calls: libc's entry points. */
enum mh_call {
#define HOOK(op, ret, name, params) MH_CALL_##name,
#include "table/hooks.def"
#undef HOOK
    MH_CALL_COUNT
};

struct mh_op_row {
    const char *name;
    const char *group; /* "net.recv": a group is itself or a dot-separated head of it ("net") */
    uint32_t effects;  /* MH_EFFECT_BIT of those that make sense here */
    const int *errnos; /* what it can really return, 0-terminated; EAI_* when op is getaddrinfo */
    const char *doc;
};

struct mh_effect_row {
    const char *name;
    const char *doc;
};

struct mh_call_row {
    const char *name;
    enum mh_op_kind op;
};

extern const struct mh_op_row mh_op_rows[MH_OP_COUNT];
extern const struct mh_effect_row mh_effect_rows[MH_EFFECT_COUNT];
extern const struct mh_call_row mh_call_rows[MH_CALL_COUNT];

/* Operations that a word after `call =` stands for: an operation, a group ("net", "net.recv",
 * "file") or a libc call. 0 when it is none of them. */
uint64_t mh_ops_named(const char *word);
