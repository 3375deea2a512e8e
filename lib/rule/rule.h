/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios compiled: an immutable set of faults and phases, and the pure decision over it.
 * The set is plain storage without pointers, so it can live in any memory, be compared and copied.
 * mh_rules_decide() takes no lock, no clock and no memory; any context may call it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rule/count.h"
#include "table/table.h"

enum {
    MH_MAX_FAULTS = 128,
    MH_MAX_PHASES = 64,
    MH_MAX_PATTERNS = 16, /* words in one peer, path or process key */
    MH_MAX_PLACES = 8,    /* words in one stack, caller or operation key */
    MH_MAX_TERMS = 16,    /* functions in one pattern of stacks */
    MH_MAX_ABORTS = 8,    /* words in abort_if */
    MH_MAX_ERRORS = 8,    /* words in one error list */
    MH_MAX_ADDRESSES = 4, /* words in one address key */
    MH_PATTERN_SIZE = 128,
    MH_NAME_SIZE = 48, /* names of faults and phases, NUL included; inih cuts at 50 */
    MH_PATH_SIZE = 512,
    MH_MAX_FILES = 16,
    MH_FAULT_WORDS = MH_MAX_FAULTS / 64, /* a set of faults, bit per fault */
};

enum mh_side { MH_SIDE_any, MH_SIDE_client, MH_SIDE_server };
enum mh_family { MH_FAMILY_none, MH_FAMILY_ipv4, MH_FAMILY_ipv6, MH_FAMILY_other };
enum mh_per { MH_PER_run, MH_PER_process, MH_PER_peer, MH_PER_connection, MH_PER_site };
enum mh_dist_kind {
    MH_DIST_none,
    MH_DIST_fixed,
    MH_DIST_jitter,
    MH_DIST_uniform,
    MH_DIST_normal,
    MH_DIST_pareto,
    MH_DIST_lognormal,
};

/* A time drawn at random; a and b are nanoseconds. jitter: a ± b, evenly; uniform: a to b; normal:
 * mean a, standard deviation b, never below 0; pareto: least a, shape b; lognormal: median a, shape
 * b; shapes are in millionths, and no draw is above an hour. */
struct mh_dist {
    enum mh_dist_kind kind;
    int64_t a, b;
};

/* Network order; IPv4 in the first 4 bytes. */
struct mh_address {
    int family;
    uint8_t addr[16];
};

/* How much of what arrives is changed. */
struct mh_corrupt {
    uint32_t count;
    bool bytes;   /* whole bytes, not bits */
    uint64_t per; /* so many in each so much of the stream; 0: in each operation */
};

/* Who is at the other end. Filled by the fd table; `name` is what getaddrinfo was asked, or "". */
struct mh_peer {
    int family;       /* AF_INET, AF_INET6, AF_UNIX; 0 unknown */
    uint8_t addr[16]; /* network order; IPv4 in the first 4 bytes */
    uint16_t port;    /* host order; for accepted sockets the port we listen on */
    uint32_t id;      /* of the peer record in the recording */
    uint64_t key;     /* stable across runs: hash of the name (or address) and port */
    char name[256];
    char path[108]; /* AF_UNIX */
};

/* One `peer =` word: any of the parts may be absent (port 0, family 0 with empty name). */
struct mh_peer_pattern {
    char name[MH_PATTERN_SIZE]; /* glob over the asked name, "" = any; for unix: the path glob; for
                                 * addresses what was written, only to be shown */
    int family;                 /* of addr; 0 = by name only */
    uint8_t addr[16];
    uint8_t prefix; /* bits of addr that count */
    uint16_t port;  /* 0 = any */
};

/* What decide looks at first stands first: the long lists are touched only by faults that have one.
 */
