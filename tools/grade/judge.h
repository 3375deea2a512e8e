/* SPDX-License-Identifier: Apache-2.0 */
/* What judges share: trials, retry sequences, tallies by site, and how a judgement is filed. Only
 * for the files of this room. A judge reads the model and the trials and files one judgement per
 * site. */
#pragma once

#include "base/hash.h"
#include "base/macros.h"
#include "grade/grade.h"

/* What exists in this run: decides which rules apply. */
enum mh_fact {
    MH_FACT_peers = 1 << 0,    /* the application calls somebody */
    MH_FACT_server = 1 << 1,   /* it answers inbound requests */
    MH_FACT_optional = 1 << 2, /* a cache, or a telemetry peer */
    MH_FACT_http_peer = 1 << 3,
    MH_FACT_queue = 1 << 4,
    MH_FACT_telemetry = 1 << 5,
    MH_FACT_files = 1 << 6,   /* it writes files */
    MH_FACT_loop = 1 << 7,    /* coroutines serve requests */
    MH_FACT_fork = 1 << 8,    /* a forked process that calls somebody */
    MH_FACT_workers = 1 << 9, /* two or more processes answer */
    MH_FACT_dns = 1 << 10,
    MH_FACT_pool = 1 << 11,      /* connections are used again */
    MH_FACT_busy_peer = 1 << 12, /* 30 calls or more, or requests that need it */
    MH_FACT_probe = 1 << 13,     /* a health route was asked */
    MH_FACT_chain = 1 << 14,     /* one recorded service calls another */
    MH_FACT_threads = 1 << 15,   /* several threads of a process call out */
    MH_FACT_crowd = 1 << 16,     /* five processes or more call out */
    MH_FACT_tasks = 1 << 17,     /* it runs tasks of a queue */
    MH_FACT_outside = 1 << 20,   /* it calls somebody or writes files: what may be refused */
    MH_FACT_endpoints = 1 << 21, /* two peers stand for each other */
};

enum mh_outcome {
    MH_OUTCOME_absorbed,
    MH_OUTCOME_degraded,
    MH_OUTCOME_refused,
    MH_OUTCOME_broke,
    MH_OUTCOME_hung,
    MH_OUTCOME_silent,
    MH_OUTCOME_collapsed,
    MH_OUTCOME_COUNT,
    MH_OUTCOME_unknown = MH_OUTCOME_COUNT
};
extern const char *const mh_outcome_words[];
extern const double mh_outcome_worth[];

enum mh_verdict_kind {
    MH_VERDICT_pass,
    MH_VERDICT_partial,
    MH_VERDICT_fail,
    MH_VERDICT_not_exercised,
    MH_VERDICT_unclear
};

/* Only a question, as to whether a file is there? */
static inline bool mh_op_asks(enum mh_op_kind kind)
{
    return kind == MH_OP_stat || kind == MH_OP_fstat;
}

/* Did this process end without an exit just after an allocation was refused? Then an interpreter
 * crashed that could not go on without, or a library in it: nobody's finding. */
bool mh_crashed_of_memory(const struct mh_process *p);

/* One unit of work that one fault (or real error) hit at one site: the smallest thing judged. */
struct mh_trial {
    uint32_t unit, site, peer, path; /* as in the model */
    uint32_t op, nops;               /* first operation; how many there were */
    int32_t fault;                   /* 0: a real failure */
    int effect, err;
    enum mh_op_kind kind;
    bool error;     /* the program got an error, an end or a reset, not just a delay */
    bool answered;  /* it was a question, and a no its answer: nothing to cope with */
    bool expected;  /* an error that every network and disk gives */
    bool presend;   /* nothing of the request can have left */
    bool safe;      /* doing it again does no harm: nothing sent, or an idempotent method */
    bool write;     /* what failed was a write: a send of one, or to a file */
    bool one_shot;  /* the next try would have gone through */
    bool ambiguous; /* to which unit it belongs is the likeliest of several */
    bool retried, retry_ok,
        fallback;   /* later in the unit: same peer again, with success, another */
    bool overtaken; /* it was tried again, and that failed of what nobody injected */
    bool timed_out; /* a delay or hang that it gave up on */
    bool untold;    /* it was said to be done: whatever followed may have had other causes */
    bool walked;    /* one address of several: the call went on to the next by itself */
    bool chosen;    /* ... under another number, not of the same name */
    bool moved;     /* the same, to another named endpoint, or by the application's own choice */
    bool logged;
    bool healthy_after; /* the route answered well and untouched later on */
    bool caught;        /* a handler is known */
    struct mh_frame handler;
    struct mh_frame lost_in; /* `lost`: nobody can catch it any more, as of a task nobody asked */
    bool lost;
    uint32_t type_born, type_last; /* texts: exception type, and what it became */
    uint32_t type_handler;         /* text: a mistake of the handler's own, which was raised */
    struct mh_frame raised;        /* ... there */
    bool translated;               /* the application raised another in its place, on purpose */
    int log_level;                 /* highest of the records that told of it; 0 none, or unknown */
    bool followed;                 /* its exception was followed to the end */
    bool watched, blind; /* it was followed at all; it was not, as its process lacks that */
    int body;            /* enum mh_body */
    enum mh_outcome outcome;
    uint32_t case_of; /* index in cases */
};

