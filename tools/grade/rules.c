/* SPDX-License-Identifier: Apache-2.0 */
/* The catalogue as a table; see rules.def. */
#include <errno.h>
#include <strings.h>

#include "grade/judge.h"

#include "base/banned.h"

const struct mh_rule_row mh_rule_rows[] = {
#define RULE(id, title, principle, severity, type, needs, tiers, judge, means, evidence,           \
             positives, fix, code, flip, since)                                                    \
    {id,                                                                                           \
     title,                                                                                        \
     principle,                                                                                    \
     MH_SEVERITY_##severity,                                                                       \
     MH_FRAGILITY_##type,                                                                          \
     needs,                                                                                        \
     tiers,                                                                                        \
     judge,                                                                                        \
     means,                                                                                        \
     evidence,                                                                                     \
     positives,                                                                                    \
     fix,                                                                                          \
     code,                                                                                         \
     flip,                                                                                         \
     since},
#define RULE_LATER(id, title, principle, severity, type, needs, means)                             \
    {id,                                                                                           \
     title,                                                                                        \
     principle,                                                                                    \
     MH_SEVERITY_##severity,                                                                       \
     MH_FRAGILITY_##type,                                                                          \
     needs,                                                                                        \
     0,                                                                                            \
     NULL,                                                                                         \
     means,                                                                                        \
     NULL,                                                                                         \
     NULL,                                                                                         \
     NULL,                                                                                         \
     NULL,                                                                                         \
     NULL,                                                                                         \
     NULL},
#include "grade/rules.def"
#undef RULE
#undef RULE_LATER
};
const size_t mh_rule_count = ARRAY_SIZE(mh_rule_rows);

const char *const mh_principle_names[MH_PRINCIPLES] = {"assume failure",
                                                       "redundancy",
                                                       "circuit breaker",
                                                       "graceful degradation",
                                                       "retries and idempotency",
                                                       "timeouts and limits",
                                                       "load shedding",
                                                       "decoupling",
                                                       "chaos tests",
                                                       "observability"};
const char *const mh_severity_words[] = {"Info", "Low", "Medium", "High", "Critical", NULL};
const char *const mh_fragility_names[] = {"Architecture", "Communication", "Execution",
                                          "Persistence"};
const char *const mh_confidence_names[] = {"low", "medium", "high"};

int mh_severity_named(const char *name)
{
    for (int i = MH_SEVERITY_low; i <= MH_SEVERITY_critical; i++)
        if (!strcasecmp(name, mh_severity_words[i]))
            return i;
    return -EINVAL;
}

const struct mh_rule_row *mh_rule_find(const char *id)
{
    for (size_t i = 0; i < mh_rule_count; i++)
        if (!strcasecmp(mh_rule_rows[i].id, id))
            return &mh_rule_rows[i];
    return NULL;
}
