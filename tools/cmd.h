/* SPDX-License-Identifier: Apache-2.0 */
/* What a verb is: a function that gets "mishap VERB" as argv[0], parses its own arguments with argp
 * and returns the exit status. Rows in verbs.def; bodies in cmd_NAME.c. */
#pragma once

/* Exit statuses of every verb. 1 and other numbers are the wrapped command's own. */
enum mh_exit {
    MH_EXIT_OK = 0,
    MH_EXIT_MISUSE = 2,     /* wrong arguments or a bad scenario; nothing was started */
    MH_EXIT_TROUBLE = 3,    /* mishap itself could not do its work */
    MH_EXIT_GATE = 10,      /* --fail-on or --baseline: the application is not good enough */
    MH_EXIT_UNJUDGED = 11,  /* the gate could not judge: nothing fired, or too little was seen */
    MH_EXIT_UNHEALTHY = 12, /* the application was unhealthy with no fault active */
};

#define VERB(name, arguments, summary) int mh_cmd_##name(int argc, char **argv);
#include "verbs.def"
#undef VERB