enum mh_body { MH_BODY_unknown, MH_BODY_same, MH_BODY_other };

struct mh_case {
    uint64_t key;
    uint32_t site, peer, path, route;
    int32_t fault;
    int err, effect;
    bool one_shot;
    unsigned fired, background, outcomes[MH_OUTCOME_COUNT + 1];
};

enum { MH_SEQUENCE_WAITS = 12 };

/* Tries of one thing in a row, each but the first because the one before failed. */
struct mh_sequence {
    uint32_t unit, process, site, peer, stack; /* stack: of the first try */
    unsigned attempts;
    int64_t first, last, median_wait, longest_wait;
    int64_t waits[MH_SEQUENCE_WAITS]; /* the first ones, in order */
    unsigned nwaits;
    bool exhausted; /* the last try failed, too */
    bool ended;     /* ... and the unit went on or ended without another */
    bool ambiguous, requested;
};

/* Does this status say that the question was wrong, so that it will not change by asking? */
static inline bool mh_is_final_status(int status)
{
    return status == 400 || status == 401 || status == 403 || status == 404 || status == 409 ||
           status == 422;
}

struct mh_judgement {
    const struct mh_rule_row *rule;
    enum mh_verdict_kind verdict;
    enum mh_severity severity;
    enum mh_fragility type;
    enum mh_confidence confidence;
    uint32_t site, peer;
    unsigned fired, failed;
    bool observed;
    uint32_t trial;             /* an example, plus 1 */
    uint32_t stack;             /* to show, when there is no trial */
    json_t *evidence, *counter; /* sentences */
    char *reason, *how;         /* for verdicts that are no findings; owned */
    double points;
};

struct mh_grading {
    const struct mh_model *m;
    const struct mh_grade_options *options;
    uint32_t facts, unsure; /* unsure: facts that may hold, but could not be seen */
    bool healthy, healthy_known;
    unsigned calm_failed;
    MH_VEC(struct mh_trial) trials;
    MH_VEC(struct mh_case) cases;
    MH_VEC(struct mh_sequence) sequences;
    MH_VEC(struct mh_sequence) refused; /* the same asked again after 4xx, in vain to the end */
    MH_VEC(struct mh_judgement) judgements;
    MH_VEC(uint32_t) logs;              /* act indices, by time */
    MH_VEC(struct mh_redis_seen) redis; /* by site and peer; see redis_keys */
    struct mh_map redis_keys;
    struct mh_map callers; /* threads that do more than log; see mh_thread_key() */
    struct mh_map paces;   /* limits of waits that only set a pace; see mh_is_pace() */
    struct mh_map case_keys;
    const struct mh_rule_row *rule; /* being judged */
    struct mh_score score;
    struct mh_advice_seen *advice; /* NULL: none by library */
};

static inline uint64_t mh_thread_key(uint32_t process, uint32_t tid)
{
    return mh_mix2(process, tid);
}

/* trials.c, outcome.c, retry.c: made before any judge runs. Each returns 0 or -ENOMEM. */
int mh_trials_make(struct mh_grading *g);
int mh_sequences_make(struct mh_grading *g);
/* What each site does with each redis. Returns 0 or -ENOMEM. */
int mh_redis_by_site(struct mh_grading *g);
/* Does any site use a peer that may be missed by its nature? */
bool mh_has_optional(const struct mh_grading *g);
/* Are there two peers that answer the same in turn? Returns 0 or -ENOMEM. */
int mh_has_endpoints(const struct mh_grading *g, bool *ret);
/* When a hang that hit at `at` was lifted: the end of its phase; 0: not before the run's end. */
int64_t mh_fault_lifted(const struct mh_grading *g, int32_t fault, int64_t at);
/* The line of the application that made a call; 0 when it is not on the stack. */
int32_t mh_app_line(const struct mh_model *m, uint32_t stack);
/* Is a command well again at the place that failed? */
bool mh_went_on(const struct mh_grading *g, const struct mh_act *a);
/* retry.c: both are connects of one call, at once one after the other, to addresses of one name. */
bool mh_is_next_address(const struct mh_act *before, const struct mh_act *a);
/* walk.c: where the unit went on at once when this connect failed. */
void mh_trial_walk(const struct mh_model *m, const struct mh_op_seen *o, struct mh_trial *t);
void mh_outcome_decide(const struct mh_grading *g, struct mh_trial *t);
/* Is it where records go: a telemetry peer, a file that is named so, the standard streams? `path`
 * is a text. */
