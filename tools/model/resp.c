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
_Static_assert(ARRAY_SIZE(commands) < UINT8_MAX, "numbers of commands are bytes");

/* The commands by their first letter, as chains: it is asked for every request of a recording. */
static const uint8_t *chains(const uint8_t **ret_next)
{
    static uint8_t first[26], next[ARRAY_SIZE(commands) + 1];
    static bool made;

    for (size_t i = ARRAY_SIZE(commands); !made && i-- > 0;) {
        uint8_t *head = &first[commands[i].name[0] - 'A'];

        next[i + 1] = *head;
        *head = (uint8_t)(i + 1);
    }
    made = true;
    *ret_next = next;
    return first;
}

enum mh_redis_use mh_redis_use_of(const char *text)
{
    const uint8_t *next, *first = chains(&next);
    size_t letters;

    if (text[0] < 'A' || text[0] > 'Z')
        return MH_REDIS_none;
    letters = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    for (uint8_t i = first[text[0] - 'A']; i; i = next[i])
        if (!strcmp(commands[i - 1].name, text))
            return commands[i - 1].use;
    /* a request of HTTP has a method and then its target */
    return text[letters] ? MH_REDIS_none : MH_REDIS_other;
}

void mh_redis_count(struct mh_redis_seen *r, const char *text)
{
    enum mh_redis_use use = mh_redis_use_of(text);

    r->commands += use != MH_REDIS_none;
    r->leased += use == MH_REDIS_lease;
    r->expired += use == MH_REDIS_expire;
    r->kept += use == MH_REDIS_keep || use == MH_REDIS_push;
    r->pushed += use == MH_REDIS_push && strcmp(text, "PUBLISH") != 0;
    r->ranged += use == MH_REDIS_range;
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

/* All that it writes is put into lists and streams that it never looks at: somebody else takes it.
 */
static bool hands_over(const struct mh_redis_seen *r)
{
    return r->pushed && r->pushed == r->kept && !r->leased && !r->ranged;
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
            p->role =
                p->role == MH_ROLE_queue || hands_over(&p->redis) ? MH_ROLE_queue : MH_ROLE_store;
            break;
        case MH_REDIS_unknown:
            if (p->role == MH_ROLE_other)
                p->role = MH_ROLE_cache; /* a guess, as by the port */
            break;
        }
    }
}
