/* SPDX-License-Identifier: Apache-2.0 */
/* Names: getaddrinfo is where a name's trouble shows; the resolver's own sockets are libc's
 * business and never pass through us. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "base/libc.h"
#include "base/sys.h"
#include "event/write.h"
#include "fd/decide.h"
#include "fd/lift.h"
#include "hooks/bytes.h"
#include "hooks/gate.h"

#include "base/banned.h"

struct asking {
    enum mh_call call;
    const char *node;
    struct mh_place place;
    int64_t start, watch;
    enum mh_family family;        /* that is to come first */
    struct mh_verdict by_verdict; /* by this one */
    const struct mh_fault *moved; /* to addresses of this fault's; NULL: it is where it was */
    char text[INET6_ADDRSTRLEN];  /* one of them */
};

static int64_t record(const struct asking *a, const struct mh_verdict *v, int effect, int err,
                      int64_t delay)
{
    return mh_record(&(struct mh_story){.kind = MH_OP_getaddrinfo,
                                        .call = a->call,
                                        .fd = -1,
                                        .text = a->node,
                                        .result = err ? -1 : 0,
                                        .err = err,
                                        .wait_ns = delay ? -1 : mh_now() - a->start,
                                        .timeout_ns = -1,
                                        .verdict = v,
                                        .effect = effect,
                                        .delay_ns = delay,
                                        .place = &a->place});
}

/* Faults on a question: waits, fails (an EAI code) or lets pass (0). */
static int asked_fault(struct asking *a)
{
    struct mh_verdict v;

    if (!(mh_guest.rules->ops & MH_OP_BIT(MH_OP_getaddrinfo)) ||
        !mh_decide_path(MH_OP_getaddrinfo, NULL, a->node, &a->place, &v))
        return 0;
    if (v.delay_ns && record(a, &v, MH_EFFECT_delay, 0, v.delay_ns))
        while (mh_wait_held(a->start + v.delay_ns, v.delay_fault) == -EINTR)
            ; /* no resolver is ended by signals */
    if (v.effects & MH_EFFECT_BIT(MH_EFFECT_family)) {
        a->family = v.family;
        a->by_verdict = v;
    }
    if (!(v.effects & MH_EFFECT_BIT(MH_EFFECT_error)))
        return 0;
    a->watch = record(a, &v, MH_EFFECT_error, v.error, 0);
    return a->watch ? v.error : 0;
}

/* Has the name moved? On record, if so. */
static const struct mh_fault *moved(const struct asking *a)
{
    struct mh_verdict v;
    const struct mh_fault *f = mh_decide_moved(a->node, &v);

    if (!f || !record(a, &v, MH_EFFECT_address, 0, 0))
        return NULL;
    __atomic_add_fetch(&mh_guest.control->fired[v.fault], 1, __ATOMIC_RELAXED);
    return f;
}

static const char *letters_of(const struct mh_address *at, char text[INET6_ADDRSTRLEN])
{
    return inet_ntop(at->family, at->addr, text, INET6_ADDRSTRLEN);
}

/* The real answer to the addresses themselves, in the order of the fault: lists of libc's own. That
 * of musl is one block, to which no other can be joined. */
static int answer_moved(struct asking *a, const char *service, const struct addrinfo *hints,
                        struct addrinfo **list)
{
    struct addrinfo numeric = {.ai_flags = 0}, *all = NULL, **end = &all;
    int r = EAI_NONAME;

    if (hints)
        numeric = *hints;
    numeric.ai_flags |= AI_NUMERICHOST;
    for (unsigned i = 0; i < a->moved->naddresses && (MH_LIBC_GLIBC || !all); i++) {
        const char *text = letters_of(&a->moved->addresses[i], a->text);
        int one = text ? mh_real.getaddrinfo(text, service, &numeric, end) : EAI_FAIL;

        if (one) {
            *end = NULL;
            r = one;
        }
        while (*end)
            end = &(*end)->ai_next;
    }
    if (all)
        *list = all;
    return all ? 0 : r;
}

/* What is asked of an older call: the name, or the first of its new addresses in this family. */
static const char *asked(struct asking *a, const char *name, int family)
{
    for (unsigned i = 0; a->moved && i < a->moved->naddresses; i++)
        if (a->moved->addresses[i].family == family)
            return letters_of(&a->moved->addresses[i], a->text);
    return name;
}

/* Those of one family to the front, each in its order. The nodes are libc's own, only joined anew;
 * the canonical name stays with the first. */
static void family_first(const struct asking *a, struct addrinfo **list)
{
    struct addrinfo *first = NULL, *rest = NULL, **first_end = &first, **rest_end = &rest, *next;
    int family = a->family == MH_FAMILY_ipv4     ? AF_INET
                 : a->family == MH_FAMILY_ipv6   ? AF_INET6
                 : (*list)->ai_family == AF_INET ? AF_INET6
                                                 : AF_INET;
    char *name = (*list)->ai_canonname;
    bool found = false;

    for (struct addrinfo *i = *list; i; i = i->ai_next)
        found |= i->ai_family == family;
    if (!found || (*list)->ai_family == family ||
        !record(a, &a->by_verdict, MH_EFFECT_family, 0, 0))
        return;
    (*list)->ai_canonname = NULL;
    for (struct addrinfo *i = *list; i; i = next) {
        struct addrinfo ***end = i->ai_family == family ? &first_end : &rest_end;

        next = i->ai_next;
        i->ai_next = NULL;
        **end = i;
        *end = &i->ai_next;
    }
    *first_end = rest;
    first->ai_canonname = name;
    *list = first;
}