bool mh_is_sink(const struct mh_grading *g, uint32_t peer, uint32_t path);
/* blame.c: of the failures in a unit that broke, those that did not break it have no outcome. */
int mh_blame(struct mh_grading *g);
/* Is the body of a unit what its path or route answers when all is well? */
enum mh_body mh_unit_body(const struct mh_model *m, const struct mh_unit *u);
bool mh_trial_logged(const struct mh_grading *g, const struct mh_trial *t, int *ret_level);
/* Does one of its records say what failed: exception, errno, peer, traceback, or which request? */
bool mh_trial_context(const struct mh_grading *g, const struct mh_trial *t);
/* Errors of this site with this peer that a record of their own names, whichever unit wrote it; but
 * for records that are certainly of a failure at another place. */
unsigned mh_trials_told(const struct mh_grading *g, uint32_t site, uint32_t peer);
/* An error was caught by the application, and nothing whatever came of it. */
bool mh_trial_swallowed(const struct mh_trial *t, const struct mh_unit *u);
/* Next to nothing was answered as if all were well, and nobody was told (MH-0404). */
bool mh_trial_hollow(struct mh_grading *g, const struct mh_trial *t);

/* Trials (or other things) counted by site and peer. */
struct mh_tally {
    uint32_t site, peer;
    unsigned fired, failed, partial, ambiguous, real, window, write, polite, unhealthy;
    unsigned again;   /* operations on a file beyond the first, in the run of a command */
    uint32_t example; /* trial index plus 1, of a failed one if there is one */
    uint32_t passed;  /* trial index plus 1 of one that passed */
    int64_t worst;    /* a number of the judge's own */
};
struct mh_tallies {
    MH_VEC(struct mh_tally) list;
    struct mh_map keys;
};

/* The tally of a site and peer, made when new; NULL without memory. */
struct mh_tally *mh_tally_of(struct mh_tallies *tallies, uint32_t site, uint32_t peer);
/* Counts a trial: value 1 well, 0.5 partly, 0 failed. Returns NULL without memory. */
struct mh_tally *mh_tally_trial(struct mh_grading *g, struct mh_tallies *tallies, uint32_t trial,
                                double value);
/* Counts something that was done at its place. NULL without memory. */
struct mh_tally *mh_tally_act(struct mh_tallies *tallies, const struct mh_act *a, bool failed);
void mh_tallies_done(struct mh_tallies *tallies);

/* A span of time in which faults hit a peer; `to` is the end of the phase. */
struct mh_window {
    int64_t from, to;
};
unsigned mh_windows_of(const struct mh_grading *g, uint32_t peer, struct mh_window *ret,
                       unsigned max);

/* Is this the text of a request, or a route, that asks for a change? */
bool mh_is_changing(const char *text);
/* How often this unit of work tried at the peer. */
unsigned mh_unit_asks(const struct mh_grading *g, const struct mh_unit *u, uint32_t peer);

/* handed.c. The unit that had begun what goes on in the background; 0 none that is known. */
uint32_t mh_act_left_by(const struct mh_model *m, const struct mh_act *a);
/* Whose work is this? Also of what goes on when the request has been answered; 0
 * nobody's.
 */
uint32_t mh_act_owner(const struct mh_model *m, const struct mh_act *a);
/* Is it a command that hands work to this broker, and left? */
bool mh_is_push(const struct mh_grading *g, const struct mh_act *a, uint32_t peer);
/* What a unit handed to one broker, the work that it left behind included. */
struct mh_handed {
    unsigned pushes, answered, after; /* after: by what it left behind */
    bool sent;                        /* what may be the message left, answered or not */
    bool elsewhere;                   /* a file was written, or another peer asked */
    bool judged, lost;                /* for the judge */
    int64_t first;                    /* of the pushes */
};
/* By unit number, from calloc(); NULL without memory. */
struct mh_handed *mh_handed_of(const struct mh_grading *g, uint32_t peer);
/* How many units of a route there were when all was well, and how many of them handed something
 * over after their answer. By route, from calloc(); NULL without memory. */
