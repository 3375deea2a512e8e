/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the scenario language as rows, made from table/keys.def: for the loader and for
 * `mishap list keys`. Pure data; any context may use it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum mh_section { MH_SECTION_none, MH_SECTION_run, MH_SECTION_phase, MH_SECTION_fault };

enum mh_key {
#define KEY(section, name, type, field, least, most, dflt, help) MH_KEY_##section##_##name,
#include "table/keys.def"
#undef KEY
    MH_KEY_COUNT
};

/* One row per kind of value: TYPE(name, is it a list, what may stand there). */
#define MH_TYPES                                                                                   \
    TYPE(uint, no, "a whole number")                                                               \
    TYPE(time, no, "a time")                                                                       \
    TYPE(size, no, "a size")                                                                       \
    TYPE(percent, no, "more than 0% and at most 100%, such as 25%")                                \
    TYPE(flag, no, "yes or no")                                                                    \
    TYPE(side, no, "client or server")                                                             \
    TYPE(family, no, "ipv4, ipv6 or other (than comes first really)")                              \
    TYPE(step, no, "a time, with a - before it for an earlier one, such as -1h; the time")         \
    TYPE(per, no, "run, process, peer, connection or site")                                        \
    TYPE(signal, no, "")                                                                           \
    TYPE(delay, no,                                                                                \
         "TIME, TIME jitter TIME, uniform TIME TIME, normal TIME TIME, pareto TIME SHAPE or "      \
         "lognormal TIME SHAPE; each time")                                                        \
    TYPE(range, no, "BYTES or LEAST..MOST, such as 1..16; each")                                   \
    TYPE(after, no, "yes or after SIZE, such as after 4KiB; the size")                             \
    TYPE(corrupt, no, "N bits or N bytes, or either per SIZE, such as 1 bit per 10KiB; N")         \
    TYPE(rate, no, "SIZE/s, such as 64KiB/s; the size")                                            \
    TYPE(calls, commas, "operations, groups or libc calls, as `mishap list calls` shows them")     \
    TYPE(peers, commas,                                                                            \
         "HOST, HOST:PORT, :PORT, ADDRESS, ADDRESS:PORT, ADDRESS/BITS, [IPV6]:PORT or unix:PATH")  \
    TYPE(paths, blanks, "globs of paths, such as /var/lib/app/** or *.db")                         \
    TYPE(stacks, commas,                                                                           \
         "names of functions with their modules, ** between, such as shop.orders.* ** "            \
         "redis.client.*; commas between several")                                                 \
    TYPE(callers, commas, "globs of shared objects, such as libpq* or _psycopg*.so")               \
    TYPE(operations, commas,                                                                       \
         "METHOD PATH, PATH or NAME, such as GET /orders/*; commas between several")               \
    TYPE(aborts, commas,                                                                           \
         "exits > N, http_5xx > N or http_5xx > P%, each also 'for TIME'; commas between several") \
    TYPE(globs, blanks, "globs, such as python* or celery*worker*")                                \
    TYPE(addresses, commas,                                                                        \
         "addresses, such as 10.0.0.9 or ::1; blanks or commas between several")                   \
    TYPE(errors, commas, "ERRNO, or a list ERRNO WEIGHT, ERRNO WEIGHT")                            \
    TYPE(faults, commas, "names of [fault NAME] sections")

/* Lists may go on in indented lines. Where commas may stand, no item may be empty. */
enum mh_list { MH_LIST_no, MH_LIST_blanks, MH_LIST_commas };

enum mh_type {
#define TYPE(name, list, shape) MH_TYPE_##name,
    MH_TYPES
#undef TYPE
        MH_TYPE_COUNT
};

struct mh_key_row {
    enum mh_section section;
    const char *name;
    enum mh_type type;
    size_t offset; /* of the field in mh_rules, mh_phase or mh_fault */
    uint64_t least, most;
    const char *dflt; /* "" = none */
    const char *help;
};

struct mh_type_row {
    const char *name;
    enum mh_list list;
    const char *shape;
};

extern const struct mh_key_row mh_key_rows[MH_KEY_COUNT];
extern const struct mh_type_row mh_type_rows[MH_TYPE_COUNT];

/* "run", "phase", "fault"; "" for none. */
const char *mh_section_name(enum mh_section section);

/* What may stand after the key: "a time from 1 ms to 24 h (ns, us, ms, s, m, h)". */
void mh_key_allowed(const struct mh_key_row *key, struct mh_buf *ret);

/* The effect that a key of [fault] gives; -1 when it gives none. */
int mh_key_effect(const struct mh_key_row *key);

/* Signals of `kill`, by position; name NULL past the end. */
struct mh_signal_row {
    const char *name;
    int number;
};
extern const struct mh_signal_row mh_signal_rows[];
