/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of keys, types and signals; see keys.h. */
#include "rule/keys.h"

#include <signal.h>
#include <string.h>

#include "base/num.h"
#include "rule/rule.h"

#include "base/banned.h"

#define run_struct   struct mh_rules
#define phase_struct struct mh_phase
#define fault_struct struct mh_fault

const struct mh_key_row mh_key_rows[MH_KEY_COUNT] = {
#define KEY(section, name, type, field, least, most, dflt, help)                                   \
    {MH_SECTION_##section,                                                                         \
     #name,                                                                                        \
     MH_TYPE_##type,                                                                               \
     offsetof(section##_struct, field),                                                            \
     least,                                                                                        \
     most,                                                                                         \
     dflt,                                                                                         \
     help},
#include "table/keys.def"
#undef KEY
};

const struct mh_type_row mh_type_rows[MH_TYPE_COUNT] = {
#define TYPE(name, list, shape) {#name, MH_LIST_##list, shape},
    MH_TYPES
#undef TYPE
};

const struct mh_signal_row mh_signal_rows[] = {
#define SIGNAL(name) {#name, name},
    SIGNAL(SIGKILL) SIGNAL(SIGTERM) SIGNAL(SIGINT) SIGNAL(SIGHUP) SIGNAL(SIGQUIT) SIGNAL(SIGABRT)
        SIGNAL(SIGSEGV) SIGNAL(SIGBUS) SIGNAL(SIGUSR1) SIGNAL(SIGUSR2)
#undef SIGNAL
            {NULL, 0},
};

const char *mh_section_name(enum mh_section section)
{
    static const char *const names[] = {"", "run", "phase", "fault"};

    return names[section];
}

int mh_key_effect(const struct mh_key_row *key)
{
    if (key->section == MH_SECTION_fault)
        for (int i = 0; i < MH_EFFECT_COUNT; i++)
            if (!strcmp(mh_effect_rows[i].name, key->name))
                return i;
    return -1;
}

static void say_amount(struct mh_buf *b, enum mh_type type, uint64_t amount)
{
    if (type == MH_TYPE_time || type == MH_TYPE_delay || type == MH_TYPE_step)
        mh_num_say_time(b, (int64_t)amount);
    else if (type == MH_TYPE_size || type == MH_TYPE_after || type == MH_TYPE_rate)
        mh_num_say_size(b, amount);
    else
        mh_buf_add_uint(b, amount, 10);
}

void mh_key_allowed(const struct mh_key_row *key, struct mh_buf *ret)
{
    enum mh_type type = key->type;

    mh_buf_add(ret, mh_type_rows[type].shape);
    if (type == MH_TYPE_signal)
        for (unsigned i = 0; mh_signal_rows[i].name; i++) {
            mh_buf_add(ret, i ? ", " : "");
            mh_buf_add(ret, mh_signal_rows[i].name);
        }
    if (type == MH_TYPE_uint || type == MH_TYPE_time || type == MH_TYPE_size ||
        type == MH_TYPE_delay || type == MH_TYPE_range || type == MH_TYPE_after ||
        type == MH_TYPE_rate || type == MH_TYPE_corrupt || type == MH_TYPE_step) {
        mh_buf_add(ret, " from ");
        say_amount(ret, type, key->least);
        mh_buf_add(ret, " to ");
        say_amount(ret, type, key->most);
    }
    if (type == MH_TYPE_time || type == MH_TYPE_delay || type == MH_TYPE_size ||
        type == MH_TYPE_after || type == MH_TYPE_rate || type == MH_TYPE_step) {
        mh_buf_add(ret, " (");
        mh_buf_add(ret, type == MH_TYPE_time || type == MH_TYPE_delay || type == MH_TYPE_step
                            ? mh_num_time_units
                            : mh_num_size_units);
        mh_buf_add_char(ret, ')');
    }
}