MH_PUBLIC int getaddrinfo(const char *restrict node, const char *restrict service,
                          const struct addrinfo *restrict hints, struct addrinfo **restrict list)
{
    struct asking a = {.call = MH_CALL_getaddrinfo, .node = node};
    int r;

    if (!node || (hints && (hints->ai_flags & AI_NUMERICHOST)) || !mh_gate_open(&mh_gate.fd) ||
        !mh_guest_enter())
        return mh_real.getaddrinfo(node, service, hints, list);
    a.start = mh_now();
    mh_python_place(&a.place);
    r = asked_fault(&a);
    if (!r) {
        a.moved = moved(&a);
        r = a.moved ? answer_moved(&a, service, hints, list)
                    : mh_real.getaddrinfo(node, service, hints, list);
        if (r && r != EAI_SYSTEM && r != EAI_BADFLAGS)
            a.watch = record(&a, NULL, 0, r, 0);
        if (!r && a.family && *list)
            family_first(&a, list);
    }
    mh_peer_asked(node);
    mh_event(dns, node, strlen(node), .result = r, .wait_ns = mh_now() - a.start,
             .stack = a.place.stack, .task = (int64_t)a.place.task, .unit = a.place.unit);
    for (const struct addrinfo *i = r ? NULL : *list; i; i = i->ai_next)
        mh_peer_learn(node, i->ai_addr, i->ai_addrlen);
    mh_finish(0, a.watch);
    return r;
}

/* The older calls tell their trouble as a number of h_errno. */
static int herr_of(int eai)
{
    switch (eai) {
    case EAI_AGAIN:
        return TRY_AGAIN;
    case EAI_NONAME:
        return HOST_NOT_FOUND;
    case EAI_MEMORY:
        return NETDB_INTERNAL;
    default:
        return NO_RECOVERY;
    }
}

static int eai_of(int herr)
{
    return herr == TRY_AGAIN ? EAI_AGAIN : herr == NO_RECOVERY ? EAI_FAIL : EAI_NONAME;
}

/* Begins a question of the older kind. 0: go on, or an EAI code; with the guest left for good. */
static int old_begin(struct asking *a, int *ret_herr)
{
    int r;

    a->start = mh_now();
    mh_python_place(&a->place);
    r = asked_fault(a);
    if (!r) {
        if (a->call != MH_CALL_gethostbyaddr && a->call != MH_CALL_gethostbyaddr_r)
            a->moved = moved(a);
        return 0;
    }
    mh_peer_asked(a->node);
    mh_event(dns, a->node, strlen(a->node), .result = r, .wait_ns = mh_now() - a->start,
             .stack = a->place.stack, .task = (int64_t)a->place.task, .unit = a->place.unit);
    mh_finish(r == EAI_MEMORY ? -ENOMEM : 0, a->watch);
    *ret_herr = h_errno = herr_of(r);
    return r;
}

/* The real answer to it: addresses under the name that was asked, or why there are none. */
static void old_end(struct asking *a, const struct hostent *h, int herr)
{
    int r = h ? 0 : eai_of(herr), saved = errno;

    if (r)
        a->watch = record(a, NULL, 0, r, 0);
    mh_peer_asked(a->node);
    mh_event(dns, a->node, strlen(a->node), .result = r, .wait_ns = mh_now() - a->start,
             .stack = a->place.stack, .task = (int64_t)a->place.task, .unit = a->place.unit);
    for (char **p = h ? h->h_addr_list : NULL; p && *p; p++) {
        struct sockaddr_in v4 = {.sin_family = AF_INET};
        struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

        if (h->h_addrtype == AF_INET) {
            memcpy(&v4.sin_addr, *p, sizeof(v4.sin_addr));
            mh_peer_learn(a->node, (struct sockaddr *)(void *)&v4, sizeof(v4));
        } else if (h->h_addrtype == AF_INET6) {
            memcpy(&v6.sin6_addr, *p, sizeof(v6.sin6_addr));
            mh_peer_learn(a->node, (struct sockaddr *)(void *)&v6, sizeof(v6));
        }
    }
    mh_finish(0, a->watch);
    errno = saved;
}

/* What the reentrant calls return beside h_errno. */
static int old_result(int eai, struct hostent **result)
{
    if (result)
        *result = NULL;
    return eai == EAI_NONAME ? 0 : eai == EAI_MEMORY ? ENOMEM : EAGAIN;
}

MH_INLINE bool asks(const char *node)
{
    return node && mh_gate_open(&mh_gate.fd) && mh_guest_enter();
}

