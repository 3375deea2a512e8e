/* SPDX-License-Identifier: Apache-2.0 */
/* Where a fault applies: globs, peers and processes. Pure; any context may call it. */
#include <string.h>
#include <sys/socket.h>

#include "base/macros.h"
#include "rule/rule.h"

#include "base/banned.h"

enum glob_flags { GLOB_PARTS = 1, GLOB_FOLD = 2 };

static char folded(char c, unsigned flags)
{
    return (flags & GLOB_FOLD) && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Where matching goes on when it fails after a star. */
struct retry {
    const char *pattern, *text;
    bool parts; /* a whole number of path parts: the star was "**" followed by '/' */
};

static bool retry_next(struct retry *r, const char **pattern, const char **text)
{
    if (!r->pattern || !*r->text)
        return false;
    if (r->parts) {
        r->text = strchr(r->text, '/');
        if (!r->text) {
            r->pattern = NULL;
            return false;
        }
    }
    r->text++;
    *pattern = r->pattern;
    *text = r->text;
    return true;
}

/* Only the last star of each kind is ever retried: an earlier one has taken as little as it could,
 * and what it left over the later one can take as well. So it takes no stack and no exponential
 * time. */
static bool glob(const char *p, const char *s, unsigned flags)
{
    struct retry star = {NULL}, deep = {NULL};
    const char *begin = p;

    for (;;) {
        if (*p == '*') {
            bool first = p == begin || p[-1] == '/', two = p[1] == '*' || !(flags & GLOB_PARTS);

            while (two && p[1] == '*')
                p++;
            p++;
            if (two) {
                deep.parts = (flags & GLOB_PARTS) && first && *p == '/';
                p += deep.parts;
                deep.pattern = p;
                deep.text = s;
                star.pattern = NULL;
            } else {
                star.pattern = p;
                star.text = s;
            }
            continue;
        }
        if (!*p && !*s)
            return true;
        if (*p && *s &&
            (folded(*p, flags) == folded(*s, flags) ||
             (*p == '?' && !((flags & GLOB_PARTS) && *s == '/')))) {
            p++;
            s++;
            continue;
        }
        if (star.pattern && *star.text != '/' && retry_next(&star, &p, &s))
            continue;
        star.pattern = NULL;
        if (!retry_next(&deep, &p, &s))
            return false;
    }
}

bool mh_glob(const char *pattern, const char *text, bool parts)
{
    return glob(pattern, text, parts ? GLOB_PARTS : 0);
}

static bool address_matches(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    return !memcmp(a, b, whole) && (!rest || !((a[whole] ^ b[whole]) >> (8 - rest)));
}

/* A name that is an address in letters never needed a look-up: "*.*" does not mean it. */
static bool name_matches_peer(const char *pattern, const char *name)
{
    bool literal = name[0] && (!name[strspn(name, "0123456789.")] || strchr(name, ':'));

    if (literal && (pattern[0] < '0' || pattern[0] > '9'))
        return false;
    /* names of one house end alike: from the end most patterns are told apart soonest */
    for (size_t p = strlen(pattern), n = strlen(name);
         p > 0 && pattern[p - 1] != '*' && pattern[p - 1] != '?';)
        if (n == 0 || folded(pattern[--p], GLOB_FOLD) != folded(name[--n], GLOB_FOLD))
            return false;
    return glob(pattern, name, GLOB_FOLD);
}

bool mh_peer_matches(const struct mh_peer_pattern *pattern, const struct mh_peer *peer)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    /* a name that was looked up without a service has no port to compare */
    if (pattern->port && pattern->port != peer->port && (peer->family || peer->port))
        return false;
    switch (pattern->family) {
    case AF_UNIX:
        return peer->family == AF_UNIX && glob(pattern->name, peer->path, GLOB_PARTS);
    case AF_INET:
        if (peer->family == AF_INET6 && !memcmp(peer->addr, mapped, sizeof(mapped)))
            return address_matches(pattern->addr, peer->addr + 12, pattern->prefix);
        return peer->family == AF_INET &&
               address_matches(pattern->addr, peer->addr, pattern->prefix);
    case AF_INET6:
        return peer->family == AF_INET6 &&
               address_matches(pattern->addr, peer->addr, pattern->prefix);
    default:
        return !pattern->name[0] || name_matches_peer(pattern->name, peer->name);
    }
}

bool mh_fault_gives(const struct mh_fault *fault, const struct mh_peer *peer)
{
    for (unsigned i = 0; i < fault->naddresses; i++)
        if (fault->addresses[i].family == peer->family &&
            !memcmp(fault->addresses[i].addr, peer->addr, sizeof(peer->addr)))
            return true;
    return false;
}

static const char *base_name(const char *path, size_t n, size_t *ret)
{
    const char *slash = n ? memrchr(path, '/', n) : NULL;
    const char *name = slash ? slash + 1 : path;

    *ret = (size_t)(path + n - name);
    return name;
}