struct mh_fault {
    uint64_t ops;    /* MH_OP_BIT set: what it can really happen to */
    uint64_t key;    /* of its name: draws do not change when other faults come or go */
    bool takes_part; /* set by mh_rules_bind(): this process matches `process =` */
    bool force;      /* its errors may be such as the operation never returns */
    uint16_t file;   /* index in mh_rules.files */
    int line;        /* of its section */
    enum mh_side side;
    enum mh_per per;
    unsigned npeers, npaths, nprocesses, nstacks, ncallers, noperations;
    uint32_t probability;        /* of 2^32 - 1 = always */
    uint64_t skip, every, count; /* every >= 1; count 0 = no limit */
    int64_t after_ns, for_ns;    /* for_ns 0 = to the end */
    uint32_t effects;            /* MH_EFFECT_BIT set */
    struct mh_dist delay;
    unsigned nerrors;
    struct {
        int number; /* errno, or EAI_* for getaddrinfo */
        uint32_t weight;
    } errors[MH_MAX_ERRORS];
    uint32_t short_min, short_max;
    uint64_t eof_after, reset_after; /* bytes */
    uint64_t memory;                 /* bytes */
    uint64_t rate;                   /* bytes a second */
    uint64_t limit;                  /* of MH_EFFECTS_KEPT */
    int64_t step_ns;                 /* of the time of day */
    unsigned naddresses;
    struct mh_address addresses[MH_MAX_ADDRESSES];
    struct mh_corrupt corrupt;
    int signal;            /* of kill */
    enum mh_family family; /* that comes first */
    char name[MH_NAME_SIZE];
    struct mh_peer_pattern peers[MH_MAX_PATTERNS];
    char paths[MH_MAX_PATTERNS][MH_PATTERN_SIZE];
    char processes[MH_MAX_PATTERNS][MH_PATTERN_SIZE];
    char stacks[MH_MAX_PLACES][MH_PATTERN_SIZE];     /* terms and "**", one blank between */
    char callers[MH_MAX_PLACES][MH_PATTERN_SIZE];    /* of the path when it has a '/' */
    char operations[MH_MAX_PLACES][MH_PATTERN_SIZE]; /* "METHOD PATH" or a task's name */
};

struct mh_phase {
    char name[MH_NAME_SIZE];
    uint16_t file; /* index in mh_rules.files */
    int line;
    int64_t start_ns, for_ns; /* from the run's origin; for_ns 0 = to the end (last phase only) */
    uint64_t faults[MH_FAULT_WORDS];
};

/* One condition of `abort_if`. */
enum mh_abort_what { MH_ABORT_exits, MH_ABORT_http_5xx };
struct mh_abort {
    enum mh_abort_what what;
    bool share;     /* limit is a share of 2^32 - 1, else a number */
    uint64_t limit; /* holds above it */
    int64_t for_ns; /* within so long; 0: since the run's origin */
};

/* What all `peer` patterns of a fault have in common, small enough that a hundred faults are passed
 * over without touching them; 0 = nothing. */
struct mh_peer_hint {
    uint16_t port;
    uint8_t family;
    bool peers;       /* it has patterns at all */
    char first, last; /* of the name, in small letters */
    uint8_t network;  /* first byte of the address */
    bool by_network;
};

struct mh_rules {
    unsigned nfaults, nphases, nfiles;
    uint64_t seed;
    bool seed_given;
    int64_t stop_after_ns;
    uint64_t recording; /* bytes that a process may record; 0: the usual */
    unsigned naborts;
    struct mh_abort aborts[MH_MAX_ABORTS];
    bool outcomes;       /* with files: follow what becomes of errors */
    unsigned nprocesses; /* of [run] processes; 0 = the default */
    char processes[MH_MAX_PATTERNS][MH_PATTERN_SIZE];
    char files[MH_MAX_FILES][MH_PATH_SIZE];
    struct mh_fault faults[MH_MAX_FAULTS];
    struct mh_phase phases[MH_MAX_PHASES];
    /* Set by mh_rules_bind(), over the faults that take part in this process: */
    uint64_t ops;                                /* union of their operations */
    uint64_t by_op[MH_OP_COUNT][MH_FAULT_WORDS]; /* which of them each operation concerns */
    struct mh_peer_hint hints[MH_MAX_FAULTS];
    /* Those of them that ask about the place, by the key with which they do: */
    uint64_t by_stack[MH_FAULT_WORDS], by_caller[MH_FAULT_WORDS], by_operation[MH_FAULT_WORDS];
};

/* One operation, as the decision sees it. */
struct mh_op {
    enum mh_op_kind kind;
    enum mh_side side;          /* any when not a socket */
    const struct mh_peer *peer; /* NULL when none */
    const char *path;           /* NULL when none */
    int64_t run_ns;      /* since the run's origin; negative: not begun, no phase is active */
    int64_t process_ns;  /* since this process began: the clock of `after` without phases;
                          * negative: not begun, no fault without phases is active */
    uint64_t conn;       /* stable ordinal of the connection to that peer */
    uint64_t site;       /* stable hash of the site; 0 unknown */
    uint64_t size;       /* bytes asked: memory faults */
    const uint64_t *off; /* bit set of faults switched off live; NULL = none */
    uint64_t process;    /* stable ordinal of this process in the run */
    const uint64_t
        *peer_faults; /* mh_rules_match_peer() of `peer`, if the caller keeps it; or NULL */
    /* Where the call comes from. Sets of faults, of which only those in rules.by_stack and
     * by_caller count: mh_rules_match_stack() and mh_rules_match_caller(); NULL: of none. */
    const uint64_t *stack_faults, *caller_faults;
    const char *operation;      /* "GET /orders/7" or a task's name; NULL unknown */
    bool kept;                  /* ask the budgets of MH_EFFECTS_KEPT, and nothing else */
    uint32_t effects;           /* nothing else can be done to it; 0: all that its kind can have */
    struct mh_counters *shared; /* of faults with `per = run`; NULL = as the others */
};

