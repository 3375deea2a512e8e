/* SPDX-License-Identifier: Apache-2.0 */
/* From an operation to its verdict and its record. Everything that a fault does or that really
 * fails passes here, so that nothing is injected that was not recorded. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "fd/table.h"
#include "python/python.h"

/* One operation as it is recorded. */
struct mh_story {
    enum mh_op_kind kind;
    enum mh_call call;
    int fd;                  /* -1 none */
    const struct mh_desc *d; /* NULL none */
    uint32_t path_id;
    const char *text; /* getaddrinfo's name, or NULL */
    uint64_t asked;
    int64_t result;
    int err;
    int64_t wait_ns, timeout_ns;
    const struct mh_verdict *verdict; /* NULL: it really failed */
    int effect;                       /* enum mh_effect of what is done */
    int64_t delay_ns;
    bool native;                  /* with its native frames in any case */
    const struct mh_place *place; /* NULL: take it now */
};

/* Asks the rules about an operation on a description (peer, side, path from there). False: pass.
 * When nothing can be recorded any more the answer is always pass. */
bool mh_decide(const struct mh_desc *d, enum mh_op_kind kind, const struct mh_place *place,
               uint64_t size, struct mh_verdict *ret);

/* The same where not every effect can be had: faults that have none of these, a set of
 * MH_EFFECT_BIT, do not count this operation. */
bool mh_decide_of(const struct mh_desc *d, enum mh_op_kind kind, const struct mh_place *place,
                  uint64_t size, uint32_t effects, struct mh_verdict *ret);

/* The same for an operation on a path, or (path NULL) on a peer-less call such as getaddrinfo,
 * where `name` stands for the peer's name. */
bool mh_decide_path(enum mh_op_kind kind, const char *path, const char *name,
                    const struct mh_place *place, struct mh_verdict *ret);

/* Asks the budgets that are kept (MH_EFFECTS_KEPT) about one more of what they count. */
bool mh_decide_kept(enum mh_op_kind kind, const char *path, const struct mh_place *place,
                    struct mh_verdict *ret);

/* The fault that has this name answered with other addresses now; NULL none. */
const struct mh_fault *mh_decide_moved(const char *name, struct mh_verdict *ret);

/* How long ago the name of this peer got other addresses (as in the record `connect`), and that
 * name; 0 and "" when it did not. */
int64_t mh_moved_ago(const struct mh_peer *peer, int64_t now, const char **ret_name);

/* Writes the op record; returns its id, or 0 when it could not be kept: then do not inject. */
int64_t mh_record(const struct mh_story *story);

/* Is this errno worth a record when it really happened? (Not for EAGAIN, EINTR, EINPROGRESS ...) */
bool mh_errno_is_failure(int err);

/* Monotonic moment at which the fault's present window began. */
int64_t mh_window_begin(unsigned fault, int64_t now);

/* Monotonic moment at which the fault's present window ends; INT64_MAX when it does not. */
int64_t mh_window_end(unsigned fault, int64_t now);

/* Id of a path, whose record is written at its first use. */
uint32_t mh_path_id(const char *path);