/* The script or module of an interpreter's command line: its first argument that is no option.
 * Those of Python's options that take an argument of their own are stepped over; "-c CODE" has no
 * name. */
static const char *script(const char *line)
{
    const char *p = strchr(line, ' ');

    while (p && *++p == '-') {
        if (p[1] == 'm' && p[2] == ' ')
            return p + 3;
        if (p[1] == 'c')
            return NULL;
        if ((p[1] == 'W' || p[1] == 'X') && p[2] == ' ')
            p = strchr(p + 3, ' ');
        else
            p = strchr(p, ' ');
    }
    return p;
}

static bool name_matches(const char *pattern, const char *path)
{
    char name[MH_PATTERN_SIZE];
    size_t n;
    const char *from = base_name(path, strcspn(path, " "), &n);

    if (n >= sizeof(name))
        return false;
    memcpy(name, from, n);
    name[n] = '\0';
    return glob(pattern, name, 0);
}

/* The rest of the line from the base name of the word at `at`: "/usr/bin/celery worker" is "celery
 * worker". */
static bool line_matches(const char *pattern, const char *at)
{
    size_t n;

    return glob(pattern, base_name(at, strcspn(at, " "), &n), 0);
}

bool mh_rules_takes_part(const struct mh_rules *rules, const char *exe, const char *line)
{
    const char *named = script(line), *program = strrchr(exe, '/');

    program = program ? program + 1 : exe;
    if (rules->nprocesses == 0)
        return glob("python*", program, 0) || name_matches("python*", line);
    for (unsigned i = 0; i < rules->nprocesses; i++) {
        const char *pattern = rules->processes[i];

        if (glob(pattern, program, 0) || name_matches(pattern, line) ||
            (named && name_matches(pattern, named)))
            return true;
    }
    return false;
}

static bool fault_takes_part(const struct mh_fault *f, const char *line)
{
    const char *named = script(line);

    for (unsigned i = 0; i < f->nprocesses; i++)
        if (glob(f->processes[i], line, 0) || line_matches(f->processes[i], line) ||
            (named && line_matches(f->processes[i], named)))
            return true;
    return f->nprocesses == 0;
}

static void pattern_hint(const struct mh_peer_pattern *p, struct mh_peer_hint *ret)
{
    size_t n = strlen(p->name);

    *ret = (struct mh_peer_hint){.port = p->port, .family = (uint8_t)p->family, .peers = true};
    if (p->family == 0 && n > 0) {
        ret->first = strchr("*?", p->name[0]) ? '\0' : p->name[0];
        ret->last = strchr("*?", p->name[n - 1]) ? '\0' : p->name[n - 1];
    }
    ret->by_network = p->family == AF_INET && p->prefix >= 8;
    ret->network = ret->by_network ? p->addr[0] : 0;
}

static void fault_hint(const struct mh_fault *f, struct mh_peer_hint *ret)
{
    struct mh_peer_hint one;

    *ret = (struct mh_peer_hint){.peers = false};
    for (unsigned i = 0; i < f->npeers; i++) {
        pattern_hint(&f->peers[i], &one);
        if (i == 0)
            *ret = one;
        ret->port = ret->port == one.port ? one.port : 0;
        ret->family = ret->family == one.family ? one.family : 0;
        ret->first = ret->first == one.first ? one.first : '\0';
        ret->last = ret->last == one.last ? one.last : '\0';
        ret->by_network = ret->by_network && one.by_network && ret->network == one.network;
    }
}

void mh_rules_bind(struct mh_rules *rules, const char *exe, const char *line)
{
    for (unsigned i = 0; i < rules->nfaults; i++) {
        struct mh_fault *f = &rules->faults[i];

        f->takes_part = fault_takes_part(f, line);
        if (f->takes_part)
            fault_hint(f, &rules->hints[i]);
    }
    mh_rules_rebind(rules);
}

void mh_rules_rebind(struct mh_rules *rules)
{
    rules->ops = 0;
    memset(rules->by_op, 0, sizeof(rules->by_op));
    memset(rules->by_stack, 0, sizeof(rules->by_stack));
    memset(rules->by_caller, 0, sizeof(rules->by_caller));
    memset(rules->by_operation, 0, sizeof(rules->by_operation));
    for (unsigned i = 0; i < rules->nfaults; i++) {
        const struct mh_fault *f = &rules->faults[i];

        if (!f->takes_part)
            continue;
        rules->ops |= f->ops;
        rules->by_stack[i / 64] |= (uint64_t)(f->nstacks > 0) << i % 64;
        rules->by_caller[i / 64] |= (uint64_t)(f->ncallers > 0) << i % 64;
        rules->by_operation[i / 64] |= (uint64_t)(f->noperations > 0) << i % 64;
        for (unsigned op = 0; op < MH_OP_COUNT; op++)
            if (f->ops & MH_OP_BIT(op))
                rules->by_op[op][i / 64] |= UINT64_C(1) << i % 64;
    }
}
