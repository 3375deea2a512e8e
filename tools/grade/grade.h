/* SPDX-License-Identifier: Apache-2.0 */
/* Grades a model: runs every rule of rules.def over it, and writes down what was found as one JSON
 * document, report.json (its shape: report/report.schema.json). Formats print that document and
 * never grade; nothing in here prints. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "grade/advice.h"
#include "grade/score.h"
#include "model/model.h"

enum mh_fragility {
    MH_FRAGILITY_architecture,
    MH_FRAGILITY_communication,
    MH_FRAGILITY_execution,
    MH_FRAGILITY_persistence
};

/* What verdicts rest on beside calls and requests. A process may not have given it: one that
 * somebody else traces, an interpreter that is not known. *_well: where a finding can be proved
 * without, but not that all is well; S_guess: only where it is a guess which request made a call.
 */
enum mh_tier {
    MH_TIER_S = 1 << 0, /* Python stacks */
    MH_TIER_S_well = 1 << 1,
    MH_TIER_S_guess = 1 << 2,
    MH_TIER_X = 1 << 3, /* what became of exceptions */
    MH_TIER_X_well = 1 << 4,
    MH_TIER_W = 1 << 5, /* logs */
    MH_TIER_K = 1 << 6, /* the kernel */
    /* calm times alone: judged also where an application is ill without any fault */
    MH_TIER_calm = 1 << 7,
    MH_TIER_H = 1 << 8, /* what requests were answered: not seen behind TLS */
    MH_TIER_H_well = 1 << 9,
};

struct mh_grading;

/* A rule of the catalogue: one row of rules.def. */
struct mh_rule_row {
    const char *id; /* "MH-0601", permanent */
    const char *title;
    int principle;
    enum mh_severity nominal;
    enum mh_fragility type;
    uint32_t needs; /* enum mh_fact bits: all must hold, or the rule does not apply here */
    uint32_t tiers; /* enum mh_tier bits: without these a verdict is unclear */
    int (*judge)(struct mh_grading *); /* NULL: in the catalogue, not built yet */
    const char *means;
    const char *evidence;
    const char *false_positives;
    const char *fix;
    const char *code; /* Python */
    const char *flip;
    const char *since; /* version that added it; NULL with judge */
};

extern const struct mh_rule_row mh_rule_rows[];
extern const size_t mh_rule_count;
extern const char *const mh_principle_names[MH_PRINCIPLES];
extern const char *const mh_severity_words[];
/* The severity that a gate or a finding names, in any case; -EINVAL: none, or "info". */
int mh_severity_named(const char *name);
extern const char *const mh_fragility_names[];
extern const char *const mh_confidence_names[];

/* The row of "MH-0601"; NULL when there is none. */
const struct mh_rule_row *mh_rule_find(const char *id);

/* What is known of how this run was made, and of those before it; for rules about testing. */
struct mh_past {
    bool known;              /* how it was started is stored beside it */
    const char *plan;        /* --plan it was made by: "quick", "full"; NULL none */
    const char *pipeline;    /* what says that a pipeline made it, such as "GITLAB_CI"; NULL none */
    bool gate, compared;     /* it stops for findings; there is an earlier report */
    bool kept;               /* there is a history */
    const char *const *full; /* when earlier full runs were made; NULL at its end; NULL: none */
};

struct mh_grade_options {
    const char *run_id;             /* NULL: made from the time of the start */
    const char *run_dir;            /* for replay commands; NULL: none */
    bool repeatable;                /* how the run was started is stored there */
    const struct mh_past *past;     /* NULL: nothing is known */
    const struct mh_advice *advice; /* NULL: the rules' own */
};

/* Grades. The caller owns *ret_document (json_decref). Returns 0 or -ENOMEM. */
int mh_grade(const struct mh_model *m, const struct mh_grade_options *options,
             json_t **ret_document);

/* What `--fail-on SEVERITY` says of a document: 0 good enough, 10 a finding of this severity or
 * worse (confidence medium or better) is open, 11 cannot be judged (nothing fired, nothing was
 * judged, the run or a recording was cut, or a fault of the baseline did not fire), 12 the
 * application was unhealthy with no fault active, -EINVAL: no such severity. NULL or "none" never
 * fails. Waivers that have not expired are heeded; in a document that was compared only what is new
 * or worse counts. */
int mh_gate(const json_t *document, const char *fail_on);