struct mh_habit {
    unsigned calm, after;
};
struct mh_habit *mh_habits_of(const struct mh_grading *g, const struct mh_handed *handed);

/* The port that a process serves: its own, or its parent's, which bound it before it forked; 0 or
 * less: none. */
int mh_served_port(const struct mh_model *m, uint32_t process);

/* Has this process answered a request? Is it one that answers, or would have: a server, its worker,
 * one that was started like one that served? And who forked it, if that one was recorded. */
bool mh_process_serves(const struct mh_grading *g, uint32_t process);
bool mh_process_is_server(const struct mh_grading *g, uint32_t process);
const struct mh_process *mh_process_parent(const struct mh_grading *g, uint32_t process);

/* What units of a route ask of one peer when all is well. ever: one of them used it at some time,
 * or another recorded service, which may. */
struct mh_need {
    unsigned units, asking, attempts;
    bool ever;
};
/* By route, from calloc(); NULL without memory. */
struct mh_need *mh_needs_of(const struct mh_grading *g, uint32_t peer);

/* Units of one process, begun in a window, that need the peer: how many would ask it as in calm
 * times, how many did, and how that went. */
struct mh_demand {
    unsigned units, asking, well, failed;
    double expected, expected_attempts;
    int64_t blocked, slow, quick; /* sums: of failed attempts; of units that asked, that did not */
    uint32_t example;             /* an attempt: act index plus 1 */
};
void mh_demand_of(const struct mh_grading *g, uint32_t process, uint32_t peer,
                  const struct mh_need *needs, struct mh_window w, struct mh_demand *ret);

/* All threads that serve stood in waits without a limit at once, for `span`; places: of these
 * waits, keys mh_mix2(site, peer). Span 0: never. Returns 0 or -ENOMEM. */
struct mh_stall {
    int64_t span;
    unsigned threads;
};
int mh_stall_find(const struct mh_grading *g, struct mh_map *places, struct mh_stall *ret);

/* cuts.c. What became of the requests to this peer, from this place, that a hang held: ended before
 * it, after `longest` at most; or still there when it was lifted. */
struct mh_cuts {
    unsigned cut, stood;
    int64_t longest;
};
/* paces.c: a limit after which the same is waited for again is none. Is it of that length, for this
 * peer? Of a wait or of one that ended. */
int mh_paces_find(struct mh_grading *g);
bool mh_is_pace(const struct mh_grading *g, const struct mh_act *a);
void mh_cuts_of(const struct mh_grading *g, uint32_t site, uint32_t peer, struct mh_cuts *ret);
/* So many were cut, and none stood, that something ends them all. */
enum { MH_CUTS_SURE = 3 };

/* loops.c. Was the response sent from inside an event loop? Under uvloop no task is current then.
 */
bool mh_sent_by_loop(const struct mh_model *m, const struct mh_unit *u);
/* Was this called, or a request answered, on another stack than the main thread's own? All that
 * this thread does begins in a module, but for greenlets: their hub is an event loop. */
bool mh_on_greenlet(const struct mh_model *m, uint32_t process, uint32_t tid, uint32_t stack);
bool mh_unit_on_greenlet(const struct mh_model *m, const struct mh_unit *u);
/* Keys of threads, see mh_thread_key(), whose loop several requests depend on. 0 or -ENOMEM. */
int mh_shared_loops(const struct mh_grading *g, struct mh_map *ret);

/* What a trial is worth to a rule: 1 well, 0.5 partly, 0 failed, MH_NOT_MINE: nothing. */
typedef double mh_judge_value(struct mh_grading *g, const struct mh_trial *t);
enum { MH_NOT_MINE = -1 };
int mh_tally_all(struct mh_grading *g, struct mh_tallies *tallies, mh_judge_value *value);

/* A rule that is nothing but a value of each trial: tallied, and a judgement filed for each place.
 */
struct mh_plain_rule {
    mh_judge_value *value;
    enum mh_severity severity;
    const char *held;       /* of a pass: "3 of 3 ..." */
    const char *became;     /* of a finding: what the failed trials did */
    const char *none, *how; /* where there was no such trial */
};
int mh_judge_plain(struct mh_grading *g, const struct mh_plain_rule *rule);

/* Two of three must agree; how many and how clearly makes the confidence. */
enum mh_verdict_kind mh_tally_verdict(const struct mh_tally *t);
enum mh_confidence mh_tally_confidence(const struct mh_tally *t);