#define OLD(call_name, name, real)                                                                 \
    do {                                                                                           \
        struct asking a = {.call = MH_CALL_##call_name, .node = name};                             \
        struct hostent *h;                                                                         \
        int herr;                                                                                  \
        if (!asks(name))                                                                           \
            return (real);                                                                         \
        if (old_begin(&a, &herr))                                                                  \
            return NULL;                                                                           \
        h = (real);                                                                                \
        old_end(&a, h, h_errno);                                                                   \
        return h;                                                                                  \
    } while (0)

#define OLD_R(call_name, name, result, herr, real)                                                 \
    do {                                                                                           \
        struct asking a = {.call = MH_CALL_##call_name, .node = name};                             \
        int r;                                                                                     \
        if (!asks(name))                                                                           \
            return (real);                                                                         \
        r = old_begin(&a, herr);                                                                   \
        if (r)                                                                                     \
            return old_result(r, result);                                                          \
        r = (real);                                                                                \
        if (r == ERANGE) /* asked again at once, with more room */                                 \
            mh_guest_leave_errno(ERANGE);                                                          \
        else                                                                                       \
            old_end(&a, *(result), *(herr));                                                       \
        return r;                                                                                  \
    } while (0)

MH_PUBLIC struct hostent *gethostbyname(const char *name)
{
    OLD(gethostbyname, name, mh_real.gethostbyname(asked(&a, name, AF_INET)));
}

MH_PUBLIC struct hostent *gethostbyname2(const char *name, int family)
{
    OLD(gethostbyname2, name, mh_real.gethostbyname2(asked(&a, name, family), family));
}

MH_PUBLIC int gethostbyname_r(const char *restrict name, struct hostent *restrict ret,
                              char *restrict buf, size_t size, struct hostent **restrict result,
                              int *restrict herr)
{
    OLD_R(gethostbyname_r, name, result, herr,
          mh_real.gethostbyname_r(asked(&a, name, AF_INET), ret, buf, size, result, herr));
}

MH_PUBLIC int gethostbyname2_r(const char *restrict name, int family, struct hostent *restrict ret,
                               char *restrict buf, size_t size, struct hostent **restrict result,
                               int *restrict herr)
{
    OLD_R(gethostbyname2_r, name, result, herr,
          mh_real.gethostbyname2_r(asked(&a, name, family), family, ret, buf, size, result, herr));
}

/* An address in letters: what such a question is asked by. NULL when it has no such form. */
static const char *letters(const void *addr, socklen_t len, int family, char *text, socklen_t size)
{
    bool whole = (family == AF_INET && len >= 4) || (family == AF_INET6 && len >= 16);

    return addr && whole ? inet_ntop(family, addr, text, size) : NULL;
}

MH_PUBLIC struct hostent *gethostbyaddr(const void *addr, socklen_t len, int family)
{
    char text[INET6_ADDRSTRLEN];
    const char *name = letters(addr, len, family, text, sizeof(text));

    OLD(gethostbyaddr, name, mh_real.gethostbyaddr(addr, len, family));
}

MH_PUBLIC int gethostbyaddr_r(const void *restrict addr, socklen_t len, int family,
                              struct hostent *restrict ret, char *restrict buf, size_t size,
                              struct hostent **restrict result, int *restrict herr)
{
    char text[INET6_ADDRSTRLEN];
    const char *name = letters(addr, len, family, text, sizeof(text));

    OLD_R(gethostbyaddr_r, name, result, herr,
          mh_real.gethostbyaddr_r(addr, len, family, ret, buf, size, result, herr));
}

MH_PUBLIC int getnameinfo(const struct sockaddr *restrict addr, socklen_t len, char *restrict host,
                          socklen_t host_size, char *restrict service, socklen_t service_size,
                          int flags)
{
    char text[INET6_ADDRSTRLEN];
    struct asking a = {.call = MH_CALL_getnameinfo};
    int r;

    if (addr && addr->sa_family == AF_INET && len >= sizeof(struct sockaddr_in))
        a.node = letters(&((const struct sockaddr_in *)(const void *)addr)->sin_addr, 4, AF_INET,
                         text, sizeof(text));
    else if (addr && addr->sa_family == AF_INET6 && len >= sizeof(struct sockaddr_in6))
        a.node = letters(&((const struct sockaddr_in6 *)(const void *)addr)->sin6_addr, 16,
                         AF_INET6, text, sizeof(text));
    if (!host || !host_size || (flags & NI_NUMERICHOST) || !asks(a.node))
        return MH_REAL(getnameinfo)(addr, len, host, host_size, service, service_size, flags);
    a.start = mh_now();
    mh_python_place(&a.place);
    r = asked_fault(&a);
    if (!r) {
        r = mh_real.getnameinfo(addr, len, host, host_size, service, service_size, flags);
        if (r && r != EAI_SYSTEM && r != EAI_BADFLAGS && r != EAI_OVERFLOW)
            a.watch = record(&a, NULL, 0, r, 0);
    }
    mh_event(dns, a.node, strlen(a.node), .result = r, .wait_ns = mh_now() - a.start,
             .stack = a.place.stack, .task = (int64_t)a.place.task, .unit = a.place.unit);
    mh_finish(0, a.watch);
    return r;
}
