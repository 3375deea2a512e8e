/* SPDX-License-Identifier: Apache-2.0 */
/* See inherit.h. The texts are made once, while the process is attached to. */
#include "hooks/inherit.h"

#include <string.h>

#include "base/buf.h"
#include "base/macros.h"
#include "hooks/gate.h"

#include "base/banned.h"

#define PRELOAD "LD_PRELOAD="

static char library[512], config[4200], out[600], seed[40];
static bool whole; /* nothing was cut: there is something to tell */

static bool text_set(char *ret, size_t size, const char *name, const char *value)
{
    struct mh_buf b = {ret, size, 0, false};

    mh_buf_add(&b, name);
    mh_buf_add(&b, value);
    return !b.cut;
}

void mh_inherit_begin(const struct mh_settings *settings)
{
    struct mh_buf number = {seed, sizeof(seed), 0, false};

    whole = false;
    if (!settings->library || !*settings->library || strchr(settings->library, ' ') ||
        strchr(settings->library, ':'))
        return;
    mh_buf_add(&number, "MISHAP_SEED=");
    mh_buf_add_uint(&number, mh_guest.rules->seed, 10);
    config[0] = '\0';
    whole = text_set(library, sizeof(library), PRELOAD, settings->library) &&
            text_set(out, sizeof(out), "MISHAP_OUT=", mh_guest.out) &&
            (!settings->config || !*settings->config ||
             text_set(config, sizeof(config), "MISHAP_CONFIG=", settings->config));
}

bool mh_inherits(void)
{
    return whole && mh_gate_open(&mh_gate.fd);
}

static bool has_name(const char *entry, const char *name)
{
    return !strncmp(entry, name, strlen(name));
}

/* Somebody has seen to it already, or wants none of it. */
static bool speaks_of_mishap(const char *entry)
{
    return has_name(entry, "MISHAP_OUT=") || has_name(entry, "MISHAP_CONFIG=") ||
           has_name(entry, "MISHAP_DISABLE=") ||
           (has_name(entry, PRELOAD) && strstr(entry, "libmishap"));
}

char *const *mh_inherit(struct mh_heir *heir, char *const env[])
{
    struct mh_buf preload = {heir->preload, sizeof(heir->preload), 0, false};
    unsigned n = 0;

    if (!mh_inherits())
        return env;
    heir->env[n++] = library;
    heir->env[n++] = out;
    heir->env[n++] = seed;
    if (config[0])
        heir->env[n++] = config;
    for (char *const *e = env; e && *e; e++) {
        if (n == MH_HEIR_MOST + MH_HEIR_OURS || speaks_of_mishap(*e))
            return env;
        if (!has_name(*e, PRELOAD)) {
            heir->env[n++] = *e;
            continue;
        }
        mh_buf_add(&preload, library);
        mh_buf_add_char(&preload, ':');
        mh_buf_add(&preload, *e + strlen(PRELOAD));
        if (preload.cut)
            return env;
        heir->env[0] = heir->preload;
    }
    heir->env[n] = NULL;
    return heir->env;
}
