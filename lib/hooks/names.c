/* SPDX-License-Identifier: Apache-2.0 */
/* Names: getaddrinfo is where a name's trouble shows; the resolver's own sockets are libc's
 * business and never pass through us. */
#include <errno.h>
#include <netdb.h>
#include <string.h>

#include "base/sys.h"
#include "event/write.h"
#include "fd/decide.h"
#include "fd/wait.h"
#include "hooks/bytes.h"
#include "hooks/gate.h"

#include "base/banned.h"

struct asking {
    const char *node;
    struct mh_place place;
    int64_t start, watch;
};

static int64_t record(const struct asking *a, const struct mh_verdict *v, int effect, int err,
                      int64_t delay)
{
    return mh_record(&(struct mh_story){.kind = MH_OP_getaddrinfo,
                                        .call = MH_CALL_getaddrinfo,
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
        while (mh_wait_until(a->start + v.delay_ns) == -EINTR)
            ; /* getaddrinfo() is not ended by signals */
    if (!(v.effects & MH_EFFECT_BIT(MH_EFFECT_error)))
        return 0;
    a->watch = record(a, &v, MH_EFFECT_error, v.error, 0);
    return a->watch ? v.error : 0;
}

MH_PUBLIC int getaddrinfo(const char *restrict node, const char *restrict service,
                          const struct addrinfo *restrict hints, struct addrinfo **restrict list)
{
    struct asking a = {.node = node};
    int r;

    if (!node || (hints && (hints->ai_flags & AI_NUMERICHOST)) || !mh_gate_open(&mh_gate.fd) ||
        !mh_guest_enter())
        return mh_real.getaddrinfo(node, service, hints, list);
    a.start = mh_now();
    mh_python_place(&a.place);
    r = asked_fault(&a);
    if (!r) {
        r = mh_real.getaddrinfo(node, service, hints, list);
        if (r && r != EAI_SYSTEM && r != EAI_BADFLAGS)
            a.watch = record(&a, NULL, 0, r, 0);
    }
    mh_event(dns, node, strlen(node), .result = r, .wait_ns = mh_now() - a.start,
             .stack = a.place.stack, .task = (int64_t)a.place.task);
    for (const struct addrinfo *i = r ? NULL : *list; i; i = i->ai_next)
        mh_peer_learn(node, i->ai_addr, i->ai_addrlen);
    mh_finish(0, a.watch);
    return r;
}
