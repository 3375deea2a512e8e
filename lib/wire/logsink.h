/* SPDX-License-Identifier: Apache-2.0 */
/* What a record on its way to a log sink says, in words of known classes only: its level, names of
 * exceptions and errnos, peers, the id of its trace. Its text is never kept. Pure; any context may
 * call it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"

enum {
    MH_LOG_TOKENS = 200,   /* bytes of them that are kept */
    MH_LOG_PER_CLASS = 4,  /* names of each class that are kept */
    MH_LOG_PART = 8 << 10, /* bytes looked at from the begin, and again from the end, of a write */
};

struct mh_log_facts {
    enum mh_level level; /* the highest of the lines, where each line counts by its first word */
    bool traceback;      /* a traceback header is in it */
    bool ident;          /* a request or trace is named in it, by key or by UUID */
    uint64_t digest;     /* keyed, with numbers and ids masked (see mask.h): the same line again? */
    char trace[32 + 1];  /* the first W3C trace id in it */
    char tokens[MH_LOG_TOKENS + 1]; /* "ConnectionError ECONNREFUSED redis:6379", each once */
};

/* Whether what has the shape of a peer is one: a word before a number may be anything. */
typedef bool mh_log_peer_known(const char *host, size_t n, unsigned long port);

/* Looks at the n bytes of one write. Never fails; what it does not know it does not tell.
 * `known` may be NULL: then all peers are. */
void mh_log_scan(const char *bytes, size_t n, uint64_t key, mh_log_peer_known *known,
                 struct mh_log_facts *ret);