/* Files a judgement of the rule in g->rule; `severity` is its own, before the corrections that all
 * rules share. NULL without memory. */
struct mh_judgement *mh_judge_file(struct mh_grading *g, enum mh_verdict_kind verdict,
                                   uint32_t site, uint32_t peer, enum mh_severity severity,
                                   enum mh_confidence confidence);
/* The same from a tally, with its counts and example. */
struct mh_judgement *mh_judge_tally(struct mh_grading *g, const struct mh_tally *t,
                                    enum mh_severity severity);
/* From a tally of acts, whose `example` is one: its verdict as it stands, its counts, that act's
 * stack.
 */
struct mh_judgement *mh_judge_acts(struct mh_grading *g, const struct mh_tally *t,
                                   enum mh_severity severity);
/* From a tally of any kind, with its counts and the stack of its site. */
struct mh_judgement *mh_judge_site(struct mh_grading *g, const struct mh_tally *t,
                                   enum mh_verdict_kind verdict, enum mh_severity severity,
                                   enum mh_confidence confidence);
/* Says what failed and what did not, and the journey of an example; needs its trial. */
void mh_say_trials(const struct mh_grading *g, struct mh_judgement *j, const struct mh_tally *t,
                   const char *became);
/* Not exercised or unclear, for the whole application. Returns 0 or -ENOMEM. */
int mh_judge_none(struct mh_grading *g, enum mh_verdict_kind verdict, const char *reason,
                  const char *how);

/* Why a rule about what became of errors found nothing: `none`, or that it cannot be told. */
const char *mh_none_of_errors(const struct mh_grading *g, const char *none);

/* tiers.c: does this process not tell what becomes of exceptions, always or at times? */
bool mh_outcomes_lacking(const struct mh_process *p);
/* Makes a judgement unclear when one of these tiers is lacking where it was made. */
void mh_judge_lacks(const struct mh_grading *g, struct mh_judgement *j, uint32_t tiers);
/* The same for all judgements of g->rule, which are those from this one on. 0 or -ENOMEM. */
int mh_tiers_apply(struct mh_grading *g, size_t from);
/* Did a process end then without a word, and the kernel was not asked why? */
bool mh_ended_unseen(const struct mh_grading *g, struct mh_window w);
/* Facts that stacks alone would have shown, where some are lacking. */
uint32_t mh_facts_unsure(const struct mh_grading *g);

/* How often a fault hit, of the operations that it could have hit: 0..1 by process and peer. */
struct mh_share {
    uint64_t hits;
    int64_t low, high;
};
struct mh_shares {
    struct mh_map keys;
    MH_VEC(struct mh_share) list;
};

/* shares.c. Returns 0 or -ENOMEM. */
int mh_shares_count(const struct mh_grading *g, struct mh_shares *ret);
void mh_shares_done(struct mh_shares *shares);
/* Would the next try have gone through? */
bool mh_is_one_shot(const struct mh_grading *g, const struct mh_shares *shares,
                    const struct mh_op_seen *o, const struct mh_act *a);

/* Adds a sentence. Lists that are NULL (no memory) are left alone. */
void mh_sentence(json_t *list, const char *format, ...) MH_PRINTF(2, 3);
void mh_reason(struct mh_judgement *j, const char *format, ...) MH_PRINTF(2, 3);

/* Names for sentences. Into the caller's buffer, which is returned. */
const char *mh_name_span(int64_t ns, char *buf, size_t size);
const char *mh_name_frame(const struct mh_grading *g, const struct mh_frame *f, char *buf,
                          size_t n);
const char *mh_name_err(enum mh_op_kind kind, int err);
const char *mh_name_call(int call);
const char *mh_name_site(const struct mh_grading *g, uint32_t site);
const char *mh_name_peer(const struct mh_grading *g, uint32_t peer);
const char *mh_name_route(const struct mh_grading *g, uint32_t unit);
const char *mh_name_fault(const struct mh_grading *g, int32_t fault);
#define MH_SPAN(ns) mh_name_span(ns, (char[32]){0}, 32)

static inline const struct mh_unit *mh_grading_unit(const struct mh_grading *g, uint32_t unit)
{
    return &g->m->units.v[unit - 1];
}

#define RULE(id, title, principle, severity, type, needs, tiers, judge, ...)                       \
    int judge(struct mh_grading *g);
#define RULE_LATER(...)
#include "grade/rules.def"
#undef RULE
#undef RULE_LATER