/* What was decided. `fault` is the first that does more than delay, else the first that delays (-1:
 * pass); it gives draw and ordinal. Of error, hang,
 * blackhole and kill there is at most one. */
struct mh_verdict {
    int fault;
    int delay_fault; /* first that delays, -1 */
    uint32_t effects;
    int64_t delay_ns; /* sum over the delays that apply */
    int error;
    int signal;
    enum mh_family family;
    uint32_t short_len; /* 0 = no limit */
    uint64_t eof_after, reset_after;
    uint64_t memory, rate, limit;
    int64_t step_ns;
    struct mh_corrupt corrupt;
    uint64_t corrupt_key; /* of its fault */
    uint64_t draw, ordinal;
};

/* Decides one operation. Pure but for the counters: the same rules, seed, operation and counter
 * give the same verdict. Returns whether any fault applies. */
bool mh_rules_decide(const struct mh_rules *rules, struct mh_counters *counters,
                     const struct mh_op *op, struct mh_verdict *ret);

/* Which faults' `peer =` this peer satisfies (those without `peer =` too), bit per fault: what
 * mh_op.peer_faults may point to, so that a long-lived peer is compared once. */
void mh_rules_match_peer(const struct mh_rules *rules, const struct mh_peer *peer,
                         uint64_t ret[MH_FAULT_WORDS]);

/* Which faults' `stack =` this stack satisfies, bit per fault. `text` is that of a stack record: a
 * line a frame, innermost first: qualified name, file, line, parted by tabs. */
void mh_rules_match_stack(const struct mh_rules *rules, const char *text, size_t len,
                          uint64_t ret[MH_FAULT_WORDS]);

/* Which faults' `caller =` the shared object at this path satisfies, bit per fault. */
void mh_rules_match_caller(const struct mh_rules *rules, const char *path,
                           uint64_t ret[MH_FAULT_WORDS]);

/* Is this what one pattern of `operation =` means? */
bool mh_operation_matches(const char *pattern, const char *operation);

/* Does any fault that takes part ask with this key? `by` is one of the three sets of the rules. */
static inline bool mh_rules_ask(const uint64_t by[MH_FAULT_WORDS])
{
    uint64_t any = 0;

    for (unsigned w = 0; w < MH_FAULT_WORDS; w++)
        any |= by[w];
    return any != 0;
}

/* "http_5xx > 90 % for 10 s" */
struct mh_buf;
void mh_abort_say(const struct mh_abort *a, struct mh_buf *ret);

/* The phase at run_ns; -1 when there are none, or it is before the first or after the last. */
int mh_rules_phase(const struct mh_rules *rules, int64_t run_ns);

/* Has the dead-man's switch of this run been reached? Then every hook passes through. */
bool mh_rules_stopped(const struct mh_rules *rules, int64_t run_ns, int64_t process_ns);

/* Whether a process with this program path and arguments takes part in the run at all (`processes`
 * of [run], default python*). argv0 and script are base names; line is the whole command line. */
bool mh_rules_takes_part(const struct mh_rules *rules, const char *exe, const char *line);

/* Evaluates `process =` of each fault for this process and fills takes_part and ops. */
void mh_rules_bind(struct mh_rules *rules, const char *exe, const char *line);

/* The operations of the faults anew, after some were exchanged in a bound set. */
void mh_rules_rebind(struct mh_rules *rules);

/* Is this one of the addresses that the fault gives? */
bool mh_fault_gives(const struct mh_fault *fault, const struct mh_peer *peer);

/* Does this peer match one pattern? */
bool mh_peer_matches(const struct mh_peer_pattern *pattern, const struct mh_peer *peer);

/* glob: '*' within a path part, '**' across parts, '?' one character; `parts` false = '*' takes all
 */
bool mh_glob(const char *pattern, const char *text, bool parts);
