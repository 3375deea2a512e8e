/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands seen on a redis connection say of its use; see model.h. */
#include <string.h>

#include "base/macros.h"
#include "model/load.h"

#include "base/banned.h"

static const struct {
    const char *name;
    enum mh_redis_use use;
} commands[] = {
#define COMMAND(name, use) {name, MH_REDIS_##use},
#include "model/resp.def"
#undef COMMAND
};

enum mh_redis_use mh_redis_use_of(const char *text)
{
    size_t letters = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        if (!strcmp(commands[i].name, text))
            return commands[i].use;
    /* a request of HTTP has a method and then its target */
    return letters && !text[letters] ? MH_REDIS_other : MH_REDIS_none;
}

void mh_redis_count(struct mh_redis_seen *r, const char *text)
{
    enum mh_redis_use use = mh_redis_use_of(text);

    r->commands += use != MH_REDIS_none;
    r->leased += use == MH_REDIS_lease;
    r->expired += use == MH_REDIS_expire;
    r->kept += use == MH_REDIS_keep || use == MH_REDIS_push;
}

enum mh_redis_kind mh_redis_kind_of(const struct mh_redis_seen *r)
{
    /* a key written first and given its lifetime by the next command is one with a lifetime */
    uint64_t given = MH_MIN(r->expired, r->kept), leased = r->leased + given;
    uint64_t kept = r->kept - given;

    if (!r->commands)
        return MH_REDIS_unknown;
    if (leased && 10 * kept <= leased)
        return MH_REDIS_cache;
    if (leased)
        return MH_REDIS_mixed;
    return kept ? MH_REDIS_store : MH_REDIS_unknown;
}

/* The protocol says more than a port or a library's name: the user's word only says more. */
void mh_redis_settle(struct mh_model *m)
{
    for (size_t i = 0; i < m->peers.n; i++) {
        struct mh_peer_seen *p = &m->peers.v[i];

        if (p->role_given || !p->redis.commands)
            continue;
        switch (mh_redis_kind_of(&p->redis)) {
        case MH_REDIS_cache:
            p->role = MH_ROLE_cache;
            break;
        case MH_REDIS_mixed:
        case MH_REDIS_store:
            p->role = p->role == MH_ROLE_queue ? MH_ROLE_queue : MH_ROLE_store;
            break;
        case MH_REDIS_unknown:
            if (p->role == MH_ROLE_other)
                p->role = MH_ROLE_cache; /* a guess, as by the port */
            break;
        }
    }
}
